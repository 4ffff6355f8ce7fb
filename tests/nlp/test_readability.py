"""Readability: what no report would print is counted by hand, and a document is as readable as its pages."""

import pytest

from nlp.readability import judge_document, judge_text, unmapped_share


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


def test_a_cid_mark_counts_with_all_its_characters():
    # (cid:12) has 8 characters; 7 a mark are counted, so of 4 + 16 characters 14 are unmapped.
    assert unmapped_share("大数据云(cid:12)(cid:34)") == 14 / 20


def test_cid_marks_alone_are_never_over_1():
    assert unmapped_share("(cid:1)" * 5) == 1.0


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
    assert judge_text("\ue123" * unmapped + "数" * mapped) == status


@pytest.mark.parametrize("text", ["", "\r\n", " \u3000\u00a0\t"])
def test_a_page_of_white_space_is_blank(text):
    assert judge_text(text) == "blank"


def pages(text: int = 0, blank: int = 0, scanned: int = 0, garbled: int = 0) -> list[str]:
    return ["text"] * text + ["blank"] * blank + ["scanned"] * scanned + ["garbled"] * garbled


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
    ],
)
def test_a_document_is_ok_if_half_of_its_filled_pages_are(states, status):
    assert judge_document(states)[0] == status


@pytest.mark.parametrize("states", [pages(), pages(blank=2), pages(scanned=2), pages(garbled=2)])
def test_fault_5_an_unreadable_document_has_a_reason(states):
    assert judge_document(states)[1]


def test_a_readable_document_has_a_note_on_its_unreadable_pages():
    status, reason = judge_document(pages(text=8, scanned=2, garbled=1))
    assert status == "ok"
    assert "2 of 11 pages are scans" in reason
    assert "1 of 11 pages are garbled" in reason


def test_a_wholly_readable_document_has_no_reason():
    assert judge_document(pages(text=3, blank=1)) == ("ok", "")
