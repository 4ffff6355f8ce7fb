"""Location quotients, concentration and strength against hand counts and a second computation in loops."""

import math

import numpy as np
import pandas as pd
import pytest

from econometrics.clusters import (
    cluster_cells,
    concentration,
    density_clusters,
    group_industries,
    identify_clusters,
    industry_proximity,
    location_quotient_clusters,
    locational_correlation,
    place_clustering,
    proximity_clusters,
    related_clusters,
    strength_clusters,
)
from econometrics.simulate.plants import SimulatedPlants, simulate_plants
from shuzhi import DataError


@pytest.fixture
def small() -> pd.DataFrame:
    """Two places, two industries: A has 30 + 10 in north and 10 in south, B 20 in north and 30 in south."""
    return pd.DataFrame(
        {
            "place": ["N", "N", "N", "S", "S", "S"],
            "industry": ["A", "A", "B", "A", "B", "B"],
            "year": 2000,
            "employment": [30.0, 10.0, 20.0, 10.0, 20.0, 10.0],
        }
    )


@pytest.fixture(scope="module")
def plants() -> SimulatedPlants:
    return simulate_plants(7, n_industries=8, n_plants=1500, n_counties=60, planted_clusters=4)


def row(table: pd.DataFrame, **key: object) -> pd.Series:
    keep = np.logical_and.reduce([table[name] == value for name, value in key.items()])
    assert keep.sum() == 1
    return table[keep].iloc[0]


def test_location_quotient_by_hand(small: pd.DataFrame) -> None:
    table = location_quotient_clusters(small, quotient=1.2, minimum_firms=2).data
    north = row(table, place="N", industry="A")
    # E_ck 40, E_c 60, E_k 50, E 100: (40/60)/(50/100) = 4/3; share 40/50; HC 40 - 60*50/100 = 10
    assert north["location_quotient"] == pytest.approx(4 / 3)
    assert north["symmetric_quotient"] == pytest.approx((4 / 3 - 1) / (4 / 3 + 1))
    assert north["share"] == pytest.approx(0.8)
    assert north["horizontal_clustering"] == pytest.approx(10.0)
    # 2 of 3 firms of A among places where N has half of all 6: P(X >= 2), X ~ B(3, 1/2) = (3 + 1) / 8
    assert north["p_value"] == pytest.approx(0.5)
    assert bool(north["is_cluster"])
    assert north["cluster_size"] == 40.0
    # (30/40)/(50/100) = 1.5 for B in the south, the others below 1
    assert table["is_cluster"].tolist() == [True, False, False, True]
    assert table["cluster_size"].isna().tolist() == [False, True, True, False]


def test_every_threshold_counts(small: pd.DataFrame) -> None:
    def found(**options: float) -> int:
        chosen = {"quotient": 1.2, "minimum_firms": 1, **options}
        return int(location_quotient_clusters(small, **chosen).data["is_cluster"].sum())  # type: ignore[arg-type]

    assert found() == 2
    assert found(quotient=1.4) == 1
    assert found(quotient=1.5) == 1
    assert found(minimum_firms=3) == 0
    assert found(minimum_share=0.7) == 1
    assert found(significance=0.4) == 0


def test_location_quotient_against_loops(plants: SimulatedPlants) -> None:
    for size in ("employment", "output", "firms"):
        table = location_quotient_clusters(plants.data, size=size).data
        amounts: dict[tuple[str, str], float] = {}
        for plant in plants.data.to_dict("records"):
            key = (plant["place"], plant["industry"])
            amounts[key] = amounts.get(key, 0.0) + (1.0 if size == "firms" else float(plant[size]))
        assert len(table) == len(amounts)
        total = sum(amounts.values())
        for cell in table.to_dict("records"):
            place_total = sum(value for key, value in amounts.items() if key[0] == cell["place"])
            industry_total = sum(value for key, value in amounts.items() if key[1] == cell["industry"])
            expected = amounts[cell["place"], cell["industry"]] * total / (place_total * industry_total)
            assert cell["location_quotient"] == pytest.approx(expected, rel=1e-12)


