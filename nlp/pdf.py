"""Text of a report, page by page, exactly as extracted.

PDFium reads; pdfplumber looks closer where PDFium's text of a page is empty although the page has text, or is
mostly unmapped. Text files come in UTF-8 or GB18030, with or without form feeds, or as the JSON lines of the
FinGLM collection.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pypdfium2
import pypdfium2.raw as pdfium

from nlp.options import Reader
from nlp.readability import PageStatus, Status, judge_document, judge_text
from shuzhi import ReadError

PageReader = Literal["pdfium", "pdfplumber", "text"]
READER_VERSION = "1"
# A picture that covers this share of the page is a scan of it.
SCAN_COVERAGE = 0.6
FEW_CHARACTERS = 20
# A document whose pages stay empty under the second reader is not tried again and again.
SECOND_LOOKS = 5
PDF_MAGIC_WITHIN = 1024


@dataclass(frozen=True)
class Page:
    """One page.

    Parameters
    ----------
    text : str
        Text as extracted; only lone surrogates, which no file can store, become U+FFFD.
    reader : {'pdfium', 'pdfplumber', 'text'}
        Who extracted it.
    status : {'text', 'blank', 'scanned', 'garbled'}
        Whether it can be read.
    """

    text: str
    reader: PageReader
    status: PageStatus


@dataclass(frozen=True)
class ReadDocument:
    """What reading one file gave.

    Parameters
    ----------
    status : str
        ``ok``, ``scanned``, ``garbled``, ``empty``; files without pages raise ``ReadError`` instead.
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
        """Number of pages with readable text."""
        return sum(page.status == "text" for page in self.pages)

    @property
    def readers(self) -> str:
        """Who read how many pages, for example ``pdfium 118, pdfplumber 2``."""
        counts = Counter(page.reader for page in self.pages)
        return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


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
    text = _decode(data)
    texts = _json_line_pages(text)
    if texts is None:
        texts = text.split("\f")
        if len(texts) > 1 and not texts[-1].strip():
            texts.pop()
    pages = tuple(Page(page, "text", judge_text(page)) for page in texts)
    status, reason = judge_document([page.status for page in pages])
    return ReadDocument(status, reason, pages, "")


