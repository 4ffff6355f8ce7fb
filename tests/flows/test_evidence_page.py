"""The evidence page, as a browser shows it: what is marked, linked and filtered, and that no report's text runs."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from browser import Browser, find_chromium

from flows.evidence_page import hold, in_scope, index_membership, relative_base, render_evidence
from nlp.scope import parse_scope

BEFORE, AFTER = "公司建成统一的", "平台，沉淀生产、销售与服务数据，为经营决策提供支持。"
ATTACK = '</script><script>window.hacked=1</script><img src=x onerror="window.hacked=1">"\'&lt;'
TERMS = {"大数据": "big_data", "云计算": "cloud", "人工智能": "ai"}


def identifier(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode("utf-8")).hexdigest()


def made_up(firms: int = 3, years: tuple[int, ...] = (2019, 2020), each: int = 4) -> dict[str, pd.DataFrame]:
    """Give each firm-year `each` hits of every term; in the first firm's last year the page starts a chapter later."""
    hits, documents, indices = [], [], []
    for firm in range(firms):
        code, name = f"{600000 + firm:06d}", f"第{firm}公司股份有限公司"
        for year in years:
            document = {"document_id": identifier(code, year), "file": f"{year}/{code} #{firm}%_年报.pdf"}
            document |= {"stock_code": code, "report_year": year, "is_used": True}
            own_hits = []
            documents.append(document | {"company_name": name, "status": "ok"})
            for number in range(each * len(TERMS)):
                term = list(TERMS)[number % len(TERMS)]
                is_mda = number < each
                own_hits.append(
                    document
                    | {
                        "dictionary": "wu2021",
                        "dictionary_hash": "0" * 12,
                        "rule": "longest",
                        "term": term,
                        "dimension": TERMS[term],
                        "page": number + 1,
                        "offset": 100 + len(BEFORE),
                        "end_page": number + 1,
                        "end_offset": 100 + len(BEFORE) + len(term),
                        "matched": term,
                        "sentence": BEFORE + term + AFTER,
                        "sentence_number": number + 1,
                        "sentence_page": number + 1,
                        "sentence_offset": 100,
                        "section": "mda" if is_mda else "governance",
                        "subsection": "",
                        "furniture": "glossary" if number == 0 else "",
                        "is_ocr": False,
                    }
                )
            hits += own_hits
            own = pd.DataFrame(own_hits)
            in_mda = own[(own["section"] == "mda") & (own["furniture"] == "")]
            for scope, part, rows in (("report", "", own), ("mda", "mda_", in_mda)):
                for dimension in ("total", *TERMS.values()):
                    count = len(rows) if dimension == "total" else int((rows["dimension"] == dimension).sum())
                    keys = {"stock_code": code, "company_name": name, "report_year": year, "dictionary": "wu2021"}
                    keys |= {"rule": "longest", "scope": scope, "dimension": dimension, "reason": ""}
                    keys |= {"document_id": document["document_id"]}
                    name_of = f"wu2021_{part}{dimension}"
                    indices.append(keys | {"index": f"{name_of}_count", "measure": "count", "value": float(count)})
                    indices.append(keys | {"index": f"{name_of}_log1p", "measure": "log1p", "value": np.log1p(count)})
    return {
        "hits": pd.DataFrame(hits),
        "documents": pd.DataFrame(documents),
        "indices_long": pd.DataFrame(indices),
    }


def page_of(frames: dict[str, pd.DataFrame], **given: Any) -> str:
    return render_evidence(**({"title": "原文证据"} | frames | given))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium: install one (apt-get install chromium), or name it with SHUZHI_CHROMIUM")
    opened = Browser(program)
    yield opened
    opened.close()


@pytest.fixture
def shown(browser: Browser, tmp_path: Path):
    """Write a page and open it."""

    def show(page: str, fragment: str = "") -> Browser:
        path = tmp_path / "evidence.html"
        path.write_text(page, encoding="utf-8")
        browser.problems.clear()
        browser.open(path, fragment)
        return browser

    return show


