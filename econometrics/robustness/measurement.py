"""Checks of a regressor with error: reliability, SIMEX, related instruments, other instruments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from econometrics.instrument.two_stage import instrument
from econometrics.measurement_error.attenuation import correct_attenuation
from econometrics.measurement_error.extrapolate import Extrapolant
from econometrics.measurement_error.oriv import related_instruments
from econometrics.measurement_error.simex import simulate_extrapolate
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.methods import finding, others_of, refuse_weights
from econometrics.robustness.setting import Finding, MethodCheck, Names, Setting


@dataclass(frozen=True)
class KnownReliability(MethodCheck):
    """Correct for measurement error, given the reliability of the regressor.

    Parameters
    ----------
    reliability : float
        Share of its variance that is true.
    standard_error : float
        Of the reliability.
    of : {"level", "within"}
        Whether it is that of the levels, or of what the effects leave.
    persistent_share : float
        Share of the error's variance that the effects absorb.
    """

    reliability: float
    standard_error: float = 0.0
    of: Literal["level", "within"] = "level"
    persistent_share: float = 0.0
    kind: ClassVar[str] = "reliability"
    main: ClassVar[str] = "reliability"

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        return (
            f"测量误差校正（信度 {self.reliability:g}）",
            f"Corrected for measurement error (reliability {self.reliability:g})",
        )

    def run(self, setting: Setting) -> Finding:
        """Correct."""
        model = setting.model
        refuse_weights(model, "the correction by reliability")
        found = correct_attenuation(
            setting.data,
            model.outcome,
            model.focus[0],
            reliability=self.reliability,
            reliability_standard_error=self.standard_error,
            reliability_of=self.of,
            persistent_share=self.persistent_share,
            controls=others_of(model),
            fixed_effects=model.fixed_effects,
            cluster=model.cluster,
        )
        made = finding(found, model.focus[0], clusters=found.clusters, dropped=found.dropped)
        frame = found.to_frame()
        chosen = (frame["correction"] == found.main) & (frame["term"] == model.focus[0])
        return Finding(
            frame[chosen].reset_index(drop=True),
            made.clusters,
            np.nan,
            made.dropped,
            made.warnings,
            found,
        )


@dataclass(frozen=True)
class Simex(MethodCheck):
    """Correct for measurement error by simulation and extrapolation.

    Parameters
    ----------
    reliability, error_variance : float, optional
        One of the two.
    extrapolant, persistent_share, simulations, seed
        As in ``simulate_extrapolate``.
    """

    reliability: float | None = None
    error_variance: float | None = None
    extrapolant: Extrapolant = "nonlinear"
    persistent_share: float = 0.0
    simulations: int = 100
    seed: int = 1
    kind: ClassVar[str] = "simex"
    main: ClassVar[str] = "reliability"

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        return "测量误差校正（SIMEX）", "Corrected for measurement error (SIMEX)"

    def run(self, setting: Setting) -> Finding:
        """Simulate and extrapolate."""
        model = setting.model
        refuse_weights(model, "SIMEX")
        found = simulate_extrapolate(
            setting.data,
            model.outcome,
            model.focus[0],
            error_variance=self.error_variance,
            reliability=self.reliability,
            persistent_share=self.persistent_share,
            controls=others_of(model),
            fixed_effects=model.fixed_effects,
            cluster=model.cluster,
            extrapolant=self.extrapolant,
            simulations=self.simulations,
            seed=self.seed,
        )
        return finding(found, model.focus[0], clusters=found.clusters, dropped=found.dropped)


@dataclass(frozen=True)
class Related(MethodCheck):
    """Instrument the index by those of other dictionaries, and these by it (obviously related instruments).

    Parameters
    ----------
    measures : tuple of str
        Other measures of the same thing.
    scale : {"as_given", "standard_deviation"}
        As in ``related_instruments``.
    """

    measures: tuple[str, ...]
    scale: Literal["as_given", "standard_deviation"] = "as_given"
    kind: ClassVar[str] = "related_instruments"
    main: ClassVar[str] = "measures"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The measures."""
        return self.measures

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        return (
            f"ORIV：与{names.zh(*self.measures)}互为工具变量",
            f"Obviously related instruments with {names.en(*self.measures)}",
        )

    def run(self, setting: Setting) -> Finding:
        """Stack and estimate."""
        model = setting.model
        refuse_weights(model, "ORIV")
        found = related_instruments(
            setting.data,
            model.outcome,
            (model.focus[0], *self.measures),
            controls=others_of(model),
            fixed_effects=model.fixed_effects,
            cluster=model.cluster,
            scale=self.scale,
        )
        return finding(found, found.result.endogenous[0], clusters=found.clusters, dropped=found.dropped)


@dataclass(frozen=True)
class Instrumented(MethodCheck):
    """Instrument the regressor.

    Parameters
    ----------
    instruments : tuple of str
        Excluded instruments.
    """

    instruments: tuple[str, ...]
    kind: ClassVar[str] = "instrument"
    main: ClassVar[str] = "instruments"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The instruments."""
        return self.instruments

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is done."""
        return f"工具变量：{names.zh(*self.instruments)}", f"Instrumented by {names.en(*self.instruments)}"

    def run(self, setting: Setting) -> Finding:
        """Estimate by two-stage least squares."""
        model = setting.model
        found = instrument(
            setting.data,
            model.outcome,
            model.focus[0],
            self.instruments,
            exogenous=others_of(model),
            fixed_effects=model.fixed_effects,
            cluster=model.cluster,
            weights=model.weights,
            small_sample=model.small_sample,
        )
        return finding(found, model.focus[0], clusters=found.clusters, dropped=found.dropped)
