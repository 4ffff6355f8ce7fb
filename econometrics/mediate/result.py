"""What a mediation analysis returns: effects with errors and intervals, replicates, and what they rest on in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from econometrics.mediate.intervals import Inference, Method
from econometrics.mediate.system import Effect, Structure
from shuzhi import SpecError

if TYPE_CHECKING:
    from econometrics.estimation.result import Regression
    from econometrics.mediate.sensitivity import MediationSensitivity

Layout = Literal["channel", "stepwise"]
Adjust = Literal["none", "holm", "benjamini_hochberg", "romano_wolf"]

METHOD_IN_WORDS: dict[str, str] = {
    "sobel": "Sobel (first order, paths uncorrelated)",
    "aroian": "Aroian (second order, paths uncorrelated)",
    "delta": "delta method with the joint covariance of the equations",
    "monte_carlo": "Monte Carlo draws from the joint t distribution of the paths",
    "percentile": "percentile bootstrap",
    "expanded_percentile": "percentile bootstrap, expanded for few clusters",
    "basic": "basic bootstrap",
    "bca": "bias-corrected and accelerated bootstrap",
}


@dataclass(frozen=True)
class EffectEstimate:
    """One effect.

    Parameters
    ----------
    effect, mediator, term, group : str
        What it is, see `econometrics.mediate.system.Effect`.
    estimate, standard_error, statistic, p_value, interval_low, interval_high : float
        Estimate, its error, their ratio, two-sided p value and the limits of the interval.
    adjusted_p_value : float
        Adjusted over the mediators; NaN where nothing was adjusted.
    observations : int
        Rows used.
    method : str
        Kind of interval.
    """

    effect: str
    mediator: str
    term: str
    group: str
    estimate: float
    standard_error: float
    statistic: float
    p_value: float
    interval_low: float
    interval_high: float
    adjusted_p_value: float
    observations: int
    method: Method

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper limit."""
        return self.interval_low, self.interval_high


def effect_estimates(
    effects: Sequence[Effect], estimates: np.ndarray, inference: Inference, observations: int, method: Method
) -> tuple[EffectEstimate, ...]:
    """Put names, numbers and inference together.

    Parameters
    ----------
    effects : sequence of Effect
        Names.
    estimates : (r,) float array
        Estimates.
    inference : Inference
        Errors, p values and intervals.
    observations : int
        Rows used.
    method : str
        Kind of interval.
    """
    errors = inference.standard_errors
    ratios = np.divide(estimates, errors, out=np.full(len(errors), np.nan), where=errors > 0)
    return tuple(
        EffectEstimate(
            name.effect,
            name.mediator,
            name.term,
            name.group,
            float(estimates[number]),
            float(errors[number]),
            float(ratios[number]),
            float(inference.p_values[number]),
            float(inference.low[number]),
            float(inference.high[number]),
            float("nan"),
            observations,
            method,
        )
        for number, name in enumerate(effects)
    )


