"""How often the quality gate is wrong, on simulated panels and on the real ones; and validity statistics that are real.

python -m tests.benchmarks.validity            gate: 200 clean and 200 faulty panels; the real panels
python -m tests.benchmarks.validity 50         the same with 50 of each
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nlp.clean import clean
from nlp.dictionary import parse
from nlp.match import Matcher
from nlp.pdf import read_document
from nlp.quality import QualityReport, check_index
from nlp.reliability import reliability
from nlp.segment import build_cutter
from nlp.validity import convergent, discriminant, draw_placebo_lists
from shuzhi import ReadError

HAN = re.compile("[\u4e00-\u9fff]+")
FIRST_SEED = 20_000
KEYS = ["stock_code", "report_year"]
COUNTS = ("ai", "bigdata", "cloud", "blockchain", "dt_application")
SHUFFLED = ("tech_dim", "app_dim", "words_total", "dt_index")
CORRUPT_PANEL = "dt_wordfreq_1999_2023.csv.gz"
CLEAN_PANEL = "dt_wufei_counts_clean.csv.gz"


@dataclass(frozen=True)
class Simulated:
    """A panel of counts by term, with its text lengths, readable shares and industries."""

    panel: pd.DataFrame
    terms: tuple[str, ...]
    years: tuple[int, ...]

    def check(self) -> QualityReport:
        return check_index(self.panel, values=self.terms)


def simulate_panel(seed: int) -> Simulated:
    """Draw a clean panel: words that spread, firms that keep their rank, entries, exits and a few lost reports.

    Log means are firm effects, shared by all terms and of each, that wander by an AR(1); counts are negative binomial.
    Sizes, numbers of terms, growth, rarity and persistence are drawn too.
    """
    draw = np.random.default_rng(seed)
    firms, years, terms = int(draw.integers(80, 500)), int(draw.integers(8, 16)), int(draw.integers(2, 6))
    names = tuple(f"term_{place}" for place in range(terms))
    industry = draw.integers(0, 6, firms)
    shared = draw.normal(0, 1, firms) + draw.normal(0, 0.5, 6)[industry]
    own = draw.normal(0, 0.7, (firms, terms))
    start, growth = draw.uniform(-2.5, 1.0, terms), draw.uniform(0.0, 0.22, terms)
    memory, size = draw.uniform(0.6, 0.9), draw.uniform(0.3, 0.6)
    wander = draw.normal(0, size, (firms, terms))
    length = draw.normal(11.5, 0.4, firms)
    first = np.where(draw.random(firms) < 0.5, 0, draw.integers(0, years, firms))
    last = np.where(draw.random(firms) < 0.85, years, draw.integers(1, years + 1, firms))
    rows = []
    for year in range(years):
        wander = memory * wander + np.sqrt(1 - memory**2) * draw.normal(0, size, (firms, terms))
        text = length + 0.03 * year + draw.normal(0, 0.08, firms)
        mean = np.exp(start + growth * year + 0.9 * shared[:, None] + own + wander + (text - 11.5)[:, None] * 0.5)
        counts = draw.poisson(mean * draw.gamma(4.0, 0.25, (firms, terms)))
        keep = (first <= year) & (year < last) & (draw.random(firms) > 0.02)
        frame = pd.DataFrame(counts, columns=names)
        frame.insert(0, "stock_code", [f"{600_000 + firm}" for firm in range(firms)])
        frame.insert(1, "report_year", 2005 + year)
        frame["characters"] = np.exp(text).round().astype(int)
        frame["readable_share"] = 1 - draw.beta(0.5, 30, firms)
        frame["industry"] = [f"C{number}" for number in industry]
        rows.append(frame[keep])
    return Simulated(pd.concat(rows, ignore_index=True), names, tuple(range(2005, 2005 + years)))


Fault = Callable[[Simulated, np.random.Generator, int], tuple[pd.DataFrame, set[int], set[str]]]


def zeroed_year(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    panel = clean.panel.copy()
    panel.loc[panel["report_year"] == year, list(clean.terms)] = 0
    return panel, {year}, set()


def shuffled_year(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    panel = clean.panel.copy()
    rows = panel.index[panel["report_year"] == year]
    panel.loc[rows, list(clean.terms)] = panel.loc[draw.permutation(rows), list(clean.terms)].to_numpy()
    return panel, {year}, set()


def shuffled_term(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Shuffle the commonest term in one year."""
    panel = clean.panel.copy()
    term = str(panel[list(clean.terms)].mean().idxmax())
    rows = panel.index[panel["report_year"] == year]
    panel.loc[rows, term] = panel.loc[draw.permutation(rows), term].to_numpy()
    return panel, {year}, set()


