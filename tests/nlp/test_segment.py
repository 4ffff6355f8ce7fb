"""Segmentation: jieba and its Rust twin get the same words, in every process, and count the same."""

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import jieba
import pytest
import rjieba

from nlp.clean import clean
from nlp.dictionary import Dictionary, Dimension, fold_term
from nlp.match import Matcher
from nlp.segment import build_cutter, count_tokens, segmenter_version, term_frequencies

SEGMENTERS = ("rjieba", "jieba")
TEXT = "公司建成投资决策辅助系统，投资决策辅助系统与差分隐私技术上线。NFC支付与区块链。"
# Mainland, Hong Kong in traditional characters, English, a quarterly report: about 3 s of jieba together.
REPORTS_TO_COUNT = (
    "600519_2020_annual_full.pdf",
    "000585_2018Q1_quarterly.pdf",
    "HK00007_2020_mda_zh_hant.txt",
    "HK02324_2021_annual_full_bilingual.pdf",
    "HK01161_2021_annual_full_en.pdf",
)


@pytest.fixture
def readable_names(reports):
    """Names of the shared reports that hold text."""
    names = sorted(path.name for path in reports.iterdir() if path.suffix in (".pdf", ".txt"))
    return [name for name in names if "lfs_pointer" not in name and "scan_ocr" not in name]


def count_in_this_process(segmenter: str) -> dict[str, int]:
    """Count three terms by the rule ``token``, with a matcher built in the process that runs this."""
    terms = ("投资决策辅助系统", "差分隐私技术", "NFC支付")
    dictionary = Dictionary("t", "t", "t", "t", False, (Dimension("one", "一", "one", terms),))
    return dict(Counter(match.term for match in Matcher(dictionary, "token", segmenter).find(clean([TEXT]))))


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_without_the_terms_a_segmenter_takes_them_apart(segmenter):
    tokens = build_cutter(segmenter)(clean([TEXT]).folded)
    assert not {"投资决策辅助系统", "差分隐私技术", "nfc支付"} & set(tokens)


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_fault_1_terms_are_whole_in_a_spawned_process(segmenter):
    # By hand in TEXT: 投资决策辅助系统 twice, 差分隐私技术 once, NFC支付 once.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        counts = pool.submit(count_in_this_process, segmenter).result(timeout=60)
    assert counts == {"投资决策辅助系统": 2, "差分隐私技术": 1, "NFC支付": 1}


def test_the_stock_dictionary_of_the_process_is_left_alone():
    before = jieba.lcut("差分隐私技术")
    build_cutter("jieba", ["差分隐私技术"])
    assert jieba.lcut("差分隐私技术") == before
    assert len(before) > 1


def test_both_segmenters_are_given_the_same_frequencies(monkeypatch, wu2021):
    given: dict[str, dict[str, int]] = {"rjieba": {}, "jieba": {}}

    class Rust:
        def __init__(self):
            self.stock = rust_class()

        def suggest_freq(self, term):
            return self.stock.suggest_freq(term)

        def add_word(self, term, frequency, tag):
            given["rjieba"][term] = frequency

    rust_class = rjieba.Jieba
    monkeypatch.setattr(rjieba, "Jieba", Rust)
    monkeypatch.setattr(jieba.Tokenizer, "add_word", lambda _, term, freq: given["jieba"].update({term: freq}))
    folded = [fold_term(term) for term in wu2021.terms]
    for segmenter in SEGMENTERS:
        build_cutter(segmenter, folded)
    assert len(given["jieba"]) == 76
    assert given["rjieba"] == given["jieba"]


def test_fault_14_frequencies_are_jiebas_own_suggestion_give_or_take_one(wu2021):
    # A frequency of 0 would remove a word instead of adding it.
    stock = jieba.Tokenizer()
    frequencies = term_frequencies([fold_term(term) for term in wu2021.terms])
    assert all(abs(value - stock.suggest_freq(term)) <= 1 for term, value in frequencies.items())
    assert min(frequencies.values()) >= 1


