"""Corrections: every problem of a file in one message, guards, what is set, and what is reported."""

from dataclasses import asdict

import pytest

from nlp.corrections import apply_corrections, parse_corrections
from nlp.identity import decide, from_path
from shuzhi import UsageError

GOOD = """\
# why each file is corrected stands beside it
- file: 2019/600519*.pdf
  field: report_year
  value: 2018
  expect: 2019
  reason: the folder is the year of filing
- stock_code: 000570
  report_year: 2019
  field: company_name
  value: 常示股份有限公司
  reason: the text layer is scrambled
- document_id: 0123abcd
  field: status
  value: exclude
  reason: the audit report, filed as the annual report
"""


def rows():
    names = ["2019/600519.pdf", "000570_2019_annual.pdf", "000570_2018_annual.pdf"]
    ids = ["f" * 64, "0123abcd" + "0" * 56, "a" * 64]
    return [
        {"file": name, "document_id": document, "status": "ok", "reason": "", **asdict(decide(from_path(name), None))}
        for name, document in zip(names, ids, strict=True)
    ]


def parse(text: str):
    return parse_corrections(text, "corrections.yml")


def test_entries_are_read_with_their_lines():
    first, second, third = parse(GOOD)
    assert (first.line, first.file, first.field, first.value, first.expect) == (
        *(2, "2019/600519*.pdf", "report_year"),
        *(2018, 2019),
    )
    # YAML would read 000570 as the octal number 376.
    assert (second.line, second.stock_code, second.report_year, second.has_expect) == (7, "000570", 2019, False)
    assert (third.line, third.document_id, third.value) == (12, "0123abcd", "excluded")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_an_empty_file_corrects_nothing(text):
    assert parse(text) == ()


def test_what_is_set():
    corrected, outcomes = apply_corrections(rows(), parse(GOOD))
    assert [outcome.outcome for outcome in outcomes] == ["applied"] * 3
    maotai, scrambled, other = corrected
    assert (maotai["report_year"], maotai["stock_code"], maotai["fiscal_year_end"]) == (2018, "600519", None)
    assert maotai["report_year_source"] == "corrections.yml line 2: the folder is the year of filing"
    assert maotai["report_year_evidence"] == "found 2019 (folder)"
    assert scrambled["company_name"] == "常示股份有限公司"
    assert scrambled["company_name_evidence"] == "found nothing"
    assert (scrambled["status"], scrambled["reason"]) == (
        "excluded",
        "corrections.yml line 12: the audit report, filed as the annual report",
    )
    assert other == rows()[2]
    assert outcomes[0].message == (
        "corrections.yml line 2: report_year set to 2018 (the folder is the year of filing) [2019/600519.pdf]"
    )


def test_the_rows_given_stay_as_they_are():
    given = rows()
    apply_corrections(given, parse(GOOD))
    assert given == rows()


def test_a_guard_fails_when_the_source_is_mended():
    text = "- file: 600519.pdf\n  field: report_year\n  value: 2018\n  expect: 2016\n  reason: the file name is wrong\n"
    corrected, (outcome,) = apply_corrections(rows(), parse(text))
    assert corrected == rows()
    assert outcome.outcome == "stale"
    assert outcome.message == (
        "corrections.yml line 1: expected report_year 2016 but now 2019 is found; remove or renew the correction"
        " [2019/600519.pdf]"
    )


def test_a_guard_for_what_was_not_found():
    text = (
        "- file: 600519.pdf\n  field: company_name\n  value: 贵州示台酒股份有限公司\n  expect: null\n  reason: a logo\n"
    )
    corrected, (outcome,) = apply_corrections(rows(), parse(text))
    assert (outcome.outcome, corrected[0]["company_name"]) == ("applied", "贵州示台酒股份有限公司")
    found = [{**row, "company_name": "贵州示台酒股份有限公司"} for row in rows()]
    _, (outcome,) = apply_corrections(found, parse(text))
    assert "expected company_name nothing but now 贵州示台酒股份有限公司 is found" in outcome.message


def test_a_correction_of_no_file_is_reported():
    text = "- file: 600520*.pdf\n  field: kind\n  value: summary\n  reason: 40 pages\n"
    corrected, (outcome,) = apply_corrections(rows(), parse(text))
    assert corrected == rows()
    assert (outcome.outcome, outcome.files) == ("no_match", ())
    assert outcome.message == "corrections.yml line 1: no file matches; correct or remove the entry"


def test_a_pattern_may_mean_several_files_whose_guards_differ():
    text = "- file: '*_annual.pdf'\n  field: report_year\n  value: 2017\n  expect: 2018\n  reason: r\n"
    corrected, outcomes = apply_corrections(rows(), parse(text))
    assert [row["report_year"] for row in corrected] == [2019, 2019, 2017]
    assert [(outcome.outcome, len(outcome.files)) for outcome in outcomes] == [("stale", 1), ("applied", 1)]
    assert corrected[2]["fiscal_year_end"] == "2017-12-31"


