"""Lists from elsewhere: every format and encoding, every problem at once, and back to YAML unchanged."""

import dataclasses

import pytest

from nlp.dictionary import TermNote, parse
from nlp.dictionary_import import Passport, build, to_yaml
from nlp.term_rows import TermRow, decode, guess_format, has_terms, rows_of_table, rows_of_text
from shuzhi import DictionaryError

PASSPORT = Passport("mine", "digital", "自编", "Own", {"imported_from": "x.csv"})
CHINESE = "词,维度\n大数据,数据\n区块链,链\n"


def terms(text: str, form: str) -> list[tuple[str, str]]:
    return [(row.term, row.dimension) for row in rows_of_text(text, form)]


def problems(rows, base=None, name="mine") -> list[str]:
    with pytest.raises(DictionaryError) as caught:
        build(rows, dataclasses.replace(PASSPORT, name=name), "x.csv", base)
    head, *lines = str(caught.value).splitlines()
    assert head == f"x.csv: {len(lines)} problem{'s' if len(lines) > 1 else ''}"
    return [line.strip() for line in lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(encoding):
    assert decode(CHINESE.encode(encoding), "x.csv") == CHINESE


def test_a_damaged_utf8_file_is_not_taken_for_gb18030():
    # GB18030 takes nearly any bytes: without the check this would import characters that nobody wrote.
    data = "大数据\n区块链\n云计算\n物联网\n".encode()
    with pytest.raises(DictionaryError, match=r"x\.txt line 3: not text in UTF-8 or GB18030"):
        decode(data[:21] + data[22:], "x.txt")


@pytest.mark.parametrize(
    ("text", "suffix", "form"),
    [
        (CHINESE, ".csv", "csv"),
        ("大数据\n区块链\n", ".txt", "text"),
        ("大数据 3 n\n区块链 5\n云计算 nz\n", ".txt", "jieba"),
        ("EB 级存储\nNFC 支付\n", ".txt", "text"),
        ("人工智能 n\n区块链 n\n", ".txt", "text"),
        ("", ".txt", "text"),
    ],
)
def test_the_format_is_guessed(text, suffix, form):
    assert guess_format(text, suffix) == form


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_table_in_text(delimiter):
    text = '# a remark\n词,维度\n大数据,数据\n\n"EB,级存储",\n'.replace(",", delimiter)
    assert terms(text, "csv") == [("大数据", "数据"), (f"EB{delimiter}级存储", "")]


def test_one_term_a_line_with_remarks():
    assert terms("# 说明\n大数据\n\n  EB 级存储 \n", "text") == [("大数据", ""), ("EB 级存储", "")]


def test_jiebas_user_dictionary():
    # As jieba itself reads it: word, frequency and tag, the last two optional.
    text = "云计算 5\n李小福 2 nr\n创新办 3 i\neasy_install 3 eng\n好用 300\n韩玉赏鉴 3 nz\n八一双鹿 3 nz\n台中\n"
    expected = ["云计算", "李小福", "创新办", "easy_install", "好用", "韩玉赏鉴", "八一双鹿", "台中"]
    assert [term for term, _ in terms(text, "jieba")] == expected


def test_places_are_the_lines_of_the_file():
    assert [row.place for row in rows_of_text("# x\n大数据\n\n区块链\n", "text")] == ["line 2", "line 4"]
    assert [row.place for row in rows_of_text("term\n大数据\n\n区块链\n", "csv")] == ["line 2", "line 4"]


def test_numbers_and_missing_cells_of_a_sheet_are_text():
    table = [("row 1", ("Term", None, "保留")), ("row 2", (5.0, "x", "是")), ("row 3", (None, None, None))]
    assert rows_of_table(table) == [TermRow("row 2", "5", keep="yes")]


@pytest.mark.parametrize(
    ("cell", "keep"), [("yes", "yes"), ("YES", "yes"), ("否", "no"), ("", ""), (None, ""), (0, "no")]
)
def test_what_the_reader_of_a_sheet_decided(cell, keep):
    assert rows_of_table([("1", ("term", "keep")), ("2", ("云", cell))])[0].keep == keep


def test_a_table_without_a_column_of_terms_is_refused_with_its_columns():
    with pytest.raises(DictionaryError, match=r"line 1: no column of terms among a, b; name it 'term'"):
        rows_of_text("a,b\n1,2\n", "csv")
    assert (has_terms(["a", "术语"]), has_terms(["item", "value"]), has_terms([])) == (True, False, False)


def test_an_empty_file_is_refused():
    with pytest.raises(DictionaryError, match="empty"):
        rows_of_text("\n# x\n", "csv")


def test_a_list_is_built_with_its_dimensions():
    made = build(rows_of_text(CHINESE, "csv"), PASSPORT, "x.csv", ids={"数据": "data"})
    assert [(each.id, each.zh, each.terms) for each in made.dimensions] == [
        ("data", "数据", ("大数据",)),
        ("dimension_2", "链", ("区块链",)),
    ]
    assert (made.verified, made.passport["lineage"]) == (False, {"imported_from": "x.csv"})


def test_what_is_written_reads_back_as_the_same_list():
    rows = [
        TermRow("1", "on", "data", reason="a: b # c"),
        TermRow("2", "007", "data"),
        TermRow("3", "互联网+", "total"),
    ]
    made = build(rows, PASSPORT, "x.csv")
    assert parse(to_yaml(made), "mine.yml") == made
    assert made.notes == {"on": TermNote("a: b # c", "")}


def test_a_shipped_list_reads_back_as_itself(wu2021):
    assert parse(to_yaml(wu2021), "wu2021.yml").content_hash == wu2021.content_hash


def test_every_problem_is_named_with_its_place_at_once():
    text = "term,dimension,keep\n大数据,a,yes\n,a,yes\n大数据,b,yes\n云计算,a,maybe\nＮＦＣ支付,a,yes\nnfc 支付,a,yes\n"
    assert problems(
        [*rows_of_text(text, "csv"), TermRow("line 8", "云\n计算", "a"), TermRow("line 9", "长" * 31, "a")]
    ) == [
        "line 3: no term",
        "line 4: 大数据 stands already at line 2; keep one",
        "line 5: keep is 'maybe'; write yes or no, or leave it empty",
        "line 7: nfc 支付 is matched like ＮＦＣ支付, which stands already at line 6; keep one",
        "line 8: '云\\n计算' holds a control character or a line break; one term a row",
        f"line 9: {'长' * 30}… is longer than 30 characters; one term a row",
    ]


def test_a_bad_name_and_a_list_without_a_term_are_refused():
    assert problems([TermRow("1", "云", keep="no")], name="My List") == [
        "name 'My List': lower-case ASCII letters, digits and _ only, at most 31 characters",
        "no term is kept; mark rows with keep: yes",
    ]


def test_on_top_of_a_base_terms_are_added_moved_and_taken_out(word_list):
    base = word_list(cloud=("云计算", "物联网"), data=("大数据",))
    rows = [
        TermRow("1", "区块链", "data", "yes"),
        TermRow("2", "物联网", "data", "yes"),
        TermRow("3", "云 计算", "cloud", "no"),
        TermRow("4", "小程序", "cloud", ""),
        TermRow("5", "大数据", "", "yes"),
        TermRow("6", "边缘计算", "edge", "yes"),
    ]
    base = dataclasses.replace(base, passport={"unit_of_count": "hits"})
    made = build(rows, PASSPORT, "x.csv", base)
    # cloud loses 云计算 by row 3 and 物联网 by row 2, and with its last term it goes.
    assert {each.id: each.terms for each in made.dimensions} == {
        "data": ("物联网", "大数据", "区块链"),
        "edge": ("边缘计算",),
    }
    assert made.passport["unit_of_count"] == "hits"


def test_a_new_term_without_a_dimension_is_a_problem_only_where_there_are_several(word_list):
    several = dataclasses.replace(word_list(cloud=("云计算",), data=("大数据",)), passport={"unit_of_count": "hits"})
    assert problems([TermRow("row 2", "区块链")], several) == [
        "row 2: 区块链 has no dimension; the base has several, so name one"
    ]
    one = dataclasses.replace(word_list("云计算"), passport={"unit_of_count": "hits"})
    assert build([TermRow("row 2", "区块链")], PASSPORT, "x.csv", one).terms == ("云计算", "区块链")


def test_a_dimension_of_the_base_is_known_by_its_labels(word_list):
    base = dataclasses.replace(word_list(cloud=("云计算",), data=("大数据",)), passport={"unit_of_count": "hits"})
    base = dataclasses.replace(
        base,
        dimensions=tuple(dataclasses.replace(each, zh=f"{each.id}维", en=each.id.title()) for each in base.dimensions),
    )
    made = build([TermRow("1", "甲术语", "data维"), TermRow("2", "乙术语", "Data")], PASSPORT, "x.csv", base)
    assert made.dimension_of == {"云计算": "cloud", "大数据": "data", "甲术语": "data", "乙术语": "data"}
