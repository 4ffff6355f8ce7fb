"""The notes below a table of estimates: what was done, in sentences, from what the results say of themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from econometrics.tables.model import Language
from econometrics.tables.words import effect_name, listed, message, variable_label, word

Below = Literal["standard_error", "t", "p_value", "interval", "none"]

_BELOW: dict[str, tuple[str, str]] = {
    "standard_error": ("括号内为{errors}。", "{errors} in parentheses."),
    "t": ("括号内为 t 值，按{errors}计算。", "t statistics in parentheses, from {errors}."),
    "p_value": ("括号内为 p 值，按{errors}计算。", "p values in parentheses, from {errors}."),
    "interval": ("方括号内为 95% 置信区间，按{errors}计算。", "95% confidence intervals in brackets, from {errors}."),
    "none": ("推断按{errors}。", "Inference from {errors}."),
}
_ERRORS: dict[str, tuple[str, str]] = {
    "classical": ("同方差假设下的标准误", "classical standard errors"),
    "robust": ("异方差稳健标准误", "heteroskedasticity-robust standard errors"),
    "cluster": ("聚类到{level}层面的标准误", "standard errors clustered by {level}"),
    "cr2": (
        "聚类到{level}层面的 CR2 标准误（Satterthwaite 自由度）",
        "CR2 standard errors clustered by {level} (Satterthwaite degrees of freedom)",
    ),
    "wild": ("聚类到{level}层面的标准误", "standard errors clustered by {level}"),
    "resampled": ("{level}层面整群重抽样的标准误", "standard errors from a bootstrap of {level} clusters"),
    "simulated": (
        "由聚类到{level}层面的联合协方差模拟的标准误",
        "standard errors simulated from the joint covariance clustered by {level}",
    ),
}
_DROPPED: tuple[tuple[re.Pattern[str], tuple[str, str]], ...] = (
    (re.compile(r"missing (?P<name>.+)"), ("缺失{name}", "missing {name}")),
    (re.compile(r"infinite (?P<name>.+)"), ("{name}为无穷值", "infinite {name}")),
    (re.compile(r"singletons?"), ("单例", "singletons")),
)


def star_levels(stars: bool | Sequence[float]) -> tuple[float, ...]:
    """Return the levels of significance in falling order: one star at the first, one more at each that follows."""
    if isinstance(stars, bool):
        return (0.1, 0.05, 0.01) if stars else ()
    return tuple(sorted(stars, reverse=True))


def stars_of(p_value: float, levels: Sequence[float]) -> str:
    """Return the stars of a p value; none where it is missing."""
    return "*" * sum(p_value < level for level in levels)


def stars_note(levels: Sequence[float], language: Language) -> tuple[str, ...]:
    """Return the sentence that explains the stars."""
    if not levels:
        return ()
    marks = ["*" * number for number in range(len(levels), 0, -1)]
    if language == "zh":
        shown = [f"{level * 100:g}%" for level in sorted(levels)]
        each = "分别" if len(levels) > 1 else ""
        return (f"{'、'.join(marks)} {each}表示在 {'、'.join(shown)} 的水平上显著。",)
    shown = [f"{mark} p < {level:g}" for mark, level in zip(marks, sorted(levels), strict=True)]
    return (f"{', '.join(shown)}.",)


def errors_in_words(model: Any, labels: Mapping[str, str], language: Language) -> str:
    """Return what kind of standard errors a result has, with the level of its clusters."""
    kind = str(getattr(model, "standard_error_kind", "") or "")
    levels = [effect_name(name, labels, language) for name in getattr(model, "cluster", ()) or ()]
    if language == "en":
        levels = [level if level in labels.values() else level.lower() for level in levels]
    pattern = _ERRORS.get(kind or ("cluster" if levels else "classical"), (kind, kind))[language == "en"]
    return pattern.format(level=listed(levels, language) or "?")


def _wild(model: Any, language: Language) -> str:
    if getattr(model, "standard_error_kind", "") != "wild":
        return ""
    draws, seed = getattr(model, "draws", None), getattr(model, "seed", None)
    if language == "zh":
        return f"p 值与区间取自 wild cluster bootstrap（{draws:,} 次，种子 {seed}）。"
    return f"p values and intervals from the wild cluster bootstrap ({draws:,} draws, seed {seed})."


def by_columns(texts: Sequence[str], language: Language) -> list[tuple[str, str]]:
    """Group columns with the same text: pairs of text and columns, no columns where all agree.

    Parameters
    ----------
    texts : sequence of str
        One text a column.
    language : {'zh', 'en'}
        The language of "columns".
    """
    kept = [text for text in dict.fromkeys(texts) if text]
    if len(kept) == 1 and all(texts):
        return [(kept[0], "")]
    return [(text, columns_in_words([at for at, own in enumerate(texts) if own == text], language)) for text in kept]


def columns_in_words(columns: Sequence[int], language: Language) -> str:
    """Return columns (counted from 0) as "第 (1)、(3) 列" or "Columns (1), (3)"."""
    shown = [f"({column + 1})" for column in columns]
    if language == "zh":
        return f"第 {'、'.join(shown)} 列"
    return f"Column{'s' if len(shown) > 1 else ''} {', '.join(shown)}"


def _sentences(texts: Sequence[str], language: Language, finish: Callable[[str], str]) -> list[str]:
    colon = "：" if language == "zh" else ": "
    return [
        f"{columns}{colon}{finish(text)}" if columns else _capital(finish(text))
        for text, columns in by_columns(texts, language)
    ]


def _capital(text: str) -> str:
    # "t statistics" and "p values" begin small in every journal.
    return text if re.match(r"[a-z] ", text) else text[:1].upper() + text[1:]


def model_notes(
    models: Sequence[Any],
    labels: Mapping[str, str],
    language: Language,
    *,
    below: Below,
    levels: Sequence[float],
    hidden_controls: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the notes of a table of models.

    Parameters
    ----------
    models : sequence of results
        One a column, with the attributes of a regression result; one that is not there is left out of the notes.
    labels : mapping of str to str
        Names of variables and effects.
    language : {'zh', 'en'}
        The language of the notes.
    below : {'standard_error', 't', 'p_value', 'interval', 'none'}
        What stands beneath the coefficients.
    levels : sequence of float
        The levels of the stars; empty for none.
    hidden_controls : sequence of str
        Controls that the table does not show one by one.

    Returns
    -------
    tuple of str
        Sentences: brackets, stars, small-sample convention, controls, rows dropped, terms dropped, warnings.
    """
    english = language == "en"
    errors = [errors_in_words(model, labels, language) for model in models]
    notes = _sentences(errors, language, lambda text: _BELOW[below][english].format(errors=text))
    notes += _sentences([_wild(model, language) for model in models], language, str)
    notes += stars_note(levels, language)
    conventions = [_convention(model) for model in models]
    sentence = "Small-sample adjustment as in {0}." if english else "小样本调整与 {0} 一致。"
    notes += _sentences(conventions, language, sentence.format)
    if hidden_controls:
        names = "、".join if not english else ", ".join
        shown = names([variable_label(name, labels) for name in hidden_controls])
        notes.append(f"Controls: {shown}." if english else f"控制变量包括{shown}。")
    notes += _sentences([_instruments(model, labels, language) for model in models], language, str)
    notes += _sentences([_weights(model, labels, language) for model in models], language, str)
    notes += _sentences([dropped_in_words(model, labels, language) for model in models], language, str)
    notes += _sentences([_collinear(model, labels, language) for model in models], language, str)
    return (*notes, *warning_notes(models, labels, language))


