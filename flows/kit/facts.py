"""The facts that the texts of a study kit state, counted from the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from flows.formats import stata_names
from flows.kit.options import KitOptions
from flows.notebook import Export
from nlp.scope import parse_scope
from shuzhi import UsageError, __version__

UNNAMED_AUTHOR = "The makers of this data set"
FAILS = "fail"


@dataclass(frozen=True)
class WordList:
    """A word list as a reader must know it: what it is, where it comes from, whether it was checked."""

    name: str
    title_zh: str
    title_en: str
    terms: int
    content_hash: str
    dimensions: tuple[tuple[str, str, str], ...]
    authors: tuple[str, ...]
    year: str
    article_zh: str
    article_en: str
    journal: str
    doi: str
    is_house_list: bool
    is_verified: bool

    @property
    def article_any(self) -> str:
        """Title of the article: the Chinese one, else the English one, else none."""
        return self.article_zh or self.article_en

    @property
    def checked_en(self) -> str:
        """Whether the list was checked, in English."""
        if self.is_house_list:
            return "a house list of the software's makers, of no publication"
        return "checked against public copies" if self.is_verified else "NOT checked against its publication"

    @property
    def checked_zh(self) -> str:
        """Whether the list was checked, in Chinese."""
        if self.is_house_list:
            return "本软件自编词表，未见于任何文献"
        return "已与公开副本核对" if self.is_verified else "尚未与原文核对"

    @property
    def citation_en(self) -> str:
        """Where the list comes from, in one line."""
        parts = [", ".join(self.authors) + (f" ({self.year})" if self.year else ""), self.article_en, self.journal]
        where = ". ".join(part for part in (*parts, f"doi:{self.doi}" if self.doi else "") if part)
        return f"{where}. {self.checked_en[0].upper()}{self.checked_en[1:]}."

    @property
    def citation_zh(self) -> str:
        """The same in Chinese."""
        who = "、".join(self.authors) + (f"（{self.year}）" if self.year else "")
        what = "，".join(filter(None, [self.article_zh, self.journal, f"doi:{self.doi}" if self.doi else ""]))
        return f"{'：'.join(filter(None, [who, what]))}。{self.checked_zh}。"


@dataclass(frozen=True)
class Coverage:
    """How one list covers the firm-years in one part of the reports: its total count."""

    word_list: str
    scope: str
    column: str
    with_value: int
    zeros: int
    mean: float


@dataclass(frozen=True)
class Fault:
    """What the quality gate says of some panels: its verdict, the check, and a sentence with the years."""

    status: str
    check: str
    sentence: str
    panels: tuple[str, ...]


@dataclass(frozen=True)
class KitFacts:
    """What README, citation and sample code say of the data.

    Parameters
    ----------
    title_zh, title_en : str
        Titles.
    is_simulated : bool
        Whether the data are simulated.
    version, data_hash : str
        Version of the data set, made from the hash; SHA-256 of ``data/indices_long.csv``.
    rule : str
        Matching rule.
    scopes : tuple of str
        Parts of the reports, with the choice of hits.
    firm_years, with_value, firms, first_year, last_year : int
        Counts; a firm-year has a value where its report could be read.
    by_year : tuple of (int, int, int)
        Report year, firm-years, firm-years whose report could be read.
    missing : tuple of (str, int)
        Status of the reports that gave no value, and how many.
    unread : int
        Files that gave no firm-year at all, or none with a value.
    recognised : int
        Firm-years with pages that were read by character recognition.
    five_digit_firms : int
        Firms whose code has other than six digits (Hong Kong).
    coverage : tuple of Coverage
        One a list and part.
    word_lists : tuple of WordList
        The lists.
    faults : tuple of Fault
        What the quality gate fails or asks to look at.
    index, stata_index : str
        The index of the sample code, and its name in Stata.
    authors : tuple of str
        Who made the data set.
    licence : str
        Its licence; empty where none was chosen.
    has_sentences : bool
        Whether the kit holds sentences of the reports.
    """

    title_zh: str
    title_en: str
    is_simulated: bool
    version: str
    data_hash: str
    rule: str
    scopes: tuple[str, ...]
    firm_years: int
    with_value: int
    firms: int
    first_year: int
    last_year: int
    by_year: tuple[tuple[int, int, int], ...]
    missing: tuple[tuple[str, int], ...]
    unread: int
    recognised: int
    five_digit_firms: int
    coverage: tuple[Coverage, ...]
    word_lists: tuple[WordList, ...]
    faults: tuple[Fault, ...]
    index: str
    stata_index: str
    authors: tuple[str, ...]
    licence: str
    has_sentences: bool

    @property
    def abstract(self) -> str:
        """What the data are, in two sentences."""
        lists = "; ".join(each.title_en for each in self.word_lists)
        return (
            f"Counts of the terms of a word list ({lists}) in annual reports of Chinese listed firms: "
            f"{self.firm_years:,} firm-years of {self.firms:,} firms, {self.first_year} to {self.last_year}, matching "
            f"rule {self.rule}. Made with shuzhi {__version__}; a report that could not be read is missing, never zero."
            + (" SIMULATED DATA, for demonstration only." if self.is_simulated else "")
        )


def gather_facts(export: Export, tables: Mapping[str, pd.DataFrame], data_hash: str, options: KitOptions) -> KitFacts:
    """Count what the texts of a kit state.

    Raises
    ------
    UsageError
        If the export holds no firm-year.
    """
    wide, long = tables["indices_wide"], tables["indices_long"]
    if wide.empty:
        raise UsageError(f"{export.folder} holds no firm-year; a study kit needs some")
    is_read = wide["status"] == "ok"
    years = is_read.groupby(wide["report_year"]).agg(["size", "sum"])
    word_lists = tuple(_word_list(name, export.run) for name in export.run["dictionaries"])
    coverage = tuple(_coverage(long))
    title = str(export.run.get("title") or "")
    index = _index_of_choice(coverage)
    return KitFacts(
        title_zh=title or f"企业年报指数：{'；'.join(each.title_zh for each in word_lists)}",
        title_en=title or f"Firm-year indices from annual reports: {'; '.join(each.title_en for each in word_lists)}",
        is_simulated=bool(export.run["is_simulated"]),
        version=f"sha256-{data_hash[:12]}",
        data_hash=data_hash,
        rule=str(export.run["parameters"]["rule"]),
        scopes=tuple(export.run["parameters"]["scopes"]),
        firm_years=len(wide),
        with_value=int(is_read.sum()),
        firms=int(wide["stock_code"].nunique()),
        first_year=int(wide["report_year"].min()),
        last_year=int(wide["report_year"].max()),
        by_year=tuple((int(str(year)), int(row.iloc[0]), int(row.iloc[1])) for year, row in years.iterrows()),
        missing=tuple((str(name), int(count)) for name, count in _counts(wide.loc[~is_read, "status"])),
        unread=int(export.run["counts"]["failures"]),
        recognised=int((wide["ocr_pages"].fillna(0) > 0).sum()),
        five_digit_firms=int(wide.loc[wide["stock_code"].str.len() != 6, "stock_code"].nunique()),
        coverage=coverage,
        word_lists=word_lists,
        faults=tuple(_faults(export)),
        index=index,
        stata_index=stata_names(wide.columns)[index],
        authors=options.authors or (UNNAMED_AUTHOR,),
        licence=options.licence,
        has_sentences=options.has_sentences,
    )


def _counts(values: pd.Series) -> list[tuple[Any, int]]:
    return sorted(values.value_counts().items(), key=lambda item: (-int(item[1]), str(item[0])))


def _word_list(name: str, run: Mapping[str, Any]) -> WordList:
    known, passport = run["dictionaries"][name], run["passports"][name]
    article = passport.get("article", {})
    both = article if isinstance(article, dict) else {"zh": str(article), "en": str(article)}
    authors = passport.get("authors", [])
    return WordList(
        name=name,
        title_zh=str(passport["title"]["zh"]),
        title_en=str(passport["title"]["en"]),
        terms=int(known["terms"]),
        content_hash=str(known["hash"]),
        dimensions=tuple((key, each["zh"], each["en"]) for key, each in passport["dimensions"].items()),
        authors=tuple(map(str, authors if isinstance(authors, list) else [authors])),
        year=str(passport.get("year", "")),
        article_zh=str(both.get("zh", "")),
        article_en=str(both.get("en", "")),
        journal=str(passport.get("journal", "")),
        doi=str(passport.get("doi", "")),
        is_house_list=str(passport.get("house_list", "")).lower() == "true",
        is_verified=bool(passport["verified"]),
    )


def _coverage(long: pd.DataFrame) -> list[Coverage]:
    """Return for each list and part how many firm-years have its total count, how many are zero, and the mean."""
    totals = long[(long["dimension"] == "total") & (long["measure"] == "count")]
    found = []
    for (name, scope), rows in totals.groupby(["dictionary", "scope"], sort=False):
        values = rows["value"].dropna()
        mean = float(values.mean()) if len(values) else float("nan")
        column = str(rows["index"].iloc[0])
        found.append(Coverage(str(name), str(scope), column, len(values), int((values == 0).sum()), mean))
    return found


def _index_of_choice(coverage: tuple[Coverage, ...]) -> str:
    """Return ln(1 + count) of the first list in the whole report, else in the first part that was measured."""
    whole = [each for each in coverage if parse_scope(each.scope).mode == "report"]
    return (whole or list(coverage))[0].column.removesuffix("_count") + "_log1p"


def _faults(export: Export) -> list[Fault]:
    """Return what the quality gate says of the years: first what fails, then what should be looked at."""
    found = export.table("quality")
    found = found[found["status"] != "ok"]
    faults = [
        Fault(str(status), str(check), str(sentence), tuple(dict.fromkeys(rows["panel"])))
        for (status, check, sentence), rows in found.groupby(["status", "check", "sentence"], sort=False)
    ]
    return sorted(faults, key=lambda each: each.status != FAILS)
