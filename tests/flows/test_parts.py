"""Indices in parts of a report, corrections, gaps between years: a real Prefect, real workers, small text reports."""

import json

import pandas as pd
import pytest
from world import World, text_report

from flows.inspect_store import missing_firm_years
from flows.tables import SCHEMAS
from shuzhi import UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

HEADER = "平安银行股份有限公司2019年年度报告全文"
TITLES = (
    "重要提示、目录和释义",
    "公司简介和主要财务指标",
    "公司业务概要",
    "经营情况讨论与分析",
    "重要事项",
    "公司治理",
    "财务报告",
)
NUMBERS = "一二三四五六七"
FILLING = "本公司董事会认为经营情况良好，对全体股东长期以来的支持表示衷心感谢。\n" * 25


def pages(discussion: str = "经营情况讨论与分析") -> list[str]:
    """Return a report with hits in the business section (1), the discussion (3), the accounts (2), the glossary (1)."""
    titles = [title.replace("经营情况讨论与分析", discussion) for title in TITLES]
    headings = [f"第{number}节 {title}" for number, title in zip(NUMBERS, titles, strict=True)]
    contents = "目录\n" + "".join(f"{heading}{'.' * 30}{page}\n" for page, heading in enumerate(headings, start=3))
    words = {2: "公司业务涉及云计算。\n", 3: "公司建设大数据平台。\n公司采用人工智能技术。\n公司应用区块\n链技术。\n"}
    words |= {6: "无形资产包括大数据软件。\n其他应收款：云计算公司。\n"}
    bodies = [
        f"{heading}\n{words.get(place, '')}{FILLING}以上为{heading[-2:]}全文。\n"
        for place, heading in enumerate(headings)
    ]
    bodies[0] = bodies[0].replace(
        FILLING, "释义\n释义项 指 释义内容\n公司 指 平安银行\n大数据 指 数据集合\n报告期 指 2019年\n" + FILLING
    )
    cover = "平安银行股份有限公司\n2019年年度报告\n股票代码：000001\n"
    return [f"{HEADER}\n{page}\n{text}" for page, text in enumerate((cover, contents, *bodies), start=1)]


@pytest.fixture
def measured(world: World) -> World:
    """Read and measure one report with sections and one without."""
    world.put("000001_2019_年度报告.txt", "\f".join(pages()))
    world.put("000002_2019_年度报告.txt", text_report(大数据=2))
    world.read()
    world.measure(scopes=["report", "body", "mda", "without_financial_report", "business_overview+mda"])
    return world


def totals(world: World) -> dict[str, tuple[int | None, int | None]]:
    """Return the total count of both reports, by scope."""
    long = world.table("indices_long")
    rows = long[(long["dimension"] == "total") & (long["measure"] == "count")]
    table = rows.pivot(index="scope", columns="stock_code", values="value")
    return {
        str(scope): tuple(None if pd.isna(value) else int(value) for value in row)
        for scope, row in zip(table.index, table.to_numpy(), strict=True)
    }


def test_counts_by_hand_in_each_part_of_a_report(measured: World):
    measured.export()
    # The glossary has one more than the sections hold; a report without sections is null there, and never whole.
    assert totals(measured) == {
        "report": (1 + 1 + 3 + 2, 2),
        "body": (1 + 3 + 2, 2),
        "mda": (3, None),
        "without_financial_report": (1 + 3, None),
        "business_overview+mda": (1 + 3, None),
    }


def test_the_wide_table_has_a_column_for_each_part_and_says_why_one_is_missing(measured: World):
    measured.export()
    wide = measured.table().set_index("stock_code")
    names = [name for name in wide.columns if name.endswith("total_count")]
    assert names == [
        "wu2021_total_count",
        "wu2021_body_total_count",
        "wu2021_business_overview_and_mda_total_count",
        "wu2021_mda_total_count",
        "wu2021_without_financial_report_total_count",
    ]
    assert wide.loc["000001", "reason"] == ""
    assert "section mda was not found: no sequence of section headings was found" in wide.loc["000002", "reason"]


