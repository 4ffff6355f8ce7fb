"""Reading: small PDF files made here, text files in the encodings that occur, and a status for what cannot be read."""

import io
import json
from collections import Counter

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from nlp.limits import MOST_CHARACTERS, MOST_CHARACTERS_PER_PAGE, MOST_PAGES
from nlp.pdf import Page, ReadDocument, disagreement, extractor_version, read_document
from shuzhi import ReadError

WIDTH, HEIGHT = 595, 842
SENTENCE = "公司大力发展人工智能与大数据业务，推进数字化转型。"
INVISIBLE = 3


def draw_text(canvas: Canvas, mode: int = 0, lines: int = 3) -> None:
    text = canvas.beginText(40, 700)
    text.setFont("STSong-Light", 12)
    text.setTextRenderMode(mode)
    for _ in range(lines):
        text.textLine(SENTENCE)
    canvas.drawText(text)


def draw_picture(canvas: Canvas, share: float = 1.0) -> None:
    """Cover a share of the page, from its foot, with a picture."""
    canvas.drawImage(ImageReader(Image.new("L", (6, 8), 128)), 0, 0, WIDTH, share * HEIGHT)


def text_page(canvas: Canvas) -> None:
    draw_text(canvas)


def blank_page(canvas: Canvas) -> None:
    canvas.setLineWidth(1)


def picture_page(canvas: Canvas) -> None:
    draw_picture(canvas)


def recognised_page(canvas: Canvas) -> None:
    draw_picture(canvas)
    draw_text(canvas, mode=INVISIBLE)


def make_pdf(*pages, encrypt: StandardEncryption | None = None, title: str = "") -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), encrypt=encrypt)
    canvas.setTitle(title)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def status_of(data: bytes, suffix: str = ".pdf") -> str:
    """Return the status with which a file is read or refused."""
    try:
        return read_document(data, suffix).status
    except ReadError as error:
        return error.status


def refused(data: bytes, suffix: str = ".pdf") -> ReadError:
    with pytest.raises(ReadError) as caught:
        read_document(data, suffix)
    return caught.value


def texts(document: ReadDocument) -> list[str]:
    return [page.text for page in document.pages]


def test_a_pdf_with_text_is_read_page_by_page():
    document = read_document(make_pdf(text_page, blank_page, text_page, title="年度报告"), ".pdf")
    assert (document.status, document.reason) == ("ok", "")
    assert [page.status for page in document.pages] == ["text", "blank", "text"]
    assert texts(document)[0].split() == [SENTENCE] * 3
    assert (document.text_pages, document.readers, document.metadata_title) == (2, "pdfium 3", "年度报告")


def test_pages_are_exactly_what_pdfium_extracts():
    data = make_pdf(text_page, blank_page, recognised_page)
    witness = pypdfium2.PdfDocument(data)
    expected = [witness[number].get_textpage().get_text_range() for number in range(3)]
    assert texts(read_document(data, ".pdf")) == expected
    assert "\r\n" in expected[0]


def test_pages_of_a_real_report_are_exactly_what_pdfium_extracts(reports, read_report):
    name = "000585_2018Q1_quarterly.pdf"
    witness = pypdfium2.PdfDocument((reports / name).read_bytes())
    expected = [page.get_textpage().get_text_range() for page in witness]
    assert len(expected) == 22
    assert texts(read_report(name)) == expected


def test_pdfplumber_reads_the_same_words_if_asked():
    document = read_document(make_pdf(text_page), ".pdf", reader="pdfplumber")
    assert texts(document)[0].split() == [SENTENCE] * 3
    assert document.readers == "pdfplumber 1"


@pytest.mark.parametrize("reader", ["pdfium", "pdfplumber"])
@pytest.mark.parametrize(
    ("pages", "status"),
    [
        ([picture_page], "scanned"),
        ([recognised_page], "scanned"),
        ([blank_page, blank_page], "empty"),
        ([text_page, picture_page], "ok"),
        ([text_page, picture_page, recognised_page], "scanned"),
        ([text_page, blank_page, blank_page], "ok"),
    ],
)
def test_the_status_of_a_pdf(reader, pages, status):
    assert read_document(make_pdf(*pages), ".pdf", reader=reader).status == status


def test_a_picture_behind_visible_text_is_no_scan():
    def page(canvas):
        draw_picture(canvas)
        draw_text(canvas)

    assert status_of(make_pdf(page)) == "ok"


