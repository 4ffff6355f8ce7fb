"""Titles and paths: fiscal year, kind, revision and firm, as a reader of the title would state them."""

import csv
import os
from pathlib import Path

import pytest

from nlp.identity import parse_title as public_parse_title
from nlp.title import code_exchange, from_path, is_stock_code, parse_revision, parse_title

SHARED = Path(os.environ.get("SHUZHI_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))


def test_the_title_parser_is_offered_by_identity():
    assert public_parse_title is parse_title


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("2009年年度报告(修订版)_(1369k).PDF", 2009),
        ("2015年度报告", 2015),
        ("深发展Ａ２００１年年度报告", 2001),
        ("二○○八年年度报告", 2008),
        ("二零一八年年度报告", 2018),
        ("000001_2008_annual_full", 2008),
        ("600519_2020", 2020),
        ("Annual-Report-202021", 2021),
        ("Annual-Report-20202021", 2021),
        ("Annual Report 2020/21", 2021),
        # A date in the name is the day of filing.
        ("2020-01-23__浙江海翔药业股份有限公司__002099__海翔药业__2019年__年度报告", 2019),
        ("01161_10089444_20220113_Annual-Report-2021", 2021),
        ("2020_600519_2019年年度报告", 2019),
        ("2019-12-31_600000_浦发银行", 2019),
        # The year of the report, not the year of the bond.
        ("2012年漯河市城市建设投资有限公司2011年年度报告", 2011),
        ("20220428", None),
        ("000002", None),
        ("x", None),
    ],
)
def test_fiscal_year(title, year):
    assert parse_title(title).report_year == year


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("2010年年度报告", "annual"),
        ("2018年年度报告全文及其摘要", "annual"),
        ("2014年年度报告(广告版)", "annual"),
        ("000001_2008_annual_full", "annual"),
        ("2018年年度报告摘要", "summary"),
        ("2010年半年度报告(更新后)", "semiannual"),
        ("泉州市泉港石化工业区建设发展有限公司2014年上半年年度报告", "semiannual"),
        ("2018年第一季度报告全文", "quarterly"),
        ("000585_2018Q1_quarterly", "quarterly"),
        ("2018年年度报告（英文版）", "english"),
        ("2018 Annual Report", "english"),
        ("H股公告-2016年年度报告", "hk_annual"),
        ("2013年年度报告(H股)", "hk_annual"),
        ("HK02565_2025_annual_full_zh_hant", "hk_annual"),
        ("HK01161_2021_annual_full_en", "english"),
        ("关于2015年年度报告修订的说明", "correction_notice"),
        ("关于对2017年年度报告进行修订的公告", "correction_notice"),
        ("2018年年度报告更正公告", "correction_notice"),
        ("关于对上海证券交易所2018年年度报告事后审核问询函的回复公告", "inquiry_reply"),
        ("关于延期回复2018年年报问询函的公告", "other"),
        ("湘潭市城市建设投资经营有限责任公司2010年年度报告", "other"),
        ("债务人南京南钢钢铁联合有限公司2010年年度报告", "other"),
        ("中国长江三峡集团公司2010年年度报告", "other"),
        ("2014年公司债券受托管理事务2013年度报告", "other"),
        ("2018年度内部控制评价报告", "other"),
        ("2018年年度报告披露提示性公告", "other"),
        ("2019年年度股东大会决议公告", "other"),
        ("2019年度财务报告", "other"),
        ("HK00640_2021_mda_zh_hant", "other"),
        ("浙江海翔药业股份有限公司2019年年度报告", "annual"),
        # A foreign listed firm is no 股份有限公司, but its stock code stands beside its name.
        ("688981_中芯国际集成电路制造有限公司_2021年年度报告", "annual"),
        ("600519_2020", None),
    ],
)
def test_kind(title, kind):
    assert parse_title(title).kind == kind


@pytest.mark.parametrize(
    ("title", "revision", "number"),
    [
        ("2019年年度报告", "original", 0),
        ("2019年年度报告(形象版)", "original", 0),
        ("2019年年度报告(更新后)", "updated", 1),
        ("2019年年度报告(更新版)", "updated", 1),
        ("2019年年度报告（更正后）", "revised", 1),
        ("2019年年度报告(修订稿)", "revised", 1),
        ("2019年年度报告(调整后)", "revised", 1),
        ("2019年年度报告(修正版)", "revised", 1),
        ("2019年年度报告(二次修订稿)", "revised", 2),
        ("2019年年度报告(第二次修订)", "revised", 2),
        ("2019年年度报告(第三次更新后)", "updated", 3),
        ("2019年年度报告(修订版2)", "revised", 2),
        ("2019年年度报告修订稿（二）", "revised", 2),
        ("2019年年度报告（已取消）", "cancelled", 0),
        ("2019年年度报告（更新后）（已取消）", "cancelled", 1),
        # The notice of a revision is not itself revised.
        ("关于2015年年度报告修订的说明", "original", 0),
    ],
)
def test_revision(title, revision, number):
    parts = parse_title(title)
    assert (parts.revision, parts.revision_number) == (revision, number)


