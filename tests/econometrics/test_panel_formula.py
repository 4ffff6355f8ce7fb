import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from econometrics.declarations.formula import evaluate, parse_formula
from econometrics.declarations.functions import FUNCTIONS
from shuzhi import DataError, SpecError


def firms(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stock_code": ["000001", "000001", "000001", "000002", "000002"],
            "report_year": [2018, 2019, 2021, 2019, 2020],
        }
        | columns
    )


def values(formula: str, data: pd.DataFrame) -> list:
    found = evaluate(parse_formula(formula), data, "stock_code", "report_year").values
    return [None if pd.isna(each) else each for each in found]


def reasons(formula: str, data: pd.DataFrame) -> dict[str, int]:
    return evaluate(parse_formula(formula), data, "stock_code", "report_year").reasons


def test_arithmetic_follows_the_usual_order():
    data = firms(x=[1.0, 2, 3, 4, 5])
    assert values("1 + 2 * x ** 2 / 4 - -x", data) == [2.5, 5.0, 8.5, 13.0, 18.5]  # 1 + x²/2 + x


def test_a_lag_is_by_year_and_not_by_row():
    # 2021 has no 2020 before it; the first row of the second firm is not preceded by the last of the first firm.
    data = firms(x=[1.0, 2, 3, 4, 5])
    assert values("lag(x)", data) == [None, 1, None, None, 4]
    assert values("lag(x, 2)", data) == [None, None, 2, None, None]
    assert values("lead(x, 1)", data) == [2, None, None, 5, None]
    assert values("change(x)", data) == [None, 1, None, None, 1]
    assert reasons("lag(x)", data) == {"no row 1 year before": 3}


def test_a_lag_does_not_depend_on_the_order_of_rows():
    data = firms(x=[1.0, 2, 3, 4, 5])
    shuffled = data.sample(frac=1, random_state=4)
    found = evaluate(parse_formula("lag(x)"), shuffled, "stock_code", "report_year").values
    assert found.sort_index().tolist()[1] == 1 and found.sort_index().isna().sum() == 3


def test_lags_against_a_merge():
    rng = np.random.Generator(np.random.PCG64(3))
    keys = [(f"{f:06d}", y) for f in range(60) for y in range(2000, 2020) if rng.random() < 0.7]
    data = pd.DataFrame(keys, columns=["stock_code", "report_year"]).assign(x=rng.normal(size=len(keys)))
    for years in (1, 3):
        other = data.assign(report_year=data["report_year"] + years)
        expected = data.merge(other, on=["stock_code", "report_year"], how="left")["x_y"]
        found = evaluate(parse_formula(f"lag(x, {years})"), data, "stock_code", "report_year").values
        pd.testing.assert_series_equal(found, expected, check_names=False)


def test_rolling_needs_every_year():
    data = pd.DataFrame({"stock_code": ["1"] * 4, "report_year": [2018, 2019, 2020, 2022], "x": [1.0, 3, 8, 100]})
    assert values("rolling_mean(x, 3)", data) == [None, None, 4, None]
    assert values("rolling_sum(x, 2)", data) == [None, 4, 11, None]
    assert values("rolling_sd(x, 2)", data)[1] == pytest.approx(2**0.5)


def test_a_firm_year_that_stands_twice_has_no_lag():
    data = pd.DataFrame({"stock_code": ["1", "1"], "report_year": [2019, 2019], "x": [1.0, 2.0]})
    with pytest.raises(DataError, match="1 firm-years stand twice, for example 1 2019"):
        values("lag(x)", data)


def test_numbers_that_do_not_exist_are_missing_and_said():
    data = firms(x=[0.0, 1, -1, np.nan, 4])
    assert values("log(x)", data) == [None, 0, None, None, np.log(4)]
    assert reasons("log(x)", data) == {"logarithm of a number not above 0": 2}
    assert values("1 / x", data) == [None, 1, -1, None, 0.25]
    assert reasons("1 / x", data) == {"division by zero": 1}
    assert values("log1p(x)", data) == [0, np.log(2), None, None, np.log(5)]
    assert values("sqrt(x)", data) == [0, 1, None, None, 2]
    assert reasons("exp(x * 1000)", data) == {"no finite number": 2}
    assert reasons("10.0 ** 400 * x", data)["no finite number"] > 0


def test_comparisons_with_a_missing_value_are_missing():
    data = firms(x=[0.0, 1, -1, np.nan, 4])
    assert values("x > 0", data) == [False, True, False, None, True]
    assert values("0 <= x < 4", data) == [True, True, False, None, False]
    # Kleene: false and unknown is false, true or unknown is true.
    assert values("x > 0 and report_year > 3000", data) == [False] * 5
    assert values("x > 0 or report_year > 2000", data) == [True] * 5
    assert values("not x > 0", data) == [True, False, True, None, False]
    assert values("x in (1, 4)", data) == [False, True, False, None, True]
    assert values("x not in (1, 4)", data) == [True, False, True, None, False]
    assert values("is_missing(x)", data) == [False, False, False, True, False]
    assert values("if_missing(x, 7)", data) == [0, 1, -1, 7, 4]
    assert reasons("if_missing(x, 7)", data) == {"missing, replaced by the formula": 1}
    assert values("where(x > 0, 10, x)", data) == [0, 10, -1, None, 10]


