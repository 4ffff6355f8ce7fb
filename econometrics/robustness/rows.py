"""Checks that change rows: dropped years, places, industries, values; balanced panels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from econometrics.estimation.sample import estimation_sample, numeric_values
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check, ModelCheck, Names, Setting, as_texts
from shuzhi import DataError

MUNICIPALITY_CODES = ("11", "12", "31", "50")
MUNICIPALITY_NAMES = ("北京", "天津", "上海", "重庆", "beijing", "tianjin", "shanghai", "chongqing")
# Computers and telecommunication equipment; telecommunication, internet and software services (CSRC 2012).
INFORMATION_INDUSTRIES = ("C39", "I63", "I64", "I65")


@dataclass(frozen=True)
class DropValues(ModelCheck):
    """Drop rows with certain values of a column.

    Parameters
    ----------
    column : str
        Any column.
    values : tuple
        Values to drop.
    each : bool
        One row a value, each dropped alone.
    keep : bool
        Keep these values and drop all others instead.
    """

    column: str
    values: tuple[str | int | float | bool, ...]
    each: bool = False
    keep: bool = False
    kind: ClassVar[str] = "drop_values"
    main: ClassVar[str] = ""

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check, or one a value."""
        if not self.each:
            return (self,)
        return tuple(replace(self, values=(value,), each=False) for value in self.values)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        shown = [str(value) for value in self.values]
        if self.keep:
            return (
                f"仅保留{names.zh(self.column)}：{'、'.join(shown)}",
                f"Only {names.en(self.column)}: {', '.join(shown)}",
            )
        return (
            f"剔除{names.zh(self.column)}：{'、'.join(shown)}",
            f"Without {names.en(self.column)}: {', '.join(shown)}",
        )

    def apply(self, setting: Setting) -> Setting:
        """Drop the rows."""
        column = setting.data[self.column]
        wanted = list(self.values)
        if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
            numbers = [number for number in map(_number, wanted) if number is not None]
            found = np.isin(numeric_values(column), numbers)
        else:
            found = as_texts(column).isin([str(value) for value in wanted]).fillna(False).to_numpy(dtype=np.bool_)
        reason = f"{self.column} {'not ' if self.keep else ''}{', '.join(str(value) for value in wanted)}"
        return setting.keep(found if self.keep else ~found, reason)


@dataclass(frozen=True)
class DropYears(ModelCheck):
    """Drop years.

    Parameters
    ----------
    years : tuple of int
        Years to drop together.
    each : bool
        One row a year, each dropped alone.
    """

    years: tuple[int, ...]
    each: bool = False
    kind: ClassVar[str] = "drop_years"
    main: ClassVar[str] = "years"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check, or one a year."""
        if not self.each:
            return (self,)
        return tuple(replace(self, years=(year,), each=False) for year in self.years)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The year."""
        return (model.year,)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        shown = [str(year) for year in self.years]
        return f"剔除年份：{'、'.join(shown)}", f"Without {', '.join(shown)}"

    def apply(self, setting: Setting) -> Setting:
        """Drop the rows."""
        years = numeric_values(setting.data[setting.model.year])
        return setting.keep(~np.isin(years, self.years), f"year {', '.join(str(year) for year in self.years)}")


@dataclass(frozen=True)
class DropMunicipalities(ModelCheck):
    """Drop Beijing, Tianjin, Shanghai and Chongqing.

    Parameters
    ----------
    column : str
        Division codes (their first two digits count) or names of provinces or cities.
    """

    column: str = "city_code"
    kind: ClassVar[str] = "drop_municipalities"
    main: ClassVar[str] = "column"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return "剔除直辖市", "Without the four municipalities"

    def apply(self, setting: Setting) -> Setting:
        """Drop the rows."""
        texts = as_texts(setting.data[self.column]).str.strip().str.lower()
        is_code = texts.str.fullmatch(r"\d{2}(\d{2}){0,5}").fillna(False).to_numpy(dtype=np.bool_)
        codes = texts.str[:2].isin(MUNICIPALITY_CODES).fillna(False).to_numpy(dtype=np.bool_)
        named = texts.str.startswith(MUNICIPALITY_NAMES).fillna(False).to_numpy(dtype=np.bool_)
        return setting.keep(~np.where(is_code, codes, named), "municipality")


