"""Checks that change columns: other outcomes, indices, lags, leads, forms, differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from econometrics.declarations.lags import shift_by_year
from econometrics.estimation.effects import Floats
from econometrics.estimation.sample import numeric_values
from econometrics.robustness.baseline import Baseline
from econometrics.robustness.setting import Check, ModelCheck, Names, Reading, Setting
from shuzhi import DataError, SpecError

Form = Literal["dummy", "above_median", "log", "log1p", "exp", "expm1", "square_root", "standardised", "rank"]
FORMS: dict[str, tuple[str, str]] = {
    "dummy": ("虚拟变量（是否大于 0）", "a dummy (above zero)"),
    "above_median": ("虚拟变量（是否高于当年中位数）", "a dummy (above the year's median)"),
    "log": ("对数", "the logarithm"),
    "log1p": ("ln(1+x)", "ln(1 + x)"),
    "exp": ("水平值（对数还原）", "the level (out of the log)"),
    "expm1": ("水平值（ln(1+x) 还原）", "the level (out of ln(1 + x))"),
    "square_root": ("平方根", "the square root"),
    "standardised": ("标准化值", "standard deviations"),
    "rank": ("当年分位排序", "the rank within the year"),
}


@dataclass(frozen=True)
class OtherOutcome(ModelCheck):
    """Explain other columns.

    Parameters
    ----------
    to : tuple of str
        Columns, one row each.
    """

    to: tuple[str, ...]
    kind: ClassVar[str] = "outcome"
    main: ClassVar[str] = "to"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a column."""
        return tuple(replace(self, to=(name,)) for name in self.to)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return self.to

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        return f"替换被解释变量：{names.zh(*self.to)}", f"Other outcome: {names.en(*self.to)}"

    def apply(self, setting: Setting) -> Setting:
        """Replace the outcome."""
        return replace(setting.change(outcome=self.to[0]), changes_columns=True)


@dataclass(frozen=True)
class OtherRegressor(ModelCheck):
    """Put other columns in place of a regressor: other indices, other measures of clusters.

    Parameters
    ----------
    to : tuple of str
        Columns, one row each.
    of : str
        The regressor that is replaced; by default the first of the focus.
    """

    to: tuple[str, ...]
    of: str = ""
    kind: ClassVar[str] = "regressor"
    main: ClassVar[str] = "to"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a column."""
        return tuple(replace(self, to=(name,)) for name in self.to)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The columns."""
        return self.to

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        old = self.of or model.focus[0]
        return (
            f"替换{names.zh(old)}：{names.zh(*self.to)}",
            f"{names.en(*self.to)} in place of {names.en(old)}",
        )

    def apply(self, setting: Setting) -> Setting:
        """Replace the regressor."""
        old, new = self.of or setting.model.focus[0], self.to[0]
        if old not in setting.model.terms:
            raise SpecError(f"{old} is no regressor of the baseline and cannot be replaced")
        return replace(renamed(setting, {old: new}), changes_columns=True)


@dataclass(frozen=True)
class Lag(ModelCheck):
    """Take regressors from earlier years, by firm and year: a gap gives a missing value.

    Parameters
    ----------
    years : tuple of int
        How many years earlier, one row each.
    of : tuple of str
        Regressors; by default the focus.
    controls : bool
        Also the controls.
    """

    years: tuple[int, ...] = (1,)
    of: tuple[str, ...] = ()
    controls: bool = False
    kind: ClassVar[str] = "lag"
    main: ClassVar[str] = "years"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a number of years."""
        return tuple(replace(self, years=(years,)) for years in self.years)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Firm and year."""
        return (model.firm, model.year, *self.of)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        what = self.of or model.focus
        more = ("及控制变量", " and controls") if self.controls else ("", "")
        years = self.years[0]
        return (
            f"{names.zh(*what)}{more[0]}滞后 {years} 期",
            f"{names.en(*what)}{more[1]} lagged {years} year{'s' if years > 1 else ''}",
        )

    def apply(self, setting: Setting) -> Setting:
        """Shift the columns."""
        model = setting.model
        what = [*(self.of or model.focus), *(model.controls if self.controls else ())]
        return setting.columns(shifted(setting, what, self.years[0]))


@dataclass(frozen=True)
class Lead(ModelCheck):
    """Look at the regressor of later years, which should not matter: a placebo in time.

    Parameters
    ----------
    years : tuple of int
        How many years later, one row each.
    beside : bool
        Keep the regressor itself in the model beside its lead.
    """

    years: tuple[int, ...] = (1,)
    beside: bool = True
    kind: ClassVar[str] = "lead"
    main: ClassVar[str] = "years"
    reading: ClassVar[Reading] = "vanishes"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a number of years."""
        return tuple(replace(self, years=(years,)) for years in self.years)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Firm and year."""
        return (model.firm, model.year)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        how = ("（同时控制当期）", " beside its present value") if self.beside else ("", "")
        years = self.years[0]
        return (
            f"{names.zh(*model.focus)}提前 {years} 期{how[0]}，应不显著",
            f"{names.en(*model.focus)} {years} year{'s' if years > 1 else ''} later{how[1]}: should not matter",
        )

    def apply(self, setting: Setting) -> Setting:
        """Put in the leads."""
        model, years = setting.model, self.years[0]
        leads = shifted(setting, model.focus, -years)
        names = {name: f"{name}_lead{years}" for name in model.focus}
        wider = setting.columns({names[name]: values for name, values in leads.items()})
        if not self.beside:
            return renamed(wider, names)
        return wider.change(
            regressors=(*names.values(), *model.regressors), focus=tuple(names[name] for name in model.focus)
        )


