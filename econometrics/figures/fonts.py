"""Chinese type for figures: the first family that is installed, a package that brings one, or a warning."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shuzhi import UsageError

CHINESE_FAMILIES = (
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "SimSun",
    "Songti SC",
    # A collection of all of CJK opens at its Japanese face: its Chinese is readable, with some Japanese shapes.
    "Noto Sans CJK JP",
)
FONT_PACKAGE = "pylopdf_fonts_zh_cn"
INSTALL_LINE = "pip install pylopdf-fonts-zh-cn (any system), or apt-get install fonts-wqy-microhei (Debian, Ubuntu)"


@dataclass(frozen=True)
class ChineseFont:
    """A font that has the Chinese characters.

    Parameters
    ----------
    family : str
        Its family as matplotlib knows it; empty where there is none.
    source : str
        The file it stands in; empty where there is none.
    """

    family: str
    source: str


class ChineseFontWarning(UserWarning):
    """No font on this machine has Chinese characters."""


def find_chinese_font(path: str | Path | None = None) -> ChineseFont:
    """Find a font with Chinese characters.

    Parameters
    ----------
    path : str or Path, optional
        A font file that is taken instead of the installed ones.

    Returns
    -------
    ChineseFont
        The given file, else the first installed family of `CHINESE_FAMILIES`, else the one of the package
        ``pylopdf-fonts-zh-cn`` if it is installed, else an empty one.

    Raises
    ------
    UsageError
        If `path` is no font file or has no Chinese characters.
    """
    if path is None:
        return _installed_font()
    try:
        return _add_font(Path(path))
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} is no font file that can be read: give the path of a .ttf, .otf or .ttc") from error


@cache
def _installed_font() -> ChineseFont:
    from matplotlib import font_manager

    known = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    for family in CHINESE_FAMILIES:
        if family in known and _has_chinese(known[family]):
            return ChineseFont(family, known[family])
    # A font installed after matplotlib made its list is found by the names of the files.
    for file in sorted(font_manager.findSystemFonts()):
        if file not in known.values() and any(mark in file.lower() for mark in ("cjk", "wqy", "notosanssc", "simhei")):
            try:
                return _add_font(Path(file))
            except (OSError, RuntimeError, UsageError):
                continue
    return _packaged_font()


def _packaged_font() -> ChineseFont:
    found = importlib.util.find_spec(FONT_PACKAGE)
    for folder in found.submodule_search_locations or () if found else ():
        files = sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in (".otf", ".ttf", ".ttc"))
        # Sans first: it stays readable at the size of a tick label.
        for file in sorted(files, key=lambda file: "sans" not in file.name.lower()):
            return _add_font(file)
    return ChineseFont("", "")


def _add_font(path: Path) -> ChineseFont:
    from matplotlib import font_manager

    family = str(font_manager.get_font(path).family_name)
    if not _has_chinese(str(path)):
        raise UsageError(f"{path} has no Chinese characters: give the path of a Chinese font")
    if family not in {entry.name for entry in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(path)
    return ChineseFont(family, str(path))


@cache
def _has_chinese(path: str) -> bool:
    from matplotlib import font_manager

    try:
        return {ord(letter) for letter in "数字化年"} <= set(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return False


def use_chinese_font(path: str | Path | None = None) -> dict[str, Any]:
    """Return matplotlib settings under which Chinese is readable, for ``matplotlib.rc_context``.

    Parameters
    ----------
    path : str or Path, optional
        A font file instead of the installed ones.

    Returns
    -------
    dict
        Font families, a minus sign that every font has, and fonts embedded in PDF; nothing is set globally.

    Raises
    ------
    UsageError
        If `path` is no font file or has no Chinese characters.

    Warns
    -----
    ChineseFontWarning
        If there is no Chinese font; its text says how to install one.
    """
    font = find_chinese_font(path)
    if not font.family:
        warnings.warn(
            f"no font with Chinese characters was found, figures show boxes instead: {INSTALL_LINE}",
            ChineseFontWarning,
            stacklevel=2,
        )
    families = [family for family in (font.family, "DejaVu Sans") if family]
    return {"font.family": families, "axes.unicode_minus": False, "pdf.fonttype": 42}