def found(browser: Browser) -> int:
    return int(str(browser.run("document.querySelector('output strong').textContent")).replace(",", ""))


def test_the_same_hits_give_the_same_page_whatever_their_order() -> None:
    frames = made_up()
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in frames.items()}
    # Rows of one firm-year and index keep their order among the indices: only hits and documents come unordered.
    shuffled["indices_long"] = frames["indices_long"]
    assert page_of(shuffled) == page_of(frames)
    page = page_of(frames)
    assert "http://" not in page and "https://" not in page and "src=" not in page


def test_a_hit_enters_the_indices_whose_numbers_it_makes() -> None:
    frames = made_up()
    hits, indices = frames["hits"], frames["indices_long"]
    entered = index_membership(hits, indices)
    sums = entered.groupby(hits["document_id"]).sum()
    counts = indices[indices["measure"] == "count"]
    for row in counts.to_dict("records"):
        assert sums.loc[row["document_id"], row["index"].removesuffix("_count")] == row["value"]
    # 4 hits of an mda of which one stands in the glossary.
    assert sums["wu2021_mda_total"].tolist() == [3] * 6 and sums["wu2021_total"].tolist() == [12] * 6


def test_a_hit_enters_no_index_that_has_no_value_and_none_from_a_report_that_is_not_used() -> None:
    frames = made_up(firms=1)
    indices, hits = frames["indices_long"], frames["hits"]
    lost = (indices["scope"] == "mda") & (indices["report_year"] == 2019)
    indices.loc[lost, "value"] = None
    hits.loc[hits["report_year"] == 2020, "is_used"] = False
    entered = index_membership(hits, indices)
    assert entered["wu2021_mda_total"].sum() == 0
    assert entered["wu2021_total"].sum() == 12


def test_parts_of_a_report_are_those_that_count() -> None:
    hits = pd.DataFrame(
        {
            "section": ["mda", "mda", "directors_report", ""],
            "subsection": ["", "", "mda_subpart", ""],
            "furniture": ["", "glossary", "", ""],
        }
    )
    parts = {
        "report": [True, True, True, True],
        "body": [True, False, True, True],
        "mda": [True, False, False, False],
        "mda+mda_subpart": [True, False, True, False],
        "without_mda": [False, False, True, True],
    }
    for name, expected in parts.items():
        assert in_scope(hits, parse_scope(name)).tolist() == expected, name


def test_too_many_hits_are_cut_by_whole_reports_and_said_so() -> None:
    frames = made_up()
    hits = frames["hits"]
    assert hold(hits, 72)[1] == {"why": "all", "hits": 72, "of_hits": 72, "reports": 6, "of_reports": 6}
    held, coverage = hold(hits, 40)
    assert coverage == {"why": "sample", "hits": 36, "of_hits": 72, "reports": 3, "of_reports": 6}
    assert held.groupby("document_id").size().tolist() == [12, 12, 12]
    assert "本页为抽样" in page_of(frames, most_hits=40) and "3 / 6" in page_of(frames, most_hits=40)
    hits.loc[hits["stock_code"] == "600002", "is_used"] = False
    assert hold(hits, 50)[1] == {"why": "used", "hits": 48, "of_hits": 72, "reports": 4, "of_reports": 6}
    assert "本页为抽样" not in page_of(frames, most_hits=50) and "只含用于指数的报告" in page_of(frames, most_hits=50)


def test_the_page_of_no_hits_stands(shown) -> None:
    frames = made_up(firms=1)
    browser = shown(page_of(frames | {"hits": frames["hits"].head(0)}))
    assert found(browser) == 0 and browser.problems == []


def test_where_reports_stand_is_relative_to_the_page(tmp_path: Path) -> None:
    assert relative_base(tmp_path / "data" / "pdf", tmp_path / "out") == "../data/pdf/"
    assert relative_base(tmp_path, tmp_path / "out") == "../"


