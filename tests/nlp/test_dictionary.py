"""Word lists: every problem of a file at once, each with its line; a hash that follows the counts; the shipped list."""

import csv
import re

import pytest

from dictionaries import shipped
from nlp.dictionary import TermNote, fold_term, parse
from shuzhi import DictionaryError, UsageError

GOOD = """\
name: mylist
family: digital
title:
  zh: 词表
  en: A list
authors: [甲, 乙]
year: 2021
verified: false
unit_of_count: occurrences
dimensions:
  - id: cloud
    zh: 云
    en: Cloud
    terms:
      - 云计算
      - NFC支付
  - id: data
    zh: 数据
    en: Data
    terms:
      - 大数据
"""


def problems(text: str) -> list[tuple[int, str]]:
    """Return the problems that the loader names in a file: line and message."""
    with pytest.raises(DictionaryError) as caught:
        parse(text, "mylist.yml")
    head, *lines = str(caught.value).splitlines()
    assert head == f"mylist.yml: {len(lines)} problem{'s' if len(lines) > 1 else ''}"
    found = [re.fullmatch(r"  line (\d+) +(.*)", line) for line in lines]
    return [(int(each[1]), each[2]) for each in found if each]


def line_of(text: str, part: str) -> int:
    """Return the number of the first line that holds a part."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def only_problem(text: str) -> tuple[int, str]:
    (problem,) = problems(text)
    return problem


def test_a_good_file_is_read_as_it_stands():
    dictionary = parse(GOOD, "mylist.yml")
    assert (dictionary.name, dictionary.family, dictionary.verified) == ("mylist", "digital", False)
    assert (dictionary.title_zh, dictionary.title_en) == ("词表", "A list")
    assert dictionary.terms == ("云计算", "NFC支付", "大数据")
    assert dictionary.dimension_of == {"云计算": "cloud", "NFC支付": "cloud", "大数据": "data"}
    assert [(each.id, each.zh, each.en) for each in dictionary.dimensions] == [
        ("cloud", "云", "Cloud"),
        ("data", "数据", "Data"),
    ]
    assert dictionary.passport == {"authors": ["甲", "乙"], "year": "2021", "unit_of_count": "occurrences"}


def test_a_bad_word_list_is_an_error_of_use():
    assert issubclass(DictionaryError, UsageError)


@pytest.mark.parametrize(
    "term", ["on", "no", "yes", "true", "null", "1.5", "007", "1e3", "2021-01-01", "0x1F", "=", "~"]
)
def test_a_term_that_yaml_would_read_as_something_else_stays_the_word(term):
    assert parse(GOOD.replace("云计算", term), "f").terms[0] == term


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("      - 大数据\n", "      - 云计算\n", 21, ["云计算", "cloud and data", "line 15"]),
        ("      - NFC支付\n", "      - 云计算\n", 16, ["云计算", "twice", "line 15"]),
        ("      - 大数据\n", "      - ＮＦＣ支付\n", 21, ["ＮＦＣ支付", "NFC支付", "line 16", "matched alike"]),
        ("      - 大数据\n", "      - nfc支付\n", 21, ["nfc支付", "NFC支付", "line 16", "matched alike"]),
        ("      - 大数据\n", "      - NFC 支付\n", 21, ["NFC 支付", "NFC支付", "line 16", "matched alike"]),
        ("      - 大数据\n", "      - '云\u3000计算'\n", 21, ["line 15", "matched alike"]),
        ("      - 大数据\n", "      -\n", 21, ["empty"]),
        ("      - 大数据\n", "      - ' '\n", 21, ["empty"]),
        ("      - 大数据\n", "      - '\u3000'\n", 21, ["empty"]),
        ("      - 大数据\n", "      - ' 大数据'\n", 21, ["white space"]),
        ("      - 大数据\n", "      - [大数据, 云]\n", 21, ["not a list"]),
        ("      - 大数据\n", "      - 大数据: 平台\n", 21, ["quotes", "':'"]),
        ("      - 大数据\n", "      - {term: 大数据, why: x}\n", 21, ["unknown key why"]),
        ("      - 大数据\n", "      - {term: 云计算, reason: x}\n", 21, ["云计算", "cloud and data"]),
        ("      - 大数据\n", "      - {term: ''}\n", 21, ["empty"]),
        ("      - 大数据\n", "      - {term: [大数据]}\n", 21, ["not a list"]),
        ("    terms:\n      - 大数据\n", "    terms: []\n", 20, ["data", "at least one term"]),
        ("    terms:\n      - 大数据\n", "    terms: 大数据\n", 20, ["data", "at least one term"]),
        ("    terms:\n      - 大数据\n", "", 17, ["terms is missing"]),
        ("    en: Data\n", "", 17, ["en is missing"]),
        ("    en: Data\n", "    en:\n", 19, ["en is empty"]),
        ("    en: Data\n", "    en: Data\n    fr: x\n", 20, ["unknown key fr"]),
        ("id: data", "id: cloud", 17, ["cloud", "line 11"]),
        ("id: data", "id: total", 17, ["total"]),
        ("id: data", "id: Big Data", 17, ["id", "lower-case"]),
        ("id: data", "id: 数据", 17, ["id", "lower-case"]),
        ("id: data", "id: 1data", 17, ["id", "lower-case"]),
        ("id: data", "id:", 17, ["id is empty"]),
        ("name: mylist", "name: My-List", 1, ["name", "lower-case"]),
        ("name: mylist", "name: [a]", 1, ["name", "lower-case"]),
        ("name: mylist", f"name: {'a' * 32}", 1, ["name", "31"]),
        ("family: digital\n", "", 1, ["family is missing"]),
        ("family: digital\n", "family: digital\nfamilie: x\n", 3, ["unknown key familie"]),
        ("family: digital\n", "family: digital\nfamily: green\n", 3, ["family", "line 2"]),
        ("title:\n  zh: 词表\n  en: A list\n", "title: 词表\n", 3, ["title", "each language"]),
        ("  en: A list\n", "", 4, ["en is missing in title"]),
        ("verified: false", "verified: maybe", 8, ["true or false"]),
        ("verified: false", "verified: [true]", 8, ["true or false"]),
    ],
)
def test_a_problem_is_named_with_its_line(old, new, line, words):
    assert old in GOOD
    found_line, message = only_problem(GOOD.replace(old, new, 1))
    assert found_line == line
    assert all(word in message for word in words), message


@pytest.mark.parametrize("dimensions", ["dimensions: []\n", "dimensions: 云计算\n", "dimensions:\n  cloud: [云计算]\n"])
def test_dimensions_must_be_a_list_with_something_in_it(dimensions):
    text = GOOD[: GOOD.index("dimensions:")] + dimensions
    _, message = only_problem(text)
    assert "at least one dimension" in message


def test_a_dimension_must_be_a_mapping():
    text = GOOD[: GOOD.index("dimensions:")] + "dimensions:\n  - 云计算\n"
    assert only_problem(text) == (11, "a dimension is a mapping with id, zh, en and terms.")


def test_verified_needs_its_sources():
    _, message = only_problem(GOOD.replace("verified: false", "verified: true"))
    assert "verified_against" in message


@pytest.mark.parametrize("sources", ["", " []", " [one public copy]"])
def test_verified_needs_two_sources_not_a_key_without_them(sources):
    _, message = only_problem(GOOD.replace("verified: false", f"verified: true\nverified_against:{sources}"))
    assert "verified_against" in message


def test_verified_with_two_sources_is_accepted():
    dictionary = parse(GOOD.replace("verified: false", "verified: true\nverified_against: [one, two]"), "f")
    assert dictionary.verified is True


def test_fault_13_a_dirty_list_is_refused_with_all_its_problems_at_once():
    text = (
        GOOD.replace("family: digital\n", "familie: digital\n")
        .replace("verified: false", "verified: ja")
        .replace("      - NFC支付\n", "      - NFC支付\n      - 云 计算\n      -\n")
        .replace("id: data", "id: total")
        .replace("      - 大数据\n", "      - 大数据\n      - NFC支付\n")
    )
    lines = [line for line, _ in problems(text)]
    expected = [
        1,  # family is missing
        line_of(text, "familie"),
        line_of(text, "verified: ja"),
        line_of(text, "云 计算"),
        18,  # the empty term
        line_of(text, "id: total"),
        24,  # NFC支付 again
    ]
    assert lines == expected


def test_fault_13_a_dimension_written_twice_is_refused_instead_of_overwritten():
    # A public script overwrites its AI group by repeating a dict key; YAML loaders do the same in silence.
    text = GOOD.replace("    terms:\n      - 大数据\n", "    terms:\n      - 大数据\n    terms:\n      - 征信\n")
    line, message = only_problem(text)
    assert (line, "line 20" in message) == (22, True)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- 云计算\n- 大数据\n", "云计算\n", "42\n"])
def test_a_file_that_is_no_mapping_is_refused(text):
    with pytest.raises(DictionaryError, match=r"^mylist\.yml line 1: .*mapping"):
        parse(text, "mylist.yml")


def test_a_file_that_is_not_yaml_is_refused_with_its_line():
    with pytest.raises(DictionaryError, match=r"^mylist\.yml line 2: "):
        parse("name: a\nfamily: b: c\ntitle: d\n", "mylist.yml")


def test_control_characters_are_refused_as_not_yaml():
    with pytest.raises(DictionaryError, match=r"^mylist\.yml"):
        parse(GOOD.replace("云计算", "云\x00计算"), "mylist.yml")


def test_a_second_document_in_the_file_is_refused():
    with pytest.raises(DictionaryError, match=r"line 22"):
        parse(GOOD + "---\nname: other\n", "mylist.yml")


@pytest.mark.parametrize(
    ("term", "folded"),
    [
        ("ＮＦＣ支付", "nfc支付"),
        ("EB 级存储", "eb级存储"),
        ("\u3000云\n计算", "云计算"),
        ("Fintech", "fintech"),
        ("⼈工智能", "人工智能"),
    ],
)
def test_terms_are_folded_for_matching(term, folded):
    assert fold_term(term) == folded


def hash_of(text: str) -> str:
    return parse(text, "f").content_hash


def test_the_hash_has_twelve_hexadecimal_digits():
    assert re.fullmatch(r"[0-9a-f]{12}", hash_of(GOOD))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      - 云计算\n      - NFC支付\n", "      - NFC支付\n      - 云计算\n"),
        ("year: 2021", "year: 2022"),
        ("authors: [甲, 乙]", "authors: [丙]"),
        ("zh: 词表", "zh: 另一个名字"),
        ("en: Cloud", "en: Clouds"),
        ("unit_of_count: occurrences", "unit_of_count: hits\nnotes: 说明"),
        ("      - 云计算\n", "      # a comment\n      - '云计算'\n"),
    ],
)
def test_the_hash_stays_where_no_count_can_change(old, new):
    assert old in GOOD
    assert hash_of(GOOD.replace(old, new)) == hash_of(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      - 大数据\n", "      - 大数据\n      - 征信\n"),
        ("      - NFC支付\n", ""),
        ("- 大数据", "- 大数据平台"),
        ("id: data", "id: big_data"),
    ],
)
def test_the_hash_changes_with_a_term_or_a_dimension(old, new):
    assert old in GOOD
    assert hash_of(GOOD.replace(old, new)) != hash_of(GOOD)


def test_the_hash_changes_when_a_term_moves_to_another_dimension():
    moved = GOOD.replace("      - NFC支付\n", "") + "      - NFC支付\n"
    assert sorted(parse(moved, "f").terms) == sorted(parse(GOOD, "f").terms)
    assert hash_of(moved) != hash_of(GOOD)


def test_wu2021_has_76_terms_in_five_dimensions(wu2021):
    # 15 + 9 + 13 + 5 + 34 = 76, as the paper says.
    sizes = {each.id: len(each.terms) for each in wu2021.dimensions}
    assert sizes == {"ai": 15, "big_data": 9, "cloud": 13, "blockchain": 5, "application": 34}
    assert len(set(wu2021.terms)) == 76


def test_fault_13_wu2021_is_the_list_collated_from_three_public_copies(wu2021, shared):
    path = shared / "dictionaries" / "wufei_2021_digital.tsv"
    if not path.exists():
        pytest.skip("the shared test data hold no list of Wu and others")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    labels = {each.id: each.zh for each in wu2021.dimensions}
    shipped = {term: labels[dimension] for term, dimension in wu2021.dimension_of.items()}
    assert shipped == {row["term"]: row["dimension"] for row in rows}
    assert len(rows) == 76


@pytest.mark.parametrize("term", ["EB级存储", "NFC支付", "自动驾驶", "自然语言处理", "混合现实", "虚拟现实"])
def test_fault_13_terms_that_public_copies_lose_are_in_wu2021(wu2021, term):
    assert term in wu2021.terms


def test_a_term_may_say_why_it_is_there_and_where_it_is_from():
    text = GOOD.replace("      - 大数据\n", "      - {term: 大数据, reason: the core word, source: wu2021}\n")
    dictionary = parse(text, "mylist.yml")
    assert dictionary.terms == ("云计算", "NFC支付", "大数据")
    assert dictionary.notes == {"大数据": TermNote("the core word", "wu2021")}


def test_a_reason_changes_no_count_and_so_not_the_hash():
    assert hash_of(GOOD.replace("- 大数据", "- {term: 大数据, reason: any}")) == hash_of(GOOD)


def load_shipped(name: str):
    path = shipped()[name]
    return parse(path.read_text(encoding="utf-8"), path.name)


COLLECTED = {
    # 23 + 28 + 36 + 12 = 99; 7 + 22 + 24 + 3 = 56.
    "zhao2021": ("zhaochenyu_2021_digital_UNVERIFIED.tsv", [23, 28, 36, 12]),
    "yao2024_ai": ("yaojiaquan_2024_ai.tsv", [75]),
    "li2020_fintech": ("lichuntao_2020_fintech.tsv", [48]),
    "dai2024_data": ("daikuizao_2024_data_elements.tsv", [7, 22, 24, 3]),
}
HOUSE = {
    "digital": {"data": 15, "computing": 28, "internet": 15, "information_systems": 4, "digital_business": 29},
    "intelligent": {"manufacturing": 41, "machines": 29, "artificial_intelligence": 35},
    "governance": {"environmental_governance": 52, "digital_governance": 40},
}
# Whoever changes a list on purpose changes its hash here and says so in CHANGELOG.md: every index with it changes.
HASHES = {
    "dai2024_data": "83b30a88a78a",
    "digital": "26c9a66baca8",
    "environment": "49b19f46705a",
    "governance": "dd5e648ad422",
    "intelligent": "797d2c074f75",
    "li2020_fintech": "380e7392225b",
    "wu2021": "6a756ce8b7a6",
    "yao2024_ai": "71ee5472c3ac",
    "zhao2021": "c8887e4824d1",
}


def test_no_shipped_list_is_changed_by_accident():
    assert {name: load_shipped(name).content_hash for name in shipped()} == HASHES


@pytest.mark.parametrize("name", COLLECTED)
def test_a_list_from_a_paper_has_the_terms_and_dimensions_that_were_collected(name, shared):
    file, sizes = COLLECTED[name]
    path = shared / "dictionaries" / file
    if not path.exists():
        pytest.skip(f"the shared test data hold no {file}")
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))
    dictionary = load_shipped(name)
    assert [len(each.terms) for each in dictionary.dimensions] == sizes
    labels = {each.id: each.zh for each in dictionary.dimensions}
    found = {term: labels[dimension] for term, dimension in dictionary.dimension_of.items()}
    collected = {row["term"]: row["dimension"] for row in rows}
    assert len(rows) == len(collected) == sum(sizes)
    if len(sizes) > 1:
        assert found == collected
    assert found.keys() == collected.keys()


@pytest.mark.parametrize("name", COLLECTED)
def test_what_nobody_compared_with_the_paper_is_not_called_verified(name):
    dictionary = load_shipped(name)
    assert dictionary.verified is False
    assert dictionary.passport["unsure"]
    assert dictionary.passport["verified_note"]


@pytest.mark.parametrize("name", HOUSE)
def test_a_house_list_says_that_it_is_ours_and_why_each_term_is_there(name):
    dictionary = load_shipped(name)
    assert {each.id: len(each.terms) for each in dictionary.dimensions} == HOUSE[name]
    assert (dictionary.verified, dictionary.passport["house_list"]) == (False, "true")
    assert "NOT the list of Liu, Wu and Zhu" in str(dictionary.passport["verified_note"])
    assert [term for term in dictionary.terms if not dictionary.notes[term].reason] == []
    assert [term for term in dictionary.terms if not dictionary.notes[term].source] == []


@pytest.mark.parametrize("name", HOUSE)
def test_a_source_that_a_house_list_names_holds_the_term(name):
    dictionary = load_shipped(name)
    papers = {paper: set(load_shipped(paper).terms) for paper in ("wu2021", *COLLECTED)}
    named = [
        (term, paper)
        for term, note in dictionary.notes.items()
        for paper in note.source.split("; ")[0].split(", ")
        if paper in papers
    ]
    assert len(named) > {"digital": 60, "intelligent": 50, "governance": 0}[name]
    assert [entry for entry in named if entry[0] not in papers[entry[1]]] == []


@pytest.mark.parametrize("name", HOUSE)
def test_no_term_of_a_house_list_is_short_or_inside_another(name):
    terms = load_shipped(name).terms
    assert [term for term in terms if len(term) < 3] == []
    assert [
        (one, other) for one in terms for other in terms if one != other and fold_term(one) in fold_term(other)
    ] == []


def test_the_house_lists_share_no_term():
    lists = [set(load_shipped(name).terms) for name in HOUSE]
    assert len(set.union(*lists)) == sum(len(each) for each in lists)
    assert all(not set(load_shipped(name).passport["left_out"]) & set(load_shipped(name).terms) for name in HOUSE)
