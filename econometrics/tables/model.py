"""A table as a journal prints it, apart from any file format: cells that keep their numbers, rows, headers, notes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shuzhi import DataError

Language = Literal["zh", "en"]
RowKind = Literal["coefficient", "below", "statistic", "heading", "rule"]
CellStyle = Literal["number", "fixed", "whole", "percent", "p_value"]
Enclosure = Literal["", "()", "[]"]

MINUS = "\u2212"
MISSING = "—"
_LONGEST_DECIMALS = 8


@dataclass(frozen=True)
class Cell:
    """One cell: a number (or the two ends of an interval) with the way it is shown, or a text.

    Parameters
    ----------
    values : tuple of float
        Nothing (blank or text), one number, or the lower and the upper end of an interval; in full precision.
    text : str
        What is shown where there are no values.
    digits : int
        Decimal places.
    style : {'number', 'fixed', 'whole', 'percent', 'p_value'}
        How values are shown: with more decimals where they would look like zero, always with `digits` decimals, as a
        count, times 100 with a percent sign, as "<0.001" where small.
    enclosure : {'', '()', '[]'}
        Brackets around the number.
    stars : str
        What stands behind the number.
    span : int
        Number of columns that the cell covers.
    """

    values: tuple[float, ...] = ()
    text: str = ""
    digits: int = 3
    style: CellStyle = "number"
    enclosure: Enclosure = ""
    stars: str = ""
    span: int = 1

    def __post_init__(self) -> None:
        if len(self.values) > 2 or self.span < 1:
            raise DataError(
                f"a table cell holds {len(self.values)} numbers over {self.span} columns: at most 2 numbers"
            )

    @property
    def is_number(self) -> bool:
        """Whether the cell holds exactly one finite number."""
        return len(self.values) == 1 and math.isfinite(self.values[0])

    def shown(self, minus: str = "-") -> str:
        """Return what a reader sees.

        Parameters
        ----------
        minus : str
            The sign of negative numbers.

        Returns
        -------
        str
            The number with its brackets, percent sign and stars; "—" for a number that could not be computed.
        """
        if not self.values:
            return self.text
        if all(math.isnan(value) for value in self.values):
            return MISSING
        if len(self.values) == 2:
            low, high = (self._number(value, minus) for value in self.values)
            return f"[{low}, {high}]{self.stars}"
        opening, closing = self.enclosure or ("", "")
        return f"{opening}{self._number(self.values[0], minus)}{closing}{self.stars}"

    def _number(self, value: float, minus: str) -> str:
        if math.isnan(value):
            return MISSING
        if math.isinf(value):
            return "∞" if value > 0 else f"{minus}∞"
        if self.style == "whole":
            return f"{value:,.0f}".replace("-", minus)
        if self.style == "p_value" and value < 10.0**-self.digits:
            return f"<{10.0**-self.digits:.{self.digits}f}"
        unit = "%" if self.style == "percent" else ""
        value = value * 100 if self.style == "percent" else value
        if self.style in ("fixed", "p_value") and abs(value) < 0.5 * 10.0**-self.digits:
            value = 0.0
        decimals = decimals_needed(value, self.digits)
        shown = f"{value:.1e}" if decimals is None else f"{value + 0.0:,.{decimals}f}"
        return shown.replace("-", minus) + unit


def decimals_needed(value: float, digits: int) -> int | None:
    """Return the decimals that show a number not as zero, or None where only powers of ten can.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Decimals that are wanted.
    """
    if value == 0 or abs(value) >= 0.5 * 10.0**-digits:
        return digits
    needed = math.ceil(-math.log10(abs(value))) + 1
    return needed if needed <= _LONGEST_DECIMALS else None


@dataclass(frozen=True)
class Header:
    """One header: its text, the columns that it covers, and whether a thin rule stands below it."""

    text: str = ""
    span: int = 1
    rule: bool = False


@dataclass(frozen=True)
class Row:
    """One row: label, cells and kind.

    Parameters
    ----------
    label : str
        What stands in the first column.
    cells : tuple of Cell
        Their spans add up to the number of columns; an empty tuple is a row of blanks.
    kind : {'coefficient', 'below', 'statistic', 'heading', 'rule'}
        An estimate, what stands beneath it, a line of the lower part, a heading over all columns, or a thin rule.
    """

    label: str = ""
    cells: tuple[Cell, ...] = ()
    kind: RowKind = "statistic"


@dataclass(frozen=True)
class Table:
    """A table with its headers, rows and notes.

    Parameters
    ----------
    title : str
        The caption without its number.
    headers : tuple of tuple of Header
        Header lines from top to bottom; the spans of each add up to the number of columns.
    rows : tuple of Row
        From top to bottom.
    notes : tuple of str
        What was done, in sentences.
    language : {'zh', 'en'}
        The language of the words that the table brings along.
    number : str
        The number in the caption; empty for none.
    stub : str
        What stands above the labels.

    Raises
    ------
    DataError
        If a row or a header line does not fill the columns.
    """

    title: str
    headers: tuple[tuple[Header, ...], ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    language: Language = "zh"
    number: str = ""
    stub: str = ""
    columns: int = field(init=False)

    def __post_init__(self) -> None:
        widths = [sum(header.span for header in line) for line in self.headers]
        if not widths or not widths[0]:
            raise DataError(f"table {self.title!r} has no columns: give it at least one header")
        object.__setattr__(self, "columns", widths[0])
        problems = [
            f"header line {line} covers {width} columns"
            for line, width in enumerate(widths, start=1)
            if width != self.columns
        ]
        for line, row in enumerate(self.rows, start=1):
            width = sum(cell.span for cell in row.cells)
            if row.cells and width != self.columns:
                problems.append(f"row {line} ({row.label!r}) covers {width} columns")
        if problems:
            raise DataError(f"table {self.title!r} has {self.columns} columns, but {'; '.join(problems)}")

    @property
    def caption(self) -> str:
        """The title with its number, such as "表 2  基准回归"."""
        word = "表" if self.language == "zh" else "Table"
        if not self.number:
            return self.title
        return f"{word} {self.number}  {self.title}" if self.language == "zh" else f"{word} {self.number}. {self.title}"

    @property
    def notes_text(self) -> str:
        """All notes as one paragraph that begins with "注：" or "Notes: "; empty without notes."""
        if not self.notes:
            return ""
        return "注：" + "".join(self.notes) if self.language == "zh" else "Notes: " + " ".join(self.notes)


def placed_cells(cells: Sequence[Cell]) -> Iterable[tuple[int, Cell]]:
    """Yield each cell with the number (from 0) of the column where it begins."""
    column = 0
    for cell in cells:
        yield column, cell
        column += cell.span


def split_at_point(shown: str) -> tuple[str, str]:
    """Split what is shown before its decimal point, or before what follows the last digit of a whole number."""
    if "." in shown:
        before, _, after = shown.partition(".")
        return before, "." + after
    last = max((place for place, letter in enumerate(shown) if letter.isdigit()), default=len(shown) - 1)
    return shown[: last + 1], shown[last + 1 :]


def aligned_cells(table: Table) -> dict[int, list[Cell]]:
    """Return by column the cells whose decimal points stand below each other: numbers with decimals, no counts."""
    columns: dict[int, list[Cell]] = {column: [] for column in range(table.columns)}
    for row in table.rows:
        for column, cell in placed_cells(row.cells):
            if is_aligned(cell):
                columns[column].append(cell)
    return columns


def is_aligned(cell: Cell) -> bool:
    """Whether the decimal point of the cell stands below those of its column."""
    return cell.is_number and cell.span == 1 and cell.style != "whole"


def split_intervals(table: Table) -> tuple[Row, ...]:
    """Return the rows with every interval as two rows of numbers, for formats in which numbers stay numbers."""
    ends = ("下限", "上限") if table.language == "zh" else ("lower end", "upper end")
    rows: list[Row] = []
    for row in table.rows:
        if not any(len(cell.values) == 2 for cell in row.cells):
            rows.append(row)
            continue
        for place, end in enumerate(ends):
            cells = tuple(
                Cell((cell.values[place],), digits=cell.digits, style=cell.style, span=cell.span)
                if len(cell.values) == 2
                else (cell if place == 0 else Cell(span=cell.span))
                for cell in row.cells
            )
            name = row.label or ("区间" if table.language == "zh" else "Interval")
            label = f"{name}{end}" if table.language == "zh" else f"{name}, {end}"
            rows.append(Row(label, cells, row.kind))
    return tuple(rows)
