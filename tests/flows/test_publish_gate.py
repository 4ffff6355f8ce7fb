"""The gate of a release on small tables whose numbers are counted by hand."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.publishing.difference_result import Comparison
from flows.publishing.gate import Judged, definitions_kept, files_failed, firm_years_lost, values_changed, years
from flows.publishing.gate_new_year import new_year
from flows.publishing.gate_numbers import lost_firm_years, moves, readable
from flows.publishing.gate_report import WHAT, CheckName, GateCheck, GateReport
from flows.settings import GateOptions

FRAME = ["stock_code", "report_year", "index", "before", "after", "cause", "detail"]
FEW = GateOptions(least_firms=2)


def counts(rows: dict[tuple[str, int], float | None], dictionary: str = "wu2021", **given: str) -> pd.DataFrame:
    """Return counts of one index as an export holds them."""
    facts = {"dictionary": dictionary, "scope": "report", "dimension": "total", "measure": "count"} | given
    index = "_".join([facts["dictionary"], facts["scope"], facts["dimension"]])
    made = [
        {"stock_code": code, "report_year": year, "index": index, "value": value, **facts}
        for (code, year), value in rows.items()
    ]
    return pd.DataFrame(made).astype({"value": "float64"})


def two_years(before: list[float | None], after: list[float | None]) -> pd.DataFrame:
    """Return firms with a count in 2023 and one in 2024."""
    rows = {(f"{firm:06d}", 2023): value for firm, value in enumerate(before)}
    return counts(rows | {(f"{firm:06d}", 2024): value for firm, value in enumerate(after)})


def exported(folder: Path, frame: pd.DataFrame, quality: list[dict[str, str]] | None = None, words: str = "") -> Path:
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "indices_long.parquet")
    columns = ["panel", "check", "status", "column", "report_year", "value", "expected", "firms", "sentence"]
    pd.DataFrame(quality or [], columns=columns).to_csv(folder / "quality.csv", index=False, encoding="utf-8-sig")
    (folder / "quality.md").write_text(f"# Quality\n\n{words}\n", encoding="utf-8")
    return folder


def comparison(rows: list[tuple[Any, ...]]) -> Comparison:
    empty = pd.DataFrame()
    values = pd.DataFrame(rows, columns=FRAME)
    return Comparison("a", "b", empty, values, empty, empty, empty, empty, empty, compared=0)


def the(name: CheckName, checks: Any) -> GateCheck:
    [found] = [check for check in checks if check.name == name]
    return found


# Files and definitions


@pytest.mark.parametrize(("failed", "status"), [(0, "ok"), (2, "ok"), (3, "fail")])
def test_files_that_timed_out_or_failed_are_counted(failed: int, status: str):
    # 2 of 100 are 2 %, 3 of 100 are 3 %; scans and garbled files do not count.
    statuses = ["timeout", "failed", "failed"][:failed] + ["scanned"] * 5
    documents = pd.DataFrame({"status": statuses + ["ok"] * (100 - len(statuses))})
    check = files_failed(documents, 0.02)
    assert (check.status, check.value, check.limit) == (status, failed / 100, 0.02)


def test_a_definition_that_goes_away_is_a_fault_unless_declared():
    assert definitions_kept((), "", GateOptions()).status == "skipped"
    assert definitions_kept((), "2023.1", GateOptions()).status == "ok"
    assert definitions_kept(["own"], "2023.1", GateOptions()).status == "fail"
    assert definitions_kept(["own"], "2023.1", GateOptions(declared_changes=["definition"])).status == "ok"


# Against the last release


def test_firm_years_that_lost_their_value_are_counted_by_hand(tmp_path: Path):
    before = counts({("1", 2022): 3, ("1", 2023): 0, ("2", 2023): 5, ("3", 2023): None})
    # 1 2023 turned missing, 2 2023 went away, 3 2023 had none before, 4 2024 is new: 2 of 3 are lost.
    after = counts({("1", 2022): 9, ("1", 2023): None, ("3", 2023): None, ("4", 2024): 1})
    [lost] = lost_firm_years(before, after)
    assert (lost.before, lost.firm_years, lost.share) == (3, (("1", 2023), ("2", 2023)), pytest.approx(2 / 3))
    judged = Judged("wu", tmp_path, exported(tmp_path / "before", before))
    check = firm_years_lost(judged, after, GateOptions(most_firm_years_lost=0.66))
    assert check.status == "fail"
    assert "2 of 3 firm-years with a value have none now" in check.sentence
    assert "1 2023, 2 2023" in check.sentence
    assert firm_years_lost(judged, after, GateOptions(most_firm_years_lost=0.67)).status == "ok"


def test_each_list_and_scope_is_judged_apart(tmp_path: Path):
    fine = counts({("1", 2022): 3, ("2", 2022): 1})
    whole, mda = counts({("1", 2022): 3, ("2", 2022): 1}), counts({("1", 2022): 3, ("2", 2022): 1}, scope="mda")
    gone = counts({("1", 2022): None, ("2", 2022): 1}, scope="mda")
    judged = Judged("wu", tmp_path, exported(tmp_path / "before", pd.concat([whole, mda])))
    check = firm_years_lost(judged, pd.concat([fine, gone]), GateOptions())
    assert (check.status, check.value) == ("fail", 0.5)
    assert check.sentence.startswith("wu2021 mda: 1 of 2")


def changed(tmp_path: Path, causes: list[str], **options: Any) -> GateCheck:
    before = counts({(str(firm), 2023): firm for firm in range(10)})
    rows = [(str(firm), 2023, "x", 1.0, 2.0, cause, "") for firm, cause in enumerate(causes)]
    folder = exported(tmp_path / "before", before)
    return values_changed(Judged("wu", folder, folder, comparison(rows)), GateOptions(**options))


def test_values_with_a_new_report_or_a_correction_may_change(tmp_path: Path):
    check = changed(tmp_path, ["new_file", "revised_report", "other_winner", "correction", "removed_file"])
    assert (check.status, check.value) == ("ok", 0.0)
    assert "0 of 10 values changed" in check.sentence
    assert "5 changed with one" in check.sentence


@pytest.mark.parametrize("cause", ["dictionary", "rule", "keep", "reading", "software", "identity", "unexplained"])
def test_one_value_that_changes_without_a_reason_is_a_fault(tmp_path: Path, cause: str):
    check = changed(tmp_path, [cause])
    assert (check.status, check.value) == ("fail", 0.1)
    assert f"1 by {cause}" in check.sentence
    assert "--declare" in check.sentence


@pytest.mark.parametrize(
    ("cause", "declared"),
    [
        ("dictionary", "dictionary"),
        ("dictionary", "definition"),
        ("rule", "rule"),
        ("rule", "script"),
        ("scope", "scope"),
        ("keep", "keep"),
        ("keep", "software"),
        ("reading", "reading"),
        ("software", "software"),
        ("identity", "reading"),
    ],
)
def test_a_declared_change_explains_its_cause(tmp_path: Path, cause: str, declared: str):
    assert changed(tmp_path, [cause], declared_changes=[declared]).status == "ok"


def test_no_declaration_explains_what_has_no_cause_or_another(tmp_path: Path):
    everything = ["definition", "dictionary", "rule", "scope", "keep", "script", "reading", "software"]
    assert changed(tmp_path / "a", ["unexplained"], declared_changes=everything).status == "fail"
    assert changed(tmp_path / "b", ["dictionary"], declared_changes=["rule", "software"]).status == "fail"


def test_values_that_came_or_went_are_no_changed_values(tmp_path: Path):
    # What went is counted by firm_years_lost.
    before = counts({(str(firm), 2023): firm for firm in range(10)})
    rows = [("1", 2023, "x", 1.0, math.nan, "reading", ""), ("2", 2023, "x", math.nan, 1.0, "reading", "")]
    folder = exported(tmp_path / "before", before)
    assert values_changed(Judged("wu", folder, folder, comparison(rows)), GateOptions()).value == 0.0


def test_the_first_release_has_nothing_to_be_compared_with(tmp_path: Path):
    judged = Judged("wu", tmp_path)
    frame = counts({("1", 2022): 3})
    assert firm_years_lost(judged, frame, GateOptions()).status == "skipped"
    assert values_changed(judged, GateOptions()).status == "skipped"


# The quality gate of the years


def finding(check: str, year: str, status: str = "fail") -> dict[str, str]:
    return {"panel": "wu", "check": check, "status": status, "column": "x", "report_year": year, "sentence": check}


def test_findings_that_the_last_release_had_are_known_and_new_ones_fail(tmp_path: Path):
    frame = counts({("1", 2022): 3})
    before = exported(tmp_path / "before", frame, [finding("zeros", "2012")])
    same = exported(tmp_path / "same", frame, [finding("zeros", "2012"), finding("jumps", "2020", "warning")])
    more = exported(tmp_path / "more", frame, [finding("zeros", "2012"), finding("zeros", "2024")])
    assert years(Judged("wu", same, before), "2023.1").sentence == "0 findings fail, 1 more stood in 2023.1 already"
    check = years(Judged("wu", more, before), "2023.1")
    assert (check.status, check.value) == ("fail", 1)
    assert years(Judged("wu", same), "").status == "fail"


def test_one_year_alone_is_not_judged(tmp_path: Path):
    words = "not judged: the data hold one report year; a year is judged by those around it"
    check = years(Judged("wu", exported(tmp_path / "a", counts({("1", 2022): 3}), words=words)), "")
    assert (check.status, check.sentence) == ("skipped", words)


# The new year


def test_the_mean_of_the_same_firms_is_compared():
    # ln(1 + count): firms 0 and 1 go from ln 2 to ln 4; firm 2 has no value in 2024 and does not count.
    means, zeros = moves(two_years([1, 1, 50], [3, 3, None]), 2024)
    [mean], [zero] = means, zeros
    assert mean.firms == 2
    assert (mean.before, mean.after) == (pytest.approx(math.log(2)), pytest.approx(math.log(4)))
    assert mean.standard_error == pytest.approx(0)
    assert (zero.before, zero.after) == (0, 0)


def test_the_standard_error_is_that_of_the_paired_difference():
    # Differences of zeros: 1, 0, 0, 0: mean 1/4, standard deviation 1/2, over the root of 4: 1/4.
    _, [zero] = moves(two_years([1, 1, 1, 1], [0, 1, 1, 1]), 2024)
    assert (zero.size, zero.standard_error) == (pytest.approx(0.25), pytest.approx(0.25))


def test_a_mean_that_doubles_for_every_firm_is_a_fault():
    checks = list(new_year("wu", two_years([9] * 12, [19] * 12), 2024, GateOptions()))
    check = the("new_year_mean", checks)
    # ln 20 - ln 10 = 0.69, above 0.4.
    assert (check.status, round(check.value or 0, 3)) == ("fail", 0.693)
    assert "goes from 2.30 in 2023 to 3.00 in 2024 for the 12 firms" in check.sentence
    assert the("new_year_zeros", checks).status == "ok"


def test_a_year_of_zeros_is_a_fault_and_one_firm_at_zero_is_none():
    assert the("new_year_zeros", new_year("wu", two_years([5] * 12, [0] * 12), 2024, GateOptions())).status == "fail"
    one = the("new_year_zeros", new_year("wu", two_years([5] * 5, [5, 5, 5, 5, 0]), 2024, FEW))
    # 20 % is above the limit, but one of five firms is chance.
    assert (one.status, one.value) == ("ok", pytest.approx(0.2))
    assert "it may be chance" in one.sentence


def test_few_firms_are_not_judged_and_it_is_said_how_many():
    check = the("new_year_mean", new_year("wu", two_years([5] * 9, [500] * 9), 2024, GateOptions()))
    assert check.status == "skipped"
    assert check.sentence == "9 firms have a value in 2023 and 2024; at least 10 are needed"


def test_reports_that_can_no_longer_be_read_are_a_fault():
    checks = list(new_year("wu", two_years([5] * 9 + [None], [5] * 7 + [None] * 3), 2024, GateOptions()))
    check = the("new_year_missing", checks)
    # 1 of 10 before, 3 of 10 now: 20 percentage points more, at most 10.
    assert (check.status, check.value) == ("fail", pytest.approx(0.2))
    assert "3 of 10 reports of 2024 give no value, 1 of 10 of 2023 (+20.0 percentage points" in check.sentence


def test_firms_that_have_not_filed_yet_are_counted_and_asked_for_only_where_told():
    frame = two_years([5] * 10, [5] * 4)
    [state] = readable(frame, 2024)
    assert (state.values_before, state.firms_back, state.coverage) == (10, 4, 0.4)
    assert the("new_year_coverage", new_year("wu", frame, 2024, GateOptions())).status == "ok"
    assert the("new_year_coverage", new_year("wu", frame, 2024, GateOptions(least_coverage=0.5))).status == "fail"


def test_a_year_without_one_before_is_not_judged():
    checks = list(new_year("wu", counts({("1", 2024): 5}), 2024, FEW))
    assert {check.status for check in checks} == {"skipped"}


# The report


def test_every_check_is_a_named_line_with_its_numbers(tmp_path: Path):
    checks = tuple(
        GateCheck(name, "fail" if name == "years" else "ok", f"{name} | <b>3</b>", "wu", 1.0, 2.0) for name in WHAT
    )
    report = GateReport(checks, "2023.1")
    assert report.verdict == f"rejected: 1 of {len(WHAT)} checks fail beside 2023.1"
    report.write(tmp_path)
    table = pd.read_csv(tmp_path / "gate.csv", encoding="utf-8-sig")
    assert table["check"].tolist() == list(WHAT)
    assert (table["value"].tolist(), set(table["limit"])) == ([1.0] * len(WHAT), {2.0})
    page = (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert page.count("\n| ") == len(WHAT) + 2
    assert "<b>" not in page
    assert "\\|" in page


# The page that explains it


def test_the_page_names_every_check_with_its_default_limit():
    page = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert set(WHAT) <= set(rows)
    defaults = GateOptions().model_dump()
    limits = ["most_firm_years_lost", "most_values_changed", "largest_mean_jump", "largest_zero_jump"]
    for name in [*limits, "largest_missing_jump", "least_coverage", "least_firms"]:
        assert f"`--{name.replace('_', '-')}` {defaults[name]:g}" in page
