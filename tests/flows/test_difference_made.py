"""Causes that no flow can bring about here, in exports made by hand: other context rules, packages, older exports."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows.formats import write_csv, write_parquet
from flows.publishing.difference import Comparison, compare, write_changes
from flows.tables import DOCUMENTS
from nlp.dictionary import parse
from nlp.index import aggregate, widen
from nlp.scope import parse_scope
from shuzhi import UsageError

LIST = """\
name: mine
family: digital
title: {zh: 自编, en: Own}
authors: [Nobody]
year: 2024
verified: false
unit_of_count: occurrences
dimensions:
  - {id: words, zh: 词, en: Words, terms: [大数据, 云计算]}
"""
READING = {"reader": "pdfium 1", "cleaning": "2", "sections": "2", "segmenter": "rjieba 1", "identity": "2"}
MEASURING = {"matching": "2", "script": "as_printed", "context": "2", "context_rules": "aa", "classifier": "bb"}
LENGTHS = {"chinese_characters": 1000, "tokens": 500, "sentences": 40}


def hit(place: int, term: str = "大数据", **given: Any) -> dict[str, Any]:
    row = {"term": term, "dimension": "words", "page": 1, "offset": 100 * place, "sentence": f"第{place}句{term}。"}
    row |= {"section": "mda", "subsection": "", "furniture": "", "is_published": True, "is_strict": True}
    return row | given


def report(code: str = "000001", year: int = 2020, **given: Any) -> dict[str, Any]:
    row = {"file": f"{code}_{year}.pdf", "document_id": f"{code}-{year}", "stock_code": code, "report_year": year}
    row |= {"company_name": f"公司{code}", "kind": "annual", "revision": "original", "revision_number": 0}
    row |= {"status": "ok", "reason": "", "extractor": "pdfium 1", "is_used": True, "use_status": "used"}
    lengths = {**LENGTHS, **{f"body_{name}": value for name, value in LENGTHS.items()}}
    return row | lengths | {"readable_share": 1.0, "ocr_pages": 0} | given


@dataclass(frozen=True)
class Made:
    """An export made by hand: its reports, the hits of each, and what its run.json says."""

    reports: list[dict[str, Any]] = field(default_factory=lambda: [report()])
    hits: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"000001-2020": [hit(1), hit(2), hit(3)]})
    scopes: tuple[str, ...] = ("report",)
    versions: dict[str, str] = field(default_factory=lambda: {"shuzhi": "1.0", "numpy": "2.0"})
    reading: dict[str, str] = field(default_factory=lambda: dict(READING))
    measuring: dict[str, str] = field(default_factory=lambda: dict(MEASURING))
    mda_characters: int = 400
    has_terms: bool = True

    def write(self, folder: Path) -> Path:
        folder.mkdir()
        dictionary = parse(LIST, "mine.yml")
        rows = [{"document_id": document, **each} for document, hits in self.hits.items() for each in hits]
        hits = pd.DataFrame(rows).assign(dictionary="mine", rule="longest", is_used=True)
        hits["end_page"], hits["end_offset"] = hits["page"], hits["offset"] + hits["term"].str.len()
        hits["sentence_page"], hits["sentence_offset"] = hits["page"], hits["offset"]
        write_parquet(hits, folder / "hits.parquet", {})
        documents = pd.DataFrame(self.reports).reindex(columns=DOCUMENTS.names)
        write_csv(documents, folder / "documents.csv")
        documents = documents[documents["is_used"]]
        long = pd.concat([self._long(documents, hits, name, dictionary) for name in self.scopes], ignore_index=True)
        write_parquet(long, folder / "indices_long.parquet", {})
        write_parquet(widen(long, documents), folder / "indices.parquet", {})
        known = {name: given for name, given in (("reading", self.reading), ("measuring", self.measuring)) if given}
        methods = {"reading": known.get("reading", {}), "measuring": {"mine": known.get("measuring", {})}}
        run = {
            "parameters": {"rule": "longest", "scopes": list(self.scopes), "years": []},
            "dictionaries": {"mine": {"hash": dictionary.content_hash, "terms": 2}},
            "versions": self.versions,
            "outputs": {},
        }
        run |= {"methods": methods} if known else {}
        run |= {"terms": {"mine": {"words": ["云计算", "大数据"]}}} if self.has_terms else {}
        (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
        return folder

    def _long(self, documents: pd.DataFrame, hits: pd.DataFrame, name: str, dictionary: Any) -> pd.DataFrame:
        scope = parse_scope(name)
        inside = hits[hits["section"] == "mda"] if scope.mode == "only" else hits
        inside = inside[inside["is_strict"]] if scope.keep == "strict" else inside
        counts = inside.groupby("document_id").agg(hits=("term", "size"), sentences_with_hits=("sentence", "nunique"))
        both = [counts.reset_index().assign(dimension=each) for each in ("words", "total")]
        if scope.mode == "only":
            documents = documents.assign(chinese_characters=self.mda_characters)
        return aggregate(documents, pd.concat(both), dictionary, "longest", scope)


def compared(tmp_path: Path, before: Made, after: Made) -> Comparison:
    return compare(before.write(tmp_path / "before"), after.write(tmp_path / "after"))


def detail_of(found: Comparison, index: str) -> tuple[str, str]:
    row = found.values[found.values["index"] == index]
    assert len(row) == 1
    return str(row["cause"].item()), str(row["detail"].item())


# The same hits judged or placed otherwise


def test_other_context_rules_are_keep_and_leave_raw_counts_alone(tmp_path: Path):
    base = Made(scopes=("report", "report:strict"))
    judged = {"000001-2020": [hit(1), hit(2, is_strict=False), hit(3)]}
    after = replace(base, hits=judged, measuring={**MEASURING, "context_rules": "cc"})
    found = compared(tmp_path, base, after)
    assert detail_of(found, "mine_strict_total_count") == ("keep", "context rules (file) aa -> cc: -1 大数据")
    assert all("_strict_" in index for index in found.values["index"]) and found.unexplained == 0


def test_a_hit_that_left_its_section_is_the_readings_with_the_sections_length(tmp_path: Path):
    base = Made(scopes=("report", "mda"))
    moved = {"000001-2020": [hit(1), hit(2), hit(3, section="governance")]}
    after = replace(base, hits=moved, mda_characters=300, reading={**READING, "sections": "3"})
    found = compared(tmp_path, base, after)
    assert detail_of(found, "mine_mda_total_count") == ("reading", "same file, sections 2 -> 3: -1 大数据")
    cause, detail = detail_of(found, "mine_mda_total_per_10k_chars")
    assert (cause, detail) == (
        "reading",
        "same file, sections 2 -> 3: -1 大数据, Chinese characters of mda 400 -> 300",
    )
    assert all("_mda_" in index for index in found.values["index"])


# Versions


def spoil(folder: Path, index: str, value: float) -> None:
    """Put another value into an index."""
    path = folder / "indices_long.parquet"
    long = pd.read_parquet(path)
    long.loc[long["index"] == index, "value"] = value
    write_parquet(long, path, {})


def test_the_last_digit_by_another_package_is_software(tmp_path: Path):
    base = Made()
    before, after = base.write(tmp_path / "before"), replace(base, versions={"shuzhi": "1.0", "numpy": "2.1"})
    folder = after.write(tmp_path / "after")
    spoil(folder, "mine_total_log1p", float(np.nextafter(np.log1p(3), 2)))
    found = compare(before, folder)
    assert len(found.values) == 1
    cause, detail = detail_of(found, "mine_total_log1p")
    assert (cause, detail) == ("software", "numpy 2.0 -> 2.1: the same hits and lengths give another value")


def test_what_nothing_explains_is_said_first_and_stands_first(tmp_path: Path):
    base = Made([report(), report("000002")], {"000001-2020": [hit(1)], "000002-2020": [hit(1), hit(2, "云计算")]})
    before = base.write(tmp_path / "before")
    revised = report(file="new.pdf", document_id="new", revision="revised", revision_number=1)
    after = replace(
        base,
        reports=[revised, report("000002")],
        hits={"new": [hit(1), hit(4)], "000002-2020": base.hits["000002-2020"]},
    ).write(tmp_path / "after")
    spoil(after, "mine_words_log1p", 0.5)
    found = compare(before, after)
    # Neither is ln(1 + hits), of the firm with a revised report as little as of the one where nothing else changed.
    assert found.unexplained == 2
    assert set(found.values.loc[found.values["index"] != "mine_words_log1p", "cause"]) == {"revised_report"}
    assert found.summary()[0] == "UNEXPLAINED: 2 changes have no cause; they come first in changes.csv"
    write_changes({"": found}, tmp_path)
    rows = pd.read_csv(tmp_path / "changes.csv", dtype="str", encoding="utf-8-sig")
    assert rows["cause"].to_list()[:3] == ["unexplained", "unexplained", "revised_report"]


def test_hits_that_do_not_add_up_to_the_index_are_unexplained(tmp_path: Path):
    base = Made()
    after = replace(base, hits={"000001-2020": [hit(1), hit(2)]}, reading={**READING, "cleaning": "3"})
    before, folder = base.write(tmp_path / "before"), after.write(tmp_path / "after")
    kept = pd.read_parquet(folder / "hits.parquet").head(1)
    write_parquet(kept, folder / "hits.parquet", {})
    found = compare(before, folder)
    cause, detail = detail_of(found, "mine_total_count")
    assert cause == "reading"
    assert "-2 大数据" in detail and "+1 hits that hits.parquet does not show" in detail


@pytest.mark.parametrize(("knows", "cause"), [(True, "reading"), (False, "software")])
def test_an_older_export_that_names_no_methods_gives_software(tmp_path: Path, knows: bool, cause: str):
    reading, measuring = (READING, MEASURING) if knows else ({}, {})
    before = Made(reading=reading, measuring=measuring, has_terms=knows)
    hits = {"000001-2020": [hit(1), hit(2)]}
    shorter = [report(chinese_characters=990, body_chinese_characters=990)]
    changed = {**READING, "cleaning": "3"} if knows else {}
    after = replace(before, reports=shorter, hits=hits, reading=changed, versions={"shuzhi": "1.1", "numpy": "2.0"})
    found = compared(tmp_path, before, after)
    assert set(found.values["cause"]) == {cause}
    said = "cleaning 2 -> 3" if knows else "shuzhi 1.0 -> 1.1"
    assert detail_of(found, "mine_total_count")[1] == f"same file, {said}: -1 大数据"


# Whose report a file is, and whether it could be read


def test_another_identity_without_a_correction_is_the_programs(tmp_path: Path):
    base = Made([report(report_year_source="file name")])
    moved = report(report_year=2019, report_year_source="page 1")
    moved |= {"file": "000001_2020.pdf", "document_id": "000001-2020"}
    found = compared(tmp_path, base, replace(base, reports=[moved], reading={**READING, "identity": "3"}))
    assert found.firm_years[["change", "cause"]].to_numpy().tolist() == [["added", "identity"], ["removed", "identity"]]
    detail = found.firm_years["detail"].iloc[0]
    assert detail == "file 000001_2020.pdf: report_year 2020 -> 2019 (identity 2 -> 3)"


def test_the_same_file_that_can_be_read_at_last_is_the_readings(tmp_path: Path):
    failed = report(status="timeout", reason="took over 180 s", chinese_characters=None, tokens=None, sentences=None)
    before = Made([failed], {"other": [hit(1)]})
    found = compared(tmp_path, before, Made())
    assert set(found.values["cause"]) == {"reading"} and found.values["before"].isna().all()
    detail = detail_of(found, "mine_total_count")[1]
    assert "timeout -> ok (took over 180 s)" in detail and "missing before (took over 180 s)" in detail


def test_another_file_wins_that_was_known_before(tmp_path: Path):
    first, second = report(), report(file="other.pdf", document_id="other")
    lost = {"is_used": False, "use_status": "superseded"}
    hits = {"000001-2020": [hit(1)], "other": [hit(1), hit(2)]}
    before = Made([first, second | lost | {"use_reason": "superseded by 000001_2020.pdf"}], hits)
    after = replace(before, reports=[first | lost | {"use_reason": "superseded by other.pdf"}, second])
    found = compared(tmp_path, before, after)
    assert set(found.values["cause"]) == {"other_winner"}
    assert detail_of(found, "mine_total_count")[1] == (
        "file other.pdf is used instead of file 000001_2020.pdf: superseded by other.pdf: +1 大数据"
    )


# Text that is no text


def test_names_that_spreadsheets_would_run_are_the_same_file_and_pages_show_them_as_text(tmp_path: Path):
    base = Made([report(file="=cmd|x.pdf", company_name="<script>|公司")])
    after = replace(base, hits={"000001-2020": [hit(1), hit(2)]}, reading={**READING, "cleaning": "3"})
    after = replace(after, reports=[{**base.reports[0], "company_name": "<script>|新公司"}])
    found = compared(tmp_path, base, after)
    assert len(found.files) == 0
    write_changes({"mine": found}, tmp_path)
    page = (tmp_path / "CHANGES.md").read_text(encoding="utf-8")
    assert "<script>" not in page


def test_a_damaged_or_missing_file_is_one_line(tmp_path: Path):
    before, after = Made().write(tmp_path / "before"), Made().write(tmp_path / "after")
    (after / "hits.parquet").unlink()
    with pytest.raises(UsageError, match=r"hits\.parquet is missing; export again"):
        compare(before, after)
    (after / "hits.parquet").write_bytes(b"PAR1")
    spoil(after, "mine_total_count", 4.0)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        compare(before, after)
    assert "\n" not in str(caught.value)
