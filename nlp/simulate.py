"""The demo's annual reports: invented firms, and what each of their reports says.

The rule that the demo plants, and that a count has to find again::

    planted total of firm i in year t  ~  Poisson(m_it)
    m_it   = intensity_i * YEARLY_GROWTH ** (t - first year)
    ln(intensity_i)  ~  Normal(ln INTENSITY_MEDIAN, INTENSITY_SPREAD ** 2)

with ``INTENSITY_MEDIAN`` 16, ``INTENSITY_SPREAD`` 0.6 and ``YEARLY_GROWTH`` 1.3. Each planted occurrence is
one term, drawn with weight 1 / (rank + ``ZIPF_SHIFT``), ``ZIPF_SHIFT`` 2. The ranks are the same in every
report: some common terms first, the others in the order of a checksum, which is blind to their meaning.

Every draw comes from a generator seeded with (seed, stock code, year), so that a report does not depend on
which others are made.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from nlp import simulate_text as text

INTENSITY_MEDIAN = 16.0
INTENSITY_SPREAD = 0.6
YEARLY_GROWTH = 1.3
ZIPF_SHIFT = 2.0
# No exchange has issued codes from here on.
# The exchange has given no code from 004 on.
FIRST_STOCK_CODE = 4001
MOST_FIRMS = 400
PAIR_SHARE = 0.25
PARAGRAPH_SENTENCES = 5
ACCOUNTS_BASE_YEAR = 2015

Block = str | text.Rows


@dataclass(frozen=True)
class SimulatedFirm:
    """An invented firm.

    Parameters
    ----------
    stock_code : str
        Six digits that no real firm has.
    short_name, company_name : str
        Names that begin with 模拟.
    intensity : float
        Expected planted occurrences in the first year.
    """

    stock_code: str
    short_name: str
    company_name: str
    intensity: float


@dataclass(frozen=True)
class SimulatedSection:
    """One section of a report.

    Parameters
    ----------
    heading : str
        Its heading, such as 第四节 经营情况讨论与分析.
    blocks : tuple
        Paragraphs (str) and tables (tuple of rows, each a tuple of cells).
    """

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class SimulatedReport:
    """What one annual report says.

    Parameters
    ----------
    firm : SimulatedFirm
        Who files it.
    report_year : int
        The year it is about.
    expected_count : float
        Mean of the planted total under the rule.
    planted : mapping of str to int
        Occurrences by term that a leftmost-longest count of the whole text finds.
    sections : tuple of SimulatedSection
        The text, without cover, contents list, headers and footers.
    """

    firm: SimulatedFirm
    report_year: int
    expected_count: float
    planted: Mapping[str, int]
    sections: tuple[SimulatedSection, ...]

    @property
    def title(self) -> str:
        """Title of the report, such as 2021年年度报告."""
        return f"{self.report_year}年年度报告"

    @property
    def running_header(self) -> str:
        """The line at the head of every page."""
        return f"{self.firm.company_name} {self.title}全文{text.SIMULATED_MARK}"

    @property
    def cover(self) -> tuple[str, ...]:
        """The lines of the cover."""
        mark = "（模拟数据，仅供演示）"
        return (self.firm.company_name, self.title, mark, f"{self.report_year + 1}年4月")


def simulate_firms(count: int, seed: int) -> tuple[SimulatedFirm, ...]:
    """Invent firms; the first ones are the same whatever the count.

    Parameters
    ----------
    count : int
        How many, from 1 to 400.
    seed : int
        Seed of their intensities.

    Returns
    -------
    tuple of SimulatedFirm
        In the order of their codes, from 004001 on.
    """
    if not 1 <= count <= MOST_FIRMS:
        raise ValueError(f"between 1 and {MOST_FIRMS} firms can be simulated, not {count}")
    return tuple(_simulate_firm(index, seed) for index in range(count))


def _simulate_firm(index: int, seed: int) -> SimulatedFirm:
    stock_code = f"{FIRST_STOCK_CODE + index:06d}"
    rounds, first = divmod(index, len(text.NAME_FIRST))
    second = (first + rounds) % len(text.NAME_SECOND)
    short_name = f"模拟{text.NAME_FIRST[first]}{text.NAME_SECOND[second]}"
    deviation = float(_generator(seed, stock_code).normal())
    return SimulatedFirm(
        stock_code=stock_code,
        short_name=short_name,
        company_name=f"{short_name}{_industry(stock_code)[0]}股份有限公司",
        intensity=INTENSITY_MEDIAN * math.exp(INTENSITY_SPREAD * deviation),
    )


def simulate_report(
    firm: SimulatedFirm,
    report_year: int,
    first_year: int,
    terms: Sequence[str],
    seed: int,
    expected_count: float | None = None,
) -> SimulatedReport:
    """Write one firm's report of one year, with terms planted by the rule of this module.

    Parameters
    ----------
    firm : SimulatedFirm
        Who files it.
    report_year, first_year : int
        Year of the report, and the year in which the firm's mean equals its intensity.
    terms : sequence of str
        The dictionary's terms.
    seed : int
        Seed of the corpus.
    expected_count : float, optional
        Mean of the planted total where it is not to follow the rule, as in a panel with planted effects.

    Returns
    -------
    SimulatedReport
        The text and what was planted in it.

    Raises
    ------
    ValueError
        If the text holds one of these terms other than where it was planted. It is written to hold none of
        the 76 terms of Wu Fei et al. (2021); another list may clash with it.
    """
    generator = _generator(seed, firm.stock_code, report_year)
    if expected_count is None:
        expected_count = firm.intensity * YEARLY_GROWTH ** (report_year - first_year)
    ranked = _rank_terms(tuple(terms))
    weights = 1.0 / (np.arange(len(ranked)) + 1.0 + ZIPF_SHIFT)
    drawn = generator.choice(len(ranked), size=int(generator.poisson(expected_count)), p=weights / weights.sum())
    planted = Counter(ranked[index] for index in drawn)
    fields = _describe(firm, report_year, seed)
    sections = _write_sections([ranked[index] for index in drawn], fields, generator)
    report = SimulatedReport(firm, report_year, expected_count, dict(sorted(planted.items())), sections)
    _check(report, terms)
    return report


def _generator(seed: int, stock_code: str, *parts: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, int(stock_code), *parts]))


def _industry(stock_code: str) -> tuple[str, str, str, str]:
    return text.INDUSTRIES[int(stock_code) % len(text.INDUSTRIES)]


@lru_cache(maxsize=8)
def _rank_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    if not terms:
        raise ValueError("there are no terms to plant")
    common = [term for term in text.COMMON_TERMS if term in terms]
    others = sorted(set(terms).difference(common), key=lambda term: (zlib.crc32(term.encode()), term))
    return (*common, *others)


@lru_cache(maxsize=8)
def _term_pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    latin = "[A-Za-z0-9]"
    alternatives = [
        (f"(?<!{latin})" if re.match(latin, term) else "")
        + re.escape(term)
        + (f"(?!{latin})" if re.match(latin, term[-1]) else "")
        for term in sorted(terms, key=len, reverse=True)
    ]
    return re.compile("|".join(alternatives))


def find_terms(string: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """Find terms from the left, the longest at each place, Latin ones as whole words.

    It is written apart from the matcher on purpose: the demo checks the one against the other.

    Parameters
    ----------
    string : str
        Text without white space.
    terms : iterable of str
        Terms to look for.

    Returns
    -------
    list of (int, int)
        Spans of the occurrences, from left to right.
    """
    return [match.span() for match in _term_pattern(tuple(terms)).finditer(string)]


def _check(report: SimulatedReport, terms: Sequence[str]) -> None:
    pieces = [*report.cover, report.running_header]
    for section in report.sections:
        pieces.append(section.heading)
        for block in section.blocks:
            pieces.extend([block] if isinstance(block, str) else [cell for row in block for cell in row])
    string = re.sub(r"\s", "", "".join(pieces))
    found = Counter(string[start:end] for start, end in find_terms(string, terms))
    if found != Counter(report.planted):
        strays = ", ".join(sorted((found - Counter(report.planted)) | (Counter(report.planted) - found)))
        raise ValueError(f"the simulated text cannot plant these terms exactly: {strays}")


def _accounts(firm: SimulatedFirm, year: int, seed: int) -> dict[str, float]:
    """Return every line of the statements of a year; two reports agree on the year they share."""
    scale = math.exp(_generator(seed, firm.stock_code, 0).normal(21.0, 0.7))
    generator = _generator(seed, firm.stock_code, year, 1)
    level = scale * 1.08 ** (year - ACCOUNTS_BASE_YEAR) * math.exp(0.05 * generator.normal())
    accounts = {"营业收入": round(level, 2), "股本": float(round(0.15 * scale))}
    for label, share in text.ITEM_SHARES.items():
        accounts[label] = round(level * share * math.exp(0.04 * generator.normal()), 2)
    for label, (plus, minus) in text.TOTALS.items():
        if label == "净利润":
            accounts["所得税费用"] = round(0.15 * max(accounts["利润总额"], 0.0), 2)
            accounts["少数股东损益"] = round(0.03 * (accounts["利润总额"] - accounts["所得税费用"]), 2)
        total = sum(accounts[part] for part in plus) - sum(accounts[part] for part in minus)
        accounts[label] = round(total, 2)
    return accounts


def _describe(firm: SimulatedFirm, year: int, seed: int) -> dict[str, Any]:
    """Return what the templates may name."""
    number = int(firm.stock_code)
    _, product, second_product, usage = _industry(firm.stock_code)
    now, last = _accounts(firm, year, seed), _accounts(firm, year - 1, seed)
    revenue, shares, receivable = now["营业收入"], now["股本"], now["应收账款"]
    products = (0.62, 0.27, 0.11)
    return {
        "company": firm.company_name,
        "short": firm.short_name,
        "code": firm.stock_code,
        "year": year,
        "last_year": year - 1,
        "next_year": year + 1,
        "product": product,
        "second_product": second_product,
        "usage": usage,
        "city": text.CITIES[number % len(text.CITIES)],
        "lot": 10 + number % 90,
        "now": now,
        "last": last,
        "dividend": f"{0.2 + number % 9 / 10:.2f}",
        "audit_fee": 60 + number % 50,
        "audit_years": 1 + (year + number) % 5,
        "quarter": [revenue * share for share in (0.22, 0.24, 0.25, 0.29)],
        "split": [revenue * share for share in products],
        "split_percent": [100 * share for share in products],
        "held": [shares * share for share in (0.25, 0.75, 0.081)],
        "staff": [number % share + share for share in (700, 150, 210, 30, 90)],
        "aged": [receivable * share for share in (0.86, 0.10, 0.05, 0.04)],
        "bad": [receivable * share for share in (0.01, 0.005, 0.01, 0.025)],
    }


def _write_sections(
    drawn: Sequence[str], fields: Mapping[str, Any], generator: np.random.Generator
) -> tuple[SimulatedSection, ...]:
    slots = [piece for _, pieces in text.SKELETON for piece in pieces if isinstance(piece, text.Slot)]
    chosen = generator.choice(len(slots), size=len(drawn), p=[slot.share for slot in slots])
    waiting = [[term for term, place in zip(drawn, chosen, strict=True) if place == i] for i in range(len(slots))]
    sections = []
    for heading, pieces in text.SKELETON:
        blocks: list[Block] = []
        for piece in pieces:
            if isinstance(piece, text.Slot):
                blocks.extend(_fill_slot(piece, waiting.pop(0), fields, generator))
            elif isinstance(piece, str):
                blocks.append(piece.format_map(fields))
            else:
                blocks.append(tuple(tuple(cell.format_map(fields) for cell in row) for row in piece))
        sections.append(SimulatedSection(heading, tuple(blocks)))
    return tuple(sections)


def _fill_slot(
    slot: text.Slot, drawn: Sequence[str], fields: Mapping[str, Any], generator: np.random.Generator
) -> list[Block]:
    if slot.kind == "projects":
        names = [text.PROJECT_NAME.format(term=term) for term in drawn]
        names += [name.format_map(fields) for name in slot.filler]
        states = generator.choice(text.PROJECT_STATES, size=len(names))
        rows = ((name, str(state)) for name, state in zip(names, states, strict=True))
        return [(("主要研发项目名称", "项目进展"), *rows)]
    filler = generator.choice(slot.filler, size=min(slot.filler_count, len(slot.filler)), replace=False)
    sentences = [_fill(str(sentence), fields, generator) for sentence in filler]
    sentences += _term_sentences(drawn, fields, generator)
    order = generator.permutation(len(sentences))
    return [
        "".join(sentences[index] for index in order[start : start + PARAGRAPH_SENTENCES])
        for start in range(0, len(order), PARAGRAPH_SENTENCES)
    ]


def _term_sentences(drawn: Sequence[str], fields: Mapping[str, Any], generator: np.random.Generator) -> list[str]:
    waiting = list(drawn)
    cores = [str(core) for core in generator.permutation(text.CORES)]
    sentences: list[str] = []
    while waiting:
        named = {"term": waiting.pop()}
        core = cores[len(sentences) % len(cores)]
        # After 无人零售 in the same sentence, another term might look negated.
        may_pair = bool(waiting) and waiting[-1] != named["term"] and not named["term"].startswith("无")
        if may_pair and generator.random() < PAIR_SHARE:
            named["other"] = waiting.pop()
            core = str(generator.choice(text.PAIR_CORES))
        lead, tail = str(generator.choice(text.LEADS)), str(generator.choice(text.TAILS))
        sentences.append(_fill(f"{lead}{core}{tail}。", {**fields, **named}, generator))
    return sentences


def _fill(template: str, fields: Mapping[str, Any], generator: np.random.Generator) -> str:
    drawn = {
        "number": int(generator.integers(2, 10)),
        "amount": f"{int(generator.integers(100, 3000)):,}",
        "percent": f"{generator.uniform(2, 20):.2f}",
        "region": text.REGIONS[int(generator.integers(len(text.REGIONS)))],
    }
    return template.format_map({**fields, **drawn})
