"""Checks of the tails of columns: winsorising and trimming, over all rows or within groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from econometrics.estimation.effects import Floats
from econometrics.estimation.sample import numeric_values
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check, ModelCheck, Names, Setting
from shuzhi import SpecError


@dataclass(frozen=True)
class Winsorise(ModelCheck):
    """Set the tails of columns to two percentiles.

    Parameters
    ----------
    share : tuple of float
        Share cut on either side, one row each.
    of : tuple of str
        Columns; by default the outcome and all terms with more than two values.
    by : tuple of str
        Columns within whose values percentiles are taken, such as the year; else over all rows.
    """

    share: tuple[float, ...] = (0.01,)
    of: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    kind: ClassVar[str] = "winsorise"
    main: ClassVar[str] = "share"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a share."""
        return tuple(replace(self, share=(share,)) for share in self.share)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return (*self.of, *self.by)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        zh, en = _tail_words(self.share[0], self.of, self.by, names)
        return f"缩尾 {zh}", f"Winsorised {en}"

    def apply(self, setting: Setting) -> Setting:
        """Pull the tails in."""
        new = {}
        for name in self.of or continuous(setting):
            values, low, high = _limits(setting, name, self.share[0], self.by)
            new[name] = np.clip(values, low, high)
        return setting.columns(new)


@dataclass(frozen=True)
class Trim(ModelCheck):
    """Drop rows in the tails of columns.

    Parameters
    ----------
    share, of, by
        As for ``Winsorise``.
    """

    share: tuple[float, ...] = (0.005,)
    of: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    kind: ClassVar[str] = "trim"
    main: ClassVar[str] = "share"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a share."""
        return tuple(replace(self, share=(share,)) for share in self.share)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return (*self.of, *self.by)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        zh, en = _tail_words(self.share[0], self.of, self.by, names)
        return f"剔除极端值 {zh}", f"Trimmed {en}"

    def apply(self, setting: Setting) -> Setting:
        """Drop the tails."""
        outside = np.zeros(len(setting.data), dtype=np.bool_)
        for name in self.of or continuous(setting):
            values, low, high = _limits(setting, name, self.share[0], self.by)
            with np.errstate(invalid="ignore"):
                outside |= (values < low) | (values > high)
        return setting.keep(~outside, f"beyond the {self.share[0]:.3g} tails")


def continuous(setting: Setting) -> tuple[str, ...]:
    """Outcome and terms with more than two values.

    Parameters
    ----------
    setting : Setting
        Rows and model.
    """
    names = (setting.model.outcome, *setting.model.terms)
    return tuple(name for name in names if setting.data[name].nunique() > 2)


def _tail_words(share: float, of: tuple[str, ...], by: tuple[str, ...], names: Names) -> tuple[str, str]:
    cut = f"{100 * share:g}%"
    what = ("", "") if not of else (f"（{names.zh(*of)}）", f" of {names.en(*of)}")
    group = ("", "") if not by else (f"（按{names.zh(*by)}）", f" by {names.en(*by)}")
    return f"{cut}{what[0]}{group[0]}", f"at {cut}{what[1]}{group[1]}"


def _limits(setting: Setting, name: str, share: float, by: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    """Values and the two limits of each row; rows without a group have none."""
    if not 0 < share < 0.5:
        raise SpecError(f"a share of {share} cannot be cut off either side; it lies between 0 and 0.5")
    values = numeric_values(setting.data[name])
    finite = pd.Series(np.where(np.isfinite(values), values, np.nan))
    groups = [setting.data[column].to_numpy() for column in by] or [np.zeros(len(values), dtype=np.int64)]
    grouped = finite.groupby(groups)
    low = np.asarray(grouped.transform("quantile", share), dtype=np.float64)
    high = np.asarray(grouped.transform("quantile", 1 - share), dtype=np.float64)
    return values, np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
