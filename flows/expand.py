"""Terms that a word list lacks, proposed from the reports of a store, as a sheet that the user edits."""

from __future__ import annotations

import hashlib
import importlib.metadata
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ahocorasick_rs
import pandas as pd

import shuzhi
from flows.documents import load_documents
from flows.formats import write_xlsx
from flows.places import page_starts_of
from flows.store import Store
from flows.tables import FURNITURE
from nlp.clean import CLEAN_VERSION, SENTENCE_ENDS, clean
from nlp.dictionary import Dictionary, fold_term
from nlp.dictionary_checks import is_whole_word
from nlp.expand import candidates, count_terms, rank, sentences
from nlp.furniture import Mark, edge_spans
from nlp.options import VectorModel
from nlp.segment import build_cutter, segmenter_version
from nlp.word_vectors import train
from shuzhi import UsageError

EXAMPLES, EXAMPLE_SIDE = 3, 40
# So many of the likest are counted for each that is shown, because some stand in too few firms.
COUNTED_PER_SHOWN = 20
PROPOSAL_COLUMNS = (
    "keep", "dimension", "term", "reason", "score", "similarity", "nearest_seeds", "frequency", "firms", "documents",
    "found_by", "cohesion", "left_entropy", "right_entropy",
)  # fmt: skip


@dataclass(frozen=True)
class ExpandOptions:
    """How proposals are looked for.

    Parameters
    ----------
    limit : int
        Most proposals in the sheet.
    min_count : int
        Fewest occurrences of a word in the corpus.
    min_firms : int
        Fewest firms that use it.
    model : {'word2vec', 'ppmi'}
        Which word vectors rank.
    seed : int
        Seed of the vectors.
    years : sequence of int
        Report years; empty takes all.
    """

    limit: int = 300
    min_count: int = 5
    min_firms: int = 2
    model: VectorModel = "word2vec"
    seed: int = 2024
    years: Sequence[int] = ()


@dataclass(frozen=True)
class ExpandSummary:
    """What came out: reports and firms read, seeds found often enough, proposals written."""

    reports: int
    firms: int
    seeds: int
    proposals: int


@dataclass(frozen=True)
class Spool:
    """Cleaned texts of a store's used reports in a temporary folder, one file each, in order of firm and year."""

    folder: Path
    rows: Sequence[Mapping[str, Any]] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for _, folded, _ in self.documents():
            yield folded

    def by_firm(self) -> Iterator[tuple[str, str]]:
        """Yield firm and folded text of each report."""
        for row, folded, _ in self.documents():
            yield str(row["stock_code"]), folded

    def documents(self) -> Iterator[tuple[Mapping[str, Any], str, str]]:
        """Yield row, folded text and text as printed of each report; both texts have the same length."""
        for row in self.rows:
            folded, display = (self.folder / str(row["document_id"])).read_text(encoding="utf-8").split("\n")
            yield row, folded, display


@dataclass(frozen=True)
class Words:
    """The words of each sentence from a file with one sentence a line; gone through as often as asked."""

    path: Path

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                yield line.split()


def spool_texts(store: Store, folder: Path, years: Sequence[int] = ()) -> Spool:
    """Clean the texts of the used, readable reports of a store and put them into a folder.

    Raises
    ------
    UsageError
        If there is no such report.
    """
    documents = load_documents(store)
    used = documents[documents["is_used"] & (documents["status"] == "ok")]
    if years:
        used = used[used["report_year"].isin(list(years))]
    ordered = used.sort_values(["stock_code", "report_year", "document_id"])
    rows: list[Mapping[str, Any]] = [
        {str(key): value for key, value in row.items()} for row in ordered.to_dict("records")
    ]
    wanted = {row["document_id"] for row in rows}
    reading = store.current("reading") or {}
    if not wanted or not reading:
        raise UsageError(
            f"store {store.url} holds no readable report of these years; 'shuzhi status' lists what it holds"
        )
    for part in store.parts("pages", reading["key"]):
        pages = store.read_part("pages", reading["key"], part, ["document_id", "text"]).to_pandas()
        marks = store.read_part("furniture", reading["text_key"], part).to_pandas()
        of_document = dict(iter(marks.groupby("document_id")))
        for document, own in pages.groupby("document_id", sort=False):
            if document not in wanted:
                continue
            texts = own["text"].tolist()
            found = of_document.get(document, marks.iloc[:0])
            furniture = [Mark(*values) for values in found[FURNITURE.names[1:]].itertuples(index=False, name=None)]
            text = clean(texts, edge_spans(furniture, page_starts_of(texts)))
            folded, display = (each.replace("\n", " ") for each in (text.folded, text.display))
            (folder / str(document)).write_text(f"{folded}\n{display}", encoding="utf-8", newline="\n")
    return Spool(folder, [row for row in rows if (folder / str(row["document_id"])).exists()])