def test_the_second_of_two_entries_for_one_field_is_not_applied():
    entry = "- file: 600519.pdf\n  field: report_year\n  value: {}\n  reason: r\n"
    corrected, outcomes = apply_corrections(rows(), parse(entry.format(2017) + entry.format(2018)))
    assert corrected[0]["report_year"] == 2017
    assert outcomes[1].outcome == "conflict"
    assert outcomes[1].message.startswith("corrections.yml line 5: report_year is already set by line 1; keep one")


def test_a_firm_year_is_the_one_corrected_so_far():
    text = (
        "- file: 600519.pdf\n  field: report_year\n  value: 2018\n  reason: r\n"
        "- stock_code: '600519'\n  report_year: 2018\n  field: kind\n  value: summary\n  reason: r\n"
    )
    corrected, outcomes = apply_corrections(rows(), parse(text))
    assert [outcome.outcome for outcome in outcomes] == ["applied", "applied"]
    assert (corrected[0]["kind"], corrected[0]["kind_source"]) == ("summary", "corrections.yml line 5: r")


def test_the_exchange_goes_with_the_code():
    text = "- file: 600519.pdf\n  field: stock_code\n  value: 000570\n  reason: the file name is wrong\n"
    corrected, _ = apply_corrections(rows(), parse(text))
    assert (corrected[0]["stock_code"], corrected[0]["exchange"]) == ("000570", "SZ")


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("2019/600519.pdf", True),
        ("600519.pdf", True),
        ("6005??.pdf", True),
        ("2019\\600519.pdf", True),
        ("*/600519.pdf", True),
        ("2018/600519.pdf", False),
        ("600519", False),
    ],
)
def test_names_and_patterns_of_files(name, matches):
    text = f"- file: '{name}'\n  field: kind\n  value: summary\n  reason: r\n"
    _, (outcome,) = apply_corrections(rows(), parse(text))
    assert (outcome.outcome == "applied") == matches


def test_a_file_name_with_brackets_is_itself():
    row = {**rows()[0], "file": "2019/[已取消]年报（更新后）.pdf"}
    text = "- file: '[已取消]年报(更新后).pdf'\n  field: revision_number\n  value: 2\n  reason: r\n"
    (corrected,), _ = apply_corrections([row], parse(text))
    assert (corrected["revision_number"], corrected["revision_source"]) == (2, "corrections.yml line 1: r")


def test_every_problem_is_named_with_its_line():
    text = """\
- file: a.pdf
  field: report_yaer
  value: 2018
  reason: r
- feild: kind
  value: summary
  reason: r
- stock_code: 570
  report_year: 2018
  field: kind
  value: anual
  reason: r
- file: a.pdf
  document_id: 0123abcd
  field: kind
  value: summary
- file: b.pdf
  field: report_year
  value: 20l8
  expect: two
  reason: ""
- file: b.pdf
  field: status
  value: ok
  reason: r
  reason: s
- just words
"""
    with pytest.raises(UsageError) as error:
        parse(text)
    assert str(error.value).split("\n") == [
        "corrections.yml: 14 problems",
        "  line 2    unknown field report_yaer; did you mean report_year?",
        "  line 5    field is missing in this correction.",
        "  line 5    name either a file, or a document_id, or a stock_code with its report_year.",
        "  line 5    unknown key feild; did you mean field?",
        "  line 8    stock_code: 570 is no stock code; write six digits, or five of Hong Kong.",
        "  line 11   value: anual is no kind; did you mean annual?",
        "  line 13   name either a file, or a document_id, or a stock_code with its report_year"
        " (here: file, document_id).",
        "  line 13   reason is missing in this correction.",
        "  line 19   value: 20l8 is no fiscal year between 1980 and 2049.",
        "  line 20   expect: two is no fiscal year between 1980 and 2049.",
        "  line 21   reason is empty.",
        "  line 24   value: ok is no status. Known are exclude.",
        "  line 26   key reason stands already on line 25; keep one.",
        "  line 27   a correction is a mapping with field, value, reason and what it corrects.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file: a.pdf\nfield: kind\n", "corrections.yml line 1: corrections are a list; begin each with '- file: …'."),
        ("- file: [a\n", "corrections.yml line 2: "),
        ("- file: a.pdf\n  value: !!python/object:os.system x\n", "corrections.yml line 2: "),
        ("- file: {a: b}\n  field: kind\n  value: annual\n  reason: r\n", "file is a single value, not a list"),
        ("- document_id: xyz\n  field: kind\n  value: annual\n  reason: r\n", "document_id: the file's SHA-256"),
        ("- file: a\n  field: fiscal_year_end\n  value: 31.3.2021\n  reason: r\n", "is no date such as 2021-03-31"),
        ("- file: a\n  field: revision\n  value: final\n  reason: r\n", "final is no revision"),
    ],
)
def test_files_that_cannot_be_read(text, message):
    with pytest.raises(UsageError) as error:
        parse(text)
    assert message in str(error.value)
