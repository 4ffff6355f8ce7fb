"""A study: a specification run over a panel, part by part; what fails is said and does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd

from econometrics.describe import CorrelationMatrix, correlation_matrix, descriptive_statistics
from econometrics.panel.steps.result import PanelNote
from econometrics.regress.magnitude import economic_magnitude
from econometrics.spec.columns import SECTIONS
from econometrics.spec.models import full_mediation, full_model
from econometrics.spec.specification import StudySpec
from econometrics.spec.vocabulary import Failure, Part
from econometrics.study.checks import measurement_methods
from econometrics.study.parts import RUNNERS, run_indirect_groups
from econometrics.study.plans import figure_plans, table_plans
from econometrics.study.policies import run_honest_bounds, run_placebo
from econometrics.study.results import StudyResults
from econometrics.study.sample import StudySample, content_hash, prepare_sample
from econometrics.variables import Variable
from shuzhi import ShuzhiError

Progress = Callable[[str, str], None]


@dataclass
class _Run:
    """A study while it runs."""

    spec: StudySpec
    sample: StudySample
    progress: Progress
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def attempt(self, part: Part, name: str, place: tuple[str, ...], work: Callable[[], Any]) -> Any:
        """Do one piece of work, and keep its result or the reason why there is none."""
        self.progress(part, name)
        start = time.perf_counter()
        try:
            found = work()
        except Exception as error:
            # Hours of other work are not lost for what nobody foresaw; its kind is said, and the run fails in the end.
            words = str(error) if isinstance(error, ShuzhiError) else f"{type(error).__name__}: {error}"
            self.failures.append(Failure(part, name, "failed", words, self.spec.line(*place)))
            return None
        finally:
            self.seconds[f"{part}/{name}"] = round(time.perf_counter() - start, 3)
        self.results.setdefault(part, {})[name] = found
        return found


def run(
    spec: StudySpec,
    data: pd.DataFrame,
    *,
    variables: Mapping[str, Variable] | None = None,
    notes: Sequence[PanelNote] = (),
    progress: Progress | None = None,
) -> StudyResults:
    """Run a study over a panel.

    Parameters
    ----------
    spec : StudySpec
        What `econometrics.spec.parse_study_spec` gave.
    data : DataFrame, one row a firm-year
        The panel.
    variables : mapping of str to Variable, optional
        Labels, units and sources of its columns; those of the specification come first.
    notes : sequence of PanelNote
        What the steps of the panel said of it.
    progress : callable, optional
        Called with part and name before each result is worked out.

    Returns
    -------
    StudyResults
        The same panel and specification give the same results, but for the seconds. A model that these data cannot
        bear is a row of ``failures``.

    Raises
    ------
    SpecError
        Before any estimation, with all that is wrong: unknown columns, conditions that are none, groups with too few
        rows, firms that change the group they are permuted with.
    DataError
        Doubled firm-years, or no row left.
    """
    start = time.perf_counter()
    sample = prepare_sample(spec, data, variables or {}, notes)
    state = _Run(spec, sample, progress or (lambda part, name: None))
    state.seconds["sample"] = round(time.perf_counter() - start, 3)
    descriptive, correlations = _describe(state)
    for section, part in SECTIONS.items():
        for name in sample.plan.names[section]:
            _run_one(state, section, part, name)
    results = StudyResults(
        spec=spec,
        data=sample.panel.data,
        data_hash=content_hash(data),
        spec_hash=spec.content_hash,
        panel_rows=len(data),
        sample_flow=sample.panel.sample_flow(),
        adjustments=sample.panel.adjustments,
        definitions=sample.panel.definitions,
        variables=dict(sample.panel.variables),
        descriptive=descriptive,
        correlations=correlations,
        seconds=state.seconds,
        notes=sample.panel.notes,
    )
    found: dict[str, Any] = dict(state.results)
    results = replace(results, **found)
    return _with_plans(results, [*sample.plan.skipped, *state.failures])


def _run_one(state: _Run, section: str, part: Part, name: str) -> None:
    spec, sample = state.spec, state.sample
    if section == "measurement_error":
        for method, work in measurement_methods(spec, name).items():
            state.attempt(part, f"{name}: {method}", (section, name), partial(work, sample))
        return
    found = state.attempt(part, name, (section, name), lambda: RUNNERS[section](spec, sample, name))
    if section == "models" and found is not None:
        relative_to = spec.models[name].magnitude
        if relative_to is not None:
            term = full_model(spec, name).regressors[0]
            place = ("models", name, "magnitude")
            state.attempt("magnitudes", name, place, lambda: economic_magnitude(found, term, relative_to=relative_to))
    elif section == "heterogeneity" and spec.heterogeneity[name].mediation:
        place = (section, name, "mediation")
        state.attempt("indirect_groups", name, place, lambda: run_indirect_groups(spec, sample, name))
    elif section == "robustness" and found is not None:
        for row in found.rows:
            if row.reason:
                failed = f"{name}: {row.label_en}"
                state.failures.append(Failure(part, failed, "failed", row.reason, spec.line(section, name)))
    elif section == "staggered" and found is not None:
        for estimator, words in found.failures.items():
            line = spec.line(section, name)
            state.failures.append(Failure(part, f"{name}: {estimator}", "failed", words, line))
        if spec.staggered[name].placebo is not None:
            place = (section, name, "placebo")
            state.attempt("placebos", name, place, lambda: run_placebo(spec, sample, name))
        if spec.staggered[name].honest is not None:
            place = (section, name, "honest")
            state.attempt("honest_bounds", name, place, lambda: run_honest_bounds(spec, found, name))


def _describe(state: _Run) -> tuple[pd.DataFrame | None, CorrelationMatrix | None]:
    """Describe the sample, where the study wants it."""
    wanted = state.spec.descriptive
    if wanted is None:
        return None, None
    data = state.sample.panel.data
    names = described(state.spec, state.sample)
    descriptive = state.attempt(
        "descriptive",
        "descriptive",
        ("descriptive",),
        lambda: descriptive_statistics(data, names, by=wanted.by, percentile=wanted.percentile),
    )
    correlations = None
    if wanted.correlations and len(names) > 1:
        place = ("descriptive", "correlations")
        correlations = state.attempt("correlations", "correlations", place, lambda: correlation_matrix(data, names))
    for part in ("descriptive", "correlations"):
        state.results.pop(part, None)
    return descriptive, correlations


def described(spec: StudySpec, sample: StudySample) -> list[str]:
    """Return the variables that are described: those named, or the numbers of all models and mediations.

    Parameters
    ----------
    spec : StudySpec
        The study.
    sample : StudySample
        Its sample.
    """
    data = sample.panel.data
    if spec.descriptive is not None and spec.descriptive.variables:
        return [name for name in spec.descriptive.variables if name in data.columns]
    models = [full_model(spec, name) for name in sample.plan.names["models"]]
    mediations = [full_mediation(spec, name) for name in sample.plan.names["mediation"]]
    names = [
        *(model.outcome for model in models),
        *(name for model in models for name in model.regressors),
        *(name for mediation in mediations for name in mediation.mediators),
        *(name for model in models for name in (*model.controls, *model.instruments)),
    ]
    return list(dict.fromkeys(names))


def _with_plans(results: StudyResults, failures: list[Failure]) -> StudyResults:
    """Add what is to be shown, and the failures in the order of the specification."""
    order = {part: place for place, part in enumerate(("variables", "sample", "descriptive", *SECTIONS.values()))}
    failures.sort(key=lambda failure: order.get(failure.part, len(order)))
    return replace(
        results, tables=table_plans(results), figures=figure_plans(results), failures=tuple(dict.fromkeys(failures))
    )
