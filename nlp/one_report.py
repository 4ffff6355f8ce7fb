"""One report from its bytes to whose it is, its sections, its hits and an index: the whole way for a notebook.

The flows take the same steps with the same functions, in parts and for tens of thousands of reports; a test holds both
to the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from nlp.clean import CleanText, clean
from nlp.contents import find_contents
from nlp.dictionary import Dictionary
from nlp.furniture import edge_spans, find_furniture
from nlp.identity import Identity, decide
from nlp.identity_text import from_pages
from nlp.index import FIRM_YEAR, TOTAL, aggregate, choose_reports
from nlp.layout import lay_out
from nlp.match import Match, Matcher
from nlp.options import Reader, Rule, Script, Segmenter
from nlp.pdf import read_document
from nlp.sections import Section, SectionMap, find_sections
from nlp.segment import build_cutter, chinese_token_starts
from nlp.title import from_path
from shuzhi import ReadError, UsageError

HIT_COLUMNS = ["term", "dimension", "page", "offset", "matched", "sentence", "sentence_number", "section"]
NO_SECTIONS = SectionMap((), None, "the report could not be read", None, ())


@dataclass(frozen=True)
class Report:
    """One report.

    Parameters
    ----------
    file : str
        Name of its file, as far as it was given.
    document_id : str
        SHA-256 of its bytes.
    status, reason : str
        ``ok``, or why there is no text that can be counted in.
    pages : tuple of str
        Text of each page, exactly as extracted.
    identity : Identity
        Whose report it is, of which fiscal year, and how that is known.
    sections : SectionMap
        Its sections, the discussion among them.
    text : CleanText
        Its text as it is matched.
    tokens : int
        Its words with a Chinese character.
    script : {'as_printed', 'simplified'}
        How its text was cleaned.
    """

    file: str
    document_id: str
    status: str
    reason: str
    pages: tuple[str, ...] = field(repr=False)
    identity: Identity = field(repr=False)
    sections: SectionMap = field(repr=False)
    text: CleanText = field(repr=False)
    tokens: int = 0
    script: Script = "as_printed"

    @property
    def is_readable(self) -> bool:
        """Whether its terms can be counted."""
        return self.status == "ok"

    def to_row(self) -> dict[str, object]:
        """Return the row of the report in a table of documents."""
        who = self.identity
        row: dict[str, object] = {"file": self.file, "document_id": self.document_id}
        row |= {"stock_code": who.stock_code, "company_name": who.company_name, "report_year": who.report_year}
        row |= {"kind": who.kind, "revision": who.revision, "revision_number": who.revision_number}
        row |= {"status": self.status, "reason": self.reason}
        lengths = (self.text.chinese_characters, self.tokens, self.text.sentences)
        names = ("chinese_characters", "tokens", "sentences")
        return row | dict(zip(names, lengths if self.pages else (None,) * 3, strict=True))


def read_report(
    data: bytes,
    file: str = "",
    *,
    reader: Reader = "pdfium",
    segmenter: Segmenter = "rjieba",
    script: Script = "as_printed",
) -> Report:
    """Read one report from the bytes of its file.

    Parameters
    ----------
    data : bytes
        Content of the file.
    file : str
        Its name, which tells text from PDF (``.txt``) and says whose report it is where the text does not.
    reader, segmenter, script : str
        As in ``shuzhi run``.

    Returns
    -------
    Report
        Always: a file that cannot be read has a status, a reason and no pages.
    """
    document_id, path = hashlib.sha256(data).hexdigest(), from_path(file)
    try:
        document = read_document(data, ".txt" if file.lower().endswith(".txt") else ".pdf", reader)
    except ReadError as error:
        nobody = decide(path, None)
        return Report(file, document_id, error.status, error.reason, (), nobody, NO_SECTIONS, clean([""]), 0, script)
    pages = tuple(page.text for page in document.pages)
    layout = lay_out(pages)
    contents = find_contents(layout)
    sections = find_sections(pages, layout, contents)
    edges = edge_spans(find_furniture(layout, contents, sections), layout.page_starts)
    text = clean(pages, edges, script)
    # Lengths are those of the text as printed, whatever the script that terms are matched in.
    printed = text if script == "as_printed" else clean(pages, edges)
    tokens = int(chinese_token_starts(build_cutter(segmenter)(printed.folded)).size)
    identity = decide(path, from_pages(pages), document.metadata_title or None)
    return Report(file, document_id, document.status, document.reason, pages, identity, sections, text, tokens, script)


def find_hits(report: Report, matcher: Matcher) -> pd.DataFrame:
    """Return the hits of a dictionary in a report, in order, each with its page and sentence.

    Parameters
    ----------
    report : Report
        The report; one that could not be read has no hits, which is no count of zero.
    matcher : Matcher
        Dictionary and rule.

    Returns
    -------
    DataFrame
        term, dimension, page (from 1), offset in the page's text, matched, sentence, sentence_number, section.
    """
    text = report.text
    rows = [_hit(report, match) for match in matcher.find(text)] if report.is_readable else []
    return pd.DataFrame(rows, columns=HIT_COLUMNS)


def _hit(report: Report, match: Match) -> dict[str, object]:
    text = report.text
    page, offset = text.locate(match.start)
    number, first, last = text.sentence_of(match.start, match.end)
    return {
        "term": match.term,
        "dimension": match.dimension,
        "page": page,
        "offset": offset,
        "matched": text.display[match.start : match.end],
        "sentence": text.display[first:last],
        "sentence_number": number,
        "section": section_at(report.sections, page, offset),
    }


def section_at(found: SectionMap, page: int, offset: int) -> str:
    """Return the kind of section around a place of the raw text, ``mda`` for the discussion; empty outside all."""
    around = [section for section in (*found.front_matter, *found.sections) if _holds(section, (page, offset))]
    if not around:
        return ""
    return "mda" if around[-1] == found.discussion else around[-1].kind


def _holds(section: Section, place: tuple[int, int]) -> bool:
    start, end = (section.start_page, section.start_offset), (section.end_page, section.end_offset)
    return start <= place < end


def build_index(reports: Iterable[Report], dictionary: Dictionary, rule: Rule = "longest") -> pd.DataFrame:
    """Build the firm-year indices of a dictionary over whole reports, one a firm-year.

    Parameters
    ----------
    reports : iterable of Report
        Read in one script. Of several of one firm-year the best is taken, see :func:`nlp.index.choose_reports`.
    dictionary : Dictionary
        The word list.
    rule : {'longest', 'substring', 'token'}
        What counts as an occurrence.

    Returns
    -------
    DataFrame
        One row a firm-year, dimension and measure; ``value`` is missing, never 0, where a report could not be read.

    Raises
    ------
    UsageError
        If there is no report, or they were read in different scripts.
    """
    given = list(reports)
    scripts = {report.script for report in given}
    if len(scripts) != 1:
        raise UsageError("build_index: give at least one report, all read in the same script")
    matcher = Matcher(dictionary, rule, script=scripts.pop())
    documents = _documents(given)
    is_used = choose_reports(documents)["is_used"]
    counts = [_counts(report, matcher) for report, used in zip(given, is_used, strict=True) if used]
    empty = pd.DataFrame(columns=["document_id", "dimension", "hits", "sentences_with_hits"])
    return aggregate(documents[is_used], pd.concat([empty, *counts]) if counts else empty, dictionary, rule)


def _documents(reports: Sequence[Report]) -> pd.DataFrame:
    frame = pd.DataFrame([report.to_row() for report in reports])
    whole = ("report_year", "revision_number", "chinese_characters", "tokens", "sentences")
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _counts(report: Report, matcher: Matcher) -> pd.DataFrame:
    """Count hits and sentences with hits, by dimension and in total."""
    hits = find_hits(report, matcher)
    both = pd.concat([hits, hits.assign(dimension=TOTAL)])
    # Numbers begin at 1; hits outside sentences with Chinese text are in none.
    found = both.groupby("dimension").agg(
        hits=("term", "size"), sentences_with_hits=("sentence_number", lambda numbers: numbers[numbers > 0].nunique())
    )
    return found.reset_index().assign(document_id=report.document_id)


def to_wide(long: pd.DataFrame) -> pd.DataFrame:
    """Return indices with one row a firm-year and one column an index, counts as whole numbers."""
    wide = long.pivot(index=FIRM_YEAR, columns="index", values="value").reindex(
        columns=list(dict.fromkeys(long["index"]))
    )
    counts = {name: "Int64" for name in wide.columns if str(name).endswith("_count")}
    return wide.astype(counts).reset_index().rename_axis(columns=None)