def test_a_page_number_on_a_picture_does_not_make_it_text():
    def page(canvas):
        draw_picture(canvas)
        canvas.drawString(300, 20, "- 12 -")

    assert status_of(make_pdf(page)) == "scanned"


@pytest.mark.parametrize(("share", "state"), [(0.61, "scanned"), (0.59, "sparse"), (0.11, "sparse"), (0.09, "blank")])
def test_a_picture_of_six_tenths_of_a_page_is_a_scan_and_of_a_tenth_is_sparse(share, state):
    (page,) = read_document(make_pdf(lambda canvas: draw_picture(canvas, share)), ".pdf").pages
    assert page.status == state


def test_strips_of_a_picture_make_a_scan_together():
    def page(canvas):
        image = ImageReader(Image.new("L", (6, 8), 128))
        for strip in range(10):
            canvas.drawImage(image, 0, strip * HEIGHT / 10, WIDTH, HEIGHT / 10)

    assert status_of(make_pdf(page)) == "scanned"


def test_fault_5_scans_have_a_reason_with_their_number():
    document = read_document(make_pdf(picture_page, recognised_page), ".pdf")
    assert "2 of 2 pages are scans" in document.reason
    assert document.text_pages == 0


def draw_lines(canvas: Canvas, number: int) -> None:
    for place in range(number):
        canvas.line(40, 40 + place, 500, 40 + place)


def number_page(canvas: Canvas) -> None:
    canvas.drawString(300, 20, "- 12 -")


def outlined_page(canvas: Canvas) -> None:
    """Draw a page number, and text as the many outlines into which some programs turn letters."""
    draw_lines(canvas, 400)
    number_page(canvas)


def heading_page(canvas: Canvas) -> None:
    canvas.setFont("STSong-Light", 20)
    canvas.drawString(200, 500, "第十一节 财务报告")


@pytest.mark.parametrize(("lines", "state"), [(100, "sparse"), (99, "blank")])
def test_a_hundred_lines_without_text_are_sparse(lines, state):
    (page,) = read_document(make_pdf(lambda canvas: draw_lines(canvas, lines)), ".pdf").pages
    assert page.status == state


def test_a_sparse_page_says_what_is_drawn_on_it():
    (page,) = read_document(make_pdf(outlined_page), ".pdf").pages
    assert (page.status, page.text) == ("sparse", "- 12 -")
    assert page.note == "4 visible characters beside 400 shapes and pictures on 0% of the page"


def test_a_file_of_outlines_is_not_ok_with_counts_of_zero():
    document = read_document(make_pdf(heading_page, *[outlined_page] * 3), ".pdf")
    assert document.status == "sparse"
    assert "3 of 4 pages hold hardly any text" in document.reason


def test_a_heading_alone_on_a_page_is_text_and_a_page_number_alone_is_nothing():
    document = read_document(make_pdf(text_page, heading_page, number_page), ".pdf")
    assert [page.status for page in document.pages] == ["text", "text", "blank"]
    assert (document.status, document.reason) == ("ok", "")


def test_a_file_of_page_numbers_is_empty():
    assert read_document(make_pdf(*[number_page] * 3), ".pdf").status == "empty"


def test_back_cover_of_a_real_report_is_sparse_and_the_report_ok(read_report):
    # Page 124 is 532 outlines and no character; page 1 is a picture.
    document = read_report("HK01161_2021_annual_full_en.pdf")
    assert [document.pages[0].status, document.pages[123].status] == ["scanned", "sparse"]
    assert {page.status for page in document.pages[1:123]} == {"text"}
    assert document.status == "ok"


@pytest.mark.parametrize("strength", [40, 128])
def test_a_file_that_asks_for_a_password_is_encrypted(strength):
    data = make_pdf(text_page, encrypt=StandardEncryption("user", "owner", strength=strength))
    assert refused(data).status == "encrypted"
    assert "password" in refused(data).reason


@pytest.mark.parametrize("strength", [40, 128])
def test_a_file_with_an_owner_password_alone_is_readable(strength):
    encryption = StandardEncryption("", "owner", canCopy=0, canPrint=0, strength=strength)
    data = make_pdf(text_page, encrypt=encryption)
    assert b"/Encrypt" in data
    document = read_document(data, ".pdf")
    assert (document.status, document.reason, document.readers) == ("ok", "", "pdfium 1")
    assert SENTENCE in texts(document)[0]


