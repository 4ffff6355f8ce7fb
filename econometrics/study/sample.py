"""The sample of a study: the panel after the steps of the specification, and what can be told of it before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from econometrics.declarations.formula import evaluate, parse_formula
from econometrics.declarations.yaml_lines import Place, Problem
from econometrics.estimation.sample import check_firm_years
from econometrics.panel.build import refine_panel
from econometrics.panel.result import Panel
from econometrics.panel.steps.result import PanelNote
from econometrics.spec.columns import StudyPlan, plan_study
from econometrics.spec.models import full_mediation, full_model
from econometrics.spec.specification import StudySpec
from econometrics.study.groups import group_problems
from econometrics.variables import Variable
from shuzhi import DataError, SpecError


@dataclass(frozen=True)
class StudySample:
    """What a study is run on.

    Parameters
    ----------
    plan : StudyPlan
        What can be run.
    panel : Panel
        The sample, with its flow.
    conditions : dict of str to Series of bool
        By the text of a ``where:``, the rows that fulfil it; a row of which this is unknown does not.
    """

    plan: StudyPlan
    panel: Panel
    conditions: dict[str, pd.Series]

    def rows(self, where: str | None) -> pd.DataFrame:
        """Return the rows of the sample that fulfil a condition."""
        return self.panel.data if where is None else self.panel.data[self.conditions[where]]

    def mask(self, where: str | None) -> pd.Series:
        """Return which rows of the sample fulfil a condition."""
        return self.conditions[where] if where is not None else pd.Series(True, index=self.panel.data.index)


def prepare_sample(
    spec: StudySpec, data: pd.DataFrame, variables: Mapping[str, Variable], notes: Sequence[PanelNote] = ()
) -> StudySample:
    """Judge a study against a panel, and take the sample's steps.

    Parameters
    ----------
    spec : StudySpec
        The study.
    data : DataFrame, one row a firm-year
        The panel.
    variables : mapping of str to Variable
        What is known of its columns.
    notes : sequence of PanelNote
        What the panel's own steps said of it.

    Raises
    ------
    SpecError
        With every column, condition and group that cannot work, by line.
    DataError
        If firm-years are doubled, or no row is left.
    """
    plan = plan_study(spec, [str(name) for name in data.columns])
    keys = spec.panel
    check_firm_years(data, keys.firm, keys.year)
    panel = refine_panel(data, variables, plan.sample, notes=notes)
    panel = replace(panel, variables=labelled(spec, panel.variables))
    conditions: dict[str, pd.Series] = {}
    problems = [*_text_problems(spec, plan, panel.data), *_condition_problems(spec, plan, panel.data, conditions)]
    if not problems:
        for name in plan.names["heterogeneity"]:
            model = spec.heterogeneity[name].model
            where = full_model(spec, model).where
            rows = panel.data[conditions[where]] if where else panel.data
            problems += group_problems(spec, name, rows)
    if problems:
        raise spec.error(problems)
    return StudySample(plan, panel, conditions)


def labelled(spec: StudySpec, variables: Mapping[str, Variable]) -> dict[str, Variable]:
    """Return the variables of a panel with the labels, units and sources that a study gives them."""
    known = dict(variables)
    for name, each in spec.variables.items():
        if name in known:
            told = {key: getattr(each, key) for key in ("label_en", "label_zh", "unit", "source")}
            if each.description and not each.label_en and not known[name].label_en:
                told["label_en"] = each.description
            known[name] = replace(known[name], **{key: text for key, text in told.items() if text})
    return known


def _text_problems(spec: StudySpec, plan: StudyPlan, data: pd.DataFrame) -> Iterator[Problem]:
    """Name the columns that should hold numbers and hold text."""
    needed: list[tuple[Place, tuple[str, ...]]] = [
        (("models", name), full_model(spec, name).numbers) for name in plan.names["models"]
    ]
    needed += [(("mediation", name), full_mediation(spec, name).numbers) for name in plan.names["mediation"]]
    told: set[str] = set()
    for place, names in needed:
        for name in names:
            if name not in told and not pd.api.types.is_numeric_dtype(data[name].dtype):
                told.add(name)
                yield place, f"column '{name}' holds text, and numbers are needed"


def _condition_problems(
    spec: StudySpec, plan: StudyPlan, data: pd.DataFrame, conditions: dict[str, pd.Series]
) -> Iterator[Problem]:
    """Compute every condition once, and name those that are none."""
    wanted: list[tuple[Place, str | None]] = [
        (("models", name, "where"), full_model(spec, name).where) for name in plan.names["models"]
    ]
    wanted += [
        ((section, name, "where"), getattr(spec, section)[name].where)
        for section in ("mediation", "staggered")
        for name in plan.names[section]
    ]
    wanted += [(("mediation", name, "where"), full_mediation(spec, name).where) for name in plan.names["mediation"]]
    for section in plan.names:
        for name in plan.names[section]:
            model = getattr(getattr(spec, section)[name], "model", None)
            if model in spec.models:
                wanted.append(((section, name), full_model(spec, model).where))
    for place, where in wanted:
        if where is None or where in conditions:
            continue
        try:
            conditions[where] = _rows_of(where, data, spec)
        except (SpecError, DataError) as error:
            yield place, str(error)


def _rows_of(where: str, data: pd.DataFrame, spec: StudySpec) -> pd.Series:
    found = evaluate(parse_formula(where), data, spec.panel.firm, spec.panel.year).values
    is_truth = pd.api.types.is_bool_dtype(found.dtype)
    if not is_truth and not (pd.api.types.is_numeric_dtype(found.dtype) and found.dropna().isin([0, 1]).all()):
        raise SpecError(f"{where!r} is no condition; write a comparison such as revenue > 0")
    rows = found.astype("boolean").fillna(False).astype(bool)
    if not rows.any():
        raise SpecError(f"no row of the sample fulfils {where!r}")
    return rows


def content_hash(data: pd.DataFrame) -> str:
    """Return the first 16 digits of a SHA-256 of a table: names, kinds and values, in their order.

    Parameters
    ----------
    data : DataFrame
        The table; its index does not count.
    """
    digest = hashlib.sha256()
    for name in data.columns:
        digest.update(f"{name}\x1f{data[name].dtype}\x1e".encode())
        digest.update(pd.util.hash_pandas_object(data[name], index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
