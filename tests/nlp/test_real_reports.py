"""Real reports against a second program: poppler's pdftotext, white space removed, counted by regular expressions."""

import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from functools import cache

import pytest

from nlp.match import Matcher
from shuzhi import ReadError

SCAN = "600526_2015_annual_inquiry_scan_ocr.pdf"
POINTER = "600965_2025_annual_lfs_pointer.pdf"
UNMAPPED = "hardcase_bad_tounicode_notareport.pdf"
# The PDF files that a reader sees text in, with their pages as a viewer counts them.
READABLE_PDFS = {
    "000001_2001_annual_full.pdf": 116,
    "000001_2003_annual_full.pdf": 125,
    "000001_2005_annual_full.pdf": 148,
    "000001_2008_annual_full.pdf": 224,
    "000001_2010_annual_full.pdf": 242,
    "000001_2013_annual_full.pdf": 189,
    "000001_2015_annual_full.pdf": 198,
    "000001_2016_annual_full.pdf": 202,
    "000002_2007_annual_full.pdf": 137,
    "000002_2009_annual_full.pdf": 211,
    "000002_2012_annual_full.pdf": 223,
    "000008_2016_annual_full.pdf": 196,
    "000008_2017_annual_full.pdf": 210,
    "000059_2019_annual_full.pdf": 121,
    "000585_2018Q1_quarterly.pdf": 22,
    "002099_2019_annual_full.pdf": 204,
    "200570_2019_annual_full.pdf": 170,
    "600519_2020_annual_full.pdf": 120,
    "603339_2019_annual_full.pdf": 156,
    "HK00640_2021_mda.pdf": 6,
    "HK01161_2021_annual_full_en.pdf": 124,
    "HK01678_2019_annual_full_en.pdf": 144,
    "HK02324_2021_annual_full_bilingual.pdf": 138,
    "HK02565_2025_annual_full_zh_hant.pdf": 174,
    UNMAPPED: 2,
    "hardcase_bond_prospectus_table_onepage.pdf": 1,
}
TEXT_FILES = (
    "000001_2006_annual_rongzhiy.txt",
    "000001_2018_annual.txt",
    "000001_2018_annual_rongzhiy.txt",
    "000004_2018_annual.txt",
    "000005_2018_annual.txt",
    "000006_2018_annual.txt",
    "000007_2018_annual.txt",
    "000008_2018_annual.txt",
    "000009_2018_annual.txt",
    "000010_2018_annual.txt",
    "002099_2019_annual_finglm_jsonl.txt",
    "601658_2019_annual_finglm_jsonl.txt",
    "HK00007_2020_mda_zh_hant.txt",
    "HK00640_2021_mda_zh_hant.txt",
    "HK00717_2021_mda_zh_hant.txt",
    "HK02324_2021_mda_zh_hant.txt",
)
# By how many Chinese characters poppler's text exceeds PDFium's, where it does: headings printed twice or not at all.
POPPLER_HAS_MORE = {
    "000001_2016_annual_full.pdf": 6,
    "HK00640_2021_mda.pdf": -8,
    "HK02324_2021_annual_full_bilingual.pdf": -205,
}


@pytest.fixture(scope="session")
def poppler(reports):
    """Text of a report by pdftotext, without white space, folded by NFKC and lower case."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")

    @cache
    def run(name):
        done = subprocess.run([program, "-enc", "UTF-8", reports / name, "-"], capture_output=True, check=True)
        text = unicodedata.normalize("NFKC", done.stdout.decode("utf-8", errors="replace"))
        return re.sub(r"\s+", "", text).lower()

    return run


def count_independently(text: str, term: str) -> int:
    """Count the places of a term in folded text; a Latin end of it must be a Latin word's end."""
    folded = term.lower()
    before = "(?<![0-9a-z])" if re.match("[0-9a-z]", folded) else ""
    after = "(?![0-9a-z])" if re.match("[0-9a-z]", folded[-1]) else ""
    return len(re.findall(f"(?={before}{re.escape(folded)}{after})", text))


def test_the_expected_files_are_the_44_of_the_folder(reports):
    found = {path.name for path in reports.iterdir() if path.suffix in (".pdf", ".txt")}
    expected = {*READABLE_PDFS, *TEXT_FILES, SCAN, POINTER}
    assert found == expected
    assert len(expected) == 44


