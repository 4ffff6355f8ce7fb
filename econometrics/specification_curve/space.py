"""All combinations of declared alternatives to a baseline: which models on which rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats
from econometrics.estimation.sample import numeric_values
from econometrics.robustness.baseline import Baseline, raise_problems, unknown_columns
from econometrics.robustness.declare import KINDS, read_check
from econometrics.robustness.setting import Check, MethodCheck, ModelCheck, Setting
from shuzhi import ShuzhiError, SpecError

# Columns of the result that a dimension may not be called.
RESERVED = frozenset(
    {
        "specification",
        "outcome_column",
        "regressor_column",
        "term",
        "estimate",
        "standard_error",
        "statistic",
        "p_value",
        "interval_low",
        "interval_high",
        "observations",
        "clusters",
        "within_r2",
        "standardised_estimate",
        "is_main",
        "reason",
        "null_low",
        "null_high",
    }
)
# Changed rows and columns that are kept for the next combinations.
MOST_SETTINGS = 48
ALIASES = {"index": "regressor", "treatment": "regressor", "effects": "fixed_effects"}
# What is changed first: names of columns, then their values, then their tails; rows last.
ORDER = (
    "outcome",
    "regressor",
    "controls",
    "add_controls",
    "drop_controls",
    "fixed_effects",
    "cluster",
    "weights",
    "standard_errors",
    "transform",
    "lag",
    "lead",
    "first_differences",
    "winsorise",
)


@dataclass(frozen=True)
class Option:
    """One alternative of a dimension.

    Parameters
    ----------
    dimension, label : str
        What is chosen, and what it is called.
    checks : tuple of ModelCheck
        What it changes; none for the baseline as it is.
    """

    dimension: str
    label: str
    checks: tuple[ModelCheck, ...]


@dataclass(frozen=True)
class Specification:
    """One combination, ready to be estimated.

    Parameters
    ----------
    choices : tuple of Option
        One a dimension.
    setting : Setting or None
        Rows and model; None where they cannot be made.
    regressor : (rows given,) float array or None
        The focus on all rows, before rows were dropped.
    is_main : bool
        Whether it is the baseline itself.
    reason : str
        Why it cannot be made.
    """

    choices: tuple[Option, ...]
    setting: Setting | None
    regressor: Floats | None
    is_main: bool
    reason: str = ""


def read_alternatives(alternatives: Mapping[str, Any], data: pd.DataFrame, model: Baseline) -> list[list[Option]]:
    """Read the declared dimensions and their options.

    Parameters
    ----------
    alternatives : mapping
        For each dimension its options: a mapping of labels to what they change, or a list. An option is None (as the
        baseline), a check or several, or, in a dimension called like a kind of check (``outcome``, ``regressor`` or
        ``index``, ``controls``, ``fixed_effects``, ``cluster``), that check's main option.
    data : DataFrame
        With the columns.
    model : Baseline
        The baseline.

    Raises
    ------
    SpecError
        All problems at once.
    """
    problems: list[str] = []
    dimensions = []
    for dimension, given in alternatives.items():
        if dimension in RESERVED:
            problems.append(f"{dimension}: a dimension cannot be called so, the result has a column of that name")
        if isinstance(given, str) or not isinstance(given, Mapping | Sequence) or not given:
            problems.append(f"{dimension}: options are a list, or a mapping of labels, and not empty")
            continue
        pairs = given.items() if isinstance(given, Mapping) else [(_label(each), each) for each in given]
        options = []
        for label, value in pairs:
            checks, found = _checks(dimension, value)
            problems += [f"{dimension}, {label}: {text}" for text in found]
            for check in checks:
                problems += unknown_columns(data, check.needs(model), f"{dimension}, {label}")
            options.append(Option(str(dimension), str(label), tuple(checks)))
        labels = [option.label for option in options]
        if len(set(labels)) < len(labels):
            problems.append(f"{dimension}: two options have one label; give a mapping of labels")
        dimensions.append(options)
    raise_problems(problems)
    if not dimensions:
        raise SpecError("a specification curve needs at least one dimension")
    return dimensions


def _label(value: Any) -> str:
    if value is None:
        return "baseline"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return " + ".join(str(each) for each in value) or "none"
    if isinstance(value, Check):
        return value.label_en or value.kind
    return str(value)


def _checks(dimension: str, value: Any) -> tuple[list[ModelCheck], list[str]]:
    if value is None:
        return [], []
    kind = ALIASES.get(dimension, dimension)
    entries: list[Any]
    if isinstance(value, Check | Mapping):
        entries = [value]
    elif isinstance(value, list | tuple) and value and all(isinstance(each, Check | Mapping) for each in value):
        entries = list(value)
    elif kind in KINDS:
        entries = [{kind: value}]
    elif isinstance(value, str) and value in KINDS:
        entries = [value]
    else:
        return [], [f"{value!r} says no change; name one, such as {{'drop_years': [2008]}}"]
    checks: list[ModelCheck] = []
    problems = []
    for entry in entries:
        check, found = read_check(entry)
        problems += [f"{'.'.join(str(part) for part in place)}: {text}" for place, text in found]
        if isinstance(check, MethodCheck):
            problems.append(f"{check.kind} is another method and no specification of the model")
        elif isinstance(check, ModelCheck):
            checks.append(check)
    return checks, problems


def chosen_combinations(
    dimensions: Sequence[Sequence[Option]], most: int, seed: int
) -> tuple[list[tuple[Option, ...]], int]:
    """Return all combinations, or so many drawn at random without replacement, and how many there are.

    Parameters
    ----------
    dimensions : sequence of sequence of Option
        Options by dimension.
    most : int
        Most combinations.
    seed : int
        Of the draw.
    """
    sizes = [len(options) for options in dimensions]
    total = int(np.prod(sizes, dtype=np.int64))
    if total <= most:
        return list(product(*dimensions)), total
    drawn = np.random.Generator(np.random.PCG64(seed)).choice(total, most, replace=False)
    places = np.array(np.unravel_index(np.sort(drawn), sizes)).T
    return [tuple(options[place] for options, place in zip(dimensions, row, strict=True)) for row in places], total


class Maker:
    """Applies the changes of combinations, in the order in which they make sense; shared beginnings are made once.

    Parameters
    ----------
    base : Setting
        The baseline, its rows numbered from 0.
    """

    def __init__(self, base: Setting) -> None:
        self.base = base
        self._made: OrderedDict[tuple[ModelCheck, ...], Setting] = OrderedDict()

    def make(self, choices: tuple[Option, ...]) -> Specification:
        """Apply the changes of a combination.

        Parameters
        ----------
        choices : tuple of Option
            One a dimension.
        """
        checks = [check for option in choices for check in option.checks]
        order = sorted(checks, key=lambda check: ORDER.index(check.kind) if check.kind in ORDER else len(ORDER))
        columns = sum(check.kind in ORDER for check in order)
        try:
            whole = self._applied(tuple(order[:columns]))
            setting = self._applied(tuple(order))
        except ShuzhiError as error:
            return Specification(choices, None, None, False, str(error))
        regressor = numeric_values(whole.data[whole.model.focus[0]])
        is_main = setting.model == self.base.model and setting.data is self.base.data
        return Specification(choices, setting, regressor, is_main)

    def _applied(self, checks: tuple[ModelCheck, ...]) -> Setting:
        if not checks:
            return self.base
        if checks not in self._made:
            self._made[checks] = checks[-1].apply(self._applied(checks[:-1]))
            if len(self._made) > MOST_SETTINGS:
                self._made.popitem(last=False)
        self._made.move_to_end(checks)
        return self._made[checks]
