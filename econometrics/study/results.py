"""What a study gives back: every result by its name, what the sample is, what failed, and what is to be shown of it.

`econometrics.study.run` makes it; `econometrics.study.tables.build_tables` turns its table plans into tables, and a
report reads it as it is. Everything that stands in a plan by name stands in one of the mappings here, or in `failures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from econometrics.describe import CorrelationMatrix
from econometrics.did.compare import EstimatorComparison
from econometrics.did.honest_trends import HonestBounds
from econometrics.did.placebo import Placebo
from econometrics.estimation.result import Regression
from econometrics.heterogeneity.comparison import GroupComparison
from econometrics.heterogeneity.family import SplitFamily
from econometrics.heterogeneity.mediation import IndirectByGroup
from econometrics.heterogeneity.moderators import Moderation
from econometrics.instrument.result import InstrumentedRegression
from econometrics.mediate.result import Mediation
from econometrics.panel.steps.result import PanelNote
from econometrics.regress.magnitude import EconomicMagnitude
from econometrics.spec.specification import StudySpec
from econometrics.spec.vocabulary import Failure, FigureKind, Part, TableKind
from econometrics.threshold.result import ThresholdRegression
from econometrics.u_test import UTest
from econometrics.variables import Language, Variable, variable_labels


class StudyPart(Protocol):
    """What every result can do."""

    def to_frame(self) -> pd.DataFrame:
        """Return tidy rows: term, estimate, standard_error, statistic, p_value, interval_low, interval_high ..."""

    def summary(self) -> str:
        """Return plain text."""


@dataclass(frozen=True)
class TablePlan:
    """A table that the specification declares.

    Parameters
    ----------
    name : str
        For the file.
    kind : str
        Which builder of `econometrics.tables` makes it: ``models`` regression_table, ``mediation`` mediation_table,
        ``heterogeneity`` heterogeneity_table, ``staggered`` did_table, ``event_study`` event_study_table,
        ``descriptive`` and ``correlations`` those, ``results`` a table of the rows of to_frame().
    parts : tuple of str
        Names of the results shown, in order; those that failed are left out (and are in ``missing``). Of kind
        ``results`` they are keys of `StudyResults.parts`, such as ``robustness/main``.
    missing : tuple of str
        Names declared but without a result.
    titles : mapping of str to str
        By language.
    number : str
        Number of the table.
    options : mapping of str to object
        Passed to the builder.
    terms : tuple of str
        Of kind ``results``, the rows that are shown; all but those of controls where there are none.
    """

    name: str
    kind: TableKind
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigurePlan:
    """A figure that the specification declares; see `TablePlan`.

    Parameters
    ----------
    name : str
        For the file.
    kind : str
        ``coefficients`` of a term over models, ``event_study`` of staggered results, ``specification_curve``,
        ``paths`` of a mediation, ``trends`` of a variable by year and group, ``marginal_effects`` of a moderation.
    parts, missing, titles
        As of a table.
    term : str
        The coefficient, for ``coefficients``.
    variable, group : str
        What trends show, by what.
    """

    name: str
    kind: FigureKind
    parts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    term: str = ""
    variable: str = ""
    group: str = ""


@dataclass(frozen=True)
class StudyResults:
    """All that a study found.

    Every mapping has the names and the order of the specification. The mappings of results may lack names: these are
    in `failures`.

    Parameters
    ----------
    spec : StudySpec
        The specification, as read (``spec.text`` is its YAML).
    data : DataFrame, one row a firm-year
        The sample: new variables added, filters and winsorising done, sorted by firm and year. Each result takes from
        it the rows that have its variables.
    data_hash, spec_hash : str
        First 16 digits of SHA-256 of the panel as given, and of the specification's text.
    panel_rows : int
        Rows of the panel as given.
    sample_flow : DataFrame, columns table, what, rows_removed, rows_left, firms_removed, firms_left
        What each step removed.
    adjustments, definitions : DataFrame
        What was winsorised or trimmed, and what was computed; see `econometrics.panel.Panel`.
    variables : dict of str to Variable
        Labels, units, formulas and sources of the columns of `data`.
    descriptive : DataFrame or None
        Rows of `econometrics.describe.descriptive_statistics`; with a column ``group`` if grouped.
    correlations : CorrelationMatrix or None
        Of the same variables.
    models : dict of str to Regression or InstrumentedRegression
        By name.
    magnitudes : dict of str to EconomicMagnitude
        Economic magnitude of the first regressor of each model that asks for it, under the model's name.
    mediations : dict of str to Mediation
        By name; a mediation with a moderator holds its indirect effects by group too.
    groups : dict of str to GroupComparison
        Coefficients by group with the tests between them.
    indirect_groups : dict of str to IndirectByGroup
        Indirect effects by group, under the same names as in `groups`.
    families : dict of str to SplitFamily
        Differences over several splits with adjusted p values.
    moderations, u_tests, thresholds : dict
        Continuous moderators, quadratics, panel thresholds.
    staggered : dict of str to EstimatorComparison
        A policy by all estimators.
    placebos : dict of str to Placebo
        Placebo in space, under the names of `staggered`.
    honest_bounds : dict of str to HonestBounds
        Bounds of the event study, under the names of `staggered`.
    robustness, curves : dict
        Results of `econometrics.robustness` and of the specification curve.
    measurement_error : dict
        Results of `econometrics.measurement_error`, under ``NAME: attenuation``, ``NAME: simex`` and
        ``NAME: related_instruments``.
    tables : tuple of TablePlan
        What is to be shown as tables, in order.
    figures : tuple of FigurePlan
        What is to be shown as figures.
    failures : tuple of Failure
        What is not there, and why, in the order of the specification.
    notes : tuple of PanelNote
        What the steps of the panel and of the sample said of it: decompositions, assumptions, warnings.
    seconds : dict of str to float
        Seconds of each part, the only thing here that differs from run to run.
    """

    spec: StudySpec
    data: pd.DataFrame
    data_hash: str
    spec_hash: str
    panel_rows: int
    sample_flow: pd.DataFrame
    adjustments: pd.DataFrame
    definitions: pd.DataFrame
    variables: dict[str, Variable]
    descriptive: pd.DataFrame | None = None
    correlations: CorrelationMatrix | None = None
    models: dict[str, Regression | InstrumentedRegression] = field(default_factory=dict)
    magnitudes: dict[str, EconomicMagnitude] = field(default_factory=dict)
    mediations: dict[str, Mediation] = field(default_factory=dict)
    groups: dict[str, GroupComparison] = field(default_factory=dict)
    indirect_groups: dict[str, IndirectByGroup] = field(default_factory=dict)
    families: dict[str, SplitFamily] = field(default_factory=dict)
    moderations: dict[str, Moderation] = field(default_factory=dict)
    u_tests: dict[str, UTest] = field(default_factory=dict)
    thresholds: dict[str, ThresholdRegression] = field(default_factory=dict)
    staggered: dict[str, EstimatorComparison] = field(default_factory=dict)
    placebos: dict[str, Placebo] = field(default_factory=dict)
    honest_bounds: dict[str, HonestBounds] = field(default_factory=dict)
    robustness: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, Any] = field(default_factory=dict)
    measurement_error: dict[str, Any] = field(default_factory=dict)
    tables: tuple[TablePlan, ...] = ()
    figures: tuple[FigurePlan, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[PanelNote, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def labels(self, language: Language) -> dict[str, str]:
        """Return the label of every column, and those that the study gives to groups, for tables and figures.

        Parameters
        ----------
        language : {"zh", "en"}
            Language of the labels; a column without one keeps its name.
        """
        groups = {name: titles[language] for name, titles in self.spec.labels.items() if language in titles}
        return groups | variable_labels(self.variables, list(self.variables), language)

    def parts(self) -> dict[str, StudyPart]:
        """Return every single result as ``part/name``, in the order of the specification's parts."""
        names: tuple[Part, ...] = (
            "models",
            "mediations",
            "groups",
            "indirect_groups",
            "families",
            "moderations",
            "u_tests",
            "thresholds",
            "staggered",
            "placebos",
            "honest_bounds",
            "robustness",
            "curves",
            "measurement_error",
        )
        return {f"{part}/{name}": result for part in names for name, result in getattr(self, part).items()}
