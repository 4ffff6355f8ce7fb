"""The result of two-stage least squares: a regression with its first stages and diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from econometrics.estimation.result import Regression
from econometrics.instrument.anderson_rubin import AndersonRubin, ConfidenceSet
from econometrics.instrument.weak import TestResult, WeakInstrumentTests
from shuzhi import SpecError

WEAK_F = 10.0


@dataclass(frozen=True)
class FirstStage:
    """The first stage of one endogenous variable.

    Parameters
    ----------
    endogenous : str
        Variable explained.
    regression : Regression
        On instruments and controls, same effects and errors.
    classical_f : TestResult
        F of the excluded instruments for errors with one variance.
    f : TestResult
        F of the excluded instruments by the errors of the model.
    partial_r2 : float
        Share of the variable's variance, controls and effects partialled out, that the instruments explain.
    conditional_f : float
        Sanderson and Windmeijer, by the errors of the model.
    conditional_f_uncounted : float
        The same with controls and effects not counted, as R's ``lfe::condfstat`` prints.
    """

    endogenous: str
    regression: Regression
    classical_f: TestResult
    f: TestResult
    partial_r2: float
    conditional_f: float
    conditional_f_uncounted: float


@dataclass(frozen=True)
class InstrumentedRegression(Regression):
    """Two-stage least squares; everything a ``Regression`` has, and the following.

    Parameters
    ----------
    endogenous, instruments, exogenous : tuple of str
        Terms by role, after collinear ones are dropped.
    first_stages : tuple of FirstStage
        One an endogenous variable.
    reduced_form : Regression
        Outcome on instruments and controls.
    weak_instruments : WeakInstrumentTests
        Strength of the instruments.
    anderson_rubin : AndersonRubin
        Test and confidence set that hold with weak instruments.
    overidentification : TestResult or None
        Sargan or Hansen J; None where the model is just identified.
    endogeneity : TestResult
        Durbin, Wu, Hausman.
    """

    endogenous: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    exogenous: tuple[str, ...] = ()
    first_stages: tuple[FirstStage, ...] = field(default=(), repr=False)
    reduced_form: Regression | None = field(default=None, repr=False)
    weak_instruments: WeakInstrumentTests | None = None
    anderson_rubin: AndersonRubin | None = None
    overidentification: TestResult | None = None
    endogeneity: TestResult | None = None

    def first_stage(self, endogenous: str) -> FirstStage:
        """Return the first stage of an endogenous variable.

        Parameters
        ----------
        endogenous : str
            Its name.

        Raises
        ------
        SpecError
            There is no such endogenous variable.
        """
        for stage in self.first_stages:
            if stage.endogenous == endogenous:
                return stage
        raise SpecError(f"no endogenous variable {endogenous!r}; the model has {', '.join(self.endogenous)}")

    def anderson_rubin_set(self, level: float = 0.95) -> ConfidenceSet:
        """Return the Anderson-Rubin confidence set of the one endogenous variable's coefficient.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.

        Raises
        ------
        SpecError
            There are several endogenous variables.
        """
        if self.anderson_rubin is None:
            raise SpecError("this result carries no Anderson-Rubin test")
        return self.anderson_rubin.confidence_set(level)

    def diagnostics(self) -> pd.DataFrame:
        """Return one row a diagnostic: name, about, statistic, degrees of freedom and p value (NaN where none)."""
        return pd.DataFrame(self._diagnostic_rows())

    def _diagnostic_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for stage in self.first_stages:
            for test in (stage.classical_f, stage.f):
                rows.append(_test_row(test, stage.endogenous))
            rows.append(_plain_row("Sanderson-Windmeijer conditional F", stage.endogenous, stage.conditional_f))
            rows.append(_plain_row("Partial R2", stage.endogenous, stage.partial_r2))
        weak = self.weak_instruments
        if weak is not None:
            rows.append(_test_row(weak.kleibergen_paap_lm, "all"))
            rows.append(_plain_row("Kleibergen-Paap rk Wald F", "all", weak.kleibergen_paap_f))
            rows.append(_plain_row("Cragg-Donald F", "all", weak.cragg_donald_f))
            if not np.isnan(weak.effective_f):
                rows.append(_plain_row("Effective F", "all", weak.effective_f))
        tests = [self.anderson_rubin.test if self.anderson_rubin else None, self.overidentification, self.endogeneity]
        rows += [_test_row(test, "all") for test in tests if test is not None]
        return rows

    def summary(self, level: float = 0.95) -> str:
        """Say in plain text what was estimated, what came out, and how far the instruments carry.

        Parameters
        ----------
        level : float
            Coverage of the intervals.
        """
        lines = [super().summary(level), "", f"Instrumented: {', '.join(self.endogenous)}"]
        lines.append(f"Excluded instruments: {', '.join(self.instruments)}")
        for row in self._diagnostic_rows():
            p_value = "" if np.isnan(row["p_value"]) else f", p = {row['p_value']:.4f}"
            about = "" if row["about"] == "all" else f" [{row['about']}]"
            lines.append(f"{row['diagnostic']}{about}: {row['statistic']:.4g}{p_value}")
        weak = self.weak_instruments
        if weak is not None and weak.effective_f_critical_values:
            values = ", ".join(f"{value:.2f} ({tau:.0%})" for tau, value in weak.effective_f_critical_values.items())
            lines.append(f"Effective F, 5 % critical values by worst-case bias: {values}")
        if self.anderson_rubin is not None and len(self.endogenous) == 1:
            found = self.anderson_rubin_set(level).summary()
            lines.append(f"Anderson-Rubin {level:.0%} set of {self.endogenous[0]}: {found}")
        return "\n".join(lines)


def _test_row(test: TestResult, about: str) -> dict[str, Any]:
    return {
        "diagnostic": test.name,
        "about": about,
        "statistic": test.statistic,
        "numerator_degrees_of_freedom": float(test.numerator_degrees_of_freedom),
        "denominator_degrees_of_freedom": float(test.denominator_degrees_of_freedom),
        "p_value": test.p_value,
    }


def _plain_row(name: str, about: str, value: float) -> dict[str, Any]:
    missing = float("nan")
    return {
        "diagnostic": name,
        "about": about,
        "statistic": value,
        "numerator_degrees_of_freedom": missing,
        "denominator_degrees_of_freedom": missing,
        "p_value": missing,
    }


def instrumented(second: Regression, **diagnostics: Any) -> InstrumentedRegression:
    """Join the second stage with first stages and tests, and warn of weak instruments.

    Parameters
    ----------
    second : Regression
        Second stage.
    **diagnostics
        The fields that ``InstrumentedRegression`` adds.
    """
    values = {part.name: getattr(second, part.name) for part in fields(Regression)}
    result = InstrumentedRegression(**values, **diagnostics)
    return InstrumentedRegression(
        **{**values, "warnings": (*second.warnings, *_warnings(result))},
        **diagnostics,
    )


def _warnings(result: InstrumentedRegression) -> list[str]:
    found: list[str] = []
    weak = result.weak_instruments
    if weak is None:
        return found
    if len(result.endogenous) == 1:
        critical = weak.effective_f_critical_values[0.10]
        if weak.effective_f < critical:
            found.append(
                f"weak instruments: the effective F of {weak.effective_f:.2f} is below {critical:.2f}, its critical "
                "value for a worst-case bias of 10 %; read the Anderson-Rubin set instead of the t interval"
            )
    else:
        low = [stage.endogenous for stage in result.first_stages if stage.conditional_f < WEAK_F]
        if low:
            found.append(
                f"weak instruments: the conditional F of {', '.join(low)} is below {WEAK_F:.0f}; "
                "estimates may be biased towards least squares and t intervals too short"
            )
    if weak.kleibergen_paap_lm.p_value > 0.05:
        found.append(
            f"underidentification is not rejected ({weak.kleibergen_paap_lm.name}, "
            f"p = {weak.kleibergen_paap_lm.p_value:.3f})"
        )
    return found
