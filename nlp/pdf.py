"""Text of a report, page by page, exactly as extracted.

PDFium reads; pdfplumber looks closer where PDFium's text of a page looks wrong: garbled, partly unmapped, or empty
although text is drawn. Where the two then disagree, the page says so. Text files have their pages at form feeds, or
as the JSON lines of the FinGLM collection give them.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import pypdfium2
import pypdfium2.raw as pdfium

from nlp.drawn import first_text_is_invisible, has_text, picture_share, shapes
from nlp.fallback_font import use_box_font
from nlp.limits import MOST_CHARACTERS, MOST_CHARACTERS_OF_TITLE, MOST_CHARACTERS_PER_PAGE, MOST_PAGES
from nlp.options import Reader
from nlp.readability import FEW_CHARACTERS, Judgement, PageStatus, Status, judge, judge_document
from nlp.text_file import split_text, storable
from shuzhi import ReadError

PageReader = Literal["pdfium", "pdfplumber", "text", "ocr"]
READER_VERSION = "2"
# A picture that covers this share of the page is a scan of it.
SCAN_COVERAGE = 0.6
# Logos on the covers of real reports take at most 7 % of the page; near empty pages have at most 87 lines.
SPARSE_COVERAGE = 0.1
MANY_SHAPES = 100
# Of 5,900 real pages two have more unmapped characters.
SUSPICIOUS_SHARE = 0.01
# A document that the second reader cannot read better is not tried again and again.
SECOND_LOOKS = 5
PDF_MAGIC_WITHIN = 1024
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Page:
    """One page.

    Parameters
    ----------
    text : str
        Text as extracted; only lone surrogates, which no file can store, become U+FFFD.
    reader : {'pdfium', 'pdfplumber', 'text', 'ocr'}
        Who extracted it.
    status : {'text', 'sparse', 'blank', 'scanned', 'garbled', 'ocr'}
        Whether it can be read; see :data:`nlp.readability.PageStatus`.
    note : str
        What is odd with the page, in words, or empty.
    confidence : float, optional
        Mean confidence of the recognised lines, between 0 and 1; only for pages read by text recognition.
    """

    text: str
    reader: PageReader
    status: PageStatus
    note: str = ""
    confidence: float | None = None


@dataclass(frozen=True)
class ReadDocument:
    """What reading one file gave.

    Parameters
    ----------
    status : str
        ``ok``, ``sparse``, ``scanned``, ``garbled``, ``empty``; files without pages raise ``ReadError`` instead.
    reason : str
        Why the status is not ``ok``, or a note.
    pages : tuple of Page
        All pages, in order.
    metadata_title : str
        Title in the PDF's own metadata (which often lies), or empty.
    """

    status: Status
    reason: str
    pages: tuple[Page, ...]
    metadata_title: str

    @property
    def text_pages(self) -> int:
        """Number of pages with readable text of their own."""
        return sum(page.status == "text" for page in self.pages)

    @property
    def ocr_pages(self) -> int:
        """Number of pages whose text was recognised from their picture; counted apart from ``text_pages``."""
        return sum(page.status == "ocr" for page in self.pages)

    @property
    def readers(self) -> str:
        """Who read how many pages, for example ``pdfium 118, pdfplumber 2``."""
        counts = Counter(page.reader for page in self.pages)
        return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


@lru_cache
def extractor_version(reader: Reader) -> str:
    """Return everything that can change the text of a page, in one line."""
    plumber = importlib.metadata.version("pdfplumber")
    miner = importlib.metadata.version("pdfminer.six")
    versions = f"pypdfium2 {pypdfium2.PYPDFIUM_INFO} pdfium {pypdfium2.PDFIUM_INFO.build}"
    return f"{reader} (reading {READER_VERSION}, {versions}, pdfplumber {plumber}, pdfminer.six {miner})"


def read_document(data: bytes, suffix: str, reader: Reader = "pdfium") -> ReadDocument:
    """Read a report from the bytes of its file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    suffix : str
        ``.txt`` for a text file; anything else is read as PDF.
    reader : {'pdfium', 'pdfplumber'}
        First reader of PDF pages.

    Returns
    -------
    ReadDocument
        The pages and a status.

    Raises
    ------
    ReadError
        With the status ``empty``, ``not_a_pdf``, ``encrypted`` or ``failed`` where there are no pages.
    """
    if not data:
        raise ReadError("empty", "the file has no bytes")
    if suffix.lower() == ".txt":
        return read_text(data)
    return read_pdf(data, reader)


def read_text(data: bytes) -> ReadDocument:
    """Read a text file: UTF-8 or GB18030; pages at form feeds, or as FinGLM JSON lines give them."""
    judged = [(text, judge(text)) for text in split_text(data)]
    pages = tuple(Page(text, "text", found.status, found.note) for text, found in judged)
    status, reason = judge_document([page.status for page in pages])
    return ReadDocument(status, reason, pages, "")


def read_pdf(data: bytes, reader: Reader = "pdfium") -> ReadDocument:
    """Read a PDF file from its bytes; see :func:`read_document`."""
    if b"%PDF-" not in data[:PDF_MAGIC_WITHIN]:
        raise ReadError("not_a_pdf", _what_it_is(data))
    document = _open(data)
    try:
        if len(document) > MOST_PAGES:
            raise ReadError(
                "failed", f"the file claims {len(document):,} pages; more than {MOST_PAGES:,} are no report"
            )
        second = _SecondReader(data)
        pages = tuple(_read_pages(document, second, reader))
        title = _title(document)
    finally:
        document.close()
    status, reason = judge_document([page.status for page in pages])
    return ReadDocument(status, reason, pages, storable(title[:MOST_CHARACTERS_OF_TITLE]))


def _title(document: pypdfium2.PdfDocument) -> str:
    try:
        return str(document.get_metadata_value("Title") or "")
    except UnicodeDecodeError:  # half of a surrogate pair, from a producer that cut the title off
        return ""


def _what_it_is(data: bytes) -> str:
    """Say what a file is that has no PDF header, as far as its first bytes tell."""
    head = data[:200].lstrip()
    if head.startswith(b"version https://git-lfs"):
        return "a git-lfs pointer, not the file itself; fetch it with 'git lfs pull'"
    if head[:1] == b"<":
        return "a web page or XML (perhaps an error page saved by a downloader), not a PDF"
    if head.startswith(b"PK"):
        return "a zip archive or Office file, not a PDF"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old Word or Excel file, not a PDF"
    return "no %PDF- header in the first 1,024 bytes"


def _open(data: bytes) -> pypdfium2.PdfDocument:
    use_box_font()
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise ReadError("encrypted", "the file asks for a password; save a copy without one") from None
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_SECURITY:
            raise ReadError("encrypted", "the file is encrypted by a scheme that PDFium does not know") from None
        raise ReadError("failed", f"PDFium cannot open the file, which may be cut off: {error}") from None


class _SecondReader:
    """pdfplumber, opened only when a page needs it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._document: Any = None
        self.looks_in_vain = 0

    def text(self, number: int) -> str:
        """Return pdfplumber's text of a page, or an empty string where it fails too."""
        import pdfplumber

        try:
            if self._document is None:
                self._document = pdfplumber.open(io.BytesIO(self._data))
            page = self._document.pages[number]
            text = page.extract_text() or ""
            page.close()
        except Exception:  # pdfminer raises anything on damaged files; the page then stays as PDFium gave it
            return ""
        return storable(text[:MOST_CHARACTERS_PER_PAGE])


