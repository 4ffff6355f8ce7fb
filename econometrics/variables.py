"""What a variable is: its labels, unit, formula and source, which travel with the data into every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

Language = Literal["zh", "en"]
CODEBOOK_COLUMNS = (
    "name",
    "label_zh",
    "label_en",
    "type",
    "unit",
    "formula",
    "source",
    "observations",
    "missing",
    "missing_share",
    "minimum",
    "maximum",
    "first_year",
    "last_year",
)


@dataclass(frozen=True)
class Variable:
    """One variable of a panel.

    Parameters
    ----------
    name : str
        Name of its column.
    label_en, label_zh : str
        Labels in both languages; empty where nobody gave one.
    unit : str
        Unit of the values as they are in the panel, for example ``yuan``; empty where there is none.
    formula : str
        How it was computed from other variables; empty where it was read.
    source : str
        Where the values come from.
    """

    name: str
    label_en: str = ""
    label_zh: str = ""
    unit: str = ""
    formula: str = ""
    source: str = ""

    def label(self, language: Language = "en") -> str:
        """Return the label in a language, else the one in the other, else the name."""
        wanted, other = (self.label_zh, self.label_en) if language == "zh" else (self.label_en, self.label_zh)
        return wanted or other or self.name


def variable_labels(
    variables: Mapping[str, Variable], names: Sequence[str], language: Language = "en", *, with_unit: bool = False
) -> dict[str, str]:
    """Return the label of each name, with its unit in brackets if wanted; an unknown name is its own label.

    Parameters
    ----------
    variables : mapping of str to Variable
        What is known.
    names : sequence of str
        Which labels are wanted.
    language : {"en", "zh"}
        Language of the labels.
    with_unit : bool
        Whether the unit follows, as in ``Revenue (yuan)``.
    """
    found = {}
    for name in names:
        variable = variables.get(name, Variable(name))
        unit = f" ({variable.unit})" if with_unit and variable.unit else ""
        found[name] = variable.label(language) + unit
    return found


def codebook_table(variables: Mapping[str, Variable], data: pd.DataFrame, year: str = "report_year") -> pd.DataFrame:
    """Describe every column of a panel: one row a column, in the order of the columns.

    Parameters
    ----------
    variables : mapping of str to Variable
        What is known of them.
    data : DataFrame, one row an observation
        The panel.
    year : str
        Column with the year; first and last year are empty where there is none.

    Returns
    -------
    DataFrame
        With the columns of ``CODEBOOK_COLUMNS``; minimum and maximum of numbers only.
    """
    rows = []
    for name in data.columns:
        column = data[name]
        is_number = pd.api.types.is_numeric_dtype(column.dtype)
        present = column.notna()
        years = data.loc[present, year].dropna() if year in data.columns else pd.Series(dtype="float64")
        rows.append(
            {
                **asdict(variables.get(str(name), Variable(str(name)))),
                "type": _type_of(column),
                "observations": int(present.sum()),
                "missing": int((~present).sum()),
                "missing_share": round(float((~present).mean()), 6) if len(column) else None,
                "minimum": float(column.min()) if is_number and present.any() else None,
                "maximum": float(column.max()) if is_number and present.any() else None,
                "first_year": int(years.min()) if len(years) else None,
                "last_year": int(years.max()) if len(years) else None,
            }
        )
    table = pd.DataFrame(rows, columns=list(CODEBOOK_COLUMNS))
    kinds = {"first_year": "Int64", "last_year": "Int64", "missing_share": "float64"}
    return table.astype({**kinds, "minimum": "float64", "maximum": "float64"})


def _type_of(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column.dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(column.dtype):
        return "integer"
    if pd.api.types.is_numeric_dtype(column.dtype):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "text"


def variables_to_records(variables: Mapping[str, Variable]) -> list[dict[str, str]]:
    """Return variables as plain records, to be stored as JSON."""
    return [asdict(variable) for variable in variables.values()]


def variables_from_records(records: Sequence[Mapping[str, str]]) -> dict[str, Variable]:
    """Return the variables that `variables_to_records` gave; what a record does not say stays empty."""
    known = Variable.__dataclass_fields__
    read = [Variable(**{key: str(value) for key, value in record.items() if key in known}) for record in records]
    return {variable.name: variable for variable in read}
