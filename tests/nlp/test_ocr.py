"""Recognised lines in reading order, long lines cut between words, and drawn pages read by the real engine."""

import socket
import sys

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from nlp import ocr
from nlp.ocr_lines import Line, page_text
from nlp.ocr_picture import LONGEST_PIECE, cut_line, is_sideways, render_page
from nlp.pdf import Page, read_pdf
from shuzhi import UsageError

SENTENCES = ["Annual report of the year 2021", "Revenue rose by 12.5 percent", "The board met nine times"]


@pytest.fixture(scope="module")
def engine():
    """Skip without the packages; the engine must come up although no connection can be made."""
    pytest.importorskip("rapidocr", reason="the extra 'ocr' is not installed")
    pytest.importorskip("onnxruntime", reason="the extra 'ocr' is not installed")

    def refuse(*_):
        raise AssertionError("text recognition tried to open a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        ocr._engine()
        yield


def box(text: str, left: float, top: float, width: float = 100, height: float = 20, slope: float = 0.0) -> Line:
    return Line(text, 0.9, left, top, left + width, top + height, slope)


def drawn(sentences, size: int = 32, width: int = 1000, height: int = 1400) -> Image.Image:
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    for number, sentence in enumerate(sentences):
        pen.text((80, 100 + 90 * number), sentence, fill="black", font=ImageFont.load_default(size))
    return picture


def as_array(picture: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def as_pdf(path, *pictures: Image.Image) -> bytes:
    pictures[0].save(path, save_all=True, append_images=pictures[1:], resolution=120)
    return path.read_bytes()


def test_rows_of_a_table_stand_on_one_line_each():
    cells = [box("2,000", 300, 101), box("Bank B", 0, 131), box("Bank A", 0, 100), box("3,000", 300, 130)]
    assert page_text(cells) == "Bank A 2,000\nBank B 3,000"


def test_a_cell_between_two_lines_of_its_neighbour_is_a_row_of_its_own():
    # Middles at 110, 124 and 138 with heights of 20: 14 apart, more than half of 20.
    assert page_text([box("upper", 0, 100), box("lower", 0, 128), box("cell", 300, 114)]) == "upper\ncell\nlower"


def test_rows_of_a_tilted_page_stay_together():
    # Two rows 30 pixels apart on a page that falls by 0.04: over 1,000 pixels by 40, more than a row.
    lines = [
        box(f"{row}{column}", 500 * column, 100 + 30 * row + 20 * column, 400, 36, 0.04)
        for row in range(2)
        for column in range(3)
    ]
    assert page_text(lines) == "00 01 02\n10 11 12"


def test_columns_of_text_are_read_one_after_the_other_and_cells_across():
    heading = box("heading", 100, 0, 600)
    columns = [
        box(f"{side}{row}", left, 100 + 30 * row, 370) for row in range(8) for side, left in (("l", 0), ("r", 430))
    ]
    expected = ["heading", *(f"l{row}" for row in range(8)), *(f"r{row}" for row in range(8))]
    assert page_text([heading, *columns]).split("\n") == expected
    # The same places with short numbers on the right are a table.
    table = [box(f"l{row}", 0, 100 + 30 * row, 370) for row in range(8)]
    table += [box(f"{row}", 700, 100 + 30 * row, 100) for row in range(8)]
    assert page_text([heading, *table]).split("\n") == ["heading", *(f"l{row} {row}" for row in range(8))]


def test_a_page_without_lines_has_no_text():
    assert page_text([]) == ""


def test_long_lines_are_cut_in_blanks_only():
    # Words of 50 pixels and blanks of 12 over 4,000 pixels of a line 40 high: 100 times its height, so 7 pieces.
    line = np.full((40, 4000, 3), 255, dtype=np.uint8)
    for start in range(0, 4000, 62):
        line[8:32, start : start + 50] = 0
    pieces = cut_line(line)
    assert len(pieces) == 7
    assert np.array_equal(np.concatenate([piece for piece, _ in pieces], axis=1), line)
    edges = [piece[:, side] for piece, _ in pieces for side in (0, -1)][1:-1]
    assert all((edge == 255).all() for edge in edges)
    # A blank of 12 pixels is 0.3 of the height, more than 0.15: it parts words.
    assert [after for _, after in pieces] == [False, *[True] * 6]
    assert max(piece.shape[1] for piece, _ in pieces) <= (LONGEST_PIECE + 4) * 40


def test_short_lines_stay_whole():
    assert len(cut_line(np.zeros((40, 640, 3), dtype=np.uint8))) == 1


def test_a_page_lies_on_its_side_when_most_lines_do():
    flat, upright = (
        np.float32([[0, 0], [300, 0], [300, 20], [0, 20]]),
        np.float32([[0, 0], [20, 0], [20, 300], [0, 300]]),
    )
    assert is_sideways(np.stack([upright, upright, flat]))
    assert not is_sideways(np.stack([upright, flat, flat]))
    assert not is_sideways(np.zeros((0, 4, 2), dtype=np.float32))


def test_pages_are_drawn_at_a_size_that_can_be_read(tmp_path):
    document = pypdfium2.PdfDocument.new()
    for width, height in ((595, 842), (100, 140), (20_000, 300)):
        document.new_page(width, height)
    shapes = [render_page(document, number).shape for number in (1, 2, 3)]
    # 842 points at 200 dots an inch are 842 / 72 * 200 = 2,338.9 pixels.
    assert shapes[0][0] == 2339
    assert max(shapes[1]) == 1600
    # PDFium rounds up.
    assert 3400 <= max(shapes[2]) <= 3401


def test_drawn_sentences_are_recognised_whichever_way_the_page_lies(engine):
    upright = as_array(drawn(SENTENCES))
    found = ocr.recognise_page(upright)
    assert found.text.split("\n") == SENTENCES
    assert found.confidence is not None and found.confidence > 0.9
    assert ocr.recognise_page(upright) == found
    for quarters in (1, 2, 3):
        turned = np.ascontiguousarray(np.rot90(upright, quarters))
        assert ocr.recognise_page(turned).text.split("\n") == SENTENCES


def test_a_line_of_sixty_times_its_height_is_recognised_to_its_end(engine):
    words = "the firms of this branch build new plants and sell old ones while their owners wait for better days " * 2
    words = words.strip()
    found = ocr.recognise_page(as_array(drawn([words], size=20, width=2200, height=400)))
    assert found.text == words


def test_pages_are_marked_and_pages_without_text_are_not(engine, tmp_path):
    data = as_pdf(tmp_path / "scan.pdf", drawn(SENTENCES), drawn([]), drawn(["2021"], size=60))
    assert [page.status for page in read_pdf(data).pages] == ["scanned"] * 3
    text, empty, number = ocr.recognise_pages(data, [1, 2, 3])
    assert (text.status, text.reader, text.text) == ("ocr", "ocr", "\n".join(SENTENCES))
    assert text.confidence is not None and 0.9 < text.confidence <= 1
    assert (empty.status, empty.text, empty.confidence) == ("scanned", "", None)
    assert empty.note == "text recognition found 0 characters"
    assert (number.status, number.text, number.note) == ("scanned", "", "text recognition found 4 characters")


def test_what_was_read_stays_where_recognition_adds_nothing():
    scanned = Page("layer", "pdfium", "scanned", "noted")
    sparse = Page("12345", "pdfium", "sparse")
    better = Page("recognised", "ocr", "ocr", "2 unsure lines of its picture are left out", 0.9)
    assert ocr.better_page(scanned, better) == Page("recognised", "ocr", "ocr", f"noted; {better.note}", 0.9)
    assert ocr.better_page(sparse, better).text == "recognised"
    nothing = Page("", "ocr", "scanned", "text recognition found 0 characters")
    assert ocr.better_page(scanned, nothing) == Page("layer", "pdfium", "scanned", f"noted; {nothing.note}")
    as_much = ocr.better_page(sparse, Page("1234", "ocr", "ocr", "", 0.9))
    assert (as_much.text, as_much.status) == ("12345", "sparse")
    assert as_much.note == "text recognition found no more than the text that is there"


def test_the_version_names_packages_and_models(engine):
    version = ocr.ocr_version()
    for name in ("rapidocr", "onnxruntime", "opencv", ocr.DETECTOR, ocr.RECOGNISER, "pdfium"):
        assert name in version


@pytest.mark.parametrize("package", ocr.PACKAGES)
def test_a_missing_package_is_one_line_with_the_way_out(package, monkeypatch):
    # None is how Python itself marks a module that must not be found.
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError) as caught:
        ocr.require_ocr()
    assert 'pip install "shuzhi[ocr]"' in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError):
        ocr.ocr_version()
