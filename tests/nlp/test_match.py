"""Matching: three declared rules against hand counts, a naive matcher, and a segmentation of the whole text."""

import re
from collections import Counter
from functools import cache

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.clean import clean
from nlp.dictionary import Dictionary, Dimension
from nlp.match import Matcher

# Two PDF files and a text file, each with hits.
REPORTS_TO_SEGMENT = ("600519_2020_annual_full.pdf", "000008_2016_annual_full.pdf", "000004_2018_annual.txt")


@pytest.fixture
def find(word_list):
    """Find terms in pages; returns the terms found, from left to right."""

    def run(rule, terms, *pages):
        return [match.term for match in Matcher(word_list(*terms), rule).find(clean(pages))]

    return run


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("substring", ["移动互联", "移动互联网", "移动互联"]),
        ("longest", ["移动互联网", "移动互联"]),
        ("token", ["移动互联网", "移动互联"]),
    ],
)
def test_a_nested_term_counts_beside_the_longer_one_only_by_substring(find, rule, expected):
    text = "公司布局移动互联网，并且推进移动互联。"
    assert find(rule, ["移动互联", "移动互联网"], text) == expected


def test_longest_takes_the_leftmost_of_overlapping_terms(find):
    # 数据云 begins before 云计算 and takes the 云.
    assert find("longest", ["数据云", "云计算"], "大数据云计算") == ["数据云"]
    assert find("substring", ["数据云", "云计算"], "大数据云计算") == ["数据云", "云计算"]


def test_every_place_of_a_term_that_overlaps_itself_counts_by_substring(find):
    # 云云云云 holds 云云 at 0, 1 and 2; from the left without overlap at 0 and 2.
    assert len(find("substring", ["云云"], "云云云云")) == 3
    assert len(find("longest", ["云云"], "云云云云")) == 2


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
def test_fault_2_b2b2c_is_neither_b2b_nor_b2c(find, rule):
    assert find(rule, ["B2B", "B2C"], "公司的B2B2C平台") == []


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
def test_latin_terms_count_as_whole_words_only(find, rule):
    text = "B2B、B2C 和 AB2B、B2B1、2B2B；做B2B的B2B。 the B2B age"
    # Whole: the first B2B, B2C, the two in 做B2B的B2B, and the last: 4 B2B and 1 B2C.
    assert Counter(find(rule, ["B2B", "B2C"], text)) == {"B2B": 4, "B2C": 1}


@pytest.mark.parametrize("rule", ["substring", "longest"])
def test_a_short_latin_term_does_not_hit_inside_words(find, rule):
    # AI inside MAIN and EMAIL is the known trap of case-folded lists.
    assert find(rule, ["AI"], "MAIN BOARD, EMAIL：a@b.cn，AI芯片与ai、5AI") == ["AI", "AI"]


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
@pytest.mark.parametrize("printed", ["NFC支付", "NFC 支付", "ＮＦＣ支付", "nfc支付", "NFC\u3000支\n付", "Ｎfc\xa0支付"])
def test_a_term_is_found_in_any_width_case_and_spacing(find, rule, printed):
    assert find(rule, ["NFC支付"], f"推广{printed}。") == ["NFC支付"]


@pytest.mark.parametrize("term", ["ＮＦＣ支付", "nfc支付", "NFC 支付"])
def test_the_dictionary_may_print_a_term_in_any_width_case_and_spacing(find, term):
    assert find("substring", [term], "推广NFC支付。") == [term]


@pytest.mark.parametrize("term", ["big data", "Web 2.0", "internet of things"])
@pytest.mark.parametrize("rule", ["substring", "longest"])
def test_a_term_of_several_latin_words_is_found(find, rule, term):
    assert find(rule, [term], f"公司的{term}，{term.upper()}。") == [term, term]


def test_a_term_of_several_latin_words_is_found_across_a_line_break(find):
    assert find("longest", ["big data"], "the big\ndata age") == ["big data"]


@pytest.mark.parametrize(
    "term", ["互联网+", "互联网＋", "云服务(SaaS)", "云服务（SaaS）", "A/B测试", "数据·云", "Ⅱ型", "1.5度", "Δ值"]
)
@pytest.mark.parametrize("rule", ["substring", "longest"])
def test_a_term_is_found_where_the_text_prints_it_as_the_dictionary_does(find, rule, term):
    assert find(rule, [term], f"推进{term}行动") == [term]


