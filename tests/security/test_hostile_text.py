"""Text of reports, lists and users stays text: in every page, in a browser, in Markdown, in CSV and in Excel."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pandas as pd
import pytest

from flows import formats
from flows.coding_sheet import write_sheet
from tests.flows.browser import Browser, find_chromium

RAN = "window.ran=1"
SCRIPT = f"<script>{RAN}</script>"
IMAGE = f'"><img src=x onerror="{RAN}">'
HANDLER = f'" onmouseover="{RAN}" x="'
LINK = f"javascript:{RAN}"
CLOSING = f"</script><script>{RAN}</script><!--"
NAMES = (
    f"000001_2020_{SCRIPT.replace('/', '⁄')}.txt",
    f"000001_2021_{IMAGE}.txt",
    f"000002_2020_{HANDLER}.txt",
    f"000002_2021_javascript:{RAN}.txt",
    "000004_2020_=HYPERLINK(A1).txt",
)
FIRMS = {"000001": SCRIPT, "000002": f"=cmd|' /C calc'!A1 {IMAGE}", "000004": f"@SUM(1+1) {LINK}"}
TERMS = ("大数据", f"<b>云{HANDLER}", LINK, "=1+1", "+云计算")
LOADED = "document.readyState === 'complete'"
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
LIST = f"""\
name: hostile
family: hostile
title: {{zh: '{SCRIPT} 标题', en: '{CLOSING} | `title` [x]({LINK})'}}
verified: false
unit_of_count: occurrence
verified_note: 'from a colleague {IMAGE}'
authors: ['{SCRIPT}']
year: '2020'
dimensions:
  - id: one
    zh: '{IMAGE}'
    en: '=one | `{HANDLER}`'
    terms:
{chr(10).join(f"      - '{term}'" for term in TERMS)}
"""
SENTENCE = f"公司推进大数据与{TERMS[1]}、{LINK}、=1+1、+云计算建设 {SCRIPT}{CLOSING}{IMAGE}{HANDLER}。\n"
PLAIN = (
    "报告期内，公司经营情况良好，营业收入稳步增长，管理层对未来发展充满信心，并将继续提高治理水平。\n"
    "The board of directors confirms that this annual report contains no false statement and no material omission.\n"
    "During the reporting period the company continued to improve its management and its internal control system.\n"
)


def corrections() -> str:
    return "".join(
        f"- {{stock_code: '{code}', report_year: {year}, field: company_name, reason: '{IMAGE}', value: {value!r}}}\n"
        for code, name in FIRMS.items()
        for year in (2020, 2021)
        for value in [name.replace("'", "’")]
        if (code, year) != ("000004", 2021)
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the whole job over hostile files, with a hostile list and hostile corrections, as a user does."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "reports").mkdir()
    (root / "lists").mkdir()
    (root / "lists" / "hostile.yml").write_text(LIST, encoding="utf-8")
    (root / "corrections.yml").write_text(corrections(), encoding="utf-8")
    for name in NAMES:
        head = (
            f"平安银行股份有限公司\n{name[7:11]}年年度报告\n股票代码：{name[:6]}\n"
            + f"公司名称：{SCRIPT}股份有限公司\n"
        )
        try:
            (root / "reports" / name).write_text(head + (PLAIN * 8 + SENTENCE) * 20, encoding="utf-8")
        except OSError as error:
            pytest.skip(f"this file system has no such names: {error}")
    (root / "reports" / f"{IMAGE}{SCRIPT.replace('/', '⁄')}.pdf").write_bytes(b"<html>" + SCRIPT.encode())
    options = ["--dictionary", "hostile", "--dictionary-folder", "lists", "--corrections", "corrections.yml"]
    environment = {**os.environ, "PREFECT_HOME": str(root / "prefect"), "DO_NOT_TRACK": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "run", "reports", "--out", "out", *options],
        cwd=root, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root / "out"


class Markup(HTMLParser):
    """What a browser would make of a page: its elements, their handlers and their links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.policy = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self._inside = tag
        given = dict(attrs)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [given.get(name) or "" for name in ("href", "src", "action", "formaction") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data


def pages(out: Path) -> list[Path]:
    found = sorted(out.rglob("*.html"))
    assert {path.name for path in found} >= {"report.html", "evidence.html"}
    return found


def test_the_hostile_text_is_there(out: Path):
    documents = pd.read_csv(out / "documents.csv", dtype=str, encoding="utf-8-sig")
    assert set(NAMES) <= set(documents["file"])
    assert SCRIPT in documents["company_name"].tolist()
    hits = pd.read_parquet(out / "hits.parquet")
    assert set(TERMS) <= set(hits["term"])
    assert hits["sentence"].str.contains(re.escape(SCRIPT)).any()
    assert "ran=1" in (out / "report.html").read_text(encoding="utf-8")


def test_no_page_has_an_element_that_the_text_asked_for(out: Path):
    for path in pages(out):
        found = Markup(path.read_text(encoding="utf-8"))
        assert "img" not in found.elements
        assert found.handlers == []
        assert [link for link in found.links if not re.match(r"#|evidence\.html|report\.html", link)] == []
        assert RAN not in "".join(found.scripts)


def test_each_page_runs_its_own_script_alone(out: Path):
    import base64
    import hashlib

    for path in pages(out):
        found = Markup(path.read_text(encoding="utf-8"))
        own = [script for script in found.scripts if "use strict" in script]
        assert len(own) == 1
        digest = base64.b64encode(hashlib.sha256(own[0].encode("utf-8")).digest()).decode("ascii")
        assert f"script-src 'sha256-{digest}'" in found.policy
        assert "default-src 'none'" in found.policy
        assert "unsafe-inline" not in found.policy.replace("style-src 'unsafe-inline'", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium: set SHUZHI_CHROMIUM")
    page = Browser(program)
    yield page
    page.close()


def test_no_page_runs_it_in_a_browser(out: Path, browser: Browser):
    for path in pages(out):
        browser.visit(path.resolve().as_uri(), LOADED)
        # Everything that can be pressed is pressed, and every row looked at.
        browser.run("for (const each of document.querySelectorAll('button, [role=option]')) each.click()")
        browser.run(
            "for (const each of document.querySelectorAll('*')) each.dispatchEvent(new MouseEvent('mouseover'))"
        )
        assert browser.run("typeof window.ran") == "undefined"
        assert browser.run("document.querySelectorAll('img').length") == 0
        links = browser.run("Array.from(document.querySelectorAll('a[href]'), (each) => each.protocol)")
        assert set(links) <= {"file:", "http:", "https:", "blob:"}
        assert browser.problems == []


def test_a_page_with_a_planted_script_would_not_run_it(out: Path, browser: Browser, tmp_path: Path):
    # The witness of the two tests above: the policy holds even where escaping failed.
    for path in pages(out):
        planted = path.read_text(encoding="utf-8").replace("<body>", f"<body>{SCRIPT}<img src=x onerror='{RAN}'>")
        (tmp_path / path.name).write_text(planted, encoding="utf-8")
        browser.visit((tmp_path / path.name).as_uri(), LOADED)
        assert browser.run("typeof window.ran") == "undefined"
        (tmp_path / path.name).write_text(re.sub("<meta http-equiv[^>]*>", "", planted), encoding="utf-8")
        browser.visit((tmp_path / path.name).as_uri(), LOADED)
        assert browser.run("typeof window.ran") == "number"
    browser.problems.clear()


def test_no_cell_of_any_csv_file_runs_as_a_formula(out: Path):
    files = sorted(out.glob("*.csv"))
    assert len(files) >= 7
    escaped = 0
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.reader(lines):
                for cell in row:
                    if FORMULA.match(cell):
                        float(cell)  # numbers alone may begin with a sign
                    escaped += cell.startswith("'=")
    assert escaped > 0


def test_no_cell_of_a_workbook_is_a_formula(out: Path, tmp_path: Path):
    sample = pd.DataFrame({name: ["=1+1"] for name in ("company_name", "raw_term", "before", "hit", "after", "file")})
    sample = sample.assign(report_year=2020, page=3, stock_code="000001")
    from flows.coding_sheet import HIDDEN

    for name in HIDDEN:
        if name not in sample:
            sample[name] = "@SUM(1)"
    write_sheet(tmp_path / "sheet.xlsx", sample, "hits", {"sample_id": "=1"}, base="https://host.example")
    for path in (out / "indices.xlsx", tmp_path / "sheet.xlsx"):
        book = openpyxl.load_workbook(path)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert cells
        assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []


def test_what_was_escaped_reads_back_as_it_was(out: Path):
    from flows.quality_gate import read_panel

    written = pd.read_parquet(out / "indices.parquet")
    read = read_panel(str(out / "indices.csv"))
    assert read["company_name"].tolist() == written["company_name"].tolist()
    assert any(str(name).startswith("=") for name in read["company_name"])


def test_markdown_shows_the_text_as_it_is(out: Path):
    for path in out.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        outside = "".join(text.split("```")[::2])
        assert "<script" not in outside and "<img" not in outside, path.name
    table = [line for line in (out / "codebook.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in table]
    assert len(set(widths)) <= 6
    assert formats.in_markdown(f"{SCRIPT} | [x]({LINK})\n`a`") == (
        f"&lt;script>{RAN}&lt;/script> \\| \\[x\\]({LINK}) \\`a\\`"
    )
    assert "```" not in formats.in_fence("a```b")


def test_what_is_printed_as_csv_is_escaped_too():
    text = formats.csv_text(pd.DataFrame({"=name": ["=1+1", "+2", "plain"], "value": [-1, 2, 3]}))
    assert text == "'=name,value\n'=1+1,-1\n'+2,2\nplain,3\n"


def test_links_to_reports_are_quoted_in_workbooks():
    from flows.coding_sheet import link_to

    assert link_to("javascript:alert(1)", "a.pdf", 1) == ""
    assert link_to("https://host.example", '"><script>.pdf', 2).endswith(f"/{quote(chr(34) + '><script>.pdf')}#page=2")
