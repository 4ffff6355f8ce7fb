"""K-densities against a direct computation over lists of pairs, written apart from the package."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from econometrics.k_density import k_density
from econometrics.k_density.bands import confidence_bands, envelope_p_values
from econometrics.k_density.pairs import nested_histograms, nested_weighted_histograms, pair_histogram
from econometrics.k_density.simulation import histogram_median, kernel_matrix, silverman_bandwidth
from econometrics.places.distances import EARTH_RADIUS_KM, great_circle_km, internal_distance_km, site_distances
from econometrics.simulate.plants import simulate_plants
from shuzhi import DataError, EstimationError


def chord_km(a, b):
    """Great-circle distance of two points (longitude, latitude) through the chord of their unit vectors."""
    vectors = []
    for lon, lat in (a, b):
        x, y = math.radians(lon), math.radians(lat)
        vectors.append((math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)))
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.dist(*vectors) / 2))


def pair_distances(points, internal=0.0):
    """All distances between different plants, one after the other."""
    return np.array([internal if a == b else chord_km(a, b) for a, b in itertools.combinations(points, 2)])


def direct_density(distances, grid, bandwidth, weights=None):
    """The formula of the paper, with the mirror images of the distances at zero."""
    weights = np.ones(len(distances)) if weights is None else weights
    kernels = stats.norm.pdf(grid, distances[:, None], bandwidth) + stats.norm.pdf(grid, -distances[:, None], bandwidth)
    return weights @ kernels / weights.sum()


def some_plants(seed, plants, sites, industries=1):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(100, 120, sites), rng.uniform(22, 40, sites)
    at = rng.integers(0, sites, plants)
    return pd.DataFrame(
        {
            "industry": [f"{number % industries:02d}" for number in range(plants)],
            "longitude": lon[at],
            "latitude": lat[at],
            "employment": rng.integers(1, 500, plants),
        }
    )


def points_of(frame):
    return list(zip(frame["longitude"], frame["latitude"], strict=True))


# Distances


def test_great_circles_of_known_length():
    quarter = math.pi * EARTH_RADIUS_KM / 2
    assert great_circle_km(0.0, 0.0, 90.0, 0.0) == pytest.approx(quarter)
    assert great_circle_km(10.0, 90.0, -77.0, -90.0) == pytest.approx(2 * quarter)
    # Across the date line: two degrees of the equator.
    assert great_circle_km(179.0, 0.0, -179.0, 0.0) == pytest.approx(quarter / 45)
    rng = np.random.default_rng(1)
    for lon, lat, to_lon, to_lat in rng.uniform(-80, 80, (50, 4)):
        assert great_circle_km(lon, lat, to_lon, to_lat) == pytest.approx(chord_km((lon, lat), (to_lon, to_lat)))


def test_internal_distance_is_two_thirds_of_the_radius():
    # A disk of radius 30 km has the area 900 pi; two thirds of 30 are 20.
    assert internal_distance_km(np.array([900 * math.pi])) == pytest.approx([20.0])


def test_bins_are_the_nearest_multiples():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(100, 120, 40), rng.uniform(20, 40, 40)
    inside = rng.uniform(0, 20, 40)
    binned = site_distances(lon, lat, internal_km=inside, bin_km=2.5)
    everywhere = np.arange(40)
    for row, column in itertools.product(range(40), repeat=2):
        apart = inside[row] if row == column else chord_km((lon[row], lat[row]), (lon[column], lat[column]))
        assert abs(binned.centres[binned.table[row, column]] - apart) <= 1.25 + 1e-9
    # Without a table the same bins come from the coordinates.
    free = replace(binned, table=None)
    np.testing.assert_array_equal(free.bins(everywhere, everywhere), binned.table)
    np.testing.assert_array_equal(free.own_bins(), binned.own_bins())
    near, near_free = binned.up_to(500.0), free.up_to(500.0)
    assert near.centres[-2] <= 500.0 < near.centres[-1]
    np.testing.assert_array_equal(near_free.bins(everywhere, everywhere), near.table)
    assert (near.table == np.minimum(binned.table, len(near.centres) - 1)).all()


def test_exact_bins_hold_the_distances_themselves():
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(100, 120, 30), rng.uniform(20, 40, 30)
    exact = site_distances(lon, lat, bin_km=None)
    for row, column in itertools.combinations(range(30), 2):
        apart = chord_km((lon[row], lat[row]), (lon[column], lat[column]))
        assert exact.centres[exact.table[row, column]] == pytest.approx(apart, rel=1e-12)


def test_sites_that_cannot_be_measured_are_refused():
    with pytest.raises(DataError, match=r"1 sites have no place on the globe, the first at longitude 200\.0"):
        site_distances([100.0, 200.0], [30.0, 30.0])
    with pytest.raises(DataError, match="bin_km is 0"):
        site_distances([100.0], [30.0], bin_km=0.0)
    with pytest.raises(DataError, match="1501 sites are too many for exact distances"):
        site_distances(np.linspace(100, 120, 1501), np.full(1501, 30.0), bin_km=None)


# Histograms


@pytest.mark.parametrize(("plants", "sites"), [(60, 500), (400, 25)])
@pytest.mark.parametrize("table", [True, False])
def test_pairs_are_those_of_the_list(plants, sites, table):
    frame = some_plants(4, plants, sites)
    unique = frame[["longitude", "latitude"]].drop_duplicates().reset_index(drop=True)
    number = {point: row for row, point in enumerate(points_of(unique))}
    site = np.array([number[point] for point in points_of(frame)])
    distances = site_distances(unique["longitude"], unique["latitude"], internal_km=7.0)
    distances = distances if table else replace(distances, table=None)
    apart = np.rint(pair_distances(points_of(frame), 7.0)).astype(int)
    employment = frame["employment"].to_numpy(dtype=float)
    products = np.array([a * b for a, b in itertools.combinations(employment, 2)])
    bins = len(distances.centres)
    np.testing.assert_array_equal(pair_histogram(distances, site), np.bincount(apart, minlength=bins))
    np.testing.assert_array_equal(pair_histogram(distances, site, employment), np.bincount(apart, products, bins))
    sizes = [2, 3, plants // 2, plants]
    nested = nested_histograms(distances, site, sizes)
    for size, histogram in zip(sizes, nested, strict=True):
        first = np.rint(pair_distances(points_of(frame.iloc[:size]), 7.0)).astype(int)
        np.testing.assert_array_equal(histogram, np.bincount(first, minlength=bins))
    weighted = nested_weighted_histograms(distances, site, [employment[:size] for size in sizes])
    for size, histogram in zip(sizes, weighted, strict=True):
        np.testing.assert_array_equal(histogram, pair_histogram(distances, site[:size], employment[:size]))


def test_bandwidth_and_median_of_a_histogram_are_those_of_the_list():
    rng = np.random.default_rng(5)
    values = rng.integers(0, 60, 500).astype(float)
    histogram, centres = np.bincount(values.astype(int)).astype(float), np.arange(60.0)
    spread = (np.percentile(values, 75) - np.percentile(values, 25)) / 1.34
    expected = 0.9 * min(values.std(ddof=1), spread) * 500 ** (-0.2)
    assert silverman_bandwidth(histogram, centres, 500) == pytest.approx(expected, rel=1e-12)
    assert histogram_median(histogram, centres) == np.median(values)
    # More than half of all pairs at one distance: the interquartile range says nothing.
    peaked = np.concatenate([np.full(90, 5.0), np.arange(10.0)])
    bandwidth = silverman_bandwidth(np.bincount(peaked.astype(int)).astype(float), np.arange(10.0), 100)
    assert bandwidth == pytest.approx(0.9 * peaked.std(ddof=1) * 100 ** (-0.2), rel=1e-12)


def test_the_kernel_keeps_its_mass_above_zero():
    centres = np.array([0.0, 3.0, 40.0])
    for row, centre in enumerate(centres):
        mass, _ = integrate.quad(
            lambda at, row=row: kernel_matrix(centres, np.array([at]), 10.0)[row, 0], 0, 200, points=[centre]
        )
        assert mass == pytest.approx(1.0, abs=1e-9)


# Bands


def test_bands_by_counting():
    rng = np.random.default_rng(6)
    curves = rng.normal(size=(400, 15)).cumsum(axis=1)
    bands = confidence_bands(curves, 0.05)
    np.testing.assert_allclose(bands.local_low, np.percentile(curves, 5, axis=0))
    np.testing.assert_allclose(bands.local_high, np.percentile(curves, 95, axis=0))

    def hits(rank):
        """How many curves touch or cross the values at a rank."""
        high = np.sort(curves, axis=0)[rank - 1]
        return sum(any(curve >= high) for curve in curves)

    above = min(rank for rank in range(1, 401) if hits(rank) <= 20)
    assert 1 < above < 400
    between = (hits(above - 1) - 20) / (hits(above - 1) - hits(above))
    assert bands.global_high_percentile == pytest.approx(100 * (above - 1 + between) / 400)
    ordered = np.sort(curves, axis=0)
    np.testing.assert_allclose(bands.global_high, (1 - between) * ordered[above - 2] + between * ordered[above - 1])
    mirrored = confidence_bands(-curves, 0.05)
    np.testing.assert_allclose(bands.global_low, -mirrored.global_high)
    assert bands.global_low_percentile == pytest.approx(100 - mirrored.global_high_percentile)
    assert bands.global_level == pytest.approx(0.05)
    # Of 30 rugged curves more than one in twenty is the highest somewhere: the band is their maximum.
    few = confidence_bands(rng.normal(size=(30, 40)), 0.05)
    assert few.global_high_percentile == 100
    assert few.global_level > 0.05


def test_a_new_curve_hits_the_bands_at_their_level():
    rng = np.random.default_rng(20)
    hits = []
    for _ in range(150):
        curves = rng.normal(size=(440, 30)).cumsum(axis=1)
        bands = confidence_bands(curves[:400], 0.05)
        hits += [(curves[400:] > bands.global_high).any(axis=1), (curves[400:] < bands.global_low).any(axis=1)]
    # 12,000 curves against 150 pairs of bands, whose own levels scatter by a percentage point.
    assert np.mean(hits) == pytest.approx(0.05, abs=0.005)


def test_envelope_p_values_order_curves_by_their_ranks():
    rng = np.random.default_rng(7)
    curves = rng.normal(size=(60, 8)).cumsum(axis=1)
    for observed in (curves[0] + 50, curves[3] + 0.3, curves[5] - 50):
        pooled = [observed, *curves]
        high = [
            sorted((sum(other[at] < curve[at] for other in pooled) for at in range(8)), reverse=True)
            for curve in pooled
        ]
        low = [
            sorted((sum(other[at] > curve[at] for other in pooled) for at in range(8)), reverse=True)
            for curve in pooled
        ]
        expected = (sum(rank >= high[0] for rank in high) / 61, sum(rank >= low[0] for rank in low) / 61)
        assert envelope_p_values(observed, curves) == pytest.approx(expected)


# K-densities


@pytest.mark.parametrize("weight", [None, "employment"])
def test_exact_distances_give_the_direct_densities_and_bands(weight):
    frame = some_plants(8, 90, 35, industries=3)
    result = k_density(frame, weight=weight, internal_km=6.0, bin_km=None, draws=40, seed=11, steps=25, threads=1)
    everyone = points_of(frame)
    assert result.maximum_km == pytest.approx(np.median(pair_distances(everyone, 6.0)))
    grid = np.linspace(0, result.maximum_km, 26)
    # Plants at the same coordinates are one site; sites in the order of longitude, then latitude.
    for code, own in frame.groupby("industry"):
        apart = pair_distances(points_of(own), 6.0)
        spread = min(apart.std(ddof=1), (np.percentile(apart, 75) - np.percentile(apart, 25)) / 1.34)
        bandwidth = 0.9 * spread * len(apart) ** (-0.2)
        products = None
        if weight:
            products = np.array([a * b for a, b in itertools.combinations(own[weight].astype(float), 2)])
        density = result[str(code)]
        assert density.bandwidth_km == pytest.approx(bandwidth, rel=1e-10)
        np.testing.assert_allclose(density.density, direct_density(apart, grid, bandwidth, products), rtol=1e-10)
        simulated = []
        for draw in range(40):
            rng = np.random.Generator(np.random.PCG64([11, draw]))
            moved = [everyone[row] for row in rng.choice(90, 30, replace=False)]
            simulated.append(direct_density(pair_distances(moved, 6.0), grid, bandwidth, products))
        np.testing.assert_allclose(density.simulated_mean, np.mean(simulated, axis=0), rtol=1e-10)
        np.testing.assert_allclose(density.local_high, np.percentile(simulated, 95, axis=0), rtol=1e-10)
        np.testing.assert_allclose(density.local_low, np.percentile(simulated, 5, axis=0), rtol=1e-10)
        share = np.mean([(curve > density.global_high * (1 + 1e-9)).any() for curve in simulated])
        assert share <= 0.05
        gamma = np.maximum(density.density - density.global_high, 0)
        assert density.localisation_strength == pytest.approx(gamma.sum() * grid[1])


def test_bins_of_a_kilometre_cost_little():
    frame = some_plants(9, 80, 80, industries=1)
    exact = k_density(frame, bin_km=None, bandwidth=20.0, maximum_km=800.0, draws=20)["00"]
    binned = k_density(frame, bandwidth=20.0, maximum_km=800.0, draws=20)["00"]
    error = np.abs(binned.density - exact.density).max() / exact.density.max()
    # Each pair is moved by half a kilometre at most; of 3,160 pairs some hundred lie within a bandwidth of 20 km.
    assert 0 < error < 5e-3


def test_places_put_their_plants_at_their_mean():
    frame = some_plants(10, 60, 60)
    frame["county"] = [f"c{row % 7}" for row in range(60)]
    means = frame.groupby("county")[["longitude", "latitude"]].transform("mean")
    by_place = k_density(frame, place="county", draws=20)
    by_point = k_density(frame.assign(longitude=means["longitude"], latitude=means["latitude"]), draws=20)
    assert by_place.sites == by_point.sites == 7
    np.testing.assert_allclose(by_place["00"].density, by_point["00"].density)


def test_same_seed_same_bands_whatever_the_threads():
    frame = some_plants(12, 200, 50, industries=4)
    first = k_density(frame, draws=40, seed=5, threads=1).to_frame()
    pd.testing.assert_frame_equal(first, k_density(frame, draws=40, seed=5, threads=3).to_frame(), check_exact=True)
    other = k_density(frame, draws=40, seed=6, threads=1).to_frame()
    assert not other["local_high"].equals(first["local_high"])
    assert other["density"].equals(first["density"])


def test_planted_clusters_are_localised_and_random_plants_at_the_nominal_rate():
    world = simulate_plants(3, n_industries=110, n_plants=4500, planted_clusters=10)
    table = k_density(world.data, place="place", draws=300, seed=2).table().set_index("industry")
    planted = table.index.isin(set(world.clusters["industry"]))
    assert table.loc[planted, "is_localised"].all()
    assert not table.loc[planted, "is_dispersed"].any()
    random = table[~planted]
    # 100 industries at 5 %: more than 14 hits have a chance below one in ten thousand, even with bands that are
    # themselves off by their own simulation error.
    assert random["is_localised"].sum() <= 14
    assert (random["p_localised"] <= 0.05).sum() <= 14
    assert random["is_dispersed"].sum() <= 14
    assert table["localised_to_km"].notna().equals(table["is_localised"])
    start, end = table.loc[planted, "first_range_from_km"], table.loc[planted, "first_range_to_km"]
    assert (start == 0).all()
    assert (end <= table.loc[planted, "localised_to_km"]).all()


def test_a_ring_of_plants_is_dispersed():
    # Plants at the corners of a wide grid, every site once, against sites in two dense heaps.
    heap = some_plants(13, 400, 400).assign(industry="heap")
    heap["longitude"] = 105 + 0.02 * (heap["longitude"] - 110) + 10 * (np.arange(400) % 2)
    heap["latitude"] = 30 + 0.02 * (heap["latitude"] - 30)
    lattice = pd.DataFrame(
        [("even", 100.0 + 3 * x, 20.0 + 3 * y, 10) for x in range(6) for y in range(6)],
        columns=["industry", "longitude", "latitude", "employment"],
    )
    result = k_density(pd.concat([heap, lattice]), maximum_km=150.0, bandwidth=10.0, draws=200)
    even = result["even"]
    assert even.is_dispersed
    assert even.localisation_strength == 0
    assert even.dispersion_strength > 0
    assert even.p_dispersed == pytest.approx(1 / 201)
    assert "dispersed, strength" in even.summary()


def test_what_is_dropped_is_counted_and_small_industries_stay_in_the_pool():
    frame = some_plants(14, 100, 60)
    frame.loc[frame.index[:9], "industry"] = "99"
    frame.loc[[20, 21], "longitude"] = np.nan
    frame.loc[[21, 22, 23], "employment"] = np.nan
    result = k_density(frame, weight="employment", draws=20)
    assert result.dropped == {"missing longitude": 2, "missing employment": 2}
    assert result.without_density == {"99": 9}
    assert result.plants == 96
    assert list(result.industries) == ["00"]
    assert result["00"].plants == 87
    with pytest.raises(DataError, match="no K-density of industry '99': it has only 9 plants"):
        result["99"]
    text = result.summary()
    assert "dropped: 2 plants, missing longitude" in text
    assert "1 industries with 9 plants are too small" in text
    assert set(result.to_frame()["industry"]) == {"00"}


def test_an_industry_in_one_place_is_not_lost():
    frame = some_plants(15, 200, 60, industries=2)
    frame.loc[frame["industry"] == "01", ["longitude", "latitude"]] = [110.0, 30.0]
    result = k_density(frame, draws=40)
    assert result["01"].is_localised
    assert any("01: all plants are at the same distance" in text for text in result.warnings)
    with pytest.raises(EstimationError, match="ends at 0"):
        k_density(frame[frame["industry"] == "01"], draws=20)


def test_all_problems_of_a_table_in_one_message():
    frame = some_plants(16, 30, 10).rename(columns={"latitude": "lat"})
    frame["employment"] = frame["employment"].astype(str)
    with pytest.raises(DataError, match=r"no column 'latitude'; column 'employment' holds no numbers"):
        k_density(frame, weight="employment")
    with pytest.raises(DataError, match="column 'industry' holds decimals: give codes as text"):
        k_density(some_plants(16, 30, 10).assign(industry=1311.0))
    wrong = some_plants(16, 30, 10)
    wrong.loc[0, "longitude"] = 1104.0
    wrong.loc[1, "employment"] = -1
    with pytest.raises(DataError, match=r"1 rows of 'longitude' outside -180 to 180.*1 rows of 'employment'"):
        k_density(wrong, weight="employment")
    with pytest.raises(DataError, match="none of 1 industries has 31 plants"):
        k_density(some_plants(16, 30, 10), minimum_plants=31)
    with pytest.raises(DataError, match="at least 20 draws"):
        k_density(some_plants(16, 30, 10), draws=5)
    with pytest.raises(DataError, match="bandwidth is 0"):
        k_density(some_plants(16, 30, 10), bandwidth=0)