def _decode(data: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise ReadError("failed", "the file is named .txt but holds binary data (zero bytes)")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReadError("failed", "the text is neither UTF-8 nor GB18030; save it as UTF-8")


def _json_line_pages(text: str) -> list[str] | None:
    """Return the pages of a FinGLM file (one JSON object a line with page and inside), or None."""
    if not text.startswith('{"page":'):
        return None
    pages: dict[int, list[str]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            page, inside = int(row["page"]), row["inside"]
            if page < 1 or not isinstance(inside, str):
                raise ValueError
            pages.setdefault(page, []).append(_storable(inside))
        except (ValueError, KeyError, TypeError, OverflowError):
            raise ReadError("failed", f"line {number} is not a JSON object with page and inside") from None
    return ["\n".join(pages.get(page, [])) for page in range(1, max(pages) + 1)]


def read_pdf(data: bytes, reader: Reader = "pdfium") -> ReadDocument:
    """Read a PDF file from its bytes; see :func:`read_document`."""
    if b"%PDF-" not in data[:PDF_MAGIC_WITHIN]:
        raise ReadError("not_a_pdf", _what_it_is(data))
    document = _open(data)
    try:
        second = _SecondReader(data)
        pages = tuple(_read_pages(document, second, reader))
        title = str(document.get_metadata_value("Title") or "")
    finally:
        document.close()
    status, reason = judge_document([page.status for page in pages])
    return ReadDocument(status, reason, pages, _storable(title))


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
        self._looks_in_vain = 0

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
        return _storable(text)

    def better_text(self, number: int) -> str | None:
        """Return the text of a page if pdfplumber can read it, and stop trying after a few failures."""
        if self._looks_in_vain >= SECOND_LOOKS:
            return None
        text = self.text(number)
        if judge_text(text) == "text":
            self._looks_in_vain = 0
            return text
        self._looks_in_vain += 1
        return None


def _read_pages(document: pypdfium2.PdfDocument, second: _SecondReader, reader: Reader) -> Iterator[Page]:
    # A page that PDFium cannot load is garbled rather than blank: something is there that nobody read.
    for number in range(len(document)):
        handle = pdfium.FPDF_LoadPage(document, number)
        if not handle:
            yield Page("", "pdfium", "garbled")
            continue
        try:
            yield _read_page(handle, number, second, reader)
        finally:
            pdfium.FPDF_ClosePage(handle)


def _read_page(handle: Any, number: int, second: _SecondReader, reader: Reader) -> Page:
    if reader == "pdfplumber":
        text = second.text(number)
        if judge_text(text) == "text":
            return Page(text, "pdfplumber", _scan_or(handle, text, "text"))
    text = _pdfium_text(handle)
    status = judge_text(text)
    if status == "garbled" or (status == "blank" and _has_text_objects(handle)):
        closer = second.better_text(number)
        if closer is not None:
            return Page(closer, "pdfplumber", _scan_or(handle, closer, "text"))
    return Page(text, "pdfium", _scan_or(handle, text, status))


def _pdfium_text(handle: Any) -> str:
    textpage = pdfium.FPDFText_LoadPage(handle)
    if not textpage:
        return ""
    try:
        characters = pdfium.FPDFText_CountChars(textpage)
        if characters <= 0:
            return ""
        # A character outside the basic plane takes two UTF-16 units; the last unit is the closing zero.
        units = 2 * characters + 1
        buffer = (ctypes.c_ushort * units)()
        written = pdfium.FPDFText_GetText(textpage, 0, characters, buffer)
        raw = ctypes.string_at(buffer, 2 * max(0, written - 1))
    finally:
        pdfium.FPDFText_ClosePage(textpage)
    return _storable(raw.decode("utf-16-le", "surrogatepass"))


def _storable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 and so Parquet cannot hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def _objects(handle: Any) -> Iterator[Any]:
    for index in range(pdfium.FPDFPage_CountObjects(handle)):
        yield pdfium.FPDFPage_GetObject(handle, index)


def _has_text_objects(handle: Any) -> bool:
    return any(pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT for item in _objects(handle))


def _scan_or(handle: Any, text: str, status: PageStatus) -> PageStatus:
    """Return ``scanned`` for a page that is a picture, with no text or an invisible layer of it."""
    # A page with more characters than this, blanks included, is not worth the count.
    is_sparse = len(text) < 100 * FEW_CHARACTERS and len("".join(text.split())) < FEW_CHARACTERS
    if (is_sparse or _first_text_is_invisible(handle)) and _picture_share(handle) >= SCAN_COVERAGE:
        return "scanned"
    return status


def _first_text_is_invisible(handle: Any) -> bool:
    """Tell whether the first text on the page is drawn invisibly, as text recognition lays it over a scan."""
    for item in _objects(handle):
        if pdfium.FPDFPageObj_GetType(item) == pdfium.FPDF_PAGEOBJ_TEXT:
            invisible: bool = pdfium.FPDFTextObj_GetTextRenderMode(item) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
            return invisible
    return False


def _picture_share(handle: Any) -> float:
    """Return the share of the page that its pictures cover together, at most 1."""
    area = pdfium.FPDF_GetPageWidthF(handle) * pdfium.FPDF_GetPageHeightF(handle)
    covered = sum(_area(item) for item in _objects(handle) if _is_picture(item))
    return float(min(1.0, covered / area)) if area > 0 else 0.0


def _is_picture(item: Any) -> bool:
    kinds = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM)
    return pdfium.FPDFPageObj_GetType(item) in kinds


def _area(item: Any) -> float:
    sides = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *[ctypes.byref(side) for side in sides]):
        return 0.0
    left, bottom, right, top = (side.value for side in sides)
    return max(0.0, right - left) * max(0.0, top - bottom)
