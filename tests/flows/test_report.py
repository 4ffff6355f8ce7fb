"""The report: what it counts, that nothing in it runs, and that it stands with next to nothing in it."""

from __future__ import annotations

import hashlib
import math
import re
import time
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flows import charts, report

FIRMS = {
    "000001": "平安银行股份有限公司",
    "000063": "中兴通讯股份有限公司",
    "002230": "科大讯飞股份有限公司",
    "300033": "浙江核新同花顺网络信息股份有限公司",
    "600519": "贵州茅台酒股份有限公司",
    "601012": "隆基绿能科技股份有限公司",
}
SENTENCES = {
    "人工智能": "公司持续加大{}研发投入，将算法能力应用于客户服务、质量检测与供应链预测等场景。",
    "云计算": "报告期内，公司以{}为底座完成核心业务系统迁移，系统可用性达到 99.99%。",
    "大数据": "公司建成统一的{}平台，沉淀生产、销售与服务数据，为经营决策提供支持。",
    "区块链": "公司参与制定{}供应链金融标准，累计服务上下游企业三百余家。",
    "数字化转型": "董事会审议通过《{}三年规划》，明确由总经理牵头推进，分年度考核落实情况。",
}
DIMENSIONS = dict(zip(SENTENCES, ["ai", "cloud", "big_data", "blockchain", "application"], strict=True))


def identifier(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode("utf-8")).hexdigest()


def made_up(years: range = range(2015, 2024), dictionaries: tuple[str, ...] = ("wu2021",)) -> dict[str, Any]:
    """Make frames as the other code makes them, with one unreadable report a year from 2016 on."""
    draw = np.random.default_rng(7)
    documents, hits, indices, failures = [], [], [], []
    for year in years:
        for number, (code, name) in enumerate(FIRMS.items()):
            document_id = identifier(code, year)
            lost = year > 2015 and (year + number) % 6 == 0
            status = ["scanned", "encrypted", "failed"][year % 3] if lost else "ok"
            file = f"{year}/{code}_{name}_{year}年年度报告.pdf"
            document = {"file": file, "document_id": document_id, "stock_code": code, "company_name": name}
            document |= {"report_year": year, "status": status, "is_used": not lost}
            documents.append(document)
            if lost:
                reason = "前 12 页没有文字，疑为扫描件"
                failures.append(document | {"stage": "read", "reason": reason, "pages": 180, "seconds": None})
            for dictionary in dictionaries:
                count = 0
                for term, sentence in SENTENCES.items():
                    n = 0 if lost else int(draw.poisson(0.8 + 0.5 * (year - 2014) * (0.3 + number / 4)))
                    count += n
                    hits += [
                        {
                            "document_id": document_id,
                            "file": file,
                            "stock_code": code,
                            "report_year": year,
                            "dictionary": dictionary,
                            "term": term,
                            "dimension": DIMENSIONS[term],
                            "page": 10 + at,
                            "offset": 100 + sentence.index("{"),
                            "matched": term,
                            "sentence": sentence.format(term),
                            "sentence_page": 10 + at,
                            "sentence_offset": 100,
                        }
                        for at in range(n)
                    ]
                row = {
                    "stock_code": code,
                    "company_name": name,
                    "report_year": year,
                    "dictionary": dictionary,
                    "scope": "report",
                }
                indices += [
                    row
                    | {
                        "dimension": "total",
                        "measure": "log1p",
                        "value": None if lost else math.log1p(count),
                    },
                    row | {"dimension": "total", "measure": "count", "value": None if lost else count},
                    row | {"dimension": "ai", "measure": "log1p", "value": None if lost else 0.0},
                ]
    return {
        "title": "数字化转型指数报告",
        "indices_long": pd.DataFrame(indices).astype({"report_year": "Int64", "value": "float64"}),
        "documents": pd.DataFrame(documents).astype({"report_year": "Int64"}),
        "hits": pd.DataFrame(hits).astype({"report_year": "Int64"}),
        "failures": pd.DataFrame(failures, columns=[*documents[0], "stage", "reason", "pages", "seconds"]),
        "provenance": {
            "parameters": {"years": list(years), "rule": "longest", "dictionaries": dictionaries},
            "versions": {"shuzhi": "0.1.0", "jieba": "0.42.1", "pandas": "3.1.1"},
            "dictionaries": {name: identifier(name) for name in dictionaries},
        },
    }


