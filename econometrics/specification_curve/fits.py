"""Many specifications estimated fast: rows, effects and swept columns that they share are made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pandas as pd

from econometrics.estimation.absorb import Absorber
from econometrics.estimation.build import ErrorOptions, build_regression, choose_kind
from econometrics.estimation.design import CONSTANT, Design
from econometrics.estimation.effects import Booleans, Effects, Floats, encode_effects, singleton_rows
from econometrics.estimation.fit import fit_least_squares
from econometrics.estimation.result import Regression
from econometrics.estimation.sample import EstimationSample, columns_of, numeric_values
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Setting
from shuzhi import DataError, EstimationError


@dataclass
class _Swept:
    """Effects on some rows, and the columns that were swept there."""

    effects: Effects
    absorber: Absorber
    columns: dict[bytes, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """Rows of one specification.

    Parameters
    ----------
    positions : (n,) int array
        Rows of the data given.
    key : bytes
        The same for the same rows.
    dropped : dict of str to int
        Rows left out, by reason.
    """

    positions: np.ndarray
    key: bytes
    dropped: dict[str, int]


class Workshop:
    """What specifications share.

    Parameters
    ----------
    most_bytes : int
        Memory for swept columns; beyond it they are made anew.
    """

    def __init__(self, most_bytes: int = 512 * 2**20) -> None:
        self._swept: dict[tuple[bytes, tuple[str, ...], bytes], _Swept] = {}
        self._codes: dict[tuple[bytes, tuple[str, ...]], Effects] = {}
        self._rows: dict[tuple[bytes, tuple[str, ...]], Rows] = {}
        self._left = most_bytes

    def rows(self, setting: Setting, allowed: Booleans | None = None) -> Rows:
        """Rows in which everything is known, singletons out.

        Parameters
        ----------
        setting : Setting
            Rows, numbered as in the data given, and model.
        allowed : (rows given,) bool array, optional
            Rows that may be used.
        """
        data, model = setting.data, setting.model
        numeric = [model.outcome, *model.terms, *([model.weights] if model.weights else [])]
        groups = columns_of([*model.cluster, *model.fixed_effects])
        keep = np.ones(len(data), dtype=np.bool_) if allowed is None else allowed[data.index.to_numpy()]
        dropped: dict[str, int] = {}
        for name in numeric:
            usable = np.isfinite(numeric_values(data[name]))
            dropped |= _count(keep & ~usable, f"missing {name}")
            keep = keep & usable
        for name in groups:
            usable = ~data[name].isna().to_numpy(dtype=np.bool_)
            dropped |= _count(keep & ~usable, f"missing {name}")
            keep = keep & usable
        positions = data.index.to_numpy()[keep]
        if not len(positions):
            raise DataError("no row is left")
        found = (digest(positions), model.fixed_effects)
        if found not in self._rows:
            if model.fixed_effects:
                own = data[columns_of(model.fixed_effects)].loc[positions]
                single = singleton_rows(encode_effects(own, model.fixed_effects))
                positions, lost = positions[~single], _count(single, "singleton")
                if not len(positions):
                    raise DataError("no row is left: every row is alone in a level of an effect")
            else:
                lost = {}
            self._rows[found] = Rows(positions, digest(positions), lost)
        rows = self._rows[found]
        return Rows(rows.positions, rows.key, dropped | rows.dropped)

    def codes(self, data: pd.DataFrame, rows: Rows, names: tuple[str, ...]) -> Effects:
        """Codes of effects or clusters on some rows.

        Parameters
        ----------
        data : DataFrame
            All rows of the specification.
        rows : Rows
            The rows.
        names : tuple of str
            Effects or clusters.
        """
        if (rows.key, names) not in self._codes:
            self._codes[rows.key, names] = encode_effects(data[columns_of(names)].loc[rows.positions], names)
        return self._codes[rows.key, names]

    def swept(self, data: pd.DataFrame, rows: Rows, model: Baseline, weights: Floats | None) -> _Swept:
        """Effects of the model on some rows, with the columns swept so far.

        Parameters
        ----------
        data : DataFrame
            All rows of the specification.
        rows : Rows
            The rows.
        model : Baseline
            Whose effects.
        weights : (n,) float array or None
            Analytic weights.
        """
        key = (rows.key, model.fixed_effects, b"" if weights is None else digest(weights))
        if key not in self._swept:
            effects = self.codes(data, rows, model.fixed_effects)
            self._swept[key] = _Swept(effects, Absorber(effects, weights))
        return self._swept[key]

    def sweep(self, place: _Swept, columns: Sequence[Floats]) -> Floats:
        """Columns with the effects swept out, (n, k), each made once.

        Parameters
        ----------
        place : _Swept
            Effects and rows.
        columns : sequence of (n,) float array
            Columns as given.
        """
        keys = [digest(column) for column in columns]
        new = [number for number, key in enumerate(keys) if key not in place.columns]
        made: dict[bytes, Floats] = {}
        if new:
            swept = place.absorber.demean(np.column_stack([columns[number] for number in new]))
            made = {keys[number]: np.ascontiguousarray(swept[:, at]) for at, number in enumerate(new)}
            if self._left > 0:
                place.columns.update(made)
                self._left -= sum(column.nbytes for column in made.values())
        return np.column_stack([place.columns[key] if key in place.columns else made[key] for key in keys])

    def design(self, setting: Setting, allowed: Booleans | None = None) -> Design:
        """Rows, effects and swept columns of a specification.

        Parameters
        ----------
        setting : Setting
            Rows and model.
        allowed : (rows given,) bool array, optional
            Rows that may be used.
        """
        model = setting.model
        rows = self.rows(setting, allowed)
        names = list(dict.fromkeys([model.outcome, *model.terms, *([model.weights] if model.weights else [])]))
        data = setting.data[names].loc[rows.positions]
        columns = [numeric_values(data[name]) for name in names]
        weights = None
        if model.weights:
            own = columns[names.index(model.weights)]
            if (own <= 0).any():
                raise DataError(f"weights {model.weights!r} are zero or negative in {int((own <= 0).sum())} rows")
            weights = own / own.mean()
        clusters = self.codes(setting.data, rows, model.cluster)
        if any(levels < 2 for levels in clusters.levels):
            raise EstimationError(f"one cluster only in {', '.join(clusters.names)}")
        sample = EstimationSample(data, rows.dropped, len(setting.data))
        raw = np.column_stack(columns)
        if not model.fixed_effects:
            raw = np.column_stack([raw, np.ones(len(raw))])
            return Design(sample, Effects((), (), ()), clusters, weights, (*names, CONSTANT), raw, raw)
        place = self.swept(setting.data, rows, model, weights)
        return Design(sample, place.effects, clusters, weights, tuple(names), raw, self.sweep(place, columns))

    def fit(self, setting: Setting) -> Regression:
        """Estimate a specification as ``regress`` does.

        Parameters
        ----------
        setting : Setting
            Rows and model.
        """
        model = setting.model
        design = self.design(setting)
        options = ErrorOptions(choose_kind(model.standard_errors, model.cluster), model.small_sample)
        return build_regression(
            design, fit_least_squares(design, model.outcome, model.terms), options, weights=model.weights
        )


def digest(values: np.ndarray) -> bytes:
    """Return a short name of an array's values.

    Parameters
    ----------
    values : array
        Any numbers.
    """
    return blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()


def _count(rows: Booleans, reason: str) -> dict[str, int]:
    count = int(rows.sum())
    return {reason: count} if count else {}