def _convention(model: Any) -> str:
    # CR2 and the wild bootstrap have small-sample corrections of their own.
    own = getattr(model, "standard_error_kind", "") in ("cr2", "wild")
    return "" if own else str(getattr(model, "small_sample", "") or "")


def _weights(model: Any, labels: Mapping[str, str], language: Language) -> str:
    name = getattr(model, "weights", None)
    if not isinstance(name, str):
        return ""
    shown = variable_label(name, labels)
    return f"以{shown}为权重。" if language == "zh" else f"Weighted by {shown}."


def _instruments(model: Any, labels: Mapping[str, str], language: Language) -> str:
    given = getattr(model, "instruments", None)
    endogenous = getattr(model, "endogenous", None)
    if not isinstance(given, tuple) or not given or not endogenous:
        return ""
    names, by = ([variable_label(name, labels) for name in group] for group in (endogenous, given))
    if language == "zh":
        return f"两阶段最小二乘，{listed(names, language)}的工具变量为{listed(by, language)}。"
    return f"Two-stage least squares, {listed(names, language)} instrumented by {listed(by, language)}."


def warning_notes(models: Sequence[Any], labels: Mapping[str, str], language: Language) -> tuple[str, ...]:
    """Return the warnings of the results, each once, with the columns that have it."""
    own = [tuple(getattr(model, "warnings", ()) or ()) for model in models]
    notes = []
    for warning in dict.fromkeys(text for texts in own for text in texts):
        columns = [at for at, texts in enumerate(own) if warning in texts]
        place = "" if len(columns) == len(models) else columns_in_words(columns, language)
        told = message(warning, labels, language).rstrip()
        text = told if told.endswith((".", "。", "!", "！")) else f"{told}{'。' if language == 'zh' else '.'}"
        head = (
            f"提示{'（' + place + '）' if place else ''}："
            if language == "zh"
            else f"Warning{' (' + place.lower() + ')' if place else ''}: "
        )
        notes.append(head + text)
    return tuple(notes)


