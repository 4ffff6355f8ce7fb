"""Permutation placebo: the estimate beside those of treatments that were dealt out at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.covariance import small_sample_terms
from econometrics.estimation.design import as_names, build_design
from econometrics.estimation.effects import Floats, Integers
from econometrics.estimation.sample import columns_of, estimation_sample
from econometrics.placebo.adoption import adoption_batches, adoption_of
from econometrics.placebo.projection import TreatmentProjection
from econometrics.placebo.shuffles import PlaceboScheme, PlaceboStatistic, Shuffler, shuffler
from shuzhi import EstimationError, SpecError


@dataclass(frozen=True)
class PermutationPlacebo:
    """An estimate beside its distribution when the treatment is dealt out at random.

    Parameters
    ----------
    outcome, treatment : str
        Columns.
    scheme : {"firms", "rows", "random_adoption"}
        What was exchanged.
    within : tuple of str
        Columns within whose values it was exchanged.
    statistic : {"estimate", "t"}
        What is compared.
    estimate, observed : float
        Coefficient of the real treatment, and the statistic that is compared.
    replicates, estimates : (draws,) float array
        Statistics and coefficients of the random treatments.
    p_value : float
        Two-sided: (1 + statistics at least as large) / (1 + draws).
    draws, seed : int
        Random treatments that could be estimated, and the seed.
    observations, exchanged : int
        Rows, and firms or rows that exchange.
    dropped : dict of str to int
        Rows left out, by reason.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    treatment: str
    scheme: PlaceboScheme
    within: tuple[str, ...]
    statistic: PlaceboStatistic
    estimate: float
    observed: float
    replicates: Floats
    estimates: Floats
    p_value: float
    draws: int
    seed: int
    observations: int
    exchanged: int
    dropped: dict[str, int]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row: the estimate, the spread of the placebo estimates as its error, and their central 95 %."""
        spread = float(self.estimates.std(ddof=1))
        low, high = np.quantile(self.estimates, [0.025, 0.975])
        return pd.DataFrame(
            {
                "term": [self.treatment],
                "estimate": [self.estimate],
                "standard_error": [spread],
                "statistic": [
                    self.observed if self.statistic == "t" else self.estimate / spread if spread > 0 else np.nan
                ],
                "p_value": [self.p_value],
                "interval_low": [float(low)],
                "interval_high": [float(high)],
                "observations": [self.observations],
                "placebo_mean": [float(self.estimates.mean())],
                "draws": [self.draws],
                "seed": [self.seed],
            }
        )

    def summary(self) -> str:
        """Plain text for a reader."""
        row = self.to_frame().iloc[0]
        place = f" within {' and '.join(self.within)}" if self.within else ""
        lines = [
            f"placebo ({self.scheme}{place}): {self.treatment} on {self.outcome} {self.estimate:.5g}; {self.draws:,} "
            f"random treatments have mean {row['placebo_mean']:.5g} and 95 % of them lie in "
            f"[{row['interval_low']:.5g}, {row['interval_high']:.5g}], p = {self.p_value:.4f} "
            f"(compared: {self.statistic}; seed {self.seed})"
        ]
        lines += [f"  warning: {text}" for text in self.warnings]
        return "\n".join(lines + [f"  assumption: {text}" for text in self.assumptions])


def permutation_placebo(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    *,
    controls: str | Sequence[str] = (),
    fixed_effects: str | Sequence[str] = (),
    cluster: str | None = None,
    weights: str | None = None,
    scheme: PlaceboScheme = "firms",
    within: str | Sequence[str] = (),
    firm: str = "stock_code",
    year: str = "report_year",
    statistic: PlaceboStatistic = "estimate",
    draws: int = 1000,
    seed: int = 1,
) -> PermutationPlacebo:
    """Deal the treatment out at random again and again and compare the estimate with what then comes out.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    outcome, treatment : str
        Numeric columns; the treatment may be continuous.
    controls, fixed_effects : str or sequence of str
        The rest of the model, as in ``regress``.
    cluster : str, optional
        Cluster variable of the t statistics.
    weights : str, optional
        Column of analytic weights.
    scheme : {"firms", "rows", "random_adoption"}
        ``firms``: whole firms exchange their paths over the years; a year that the other firm lacks is filled from its
        nearest one. ``rows``: single rows exchange (with ``within=report_year``, within the year), which rejects far
        too often where treatment and errors of a firm are persistent. ``random_adoption``: as many firms as are treated
        get a first treated year at random; the treatment must be 0 and then 1.
    within : str or sequence of str
        Columns within whose values rows or firms are exchanged.
    firm, year : str
        Columns of the firm and of the year.
    statistic : {"estimate", "t"}
        What is compared. The t statistic keeps the size also where errors differ in variance (Chung and Romano 2013).
    draws, seed : int
        Random treatments and their seed.

    Raises
    ------
    DataError
        Columns or values that cannot be used; nothing to exchange.
    EstimationError
        The estimate is not identified.

    References
    ----------
    Fisher (1935); Phipson and Smyth (2010) for (k + 1) / (B + 1); Chung and Romano (2013), Annals of Statistics 41.
    """
    if statistic not in ("estimate", "t"):
        raise SpecError(f"statistic must be 'estimate' or 't', not {statistic!r}")
    if draws < 1:
        raise SpecError("a placebo needs at least one draw")
    terms, groups = [treatment, *as_names(controls)], as_names(within)
    effects = as_names(fixed_effects)
    keys = columns_of([*groups, *([firm, year] if scheme != "rows" else [])])
    kept = estimation_sample(data, numeric=[], categorical=keys, drop_singletons=False) if keys else None
    frame = kept.data if kept is not None else data
    design = build_design(
        frame.reset_index(drop=True),
        [outcome, *terms],
        fixed_effects=effects,
        cluster=(cluster,) if cluster else (),
        weights=weights,
        drop_singletons=True,
    )
    rows = frame.iloc[design.sample.data.index.to_numpy()]
    raw = [design.raw_column(name) for name in terms]
    controls_matrix = np.column_stack(raw[1:]) if len(raw) > 1 else np.empty((len(rows), 0))
    model = TreatmentProjection(design.raw_column(outcome), controls_matrix, design.effects, design.weights)
    columns = model.controls_kept + 1 + int(not effects)
    factor = small_sample_terms(len(rows), columns, design.effects, design.clusters, "reghdfe").factor
    dropped = (dict(kept.dropped) if kept is not None else {}) | design.sample.dropped
    source, exchange, notes = _source(rows, raw[0], scheme, groups, firm, year, draws, seed)

    def compare(treatments: Floats) -> tuple[Floats, Floats]:
        if statistic == "t":
            return model.tests(treatments, design.clusters.codes, factor)
        estimates = model.estimates(treatments)
        return estimates, estimates

    observed = compare(raw[0][:, None])
    if not np.isfinite(observed[1][0]):
        raise EstimationError(f"the effects and controls leave nothing of {treatment}: there is no estimate to compare")
    pairs = [compare(batch) for batch in source]
    estimates = np.concatenate([pair[0] for pair in pairs])
    statistics = np.concatenate([pair[1] for pair in pairs])
    usable = np.isfinite(statistics)
    if not usable.any():
        raise EstimationError("no random treatment can be estimated: effects and controls leave nothing of any")
    if not usable.all():
        notes.append(f"{int((~usable).sum())} of {draws} random treatments cannot be estimated and are left out")
    return PermutationPlacebo(
        outcome=outcome,
        treatment=treatment,
        scheme=scheme,
        within=groups,
        statistic=statistic,
        estimate=float(observed[0][0]),
        observed=float(observed[1][0]),
        replicates=statistics[usable],
        estimates=estimates[usable],
        p_value=permutation_p_value(float(observed[1][0]), statistics[usable]),
        draws=int(usable.sum()),
        seed=seed,
        observations=len(rows),
        exchanged=exchange,
        dropped=dropped,
        assumptions=_assumptions(scheme, groups, statistic),
        warnings=tuple(notes),
    )


def permutation_p_value(observed: float, replicates: Floats) -> float:
    """Two-sided p value (k + 1) / (B + 1) of a statistic among those of random treatments.

    Parameters
    ----------
    observed : float
        Statistic of the real treatment.
    replicates : (draws,) float array
        Statistics of the random ones.
    """
    # The real treatment is one of the permutations and must not miss its own value by a rounding error.
    larger = int((np.abs(replicates) >= abs(observed) * (1 - 1e-12)).sum())
    return (larger + 1) / (len(replicates) + 1)


def _source(
    rows: pd.DataFrame,
    treatment: Floats,
    scheme: PlaceboScheme,
    within: tuple[str, ...],
    firm: str,
    year: str,
    draws: int,
    seed: int,
) -> tuple[Iterator[Floats], int, list[str]]:
    """Random treatments in batches, how many units exchange, and notes."""
    if scheme == "random_adoption":
        if within:
            raise SpecError("random_adoption takes no within; use scheme='firms' to exchange within groups")
        adoption = adoption_of(rows, treatment, firm, year)
        return adoption_batches(adoption, draws, seed), adoption.firms, []
    exchange = shuffler(rows, scheme, within, firm, year)
    notes = []
    if scheme == "rows" and firm in rows.columns and rows[firm].duplicated().any():
        notes.append(
            f"rows of one {firm} are exchanged one by one: where its treatment and errors are persistent the test "
            "rejects far too often (29 % instead of 5 % in placebo_rejection_rates); prefer scheme='firms'"
        )
    if exchange.borrowed > 0.1:
        notes.append(
            f"{exchange.borrowed:.0%} of the years that firms lend each other are not observed and come from the "
            "lender's nearest year: the panel is unbalanced"
        )
    if exchange.exchanged < 20:
        notes.append(f"only {exchange.exchanged} {scheme} exchange their treatments")
    return _values(exchange, treatment, draws, seed), exchange.exchanged, notes


def _values(exchange: Shuffler, treatment: Floats, draws: int, seed: int) -> Iterator[Floats]:
    batches: Iterator[Integers] = exchange.batches(draws, seed)
    return (treatment[batch] for batch in batches)


def _assumptions(scheme: PlaceboScheme, within: tuple[str, ...], statistic: PlaceboStatistic) -> tuple[str, ...]:
    place = f" within {' and '.join(within)}" if within else ""
    first = {
        "firms": f"without an effect, any firm could as well have had the treatments of any other{place}",
        "rows": f"without an effect, any row could as well have had the treatment of any other{place}; rows of one "
        "firm are exchanged as if they were independent",
        "random_adoption": "without an effect, any firm could as well have been treated, from any year on",
    }[scheme]
    texts = [first, "the controls are not related to who is treated, or hardly"]
    if statistic == "estimate":
        texts.append("the errors of treated and untreated have about the same variance")
    return tuple(texts)