# Reports whose fonts say which characters their glyphs are in a ToUnicode map alone, from four programs.
NEED_TOUNICODE = {
    "000001_2008_annual_full.pdf": 7,
    "000002_2009_annual_full.pdf": 6,
    "000059_2019_annual_full.pdf": 4,
    "200570_2019_annual_full.pdf": 4,
    "603339_2019_annual_full.pdf": 91,
}


def without_tounicode(data: bytes) -> bytes:
    """Give the maps another name of the same length, so that no reader finds them."""
    return data.replace(b"/ToUnicode", b"/NoUnicode")


@pytest.mark.parametrize("name", NEED_TOUNICODE)
def test_a_copy_of_a_real_report_without_tounicode_is_garbled(reports, read_report, name):
    data = (reports / name).read_bytes()
    assert data.count(b"/ToUnicode") == NEED_TOUNICODE[name]
    document = read_document(without_tounicode(data), ".pdf")
    assert document.status == "garbled"
    filled = [number for number, page in enumerate(read_report(name).pages) if len(page.text) > 200]
    states = [document.pages[number].status for number in filled]
    assert states.count("garbled") >= 0.99 * len(states)
    assert all(page.note for page in document.pages if page.status == "garbled")


def test_without_tounicode_pdfplumber_reads_a_report_of_word_from_its_fonts(reports, read_report):
    # Word embeds fonts with their own character maps, which pdfplumber uses and PDFium does not.
    name = "000008_2016_annual_full.pdf"
    cut = pypdfium2.PdfDocument.new()
    cut.import_pages(pypdfium2.PdfDocument(without_tounicode((reports / name).read_bytes())), range(4))
    file = io.BytesIO()
    cut.save(file)
    document = read_document(file.getvalue(), ".pdf")
    assert (document.status, document.readers) == ("ok", "pdfplumber 4")
    for page, original in zip(document.pages, read_report(name).pages, strict=False):
        found, expected = (
            Counter(character for character in each.text if "\u4e00" <= character <= "\u9fff")
            for each in (page, original)
        )
        assert found == expected
        assert "PDFium's text looks wrong" in page.note
        assert "PDFium and pdfplumber disagree" in page.note


@pytest.mark.parametrize(
    ("one", "other", "note"),
    [
        ("大数据", "据数大", ""),
        ("大数据 12", "大 数\n据", ""),  # only Chinese characters count where there are some
        ("大数据", "大数", "PDFium and pdfplumber disagree: 1 of 3 Chinese characters differ"),
        ("大数据", "", "PDFium and pdfplumber disagree: 3 of 3 Chinese characters differ"),
        ("大数据", "大数擦云", "PDFium and pdfplumber disagree: 2 of 4 Chinese characters differ"),
        ("Mul\ufffdmedia", "Multimedia", "PDFium and pdfplumber disagree: 2 of 10 letters differ"),
        ("", "", ""),
    ],
)
def test_two_readers_disagree_by_the_characters_that_one_lacks(one, other, note):
    assert disagreement(one, other) == note


def test_a_wrong_character_map_is_noted_where_pdfplumber_reads_the_page(read_report):
    first, second = read_report("hardcase_bad_tounicode_notareport.pdf").pages
    assert (first.reader, second.reader) == ("pdfplumber", "pdfplumber")
    assert "PDFium and pdfplumber disagree: 149 of 618 Chinese characters differ" in first.note
    assert "PDFium and pdfplumber disagree: 63 of 348 Chinese characters differ" in second.note


def test_a_readable_page_has_no_note(read_report):
    assert {page.note for page in read_report("000585_2018Q1_quarterly.pdf").pages} == {""}


def page_tree(levels: int, kids: int) -> bytes:
    """Return a small file whose page tree leads to the same page again and again."""
    bodies = ["<< /Type /Catalog /Pages 2 0 R >>"]
    for level in range(levels):
        count, child = kids ** (levels - level), level + 3
        bodies.append(f"<< /Type /Pages /Count {count} /Kids [{f'{child} 0 R ' * kids}] >>")
    bodies.append("<< /Type /Page /MediaBox [0 0 595 842] >>")
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}"
    trailer = f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    return data + (head + trailer).encode()


