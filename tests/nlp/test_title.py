"""Titles and paths: fiscal year, kind, revision and firm, as a reader of the title would state them."""

import csv
import os
import re
import unicodedata
from collections import Counter
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


# Titles as exchanges, vendors and firms write them, each read and labelled by hand: kind, edition, then title | year.
ODD_TITLES = """
== annual revised 2
2019年年度报告（二次修订稿） | 2019
2019年年度报告（修订二） | 2019
2019年年度报告（修订稿2） | 2019
2019年年度报告（二次更正后） | 2019
2019年年度报告（再修订稿） | 2019
2022年年度报告（修订）（二） | 2022
2022年年度报告（修订稿）（二） | 2022
2022年年度报告（二次更正版） | 2022
2022年年度报告_修订版_v2 | 2022
== annual updated 1
2019年年度报告（更新后） | 2019
2019年年度报告全文（更新后） | 2019
2019年年度报告（更新） | 2019
2019年年度报告-更新后 | 2019
2019年年度报告更新后 | 2019
2008年年度报告（新版） | 2008
2020年年度报告（更新后）（2021-05-12） | 2020
2022年年度报告（更新稿） | 2022
== annual revised 1
2019年年度报告（更正后） | 2019
2019年年度报告（修订版） | 2019
2019年年度报告（更正版） | 2019
2019年年度报告（修订稿） | 2019
ST康美：2018年年度报告（修订版） | 2018
2010年年度报告全文（修订稿） | 2010
2019年年度报告（修订后） | 2019
2019年年度报告（更正） | 2019
2019年年度报告（补充后） | 2019
2019年年度报告（补充更正后） | 2019
2019年年度报告（修改后） | 2019
2019年年度报告（订正版） | 2019
2019年年度报告（追溯调整后） | 2019
*ST信威：2018年年度报告（更正后） | 2018
2008年年度报告（修正案） | 2008
2008年年度报告（补充版） | 2008
2008年年度报告（重述版） | 2008
2008年年度报告（重述后） | 2008
_ST福成：福成股份：2025年年度报告(更正后）.pdf | 2025
2009年年度报告(修订版)_(1369k).PDF | 2009
2019年年度报告（修订稿）-2 | 2019
2001年年度报告（补充） | 2001
2022年年度报告（修订版）（更新后） | 2022
2018年年度报告（2019年4月修订） | 2018
== annual cancelled 0
2019年年度报告（已取消） | 2019
2019年年度报告（取消） | 2019
2019年年度报告（作废） | 2019
[已取消]2019年年度报告 | 2019
2019年年度报告全文（已取消） | 2019
== annual updated 2
2019年年度报告(2次更新后) | 2019
2019年年度报告（更新后2） | 2019
2019年年度报告（二次更新后） | 2019
2019年年度报告（第2次更新） | 2019
2019年年度报告（再次更新后） | 2019
2022年年度报告（更新版2.0） | 2022
2022年年度报告（更新后）V2 | 2022
== correction_notice original 0
关于2019年年度报告的更正公告 | 2019
2019年年度报告更正公告 | 2019
关于2019年年度报告修订的说明 | 2019
关于2019年年度报告的补充公告 | 2019
关于2019年年度报告的补充更正公告 | 2019
关于2019年年度报告补充披露的公告 | 2019
关于修订2019年年度报告的公告 | 2019
关于更正2019年年度报告及摘要的公告 | 2019
关于2019年年度报告全文及摘要的更正公告 | 2019
关于2019年年度报告及其摘要更正的公告 | 2019
2019年年度报告补充公告 | 2019
2019年年度报告补充说明 | 2019
2019年年度报告修订说明 | 2019
2019年年度报告修订说明公告 | 2019
2019年年度报告更正说明 | 2019
2019年年报更正公告 | 2019
年报更正公告 | None
关于2019年年度报告会计差错更正的公告 | 2019
关于对2019年年度报告进行更正的公告 | 2019
关于2019年年度报告的勘误公告 | 2019
关于2019年年度报告部分内容更正的公告 | 2019
2019年年度报告摘要更正公告 | 2019
关于2019年年报的补充说明 | 2019
2019年年度报告及摘要更正公告 | 2019
2019年年度报告的更正 | 2019
2008年年度报告补充公告 | 2008
2001年年报补充公告 | 2001
2022年年度报告（更正公告） | 2022
关于公司2018年年度报告修订说明 | 2018
== english original 0
2020年年度报告（英文版） | 2020
2019年年度报告（英文） | 2019
2019 Annual Report | 2019
Annual Report 2019 | 2019
FY2019 Annual Report | 2019
2019/20 ANNUAL REPORT | 2020
== hk_annual original 0
2019年度报告（H股） | 2019
2019年年度报告(境外) | 2019
H股公告：2019年年度报告 | 2019
H股公告-2019年度报告 | 2019
H股市场公告——2019年报 | 2019
H股2019年年报 | 2019
2019年年报（H股） | 2019
港股公告：2019年年报 | 2019
2019年年度报告（繁体版） | 2019
2019年年度報告 | 2019
2019年報 | 2019
海外监管公告-2019年年度报告 | 2019
2020/21年報 | 2021
二零二零至二零二一年年報 | 2021
年報2020-2021 | 2021
== other original 0
XX公司公司债券年度报告（2020年） | 2020
某某股份有限公司公司债券2020年年度报告 | 2020
某某股份有限公司公司债券年度报告（2020年） | 2020
公司债券年度报告（2019） | 2019
关于收到2019年年报问询函的公告 | 2019
关于收到上海证券交易所2019年年度报告事后审核问询函的公告 | 2019
关于延期回复上海证券交易所2019年年度报告问询函的公告 | 2019
关于对某某股份有限公司2019年年报的问询函 | 2019
2019年年度审计报告 | 2019
2019年度审计报告 | 2019
2019年审计报告 | 2019
2019年度财务报表及审计报告 | 2019
2019年度内部控制自我评价报告 | 2019
2019年度内部控制审计报告 | 2019
2019年内部控制评价报告 | 2019
2019年度社会责任报告 | 2019
2019年度环境、社会及管治报告 | 2019
2019年度可持续发展报告 | 2019
2019年度董事会工作报告 | 2019
2019年度监事会工作报告 | 2019
2019年度独立董事述职报告 | 2019
2019年度总经理工作报告 | 2019
2019年度财务决算报告 | 2019
2019年度募集资金存放与使用情况专项报告 | 2019
2019年年度报告业绩说明会公告 | 2019
关于举行2019年年度报告网上业绩说明会的公告 | 2019
关于召开2019年年度业绩说明会的公告 | 2019
关于延期披露2019年年度报告的公告 | 2019
关于变更2019年年度报告披露日期的公告 | 2019
关于推迟披露2019年年度报告的提示性公告 | 2019
2019年年度报告披露提示性公告 | 2019
关于2019年年度报告披露的提示性公告 | 2019
关于2019年年度报告编制及最新审计进展的公告 | 2019
关于2019年年度报告预约披露时间变更的公告 | 2019
关于2019年年度报告的确认意见 | 2019
董事、监事、高级管理人员关于2019年年度报告的书面确认意见 | 2019
监事会关于2019年年度报告的审核意见 | 2019
独立董事对2019年年度报告相关事项的独立意见 | 2019
2019年度业绩预告 | 2019
2019年度业绩快报 | 2019
2019年度业绩预告修正公告 | 2019
2019年年度股东大会会议资料 | 2019
2019年度股东大会决议公告 | 2019
2019年度利润分配预案的公告 | 2019
年报信息披露重大差错责任追究制度 | None
年度报告工作制度 | None
独立董事年报工作制度 | None
审计委员会年报工作规程 | None
2019年年度报告相关事项的专项说明 | 2019
受托管理事务报告（2019年度） | 2019
2019年公司债券受托管理事务年度报告 | 2019
2019年度跟踪评级报告 | 2019
2019年度持续督导报告 | 2019
2019年度持续督导年度报告书 | 2019
中国银河证券关于公司2019年度持续督导年度报告 | 2019
保荐机构关于公司持续督导年度报告书 | None
2019年度保荐工作报告 | 2019
2019年度非经营性资金占用及其他关联资金往来情况的专项审核报告 | 2019
浙江省交通投资集团有限公司2019年年度报告 | 2019
恒大地产集团有限公司公司债券2019年年度报告 | 2019
万科企业股份有限公司公司债券2019年年度报告 | 2019
2018年面向合格投资者公开发行公司债券受托管理事务报告（2019年度） | 2019
2012年公司债券2013年年度报告 | 2013
企业债券2013年度报告 | 2013
关于子公司2019年年度报告披露的提示性公告 | 2019
控股子公司2019年年度报告 | 2019
关于控股子公司披露2019年年度报告的公告 | 2019
关于参股公司2019年年度报告的公告 | 2019
关于2019年年度报告及摘要的公告 | 2019
2019年年度报告的公告 | 2019
2019年年度报告公告 | 2019
2022年年度报告取消公告 | 2022
华示科技2025年ESG年度报告 | 2025
华示科技2025年社会责任年度报告 | 2025
华示科技2025年公司债券年度报告 | 2025
关于审议华示科技2025年年度报告的议案 | 2025
== annual original 0
2010年年度报告正文 | 2010
2010年年度报告全文 | 2010
2010年年度报告及摘要 | 2010
2010年年度报告全文及摘要 | 2010
2010年年报 | 2010
2010年报 | 2010
2010年报全文 | 2010
2019年年度报告（正式版） | 2019
2019年年度报告（印刷版） | 2019
2019年年度报告（更名后） | 2019
2019年年度报告（A股） | 2019
A股2019年年度报告 | 2019
2019年年度报告（境内） | 2019
2019年年度报告（B股） | 2019
ST康得新：2018年年度报告 | 2018
*ST大控：2017年年度报告 | 2017
S*ST聚友：2008年年度报告 | 2008
G沪机场：2005年年度报告 | 2005
二〇〇八年年度报告 | 2008
二零零八年度报告 | 2008
2008 年度报告 | 2008
2008年度报告（全文） | 2008
2021-04-30：2020年年度报告 | 2020
2020年年度报告20210430 | 2020
2020年度报告.pdf | 2020
600519_贵州茅台_2020年年度报告_20210331 | 2020
SZ000001_平安银行_2020-12-31_年报 | 2020
20210430_600000_2020年年报 | 2020
600000_20210430_年度报告 | None
浙江海翔药业股份有限公司2019年年度报告 | 2019
2018-2019年度报告 | 2019
2019年年度报告（2019.1.1-2019.12.31） | 2019
1999年年度报告 | 1999
98年年度报告 | 1998
一九九九年年度报告 | 1999
2022年年度报告（二） | 2022
601788__示大证券__示大证券股份有限公司2022年年度报告__1216279948 | 2022
<em>2025</em>年年度报告 | 2025
== summary original 0
2010年年度报告摘要 | 2010
2010年报摘要 | 2010
2010年年报摘要 | 2010
2019年年度报告英文版摘要 | 2019
2019年年度报告摘要（英文版） | 2019
Annual Report 2019 Summary | 2019
Summary of 2019 Annual Report | 2019
2018年年度报告摘要（英文版） | 2018
== summary updated 1
2010年年度报告摘要（更新后） | 2010
== annual revised 3
2019年年度报告（三次修订稿） | 2019
2019年年度报告（第三次修订） | 2019
== annual cancelled 1
2019年年度报告（已取消）（更新后） | 2019
== english revised 1
2019年年度报告（英文版）（修订版） | 2019
2019 Annual Report (Revised) | 2019
== semiannual original 0
2019 Interim Report | 2019
2019年半年度报告 | 2019
2019年半年度报告全文 | 2019
2019年半年度报告摘要 | 2019
2019年半年报 | 2019
2019年中期报告 | 2019
== quarterly original 0
2019 First Quarterly Report | 2019
2019年第一季度报告 | 2019
2019年一季度报告 | 2019
2019年第三季度报告正文 | 2019
2019年三季报 | 2019
2019年第1季度报告 | 2019
== quarterly updated 1
2019年第三季度报告全文（更新后） | 2019
== inquiry_reply original 0
关于深圳证券交易所2019年年报问询函的回复公告 | 2019
关于对深圳证券交易所2019年年报问询函回复的公告 | 2019
关于上海证券交易所对公司2019年年度报告的信息披露监管问询函的回复公告 | 2019
关于2019年年度报告问询函的回复公告（更新后） | 2019
关于2019年年报问询函之回复 | 2019
关于对2019年年报问询函的专项说明 | 2019
会计师事务所关于对公司2019年年报问询函的回复 | 2019
== None original 0
600000_20201231 | 2020
公司章程 | None
2019年度 | 2019
== semiannual revised 1
2018年半年度报告（2019年修订） | 2018
== summary revised 1
2018年年度报告摘要（更正） | 2018
"""


