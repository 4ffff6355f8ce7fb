"""Declared indices: how they are read, what is refused, and their values by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from nlp.index_grid import check_specs, parse_grid
from nlp.index_spec import IndexSpec, Step, parse_keywords, parse_spec, parse_step
from nlp.index_values import compute_index, correlate
from nlp.weighting import EntropyWeights, FirstComponent
from shuzhi import UsageError

LINE = (
    "dictionary=wu2021 rule=token scope=mda kinds=strict done_threshold=0.7 weighting=tfidf fit_years=2010-2012,2015"
    " transform=per_10k_chars,log1p,trim:0.005:year,demean name=main"
)


def test_a_line_and_a_mapping_declare_the_same_index():
    mapping = {
        "name": "main",
        "dictionary": "wu2021",
        "rule": "token",
        "scope": "mda",
        "kinds": "strict",
        "done_threshold": 0.7,
        "weighting": "tfidf",
        "fit_years": [2010, 2011, 2012, 2015],
        "transform": ["per_10k_chars", "log1p", "trim:0.005:year", "demean"],
    }
    spec = parse_keywords(LINE)
    assert spec == parse_spec(mapping)
    assert spec == IndexSpec(
        dictionary="wu2021",
        rule="token",
        scope="mda",
        kinds="strict",
        done_threshold=0.7,
        weighting="tfidf",
        fit_years=(2010, 2011, 2012, 2015),
        transform=(
            Step("per_10k_chars"),
            Step("log1p"),
            Step("trim", 0.005, "year"),
            Step("demean", by="industry-year"),
        ),
        name="main",
    )


def test_a_described_index_can_be_read_again():
    spec = parse_keywords(LINE)
    said = spec.describe()
    assert said["fit_years"] == "2010,2011,2012,2015"
    assert said["transform"] == "per_10k_chars,log1p,trim:0.005:year:both,demean:industry-year"
    assert parse_spec(said) == spec


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("dictionary=wu2021", "wu2021_total_count"),
        ("dictionary=wu2021 transform=log1p", "wu2021_total_log1p"),
        (
            "dictionary=wu2021 scope=mda+governance kinds=published transform=per_10k_chars",
            "wu2021_mda_and_governance_published_total_per_10k_chars",
        ),
        (
            "dictionary=wu2021 weighting=entropy transform=winsorise:0.01:year:upper",
            "wu2021_total_entropy_winsorise_0_01_year_upper",
        ),
        (
            "dictionary=wu2021 rule=token dimension=cloud weighting=tfidf fit_years=2010-2012",
            "wu2021_token_cloud_tfidf_fit2010_2012",
        ),
    ],
)
def test_an_index_is_named_after_what_it_is(line, name):
    assert parse_keywords(line).name == name


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scope=mda", "name the word list"),
        ("dictionary=a scop=mda", "did you mean scope"),
        ("dictionary=a scope=mdaa", "did you mean mda"),
        ("dictionary=a weighting=pca", "take count, tfidf, entropy, first_component, equal"),
        ("dictionary=a transform=lg1p", "did you mean log1p"),
        ("dictionary=a transform=trim", "say which share"),
        ("dictionary=a transform=trim:0.6", "not a share from 0 to 0.499"),
        ("dictionary=a transform=trim:0.01:industry", "no number"),
        ("dictionary=a transform=log1p:2", "'2' says nothing to log1p"),
        ("dictionary=a transform=log1p:year", "log1p takes nothing"),
        ("dictionary=a transform=demean:all", "take industry-year, industry or year"),
        ("dictionary=a transform=log1p,sentence_share", "sentence_share comes first"),
        ("dictionary=a weighting=tfidf transform=sentence_share", "only with weighting: count"),
        ("dictionary=a transform=per_10k_chars,per_1k_tokens", "exclude each other"),
        ("dictionary=a weighting=equal transform=log1p", "gives negative values"),
        ("dictionary=a transform=demean,log1p", "log1p cannot follow demean"),
        ("dictionary=a weighting=entropy dimension=cloud", "take dimension: total"),
        ("dictionary=a fit_years=2010", "counts learn nothing"),
        ("dictionary=a weighting=tfidf fit_years=2012-2010", "write a year or a range"),
        ("dictionary=a done_threshold=0.4", "only kinds: strict uses it"),
        ("dictionary=a kinds=strict done_threshold=1.2", "a probability from 0 to 1"),
        ("dictionary=a name=1st", "a letter first"),
        ("dictionary=a scope", "write each choice once"),
        ("dictionary=a dictionary=b", "write each choice once"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_way_out(line, words):
    with pytest.raises(UsageError, match=words):
        parse_keywords(line)


def test_all_problems_are_told_at_once():
    with pytest.raises(UsageError, match="index: 3 problems") as caught:
        parse_keywords("scop=mda rule=all")
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize("text", ["log1p", "dummy:3", "trim:0.005:year:upper", "demean:industry", "standardise:year"])
def test_a_step_reads_as_it_is_written(text):
    assert parse_step(text).text == text


GRID = """\
base: {dictionary: wu2021, fit_years: 2010-2019, done_threshold: 0.7}
vary:
  scope: [report, mda]
  weighting: [count, tfidf]
  transform: [log1p, "per_10k_chars,trim:0.005"]
