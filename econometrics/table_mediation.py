"""Tables of mediation: the equations side by side, and the effects with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import pandas as pd

from econometrics.table_model import Cell, Header, Language, Row, Table
from econometrics.table_notes import by_columns, model_notes, star_levels, stars_of
from econometrics.table_regression import effect_rows, statistic_rows
from econometrics.table_words import variable_label, word
from shuzhi import DataError

Layout = Literal["channel", "stepwise", "effects"]
_PATHS = ("total", "a", "b", "d", "direct")
_NAMES: dict[str, tuple[str, str]] = {
    "a": ("路径 a", "Path a"),
    "b": ("路径 b", "Path b"),
    "d": ("路径 d", "Path d"),
    "interaction": ("处理变量与中介变量的交互", "Treatment-mediator interaction"),
    "indirect_at_low": ("间接效应（低处理水平）", "Indirect effect, low treatment"),
    "indirect_at_high": ("间接效应（高处理水平）", "Indirect effect, high treatment"),
    "direct_at_low": ("直接效应（低中介水平）", "Direct effect, low treatment"),
    "direct_at_high": ("直接效应（高中介水平）", "Direct effect, high treatment"),
    "total_with_interaction": ("总效应（含交互）", "Total effect with interaction"),
    "a_by_moderator": ("路径 a 随调节变量的变化", "Change of path a with the moderator"),
    "b_by_moderator": ("路径 b 随调节变量的变化", "Change of path b with the moderator"),
    "indirect_in_group": ("间接效应", "Indirect effect"),
    "direct_in_group": ("直接效应", "Direct effect"),
    "total_in_group": ("总效应", "Total effect"),
    "indirect_difference": ("间接效应之差", "Difference of indirect effects"),
    "direct_difference": ("直接效应之差", "Difference of direct effects"),
}
_METHODS: dict[str, tuple[str, str]] = {
    "sobel": ("Sobel 标准误", "Sobel's standard error"),
    "aroian": ("Aroian 标准误", "Aroian's standard error"),
    "delta": ("考虑聚类的联合 delta 法", "joint delta method with clusters"),
    "monte_carlo": ("蒙特卡洛法", "Monte Carlo"),
    "percentile": ("整群自助法，百分位区间", "cluster bootstrap, percentile"),
    "basic": ("整群自助法，基本区间", "cluster bootstrap, basic"),
    "bca": ("整群自助法，BCa 区间", "cluster bootstrap, BCa"),
}
_ASSUMPTIONS: dict[str, tuple[str, str]] = {
    "channel": (
        "按江艇（2022）检验处理变量对中介变量的影响，中介变量对被解释变量的影响由理论与已有文献说明。",
        "After Jiang (2022): the effect of the treatment on the mediator is tested, "
        "that of the mediator on the outcome rests on theory and earlier evidence.",
    ),
    "stepwise": (
        "间接效应的因果解释要求：给定处理变量、控制变量与固定效应，中介变量与被解释变量之间无遗漏的共同原因。",
        "A causal reading of the indirect effect requires that, given treatment, controls and fixed effects, "
        "mediator and outcome have no common cause left out.",
    ),
}
_ASSUMPTIONS["effects"] = _ASSUMPTIONS["stepwise"]


class MediationResult(Protocol):
    """What a table needs of a mediation; clusters, draws, seed and warnings are used where there are any."""

    def to_frame(self) -> pd.DataFrame:
        """One row an effect: effect, mediator, term, estimate, standard_error, p_value, interval ends."""


def mediation_table(
    results: Any | Sequence[Any],
    *,
    layout: Layout = "channel",
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    below: Literal["standard_error", "t"] = "standard_error",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the table of one or more mediations.

    Parameters
    ----------
    results : mediation or sequence of mediations
        Each becomes a group of columns, in the layout "effects" a part of the rows.
    layout : {'channel', 'stepwise', 'effects'}
        Treatment to outcome and treatment to each mediator (Jiang 2022); the three equations with indirect effects,
        their intervals and the share mediated below; or one row an effect.
    labels : mapping of str to str, optional
        What variables are called.
    language : {'zh', 'en'}
        The language of the table's own words.
    below : {'standard_error', 't'}
        What stands beneath each coefficient.
    stars : bool or sequence of float
        Stars at 10, 5 and 1 %, none, or the levels that get one star each.
    digits : int
        Decimal places.
    title, number : str
        Caption and its number.

    Raises
    ------
    DataError
        If there are no results or one has no total effect and no path a.
    """
    every = list(results) if isinstance(results, Sequence) else [results]
    parts = [_Part(result) for result in every]
    if not parts:
        raise DataError("mediation table: there is no result, give at least one")
    labels, levels = labels or {}, star_levels(stars)
    look = _Look(labels, language, below, levels, digits)
    default = {"channel": ("作用机制检验", "Channels")}.get(layout, ("中介效应检验", "Mediation"))
    title = title or default[language == "en"]
    columns = [result for part in parts for result in [part.result] * part.width(layout)]
    shown = parts if layout == "effects" else columns
    results_ = [part.result for part in parts] if layout == "effects" else columns
    notes = model_notes(results_, labels, language, below="none" if layout == "effects" else below, levels=levels)
    notes = (*notes, *_draw_notes(parts, language, layout), _ASSUMPTIONS[layout][language == "en"])
    if layout == "effects":
        headers = tuple(Header(text) for text in look.effect_headers())
        rows = [row for part in parts for row in _effect_part(part, look, len(parts) > 1)]
        return Table(title, (headers,), tuple(rows), notes, language, number)
    headers_ = _equation_headers(parts, layout, look)
    rows = _equation_rows(parts, layout, look)
    rows.append(Row(kind="rule"))
    if layout == "stepwise":
        rows += [*_summary_rows(parts, look), Row(kind="rule")]
    rows += effect_rows(shown, labels, language)
    rows += statistic_rows(shown, ("observations", "clusters"), labels, language, digits)
    return Table(title, headers_, tuple(rows), notes, language, number)


