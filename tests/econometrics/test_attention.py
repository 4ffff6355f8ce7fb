"""Attention of governments: indices of work reports by place and year, joined to a panel with both sides counted."""

from pathlib import Path

import pandas as pd
import pytest

from econometrics.policies.attention import add_government_attention, government_attention
from nlp.dictionary import parse
from shuzhi import DataError


def indices() -> pd.DataFrame:
    values = (("440300", 2015, 12.0), ("440300", 2016, 0.0), ("420100", 2015, None), ("x", 2015, 1.0))
    measures = ("per_10k_chars", "count")
    rows = [(place, year, "total", measure, value) for place, year, value in values for measure in measures]
    columns = ["stock_code", "report_year", "dimension", "measure", "value"]
    return pd.DataFrame(rows, columns=columns).assign(dictionary="environment")


WHERE = {"dictionary": "environment", "measure": "per_10k_chars", "dimension": "total"}


def test_an_index_becomes_a_column_of_place_and_year():
    attention = government_attention(indices(), where=WHERE)
    assert attention.data["place_code"].tolist() == ["420100", "440300", "440300"]
    assert attention.data["government_attention"].fillna(-1).tolist() == [-1.0, 12.0, 0.0]
    assert attention.unmatched["given"].tolist() == ["x"]
    panel = pd.DataFrame(
        {"city": ["深圳市", "深圳", "武汉", "成都", "火星"], "report_year": [2015, 2016, 2015, 2015, 2015]}
    )
    joined = add_government_attention(panel, attention, place="city")
    # A report without an index and a place without a report are missing; a report without a hit is zero.
    assert joined.data["government_attention"].fillna(-1).tolist() == [12.0, 0.0, -1.0, -1.0, -1.0]
    assert joined.joins["rows"].tolist() == [3, 1, 1, 0]
    assert joined.unmatched["given"].tolist() == ["火星"]
    assert len(joined.data) == len(panel)


def test_a_lag_takes_the_report_of_an_earlier_year():
    attention = government_attention(indices(), where=WHERE)
    panel = pd.DataFrame({"city": ["深圳", "深圳"], "report_year": [2016, 2017]})
    joined = add_government_attention(panel, attention, place="city", lag=1)
    assert joined.data["government_attention"].tolist() == [12.0, 0.0]
    assert "1 years before" in joined.assumptions[-1]
    assert joined.joins["rows"].tolist()[-1] == 1


def test_provinces_can_be_the_places():
    table = pd.DataFrame({"place": ["广东省", "Mars"], "report_year": 2015, "value": [3.0, 4.0]})
    attention = government_attention(table, place="place", level="province", name="attention")
    joined = add_government_attention(
        pd.DataFrame({"city_code": ["440300", "110101"], "report_year": 2015}),
        attention,
        place="city_code",
        level="province",
    )
    assert joined.data["attention"].fillna(-1).tolist() == [3.0, -1.0]
    assert attention.unmatched["given"].tolist() == ["Mars"]


def test_a_filter_that_is_too_wide_or_empty_is_refused():
    with pytest.raises(DataError, match="share a place and year, such as 440300 2015"):
        government_attention(indices())
    with pytest.raises(DataError, match="no index with measure 'x'; there are per_10k_chars, count"):
        government_attention(indices(), where={"measure": "x"})
    with pytest.raises(DataError, match="level is prefecture or province"):
        government_attention(indices(), where=WHERE, level="county")
    attention = government_attention(indices(), where=WHERE)
    with pytest.raises(DataError, match="already has"):
        add_government_attention(
            pd.DataFrame({"city": ["a"], "report_year": [1], "government_attention": [1]}), attention, place="city"
        )


def test_the_shipped_words_are_those_recalled_and_a_supplement_that_says_so(shared):
    file = Path(__file__).resolve().parents[2] / "dictionaries" / "environment.yml"
    dictionary = parse(file.read_text(encoding="utf-8"), file.name)
    assert dictionary.verified is False
    recalled, supplement = dictionary.dimensions
    assert (len(recalled.terms), len(supplement.terms)) == (15, 12)
    path = shared / "dictionaries" / "chen_chen_2018_env_govreport_UNVERIFIED.tsv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert [line.split("\t")[0] for line in lines[1:]] == list(recalled.terms)
    # No word of the supplement lies inside a word in use, or the other way round.
    pairs = [(a, b) for a in recalled.terms for b in supplement.terms if a in b or b in a]
    assert pairs == []
    assert all(dictionary.notes[term].reason for term in supplement.terms)
