"""Chinese fonts that a file names but does not carry: no character is lost, whatever fonts the machine has."""

import io
from collections import Counter

import pdfplumber
import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from nlp.fallback_font import box_font
from nlp.pdf import read_document

DATE = "二〇〇一年十二月三十一日"


def draw(font: str, *pieces: str) -> bytes:
    """Draw each piece as a text object of its own."""
    pdfmetrics.registerFont(UnicodeCIDFont(font))
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setFont(font, 12)
    for place, piece in enumerate(pieces):
        canvas.drawString(40 + 12 * place, 700, piece)
    canvas.save()
    return file.getvalue()


@pytest.mark.parametrize("font", ["STSong-Light", "MSung-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"])
def test_a_single_character_of_a_font_that_is_not_embedded_is_read(font):
    text = DATE if font != "HYSMyeongJo-Medium" else "서울특별시"
    assert read_document(draw(font, *text), ".pdf").pages[0].text == text


def test_lines_that_repeat_are_all_read():
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    file = io.BytesIO()
    canvas = Canvas(file)
    text = canvas.beginText(40, 700)
    text.setFont("STSong-Light", 12)
    for _ in range(4):
        text.textLine("增加公司的收入")
    canvas.drawText(text)
    canvas.save()
    assert read_document(file.getvalue(), ".pdf").pages[0].text.split() == ["增加公司的收入"] * 4


@pytest.mark.parametrize("name", ["000001_2001_annual_full.pdf", "000001_2003_annual_full.pdf"])
def test_pages_of_reports_with_such_fonts_have_the_characters_that_pdfplumber_finds(reports, read_report, name):
    pages = read_report(name).pages
    with pdfplumber.open(reports / name) as witness:
        for number in (2, 6, 40):
            found, expected = (
                Counter(character for character in text if "\u3400" <= character <= "\u9fff")
                for text in (pages[number].text, witness.pages[number].extract_text())
            )
            assert found == expected
            assert found.total() > 100


def test_the_box_is_a_font_of_a_few_hundred_bytes():
    data = box_font()
    assert data.startswith(b"\x00\x01\x00\x00")
    assert len(data) < 500
    assert len(data) % 4 == 0
    # Each table lies within the file and ends before the next begins.
    tables = [data[12 + 16 * place : 28 + 16 * place] for place in range(int.from_bytes(data[4:6], "big"))]
    places = sorted((int.from_bytes(row[8:12], "big"), int.from_bytes(row[12:16], "big")) for row in tables)
    ends = [start + length for start, length in places]
    assert all(end <= start for end, (start, _) in zip(ends, places[1:], strict=False))
    assert ends[-1] <= len(data)