def test_a_file_of_a_million_pages_is_failed_before_it_is_read():
    error = refused(page_tree(levels=3, kids=100))
    assert error.status == "failed"
    assert "1,000,000 pages" in error.reason


def test_a_small_tree_of_the_same_kind_is_read():
    assert refused(page_tree(levels=3, kids=20)).reason.startswith("the file claims 8,000 pages")
    assert len(read_document(page_tree(levels=2, kids=3), ".pdf").pages) == 9


def test_a_page_with_more_characters_than_any_page_is_failed():
    def page(canvas):
        for _ in range(MOST_CHARACTERS_PER_PAGE // 10_000 + 1):
            text = canvas.beginText(40, 700)
            text.textLine("0123456789" * 1_000)
            canvas.drawText(text)
            canvas.translate(0, -20)

    error = refused(make_pdf(text_page, page))
    assert error.status == "failed"
    assert "page 2 holds 2" in error.reason


def test_a_text_of_more_characters_than_any_report_is_failed():
    assert "20,000,001 characters" in refused(b"a" * (MOST_CHARACTERS + 1), ".txt").reason


def test_a_text_of_more_pages_than_any_report_is_failed():
    assert "5,001 pages" in refused(b"a" + b"\fa" * MOST_PAGES, ".txt").reason
    assert len(read_document(b"a" + b"\fa" * (MOST_PAGES - 1), ".txt").pages) == MOST_PAGES


def test_a_json_line_of_page_one_billion_is_failed():
    reason = refused(json_lines({"page": 1, "inside": "一"}, {"page": 10**9, "inside": "二"}), ".txt").reason
    assert reason.startswith("line 2 is of page 1,000,000,000")


def test_an_absurd_title_is_cut():
    assert len(read_document(make_pdf(text_page, title="年" * 100_000), ".pdf").metadata_title) == 1_000


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_file_cut_off_is_failed(share):
    data = make_pdf(*[text_page] * 3)
    error = refused(data[: int(share * len(data))])
    assert (error.status, "cut off" in error.reason) == ("failed", True)


@pytest.mark.parametrize("suffix", [".pdf", ".txt", ""])
def test_a_file_of_zero_bytes_is_empty(suffix):
    assert refused(b"", suffix).status == "empty"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\r\n  <html>", "web page"),
        (b"PK\x03\x04\x14\x00", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Word"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git-lfs"),
        (b"plain text in a file named .pdf", "%PDF-"),
        (b"\x00" * 2000, "%PDF-"),
    ],
)
def test_a_file_that_is_no_pdf_is_named_for_what_it_is(data, word):
    error = refused(data)
    assert error.status == "not_a_pdf"
    assert word in error.reason


@pytest.mark.parametrize(("junk", "status"), [(900, "ok"), (1100, "not_a_pdf")])
def test_the_header_of_a_pdf_stands_within_its_first_1024_bytes(junk, status):
    assert status_of(b"\n" * junk + make_pdf(text_page)) == status


def test_the_suffix_alone_decides_what_is_read_as_text():
    assert status_of(SENTENCE.encode(), ".TXT") == "ok"
    assert status_of(SENTENCE.encode(), ".PDF") == "not_a_pdf"


def test_the_extractor_version_names_the_reader_and_every_engine():
    line = extractor_version("pdfium")
    assert line.startswith("pdfium ")
    for part in ("pypdfium2", f"pdfium {pypdfium2.PDFIUM_INFO.build}", "pdfplumber", "pdfminer.six"):
        assert part in line
    assert line != extractor_version("pdfplumber")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_a_text_file_is_read_in_each_encoding_that_occurs(encoding):
    document = read_document(SENTENCE.encode(encoding), ".txt")
    assert document.pages == (Page(SENTENCE, "text", "text"),)
    assert (document.status, document.readers) == ("ok", "text 1")


def test_a_big_endian_text_file_with_its_mark_is_read():
    assert texts(read_document(b"\xfe\xff" + SENTENCE.encode("utf-16-be"), ".txt")) == [SENTENCE]


def test_a_text_file_has_its_pages_at_form_feeds_and_the_last_one_ends_a_page():
    assert texts(read_document("一\f二\f\f四\f".encode(), ".txt")) == ["一", "二", "", "四"]


