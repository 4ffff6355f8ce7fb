"""Samples: known chances, the right numbers of each stratum, and estimates that hold for all hits."""

import math

import numpy as np
import pandas as pd
import pytest

from nlp.sampling import allocate, draw, frequency_tiers, weighted_share
from shuzhi import UsageError


def population(size: int = 3000) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    tier = generator.choice(["high", "middle", "low"], size, p=[0.7, 0.25, 0.05])
    share = pd.Series({"high": 0.4, "middle": 0.6, "low": 0.9})[tier].to_numpy()
    year = generator.integers(2010, 2020, size)
    return pd.DataFrame({"tier": tier, "year": year, "is_own": generator.random(size) < share})


def test_tiers_by_hand() -> None:
    # 100 hits in all; they begin at 0, 40, 70, 85 and 95 % of the hits.
    counts = pd.Series({"a": 40, "b": 30, "c": 15, "d": 10, "e": 5})
    assert frequency_tiers(counts).to_dict() == {"a": "high", "b": "high", "c": "middle", "d": "low", "e": "low"}


def test_a_sample_is_shared_out_by_the_root_of_the_sizes() -> None:
    # Roots 30, 10, 1: of 82 the first two get three to one, the last one its least.
    taken = allocate(pd.Series({"high": 900, "middle": 100, "low": 1}), 81)
    assert taken.sum() == 81 and taken["low"] == 1 and taken["high"] == 60 and taken["middle"] == 20
    assert allocate(pd.Series({"a": 3, "b": 5}), 100).to_dict() == {"a": 3, "b": 5}
    with pytest.raises(UsageError, match="at least 4"):
        allocate(pd.Series({"a": 30, "b": 50}), 3)


def test_weights_add_up_to_all_hits_and_the_seed_fixes_the_sample() -> None:
    hits = population()
    sample = draw(hits, ["tier"], ["year"], 200, seed=3)
    assert len(sample) == 200 and sample.index.is_unique
    assert sample["weight"].sum() == pytest.approx(len(hits))
    sizes = hits["tier"].value_counts()
    for tier, rows in sample.groupby("tier"):
        assert rows["weight"].tolist() == pytest.approx([sizes[tier] / len(rows)] * len(rows))
        assert rows["stratum"].unique().tolist() == [tier] and rows["stratum_size"].unique().tolist() == [sizes[tier]]
    assert draw(hits, ["tier"], ["year"], 200, seed=3).index.tolist() == sample.index.tolist()
    assert set(draw(hits, ["tier"], ["year"], 200, seed=4).index) != set(sample.index)


def test_years_come_in_proportion() -> None:
    hits = population()
    sample = draw(hits, ["tier"], ["year"], 300, seed=3)
    for tier, rows in sample.groupby("tier"):
        expected = hits[hits["tier"] == tier]["year"].value_counts() * len(rows) / (hits["tier"] == tier).sum()
        # A systematic sample is never further than one from the proportion at either end of a year.
        assert (rows["year"].value_counts().reindex(expected.index).fillna(0) - expected).abs().max() < 1 + 1e-9


def test_every_hit_of_a_stratum_has_the_same_chance() -> None:
    hits = pd.DataFrame({"tier": ["a"] * 30 + ["b"] * 10, "year": [1, 2, 3, 4] * 10})
    times = pd.Series(0.0, index=hits.index)
    for seed in range(400):
        times[draw(hits, ["tier"], ["year"], 12, seed=seed).index] += 1
    taken = allocate(pd.Series({"a": 30, "b": 10}), 12)
    chances = times / 400
    for tier, size in (("a", 30), ("b", 10)):
        chance = taken[tier] / size
        error = math.sqrt(chance * (1 - chance) / 400)
        assert (chances[hits["tier"] == tier] - chance).abs().max() < 4 * error


def test_weighted_share_by_hand() -> None:
    # Stratum a: 80 hits, 4 coded, 3 true; stratum b: 20 hits, 2 coded, none true. Share 0.8 * 0.75 = 0.6.
    strata = np.array(["a"] * 4 + ["b"] * 2, dtype=object)
    sizes = np.array([80] * 4 + [20] * 2)
    found = weighted_share(np.array([True, True, True, False, False, False]), strata, sizes)
    assert found.share == pytest.approx(0.6) and found.n == 6
    # Variance 0.8² * (1 - 4/80) * s²/4 with s² = 0.25; stratum b has none.
    assert found.standard_error == pytest.approx(math.sqrt(0.64 * 0.95 * 0.25 / 4))
    assert found.low < 0.6 < found.high


def test_weighted_share_of_equal_weights_is_the_plain_share() -> None:
    generator = np.random.default_rng(3)
    is_true = generator.random(120) < 0.4
    found = weighted_share(is_true, np.full(120, "a", dtype=object), np.full(120, 10**9))
    share = is_true.mean()
    assert found.share == pytest.approx(share)
    assert found.standard_error == pytest.approx(math.sqrt(share * (1 - share) / 119), rel=1e-6)


def test_weighted_share_of_a_domain_and_of_everything() -> None:
    strata = np.array(["a"] * 4 + ["b"] * 2, dtype=object)
    sizes = np.array([80] * 4 + [20] * 2)
    is_true = np.array([True, True, False, False, True, False])
    domain = np.array([True, False, True, False, True, False])
    # Weights 20 and 10: (20 + 10) / (20 + 20 + 10).
    assert weighted_share(is_true, strata, sizes, domain).share == pytest.approx(0.6)
    assert math.isnan(weighted_share(is_true, strata, sizes, domain & False).share)
    census = weighted_share(is_true, strata, np.array([4] * 4 + [2] * 2))
    assert (census.low, census.high, census.standard_error) == pytest.approx((0.5, 0.5, 0))
    alone = weighted_share(np.array([True, False]), np.array(["a", "b"], dtype=object), np.array([10, 10]))
    assert alone.standard_error > 0
    sure = weighted_share(np.ones(10, dtype=bool), np.full(10, "a", dtype=object), np.full(10, 1000))
    assert sure.high == 1 and sure.low == pytest.approx(0.7225, abs=1e-3)  # Wilson, 10 of 10


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    hits = population()
    truth = hits["is_own"].mean()
    inside, shares = 0, []
    for seed in range(200):
        sample = draw(hits, ["tier"], ["year"], 150, seed=seed)
        strata, sizes = sample["stratum"].to_numpy(dtype=object), sample["stratum_size"].to_numpy()
        found = weighted_share(sample["is_own"].to_numpy(), strata, sizes)
        inside += found.low <= truth <= found.high
        shares.append(found.share)
    assert np.mean(shares) == pytest.approx(truth, abs=0.007)
    # The sample takes more of the rare terms: the plain share would be off by several hundredths.
    assert inside / 200 == pytest.approx(0.95, abs=0.035)
