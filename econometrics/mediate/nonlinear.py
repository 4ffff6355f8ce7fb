"""Mediation with a binary outcome or mediator, by simulation from the coefficients' sampling distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from econometrics.estimation.binary_response import Family, ResponseFit, fit_response, response_mean
from econometrics.estimation.design import as_names, refuse_doubled
from econometrics.estimation.effects import Floats, encode_effects
from econometrics.estimation.sample import estimation_sample, numeric_values
from econometrics.mediate.intervals import Inference, monte_carlo_coefficients
from econometrics.mediate.result import EffectEstimate, effect_estimates
from econometrics.mediate.system import Effect
from shuzhi import EstimationError, SpecError

# Numbers held at once: rows times draws of a batch.
BATCH_ENTRIES = 2_000_000


@dataclass(frozen=True)
class NonlinearMediation:
    """Average causal effects with a binary outcome or mediator.

    Parameters
    ----------
    outcome, treatment, mediator : str
        Columns.
    outcome_model, mediator_model : str
        Kinds of models.
    effects : tuple of EffectEstimate
        total, indirect and direct (averages over both values of the treatment), and each at its low and high value.
    share_mediated : float
        Median over draws of indirect over total effect.
    share_interval : (float, float)
        Its limits.
    replicates : DataFrame
        One row a draw, one column an effect.
    observations : int
        Rows.
    dropped : dict of str to int
        Rows dropped by reason.
    level : float
        Coverage.
    seed, draws : int
        Of the simulation.
    assumptions, warnings : tuple of str
        In words.
    """

    outcome: str
    treatment: str
    mediator: str
    outcome_model: Family
    mediator_model: Family
    effects: tuple[EffectEstimate, ...]
    share_mediated: float
    share_interval: tuple[float, float]
    replicates: pd.DataFrame
    observations: int
    dropped: dict[str, int]
    level: float
    seed: int
    draws: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def of(self, effect: str) -> EffectEstimate:
        """Return one effect.

        Parameters
        ----------
        effect : str
            Such as ``indirect`` or ``direct_at_low``.
        """
        for row in self.effects:
            if row.effect == effect:
                return row
        raise SpecError(f"no effect is called {effect}; there are {', '.join(row.effect for row in self.effects)}")

    @property
    def total(self) -> EffectEstimate:
        """Total effect."""
        return self.of("total")

    @property
    def indirect(self) -> EffectEstimate:
        """Average causal mediation effect."""
        return self.of("indirect")

    @property
    def direct(self) -> EffectEstimate:
        """Average direct effect."""
        return self.of("direct")

    def to_frame(self) -> pd.DataFrame:
        """Return one row an effect."""
        return pd.DataFrame([vars(row) for row in self.effects])

    def summary(self) -> str:
        """Say what was estimated and what came out."""
        head = (
            f"Mediation by simulation: {self.treatment} -> {self.mediator} ({self.mediator_model}) -> {self.outcome} "
            f"({self.outcome_model}), {self.observations:,} observations, {self.draws:,} draws, seed {self.seed}"
        )
        lines = [
            head,
            "",
            f"{'effect':<18} {'estimate':>12} {'std. error':>12} {'p value':>8}  {self.level:.0%} interval",
        ]
        lines += [
            f"{row.effect:<18} {row.estimate:>12.6g} {row.standard_error:>12.6g} {row.p_value:>8.4f}  "
            f"[{row.interval_low:.6g}, {row.interval_high:.6g}]"
            for row in self.effects
        ]
        low, high = self.share_interval
        lines += ["", f"Share mediated (median): {self.share_mediated:.1%} [{low:.1%}, {high:.1%}]"]
        if self.dropped:
            lines.append("Rows dropped: " + ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.items()))
        lines += [f"Warning: {text}" for text in self.warnings]
        return "\n".join([*lines, *(f"Assumption: {text}" for text in self.assumptions)])


def mediate_nonlinear(
    data: pd.DataFrame,
    outcome: str,
    treatment: str,
    mediator: str,
    *,
    controls: str | Sequence[str] = (),
    outcome_model: Family = "probit",
    mediator_model: Family = "linear",
    interaction: bool = False,
    treatment_values: tuple[float, float] = (0.0, 1.0),
    cluster: str | None = None,
    robust: bool = False,
    draws: int = 5000,
    seed: int = 1,
    level: float = 0.95,
) -> NonlinearMediation:
    """Estimate average indirect and direct effects where outcome or mediator is binary.

    Coefficients of both models are drawn from their normal sampling distributions; in each draw the mediator is
    simulated under both values of the treatment, and outcomes are averaged over the rows.

    Parameters
    ----------
    data : DataFrame
        One row an observation; rows with missing or infinite values are dropped and counted.
    outcome, treatment, mediator : str
        Numeric columns.
    controls : str or sequence of str
        Numeric columns, or columns of text or categories, which enter as dummies.
    outcome_model, mediator_model : {"linear", "probit", "logit"}
        Kinds of models.
    interaction : bool
        Let the mediator's effect depend on the treatment.
    treatment_values : (float, float)
        Values compared.
    cluster : str, optional
        Cluster variable of the errors.
    robust : bool
        Heteroskedasticity-robust errors where there is no cluster.
    draws, seed : int
        Of the simulation.
    level : float
        Coverage of the intervals.

    Raises
    ------
    DataError
        Columns that are not there or not usable, no row left.
    SpecError
        Options that cannot work.
    EstimationError
        A model that is not identified, one cluster only.

    References
    ----------
    Imai, Keele and Tingley (2010), Psychological Methods 15(4), algorithm 1; R package mediation.
    """
    names = as_names(controls)
    refuse_doubled(outcome=[outcome], treatment=[treatment], mediator=[mediator], controls=names)
    if draws < 2 or not 0 < level < 1 or treatment_values[0] == treatment_values[1]:
        raise SpecError(
            f"draws must be at least 2 (it is {draws}), level between 0 and 1 ({level}), and the two values of the "
            f"treatment different ({treatment_values[0]:g} and {treatment_values[1]:g})"
        )
    text = [name for name in names if name in data.columns and not pd.api.types.is_numeric_dtype(data[name])]
    numeric = [outcome, treatment, mediator, *(name for name in names if name not in text)]
    groups = [*text, *([cluster] if cluster else [])]
    sample = estimation_sample(data, numeric=numeric, categorical=groups)
    rows = sample.data
    clusters = encode_effects(rows, [cluster]) if cluster else None
    if clusters is not None and clusters.levels[0] < 2:
        raise EstimationError(f"one cluster only in {cluster}; cluster by a finer variable")
    codes = clusters.codes[0] if clusters is not None else None
    base = _controls(rows, names, text)
    t, m, y = (numeric_values(rows[name]) for name in (treatment, mediator, outcome))
    first = fit_response(mediator_model, m, np.column_stack([t, base]), mediator, clusters=codes, robust=robust)
    own = [t, m, *([t * m] if interaction else [])]
    second = fit_response(outcome_model, y, np.column_stack([*own, base]), outcome, clusters=codes, robust=robust)
    drawn = _simulate(first, second, base, treatment_values, interaction, draws, seed)
    replicates = pd.DataFrame(drawn)
    shares = (replicates["indirect"] / replicates["total"]).to_numpy()
    tail = (1 - level) / 2
    share_low, share_high = np.quantile(shares, [tail, 1 - tail])
    return NonlinearMediation(
        outcome,
        treatment,
        mediator,
        outcome_model,
        mediator_model,
        _effects(replicates, level, len(rows)),
        float(np.median(shares)),
        (float(share_low), float(share_high)),
        replicates,
        len(rows),
        sample.dropped,
        level,
        seed,
        draws,
        _assumptions(outcome, treatment, mediator, outcome_model, mediator_model),
        (f"{draws:,} draws are few for an interval; 1,000 or more are usual",) if draws < 1000 else (),
    )


def _controls(rows: pd.DataFrame, names: Sequence[str], text: Sequence[str]) -> Floats:
    """Constant, numeric controls and dummies of the others, the first level left out."""
    columns = [np.ones(len(rows))]
    for name in names:
        if name in text:
            values = rows[name].astype(str).to_numpy()
            columns += [(values == level).astype(np.float64) for level in sorted(set(values))[1:]]
        else:
            columns.append(numeric_values(rows[name]))
    return np.column_stack(columns)


def _simulate(
    first: ResponseFit,
    second: ResponseFit,
    base: Floats,
    values: tuple[float, float],
    interaction: bool,
    draws: int,
    seed: int,
) -> dict[str, Floats]:
    """Average effects in every draw."""
    of_mediator = monte_carlo_coefficients(first.coefficients, first.covariance, draws, seed)
    of_outcome = monte_carlo_coefficients(second.coefficients, second.covariance, draws, seed + 1)
    generator = np.random.Generator(np.random.PCG64(seed + 2))
    rows = len(base)
    means = np.empty((draws, 2, 2))
    step = max(1, BATCH_ENTRIES // rows)
    for start in range(0, draws, step):
        inside = slice(start, start + step)
        alpha, beta = of_mediator[inside], of_outcome[inside]
        level = base @ alpha[:, 1:].T
        noise = generator.standard_normal(level.shape) if first.family == "linear" else generator.random(level.shape)
        mediators = []
        for value in values:
            predictor = level + alpha[:, 0] * value
            if first.family == "linear":
                mediators.append(predictor + first.scale * noise)
            else:
                mediators.append((noise < response_mean(first.family, predictor)).astype(np.float64))
        others = base @ beta[:, 2 + interaction :].T
        for number, value in enumerate(values):
            slope = beta[:, 1] + (beta[:, 2] * value if interaction else 0.0)
            for which, simulated in enumerate(mediators):
                predictor = others + beta[:, 0] * value + slope * simulated
                means[inside, number, which] = response_mean(second.family, predictor).mean(axis=0)
    indirect = means[:, :, 1] - means[:, :, 0]
    direct = means[:, 1, :] - means[:, 0, :]
    return {
        "total": means[:, 1, 1] - means[:, 0, 0],
        "indirect": indirect.mean(axis=1),
        "direct": direct.mean(axis=1),
        "indirect_at_low": indirect[:, 0],
        "indirect_at_high": indirect[:, 1],
        "direct_at_low": direct[:, 0],
        "direct_at_high": direct[:, 1],
    }


def _effects(replicates: pd.DataFrame, level: float, observations: int) -> tuple[EffectEstimate, ...]:
    values = replicates.to_numpy()
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    smaller = np.minimum((values <= 0).sum(axis=0), (values >= 0).sum(axis=0))
    p_values = np.minimum(2 * (smaller + 1) / (len(values) + 1), 1.0)
    names = [Effect(str(name)) for name in replicates.columns]
    inference = Inference(values.std(axis=0, ddof=1), p_values, low, high)
    return effect_estimates(names, values.mean(axis=0), inference, observations, "monte_carlo")


def _assumptions(
    outcome: str, treatment: str, mediator: str, outcome_model: str, mediator_model: str
) -> tuple[str, ...]:
    return (
        f"sequential ignorability: given controls, nothing unobserved acts on {treatment} and on {mediator} or "
        f"{outcome}, nor, given {treatment} too, on both {mediator} and {outcome}",
        f"the {mediator_model} model of {mediator} and the {outcome_model} model of {outcome} are right",
        "estimates are means over the draws; no fixed effects are absorbed: with a nonlinear model their dummies would "
        "bias it where they have few rows each",
    )