def test_hits_say_in_which_section_and_furniture_they_stand(measured: World):
    measured.export()
    hits = measured.table("hits")
    own = hits[hits["stock_code"] == "000001"][["term", "section", "furniture", "page"]]
    assert sorted(own.itertuples(index=False, name=None)) == sorted(
        [
            ("大数据", "important_notice", "glossary", 3),
            ("云计算", "business_overview", "", 5),
            ("大数据", "mda", "", 6),
            ("人工智能", "mda", "", 6),
            ("区块链", "mda", "", 6),
            ("大数据", "financial_report", "", 9),
            ("云计算", "financial_report", "", 9),
        ]
    )


def test_denominators_are_those_of_the_part(measured: World):
    measured.export()
    long = measured.table("indices_long")
    rows = long[
        (long["stock_code"] == "000001") & (long["measure"] == "per_10k_chars") & (long["dimension"] == "total")
    ]
    lengths = rows.set_index("scope")["denominator"]
    sections = pd.read_csv(measured.out / "sections.csv", dtype={"stock_code": str})
    sections = sections[sections["stock_code"] == "000001"].set_index("kind")["chinese_characters"]
    assert lengths["mda"] == sections["mda"]
    assert lengths["body"] - lengths["without_financial_report"] == sections["financial_report"]
    assert lengths["business_overview+mda"] == sections["mda"] + sections["business_overview"]
    # 第四节经营情况讨论与分析, the three sentences, 25 lines of 32 characters, 以上为分析全文.
    assert sections["mda"] == 3 + 9 + 9 + 10 + 9 + 25 * 32 + 7


def test_another_part_is_measured_without_matching_again(measured: World):
    summary = measured.measure(scopes=["governance"])
    assert (summary.parts_measured, summary.parts_cached) == (0, 1)
    measured.export(scopes=["governance"])
    assert set(measured.table("indices_long")["scope"]) == {"governance"}
    # What was measured before stays, and hits are not counted twice.
    measured.export()
    assert len(set(measured.table("indices_long")["scope"])) == 6
    assert totals(measured)["report"] == (7, 2)


def test_a_part_that_was_not_measured_cannot_be_exported(measured: World):
    with pytest.raises(UsageError, match="has no indices of shares longest; run 'shuzhi measure' first"):
        measured.export(scopes=["shares"])


def test_parts_of_older_hits_are_no_longer_in_force(measured: World):
    measured.measure(scopes=["report"], script="simplified")
    measured.export()
    assert totals(measured) == {"report": (7, 2)}


def test_a_directors_report_takes_the_place_of_the_discussion(world: World):
    world.put("000001_2019_年度报告.txt", "\f".join(pages("董事会报告")))
    world.run(scopes=["mda"])
    assert totals(world) == {"mda": (3,)}


def test_traditional_text_counts_under_simplified_terms_by_choice(world: World):
    world.put(
        "000001_2019_年度报告.txt", "平安银行股份有限公司2019年年度报告\n公司推進大數據與雲計算建設。\n" + text_report()
    )
    world.read()
    world.measure()
    world.export()
    assert totals(world) == {"report": (0,)}
    world.measure(script="simplified")
    world.export()
    assert totals(world) == {"report": (2,)}
    assert set(world.table("hits")["matched"]) == {"大數據", "雲計算"}


# Corrections


CORRECTIONS = """\
- file: 000002*.txt
  field: report_year
  value: 2018
  expect: 2019
  reason: the cover prints the year of filing
- file: gone.pdf
  field: kind
  value: annual
  reason: an old entry
- stock_code: 000001
  report_year: 2019
  field: company_name
  expect: 旧名
  value: 新名
  reason: renamed
"""