class Page(HTMLParser):
    """Check that tags close in order, and collect what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The only other page that is linked to stands beside this one.
        local = ("#", "evidence.html") if tag == "a" else ("#",)
        self.fetched += [
            str(value) for name, value in attrs if name in {"src", "href"} and not str(value).startswith(local)
        ]
        if tag not in {"meta", "br"}:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_the_page_stands_alone_and_is_the_same_each_time() -> None:
    page = report.render_report(**made_up())
    assert Page(page).fetched == []
    assert "http://" not in page and "https://" not in page and "url(" not in page and "@import" not in page
    assert page == report.render_report(**made_up())
    assert "模拟数据" not in page and "模拟数据" in report.render_report(**made_up(), simulated=True)
    assert '<html lang="en">' in report.render_report(**made_up(), report_language="en")
    assert page.index("各年覆盖") < page.index("Coverage by year")


def test_the_order_of_the_rows_does_not_matter() -> None:
    frames = made_up()
    shuffled = {
        name: value.sample(frac=1, random_state=3) if isinstance(value, pd.DataFrame) else value
        for name, value in frames.items()
    }
    assert report.render_report(**shuffled) == report.render_report(**frames)


def test_nothing_from_a_report_runs() -> None:
    attack = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    frames = made_up(range(2021, 2024))
    for name in ("documents", "indices_long", "failures"):
        frames[name]["company_name"] = attack
    for column in ("file", "reason", "status", "stock_code", "stage"):
        frames["failures"][column] = attack
    for column in ("term", "dimension", "sentence", "matched", "dictionary"):
        frames["hits"][column] = attack
    frames["documents"].loc[0, "status"] = attack
    frames["indices_long"]["dictionary"] = attack
    frames["provenance"] = {attack: {attack: attack}}
    page = report.render_report(**(frames | {"title": attack}))
    assert page.count("<script>") == 1 and "<img" not in page and "onerror=alert" in page
    Page(page)


def test_headline_counts() -> None:
    frames = made_up()
    counts = report.headline(frames["documents"], report.firm_year_series(frames["indices_long"]))
    lost = len(frames["failures"])
    assert lost == 8
    assert counts == {
        "files": 54,
        "read": 54 - lost,
        "unreadable": lost,
        "firm_years": 54 - lost,
        "firms": 6,
        "years": 9,
        "span": "2015–2023",
    }


def test_coverage_counts_every_file_once() -> None:
    documents = made_up(range(2020, 2022))["documents"]
    documents.loc[0, "report_year"] = pd.NA
    documents["is_used"] = pd.Series([None, *documents["is_used"][1:]], dtype="object")
    found = report.coverage(documents)
    assert found["statuses"][0] == "ok"
    assert [row["year"] for row in found["rows"]] == ["2020", "2021", "—"]
    assert sum(row["files"] for row in found["rows"]) == len(documents)
    assert all(sum(row["counts"]) == row["files"] for row in found["rows"])
    assert found["rows"][-1]["used"] == 0


def test_missing_is_not_zero_in_the_yearly_table() -> None:
    frames = made_up(range(2020, 2022))
    series = report.firm_year_series(frames["indices_long"])
    rows = report.index_by_year(series)
    assert [row["n"] for row in rows] == [5, 5]
    values = series.loc[series["report_year"] == 2020, "value"]
    assert rows[0]["mean"] == pytest.approx(values.mean())
    assert rows[0]["median"] == pytest.approx(values.median())


def test_failures_are_listed_up_to_a_limit_and_every_status_shows() -> None:
    rows = {
        "file": [f"{n:04}.pdf" for n in range(500)],
        "status": ["scanned"] * 490 + ["timeout"] * 5 + ["新"] * 5,
    }
    failures = pd.DataFrame(rows).assign(stock_code=None, report_year=pd.NA, stage="read", reason="r")
    groups = report.failures_by_status(failures)
    assert [(group["status"], group["count"], len(group["files"])) for group in groups] == [
        ("scanned", 490, 190),
        ("timeout", 5, 5),
        ("新", 5, 5),
    ]
    assert groups[0]["files"][0]["file"] == "0000.pdf" and groups[0]["files"][0]["stock_code"] == ""


def test_a_file_that_was_read_but_not_identified_is_no_group_called_ok() -> None:
    failures = pd.DataFrame({"file": ["a.pdf"], "status": ["ok"], "stage": ["identify"], "reason": ["no year"]})
    groups = report.failures_by_status(failures.assign(stock_code=None, report_year=None))
    assert [group["status"] for group in groups] == ["identify"]
    assert "文件名" in groups[0]["way_out"][0]


def test_top_terms_count_used_documents_only() -> None:
    frames = made_up()
    documents, hits = frames["documents"], frames["hits"]
    documents["is_used"] = documents["is_used"] & (documents["report_year"] != 2023)
    found = report.top_terms(hits, documents[documents["is_used"]])["wu2021"]
    expected = hits[hits["report_year"] != 2023].groupby("term")
    assert {row["term"]: row["count"] for row in found} == expected.size().to_dict()
    assert {row["term"]: row["firm_years"] for row in found} == expected["document_id"].nunique().to_dict()
    assert [row["count"] for row in found] == sorted((row["count"] for row in found), reverse=True)
    for row in found:
        assert len({line["stock_code"] for line in row["sentences"]}) == 3
        for line in row["sentences"]:
            assert line["hit"] == row["term"]
            assert line["before"] + line["hit"] + line["after"] == SENTENCES[row["term"]].format(row["term"])


def test_one_firm_still_gives_three_sentences() -> None:
    frames = made_up()
    used = frames["documents"].query("stock_code == '601012' and is_used")
    found = report.top_terms(frames["hits"], used)["wu2021"]
    assert [len(row["sentences"]) for row in found] == [3] * 5
    assert all(len({line["year"] for line in row["sentences"]}) == 3 for row in found)


@pytest.mark.parametrize(
    ("sentence", "matched", "offset", "shown"),
    [
        ("云与云与云。", "云", 102, ("云与", "云", "与云。")),
        ("云与云与云。", "云", 104, ("云与云与", "云", "。")),
        ("发展人工智能。", "人工\n智能", 102, ("发展", "人工智能", "。")),
        ("没有它。", "人工智能", 100, ("", "", "没有它。")),
        ("前" * 70 + "云" + "后" * 70, "云", 170, ("…" + "前" * 60, "云", "后" * 60 + "…")),
        (None, "云", 100, ("", "", "")),
    ],
)
def test_the_hit_is_marked_where_it_is(
    sentence: str | None, matched: str, offset: int, shown: tuple[str, str, str]
) -> None:
    hit = {"sentence": sentence, "matched": matched, "term": "云计算", "page": 3, "offset": offset}
    hit |= {"sentence_page": 3, "sentence_offset": 100}
    document = pd.Series({"company_name": None, "stock_code": "000001", "report_year": 2020})
    line = report._in_context(pd.Series(hit), document)
    assert (line["before"], line["hit"], line["after"]) == shown
    assert line["firm"] == "000001"


def test_jumps_compare_neighbouring_years_of_a_firm() -> None:
    rows = [
        ("a", 2018, 1.0),
        ("a", 2019, 3.0),
        ("a", 2021, 9.0),  # two years later: no jump
        ("b", 2019, 2.0),
        ("b", 2020, 0.0),
        ("c", 2019, 1.0),
        ("c", 2020, 1.0),  # no change: no jump
    ]
    series = pd.DataFrame(rows, columns=["stock_code", "report_year", "value"]).assign(company_name="x")
    found = report.jumps(series)
    assert [(row["stock_code"], row["report_year"], row["change"]) for row in found] == [
        ("a", 2019, 2.0),
        ("b", 2020, -2.0),
    ]
    assert (found[1]["count_before"], found[1]["count"]) == (round(math.expm1(2.0)), 0)


def test_a_year_without_values_leaves_a_gap_in_the_line() -> None:
    numbers = {"n": 1, "mean": 1.0, "median": 1.0, "low": 0.5, "high": 1.5}
    chart = charts.line_chart([numbers | {"year": year} for year in (2018, 2019, 2021)])
    assert chart.count('<polyline class="mean"') == 2
    years = re.findall(r'text-anchor="middle">([^<]+)<', chart)
    assert years == ["2018", "2019", "2020", "2021"]


@pytest.mark.parametrize("top", [0.0, 0.03, 0.7, 1.0, 4.9, 5.0, 123.4, 0, 1, 3, 7, 54, 40_000])
def test_ticks_reach_the_top_in_a_few_round_steps(top: float) -> None:
    ticks = charts.round_steps(top)
    assert ticks[0] == 0 and ticks[-1] >= top and 2 <= len(ticks) <= 6
    assert not isinstance(top, int) or all(tick == int(tick) for tick in ticks)


def test_a_page_with_nothing_in_it() -> None:
    frames = made_up(range(2020, 2021))
    empty = {name: value.head(0) if isinstance(value, pd.DataFrame) else value for name, value in frames.items()}
    page = report.render_report(**(empty | {"provenance": {}}))
    Page(page)
    assert (
        "没有文件" in page
        and "没有可计算指数的报告" in page
        and "没有命中" in page
        and not re.search(r"\bnan\b", page, re.IGNORECASE)
    )


def test_a_page_without_a_readable_report() -> None:
    frames = made_up(range(2020, 2021))
    frames["documents"] = frames["documents"].assign(status="scanned", is_used=False, report_year=pd.NA)
    frames["indices_long"]["value"] = np.nan
    page = report.render_report(**frames)
    Page(page)
    assert "没有可计算指数的报告" in page and "没有命中" in page


def test_a_page_of_one_year_and_of_zeros() -> None:
    frames = made_up(range(2020, 2021))
    frames["indices_long"]["value"] = frames["indices_long"]["value"].where(frames["indices_long"]["value"].isna(), 0.0)
    frames["hits"] = frames["hits"].head(0)
    page = report.render_report(**frames)
    Page(page)
    assert "100.0%" in page and "没有相邻两年都有指数的公司" in page and not re.search(r"\bnan\b", page, re.IGNORECASE)


@pytest.mark.slow
def test_a_large_run_stays_quick_and_small() -> None:
    frames = made_up(dictionaries=("wu2021", "zhao2021", "yuan2021"))
    frames["hits"] = pd.concat([frames["hits"]] * 250, ignore_index=True)
    start = time.perf_counter()
    page = report.render_report(**frames)
    assert time.perf_counter() - start < 60
    assert len(page.encode("utf-8")) < 1_000_000
