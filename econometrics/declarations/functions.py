"""The functions that formulas may call: logarithms, conditions, lags by firm-year, means of groups, text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from econometrics.declarations.codes import division_of
from econometrics.declarations.lags import shift_by_year
from shuzhi import SpecError

Value = pd.Series | float | str | bool
ANY_NUMBER = 99


@dataclass(frozen=True)
class Call:
    """What a function may know of the formula that calls it: its text, the data, keys, groups, and whom to tell."""

    text: str
    data: pd.DataFrame
    firm: str
    year: str
    groups: Sequence[str]
    note: Callable[[str, Any], None]


@dataclass(frozen=True)
class Function:
    """A function of the formula language.

    Parameters
    ----------
    usage : str
        How it is written, and what it gives.
    compute : callable
        Takes a `Call` and the arguments.
    fewest, most : int
        How many arguments it takes.
    constants : tuple of int
        Positions of arguments that must be constants.
    groups_from : int or None
        From which position on the arguments are names of columns that make groups.
    """

    usage: str
    compute: Callable[..., Value]
    fewest: int
    most: int
    constants: tuple[int, ...] = ()
    groups_from: int | None = None


def as_number(value: Value, text: str) -> pd.Series | float:
    """Return numbers: true is 1 and false 0; text is refused."""
    if isinstance(value, pd.Series):
        if pd.api.types.is_bool_dtype(value.dtype):
            return pd.Series(value.to_numpy(dtype="float64", na_value=np.nan), index=value.index)
        if pd.api.types.is_numeric_dtype(value.dtype):
            return value
    elif not isinstance(value, str):
        return float(value)
    raise SpecError(f"{text!r} calculates with text; only numbers can be calculated with")


def as_truth(value: Value, text: str) -> pd.Series | bool:
    """Return a truth value; of numbers only 0, 1 and missing are."""
    if isinstance(value, pd.Series):
        if pd.api.types.is_bool_dtype(value.dtype):
            return value.astype("boolean")
        if pd.api.types.is_numeric_dtype(value.dtype) and value.dropna().isin([0, 1]).all():
            return value.astype("boolean")
    elif isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise SpecError(f"{text!r} uses as a condition what is neither true nor false; write a comparison such as x > 0")


def as_text(value: Value, text: str) -> pd.Series | str:
    """Return text; numbers are refused."""
    is_number = isinstance(value, pd.Series) and (
        pd.api.types.is_numeric_dtype(value.dtype) or pd.api.types.is_bool_dtype(value.dtype)
    )
    if is_number or not isinstance(value, pd.Series | str):
        raise SpecError(f"{text!r} treats numbers as text; read the column with kind: text")
    return value


def number_of_rows(rows: Any, length: int) -> int:
    """Return how many rows a mask holds; a single truth value stands for all of them."""
    mask = np.asarray(rows)
    return int(mask.sum()) if mask.ndim else int(mask) * length


def _series(call: Call, value: Value) -> pd.Series:
    number = as_number(value, call.text)
    if isinstance(number, pd.Series):
        return number
    return pd.Series(number, index=call.data.index, dtype="float64")


def _of_domain(
    compute: Callable[[Any], Any], is_inside: Callable[[Any], Any], reason: str
) -> Callable[[Call, Value], Value]:
    """Make a function of numbers that is missing, and says so, outside its domain."""

    def run(call: Call, value: Value) -> Value:
        x = _series(call, value)
        inside = is_inside(x)
        call.note(reason, x.notna() & ~inside)
        with np.errstate(all="ignore"):
            found = pd.Series(compute(x.where(inside)), index=x.index)
        is_finite = pd.Series(np.isfinite(found), index=x.index)
        call.note("no finite number", x.notna() & inside & ~is_finite)
        return found.where(is_finite)

    return run


def _pairwise(compute: Callable[[Any, Any], Any]) -> Callable[[Call, Value, Value], Value]:
    def run(call: Call, left: Value, right: Value) -> Value:
        return pd.Series(compute(_series(call, left), _series(call, right)), index=call.data.index)

    return run


def _where(call: Call, condition: Value, yes: Value, no: Value) -> Value:
    truth = as_truth(condition, call.text)
    if not isinstance(truth, pd.Series):
        return yes if truth else no
    if isinstance(yes, str) or isinstance(no, str):
        texts = [as_text(each, call.text) for each in (yes, no)]
        first, second = (
            each if isinstance(each, pd.Series) else pd.Series([each] * len(truth), index=truth.index, dtype="str")
            for each in texts
        )
        return first.where(truth.fillna(False).astype(bool), second).mask(truth.isna())
    return _series(call, yes).where(truth.fillna(False).astype(bool), _series(call, no)).mask(truth.isna())


def _is_missing(call: Call, value: Value) -> Value:
    if isinstance(value, pd.Series):
        return value.isna().astype("boolean")
    return bool(pd.isna(value))


def _if_missing(call: Call, value: Value, replacement: Value) -> Value:
    x = _series(call, value)
    other = _series(call, replacement)
    call.note("missing, replaced by the formula", x.isna() & other.notna())
    return x.fillna(other)


def _steps(call: Call, years: Any) -> int:
    if isinstance(years, str) or int(years) != years or not 0 < int(years) <= 100:
        raise SpecError(f"{call.text!r}: a lag is a whole number of years from 1 to 100, not {years!r}")
    return int(years)


def _shifted(call: Call, value: Value, years: int) -> pd.Series:
    x = _series(call, value)
    absent = [key for key in (call.firm, call.year) if key not in call.data.columns]
    if absent:
        raise SpecError(f"{call.text!r} looks up another year, which needs the column {' and '.join(absent)}")
    shifted, has_row = shift_by_year(x, call.data[call.firm], call.data[call.year], years)
    side = "before" if years > 0 else "after"
    call.note(f"no row {abs(years)} year{'s' if abs(years) > 1 else ''} {side}", ~has_row)
    return shifted


def _lag(call: Call, value: Value, years: Any = 1) -> Value:
    return _shifted(call, value, _steps(call, years))


def _lead(call: Call, value: Value, years: Any = 1) -> Value:
    return _shifted(call, value, -_steps(call, years))


def _change(call: Call, value: Value, years: Any = 1) -> Value:
    return _series(call, value) - _shifted(call, value, _steps(call, years))


def _rolling(statistic: str) -> Callable[[Call, Value, Any], Value]:
    """Make a statistic over the year and those before it; missing where one of them is."""

    def run(call: Call, value: Value, years: Any) -> Value:
        x = _series(call, value)
        columns = [x, *(_shifted(call, value, back) for back in range(1, _steps(call, years)))]
        window = pd.concat(columns, axis=1)
        found: pd.Series = getattr(window, statistic)(axis=1)
        return found.where(window.notna().all(axis=1))

    return run


GroupStatistic = Literal["mean", "sum", "median", "std", "min", "max", "count"]


def _grouped(statistic: GroupStatistic) -> Callable[[Call, Value], Value]:
    """Make a statistic over the rows of a group that have a value; missing where a key of the group is."""

    def run(call: Call, value: Value) -> Value:
        x = _series(call, value)
        keys = [call.data[name] for name in call.groups]
        found: pd.Series = x.groupby(keys, dropna=True).transform(statistic)
        has_keys = pd.concat(keys, axis=1).notna().all(axis=1)
        call.note("no group, for want of a key", x.notna() & ~has_keys)
        return found.astype("float64").where(has_keys)

    return run


def _mean_of_others(call: Call, value: Value) -> Value:
    x = _series(call, value)
    total = _series(call, _grouped("sum")(call, value))
    count = _series(call, _grouped("count")(call, value))
    others = count - x.notna()
    call.note("alone in its group", x.notna() & (others == 0))
    return ((total - x.fillna(0)) / others.where(others > 0)).where(count.notna())


def _text_test(method: str) -> Callable[[Call, Value, Any], Value]:
    def run(call: Call, value: Value, part: Any) -> Value:
        column = as_text(value, call.text)
        if not isinstance(column, pd.Series):
            column = pd.Series([column] * len(call.data), index=call.data.index, dtype="str")
        options = {"regex": False} if method == "contains" else {}
        found: pd.Series = getattr(column.str, method)(str(part), **options).astype("boolean")
        return found.mask(column.isna())

    return run


def _left(call: Call, value: Value, length: Any) -> Value:
    column = as_text(value, call.text)
    return column.str[: int(length)] if isinstance(column, pd.Series) else column[: int(length)]


def _division(call: Call, value: Value) -> Value:
    column = as_text(value, call.text)
    if not isinstance(column, pd.Series):
        raise SpecError(f"{call.text!r}: division takes a column of industry codes")
    found = division_of(column)
    call.note("no industry code of two digits", column.notna() & found.isna())
    return found


_GROUP = "group_{0}(x, group, …): {0} of x over the rows of the same groups"
FUNCTIONS: dict[str, Function] = {
    "log": Function(
        "log(x): natural logarithm", _of_domain(np.log, lambda x: x > 0, "logarithm of a number not above 0"), 1, 1
    ),
    "log1p": Function(
        "log1p(x): ln(1 + x)", _of_domain(np.log1p, lambda x: x > -1, "log1p of a number not above -1"), 1, 1
    ),
    "exp": Function("exp(x)", _of_domain(np.exp, lambda x: x.notna(), "no number"), 1, 1),
    "sqrt": Function("sqrt(x)", _of_domain(np.sqrt, lambda x: x >= 0, "square root of a negative number"), 1, 1),
    "asinh": Function(
        "asinh(x): inverse hyperbolic sine", _of_domain(np.arcsinh, lambda x: x.notna(), "no number"), 1, 1
    ),
    "abs": Function("abs(x)", _of_domain(np.abs, lambda x: x.notna(), "no number"), 1, 1),
    "round": Function("round(x): to the nearest whole number", _of_domain(np.rint, lambda x: x.notna(), ""), 1, 1),
    "minimum": Function("minimum(x, y): the smaller one of each row", _pairwise(np.minimum), 2, 2),
    "maximum": Function("maximum(x, y): the greater one of each row", _pairwise(np.maximum), 2, 2),
    "where": Function("where(condition, yes, no)", _where, 3, 3),
    "is_missing": Function("is_missing(x): whether x is missing", _is_missing, 1, 1),
    "if_missing": Function("if_missing(x, y): x, or y where x is missing", _if_missing, 2, 2),
    "lag": Function("lag(x, 1): x of the same firm so many years before", _lag, 1, 2, (1,)),
    "lead": Function("lead(x, 1): x of the same firm so many years after", _lead, 1, 2, (1,)),
    "change": Function("change(x, 1): x minus lag(x, 1)", _change, 1, 2, (1,)),
    "rolling_mean": Function("rolling_mean(x, 3): mean of this year and the 2 before", _rolling("mean"), 2, 2, (1,)),
    "rolling_sum": Function("rolling_sum(x, 3): sum of this year and the 2 before", _rolling("sum"), 2, 2, (1,)),
    "rolling_sd": Function("rolling_sd(x, 3): sd of this year and the 2 before", _rolling("std"), 2, 2, (1,)),
    "group_mean": Function(_GROUP.format("mean"), _grouped("mean"), 2, ANY_NUMBER, (), 1),
    "group_sum": Function(_GROUP.format("sum"), _grouped("sum"), 2, ANY_NUMBER, (), 1),
    "group_median": Function(_GROUP.format("median"), _grouped("median"), 2, ANY_NUMBER, (), 1),
    "group_sd": Function(_GROUP.format("sd"), _grouped("std"), 2, ANY_NUMBER, (), 1),
    "group_min": Function(_GROUP.format("min"), _grouped("min"), 2, ANY_NUMBER, (), 1),
    "group_max": Function(_GROUP.format("max"), _grouped("max"), 2, ANY_NUMBER, (), 1),
    "group_count": Function(_GROUP.format("count"), _grouped("count"), 2, ANY_NUMBER, (), 1),
    "group_mean_others": Function(
        "group_mean_others(x, group, …): mean of x over the other rows of the same groups",
        _mean_of_others,
        2,
        ANY_NUMBER,
        (),
        1,
    ),
    "starts_with": Function("starts_with(text, 'ST')", _text_test("startswith"), 2, 2, (1,)),
    "ends_with": Function("ends_with(text, 'B')", _text_test("endswith"), 2, 2, (1,)),
    "contains": Function("contains(text, 'ST')", _text_test("contains"), 2, 2, (1,)),
    "left": Function("left(text, 2): its first letters", _left, 2, 2, (1,)),
    "division": Function("division(code): 39 of the industry code C39", _division, 1, 1),
}
