"""Ours beside loops over linearmodels and pyfixest: cluster bootstrap of an indirect effect, one fit, memory.

    python -m tests.benchmarks.econometrics --pyfixest PYTHON     about 2 minutes; PYTHON has pyfixest installed

A synthetic panel of 30,000 rows and 3,530 firms; effects firm + year and firm + industry-year; y ~ x + m + 5
controls. Ours draws 1,000 samples of firms (the draw counted), absorbs all effects in each, and estimates both
equations; the best of several runs. The loops refit both equations on the same samples, ``--repetitions`` times after
a warm-up; the fastest repetition times 1,000 is their cost, the drawing not counted. The table is written to
bench-output/econometrics.md and, with pyfixest, to docs/accuracy.md. Set OPENBLAS_NUM_THREADS=1 where other work runs
on the machine; the loops over pyfixest run without that limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from econometrics.estimation.effects import encode_effects
from econometrics.mediate import mediate
from econometrics.regress import regress
from econometrics.resample import coefficients_from_gram, draw_cluster_weights, gram_kernel
from tests.benchmarks.document import write_parts
from tests.benchmarks.econometrics_panel import CONTROLS, DESIGNS, firm_panel

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "bench-output"
DRAWS, SEED, RUNS = 1000, 1, 7
COLUMNS = ["y", "x", "m", *CONTROLS]
LARGE_FIRMS, LARGE_DRAWS = 35_400, 5000
# Ratios that must be met: over linearmodels by effects, over pyfixest, and the cost of one fit over pyfixest's.
LEAST_LINEARMODELS = {"firm + year": 500.0, "firm + industry-year": 300.0}
LEAST_PYFIXEST, MOST_FIT, MOST_BYTES = 80.0, 2.0, 2 * 2**30


def best(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Run several times and return the shortest time and the last answer."""
    seconds, answer = [], None
    for _ in range(runs):
        start = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), answer


def our_paths(data: pd.DataFrame, effect: str) -> tuple[float, float, np.ndarray]:
    """Seconds for the kernel, seconds for 1,000 draws of both paths, and the replicates of a and b."""
    effects = encode_effects(data, ["firm", effect])
    matrix, clusters = data[COLUMNS].to_numpy(), effects.codes[0]
    others = [COLUMNS.index(name) for name in CONTROLS]
    prepared, kernel = best(lambda: gram_kernel(matrix, effects, clusters))

    def draw() -> np.ndarray:
        gram = kernel.bootstrap(DRAWS, SEED)
        a = coefficients_from_gram(gram, 2, [1, *others])[:, 0]
        b = coefficients_from_gram(gram, 0, [1, 2, *others])[:, 1]
        return np.column_stack([a, b])

    drawn, replicates = best(draw)
    return prepared, drawn, replicates


def linearmodels_loop(data: pd.DataFrame, effect: str, weights: np.ndarray, estimator: str) -> tuple[float, np.ndarray]:
    """Seconds of the fastest repetition, and the replicates of a and b, by refitting on repeated rows."""
    from linearmodels.iv import AbsorbingLS
    from linearmodels.panel import PanelOLS

    firms = data["firm"].to_numpy()
    seconds, found = [], []
    for number, weight in enumerate([weights[0], *weights]):
        start = time.perf_counter()
        again = np.repeat(np.arange(len(data)), weight[firms])
        sample = data.iloc[again]
        # Each copy of a firm gets an identity of its own: a panel's index must be unique.
        copy = sample.groupby(sample.index).cumcount().to_numpy()
        sample = sample.assign(copy=sample["firm"].to_numpy() * 100 + copy)
        numbers = []
        for outcome, terms in (("m", ["x", *CONTROLS]), ("y", ["x", "m", *CONTROLS])):
            if estimator == "AbsorbingLS":
                absorbed = sample[["copy", effect]].astype("category")
                parameters = (
                    AbsorbingLS(sample[outcome], sample[terms], absorb=absorbed).fit(cov_type="unadjusted").params
                )
            else:
                panel = sample.set_index(["copy", "year"])
                more = {"time_effects": True} if effect == "year" else {"other_effects": panel[effect]}
                parameters = PanelOLS(panel[outcome], panel[terms], entity_effects=True, **more).fit().params
            numbers.append(float(parameters[terms[0] if outcome == "m" else "m"]))
        found.append(numbers)
        if number:
            seconds.append(time.perf_counter() - start)
    return min(seconds), np.array(found[1:])