def test_balanced_grid_adds_cells_that_are_no_clusters(small: pd.DataFrame) -> None:
    more = pd.concat([small, small.iloc[[0]].assign(place="W", year=2001)], ignore_index=True)
    table = location_quotient_clusters(more, minimum_firms=1, grid="balanced").data
    assert len(table) == 3 * 2 * 2
    assert not table.loc[~table["is_observed"], "is_cluster"].any()
    # In 2000 place W has nothing, so its quotient is undefined; in 2001 nobody makes B, so that of B is undefined.
    west = table[table["place"] == "W"]
    assert west[west["year"] == 2000]["cluster_strength"].isna().all()
    assert row(west, year=2001, industry="A")["location_quotient"] == 1.0
    assert math.isnan(row(west, year=2001, industry="B")["cluster_strength"])
    # the observed rows are the same as without the grid
    plain = location_quotient_clusters(more, minimum_firms=1).data
    pd.testing.assert_frame_equal(table[table["is_observed"]].reset_index(drop=True), plain)


def test_standardised_quotient_against_drawn_bootstrap(plants: SimulatedPlants) -> None:
    table = location_quotient_clusters(plants.data, rule="standardised", level=0.1, minimum_firms=1).data
    own = table[table["industry"] == "1311"]
    logs = np.log(own["location_quotient"].to_numpy())
    scores = (logs - logs.mean()) / logs.std(ddof=1)
    assert own["standardised_quotient"].to_numpy() == pytest.approx(scores)
    rng = np.random.Generator(np.random.PCG64(3))
    rank = math.ceil(0.9 * (len(scores) + 1))
    drawn = np.sort(rng.choice(scores, size=(20_000, len(scores))), axis=1)[:, rank - 1]
    critical = own["critical_value"].iloc[0]
    assert critical == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(20_000))
    assert own["is_cluster"].tolist() == (scores > critical).tolist()


def test_what_cannot_be_used_is_said(small: pd.DataFrame) -> None:
    broken = pd.concat([small, small.iloc[[0, 1, 2]]], ignore_index=True)
    broken.loc[6, "place"] = None
    broken.loc[7, "employment"] = np.nan
    broken.loc[8, "industry"] = ""
    result = location_quotient_clusters(broken)
    assert result.dropped == {
        "establishments without place": 1,
        "establishments without industry": 1,
        "establishments without employment": 1,
    }
    pd.testing.assert_frame_equal(result.data, location_quotient_clusters(small).data)
    assert "not used: 1 establishments without employment" in result.summary()
    with pytest.raises(DataError, match="negative in 1 rows"):
        location_quotient_clusters(small.assign(employment=[-1.0, 2, 3, 4, 5, 6]))
    with pytest.raises(DataError, match="no column workers"):
        location_quotient_clusters(small, size="workers")
    with pytest.raises(DataError, match=r"quotient is 0; it must be positive; minimum_share is 2"):
        location_quotient_clusters(small, quotient=0, minimum_share=2)
    with pytest.raises(DataError, match="not numeric"):
        location_quotient_clusters(small.assign(employment=["1"] * 6))


def test_zero_employment_leaves_the_quotient_undefined() -> None:
    data = pd.DataFrame(
        {"place": ["N", "S", "S"], "industry": ["A", "A", "B"], "year": 2000, "employment": [0.0, 4.0, 4.0]}
    )
    table = location_quotient_clusters(data, minimum_firms=1).data
    assert math.isnan(row(table, place="N", industry="A")["cluster_strength"])
    gamma = concentration(data).data.set_index("industry")
    # all employment stands in one place: nothing can be said about concentration
    assert gamma["ellison_glaeser"].isna().all()
    assert gamma["level"].tolist() == ["undefined", "undefined"]