def shuffled_column(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Shuffle the commonest term over the firms in every year."""
    panel = clean.panel.copy()
    term = str(panel[list(clean.terms)].mean().idxmax())
    for _, rows in panel.groupby("report_year").groups.items():
        panel.loc[rows, term] = panel.loc[draw.permutation(rows), term].to_numpy()
    return panel, set(), {term}


def swapped_terms(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Swap the two commonest terms in one year."""
    panel = clean.panel.copy()
    first, second = panel[list(clean.terms)].mean().sort_values().index[-2:]
    rows = panel["report_year"] == year
    panel.loc[rows, [first, second]] = panel.loc[rows, [second, first]].to_numpy()
    return panel, {year}, set()


def unread_half(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Write a zero instead of a missing value for half of the firms of a year."""
    panel = clean.panel.copy()
    rows = panel.index[panel["report_year"] == year]
    panel.loc[rows[draw.random(len(rows)) < 0.5], list(clean.terms)] = 0
    return panel, {year}, set()


def doubled_year(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Count three times what is there, as where header, text and contents are counted."""
    panel = clean.panel.copy()
    panel.loc[panel["report_year"] == year, list(clean.terms)] *= 3
    return panel, {year}, set()


def copied_year(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    panel = clean.panel.copy()
    source = panel[panel["report_year"] == year - 1].set_index("stock_code")[list(clean.terms)]
    rows = panel.index[(panel["report_year"] == year) & panel["stock_code"].isin(source.index)]
    panel.loc[rows, list(clean.terms)] = source.loc[panel.loc[rows, "stock_code"]].to_numpy()
    return panel, {year}, set()


def lost_firms(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    lost = (clean.panel["report_year"] == year) & (draw.random(len(clean.panel)) < 0.5)
    return clean.panel[~lost].reset_index(drop=True), {year}, set()


def read_badly(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    """Lose a fifth of the pages of a year, and what they say."""
    panel = clean.panel.copy()
    rows = panel["report_year"] == year
    panel.loc[rows, "readable_share"] -= 0.2
    panel.loc[rows, list(clean.terms)] = draw.binomial(panel.loc[rows, list(clean.terms)].to_numpy(), 0.8)
    return panel, {year}, set()


def doubled_rows(clean: Simulated, draw: np.random.Generator, year: int) -> tuple[pd.DataFrame, set[int], set[str]]:
    rows = clean.panel[clean.panel["report_year"] == year].head(3)
    return pd.concat([clean.panel, rows], ignore_index=True), {year}, set()


FAULTS: tuple[Fault, ...] = (
    zeroed_year,
    shuffled_year,
    shuffled_term,
    shuffled_column,
    swapped_terms,
    unread_half,
    doubled_year,
    copied_year,
    lost_firms,
    read_badly,
    doubled_rows,
)


@dataclass(frozen=True)
class GateScore:
    """How the gate did: false alarms by check, and by fault how many were caught, and named exactly."""

    clean: int
    alarms: int
    alarms_by_check: Counter[str]
    faulty: Counter[str]
    caught: Counter[str]
    exact: Counter[str]


def score_gate(panels: int, first_seed: int = FIRST_SEED) -> GateScore:
    """Run the gate over clean panels and over faulty ones, with the seeds from ``first_seed`` on."""
    alarms, by_check = 0, Counter[str]()
    faulty, caught, exact = Counter[str](), Counter[str](), Counter[str]()
    for place in range(panels):
        report = simulate_panel(first_seed + place).check()
        alarms += not report.is_ok
        by_check.update(check.name for check in report.failing)
    for place in range(panels):
        clean = simulate_panel(first_seed + panels + place)
        fault = FAULTS[place % len(FAULTS)]
        draw = np.random.default_rng(first_seed + place)
        # A fault in the first or last year has one side only to be judged by; these years are drawn as well.
        inner = fault in (swapped_terms, lost_firms, copied_year)
        year = int(draw.choice(clean.years[2:-2] if inner else clean.years))
        panel, years, columns = fault(clean, draw, year)
        report = Simulated(panel, clean.terms, clean.years).check()
        faulty[fault.__name__] += 1
        named = years <= set(report.failing_years) if years else columns <= set(report.failing_columns)
        caught[fault.__name__] += named and not report.is_ok
        exact[fault.__name__] += set(report.failing_years) == years and set(report.failing_columns) == columns
    return GateScore(panels, alarms, by_check, faulty, caught, exact)


def read_real(folder: Path, name: str) -> pd.DataFrame:
    """Read one of the real panels."""
    return pd.read_csv(folder / "reference" / "panels" / name, comment="#", dtype={"stkcd": str})


def check_real(panel: pd.DataFrame, columns: tuple[str, ...]) -> QualityReport:
    """Run the gate on a real panel."""
    return check_index(panel, values=columns, stock_code="stkcd", report_year="year")


def read_staff(folder: Path) -> pd.DataFrame:
    """Return the shares of R&D and of technical staff by firm and year; a 0 there means that no number was found."""
    table = pd.read_excel(
        folder / "reference" / "panels" / "finglm_employees_rd_2019_2021.xlsx",
        engine="calamine",
        dtype={"股票代码": str},
    )
    numbers = table[["职工人数", "研发人员", "技术人员"]].apply(pd.to_numeric, errors="coerce")
    numbers = numbers.where(numbers > 0)
    shares = pd.DataFrame(
        {
            "stock_code": table["股票代码"].str.zfill(6),
            "report_year": table["报告年份"].astype(int),
            "rd_share": numbers["研发人员"] / numbers["职工人数"],
            "technical_share": numbers["技术人员"] / numbers["职工人数"],
        }
    )
    for name in ("rd_share", "technical_share"):
        shares[name] = shares[name].where(shares[name] <= 1)
    return shares.drop_duplicates(KEYS)


def real_validity(folder: Path) -> pd.DataFrame:
    """Return the validity statistics of the clean real counts against the staff of the same firms and years."""
    counts = read_real(folder, CLEAN_PANEL).rename(columns={"stkcd": "stock_code", "year": "report_year"})
    counts["digital_log1p"] = np.log1p(counts[list(COUNTS)].sum(axis=1))
    both = counts.merge(read_staff(folder), on=KEYS, how="inner")
    rows = [convergent(both, "digital_log1p", ["rd_share", "technical_share"])]
    rows.append(reliability(counts[list(COUNTS)], counts["stock_code"], "digital_log1p", draws=200, seed=1))
    return pd.concat(rows, ignore_index=True)


def real_discriminant(folder: Path, draws: int = 100, seed: int = 1) -> pd.DataFrame:
    """Return how the list of Wu and others goes with placebo lists drawn from the real reports' own words."""
    cut = build_cutter("rjieba", ())
    path = Path(__file__).resolve().parents[2] / "dictionaries" / "wu2021.yml"
    dictionary = parse(path.read_text(encoding="utf-8"), path.name)
    matcher = Matcher(dictionary, "longest")
    rows, hits, keys = [], [], []
    for report in sorted((folder / "reports").iterdir()):
        if report.suffix.lower() not in (".pdf", ".txt"):
            continue
        try:
            read = read_document(report.read_bytes(), report.suffix)
        except ReadError:
            continue
        if read.status != "ok":
            continue
        text = clean([page.text for page in read.pages])
        words = Counter(word for word in cut(text.folded) if len(word) > 1 and HAN.fullmatch(word))
        rows.append(words)
        hits.append(Counter(match.term for match in matcher.find(text)))
        keys.append((report.stem.split("_")[0], len(keys)))
    panel = pd.DataFrame(keys, columns=KEYS)
    panel["wu2021_log1p"] = np.log1p([sum(each.values()) for each in hits])
    counts = pd.DataFrame(rows).fillna(0.0)
    terms = pd.DataFrame(hits).sum()
    frequencies = pd.concat([counts.drop(columns=list(dictionary.terms), errors="ignore").sum(), terms])
    lists = draw_placebo_lists(frequencies, dictionary.terms, draws=draws, seed=seed)
    return discriminant(panel, "wu2021_log1p", counts, lists, seed=seed)


def main() -> None:
    """Print what was measured."""
    panels = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    score = score_gate(panels)
    print(f"seeds {FIRST_SEED} to {FIRST_SEED + 2 * panels - 1}")
    print(f"false alarms: {score.alarms} of {score.clean} clean panels; by check {dict(score.alarms_by_check)}")
    print(f"{'fault':<18} panels caught exactly named")
    for name, number in score.faulty.items():
        print(f"{name:<18} {number:>6} {score.caught[name]:>6} {score.exact[name]:>7}")
    print(f"{'all':<18} {score.faulty.total():>6} {score.caught.total():>6} {score.exact.total():>7}")
    shared = Path(os.environ.get("SHUZHI_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    if not (shared / "reference" / "panels").is_dir():
        return
    for name, columns in ((CLEAN_PANEL, COUNTS), (CORRUPT_PANEL, COUNTS), (CORRUPT_PANEL, COUNTS + SHUFFLED)):
        report = check_real(read_real(shared, name), columns)
        print(f"{name} {', '.join(columns)}: {'ok' if report.is_ok else 'FAIL'}")
        print(f"  years {report.failing_years} columns {report.failing_columns}")
    if (shared / "reports").is_dir():
        print(real_discriminant(shared).drop(columns=["index", "method"]).round(3).to_string(index=False))
    print(real_validity(shared).drop(columns=["index", "method"]).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