def test_internet_plus_is_found_with_a_full_width_plus(find):
    assert find("longest", ["互联网+"], "推进“互联网＋”行动与“互联网+”行动") == ["互联网+", "互联网+"]


@pytest.mark.parametrize("hidden", ["\u200b", "\ufeff", "\xad"])
def test_an_invisible_character_copied_into_a_term_does_not_hide_it(find, hidden):
    assert find("longest", [f"大{hidden}数据"], "发展大数据。") == [f"大{hidden}数据"]


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
def test_fault_2_a_term_broken_over_lines_and_pages_is_found(find, rule):
    pages = ("公司布局区块\r\n链技术，推进区\n块链", "应用，布局区块", "链。")
    assert find(rule, ["区块链"], *pages) == ["区块链"] * 3


def test_fault_3_a_longer_term_of_the_list_takes_the_false_hit_inside_it(find):
    # 网联 is not meant in 车联网联合: by substring it counts, by longest match 车联网 has taken its 网.
    text = "车联网联合创新，网联汽车"
    assert find("substring", ["网联", "车联网"], text) == ["车联网", "网联", "网联"]
    assert find("longest", ["网联", "车联网"], text) == ["车联网", "网联"]


@pytest.mark.parametrize(
    ("text", "term"), [("不断完善大数据平台", "大数据"), ("不仅包括区块链", "区块链"), ("发展无人零售", "无人零售")]
)
def test_fault_4_a_preceding_bu_or_wu_does_not_remove_a_hit(find, text, term):
    assert find("longest", [term], text) == [term]


def test_spans_terms_and_dimensions_of_hits(word_list):
    matcher = Matcher(word_list(cloud=("云计算",), pay=("NFC支付", "支付")), "substring")
    found = [(m.start, m.end, m.term, m.dimension) for m in matcher.find(clean(["用NFC 支付和云\n计算"]))]
    # Cleaned: 用0 N1 F2 C3 支4 付5 和6 云7 计8 算9.
    assert found == [(1, 6, "NFC支付", "pay"), (4, 6, "支付", "pay"), (7, 10, "云计算", "cloud")]


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
@pytest.mark.parametrize("pages", [[], [""], ["没有词"], ["2020"]])
def test_a_text_without_a_term_has_no_hits(find, rule, pages):
    assert find(rule, ["区块链"], *pages) == []


def test_the_sentences_with_hits_are_never_more_than_the_sentences(word_list):
    # The measure sentence_share divides the ones by the others; an annual report in two languages has such lines.
    text = clean(["公司概况。B2B! B2C! Fintech!"])
    matches = Matcher(word_list("B2B", "B2C", "Fintech"), "longest").find(text)
    assert len(matches) == 3
    # 1 sentence with Chinese text; the three after it have number 0, which is stored as null and not counted.
    assert text.sentences == 1
    assert [text.sentence_of(m.start, m.end)[0] for m in matches] == [0, 0, 0]


@pytest.mark.parametrize("rule", ["substring", "longest", "token"])
def test_a_text_with_characters_outside_the_basic_plane_keeps_its_spans(word_list, rule):
    text = clean(["😀𠮷，区块链"])
    (match,) = Matcher(word_list("区块链"), rule).find(text)
    assert (match.start, match.end, text.display[match.start : match.end]) == (3, 6, "区块链")


# An independent matcher: every place, every term, boundaries by look-arounds.
def naive_substring(text: str, terms: list[str]) -> list[tuple[int, int, str]]:
    found = []
    for term in terms:
        before = "(?<![0-9a-z])" if re.match("[0-9a-z]", term) else ""
        after = "(?![0-9a-z])" if re.match("[0-9a-z]", term[-1]) else ""
        pattern = re.compile(f"(?={before}{re.escape(term)}{after})")
        found += [(hit.start(), hit.start() + len(term), term) for hit in pattern.finditer(text)]
    return sorted(found)