@pytest.mark.parametrize(
    ("title", "code", "exchange", "short_name", "company"),
    [
        (
            "2020-04-11__常柴股份有限公司__200570__苏常柴__2019年__年度报告",
            "200570",
            "SZ",
            "苏常柴",
            "常柴股份有限公司",
        ),
        ("2-万科A-2007年年度报告", "000002", "SZ", "万科A", None),
        ("000006深振业Ａ2018年年报", "000006", "SZ", "深振业A", None),
        ("贵州茅台2020年年度报告", None, None, "贵州茅台", None),
        ("*ST大控：2017年年度报告", None, None, "*ST大控", None),
        ("300750.SZ-宁德时代-2022年年度报告", "300750", "SZ", "宁德时代", None),
        ("万  科Ａ：2008年年度报告", None, None, "万科A", None),
        ("sh600519_2010", "600519", "SH", None, None),
        ("833819颖泰生物2021年年度报告", "833819", "BJ", "颖泰生物", None),
        ("HK00007_2020_mda_zh_hant", "00007", "HK", None, None),
        ("02324_10105815_20220128_Annual-Report-202021", "02324", "HK", None, None),
        ("湘潭市城市建设投资经营有限责任公司2010年年度报告", None, None, None, "湘潭市城市建设投资经营有限责任公司"),
        ("2018年年度报告", None, None, None, None),
    ],
)
def test_firm(title, code, exchange, short_name, company):
    parts = parse_title(title)
    assert (parts.stock_code, parts.exchange) == (code, exchange)
    assert (parts.short_name, parts.company_name) == (short_name, company)


@pytest.mark.parametrize(
    ("path", "code", "year", "kind", "from_folder"),
    [
        ("000008/2016.pdf", "000008", 2016, None, {"stock_code", "exchange"}),
        ("000001-平安银行/2013年年度报告.pdf", "000001", 2013, "annual", {"stock_code", "exchange", "short_name"}),
        ("2019/600519.pdf", "600519", 2019, None, {"report_year"}),
        ("D:\\年报\\2019\\600519.pdf", "600519", 2019, "annual", {"report_year", "kind"}),
        # A folder of the month of filing is no fiscal year, nor is a number inside a word.
        ("hkex_reports/2022_01/01161_10089444_Annual-Report-2021.pdf", "01161", 2021, "hk_annual", set()),
        ("pytest-0/test_2020x0/x.pdf", None, None, None, set()),
    ],
)
def test_path(path, code, year, kind, from_folder):
    parts = from_path(path)
    assert (parts.stock_code, parts.report_year, parts.kind) == (code, year, kind)
    assert set(parts.from_folder) == from_folder


def test_the_file_name_goes_before_the_folder():
    parts = from_path("2018/000001_2017.pdf")
    assert parts.report_year == 2017
    assert parts.from_folder == ()


@pytest.mark.parametrize(
    ("code", "exchange"),
    [
        ("000001", "SZ"),
        ("300107", "SZ"),
        ("200570", "SZ"),
        ("688981", "SH"),
        ("900948", "SH"),
        ("430047", "BJ"),
        ("920002", "BJ"),
        ("02565", "HK"),
        ("112005", None),
        ("122001", None),
        ("201912", None),
    ],
)
def test_exchange_of_a_code(code, exchange):
    assert code_exchange(code) == exchange
    assert is_stock_code(code) == (exchange is not None and len(code) == 6)


def test_revision_of_words():
    assert parse_revision("再次修订") == ("revised", 2)
    assert parse_revision("全文") == ("original", 0)


# Kinds and revisions of the real titles, counted by hand from the list of their 56 forms.
REAL_KINDS = {
    "annual": 13_331 - 5 - 9 - 2 - 29,
    "semiannual": 5,
    "hk_annual": 9,
    "correction_notice": 2,
    "other": 29,
}
REAL_REVISIONS = {
    ("updated", 1): 822 + 4 + 2,
    ("revised", 1): 489 + 36 + 7 + 5 + 2 + 1 + 1 + 1,
    ("revised", 2): 3 + 1 + 1,
}
# The column report_year of this list is the first number of the title; here the report is of a later year.
LATER_YEARS = {"2010年漯河市城市建设投资有限公司2011年年度报告", "2010年公司债券受托管理事务2011年度报告"}


@pytest.fixture(scope="module")
def real_titles():
    path = SHARED / "reports" / "titles.csv"
    if not path.exists():
        pytest.skip("the shared list of announcement titles is not beside the repository")
    with path.open(encoding="utf-8-sig") as stream:
        return [(row["title"], int(row["report_year"])) for row in csv.DictReader(stream)]


def test_fiscal_years_of_real_titles(real_titles):
    for title, year in real_titles:
        expected = 2011 if title.split("_(")[0] in LATER_YEARS else year
        assert parse_title(title).report_year == expected, title


def test_kinds_and_revisions_of_real_titles(real_titles):
    kinds: dict[object, int] = {}
    revisions: dict[object, int] = {}
    for title, _ in real_titles:
        parts = parse_title(title)
        kinds[parts.kind] = kinds.get(parts.kind, 0) + 1
        revision = (parts.revision, parts.revision_number)
        revisions[revision] = revisions.get(revision, 0) + 1
    assert kinds == REAL_KINDS
    assert revisions.pop(("original", 0)) == len(real_titles) - sum(REAL_REVISIONS.values())
    assert revisions == REAL_REVISIONS
