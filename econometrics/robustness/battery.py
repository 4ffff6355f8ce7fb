"""A battery of robustness checks from one declaration: each changes the baseline in one way and says what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from econometrics.estimation.result import Regression
from econometrics.robustness.baseline import Baseline, as_baseline, raise_problems, unknown_columns
from econometrics.robustness.declare import checks_from
from econometrics.robustness.result import Robustness, RobustnessRow, made_row
from econometrics.robustness.setting import Check, Finding, MethodCheck, ModelCheck, Names, Setting
from shuzhi import ShuzhiError, SpecError


def robustness(
    data: pd.DataFrame,
    baseline: Baseline | Mapping[str, Any],
    checks: Sequence[Any],
    *,
    labels: Mapping[str, tuple[str, str]] | None = None,
    level: float = 0.05,
) -> Robustness:
    """Estimate the baseline and every check, and say of each whether sign and significance hold.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    baseline : Baseline or mapping
        The model, or its fields by name.
    checks : sequence
        Checks, or mappings that declare them (see ``read_check``); one may give several rows.
    labels : mapping of str to (str, str), optional
        Chinese and English labels of columns.
    level : float
        Significance level.

    Returns
    -------
    Robustness
        A check that cannot be estimated is a row with its reason, not an error.

    Raises
    ------
    SpecError
        Checks or columns that do not exist: all at once, before any work.
    DataError, EstimationError
        The baseline itself cannot be estimated.
    """
    if not 0 < level < 1:
        raise SpecError(f"level is {level}; it lies between 0 and 1")
    model = as_baseline(baseline)
    names = Names(labels or {})
    wanted = checks_from(checks)
    problems = unknown_columns(data, model.columns, "baseline")
    for check in wanted:
        problems += unknown_columns(data, check.needs(model), check.kind)
    raise_problems(problems)
    setting = Setting(data.reset_index(drop=True), model)
    base = _estimate(setting)
    rows = [
        made_row(0, None, ("基准回归", "Baseline"), term, base, model.focus, level=level, base=base, rows=len(data))
        for term in model.focus
    ]
    number = 0
    for check in wanted:
        for single in check.split(model):
            number += 1
            rows += _run(number, single, setting, base, names, level)
    lost = sum(1 for row in rows if row.reason)
    return Robustness(
        baseline=model,
        level=level,
        rows=tuple(rows),
        assumptions=(
            "every check stands for itself: with many checks some fail by chance, and a check that holds proves "
            "nothing about what all checks share",
            *base.result.assumptions,
        ),
        warnings=(
            *(f"baseline: {text}" for text in base.warnings),
            *((f"{lost} rows could not be estimated; the reason stands in each",) if lost else ()),
        ),
    )


def _estimate(setting: Setting) -> Finding:
    found = setting.model.estimate(setting.data)
    frame = found.to_frame()
    return Finding(
        rows=frame[frame["term"].isin(setting.model.focus)].reset_index(drop=True),
        clusters=min(found.clusters.values()) if found.clusters else None,
        within_r2=found.within_r2,
        dropped=found.dropped,
        warnings=found.warnings,
        result=found,
    )


def _run(number: int, check: Check, setting: Setting, base: Finding, names: Names, level: float) -> list[RobustnessRow]:
    """Run one check and make its rows; what goes wrong in it becomes its reason."""
    label = check.label(setting.model, names)
    focus = setting.model.focus
    options: dict[str, Any] = {"level": level, "base": base, "rows": len(setting.data)}
    try:
        if isinstance(check, MethodCheck):
            found, changed = check.run(setting), setting
            terms = focus[:1]
        elif isinstance(check, ModelCheck):
            changed = check.apply(setting)
            found, terms = _estimate(changed), focus
            if changed.changes_columns and changed.model.outcome == setting.model.outcome:
                options["same_rows"] = _same_rows(setting, found.result, base.result)
        else:
            raise SpecError(f"{check.kind} is no check that can be run")
    except ShuzhiError as error:
        return [made_row(number, check, label, term, str(error), focus, **options) for term in focus]
    return [
        made_row(number, check, label, term, found, changed.model.focus, setting=changed, place=place, **options)
        for place, term in enumerate(terms)
    ]


def _same_rows(setting: Setting, found: Regression, base: Regression) -> dict[str, float]:
    """Estimate the baseline on the rows of a check, to tell a change of rows from a change of columns."""
    if found.residuals.index.equals(base.residuals.index):
        return {}
    rows = setting.data.loc[found.residuals.index]
    try:
        again = setting.model.estimate(rows)
    except ShuzhiError:
        return {}
    return {str(term): float(value) for term, value in again.coefficients.items()}
