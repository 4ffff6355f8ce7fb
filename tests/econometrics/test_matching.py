"""Matching and entropy balancing: against brute force, a convex programme, and planted effects."""

import numpy as np
import pandas as pd
import pytest

from econometrics.matching import entropy_balance, propensity_match
from econometrics.matching.methods import entropy_weights, kernel_weights, nearest_neighbours, propensity_scores
from econometrics.regress import regress
from shuzhi import DataError, EstimationError, SpecError

NAMES = ["a", "b"]


def _sample(seed: int = 1, rows: int = 400) -> pd.DataFrame:
    """Treatment follows a and b, the outcome too; the effect is 1 for everyone."""
    generator = np.random.default_rng(seed)
    a, b = generator.standard_normal(rows), generator.exponential(1.0, rows)
    treated = generator.random(rows) < 1 / (1 + np.exp(-(0.9 * a + 0.5 * b - 1)))
    y = 1.0 * treated + 2 * a + b + generator.standard_normal(rows)
    return pd.DataFrame(
        {
            "y": y,
            "d": treated * 1,
            "a": a,
            "b": b,
            "year": np.arange(rows) % 4,
            "firm": np.arange(rows) // 4,
            "z": a + b + generator.standard_normal(rows),
        }
    )


def test_scores_are_the_logit_of_another_program() -> None:
    import statsmodels.api as sm

    data = _sample()
    x = data[NAMES].to_numpy() * [1.0, 1000.0]
    scores = propensity_scores(x, data["d"].to_numpy() == 1)
    other = sm.Logit(data["d"], sm.add_constant(x)).fit(disp=0)
    assert scores.probability == pytest.approx(other.predict(), rel=1e-6)
    assert scores.coefficients == pytest.approx([*other.params[1:], other.params.iloc[0]] if hasattr(
        other.params, "iloc") else [*other.params[1:], other.params[0]], rel=1e-5)  # fmt: skip


@pytest.mark.parametrize("neighbours", [1, 3])
@pytest.mark.parametrize("caliper", [np.inf, 0.02])
@pytest.mark.parametrize("replacement", [True, False])
def test_neighbours_by_brute_force(neighbours: int, caliper: float, replacement: bool) -> None:
    generator = np.random.default_rng(2)
    score, treated = generator.random(120), generator.random(120) < 0.4
    cells = np.arange(120) % 2
    weights, pairs = nearest_neighbours(
        score, treated, cells, neighbours=neighbours, caliper=caliper, replacement=replacement,
        generator=np.random.default_rng(9),
    )  # fmt: skip
    order, expected = np.random.default_rng(9), []
    for cell in (0, 1):
        inside = np.flatnonzero(treated & (cells == cell))
        left = list(np.flatnonzero(~treated & (cells == cell)))
        for row in inside if replacement else order.permutation(inside):
            near = sorted(left, key=lambda other: abs(score[other] - score[row]))
            taken = [other for other in near if abs(score[other] - score[row]) <= caliper][:neighbours]
            expected += [(row, other) for other in taken]
            if not replacement:
                left = [other for other in left if other not in taken]
    assert sorted(map(tuple, pairs)) == sorted(expected)
    by_row = pd.DataFrame(expected, columns=["row", "match"])
    share = 1 / by_row.groupby("row")["match"].transform("size")
    by_hand = np.zeros(120)
    by_hand[by_row["row"].unique()] = 1.0
    for match, value in zip(by_row["match"], share, strict=True):
        by_hand[match] += value
    assert weights == pytest.approx(by_hand)


def test_kernel_by_hand() -> None:
    score = np.array([0.50, 0.52, 0.90, 0.48, 0.53])
    treated = np.array([True, False, False, False, True])
    weights = kernel_weights(score, treated, np.zeros(5, dtype=int), bandwidth=0.06, at_once=2)
    first = np.array([1 - (0.02 / 0.06) ** 2, 0, 1 - (0.02 / 0.06) ** 2])
    second = np.array([1 - (0.01 / 0.06) ** 2, 0, 1 - (0.05 / 0.06) ** 2])
    assert weights[[1, 2, 3]] == pytest.approx(first / first.sum() + second / second.sum())
    assert weights[[0, 4]].tolist() == [1.0, 1.0]