indices:
  - {kinds: strict, name: strict_one}
  - scope=body weighting=entropy
"""


def test_a_grid_holds_all_combinations_and_the_single_ones():
    specs = parse_grid(GRID, "grid.yml")
    assert len(specs) == 2 * 2 * 2 + 2
    assert {spec.fit_years for spec in specs if spec.weighting == "count"} == {()}
    assert {spec.fit_years for spec in specs if spec.weighting == "tfidf"} == {tuple(range(2010, 2020))}
    assert [spec.name for spec in specs][-2:] == ["strict_one", "wu2021_body_total_entropy_fit2010_2019"]
    assert (specs[-2].done_threshold, specs[-1].done_threshold) == (0.7, 0.0)
    assert len({spec.name for spec in specs}) == len(specs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vary: {scope: [mda, xx]}\nbase: {dictionary: a}", "g.yml: vary scope=xx: 1 problem"),
        ("indices: [{dictionary: a}, {dictionary: a, rul: x}]", "g.yml: indices, entry 2: 1 problem"),
        ("vary: {scope: mda}", "vary.scope: give a list"),
        ("grid: []", "holds vary: or indices:"),
        ("vary: [x]", "vary: is no mapping"),
        ("indices: [3]", "entry 1: is no mapping and no line"),
        ("a: [", "g.yml line"),
        ("base: {dictionary: a, name: x}\nvary: {scope: [report, mda]}", "the name x stands for two"),
        ("base: {dictionary: a}\nvary: {dimension: []}", "vary.dimension: give a list"),
    ],
)
def test_a_grid_with_a_fault_names_its_place(text, words):
    with pytest.raises(UsageError, match=words):
        parse_grid(text, "g.yml")


def test_the_same_index_twice_is_one():
    specs = check_specs([IndexSpec("a"), IndexSpec("a")], "g.yml")
    assert specs == [IndexSpec("a")]


# Values by hand


DIMENSIONS = {"大数据": "data", "征信": "data", "云计算": "cloud"}
TERMS = pd.DataFrame(
    {"大数据": [3, 0, 1, np.nan, 6], "征信": [1, 0, 0, np.nan, 0], "云计算": [0, 0, 3, np.nan, 2]}, dtype=float
)
FIRM_YEARS = pd.DataFrame(
    {
        "stock_code": ["000001", "000002", "000003", "000004", "000005"],
        "report_year": [2020, 2020, 2020, 2020, 2021],
        "reason": ["a note", "", "", "9 of 9 pages are scans", ""],
        "chinese_characters": pd.array([20_000, 10_000, 40_000, None, 10_000], "Int64"),
        "tokens": pd.array([8_000, 4_000, 16_000, None, 4_000], "Int64"),
        "sentences": pd.array([100, 50, 200, None, 50], "Int64"),
        "sentences_with_hits": [3.0, 0, 4, 0, 5],
        "industry": ["C39", "C39", None, "C39", "I65"],
    }
)


def values_of(line: str, firm_years: pd.DataFrame = FIRM_YEARS) -> pd.DataFrame:
    return compute_index(parse_keywords(f"dictionary=a {line}"), TERMS, DIMENSIONS, firm_years).values


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", [4, 0, 4, np.nan, 8]),
        ("dimension=cloud", [0, 0, 3, np.nan, 2]),
        ("transform=log1p", [math.log(5), 0, math.log(5), np.nan, math.log(9)]),
        ("transform=per_10k_chars", [2, 0, 1, np.nan, 8]),
        ("transform=per_1k_tokens", [0.5, 0, 0.25, np.nan, 2]),
        ("transform=sentence_share", [0.03, 0, 0.02, np.nan, 0.1]),
        ("transform=dummy", [1, 0, 1, np.nan, 1]),
        ("transform=dummy:4", [0, 0, 0, np.nan, 1]),
        ("transform=per_10k_chars,log1p", [math.log(3), 0, math.log(2), np.nan, math.log(9)]),
        # 2020: mean of 4, 0 and 4; one firm alone in 2021.
        ("transform=demean:year", [4 / 3, -8 / 3, 4 / 3, np.nan, np.nan]),
        ("transform=demean", [2, -2, np.nan, np.nan, np.nan]),
        # Mean 4, standard deviation sqrt(8).
        ("transform=standardise", [0, -math.sqrt(2), 0, np.nan, math.sqrt(2)]),
        # 4 × 0.25 = 1: the limits are the means of the first two and the last two values, 2 and 6.
        ("transform=trim:0.25", [4, np.nan, 4, np.nan, np.nan]),
        ("transform=winsorise:0.25", [4, 2, 4, np.nan, 6]),
    ],
)
def test_values_by_hand(line, expected):
    np.testing.assert_allclose(values_of(line)["value"], expected, rtol=1e-12, atol=1e-12)


def test_tf_idf_of_the_years_it_was_fitted_on_by_hand():
    # Reports of 2020: 3; 大数据 in 2, 征信 in 1, 云计算 in 1; idf = ln(4 / (1 + df)) + 1.
    common, rare = math.log(4 / 3) + 1, math.log(4 / 2) + 1
    expected = [3 * common + rare, 0, common + 3 * rare, np.nan, 6 * common + 2 * rare]
    found = values_of("weighting=tfidf fit_years=2020")
    np.testing.assert_allclose(found["value"], expected, rtol=1e-12)


def test_dimensions_are_weighted_not_terms():
    dimensions = pd.DataFrame({"data": [4.0, 0, 1, 6], "cloud": [0.0, 0, 3, 2]})
    for name, estimator in (("entropy", EntropyWeights()), ("first_component", FirstComponent())):
        found = compute_index(parse_keywords(f"dictionary=a weighting={name}"), TERMS, DIMENSIONS, FIRM_YEARS)
        expected = estimator.fit_transform(dimensions).ravel()
        np.testing.assert_allclose(found.values["value"].dropna(), expected, rtol=1e-12)
        assert list(found.weights.index) == ["data", "cloud"]
    assert found.facts["share_of_variance"] == pytest.approx(estimator.share_of_variance_)


def test_every_missing_value_has_its_reason_and_no_other_row_has_one():
    scan = "9 of 9 pages are scans"
    assert list(values_of("")["reason"]) == ["", "", "", scan, ""]
    assert list(values_of("transform=demean")["reason"]) == [
        "",
        "",
        "no industry is known of the firm",
        scan,
        "fewer than two firms in its industry-year",
    ]
    trimmed = values_of("transform=trim:0.25,log1p")["reason"]
    assert list(trimmed) == ["", "trimmed: beyond the extreme 25 % of all", "", scan, trimmed.iloc[1]]
    assert list(values_of("transform=demean:year")["reason"])[-1] == "fewer than two firms in its year"


def test_how_many_were_trimmed_and_winsorised_is_said():
    spec = parse_keywords("dictionary=a transform=winsorise:0.25,trim:0.25:year")
    facts = compute_index(spec, TERMS, DIMENSIONS, FIRM_YEARS).facts
    # Winsorised: 0 to 2 and 8 to 6. Then 2020 holds 4, 2, 4: 3 × 0.25 is below one, so nothing is trimmed.
    assert (facts["winsorised"], facts["trimmed"]) == (2, 0)
    assert (facts["n"], facts["missing"], facts["mean"]) == (4, 1, 4)
    assert facts["sd"] == pytest.approx(math.sqrt(8 / 3))


def test_what_an_index_needs_and_lacks_is_named():
    with pytest.raises(UsageError, match="need the industry"):
        values_of("transform=demean", FIRM_YEARS.drop(columns="industry"))
    with pytest.raises(UsageError, match="no column tokens"):
        values_of("transform=per_1k_tokens", FIRM_YEARS.drop(columns="tokens"))
    with pytest.raises(UsageError, match="no dimension x; it has data, cloud"):
        values_of("dimension=x")
    with pytest.raises(UsageError, match="no readable report of the years 2001"):
        values_of("weighting=tfidf fit_years=2001")
    with pytest.raises(UsageError, match="has one dimension"):
        compute_index(parse_keywords("dictionary=a weighting=equal"), TERMS, dict.fromkeys(TERMS, "all"), FIRM_YEARS)


def test_computing_changes_nothing_that_was_given():
    terms, firm_years = TERMS.copy(deep=True), FIRM_YEARS.copy(deep=True)
    values_of("weighting=tfidf transform=per_10k_chars,log1p,trim:0.25,standardise")
    pd.testing.assert_frame_equal(terms, TERMS)
    pd.testing.assert_frame_equal(firm_years, FIRM_YEARS)


def test_no_readable_report_gives_no_value_and_no_error():
    empty = compute_index(
        parse_keywords("dictionary=a weighting=tfidf"), TERMS.iloc[[3]], DIMENSIONS, FIRM_YEARS.iloc[[3]]
    )
    assert empty.values["value"].isna().all()
    assert empty.facts["n"] == 0


def test_correlations_over_what_both_have():
    frame = pd.DataFrame({"a": [1, 2, 3, 4, np.nan], "b": [1, 4, 9, np.nan, 2], "c": [5.0] * 5, "d": [3, 2, 1, 1, 9]})
    found = correlate(frame).set_index(["index_a", "index_b"])
    assert found.loc[("a", "b"), "n"] == 3
    # 1 2 3 against 1 4 9: covariance 4, variances 1 and 49/3, over three firm-years.
    assert found.loc[("a", "b"), "pearson"] == pytest.approx(4 / math.sqrt(49 / 3))
    assert found.loc[("a", "b"), "spearman"] == pytest.approx(1)
    # Ranks of d are 4, 3, 1.5, 1.5 beside those of a, 1 2 3 4: -4.5 / sqrt(5 × 4.5).
    assert found.loc[("a", "d"), "spearman"] == pytest.approx(-4.5 / math.sqrt(5 * 4.5))
    assert found.loc[("a", "c"), ["pearson", "spearman"]].isna().all()