def test_text():
    data = firms(name=["*ST A", "B", None, "ST C", "D"], code=["C39", "J66", "c2612", "C99", "39"])
    assert values("contains(name, 'ST')", data) == [True, False, None, True, False]
    assert values("starts_with(stock_code, '000001')", data) == [True, True, True, False, False]
    assert values("name == 'B'", data) == [False, True, None, False, False]
    assert values("division(code)", data) == ["39", "66", "26", None, "39"]
    assert reasons("division(code)", data) == {"no industry code of two digits": 1}
    assert values("left(code, 1)", data) == ["C", "J", "c", "C", "3"]
    assert values("where(name == 'B', 'b', 'other')", data) == ["other", "b", None, "other", "other"]


def test_groups_against_hand_counts():
    data = firms(x=[1.0, 2, 6, 4, np.nan], g=["a", "a", "b", "a", "a"])
    assert values("group_mean(x, g)", data) == [7 / 3, 7 / 3, 6, 7 / 3, 7 / 3]
    assert values("group_count(x, g)", data) == [3, 3, 1, 3, 3]
    assert values("group_mean_others(x, g)", data) == [3, 2.5, None, 1.5, 7 / 3]  # (2+4)/2, (1+4)/2, none, (1+2)/2
    assert reasons("group_mean_others(x, g)", data) == {"alone in its group": 1}
    assert values("group_max(x, g, report_year)", data) == [1, 4, 6, 4, None]
    assert values("group_sum(x, stock_code)", data) == [9, 9, 9, 4, 4]
    assert values("group_median(x, g)", data)[0] == 2
    missing = data.assign(g=["a", None, "b", "a", "a"])
    assert values("group_min(x, g)", missing) == [1, None, 6, 1, 1]
    assert reasons("group_min(x, g)", missing) == {"no group, for want of a key": 1}


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("__import__('os')", "no function '__import__'"),
        ("x.real", "Attribute is not of the language"),
        ("x[0]", "Subscript is not of the language"),
        ("[y for y in x]", "ListComp is not of the language"),
        ("lambda: 1", "Lambda is not of the language"),
        ("(x := 3)", "is not of the language"),
        ("f'{x}'", "JoinedStr is not of the language"),
        ("x // 2", "FloorDiv is not of the language"),
        ("x @ x", "MatMult is not of the language"),
        ("~x", "Invert is not of the language"),
        ("x if x else 1", "IfExp is not of the language"),
        ("x is 1", "compare with =="),
        ("x in y", "after 'in' give a list"),
        ("1 < x in (1, 2)", "stands in no chain"),
        ("log(x, 2)", r"log has 2 arguments; write log\(x\)"),
        ("lgo(x)", "Did you mean 'log'"),
        ("lag(x, y)", "argument 2 of lag is a constant"),
        ("lag(x=x)", "by position"),
        ("group_mean(x, x + 1)", "is the name of a column"),
        ("x = 3", "is no formula"),
        ("x +", "is no formula"),
        ("None", "no number and no text"),
        ("1j * x", "no number and no text"),
        ("1e999 * x", "no number and no text"),
        ("", "is empty"),
        ("+".join(["x"] * 2500), "longer than 4,000"),
        ("-" * 200 + "x", "nested more than 60 deep"),
    ],
)
def test_what_is_not_of_the_language(formula, words):
    with pytest.raises(SpecError, match=words):
        parse_formula(formula)


def test_all_problems_of_a_formula_at_once():
    with pytest.raises(SpecError) as error:
        parse_formula("lgo(x) + x.real + x // 2")
    assert all(word in str(error.value) for word in ("'log'", "Attribute", "FloorDiv"))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("revenu + 1", "Did you mean 'revenue'"),
        ("name + 1", "calculates with text"),
        ("name > 1", "compares text with a number"),
        ("revenue in ('a',)", "in numbers"),
        ("not revenue", "neither true nor false"),
        ("lag(revenue, 0)", "whole number of years"),
        ("lag(revenue, 1.5)", "whole number of years"),
        ("contains(revenue, 'a')", "treats numbers as text"),
        ("division(revenue)", "treats numbers as text"),
        ("log(name)", "calculates with text"),
    ],
)
def test_what_does_not_fit_the_columns(formula, words):
    data = firms(revenue=[1.0, 2, 3, 4, 5], name=list("abcde"))
    with pytest.raises(SpecError, match=words):
        values(formula, data)


def test_the_columns_of_a_formula():
    assert parse_formula("log(a / lag(b, 1)) + group_mean(c, 行业, year) > 0 and a in (1, 2)").columns == (
        "a",
        "b",
        "c",
        "行业",
        "year",
    )


def test_every_function_says_how_it_is_written():
    assert all(function.usage.startswith(f"{name}(") for name, function in FUNCTIONS.items())


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="xy0123456789+-*/()<>=,. 'andorlgi_[]{}:\\\n\t~@", max_size=40))
def test_any_text_is_a_formula_or_a_spec_error(text):
    data = firms(x=[1.0, 2, 3, 4, 5], y=[0.0, 1, 0, 1, np.nan])
    try:
        found = evaluate(parse_formula(text), data, "stock_code", "report_year").values
    except (SpecError, DataError):
        return
    assert len(found) == 5
    if pd.api.types.is_float_dtype(found.dtype):
        assert not np.isinf(found).any()
