"""Indices: formulas by hand, missing is never zero, and one report a firm-year with a reason for each other file."""

import math

import pandas as pd
import pytest

from nlp.index import (
    FIRM_YEAR,
    LONG_COLUMNS,
    MEASURES,
    WIDE_KEYS,
    aggregate,
    check_indices,
    choose_reports,
    index_names,
    widen,
)
from nlp.scope import parse_scope


@pytest.fixture
def dictionary(word_list):
    return word_list(cloud=("云计算",), data=("大数据", "征信"))


def document(code: str, year: int = 2020, **changes: object) -> dict[str, object]:
    """Return the row of a used, readable report of 50,000 characters."""
    row: dict[str, object] = {
        "stock_code": code,
        "company_name": f"公司{code}",
        "report_year": year,
        "file": f"{code}_{year}.pdf",
        "document_id": f"id-{code}-{year}",
        "status": "ok",
        "reason": "",
        "chinese_characters": 50_000,
        "tokens": 20_000,
        "sentences": 1_000,
        "readable_share": 1.0,
        "ocr_pages": 0,
    }
    return row | changes


UNREADABLE = {
    "status": "scanned",
    "reason": "9 of 9 pages are scans",
    "chinese_characters": None,
    "tokens": None,
    "sentences": None,
}


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    types = dict.fromkeys(["report_year", "chinese_characters", "tokens", "sentences"], "Int64")
    return pd.DataFrame(list(rows)).astype(types)


def counts(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["document_id", "dimension", "hits", "sentences_with_hits"])


def value(long: pd.DataFrame, code: str, dimension: str, measure: str) -> object:
    chosen = long[(long["stock_code"] == code) & (long["dimension"] == dimension) & (long["measure"] == measure)]
    (found,) = chosen["value"]
    return found


HITS = counts(
    ("id-000001-2020", "cloud", 4, 3),
    ("id-000001-2020", "data", 3, 2),
    ("id-000001-2020", "total", 7, 4),
)


@pytest.mark.parametrize(
    ("dimension", "measure", "expected"),
    [
        ("total", "count", 7),
        ("total", "log1p", math.log(8)),
        ("total", "per_10k_chars", 1.4),  # 7 / 50,000 * 10,000
        ("total", "per_1k_tokens", 0.35),  # 7 / 20,000 * 1,000
        ("total", "sentence_share", 0.004),  # 4 / 1,000, not 3 + 2
        ("cloud", "count", 4),
        ("cloud", "log1p", math.log(5)),
        ("cloud", "per_10k_chars", 0.8),  # 4 / 50,000 * 10,000
        ("cloud", "per_1k_tokens", 0.2),  # 4 / 20,000 * 1,000
        ("cloud", "sentence_share", 0.003),
        ("data", "count", 3),
        ("data", "log1p", math.log(4)),
        ("data", "per_10k_chars", 0.6),
        ("data", "per_1k_tokens", 0.15),
        ("data", "sentence_share", 0.002),
    ],
)
def test_the_formulas_by_hand(dictionary, dimension, measure, expected):
    long = aggregate(frame(document("000001")), HITS, dictionary, "longest")
    assert value(long, "000001", dimension, measure) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("measure", "numerator", "denominator", "unit"),
    [
        ("count", 7, None, ""),
        ("log1p", 7, None, ""),
        ("per_10k_chars", 7, 50_000, "chinese_characters"),
        ("per_1k_tokens", 7, 20_000, "tokens"),
        ("sentence_share", 4, 1_000, "sentences"),
    ],
)
def test_fault_11_each_index_carries_its_own_numerator_and_denominator(
    dictionary, measure, numerator, denominator, unit
):
    long = aggregate(frame(document("000001")), HITS, dictionary, "longest")
    row = long[(long["dimension"] == "total") & (long["measure"] == measure)].iloc[0]
    assert row["numerator"] == numerator
    assert (None if pd.isna(row["denominator"]) else row["denominator"]) == denominator
    assert row["denominator_unit"] == unit