@dataclass(frozen=True)
class Mediation:
    """A mediation analysis: one treatment, one or more mediators, one outcome, effects absorbed.

    Parameters
    ----------
    outcome, treatment : str
        Columns.
    mediators, controls, fixed_effects, cluster : tuple of str
        Columns; controls without those dropped.
    instruments : dict of str to tuple of str
        Excluded instruments by the column instrumented.
    method : str
        Kind of interval of the effects in the whole sample: with "auto" the one that was chosen. Groups with fewer
        clusters may have another, see their `EffectEstimate`.
    layout : {"channel", "stepwise"}
        Which equations a table shows.
    structure : {"parallel", "serial"}
        How several mediators stand to each other.
    level : float
        Coverage of the intervals.
    observations : int
        Rows, the same in all equations.
    clusters : dict of str to int
        Number of clusters; of rows where there is no cluster variable.
    effects : tuple of EffectEstimate
        Effects in the whole sample.
    moderation : tuple of EffectEstimate
        Effects by group or value of the moderator, and differences.
    interaction : tuple of EffectEstimate
        Effects with a treatment-mediator interaction.
    replicates : DataFrame
        One row a draw, one column an effect of the whole sample; empty for analytic methods.
    moderation_replicates : DataFrame
        The same draws for the effects by group.
    share_mediated : float
        Indirect over total effect; NaN where it means nothing.
    share_reason : str
        Why the share is not given, empty where it is.
    identity_gap : float
        Total less direct less indirect effect.
    regressions : tuple of Regression
        The equations of the layout, same sample each.
    sensitivity : MediationSensitivity or None
        To unobserved confounding, for one mediator without instruments.
    first_stages : dict of str to float
        Kleibergen-Paap rk Wald F by equation, where there are instruments.
    adjustment : str
        How p values were adjusted over the mediators.
    dropped : dict of str to int
        Rows dropped by reason.
    collinear : tuple of str
        Controls dropped.
    assumptions, warnings : tuple of str
        In words.
    seed, draws : int or None
        Of the draws; None for analytic methods.
    standard_error_kind, small_sample : str
        Of the analytic errors.
    """

    outcome: str
    treatment: str
    mediators: tuple[str, ...]
    controls: tuple[str, ...]
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    instruments: dict[str, tuple[str, ...]]
    method: Method
    layout: Layout
    structure: Structure
    level: float
    observations: int
    clusters: dict[str, int]
    effects: tuple[EffectEstimate, ...]
    moderation: tuple[EffectEstimate, ...]
    interaction: tuple[EffectEstimate, ...]
    replicates: pd.DataFrame
    moderation_replicates: pd.DataFrame
    share_mediated: float
    share_reason: str
    identity_gap: float
    regressions: tuple[Regression, ...]
    sensitivity: MediationSensitivity | None
    first_stages: dict[str, float]
    adjustment: Adjust
    dropped: dict[str, int]
    collinear: tuple[str, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    seed: int | None
    draws: int | None
    standard_error_kind: str
    small_sample: str

    def of(self, effect: str, mediator: str | None = None) -> EffectEstimate:
        """Return one effect of the whole sample.

        Parameters
        ----------
        effect : str
            ``total``, ``a``, ``b``, ``d``, ``direct``, ``indirect`` or ``total_indirect``.
        mediator : str, optional
            Mediator or path, needed where there are several.

        Raises
        ------
        SpecError
            No such effect, or several.
        """
        found = [row for row in self.effects if row.effect == effect and mediator in (None, row.mediator)]
        if len(found) != 1:
            known = ", ".join(f"{row.effect}[{row.mediator}]" if row.mediator else row.effect for row in self.effects)
            wanted = f"{effect}[{mediator}]" if mediator else effect
            raise SpecError(f"{len(found) or 'no'} effects are called {wanted}; there are {known}")
        return found[0]

    @property
    def total(self) -> EffectEstimate:
        """Effect of the treatment on the outcome, the mediators left out."""
        return self.of("total")

    @property
    def a(self) -> EffectEstimate:
        """Effect of the treatment on the mediator, where there is one; else use `of`."""
        return self.of("a")

    @property
    def b(self) -> EffectEstimate:
        """Effect of the mediator on the outcome, where there is one; else use `of`."""
        return self.of("b")

    @property
    def direct(self) -> EffectEstimate:
        """Effect of the treatment on the outcome given the mediators."""
        return self.of("direct")

    @property
    def indirect(self) -> EffectEstimate:
        """Effect through the mediator, or through all of them."""
        return self.of("indirect" if len(self.mediators) == 1 else "total_indirect")

    def to_frame(self) -> pd.DataFrame:
        """Return one row an effect: of the whole sample, then by moderator, then with interaction."""
        rows = [*self.effects, *self.moderation, *self.interaction]
        return pd.DataFrame([vars(row) for row in rows])

    def summary(self) -> str:
        """Say in plain text what was estimated, what came out, and what it rests on."""
        return "\n".join([*self._head(), "", *self._tables(), *self._foot()])

    def _head(self) -> list[str]:
        through = (" -> " if self.structure == "serial" else " and ").join(self.mediators)
        lines = [f"Mediation: {self.treatment} -> {through} -> {self.outcome}, {self.observations:,} observations"]
        if self.fixed_effects:
            lines.append(f"Fixed effects, absorbed anew in every draw: {', '.join(self.fixed_effects)}")
        used = dict.fromkeys([self.method, *(row.method for row in (*self.moderation, *self.interaction))])
        errors = "; by moderator: ".join(METHOD_IN_WORDS[method] for method in used)
        if self.draws is not None:
            errors += f", {self.draws:,} draws, seed {self.seed}"
        unit = ", ".join(f"{name} ({count:,})" for name, count in self.clusters.items())
        lines.append(f"Intervals ({self.level:.0%}): {errors}; resampled or clustered by {unit}")
        if self.instruments:
            given = "; ".join(f"{name} by {', '.join(by)}" for name, by in self.instruments.items())
            strength = ", ".join(f"{name} {value:.2f}" for name, value in self.first_stages.items())
            lines.append(
                f"Two-stage least squares: {given}" + (f" (Kleibergen-Paap F: {strength})" if strength else "")
            )
        return lines

    def _tables(self) -> list[str]:
        channel = [row for row in self.effects if row.effect in ("total", "a", "d")]
        rest = [row for row in self.effects if row.effect not in ("total", "a", "d")]
        if self.layout == "channel":
            lines = ["Channel (Jiang 2022): treatment -> outcome, treatment -> mediator", *_lines(channel)]
            lines += ["", "Paths that also need the mediator -> outcome equation", *_lines(rest)]
        else:
            lines = ["Three equations, stepwise", *_lines([*channel, *rest])]
        if self.moderation:
            lines += ["", "By moderator", *_lines(self.moderation)]
        if self.interaction:
            lines += ["", "With a treatment-mediator interaction", *_lines(self.interaction)]
        share = f"{self.share_mediated:.1%}" if np.isfinite(self.share_mediated) else f"not given: {self.share_reason}"
        return [*lines, "", f"Share mediated: {share}"]

    def _foot(self) -> list[str]:
        lines = []
        if self.sensitivity is not None:
            lines += ["", *self.sensitivity.summary().splitlines()]
        if self.dropped:
            lines.append("Rows dropped: " + ", ".join(f"{reason} {count:,}" for reason, count in self.dropped.items()))
        lines += [f"Warning: {text}" for text in self.warnings]
        lines += [f"Assumption: {text}" for text in self.assumptions]
        return lines


def _lines(rows: Sequence[EffectEstimate]) -> list[str]:
    names = [" ".join(filter(None, [row.effect, row.term, f"[{row.group}]" if row.group else ""])) for row in rows]
    width = max([6, *map(len, names)])
    adjusted = any(np.isfinite(row.adjusted_p_value) for row in rows)
    head = f"{'effect':<{width}} {'estimate':>12} {'std. error':>12} {'p value':>8}"
    lines = [head + (f" {'adjusted':>8}" if adjusted else "") + "  interval"]
    for name, row in zip(names, rows, strict=True):
        more = (
            f" {row.adjusted_p_value:>8.4f}" if adjusted and np.isfinite(row.adjusted_p_value) else " " * 9 * adjusted
        )
        lines.append(
            f"{name:<{width}} {row.estimate:>12.6g} {row.standard_error:>12.6g} {row.p_value:>8.4f}{more}"
            f"  [{row.interval_low:.6g}, {row.interval_high:.6g}]"
        )
    return lines
