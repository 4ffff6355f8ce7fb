"""Running headers, page numbers, contents and glossary: marked where they stand, and nothing else."""

from collections import Counter
from itertools import pairwise

import pytest

from nlp.clean import clean
from nlp.contents import find_contents
from nlp.furniture import EDGE_KINDS, edge_spans, find_furniture, inner_spans
from nlp.layout import lay_out
from nlp.sections import find_sections

HEADER = "示例科技股份有限公司2020年年度报告全文"
# A sign for each page: lines are compared without their numbers, and no two pages of a report are alike.
SIGNS = "零甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


def marks_of(pages):
    layout = lay_out(pages)
    contents = find_contents(layout)
    return find_furniture(layout, contents, find_sections(pages, layout, contents))


def marked(pages):
    """Return kind, page and text of each mark."""
    return [(mark.kind, mark.page, pages[mark.page - 1][mark.start : mark.end]) for mark in marks_of(pages)]


def report(number_of_pages=12, body="公司持续推进数字化建设，加大研发投入，提升运营效率", numbers=True):
    """Return pages with a running header and a page number above their text, as PDFium extracts them."""
    number = "{}\r\n" if numbers else ""
    return [
        f"{HEADER}\r\n{number.format(page)}{body}{SIGNS[page]}段\r\n本页其余内容{SIGNS[page]}项。\r\n"
        for page in range(1, number_of_pages + 1)
    ]


def test_headers_and_page_numbers_are_marked_on_every_page_and_nothing_else_is():
    found = marked(report())
    assert [item for item in found if item[0] == "running_header"] == [
        ("running_header", page, HEADER) for page in range(1, 13)
    ]
    assert [item for item in found if item[0] == "page_number"] == [
        ("page_number", page, str(page)) for page in range(1, 13)
    ]
    assert len(found) == 24


def test_a_header_of_five_lines_is_marked_to_its_last_line():
    lines = "示例银行股份有限公司\n财务报表附注（续）\n2008年12月31日\n(除特别注明外，金额单位均为人民币千元)\n"
    pages = [f"{lines}{page}\n四、附注{SIGNS[page]}项说明\n本行{SIGNS[page]}类余额如下：\n" for page in range(1, 21)]
    on_page = [text for kind, page, text in marked(pages) if page == 7]
    # The date holds nothing but digits and 年月日, which is enough to know it again.
    assert on_page == [*lines.strip().split("\n"), "7"]


def test_a_line_that_repeats_inside_the_text_is_no_header():
    pages = [f"{HEADER}\n公司{SIGNS[page]}项业务。\n适用 不适用\n其他{SIGNS[page]}项说明。" for page in range(1, 13)]
    assert {text for _, _, text in marked(pages)} == {HEADER}


def test_a_sentence_is_no_header_however_often_it_stands_atop_a_page():
    pages = [f"{HEADER}\n本页无重大变化。\n公司{SIGNS[page]}项业务。\n" for page in range(1, 13)]
    assert {text for _, _, text in marked(pages)} == {HEADER}


def test_a_bare_number_atop_a_page_that_numbers_nothing_is_text():
    # A table goes on at the top of three pages with figures that have nothing to do with the page.
    pages = report(numbers=False)
    for page in (3, 6, 9):
        pages[page - 1] = pages[page - 1].replace(HEADER + "\r\n", f"{HEADER}\r\n{7 * page}\r\n")
    assert [item for item in marked(pages) if item[0] == "page_number"] == []


@pytest.mark.parametrize("style", ["{}", "- {} -", "第 {} 页", "{} / 12", "第{}页共12页"])
def test_page_numbers_in_all_styles(style):
    pages = [
        f"公司{SIGNS[page]}项业务发展良好。\n其他事项{SIGNS[page]}段\n{style.format(page)}\n" for page in range(1, 13)
    ]
    assert [text for kind, _, text in marked(pages) if kind == "page_number"] == [
        style.format(page) for page in range(1, 13)
    ]


def test_printed_numbers_may_be_shifted_against_the_pages():
    pages = [f"{page + 2}\n公司{SIGNS[page]}项业务发展良好。\n其他事项{SIGNS[page]}段\n" for page in range(1, 13)]
    assert [text for kind, _, text in marked(pages) if kind == "page_number"] == [
        str(page + 2) for page in range(1, 13)
    ]


