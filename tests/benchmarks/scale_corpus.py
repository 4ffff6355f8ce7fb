"""A corpus of any size from real pages: each file has bytes, a firm and a year of its own, and known counts.

Three pages in a row are cut out of a real report, many such cuts from several reports, and a cover is put before them
that prints the code and the year. Files of one cut differ in these digits alone, so that the count of a cut, found here
by plain Python over PDFium's text, is the count of each of its files.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

# Reports whose running headers name no year, which would contradict the cover's.
SOURCES = [f"000001_{year}_annual_full.pdf" for year in (2001, 2003, 2005, 2008, 2010, 2013, 2015)]
SOURCES += ["000002_2007_annual_full.pdf", "000002_2009_annual_full.pdf"]
PAGES_PER_CUT = 3
CUTS_PER_SOURCE = 6
LARGEST_CUT_BYTES = 450_000
# Shanghai's main board gives these, 602 not.
PREFIXES = ("600", "601", "603", "605")
CODES = 1_000 * len(PREFIXES)
YEARS = range(2014, 2024)
CODE, YEAR = b"000000", b"1900"
NAME = "样本股份有限公司"


@dataclass(frozen=True)
class Cut:
    """Pages of a real report behind a cover with the code 000000 and the year 1900.

    Parameters
    ----------
    name : str
        Report and first page.
    content : bytes
        A PDF file; code and year stand in it as hexadecimal digits.
    hits : int
        Terms in its text, the longest at each place.
    """

    name: str
    content: bytes
    hits: int

    def of(self, code: str, year: int) -> bytes:
        """Return the file of a firm and a year."""
        content = self.content.replace(_hex(CODE), _hex(code.encode()))
        return content.replace(_hex(YEAR), _hex(str(year).encode()))


def _hex(text: bytes) -> bytes:
    return text.hex().upper().encode("ascii")


def cut_reports(folder: Path, terms: Sequence[str]) -> list[Cut]:
    """Cut pages out of the real reports of a folder: those around the first terms, and some without any."""
    cuts = []
    for name in SOURCES:
        with (folder / name).open("rb") as file:
            report = pypdfium2.PdfDocument(file)
            texts = [page.get_textpage().get_text_range() for page in report]
            counts = [count_terms(text, terms) for text in texts]
            # The first pages say whose report it is.
            starts = [page for page in range(8, len(texts) - PAGES_PER_CUT, PAGES_PER_CUT) if len(texts[page]) > 400]
            starts.sort(key=lambda page: -sum(counts[page : page + PAGES_PER_CUT]))
            chosen = starts[: CUTS_PER_SOURCE - 2] + starts[-2:]
            made = [_cut(report, page, Path(name).stem, terms) for page in sorted(chosen)]
            cuts += [cut for cut in made if len(cut.content) < LARGEST_CUT_BYTES]
            report.close()
    return cuts


def _cut(report: pypdfium2.PdfDocument, start: int, name: str, terms: Sequence[str]) -> Cut:
    made = pypdfium2.PdfDocument.new()
    made.import_pages(pypdfium2.PdfDocument(cover()))
    made.import_pages(report, pages=list(range(start, start + PAGES_PER_CUT)))
    stream = io.BytesIO()
    made.save(stream)
    content = _settled(stream.getvalue())
    if content.count(_hex(CODE)) != 2 or content.count(_hex(YEAR)) != 1:
        raise ValueError(f"{name} page {start + 1}: the cover's digits do not stand in the file as expected")
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]
    return Cut(f"{name} p. {start + 1}", content, count_terms("\n".join(pages), terms))


def _settled(content: bytes) -> bytes:
    """Return a PDF of PDFium without its moment and its random number: the same pages are then the same bytes."""
    content = re.sub(rb"<[0-9A-F]{32}>", b"<" + b"0" * 32 + b">", content)
    return re.sub(rb"\(D:\d{14}\+", b"(D:20000101000000+", content)


def count_terms(text: str, terms: Sequence[str]) -> int:
    """Count terms in a text, the longest at each place, Latin ones as whole words; plain Python, nothing of ours."""
    latin = [term for term in terms if re.search("[A-Za-z]", term)]
    pattern = "|".join(
        rf"(?<![A-Za-z0-9]){re.escape(term)}(?![A-Za-z0-9])" if term in latin else re.escape(term)
        for term in sorted(terms, key=len, reverse=True)
    )
    return len(re.findall(pattern, re.sub(r"\s+", "", text), re.IGNORECASE))


def cover() -> bytes:
    """Return a page that prints code, name and year, its digits where they can be found and changed."""
    lines = [
        (780, 12, "证券代码：", CODE, "    证券简称：样本股份"),
        (600, 24, NAME, b"", ""),
        (560, 24, "", YEAR, "年年度报告"),
        (300, 10, "股票代码：", CODE, f"    公司的法定中文名称：{NAME}"),
    ]
    drawn = b"BT\n"
    for height, size, before, digits, after in lines:
        drawn += b"1 0 0 1 72 %d Tm\n" % height
        for words in (before, digits, after):
            font, shown = (b"H", b"(%s)" % words) if isinstance(words, bytes) else (b"S", _utf16(words))
            drawn += b"/%s %d Tf %s Tj\n" % (font, size, shown)
    # PDFium compresses a stream that has no filter, and leaves this one as it is.
    stream = _hex(drawn + b"ET\n") + b">"
    chinese = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>"
    )
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /S 5 0 R /H 7 0 R >> >> >>",
        b"<< /Length %d /Filter /ASCIIHexDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        chinese,
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )


def _utf16(text: str) -> bytes:
    return b"<" + _hex(text.encode("utf-16-be")) + b">"


def _pdf(*objects: bytes) -> bytes:
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return content + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def firm_years(reports: int) -> Iterator[tuple[str, int]]:
    """Give so many firm-years: ten years of each firm."""
    for number in range(reports):
        firm, year = divmod(number, len(YEARS))
        yield f"{PREFIXES[firm // 1_000]}{firm % 1_000:03}", YEARS[year]


def cut_of(cuts: Sequence[Cut], code: str, year: int) -> Cut:
    """Return the cut that a firm-year's file is made of."""
    return cuts[(31 * int(code) + 17 * year) % len(cuts)]


def write_corpus(folder: Path, reports: int, cuts: Sequence[Cut]) -> dict[tuple[str, int], int]:
    """Write so many reports into subfolders by year, and return the hits that each must have."""
    if reports > CODES * len(YEARS):
        raise ValueError(f"{reports} reports: {CODES * len(YEARS)} are the most")
    for year in YEARS:
        (folder / str(year)).mkdir(parents=True, exist_ok=True)
    expected = {}
    for code, year in firm_years(reports):
        cut = cut_of(cuts, code, year)
        expected[code, year] = cut.hits
        file = folder / str(year) / f"{code}_{year}年年度报告.pdf"
        if not file.exists():
            file.write_bytes(cut.of(code, year))
    return expected