def pyfixest_loop(python: Path, weights: np.ndarray) -> dict[str, Any]:
    """Run the loop over pyfixest in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "weights.npy", Path(folder) / "answers.json"
        np.save(given, weights)
        script = Path(__file__).with_name("econometrics_pyfixest.py")
        subprocess.run([python, script, given, answer], check=True, env=_plain_environment())
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


def memory() -> dict[str, float]:
    """Bytes and seconds of 5,000 draws on 300,000 rows, each in a process of its own."""
    found = {}
    for name in DESIGNS:
        command = [sys.executable, "-m", "tests.benchmarks.econometrics", "--only-memory", name]
        output = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()[-1]
        found[name] = json.loads(output)
    return found


def only_memory(name: str) -> None:
    """Mediate 300,000 rows with 5,000 draws and print rows, seconds and the highest memory of this process."""
    data = firm_panel(LARGE_FIRMS)
    start = time.perf_counter()
    result = mediate(
        data, "y", "x", "m", controls=CONTROLS, fixed_effects=["firm", DESIGNS[name]], cluster="firm", draws=LARGE_DRAWS
    )
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({"rows": result.observations, "seconds": seconds, "bytes": peak}))


def _plain_environment() -> dict[str, str]:
    """The environment without this module's limit on threads: the others may use what they like."""
    return {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_NUM_THREADS", "PYTHONPATH")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write the table; return 1 where a ratio is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyfixest", type=Path, help="interpreter with pyfixest; without it that loop is left out")
    parser.add_argument("--repetitions", type=int, default=5, help="draws that the loops refit")
    parser.add_argument("--only-memory", choices=list(DESIGNS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.only_memory:
        only_memory(options.only_memory)
        return 0
    warnings.simplefilter("ignore")
    data = firm_panel()
    weights = draw_cluster_weights(int(data["firm"].nunique()), DRAWS, SEED)[: options.repetitions]
    others = pyfixest_loop(options.pyfixest, weights) if options.pyfixest else None
    lines, missed = _bootstrap_lines(data, weights, others)
    fit_lines, fit_missed = _fit_lines(data, others)
    memory_lines, memory_missed = _memory_lines()
    head = [
        "# Cluster bootstrap of an indirect effect, one fit, and memory",
        "",
        f"{len(data):,} rows, {data['firm'].nunique():,} firms, {DRAWS:,} draws; loops ran {options.repetitions} "
        f"repetitions and are scaled to {DRAWS:,}, the fastest repetition counting. Seconds of wall-clock time.",
    ]
    text = "\n".join([*head, "", *lines, "", *fit_lines, "", *memory_lines, ""])
    print(text)
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "econometrics.md").write_text(text, encoding="utf-8")
    if others is not None:
        write_parts({"econometrics": text.split("\n", 2)[2].strip()})
    problems = [*missed, *fit_missed, *memory_missed]
    for problem in problems:
        print(f"MISSED: {problem}")
    return 1 if problems else 0


def _bootstrap_lines(
    data: pd.DataFrame, weights: np.ndarray, others: dict[str, Any] | None
) -> tuple[list[str], list[str]]:
    lines = [
        "| effects | method | seconds per 1,000 draws | ratio to ours | largest gap to ours |",
        "|---|---|---|---|---|",
    ]
    missed = []
    for name, effect in DESIGNS.items():
        prepared, drawn, replicates = our_paths(data, effect)
        lines.append(f"| {name} | ours, weights drawn (kernel once: {prepared:.3f} s) | {drawn:.3f} | 1 | |")
        loops: list[tuple[str, float, np.ndarray, float]] = []
        for estimator in ("PanelOLS", "AbsorbingLS"):
            seconds, found = linearmodels_loop(data, effect, weights, estimator)
            least = LEAST_LINEARMODELS[name] if estimator == "PanelOLS" else 0.0
            loops.append((f"linearmodels {estimator} loop", seconds, found, least))
        if others:
            for way, what in (("rows", "repeated rows"), ("weights", "frequency weights")):
                answer = others[way][name]
                loops.append(
                    (f"pyfixest loop, {what}", answer["seconds"], np.array(answer["replicates"]), LEAST_PYFIXEST)
                )
        for what, seconds, found, least in loops:
            ratio = seconds * DRAWS / drawn
            gap = float(np.abs(found - replicates[: len(found)]).max())
            lines.append(f"| {name} | {what} | {seconds * DRAWS:.1f} | {ratio:,.0f} | {gap:.1e} |")
            if ratio < least:
                missed.append(f"{name}: {what} takes {ratio:.0f} times as long as ours, not {least:.0f}")
            if gap > 1e-10:
                missed.append(f"{name}: replicates of {what} differ by {gap:.1e}")
    return lines, missed


def _fit_lines(data: pd.DataFrame, others: dict[str, Any] | None) -> tuple[list[str], list[str]]:
    lines = ["| effects | one fit with errors clustered by firm | seconds | ratio to pyfixest | standard error of x |"]
    lines.append("|---|---|---|---|---|")
    missed = []
    for name, effect in DESIGNS.items():
        terms = ["x", "m", *CONTROLS]

        def fit(effect: str = effect, terms: list[str] = terms) -> Any:
            return regress(data, "y", terms, fixed_effects=["firm", effect], cluster="firm")

        fit()
        seconds, result = best(fit)
        theirs = others["fit"][name] if others else None
        ratio = f"{seconds / theirs['seconds']:.2f}" if theirs else ""
        lines.append(f"| {name} | ours | {seconds:.4f} | {ratio} | {result.standard_errors['x']:.8f} |")
        if theirs:
            lines.append(
                f"| {name} | pyfixest {others['version']} | {theirs['seconds']:.4f} | 1 | {theirs['error']:.8f} |"
            )
            if seconds > MOST_FIT * theirs["seconds"]:
                missed.append(f"{name}: one fit takes {ratio} times as long as pyfixest's")
    return lines, missed


def _memory_lines() -> tuple[list[str], list[str]]:
    lines = [
        "| effects | rows | draws | mediate() in all, seconds | highest memory of the process, GB |",
        "|---|---|---|---|---|",
    ]
    missed = []
    for name, found in memory().items():
        lines.append(
            f"| {name} | {found['rows']:,} | {LARGE_DRAWS:,} | {found['seconds']:.1f} | {found['bytes'] / 2**30:.2f} |"
        )
        if found["bytes"] >= MOST_BYTES:
            missed.append(f"{name}: {found['bytes'] / 2**30:.2f} GB, not under 2")
    return lines, missed


if __name__ == "__main__":
    sys.exit(main())