def test_concentration_by_hand(small: pd.DataFrame) -> None:
    own = concentration(small).data.set_index("industry").loc["A"]
    # s = (0.8, 0.2), x = (0.6, 0.4), z = (0.6, 0.2, 0.2)
    raw, herfindahl, open_share = 0.04 + 0.04, 0.36 + 0.04 + 0.04, 1 - 0.36 - 0.16
    assert own["raw_concentration"] == pytest.approx(raw)
    assert own["plant_herfindahl"] == pytest.approx(herfindahl)
    assert own["place_herfindahl"] == pytest.approx(0.68)
    assert own["ellison_glaeser"] == pytest.approx((raw - open_share * herfindahl) / (open_share * (1 - herfindahl)))
    ms = ((0.68 - 0.52) / open_share - herfindahl) / (1 - herfindahl)
    assert own["maurel_sedillot"] == pytest.approx(ms)
    # Lorenz curve through (0, 0), (0.4, 0.2), (1, 1): area 0.04 + 0.6 * 0.6 = 0.40, Gini 1 - 0.8
    assert own["spatial_gini"] == pytest.approx(0.2)
    assert own["theil"] == pytest.approx(0.8 * math.log(0.8 / 0.6) + 0.2 * math.log(0.2 / 0.4))


def test_concentration_against_loops(plants: SimulatedPlants) -> None:
    table = concentration(plants.data).data.set_index("industry")
    records = plants.data.to_dict("records")
    places = sorted({plant["place"] for plant in records})
    total = sum(plant["employment"] for plant in records)
    for code in table.index:
        own = [plant for plant in records if plant["industry"] == code]
        size = sum(plant["employment"] for plant in own)
        herfindahl = sum((plant["employment"] / size) ** 2 for plant in own)
        raw = sum_s2 = sum_x2 = 0.0
        for place in places:
            s = sum(plant["employment"] for plant in own if plant["place"] == place) / size
            x = sum(plant["employment"] for plant in records if plant["place"] == place) / total
            raw, sum_s2, sum_x2 = raw + (s - x) ** 2, sum_s2 + s * s, sum_x2 + x * x
        gamma = (raw - (1 - sum_x2) * herfindahl) / ((1 - sum_x2) * (1 - herfindahl))
        assert table.loc[code, "ellison_glaeser"] == pytest.approx(gamma, rel=1e-9)
        ms = ((sum_s2 - sum_x2) / (1 - sum_x2) - herfindahl) / (1 - herfindahl)
        assert table.loc[code, "maurel_sedillot"] == pytest.approx(ms, rel=1e-9)
    # the first four industries have a planted cluster, the others choose places as all do
    assert table["ellison_glaeser_z"].iloc[:4].min() > 3
    assert table["ellison_glaeser"].iloc[4:].max() < 0.02


def test_spread_of_raw_concentration_under_random_location() -> None:
    """The standardised G has mean 0 and standard deviation 1 when plants choose places with the shares x."""
    from econometrics.clusters.concentration_measures import _measures

    rng = np.random.Generator(np.random.PCG64(1))
    shares, sizes = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    scores = []
    for _ in range(20_000):
        local = np.bincount(rng.choice(4, size=6, p=shares), weights=sizes, minlength=4)
        squares = float((sizes**2).sum())
        scores.append(_measures(local, shares, squares, float((sizes**4).sum()))["ellison_glaeser_z"])
    assert np.mean(scores) == pytest.approx(0, abs=0.03)
    assert np.std(scores) == pytest.approx(1, abs=0.03)


def test_single_plant_has_no_concentration(small: pd.DataFrame) -> None:
    more = pd.concat([small, small.iloc[[0]].assign(industry="C")], ignore_index=True)
    own = concentration(more).data.set_index("industry").loc["C"]
    assert own["plant_herfindahl"] == 1.0
    assert math.isnan(own["ellison_glaeser"])
    assert math.isnan(own["maurel_sedillot"])