def _read_pages(document: pypdfium2.PdfDocument, second: _SecondReader, reader: Reader) -> Iterator[Page]:
    # A page that PDFium cannot load is garbled rather than blank: something is there that nobody read.
    characters = 0
    for number in range(len(document)):
        handle = pdfium.FPDF_LoadPage(document, number)
        if not handle:
            yield Page("", "pdfium", "garbled", "PDFium cannot load the page")
            continue
        try:
            page = _read_page(handle, number, second, reader)
        finally:
            pdfium.FPDF_ClosePage(handle)
        characters += len(page.text)
        if characters > MOST_CHARACTERS:
            reason = f"its first {number + 1:,} pages give {characters:,} characters; more than {MOST_CHARACTERS:,}"
            raise ReadError("failed", f"{reason} are no report")
        yield page


def _read_page(handle: Any, number: int, second: _SecondReader, reader: Reader) -> Page:
    if reader == "pdfplumber":
        text = second.text(number)
        found = judge(text)
        if found.status == "text":
            return _with_drawings(handle, Page(text, "pdfplumber", "text"), found)
    text = _pdfium_text(handle, number)
    found = judge(text)
    is_missing = not found.visible and has_text(handle)
    page = Page(text, "pdfium", found.status, found.note)
    if found.status == "garbled" or is_missing or found.unmapped >= SUSPICIOUS_SHARE:
        page, found = _look_closer(page, found, number, second)
    if is_missing and not text and page.status == "blank":
        # White space that is drawn gives white space; nothing at all means characters that no reader knows.
        return Page(text, "pdfium", "sparse", "text is drawn on the page but neither reader finds a character in it")
    return _with_drawings(handle, page, found)