def test_entropy_weights_solve_the_convex_programme() -> None:
    """The weights with the largest entropy that balance means: scipy's constrained minimum of sum w log w."""
    from scipy.optimize import minimize

    generator = np.random.default_rng(3)
    columns, treated = generator.standard_normal((40, 2)), np.arange(40) < 15
    columns[treated] += 0.4
    found = entropy_weights(columns, treated, np.zeros(40, dtype=int), moments=1)
    others, goal = columns[~treated], columns[treated].mean(axis=0)
    solution = minimize(
        lambda w: float((w * np.log(w)).sum()),
        np.full(25, 1 / 25),
        jac=lambda w: np.log(w) + 1,
        bounds=[(1e-9, 1)] * 25,
        constraints=[
            {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(25)},
            {"type": "eq", "fun": lambda w: others.T @ w - goal, "jac": lambda w: others.T},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.converged
    assert found.weights[~treated] / 15 == pytest.approx(solution.x, abs=1e-6)


def test_entropy_balances_means_and_variances() -> None:
    data = _sample(4)
    found = entropy_balance(data, "y", "d", NAMES, moments=2, exact="year")
    treated = data["d"].to_numpy() == 1
    weights = found.weights.to_numpy()
    for year in range(4):
        inside, others = treated & (data["year"] == year), ~treated & (data["year"] == year)
        assert weights[others].sum() == pytest.approx(inside.sum())
        for name in NAMES:
            values = data[name].to_numpy()
            mean = values[inside].mean()
            assert np.average(values[others], weights=weights[others]) == pytest.approx(mean, abs=1e-5)
            spread = ((values[others] - mean) ** 2 * weights[others]).sum() / inside.sum()
            assert spread == pytest.approx(values[inside].var(), abs=1e-4)
    assert found.balance["difference_after"].abs().max() < 1e-5
    assert found.effective_others == pytest.approx(weights[~treated].sum() ** 2 / (weights[~treated] ** 2).sum())
    assert found.converged


def test_what_cannot_be_balanced_is_flagged() -> None:
    data = _sample(5)
    data.loc[data["d"] == 1, "a"] += 20
    found = entropy_balance(data, "y", "d", ["a"])
    assert not found.converged
    assert any("did not converge" in text for text in found.warnings)


@pytest.mark.parametrize(
    "options",
    [{"caliper": 0.1}, {"method": "kernel", "bandwidth": 0.03}, {"neighbours": 3}, {"replacement": False}, None],
)
def test_planted_effect_is_found(options: dict[str, object] | None) -> None:
    data = _sample(6, rows=4000)
    plain = data.groupby("d")["y"].mean().diff().iloc[1]
    assert plain > 2
    if options is None:
        found = entropy_balance(data, "y", "d", NAMES)
    else:
        found = propensity_match(data, "y", "d", NAMES, **options)  # type: ignore[arg-type]
    assert found.difference.coefficients["d"] == pytest.approx(1, abs=0.2)
    assert found.balance["difference_after"].abs().max() < 0.1
    assert found.balance["difference_before"].abs().min() > 0.3


def test_the_regression_is_the_weighted_one() -> None:
    data = _sample(7)
    found = propensity_match(
        data, "y", "d", NAMES, exact="year", controls="a", fixed_effects="firm", cluster="firm", regressors="z"
    )
    weights = found.weights
    kept = data[weights > 0].assign(w=weights[weights > 0])
    again = regress(kept, "y", ["z", "a"], fixed_effects="firm", cluster="firm", weights="w")
    assert found.regression.coefficients["z"] == pytest.approx(again.coefficients["z"], rel=1e-12)
    assert found.regression.standard_errors["z"] == pytest.approx(again.standard_errors["z"], rel=1e-12)
    pairs = found.pairs
    assert (data["year"].to_numpy()[pairs["treated"]] == data["year"].to_numpy()[pairs["match"]]).all()
    assert found.matched_treated == pairs["treated"].nunique()
    assert "standardised differences" in found.summary()
    assert {"estimator", "term", "estimate", "interval_low"} <= set(found.to_frame().columns)


def test_balance_by_hand() -> None:
    data = _sample(8, rows=60)
    found = propensity_match(data, "y", "d", NAMES, caliper=None, common_support=False)
    treated = data["d"] == 1
    spread = np.sqrt((data.loc[treated, "a"].var() + data.loc[~treated, "a"].var()) / 2)
    row = found.balance.set_index("covariate").loc["a"]
    assert row["difference_before"] == pytest.approx(data.groupby("d")["a"].mean().diff().iloc[1] / spread)
    after = data.loc[treated, "a"].mean() - np.average(data.loc[~treated, "a"], weights=found.weights[~treated])
    assert row["difference_after"] == pytest.approx(after / spread)


def test_cuts() -> None:
    data = _sample(9)
    found = propensity_match(data, "y", "z", NAMES, cut="median", cut_within="year")
    above = data["z"] > data.groupby("year")["z"].transform("median")
    assert found.treated == int(above.sum())
    assert found.treatment == "z_above_cut"
    assert "median within year" in found.summary()
    assert propensity_match(data, "y", "z", NAMES, cut=0.5).treated == int((data["z"] > 0.5).sum())
    with pytest.raises(DataError, match="give a cut"):
        propensity_match(data, "y", "z", NAMES)


def test_what_cannot_be_matched_is_refused() -> None:
    data = _sample(10)
    with pytest.raises(EstimationError, match="all rows are treated"):
        propensity_match(data.assign(d=1), "y", "d", NAMES)
    with pytest.raises(EstimationError, match="nobody is matched"):
        propensity_match(data, "y", "d", NAMES, caliper=1e-12)
    with pytest.raises(SpecError, match=r"method.*neighbours"):
        propensity_match(data, "y", "d", NAMES, method="genetic", neighbours=0)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"no column 'c'.*nearest|no column 'c'"):
        entropy_balance(data, "y", "d", ["a", "c"])
    constant = propensity_match(data.assign(k=1.0), "y", "d", [*NAMES, "k"])
    assert any("without variation are left out: k" in text for text in constant.warnings)
    missing = data.assign(a=data["a"].mask(data.index < 5))
    assert propensity_match(missing, "y", "d", NAMES).dropped == {"missing a": 5}
