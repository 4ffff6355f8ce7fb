"""Tables of heterogeneity: the groups of each split side by side, and below them the test of equal coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from econometrics.tables.model import Language, Table
from econometrics.tables.notes import Below
from econometrics.tables.regression import DEFAULT_STATISTICS, GroupTest, ModelResult, regression_table
from econometrics.tables.words import effect_name, message, variable_label, word
from shuzhi import DataError

_TESTS: dict[str, tuple[str, str]] = {
    "interaction": ("交互项", "interaction"),
    "suest": ("似无相关", "suest"),
    "permutation": ("费舍尔置换", "permutation"),
}


class SplitResult(Protocol):
    """What a table needs of a split; ``econometrics.heterogeneity.by_group`` gives it, and so does `Split`."""

    @property
    def name(self) -> str:
        """What the sample is split by."""

    @property
    def models(self) -> Mapping[str, Any]:
        """A model for each group, in the order of the columns."""

    @property
    def p_values(self) -> Mapping[str, float]:
        """p values of equal coefficients of the treatment over all groups, by the name of the test."""

    @property
    def note(self) -> str:
        """How the tests were computed."""


@dataclass(frozen=True)
class Split:
    """One way to split the sample: a model for each group and the tests between them.

    Parameters
    ----------
    name : str
        What the sample is split by.
    models : mapping of str to result
        A model for each group, in the order of the columns.
    p_values : mapping of str to float
        p values of equal coefficients of the treatment over all groups, by the name of the test.
    note : str
        How the tests were computed (draws, seed, what was permuted, adjusted for how many splits).
    """

    name: str
    models: Mapping[str, ModelResult]
    p_values: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def heterogeneity_table(
    splits: Sequence[SplitResult],
    *,
    labels: Mapping[str, str] | None = None,
    language: Language = "zh",
    below: Below = "standard_error",
    stars: bool | Sequence[float] = True,
    digits: int = 3,
    controls: Sequence[str] = (),
    controls_shown: Literal["all", "yes_row"] | Sequence[str] = "yes_row",
    statistics: Sequence[str] = DEFAULT_STATISTICS,
    title: str = "",
    number: str = "",
) -> Table:
    """Build the table of one or more splits with their tests.

    Parameters
    ----------
    splits : sequence of GroupComparison or Split
        Each becomes a group of columns with its name above; groups that could not be estimated are in the notes.
    labels : mapping of str to str, optional
        What variables, splits, groups and tests are called.
    language, below, stars, digits, controls, controls_shown, statistics, title, number
        As in `regression_table`.

    Raises
    ------
    DataError
        If there is no split, or one has less than two groups or no test: two separate sets of stars are no evidence
        of a difference.
    """
    labels = labels or {}
    problems = [f"split {split.name!r} has {len(split.models)} group(s)" for split in splits if len(split.models) < 2]
    problems += [f"split {split.name!r} has no test between its groups" for split in splits if not split.p_values]
    if not splits or problems:
        raise DataError(f"heterogeneity table: {'; '.join(problems) or 'there is no split'}")
    models: list[ModelResult] = []
    tests: list[GroupTest] = []
    headers: list[str] = []
    default = word("group_test", language)
    for split in splits:
        first = len(models)
        models += split.models.values()
        headers += [variable_label(str(name), labels) for name in split.models]
        for name, p_value in split.p_values.items():
            label = labels.get(name) or _TESTS.get(name, (name, name))[language == "en"]
            label = f"{default}（{label}）" if language == "zh" else f"{default} ({label})"
            tests.append(GroupTest((first, len(models) - 1), p_value, label, _test_note(split, labels, language)))
    outcomes = {model.outcome for model in models}
    title_ = title or ("异质性分析" if language == "zh" else "Heterogeneity")
    table = regression_table(
        models,
        labels=labels,
        language=language,
        below=below,
        stars=stars,
        digits=digits,
        controls=controls,
        controls_shown=controls_shown,
        columns=headers,
        groups=[(variable_label(split.name, labels), len(split.models)) for split in splits],
        group_tests=tests,
        statistics=statistics,
        title=title_,
        number=number,
    )
    notes = [*table.notes, *(note for split in splits for note in _flag_notes(split, labels, language))]
    if len(outcomes) == 1:
        name = variable_label(next(iter(outcomes)), labels)
        notes.insert(0, f"被解释变量为{name}。" if language == "zh" else f"The dependent variable is {name}.")
    return replace(table, notes=tuple(notes))


def _test_note(split: SplitResult, labels: Mapping[str, str], language: Language) -> str:
    permutation = getattr(split, "permutation", None)
    if permutation is None:
        return split.note
    draws, seed = permutation.draws, permutation.seed
    unit = permutation.unit
    if language == "zh":
        what = f"以{effect_name(unit, labels, language)}为单位" if unit else "逐行"
        return f"费舍尔置换{what}，{draws:,} 次，种子 {seed}。"
    what = f"of {effect_name(unit, labels, language).lower()}s" if unit else "of rows"
    return f"Permutation {what}: {draws:,} draws, seed {seed}."


def _flag_notes(split: SplitResult, labels: Mapping[str, str], language: Language) -> list[str]:
    flags: Mapping[str, str] = getattr(split, "flags", {})
    name = variable_label(split.name, labels)
    flags = {group: message(why, labels, language) for group, why in flags.items()}
    if language == "zh":
        return [f"{name}中未能估计的组：{variable_label(group, labels)}（{why}）。" for group, why in flags.items()]
    return [f"{name}: {variable_label(group, labels)} was not estimated ({why})." for group, why in flags.items()]
