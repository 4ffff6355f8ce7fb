"""Sections in the forms that regulators and kinds of firms gave annual reports, and the traps no visible report has.

The titles are those of the CSRC's form of annual reports (编报规则 2 号) in its versions since 2001, of the exchanges'
templates, and of banks, brokers and insurers. Each report is built page by page, so that every true place is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from nlp.section_titles import kind_of
from nlp.sections import Section, SectionMap, find_sections
from tests.benchmarks.section_changes import numeral

LINE = "报告期内，公司围绕年度经营目标开展各项工作，主营业务保持稳定。\n"
FRONT = "重要提示、目录和释义"
MID_2016 = ("重要事项", "股份变动及股东情况", "优先股相关情况")
PEOPLE = "董事、监事、高级管理人员和员工情况"
OLD = ("会计数据和业务数据摘要", "股本变动及股东情况", PEOPLE, "公司治理结构", "股东大会情况简介")
END_OLD = ("董事会报告", "监事会报告", "重要事项", "财务报告", "备查文件目录")
SSE_TAIL = (PEOPLE, "公司治理", "公司债券相关情况", "财务报告", "备查文件目录")

FORMS: dict[str, tuple[str, ...]] = {
    "CSRC 2001": ("公司基本情况简介", *OLD, *END_OLD),
    "CSRC 2003": ("重要提示及目录", "公司基本情况简介", *OLD, *END_OLD),
    "CSRC 2005": ("重要提示", "公司基本情况简介", *OLD, *END_OLD[:-2], "财务会计报告", "备查文件"),
    "CSRC 2007": ("重要提示及目录", "公司基本情况", *OLD, *END_OLD),
    "CSRC 2012": (
        *(FRONT, "公司简介", "会计数据和财务指标摘要", "董事会报告", "重要事项", "股份变动及股东情况"),
        *(PEOPLE, "公司治理", "内部控制", "财务报告", "备查文件目录"),
    ),
    "CSRC 2014": (
        *(FRONT, "公司简介", "会计数据和财务指标摘要", "董事会报告", *MID_2016, PEOPLE),
        *("公司治理", "内部控制", "财务报告", "备查文件目录"),
    ),
    "CSRC 2015": (
        *(FRONT, "公司简介和主要财务指标", "公司业务概要", "管理层讨论与分析", *MID_2016, PEOPLE),
        *("公司治理", "财务报告", "备查文件目录"),
    ),
    "CSRC 2016": (FRONT, "公司简介和主要财务指标", "公司业务概要", "经营情况讨论与分析", *MID_2016, *SSE_TAIL),
    "SZSE 2019": (
        *(FRONT, "公司简介和主要财务指标", "公司业务概要", "经营情况讨论与分析", *MID_2016),
        *("可转换公司债券相关情况", *SSE_TAIL),
    ),
    "SZSE 2018, ten sections": (
        *(FRONT, "公司简介和主要财务指标", "公司业务概要", "经营情况讨论与分析", *MID_2016[:2], PEOPLE),
        *("公司治理", "财务报告", "备查文件目录"),
    ),
    "SSE 2013": (
        *("释义及重大风险提示", "公司简介", "会计数据和财务指标摘要", "董事会报告", "重要事项"),
        *("股份变动及股东情况", PEOPLE, "公司治理", "内部控制", "财务会计报告", "备查文件目录"),
    ),
    "SSE 2019": (
        *("释义", "公司简介和主要财务指标", "公司业务概要", "经营情况讨论与分析", "重要事项"),
        *("普通股股份变动及股东情况", "优先股相关情况", *SSE_TAIL),
    ),
    "CSRC 2021": (
        *(FRONT, "公司简介和主要财务指标", "管理层讨论与分析", "公司治理", "环境和社会责任", *MID_2016),
        *("债券相关情况", "财务报告"),
    ),
    "CSRC 2025": (
        *(FRONT, "公司简介和主要财务指标", "管理层讨论与分析", "公司治理、环境和社会", *MID_2016[:2]),
        *("债券相关情况", "财务报告"),
    ),
    "BSE": (
        *(FRONT, "公司概况", "会计数据和财务指标", "管理层讨论与分析", "重大事件", "股份变动和融资"),
        *("融资与利润分配情况", "董事、监事、高级管理人员及员工情况", "行业信息"),
        *("公司治理、内部控制和投资者保护", "财务会计报告", "备查文件目录"),
    ),
    "NEEQ": (
        *("声明与提示", "公司概况", "会计数据和财务指标摘要", "管理层讨论与分析", "重要事项", "股本变动及股东情况"),
        *("融资及分配情况", "董事、监事、高级管理人员及员工情况", "公司治理及内部控制", "财务报告"),
    ),
    "bank, letters as sections": (
        *("重要提示、目录及释义", "公司简介", "会计数据和财务指标摘要", "董事长致辞", "行长致辞", "管理层讨论与分析"),
        *("公司治理、环境和社会", "重要事项", "股份变动及股东情况", "财务报告"),
    ),
    "bank, directors' report later": (
        *(FRONT, "公司简介和主要财务指标", "董事长致辞", "行长致辞", "管理层讨论与分析", "公司治理、环境和社会"),
        *("重要事项", "股份变动及股东情况", "董事会报告", "附件（财务报表及审计报告）"),
    ),
    "bank, 2010": (
        *("重要提示", "公司基本情况简介", "财务数据和业务数据摘要", "管理层讨论与分析", "股本变动及股东情况", PEOPLE),
        *("公司治理结构", "股东大会情况简介", "董事会报告", "监事会报告", "重要事项", "财务报告", "备查文件"),
    ),
    "bank, unusual parts": (
        *("释义", "重要提示", "公司基本情况", "财务概要", "排名与获奖情况", "领导致辞", "讨论与分析"),
        *("股本变动及股东情况", "董事、监事、高级管理人员情况", "公司治理", "董事会报告", "监事会报告"),
        *("关联交易及关联交易管理制度的执行情况", "重要事项", "组织结构图", "审计报告及财务报告", "备查文件目录"),
    ),
    "broker": (
        *("重要提示及释义", "公司简介", "会计数据和财务指标摘要", "公司业务概要", "董事会报告", "重要事项"),
        *("股份变动及股东情况", PEOPLE, "公司治理", "内部控制", "财务会计报告", "证券公司信息披露", "备查文件目录"),
    ),
    "insurer": (
        *("公司信息", "财务摘要", "董事长致辞", "管理层讨论与分析", "内含价值", "重要事项", "股份变动及股东情况"),
        *("董事、监事、高级管理人员及员工情况", "公司治理", "内部控制", "财务报告", "备查文件目录"),
    ),
    "董事局": ("重要提示", "公司基本情况简介", *OLD, "董事局报告", *END_OLD[1:]),
}
NUMBERINGS = {
    "第一节 ": lambda number: f"第{numeral(number)}节 ",
    "第一节": lambda number: f"第{numeral(number)}节",
    "第一章 ": lambda number: f"第{numeral(number)}章　",
    "一、": lambda number: f"{numeral(number)}、",
    "1. ": lambda number: f"{number}. ",
    "no numbers": lambda number: "",
}


@dataclass
class Report:
    """A report that is built page by page, with the true places of its headings."""

    pages: list[str] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    def add_page(self, text: str = "") -> None:
        number = len(self.pages) + 1
        self.pages.append(f"某某股份有限公司 2019 年年度报告全文\n{number}\n{text}")

    def write(self, text: str) -> None:
        self.pages[-1] += text

    def head(self, heading: str) -> None:
        self.places.append((len(self.pages), len(self.pages[-1])))
        self.write(f"{heading}\n")

    def place(self, section: Section) -> tuple[int, int]:
        return section.start_page, section.start_offset


def inner(title: str, numbered: bool) -> str:
    """Return the text of a section with inner units that have numbers and titles like sections."""
    if not numbered:
        return LINE * 18
    heads = ("概述", "主营业务分析", "其他重大事项的说明", "公司治理的基本状况")
    return "".join(f"{numeral(number)}、{head}\n{LINE * 4}" for number, head in enumerate(heads, start=1))


def build(headings: Sequence[str], *, contents: bool = True, every: int = 2, inner_units: bool = True) -> Report:
    """Build a report whose sections begin on fresh pages, except every so many that begins in the middle of one."""
    report = Report()
    report.add_page("某某股份有限公司\n2019 年年度报告\n2020 年 4 月\n")
    listed = "".join(f"{heading}........{page}\n" for page, heading in enumerate(headings, start=4))
    report.add_page(f"目录\n{listed}" if contents else "公司声明\n")
    for place, heading in enumerate(headings):
        if place % every == 0:
            report.add_page()
        report.head(heading)
        report.write(inner(heading, inner_units))
    return report


def discussion_of(titles: Sequence[str]) -> str:
    kinds = [kind_of(title) for title in titles]
    return titles[kinds.index("mda" if "mda" in kinds else "directors_report")]


def check(report: Report, found: SectionMap, headings: Sequence[str]) -> None:
    assert [section.heading for section in found.sections] == ["".join(heading.split()) for heading in headings]
    assert [report.place(section) for section in found.sections] == report.places


@pytest.mark.parametrize("contents", [True, False], ids=["contents", "no contents"])
@pytest.mark.parametrize("numbering", NUMBERINGS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_every_numbering(form: str, numbering: str, contents: bool) -> None:
    titles = FORMS[form]
    headings = [f"{NUMBERINGS[numbering](number)}{title}" for number, title in enumerate(titles, start=1)]
    if numbering == "no numbers" and not contents:
        return
    # Inner units are numbered 一、 themselves, which no reader could tell from such sections without contents.
    report = build(headings, contents=contents, inner_units=contents or numbering != "一、")
    found = find_sections(report.pages)
    assert found.discussion is not None
    assert found.discussion.heading.endswith(discussion_of(titles))
    if not contents and numbering in ("一、", "1. ") and any(kind_of(title) == "other" for title in titles):
        # Only the contents tell an unusual title from an inner unit's: it is left out, and the section before flagged.
        assert {report.place(section) for section in found.sections} < set(report.places)
        flagged = [section for section in found.sections if "is missing" in "".join(section.checks)]
        assert all(section.confidence < 0.5 for section in flagged)
        return
    check(report, found, headings)
    # Without numbers an unusual title after the discussion could be that of a part of it.
    unsure = numbering == "no numbers" and titles[titles.index(discussion_of(titles)) + 1] == "内含价值"
    assert (found.discussion.confidence < 0.5) == unsure, found.discussion


@pytest.mark.parametrize("form", FORMS)
def test_titles_of_the_forms_have_kinds(form: str) -> None:
    unusual = {"排名与获奖情况", "组织结构图", "融资与利润分配情况", "融资及分配情况", "行业信息", "证券公司信息披露"}
    unusual |= {"内含价值", "附件（财务报表及审计报告）", "股份变动和融资"}
    assert {title for title in FORMS[form] if kind_of(title) == "other"} <= unusual
    assert [kind_of(title) for title in FORMS[form]].count("mda") <= 1


def test_contents_that_begin_with_page_numbers() -> None:
    titles = (
        "公司简介",
        "财务概要",
        "董事长致辞",
        "管理层讨论与分析",
        "公司治理",
        "董事会报告",
        "重要事项",
        "审计报告",
    )
    report = build(titles, contents=False, inner_units=False)
    pages = [4, 8, 11, 15, 60, 75, 80, 92]
    listed = "".join(f"{page} {title}\n" for page, title in zip(pages, titles, strict=True))
    report.pages[1] = f"目录\n{listed}"
    found = find_sections(report.pages)
    check(report, found, titles)
    assert found.discussion is not None
    assert (found.discussion.heading, found.discussion.confidence >= 0.5) == ("管理层讨论与分析", True)


def test_parts_of_the_discussion_that_are_listed_like_sections_make_it_doubtful() -> None:
    """Without numbers nothing tells that 财务报表分析 and 风险管理 belong to 讨论与分析."""
    titles = ("公司简介", "财务概要", "行长致辞", "讨论与分析", "财务报表分析", "风险管理", "公司治理", "重要事项")
    found = find_sections(build(titles, inner_units=False).pages)
    assert found.discussion is None or found.discussion.confidence < 0.5
    assert kind_of("财务报表分析") == "other"


def test_parts_that_stand_in_place_of_a_discussion_make_the_directors_report_doubtful() -> None:
    titles = ("公司简介", "财务概要", "业务综述", "风险管理", "董事会报告", "监事会报告", "重要事项", "财务报告")
    report = build([f"第{numeral(number)}节 {title}" for number, title in enumerate(titles, start=1)])
    report.pages[3] += LINE * 200
    found = find_sections(report.pages)
    assert found.discussion is not None
    assert found.discussion.confidence < 0.5
    assert any("could be the discussion" in check for check in found.discussion.checks)


# -------------------------------------------------------------------------------------------------------- traps

NINE = FORMS["CSRC 2003"]
NUMBERED = [f"第{numeral(number)}节 {title}" for number, title in enumerate(NINE, start=1)]
NEWER = [f"第{numeral(number)}节 {title}" for number, title in enumerate(FORMS["CSRC 2016"], start=1)]


def test_financial_statements_attached_after_the_last_section() -> None:
    report = build(NUMBERED)
    report.add_page("附件\n")
    report.write("审计报告\n" + LINE * 20)
    report.places.append((len(report.pages), report.pages[-1].index("附件")))
    for _ in range(30):
        report.add_page(LINE * 20)
    found = find_sections(report.pages)
    check(report, found, [*NUMBERED, "附件"])
    closing, annex = found.sections[-2:]
    assert (closing.kind, closing.confidence, annex.kind) == ("reference_documents", 1.0, "financial_report")
    assert closing.end_page == len(report.pages) - 31


def test_a_box_of_reference_documents_on_the_contents_page_is_no_section() -> None:
    report = build([f"第{numeral(n)}节 {title}" for n, title in enumerate(FORMS["CSRC 2021"], start=1)])
    report.pages[1] += (
        "\n备查文件目录\n载有公司负责人、主管会计工作负责人签名并盖章的财务报表。\n报告期内公开披露过的公告原稿。\n"
    )
    found = find_sections(report.pages)
    assert [report.place(section) for section in found.sections] == report.places
    assert found.contents_pages == (2,)


def test_three_sections_on_a_page_that_hold_one_line_each() -> None:
    headings = [f"第{numeral(n)}节 {title}" for n, title in enumerate(FORMS["CSRC 2021"], start=1)]
    report = Report()
    report.add_page("某某股份有限公司\n2021 年年度报告\n")
    pages = [3, 4, 5, 6, 7, 8, 9, 9, 9, 10]
    report.add_page("目录\n" + "".join(f"{heading}…………{page}\n" for page, heading in zip(pages, headings, strict=True)))
    for place, heading in enumerate(headings):
        if place not in (7, 8):
            report.add_page()
        report.head(heading)
        report.write("□适用 √不适用\n" if place in (7, 8) else LINE * 20)
    found = find_sections(report.pages)
    check(report, found, headings)
    for section in found.sections[7:9]:
        text = report.pages[section.start_page - 1][section.start_offset : section.end_offset]
        assert text.endswith("√不适用")
        assert section.confidence == 1.0


def test_a_directors_report_of_2018_with_a_named_first_part() -> None:
    titles = ("重要提示、目录和释义", "公司简介", "会计数据和财务指标摘要", "董事会报告", *FORMS["CSRC 2016"][4:])
    report = build([f"第{numeral(n)}节 {title}" for n, title in enumerate(titles, start=1)], every=1)
    report.pages[5] = report.pages[5].replace("一、概述", "一、经营情况讨论与分析")
    found = find_sections(report.pages)
    assert found.discussion is not None
    assert found.discussion_subpart is not None
    assert found.discussion.heading == "第四节董事会报告"
    assert found.discussion_subpart.heading == "一、经营情况讨论与分析"
    assert found.discussion_subpart.end_offset < report.pages[5].index("二、")


def test_citations_by_a_wrong_name_and_at_line_beginnings_are_no_headings() -> None:
    report = build(NEWER, every=1)
    for page in (2, 3, 6, 9):
        report.pages[page] += "公司可能面对的风险详见本报告\n第四节 经营情况分析与讨论\n之“九、公司未来发展的展望”。\n"
        report.pages[page] += "四节 经营情况讨论与分析。\n见第四节经营情况讨论与分析之（三）、1。\n节董事会报告。\n"
    found = find_sections(report.pages)
    check(report, found, NEWER)
    assert found.discussion is not None
    assert found.discussion.confidence >= 0.5


def test_a_bookmark_before_the_first_line_of_the_contents_and_pages_of_the_next_section() -> None:
    report = build(NEWER, every=1)
    report.pages[1] = report.pages[1].replace("目录\n第一节", "目录\n_Toc300000084第一节")
    for page in range(15, 3, -1):
        report.pages[1] = report.pages[1].replace(f"........{page}\n", f"........{page + 1}\n")
    found = find_sections(report.pages)
    check(report, found, NEWER)
    assert min(section.confidence for section in found.sections) == 1.0


def test_printed_numbers_that_are_not_the_physical_pages() -> None:
    report = build(NEWER, every=1)
    report.pages = [
        page.replace(f"全文\n{number}\n", f"全文\n{number - 2}\n") for number, page in enumerate(report.pages, 1)
    ]
    places = [
        (page, report.pages[page - 1].index(heading)) for heading, (page, _) in zip(NEWER, report.places, strict=True)
    ]
    found = find_sections(report.pages)
    assert [report.place(section) for section in found.sections] == places


def test_contents_with_one_page_number_for_all() -> None:
    report = build(NUMBERED, every=1)
    for page in range(4, 20):
        report.pages[1] = report.pages[1].replace(f"........{page}\n", "........2\n")
    check(report, find_sections(report.pages), NUMBERED)


def test_a_notice_without_definitions_as_first_section() -> None:
    headings = ["第一节重要提示、目录", *(heading.replace(" ", "") for heading in NEWER[1:])]
    report = build(headings)
    check(report, find_sections(report.pages), headings)


def test_an_international_audit_report_with_its_own_contents_and_notice() -> None:
    report = build(NUMBERED, every=1)
    own = "重要提示\n目录\n审计报告......1\n合并利润表......2\n合并资产负债表......3\n财务报表附注......5\n"
    report.pages[-2] += own + LINE * 10
    found = find_sections(report.pages)
    check(report, found, NUMBERED)
    assert found.contents_pages == (2,)
    assert [section.heading for section in found.front_matter] == ["目录"]


def test_a_chapter_with_inner_sections() -> None:
    headings = [f"第{numeral(n)}章 {title}" for n, title in enumerate(FORMS["bank, letters as sections"], start=1)]
    report = build(headings, every=1)
    for page in (7, 9):
        report.pages[page] += "第一节 总体情况\n" + LINE + "第二节 业务回顾\n" + LINE + "第三节 风险管理\n" + LINE
    check(report, find_sections(report.pages), headings)


def test_two_headings_on_one_line() -> None:
    report = build(NEWER, every=1)
    first, second = NEWER[6], NEWER[9]
    assert (first, second) == ("第七节 优先股相关情况", "第十节 公司债券相关情况")
    headings = [f"第{numeral(n)}节 {title}" for n, title in enumerate(FORMS["CSRC 2021"], start=1)]
    report = build(headings, every=1)
    page = report.pages[9]
    report.pages[9] = page[: page.index("第八节")] + "第八节 优先股相关情况 第九节 债券相关情况\n□适用 √不适用\n"
    report.pages[10] = report.pages[10][: report.pages[10].index("第九节")] + LINE
    found = find_sections(report.pages)
    assert [section.heading for section in found.sections] == ["".join(heading.split()) for heading in headings]
    assert [section.start_page for section in found.sections[7:9]] == [10, 10]


def test_number_inner_number_and_title_on_three_lines() -> None:
    report = build(NUMBERED, every=1)
    report.pages = [
        page.replace("节 ", "节\n一\n", 1) if number > 2 else page for number, page in enumerate(report.pages, 1)
    ]
    found = find_sections(report.pages)
    assert [report.place(section) for section in found.sections] == report.places
    assert found.discussion is not None
    assert found.discussion.kind == "directors_report"


def test_title_pages_and_running_headers_that_name_sections() -> None:
    headings = [f"第{numeral(n)}节 {title}" for n, title in enumerate(FORMS["bank, letters as sections"], start=1)]
    report = Report()
    report.add_page("某某银行股份有限公司\n2025 年年度报告\n")
    report.add_page("目录\n" + "".join(f"{heading} {page}\n" for page, heading in enumerate(headings, start=3)))
    for heading in headings:
        report.pages.append("")
        report.head(heading)
        for _ in range(4):
            report.pages.append(f"{heading}\n{LINE * 12}{len(report.pages)}\n")
    found = find_sections(report.pages)
    check(report, found, headings)


def test_doubled_letters_keep_the_places_of_the_raw_page() -> None:
    report = build(NEWER, every=1)
    doubled = []
    for number, page in enumerate(report.pages, start=1):
        heading = NEWER[number - 3] if number > 2 else ""
        twice = "".join(character * (1 if character == " " else 2) for character in heading)
        doubled.append(page.replace(heading, twice) if heading else page)
    found = find_sections(doubled)
    assert [section.heading for section in found.sections] == ["".join(heading.split()) for heading in NEWER]
    assert [report.place(section) for section in found.sections] == report.places
    assert all(doubled[page - 1][offset:].startswith("第第") for page, offset in report.places)


def test_the_last_line_of_the_last_section_belongs_to_it() -> None:
    report = build(NEWER, every=1)
    report.write("法定代表人签名的年度报告文本\n二〇二〇年四月二十日")
    last = find_sections(report.pages).sections[-1]
    assert report.pages[-1][: last.end_offset].endswith("四月二十日")


def test_a_table_row_of_numbers_before_a_heading_is_no_page_number() -> None:
    report = build(NEWER, every=1)
    report.pages[5] += "接待次数\n12\n"
    discussion = find_sections(report.pages).discussion
    assert discussion is not None
    assert report.pages[5][: discussion.end_offset].endswith("12")


def test_a_check_box_line_atop_a_page_belongs_to_the_section_before() -> None:
    report = build(NEWER, every=1)
    for page in (8, 9, 10, 11):
        report.pages[page] = report.pages[page].replace("第", "□适用 √不适用\n第", 1)
    sections = find_sections(report.pages).sections
    for section in sections[5:9]:
        assert report.pages[section.end_page - 1][: section.end_offset].endswith("√不适用")