def test_filters_leave_what_fits(shown) -> None:
    browser = shown(page_of(made_up()))
    assert found(browser) == 72 and browser.problems == []
    choose = "(name, value) => { const s = document.querySelector(`select[name=${name}]`); s.value = value;"
    choose += " s.dispatchEvent(new Event('change', {bubbles: true})); }"
    for name, value, count in (
        ("year", "2019", 36),  # 3 firms × 12
        ("term", "大数据", 12),  # 3 × 4
        ("section", "mda", 6),  # 4 hits of the mda are numbers 0 to 3, of which 0 and 3 are of this term
        ("flag", "furniture:glossary", 3),
        ("flag", "none", 3),
        ("index", "wu2021_mda_big_data", 3),
    ):
        browser.run(f"({choose})({json.dumps(name)}, {json.dumps(value)})")
        assert found(browser) == count, name
    fragment = "#term=" + quote("大数据") + "&section=mda&year=2019&index=wu2021_mda_big_data&flag=none"
    assert browser.run("location.hash") == fragment
    browser.run("document.querySelector('[data-do=clear]').click()")
    assert found(browser) == 72


def test_any_choice_is_a_link_and_a_number_leads_to_its_sentences(shown) -> None:
    frames = made_up()
    browser = shown(page_of(frames), "#code=600001&year=2020&index=wu2021_mda_total_log1p")
    assert found(browser) == 3
    # The other way: the table of an index, and a click on a number.
    browser = shown(page_of(frames), "#view=values&index=wu2021_total")
    assert browser.run("document.querySelectorAll('.matrix .firm').length") == 3
    browser.run("document.querySelector('.matrix .firm a').click()")
    browser.wait("document.querySelectorAll('.row').length === 12")
    assert browser.run("location.hash") == "#code=600000&year=2019&index=wu2021_total"
    assert browser.problems == []


def test_an_empty_list_says_why(shown) -> None:
    frames = made_up(firms=2)
    indices = frames["indices_long"]
    lost = (indices["stock_code"] == "600001") & (indices["report_year"] == 2020)
    indices.loc[lost, ["value", "reason"]] = [None, "第 1 页起没有文字"]
    gone = (frames["hits"]["stock_code"] == "600001") & (frames["hits"]["report_year"] == 2020)
    page = page_of(frames | {"hits": frames["hits"][~gone]})
    said = "document.querySelector('.empty').textContent"
    assert "第 1 页起没有文字" in shown(page, "#code=600001&year=2020").run(said)
    zero = indices.copy()
    zero.loc[lost, "value"] = 0.0
    page = page_of(frames | {"hits": frames["hits"][~gone], "indices_long": zero})
    assert "指数为零" in shown(page, "#code=600001&year=2020").run(said)
    held = hold(frames["hits"], 12)[0]["document_id"].iloc[0]
    left_out = next(row for row in frames["documents"].to_dict("records") if row["document_id"] != held)
    fragment = f"#code={left_out['stock_code']}&year={left_out['report_year']}"
    indices["value"] = indices["value"].fillna(3.0)
    browser = shown(page_of(frames, most_hits=12), fragment)
    assert f"shuzhi evidence --stock-code {left_out['stock_code']}" in browser.run(said)


def test_the_hit_is_marked_where_it_stands_and_its_page_is_linked(shown) -> None:
    frames = made_up(firms=1, years=(2020,), each=1)
    hit = frames["hits"].iloc[[1]].copy()
    # Of two occurrences in one sentence the second is meant, behind a character outside the basic plane.
    sentence = "𠮷云计算与云计算平台"
    hit[["term", "matched", "sentence", "sentence_offset", "page", "sentence_page"]] = [
        "云计算", "云计算", sentence, 50, 7, 7
    ]  # fmt: skip
    hit["offset"] = 50 + sentence.rindex("云计算")
    browser = shown(page_of(frames | {"hits": hit}, reports_base="../报告"))
    assert browser.run("document.querySelector('blockquote').innerHTML") == "𠮷云计算与<mark>云计算</mark>平台"
    assert browser.run("document.querySelector('.row .said').innerHTML") == "𠮷云计算与<mark>云计算</mark>平台"
    expected = "../报告/" + quote("2020/600000 #0%_年报.pdf") + "#page=7"
    assert browser.run("document.querySelector('aside a[data-open]').getAttribute('href')") == expected
    assert browser.run("document.querySelector('aside a[data-open]').hash") == "#page=7"


