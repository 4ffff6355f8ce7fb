"""The demonstration: a simulated corpus from PDFs to a study, and what was found beside what was planted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flows.annual import RunSummary, index_reports
from flows.corpus import PlantedReport, write_corpus
from flows.demo_study import FEWEST_FIRMS, demo_design, demo_panel, expected_counts, plan_counts, run_demo_study
from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents
from flows.formats import write_csv
from flows.outputs import SIMULATED_NOTE
from flows.settings import RunParameters
from flows.store import Store
from nlp.scope import REPORT
from nlp.simulate import simulate_firms

DICTIONARY = "wu2021"
YEARS = (2020, 2021, 2022, 2023)
TITLE = "演示：企业数字化指数（模拟数据）"


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration found, in words, and whether every count is the planted one."""

    text: str
    is_right: bool


def run_demo(out: Path, *, firms: int, seed: int) -> Demonstration:
    """Write the corpus, run the whole job and a study on it, and compare both with what was planted.

    Parameters
    ----------
    out : Path
        Folder for the corpus (``reports``), the results (``out``) and the comparison.
    firms : int
        Number of simulated firms.
    seed : int
        Seed of the simulation.

    Returns
    -------
    Demonstration
        A text to print, and whether found equals planted in every readable report.
    """
    terms = load_dictionaries([DICTIONARY])[0].terms
    design = demo_design(firms, YEARS)
    firm_years = plan_counts(design, [firm.stock_code for firm in simulate_firms(firms, seed)], seed)
    planted = write_corpus(
        out / "reports",
        terms=terms,
        firms=firms,
        years=YEARS,
        seed=seed,
        expected_counts=expected_counts(firm_years),
    )
    parameters = RunParameters(
        folder=str(out / "reports"),
        out=str(out / "out"),
        dictionaries=[DICTIONARY],
        title=TITLE,
        is_simulated=True,
        max_failure_share=1.0,
    )
    summary = index_reports(parameters)
    compared = compare(planted, Store(parameters.store_url()))
    write_csv(compared, out / "planted_and_found.csv")
    readable = compared[compared["fault"] == "none"]
    is_right = bool((readable["planted_count"] == readable["found_count"]).all())
    is_right &= bool(compared.loc[compared["fault"] != "none", "found_count"].isna().all())
    text = describe(compared, summary, out, seed)
    if firms < FEWEST_FIRMS:
        return Demonstration(f"{text}\nno study: it takes at least {FEWEST_FIRMS} firms (--firms)", is_right)
    measured = compared[["stock_code", "report_year", "found_count"]].rename(columns={"found_count": "digital_count"})
    study = run_demo_study(firm_years, demo_panel(firm_years, planted, measured, design, seed), design, out)
    return Demonstration(f"{text}\n\n{study.text}", is_right)


def compare(planted: list[PlantedReport], store: Store) -> pd.DataFrame:
    """Return one row a report: what was planted, what was found, and the file's status."""
    truth = pd.DataFrame(
        [
            {
                "file": each.file,
                "stock_code": each.stock_code,
                "company_name": each.company_name,
                "report_year": each.report_year,
                "fault": each.fault,
                "planted_count": each.planted_count,
            }
            for each in planted
        ]
    )
    measured = store.current_measurements()[0]
    long = store.read_part("indices", measured["scopes"][REPORT], "all").to_pandas()
    totals = long[long["index"] == f"{DICTIONARY}_total_count"][["stock_code", "report_year", "value"]]
    found = truth.merge(totals, on=["stock_code", "report_year"], how="left", validate="one_to_one")
    found["found_count"] = found.pop("value").astype("Int64")
    status = load_documents(store)[["file", "status", "reason"]]
    return found.merge(status, on="file", how="left", validate="one_to_one")


def describe(compared: pd.DataFrame, summary: RunSummary, out: Path, seed: int) -> str:
    """Return the comparison as text."""
    readable = compared[compared["fault"] == "none"]
    by_year = readable.groupby("report_year")[["planted_count", "found_count"]].agg(["mean", "sum"])
    lines = [
        f"{SIMULATED_NOTE} (seed {seed})",
        "",
        f"{'report year':<12}{'reports':>8}{'planted':>9}{'found':>8}{'mean planted':>14}{'mean found':>12}",
    ]
    for year, row in by_year.iterrows():
        planted, found = row["planted_count"], row["found_count"]
        lines.append(
            f"{year:<12}{(readable['report_year'] == year).sum():>8}{planted['sum']:>9}{found['sum']:>8}"
            f"{planted['mean']:>14.2f}{found['mean']:>12.2f}"
        )
    equal = int((readable["planted_count"] == readable["found_count"]).sum())
    lines += ["", f"{equal} of {len(readable)} readable reports: found equals planted"]
    for fault in compared[compared["fault"] != "none"].to_dict("records"):
        value = "missing, not zero" if pd.isna(fault["found_count"]) else f"found {fault['found_count']}"
        lines.append(
            f"{fault['file']}: {fault['fault']} on purpose -> {fault['status']} ({fault['reason']}); index {value}"
        )
    lines += [
        f"{summary.reading.files} reports read and measured in {summary.seconds:.0f} seconds",
        f"results: {out / 'out'} (start with report.html); comparison: {out / 'planted_and_found.csv'}",
    ]
    return "\n".join(lines)
