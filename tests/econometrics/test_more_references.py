"""Further data sets against R 4.2.2 (AER 1.2-10, sandwich 3.0-2, plm 2.6-2, systemfit 1.1-28, clubSandwich) and print.

The numbers of R are those of one run with the models named in each test.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from econometrics.did import event_study
from econometrics.mediate import mediate
from econometrics.mediate.confounding import robustness
from econometrics.mediate.selection import oster_delta
from econometrics.regress import instrument, regress
from econometrics.regress.hausman import hausman_test, random_effects
from econometrics.regress.seemingly_unrelated import sur

REGIONS = [f"reg66{number}" for number in range(2, 10)]
CARD = ["exper", "expersq", "black", "smsa", "south", "smsa66", *REGIONS]
YEARS = [f"d{year}" for year in range(1981, 1988)]


def table(shared: Path, name: str) -> pd.DataFrame:
    path = shared / "econ" / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the shared test data hold no econ/{name}.csv")
    return pd.read_csv(path)


def wagepan(shared: Path) -> pd.DataFrame:
    data = table(shared, "wagepan")
    sector = np.select([data[name] == 1 for name in ("agric", "manuf", "trad", "pub")], [1, 2, 3, 4], 5)
    return data.assign(sector=sector, **{f"d{year}": (data["year"] == year).astype(int) for year in range(1981, 1988)})


def test_returns_to_schooling(shared: Path) -> None:
    """Card (1995), printed as .132 (.055) in Wooldridge's example 15.4; ivreg, its diagnostics, and vcovHC HC1."""
    data = table(shared, "card")
    exact = instrument(data, "lwage", "educ", "nearc4", exogenous=CARD, standard_errors="classical")
    assert exact.coefficients["educ"] == pytest.approx(0.1315038362, rel=1e-8)
    assert exact.standard_errors["educ"] == pytest.approx(0.05496367260, rel=1e-8)
    assert exact.first_stages[0].classical_f.statistic == pytest.approx(13.255785331, rel=1e-9)
    assert exact.endogeneity is not None and exact.endogeneity.statistic == pytest.approx(1.167645482, rel=1e-8)
    assert exact.overidentification is None
    options = {"exogenous": CARD, "standard_errors": "classical"}
    over = instrument(data, "lwage", "educ", ["nearc4", "nearc2"], **options)  # type: ignore[arg-type]
    assert over.coefficients["educ"] == pytest.approx(0.157059370, rel=1e-8)
    assert over.overidentification is not None and over.endogeneity is not None
    assert over.overidentification.statistic == pytest.approx(1.248153434, rel=1e-8)
    assert over.endogeneity.p_value == pytest.approx(0.0872860157529, rel=1e-8)
    robust = instrument(data, "lwage", "educ", ["nearc4", "nearc2"], exogenous=CARD)
    assert robust.standard_errors["educ"] == pytest.approx(0.05255255571, rel=1e-8)
    assert robust.first_stages[0].f.statistic == pytest.approx(8.318974741, rel=1e-8)
    assert robust.endogeneity is not None and robust.endogeneity.statistic == pytest.approx(2.961128536, rel=1e-8)


def test_weights(shared: Path) -> None:
    """lm and ivreg with weights; vcovHC and vcovCL, HC1."""
    data, model = table(shared, "card"), ["educ", "exper", "black"]
    for options, error in (
        ({"standard_errors": "classical"}, 0.003610049884),
        ({}, 0.004097188864),
        ({"cluster": "age"}, 0.005330827603),
    ):
        result = regress(data, "lwage", model, weights="weight", **options)  # type: ignore[arg-type]
        assert result.coefficients["educ"] == pytest.approx(0.08149027960, rel=1e-8)
        assert result.standard_errors["educ"] == pytest.approx(error, rel=1e-8)
    two = instrument(data, "lwage", "educ", ["nearc4", "nearc2"], exogenous=["exper", "black"], weights="weight")
    assert two.coefficients["educ"] == pytest.approx(0.2899813012, rel=1e-8)
    assert two.standard_errors.to_dict() == pytest.approx(
        {"educ": 0.04676834985, "exper": 0.01890145580, "black": 0.05467921749, "constant": 0.80476296023}, rel=1e-8
    )