def test_a_text_without_page_breaks_keeps_its_ascending_numbers():
    body = "公司持续推进业务发展，本年度实现稳步增长。" * 30
    text = "".join(f"{body}\n{page} \n{HEADER} \n" for page in range(3, 30))
    # A table of single figures in between is no sequence of pages.
    text = text.replace("\n9 \n", "\n9 \n合计\n2 \n5 \n1 \n", 1)
    found = marked([text])
    assert [shown for kind, _, shown in found if kind == "page_number"] == [str(page) for page in range(3, 30)]
    assert Counter(kind for kind, _, _ in found)["running_header"] >= 25


CONTENTS = "目录\n" + "".join(
    f"第{number}节 {title}{'.' * 40}{page}\n"
    for number, title, page in (
        ("一", "释义", 3),
        ("二", "公司简介和主要财务指标", 4),
        ("三", "公司业务概要", 5),
        ("四", "经营情况讨论与分析", 6),
        ("五", "重要事项", 7),
    )
)
GLOSSARY = (
    "第一节 释义\n释义项 指 释义内容\n公司、本公司 指 示例科技股份有限公司\n"
    "大数据 指 规模巨大的数据集合\n报告期 指 2020 年度\n"
)


def full_report():
    """Return a report with contents and a glossary, each page with its header."""
    texts = [
        "示例科技股份有限公司\n2020年年度报告\n",
        CONTENTS,
        GLOSSARY,
        "第二节 公司简介和主要财务指标\n公司的中文名称 示例科技股份有限公司\n",
        "第三节 公司业务概要\n公司从事软件开发。\n",
        "第四节 经营情况讨论与分析\n公司的目标 指 明确的方向。\n公司建设大数据平台。\n",
        "第五节 重要事项\n本年度无重大事项。\n",
        "其他事项。\n",
    ]
    return [f"{HEADER}\n{page}\n{text}" for page, text in enumerate(texts, start=1)]


def test_contents_and_glossary_rows_are_marked_with_their_first_and_last_line():
    found = marked(full_report())
    contents = [text for kind, _, text in found if kind == "contents"]
    assert contents == [CONTENTS.strip()]
    glossary = [text for kind, _, text in found if kind == "glossary"]
    assert glossary == [GLOSSARY.removeprefix("第一节 释义\n").strip()]


def test_a_sentence_with_the_word_for_means_outside_the_glossary_is_text():
    assert not any("明确的方向" in text for _, _, text in marked(full_report()))


def test_marks_are_in_order_and_never_overlap(read_report):
    for name in ("600519_2020_annual_full.pdf", "000008_2018_annual.txt", "000001_2008_annual_full.pdf"):
        marks = marks_of([page.text for page in read_report(name).pages])
        places = [(mark.page, mark.start, mark.end) for mark in marks]
        assert places == sorted(places)
        assert all(start < end for _, start, end in places)
        for before, after in pairwise(places):
            assert before[0] < after[0] or before[2] <= after[1]


def test_edges_and_inner_furniture_are_told_apart():
    pages = full_report()
    marks = marks_of(pages)
    starts = lay_out(pages).page_starts
    assert len(edge_spans(marks, starts)) + len(inner_spans(marks, starts)) == len(marks)
    assert len(inner_spans(marks, starts)) == sum(mark.kind not in EDGE_KINDS for mark in marks) == 2


# Counted in the reports: every page carries the header and its number, the cover aside where it says so.
REAL = {
    "600519_2020_annual_full.pdf": (120, 120),
    "000008_2016_annual_full.pdf": (196, 196),
    "002099_2019_annual_full.pdf": (204, 204),
    "000001_2001_annual_full.pdf": (107, 116),
}


@pytest.mark.parametrize("name", REAL)
def test_real_reports_have_their_header_and_number_on_every_page(read_report, name):
    kinds = Counter(mark.kind for mark in marks_of([page.text for page in read_report(name).pages]))
    assert (kinds["running_header"], kinds["page_number"]) == REAL[name]


def test_a_word_goes_on_past_the_header_of_the_next_page():
    pages = [
        f"{HEADER}\n{page}\n公司建设大数\n" if page == 4 else f"{HEADER}\n{page}\n据平台{SIGNS[page]}期。\n"
        for page in range(1, 9)
    ]
    marks = marks_of(pages)
    text = clean(pages, edge_spans(marks, lay_out(pages).page_starts))
    assert "公司建设大数据平台戊期。" in text.display
    start = text.folded.index("大数据平台戊期")
    assert [text.locate(start), text.locate(start + 2)] == [
        (4, pages[3].index("大数")),
        (5, pages[4].index("据平台")),
    ]
