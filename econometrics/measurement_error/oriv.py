"""Obviously related instrumental variables: two measures of one thing instrument each other in stacked data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from econometrics.estimation.design import as_names, build_design, refuse_doubled
from econometrics.instrument.result import InstrumentedRegression
from econometrics.instrument.two_stage import instrument
from econometrics.regress.regression import regress
from shuzhi import SpecError

Scale = Literal["as_given", "standard_deviation"]
STACKED = "true_regressor"
COPY = "copy_of_the_data"
ROW = "row_of_the_data"


@dataclass(frozen=True)
class RelatedInstruments:
    """An estimate in which several measures of one regressor instrument each other.

    Parameters
    ----------
    outcome : str
        Column explained.
    measures : tuple of str
        Columns that measure the same thing.
    result : InstrumentedRegression
        Two-stage least squares in the stacked data; its term for the regressor is ``true_regressor``.
    separate : DataFrame
        method (``least squares`` or ``instrumented``), measure, instrument, estimate, standard_error, observations:
        each measure alone, and each instrumented by another one.
    correlations : DataFrame
        Correlations of the measures after the effects and controls.
    observations : int
        Rows of the data, each used once a measure.
    clusters : dict of str to int
        Clusters by variable.
    scale : {"as_given", "standard_deviation"}
        Whether measures were divided by their standard deviations.
    dropped : dict of str to int
        Rows left out, by reason (of the data, not of the stacked copies).
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    measures: tuple[str, ...]
    result: InstrumentedRegression
    separate: pd.DataFrame
    correlations: pd.DataFrame
    observations: int
    clusters: dict[str, int]
    scale: Scale
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def estimate(self) -> float:
        """Coefficient of the true regressor."""
        return float(self.result.coefficients[STACKED])

    @property
    def standard_error(self) -> float:
        """Its standard error."""
        return float(self.result.standard_errors[STACKED])

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a term of the stacked estimate.

        Parameters
        ----------
        level : float
            Coverage of the interval.
        """
        frame = self.result.to_frame(level)
        return frame.assign(observations=self.observations, stacked_rows=self.result.observations)

    def summary(self) -> str:
        """Plain text for a reader."""
        row = self.to_frame().iloc[0]
        lines = [
            f"obviously related instruments ({', '.join(self.measures)}) on {self.outcome}: {row['estimate']:.5g} "
            f"({row['standard_error']:.4g}), p = {row['p_value']:.4f}, {self.observations:,} observations"
        ]
        for each in self.separate.itertuples():
            how = (
                f"{each.measure!s} instrumented by {each.instrument!s}"
                if each.instrument
                else f"{each.measure!s} alone"
            )
            lines.append(f"  {how:<48}{each.estimate:>12.5g} ({each.standard_error:.4g})")
        weak = self.result.weak_instruments
        if weak is not None:
            lines.append(f"  Kleibergen-Paap rk Wald F {weak.kleibergen_paap_f:.1f}")
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])


def related_instruments(
    data: pd.DataFrame,
    outcome: str,
    measures: Sequence[str],
    *,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    scale: Scale = "as_given",
) -> RelatedInstruments:
    """Estimate the effect of something that several columns measure with error, each instrumented by the others.

    The data are stacked once a measure. In copy j the regressor is measure j; its instruments are the other measures,
    each with a column of its own that is zero in the other copies. Constants and fixed effects differ between copies,
    the effect and those of the controls do not. A row stands in all copies, so errors are clustered by row at least.

    Parameters
    ----------
    data : DataFrame
        One row an observation.
    outcome : str
        Column explained.
    measures : sequence of str
        Two or more columns, such as the indices of two dictionaries.
    controls, fixed_effects, cluster : str or sequence of str
        As in ``instrument``; without a cluster, errors are clustered by row.
    scale : {"as_given", "standard_deviation"}
        Divide each measure by its standard deviation first, where their units differ. That is right only where all
        are equally reliable.

    Raises
    ------
    SpecError
        Fewer than two measures, or a column in two roles.
    DataError, EstimationError
        As ``instrument``.

    References
    ----------
    Gillen, Snowberg and Yariv (2019), Experimenting with Measurement Error, Journal of Political Economy 127.
    """
    names, others = as_names(measures), as_names(controls)
    effects, clusters = as_names(fixed_effects), as_names(cluster)
    if len(names) < 2:
        raise SpecError("obviously related instruments need two measures or more")
    if scale not in ("as_given", "standard_deviation"):
        raise SpecError(f"scale must be 'as_given' or 'standard_deviation', not {scale!r}")
    refuse_doubled(outcome=[outcome], measure=names, control=others)
    design = build_design(
        data.reset_index(drop=True),
        [outcome, *names, *others],
        fixed_effects=effects,
        cluster=clusters,
        weights=None,
        drop_singletons=True,
    )
    frame = design.sample.data.copy(deep=False)
    if scale == "standard_deviation":
        frame = frame.assign(**{name: frame[name] / frame[name].std() for name in names})
    frame[ROW] = np.arange(len(frame))
    stacked, instruments = _stacked(frame, names)
    result = instrument(
        stacked,
        outcome,
        STACKED,
        instruments,
        exogenous=others,
        fixed_effects=[f"{name}^{COPY}" for name in effects] or [COPY],
        cluster=clusters or [ROW],
    )
    errors = clusters or (ROW,)
    return RelatedInstruments(
        outcome=outcome,
        measures=names,
        result=result,
        separate=_separate(frame, outcome, names, others, effects, errors),
        correlations=_correlations(frame, names, others, effects),
        observations=len(frame),
        clusters=dict(result.clusters),
        scale=scale,
        dropped=dict(design.sample.dropped),
        assumptions=(
            "the errors of the measures are unrelated to each other: two dictionaries that share terms share errors, "
            "and then the estimate is still pulled towards zero",
            "the errors are unrelated to the true regressor, the controls and the outcome's error",
            "each measure moves one to one with the true regressor"
            + (" once divided by its standard deviation" if scale == "standard_deviation" else ""),
        ),
        warnings=(*result.warnings, *_notes(frame, names, others, effects)),
    )


def _stacked(frame: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    copies, instruments = [], []
    for own in names:
        for other in names:
            if other != own:
                instruments.append(f"{other}_for_{own}")
    for own in names:
        columns: dict[str, Any] = {STACKED: frame[own].astype("float64"), COPY: own}
        for column in instruments:
            columns[column] = 0.0
        for other in names:
            if other != own:
                columns[f"{other}_for_{own}"] = frame[other].astype("float64")
        copies.append(frame.assign(**columns))
    return pd.concat(copies, ignore_index=True), instruments


def _separate(
    frame: pd.DataFrame,
    outcome: str,
    names: Sequence[str],
    controls: Sequence[str],
    effects: Sequence[str],
    cluster: Sequence[str],
) -> pd.DataFrame:
    rows = []
    for own in names:
        alone = regress(frame, outcome, [own, *controls], fixed_effects=effects, cluster=cluster)
        rows.append(("least squares", own, "", alone.coefficients[own], alone.standard_errors[own], len(frame)))
        for other in names:
            if other == own:
                continue
            found = instrument(frame, outcome, own, other, exogenous=controls, fixed_effects=effects, cluster=cluster)
            rows.append(("instrumented", own, other, found.coefficients[own], found.standard_errors[own], len(frame)))
    columns = ["method", "measure", "instrument", "estimate", "standard_error", "observations"]
    return pd.DataFrame(rows, columns=columns)


def _swept(frame: pd.DataFrame, names: Sequence[str], controls: Sequence[str], effects: Sequence[str]) -> np.ndarray:
    design = build_design(
        frame, [*names, *controls], fixed_effects=effects, cluster=(), weights=None, drop_singletons=False
    )
    swept = design.columns(names)
    right = design.columns(controls) if controls else np.empty((len(frame), 0))
    if not effects:
        swept, right = swept - swept.mean(axis=0), right - right.mean(axis=0)
    left: np.ndarray = swept - right @ np.linalg.lstsq(right, swept, rcond=None)[0] if right.shape[1] else swept
    return left


def _correlations(
    frame: pd.DataFrame, names: Sequence[str], controls: Sequence[str], effects: Sequence[str]
) -> pd.DataFrame:
    found = np.corrcoef(_swept(frame, names, controls, effects), rowvar=False)
    return pd.DataFrame(found, index=list(names), columns=list(names))


def _notes(frame: pd.DataFrame, names: Sequence[str], controls: Sequence[str], effects: Sequence[str]) -> list[str]:
    spreads = _swept(frame, names, controls, effects).std(axis=0)
    if spreads.max() > 1.25 * spreads.min():
        shown = ", ".join(f"{name} {spread:.3g}" for name, spread in zip(names, spreads, strict=True))
        return [
            f"the measures differ in their spread within the model ({shown}): if that is a matter of units and not of "
            "error, bring them to one unit first"
        ]
    return []