def naive_longest(text: str, terms: list[str]) -> list[tuple[int, int, str]]:
    by_start: dict[int, tuple[int, int, str]] = {}
    for hit in naive_substring(text, terms):
        by_start[hit[0]] = max(hit, by_start.get(hit[0], hit), key=lambda span: span[1])
    taken, position = [], 0
    while position < len(text):
        hit = by_start.get(position)
        if hit:
            taken.append(hit)
        position = hit[1] if hit else position + 1
    return taken


few_letters = st.text(alphabet="云数链ab1 。", max_size=30)
few_terms = st.lists(st.text(alphabet="云数链ab1", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@pytest.mark.parametrize(("rule", "naive"), [("substring", naive_substring), ("longest", naive_longest)])
@settings(deadline=None, max_examples=300)
@given(pages=st.lists(few_letters, max_size=3), terms=few_terms)
def test_the_matches_are_those_of_a_naive_matcher(rule, naive, pages, terms):
    dictionary = Dictionary("t", "t", "t", "t", False, (Dimension("one", "一", "one", tuple(terms)),))
    text = clean(pages)
    found = [(match.start, match.end, match.term) for match in Matcher(dictionary, rule).find(text)]
    assert found == naive(text.folded, terms)


@pytest.mark.parametrize(("rule", "naive"), [("substring", naive_substring), ("longest", naive_longest)])
@settings(deadline=None, max_examples=200)
@given(pages=st.lists(few_letters, max_size=3), terms=few_terms, window=st.integers(1, 9))
def test_the_matches_do_not_depend_on_the_windows_they_are_looked_for_in(rule, naive, pages, terms, window):
    dictionary = Dictionary("t", "t", "t", "t", False, (Dimension("one", "一", "one", tuple(terms)),))
    text = clean(pages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nlp.match.WINDOW", window)
        found = [(match.start, match.end, match.term) for match in Matcher(dictionary, rule).find(text)]
    assert found == naive(text.folded, terms)


@cache
def tokenizer_with(terms: tuple[str, ...]) -> jieba.Tokenizer:
    """Return a jieba of its own with terms added, as often as jieba itself suggests on its stock dictionary."""
    stock = jieba.Tokenizer()
    frequencies = {term: stock.suggest_freq(term) for term in terms}
    for term, frequency in frequencies.items():
        stock.add_word(term, frequency)
    return stock


def spans_of_full_segmentation(text: str, terms: list[str]) -> list[tuple[int, int, str]]:
    """Cut the whole text with jieba and return the spans of the tokens that are terms."""
    tokenizer = tokenizer_with(tuple(terms))
    spans, start = [], 0
    for token in tokenizer.lcut(text):
        if token in terms:
            spans.append((start, start + len(token), token))
        start += len(token)
    return spans


@pytest.mark.parametrize("segmenter", ["rjieba", "jieba"])
def test_token_hits_are_tokens_of_the_whole_text(word_list, segmenter):
    terms = ["区块链", "移动互联", "移动互联网", "征信", "物联网", "网联", "nfc支付", "大数据", "数据挖掘", "b2b"]
    text = clean(
        [
            "公司布局移动互联网与移动互联技术，推进大数据挖掘、数据挖掘和大数据平台；征信息披露，征信体系。",
            "物联网络科技有限公司／车联网联合创新，NFC支付 2020 年 B2B 平台（区块链）“区块\n链”"
            + "长" * 600
            + "区块链",
            "无标点的一段" * 100 + "大数据" + "无标点的一段" * 100 + "大数据挖掘",
        ]
    )
    found = [(m.start, m.end, m.term) for m in Matcher(word_list(*terms), "token", segmenter).find(text)]
    expected = spans_of_full_segmentation(text.folded, terms)
    assert found == expected
    assert len({term for _, _, term in expected}) >= 7


@pytest.mark.parametrize("name", REPORTS_TO_SEGMENT)
def test_token_hits_in_a_real_report_are_tokens_of_its_whole_text(cleaned_report, wu2021, name):
    text = cleaned_report(name)
    folded_terms = {"".join(term.split()).lower(): term for term in wu2021.terms}
    expected = [
        (start, end, folded_terms[token])
        for start, end, token in spans_of_full_segmentation(text.folded, list(folded_terms))
        if text.is_whole_word(start, end)
    ]
    found = [(m.start, m.end, m.term) for m in Matcher(wu2021, "token").find(text)]
    assert found == expected
    assert found
