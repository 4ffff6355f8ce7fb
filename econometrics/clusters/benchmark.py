"""How many planted clusters a method finds, and how many it invents, over many simulated economies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from econometrics.clusters.map import ClusterMap
from econometrics.simulate.plants import SimulatedPlants, simulate_plants

Method = Callable[[SimulatedPlants], ClusterMap]


@dataclass(frozen=True)
class ClusterBenchmark:
    """Recall and false discoveries of methods on simulated plants.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a method and seed: ``method``, ``seed``, ``planted_cells`` (place-industries with enough
        planted plants), ``cells`` (all with a plant), ``found``, ``recall`` (share of the planted cells
        that are found), ``cluster_recall`` (share of the planted clusters with a found cell),
        ``false_discovery`` (share of the found cells where no plant was planted; 0 if none is found),
        ``false_positive`` (share of the cells without a planted plant that are found).
    simulation : Mapping[str, object]
        Options of the simulation.
    """

    data: pd.DataFrame
    simulation: Mapping[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """Means over seeds and their standard errors, one row a method."""
        measures = ["recall", "cluster_recall", "false_discovery", "false_positive", "found", "planted_cells"]
        groups = self.data.groupby("method", sort=False)
        means = groups[measures].mean()
        errors = groups[measures[:4]].sem().rename(columns=lambda name: f"{name}_standard_error")
        table: pd.DataFrame = pd.concat([groups.size().rename("seeds"), means, errors], axis=1).reset_index()
        return table

    def summary(self) -> str:
        """Recall and false discoveries by method, for a person to read."""
        table = self.to_frame()
        lines = [f"Planted clusters over {int(table['seeds'].max())} seeds ({self.simulation})"]
        lines += [
            f"  {row['method']}: recall {row['recall']:.3f} of cells, {row['cluster_recall']:.3f} of clusters; "
            f"false discoveries {row['false_discovery']:.3f}; false positives {row['false_positive']:.4f}"
            for _, row in table.iterrows()
        ]
        return "\n".join(lines)


def benchmark_clusters(
    methods: Mapping[str, Method], seeds: Iterable[int], *, minimum_planted: int = 5, **simulation: Any
) -> ClusterBenchmark:
    """Run methods on the same simulated plants, seed by seed.

    Parameters
    ----------
    methods : Mapping of str to callable
        Name to a function from simulated plants (their ``data`` and ``places``) to a cluster map.
    seeds : iterable of int
        One economy a seed.
    minimum_planted : int
        Planted plants that make a place-industry one that should be found.
    **simulation
        Options of :func:`econometrics.simulate.plants.simulate_plants`; ``planted_clusters=0`` gives random plants.

    Returns
    -------
    ClusterBenchmark
    """
    rows = []
    for seed in seeds:
        plants = simulate_plants(seed, **simulation)
        for name, method in methods.items():
            rows.append({"method": name, "seed": seed} | score(method(plants), plants, minimum_planted))
    return ClusterBenchmark(pd.DataFrame(rows), dict(simulation))


def score(clusters: ClusterMap, plants: SimulatedPlants, minimum_planted: int = 5) -> dict[str, float]:
    """Compare a cluster map with what was planted.

    Parameters
    ----------
    clusters : ClusterMap
        What a method found.
    plants : SimulatedPlants
        What was planted.
    minimum_planted : int
        Planted plants that make a place-industry one that should be found.

    Returns
    -------
    dict of str to float
        As the columns of :class:`ClusterBenchmark`; a share of nothing is missing.
    """
    found = set(_cells(clusters.clusters()))
    planted = dict(zip(_cells(plants.truth), plants.truth["planted_cluster"], strict=True))
    due = set(_cells(plants.truth[plants.truth["planted_plants"] >= minimum_planted]))
    everything = set(_cells(plants.data.drop_duplicates(["place", "industry"])))
    hit = {planted[cell] for cell in found & set(planted)}
    wrong = found - set(planted)
    clean = everything - set(planted)
    return {
        "planted_cells": len(due),
        "cells": len(everything),
        "found": len(found),
        "recall": len(found & due) / len(due) if due else float("nan"),
        "cluster_recall": len(hit) / len(plants.clusters) if len(plants.clusters) else float("nan"),
        "false_discovery": len(wrong) / len(found) if found else 0.0,
        "false_positive": len(wrong) / len(clean) if clean else float("nan"),
    }


def _cells(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["place"], table["industry"], strict=True))
