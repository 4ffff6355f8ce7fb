"""What must hold of a finished panel, checked with pandera; every failure stands in one message."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from econometrics.panel.spec import CheckSpec
from shuzhi import DataError

EXAMPLES = 5


def panel_schema(data: pd.DataFrame, firm: str, year: str, checks: Mapping[str, CheckSpec]) -> Any:
    """Return the pandera schema of a panel.

    Parameters
    ----------
    data : DataFrame
        The panel; stock codes in it are six digits, and no number is infinite.
    firm, year : str
        Its keys: never missing, and unique together.
    checks : mapping of str to CheckSpec
        What else must hold.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        For `check_panel`, and for users who go on with pandera.
    """
    import pandera.pandas as pa

    columns = {}
    for name in data.columns:
        check = checks.get(str(name), CheckSpec())
        rules = _rules(check)
        if name == "stock_code":
            rules.append(pa.Check.str_matches(r"^\d{6}$"))
        if pd.api.types.is_float_dtype(data[name].dtype):
            rules.append(pa.Check.in_range(float("-inf"), float("inf"), include_min=False, include_max=False))
        columns[name] = pa.Column(checks=rules, nullable=not (check.required or name in (firm, year)))
    return pa.DataFrameSchema(columns, unique=[firm, year], strict=True)


def _rules(check: CheckSpec) -> list[Any]:
    import pandera.pandas as pa

    rules = []
    if check.at_least is not None:
        rules.append(pa.Check.ge(check.at_least))
    if check.at_most is not None:
        rules.append(pa.Check.le(check.at_most))
    if check.one_of is not None:
        rules.append(pa.Check.isin(check.one_of))
    if check.matches is not None:
        rules.append(pa.Check.str_matches(f"^(?:{check.matches})$"))
    return rules


def check_panel(data: pd.DataFrame, firm: str, year: str, checks: Mapping[str, CheckSpec], where: str) -> None:
    """Raise a `DataError` with every rule that a panel breaks, how often, and examples.

    Parameters
    ----------
    data : DataFrame, one row a firm-year
        The panel.
    firm, year : str
        Its keys.
    checks : mapping of str to CheckSpec
        What must hold of its columns.
    where : str
        File and line, for the message.
    """
    import pandera.errors

    kinds = _wrong_kinds(data, checks)
    if kinds:
        raise DataError(f"{where}: {len(kinds)} checks do not fit their columns\n  " + "\n  ".join(kinds))
    schema = panel_schema(data, firm, year, checks)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema.validate(data, lazy=True)
    except pandera.errors.SchemaErrors as error:
        failures = error.failure_cases
        grouped = failures.groupby(["column", "check"], sort=False, dropna=False)
        lines = [_line(data, str(column), str(check), rows, firm, year) for (column, check), rows in grouped]
        raise DataError(f"{where}: {len(lines)} checks fail\n  " + "\n  ".join(lines)) from None


def _wrong_kinds(data: pd.DataFrame, checks: Mapping[str, CheckSpec]) -> list[str]:
    problems = []
    for name, check in checks.items():
        is_number = pd.api.types.is_numeric_dtype(data[name].dtype)
        if not is_number and (check.at_least is not None or check.at_most is not None):
            problems.append(f"{name} holds text and has no least or greatest value")
        if is_number and check.matches is not None:
            problems.append(f"{name} holds numbers and cannot match a pattern")
    return problems


def _line(data: pd.DataFrame, column: str, check: str, rows: pd.DataFrame, firm: str, year: str) -> str:
    positions = [int(position) for position in rows["index"].dropna().unique()]
    examples = []
    for position in positions[:EXAMPLES]:
        row = data.loc[position]
        value = f" = {row[column]}" if column in data.columns else ""
        examples.append(f"{row[firm]} {row[year]}{value}")
    what = "must not be missing" if check == "not_nullable" else check
    subject = f"{firm}, {year}" if check == "multiple_fields_uniqueness" else column
    what = "must be unique together" if check == "multiple_fields_uniqueness" else what
    return f"{subject}: {what}: {len(positions):,} rows, for example {'; '.join(examples)}"