def _look_closer(page: Page, found: Judgement, number: int, second: _SecondReader) -> tuple[Page, Judgement]:
    """Ask pdfplumber about a page that looks wrong, and take its text if it is better."""
    note = page.note
    if not note and found.unmapped:
        note = f"{found.unmapped:.1%} of its {found.visible} visible characters are none that a report would print"
    if second.looks_in_vain >= SECOND_LOOKS:
        return replace(page, note=_joined(note, "pdfplumber was not asked, as it read earlier pages no better")), found
    closer = second.text(number)
    judged = judge(closer)
    note = _joined(note, disagreement(page.text, closer))
    if judged.status == "text" and (found.status != "text" or judged.unmapped < found.unmapped / 2):
        second.looks_in_vain = 0
        return Page(
            closer, "pdfplumber", "text", _joined("read by pdfplumber, as PDFium's text looks wrong", note)
        ), judged
    second.looks_in_vain += 1
    return replace(page, note=note), found


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def disagreement(pdfium_text: str, pdfplumber_text: str) -> str:
    """Say how far two readers disagree about the characters of a page, whatever their order.

    Parameters
    ----------
    pdfium_text, pdfplumber_text : str
        What each read.

    Returns
    -------
    str
        How many Chinese characters differ, or letters where there are no Chinese ones; empty if none do.
    """
    one, other = (Counter(_LETTERS.findall(text)) for text in (pdfium_text, pdfplumber_text))
    kind = "letters"
    chinese = [Counter(_CHINESE.findall(text)) for text in (pdfium_text, pdfplumber_text)]
    if any(chinese):
        (one, other), kind = chinese, "Chinese characters"
    differ = max((one - other).total(), (other - one).total())
    if not differ:
        return ""
    return f"PDFium and pdfplumber disagree: {differ} of {max(one.total(), other.total())} {kind} differ"


def _pdfium_text(handle: Any, number: int) -> str:
    textpage = pdfium.FPDFText_LoadPage(handle)
    if not textpage:
        return ""
    try:
        characters = pdfium.FPDFText_CountChars(textpage)
        if characters <= 0:
            return ""
        if characters > MOST_CHARACTERS_PER_PAGE:
            reason = (
                f"page {number + 1} holds {characters:,} characters; more than {MOST_CHARACTERS_PER_PAGE:,} are no page"
            )
            raise ReadError("failed", reason)
        # A character outside the basic plane takes two UTF-16 units; the last unit is the closing zero.
        units = 2 * characters + 1
        buffer = (ctypes.c_ushort * units)()
        written = pdfium.FPDFText_GetText(textpage, 0, characters, buffer)
        raw = ctypes.string_at(buffer, 2 * max(0, written - 1))
    finally:
        pdfium.FPDFText_ClosePage(textpage)
    return storable(raw.decode("utf-16-le", "surrogatepass"))


def _with_drawings(handle: Any, page: Page, found: Judgement) -> Page:
    """Return ``scanned`` for a page that is a picture, ``sparse`` for one with hardly any text but drawings.

    A picture of six tenths of the page with hardly any text, or with an invisible layer of it, is a scan. Hardly any
    text beside a picture of a tenth of the page, or beside a hundred shapes, is sparse: text may be inside a picture
    or drawn as outlines. A heading or page number alone on a page stays as it is.
    """
    has_few = found.visible < FEW_CHARACTERS
    if not has_few and not first_text_is_invisible(handle):
        return page
    share = picture_share(handle)
    if share >= SCAN_COVERAGE:
        return replace(page, status="scanned")
    drawn = shapes(handle) if has_few else 0
    if has_few and (share >= SPARSE_COVERAGE or drawn >= MANY_SHAPES):
        what = f"{found.visible} visible characters beside {drawn} shapes and pictures on {share:.0%} of the page"
        return replace(page, status="sparse", note=_joined(page.note, what))
    return page