def test_density_based_index_by_hand() -> None:
    counts = {"P1": 6, "P2": 4, "P3": 2, "P4": 1}
    data = pd.DataFrame(
        [(place, "A", 2000, 1.0) for place, n in counts.items() for _ in range(n)] + [("P5", "B", 2000, 1.0)],
        columns=["place", "industry", "year", "employment"],
    )
    area = pd.Series({"P1": 600.0, "P2": 100.0, "P3": 100.0, "P4": 100.0, "P5": 100.0})
    # densities of A: P1 0.01, P2 0.04, P3 0.02, P4 0.01; 40 per cent of 5 places are two
    table = density_clusters(data, area, top_percent=40).data
    own = table[table["industry"] == "A"].set_index("place")
    assert own["is_cluster"].to_dict() == {"P1": False, "P2": True, "P3": True, "P4": False}
    assert own["cluster_strength"].tolist() == pytest.approx([0.5, 2.0, 1.0, 0.5])
    assert own["cluster_size"].dropna().tolist() == [4.0, 2.0]
    # ties with the last one are in: three of five places, P1 ties with P4
    tied = density_clusters(data, area, top_percent=60).data
    assert tied[tied["industry"] == "A"]["is_cluster"].all()
    # 40 per cent of the four places that have A is one
    among = density_clusters(data, area, top_percent=40, among="places_with_industry").data
    assert among[among["is_cluster"]][["place", "industry"]].values.tolist() == [["P2", "A"]]
    few = density_clusters(data, area, top_percent=5)
    assert not few.data["is_cluster"].any()
    assert "2 industry-years have too few places for a top 5 per cent" in few.warnings[0]


def test_areas_are_checked(small: pd.DataFrame) -> None:
    lost = density_clusters(small, pd.Series({"N": 10.0, "X": 5.0}), top_percent=50)
    assert lost.dropped == {"establishments in places without an area, such as S": 3}
    assert lost.data[lost.data["place"] == "S"]["cluster_strength"].isna().all()
    with pytest.raises(DataError, match="no place has an area"):
        density_clusters(small, pd.Series({"X": 5.0}))
    with pytest.raises(DataError, match="2 areas are not positive, such as N"):
        density_clusters(small, pd.DataFrame({"place": ["N", "S"], "area_km2": [0.0, -1.0]}))


def test_place_clustering(small: pd.DataFrame) -> None:
    table = place_clustering(location_quotient_clusters(small, quotient=1.2, minimum_firms=1))
    # N: A (40 of 60) is a cluster; S: B (30 of 40)
    assert table["clustered_industries"].tolist() == [1, 1]
    assert table["clustered_share"].tolist() == pytest.approx([40 / 60, 30 / 40])


def test_strength_of_the_rest_by_hand() -> None:
    data = pd.DataFrame(
        {
            "place": ["N", "N", "N", "S", "S", "S", "S"],
            "industry": ["A", "B", "C", "A", "B", "C", "D"],
            "year": 2000,
            "employment": [10.0, 20.0, 30.0, 10.0, 5.0, 15.0, 10.0],
        }
    )
    result = strength_clusters(data, {"A": "one", "B": "one", "C": "two"}, minimum_firms=1, top_percent=50)
    # A in N: rest of its cluster is B: (20/60) / (25/100)
    assert row(result.data, place="N", industry="A")["cluster_strength"] == pytest.approx((20 / 60) / 0.25)
    assert row(result.data, place="S", industry="B")["cluster_strength"] == pytest.approx((10 / 40) / 0.20)
    # C is alone in its group: no rest, so no strength
    assert result.data[result.data["industry"] == "C"]["cluster_strength"].isna().all()
    # group one: N 30 of 60, S 15 of 40, over 45 of 100
    assert row(result.data, place="N", industry="B")["group_quotient"] == pytest.approx((30 / 60) / 0.45)
    assert row(result.data, place="N", industry="A")["is_cluster"]
    assert not row(result.data, place="S", industry="A")["is_cluster"]
    assert result.dropped == {"establishments in industries without a group, such as D": 1}
    related = related_clusters(
        data,
        pd.DataFrame({"A": [1, 0.5, 0, 0.0], "B": [0.5, 1, -1, 0], "C": [0, -1, 1, 0], "D": 0.0}, index=list("ABCD")),
    )
    # only B is related to A: the same ratio as above, whatever the weight
    assert row(related.data, place="N", industry="A")["cluster_strength"] == pytest.approx((20 / 60) / 0.25)
    assert related.data[related.data["industry"] == "D"]["cluster_strength"].isna().all()


