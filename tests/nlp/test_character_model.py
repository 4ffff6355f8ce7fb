"""The model of characters: bits counted by hand, every real page under its limits, every corruption over them."""

import csv
import importlib.resources
import random

import numpy as np
import pytest

from nlp.character_model import (
    ASCII,
    ASCII_LIMITS,
    NUMERIC,
    PAIR_TABLE_BITS,
    SAME,
    STEPS_PER_BIT,
    UNSEEN_PAIR_BITS,
    WIDE,
    WIDE_LIMITS,
    CharacterModel,
    Limits,
    Surprise,
    from_bytes,
    is_garbled,
    load_model,
    pair_slots,
    surprise,
    to_bytes,
)
from nlp.readability import basic_plane, judge
from tests.benchmarks.character_model import CORRUPTIONS, IN_PART, Exchanges, exchanges, train

SIMPLIFIED = """报告期内，公司坚持以市场为导向，加大研发投入，推进数字化转型和智能制造，主营业务收入较上年同期有所增长。
公司董事会认为，宏观经济形势仍然复杂，原材料价格波动较大，公司将继续完善内部控制，提高资金使用效率，防范经营风险。
截至本报告期末，公司合并报表范围内共有全资子公司六家，控股子公司三家，员工总数为一千二百余人，其中技术人员占比百分之三十。"""
TRADITIONAL = """報告期內，本集團加大研發投入，推進數字化轉型和智能製造，主營業務收入較上年同期有所增長。
董事會認為，宏觀經濟形勢仍然複雜，原材料價格波動較大，本集團將繼續完善內部監控，提高資金使用效率，防範經營風險。
於報告期末，本集團於中國內地及香港共有六家附屬公司，僱員總數約為一千二百人，薪酬按其職責、經驗及市場水平釐定。"""
ENGLISH = """The Group recorded an increase in revenue for the year, mainly because demand for its products recovered
in the second half. The directors believe that the current economic environment remains uncertain and that the costs of
raw materials may rise further. The Group will continue to invest in research and development, to improve its internal
controls and to manage its working capital with care, so that it can meet its obligations as they fall due."""
TABLE = "\n".join(f"应收账款 {1234567.89 + row:,.2f} {7654321.01 - row:,.2f} {row / 7:.2f}%" for row in range(40))


def hand_model() -> CharacterModel:
    """Return a model of the symbols 1 (一, wide), 2 (二, wide), 3 (a, ASCII) and 4 (digits); only 一二 is known."""
    symbols = np.zeros(0x10000, dtype=np.uint16)
    symbols[[ord("一"), ord("二"), ord("a")]] = 1, 2, 3
    symbols[ord("0") : ord("9") + 1] = 4
    pair_bits = np.zeros(1 << PAIR_TABLE_BITS, dtype=np.uint8)
    pair_bits[pair_slots(np.array([1], dtype=np.uint16), np.array([2], dtype=np.uint16))] = 2 * STEPS_PER_BIT
    kinds = np.array([WIDE, WIDE, WIDE, ASCII, NUMERIC], dtype=np.uint8)
    return CharacterModel(symbols, kinds, np.array([0, 5, 6, 7, 1], dtype=np.float32), pair_bits)


def test_bits_and_disorder_of_a_short_text_by_hand():
    # 一二一二 has the pairs 一二 (known, 2 bits), 二一 (unknown, 5 + 3 bits), 一二 (2 bits): 12 bits in 3 pairs.
    # Alone the second characters cost 6 + 5 + 6 = 17 bits; disorder is (2 * 12 - 17) / 3.
    wide, words = surprise(basic_plane("一 二\n一二"), hand_model())
    assert wide == Surprise(3, 12 / 3, 7 / 3)
    assert words == Surprise(0, 0.0, 0.0)


def test_pairs_of_digits_and_of_two_kinds_are_passed_over():
    # Of 一1, 12, 2a, aa, a二 only 2a and aa count, as ASCII: 7 + 3 and 7 + 3 bits.
    wide, words = surprise(basic_plane("一12aa二"), hand_model())
    assert wide.pairs == 0
    assert words == Surprise(2, 7 + UNSEEN_PAIR_BITS, 7 + 2 * UNSEEN_PAIR_BITS)


@pytest.mark.parametrize("text", ["", "一", " \n"])
def test_a_text_without_a_pair_is_not_judged(text):
    assert surprise(basic_plane(text), hand_model()) == (Surprise(0, 0.0, 0.0), Surprise(0, 0.0, 0.0))
    assert is_garbled(basic_plane(text), hand_model()) == (False, "")


@pytest.mark.parametrize(
    ("found", "exceeded"),
    [
        (Surprise(9, 99.0, 99.0), False),  # too few pairs
        (Surprise(10, 5.0, 2.0), False),  # at both limits
        (Surprise(10, 5.1, 0.0), True),
        (Surprise(10, 0.0, 2.1), True),
    ],
)
def test_limits(found, exceeded):
    assert Limits(pairs=10, bits=5.0, disorder=2.0).exceeded(found) is exceeded


