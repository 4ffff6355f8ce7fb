"""Scopes: what they are called, and how long a report is within them, or why it has no such part."""

import pandas as pd
import pytest

from nlp.scope import LENGTHS, Scope, lengths_in_scope, parse_scope
from shuzhi import UsageError


@pytest.mark.parametrize(
    ("text", "mode", "kinds", "column_part"),
    [
        ("report", "report", (), ""),
        ("body", "body", (), "body_"),
        ("mda", "only", ("mda",), "mda_"),
        ("mda_subpart", "only", ("mda_subpart",), "mda_subpart_"),
        ("business_overview+mda", "only", ("business_overview", "mda"), "business_overview_and_mda_"),
        ("without_financial_report", "without", ("financial_report",), "without_financial_report_"),
        (" mda ", "only", ("mda",), "mda_"),
    ],
)
def test_a_scope_is_read_as_users_write_it(text, mode, kinds, column_part):
    scope = parse_scope(text)
    assert (scope.mode, scope.kinds, scope.column_part) == (mode, kinds, column_part)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mdna", "'mdna' is no part of a report; did you mean mda"),
        ("mda+financial", "'financial' is no part"),
        ("without_bod", "'bod' is no part"),
        ("", "'' is no part of a report; known: report, body, important_notice"),
    ],
)
def test_what_is_no_scope_is_refused_with_the_nearest_names(text, words):
    with pytest.raises(UsageError, match=words.replace("+", r"\+")):
        parse_scope(text)


DOCUMENTS = pd.DataFrame(
    [
        # The body is the report without its furniture.
        {"document_id": "a", "chinese_characters": 1000, "tokens": 500, "sentences": 50},
        {"document_id": "b", "chinese_characters": 2000, "tokens": 900, "sentences": 90},
        {"document_id": "c", "chinese_characters": None, "tokens": None, "sentences": None},
    ],
    index=[7, 8, 9],
)
DOCUMENTS = DOCUMENTS.assign(
    **{f"body_{name}": DOCUMENTS[name] - number for name, number in zip(LENGTHS, (100, 50, 5), strict=True)}
)


def section(document, kind, characters=None, confidence=1.0, checks=""):
    """Return the row of a section; one that was not found has no heading and no lengths."""
    is_found = characters is not None
    return {
        "document_id": document,
        "kind": kind,
        "heading": f"第一节{kind}" if is_found else None,
        "confidence": confidence,
        "checks": checks,
        "chinese_characters": characters,
        "tokens": characters // 2 if is_found else None,
        "sentences": characters // 20 if is_found else None,
    }


def in_scope(text, *rows):
    return lengths_in_scope(DOCUMENTS, pd.DataFrame(rows or [section("x", "mda", 1)]), parse_scope(text))


def test_the_whole_report_has_its_own_lengths():
    found = in_scope("report")
    assert list(found.index) == [7, 8, 9]
    assert found["chinese_characters"].tolist() == [1000, 2000, pd.NA]
    assert set(found["scope_reason"]) == {""}


def test_the_body_is_what_its_columns_say():
    found = in_scope("body")
    assert found.loc[7, list(LENGTHS)].tolist() == [900, 450, 45]


def test_a_section_has_its_lengths_and_a_report_without_it_is_null_with_a_reason():
    found = in_scope("mda", section("a", "mda", 400), section("b", "shares", 100))
    assert found.loc[7, list(LENGTHS)].tolist() == [400, 200, 20]
    assert found.loc[8, list(LENGTHS)].isna().all()
    assert found.loc[8, "scope_reason"] == "no section mda was found"


def test_a_section_that_was_not_found_says_why_and_never_becomes_the_report():
    found = in_scope("mda", section("a", "mda", None, 0.0, "no sequence of section headings was found"))
    assert found.loc[7, "scope_reason"] == "section mda was not found: no sequence of section headings was found"
    assert pd.isna(found.loc[7, "chinese_characters"])


def test_a_doubtful_section_is_null_with_what_speaks_against_it():
    found = in_scope("mda", section("a", "mda", 400, 0.45, "number 5 is missing"))
    assert found.loc[7, "scope_reason"] == "section mda is doubtful (confidence 0.45): number 5 is missing"
    assert pd.isna(found.loc[7, "tokens"])


def test_one_doubtful_section_of_two_makes_the_sum_doubtful():
    rows = [section("a", "mda", 400), section("a", "governance", 100, 0.2, "odd")]
    assert "governance is doubtful" in in_scope("mda+governance", *rows).loc[7, "scope_reason"]
    assert "governance is doubtful" in in_scope("mda+governance", *rows[::-1]).loc[7, "scope_reason"]


def test_sections_of_a_kind_are_summed_and_a_missing_kind_is_no_harm():
    rows = [section("a", "shares", 100), section("a", "shares", 60), section("a", "mda", 400)]
    found = in_scope("shares+bonds+mda", *rows)
    assert found.loc[7, list(LENGTHS)].tolist() == [560, 280, 28]


def test_without_is_the_body_less_the_section():
    found = in_scope("without_financial_report", section("a", "financial_report", 300))
    assert found.loc[7, list(LENGTHS)].tolist() == [600, 300, 30]
    # A section that is not known cannot be left out.
    assert found.loc[8, "scope_reason"] == "no section financial_report was found"
    assert pd.isna(found.loc[8, "chinese_characters"])


def test_every_named_section_must_be_known_to_be_left_out():
    found = in_scope("without_financial_report+bonds", section("a", "financial_report", 300))
    assert found.loc[7, "scope_reason"] == "no section bonds was found"


def test_a_scope_is_a_value():
    assert parse_scope("mda") == Scope("mda", "only", ("mda",))