@dataclass(frozen=True)
class Transform(ModelCheck):
    """Give a regressor another form.

    Parameters
    ----------
    form : tuple of str
        ``dummy`` (above 0), ``above_median`` (of its year), ``log``, ``log1p``, ``exp``, ``expm1``, ``square_root``,
        ``standardised`` or ``rank`` (share of its year at or below); one row each.
    of : str
        The column; by default the first of the focus.
    """

    form: tuple[Form, ...]
    of: str = ""
    kind: ClassVar[str] = "transform"
    main: ClassVar[str] = "form"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a form."""
        return tuple(replace(self, form=(form,)) for form in self.form)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """The column, and the year where it matters."""
        own = (self.of,) if self.of else ()
        return (*own, model.year) if {"above_median", "rank"} & set(self.form) else own

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        zh, en = FORMS[self.form[0]]
        name = self.of or model.focus[0]
        return f"{names.zh(name)}取{zh}", f"{names.en(name)} as {en}"

    def apply(self, setting: Setting) -> Setting:
        """Transform the column."""
        name = self.of or setting.model.focus[0]
        values = pd.Series(numeric_values(setting.data[name]), index=setting.data.index)
        found, lost = _formed(values, self.form[0], setting)
        if lost:
            setting = setting.note(f"{name}: {lost:,} values have no {self.form[0]} and are missing")
        return setting.columns({name: found})


@dataclass(frozen=True)
class FirstDifferences(ModelCheck):
    """Take differences by firm in place of firm effects.

    Parameters
    ----------
    years : tuple of int
        Over how many years, one row each.
    """

    years: tuple[int, ...] = (1,)
    kind: ClassVar[str] = "first_differences"
    main: ClassVar[str] = "years"

    def split(self, model: Baseline) -> tuple[Check, ...]:
        """One check a number of years."""
        return tuple(replace(self, years=(years,)) for years in self.years)

    def needs(self, model: Baseline) -> tuple[str, ...]:
        """Firm and year."""
        return (model.firm, model.year)

    def words(self, model: Baseline, names: Names) -> tuple[str, str]:
        """Say what is changed."""
        years = self.years[0]
        if years == 1:
            return "一阶差分", "First differences"
        return f"{years} 年差分", f"Differences over {years} years"

    def apply(self, setting: Setting) -> Setting:
        """Difference outcome and terms; firm effects go with it."""
        model = setting.model
        names = (model.outcome, *model.terms)
        before = shifted(setting, names, self.years[0])
        now = {name: numeric_values(setting.data[name]) for name in names}
        effects = tuple(name for name in model.fixed_effects if name != model.firm)
        changed = setting.columns({name: now[name] - before[name] for name in names})
        return changed.change(fixed_effects=effects)


def renamed(setting: Setting, new: dict[str, str]) -> Setting:
    """Put other columns in place of terms of the model, the focus among them.

    Parameters
    ----------
    setting : Setting
        Before.
    new : dict of str to str
        New term by old.
    """
    model = setting.model
    fields = {name: tuple(new.get(term, term) for term in getattr(model, name)) for name in ("regressors", "focus")}
    # A column that is a control already moves up among the regressors.
    controls = tuple(term for term in (new.get(name, name) for name in model.controls) if term not in new.values())
    kept = tuple(new.get(name, name) for name in model.controls if name in new)
    return setting.change(**fields, controls=(*controls, *kept))


def shifted(setting: Setting, names: Any, years: int) -> dict[str, Floats]:
    """Values of columns so many years before, by firm and year.

    Parameters
    ----------
    setting : Setting
        Rows, and the columns of firm and year.
    names : sequence of str
        Columns.
    years : int
        Negative for later.
    """
    if years == 0:
        raise SpecError("a lag of 0 years changes nothing")
    data, model = setting.data, setting.model
    found = {}
    for name in names:
        values = pd.Series(numeric_values(data[name]), index=data.index)
        found[name] = shift_by_year(values, data[model.firm], data[model.year], years)[0].to_numpy()
    return found


def _formed(values: pd.Series, form: Form, setting: Setting) -> tuple[Floats, int]:
    """Return the values in another form, and how many of the known ones have none."""
    if form in ("above_median", "rank"):
        groups = values.groupby(setting.data[setting.model.year])
        if form == "rank":
            found = groups.rank(pct=True)
        else:
            found = (values > groups.transform("median")).astype("float64").where(values.notna())
    elif form == "dummy":
        found = (values > 0).astype("float64").where(values.notna())
    elif form == "standardised":
        spread = float(values.std())
        if not spread > 0:
            raise DataError("a column that does not vary cannot be standardised")
        found = (values - values.mean()) / spread
    elif form in ("log", "log1p", "square_root"):
        smallest = {"log": 0.0, "log1p": -1.0, "square_root": 0.0}[form]
        usable = values >= 0 if form == "square_root" else values > smallest
        functions: dict[str, np.ufunc] = {"log": np.log, "log1p": np.log1p, "square_root": np.sqrt}
        found = pd.Series(functions[form](values.where(usable).to_numpy()), index=values.index)
    else:
        found = np.exp(values) if form == "exp" else np.expm1(values)
    lost = int((found.isna() & values.notna()).sum())
    return found.to_numpy(dtype=np.float64), lost