def test_a_readable_report_without_hits_is_zero(dictionary):
    long = aggregate(frame(document("000001"), document("000002")), HITS, dictionary, "longest")
    rows = long[long["stock_code"] == "000002"]
    assert len(rows) == 15
    assert (rows["value"] == 0).all()
    assert (rows["numerator"] == 0).all()


def test_no_report_at_all_with_hits_is_zero_too(dictionary):
    long = aggregate(frame(document("000001")), counts(), dictionary, "longest")
    assert (long["value"] == 0).all()


def test_fault_5_an_unreadable_report_is_null_with_its_reason(dictionary):
    long = aggregate(frame(document("000001"), document("000002", **UNREADABLE)), HITS, dictionary, "longest")
    rows = long[long["stock_code"] == "000002"]
    assert len(rows) == 15
    assert rows[["value", "numerator", "denominator"]].isna().all(axis=None)
    assert set(rows["status"]) == {"scanned"}
    assert set(rows["reason"]) == {"9 of 9 pages are scans"}


def test_an_unreadable_report_is_null_even_if_its_hits_were_counted(dictionary):
    hits = counts(("id-000002-2020", "total", 5, 5), ("id-000002-2020", "cloud", 5, 5))
    unreadable = {**UNREADABLE, "chinese_characters": 3_983, "tokens": 1_500, "sentences": 111}
    long = aggregate(frame(document("000002", **unreadable)), hits, dictionary, "longest")
    assert long[["value", "numerator", "denominator"]].isna().all(axis=None)


@pytest.mark.parametrize("characters", [0, None])
def test_a_report_without_chinese_text_is_null_with_a_reason(dictionary, characters):
    english = document("000003", chinese_characters=characters, tokens=0, sentences=0)
    long = aggregate(frame(document("000001"), english), HITS, dictionary, "longest")
    rows = long[long["stock_code"] == "000003"]
    assert rows["value"].isna().all()
    assert set(rows["reason"]) == {"no Chinese text in the report"}


def test_the_note_on_a_readable_report_stays(dictionary):
    note = "1 of 90 pages are scans"
    long = aggregate(frame(document("000001", reason=note)), HITS, dictionary, "longest")
    assert set(long["reason"]) == {note}


def test_the_long_table_names_the_list_its_hash_the_rule_and_the_index(dictionary):
    long = aggregate(frame(document("000001")), HITS, dictionary, "substring")
    assert list(long.columns) == LONG_COLUMNS
    assert set(long["dictionary"]) == {"test"}
    assert set(long["dictionary_hash"]) == {dictionary.content_hash}
    assert set(long["rule"]) == {"substring"}
    measures = ["count", "log1p", "per_10k_chars", "per_1k_tokens", "sentence_share"]
    assert list(long["index"]) == [f"test_{part}_{m}" for part in ("total", "cloud", "data") for m in measures]
    assert list(MEASURES) == measures


def test_the_long_table_is_sorted_by_firm_and_year(dictionary):
    rows = frame(document("600000", 2019), document("000001", 2020), document("000001", 2019))
    long = aggregate(rows, HITS, dictionary, "longest")
    assert list(long[FIRM_YEAR].drop_duplicates().itertuples(index=False, name=None)) == [
        ("000001", 2019),
        ("000001", 2020),
        ("600000", 2019),
    ]


def test_aggregating_leaves_the_documents_as_they_were(dictionary):
    documents = frame(document("000001"), document("000003", chinese_characters=0, tokens=0, sentences=0))
    before = documents.copy(deep=True)
    aggregate(documents, HITS, dictionary, "longest")
    pd.testing.assert_frame_equal(documents, before)


@pytest.fixture
def panel(dictionary):
    """Give two firm-years, one of them unreadable, as documents and as the long table."""
    documents = frame(document("600000", **UNREADABLE), document("000001"))
    return documents, aggregate(documents, HITS, dictionary, "longest")


