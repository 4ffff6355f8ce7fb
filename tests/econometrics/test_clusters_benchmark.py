"""Planted clusters are found, random plants give no more than the nominal rate; the simulator keeps its word."""

import numpy as np
import pandas as pd
import pytest

from econometrics.clusters import density_clusters, location_quotient_clusters
from econometrics.clusters.benchmark import benchmark_clusters, score
from econometrics.places.distances import great_circle_km
from econometrics.simulate.plants import SimulatedPlants, county_points, simulate_plants
from shuzhi import DataError

SEEDS = range(1, 9)


def strict(plants: SimulatedPlants):  # type: ignore[no-untyped-def]
    return location_quotient_clusters(plants.data, minimum_firms=1, significance=0.05, adjustment="benjamini_hochberg")


def standardised(plants: SimulatedPlants):  # type: ignore[no-untyped-def]
    return location_quotient_clusters(plants.data, rule="standardised", minimum_firms=1)


def plain(plants: SimulatedPlants):  # type: ignore[no-untyped-def]
    return location_quotient_clusters(plants.data)


def dense(plants: SimulatedPlants):  # type: ignore[no-untyped-def]
    return density_clusters(plants.data, plants.places.set_index("place")["area_km2"], top_percent=5)


def test_planted_clusters_are_found() -> None:
    methods = {"strict": strict, "plain": plain, "dense": dense}
    table = benchmark_clusters(methods, SEEDS).to_frame().set_index("method")
    assert table["cluster_recall"].min() >= 0.95
    assert table.loc["strict", "recall"] >= 0.95
    assert table.loc["strict", "false_discovery"] <= 0.05
    assert table.loc["plain", "recall"] >= 0.95
    assert table.loc["dense", "recall"] >= 0.9


def test_random_plants_give_no_more_than_the_nominal_rate() -> None:
    result = benchmark_clusters({"strict": strict, "standardised": standardised}, SEEDS, planted_clusters=0)
    table = result.to_frame().set_index("method")
    assert table.loc["standardised", "false_positive"] <= 0.05
    # it always calls about one place in twenty a cluster, planted or not: the rate is nominal, not smaller by design
    assert table.loc["standardised", "false_positive"] > 0.03
    # Benjamini-Hochberg: any false cluster in at most 5 per cent of the 8 x 20 industries, up to chance
    assert result.data.query("method == 'strict'")["found"].sum() <= 16
    assert "8 seeds" in result.summary()


def test_score_by_hand() -> None:
    plants = simulate_plants(2, n_industries=4, n_plants=400, n_counties=40, planted_clusters=2)
    clusters = plain(plants)
    found = {(r["place"], r["industry"]) for r in clusters.clusters().to_dict("records")}
    truth = {(r["place"], r["industry"]): r["planted_plants"] for r in plants.truth.to_dict("records")}
    due = [key for key, n in truth.items() if n >= 5]
    result = score(clusters, plants, minimum_planted=5)
    assert result["recall"] == pytest.approx(sum(key in found for key in due) / len(due))
    assert result["false_discovery"] == pytest.approx(sum(key not in truth for key in found) / len(found))


def test_simulated_plants_are_what_they_say() -> None:
    plants = simulate_plants(
        5, n_industries=6, n_plants=900, n_counties=80, planted_clusters=4, clusters_per_industry=2
    )
    again = simulate_plants(5, n_industries=6, n_plants=900, n_counties=80, planted_clusters=4, clusters_per_industry=2)
    pd.testing.assert_frame_equal(plants.data, again.data)
    assert len(plants.data) == 900
    assert plants.data["establishment_id"].is_unique
    assert plants.clusters["industry"].tolist() == ["1311", "1311", "1312", "1312"]
    planted = plants.data[plants.data["planted_cluster"] > 0]
    counts = planted.groupby("planted_cluster").size()
    assert counts.tolist() == plants.clusters["plants"].tolist()
    for code, rows in planted.groupby("industry"):
        # 40 per cent of the industry, in two clusters
        assert len(rows) == pytest.approx(0.4 * (plants.data["industry"] == code).sum(), abs=2)
    points = plants.places.set_index("place")
    for row in plants.clusters.to_dict("records"):
        members = planted.loc[planted["planted_cluster"] == row["planted_cluster"], "place"].unique()
        lon, lat = points.loc[members, "longitude"].to_numpy(), points.loc[members, "latitude"].to_numpy()
        assert (great_circle_km(lon, lat, row["longitude"], row["latitude"]) <= 40.0).all()
    home = points.loc[plants.data["place"]]
    away = great_circle_km(
        plants.data["longitude"].to_numpy(),
        plants.data["latitude"].to_numpy(),
        home["longitude"].to_numpy(),
        home["latitude"].to_numpy(),
    )
    assert away.max() <= 8.01


def test_county_points() -> None:
    points = county_points(2004)
    assert points["place"].is_unique
    assert points["longitude"].between(73, 136).all()
    assert np.isfinite(points["latitude"]).all()
    with pytest.raises(DataError, match="1998 to 2014, not 1997"):
        county_points(1997)
    with pytest.raises(DataError, match=r"fewer than ten.*do not fit"):
        simulate_plants(1, n_industries=3, n_plants=20, planted_clusters=9)