@pytest.mark.parametrize("name", READABLE_PDFS)
def test_a_readable_pdf_is_ok_with_all_its_pages(read_report, name):
    document = read_report(name)
    assert (document.status, len(document.pages)) == ("ok", READABLE_PDFS[name])


@pytest.mark.parametrize("name", TEXT_FILES)
def test_a_text_file_is_ok(read_report, name):
    assert read_report(name).status == "ok"


def test_the_scan_with_recognised_text_is_scanned(read_report):
    document = read_report(SCAN)
    assert (document.status, document.text_pages, len(document.pages)) == ("scanned", 0, 6)


def test_the_git_lfs_pointer_is_not_a_pdf(read_report):
    with pytest.raises(ReadError, match="git-lfs") as caught:
        read_report(POINTER)
    assert caught.value.status == "not_a_pdf"


def test_the_file_with_a_wrong_tounicode_table_is_read_by_pdfplumber(read_report, cleaned_report):
    document = read_report(UNMAPPED)
    assert (document.status, document.readers) == ("ok", "pdfplumber 2")
    assert "大连理工大学信息检索研究室" in cleaned_report(UNMAPPED).folded


def test_json_lines_have_the_pages_of_the_same_report_as_pdf(read_report, cleaned_report):
    assert len(read_report("002099_2019_annual_finglm_jsonl.txt").pages) == READABLE_PDFS["002099_2019_annual_full.pdf"]
    assert "年度报告" in cleaned_report("002099_2019_annual_finglm_jsonl.txt").folded


@pytest.mark.parametrize("name", READABLE_PDFS)
def test_every_term_of_wu2021_counts_as_in_popplers_text(cleaned_report, poppler, wu2021, name):
    found = Counter(match.term for match in Matcher(wu2021, "substring").find(cleaned_report(name)))
    expected = {term: count_independently(poppler(name), term) for term in wu2021.terms}
    assert {term: found[term] for term in wu2021.terms} == expected


@pytest.mark.parametrize("name", READABLE_PDFS)
def test_chinese_characters_are_as_many_as_in_popplers_text(cleaned_report, poppler, name):
    expected = len(re.findall(r"[\u3400-\u4dbf\u4e00-\u9fff]", poppler(name))) - POPPLER_HAS_MORE.get(name, 0)
    # Another version of poppler may print those headings otherwise.
    tolerance = abs(POPPLER_HAS_MORE.get(name, 0))
    assert cleaned_report(name).chinese_characters == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("name", READABLE_PDFS)
def test_every_hit_stands_at_its_place_on_its_raw_page(cleaned_report, read_report, wu2021, name):
    text = cleaned_report(name)
    pages = read_report(name).pages
    for match in Matcher(wu2021, "longest").find(text):
        page, offset = text.locate(match.start)
        last_page, last_offset = text.locate(match.end - 1)
        raw = pages[page - 1].text[offset:]
        if last_page == page:
            raw = raw[: last_offset + 1 - offset]
        else:
            raw += pages[last_page - 1].text[: last_offset + 1]
        assert re.sub(r"\s", "", raw).lower() == match.term.lower()


@pytest.mark.parametrize(
    ("name", "hits"),
    [
        ("600519_2020_annual_full.pdf", 9),
        ("000008_2016_annual_full.pdf", 15),
        ("000008_2017_annual_full.pdf", 25),
    ],
)
def test_longest_hits_in_three_reports_counted_twice(cleaned_report, poppler, wu2021, name, hits):
    assert len(Matcher(wu2021, "longest").find(cleaned_report(name))) == hits
    # One pattern of all terms, longer ones first: findall takes them from the left without overlap.
    patterns = []
    for term in sorted(wu2021.terms, key=len, reverse=True):
        folded = term.lower()
        before = "(?<![0-9a-z])" if folded[0].isascii() else ""
        after = "(?![0-9a-z])" if folded[-1].isascii() else ""
        patterns.append(f"{before}{re.escape(folded)}{after}")
    assert len(re.findall("|".join(patterns), poppler(name))) == hits
