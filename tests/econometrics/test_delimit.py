"""Clusters delimited in space: the exact test against scipy and against random orders, planted clusters, by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.sparse import csr_array

from econometrics.clusters.delimit import delimit_clusters
from econometrics.clusters.delimit_null import (
    Moments,
    gamma_tails,
    hypergeometric_quantile,
    hypergeometric_tail,
    null_moments,
    random_orders,
    simulated_counts,
    smallest_tails,
)
from econometrics.clusters.from_k_densities import k_density_clusters
from econometrics.k_density import k_density
from econometrics.places.distances import great_circle_km
from econometrics.simulate.plants import simulate_plants
from shuzhi import DataError

DEGREE_KM = 111.195


def on_a_line(counts, year=2004):
    """Plants at places along the equator; ``counts`` maps kilometres to the plants of industries A and B there."""
    rows = [
        (f"k{km}", industry, year, km / DEGREE_KM, 0.0, 10 * (number + 1))
        for km, both in counts.items()
        for industry, count in zip("AB", both, strict=True)
        for number in range(count)
    ]
    return pd.DataFrame(rows, columns=["place", "industry", "year", "longitude", "latitude", "employment"])


LINE = {0: (6, 4), 30: (5, 5), 60: (1, 9), 400: (4, 2), 800: (0, 40), 1200: (1, 60), 1600: (1, 62)}


@pytest.mark.parametrize(("total", "drawn"), [(30, 12), (30, 30), (30, 1), (7, 3), (20_000, 300)])
def test_tails_and_quantiles_are_scipys(total, drawn):
    some = np.arange(total + 1) if total < 100 else np.random.default_rng(1).integers(0, total, 60)
    counts = np.arange(-1, drawn + 2) if total < 100 else np.arange(0, 200, 7)
    marked, at_least = (grid.ravel() for grid in np.meshgrid(some, counts))
    expected = stats.hypergeom.sf(at_least - 1, total, marked, drawn)
    np.testing.assert_allclose(hypergeometric_tail(at_least, total, marked, drawn), expected, rtol=1e-8, atol=1e-300)
    for share in (0.51, 0.95, 0.99):
        quantiles = stats.hypergeom.ppf(share, total, some, drawn)
        np.testing.assert_array_equal(hypergeometric_quantile(share, total, some, drawn), quantiles)


def test_moments_are_those_of_all_orders():
    # Seven plants at four places, an industry of three plants with employment 5, 2 and 1: all 210 orders.
    sites, weights = np.array([0, 0, 1, 2, 2, 2, 3]), np.array([5.0, 2.0, 1.0])
    near = np.array([[1, 0.5, 0, 0], [0.5, 1, 0.2, 0], [0, 0.2, 1, 0], [0, 0, 0, 1]])
    values = np.array([near[:, list(moved)] @ weights for moved in itertools.permutations(sites, 3)])
    moments = null_moments(csr_array(near), np.bincount(sites), weights)
    np.testing.assert_allclose(moments.mean, values.mean(axis=0))
    np.testing.assert_allclose(moments.deviation, values.std(axis=0))


def test_random_orders_have_the_exact_distribution():
    sites = np.repeat(np.arange(5), [40, 30, 20, 8, 2])
    near = csr_array(np.eye(5) + np.eye(5, k=1) + np.eye(5, k=-1))
    orders = random_orders(sites, 25, 4000, seed=3)
    counts = simulated_counts(near, orders, np.ones(25))
    by_hand = np.array(
        [[np.isin(order, [place - 1, place, place + 1]).sum() for place in range(5)] for order in orders]
    )
    np.testing.assert_array_equal(counts, by_hand)
    marked = near @ np.bincount(sites)
    for place in range(5):
        for count in range(5, 26, 4):
            exact = stats.hypergeom.sf(count - 1, 100, int(marked[place]), 25)
            assert np.mean(counts[:, place] >= count) == pytest.approx(exact, abs=4.5 * 0.5 / np.sqrt(4000))
    tails = stats.hypergeom.sf(by_hand - 1, 100, marked.astype(int), 25).min(axis=1)
    np.testing.assert_allclose(smallest_tails(counts, 100, marked.astype(int), 25), np.sort(tails), rtol=1e-8)


def test_a_line_of_places_by_hand():
    found = delimit_clusters(on_a_line(LINE), reach=80.0, control="local", minimum_plants=1)
    table = found.data[found.data["industry"] == "A"].set_index("place")
    # A has 18 of 200 plants. Circles of 40 km: k0 and k30 see each other, k30 and k60 as well.
    assert table["plants_within"].to_dict() == {"k0": 11, "k30": 12, "k400": 4, "k60": 6, "k1200": 1, "k1600": 1}
    assert table["expected_within"].to_dict() == pytest.approx(
        {"k0": 18 * 20 / 200, "k30": 18 * 30 / 200, "k60": 18 * 20 / 200, "k400": 18 * 6 / 200}
        | {"k1200": 18 * 61 / 200, "k1600": 18 * 63 / 200}
    )
    for place, near in {"k0": 20, "k30": 30, "k60": 20, "k400": 6, "k1200": 61}.items():
        assert table.at[place, "critical_value"] == stats.hypergeom.ppf(0.95, 200, near, 18)
        within = table.at[place, "plants_within"]
        assert table.at[place, "p_value"] == pytest.approx(stats.hypergeom.sf(within - 1, 200, near, 18))
        assert table.at[place, "z_score"] == pytest.approx(
            (within - stats.hypergeom.mean(200, near, 18)) / stats.hypergeom.std(200, near, 18)
        )
    # Members within 80 km of each other are one cluster; the largest is number one.
    assert table["cluster"].to_dict() == {"k0": 1, "k30": 1, "k60": 1, "k400": 2, "k1200": 0, "k1600": 0}
    assert table["cluster_size"].dropna().to_dict() == {"k0": 12, "k30": 12, "k60": 12, "k400": 4}
    quantile = stats.hypergeom.ppf(0.95, 200, 20, 18)
    assert table.at["k0", "cluster_strength"] == pytest.approx((11 - quantile) / quantile)
    # The place with 40 plants of B and none of A is no row of A.
    assert "k800" not in table.index
    # A member holds two plants of its own by default; k60 holds one.
    default = delimit_clusters(on_a_line(LINE), reach=80.0, control="local").clusters()
    assert default.loc[default["industry"] == "A", "place"].tolist() == ["k0", "k30", "k400"]


def test_size_is_in_the_unit_of_the_weight():
    found = delimit_clusters(on_a_line(LINE), reach=80.0, control="local", weight="employment", strength="z_score")
    table = found.data.set_index(["place", "industry"])
    # 10 + 20 + ... + 60 and 10 + ... + 50.
    assert table.at[("k0", "A"), "cluster_size"] == 210 + 150
    assert table.at[("k0", "A"), "cluster_strength"] == table.at[("k0", "A"), "z_score"]


def test_a_member_beyond_its_critical_value_and_no_other_at_the_local_level():
    world = simulate_plants(5, n_industries=12, n_plants=2500, planted_clusters=6)
    data = delimit_clusters(world.data, reach=60.0, control="local", minimum_plants=1).data
    pd.testing.assert_series_equal(
        data["is_cluster"], data["plants_within"] > data["critical_value"], check_names=False
    )


def test_random_orders_agree_with_the_exact_test():
    world = simulate_plants(6, n_industries=8, n_plants=1500, n_counties=120, planted_clusters=4)
    options = {"reach": 60.0, "minimum_plants": 1, "draws": 2000}
    for control in ("local", "global"):
        exact = delimit_clusters(world.data, control=control, **options).data
        drawn = delimit_clusters(world.data, control=control, null="permutation", **options).data
        assert np.abs(exact["p_value"] - drawn["p_value"]).max() < 4.5 * 0.5 / np.sqrt(2000)
        for column in ("plants_within", "expected_within", "z_score"):
            np.testing.assert_allclose(exact[column], drawn[column])
        assert (exact["critical_value"] - drawn["critical_value"]).abs().max() <= 1
        agree = (exact["is_cluster"] == drawn["is_cluster"]).mean()
        assert agree > (0.99 if control == "global" else 0.985)


def test_tails_that_rank_the_places_are_gamma_tails():
    moments = Moments(np.array([2.0, 0.1, 5.0]), np.array([1.0, 0.8, 0.0]))
    tails = gamma_tails(np.array([[5.0, 3.0, 9.0], [3.9, 1.8, 5.0]]), moments)
    # Mean 2 and deviation 1: shape 4, scale 1/2.
    assert tails[0, 0] == pytest.approx(stats.gamma.sf(5.0, 4, scale=0.5))
    assert tails[0, 1] == pytest.approx(stats.gamma.sf(3.0, 0.1**2 / 0.64, scale=0.64 / 0.1))
    # Less than two deviations above the mean, or no deviation.
    assert tails[0, 2] == 1
    assert tails[1].tolist() == [1, pytest.approx(stats.gamma.sf(1.8, 0.1**2 / 0.64, scale=0.64 / 0.1)), 1]


def test_the_level_holds_for_industries_without_clusters():
    tests = {
        "exact": {"control": "global"},
        "false discovery": {"control": "benjamini_hochberg"},
        "employment": {"control": "global", "null": "permutation", "weight": "employment"},
    }
    hits = dict.fromkeys(tests, 0)
    for seed in range(4):
        world = simulate_plants(seed, n_industries=25, n_plants=2500, n_counties=150, planted_clusters=0)
        for name, options in tests.items():
            found = delimit_clusters(world.data, reach=60.0, minimum_plants=1, draws=100, **options).clusters()
            hits[name] += found["industry"].nunique()
    # 100 industries at 5 %: more than 14 have a chance below one in ten thousand.
    assert max(hits.values()) <= 14


def test_clusters_by_employment_are_found():
    world = simulate_plants(7, n_industries=20, n_plants=5000, planted_clusters=10)
    options = {"control": "global", "null": "permutation", "weight": "employment", "strength": "z_score"}
    members = delimit_clusters(world.data, reach=80.0, draws=200, **options).clusters()
    pairs = set(zip(members["place"], members["industry"], strict=True))
    planted = world.truth.set_index(["place", "industry"])["planted_plants"]
    assert planted[planted.index.isin(pairs)].sum() >= 0.9 * planted.sum()
    own = members.iloc[0]
    cluster = (members["industry"] == own["industry"]) & (members["cluster"] == own["cluster"])
    plants = world.data.merge(members.loc[cluster, ["place", "industry"]], on=["place", "industry"])
    assert own["cluster_size"] == plants["employment"].sum()


def test_planted_clusters_are_found_where_they_are():
    world = simulate_plants(7, n_industries=20, n_plants=5000, planted_clusters=10)
    found = k_density_clusters(world.data, draws=300)
    members = found.clusters()
    truth = world.truth[world.truth["planted_plants"] >= 2]
    pairs = set(zip(members["place"], members["industry"], strict=True))
    recall = np.mean([pair in pairs for pair in zip(truth["place"], truth["industry"], strict=True)])
    assert recall >= 0.95
    places = world.places.set_index("place")
    far = 0
    for place, industry in pairs:
        own = world.clusters[world.clusters["industry"] == industry]
        to = great_circle_km(
            *places.loc[place, ["longitude", "latitude"]].astype(float), own["longitude"], own["latitude"]
        )
        far += not (to <= 80).any()
    assert far / len(pairs) <= 0.05
    # One cluster an industry, as planted; sizes are those of the members.
    assert members.groupby("industry")["cluster"].nunique().median() == 1
    sums = members.groupby(["industry", "cluster"])["plants"].transform("sum")
    assert (members["cluster_size"] == sums).all()
    assert not found.data.loc[found.data["is_localised"] == False, "is_cluster"].any()  # noqa: E712
    assert found.parameters["bandwidth"] == 20.0


def test_the_largest_range_joins_what_the_first_keeps_apart():
    rng = np.random.default_rng(8)
    heaps = {f"h{number}": (0.3 * (number % 5), 6.0 * (number // 5)) for number in range(10)}
    rows = [("B", *rng.uniform(0, 12, 2), f"b{number}") for number in range(600)]
    rows += [("A", lon, lat, place) for place, (lon, lat) in heaps.items() for _ in range(8)]
    frame = pd.DataFrame(rows, columns=["industry", "longitude", "latitude", "place"]).assign(year=2004)
    densities = k_density(frame, place="place", bandwidth=20.0, maximum_km=1000.0, draws=200)
    # The heaps are at most 134 km wide and 667 km apart.
    assert densities["A"].first_range_km[1] < 300 < 600 < densities["A"].localised_to_km
    first = delimit_clusters(frame, reach=densities).clusters()
    joined = delimit_clusters(frame, reach=densities, distance_range="largest", circle=1.0).clusters()
    assert set(first["place"]) == set(heaps)
    assert first.groupby("cluster")["place"].nunique().tolist() == [5, 5]
    assert joined.loc[joined["place"].isin(heaps), "cluster"].nunique() == 1
    capped = delimit_clusters(frame, reach=densities, maximum_reach_km=50.0).data
    assert capped.loc[capped["industry"] == "A", "radius_km"].eq(25.0).all()


def test_years_stand_apart_and_their_gaps_are_counted():
    frame = pd.concat([on_a_line(LINE, 2004), on_a_line({km: both[::-1] for km, both in LINE.items()}, 2005)])
    frame = frame.reset_index(drop=True)
    frame["year"] = frame["year"].astype(float)
    frame.loc[0, "year"] = np.nan
    frame.loc[1, "longitude"] = np.nan
    found = delimit_clusters(frame, reach=80.0, control="local")
    assert found.dropped == {"missing year": 1, "missing longitude": 1}
    alone = delimit_clusters(frame[frame["year"] == 2005], reach=80.0, control="local").data
    pd.testing.assert_frame_equal(found.data[found.data["year"] == 2005].reset_index(drop=True), alone)


def test_rows_with_the_same_index_count_once():
    parts = [on_a_line(LINE, 2004), on_a_line({km: both[::-1] for km, both in LINE.items()}, 2005)]
    stacked = delimit_clusters(pd.concat(parts), reach=80.0, control="local").data
    pd.testing.assert_frame_equal(
        stacked, delimit_clusters(pd.concat(parts, ignore_index=True), reach=80.0, control="local").data
    )
    assert stacked.groupby("year")["plants"].sum().tolist() == [200, 200]


def test_industries_that_are_not_localised_have_no_clusters():
    world = simulate_plants(9, n_industries=6, n_plants=600, n_counties=80, planted_clusters=1)
    densities = k_density(world.data, place="place", bandwidth=20.0, draws=200)
    data = delimit_clusters(world.data, reach=densities).data
    loose = [code for code, density in densities.industries.items() if not density.is_localised]
    assert loose
    rows = data[data["industry"].isin(loose)]
    assert not rows["is_cluster"].any()
    assert rows[["cluster_size", "cluster_strength", "reach_km"]].isna().all(axis=None)
    assert (rows["plants"] > 0).all()


def test_options_that_do_not_fit_are_named_together():
    frame = on_a_line(LINE)
    with pytest.raises(DataError, match=r"reach is -1 km; a triangular kernel.*; level=2"):
        delimit_clusters(frame, reach=-1, kernel="triangular", level=2.0)
    with pytest.raises(DataError, match="no column 'jahr'"):
        delimit_clusters(frame, reach=10.0, year="jahr")
    with pytest.raises(DataError, match=r"7 rows of 'year' are no whole years, the first 2004\.5"):
        k_density_clusters(frame.assign(year=np.where(np.arange(200) < 7, 2004.5, 2004.0)))
    densities = k_density(frame, place="place", draws=20, bandwidth=20.0)
    two = pd.concat([frame, frame.assign(year=2005)])
    with pytest.raises(DataError, match="cannot serve several years"):
        delimit_clusters(two, reach=densities)
    with pytest.raises(DataError, match="no K-densities of 2005"):
        delimit_clusters(two, reach={2004: densities})
    with pytest.raises(DataError, match="know nothing of 1 industries of 2004, such as 'C'"):
        delimit_clusters(frame.replace({"industry": {"B": "C"}}), reach=densities)
    few = delimit_clusters(frame, reach=80.0, null="permutation", draws=20)
    assert "no industry with fewer than" in few.warnings[0]