def test_instrumented_mediation(shared: Path) -> None:
    """Three ivreg calls; errors clustered by age with vcovCL, HC1."""
    result = mediate(
        table(shared, "card"),
        "lwage",
        "educ",
        "KWW",
        controls=["exper", "black"],
        instruments=["nearc4", "nearc2"],
        cluster="age",
        method="delta",
    )
    frame = result.to_frame().set_index("effect")
    wanted = {"total": 0.2770359973577, "a": 4.4183163576320, "b": -0.0666749784715, "direct": 0.5750580750669}
    assert frame.loc[list(wanted), "estimate"].to_dict() == pytest.approx(wanted, rel=1e-9)
    errors = {"a": 0.4216050380549, "b": 0.0199057843064, "total": 0.0206313902217}
    assert frame.loc[list(errors), "standard_error"].to_dict() == pytest.approx(errors, rel=1e-7)


def test_random_effects_with_traits_and_years(shared: Path) -> None:
    """plm random: Wooldridge's table 14.2 prints married .064 (.017), union .106 (.018), educ .092 (.011)."""
    data = wagepan(shared)
    traits = ["educ", "black", "hisp", "exper", "expersq", "married", "union"]
    result = random_effects(data, "lwage", [*traits, *YEARS], "nr")
    wanted = {"educ": 0.09187627559, "black": -0.13937672554, "married": 0.06398602160, "union": 0.10613442851}
    assert result.coefficients[list(wanted)].to_dict() == pytest.approx(wanted, rel=1e-8)
    errors = {"educ": 0.01065970421, "union": 0.01785385542, "d1987": 0.08131352918, "constant": 0.15066825911}
    assert result.standard_errors[list(errors)].to_dict() == pytest.approx(errors, rel=1e-8)
    frame = result.to_frame().set_index("term")
    assert frame.loc["married", "p_value"] == pytest.approx(1.36436895e-04, rel=1e-7)
    assert "4,360 rows of 545 firms" in result.summary()
    test = hausman_test(data, "lwage", ["expersq", "married", "union", *YEARS], "nr")
    assert (test.statistic, test.numerator_degrees_of_freedom) == (pytest.approx(37.00985444, rel=1e-7), 10)


def test_random_effects_of_an_unbalanced_panel(shared: Path) -> None:
    """plm random and phtest."""
    data = wagepan(shared)
    data = data[(np.arange(1, len(data) + 1) * 7919) % 10 > 2]
    result = random_effects(data, "lwage", ["educ", "exper", "expersq", "married", "union"], "nr")
    assert result.coefficients["educ"] == pytest.approx(0.100119616161, rel=1e-9)
    assert result.standard_errors["constant"] == pytest.approx(0.1134867427126, rel=1e-9)
    assert result.error_variance == pytest.approx(0.130165444460, rel=1e-9)
    assert result.firm_variance == pytest.approx(0.106593956936, rel=1e-9)
    test = hausman_test(data, "lwage", ["exper", "expersq", "married", "union"], "nr")
    assert test.statistic == pytest.approx(59.7325071303, rel=1e-8)


def test_three_equations(shared: Path) -> None:
    """Grunfeld's investment of three firms, systemfit."""
    names = {"General Electric": "ge", "Westinghouse": "wh", "IBM": "ibm"}
    data = table(shared, "grunfeld11")
    data = data[data["firm"].isin(names)].assign(firm=lambda frame: frame["firm"].map(names))
    wide = data.pivot(index="year", columns="firm", values=["invest", "value", "capital"])
    wide = wide.set_axis([f"{name}_{firm}" for name, firm in wide.columns], axis=1)
    result = sur(wide, {firm: (f"invest_{firm}", [f"value_{firm}", f"capital_{firm}"]) for firm in names.values()})
    wanted = {
        ("ge", "value_ge"): 0.03128443564,
        ("wh", "capital_wh"): 0.08719555644,
        ("ibm", "constant"): -9.08993443745,
    }
    errors = {
        ("ge", "value_ge"): 0.01330546441,
        ("wh", "capital_wh"): 0.04963470200,
        ("ibm", "constant"): 4.22839154852,
    }
    assert result.coefficients[list(wanted)].to_dict() == pytest.approx(wanted, rel=1e-8)
    assert result.standard_errors[list(errors)].to_dict() == pytest.approx(errors, rel=1e-8)


def test_cr2_of_clubsandwich(shared: Path) -> None:
    """coef_test(lm with all dummies, "CR2"): 60 men, clustered by man and by year."""
    data = wagepan(shared)
    data = data[data["nr"].isin(data["nr"].unique()[:60])]
    with_square = regress(
        data,
        "lwage",
        ["married", "union", "expersq"],
        fixed_effects=["nr", "year"],
        cluster="nr",
        standard_errors="cr2",
    )
    errors = {"married": 0.084801216969, "union": 0.077069054181, "expersq": 0.004235873385}
    degrees = {"married": 33.74852578, "union": 23.13941786, "expersq": 16.73565995}
    assert with_square.standard_errors.to_dict() == pytest.approx(errors, rel=1e-8)
    assert with_square.term_degrees_of_freedom.to_dict() == pytest.approx(degrees, rel=1e-8)
    by_year = regress(
        data, "lwage", ["married", "union", "exper"], fixed_effects="sector", cluster="year", standard_errors="cr2"
    )
    errors = {"married": 0.036726673733, "union": 0.037415948072, "exper": 0.003814916307}
    p_values = {"married": 0.0001574530002, "union": 0.8916121281835, "exper": 0.0002384382420}
    assert by_year.standard_errors.to_dict() == pytest.approx(errors, rel=1e-8)
    assert by_year.p_values.to_dict() == pytest.approx(p_values, rel=1e-7)


