"""What a step of a panel hands back: new columns, what they are, and everything that found no partner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

from econometrics.clusters.map import ClusterMap
from econometrics.messages import in_chinese
from econometrics.panel.rows import DEFINITION_COLUMNS, FLOW_COLUMNS
from econometrics.panel.sources import Source
from econometrics.panel.units import conversion_factor
from econometrics.variables import Language, Variable
from shuzhi import DataError

NoteKind = Literal["decomposition", "assumption", "warning"]
UNMATCHED_COLUMNS = ("step", "column", "given", "rows", "reason")
SHOWN = 5


@dataclass(frozen=True)
class PanelNote:
    """A sentence that travels with a panel to every report made of it.

    Parameters
    ----------
    kind : {"decomposition", "assumption", "warning"}
        What it is.
    step : str
        The step that says it.
    zh, en : str
        The sentence; Chinese may be empty.
    """

    kind: NoteKind
    step: str
    zh: str
    en: str

    def text(self, language: Language = "en") -> str:
        """Return the sentence in a language, else in the other."""
        return (self.zh or in_chinese(self.en)) if language == "zh" else (self.en or self.zh)


def notes_to_records(notes: Sequence[PanelNote]) -> list[dict[str, str]]:
    """Return notes as plain records, to be stored as JSON."""
    return [asdict(note) for note in notes]


def notes_from_records(records: Sequence[Mapping[str, Any]]) -> tuple[PanelNote, ...]:
    """Return the notes that `notes_to_records` gave."""
    return tuple(PanelNote(each["kind"], each["step"], each["zh"], each["en"]) for each in records)


@dataclass(frozen=True)
class Given:
    """What a step works on: the panel, what is known of its columns, its sources, its keys, and where it is written."""

    data: pd.DataFrame
    variables: Mapping[str, Variable]
    sources: Mapping[str, Source]
    firm: str
    year: str
    where: str


@dataclass(frozen=True)
class StepResult:
    """What a step adds to a panel, which keeps its rows.

    Parameters
    ----------
    step : str
        How reports call the step, such as ``policy low_carbon_pilots``.
    said : str
        One line for the flow of the sample.
    columns : DataFrame
        New columns on the rows of the panel.
    variables : dict of str to Variable
        What they are.
    reasons : dict of str to str
        By column, why values are missing.
    joins : tuple of dict
        Lines with the keys of ``JOIN_COLUMNS``.
    unmatched : DataFrame
        With the columns of ``UNMATCHED_COLUMNS``: what was given and not found, of the panel and of sources.
    flow : DataFrame
        Rows of the sources that the step used up, with ``FLOW_COLUMNS``.
    reading : tuple of dict
        What in the sources did not stand for itself.
    notes : tuple of PanelNote
        Assumptions, warnings and the decomposition.
    tables : dict of str to DataFrame
        Further tables, by the name of their file.
    texts : dict of str to str
        Further texts, by the name of their file.
    cluster_map : ClusterMap or None
        The map that was attached.
    """

    step: str
    said: str
    columns: pd.DataFrame
    variables: dict[str, Variable]
    reasons: dict[str, str] = field(default_factory=dict)
    joins: tuple[dict[str, Any], ...] = ()
    unmatched: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(UNMATCHED_COLUMNS)))
    flow: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FLOW_COLUMNS)))
    reading: tuple[dict[str, Any], ...] = ()
    notes: tuple[PanelNote, ...] = ()
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    cluster_map: ClusterMap | None = None

    def definitions(self) -> pd.DataFrame:
        """Return one row a new column, with the columns of ``DEFINITION_COLUMNS``."""
        rows = []
        for name in self.columns.columns:
            missing = int(self.columns[name].isna().sum())
            formula = self.variables[name].formula if name in self.variables else ""
            because = self.reasons.get(str(name), self.said) if missing else ""
            rows.append((str(name), formula or self.step, len(self.columns) - missing, missing, because))
        return pd.DataFrame(rows, columns=list(DEFINITION_COLUMNS))


def unmatched_rows(step: str, column: str, found: pd.DataFrame) -> pd.DataFrame:
    """Return a table of given, rows, reason as lines of the unmatched table.

    Parameters
    ----------
    step, column : str
        Who looked, and where.
    found : DataFrame
        Columns ``given``, ``rows``, ``reason``.
    """
    table = found[["given", "rows", "reason"]].assign(step=step, column=column)
    return table[list(UNMATCHED_COLUMNS)].astype({"given": "str", "reason": "str"}).reset_index(drop=True)


def counted(given: pd.Series, reasons: pd.Series) -> pd.DataFrame:
    """Return given, rows, reason: how many rows have each value and reason, most first.

    Parameters
    ----------
    given, reasons : Series of text
        On the same rows.
    """
    frame = pd.DataFrame({"given": given.astype("str").fillna("(missing)"), "reason": reasons.astype("str")})
    table = frame.groupby(["given", "reason"], sort=True).size().rename("rows").reset_index()
    return table.sort_values(["rows", "given"], ascending=[False, True], ignore_index=True)[["given", "rows", "reason"]]


def examples_of(unmatched: pd.DataFrame) -> str:
    """Return the first values of an unmatched table in words, empty where there are none."""
    if unmatched.empty:
        return ""
    shown = [
        f"{str(given)[:30] or '(empty)'} ({rows:,})"
        for given, rows in unmatched[["given", "rows"]].head(SHOWN).itertuples(index=False, name=None)
    ]
    values = "value" if len(unmatched) == 1 else "values"
    return f"{len(unmatched):,} {values} not matched, e.g. {', '.join(shown)}"


def notes_of(step: str, assumptions: Sequence[str], warnings: Sequence[str]) -> tuple[PanelNote, ...]:
    """Return the assumptions and warnings of a result as notes."""
    return (
        *(PanelNote("assumption", step, "", text) for text in assumptions),
        *(PanelNote("warning", step, "", text) for text in warnings),
    )


def prefixed(
    columns: pd.DataFrame, variables: Mapping[str, Variable], prefix: str, source: str
) -> tuple[pd.DataFrame, dict[str, Variable]]:
    """Return columns and their variables under names with a prefix; a variable without a source gets that given."""
    from dataclasses import replace

    new_names = {str(name): prefix + str(name) for name in columns.columns}
    described = {}
    for name, new in new_names.items():
        known = variables.get(name, Variable(name))
        formula = known.formula
        for other in sorted(new_names, key=len, reverse=True) if prefix and formula else ():
            formula = _renamed(formula, other, new_names[other])
        described[new] = replace(known, name=new, formula=formula, source=known.source or source)
    return columns.rename(columns=new_names), described


def _renamed(formula: str, name: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", new, formula)


def in_unit(
    values: pd.Series, variables: Mapping[str, Variable], given: str, wanted: str, where: str, key: str
) -> pd.Series:
    """Return an amount in a unit; that it has must be known, from its column or from the step.

    Parameters
    ----------
    values : Series of numbers
        The column, by its name.
    variables : mapping of str to Variable
        What is known of it.
    given : str
        Unit that the step says; that of the column if empty.
    wanted : str
        Such as ``yuan`` or ``tonne``.
    where, key : str
        File and line, and the key under which a unit could be given.

    Raises
    ------
    DataError
        If no unit is known, two are said, or the one cannot become the other.
    """
    from econometrics.emissions.units import money_in_yuan

    name = str(values.name)
    own = variables[name].unit if name in variables else ""
    unit = given or own
    if wanted == "tonne":
        unit = re.sub(r"\s*(?:CO2e?|二氧化碳(?:当量)?)$", "", unit, flags=re.IGNORECASE)
        own = re.sub(r"\s*(?:CO2e?|二氧化碳(?:当量)?)$", "", own, flags=re.IGNORECASE)
    if not unit:
        raise DataError(f"{where}: {name} has no unit; give it with its column (unit: {wanted}){key}")
    if given and own and not _same_unit(given, own):
        raise DataError(f"{where}: {name} is in {own}, but the step says {given}; leave the step's unit out")
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise DataError(f"{where}: {name} holds text, and an amount in {wanted} is needed")
    try:
        return values.astype("float64") * conversion_factor(unit, wanted)
    except DataError as error:
        if wanted == "yuan":
            try:
                return money_in_yuan(values, unit)
            except DataError:
                pass
        raise DataError(f"{where}: {name}: {error}") from None


def _same_unit(first: str, second: str) -> bool:
    from econometrics.emissions.units import money_in_yuan

    if first.strip().lower() == second.strip().lower():
        return True
    one = pd.Series([1.0])
    try:
        return conversion_factor(first, second) == 1.0
    except DataError:
        try:
            return bool(money_in_yuan(one, first)[0] == money_in_yuan(one, second)[0])
        except DataError:
            return False


def citation_of(source: Source) -> str:
    """Return where a source says its columns come from."""
    return next((variable.source for variable in source.variables.values() if variable.source), source.name)