def _odd_titles():
    """Yield title, year, kind, revision and number; the year of the right edition is ``None`` where none is stated."""
    group = ("", "", "0")
    for line in ODD_TITLES.strip().split("\n"):
        if line.startswith("== "):
            group = tuple(line[3:].split())
            continue
        title, year = line.rsplit(" | ", 1)
        kind, revision, number = (None if word == "None" else word for word in group)
        yield title, None if year == "None" else int(year), kind, revision, int(number)


@pytest.mark.parametrize(("title", "year", "kind", "revision", "number"), list(_odd_titles()))
def test_odd_titles(title, year, kind, revision, number):
    parts = parse_title(title)
    assert (parts.report_year, parts.kind) == (year, kind)
    assert (parts.revision, parts.revision_number) == (revision, number)


# Each of the 56 forms of the real titles, read and labelled by hand; # is a number, @ the name of a company.
REAL_FORMS = {
    "#年年度报告": (11_898, "annual", "original", 0),
    "#年度报告": (11, "annual", "original", 0),
    "#年年度报告(广告版)": (2, "annual", "original", 0),
    "#年年度报告(形象版)": (1, "annual", "original", 0),
    "#年年度报告(印刷版)": (1, "annual", "original", 0),
    "#年年度报告(更新后)": (822, "annual", "updated", 1),
    "#年年度报告(更新版)": (4, "annual", "updated", 1),
    "#年年度报告(修订版)": (489, "annual", "revised", 1),
    "#年度报告(修订版)": (1, "annual", "revised", 1),
    "#年年度报告(修订稿)": (36, "annual", "revised", 1),
    "#年年度报告(修订)": (7, "annual", "revised", 1),
    "#年年度报告(修订后)": (1, "annual", "revised", 1),
    "#年年度报告(调整后)": (5, "annual", "revised", 1),
    "#年年度报告(修正稿)": (2, "annual", "revised", 1),
    "#年年度报告(修正版)": (1, "annual", "revised", 1),
    "#年年度报告(二次修订稿)": (3, "annual", "revised", 2),
    "#年年度报告(二次修订版)": (1, "annual", "revised", 2),
    "#年年度报告(第二次修订)": (1, "annual", "revised", 2),
    "#年半年度报告": (2, "semiannual", "original", 0),
    "#年半年度报告(更新后)": (2, "semiannual", "updated", 1),
    "@#年上半年年度报告": (1, "semiannual", "original", 0),
    "H股公告-#年年度报告": (4, "hk_annual", "original", 0),
    "H股-#年年度报告": (3, "hk_annual", "original", 0),
    "H股-#年度报告": (1, "hk_annual", "original", 0),
    "#年年度报告(H股)": (1, "hk_annual", "original", 0),
    "关于#年年度报告修订的说明": (1, "correction_notice", "original", 0),
    "关于对#年年度报告进行修订的公告": (1, "correction_notice", "original", 0),
    # Issuers of bonds, and the trustee of bonds of a listed firm.
    "@#年年度报告": (24, "other", "original", 0),
    "#年@#年年度报告": (1, "other", "original", 0),
    "债务人@#年年度报告": (1, "other", "original", 0),
    "发行人@#年年度报告": (1, "other", "original", 0),
    "@公司债券#年年度报告": (1, "other", "original", 0),
    "#年公司债券受托管理事务#年度报告": (1, "other", "original", 0),
}
# The column report_year of this list is the first number of the title; here the report is of a later year.
LATER_YEARS = {"2010年漯河市城市建设投资有限公司2011年年度报告", "2010年公司债券受托管理事务2011年度报告"}


