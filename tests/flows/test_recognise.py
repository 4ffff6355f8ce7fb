"""Pictures of real pages through the reading path: workers, chunks, merged pages and rows."""

import hashlib
import io
import sys
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

from flows.files import ListedFile
from flows.pool import Limits, WorkerPool
from flows.recognise import pages_to_recognise, recognise_results
from flows.work import FileResult, prepare_worker, read_file, reading_key, text_key
from nlp.pdf import Page
from shuzhi import UsageError

# Running text in long lines of small print, a table of two years, and text beside a margin; pages from 1.
PAGES = (("000002_2012_annual_full.pdf", 31), ("603339_2019_annual_full.pdf", 61), ("000008_2017_annual_full.pdf", 16))
CHINESE = range(0x4E00, 0xA000)
DIGITS = range(0x30, 0x3A)
DOTS_PER_INCH = 180


@pytest.fixture(scope="module")
def needs_packages():
    pytest.importorskip("rapidocr", reason="the extra 'ocr' is not installed")
    pytest.importorskip("onnxruntime", reason="the extra 'ocr' is not installed")


def listed(path: Path) -> ListedFile:
    data = path.read_bytes()
    return ListedFile(path.name, str(path), len(data), 0, hashlib.sha256(data).hexdigest())


def read(file: ListedFile) -> FileResult:
    return read_file(file.path, file.document_id or "", "pdfium", "rjieba")


def counted(text: str, codes: range) -> Counter[str]:
    return Counter(character for character in text if ord(character) in codes)


def shares(truth: str, recognised: str, codes: range) -> tuple[float, float]:
    """Return recall and precision of the characters, as multisets."""
    one, other = counted(truth, codes), counted(recognised, codes)
    common = (one & other).total()
    return common / one.total(), common / other.total()


def picture_of(page: pypdfium2.PdfPage) -> pypdfium2.PdfDocument:
    """Return a PDF of one page that holds nothing but a picture of the given one."""
    buffer = io.BytesIO()
    page.render(scale=DOTS_PER_INCH / 72).to_pil().convert("RGB").save(buffer, "PDF", resolution=DOTS_PER_INCH)
    return pypdfium2.PdfDocument(buffer.getvalue())


@pytest.fixture(scope="module")
def scan(reports: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ListedFile, list[str]]:
    """A file of one real page as it is and pictures of three others, and the text of all four as PDFium reads it."""
    copy, texts = pypdfium2.PdfDocument.new(), []
    for position, (name, number) in enumerate((PAGES[0], *PAGES)):
        source = pypdfium2.PdfDocument(reports / name)
        page = source[number - 1]
        texts.append(page.get_textpage().get_text_bounded())
        if position:
            copy.import_pages(picture_of(page))
        else:
            copy.import_pages(source, [number - 1])
    path = tmp_path_factory.mktemp("scan") / "scan.pdf"
    copy.save(path)
    return listed(path), texts


@pytest.fixture(scope="module")
def before(scan) -> FileResult:
    return read(scan[0])


@pytest.fixture(scope="module")
def after(needs_packages, scan, before) -> tuple[FileResult, float]:
    with WorkerPool(1, Limits(seconds=120, memory_megabytes=1000), prepare_worker, ("rjieba",)) as pool:
        (result,) = recognise_results(pool, "rjieba", [scan[0]], [before])
        return result, pool.peak_memory_megabytes


def test_only_the_pictures_are_sent_to_recognition(before):
    assert [page.status for page in before.pages] == ["text", "scanned", "scanned", "scanned"]
    assert pages_to_recognise(before.pages) == [2, 3, 4]


def test_pages_that_are_read_blank_or_no_pdf_are_never_sent():
    pages = [
        Page("text", "pdfium", "text"),
        Page("", "pdfium", "blank"),
        Page("?", "text", "garbled"),
        Page("done", "ocr", "ocr"),
        Page("?", "pdfium", "garbled"),
        Page("1", "pdfplumber", "sparse"),
        Page("", "pdfium", "scanned"),
    ]
    assert pages_to_recognise(pages) == [5, 6, 7]


def test_pictures_of_real_pages_come_back_with_their_characters(scan, after):
    _, texts = scan
    result, _ = after
    for page, text in list(zip(result.pages, texts, strict=True))[1:]:
        assert (page.status, page.reader) == ("ocr", "ocr")
        assert page.confidence is not None and 0.9 < page.confidence <= 1
        recall, precision = shares(text, page.text, CHINESE)
        assert recall >= 0.97
        assert precision >= 0.97
        assert min(shares(text, page.text, DIGITS)) >= 0.97


def test_the_page_with_text_is_as_it_was(before, after):
    assert after[0].pages[0] == before.pages[0]


def test_the_rows_of_the_document_count_recognised_pages_apart(before, after):
    result, _ = after
    assert before.reading["status"] == "scanned"
    row = result.reading
    assert (row["status"], row["pages"], row["text_pages"], row["ocr_pages"]) == ("ok", 4, 1, 3)
    assert row["readable_share"] == 1.0
    assert row["reader"] == "ocr 3, pdfium 1"
    assert 0.9 < row["ocr_confidence"] <= 1
    assert "rapidocr" in row["extractor"]
    assert result.text is not None and before.text is not None
    texts = [page.text for page in result.pages]
    assert result.text["chinese_characters"] == sum(counted("".join(texts), CHINESE).values())
    assert result.text["chinese_characters"] > before.text["chinese_characters"]


def test_a_worker_with_the_engine_stays_below_the_usual_limit(after):
    assert 100 < after[1] < 900


def test_pages_whose_call_dies_stay_as_they_were_with_a_note(needs_packages, scan, before):
    # No engine fits into the memory of this worker.
    with WorkerPool(1, Limits(seconds=120, memory_megabytes=150), prepare_worker, ("rjieba",)) as pool:
        (result,) = recognise_results(pool, "rjieba", [scan[0]], [before])
        assert pool.replaced >= 1
    assert [page.status for page in result.pages] == [page.status for page in before.pages]
    assert [page.text for page in result.pages] == [page.text for page in before.pages]
    assert all("not recognised: needed more than 150 MB" in page.note for page in result.pages[1:])
    assert result.pages[0].note == before.pages[0].note
    assert result.reading == before.reading
    assert result.text == before.text


def test_a_file_that_changed_since_it_was_read_is_left_alone(needs_packages, scan, before, tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(Path(scan[0].path).read_bytes() + b"\n")
    changed = ListedFile("scan.pdf", str(path), 0, 0, scan[0].document_id)
    with WorkerPool(1, Limits(seconds=60), prepare_worker, ("rjieba",)) as pool:
        (result,) = recognise_results(pool, "rjieba", [changed], [before])
    assert "the file changed while the run read it" in result.pages[1].note
    assert result.reading == before.reading


def test_nothing_to_recognise_starts_no_worker(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text("公司年度报告。\f第二页。", encoding="utf-8")
    file = listed(path)
    result = read(file)
    with WorkerPool(1, Limits()) as pool:
        assert recognise_results(pool, "rjieba", [file], [result]) == [result]
        assert pool.peak_memory_megabytes == 0


def test_the_keys_of_the_store_depend_on_recognition(needs_packages):
    assert reading_key("pdfium", "off") != reading_key("pdfium", "rapidocr")
    assert text_key("pdfium", "rjieba", "off") != text_key("pdfium", "rjieba", "rapidocr")


def test_without_the_package_the_keys_cannot_be_made(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(UsageError, match=r'pip install "shuzhi\[ocr\]"'):
        reading_key("pdfium", "rapidocr")