def test_frequencies_do_not_depend_on_the_order_of_the_terms():
    terms = ["移动互联网", "移动互联", "大数据", "数据挖掘", "大数据平台"]
    assert term_frequencies(terms) == term_frequencies(terms[::-1])


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_fault_14_a_short_latin_term_does_not_count_inside_a_longer_word(word_list, segmenter):
    # Adding lic to jieba splits license into lic and ense (its issue 514).
    matcher = Matcher(word_list("lic", "B2B"), "token", segmenter)
    matches = matcher.find(clean(["the license of B2B2C 和 lic"]))
    assert [match.term for match in matches] == ["lic"]


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_a_longer_term_is_whole_although_a_shorter_one_is_in_the_list_too(word_list, segmenter):
    pairs = {
        "移动互联": "移动互联网",
        "神经网络": "卷积神经网络",
        "线上": "线上线下",
        "大数据": "大数据平台",
        "智能": "智能制造",
        "数据": "数据资产",
        "B2B": "B2B2C",
    }
    matcher = Matcher(word_list(*pairs, *pairs.values()), "token", segmenter)
    matches = matcher.find(clean([f"公司的{long}，以及{short}。" for short, long in pairs.items()]))
    assert [match.term for match in matches] == [term for short, long in pairs.items() for term in (long, short)]


@pytest.mark.parametrize("segmenter", SEGMENTERS)
@pytest.mark.parametrize("text", ["", "大数据 big data，２０２０年\n𠮷😀（a-b_c）1.5%", " \t ", "\ufffd\ue000云"])
def test_the_tokens_joined_give_the_text_back(segmenter, text):
    assert "".join(build_cutter(segmenter, ["大数据"])(text)) == text


def test_tokens_with_a_chinese_character_count():
    # 公司, 大数据, 3D打印 and 年 count; 2020, NFC, the comma, the blank and 1.5% do not.
    assert count_tokens(["公司", "2020", "年", "NFC", "，", " ", "大数据", "3D打印", "1.5%"]) == 4


@pytest.mark.parametrize("character", ["\u3400", "\u4dbf", "\u4e00", "\u9fff"])
def test_the_ends_of_the_chinese_blocks_count(character):
    assert count_tokens([character]) == 1


@pytest.mark.parametrize("character", ["\u33ff", "\ua000", "。", "Ａ", "あ"])
def test_other_characters_do_not_count(character):
    assert count_tokens([character]) == 0


@pytest.mark.parametrize("name", SEGMENTERS)
def test_the_version_of_a_segmenter_names_it(name):
    assert str(segmenter_version(name)).startswith(f"{name} 0.")


def test_jieba_and_rjieba_count_every_term_of_wu2021_alike_in_every_report(wu2021, cleaned_report, readable_names):
    rust = Matcher(wu2021, "token", "rjieba")
    python = Matcher(wu2021, "token", "jieba")
    found = 0
    for name in readable_names:
        counts = Counter(match.term for match in rust.find(cleaned_report(name)))
        assert counts == Counter(match.term for match in python.find(cleaned_report(name))), name
        found += sum(counts.values())
    assert found > 100


@pytest.mark.parametrize("name", REPORTS_TO_COUNT)
def test_jieba_and_rjieba_count_the_same_tokens_in_a_report(cleaned_report, name):
    text = cleaned_report(name).folded
    tokens = jieba.Tokenizer().lcut(text)
    with_chinese = sum(any("\u3400" <= character <= "\u9fff" for character in token) for token in tokens)
    assert count_tokens(build_cutter("rjieba")(text)) == with_chinese
    assert with_chinese > 0


def test_the_first_and_last_character_tell_of_every_token_whether_it_is_chinese(cleaned_report, readable_names):
    cut = build_cutter("rjieba")
    for name in readable_names:
        tokens = cut(cleaned_report(name).folded)
        with_chinese = sum(not token.isascii() and any("\u3400" <= c <= "\u9fff" for c in token) for token in tokens)
        assert count_tokens(tokens) == with_chinese, name