def dropped_in_words(model: Any, labels: Mapping[str, str], language: Language) -> str:
    """Return the rows that a result dropped with their reasons; empty where it dropped none."""
    counts: Mapping[str, int] = getattr(model, "dropped", None) or {}
    parts = [
        f"{_reason(reason, labels, language)} {count:,}{' 行' if language == 'zh' else ''}"
        for reason, count in counts.items()
        if count
    ]
    if not parts:
        return ""
    return f"剔除{'、'.join(parts)}。" if language == "zh" else f"Rows dropped: {', '.join(parts)}."


def _reason(reason: str, labels: Mapping[str, str], language: Language) -> str:
    for pattern, words in _DROPPED:
        found = pattern.fullmatch(reason)
        if found:
            name = found.groupdict().get("name", "")
            return words[language == "en"].format(name=variable_label(name, labels))
    return message(reason, labels, language)


def _collinear(model: Any, labels: Mapping[str, str], language: Language) -> str:
    terms = [variable_label(name, labels) for name in getattr(model, "collinear", ()) or ()]
    if not terms:
        return ""
    shown = listed(terms, language)
    return f"{shown}因共线被略去。" if language == "zh" else f"Left out as collinear: {shown}."


def random_note(result: Any, language: Language, what: str = "bootstrap") -> tuple[str, ...]:
    """Return the sentence on draws and seed of a result that is random; nothing for one that is not."""
    draws, seed = getattr(result, "draws", None), getattr(result, "seed", None)
    if not draws:
        return ()
    words = {
        "bootstrap": ("自助法重抽样", "Bootstrap"),
        "permutation": ("随机置换", "Permutation"),
    }
    name = words.get(what, (what, what))[language == "en"]
    return (f"{name} {draws:,} 次，种子 {seed}。" if language == "zh" else f"{name}: {draws:,} draws, seed {seed}.",)


def yes_no(present: bool, language: Language) -> str:
    """Return "是" or "否", "Yes" or "No"."""
    return word("yes" if present else "no", language)
