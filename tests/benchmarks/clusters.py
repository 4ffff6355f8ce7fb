"""How many planted clusters each method of place-industry cells finds, and how many it invents.

    python -m tests.benchmarks.clusters                100 seeds, about two minutes on one core
    python -m tests.benchmarks.clusters --seeds 10

Each seed is an economy of 20 industries, 5,000 plants and 300 counties, once with ten planted clusters and once with
none. Recall is of the place-industries with at least five planted plants; a found place-industry without any planted
plant is a false discovery, and their share of all such cells in the economies without clusters is the rate of false
positives. The table is written to bench-output/clusters.md and, with 100 seeds, to docs/accuracy.md. Duranton-Overman
densities and the clusters that they delimit are measured by tests.benchmarks.k_density.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from econometrics.clusters import density_clusters, location_quotient_clusters
from econometrics.clusters.benchmark import benchmark_clusters
from econometrics.clusters.map import ClusterMap
from econometrics.simulate.plants import SimulatedPlants
from tests.benchmarks.document import write_parts

OUTPUT = Path(__file__).resolve().parents[2] / "bench-output"
SEEDS = 100


def by_quotient(plants: SimulatedPlants, **options: object) -> ClusterMap:
    """Clusters by location quotients."""
    return location_quotient_clusters(plants.data, **options)


def by_density(plants: SimulatedPlants, top_percent: float) -> ClusterMap:
    """Clusters by density."""
    return density_clusters(plants.data, plants.places.set_index("place")["area_km2"], top_percent=top_percent)


METHODS: dict[str, Callable[[SimulatedPlants], ClusterMap]] = {
    "location quotient 1.25, 5 firms": by_quotient,
    "location quotient 2, 5 firms, 2 % of the industry": partial(by_quotient, quotient=2.0, minimum_share=0.02),
    "location quotient 1.25, 5 firms, binomial test at 5 % (Benjamini-Hochberg)": partial(
        by_quotient, significance=0.05, adjustment="benjamini_hochberg"
    ),
    "standardised quotient at 5 %, 5 firms": partial(by_quotient, rule="standardised"),
    "standardised quotient at 5 %, any number of firms": partial(by_quotient, rule="standardised", minimum_firms=1),
    "density-based index, top 5 %": partial(by_density, top_percent=5),
    "density-based index, top 1 %": partial(by_density, top_percent=1),
}


def main() -> None:
    """Run all methods over the seeds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="economies with, and as many without clusters")
    seeds = range(1, parser.parse_args().seeds + 1)
    planted = benchmark_clusters(METHODS, seeds).to_frame().set_index("method")
    random = benchmark_clusters(METHODS, seeds, planted_clusters=0).to_frame().set_index("method")
    lines = [
        "| method | recall | clusters found | false discoveries | false positives in random plants |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in planted.iterrows():
        lines.append(
            f"| {name} | {row['recall']:.3f} | {row['cluster_recall']:.3f} | {row['false_discovery']:.3f}"
            f" | {random.loc[name, 'false_positive']:.4f} |"
        )
    text = "\n".join([*lines, "", f"{len(seeds)} seeds."]) + "\n"
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "clusters.md").write_text(text, encoding="utf-8")
    if len(seeds) >= SEEDS:
        write_parts({"clusters": text})
    else:
        print(text)


if __name__ == "__main__":
    main()
