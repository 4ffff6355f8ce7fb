"""Every public estimator on input that is odd but fine (same numbers), and on input that cannot work (clear errors).

Nothing may end in another exception than those of shuzhi, leak a warning or change its input.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from econometrics.did import (
    bacon_decomposition,
    callaway_santanna,
    event_study,
    imputation,
    placebo_in_space,
    placebo_in_time,
    static_two_way,
    sun_abraham,
)
from econometrics.heterogeneity import by_group, indirect_by_group, permute_groups
from econometrics.heterogeneity.family import family_of_splits
from econometrics.heterogeneity.groupings import group_by_quantiles
from econometrics.heterogeneity.moderators import moderate
from econometrics.instrument.ready import lagged, leave_one_out_mean
from econometrics.mediate import mediate
from econometrics.mediate.confounding import robustness
from econometrics.mediate.nonlinear import mediate_nonlinear
from econometrics.regress import instrument, regress
from econometrics.regress.hausman import hausman_test, random_effects
from econometrics.regress.seemingly_unrelated import sur
from econometrics.threshold import threshold_regression
from econometrics.u_test import u_test
from shuzhi import DataError, EstimationError, ShuzhiError

BASE = ["y", "x", "c"]


@dataclass(frozen=True)
class Case:
    """How to call an estimator by column names, and which columns it uses as numbers."""

    call: Callable[[pd.DataFrame, Callable[[str], str]], Any]
    numbers: tuple[str, ...]


def panel_options(n: Callable[[str], str]) -> dict[str, Any]:
    return {"unit": n("firm"), "time": n("year"), "first_treated": n("first")}


def options(n: Callable[[str], str], cluster: str = "firm") -> dict[str, Any]:
    return {"fixed_effects": [n("firm"), n("year")], "cluster": n(cluster)}


def absorbed(n: Callable[[str], str]) -> dict[str, Any]:
    return {"fixed_effects": [n("firm"), n("year")]}


def terms(n: Callable[[str], str], *names: str) -> list[str]:
    return [n(name) for name in names]


def paths(n: Callable[[str], str], *more: str) -> list[Any]:
    mediators = terms(n, "m", *more)
    return [n("y"), n("x"), mediators if more else mediators[0]]


CASES = {
    "regress": Case(lambda d, n: regress(d, n("y"), terms(n, "x", "c"), **options(n)), (*BASE,)),
    "least squares": Case(lambda d, n: regress(d, n("y"), terms(n, "x", "c")), (*BASE,)),
    "two-way": Case(
        lambda d, n: regress(
            d,
            n("y"),
            terms(n, "x", "c"),
            fixed_effects=[n("firm"), f"{n('industry')}^{n('year')}"],
            cluster=terms(n, "firm", "year"),
        ),
        (*BASE,),
    ),
    "weighted": Case(
        lambda d, n: regress(d, n("y"), terms(n, "x", "c"), weights=n("w"), **options(n, "province")), (*BASE, "w")
    ),
    "cr2": Case(
        lambda d, n: regress(d, n("y"), terms(n, "x", "c"), standard_errors="cr2", **options(n, "province")), (*BASE,)
    ),
    "wild": Case(
        lambda d, n: regress(d, n("y"), terms(n, "x", "c"), standard_errors="wild", draws=99, **options(n, "province")),
        (*BASE,),
    ),
    "instrument": Case(
        lambda d, n: instrument(d, n("y"), n("x"), terms(n, "z", "z2"), exogenous=n("c"), **options(n)),
        (*BASE, "z", "z2"),
    ),
    "two endogenous": Case(
        lambda d, n: instrument(d, n("y"), terms(n, "x", "m"), terms(n, "z", "z2", "q"), **options(n)),
        ("y", "x", "m", "z", "z2", "q"),
    ),
    "hausman": Case(lambda d, n: hausman_test(d, n("y"), terms(n, "x", "c"), n("firm")), (*BASE,)),
    "mundlak": Case(lambda d, n: hausman_test(d, n("y"), terms(n, "x", "c"), n("firm"), method="robust"), (*BASE,)),
    "random effects": Case(lambda d, n: random_effects(d, n("y"), terms(n, "x", "c"), n("firm")), (*BASE,)),
    "sur": Case(lambda d, n: sur(d, {"one": (n("y"), terms(n, "x", "c")), "two": (n("m"), [n("x")])}), (*BASE, "m")),
    "mediate": Case(lambda d, n: mediate(d, *paths(n), controls=n("c"), draws=49, **options(n)), (*BASE, "m")),
    "mediate delta": Case(
        lambda d, n: mediate(d, *paths(n), controls=n("c"), method="delta", **options(n)), (*BASE, "m")
    ),
    "mediate serial": Case(
        lambda d, n: mediate(d, *paths(n, "q"), method="bca", draws=49, structure="serial", **options(n, "province")),
        ("y", "x", "m", "q"),
    ),
    "mediate instrumented": Case(
        lambda d, n: mediate(d, *paths(n), instruments=terms(n, "z", "z2"), draws=49, **options(n)),
        ("y", "x", "m", "z", "z2"),
    ),
    "mediate groups": Case(
        lambda d, n: mediate(d, *paths(n), moderator=n("group"), draws=49, **options(n)), ("y", "x", "m")
    ),
    "mediate moderated": Case(
        lambda d, n: mediate(d, *paths(n), moderator=n("q"), draws=49, **options(n)), ("y", "x", "m", "q")
    ),
    "mediate interaction": Case(
        lambda d, n: mediate(d, *paths(n), interaction=True, draws=49, **options(n)), ("y", "x", "m")
    ),
    "mediate nonlinear": Case(
        lambda d, n: mediate_nonlinear(d, n("b"), n("x"), n("m"), controls=n("c"), draws=49), ("x", "m", "c")
    ),
    "confounding": Case(
        lambda d, n: robustness(d, n("y"), n("x"), controls=n("c"), benchmarks=n("c"), **absorbed(n)), (*BASE,)
    ),
    "by group": Case(
        lambda d, n: by_group(
            d, n("y"), terms(n, "x", "c"), group=n("group"), permute=n("firm"), draws=19, **options(n)
        ),
        (*BASE,),
    ),
    "quantile groups": Case(
        lambda d, n: by_group(
            d,
            n("y"),
            terms(n, "x", "c"),
            group=group_by_quantiles(d, n("q"), 2),
            fixed_effects=n("year"),
            cluster=n("firm"),
        ),
        (*BASE, "q"),
    ),
    "indirect by group": Case(
        lambda d, n: indirect_by_group(
            d, *paths(n), group=n("group"), controls=[n("c")], permute=n("firm"), draws=19, **options(n)
        ),
        (*BASE, "m"),
    ),
    "permute": Case(
        lambda d, n: permute_groups(
            d, n("y"), terms(n, "x", "c"), group=n("group"), unit=n("firm"), draws=19, **absorbed(n)
        ),
        (*BASE,),
    ),
    "family": Case(
        lambda d, n: family_of_splits(
            d, n("y"), terms(n, "x", "c"), splits={"g": n("group")}, unit=n("firm"), draws=19, **absorbed(n)
        ),
        (*BASE,),
    ),
    "moderate": Case(lambda d, n: moderate(d, n("y"), n("x"), n("q"), controls=[n("c")], **options(n)), (*BASE, "q")),
    "u test": Case(lambda d, n: u_test(d, n("y"), n("x"), controls=[n("c")], **options(n)), (*BASE,)),
    "threshold": Case(
        lambda d, n: threshold_regression(
            d, n("y"), n("x"), threshold=n("q"), unit=n("firm"), controls=[n("c")], draws=9, cluster=n("firm")
        ),
        (*BASE, "q"),
    ),
    "static": Case(lambda d, n: static_two_way(d, n("y"), controls=[n("c")], **panel_options(n)), ("y", "c")),
    "event study": Case(lambda d, n: event_study(d, n("y"), controls=[n("c")], **panel_options(n)), ("y", "c")),
    "sun-abraham": Case(lambda d, n: sun_abraham(d, n("y"), controls=[n("c")], **panel_options(n)), ("y", "c")),
    "callaway": Case(lambda d, n: callaway_santanna(d, n("y"), controls=[n("c")], **panel_options(n)), ("y", "c")),
    "imputation": Case(lambda d, n: imputation(d, n("y"), **panel_options(n)), ("y",)),
    "bacon": Case(lambda d, n: bacon_decomposition(d, n("y"), **panel_options(n)), ("y",)),
    "placebo in time": Case(lambda d, n: placebo_in_time(d, n("y"), shift=1, **panel_options(n)), ("y",)),
    "placebo in space": Case(
        lambda d, n: placebo_in_space(d, n("y"), controls=[n("c")], draws=19, **panel_options(n)), ("y", "c")
    ),
    "leave one out": Case(lambda d, n: leave_one_out_mean(d, n("x"), terms(n, "industry", "year"), n("firm")), ()),
    "lagged": Case(lambda d, n: lagged(d, n("x"), firm=n("firm"), year=n("year")), ()),
}
POLICY = ("static", "event study", "sun-abraham", "callaway", "imputation", "bacon", "placebo in time")
POLICY += ("placebo in space",)


def plain(name: str) -> str:
    return name


def panel(firms: int = 30, years: int = 7) -> pd.DataFrame:
    """An unbalanced panel with two groups, twelve provinces and three cohorts of a policy."""
    rng = np.random.Generator(np.random.PCG64(3))
    size, firm = firms * years, np.repeat(np.arange(firms), years)
    frame = pd.DataFrame({"firm": [f"6{number:05d}" for number in firm], "year": np.tile(np.arange(2010, 2017), firms)})
    frame["industry"] = np.array(list("ABC"))[rng.integers(0, 3, firms)][firm]
    frame["province"] = [f"P{number % 12:02d}" for number in firm]
    frame["group"] = np.array(["east", "west"])[firm % 2]
    error = rng.normal(size=size)
    for name in ("z", "z2", "c", "q"):
        frame[name] = rng.normal(size=size)
    frame["x"] = 0.6 * frame["z"] + 0.4 * frame["z2"] + 0.4 * error + rng.normal(size=size)
    frame["m"] = 0.6 * frame["x"] + 0.3 * frame["q"] + rng.normal(size=size)
    frame["w"] = rng.uniform(0.5, 2, size)
    frame["b"] = (frame["m"] + rng.normal(size=size) > 0).astype(int)
    frame["y"] = frame["x"] + 0.5 * frame["m"] + 0.3 * frame["c"] + error + rng.normal(size=firms)[firm]
    frame["first"] = np.array([0, 2013, 2014])[firm % 3]
    return frame.sample(frac=0.93, random_state=1).sort_index().reset_index(drop=True)


def numbers(result: Any) -> np.ndarray:
    """Everything numeric that a result shows."""
    if isinstance(result, pd.Series):
        return result.sort_index().to_numpy(dtype=float, na_value=np.nan)
    if hasattr(result, "to_frame"):
        return result.to_frame().select_dtypes("number").to_numpy(dtype=float)
    return np.array([getattr(result, "statistic", None) or result.robustness_value])


@pytest.fixture(autouse=True)
def no_warning_leaks() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return {name: numbers(case.call(panel(), plain)) for name, case in CASES.items()}


def with_odd_index(data: pd.DataFrame) -> pd.DataFrame:
    return data.set_axis(np.arange(len(data)) // 3, axis=0).assign(junk="a", nothing=pd.NaT)


def with_names_of_columns_as_index(data: pd.DataFrame) -> pd.DataFrame:
    return data.set_index(["firm", "year"], drop=False)


def with_nullable_types(data: pd.DataFrame) -> pd.DataFrame:
    floats = {name: data[name].astype("Float64") for name in ("y", "x", "m", "c", "q", "w", "z")}
    whole = {name: data[name].astype("Int64") for name in ("year", "first")}
    return data.assign(b=data["b"].astype("boolean"), firm=data["firm"].astype("string"), **floats, **whole)


def with_unused_categories(data: pd.DataFrame) -> pd.DataFrame:
    names = ("firm", "industry", "province", "group")
    return data.assign(
        **{name: pd.Categorical(data[name], [*sorted(data[name].unique()), "unused", "Z"]) for name in names}
    )


def with_codes_beyond_floats(data: pd.DataFrame) -> pd.DataFrame:
    """Firms that differ only in digits that a float has not."""
    return data.assign(firm=data["firm"].astype("int64") + 2**53, b=data["b"].astype(bool))


def with_float_codes(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(firm=data["firm"].astype(float), year=data["year"].astype(float))


@pytest.mark.parametrize(
    "change",
    [
        with_odd_index,
        with_names_of_columns_as_index,
        with_nullable_types,
        with_unused_categories,
        with_codes_beyond_floats,
        with_float_codes,
    ],
)
def test_odd_input_gives_the_same_numbers(
    change: Callable[[pd.DataFrame], pd.DataFrame], expected: dict[str, np.ndarray]
) -> None:
    data = change(panel())
    before = data.copy()
    for name, case in CASES.items():
        # The index differs on purpose, so values are compared in the order of the rows.
        found = case.call(data, plain)
        values = found.to_numpy(dtype=float, na_value=np.nan) if isinstance(found, pd.Series) else numbers(found)
        np.testing.assert_allclose(values, expected[name], rtol=1e-7, atol=1e-9, err_msg=name)
    pd.testing.assert_frame_equal(data, before)


def test_names_in_chinese_and_with_spaces(expected: dict[str, np.ndarray]) -> None:
    names = {name: f"变量 {name} (万元)" for name in panel().columns}
    data = panel().rename(columns=names)
    for name, case in CASES.items():
        found = numbers(case.call(data, names.__getitem__))
        np.testing.assert_allclose(found, expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


def test_the_order_of_the_rows_does_not_matter(expected: dict[str, np.ndarray]) -> None:
    """Draws of clusters neither; only what draws single rows depends on their order."""
    data = panel().sample(frac=1, random_state=2)
    for name, case in CASES.items():
        if name not in ("mediate nonlinear",):
            found = numbers(case.call(data, plain))
            np.testing.assert_allclose(found, expected[name], rtol=1e-7, atol=1e-9, err_msg=name)


def test_unknown_columns_are_named_with_the_nearest_one() -> None:
    data = panel().rename(columns={"y": "yy", "x": "xx", "m": "mm"})
    for name, case in CASES.items():
        if case.numbers or name in ("leave one out", "lagged"):
            wrong = "y" if "y" in case.numbers else "x"
            with pytest.raises(DataError, match=f"no column '{wrong}' .nearest: '{wrong}{wrong}'."):
                case.call(data, plain)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "column '{}' is not numeric"),
        (np.nan, "no row is left|leaves 0 group"),
        (np.inf, "no row is left|leaves 0 group"),
        (1e200, "holds values up to 1e.200, whose squares"),
        (1e-200, "holds values up to 1e-200, whose squares"),
    ],
)
def test_columns_that_hold_nothing_usable_are_refused(value: Any, message: str) -> None:
    for name, case in CASES.items():
        for column in case.numbers:
            if isinstance(value, float) and 0 < value < np.inf and (name in POLICY or column == "q"):
                continue
            # Values of a moderator may be groups and controls of a nonlinear model dummies.
            if value == "text" and (name, column) in (("mediate moderated", "q"), ("mediate nonlinear", "c")):
                continue
            with pytest.raises(ShuzhiError) as refused:
                case.call(panel().assign(**{column: value}), plain)
            text = str(refused.value)
            assert pd.Series([text]).str.contains(message.format(column)).all(), f"{name}, {column}: {text}"


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_frames_of_hardly_a_row_are_refused(rows: int) -> None:
    for name, case in CASES.items():
        if name in ("leave one out", "lagged"):
            continue
        with pytest.raises(
            ShuzhiError, match=r"no row is left|does not vary|group\(s\)|degrees of freedom|rows|treated"
        ):
            case.call(panel().iloc[:rows], plain)


def test_constant_outcomes_are_refused() -> None:
    for name, case in CASES.items():
        if "y" in case.numbers and name not in POLICY and name != "sur":
            with pytest.raises(EstimationError, match="y does not vary"):
                case.call(panel().assign(y=3.0), plain)


def test_constant_treatments_and_mediators_are_refused_or_said() -> None:
    for name, case in CASES.items():
        for column in {"x", "m"} & set(case.numbers):
            data = panel().assign(**{column: 1.0})
            try:
                result = case.call(data, plain)
            except EstimationError as error:
                assert any(word in str(error) for word in (column, "collinear")), f"{name}: {error}"
            else:
                said = " ".join(getattr(result, "warnings", ()))
                assert f"{column} does not vary" in said or name in ("hausman", "mundlak", "sur"), name


def test_collinear_controls_are_dropped_and_said() -> None:
    """The control is twice the regressor: the estimate is that without it, or the error names both."""
    data = panel().assign(c=lambda frame: 2 * frame["x"])
    for name, case in CASES.items():
        if "c" not in case.numbers or "x" not in case.numbers:
            continue
        try:
            result = case.call(data, plain)
        except EstimationError as error:
            assert name in ("instrument", "sur", "mediate nonlinear", "threshold"), name
            assert "collinear" in str(error) or "leave nothing of x" in str(error)
        else:
            said = " ".join(getattr(result, "warnings", ()))
            assert "c is collinear with x" in said or name in ("hausman", "mundlak", "confounding"), name


def test_a_collinear_control_changes_no_permutation() -> None:
    data = panel().assign(c=lambda frame: 2 * frame["x"])
    options = {"group": "group", "unit": "firm", "fixed_effects": ["firm", "year"], "draws": 9}
    found, alone = (permute_groups(data, "y", names, **options) for names in (["x", "c"], ["x"]))  # type: ignore[arg-type]
    np.testing.assert_allclose(found.replicates, alone.replicates, rtol=1e-9)
    assert found.warnings[0] == "dropped: c is collinear with x"
    with pytest.raises(EstimationError, match=r"in group east of group \(c does not vary in the sample"):
        indirect_by_group(
            panel().assign(c=lambda frame: frame["c"].where(frame["group"] == "west", 1.0)),
            "y",
            "x",
            "c",
            group="group",
            cluster="firm",
            draws=9,
        )


def test_one_cluster_is_refused() -> None:
    data = panel().assign(firm="600000", province="P1")
    for name, case in CASES.items():
        if name in ("least squares", "sur", "mediate nonlinear", "confounding", "leave one out", "lagged", *POLICY):
            continue
        with pytest.raises(ShuzhiError, match=r"one cluster only|1 firms|lies in 1 firm|units change|firm-years"):
            case.call(data, plain)


def test_doubled_firm_years_are_refused_where_they_matter() -> None:
    data = pd.concat([panel(), panel().iloc[:2]], ignore_index=True)
    for name in (*POLICY, "lagged"):
        with pytest.raises(DataError, match=r"more than once|repeat a unit and period"):
            CASES[name].call(data, plain)
    pair = {"firm_year": ("firm", "year")}
    with pytest.raises(DataError, match="2 firm-years of firm and year occur more than once"):
        regress(data, "y", "x", **pair)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="2 firm-years of firm and year occur more than once"):
        mediate(data, "y", "x", "m", draws=9, **pair)  # type: ignore[arg-type]


def test_a_group_of_ten_rows_is_flagged_not_trusted() -> None:
    """Two firms in five years: with year effects their scores cancel and clustered errors are rounding."""
    data = panel()
    whole = data.groupby("firm")["year"].transform("size") >= 5
    firms = sorted(data.loc[whole & (data["group"] == "west"), "firm"].unique())[:2]
    years = set.intersection(*(set(data.loc[data["firm"] == firm, "year"]) for firm in firms))
    few = data["firm"].isin(firms) & data["year"].isin(sorted(years)[:5])
    small = data.loc[(data["group"] == "east") | few]
    assert (small["group"] == "west").sum() == 10
    result = CASES["by group"].call(small, plain)
    assert list(result.models) == ["east"]
    assert "no standard error for x" in result.flags["west"]
    part = regress(small.loc[small["group"] == "west"], "y", ["x", "c"], **options(plain))
    assert part.standard_errors.isna().all() and part.p_values.isna().all()
    assert "no standard error for x, c: its estimated variance is zero (but for rounding)" in part.warnings[0]
    for name in ("permute", "family", "indirect by group", "mediate groups"):
        try:
            CASES[name].call(small, plain)
        except EstimationError as error:
            assert "west" in str(error)


def test_infinite_and_missing_values_are_left_out_and_counted() -> None:
    data, cut = panel(), [3, 5]
    dirty = data.assign(x=data["x"].mask(data.index == 3, np.inf), y=data["y"].mask(data.index == 5, -np.inf))
    clean = data.drop(index=cut)
    for name in ("regress", "two-way", "instrument", "mediate", "random effects", "moderate", "permute", "confounding"):
        found, wanted = (numbers(CASES[name].call(frame, plain)) for frame in (dirty, clean))
        np.testing.assert_allclose(found, wanted, rtol=1e-9, err_msg=name)
    assert CASES["regress"].call(dirty, plain).dropped == {"infinite y": 1, "infinite x": 1}
    unknown = data.assign(firm=data["firm"].astype(float).where(data.index > 4))
    assert CASES["regress"].call(unknown, plain).dropped["missing firm"] == 5


def test_columns_that_stand_twice_are_refused() -> None:
    for name, case in CASES.items():
        column = "y" if "y" in case.numbers else "x"
        data = pd.concat([panel(), panel()[[column]]], axis=1)
        with pytest.raises(DataError, match=f"column '{column}' occurs 2 times"):
            case.call(data, plain)
        assert name in CASES


def test_a_large_level_costs_no_digits(expected: dict[str, np.ndarray]) -> None:
    data = panel().assign(x=lambda frame: frame["x"] + 1e7)
    for name in (
        "regress",
        "least squares",
        "random effects",
        "sur",
        "by group",
        "permute",
        "confounding",
    ):
        result = CASES[name].call(data, plain)
        if hasattr(result, "coefficients"):
            found = result.coefficients.drop("constant", level=-1 if name == "sur" else None, errors="ignore")
            wanted = CASES[name].call(panel(), plain).coefficients[found.index]
            np.testing.assert_allclose(found, wanted, rtol=1e-5, err_msg=name)
        else:
            np.testing.assert_allclose(numbers(result), expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_perfect_fits_have_no_tests() -> None:
    data = panel().assign(y=lambda frame: frame["x"])
    for name in ("regress", "cr2", "instrument", "by group", "permute", "moderate", "placebo in space"):
        CASES[name].call(data, plain)
    with pytest.raises(EstimationError, match="residuals of y, m are zero or explain each other"):
        CASES["sur"].call(data, plain)


def test_controls_that_the_effects_absorb_change_no_placebo() -> None:
    data = panel().assign(again=lambda frame: 2 * frame["c"], level=1.0)
    few, many = (
        placebo_in_space(data, "y", controls=names, draws=9, **panel_options(plain))
        for names in (["c"], ["c", "again", "level"])
    )
    assert many.estimate == pytest.approx(few.estimate, rel=1e-9)
    np.testing.assert_allclose(many.replicates, few.replicates, rtol=1e-9)
