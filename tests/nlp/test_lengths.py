"""Lengths of parts of a text, against counts by hand and against a second computation on real reports."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from nlp.clean import clean
from nlp.contents import find_contents
from nlp.furniture import edge_spans, find_furniture, inner_spans
from nlp.layout import lay_out
from nlp.lengths import Lengths, count_lengths
from nlp.sections import find_sections
from nlp.segment import build_cutter, chinese_token_starts


def lengths(pages: Sequence[str], spans, left_out=(), edges=()):
    text = clean(pages, edges)
    # One token a character keeps the arithmetic by hand.
    starts = chinese_token_starts(list(text.folded))
    return count_lengths(text, starts, spans, left_out)


PAGE = "公司年报\n数字化转型。云计算，大数据。\n第二页"
#       0123 4 5..9  10  11..13 14 15..17 18


def test_the_whole_text_by_hand():
    # 4 + 5 + 3 + 3 + 3 Chinese characters; the short first line is a sentence of its own.
    assert lengths([PAGE], [(0, len(PAGE))]) == [Lengths(18, 18, 4)]


def test_a_span_counts_what_lies_in_it_and_every_sentence_it_reaches_into():
    start, end = PAGE.index("字化"), PAGE.index("云计") + 2
    # 字化转型 and 云计: six characters, of two sentences.
    assert lengths([PAGE], [(start, end)]) == [Lengths(6, 6, 2)]


def test_what_is_left_out_counts_in_nothing():
    start = PAGE.index("云计算")
    left_out = [(start, start + len("云计算，大数据。"))]
    assert lengths([PAGE], [(0, len(PAGE))], left_out) == [Lengths(12, 12, 3)]


def test_running_headers_belong_to_no_span():
    pages = ["年度报告\n数字化", "年度报告\n转型发展。"]
    edges = [(0, 4), (len(pages[0]) + 1, len(pages[0]) + 5)]
    # One sentence goes on over the page break.
    assert lengths(pages, [(0, 99)], edges=edges) == [Lengths(7, 7, 1)]


@pytest.mark.parametrize("span", [(0, 0), (5, 5), (40, 50)])
def test_an_empty_span_has_no_length(span):
    assert lengths([PAGE], [span]) == [Lengths(0, 0, 0)]


def test_an_empty_text_has_no_length():
    assert lengths([""], [(0, 0)]) == [Lengths(0, 0, 0)]


def test_latin_words_are_no_tokens():
    text = clean(["ERP 系统 2020"])
    starts = chinese_token_starts(["erp", " ", "系统", "2020"])
    assert np.array_equal(starts, [4])
    assert count_lengths(text, starts, [(0, 11)]) == [Lengths(2, 1, 1)]


@pytest.mark.parametrize(
    "name", ["600519_2020_annual_full.pdf", "000001_2005_annual_full.pdf", "000008_2018_annual.txt"]
)
def test_characters_of_real_sections_counted_twice(read_report, name):
    pages = [page.text for page in read_report(name).pages]
    layout = lay_out(pages)
    contents = find_contents(layout)
    found = find_sections(pages, layout, contents)
    marks = find_furniture(layout, contents, found)
    text = clean(pages, edge_spans(marks, layout.page_starts))
    starts = chinese_token_starts(build_cutter("rjieba")(text.folded))
    inner = inner_spans(marks, layout.page_starts)
    spans = [
        (
            layout.page_starts[section.start_page - 1] + section.start_offset,
            layout.page_starts[section.end_page - 1] + section.end_offset,
        )
        for section in found.sections
    ]
    joined = list("\f".join(pages))
    for mark in marks:
        start = layout.page_starts[mark.page - 1]
        joined[start + mark.start : start + mark.end] = " " * (mark.end - mark.start)
    for span, length in zip(spans, count_lengths(text, starts, spans, inner), strict=True):
        raw = "".join(joined[slice(*span)])
        assert length.chinese_characters == len(re.findall(r"[\u3400-\u4dbf\u4e00-\u9fff\u2e80-\u2fdf]", raw))
        assert 0 <= length.tokens <= length.chinese_characters
        assert (length.sentences > 0) == (length.chinese_characters > 0)
