"""Monte Carlo of the econometrics: how often intervals of an indirect effect cover it, and what other modules add.

    python -m tests.benchmarks.coverage                        1,000 panels a design, half an hour on two cores
    python -m tests.benchmarks.coverage --panels 50            a quick look
    python -m tests.benchmarks.coverage --out docs/coverage    writes docs/coverage.md and docs/coverage.json
    python -m tests.benchmarks.coverage --sections groups      one section anew, the others as stored

From 500 panels on and without --out the tables are also written to docs/accuracy.md.

Every design draws unbalanced panels (3 to 10 years a firm) with firm and year effects, regressors and errors that are
correlated over time within a firm and heteroskedastic, and estimates a and b with both effects absorbed. Sections of
other modules (`SECTIONS`) run after it and are added to the same files.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econometrics.mediate.fit import fit_system
from econometrics.mediate.intervals import (
    ANALYTIC,
    BOOTSTRAP,
    METHODS,
    analytic_inference,
    chosen_method,
    monte_carlo_coefficients,
    resampling_inference,
)
from econometrics.mediate.model import build_model, read_names
from econometrics.mediate.system import linear_system
from tests.benchmarks.document import write_parts

# Modules with a title and a function ``run(panels, processes) -> list of dicts``, a row each.
SECTIONS = {"groups": "tests.benchmarks.coverage_groups", "placebo": "tests.benchmarks.coverage_placebo"}
TITLE = "Coverage of 95 % intervals of the indirect effect"
OUTPUT = Path(__file__).resolve().parents[2] / "bench-output" / "coverage"
LEVEL, DRAWS, YEARS = 0.95, 999, 10
# With fewer panels the tables of docs/accuracy.md stay as they are.
ENOUGH = 500
EFFECTS = {
    "a = 0.3, b = 0.3": (0.3, 0.3),
    "a = 0, b = 0.3": (0.0, 0.3),
    "a = 0.3, b = 0": (0.3, 0.0),
    "both 0": (0.0, 0.0),
}


@dataclass(frozen=True)
class Design:
    """One design of the Monte Carlo.

    Parameters
    ----------
    clusters : int
        Number of clusters.
    firms_per_cluster : int
        On average; 1 where firms are the clusters, else clusters hold 1 to twice as many less one.
    effects : str
        Key of `EFFECTS`.
    """

    clusters: int
    firms_per_cluster: int
    effects: str

    @property
    def name(self) -> str:
        """What the clusters are."""
        if self.firms_per_cluster == 1:
            return f"{self.clusters:,} firms"
        return f"{self.clusters:,} provinces of 1 to {2 * self.firms_per_cluster - 1} firms"


DESIGNS = [
    Design(clusters, firms, effects)
    for (clusters, firms), effects in product([(30, 1), (100, 1), (1000, 1), (30, 8)], EFFECTS)
]


def smooth(rng: np.random.Generator, firms: int, correlation: float = 0.5) -> np.ndarray:
    """Draw (firms, years) numbers of variance 1 that are correlated over time."""
    noise = rng.standard_normal((firms, YEARS))
    result = np.empty_like(noise)
    result[:, 0] = noise[:, 0]
    for year in range(1, YEARS):
        result[:, year] = correlation * result[:, year - 1] + np.sqrt(1 - correlation**2) * noise[:, year]
    return result


def draw_panel(design: Design, seed: int) -> pd.DataFrame:
    """Draw one unbalanced panel of a design."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sizes = np.ones(design.clusters, dtype=np.int64)
    if design.firms_per_cluster > 1:
        sizes = rng.integers(1, 2 * design.firms_per_cluster, design.clusters)
    cluster = np.repeat(np.arange(design.clusters), sizes)
    firms = len(cluster)
    a, b = EFFECTS[design.effects]

    def shared() -> np.ndarray:
        common = smooth(rng, design.clusters)[cluster] if design.firms_per_cluster > 1 else smooth(rng, firms)
        return np.sqrt(0.3) * common + np.sqrt(0.7) * smooth(rng, firms)

    year_effects = rng.standard_normal((3, 1, YEARS))
    traits = rng.standard_normal((3, firms, 1))
    x = shared() + traits[0] + year_effects[0]
    spread = np.sqrt(0.5 + 0.5 * smooth(rng, firms) ** 2)
    m = a * x + traits[1] + year_effects[1] + spread * shared()
    y = 0.2 * x + b * m + traits[2] + year_effects[2] + spread * shared()
    entry = rng.integers(0, YEARS - 2, firms)
    length = rng.integers(3, YEARS + 1, firms)
    years = np.arange(YEARS)[None, :]
    firm, year = np.nonzero((years >= entry[:, None]) & (years < (entry + length)[:, None]))
    return pd.DataFrame(
        {
            "firm": firm,
            "year": year,
            "cluster": cluster[firm],
            "x": x[firm, year],
            "m": m[firm, year],
            "y": y[firm, year],
        }
    )