def test_a_folder_that_would_run_is_refused_and_a_text_file_has_no_page(shown) -> None:
    frames = made_up(firms=1, years=(2020,), each=1)
    browser = shown(page_of(frames, reports_base="javascript:alert(1)//"))
    assert browser.run("document.querySelector('aside a[data-open]')") is None
    frames["hits"]["file"] = "000001_2020.txt"
    browser = shown(page_of(frames, reports_base="https://example.org/pdf"))
    link = "document.querySelector('aside a[data-open]').getAttribute('href')"
    assert browser.run(link) == "https://example.org/pdf/000001_2020.txt"


def test_nothing_from_a_report_runs(shown) -> None:
    frames = made_up(firms=1, years=(2020,), each=1)
    hits = frames["hits"]
    for column in ("term", "dimension", "sentence", "matched", "dictionary", "section", "file", "stock_code"):
        hits[column] = ATTACK
    hits["kind"] = ATTACK
    hits[ATTACK] = True
    frames["documents"]["company_name"] = ATTACK
    for column in ("company_name", "stock_code"):
        frames["indices_long"][column] = ATTACK
    page = page_of(frames, title=ATTACK, reports_base=ATTACK)
    assert page.count("</script>") == 2 and "<img" not in page
    browser = shown(page)
    assert browser.run("document.querySelector('blockquote mark').textContent") == ATTACK
    assert browser.run("document.querySelector('aside h2').textContent") == ATTACK
    assert browser.run("document.title") == ATTACK
    browser.run("document.querySelector('[data-view=values]').click()")
    assert ATTACK in browser.run("document.querySelector('.matrix .firm').textContent")
    assert browser.run("window.hacked") is None and browser.problems == []
    # The page's own policy stops a script that found a way in all the same.
    browser.run(
        "{const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s)}"
    )
    assert browser.run("window.hacked") is None


def test_columns_that_come_later_are_shown(shown) -> None:
    frames = made_up(firms=1, years=(2020,), each=2)
    hits = frames["hits"]
    hits["kind"] = ["own", "plan"] * 3
    hits["org_name"] = [True, False, None, False, False, False]
    hits["new_flag"] = pd.array([True] * 6, dtype="boolean")
    hits["own_done"] = [0.25, None, 0.5, 0.5, 0.5, 0.5]
    hits["note"] = "手工核对"
    browser = shown(page_of(frames))
    assert browser.run("[...document.querySelectorAll('aside .chip')].map(each => each.textContent)") == [
        "释义",
        "机构名称",
        "new flag",
    ]
    assert "0.25" in browser.run("document.querySelector('aside dl').textContent")
    assert "手工核对" in browser.run("document.querySelector('aside dl').textContent")
    options = "[...document.querySelectorAll('select[name=kind] option')].map(each => each.textContent)"
    assert browser.run(options) == ["全部", "本公司计划 (3)", "本公司已做 (3)"]
    assert found(shown(page_of(frames), "#flag=org_name")) == 1
    assert found(shown(page_of(frames), "#kind=plan")) == 3


def test_it_can_be_used_without_a_mouse(shown) -> None:
    browser = shown(page_of(made_up()), "#code=600001")
    chosen = "document.querySelector('[aria-selected=true]').id"
    assert browser.run(chosen) == "row-0"
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    assert browser.run(chosen) == "row-2"
    browser.press("End")
    assert browser.run(chosen) == "row-23"
    browser.press("/", "/")
    assert browser.run("document.activeElement.name") == "q"
    for letter in "无支":
        browser.press(letter, letter)
    browser.wait("location.hash.includes('q=')")
    assert found(browser) == 0
    browser.press("Escape")
    browser.run("document.querySelector('[data-do=clear]').click()")
    browser.press("c", "c")
    browser.wait("document.body.dataset.copied")
    assert browser.run("document.body.dataset.copied") == (
        f"第0公司股份有限公司（600000）2019 年年度报告，第 1 页：“{BEFORE}【大数据】{AFTER}”"
    )