def test_the_wide_table_has_its_keys_first_and_then_the_indices_in_the_order_of_the_list(panel):
    documents, long = panel
    wide = widen(long, documents)
    measures = ["count", "log1p", "per_10k_chars", "per_1k_tokens", "sentence_share"]
    indices = [f"test_{part}_{m}" for part in ("total", "cloud", "data") for m in measures]
    assert list(wide.columns) == [*WIDE_KEYS, *indices]


def test_the_wide_table_has_one_row_a_firm_year_and_its_values(panel):
    documents, long = panel
    wide = widen(long, documents)
    assert list(wide["stock_code"]) == ["000001", "600000"]
    assert wide.loc[0, "test_total_count"] == 7
    assert wide.loc[0, "test_cloud_log1p"] == pytest.approx(math.log(5))
    assert wide.loc[1, [name for name in wide if str(name).startswith("test_")]].isna().all()
    assert wide.loc[1, "reason"] == "9 of 9 pages are scans"


def test_counts_are_whole_numbers_and_the_other_measures_are_not(panel):
    documents, long = panel
    types = widen(long, documents).dtypes.astype(str)
    assert {types[f"test_{part}_count"] for part in ("total", "cloud", "data")} == {"Int64"}
    assert {str(types[name]) for name in types.index if name.endswith(("log1p", "chars", "share"))} == {"float64"}


def test_the_wide_table_gives_the_reason_of_a_report_without_chinese_text(dictionary):
    documents = frame(document("000003", chinese_characters=0, tokens=0, sentences=0))
    wide = widen(aggregate(documents, HITS, dictionary, "longest"), documents)
    assert list(wide["reason"]) == ["no Chinese text in the report"]


def test_two_lists_stand_side_by_side_in_the_wide_table(dictionary, word_list):
    other = word_list(zeta=("云计算",))
    object.__setattr__(other, "name", "another")
    documents = frame(document("000001"), document("000002"))
    long = pd.concat([aggregate(documents, HITS, each, "longest") for each in (dictionary, other)], ignore_index=True)
    names = [name for name in widen(long, documents).columns if name.endswith("_count")]
    assert names == [
        "test_total_count",
        "test_cloud_count",
        "test_data_count",
        "another_total_count",
        "another_zeta_count",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "scanned"}, "unreadable report has a value"),
        ({"value": -1.0}, "negative"),
        ({"measure": "sentence_share", "value": 1.5}, "more sentences with hits"),
    ],
)
def test_an_impossible_index_is_refused(panel, change, message):
    _, long = panel
    readable = long.index[long["status"] == "ok"][0]
    for column, wrong in change.items():
        long.loc[readable, column] = wrong
    with pytest.raises(AssertionError, match=message):
        check_indices(long)


def test_an_index_twice_is_refused(panel):
    _, long = panel
    with pytest.raises(AssertionError, match="30 firm-year indices appear twice"):
        check_indices(pd.concat([long, long]))


def test_a_firm_year_with_two_reports_is_refused(dictionary):
    twice = frame(document("000001"), document("000001", document_id="other"))
    with pytest.raises(AssertionError, match="twice"):
        aggregate(twice, HITS, dictionary, "longest")


def candidate(file: str, **changes: object) -> dict[str, object]:
    """Return the row of a readable, original annual report of one firm-year."""
    row: dict[str, object] = {
        "file": file,
        "document_id": f"id of {file}",
        "stock_code": "000001",
        "report_year": 2020,
        "kind": "annual",
        "revision": "original",
        "revision_number": 0,
        "status": "ok",
        "chinese_characters": 50_000,
    }
    return row | changes


