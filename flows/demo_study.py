"""The second half of the demonstration: from the measured index to a study, and planted effects beside estimated ones.

The clusters are drawn first and shift how often the reports speak of digital terms; the reports are read and
measured like any others; emissions follow from the planted counts. The study sees only what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from econometrics.mediate.result import Mediation
from econometrics.simulate import PanelDesign, PlantedEffects, planted_effects, simulate_emissions, simulate_firm_years
from econometrics.study.results import StudyResults
from flows.corpus import PlantedReport
from flows.formats import write_csv
from flows.settings import StudyParameters
from flows.study import do_study, run_study_of

STUDY = "demo"
MEDIATION = "stepwise"
# With fewer firms the clusters of standard errors are too few to say anything.
FEWEST_FIRMS = 20
# Reports are few, so that what is planted has to be plain: strong clusters that change, little noise.
DESIGN = PanelDesign(
    cluster_on_digital=0.5,
    cluster_change=0.25,
    growth=1.3,
    noise=0.05,
    digital_on_carbon=-0.081,
    direct=-0.039,
    places=12,
    industries=4,
    missing_share=0.0,
)


@dataclass(frozen=True)
class StudyDemonstration:
    """What the study of the demonstration found, beside what was planted.

    Parameters
    ----------
    text : str
        The comparison, to print.
    compared : pandas.DataFrame
        One row an effect: planted, estimate, interval_low, interval_high, is_inside.
    """

    text: str
    compared: pd.DataFrame


def demo_design(firms: int, years: Sequence[int]) -> PanelDesign:
    """Return what is planted in a corpus of so many firms and these years."""
    return replace(DESIGN, firms=firms, years=tuple(sorted(years)))


def plan_counts(design: PanelDesign, stock_codes: Sequence[str], seed: int) -> pd.DataFrame:
    """Draw firms, clusters and the mean count of each report before any report is written."""
    return simulate_firm_years(design, seed=seed, stock_codes=stock_codes)


def expected_counts(frame: pd.DataFrame) -> dict[tuple[str, int], float]:
    """Return the mean count of each firm and year."""
    keys = zip(frame["stock_code"], frame["report_year"].astype(int), strict=True)
    return dict(zip(keys, frame["expected_count"].astype(float), strict=True))


def demo_panel(
    frame: pd.DataFrame, planted: Sequence[PlantedReport], measured: pd.DataFrame, design: PanelDesign, seed: int
) -> pd.DataFrame:
    """Join firms, clusters and emissions with the index that was measured.

    Parameters
    ----------
    frame : pandas.DataFrame
        From :func:`plan_counts`.
    planted : sequence of PlantedReport
        What the corpus holds; emissions follow from it.
    measured : pandas.DataFrame
        Columns stock_code, report_year and digital_count, missing where no report could be read.
    design, seed
        As the corpus was made.
    """
    keys = ["stock_code", "report_year"]
    truth = pd.DataFrame(
        [
            {"stock_code": each.stock_code, "report_year": each.report_year, "digital_count": each.planted_count}
            for each in planted
        ]
    )
    whole = simulate_emissions(frame.merge(truth, on=keys, validate="one_to_one"), design, seed=seed)
    whole = whole.drop(columns=["digital_count", "digital_log1p", "expected_count"])
    panel = whole.merge(measured, on=keys, how="left", validate="one_to_one")
    counts = panel["digital_count"].to_numpy(dtype=float, na_value=np.nan)
    return panel.assign(digital_log1p=np.log1p(counts))


def run_demo_study(frame: pd.DataFrame, panel: pd.DataFrame, design: PanelDesign, out: Path) -> StudyDemonstration:
    """Run the study of the demonstration over the panel, and compare its effects with the planted ones."""
    place = out / "panel.csv"
    write_csv(panel, place)
    kept: list[StudyResults] = []

    def work(*given: object) -> StudyResults:
        kept.append(run_study_of(*given))  # type: ignore[arg-type]
        return kept[-1]

    parameters = StudyParameters(spec=STUDY, panel=str(place), out=str(out / "study"), is_simulated=True)
    summary = do_study(parameters, work=work)
    results = kept[0]
    used = frame.merge(results.data[["stock_code", "report_year"]], on=["stock_code", "report_year"])
    compared = compare_effects(planted_effects(used, design), results.mediations[MEDIATION])
    write_csv(compared, out / "planted_and_estimated.csv")
    return StudyDemonstration(describe_effects(compared, results, out, summary.failed), compared)


def compare_effects(planted: PlantedEffects, estimated: Mediation) -> pd.DataFrame:
    """Return planted and estimated effects side by side."""
    found = estimated.to_frame().drop_duplicates("effect").set_index("effect")
    compared = planted.to_frame()
    for name in ("estimate", "interval_low", "interval_high"):
        compared[name] = found[name].reindex(compared["effect"]).to_numpy(dtype=float)
    inside = compared["planted"].between(compared["interval_low"], compared["interval_high"])
    return compared.assign(is_inside=inside)


WORDS = {
    "total": "total: cluster on carbon intensity",
    "a": "a: cluster on ln(1 + digital terms)",
    "b": "b: ln(1 + digital terms) on carbon intensity",
    "direct": "direct: not through the index",
    "indirect": "indirect: a times b",
}


def describe_effects(compared: pd.DataFrame, results: StudyResults, out: Path, failed: Sequence[str]) -> str:
    """Return the comparison as text."""
    draws = results.mediations[MEDIATION].draws
    lines = [
        f"{'effect':<46}{'planted':>9}{'estimated':>11}   95% interval",
        *(
            f"{WORDS[row['effect']]:<46}{row['planted']:>9.4f}{row['estimate']:>11.4f}"
            f"   {row['interval_low']:.4f} to {row['interval_high']:.4f}"
            f"{'' if row['is_inside'] else '  planted is outside'}"
            for row in compared.to_dict("records")
        ),
        f"{len(results.data)} firm-years with a measured index; {draws:,} bootstrap draws of firms",
        *failed,
        f"study: {out / 'study'} (start with report.html); comparison: {out / 'planted_and_estimated.csv'}",
    ]
    return "\n".join(lines)