def test_a_symbol_after_itself_has_the_slot_that_stays_empty():
    both = np.arange(5_000, dtype=np.uint16)
    assert (pair_slots(both, both) == SAME).all()
    assert load_model().pair_bits[SAME] == 0


def test_the_packaged_model_is_small_and_complete():
    data = (importlib.resources.files("nlp") / "data" / "character_model.npz").read_bytes()
    assert len(data) < 400_000
    model = from_bytes(data)
    assert (model.symbols.shape, model.pair_bits.shape) == ((0x10000,), (1 << PAIR_TABLE_BITS,))
    assert model.kinds.shape == model.single_bits.shape == (int(model.symbols.max()) + 1,)
    assert to_bytes(model) == data
    for plain, variant in (("发", "發"), ("a", "Ａ"), ("a", "A"), ("3", "７"), ("人", "⼈")):
        assert model.symbols[ord(plain)] == model.symbols[ord(variant)] > 0


def test_training_gives_the_same_bytes_for_the_same_texts():
    words = [("公司", 3), ("数字化", 1)]
    assert to_bytes(train([SIMPLIFIED, ENGLISH], words)) == to_bytes(train([SIMPLIFIED, ENGLISH], words))


def test_a_trained_pair_costs_what_its_counts_say():
    # 一二 stands 9 times after the 10 characters 一 that have a successor (一三 once), so (9 - 0.75) / 10 plus a tenth
    # of the share of 二 among the 10 second characters, (9 + 0.5) / (10 + 0.5 * 9): six classes and 一, 二, 三.
    texts = ["一二"] * 9 + ["一三"] + ["三"] * 2
    expected = -np.log2(8.25 / 10 + 0.1 * 9.5 / 14.5)
    wide, _ = surprise(basic_plane("一二"), train(texts, []))
    assert wide.bits == pytest.approx(expected, abs=0.5 / STEPS_PER_BIT)


@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL, ENGLISH, TABLE, SIMPLIFIED + ENGLISH, TABLE + TRADITIONAL])
def test_plain_prose_and_tables_are_readable(text):
    assert is_garbled(basic_plane(text), load_model()) == (False, "")
    wide, words = surprise(basic_plane(text), load_model())
    assert wide.pairs >= WIDE_LIMITS.pairs or words.pairs >= ASCII_LIMITS.pairs


def maps_of(text: str, seed: int = 1) -> Exchanges:
    return exchanges([text], random.Random(seed))


OF_CHINESE = [name for name in CORRUPTIONS if name not in (*IN_PART, "letters exchanged")]


@pytest.mark.parametrize("name", OF_CHINESE)
@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL])
def test_a_corrupted_text_is_garbled(text, name):
    corrupted = CORRUPTIONS[name](text, maps_of(text))
    found = judge(corrupted)
    assert found.status == "garbled"
    assert found.note.startswith("garbled: ")


def test_exchanged_letters_are_garbled():
    assert judge(CORRUPTIONS["letters exchanged"](ENGLISH, maps_of(ENGLISH))).status == "garbled"


def test_a_garbled_half_of_a_page_in_two_languages_is_garbled():
    chinese = CORRUPTIONS["map exchanged at random"](SIMPLIFIED, maps_of(SIMPLIFIED))
    assert judge(ENGLISH + "\n" + chinese).status == "garbled"


@pytest.mark.parametrize("text", ["鐢靛瓙" * 40, "锟斤拷" * 40, "口" * 200, "■" * 200, "烫烫烫" * 60, "þÿ" * 90])
def test_well_known_garbage_is_garbled(text):
    assert judge(text).status == "garbled"


READABLE_REPORTS = 41


def test_no_page_of_a_readable_report_is_garbled(reports, read_report):
    with (reports / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file, delimiter="\t") if row["text_ok"] == "yes"]
    garbled = [
        f"{name} page {number}: {page.note}"
        for name in names
        for number, page in enumerate(read_report(name).pages, start=1)
        if page.status == "garbled"
    ]
    assert garbled == []
    assert len(names) == READABLE_REPORTS


@pytest.mark.parametrize("name", ["map exchanged at random", "map shifted by 29", "UTF-8 read as GBK"])
def test_full_pages_of_a_real_report_are_garbled_once_corrupted(read_report, name):
    texts = [page.text for page in read_report("600519_2020_annual_full.pdf").pages if len(page.text) > 500]
    maps = exchanges(texts, random.Random(1))
    judged = [judge(CORRUPTIONS[name](text, maps)).status for text in texts]
    assert len(judged) > 100
    assert judged.count("garbled") == len(judged)