def test_relatedness_and_groups_by_location() -> None:
    amounts = {"A": [9, 1, 0, 4], "B": [8, 2, 1, 4], "C": [0, 5, 7, 1]}
    data = pd.DataFrame(
        [(f"P{p}", code, 2000, float(v)) for code, row_ in amounts.items() for p, v in enumerate(row_) if v],
        columns=["place", "industry", "year", "employment"],
    )
    matrix = locational_correlation(data)
    assert matrix.loc["A", "B"] == pytest.approx(float(np.corrcoef(amounts["A"], amounts["B"])[0, 1]))
    assert matrix.loc["A", "C"] < 0
    assert group_industries(matrix, 2).to_dict() == {"A": "group_01", "B": "group_01", "C": "group_02"}
    with pytest.raises(DataError, match="4 groups of 3 industries"):
        group_industries(matrix, 4)


def test_proximity_against_loops(plants: SimulatedPlants) -> None:
    phi = industry_proximity(plants.data, size="employment")
    special: dict[str, set[str]] = {}
    table = location_quotient_clusters(plants.data).data
    for cell in table.to_dict("records"):
        if cell["location_quotient"] >= 1:
            special.setdefault(cell["industry"], set()).add(cell["place"])
    codes = list(phi.index)
    for one in codes:
        for other in codes:
            both = len(special[one] & special[other])
            assert phi.loc[one, other] == pytest.approx(min(both / len(special[one]), both / len(special[other])))
    dense = proximity_clusters(plants.data, size="employment", proximity=phi).data
    cell = dense.iloc[5]
    here = cluster_cells(plants.data).data
    here = here[here["place"] == cell["place"]].set_index("industry")
    others = [code for code in codes if code != cell["industry"]]
    shares = {code: here["size"].get(code, 0.0) / here["place_size"].iloc[0] for code in others}
    expected = sum(shares[code] * phi.loc[cell["industry"], code] for code in others)
    expected /= sum(phi.loc[cell["industry"], code] for code in others)
    assert cell["cluster_strength"] == pytest.approx(expected)


def test_methods_by_name(small: pd.DataFrame) -> None:
    same = identify_clusters(small, "location_quotient", quotient=1.2, minimum_firms=2)
    pd.testing.assert_frame_equal(same.data, location_quotient_clusters(small, quotient=1.2, minimum_firms=2).data)
    with pytest.raises(DataError, match="no method 'gini'"):
        identify_clusters(small, "gini")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"it has no option quotient .*; it needs area"):
        identify_clusters(small, "density_based_index", quotient=2)
    assert same.to_frame()["method"].unique().tolist() == ["location_quotient"]


def test_microdata_stay_as_they_are_and_results_repeat(plants: SimulatedPlants) -> None:
    before = plants.data.copy()
    first = location_quotient_clusters(plants.data, rule="standardised").data
    shuffled = plants.data.sample(frac=1.0, random_state=4)
    pd.testing.assert_frame_equal(plants.data, before)
    again = location_quotient_clusters(shuffled, rule="standardised").data
    pd.testing.assert_frame_equal(first, again)
