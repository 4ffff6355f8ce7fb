"""K-densities and delimited clusters: time and memory at full size, the direct computation beside, planted clusters.

    python -m tests.benchmarks.k_density                 everything, about half an hour on two cores
    python -m tests.benchmarks.k_density --seeds 0       time, memory and equality only
    python -m tests.benchmarks.k_density --seeds 100 --no-speed

Plants are simulated on the real points of China's counties. The full size runs in a process of its own, whose largest
resident memory is reported. The direct computation makes the list of all pairs of every draw and evaluates the kernel
for each pair; what it would take for the full size follows from its time for each number of plants. Tables are written
to bench-output/k_density.md and bench-output/k_density_clusters.md, and to docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from econometrics.clusters.delimit import delimit_clusters
from econometrics.clusters.map import ClusterMap
from econometrics.k_density import k_density
from econometrics.k_density.result import KDensities
from econometrics.places.distances import great_circle_km
from econometrics.simulate.plants import SimulatedPlants, simulate_plants
from tests.benchmarks.document import write_parts

OUTPUT = Path(__file__).resolve().parents[2] / "bench-output"
PLANTS, INDUSTRIES, DRAWS = 100_000, 400, 1000
DIRECT_SIZES = (50, 100, 200, 400, 800)
DIRECT_DRAWS = 20
DOCUMENTED_SEEDS = 100
GRID_POINTS = 101
# Two clusters' radii: what lies farther from every centre is no neighbourhood of a cluster.
FAR_KM = 80.0


def full_size() -> pd.DataFrame:
    """Time and memory of 100,000 plants in 400 industries with 1,000 simulations."""
    cases = {
        "at counties": {"place": "place"},
        "at counties, employment-weighted": {"place": "place", "weight": "employment"},
        "at their own coordinates": {},
    }
    context = multiprocessing.get_context("spawn")
    rows = []
    for name, options in cases.items():
        with context.Pool(1) as pool:
            rows.append({"case": f"{PLANTS:,} plants {name}", **pool.apply(_one_full_size, (options,))})
    return pd.DataFrame(rows)


def _one_full_size(options: dict[str, str]) -> dict[str, str]:
    world = simulate_plants(1, n_industries=INDUSTRIES, n_plants=PLANTS, n_counties=None, planted_clusters=100)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    result = k_density(world.data, draws=DRAWS, **options)  # type: ignore[arg-type]
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    table = result.table()
    planted = table["industry"].isin(set(world.clusters["industry"]))
    return {
        "sites": f"{result.sites:,}",
        "largest industry": f"{table['plants'].max():,}",
        "seconds": f"{wall:.0f}",
        "processor seconds": f"{processor:.0f}",
        "memory, GB": f"{after.ru_maxrss / 1e6:.2f}",
        "localised, of 100 with planted clusters": str(int(table.loc[planted, "is_localised"].sum())),
        "localised, of 300 without": str(int(table.loc[~planted, "is_localised"].sum())),
    }


def direct_density(points: np.ndarray, grid: np.ndarray, bandwidth: float) -> np.ndarray:
    """K-density from the list of all pairs of plants (longitude, latitude)."""
    first, second = np.triu_indices(len(points), k=1)
    apart = great_circle_km(points[first, 0], points[first, 1], points[second, 0], points[second, 1])
    total = np.zeros(len(grid))
    for row, distance in enumerate(grid):
        kernels = np.exp(-0.5 * ((distance - apart) / bandwidth) ** 2)
        kernels += np.exp(-0.5 * ((distance + apart) / bandwidth) ** 2)
        total[row] = kernels.sum()
    density: np.ndarray = total / (len(apart) * bandwidth * np.sqrt(2 * np.pi))
    return density


def direct() -> pd.DataFrame:
    """Ours beside the direct computation on one industry of growing size."""
    world = simulate_plants(2, n_industries=2, n_plants=5000, n_counties=1200, planted_clusters=1)
    pool = world.data.drop(columns=["longitude", "latitude"]).merge(
        world.places[["place", "longitude", "latitude"]], on="place"
    )
    rows = []
    for size in DIRECT_SIZES:
        # Every other plant is an industry of its own, too small for a density: only the sites of the pool.
        frame = pool.assign(industry=[f"{row}" for row in range(len(pool))])
        frame.loc[frame.index[:size], "industry"] = "own"
        started = time.perf_counter()
        exact = _ours(frame, None)
        exact_at = time.perf_counter()
        binned = _ours(frame, 1.0)
        binned_at = time.perf_counter()
        curves = _direct_curves(frame, exact)
        direct_seconds = time.perf_counter() - binned_at
        own = exact["own"]
        scale = own.density.max()
        rows.append(
            {
                "plants": size,
                "pairs": f"{size * (size - 1) // 2:,}",
                f"direct, s for {DIRECT_DRAWS} draws": f"{direct_seconds:.2f}",
                "ours with the table of distances, exact": f"{exact_at - started:.2f}",
                "ours, in bins of 1 km": f"{binned_at - exact_at:.2f}",
                "largest difference, exact": f"{_difference(own, curves, scale):.0e}",
                "largest difference, 1 km bins": f"{_difference(binned['own'], curves, scale):.0e}",
                "direct, s a draw": direct_seconds / (DIRECT_DRAWS + 1),
            }
        )
    return pd.DataFrame(rows)


def _ours(frame: pd.DataFrame, bin_km: float | None) -> KDensities:
    return k_density(
        frame, minimum_plants=2, maximum_km=600.0, bandwidth=30.0, bin_km=bin_km, draws=DIRECT_DRAWS, threads=1
    )


def _direct_curves(frame: pd.DataFrame, result: KDensities) -> np.ndarray:
    own = result["own"]
    points = frame[["longitude", "latitude"]].to_numpy()
    curves = [direct_density(points[frame["industry"] == "own"], own.distances_km, own.bandwidth_km)]
    for draw in range(DIRECT_DRAWS):
        rng = np.random.Generator(np.random.PCG64([result.seed, draw]))
        moved = points[rng.choice(len(points), own.plants, replace=False)]
        curves.append(direct_density(moved, own.distances_km, own.bandwidth_km))
    return np.array(curves)


def _difference(own: object, curves: np.ndarray, scale: float) -> float:
    pairs = (
        (own.density, curves[0]),  # type: ignore[attr-defined]
        (own.simulated_mean, curves[1:].mean(axis=0)),  # type: ignore[attr-defined]
        (own.local_high, np.quantile(curves[1:], 0.95, axis=0)),  # type: ignore[attr-defined]
        (own.local_low, np.quantile(curves[1:], 0.05, axis=0)),  # type: ignore[attr-defined]
    )
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs) / scale


def direct_hours(table: pd.DataFrame) -> float:
    """What the direct computation would take for the full size: its time a draw and pair, for all pairs and draws."""
    a_pair = (table["direct, s a draw"] / table["pairs"].str.replace(",", "").astype(float)).iloc[-1]
    sizes = simulate_plants(
        1, n_industries=INDUSTRIES, n_plants=PLANTS, n_counties=None, planted_clusters=100
    ).data.value_counts("industry")
    return float(a_pair * (sizes * (sizes - 1) / 2).sum() * DRAWS / 3600)


SETTINGS: dict[str, dict[str, object]] = {
    "as set": {},
    "a member needs one plant": {"minimum_plants": 1},
    "circle of radius d*": {"circle": 1.0},
    "circle of radius d*, one plant": {"circle": 1.0, "minimum_plants": 1},
    "largest range, circle of radius d*": {"circle": 1.0, "distance_range": "largest"},
    "level for each place": {"control": "local"},
    "level for any place of an industry": {"control": "global"},
    "employment, random orders, any place": {"weight": "employment", "null": "permutation", "control": "global"},
    "Silverman's bandwidth": {"bandwidth": "industry"},
}


NULLS: dict[str, dict[str, object]] = {
    "Silverman's bandwidth": {},
    "bandwidth 20 km": {"bandwidth": 20.0},
    "employment-weighted": {"weight": "employment"},
}


def planted(seeds: int, counties: int | None, draws: int = 400) -> pd.DataFrame:
    """Recall and false discoveries of delimited clusters, means over seeds."""
    rows = []
    for seed in range(1, seeds + 1):
        world = simulate_plants(seed, n_industries=20, n_plants=5000, n_counties=counties, planted_clusters=10)
        densities = {
            bandwidth: k_density(world.data, place="place", bandwidth=bandwidth, draws=draws, seed=seed)
            for bandwidth in (20.0, "industry")
        }
        for name, options in SETTINGS.items():
            rest = {key: value for key, value in options.items() if key != "bandwidth"}
            reach = densities[options.get("bandwidth", 20.0)]  # type: ignore[index]
            found = delimit_clusters(world.data, reach=reach, draws=draws, seed=seed, **rest)  # type: ignore[arg-type]
            rows.append({"setting": name, **score(found, world)})
    return pd.DataFrame(rows).groupby("setting", sort=False).mean().reset_index()


def nominal(seeds: int, draws: int = 1000) -> pd.DataFrame:
    """How often an industry whose plants are any of all plants is called localised or dispersed; standard errors."""
    rows = []
    for seed in range(1, seeds + 1):
        world = simulate_plants(seed, n_industries=20, n_plants=5000, planted_clusters=0)
        for name, options in NULLS.items():
            table = k_density(world.data, place="place", draws=draws, seed=seed, **options).table()  # type: ignore[arg-type]
            rows.append(
                {
                    "K-density": name,
                    "localised": table["is_localised"].mean(),
                    "dispersed": table["is_dispersed"].mean(),
                    "p of being localised at most 0.05": (table["p_localised"] <= 0.05).mean(),
                    "p of being dispersed at most 0.05": (table["p_dispersed"] <= 0.05).mean(),
                }
            )
    groups = pd.DataFrame(rows).groupby("K-density", sort=False)
    means, errors = groups.mean(), groups.sem()
    return (means.map("{:.3f}".format) + errors.map(" ({:.3f})".format)).reset_index()


def score(found: ClusterMap, world: SimulatedPlants) -> dict[str, float]:
    """Recall and false discoveries of one map against the planted truth."""
    members = found.clusters()
    pairs = set(zip(members["place"], members["industry"], strict=True))
    truth = dict(
        zip(zip(world.truth["place"], world.truth["industry"], strict=True), world.truth["planted_plants"], strict=True)
    )
    far = sum(_far(place, industry, world) for place, industry in pairs)
    groups = [set(group["place"]) for _, group in members.groupby(["industry", "cluster"])]
    owners = [industry for (industry, _), _ in members.groupby(["industry", "cluster"])]
    empty = sum(
        not any((place, industry) in truth for place in group) for group, industry in zip(groups, owners, strict=True)
    )
    with_cluster = set(world.clusters["industry"])
    without = set(world.data["industry"]) - with_cluster
    return {
        "planted places found": np.mean([pair in pairs for pair in truth]),
        "planted plants found": sum(count for pair, count in truth.items() if pair in pairs) / sum(truth.values()),
        "members not planted": sum(pair not in truth for pair in pairs) / max(len(pairs), 1),
        f"members over {FAR_KM:g} km from a centre": far / max(len(pairs), 1),
        "clusters": float(len(groups)),
        "clusters without a planted place": empty / max(len(groups), 1),
        "random industries with a member": len(without & set(members["industry"])) / len(without),
    }


def _far(place: str, industry: str, world: SimulatedPlants) -> bool:
    own = world.clusters[world.clusters["industry"] == industry]
    at = world.places.loc[world.places["place"] == place].iloc[0]
    to = great_circle_km(own["longitude"].to_numpy(), own["latitude"].to_numpy(), at["longitude"], at["latitude"])
    return not (to <= FAR_KM).any()


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown; numbers with three decimals."""
    cells = table.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value))
    lines = [list(cells.columns), ["---"] * len(cells.columns), *cells.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main() -> None:
    """Run what was asked for, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="seeds of the planted clusters; 0: none")
    parser.add_argument("--no-speed", action="store_true", help="only the planted clusters")
    arguments = parser.parse_args()
    if not arguments.no_speed:
        table = direct()
        hours = f"The direct computation of the full size would take {direct_hours(table):.1f} hours on one core."
        speed = [markdown(full_size()), markdown(table.drop(columns="direct, s a draw")), hours]
        write_parts({"k_density": _write("k_density.md", speed)})
    if arguments.seeds:
        parts = []
        for name, counties in (("300 counties", 300), ("all counties", None)):
            parts += [f"{name}, {arguments.seeds} seeds", markdown(planted(arguments.seeds, counties))]
            _write("k_density_clusters.md", parts)
        rates = markdown(nominal(arguments.seeds))
        parts += [f"no clusters planted, {arguments.seeds} seeds of 20 industries", rates]
        text = _write("k_density_clusters.md", parts)
        if arguments.seeds >= DOCUMENTED_SEEDS:
            write_parts({"k_density_clusters": text})


def _write(name: str, parts: list[str]) -> str:
    text = "\n\n".join(parts) + "\n"
    print(text, flush=True)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / name).write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    main()