def _form(title):
    text = re.sub(r"_\(\d+k\)\.PDF$", "", title.replace("（", "(").replace("）", ")"), flags=re.IGNORECASE)
    text = re.sub(r"\d+", "#", text)
    return re.sub(r"^(债务人|发行人|#年)?[\u4e00-\u9fff()]+?公司(?=公司债券|#)", r"\1@", text)


@pytest.fixture(scope="module")
def real_titles():
    path = SHARED / "reports" / "titles.csv"
    if not path.exists():
        pytest.skip("the shared list of announcement titles is not beside the repository")
    with path.open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_fiscal_years_of_real_titles(real_titles):
    assert len(real_titles) == 13_331
    for row in real_titles:
        title = row["title"]
        expected = 2011 if title.split("_(")[0] in LATER_YEARS else int(row["report_year"])
        assert parse_title(title).report_year == expected, title


def test_kinds_and_editions_of_real_titles(real_titles):
    count = Counter(_form(row["title"]) for row in real_titles)
    assert count == {form: label[0] for form, label in REAL_FORMS.items()}
    for row in real_titles:
        parts = parse_title(row["title"])
        label = REAL_FORMS[_form(row["title"])]
        assert (parts.kind, parts.revision, parts.revision_number) == label[1:], row["title"]


@pytest.mark.parametrize(
    "form",
    [
        *("{code}_{name}_{title}", "{name}：{title}", "{name}{title}", "{code}{name}{title}", "{code} {name} {title}"),
        *("{code}-{name}-{title}", "2021-04-30__{code}__{name}__{title}", "{title}-{name}-{code}"),
        *("{name}({code}){title}", "{code}：{name}：{title}", "{code}.SZ-{name}-{title}", "{name}：{name}{title}"),
    ],
)
def test_real_titles_with_code_and_short_name_in_the_forms_of_vendors(real_titles, form):
    for row in real_titles[::20]:
        title, code = row["title"].split("_(")[0], re.sub(r"\D", "", row["stock_code"])
        # Bonds have codes of their own; H股公告- between name and year hides the name.
        if code.startswith(("11", "12")) or "H股" in title:
            continue
        found = parse_title(form.format(code=code, name=row["short_name"], title=title))
        alone = parse_title(title)
        assert (found.report_year, found.kind) == (alone.report_year, alone.kind), row
        assert (found.revision, found.revision_number) == (alone.revision, alone.revision_number), row
        assert found.stock_code == (code if "{code}" in form else None), row
        name = re.sub(r"\s", "", unicodedata.normalize("NFKC", row["short_name"]))
        assert found.short_name in (name, name.rstrip("0123456789")), row