def expand_dictionary(
    store: Store, dictionary: Dictionary, out: Path, options: ExpandOptions | None = None
) -> ExpandSummary:
    """Propose terms that a list lacks, and write them into a sheet with a choice of yes and no.

    Parameters
    ----------
    store : Store
        The reports.
    dictionary : Dictionary
        The list; its terms are the seeds.
    out : Path
        Excel file to write or replace.
    options : ExpandOptions, optional
        How proposals are looked for.

    Returns
    -------
    ExpandSummary
        How many.

    Raises
    ------
    UsageError
        If the store has no readable report, no seed is frequent enough, or gensim is missing.
    """
    options = options or ExpandOptions()
    with tempfile.TemporaryDirectory(prefix="shuzhi-expand-") as place:
        spool = spool_texts(store, Path(place), options.years)
        found = candidates(spool, build_cutter("rjieba"), min_count=options.min_count)
        new = found.loc[found["found_by"] != "token", "term"]
        words = Words(Path(place) / "words.txt")
        with words.path.open("w", encoding="utf-8", newline="\n") as file:
            cut = build_cutter("rjieba", [*new, *map(fold_term, dictionary.terms)])
            file.writelines(" ".join(sentence) + "\n" for sentence in sentences(spool, cut))
        vectors = train(words, model=options.model, min_count=options.min_count, seed=options.seed)
        ranked = rank(found, vectors, dictionary).head(options.limit * COUNTED_PER_SHOWN)
        counted = ranked.merge(count_terms(spool.by_firm(), list(ranked["term"])), on="term")
        shown = counted[counted["firms"] >= options.min_firms].head(options.limit)
        proposals = _with_examples(shown, spool)
        seeds = _seeds(dictionary, spool, set(vectors.terms))
        summary = ExpandSummary(
            reports=len(spool.rows),
            firms=len({row["stock_code"] for row in spool.rows}),
            seeds=int((seeds["has_vector"] == "yes").sum()),
            proposals=len(proposals),
        )
        about = _about(dictionary, options, spool, summary)
    choices = {"keep": ["yes", "no"], "dimension": [each.id for each in dictionary.dimensions]}
    write_xlsx({"proposals": proposals, "seeds": seeds, "about": about}, out, choices)
    return summary


def _with_examples(shown: pd.DataFrame, spool: Spool) -> pd.DataFrame:
    """Add the cells to fill in, the order of the columns, and sentences, each of another firm."""
    terms = shown["term"].tolist()
    examples: list[dict[str, str]] = [{} for _ in terms]
    automaton = ahocorasick_rs.AhoCorasick(terms, matchkind=ahocorasick_rs.MatchKind.Standard)
    for row, folded, display in spool.documents():
        firm = str(row["stock_code"])
        for index, start, end in automaton.find_matches_as_indexes(folded, overlapping=True):
            own = examples[index]
            if len(own) < EXAMPLES and firm not in own and is_whole_word(folded, start, end):
                own[firm] = f"{firm} {row['report_year']}: {_sentence(display, start, end)}"
    frame = shown.assign(keep="", reason="")[list(PROPOSAL_COLUMNS)].reset_index(drop=True)
    for column in ("cohesion", "left_entropy", "right_entropy"):
        frame[column] = frame[column].round(3)
    for number in range(EXAMPLES):
        cells = [list(own.values())[number] if len(own) > number else "" for own in examples]
        frame[f"example_{number + 1}"] = pd.Series(cells, dtype="object")
    return frame


def _sentence(text: str, start: int, end: int) -> str:
    """Return the sentence around a span, at most 40 characters on each side, with the span marked."""
    left = max([max(0, start - EXAMPLE_SIDE), *(text.rfind(mark, 0, start) + 1 for mark in SENTENCE_ENDS)])
    stops = [at for mark in SENTENCE_ENDS if (at := text.find(mark, end)) >= 0]
    right = min([end + EXAMPLE_SIDE, *stops])
    return f"{text[left:start]}【{text[start:end]}】{text[end:right]}".strip()


def _seeds(dictionary: Dictionary, spool: Spool, known: set[str]) -> pd.DataFrame:
    folded = [fold_term(term) for term in dictionary.terms]
    counted = count_terms(spool.by_firm(), folded).drop(columns="term")
    head = pd.DataFrame(
        {
            "keep": "yes",
            "dimension": [dictionary.dimension_of[term] for term in dictionary.terms],
            "term": list(dictionary.terms),
        }
    )
    return head.join(counted).assign(has_vector=["yes" if each in known else "no" for each in folded])


def _about(dictionary: Dictionary, options: ExpandOptions, spool: Spool, summary: ExpandSummary) -> pd.DataFrame:
    """Return what the sheet was made from, and what to do with it."""
    corpus = hashlib.sha256(" ".join(str(row["document_id"]) for row in spool.rows).encode()).hexdigest()[:12]
    engine = f"gensim {importlib.metadata.version('gensim')}" if options.model == "word2vec" else "scikit-learn"
    years = [int(row["report_year"]) for row in spool.rows if not pd.isna(row["report_year"])]
    lines = {
        "what to do": "write yes or no into keep, correct the dimension, then: shuzhi dictionary import SHEET"
        f" --base {dictionary.name} --name NEW",
        "seeds to drop": "write no into keep on the sheet seeds",
        "list": f"{dictionary.name} {dictionary.content_hash}",
        "corpus": f"{summary.reports} reports of {summary.firms} firms,"
        f" {min(years, default=0)} to {max(years, default=0)}, hash {corpus}",
        "vectors": f"{options.model} by {engine}, seed {options.seed}, words of at least {options.min_count} hits",
        "seeds with a vector": f"{summary.seeds} of {len(dictionary.terms)}; the others are too rare in this corpus",
        "score": "mean of 2 cos(c, s) - r(c) - r(s) over the three nearest seeds;"
        " r is the mean cosine to the ten nearest words",
        "cohesion": "pointwise mutual information of the weakest split, in nats;"
        " empty for a word that only the segmenter knows",
        "entropy": "entropy of the character before and after, in nats",
        "left out": f"words of fewer than {options.min_firms} firms, words of two characters, words that hold a term"
        " of the list already, and those that begin with a verb of reports (推进, 提升)",
        "caution": "likeness is not meaning: read the examples; a word of one industry is like its seeds too",
        "made with": f"shuzhi {shuzhi.__version__}, {segmenter_version('rjieba')}, cleaning {CLEAN_VERSION}",
    }
    return pd.DataFrame({"item": list(lines), "value": list(lines.values())})