@dataclass(frozen=True)
class DropIndustries(ModelCheck):
    """Drop industries.

    Parameters
    ----------
    industries : tuple of str
        Beginnings of codes; by default the information industries of the CSRC classification of 2012.
    column : str
        Column of industry codes.
    """

    industries: tuple[str, ...] = INFORMATION_INDUSTRIES
    column: str = "industry"
    kind: ClassVar[str] = "drop_industries"
    main: ClassVar[str] = "industries"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"剔除行业：{'、'.join(self.industries)}", f"Without industries {', '.join(self.industries)}"

    def apply(self, setting: Setting) -> Setting:
        """Drop the rows."""
        texts = as_texts(setting.data[self.column])
        found = texts.str.startswith(self.industries).fillna(False).to_numpy(dtype=np.bool_)
        return setting.keep(~found, f"industry {', '.join(self.industries)}")


@dataclass(frozen=True)
class BalancedPanel(ModelCheck):
    """Keep firms that are seen, with all variables, in every year.

    Parameters
    ----------
    first, last : int, optional
        Years between which; by default all years of the sample.
    """

    first: int | None = None
    last: int | None = None
    kind: ClassVar[str] = "balanced_panel"
    main: ClassVar[str] = ""

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Firm and year."""
        return (model.firm, model.year)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        if self.first is None and self.last is None:
            return "平衡面板", "Balanced panel"
        ends = f"{self.first or ''}–{self.last or ''}"
        return f"平衡面板（{ends}）", f"Balanced panel ({ends})"

    def apply(self, setting: Setting) -> Setting:
        """Keep the firms."""
        model = setting.model
        data = setting.data.reset_index(drop=True)
        usable = _usable(data, model)
        years = numeric_values(data[model.year])
        inside = np.ones(len(data), dtype=np.bool_)
        if self.first is not None:
            inside &= years >= self.first
        if self.last is not None:
            inside &= years <= self.last
        counted = usable & inside
        if not counted.any():
            raise DataError(f"no usable row lies between {self.first} and {self.last}")
        total = len(np.unique(years[counted]))
        seen = data[counted].groupby(model.firm)[model.year].nunique()
        whole = data[model.firm].isin(seen.index[seen == total]).to_numpy(dtype=np.bool_)
        if not (whole & counted).any():
            raise DataError(f"no firm is seen in all {total} years; give a shorter span with first and last")
        return setting.keep(whole & inside, f"firm not seen in all {total} years")


@dataclass(frozen=True)
class MinimumYears(ModelCheck):
    """Keep firms that are seen, with all variables, in so many years.

    Parameters
    ----------
    years : int
        At least so many.
    """

    years: int = 3
    kind: ClassVar[str] = "minimum_years"
    main: ClassVar[str] = "years"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Firm and year."""
        return (model.firm, model.year)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"至少 {self.years} 年观测", f"Firms with {self.years} years or more"

    def apply(self, setting: Setting) -> Setting:
        """Keep the firms."""
        data = setting.data.reset_index(drop=True)
        seen = data[_usable(data, setting.model)].groupby(setting.model.firm)[setting.model.year].nunique()
        long = data[setting.model.firm].isin(seen.index[seen >= self.years]).to_numpy(dtype=np.bool_)
        return setting.keep(long, f"firm seen in fewer than {self.years} years")


@dataclass(frozen=True)
class DropZeros(ModelCheck):
    """Drop rows in which a regressor is zero: reports that say nothing.

    Parameters
    ----------
    of : str
        The column; by default the first of the focus.
    """

    of: str = ""
    kind: ClassVar[str] = "drop_zeros"
    main: ClassVar[str] = "of"

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column."""
        return (self.of,) if self.of else ()

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        name = self.of or model.focus[0]
        return f"剔除{names.zh(name)}为 0 的样本", f"Without zeros of {names.en(name)}"

    def apply(self, setting: Setting) -> Setting:
        """Drop the rows."""
        name = self.of or setting.model.focus[0]
        return setting.keep(numeric_values(setting.data[name]) != 0, f"{name} is zero")


def _usable(data: pd.DataFrame, model: Baseline) -> np.ndarray:
    numeric = [model.outcome, *model.terms, *([model.weights] if model.weights else [])]
    groups = [model.firm, model.year, *model.fixed_effects, *model.cluster]
    kept = estimation_sample(data, numeric=numeric, categorical=groups, drop_singletons=False).data.index
    usable = np.zeros(len(data), dtype=np.bool_)
    usable[kept.to_numpy()] = True
    return usable


def _number(value: str | int | float | bool) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
