"""Expansion: new words counted by hand, entropies and cohesion by their formulas, vectors that are the same twice."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from nlp.expand import candidates, count_terms, is_generic, rank, sentences
from nlp.new_words import Tally, new_words
from nlp.segment import build_cutter
from nlp.word_vectors import Vectors, train
from shuzhi import UsageError

TEXTS = ["甲乙丙丁，甲乙丙戊。", "己甲乙丙，甲乙庚。丁甲乙"]


def plain_new_words(texts: list[str], longest: int, min_count: int) -> dict[str, tuple[int, float, float, float]]:
    """Compute the same by slices and counters: count, cohesion, left and right entropy of each frequent stretch."""
    text = "\n" + "\n".join(texts) + "\n"
    is_chinese = [bool("\u3400" <= each <= "\u9fff") for each in text]
    spans = [
        (start, start + length)
        for length in range(1, longest + 1)
        for start in range(len(text) - length + 1)
        if all(is_chinese[start : start + length])
    ]
    counts = Counter(text[start:end] for start, end in spans)
    total = sum(is_chinese)

    def entropy(neighbours: list[str]) -> float:
        shares = [number / len(neighbours) for number in Counter(neighbours).values()]
        return -sum(share * math.log(share) for share in shares)

    found = {}
    for term, count in counts.items():
        if len(term) < 2 or count < min_count:
            continue
        places = [start for start, end in spans if text[start:end] == term]
        cohesion = min(
            math.log(total * count / (counts[term[:cut]] * counts[term[cut:]])) for cut in range(1, len(term))
        )
        left, right = [text[at - 1] for at in places], [text[at + len(term)] for at in places]
        found[term] = (count, cohesion, entropy(left), entropy(right))
    return found


def test_cohesion_and_entropy_of_a_stretch_by_hand():
    found = new_words(TEXTS, min_count=2, min_cohesion=-99, min_entropy=0).set_index("term")
    # 甲乙 stands 5 times among 18 characters; 甲 and 乙 5 times each: ln(18 * 5 / 25).
    assert found.loc["甲乙", "count"] == 5
    assert found.loc["甲乙", "cohesion"] == pytest.approx(math.log(18 * 5 / 25))
    # Before it stand the start, a comma, 己, a comma and 丁; after it 丙 three times, 庚 and the end.
    assert found.loc["甲乙", "left_entropy"] == pytest.approx(-(3 * 0.2 * math.log(0.2) + 0.4 * math.log(0.4)))
    assert found.loc["甲乙", "right_entropy"] == pytest.approx(-(0.6 * math.log(0.6) + 2 * 0.2 * math.log(0.2)))
    assert set(found.index) == {"甲乙", "乙丙", "甲乙丙"}


def test_new_words_agree_with_slices_and_counters_on_random_text():
    draw = random.Random(7)
    texts = ["".join(draw.choices("甲乙丙丁，a", weights=[5, 4, 3, 2, 1, 1], k=400)) for _ in range(3)]
    found = new_words(texts, min_count=4, min_cohesion=-99, min_entropy=0)
    expected = plain_new_words(texts, longest=6, min_count=4)
    assert found["term"].tolist() == sorted(expected)
    values = found[["count", "cohesion", "left_entropy", "right_entropy"]].to_numpy()
    assert values == pytest.approx(np.array([expected[term] for term in sorted(expected)]))
    assert len(found) > 100


def test_the_size_of_a_chunk_changes_nothing(monkeypatch):
    texts = [f"{text}甲乙丙丁。" * 3 for text in TEXTS]
    whole = new_words(texts, min_count=2, min_cohesion=0, min_entropy=0)
    monkeypatch.setattr("nlp.new_words.CHUNK_CHARACTERS", 1)
    monkeypatch.setattr("nlp.new_words.WAITING_KEYS", 1)
    assert new_words(texts, min_count=2, min_cohesion=0, min_entropy=0).equals(whole)


def test_a_fragment_and_a_phrase_with_a_joining_word_are_no_new_words():
    text = "，".join(f"{before}区块链{after}" for before, after in zip("一二三四五六", "七八九十百千", strict=True))
    texts = [text, "这的数据那的数据", "好的数据，坏的数据，新的数据"]
    found = set(new_words(texts, min_count=3, min_cohesion=1.0, min_entropy=1.0)["term"])
    # 区块 is always followed by 链, and nothing begins with 的.
    assert "区块链" in found
    assert "区块" not in found
    assert not any(term.startswith("的") for term in found)


def test_a_corpus_without_chinese_has_no_new_word():
    assert new_words(["only latin", ""], min_count=1, min_cohesion=0, min_entropy=0).empty


def test_tallies_merge():
    tally = Tally()
    tally.add(np.array([3, 1, 3], dtype=np.uint64))
    tally.add(np.array([1, 9], dtype=np.uint64))
    frequent = tally.at_least(2)
    assert (frequent.keys.tolist(), frequent.counts.tolist()) == ([1, 3], [2, 2])
    assert tally.of(np.array([9, 4, 1], dtype=np.uint64)).tolist() == [1, 0, 2]


def test_sentences_are_words_without_numbers_and_marks():
    cut = build_cutter("rjieba", ["大数据平台"])
    text = "公司2020年建设大数据平台，投入1,000万元。短句。公司使用erp管理业务"
    found = list(sentences([text], cut))
    assert len(found) == 2
    assert "大数据平台" in found[0]
    assert "erp" in found[1]
    assert not [word for sentence in found for word in sentence if word.isdigit() or word in "，。,"]


def simulated_corpus() -> list[str]:
    """Write reports in which 云存储 stands where 云计算 and 大数据 stand, and 小麦粉 where flour stands."""
    draw = random.Random(11)
    technical = ["利用{}优化后台系统", "部署{}处理客户信息", "研发团队掌握{}核心算法", "服务器集群运行{}任务"]
    food = ["仓库储存{}和玉米", "车间研磨{}制作面包", "农民种植并出售{}原料", "食品厂采购{}做饼干"]
    lines = []
    for _ in range(240):
        lines.append(draw.choice(technical).format(draw.choice(["云计算", "大数据", "云存储"])))
        lines.append(draw.choice(food).format(draw.choice(["小麦粉", "玉米粉"])))
    return ["。".join(lines[start::4]) for start in range(4)]


@pytest.mark.parametrize("model", ["word2vec", "ppmi"])
def test_what_is_used_like_the_seeds_comes_before_what_is_not(word_list, model):
    texts, dictionary = simulated_corpus(), word_list("云计算", "大数据")
    found = candidates(texts, build_cutter("rjieba"), min_count=5)
    cut = build_cutter("rjieba", [*found["term"], *dictionary.terms])
    vectors = train(list(sentences(texts, cut)), model=model, min_count=5, seed=1)
    ranked = rank(found, vectors, dictionary)["term"].tolist()
    assert ranked.index("云存储") < ranked.index("小麦粉")
    assert not {"云计算", "大数据"} & set(ranked)


@pytest.mark.parametrize("model", ["word2vec", "ppmi"])
def test_the_same_corpus_and_seed_give_the_same_vectors(model):
    cut = build_cutter("rjieba", ["云计算", "大数据", "云存储"])
    corpus = list(sentences(simulated_corpus(), cut))
    first, second = (train(corpus, model=model, min_count=5, seed=3) for _ in range(2))
    assert first.terms == second.terms
    assert np.array_equal(first.matrix, second.matrix)
    assert np.linalg.norm(first.matrix, axis=1) == pytest.approx(np.ones(len(first.terms)))
    if model == "word2vec":
        assert not np.array_equal(first.matrix, train(corpus, model=model, min_count=5, seed=4).matrix)


@pytest.mark.parametrize("model", ["word2vec", "ppmi"])
def test_a_corpus_without_a_frequent_word_is_told(model):
    with pytest.raises(UsageError, match="lower --min-count"):
        train([["甲", "乙"]], model=model, min_count=5, seed=1)


def unit(*rows: list[float]) -> np.ndarray:
    matrix = np.array(rows)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def test_the_score_takes_off_how_crowded_a_place_is(word_list):
    import pandas as pd

    words = ("云计算", "云存储", "小麦粉")
    matrix = unit([1.0, 0.0], [0.8, 0.6], [0.0, 1.0])
    found = pd.DataFrame({"term": ["云存储", "小麦粉"], "found_by": "token"})
    ranked = rank(found, Vectors(words, matrix), word_list("云计算"))
    # cos(云存储, 云计算) = 0.8, with 小麦粉 0.6; r(云存储) = 0.7, r(云计算) = (0.8 + 0) / 2, r(小麦粉) = (0.6 + 0) / 2.
    assert ranked["term"].tolist() == ["云存储", "小麦粉"]
    assert ranked["score"].tolist() == pytest.approx([1.6 - 0.7 - 0.4, 0 - 0.3 - 0.4])
    assert ranked["similarity"].tolist() == pytest.approx([0.8, 0.0])
    assert ranked["nearest_seeds"].tolist() == ["云计算 0.80", "云计算 0.00"]


def test_a_list_of_which_no_term_is_in_the_corpus_is_told(word_list):
    import pandas as pd

    found = pd.DataFrame({"term": ["云存储"], "found_by": "token"})
    with pytest.raises(UsageError, match="no term of test is frequent enough"):
        rank(found, Vectors(("云存储",), unit([1.0, 0.0])), word_list("量子计算"))


def test_what_holds_a_term_or_is_generic_is_not_proposed(word_list):
    import pandas as pd

    words = ("云计算", "云计算平台", "应用", "全面推进", "云存储", "rpa")
    found = pd.DataFrame({"term": list(words), "found_by": "token"})
    vectors = Vectors(words, unit(*([1.0, number / 9] for number in range(6))))
    assert set(rank(found, vectors, word_list("云计算"))["term"]) == {"云存储", "rpa"}


@pytest.mark.parametrize(
    ("term", "generic"),
    [
        ("应用", True),
        ("全面推进", True),
        ("本行依托", True),
        ("化发展", True),
        ("化学需氧量", False),
        ("ai", False),
        ("机器人", False),
        ("行业解决方案", True),
    ],
)
def test_what_is_plainly_no_name_of_a_thing(term, generic):
    assert is_generic(term) is generic


def test_terms_are_counted_by_firm_and_report():
    texts = [("1", "ai客服，email与ai"), ("1", "智能客服"), ("2", "客服")]
    counted = count_terms(texts, ["ai", "客服", "区块链"]).set_index("term")
    assert counted.loc["ai"].tolist() == [2, 1, 1]
    assert counted.loc["客服"].tolist() == [3, 2, 3]
    assert counted.loc["区块链"].tolist() == [0, 0, 0]


def test_candidates_say_who_found_them():
    texts = simulated_corpus()
    found = candidates(texts, build_cutter("rjieba"), min_count=5).set_index("term")
    assert found.loc["云存储", "found_by"] == "new_word"
    assert found.loc["玉米", "found_by"] in {"token", "both"}
    assert found.index.is_monotonic_increasing
    assert found.loc[found["found_by"] == "token", "cohesion"].isna().all()