def chosen(*rows: dict[str, object], **options: object) -> dict[str, str]:
    """Return the reason of each file not used; a used one is not in it."""
    documents = pd.DataFrame(list(rows)).astype(
        {"report_year": "Int64", "revision_number": "Int64", "chinese_characters": "Int64"}
    )
    result = choose_reports(documents, **options)
    assert list(result.index) == list(documents.index)
    assert (result["is_used"] == (result["use_reason"] == "")).all()
    reasons = dict(zip(documents["file"], result["use_reason"], strict=True))
    return {file: reason for file, reason in reasons.items() if reason}


def test_the_only_report_of_a_firm_year_is_used():
    assert chosen(candidate("a.pdf"), candidate("b.pdf", report_year=2021)) == {}


def test_an_unreadable_report_is_used_where_it_is_the_only_one():
    assert chosen(candidate("a.pdf", status="scanned")) == {}


def test_a_readable_original_wins_over_an_unreadable_revision():
    rows = (
        candidate("revised.pdf", status="scanned", revision="revised", revision_number=2, chinese_characters=None),
        candidate("original.pdf"),
    )
    assert chosen(*rows) == {"revised.pdf": "superseded by original.pdf"}


def test_fault_7_the_highest_revision_wins_whichever_comes_first():
    rows = [
        candidate("a_original.pdf", chinese_characters=90_000),
        candidate("b_second.pdf", revision="revised", revision_number=2),
        candidate("c_first.pdf", revision="revised", revision_number=1, chinese_characters=80_000),
    ]
    expected = {"a_original.pdf": "superseded by b_second.pdf", "c_first.pdf": "superseded by b_second.pdf"}
    assert chosen(*rows) == chosen(*rows[::-1]) == expected


def test_of_equal_revisions_the_longest_report_wins():
    rows = (candidate("a_short.pdf", chinese_characters=9_999), candidate("b_long.pdf", chinese_characters=10_000))
    assert chosen(*rows) == {"a_short.pdf": "superseded by b_long.pdf"}


def test_of_equal_reports_the_first_by_name_wins():
    assert chosen(candidate("b.pdf"), candidate("a.pdf")) == {"b.pdf": "superseded by a.pdf"}


def test_the_same_bytes_twice_are_a_duplicate():
    rows = (candidate("a.pdf", document_id="x"), candidate("copy/a.pdf", document_id="x"))
    assert chosen(*rows) == {"copy/a.pdf": "duplicate of a.pdf"}


def test_a_cancelled_report_never_wins():
    rows = (candidate("cancelled.pdf", revision="cancelled", revision_number=9), candidate("a.pdf", status="scanned"))
    assert chosen(*rows) == {"cancelled.pdf": "cancelled by the firm"}
    assert chosen(candidate("cancelled.pdf", revision="cancelled")) == {"cancelled.pdf": "cancelled by the firm"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "summary"}, "not an annual report: summary"),
        ({"kind": None}, "not an annual report: kind unknown"),
        ({"stock_code": None}, "no stock code found"),
        ({"report_year": None}, "no report year found"),
        ({"stock_code": None, "report_year": None}, "no stock code found"),
        ({"kind": "summary", "revision": "cancelled", "stock_code": None}, "not an annual report: summary"),
    ],
)
def test_a_file_that_cannot_enter_says_why(change, reason):
    assert chosen(candidate("a.pdf"), candidate("b.pdf", **change)) == {"b.pdf": reason}
    assert chosen(candidate("b.pdf", **change)) == {"b.pdf": reason}


def test_other_kinds_enter_where_they_are_asked_for():
    row = candidate("q1.pdf", kind="quarterly")
    assert chosen(row, kinds=("annual", "quarterly")) == {}


def test_firm_years_are_chosen_apart_from_each_other():
    rows = (
        candidate("a.pdf"),
        candidate("a2.pdf", revision_number=1),
        candidate("b.pdf", stock_code="600000"),
        candidate("b_same.pdf", stock_code="600000", document_id="id of b.pdf"),
        candidate("c.pdf", report_year=2019),
    )
    assert chosen(*rows) == {"a.pdf": "superseded by a2.pdf", "b_same.pdf": "duplicate of b.pdf"}


