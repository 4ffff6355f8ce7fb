"""One mediation as the tables see it: its equations, from its regressions or from the frame of its effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from shuzhi import DataError

Layout = Literal["channel", "stepwise", "effects"]
BOOTSTRAPS = ("percentile", "expanded_percentile", "basic", "bca")


def number_of(row: Mapping[Any, Any], name: str) -> float:
    """Return a number of a row of effects; NaN where it is missing."""
    value = row.get(name)
    return float("nan") if value is None or value is pd.NA else float(value)


def share_mediated(result: Any) -> float:
    """Return the share mediated as the result gives it; NaN where it has none because it means nothing.

    Parameters
    ----------
    result : mediation
        With an attribute ``share_mediated``, a number or None.
    """
    value = getattr(result, "share_mediated", None)
    value = value() if callable(value) else value
    return float(value) if isinstance(value, int | float) else float("nan")


@dataclass(frozen=True)
class FrameModel:
    """One equation of a mediation as the frame of its effects has it, with the errors of the effects."""

    outcome: str
    coefficients: pd.Series
    standard_errors: pd.Series
    statistics: pd.Series
    p_values: pd.Series
    observations: int
    fixed_effects: tuple[str, ...]
    cluster: tuple[str, ...]
    clusters: Mapping[str, int]
    standard_error_kind: str
    dropped: Mapping[str, int]
    controls: tuple[str, ...]


class MediationPart:
    """One mediation: its frame and the names in it."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.frame: pd.DataFrame = result.to_frame()
        known = set(self.frame["effect"]) if "effect" in self.frame.columns else set()
        if not {"total", "a"} <= known:
            name = type(result).__name__
            raise DataError(f"mediation table: {name} has no rows of effects 'total' and 'a'; it has {sorted(known)}")
        self.mediators = [str(row["mediator"]) for row in self.rows("a")]
        ends = str(self.rows("total")[0].get("term", "")).split(" -> ")
        self.treatment = str(getattr(result, "treatment", ends[0]))
        self.outcome = str(getattr(result, "outcome", ends[-1]))

    def rows(self, effect: str, mediator: str | None = None) -> list[dict[Any, Any]]:
        """Return the rows of an effect, of one mediator or path if given."""
        own = self.frame[self.frame["effect"] == effect]
        if mediator is not None:
            own = own[own["mediator"].astype(str) == mediator]
        return own.to_dict("records")

    def width(self, layout: Layout) -> int:
        """Return the number of equations of a layout."""
        return 1 + len(self.mediators) + (layout == "stepwise")

    def models(self, layout: Layout) -> list[Any]:
        """Return the equations: the regressions where the result has all of them, else what its frame says."""
        keys = self._keys(layout)
        if self.has_regressions(layout):
            known = self._regressions()
            return [known[key] for key in keys]
        return [self._frame_model(name, self._coefficients(place)) for place, (name, _) in enumerate(keys)]

    def has_regressions(self, layout: Layout) -> bool:
        """Whether the result has a regression for each equation of the layout."""
        return layout != "effects" and self._regressions().keys() >= set(self._keys(layout))

    def _keys(self, layout: Layout) -> list[tuple[str, bool]]:
        """Return outcome of each equation and whether the mediators are among its regressors."""
        keys = [(self.outcome, False), *((name, False) for name in self.mediators)]
        return [*keys, (self.outcome, True)] if layout == "stepwise" else keys

    def _regressions(self) -> dict[tuple[str, bool], Any]:
        known: dict[tuple[str, bool], Any] = {}
        for model in getattr(self.result, "regressions", ()):
            through = any(name in model.coefficients.index for name in self.mediators)
            known[model.outcome, through and model.outcome == self.outcome] = model
        return known

    def _coefficients(self, column: int) -> dict[str, dict[Any, Any]]:
        """Return the coefficients of an equation by regressor: total, then the mediators, then the outcome."""
        if column == 0:
            return {self.treatment: self.rows("total")[0]}
        if column <= len(self.mediators):
            mediator = self.mediators[column - 1]
            earlier = {str(row["term"]).split(" -> ")[0]: row for row in self.rows("d", mediator)}
            return {self.treatment: self.rows("a", mediator)[0], **earlier}
        own = dict(zip([self.treatment], self.rows("direct"), strict=False))
        return own | {name: row for name in self.mediators for row in self.rows("b", name)[:1]}

    def _frame_model(self, outcome: str, rows: Mapping[str, Mapping[Any, Any]]) -> FrameModel:
        columns = ("estimate", "standard_error", "statistic", "p_value")
        series = (pd.Series({name: number_of(row, column) for name, row in rows.items()}) for column in columns)
        coefficients, errors, statistics, p_values = series
        method = str(getattr(self.result, "method", ""))
        kind = str(getattr(self.result, "standard_error_kind", ""))
        return FrameModel(
            outcome,
            coefficients,
            errors,
            statistics,
            p_values,
            int(getattr(self.result, "observations", 0)),
            tuple(getattr(self.result, "fixed_effects", ())),
            tuple(getattr(self.result, "cluster", ())),
            getattr(self.result, "clusters", {}),
            {"monte_carlo": "simulated"}.get(method, "resampled" if method in BOOTSTRAPS else kind),
            getattr(self.result, "dropped", {}),
            tuple(getattr(self.result, "controls", ())),
        )