def test_corrections_override_what_was_found_and_say_what_became_of_them(world: World):
    world.put("000001_2019_年度报告.txt", "\f".join(pages()))
    world.put("000002_2019_年度报告.txt", text_report(大数据=2))
    file = world.root / "corrections.yml"
    file.write_text(CORRECTIONS, encoding="utf-8")
    summary = world.run(corrections=str(file)).reading
    assert [line.split(": ")[0] for line in summary.failed_corrections] == [
        "corrections.yml line 6",
        "corrections.yml line 10",
    ]
    assert len(summary.corrections) == 3
    assert list(world.counts()) == [("000001", 2019), ("000002", 2018)]
    documents = pd.read_csv(world.out / "documents.csv", dtype={"stock_code": str}).set_index("stock_code")
    assert (
        documents.loc["000002", "report_year_source"] == "corrections.yml line 1: the cover prints the year of filing"
    )
    run = json.loads((world.out / "run.json").read_text(encoding="utf-8"))
    assert run["this_run"]["reading"]["failed_corrections"] == summary.failed_corrections


def test_a_run_without_the_corrections_finds_what_it_found_before(world: World):
    world.put("000002_2019_年度报告.txt", text_report(大数据=2))
    file = world.root / "corrections.yml"
    file.write_text(CORRECTIONS, encoding="utf-8")
    world.run(corrections=str(file))
    assert list(world.counts()) == [("000002", 2018)]
    world.run()
    assert list(world.counts()) == [("000002", 2019)]


def test_bad_corrections_stop_the_run_before_anything_is_read(world: World):
    world.put("000002_2019_年度报告.txt", text_report(大数据=2))
    file = world.root / "corrections.yml"
    file.write_text("- file: a.txt\n  field: yaer\n  value: 1\n  reason: x\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"corrections\.yml: 1 problem\n  line 2 +unknown field yaer"):
        world.run(corrections=str(file))
    with pytest.raises(UsageError, match="cannot be read"):
        world.run(corrections=str(world.root / "nothing.yml"))
    assert not (world.root / "store").exists()


def test_an_excluded_file_is_no_firm_year(world: World):
    world.put("000001_2019_年度报告.txt", text_report(大数据=1))
    world.put("000001_2019_年度报告_草稿.txt", text_report(大数据=9) * 2)
    file = world.root / "corrections.yml"
    entry = "- file: '*草稿*'\n  field: status\n  value: exclude\n  reason: a draft\n"
    file.write_text(entry, encoding="utf-8")
    world.run(corrections=str(file))
    assert world.counts() == {("000001", 2019): 1}
    documents = pd.read_csv(world.out / "documents.csv").set_index("file")
    assert documents.loc["000001_2019_年度报告_草稿.txt", "use_reason"] == "excluded by corrections.yml line 1: a draft"


# Summaries, and firm-years with no report


def test_a_summary_counts_only_where_it_is_asked_for(world: World):
    world.put("000001_2019年年度报告摘要.txt", text_report(大数据=1))
    world.put("000001_2018年年度报告.txt", text_report(大数据=2))
    world.run()
    assert world.counts() == {("000001", 2018): 2}
    world.run(kinds=["annual", "summary"])
    assert world.counts() == {("000001", 2018): 2, ("000001", 2019): 1}


def test_firm_years_without_a_readable_report_are_listed_with_the_reason(world: World):
    world.put("000001_2016_年度报告.txt", text_report(大数据=1))
    world.put("000001_2018_年度报告.pdf", b"<html>404</html>")
    world.put("000001_2020_年度报告.txt", text_report(大数据=1))
    world.put("000001_2019年年度报告摘要.txt", text_report(大数据=1))
    world.put("600000_2020_年度报告.txt", text_report(大数据=1))
    world.read()
    found = missing_firm_years(world.store)
    assert found[["stock_code", "report_year"]].to_numpy().tolist() == [
        ["000001", 2017],
        ["000001", 2018],
        ["000001", 2019],
    ]
    assert found["reason"].tolist() == [
        "no file",
        "000001_2018_年度报告.pdf is not_a_pdf: a web page or XML"
        " (perhaps an error page saved by a downloader), not a PDF",
        "000001_2019年年度报告摘要.txt: not an annual report: summary",
    ]


def test_the_furniture_of_every_page_can_be_asked_for(measured: World):
    found = measured.store.query(SCHEMAS, "SELECT kind, count(*) AS n FROM furniture GROUP BY kind ORDER BY kind")
    assert found.to_numpy().tolist() == [
        ["contents", 1],
        ["glossary", 1],
        ["page_number", 9],
        ["running_header", 9],
    ]
