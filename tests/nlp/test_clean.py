"""Cleaning: words made whole again, blanks between Latin words kept, every character's way back to its page."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.clean import SENTENCE_WINDOW, CleanText, clean, to_codes, to_text
from nlp.folding import PRIVATE_USE, RADICALS


def sentences(text: CleanText) -> list[str]:
    """Return the sentences of a cleaned text, as their ends cut it."""
    starts = [0, *text.sentence_ends[:-1]]
    return [text.display[start:end] for start, end in zip(starts, text.sentence_ends, strict=True)]


@pytest.mark.parametrize(
    "broken",
    [
        "区块\n链",
        "区块\r\n链",
        "区 块 链",
        "区块\u3000链",
        "区块\u00a0链",
        "区块\x0b链",
        "区块\x1f链",
        "区块\x00链",
        "区块\xad链",
        "区块\ufffe链",
        "区块\x02\n链",
        "区块\u200b链",
        "区块\ufeff链",
        "区块\u2028链",
        " \t区\n \n块\f链 ",
    ],
)
def test_a_chinese_word_is_whole_again_whatever_breaks_it(broken):
    assert clean([broken]).folded == "区块链"


def test_a_chinese_word_broken_over_pages_is_whole_again():
    assert clean(["上一页的区\n", "\n", "块链"]).folded == "上一页的区块链"


@pytest.mark.parametrize("blank", [" ", "   ", "\n", "\r\n", "\u3000", "\u00a0", "\x0b", "\t\n "])
def test_one_blank_stays_between_latin_words(blank):
    assert clean([f"big{blank}data"]).folded == "big data"


def test_one_blank_stays_between_latin_words_on_two_pages():
    assert clean(["the big", "data age"]).folded == "the big data age"


def test_no_blank_stays_between_latin_and_chinese():
    assert clean(["基于 NFC 支付 和 B2B 平台 2020 年"]).display == "基于NFC支付和B2B平台2020年"


def test_no_blank_stays_at_the_ends_or_beside_punctuation():
    assert clean(["  data , big ( cloud )  "]).display == "data,big(cloud)"


@pytest.mark.parametrize("hyphen", ["\xad\n", "\ufffe", "\x02\r\n", "\xad"])
def test_a_latin_word_hyphenated_at_the_line_end_is_whole_again(hyphen):
    assert clean([f"big busi{hyphen}ness data"]).folded == "big business data"


def test_full_width_letters_and_digits_match_as_half_width_and_read_as_printed():
    text = clean(["ＮＦＣ支付Ｂ２Ｂ"])
    assert text.folded == "nfc支付b2b"
    assert text.display == "ＮＦＣ支付Ｂ２Ｂ"


def test_capitals_match_as_small_letters():
    text = clean(["FinTech EB级"])
    assert (text.folded, text.display) == ("fintech eb级", "FinTech EB级")


def test_radicals_and_compatibility_ideographs_match_as_the_usual_characters():
    # U+2F08 is the radical 人, U+2F26 子, U+2F69 白, U+F90A the compatibility ideograph 金.
    text = clean(["\u2f08工智能、电\u2f26商务、\u2f69、\uf90a融"])
    assert text.folded == "人工智能、电子商务、白、金融"
    assert text.chinese_characters == 4 + 4 + 1 + 2


def test_positions_do_not_shift_after_a_character_outside_the_basic_plane():
    text = clean(["𠮷😀 云计算"])
    assert text.folded == "𠮷😀云计算"
    assert text.locate(text.folded.index("云")) == (1, 3)


@pytest.mark.parametrize("pages", [[], [""], ["", ""], [" \n\f\u3000", "\xad"]])
def test_a_document_without_a_visible_character_is_empty(pages):
    text = clean(pages)
    assert (text.display, text.folded) == ("", "")
    assert (text.chinese_characters, text.sentences, text.raw_positions.size) == (0, 0, 0)


def test_empty_pages_keep_their_numbers():
    text = clean(["", "大", "", " ", "数据"])
    assert [text.locate(position) for position in range(3)] == [(2, 0), (5, 0), (5, 1)]


def test_a_form_feed_inside_a_page_does_not_begin_a_page():
    text = clean(["甲\f乙", "丙"])
    assert [text.locate(position) for position in range(3)] == [(1, 0), (1, 2), (2, 0)]


def test_a_character_is_found_at_its_place_in_the_raw_page():
    pages = ["目 录\r\n第一节", "　　公司推进区块\r\n链技术。"]
    text = clean(pages)
    start = text.folded.index("区块链")
    # Page 2: two ideographic blanks, 公司推进 (2-5), 区 6, 块 7, \r\n 8-9, 链 10.
    assert [text.locate(start + step) for step in range(3)] == [(2, 6), (2, 7), (2, 10)]


@pytest.mark.parametrize("text", ["", "abc", "大数据", "𠮷😀", "\ud800大"])
def test_text_comes_back_from_its_code_points(text):
    assert to_text(to_codes(text)) == text


# Characters that have made trouble: blanks of all sorts, hyphens, folds, other planes, ends of sentences.
troublesome = st.text(
    alphabet=st.one_of(
        st.sampled_from("大数据云计算区块链aZ09 Ａ９ｚ\n\r\t\f\x0b\x1f\x02\xad\ufffe\u3000\u00a0\u200b。！；”）"),
        st.sampled_from("⼈⼦金é𠮷😀\ufffd\ue000"),
        st.sampled_from([*RADICALS, *map(chr, PRIVATE_USE)]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


def listed_for(raw: str) -> str | None:
    """Return the character that a radical or a private-use character is listed for."""
    return RADICALS.get(raw) or (chr(PRIVATE_USE[ord(raw)]) if ord(raw) in PRIVATE_USE else None)


def folds_to(raw: str) -> set[str]:
    """Return what a raw character may be matched as: what it is listed for, else itself or NFKC, lower case."""
    listed = listed_for(raw)
    return {listed} if listed else {raw, raw.lower(), unicodedata.normalize("NFKC", raw).lower()}


def is_blank(character: str) -> bool:
    """Return whether a character is white space, a control or format character of the basic plane, or a hyphen mark."""
    is_control = unicodedata.category(character) in ("Cc", "Cf") and character <= "\uffff"
    return character.isspace() or is_control or character == "\ufffe"


@settings(deadline=None, max_examples=300)
@given(st.lists(troublesome, max_size=6))
def test_every_cleaned_character_is_the_folded_raw_character_at_its_place(pages):
    text = clean(pages)
    assert len(text.display) == len(text.folded) == text.raw_positions.size
    assert (np.diff(text.raw_positions) > 0).all()
    joined = "\f".join(pages)
    for position, (shown, matched) in enumerate(zip(text.display, text.folded, strict=True)):
        raw = joined[text.raw_positions[position]]
        if shown == " ":
            assert matched == " "
            assert is_blank(raw)
            continue
        page, offset = text.locate(position)
        assert pages[page - 1][offset] == raw == shown
        assert matched in folds_to(raw)


@settings(deadline=None, max_examples=200)
@given(st.lists(troublesome, max_size=6))
def test_no_visible_character_is_lost_or_added(pages):
    visible = "".join(character for page in pages for character in page if not is_blank(character))
    assert clean(pages).display.replace(" ", "") == visible


@settings(deadline=None, max_examples=200)
@given(st.lists(troublesome, max_size=6))
def test_chinese_characters_are_those_of_an_independent_pattern(pages):
    # Radicals and compatibility ideographs count where NFKC knows their ideograph, or a table of ours.
    folded = "".join(
        listed_for(character)
        or (
            unicodedata.normalize("NFKC", character)
            if re.match(r"[\u2e80-\u2fdf\uf900-\ufaff]", character)
            else character
        )
        for character in "".join(pages)
    )
    assert clean(pages).chinese_characters == len(re.findall(r"[\u3400-\u4dbf\u4e00-\u9fff]", folded))


@settings(deadline=None, max_examples=200)
@given(st.lists(troublesome, max_size=6))
def test_sentences_cut_the_whole_text_and_none_is_empty(pages):
    text = clean(pages)
    assert "".join(sentences(text)) == text.display
    assert all(sentences(text)) or not text.display
    chinese = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
    starts = [0, *text.sentence_ends[:-1]]
    folded = [text.folded[start:end] for start, end in zip(starts, text.sentence_ends, strict=True)]
    assert text.sentences == sum(bool(chinese.search(sentence)) for sentence in folded)


def test_fault_9_no_sentence_loses_its_first_character():
    # cntext's zh_split_sentences returns 数据平台上线 for the second of these.
    text = clean(["公司推进数字化。大数据平台上线。云计算落地。"])
    assert sentences(text) == ["公司推进数字化。", "大数据平台上线。", "云计算落地。"]
    assert text.sentences == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("好！坏？中；末", ["好！", "坏？", "中；", "末"]),
        ("好!坏?中;末", ["好!", "坏?", "中;", "末"]),
        ("他说：“好。”然后走了。", ["他说：“好。”", "然后走了。"]),
        ("（见“注释。”）下文", ["（见“注释。”）", "下文"]),
        ("增长12.5%，至3.6亿元。", ["增长12.5%，至3.6亿元。"]),
        ("没有句号", ["没有句号"]),
    ],
)
def test_a_sentence_ends_after_its_mark_and_the_closing_quotes(text, expected):
    assert sentences(clean([text])) == expected


def test_a_line_that_stops_short_ends_a_sentence_and_a_full_line_does_not():
    # Widths (Chinese = 2): 12, 40, 40, 40, 40, 10. The 90th percentile is 40; 0.85 * 40 = 34.
    full = "公司大力发展人工智能与大数据等数字化业务"
    text = clean([f"经营情况讨论\n{full}\n{full}\n{full}\n{full}\n并且落地。\n第二节"])
    assert sentences(text) == ["经营情况讨论", f"{4 * full}并且落地。", "第二节"]


def test_a_sentence_goes_on_over_the_page_break():
    full = "公司大力发展人工智能与大数据等数字化业务"
    text = clean([f"{full}\n{full}\n{full}", f"{full}\n完。"])
    assert sentences(text) == [f"{4 * full}完。"]


def test_a_hit_across_an_end_is_quoted_to_the_end_of_the_sentence_it_ends_in():
    text = clean(["第一句。第二句。第三句。"])
    # Characters 2-5 are 句。第二: the hit begins in sentence 1 (0-4) and ends in sentence 2 (4-8).
    assert text.sentence_of(2, 6) == (1, 0, 8)


def test_a_hit_that_ends_with_its_sentence_is_quoted_with_that_sentence_only():
    text = clean(["第一句。第二句。第三句。"])
    assert text.sentence_of(4, 8) == (2, 4, 8)


def test_hits_in_one_sentence_have_one_number_and_numbers_ascend():
    text = clean(["云与云。数。链和链和链"])
    numbers = [text.sentence_of(place, place + 1)[0] for place, mark in enumerate(text.folded) if mark in "云数链"]
    assert numbers == [1, 1, 2, 3, 3, 3]


def test_a_quote_reaches_200_characters_to_each_side_at_most():
    assert SENTENCE_WINDOW == 200
    text = clean(["前" * 500 + "区块链" + "后" * 500 + "。"])
    assert text.sentence_of(500, 503) == (1, 300, 703)


@pytest.mark.parametrize(
    ("text", "span", "is_whole"),
    [
        ("b2b2c", (0, 3), False),
        ("b2b2c", (2, 5), False),
        ("b2b2c", (0, 5), True),
        ("做b2b的", (1, 4), True),
        ("the b2b age", (4, 7), True),
        ("25g网", (1, 3), False),
        ("é2b", (1, 3), False),
        ("区块链", (1, 3), True),
        ("5g云", (2, 3), True),
    ],
)
def test_a_latin_word_or_number_is_never_cut_in_two(text, span, is_whole):
    assert clean([text]).is_whole_word(*span) is is_whole


# Letters printed twice to look bold


def test_a_line_printed_twice_to_look_bold_counts_once():
    text = clean(["第第四四节节  管管理理层层讨讨论论\n公司推进数字化转型。"])
    assert text.folded == "第四节管理层讨论公司推进数字化转型。"
    # Every character is the first of its pair.
    assert [int(place) for place in text.raw_positions[:3]] == [0, 2, 4]


@pytest.mark.parametrize(
    "line",
    [
        "天天向上人人为我",
        "……………………",
        "————————",
        "000000001111",
        "谢谢谢谢谢谢谢谢",
        "大大数数据",
        "大大数数据据库",
        "区区块块",
    ],
)
def test_what_only_looks_doubled_stays(line):
    assert clean([line]).folded == line


def test_doubling_is_undone_line_by_line():
    assert clean(["大大数数据据平平台台\n大数据平台\n11..云云计计算算"]).folded == "大数据平台大数据平台1.云计算"


# Running headers and page numbers, moved behind the rest


def test_edges_stand_behind_the_rest_as_sentences_of_their_own():
    pages = ["公司建设大数", "年报\n7\n据平台。"]
    start = len(pages[0]) + 1
    text = clean(pages, [(start, start + 2), (start + 3, start + 4)])
    assert text.display == "公司建设大数据平台。年报7"
    assert text.body_length == 10
    assert sentences(text) == ["公司建设大数据平台。", "年报", "7"]
    assert text.locate(text.folded.index("年报")) == (2, 0)
    assert text.locate(text.folded.index("据平台")) == (2, 5)


def test_edges_change_no_count_of_characters():
    pages = ["示例公司\n正文第一页。", "示例公司\n正文第二页。"]
    start = len(pages[0]) + 1
    moved = clean(pages, [(0, 4), (start, start + 4)])
    assert moved.chinese_characters == clean(pages).chinese_characters == 18
    assert sentences(moved) == ["正文第一页。", "正文第二页。", "示例公司", "示例公司"]


def test_a_text_that_is_all_edges_has_no_body():
    text = clean(["12"], [(0, 2)])
    assert (text.display, text.body_length, list(text.sentence_ends)) == ("12", 0, [2])


@given(
    st.lists(st.text("数据A1 。\n年", max_size=12), min_size=1, max_size=5),
    st.lists(st.integers(0, 60), max_size=6, unique=True),
)
@settings(max_examples=200, deadline=None)
def test_moving_edges_loses_and_makes_no_character(pages, bounds):
    bounds = sorted(bounds)[: len(bounds) // 2 * 2]
    edges = list(zip(bounds[::2], bounds[1::2], strict=True))
    text = clean(pages, edges)
    raw = "\f".join(pages)
    visible = [place for place, character in enumerate(raw) if not character.isspace()]
    shown = [int(place) for place, character in zip(text.raw_positions, text.display, strict=True) if character != " "]
    assert sorted(shown) == visible
    body = [place for place in shown if not any(start <= place < end for start, end in edges)]
    assert shown[: len(body)] == body == sorted(body)
    assert list(text.sentence_ends)[-1] == len(text.display)
    assert all(np.diff(text.sentence_ends) > 0)


# Private-use characters and traditional ones


def test_private_use_characters_of_old_gbk_fonts_are_the_ones_they_stand_for():
    # GB 18030: FE5A is U+359E, U+E81F in Microsoft's old code page 936; A6D9 is the vertical comma.
    assert clean(["\ue81f"]).folded == "\u359e"
    assert clean(["\ue78d"]).folded == "\ufe10"


def test_private_use_characters_without_a_meaning_are_counted():
    text = clean(["\uf06c 数据\ue000\ufffd"])
    assert text.unmapped_characters == 3
    assert clean(["数据"]).unmapped_characters == 0


def test_traditional_characters_are_matched_as_simplified_by_choice_and_shown_as_printed():
    printed = "雲計算、區塊鏈與數據"
    text = clean([printed], script="simplified")
    assert (text.display, text.folded) == (printed, "云计算、区块链与数据")
    assert clean([printed]).folded == printed


def test_simplified_text_stays_as_it_is_under_either_script(wu2021):
    terms = "，".join(wu2021.terms)
    assert clean([terms], script="simplified").folded == clean([terms]).folded


def test_radicals_of_both_blocks_are_the_ideographs_they_are_printed_for():
    # U+2EC4, U+2ED3, U+2EE9 and the Kangxi radical U+2F26.
    assert clean(["⻄⻓⻩⼦"]).folded == "西长黄子"
    assert clean(["⻄⻓⻩⼦"]).chinese_characters == 4
