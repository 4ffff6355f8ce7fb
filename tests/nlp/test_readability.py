"""Readability: what no report would print is counted by hand, and a document is as readable as its pages."""

import pytest

from nlp.readability import judge, judge_document, judge_text, unmapped_share


@pytest.mark.parametrize("text", ["", " \n\u3000\f"])
def test_a_text_without_a_visible_character_has_no_unmapped_share(text):
    assert unmapped_share(text) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "贵州茅台酒股份有限公司2020年年度报告",
        "貴州茅臺酒股份有限公司二零二零年年度報告",
        "Annual Report 2020, café, naïve",
        "αβγ Ω Дмитрий",
        "①②③ Ⅱ ㎡ ℃ ‰ √ ■ □ ☑ → ≥ ％ ￥ 〇 ㈠",
        "あいう カタカナ 한국어",
        "⼈⼯智能",
    ],
)
def test_what_reports_print_is_mapped(text):
    assert unmapped_share(text) == 0.0


@pytest.mark.parametrize("character", ["\ue000", "\uf8ff", "\ufffd", "\u0378", "ก", "ש", "ع", "अ"])
def test_what_no_report_prints_is_unmapped(character):
    # 1 of 4 visible characters.
    assert unmapped_share(f"大 数\n据{character}") == 0.25


@pytest.mark.parametrize("character", ["\x03", "\x15", "\x1b", "\x7f", "\x90"])
def test_a_control_character_of_a_font_without_a_map_is_unmapped(character):
    assert unmapped_share(f"大 数\n据{character}") == 0.25


@pytest.mark.parametrize("character", ["\0", "\x02", "\x1f", "\t", "\u200b", "\xad", "\ufffe"])
def test_a_control_character_that_readable_reports_hold_is_none_that_counts(character):
    assert unmapped_share(f"大数据{character}") == 0.0


def test_a_private_use_character_that_old_fonts_have_for_a_known_one_is_mapped():
    # Code pages of the nineties keep U+FE10, a vertical comma, at U+E78D.
    assert unmapped_share("大数据\ue78d") == 0.0


def test_a_cid_mark_is_one_character():
    # 4 characters and 2 marks: 2 of 6 are unmapped.
    assert unmapped_share("大数据云(cid:12)(cid:3456)") == 2 / 6


def test_cid_marks_alone_are_all_unmapped():
    assert unmapped_share("(cid:1)" * 5) == 1.0


def test_brackets_with_the_letters_cid_are_no_mark():
    assert unmapped_share("(cid: see glossary)") == 0.0


def test_fault_6_a_page_of_cid_marks_is_garbled():
    assert judge_text("(cid:1234)" * 20) == "garbled"


@pytest.mark.parametrize(
    ("unmapped", "mapped", "status"),
    [
        (5, 95, "garbled"),  # 5 / 100 = 0.05
        (4, 96, "text"),  # 0.04
        (3, 47, "garbled"),  # 3 / 50 = 0.06, and 50 is the smallest page that is judged
        (40, 9, "text"),  # 49 characters are too few to judge
        (0, 1, "text"),
    ],
)
def test_a_page_is_garbled_from_one_unmapped_character_in_twenty(unmapped, mapped, status):
    sentence = "公司大力发展人工智能与大数据业务，推进数字化转型。"
    assert judge_text("\ue123" * unmapped + (sentence * 4)[:mapped]) == status


def test_a_garbled_page_says_how_much_of_it_is_unmapped():
    found = judge("\ue123" * 30 + "数据" * 35)
    assert (found.status, found.visible, found.unmapped) == ("garbled", 100, 0.3)
    assert "30% of its 100 visible characters" in found.note


@pytest.mark.parametrize("text", [" 50", "- 12 -", "11 / 195", "2020\n.\n7", "……"])
def test_a_page_with_nothing_but_its_number_is_blank(text):
    assert judge_text(text) == "blank"


@pytest.mark.parametrize("text", ["第七节 释义", "Notes", "一", "1,234,567.89 8,765,432.10 345"])
def test_a_heading_or_a_row_of_figures_is_text(text):
    assert judge_text(text) == "text"


@pytest.mark.parametrize("text", ["", "\r\n", " \u3000\u00a0\t"])
def test_a_page_of_white_space_is_blank(text):
    assert judge_text(text) == "blank"


def pages(
    text: int = 0, blank: int = 0, scanned: int = 0, garbled: int = 0, sparse: int = 0, ocr: int = 0
) -> list[str]:
    return (
        ["text"] * text
        + ["blank"] * blank
        + ["scanned"] * scanned
        + ["garbled"] * garbled
        + ["sparse"] * sparse
        + ["ocr"] * ocr
    )


@pytest.mark.parametrize(
    ("states", "status"),
    [
        (pages(), "empty"),
        (pages(blank=3), "empty"),
        (pages(text=1), "ok"),
        (pages(text=1, blank=99), "ok"),
        (pages(text=5, scanned=5), "ok"),  # exactly half is readable
        (pages(text=5, scanned=6), "scanned"),
        (pages(text=5, garbled=6), "garbled"),
        (pages(text=5, scanned=4, garbled=2), "scanned"),  # 6 of 11 unreadable, more of them scans
        (pages(text=5, scanned=2, garbled=4), "garbled"),
        (pages(text=5, scanned=3, garbled=3), "scanned"),
        (pages(text=1, blank=50, scanned=2), "scanned"),  # blank pages are no evidence
        (pages(text=1, sparse=1), "ok"),
        (pages(text=1, sparse=2), "sparse"),  # its counts would be zeros
        (pages(text=2, sparse=2, scanned=2, garbled=2), "scanned"),  # 6 of 8 unreadable
        (pages(text=2, sparse=3, garbled=2), "sparse"),
        (pages(ocr=3), "ok"),
        (pages(ocr=2, scanned=2), "ok"),  # recognised pages are readable
        (pages(ocr=1, text=1, garbled=3), "garbled"),
    ],
)
def test_a_document_is_ok_if_half_of_its_filled_pages_are(states, status):
    assert judge_document(states)[0] == status


@pytest.mark.parametrize("states", [pages(), pages(blank=2), pages(scanned=2), pages(garbled=2), pages(sparse=2)])
def test_fault_5_an_unreadable_document_has_a_reason(states):
    assert judge_document(states)[1]


def test_a_readable_document_has_a_note_on_its_unreadable_pages():
    status, reason = judge_document(pages(text=8, scanned=2, garbled=1))
    assert status == "ok"
    assert "2 of 11 pages are scans" in reason
    assert "1 of 11 pages are garbled" in reason


def test_a_wholly_readable_document_has_no_reason():
    assert judge_document(pages(text=3, blank=1)) == ("ok", "")


def test_all_but_empty_pages_between_sections_are_no_matter():
    assert judge_document(pages(text=8, sparse=2)) == ("ok", "")


def test_the_number_of_recognised_pages_is_said_whatever_the_status():
    assert "3 of 4 pages were recognised from their picture by OCR" in judge_document(pages(text=1, ocr=3))[1]
    status, reason = judge_document(pages(ocr=1, scanned=3))
    assert status == "scanned"
    assert reason.startswith("3 of 4 pages are scans")
    assert "1 of 4 pages were recognised" in reason
