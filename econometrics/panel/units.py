"""Units as they are printed in headers, and how many of the one make the other."""

from __future__ import annotations

import re

from shuzhi import DataError

_SCALES = {
    "": 1.0,
    "十": 1e1,
    "百": 1e2,
    "千": 1e3,
    "万": 1e4,
    "十万": 1e5,
    "百万": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "十亿": 1e9,
    "百亿": 1e10,
    "万亿": 1e12,
    "10^3 ": 1e3,
    "10^4 ": 1e4,
    "10^6 ": 1e6,
    "10^8 ": 1e8,
    "thousand ": 1e3,
    "million ": 1e6,
    "billion ": 1e9,
}
_BASES = {
    "yuan": ("元", "人民币元", "元人民币", "yuan", "rmb", "cny"),
    "usd": ("美元", "usd", "us dollars"),
    "person": ("人", "名", "person", "persons", "people"),
    "tonne": ("吨", "t", "tonne", "tonnes"),
    "tce": ("吨标准煤", "tce"),
    "kwh": ("千瓦时", "千瓦小时", "度", "kwh"),
    "share": ("1", "share", "ratio"),
    "square_kilometre": ("平方公里", "平方千米", "km2", "km²"),
    "firm": ("家", "个", "户", "firm", "firms"),
    "share_of_stock": ("股", "shares"),
}
_SPECIAL = {
    "%": ("share", 0.01),
    "百分比": ("share", 0.01),
    "‰": ("share", 0.001),
    "kt": ("tonne", 1e3),
    "mt": ("tonne", 1e6),
    "gt": ("tonne", 1e9),
    "kg": ("tonne", 1e-3),
    "千克": ("tonne", 1e-3),
    "mtce": ("tce", 1e6),
    "mwh": ("kwh", 1e3),
    "gwh": ("kwh", 1e6),
    "公顷": ("square_kilometre", 0.01),
    "平方米": ("square_kilometre", 1e-6),
}
NO_UNIT = frozenset({"没有单位", "无单位", "无", "none", "no unit"})
_IN_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[【](?:单位[::]?\s*)?(?P<unit>[^()\[\]【】]+)[)\]】]\s*$", re.DOTALL)
_AFTER_WORD = re.compile(r"^(?P<name>.*?)[\s,;/]*(?:\[单位\]|单位[::])\s*(?P<unit>\S+)\s*$", re.DOTALL)


def _known() -> dict[str, tuple[str, float]]:
    units = dict(_SPECIAL)
    for base, names in _BASES.items():
        for scale, factor in _SCALES.items():
            units.update({f"{scale}{name}": (base, factor) for name in names if not (scale and name == "1")})
    return units


_UNITS = _known()


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit that is known, or says that there is none."""
    plain = text.strip().lower()
    return plain in _UNITS or plain in NO_UNIT


def split_header(header: str) -> tuple[str, str]:
    """Return name and unit of a header such as ``营业收入(万元)``; the unit is empty where it says none.

    What stands in brackets and is no unit, such as 合并 in ``净利润(合并)``, stays part of the name.
    """
    for pattern in (_AFTER_WORD, _IN_BRACKETS):
        found = pattern.match(header)
        if found and is_unit(found["unit"]):
            unit = found["unit"].strip()
            return found["name"].strip(), "" if unit.lower() in NO_UNIT else unit
    return header.strip(), ""


def conversion_factor(printed: str, wanted: str) -> float:
    """Return what a printed value is multiplied with to be in the unit wanted.

    Parameters
    ----------
    printed, wanted : str
        For example 万元 and yuan, which gives 10,000; 1 where either is empty or both are the same.

    Raises
    ------
    DataError
        If the one cannot become the other.
    """
    first, second = printed.strip().lower(), wanted.strip().lower()
    if not first or not second or first == second:
        return 1.0
    if first not in _UNITS or second not in _UNITS or _UNITS[first][0] != _UNITS[second][0]:
        raise DataError(f"the file is in {printed}, the specification wants {wanted}: no factor is known between them")
    return _UNITS[first][1] / _UNITS[second][1]
