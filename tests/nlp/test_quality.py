"""The gate on an index: real panels, simulated ones with known faults, and each check by hand."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from nlp.quality import QualityReport, check_index
from nlp.quality_panel import QualityLimits, arrange, rank_correlation
from shuzhi import UsageError
from tests.benchmarks.validity import (
    CLEAN_PANEL,
    CORRUPT_PANEL,
    COUNTS,
    FAULTS,
    SHUFFLED,
    Simulated,
    check_real,
    read_real,
    score_gate,
    simulate_panel,
)

LIMITS = QualityLimits()


@pytest.fixture(scope="module")
def panels(shared):
    if not (shared / "reference" / "panels").is_dir():
        pytest.skip("the shared test data hold no panels")
    return shared


# The real panels


def test_the_clean_real_panel_passes(panels):
    report = check_real(read_real(panels, CLEAN_PANEL), COUNTS)
    assert report.is_ok, list(report.lines())
    status = {check.name: check.status for check in report.checks}
    assert status["text"] == status["reading"] == "skipped"
    (gap,) = next(check for check in report.checks if check.name == "coverage").sentences
    assert "2003, 2013, 2022" in gap


def test_the_corrupt_real_panel_is_caught_in_exactly_its_four_years(panels):
    report = check_real(read_real(panels, CORRUPT_PANEL), COUNTS)
    assert report.failing_years == (1999, 2003, 2013, 2022)
    assert report.failing_columns == ()


def test_the_shuffled_columns_of_the_corrupt_panel_are_named_and_no_other(panels):
    report = check_real(read_real(panels, CORRUPT_PANEL), COUNTS + SHUFFLED)
    assert report.failing_columns == SHUFFLED
    assert report.failing_years == (1999, 2003, 2013, 2022)


def test_what_is_said_of_the_corrupt_panel_is_true(panels):
    panel = read_real(panels, CORRUPT_PANEL)
    report = check_real(panel, COUNTS)
    zeros = next(check for check in report.checks if check.name == "zeros")
    (finding,) = [each for each in zeros.findings if each.column == "total" and each.years == (2022,)]
    of_year = panel[panel["year"] == 2022].set_index("stkcd")[list(COUNTS)].sum(axis=1)
    assert finding.value == pytest.approx((of_year == 0).mean())
    assert f"{(of_year == 0).mean():.0%} of {len(of_year):,} firms" in finding.sentence
    assert len(finding.firms) == 5
    assert (of_year[list(finding.firms)] == 0).all()
    beside = panel[panel["year"].isin([2021, 2023]) & panel["stkcd"].isin(finding.firms)]
    assert (beside[list(COUNTS)].sum(axis=1) > 50).all()


# Simulated panels


def test_few_false_alarms_and_nearly_all_faults_caught():
    # The full measurement, 200 of each, is tests.benchmarks.validity.
    score = score_gate(22, first_seed=50_000)
    assert score.alarms == 0
    assert score.faulty.total() == 22
    assert score.caught.total() >= 20
    assert score.exact.total() >= 17


@cache
def clean_panel() -> Simulated:
    return simulate_panel(7)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_named_with_its_year_or_column_and_firms(fault):
    clean = clean_panel()
    panel, years, columns = fault(clean, np.random.default_rng(7), clean.years[5])
    report = Simulated(panel, clean.terms, clean.years).check()
    assert years <= set(report.failing_years)
    assert columns <= set(report.failing_columns)
    known = set(panel["stock_code"])
    for check in report.failing:
        assert check.sentences
        assert check.firms
        assert set(check.firms) <= known
        assert all(any(firm in sentence for sentence in check.sentences) for firm in check.firms)


def test_the_gate_does_not_depend_on_the_order_of_rows_or_firms():
    panel = FAULTS[1](clean_panel(), np.random.default_rng(1), clean_panel().years[4])[0]
    mixed = panel.sample(frac=1, random_state=3)
    first, second = (check_index(each, values=clean_panel().terms).to_frame() for each in (panel, mixed))
    pd.testing.assert_frame_equal(first, second)


def test_a_long_panel_is_judged_as_the_wide_one():
    panel = FAULTS[0](clean_panel(), np.random.default_rng(1), clean_panel().years[4])[0]
    keys = ["stock_code", "report_year", "characters", "readable_share", "industry"]
    long = panel.melt(keys, list(clean_panel().terms), var_name="index", value_name="value")
    wide = check_index(panel, values=clean_panel().terms)
    pd.testing.assert_frame_equal(check_index(long).to_frame(), wide.to_frame())


def test_other_names_of_the_columns_change_nothing():
    names = {
        "stock_code": "stkcd",
        "report_year": "year",
        "characters": "len",
        "industry": "ind",
        "readable_share": "ok",
    }
    panel = clean_panel().panel.rename(columns=names)
    report = check_index(
        panel, stock_code="stkcd", report_year="year", characters="len", industry="ind", readable_share="ok"
    )
    assert report.columns == (*clean_panel().terms, "total")
    assert not [check.name for check in report.checks if check.status == "skipped"]


# Each check by hand


def made(
    changes: dict[tuple[int, int], float] | None = None, firms: int = 60, years: int = 6, **columns
) -> pd.DataFrame:
    """Return a panel in which firm f has about 10 × (10 + f) in every year, and more columns of the same shape."""
    firm, year = np.meshgrid(np.arange(firms), np.arange(6), indexing="ij")
    value = (10 + firm).astype(float)
    for (place, at), changed in (changes or {}).items():
        value[place, at] = changed
    frame = {"stock_code": [f"{600_000 + each}" for each in firm.ravel()], "report_year": 2010 + year.ravel()}
    # A little of each year's own keeps a year from being a copy of the one before.
    frame["value"] = value.ravel() * 10 + year.ravel()
    return pd.DataFrame(frame | {name: function(firm, year).ravel() for name, function in columns.items()})


def finding(report: QualityReport, name: str):
    return next(check for check in report.checks if check.name == name)


def test_a_perfect_panel_passes():
    report = check_index(made(), values=["value"])
    assert report.is_ok
    assert finding(report, "swapped_columns").status == finding(report, "alignment").status == "skipped"


def test_a_firm_year_that_stands_twice_is_named():
    panel = pd.concat([made(), made().iloc[[8, 9]]], ignore_index=True)
    # As in the real panels, a name stands between the keys.
    panel.insert(1, "name", "某公司")
    check = finding(check_index(panel, values=["value"]), "duplicates")
    # Row 8 is the second firm in its third year, row 9 the same in its fourth.
    assert (check.status, check.years, check.firms) == ("fail", (2012, 2013), ("600001",))
    assert "2 firm-years" in check.sentences[0]


def test_a_year_that_lacks_firms_is_named_with_the_share():
    panel = made()
    lost = (panel["report_year"] == 2012) & (panel["stock_code"] < "600020")
    check = finding(check_index(panel[~lost], values=["value"]), "coverage")
    assert (check.status, check.years) == ("fail", (2012,))
    # 20 of 60 firms.
    assert check.findings[0].value == pytest.approx(1 / 3)
    assert check.firms == ("600000", "600001", "600002", "600003", "600004")


def test_a_value_that_is_missing_counts_as_a_lost_firm():
    panel = made()
    panel.loc[(panel["report_year"] == 2012) & (panel["stock_code"] < "600020"), "value"] = np.nan
    assert finding(check_index(panel, values=["value"]), "coverage").years == (2012,)


def test_an_industry_that_drops_out_for_a_year_is_named():
    panel = made(firms=100, industry=lambda firm, year: np.where(firm < 15, "C39", "I65"))
    lost = (panel["report_year"] == 2013) & (panel["industry"] == "C39")
    check = finding(check_index(panel[~lost], values=["value"]), "coverage")
    assert (check.status, check.years) == ("fail", (2013,))
    assert check.sentences[0].startswith("industry C39, 2013: 15 of 15")


def test_a_year_without_any_row_is_told_and_fails_nothing():
    panel = made()
    report = check_index(panel[panel["report_year"] != 2013], values=["value"])
    assert report.is_ok
    assert finding(report, "coverage").status == "warning"
    assert "2013" in finding(report, "coverage").sentences[0]


def test_a_few_firms_that_jump_are_looked_at_and_many_fail():
    few = check_index(made({(3, 2): 900, (4, 3): 0}), values=["value"])
    assert few.is_ok
    assert finding(few, "jumps").firms == ("600003", "600004")
    many = check_index(made({(place, 2): 900 for place in range(0, 60, 4)}), values=["value"])
    assert (finding(many, "jumps").status, finding(many, "jumps").findings[0].value) == ("fail", 0.25)


def test_an_index_that_moves_without_its_text_is_told_from_one_that_moves_with_it():
    moves = {(place, at): 9 * (10 + place) for place in range(0, 60, 4) for at in range(3, 6)}

    def steady(firm, year):
        return np.full(firm.shape, 50_000)

    def grown(firm, year):
        return np.where((firm % 4 == 0) & (year >= 3), 450_000, 50_000)

    check = finding(check_index(made(moves, characters=steady), values=["value"]), "text")
    assert (check.status, check.years) == ("fail", (2013,))
    assert finding(check_index(made(moves, characters=grown), values=["value"]), "text").status == "ok"


def test_a_year_that_was_read_worse_is_named_with_its_worst_reports():
    def share(firm, year):
        return np.where((year == 4) & (firm < 30), 0.7, 1.0)

    check = finding(check_index(made(readable_share=share), values=["value"]), "reading")
    assert (check.status, check.years) == ("fail", (2014,))
    assert check.findings[0].value == pytest.approx(0.85)
    assert "85.0%" in check.sentences[0]


def test_a_year_of_short_texts_is_named():
    def characters(firm, year):
        return np.where(year == 3, 40_000, 100_000) + 100 * firm

    check = finding(check_index(made(characters=characters), values=["value"]), "reading")
    assert (check.status, check.years) == ("fail", (2013,))
    assert check.firms[0] == "600000"


def test_numbers_that_are_no_counts_are_judged_too():
    draw = np.random.default_rng(5)
    panel = made(score=lambda firm, year: np.sin(firm * 1.7) * 3 + draw.normal(0, 0.2, firm.shape))
    assert check_index(panel, values=["score"]).is_ok
    rows = panel.index[panel["report_year"] == 2013]
    panel.loc[rows, "score"] = draw.permutation(panel.loc[rows, "score"])
    assert check_index(panel, values=["score"]).failing_years == (2013,)
    panel.loc[rows, "score"] += 20
    assert finding(check_index(panel, values=["score"]), "level").years == (2013,)


def test_a_total_alone_is_judged_as_any_other_column():
    # A list with one dimension gives nothing else.
    panel = made().rename(columns={"value": "total"})
    assert finding(check_index(panel, values=["total"]), "copied_years").status == "ok"
    values = panel.pivot(index="stock_code", columns="report_year", values="total")
    rows = panel["report_year"] == 2013
    panel.loc[rows, "total"] = panel.loc[rows, "stock_code"].map(values[2012]).to_numpy()
    assert finding(check_index(panel, values=["total"]), "copied_years").years == (2013,)


def test_a_rank_correlation_is_scipys_and_rare_words_carry_little():
    draw = np.random.default_rng(2)
    first = draw.poisson(1.0, 200).astype(float)
    second = first + draw.poisson(1.0, 200)
    first[:10] = np.nan
    value, size = rank_correlation(first, second, LIMITS)
    assert value == pytest.approx(spearmanr(first[10:], second[10:]).statistic, rel=1e-12)
    assert size == 190
    rare = np.zeros(200)
    rare[:30] = np.arange(30)
    assert rank_correlation(rare, second, LIMITS)[1] == 58
    rare[15:] = 0
    assert np.isnan(rank_correlation(rare, second, LIMITS)[0])


def test_the_total_is_the_sum_of_counts_and_missing_where_one_is():
    panel = made(other=lambda firm, year: np.where(firm == 0, np.nan, 1.0))
    extras = {"industry": "", "characters": "", "readable_share": ""}
    arranged = arrange(
        panel, values=["value", "other"], stock_code="stock_code", report_year="report_year", extras=extras
    )
    assert np.isnan(arranged.matrices["total"][0]).all()
    np.testing.assert_array_equal(arranged.matrices["total"][1], arranged.matrices["value"][1] + 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stock_code": "code"}, "no column code; it has stock_code"),
        ({"values": ["x"]}, "no column x"),
        ({"industry": "ind"}, "no column ind"),
        ({"values": ["name"]}, "holds no number"),
        ({"report_year": "name"}, "no year"),
    ],
)
def test_a_column_that_is_not_there_is_named(options, words):
    panel = made().assign(name="某公司")
    with pytest.raises(UsageError, match=words):
        check_index(panel, **options)


@given(
    arrays(float, st.tuples(st.integers(1, 45), st.integers(2, 5)), elements=st.integers(-3, 9) | st.just(np.nan)),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("error")
def test_any_panel_gets_a_verdict(matrix, is_positive):
    assume(not np.isnan(matrix).all())
    firms, years = matrix.shape
    values = np.abs(matrix) if is_positive else matrix
    panel = pd.DataFrame(
        {
            "stock_code": np.repeat(np.arange(firms), years),
            "report_year": np.tile(np.arange(years), firms),
            "value": values.ravel(),
            "characters": np.abs(values.ravel()) * 1000,
            "readable_share": 1.0,
        }
    )
    report = check_index(panel, values=["value"], limits=QualityLimits(least_firms=4, least_varied=2))
    assert len(report.checks) == 11
    assert all(check.sentences for check in report.checks if check.status != "ok")


def test_one_year_cannot_be_judged():
    panel = made()
    with pytest.raises(UsageError, match="1 report year"):
        check_index(panel[panel["report_year"] == 2010])


def test_the_report_as_text_and_as_a_table():
    report = check_index(made({(3, 2): 900}), values=["value"])
    lines = list(report.lines())
    assert any(line.startswith("look    jumps") for line in lines)
    assert any("no number of characters is known" in line for line in lines)
    table = report.to_frame()
    assert table[["check", "status", "column", "report_year"]].to_numpy().tolist() == [
        ["jumps", "warning", "value", "2012"]
    ]