class _Part:
    """One mediation: its frame and the names in it."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.frame: pd.DataFrame = result.to_frame()
        known = set(self.frame["effect"]) if "effect" in self.frame.columns else set()
        if "total" not in known or "a" not in known:
            name = type(result).__name__
            raise DataError(f"mediation table: {name} has no rows of effects 'total' and 'a'; it has {sorted(known)}")
        self.mediators = [str(row["mediator"]) for row in self.rows("a")]
        ends = str(self.rows("total")[0].get("term", "")).split(" -> ")
        self.treatment = str(getattr(result, "treatment", ends[0]))
        self.outcome = str(getattr(result, "outcome", ends[-1]))

    def rows(self, effect: str, mediator: str | None = None) -> list[dict[Any, Any]]:
        own = self.frame[self.frame["effect"] == effect]
        if mediator is not None:
            own = own[own["mediator"].astype(str) == mediator]
        return own.to_dict("records")

    def width(self, layout: Layout) -> int:
        return 1 + len(self.mediators) + (layout == "stepwise")

    def coefficients(self, column: int) -> dict[str, dict[Any, Any]]:
        """Return the coefficients of an equation by regressor: total, then the mediators, then the outcome."""
        if column == 0:
            return {self.treatment: self.rows("total")[0]}
        if column <= len(self.mediators):
            mediator = self.mediators[column - 1]
            earlier = {str(row["term"]).split(" -> ")[0]: row for row in self.rows("d", mediator)}
            return {self.treatment: self.rows("a", mediator)[0], **earlier}
        own = dict(zip([self.treatment], self.rows("direct"), strict=False))
        return own | {name: row for name in self.mediators for row in self.rows("b", name)[:1]}


class _Look:
    """How numbers and names are shown."""

    def __init__(
        self, labels: Mapping[str, str], language: Language, below: str, levels: Sequence[float], digits: int
    ) -> None:
        self.labels, self.language, self.below, self.levels, self.digits = labels, language, below, levels, digits

    def estimate(self, row: Mapping[Any, Any], span: int = 1) -> Cell:
        stars = stars_of(_number(row, "p_value"), self.levels)
        return Cell((float(row["estimate"]),), digits=self.digits, stars=stars, span=span)

    def beneath(self, row: Mapping[Any, Any]) -> Cell:
        if self.below == "t":
            return Cell((_number(row, "statistic"),), digits=min(self.digits, 2), style="fixed", enclosure="()")
        return Cell((_number(row, "standard_error"),), digits=self.digits, enclosure="()")

    def interval(self, row: Mapping[Any, Any], span: int = 1) -> Cell:
        return Cell((_number(row, "interval_low"), _number(row, "interval_high")), digits=self.digits, span=span)

    def label(self, name: str) -> str:
        return " → ".join(variable_label(part, self.labels) for part in name.split(" -> "))

    def effect_headers(self) -> tuple[str, ...]:
        interval = "95% 置信区间" if self.language == "zh" else "95% interval"
        return (*(word(key, self.language) for key in ("estimate", "standard_error", "p_value")), interval)

    def named(self, row: Mapping[Any, Any]) -> str:
        key = str(row["effect"])
        name = _NAMES[key][self.language == "en"] if key in _NAMES else word(key, self.language)
        places = [self.label(str(row["mediator"])) if _text(row, "mediator") else "", _text(row, "group")]
        where = "，".join(filter(None, places)) if self.language == "zh" else ", ".join(filter(None, places))
        if not where:
            return name
        return f"{name}（{where}）" if self.language == "zh" else f"{name} ({where})"


def _number(row: Mapping[Any, Any], name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None or value is pd.NA else float(value)


def _text(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _equation_headers(parts: Sequence[_Part], layout: Layout, look: _Look) -> tuple[tuple[Header, ...], ...]:
    outcomes: list[str] = []
    for part in parts:
        outcomes += [part.outcome, *part.mediators, *([part.outcome] if layout == "stepwise" else [])]
    lines = [
        tuple(Header(f"({number + 1})") for number in range(len(outcomes))),
        tuple(Header(look.label(name)) for name in outcomes),
    ]
    if len(parts) > 1:
        names = ["、".join(map(look.label, part.mediators)) for part in parts]
        lines.insert(
            0, tuple(Header(name, part.width(layout), rule=True) for name, part in zip(names, parts, strict=True))
        )
    return tuple(lines)


def _equation_rows(parts: Sequence[_Part], layout: Layout, look: _Look) -> list[Row]:
    columns = [part.coefficients(column) for part in parts for column in range(part.width(layout))]
    treatments = dict.fromkeys(part.treatment for part in parts)
    names = dict.fromkeys([*treatments, *(name for own in columns for name in own)])
    rows = []
    for name in names:
        upper = tuple(look.estimate(own[name]) if name in own else Cell() for own in columns)
        lower = tuple(look.beneath(own[name]) if name in own else Cell() for own in columns)
        rows += [Row(look.label(name), upper, "coefficient"), Row("", lower, "below")]
    return rows


def _summary_rows(parts: Sequence[_Part], look: _Look) -> list[Row]:
    """Return the indirect effects with intervals and the share mediated, each across the columns of its mediation."""
    widths = [part.width("stepwise") for part in parts]
    rows = []
    for effect in ("indirect", "total_indirect"):
        paths = [part.rows(effect) for part in parts]
        for number in range(max(map(len, paths))):
            own = [path[number] if number < len(path) else None for path in paths]
            labels = list(dict.fromkeys(look.named(row) for row in own if row is not None))
            # Mediations of one mediator each share a row: the heading above names the mediator.
            label = (
                labels[0] if len(labels) == 1 and len(parts) == 1 and len(paths[0]) > 1 else word(effect, look.language)
            )
            label = labels[0] if effect == "indirect" and max(map(len, paths)) > 1 else label
            blank = [Cell(span=width) for width in widths]
            upper = [blank[at] if row is None else look.estimate(row, widths[at]) for at, row in enumerate(own)]
            lower = [blank[at] if row is None else look.interval(row, widths[at]) for at, row in enumerate(own)]
            rows += [Row(label, tuple(upper), "coefficient"), Row("", tuple(lower), "below")]
    shares = [share_mediated(part.result) for part in parts]
    if any(math.isfinite(share) for share in shares):
        cells = [
            Cell((share,), digits=1, style="percent", span=width) if math.isfinite(share) else Cell(span=width)
            for share, width in zip(shares, widths, strict=True)
        ]
        rows.append(Row(word("share_mediated", look.language), tuple(cells)))
    return rows


def share_mediated(result: Any) -> float:
    """Return the share mediated as the result gives it; NaN where it has none because it means nothing.

    Parameters
    ----------
    result : mediation
        With an attribute ``share_mediated``, a number or None.
    """
    value = getattr(result, "share_mediated", None)
    value = value() if callable(value) else value
    return float(value) if isinstance(value, int | float) else float("nan")


def _effect_part(part: _Part, look: _Look, headed: bool) -> list[Row]:
    rows = []
    if headed:
        names = "、".join(map(look.label, part.mediators))
        rows.append(Row(f"{look.label(part.treatment)} → {names} → {look.label(part.outcome)}", (), "heading"))
    for row in part.frame.to_dict("records"):
        cells = (
            look.estimate(row),
            Cell((_number(row, "standard_error"),), digits=look.digits),
            Cell((_number(row, "p_value"),), digits=3, style="p_value"),
            look.interval(row),
        )
        rows.append(Row(look.named(row), cells))
    share = share_mediated(part.result)
    if math.isfinite(share):
        cells = (Cell((share,), digits=1, style="percent"), Cell(), Cell(), Cell())
        rows.append(Row(word("share_mediated", look.language), cells))
    observations = getattr(part.result, "observations", None)
    if observations is not None:
        cells = (Cell((float(observations),), style="whole"), Cell(), Cell(), Cell())
        rows.append(Row(word("observations", look.language), cells))
    return rows


def _draw_notes(parts: Sequence[_Part], language: Language, layout: Layout) -> tuple[str, ...]:
    """Return how the intervals were made: method, draws and seed."""
    if layout == "channel":
        return ()
    texts = []
    for part in parts:
        method = str(getattr(part.result, "method", "") or "")
        draws, seed = getattr(part.result, "draws", None), getattr(part.result, "seed", None)
        text = _METHODS[method][language == "en"] if method in _METHODS else method
        if draws:
            drawn = f"{draws:,} 次，种子 {seed}" if language == "zh" else f"{draws:,} draws, seed {seed}"
            text = f"{text}（{drawn}）" if language == "zh" else f"{text} ({drawn})"
        texts.append(text)
    notes = []
    for text, where in by_columns(texts, language):
        which = where if layout == "effects" or len(parts) == 1 else ""
        head = "效应的区间方法：" if language == "zh" else "Intervals of the effects: "
        notes.append(f"{head}{which}{text}{'。' if language == 'zh' else '.'}")
    return tuple(notes)