# Which file makes a firm-year


def uses_of(*rows, kinds=("annual",)):
    """Return the use of each file by its name."""
    defaults = {"kind": "annual", "revision": "original", "revision_number": 0}
    documents = pd.DataFrame([document("000001") | defaults | {"document_id": row["file"]} | row for row in rows])
    return choose_reports(documents, kinds).set_axis(documents["file"])


def test_the_winner_is_named_by_its_document():
    uses = uses_of({"file": "a.pdf"}, {"file": "b.pdf", "revision": "revised", "revision_number": 1})
    assert uses["use_status"].to_dict() == {"a.pdf": "superseded", "b.pdf": "used"}
    assert uses.loc["a.pdf", "winner_document_id"] == "b.pdf"
    assert uses.loc["a.pdf", "use_reason"] == "superseded by b.pdf"
    assert pd.isna(uses.loc["b.pdf", "winner_document_id"])
    assert uses["is_used"].to_dict() == {"a.pdf": False, "b.pdf": True}


def test_a_copy_is_a_duplicate_of_its_twin():
    uses = uses_of({"file": "a.pdf", "document_id": "x"}, {"file": "b.pdf", "document_id": "x"})
    assert uses["use_status"].to_list() == ["used", "duplicate"]


def test_a_revision_that_is_no_full_report_does_not_win():
    piece = {"file": "revised.pdf", "revision": "revised", "revision_number": 1, "chinese_characters": 24_999}
    uses = uses_of({"file": "full.pdf"}, piece)
    assert uses["use_status"].to_dict() == {"full.pdf": "used", "revised.pdf": "superseded"}
    assert uses.loc["revised.pdf", "use_reason"] == "superseded by full.pdf: less than half as long"
    half = piece | {"chinese_characters": 25_000}
    assert uses_of({"file": "full.pdf"}, half).loc["revised.pdf", "use_status"] == "used"


def test_a_summary_is_used_only_if_asked_for_and_only_where_there_is_no_report():
    rows = ({"file": "full.pdf"}, {"file": "summary.pdf", "kind": "summary", "chinese_characters": 40_000})
    assert uses_of(*rows)["use_status"].to_list() == ["used", "left_out"]
    assert uses_of(*rows).loc["summary.pdf", "use_reason"] == "not an annual report: summary"
    assert uses_of(*rows, kinds=("annual", "summary"))["use_status"].to_list() == ["used", "superseded"]
    assert uses_of(rows[1], kinds=("annual", "summary"))["use_status"].to_list() == ["used"]


def test_an_excluded_file_makes_no_firm_year_and_says_who_took_it_out():
    uses = uses_of({"file": "a.pdf", "status": "excluded", "reason": "corrections.yml line 3: a draft"})
    assert uses.loc["a.pdf", "use_status"] == "left_out"
    assert uses.loc["a.pdf", "use_reason"] == "excluded by corrections.yml line 3: a draft"


def test_two_readings_of_a_section_give_two_indices_side_by_side(dictionary):
    scope = parse_scope("mda")
    documents = frame(document("000001")).assign(scope_reason="")
    long = aggregate(documents, HITS, dictionary, "longest", scope)
    assert set(long["scope"]) == {"mda"}
    assert next(iter(long["index"])) == "test_mda_total_count"
    assert list(long["index"]) == index_names(dictionary, scope)


def test_a_report_without_the_section_is_null_with_the_reason_and_never_the_whole_report(dictionary):
    documents = frame(document("000001", chinese_characters=None, tokens=None, sentences=None))
    documents = documents.assign(scope_reason="no section mda was found")
    long = aggregate(documents, HITS, dictionary, "longest", parse_scope("mda"))
    assert long["value"].isna().all()
    assert set(long["status"]) == {"ok"}
    assert set(long["reason"]) == {"no section mda was found"}