@pytest.mark.parametrize("text", [" \n\u3000", "\f\f", "\ufeff"])
def test_a_text_file_without_a_visible_character_is_empty(text):
    assert status_of(text.encode(), ".txt") == "empty"


@pytest.mark.parametrize("data", [b"text\x00\x01\x02", b"%PDF-1.4\n\x00\x80"])
def test_binary_data_in_a_text_file_is_failed(data):
    error = refused(data, ".txt")
    assert (error.status, "binary" in error.reason) == ("failed", True)


def test_a_long_text_that_says_the_same_again_and_again_is_failed():
    error = refused("人工智能和大数据。".encode() * 30_000, ".txt")
    assert error.status == "failed"
    assert error.reason == "the text says the same again and again in 270,000 characters; no report does"
    assert read_document("人工智能和大数据。".encode() * 3_000, ".txt").pages
    numbered = "".join(f"第{number * 7919}号项目用人工智能和大数据。" for number in range(20_000))
    assert read_document(numbered.encode(), ".txt").pages


def test_a_text_file_in_no_known_encoding_is_failed():
    error = refused(b"\xff\xff\x80\x80 \x81", ".txt")
    assert (error.status, "neither UTF-8 nor GB18030" in error.reason) == ("failed", True)


def test_fault_5_a_text_file_in_another_encoding_does_not_pass_for_readable():
    assert status_of((SENTENCE * 10).encode("big5", errors="ignore"), ".txt") in ("garbled", "failed")


def json_lines(*rows: object) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def test_json_lines_of_finglm_give_their_pages():
    data = json_lines(
        {"page": 1, "allrow": 1, "type": "页眉", "inside": "年度报告"},
        {"page": 1, "allrow": 2, "type": "text", "inside": "重要提示"},
        {"page": 3, "allrow": 3, "type": "excel", "inside": "['区块链', '']"},
    )
    assert texts(read_document(data, ".txt")) == ["年度报告\n重要提示", "", "['区块链', '']"]


def test_blank_lines_among_json_lines_are_passed_over():
    data = json_lines({"page": 1, "inside": "一"}) + b"\n \n" + json_lines({"page": 2, "inside": "二"})
    assert texts(read_document(data, ".txt")) == ["一", "二"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_line_separator_inside_a_json_string_does_not_end_the_line(separator):
    data = json_lines({"page": 1, "inside": f"大{separator}数据"})
    assert texts(read_document(data, ".txt")) == [f"大{separator}数据"]


@pytest.mark.parametrize(
    "line",
    [
        '{"page": 2, "inside": "cut o',
        '{"page": 2}',
        '{"inside": "no page"}',
        '{"page": "two", "inside": "x"}',
        '{"page": null, "inside": "x"}',
        '{"page": Infinity, "inside": "x"}',
        "[2, 3]",
        "17",
        "plain words",
    ],
)
def test_fault_5_a_bad_json_line_is_failed_with_its_number_and_no_page_is_lost(line):
    error = refused(json_lines({"page": 1, "inside": "一"}) + line.encode() + b"\n", ".txt")
    assert (error.status, "line 2" in error.reason) == ("failed", True)


@pytest.mark.parametrize("first", [0, -1])
def test_no_text_is_lost_where_json_pages_do_not_count_from_1(first):
    data = json_lines({"page": first, "inside": "封面"}, {"page": 1, "inside": "正文"})
    try:
        text = "".join(texts(read_document(data, ".txt")))
    except ReadError as error:
        assert error.status == "failed"
    else:
        assert text == "封面正文"


def test_a_json_line_without_text_adds_no_word():
    data = json_lines({"page": 1, "inside": "一"}, {"page": 2, "inside": None})
    try:
        text = "".join(texts(read_document(data, ".txt")))
    except ReadError as error:
        assert error.status == "failed"
    else:
        assert text.strip() == "一"


def test_a_lone_surrogate_in_a_json_line_can_be_stored():
    document = read_document(b'{"page": 1, "inside": "\\ud800\xe5\xa4\xa7"}\n', ".txt")
    assert texts(document) == ["\ufffd大"]
    assert texts(document)[0].encode("utf-8")


def test_a_character_outside_the_basic_plane_survives():
    data = "😀𠮷野家".encode()
    assert texts(read_document(data, ".txt")) == ["😀𠮷野家"]
    assert texts(read_document(b'{"page": 1, "inside": "\\ud83d\\ude00"}', ".txt")) == ["😀"]