def test_two_way_clusters_without_effects(shared: Path) -> None:
    """vcovCL by man and year: each part with its own G / (G - 1), as Petersen's command and sandwich have it."""
    model = ["married", "union", *YEARS]
    result = regress(wagepan(shared), "lwage", model, cluster=["nr", "year"], small_sample="cluster2")
    wanted = {"married": 0.0243751332317, "union": 0.0310686550564}
    assert result.standard_errors[["married", "union"]].to_dict() == pytest.approx(wanted, rel=1e-9)


def test_bounds_of_darfur(shared: Path) -> None:
    """Cinelli and Hazlett (2020) and the vignette of sensemakr print these for one, two and three times female."""
    controls = ["age", "farmer_dar", "herder_dar", "pastvoted", "hhsize_darfur", "female"]
    data = table(shared, "darfur")
    result = robustness(
        data, "peacefactor", "directlyharmed", controls=controls, fixed_effects="village", benchmarks="female"
    )
    np.testing.assert_allclose(result.bounds["adjusted_estimate"], [0.075, 0.053, 0.030], atol=5e-4)
    np.testing.assert_allclose(result.bounds["adjusted_standard_error"], [0.022, 0.020, 0.019], atol=5e-4)
    np.testing.assert_allclose(result.bounds["adjusted_statistic"], [3.439, 2.600, 1.628], atol=5e-4)
    np.testing.assert_allclose(result.bounds["r2_treatment"], [0.009, 0.018, 0.027], atol=5e-4)


def test_oster_by_variances_instead_of_cross_products(shared: Path) -> None:
    """Proposition 3 with the variances and R2 that psacalc takes from three regressions."""
    controls = ["exper", "expersq", "black", "smsa", "south"]
    data = table(shared, "card")[["lwage", "educ", *controls]]
    short = regress(data, "lwage", "educ", standard_errors="classical")
    long = regress(data, "lwage", ["educ", *controls], standard_errors="classical")
    left = regress(data, "educ", controls, standard_errors="classical").residuals.var()
    ceiling, gap = 1.3 * long.r2, short.coefficients["educ"] - long.coefficients["educ"]
    beta, outcome, spread = long.coefficients["educ"], data["lwage"].var(), data["educ"].var()
    cubic = beta**3 * (left * spread - left**2)
    numerator = beta * (long.r2 - short.r2) * outcome * left + beta * spread * left * gap**2
    numerator += 2 * beta**2 * left * gap * spread + cubic
    denominator = (ceiling - long.r2) * outcome * (gap * spread + beta * (spread - left))
    denominator += beta**2 * left * gap * spread + cubic
    swept = (data - data.mean()).to_numpy()
    found = oster_delta(swept.T @ swept, 0, 1, range(2, 7))
    assert found.delta == pytest.approx(numerator / denominator, rel=1e-9)
    assert found.r2_max == pytest.approx(ceiling, rel=1e-12)


def test_event_study_of_the_vignette_of_fixest(shared: Path) -> None:
    """feols(y ~ x1 + i(period, treat, 5) | id + period, base_did), as its vignette prints it."""
    data = table(shared, "base_did").assign(first=lambda frame: np.where(frame["treat"] == 1, 6, 0))
    result = event_study(
        data, "y", unit="id", time="period", first_treated="first", controls=["x1"], small_sample="fixest"
    )
    frame = result.to_frame().query("aggregation == 'dynamic'").set_index("event_time")
    estimates = {-5: -1.403045, -4: -1.247511, -3: -0.273206, -2: -1.795721, 1: 3.598897, 2: 3.811766, 4: 6.606229}
    errors = {-5: 1.110267, -4: 1.093145, -3: 1.106935, -2: 1.087974, 1: 1.101563, 2: 1.247502, 4: 1.120494}
    np.testing.assert_allclose(frame.loc[list(estimates), "estimate"], list(estimates.values()), atol=5e-7)
    np.testing.assert_allclose(frame.loc[list(errors), "standard_error"], list(errors.values()), atol=5e-7)