def test_what_is_copied_runs_in_no_spreadsheet(shown) -> None:
    frames = made_up(firms=1, years=(2020,), each=1)
    frames["hits"]["sentence"] = "=HYPERLINK(1)大数据云计算人工智能"
    browser = shown(page_of(frames))
    browser.run("document.querySelector('[data-do=copy]').click()")
    browser.wait("document.body.dataset.copied")
    lines = browser.run("document.body.dataset.copied").splitlines()
    assert lines[0].startswith("stock_code\tcompany_name\treport_year") and len(lines) == 4
    assert lines[1].endswith("\t'=HYPERLINK(1)【大数据】云计算人工智能")


def test_sorting_by_a_head_and_back(shown) -> None:
    browser = shown(page_of(made_up()), "#code=600001&year=2020")
    pages = "[...document.querySelectorAll('.row .page')].map(each => Number(each.textContent))"
    assert browser.run(pages) == list(range(1, 13))
    browser.run("document.querySelector('[data-sort=page]').click()")
    browser.run("document.querySelector('[data-sort=page]').click()")
    assert browser.run(pages) == list(range(12, 0, -1))
    assert browser.run("document.querySelector('[data-sort=page]').getAttribute('aria-sort')") == "descending"
    browser.run("document.querySelector('[data-sort=term]').click()")
    terms = browser.run(
        "[...document.querySelectorAll('.row > :nth-child(3) .one:first-child')].map(e => e.textContent)"
    )
    # By pinyin: da, ren, yun.
    assert terms == ["大数据"] * 4 + ["人工智能"] * 4 + ["云计算"] * 4


def test_browsers_that_cannot_decompress_show_the_same(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "evidence.html"
    path.write_text(page_of(made_up(firms=40)), encoding="utf-8")
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.DecompressionStream")
    try:
        browser.open(path, "#code=600039&year=2020&term=" + quote("云计算"))
        assert browser.run("typeof DecompressionStream") == "undefined"
        assert found(browser) == 4
        assert browser.run("document.querySelector('blockquote').textContent") == BEFORE + "云计算" + AFTER
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_it_prints_its_sentences(shown) -> None:
    browser = shown(page_of(made_up()), "#code=600001")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('.printed .row').length") == 24
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.querySelectorAll('.printed').length") == 0


def test_fifty_thousand_hits_stay_quick(shown) -> None:
    frames = made_up(firms=260, years=tuple(range(2012, 2020)), each=8)
    hits = frames["hits"]
    draw = np.random.default_rng(5)
    characters = np.array(list("公司数据平台生产销售服务决策经营研发技术客户管理系统智能建设提升推进应用业务"))
    around = ["".join(row) for row in draw.choice(characters, (len(hits), 60))]
    hits["sentence"] = [text[:30] + hit + text[30:] for text, hit in zip(around, hits["matched"], strict=True)]
    for flag in ("org_name", "negated", "other_party", "plan"):
        hits[flag] = draw.random(len(hits)) < 0.1
    hits["own_done"] = draw.random(len(hits))
    assert len(hits) == 49_920
    page = page_of(frames)
    assert len(page.encode("utf-8")) < 8_000_000
    # The best of three: the machine does other things as well.
    ready, filtering = [], []
    for _ in range(3):
        browser = shown(page)
        ready.append(float(browser.run("document.body.dataset.readyMilliseconds")))
        for fragment in (
            "#year=2015",
            "#q=" + quote("平台") + "&flag=plan",
            "#term=" + quote("云计算") + "&sort=-page",
        ):
            browser.run(f"location.hash = {json.dumps(fragment)}")
            browser.wait(f"location.hash === {json.dumps(fragment)}")
            browser.run("new Promise((done) => setTimeout(done, 60))")
            filtering.append(float(browser.run("document.body.dataset.filterMilliseconds")))
    assert min(ready) < 1000 and min(filtering) < 1000
    assert browser.run("document.querySelectorAll('.row').length") < 60
    started = time.monotonic()
    for _ in range(20):
        browser.press("PageDown")
    assert time.monotonic() - started < 5
