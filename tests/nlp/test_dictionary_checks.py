"""What is told of a list before it is used: overlaps, broken terms, other meanings, differences."""

import pytest

from nlp.clean import clean
from nlp.dictionary import fold_term
from nlp.dictionary_checks import broken_terms, check_alone, check_pair, compare, is_whole_word, risky_terms
from nlp.surroundings import Surroundings, surroundings, warn_of_surroundings


def kinds(findings) -> list[tuple[str, str]]:
    return [(each.kind, each.term) for each in findings]


def test_a_term_inside_another_is_told_with_the_longer(word_list):
    (finding,) = check_alone(word_list("移动互联", "移动互联网", "数据中心库"))
    assert (finding.kind, finding.term) == ("nested", "移动互联")
    assert "移动互联网" in finding.message


def test_a_latin_term_inside_a_latin_word_is_not_nested_because_it_is_not_counted_there(word_list):
    assert kinds(check_alone(word_list("AI", "EMAIL", "AI芯片"))) == [("nested", "AI"), ("risky", "AI")]
    assert "EMAIL" not in check_alone(word_list("AI", "EMAIL", "AI芯片"))[0].message


def test_a_term_of_the_table_is_told_with_its_other_meaning(word_list):
    (finding,) = check_alone(word_list("征信", "区块链"))
    assert finding.kind == "risky"
    assert "征信记录" in finding.message


def test_two_characters_that_are_not_in_the_table_ask_for_a_look(word_list):
    assert kinds(check_alone(word_list("云盘", "云盘库"))) == [("nested", "云盘"), ("risky", "云盘")]


def test_the_table_of_other_meanings_is_folded_and_gives_every_meaning():
    table = risky_terms()
    assert {"征信", "网联", "5g", "ai", "环保"} <= table.keys()
    assert all(term == fold_term(term) and meaning for term, meaning in table.items())


@pytest.mark.parametrize("segmenter", ["jieba", "rjieba"])
def test_a_term_with_a_mark_in_it_cannot_be_kept_whole(word_list, segmenter):
    # Both segmenters cut at every mark, whatever was added: the rule token never finds such a term.
    found = broken_terms(word_list("线上/线下", "人工智能", "EB级存储", "互联网+"), segmenter)
    assert list(found) == ["线上/线下"]
    assert "".join(found["线上/线下"]) == "线上/线下"
    assert len(found["线上/线下"]) > 1


def test_a_broken_term_is_a_warning_of_the_list(word_list):
    assert ("broken", "线上/线下") in kinds(check_alone(word_list("线上/线下")))


def test_a_number_of_terms_that_differs_from_the_source_is_told(word_list):
    import dataclasses

    dictionary = dataclasses.replace(word_list("区块链", "云计算"), passport={"terms_stated": "3"})
    (finding,) = check_alone(dictionary)
    assert (finding.kind, "3 terms" in finding.message, "holds 2" in finding.message) == ("number_of_terms", True, True)


def test_two_lists_together(word_list):
    first, second = word_list("大数据", "NFC支付", "数字化"), word_list("大数据", "ＮＦＣ 支付", "数字化管理", "化管")
    assert kinds(check_pair(first, second)) == [("shared", ""), ("alike", "NFC支付"), ("nested", "数字化")]
    assert "大数据" in check_pair(first, second)[0].message


def test_the_difference_of_two_lists(word_list):
    first = word_list(cloud=("云计算", "物联网"), data=("大数据", "NFC支付"))
    second = word_list(cloud=("云计算", "大数据"), data=("nfc支付", "区块链"))
    difference = compare(first, second)
    assert difference.only_first == (("cloud", "物联网"),)
    assert difference.only_second == (("data", "区块链"),)
    assert difference.moved == (("大数据", "data", "cloud"),)
    assert difference.common == 2  # 云计算, and NFC支付 in another case


def test_a_list_does_not_differ_from_itself(wu2021):
    difference = compare(wu2021, wu2021)
    assert (difference.only_first, difference.only_second, difference.moved, difference.common) == ((), (), (), 76)


@pytest.mark.parametrize(
    ("text", "start", "end"), [("ai客服", 0, 2), ("email", 2, 4), ("用ai", 1, 3), ("xai", 1, 3), ("人工智能", 0, 2)]
)
def test_whole_words_are_those_of_the_matcher(text, start, end):
    assert is_whole_word(text, start, end) is clean([text]).is_whole_word(start, end)


def test_occurrences_inside_longer_words_and_across_words_are_counted(word_list):
    # By hand: 智能化 once inside one word, 智能 once between marks; 征信 stands alone in the second text.
    found = {
        each.term: each
        for each in surroundings(word_list("智能", "征信"), ["推进智能化建设。智能，", "查询征信，智能化"])
    }
    assert found["智能"] == Surroundings("智能", 3, 2, (("智能化", 2),))
    assert found["智能"].share == pytest.approx(2 / 3)
    assert (found["征信"].hits, found["征信"].in_longer_word) == (1, 0)


def test_a_term_without_a_hit_has_no_share(word_list):
    (found,) = surroundings(word_list("区块链"), ["没有"])
    assert (found.hits, found.share) == (0, 0.0)


@pytest.mark.parametrize(
    ("hits", "inside", "term", "warned"),
    [(10, 2, "智能", True), (10, 1, "智能", False), (4, 4, "智能", False), (10, 9, "绿色建筑", False)],
)
def test_short_terms_are_warned_of_from_a_fifth_of_five_hits_on(word_list, hits, inside, term, warned):
    found = [Surroundings(term, hits, inside, (("智能化", inside),))]
    assert bool(list(warn_of_surroundings(word_list(term), found))) is warned