def intervals(design: Design, seed: int) -> np.ndarray:
    """Limits of the indirect effect by each of `METHODS` in one panel: (methods, 2)."""
    data = draw_panel(design, seed)
    names = read_names("y", "x", "m", (), ("firm", "year"), "cluster", None)
    model = build_model(data, names, extra=(), drop_singletons=True, firm_year=("firm", "year"))
    system = linear_system(model.columns)
    fit = fit_system(system, model.design, classical=False, small_sample="reghdfe")
    kernel = model.kernel()
    estimates = fit.effects[-1:]
    replicates = system.function(system.estimate(kernel.bootstrap(DRAWS, seed)))[:, -1:]
    jackknife = system.function(system.estimate(kernel.leave_one_out()))[:, -1:]
    joint = monte_carlo_coefficients(fit.coefficients, fit.covariance, DRAWS, seed, fit.degrees_of_freedom)
    drawn = system.function(joint)[:, -1:]
    found = [analytic_inference(fit, method, LEVEL) for method in ANALYTIC]
    found.append(resampling_inference(estimates, drawn, "monte_carlo", LEVEL))
    found += [
        resampling_inference(estimates, replicates, method, LEVEL, jackknife, kernel.clusters) for method in BOOTSTRAP
    ]
    return np.array([(part.low[-1], part.high[-1]) for part in found])


def run_panels(task: tuple[Design, int, int]) -> np.ndarray:
    """Intervals of a range of panels of one design: (panels, methods, 2)."""
    design, first, last = task
    number = DESIGNS.index(design)
    return np.array([intervals(design, 1_000_000 * (number + 1) + panel) for panel in range(first, last)])


def mediation(panels: int, processes: int) -> list[dict[str, Any]]:
    """Coverage of all methods in all designs."""
    step = max(1, panels // (2 * processes))
    tasks = [(design, start, min(start + step, panels)) for design in DESIGNS for start in range(0, panels, step)]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(run_panels, tasks))
    rows = []
    for design in DESIGNS:
        limits = np.concatenate([part for task, part in zip(tasks, parts, strict=True) if task[0] == design])
        a, b = EFFECTS[design.effects]
        truth = a * b
        for number, method in enumerate(METHODS):
            low, high = limits[:, number, 0], limits[:, number, 1]
            covered = float(((low <= truth) & (truth <= high)).mean())
            rows.append(
                {
                    "effects": design.effects,
                    "clusters": design.name,
                    "method": method,
                    "panels": panels,
                    "coverage": covered,
                    "standard_error": float(np.sqrt(covered * (1 - covered) / panels)),
                    "below": float((truth < low).mean()),
                    "above": float((truth > high).mean()),
                    "median_width": float(np.median(high - low)),
                    "zero_outside": float(((low > 0) | (high < 0)).mean()),
                }
            )
    return rows


def markdown(title: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """A table of rows as they are."""
    names = list(rows[0])
    lines = [f"## {title}", "", f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for row in rows:
        shown = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()]
        lines.append(f"| {' | '.join(shown)} |")
    return [*lines, ""]


def coverage_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Coverage in percent, one line a design, one column a method; auto is the method that it chooses."""
    frame = pd.DataFrame(rows)
    wide = frame.pivot(index=["clusters", "effects"], columns="method", values="coverage")[list(METHODS)]
    order = list(dict.fromkeys(zip(frame["clusters"], frame["effects"], strict=True)))
    chosen = {design.name: chosen_method("auto", design.clusters) for design in DESIGNS}
    lines = [f"| clusters | effects | {' | '.join(METHODS)} | auto |", "|" + "---|" * (len(METHODS) + 3)]
    for clusters, effects in order:
        covered = wide.loc[(clusters, effects)]
        shown = " | ".join(f"{100 * value:.1f}" for value in (*covered, covered[chosen[clusters]]))
        lines.append(f"| {clusters} | {effects} | {shown} |")
    return [*lines, ""]


def report(found: dict[str, list[dict[str, Any]]]) -> str:
    """All sections that have been run, as Markdown."""
    text = ["# Monte Carlo", ""]
    for title, rows in found.items():
        if title != TITLE:
            text += markdown(title, rows)
            continue
        panels = rows[0]["panels"]
        error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / panels)
        text += [f"## {TITLE}, in percent", ""]
        text += [f"{panels} panels a design with firm and year effects absorbed, {DRAWS} draws a panel;"]
        text += [f"a true 95 % has a standard error of {error:.1f}.", "", *coverage_table(rows)]
    return "\n".join(text)


def document_part(text: str) -> str:
    """The report as it stands in docs/accuracy.md: its sections have titles in bold, no headings."""
    return re.sub(r"^## (.*)$", r"**\1**", text.split("\n", 2)[2].strip(), flags=re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all sections and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", type=int, default=1000, help="panels a design")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=OUTPUT, help="path of the .md and .json, without suffix")
    parser.add_argument("--sections", nargs="+", choices=["mediation", *SECTIONS], default=["mediation", *SECTIONS])
    options = parser.parse_args(arguments)
    stored, place = options.out.with_suffix(".json"), options.out.with_suffix(".md")
    stored.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    for section in options.sections:
        start = time.perf_counter()
        if section == "mediation":
            found[TITLE] = mediation(options.panels, options.processes)
        else:
            module = importlib.import_module(SECTIONS[section])
            found[module.TITLE] = module.run(options.panels, options.processes)
        stored.write_text(json.dumps(found, indent=1), encoding="utf-8")
        minutes = (time.perf_counter() - start) / 60
        print(f"{section}: {minutes:.1f} minutes with {options.processes} processes", flush=True)
    text = report(found)
    place.write_text(text, encoding="utf-8")
    if options.out == OUTPUT and options.panels >= ENOUGH:
        write_parts({"coverage": document_part(text)})
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
