"""A study's specification against the columns of a panel: what is unknown, what is left out, and the sample's steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from econometrics.declarations.formula import parse_formula
from econometrics.declarations.yaml_lines import Place, Problem, nearest
from econometrics.panel.source_spec import DefinitionSpec, SourceSpec
from econometrics.panel.spec import DefineStep, PanelSpec, WinsoriseStep
from econometrics.panel.steps.names import step_names
from econometrics.panel.steps.specs import DataStep
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check
from econometrics.spec.models import baseline_of, checks_of, condition_columns
from econometrics.spec.needs import needs_of
from econometrics.spec.specification import StudySpec
from econometrics.spec.vocabulary import Failure, Part
from econometrics.specification_curve.space import read_alternatives
from shuzhi import SpecError

# Sections of a specification in the order in which they are run, and the part of the results that each fills.
SECTIONS: dict[str, Part] = {
    "models": "models",
    "mediation": "mediations",
    "heterogeneity": "groups",
    "families": "families",
    "moderators": "moderations",
    "u_tests": "u_tests",
    "thresholds": "thresholds",
    "staggered": "staggered",
    "robustness": "robustness",
    "specification_curve": "curves",
    "measurement_error": "measurement_error",
}


@dataclass
class StudyPlan:
    """What can be run of a study on a panel.

    Parameters
    ----------
    sample : PanelSpec
        Keys and steps that make the sample: variables first, then what the specification says.
    names : dict of str to tuple of str
        By section of the specification, the names that have all their columns.
    skipped : list of Failure
        What is left out, and for want of which column.
    columns : tuple of str
        Columns of the sample.
    checks : dict of str to tuple of Check
        By battery of robustness checks, those that have all their columns.
    """

    sample: PanelSpec
    names: dict[str, tuple[str, ...]]
    skipped: list[Failure]
    columns: tuple[str, ...]
    checks: dict[str, tuple[Check, ...]]


@dataclass
class _Known:
    """Columns that there are, and optional ones that there are not, with the reason."""

    spec: StudySpec
    names: list[str]
    lacking: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)

    def lacks(self, place: Place, names: Iterable[str]) -> list[str]:
        """Return why some of the columns are not there; an unknown column is a problem of the specification."""
        reasons = []
        for name in dict.fromkeys(names):
            if name in self.names:
                continue
            if name not in self.lacking:
                self.problems.append((place, f"there is no column '{name}'.{nearest(name, self._all())}"))
            elif not self.spec.skip_missing:
                words = f"{self.lacking[name]}; supply it, or write skip_missing: true to leave out what needs it"
                self.problems.append((place, words))
            else:
                reasons.append(self.lacking[name])
        return list(dict.fromkeys(reasons))

    def _all(self) -> list[str]:
        return [*self.names, *self.lacking]

    def add(self, place: Place, name: str) -> None:
        """Take in a new column."""
        if name in self.names:
            self.problems.append((place, f"there is a column '{name}' already; give another name"))
        else:
            self.names.append(name)

    def skip(self, part: Part, name: str, reasons: Sequence[str], place: Place) -> None:
        """Note that something is left out."""
        self.skipped.append(Failure(part, name, "skipped", "; ".join(reasons), self.spec.line(*place)))


def plan_study(spec: StudySpec, columns: Sequence[str]) -> StudyPlan:
    """Judge a study against the columns of a panel.

    Parameters
    ----------
    spec : StudySpec
        The study.
    columns : sequence of str
        Columns of the panel.

    Returns
    -------
    StudyPlan
        What can be run; with ``skip_missing`` that is less than the study has, and `StudyPlan.skipped` says what.

    Raises
    ------
    SpecError
        With every column that is unknown, its line and the nearest name.
    """
    known = _Known(spec, list(columns))
    keys = [(("panel", key), getattr(spec.panel, key)) for key in ("firm", "year")]
    for place, name in keys:
        known.lacks(place, [name])
    steps: list[Any] = []
    places: list[Place] = []
    _plan_variables(known, steps, places)
    _plan_sample(known, steps, places)
    names = _plan_parts(known)
    checks = {name: _plan_checks(known, name) for name in names["robustness"]}
    _plan_description(known)
    if known.problems:
        raise spec.error(known.problems)
    return StudyPlan(_sample_spec(spec, steps, places), names, known.skipped, tuple(known.names), checks)


def _plan_variables(known: _Known, steps: list[Any], places: list[Place]) -> None:
    made = _made_by_sample(known.spec)
    for name, variable in known.spec.variables.items():
        place: Place = ("variables", name)
        if variable.formula is None:
            if name in made:
                continue
            if name not in known.names and variable.optional:
                known.lacking[name] = f"the panel has no column '{name}'"
                if known.spec.skip_missing:
                    what = f", {variable.description}" if variable.description else ""
                    known.skip("variables", name, [known.lacking[name] + what], place)
            elif name not in known.names:
                what = f"; it must hold: {variable.description}" if variable.description else ""
                words = f"the panel has no column '{name}'{what}.{nearest(name, known.names)}"
                known.problems.append((place, words))
                known.names.append(name)
            continue
        lacking = known.lacks((*place, "formula"), parse_formula(variable.formula).columns)
        if lacking:
            known.lacking[name] = f"'{name}' cannot be computed: {'; '.join(lacking)}"
            known.skip("variables", name, lacking, place)
            continue
        known.add(place, name)
        definition = DefinitionSpec(**variable.model_dump(exclude={"description", "optional"}))
        steps.append(DefineStep(define={name: definition}))
        places.append(place)


def _made_by_sample(spec: StudySpec) -> set[str]:
    """Return the columns that steps of the sample add; the variables may give labels to them."""
    made: set[str] = set()
    for step in spec.sample:
        if isinstance(step, DataStep):
            made |= set(step_names(step, spec.panel.firm, spec.panel.year).added)
        elif isinstance(step, DefineStep):
            made |= set(step.define)
        elif isinstance(step, WinsoriseStep) and step.suffix:
            made |= {name + step.suffix for name in step.winsorise}
    return made


def _plan_sample(known: _Known, steps: list[Any], places: list[Place]) -> None:
    for number, step in enumerate(known.spec.sample):
        place: Place = ("sample", number)
        kept = _kept_step(known, step, place)
        if kept is not None:
            steps.append(kept)
            places.append(place)


def _kept_step(known: _Known, step: Any, place: Place) -> Any:
    """Return a step of the sample without the optional columns that are not there; None if nothing is left of it."""
    if isinstance(step, DefineStep):
        return _kept_definitions(known, step, place)
    if isinstance(step, DataStep):
        return _kept_facts(known, step, place)
    for key in ("keep", "drop", "where"):
        condition = getattr(step, key, None)
        lacking = known.lacks((*place, key), condition_columns(condition))
        if lacking:
            known.skip("sample", f"{key} {condition}", lacking, place)
            return None
    known.lacks((*place, "by"), getattr(step, "by", []))
    for key in ("blank", "complete", "winsorise", "trim"):
        if hasattr(step, key):
            step = _with_names(known, step, key, place)
    if isinstance(step, WinsoriseStep) and step.suffix:
        for name in step.winsorise:
            known.add(place, name + step.suffix)
    return step


def _kept_facts(known: _Known, step: DataStep, place: Place) -> DataStep | None:
    """Return a step that adds policies, groups or instruments, if the panel has what it needs."""
    names = step_names(step, known.spec.panel.firm, known.spec.panel.year)
    for key, source, _ in names.sources:
        words = (
            f"'{source}' is another source, and a study has its panel only; do this step in the panel's specification"
        )
        known.problems.append(((*place, key), words))
    lacking = [reason for key, needed in names.panel for reason in known.lacks((*place, key), needed)]
    for name in names.added:
        if lacking:
            known.lacking[name] = f"'{name}' cannot be made: {'; '.join(dict.fromkeys(lacking))}"
        else:
            known.add(place, name)
    if lacking:
        known.skip("sample", ", ".join(names.added), list(dict.fromkeys(lacking)), place)
        return None
    known.names += [name for name in names.kept if name not in known.names]
    return step


def _with_names(known: _Known, step: Any, key: str, place: Place) -> Any:
    names = getattr(step, key)
    lacking = {name: known.lacks((*place, key), [name]) for name in names}
    for name, reasons in lacking.items():
        if reasons:
            known.skip("sample", f"{key} {name}", reasons, place)
            if getattr(step, "suffix", ""):
                known.lacking[name + step.suffix] = "; ".join(reasons)
    left = [name for name in names if not lacking[name]]
    return step.model_copy(update={key: left}) if left else None


def _kept_definitions(known: _Known, step: DefineStep, place: Place) -> DefineStep | None:
    kept = {}
    for name, definition in step.define.items():
        inner = (*place, "define", name)
        inputs = parse_formula(definition.formula).columns if definition.formula else [str(definition.from_)]
        lacking = known.lacks(inner, inputs)
        if lacking:
            known.lacking[name] = f"'{name}' cannot be computed: {'; '.join(lacking)}"
            known.skip("sample", f"define {name}", lacking, inner)
        else:
            known.add(inner, name)
            kept[name] = definition
    return step.model_copy(update={"define": kept}) if kept else None


def _plan_parts(known: _Known) -> dict[str, tuple[str, ...]]:
    """Return the names of each section that have all their columns, and what they build on."""
    spec, names = known.spec, dict[str, tuple[str, ...]]()
    for section, part in SECTIONS.items():
        usable = []
        for name in getattr(spec, section):
            place: Place = (section, name)
            reasons = [reason for each, needed in needs_of(spec, section, name) for reason in known.lacks(each, needed)]
            if section == "families":
                reasons += _lacking_splits(known, name, names["heterogeneity"])
            if section == "specification_curve" and not reasons:
                reasons += _lacking_choices(known, name)
            if reasons:
                known.skip(part, name, list(dict.fromkeys(reasons)), place)
            else:
                usable.append(name)
        names[section] = tuple(usable)
    return names


def _lacking_splits(known: _Known, name: str, usable: Sequence[str]) -> list[str]:
    """Say which splits of a family are left out; with two or more left the family can do without them."""
    splits = known.spec.families[name].splits
    reasons = {split: f"the split '{split}' is left out" for split in splits if split not in usable}
    if len(splits) - len(reasons) < 2:
        return list(reasons.values())
    for split, reason in reasons.items():
        known.skip("families", f"{name}: {split}", [reason], ("families", name, "splits"))
    return []


def _lacking_choices(known: _Known, name: str) -> list[str]:
    """Return which choices of a curve cannot be made for want of optional columns; others are problems."""
    each = known.spec.specification_curve[name]
    baseline = baseline_of(known.spec, each.model, each.focus)
    place: Place = ("specification_curve", name, "choices")
    found = _choice_problems(each.choices, [*known.names, *known.lacking], baseline)
    lacking = _choice_problems(each.choices, known.names, baseline) if not found else []
    known.problems += [(place, words) for words in (found or ([] if known.spec.skip_missing else lacking))]
    return lacking


def _choice_problems(choices: Mapping[str, Any], columns: Sequence[str], baseline: Baseline) -> list[str]:
    try:
        read_alternatives(choices, pd.DataFrame(columns=list(dict.fromkeys(columns))), baseline)
    except SpecError as error:
        return str(error).split("; ")
    return []


def _plan_checks(known: _Known, name: str) -> tuple[Check, ...]:
    """Return the checks of a battery that have all their columns."""
    spec = known.spec
    baseline = baseline_of(spec, spec.robustness[name].model, spec.robustness[name].focus)
    kept = []
    for number, check in checks_of(spec, name)[0]:
        place: Place = ("robustness", name, "checks", number)
        reasons = known.lacks(place, check.needs(baseline))
        if reasons:
            known.skip("robustness", f"{name}: {check.kind}", reasons, place)
        else:
            kept.append(check)
    return tuple(kept)


def _plan_description(known: _Known) -> None:
    spec = known.spec
    if spec.descriptive is not None:
        for name in spec.descriptive.variables:
            reasons = known.lacks(("descriptive", "variables"), [name])
            if reasons:
                known.skip("descriptive", name, reasons, ("descriptive", "variables"))
        known.lacks(("descriptive", "by"), [spec.descriptive.by] if spec.descriptive.by else [])
    for name, figure in spec.figures.items():
        wanted = [column for column in (figure.variable, figure.group) if column]
        reasons = known.lacks(("figures", name), wanted)
        if reasons:
            known.skip("figures", name, reasons, ("figures", name))


def _sample_spec(spec: StudySpec, steps: list[Any], places: list[Place]) -> PanelSpec:
    """Return the steps as the specification of a panel that remembers the lines of the study's file."""
    found = PanelSpec(
        panel=spec.study,
        firm=spec.panel.firm,
        year=spec.panel.year,
        sources={"panel": SourceSpec(path="panel")},
        start="panel",
        steps=steps,
    )
    lines: dict[Place, int] = {(): 1}
    for number, place in enumerate(places):
        for path, line in spec.lines.items():
            if path[: len(place)] == place:
                lines["steps", number, *path[len(place) :]] = line
    found._file = spec.file
    found._lines = lines
    found._hash = spec.content_hash
    return found


def known_kinds(spec: StudySpec) -> Mapping[str, Part]:
    """Return the part of the results that each section of a specification fills."""
    return {section: part for section, part in SECTIONS.items() if getattr(spec, section)}
