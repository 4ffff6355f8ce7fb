"""The demo's corpus on disk: simulated annual reports as PDFs, one of them a scan and one damaged.

The text is set in STSong-Light with the predefined CMap UniGB-UCS2-H, not embedded, as many issuers' printers
do it. Lines are filled character by character, so that words break at their ends; only a page break never
falls inside a planted term, since the header and footer between the halves would hide it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pypdfium2
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from nlp.simulate import Block, SimulatedReport, find_terms, simulate_firms, simulate_report
from nlp.simulate_text import CONTENTS_HEADING, FIGURES_UNIT, KEYED_TABLES, SIMULATED_MARK, Rows

Fault = Literal["none", "scanned", "broken"]

FONT = "STSong-Light"
PAGE_WIDTH, PAGE_HEIGHT = 595.28, 841.89
LEFT, TOP, BOTTOM = 72.0, 760.0, 76.0
TEXT_WIDTH = PAGE_WIDTH - 2 * LEFT
BODY_SIZE, BODY_LEADING = 10.5, 18.0
CELL_SIZE, CELL_LEADING, CELL_PADDING = 9.0, 12.0, 4.0
# A wider gap between letters would be read as a blank.
WIDEST_STRETCH = 0.6
SCAN_DOTS_PER_INCH = 100
SCAN_NOISE = 6.0
SCAN_JPEG_QUALITY = 35

NEVER_FIRST = "，。、；：？！）》】”%"
NEVER_LAST = "（《【“"
# Latin words and numbers stay whole, as every typesetter keeps them.
UNITS = re.compile(r"[A-Za-z0-9.,\-/%]+|\s|.")


@dataclass(frozen=True)
class PlantedReport:
    """One file of the corpus and what was planted in it.

    Parameters
    ----------
    file : str
        File name inside the corpus folder.
    stock_code, company_name : str
        The invented firm.
    report_year : int
        Year of the report.
    planted_count : int
        Planted occurrences in all.
    planted : mapping of str to int
        Occurrences by term. Of a report with a fault it is what the sound report would have held.
    fault : {"none", "scanned", "broken"}
        Whether the file has its text, is images of its pages, or breaks off in the middle.
    """

    file: str
    stock_code: str
    company_name: str
    report_year: int
    planted_count: int
    planted: Mapping[str, int]
    fault: Fault


@dataclass
class _Page:
    texts: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float, bool]] = field(default_factory=list)


def write_corpus(
    folder: Path,
    *,
    terms: Sequence[str],
    firms: int = 30,
    years: Sequence[int] = (2020, 2021, 2022, 2023),
    seed: int = 2024,
    expected_counts: Mapping[tuple[str, int], float] | None = None,
) -> list[PlantedReport]:
    """Write simulated annual reports as PDFs; the same arguments give the same bytes.

    Counting from 0 in the order of firms and years, the report at a third of the corpus is a scan and the one
    at two thirds is damaged. The scan's pixels also depend on the fonts of the machine.

    Parameters
    ----------
    folder : Path
        Where the files go; made if missing.
    terms : sequence of str
        Terms to plant.
    firms : int
        Number of firms.
    years : sequence of int
        Years of the reports; the first of them is where a firm's mean equals its intensity.
    seed : int
        Seed of everything that is drawn.
    expected_counts : mapping of (str, int) to float, optional
        Mean of the planted total of a firm (stock code) and year; those it leaves out follow the usual rule.

    Returns
    -------
    list of PlantedReport
        One a file, by firm and year.

    Raises
    ------
    ValueError
        If there would be fewer than 3 reports, or a year twice.
    """
    wanted = [(firm, year) for firm in simulate_firms(firms, seed) for year in sorted(years)]
    if len(wanted) < 3 or len(set(years)) < len(years):
        raise ValueError("a corpus takes at least 3 reports, each year once: one is a scan, one is damaged")
    folder.mkdir(parents=True, exist_ok=True)
    faults: dict[int, Fault] = {len(wanted) // 3: "scanned", 2 * len(wanted) // 3: "broken"}
    written = []
    for number, (firm, year) in enumerate(wanted):
        expected = (expected_counts or {}).get((firm.stock_code, year))
        report = simulate_report(firm, year, min(years), terms, seed, expected)
        fault = faults.get(number, "none")
        content = render_report(report, terms)
        if fault == "scanned":
            content = _scan(content, report, seed)
        elif fault == "broken":
            content = content[: len(content) // 2]
        file = f"{firm.stock_code}_{report.title}.pdf"
        (folder / file).write_bytes(content)
        planted_count = sum(report.planted.values())
        written.append(
            PlantedReport(file, firm.stock_code, firm.company_name, year, planted_count, report.planted, fault)
        )
    return written


def render_report(report: SimulatedReport, terms: Sequence[str]) -> bytes:
    """Return a simulated report as the bytes of a PDF.

    Parameters
    ----------
    report : SimulatedReport
        What it says.
    terms : sequence of str
        Terms that no page break may cut in two.

    Returns
    -------
    bytes
        The PDF.
    """
    pages = _Typesetter(report, terms).set_report()
    stream = io.BytesIO()
    canvas = _open_canvas(stream, report)
    for number, page in enumerate(pages, 1):
        canvas.setLineWidth(0.5)
        canvas.setFillGray(0.9)
        for x, y, width, height, shaded in page.boxes:
            canvas.rect(x, y, width, height, stroke=1, fill=int(shaded))
        canvas.setFillGray(0.0)
        canvas.line(LEFT, TOP + 16, PAGE_WIDTH - LEFT, TOP + 16)
        footer = f"第 {number} 页 共 {len(pages)} 页"
        text = canvas.beginText()
        set_size = 0.0
        for x, y, size, stretch, string in (
            (_centre(report.running_header, CELL_SIZE), TOP + 20, CELL_SIZE, 0.0, report.running_header),
            *page.texts,
            (_centre(footer, CELL_SIZE), BOTTOM - 30, CELL_SIZE, 0.0, footer),
        ):
            if size != set_size:
                text.setFont(FONT, size)
                set_size = size
            text.setCharSpace(stretch)
            text.setTextOrigin(x, y)
            text.textOut(string)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _open_canvas(stream: io.BytesIO, report: SimulatedReport) -> Canvas:
    _register_font()
    canvas = Canvas(stream, pagesize=(PAGE_WIDTH, PAGE_HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(report.running_header)
    canvas.setSubject(f"simulated data {SIMULATED_MARK}")
    canvas.setAuthor("shuzhi demo")
    return canvas


@lru_cache(maxsize=1)
def _register_font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


@lru_cache(maxsize=8192)
def _unit_width(unit: str) -> float:
    _register_font()
    return float(pdfmetrics.stringWidth(unit, FONT, 1000)) / 1000


def _width(string: str, size: float) -> float:
    return size * sum(map(_unit_width, string))


def _centre(string: str, size: float) -> float:
    return (PAGE_WIDTH - _width(string, size)) / 2


def _break_lines(string: str, size: float, width: float, indent: float = 0.0) -> list[str]:
    """Fill lines one character after the other; closing marks hang, opening marks move on."""
    lines, line, used = [], "", indent
    for unit in UNITS.findall(string):
        needed = _width(unit, size)
        if line and used + needed > width and unit[0] not in NEVER_FIRST:
            carried = line[-1] if line[-1] in NEVER_LAST else ""
            lines.append(line.removesuffix(carried))
            line, used = carried, _width(carried, size)
        line += unit
        used += needed
    return [*lines, line]


def _column_widths(rows: Rows) -> list[float]:
    """Share the width out: columns get what they need, and the widest are cut to the same cap."""
    needs = [
        max(_width(cell, CELL_SIZE) for cell in column) + 2 * CELL_PADDING + 1 for column in zip(*rows, strict=True)
    ]
    spare = TEXT_WIDTH - sum(needs)
    if spare >= 0:
        return [need + spare / len(needs) for need in needs]
    cap = TEXT_WIDTH
    for count, need in enumerate(sorted(needs), 1):
        narrow = sum(sorted(needs)[: count - 1])
        cap = (TEXT_WIDTH - narrow) / (len(needs) - count + 1)
        if need > cap:
            break
    return [min(need, cap) for need in needs]


class _Typesetter:
    """Places the lines and cells of a report on pages."""

    def __init__(self, report: SimulatedReport, terms: Sequence[str]) -> None:
        self.report = report
        self.terms = tuple(terms)
        self.pages: list[_Page] = []
        self.y = TOP
        self.section_pages: list[int] = []
        self.contents_place = (0, 0.0)

    def set_report(self) -> list[_Page]:
        self._set_cover()
        for section in self.report.sections:
            self._set_heading(section.heading)
            for block in section.blocks:
                self._set_block(block)
        self._set_contents()
        return self.pages

    def _turn_page(self) -> None:
        self.pages.append(_Page())
        self.y = TOP

    def _take(self, height: float) -> float:
        """Move down and return the new height of the pen, on the next page if this one is full."""
        if self.y - height < BOTTOM:
            self._turn_page()
        self.y -= height
        return self.y

    def _put(self, x: float, y: float, size: float, string: str, stretch: float = 0.0) -> None:
        self.pages[-1].texts.append((x, y, size, stretch, string))

    def _set_cover(self) -> None:
        self._turn_page()
        for line, y, size in zip(self.report.cover, (600, 540, 500, 200), (22, 26, 16, 14), strict=True):
            self._put(_centre(line, size), y, size, line)
        self._turn_page()

    def _set_heading(self, heading: str) -> None:
        if self.y - BOTTOM < 120:
            self._turn_page()
        self.section_pages.append(len(self.pages))
        self.y -= 12
        self._put(_centre(heading, 14), self._take(24), 14, heading)
        self.y -= 10

    def _set_block(self, block: Block) -> None:
        if not isinstance(block, str):
            self._set_table(block)
        elif block == CONTENTS_HEADING:
            self._leave_contents()
        elif block.endswith("。"):
            self._set_paragraph(block)
        else:
            self._set_label(block)

    def _set_label(self, label: str) -> None:
        if self.y - 4 * BODY_LEADING < BOTTOM:
            self._turn_page()
        x = PAGE_WIDTH - LEFT - _width(label, CELL_SIZE) if label.startswith(FIGURES_UNIT[:2]) else LEFT
        size = CELL_SIZE if x > LEFT else BODY_SIZE
        self._put(x, self._take(BODY_LEADING), size, label)

    def _set_paragraph(self, paragraph: str) -> None:
        lines = _break_lines(paragraph, BODY_SIZE, TEXT_WIDTH, indent=2 * BODY_SIZE)
        held_together = self._joined_lines(paragraph, lines)
        for number, line in enumerate(lines):
            needed = BODY_LEADING * (2 if number in held_together else 1)
            if self.y - needed < BOTTOM:
                self._turn_page()
            indent = 0.0 if number else 2 * BODY_SIZE
            spare = TEXT_WIDTH - indent - _width(line, BODY_SIZE)
            stretch = spare / max(len(line) - 1, 1) if number < len(lines) - 1 or spare < 0 else 0.0
            self._put(
                LEFT + indent,
                self._take(BODY_LEADING),
                BODY_SIZE,
                line,
                stretch if stretch < WIDEST_STRETCH else 0.0,
            )

    def _joined_lines(self, paragraph: str, lines: Sequence[str]) -> set[int]:
        """Return the lines that a term carries over to the next one."""
        ends = np.cumsum([len(line) for line in lines])
        spans = find_terms(paragraph, self.terms)
        return {number for number, end in enumerate(ends) if any(start < end < stop for start, stop in spans)}

    def _set_table(self, rows: Rows) -> None:
        widths = _column_widths(rows)
        has_header = rows[0][0] not in KEYED_TABLES
        self.y -= 4
        for number, row in enumerate(rows):
            cells = [
                _break_lines(cell, CELL_SIZE, width - 2 * CELL_PADDING) for cell, width in zip(row, widths, strict=True)
            ]
            height = max(len(lines) for lines in cells) * CELL_LEADING + 6
            bottom = self._take(height)
            x = LEFT
            for lines, width in zip(cells, widths, strict=True):
                self.pages[-1].boxes.append((x, bottom, width, height, has_header and number == 0))
                top = bottom + height - CELL_LEADING
                self._set_cell(lines, x, top, width, "left" if not has_header else "right" if number else "centre")
                x += width
        self.y -= 8

    def _set_cell(self, lines: Sequence[str], x: float, y: float, width: float, side: str) -> None:
        """Set a cell; on the side ``right`` only figures go there, words stay left."""
        for number, line in enumerate(lines):
            spare = width - 2 * CELL_PADDING - _width(line, CELL_SIZE)
            is_figure = re.fullmatch(r"-?[\d,.]+%?", line) is not None
            offset = spare / 2 if side == "centre" else spare if side == "right" and is_figure else 0.0
            self._put(x + CELL_PADDING + offset, y - number * CELL_LEADING, CELL_SIZE, line)

    def _leave_contents(self) -> None:
        """Keep a page free for the contents list, which needs the pages of what follows."""
        self._turn_page()
        self.contents_place = (len(self.pages) - 1, self.y)
        self._turn_page()

    def _set_contents(self) -> None:
        number, y = self.contents_place
        page = self.pages[number]
        page.texts.append((_centre(CONTENTS_HEADING, 14), y - 30, 14, 0.0, CONTENTS_HEADING))
        for line_number, line in enumerate(self._contents_lines()):
            page.texts.append((LEFT, y - 70 - line_number * 24, BODY_SIZE, 0.0, line))

    def _contents_lines(self) -> Iterator[str]:
        for section, number in zip(self.report.sections, self.section_pages, strict=True):
            spare = TEXT_WIDTH - _width(f"{section.heading}{number}", BODY_SIZE)
            yield f"{section.heading}{'.' * int(spare / _width('.', BODY_SIZE))}{number}"


def _scan(content: bytes, report: SimulatedReport, seed: int) -> bytes:
    """Return a PDF that shows the same pages as noisy grey images and holds no text."""
    noise = np.random.default_rng([seed, int(report.firm.stock_code), report.report_year])
    stream = io.BytesIO()
    canvas = _open_canvas(stream, report)
    document = pypdfium2.PdfDocument(content)
    try:
        for page in document:
            bitmap = page.render(scale=SCAN_DOTS_PER_INCH / 72, grayscale=True)
            shades = bitmap.to_numpy().squeeze().astype(np.float32)
            shades = shades * 0.94 + noise.normal(0.0, SCAN_NOISE, shades.shape)
            image = Image.fromarray(shades.clip(0, 255).astype(np.uint8))
            jpeg = io.BytesIO()
            image.save(jpeg, "JPEG", quality=SCAN_JPEG_QUALITY)
            canvas.drawImage(ImageReader(jpeg), 0, 0, PAGE_WIDTH, PAGE_HEIGHT)
            canvas.showPage()
    finally:
        document.close()
    canvas.save()
    return stream.getvalue()
