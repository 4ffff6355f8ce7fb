"""Monte Carlo of the tests between groups: how often each rejects where the groups do not differ, and where they do.

Run by `tests.benchmarks.coverage`. The panels are those of the coverage of indirect effects (unbalanced, firm and year
effects, correlated over time, heteroskedastic); a third of the clusters is group b.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from econometrics.heterogeneity import by_group
from econometrics.heterogeneity.mediation import IndirectByGroup, indirect_by_group
from econometrics.heterogeneity.permutation import permute_groups
from tests.benchmarks import coverage

TITLE = "Tests between two groups: share of panels in which a test at 5 % rejects"
DRAWS, ROW_DRAWS, LEVEL = 199, 99, 0.05
A, B, DIRECT = 0.3, 0.3, 0.2
SCENARIOS = ("no difference", "no difference, errors of b twice as large", "a, b and direct effect 0.2 larger in b")
TESTS = (
    "x: interaction",
    "x: suest",
    "x: permutation of clusters",
    "x: permutation of rows",
    "indirect: percentile bootstrap",
    "indirect: expanded below 50 clusters",
    "indirect: permutation of clusters",
)


@dataclass(frozen=True)
class GroupDesign:
    """One design of the Monte Carlo.

    Parameters
    ----------
    panel : coverage.Design
        Clusters of the panel.
    scenario : str
        One of `SCENARIOS`.
    """

    panel: coverage.Design
    scenario: str


DESIGNS = [
    GroupDesign(coverage.Design(clusters, firms, "a = 0.3, b = 0.3"), SCENARIOS[scenario])
    for clusters, firms, scenario in [(30, 1, 0), (100, 1, 0), (30, 8, 0), (100, 1, 1), (100, 1, 2)]
]


def draw_panel(design: GroupDesign, seed: int) -> pd.DataFrame:
    """Draw one panel whose last third of clusters is group b."""
    data = coverage.draw_panel(design.panel, seed)
    b = (data["cluster"] >= design.panel.clusters * 2 / 3).to_numpy()
    errors_m = data["m"] - A * data["x"]
    errors_y = data["y"] - DIRECT * data["x"] - B * data["m"]
    larger = np.where(b & (design.scenario == SCENARIOS[1]), 2.0, 1.0)
    gap = np.where(b & (design.scenario == SCENARIOS[2]), 0.2, 0.0)
    m = (A + gap) * data["x"] + larger * errors_m
    y = (DIRECT + gap) * data["x"] + (B + gap) * m + larger * errors_y
    return data.assign(m=m, y=y, group=np.where(b, "b", "a"))


def rejections(design: GroupDesign, seed: int) -> np.ndarray:
    """Which of `TESTS` reject in one panel."""
    data = draw_panel(design, seed)
    effects = ("firm", "year")
    found = by_group(data, "y", ["x"], group="group", fixed_effects=effects, cluster="cluster").p_values
    units = permute_groups(
        data, "y", ["x"], group="group", fixed_effects=effects, unit="cluster", draws=DRAWS, seed=seed
    )
    rows = permute_groups(data, "y", ["x"], group="group", fixed_effects=effects, draws=ROW_DRAWS, seed=seed)
    paths = indirect_by_group(
        data,
        "y",
        "x",
        "m",
        group="group",
        cluster="cluster",
        fixed_effects=effects,
        permute="cluster",
        draws=DRAWS,
        seed=seed,
    )
    indirect = difference_of(replace(paths, interval="percentile"))
    chosen = difference_of(replace(paths, interval="auto"))
    return np.array(
        [
            found["interaction"] <= LEVEL,
            found["suest"] <= LEVEL,
            units.p_values()[0, 0] <= LEVEL,
            rows.p_values()[0, 0] <= LEVEL,
            not indirect["interval_low"] <= 0 <= indirect["interval_high"],
            not chosen["interval_low"] <= 0 <= chosen["interval_high"],
            indirect["permutation_p_value"] <= LEVEL,
        ]
    )


def difference_of(paths: IndirectByGroup) -> pd.Series:
    """The difference of the indirect effects."""
    frame = paths.to_frame()
    return frame.loc[(frame["kind"] == "difference") & (frame["term"] == "indirect")].iloc[0]


def run_panels(task: tuple[GroupDesign, int, int]) -> np.ndarray:
    """Rejections of a range of panels of one design: (panels, tests)."""
    design, first, last = task
    number = DESIGNS.index(design)
    return np.array([rejections(design, 50_000_000 + 1_000_000 * number + panel) for panel in range(first, last)])


def run(panels: int, processes: int) -> list[dict[str, Any]]:
    """Rejection rates of all tests in all designs.

    Parameters
    ----------
    panels, processes : int
        Panels a design, and processes to share them.
    """
    step = max(1, panels // (2 * processes))
    tasks = [(design, start, min(start + step, panels)) for design in DESIGNS for start in range(0, panels, step)]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(run_panels, tasks))
    rows = []
    for design in DESIGNS:
        rejected = np.concatenate([part for task, part in zip(tasks, parts, strict=True) if task[0] == design])
        rates = dict(zip(TESTS, map(float, rejected.mean(axis=0)), strict=True))
        rows.append({"clusters": design.panel.name, "groups": design.scenario, "panels": panels, **rates})
    return rows
