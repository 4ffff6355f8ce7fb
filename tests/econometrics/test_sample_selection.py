"""Heckman's two-step: against printed numbers, a second computation, a numerical sandwich and planted selection."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.sample_selection import heckman
from econometrics.sample_selection.two_step import MILLS
from shuzhi import DataError, EstimationError, SpecError

WAGE = ["educ", "exper", "expersq"]
WORK = [*WAGE, "nwifeinc", "age", "kidslt6", "kidsge6"]


@pytest.fixture(scope="module")
def mroz(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "econ" / "mroz.csv")


def _selected(seed: int, firms: int = 300, years: int = 6) -> pd.DataFrame:
    """A panel in which the errors of selection and outcome have correlation 0.7 and the slope is 1."""
    generator = np.random.default_rng(seed)
    rows = firms * years
    firm, year = np.divmod(np.arange(rows), years)
    x, z = generator.standard_normal(rows), generator.standard_normal(rows)
    u = generator.standard_normal(rows)
    e = 0.7 * u + np.sqrt(1 - 0.49) * generator.standard_normal(rows)
    y = 1.0 * x + e
    seen = 0.2 + 1.0 * x + 1.0 * z + u > 0
    return pd.DataFrame({"firm": firm, "year": year, "x": x, "z": z, "y": np.where(seen, y, np.nan), "seen": seen * 1})


def test_wages_of_married_women(mroz: pd.DataFrame) -> None:
    """Wooldridge, Introductory Econometrics, Example 17.5, as known; lambda with all digits as Stata prints them."""
    found = heckman(mroz, "lwage", WAGE, WORK, selected="inlf")
    assert found.coefficients["educ"] == pytest.approx(0.109, abs=5e-4)
    assert found.standard_errors["educ"] == pytest.approx(0.0155, abs=5e-5)
    assert found.coefficients["exper"] == pytest.approx(0.0439, abs=5e-5)
    assert found.standard_errors["exper"] == pytest.approx(0.0163, abs=5e-5)
    assert found.coefficients["expersq"] == pytest.approx(-0.00086, abs=5e-6)
    assert found.standard_errors["expersq"] == pytest.approx(0.00044, abs=5e-6)
    assert found.coefficients[MILLS] == pytest.approx(0.0322619, abs=5e-8)
    assert found.standard_errors[MILLS] == pytest.approx(0.1336246, abs=5e-8)
    assert (found.observations, found.selection_observations) == (428, 753)
    assert found.excluded == ("nwifeinc", "age", "kidslt6", "kidsge6")
    assert not [text for text in found.warnings if "exclusion" in text]
    assert "428 of 753" in found.summary()


def test_second_computation(mroz: pd.DataFrame) -> None:
    """statsmodels' probit, and Heckman's covariance written out with n x n matrices (Heckman 1979, eq. 19 ff)."""
    import statsmodels.api as sm
    from scipy.stats import norm

    z = sm.add_constant(mroz[WORK])
    probit = sm.Probit(mroz["inlf"], z).fit(disp=0)
    inside = mroz["inlf"] == 1
    index = z[inside].to_numpy() @ probit.params.to_numpy()
    ratio = norm.pdf(index) / norm.cdf(index)
    x = np.column_stack([mroz.loc[inside, WAGE], ratio, np.ones(inside.sum())])
    y = mroz.loc[inside, "lwage"].to_numpy()
    beta = np.linalg.solve(x.T @ x, x.T @ y)
    delta = ratio * (ratio + index)
    rest = y - x @ beta
    variance = rest @ rest / len(y) + beta[3] ** 2 * delta.mean()
    rho2 = beta[3] ** 2 / variance
    middle = np.eye(len(y)) - rho2 * np.diag(delta)
    first = np.diag(delta) @ z[inside].to_numpy()
    middle = middle + rho2 * first @ np.linalg.inv(-probit.model.hessian(probit.params)) @ first.T
    inverse = np.linalg.inv(x.T @ x)
    covariance = variance * inverse @ x.T @ middle @ x @ inverse
    found = heckman(mroz, "lwage", WAGE, WORK, selected="inlf")
    assert found.coefficients.to_numpy() == pytest.approx(beta, rel=1e-7)
    assert found.standard_errors.to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-6)
    assert found.rho**2 == pytest.approx(rho2, rel=1e-6)


def test_clustered_errors_are_the_stacked_sandwich(mroz: pd.DataFrame) -> None:
    """Both equations as one set of moments; their derivative by differences."""
    from scipy.stats import norm

    data = mroz.assign(person=np.arange(len(mroz)) // 3)
    found = heckman(data, "lwage", WAGE, WORK, selected="inlf", cluster="person")
    z = np.column_stack([mroz[WORK], np.ones(len(mroz))])
    seen = (mroz["inlf"] == 1).to_numpy()
    own = np.column_stack([mroz[WAGE], np.ones(len(mroz))])
    y = mroz["lwage"].fillna(0).to_numpy()

    def moments(theta: np.ndarray) -> np.ndarray:
        gamma, beta = theta[: z.shape[1]], theta[z.shape[1] :]
        index = z @ gamma
        score = np.where(seen, norm.pdf(index) / norm.cdf(index), -norm.pdf(index) / norm.cdf(-index))
        ratio = norm.pdf(index) / norm.cdf(index)
        x = np.column_stack([own[:, :3], ratio, own[:, 3]])
        return np.column_stack([z * score[:, None], x * (seen * (y - x @ beta))[:, None]])

    theta = np.concatenate([found.selection["estimate"], found.coefficients])
    base = moments(theta)
    assert np.abs(base.sum(axis=0)).max() < 1e-4
    derivative = np.empty((len(theta), len(theta)))
    for place in range(len(theta)):
        step = np.zeros(len(theta))
        step[place] = 1e-5 * max(abs(theta[place]), 1e-2)
        derivative[:, place] = (moments(theta + step) - moments(theta - step)).sum(axis=0) / (2 * step[place])
    sums = np.stack([base[data["person"] == person].sum(axis=0) for person in range(data["person"].max() + 1)])
    inverse = np.linalg.inv(derivative)
    covariance = inverse @ (sums.T @ sums) @ inverse.T
    count, rows, terms = len(sums), int(seen.sum()), 5
    factor = count / (count - 1) * (rows - 1) / (rows - terms)
    errors = np.sqrt(factor * np.diag(covariance))[z.shape[1] :]
    assert found.standard_errors.to_numpy() == pytest.approx(errors, rel=1e-5)


def test_planted_selection_is_undone() -> None:
    data = _selected(1, firms=600)
    plain = np.polyfit(data["x"][data["seen"] == 1], data["y"].dropna(), 1)[0]
    found = heckman(data, "y", "x", ["x", "z"], cluster="firm")
    assert abs(plain - 1) > 0.15
    assert abs(found.coefficients["x"] - 1) < 3 * found.standard_errors["x"]
    assert found.coefficients[MILLS] == pytest.approx(0.7, abs=4 * found.standard_errors[MILLS])
    assert found.rho == pytest.approx(0.7, abs=0.12)
    assert found.sigma == pytest.approx(1.0, abs=0.08)
    assert found.clusters == {"firm": 600}


def test_bootstrap_agrees_and_repeats() -> None:
    data = _selected(2, firms=150)
    analytic = heckman(data, "y", "x", ["x", "z"], cluster="firm")
    drawn = heckman(data, "y", "x", ["x", "z"], cluster="firm", standard_errors="bootstrap", draws=150, seed=3)
    again = heckman(data, "y", "x", ["x", "z"], cluster="firm", standard_errors="bootstrap", draws=150, seed=3)
    assert (drawn.standard_errors / analytic.standard_errors).between(0.8, 1.25).all()
    assert drawn.to_frame().equals(again.to_frame())
    assert (drawn.seed, drawn.draws) == (3, 150)
    assert analytic.seed is None


def test_absorbed_effects_equal_dummies() -> None:
    data = _selected(4, firms=60)
    dummies = pd.get_dummies(data["year"], prefix="d", dtype=float).iloc[:, 1:]
    wide = pd.concat([data, dummies], axis=1)
    by_hand = heckman(wide, "y", ["x", *dummies.columns], ["x", "z"])
    absorbed = heckman(data, "y", "x", ["x", "z"], fixed_effects="year")
    for name in ("x", MILLS):
        assert absorbed.coefficients[name] == pytest.approx(by_hand.coefficients[name], rel=1e-9)
        assert absorbed.standard_errors[name] == pytest.approx(by_hand.standard_errors[name], rel=1e-9)
    with_years = heckman(data, "y", "x", ["x", "z"], selection_categories="year", fixed_effects="year", cluster="firm")
    assert [name for name in with_years.selection["term"] if str(name).startswith("year=")] == [
        f"year={year}" for year in range(1, 6)
    ]


def test_without_exclusion_it_says_so() -> None:
    found = heckman(_selected(5), "y", "x", ["x"])
    assert any("no exclusion restriction" in text for text in found.warnings)
    assert np.isnan(found.excluded_p_value)
    strong = heckman(_selected(5), "y", "x", ["x", "z"])
    assert strong.excluded_p_value < 1e-10
    assert strong.mills_r2 < found.mills_r2


def test_rows_are_counted() -> None:
    data = _selected(6)
    seen = data.index[data["seen"] == 1]
    data.loc[seen[:7], "x"] = np.nan
    found = heckman(data, "y", "x", ["z"], selected="seen")
    assert found.dropped == {"selected, but a variable of the outcome equation is missing": 7}
    assert found.observations == (data["seen"] == 1).sum() - 7


def test_what_cannot_be_estimated_is_refused() -> None:
    data = _selected(7)
    with pytest.raises(EstimationError, match="all rows are selected"):
        heckman(data.dropna(), "y", "x", ["x", "z"])
    with pytest.raises(DataError, match="nearest: 'z'"):
        heckman(data, "y", "x", ["x", "zz"])
    with pytest.raises(SpecError, match="needs a cluster"):
        heckman(data, "y", "x", ["x", "z"], standard_errors="cluster")
    with pytest.raises(DataError, match="0 or 1"):
        heckman(data, "y", "x", ["x", "z"], selected="year")
    with pytest.raises(EstimationError, match="separate"):
        heckman(data.assign(w=data["seen"] * 2.0 - 1), "y", "x", ["w"], selected="seen")
