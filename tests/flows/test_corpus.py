"""The demo's PDFs: what PDFium reads from them is what was planted."""

import importlib.resources
import re
from collections import Counter
from pathlib import Path

import pdfplumber
import pypdfium2
import pytest

from flows.corpus import PlantedReport, write_corpus
from nlp.dictionary import parse

WU = importlib.resources.files("dictionaries").joinpath("wu2021.yml").read_text(encoding="utf-8")
TERMS = tuple(parse(WU, "wu2021.yml").terms)
YEARS = (2021, 2022, 2023)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[PlantedReport]]:
    folder = tmp_path_factory.mktemp("corpus") / "reports"
    return folder, write_corpus(folder, terms=TERMS, firms=5, years=YEARS)


def read_pages(file: Path) -> list[str]:
    document = pypdfium2.PdfDocument(file)
    try:
        return [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()


def count_terms(string: str) -> Counter[str]:
    """Count leftmost-longest by a plain scan, apart from the code under test."""

    def is_latin(character: str) -> bool:
        return character.isascii() and character.isalnum()

    def is_whole(start: int, end: int) -> bool:
        left = start > 0 and is_latin(string[start]) and is_latin(string[start - 1])
        right = end < len(string) and is_latin(string[end - 1]) and is_latin(string[end])
        return not left and not right

    by_length = sorted(TERMS, key=len, reverse=True)
    found, place = Counter[str](), 0
    while place < len(string):
        hits = (t for t in by_length if string.startswith(t, place) and is_whole(place, place + len(t)))
        term = next(hits, None)
        found.update([term] if term else [])
        place += len(term) if term else 1
    return found


def test_one_file_a_report_named_by_code_and_year(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    assert sorted(path.name for path in folder.iterdir()) == sorted(report.file for report in written)
    assert written[0].file == "004001_2021年年度报告.pdf"
    assert [report.fault for report in written].count("scanned") == 1
    assert [report.fault for report in written].count("broken") == 1
    assert all(report.planted_count == sum(report.planted.values()) for report in written)


def test_the_text_holds_what_was_planted(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    for report in written:
        if report.fault == "none":
            text = re.sub(r"\s", "", "".join(read_pages(folder / report.file)))
            assert count_terms(text) == Counter(report.planted), report.file


def test_terms_break_at_line_ends(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    sound = [report for report in written if report.fault == "none"]
    whole = sum(sum(count_terms("\n".join(read_pages(folder / report.file))).values()) for report in sound)
    assert whole < sum(report.planted_count for report in sound)


def test_every_page_says_that_it_is_simulated(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    pages = read_pages(folder / written[0].file)
    assert 10 <= len(pages) <= 18
    for number, page in enumerate(pages, 1):
        assert f"{written[0].company_name} 2021年年度报告全文（模拟数据）" in page
        assert f"第 {number} 页 共 {len(pages)} 页" in page
    assert "（模拟数据，仅供演示）" in pages[0]
    assert pypdfium2.PdfDocument(folder / written[0].file).get_metadata_value("Title").endswith("（模拟数据）")


def test_the_contents_list_points_to_the_headings(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    pages = read_pages(folder / written[0].file)
    entries = re.findall(r"(第.+节 .+?)\.{5,}(\d+)", pages[2])
    assert len(entries) == 12
    for heading, number in entries:
        assert heading in pages[int(number) - 1].splitlines()


def test_tables_are_drawn_with_lines(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    with pdfplumber.open(folder / written[0].file) as document:
        rows = [row for table in document.pages[3].extract_tables() for row in table]
    assert ["股票简称", "模拟星河", "股票代码", "004001"] in rows


def test_the_scan_has_pages_and_no_text(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    scan = next(report for report in written if report.fault == "scanned")
    pages = read_pages(folder / scan.file)
    assert len(pages) >= 10
    assert not "".join(pages).strip()


def test_the_broken_one_does_not_open(corpus: tuple[Path, list[PlantedReport]]):
    folder, written = corpus
    broken = next(report for report in written if report.fault == "broken")
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(folder / broken.file)


def test_the_same_seed_gives_the_same_bytes(corpus: tuple[Path, list[PlantedReport]], tmp_path: Path):
    folder, written = corpus
    assert write_corpus(tmp_path, terms=TERMS, firms=5, years=YEARS) == written
    for report in written:
        assert (tmp_path / report.file).read_bytes() == (folder / report.file).read_bytes()
    other = write_corpus(tmp_path, terms=TERMS, firms=5, years=YEARS, seed=1)
    assert [report.planted for report in other] != [report.planted for report in written]


@pytest.mark.parametrize("years", [(2020, 2021), (2020, 2020, 2021)])
def test_too_small_or_doubled_is_refused(tmp_path: Path, years: tuple[int, ...]):
    with pytest.raises(ValueError, match="at least 3 reports"):
        write_corpus(tmp_path, terms=TERMS, firms=1, years=years)
