"""Tables of mediation: the equations side by side, and the effects with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import pandas as pd

from econometrics.tables.mediation_parts import Layout, MediationPart, number_of, share_mediated
from econometrics.tables.model import Cell, Header, Language, Row, Table
from econometrics.tables.notes import Below, dropped_in_words, model_notes, star_levels, stars_of, warning_notes
from econometrics.tables.regression import regression_table
from econometrics.tables.words import message, variable_label, word
from shuzhi import DataError

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
    "expanded_percentile": (
        "整群自助法，按聚类数放宽的百分位区间",
        "cluster bootstrap, percentiles widened for few clusters",
    ),
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
    below: Below = "standard_error",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    controls_shown: Literal["all", "yes_row"] | Sequence[str] = "yes_row",
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
    below : {'standard_error', 't', 'p_value', 'none'}
        What stands beneath each coefficient.
    controls_shown : {'all', 'yes_row'} or sequence of str
        As in `regression_table`; controls have coefficients where the result has the regressions of the layout.
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
    parts = [MediationPart(result) for result in every]
    if not parts:
        raise DataError("mediation table: there is no result, give at least one")
    labels = labels or {}
    look = _Look(labels, language, star_levels(stars), digits)
    default = {"channel": ("作用机制检验", "Channels")}.get(layout, ("中介效应检验", "Mediation"))
    title = title or default[language == "en"]
    if layout == "effects":
        return _effects_table(parts, look, title, number)
    groups = [(look.names(part.mediators), part.width(layout)) for part in parts] if len(parts) > 1 else []
    base = regression_table(
        [model for part in parts for model in part.models(layout)],
        labels=labels,
        language=language,
        below=below,
        stars=stars,
        digits=digits,
        controls=[name for part in parts for name in getattr(part.result, "controls", ())],
        controls_shown=controls_shown,
        groups=groups,
        title=title,
        number=number,
    )
    rows = list(base.rows)
    if layout == "stepwise":
        after = next(place for place, row in enumerate(rows) if row.kind == "rule")
        rows[after:after] = [Row(kind="rule"), *_summary_rows(parts, look)]
    notes = (*base.notes, *_own_notes(parts, look, layout), _ASSUMPTIONS[layout][language == "en"])
    return Table(title, base.headers, tuple(rows), notes, language, number)


def _effects_table(parts: Sequence[MediationPart], look: _Look, title: str, number: str) -> Table:
    adjusted = any(part.frame.get("adjusted_p_value", pd.Series(dtype="float64")).notna().any() for part in parts)
    keys = ["estimate", "standard_error", "p_value", *(["adjusted_p_value"] if adjusted else [])]
    headers = (*(Header(word(key, look.language)) for key in keys), Header(look.interval_words(parts)))
    rows = [row for part in parts for row in _effect_part(part, look, headed=len(parts) > 1, adjusted=adjusted)]
    models = [part.models("effects")[0] for part in parts]
    notes = model_notes(models, look.labels, look.language, below="none", levels=look.levels)
    notes = (*notes, *_own_notes(parts, look, "effects"), _ASSUMPTIONS["effects"][look.language == "en"])
    return Table(title, (headers,), tuple(rows), notes, look.language, number)


class _Look:
    """How numbers and names are shown."""

    def __init__(self, labels: Mapping[str, str], language: Language, levels: Sequence[float], digits: int) -> None:
        self.labels, self.language, self.levels, self.digits = labels, language, levels, digits

    def names(self, names: Sequence[str]) -> str:
        return ("、" if self.language == "zh" else ", ").join(map(self.label, names))

    def estimate(self, row: Mapping[Any, Any], span: int = 1) -> Cell:
        adjusted = number_of(row, "adjusted_p_value")
        stars = stars_of(number_of(row, "p_value") if math.isnan(adjusted) else adjusted, self.levels)
        return Cell((float(row["estimate"]),), digits=self.digits, stars=stars, span=span)

    def interval(self, row: Mapping[Any, Any], span: int = 1) -> Cell:
        return Cell((number_of(row, "interval_low"), number_of(row, "interval_high")), digits=self.digits, span=span)

    def label(self, name: str) -> str:
        return " → ".join(variable_label(part, self.labels) for part in name.split(" -> "))

    def interval_words(self, parts: Sequence[MediationPart]) -> str:
        levels = {float(getattr(part.result, "level", 0.95)) for part in parts}
        shown = f"{levels.pop():.0%} " if len(levels) == 1 else ""
        return f"{shown}置信区间" if self.language == "zh" else f"{shown}interval".capitalize()

    def named(self, row: Mapping[Any, Any]) -> str:
        key = str(row["effect"])
        name = _NAMES[key][self.language == "en"] if key in _NAMES else word(key, self.language)
        places = [self.label(str(row["mediator"])) if _text(row, "mediator") else "", _text(row, "group")]
        where = "，".join(filter(None, places)) if self.language == "zh" else ", ".join(filter(None, places))
        if not where:
            return name
        return f"{name}（{where}）" if self.language == "zh" else f"{name} ({where})"


def _text(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _summary_rows(parts: Sequence[MediationPart], look: _Look) -> list[Row]:
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


def _effect_part(part: MediationPart, look: _Look, *, headed: bool, adjusted: bool) -> list[Row]:
    rows = []
    if headed:
        path = (look.label(part.treatment), look.names(part.mediators), look.label(part.outcome))
        rows.append(Row(" → ".join(path), (), "heading"))
    for row in part.frame.to_dict("records"):
        p_values = ["p_value", *(["adjusted_p_value"] if adjusted else [])]
        cells = (
            look.estimate(row),
            Cell((number_of(row, "standard_error"),), digits=look.digits),
            *(_p_value(number_of(row, name)) for name in p_values),
            look.interval(row),
        )
        rows.append(Row(look.named(row), cells))
    blank = (Cell(),) * (3 + adjusted)
    share = share_mediated(part.result)
    if math.isfinite(share):
        rows.append(Row(word("share_mediated", look.language), (Cell((share,), digits=1, style="percent"), *blank)))
    observations = getattr(part.result, "observations", None)
    if observations is not None:
        rows.append(Row(word("observations", look.language), (Cell((float(observations),), style="whole"), *blank)))
    return rows


def _p_value(value: float) -> Cell:
    return Cell() if math.isnan(value) else Cell((value,), style="p_value")


def _own_notes(parts: Sequence[MediationPart], look: _Look, layout: Layout) -> tuple[str, ...]:
    """Return how intervals were made, why a share is missing, how p values were adjusted, and the warnings."""
    language, results = look.language, [part.result for part in parts]
    stop = "。" if language == "zh" else "."
    notes = []
    if layout != "channel":
        head = "效应的区间：" if language == "zh" else "Intervals of the effects: "
        texts = dict.fromkeys(filter(None, (_method(result, language) for result in results)))
        notes += [f"{head}{text}{stop}" for text in texts]
        if all(math.isnan(share_mediated(result)) for result in results):
            reasons = dict.fromkeys(str(getattr(result, "share_reason", "") or "") for result in results)
            head = "未报告中介效应占比：" if language == "zh" else "No share mediated: "
            notes += [f"{head}{message(reason, look.labels, language)}{stop}" for reason in reasons if reason]
        adjusted = dict.fromkeys(str(getattr(result, "adjustment", "none")) for result in results)
        names = [name.replace("_", "-").title() for name in adjusted if name != "none"]
        several = any(part.frame.get("adjusted_p_value", pd.Series(dtype="float64")).notna().any() for part in parts)
        head = (
            "间接效应的星号取自对全部间接效应调整后的 p 值："
            if language == "zh"
            else "Stars of the indirect effects from p values adjusted over all of them: "
        )
        notes += [f"{head}{name}{stop}" for name in names if several]
    dropped = [dropped_in_words(part.result, look.labels, language) for part in parts if part.has_regressions(layout)]
    notes += list(dict.fromkeys(filter(None, dropped)))
    known = {text for result in results for model in getattr(result, "regressions", ()) for text in model.warnings}
    told = [message(text, look.labels, language) for text in known]
    own = warning_notes(results, look.labels, language)
    return (*notes, *(note for note in own if not any(text in note for text in told)))


def _method(result: Any, language: Language) -> str:
    method = str(getattr(result, "method", "") or "")
    text = _METHODS[method][language == "en"] if method in _METHODS else method
    draws, seed = getattr(result, "draws", None), getattr(result, "seed", None)
    if not draws:
        return text
    return f"{text}（{draws:,} 次，种子 {seed}）" if language == "zh" else f"{text} ({draws:,} draws, seed {seed})"
