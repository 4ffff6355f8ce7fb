"""Identity from text, names and metadata: every trap as a small inline text, and the labelled reports."""

import json
import os
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from nlp.identity import TextEvidence, decide, from_pages, from_path, parse_title
from nlp.pdf import read_document
from nlp.title import TitleParts, fold

SHARED = Path(os.environ.get("SHUZHI_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
NO_NAME = TitleParts()
# More than the 30,000 characters that a running header needs to make a report.
LONG = "董事会对公司经营情况作如下说明，本年度公司的业务与去年相比有所增长。\n" * 1_000
LONG_TRADITIONAL = "本集團於年內的業務與去年相比錄得增長，董事會對財務狀況感到滿意。\n" * 1_000
LONG_ENGLISH = "The Group recorded growth in its business during the year under review.\n" * 600

PROFILE = """5
第二节 公司简介和主要财务指标
一、公司信息
股票简称 示范股份 股票代码 000059
股票上市证券交易所 深圳证券交易所
公司的中文名称 北方示范化学工业股份有限公司
公司的中文简称 示范股份
公司的外文名称（如有） North Example Chemical Industries Co., Ltd
"""
COVER = """北方示范化学工业股份有限公司 2019 年年度报告全文
1
北方示范化学工业股份有限公司
2019 年年度报告
2020-007
2020 年 03 月"""


def read(*pages: str) -> TextEvidence:
    return from_pages(pages)


def test_a_usual_report():
    text = read(COVER, "第一节 重要提示", PROFILE, LONG)
    assert (text.stock_code, text.stock_code_place, text.stock_code_page) == ("000059", "profile", 3)
    assert text.company_name == "北方示范化学工业股份有限公司"
    assert text.short_name == "示范股份"
    assert (text.report_year, text.report_year_place, text.report_year_page) == (2019, "cover", 1)
    assert (text.kind, text.exchange, text.language) == ("annual", "SZ", "zh-Hans")
    assert text.fiscal_year_end == "2019-12-31"
    assert (text.revision, text.revision_number) == ("original", 0)


def test_every_field_is_a_scalar():
    text = read(COVER, PROFILE, LONG)
    assert all(isinstance(getattr(text, field.name), str | int | None) for field in fields(text))


def test_no_text():
    assert from_pages([]) == TextEvidence()
    assert read("", " \n ") == TextEvidence()


def test_interleaved_cover():
    cover = "平安示范\n2016\n股份\n年年度\n有限公\n报告\n司"
    notice = LONG[:200] + "本行董事会会议审议了 2016 年年度报告正文及摘要。\n" + LONG[:200]
    profile = PROFILE.replace("北方示范化学工业股份有限公司", "平安示范股份有限公司")
    text = read(cover, notice, profile, LONG)
    assert (text.report_year, text.report_year_place) == (2016, "body")
    assert (text.company_name, text.company_name_place) == ("平安示范股份有限公司", "profile")
    assert text.kind == "annual"


def test_name_only_in_a_logo_and_two_codes_below_each_other():
    cover = "1\n2009 年度报告\n公告编号：〈万〉2010-007 \n重要提示：\n本公司董事会保证本报告所载资料真实。"
    profile = """2.公司法定中文名称：万示企业股份有限公司
10.股票上市地：深圳证券交易所
11.股票简称及代码：万示 A 000002
万示 B 200002"""
    text = read(cover, profile, LONG)
    assert (text.company_name, text.company_name_page) == ("万示企业股份有限公司", 2)
    assert (text.stock_code, text.stock_code_b, text.short_name) == ("000002", "200002", "万示A")
    assert text.report_year == 2009


def test_full_width_letters_and_brackets():
    cover = "深圳市示业（集团）股份有限公司\n２０１８ 年年度报告"
    profile = "股票简称 深示业Ａ 股票代码 ０００００６\n公司的中文名称 深圳市示业(集团)股份有限公司\n"
    text = read(cover, profile, LONG)
    assert (text.stock_code, text.short_name) == ("000006", "深示业A")
    assert text.company_name == "深圳市示业(集团)股份有限公司"
    assert text.report_year == 2018


def test_b_share_file_name_and_both_codes_in_the_text():
    profile = PROFILE.replace("示范股份 股票代码 000059", "苏示柴 A、苏示柴 B 股票代码 000570、200570")
    text = read(COVER, profile, LONG)
    identity = decide(from_path("200570_2019_annual_full.pdf"), text)
    assert identity.stock_code == "000570"
    assert identity.short_name == "苏示柴A"
    assert identity.stock_code_source == "page 2 and file name"
    assert identity.disagreement == ""


def test_b_share_code_first():
    text = read("公司代码：900955/600555 公司简称：示航创新\n2019 年年度报告", LONG)
    assert (text.stock_code, text.stock_code_b, text.exchange) == ("600555", "900955", "SH")


def test_b_share_without_an_a_code_in_sight_stays():
    text = read("公司代码：900948 公司简称：示泰B股\n内蒙古示泰煤炭股份有限公司\n2019 年年度报告", LONG)
    assert (text.stock_code, text.exchange) == ("900948", "SH")
    assert decide(parse_title("200570_2019"), None).stock_code == "200570"


def test_table_rows_of_json_lines():
    profile = "['股票简称', '海示药业', '股票代码', '002099']\n['公司的中文名称', '浙江海示药业股份有限公司', '', '']\n"
    text = read("浙江海示药业股份有限公司\n2019年年度报告\n2020年01月\n1", profile, LONG)
    assert (text.stock_code, text.short_name) == ("002099", "海示药业")
    assert text.company_name == "浙江海示药业股份有限公司"


def test_shanghai_template_and_its_table_of_shares():
    cover = (
        "2020 年年度报告\n1 / 120\n公司代码：600519 公司简称：贵州示台\n \n贵州示台酒股份有限公司 \n2020 年年度报告 "
    )
    table = "股票种类 股票上市交易所 股票简称 股票代码 变更前股票简称\nA股 上海证券交易所 贵州示台 600519"
    for pages in ((cover, table, LONG), ("2020 年年度报告", table, LONG)):
        text = read(*pages)
        assert (text.stock_code, text.exchange, text.short_name) == ("600519", "SH", "贵州示台")


def test_name_broken_across_lines():
    profile = "公司的中文名称 中国石示集团北方大型特种钢管制造股份\n有限公司\n公司的中文简称 示管\n股票代码 600111"
    text = read("2012 年年度报告", profile, LONG)
    assert text.company_name == "中国石示集团北方大型特种钢管制造股份有限公司"


def test_beijing_cover():
    cover = "证券代码：833819 证券简称：示泰生物 主办券商：西部证券\n北京示泰科技股份有限公司\n年度报告\n2021"
    text = read(cover, LONG)
    assert (text.stock_code, text.exchange, text.short_name) == ("833819", "BJ", "示泰生物")
    assert (text.report_year, text.company_name) == (2021, "北京示泰科技股份有限公司")


def test_codes_of_other_firms_are_not_taken():
    others = "持有友示科技（证券代码：430039）的股份；董事任中示投资（股份代號：1227）董事。"
    text = read("2019 年年度报告", others, LONG)
    assert text.stock_code is None
    text = read("示行股份有限公司\n（股票代码：601658）\n2019年年度报告", others, LONG)
    assert text.stock_code == "601658"


def test_bond_codes_are_not_taken():
    text = read("2019 年年度报告", "债券上市的证券代码：112005 简称：08示科G1", LONG)
    assert text.stock_code is None


def test_a_and_h_shares():
    cover = "中国示政储蓄银行股份有限公司\n（股票代码：601658）\n2019年年度报告"
    profile = "股票上市交易所： 香港联合交易所有限公司股票简称： 示储银行股票代码： 1658股份登记处： 某公司"
    text = read(cover, profile, LONG)
    assert (text.stock_code, text.stock_code_h, text.short_name) == ("601658", "01658", "示储银行")
    identity = decide(parse_title("HK01658_2019"), text)
    assert (identity.stock_code, identity.exchange, identity.disagreement) == ("601658", "SH", "")


def test_letter_spaced_labels():
    text = read("2 0 1 8 年 年 度 报 告", "股 票 代 码：000585\n股 票 简 称：示电", LONG)
    assert (text.stock_code, text.report_year, text.short_name) == ("000585", 2018, "示电")


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("二○○八年年度报告", 2008),
        ("二〇一八年年度报告", 2018),
        ("二零零一年度报告", 2001),
        ("2019\n年度报告", 2019),
        ("年度报告\n2019", 2019),
        ("2019 Annual Report\n年度报告\n2020 年 4 月", 2019),
        ("2018 年年度报告\n2019-024\n2019 年 04 月", 2018),
        ("2018 年年度报告\n2019024\n2019 年 04 月", 2018),
    ],
)
def test_fiscal_year_on_the_cover(title, year):
    assert read(f"示范科技股份有限公司\n{title}", PROFILE, LONG).report_year == year


def test_year_of_the_running_header_and_of_another_place():
    pages = ["", *(f"示范股份有限公司 2019 年年度报告\n{page}\n{LONG[:4000]}" for page in range(2, 12))]
    text = from_pages(pages)
    assert (text.report_year, text.report_year_place, text.kind) == (2019, "header", "annual")
    assert decide(NO_NAME, text).company_name == "示范股份有限公司"
    text = read(COVER, "示范股份有限公司 2018 年年度报告\n2", PROFILE, LONG)
    assert (text.report_year, text.report_year_other) == (2019, 2018)
    assert "another place of the text says 2018" in decide(NO_NAME, text).disagreement


def test_years_mentioned_in_passing():
    notice = "公司 2017 年年度报告已披露。董事会审议了 2018 年年度报告及其摘要，2018 年年度报告真实。"
    assert read("示范", notice, LONG).report_year == 2018


@pytest.mark.parametrize(
    ("first_page", "kind"),
    [
        ("示范股份有限公司\n2018 年年度报告摘要\n一、重要提示\n本年度报告摘要来自年度报告全文。", "summary"),
        ("证券代码：000585\n示范股份有限公司\n2018 年第一季度报告\n2018 年 04 月", "quarterly"),
        ("示范股份有限公司\n2018 年半年度报告\n2018 年 08 月", "semiannual"),
        (
            "关于示范股份有限公司\n2015年年度报告中有关财务事项的说明\n上海证券交易所：\n贵所问询函奉悉，现汇报如下。",
            "inquiry_reply",
        ),
        ("示范股份有限公司\n关于 2017 年年度报告的更正公告\n本公司董事会保证公告内容真实。", "correction_notice"),
        ("关于对2017年年度报告进行修订的公告\n公司于2018年披露了年报。", "correction_notice"),
        ("湘潭市示范建设投资有限责任公司\n2010年年度报告", "other"),
        ("盐城示范投资集团有限公司 2023 年度第四期超短期融资券募集说明书", "other"),
    ],
)
def test_kind_of_other_documents(first_page, kind):
    assert read(first_page, LONG).kind == kind


def test_a_foreign_listed_firm_is_told_by_its_code():
    text = read("公司代码：688981 公司简称：中示国际\n中示国际集成电路制造有限公司\n2021 年年度报告", LONG)
    assert text.kind == "annual"


def test_late_report_in_english():
    pages = [
        "",
        "CONTENTS\nCorporate Information 2",
        "CORPORATE INFORMATION\n2 Annual Report 2019 CHINA EXAMPLE HOLDINGS LIMITED\nSTOCK CODE\n1678",
        "China Example Holdings Limited (the “Company”) and its subsidiaries for the year ended 31 December 2019",
        LONG_ENGLISH + "Hong Kong, 19 January 2022",
    ]
    text = from_pages(pages)
    assert (text.stock_code, text.exchange, text.language, text.kind) == ("01678", "HK", "en", "english")
    assert (text.report_year, text.fiscal_year_end) == (2019, "2019-12-31")
    assert text.company_name == "China Example Holdings Limited"


def test_code_on_the_back_page():
    pages = ["", "ANNUAL REPORT 2021\nContents", LONG_ENGLISH, "Corporate Information\nSTOCK CODE\n1161\nWEBSITE"]
    assert from_pages(pages).stock_code == "01161"


def test_bilingual_report_over_two_years():
    cover = "Annual Report\n2020/21\n年報\nEXAMPLE VC LIMITED\n示範創投有限公司\nStock Code 股份代號 : 02324"
    body = "for the year ended 30 September 2021\n" + LONG_ENGLISH + LONG_TRADITIONAL
    text = read(cover, "截至二零二一年九月三十日止年度", body)
    assert (text.stock_code, text.language, text.kind) == ("02324", "mixed", "hk_annual")
    assert (text.report_year, text.fiscal_year_end) == (2021, "2021-09-30")
    assert text.company_name == "EXAMPLE VC LIMITED"


def test_traditional_report_of_a_mainland_firm():
    cover = "2025\nANNUAL REPORT\n年度報告\n派示生物醫藥( 杭州 ) 股份有限公司\nPegEx Co., Ltd.\n股份代號 : 2565"
    text = read(cover, LONG_TRADITIONAL)
    assert (text.stock_code, text.kind, text.language) == ("02565", "hk_annual", "zh-Hant")
    assert text.company_name == "派示生物醫藥(杭州)股份有限公司"
    assert text.report_year == 2025


def test_an_extract_is_no_report():
    page = "MANAGEMENT DISCUSSION AND ANALYSIS\n管理層討論及分析\nAnnual Report 2021 | 二零二一年年報 005\n"
    page += "截至二零二一年及二零二零年九月三十日止\n年度，本集團的收益。\n" + LONG_TRADITIONAL[:3000]
    text = read(page, page)
    assert (text.kind, text.report_year, text.fiscal_year_end) == ("other", 2021, "2021-09-30")
    page = f"示范股份有限公司 2019 年年度报告全文\n12\n第四节 经营情况讨论与分析\n{LONG[:3000]}"
    assert read(page, page).kind == "other"


def test_revision_on_the_cover():
    text = read("示范股份有限公司\n2018 年年度报告\n（二次修订稿）", PROFILE, LONG)
    assert (text.revision, text.revision_number) == ("revised", 2)
    text = read("示范股份有限公司\n2018 年年度报告（更新后）", PROFILE, LONG)
    assert (text.revision, text.revision_number, text.kind) == ("updated", 1, "annual")


USUAL = replace(
    TextEvidence(),
    stock_code="000059",
    stock_code_place="profile",
    stock_code_page=5,
    report_year=2018,
    report_year_place="cover",
    report_year_page=1,
    kind="annual",
    kind_place="cover",
    kind_page=1,
    language="zh-Hans",
)


def test_text_goes_before_the_file_name_and_the_disagreement_is_named():
    identity = decide(from_path("000059_2019_annual.pdf"), USUAL)
    assert (identity.report_year, identity.report_year_source) == (2018, "page 1")
    assert identity.disagreement == "report_year: text says 2018, file name says 2019"
    assert (identity.stock_code, identity.stock_code_source) == ("000059", "page 5 and file name")


def test_a_mention_in_passing_yields_to_the_file_name():
    text = replace(USUAL, report_year_place="body")
    assert decide(parse_title("000059_2019_annual"), text).report_year == 2019


def test_equal_weights_go_to_the_earlier_source():
    # Text 4 against file name 3 and metadata 1.
    identity = decide(parse_title("000059_2019_annual"), USUAL, "2019年年度报告")
    assert identity.report_year == 2018
    assert "PDF metadata says 2019" in identity.disagreement


def test_metadata_lies():
    identity = decide(parse_title("000059_2018"), USUAL, " 2003年年度报告")
    assert identity.report_year == 2018
    assert identity.disagreement == "report_year: text says 2018, file name says 2018, PDF metadata says 2003"
    assert decide(NO_NAME, USUAL, "股份有限公司").company_name is None
    assert decide(NO_NAME, USUAL, "211695-01").stock_code == "000059"


def test_metadata_as_hexadecimal_gbk():
    title = "Microsoft Word - 浙江示范股份有限公司2019年年度报告.doc".encode("gb18030").hex().upper()
    identity = decide(NO_NAME, None, f"<{title}>")
    assert (identity.report_year, identity.report_year_source) == (2019, "PDF metadata")
    assert identity.company_name == "浙江示范股份有限公司"


def test_the_name_alone():
    identity = decide(from_path("000008/2016.pdf"), None)
    assert (identity.stock_code, identity.stock_code_source) == ("000008", "folder")
    assert (identity.report_year, identity.report_year_source) == (2016, "file name")
    assert (identity.kind, identity.kind_source) == ("other", "")


def test_language_decides_within_the_annual_reports():
    english = replace(USUAL, kind="english", language="en")
    identity = decide(parse_title("000059_2018_annual"), english)
    assert (identity.kind, identity.kind_source, identity.disagreement) == ("english", "page 1 and file name", "")
    identity = decide(parse_title("2018年年度报告（英文版）"), USUAL)
    assert identity.kind == "annual"
    assert identity.disagreement == "kind: text says annual, file name says english"


def test_revision_of_the_file_name():
    identity = decide(parse_title("2018年年度报告（更新后）"), USUAL)
    assert (identity.revision, identity.revision_number, identity.disagreement) == ("updated", 1, "")
    revised = replace(USUAL, revision="revised", revision_number=1)
    assert decide(parse_title("2018年年度报告"), revised).revision == "revised"
    identity = decide(parse_title("2018年年度报告（二次修订稿）"), revised)
    assert identity.disagreement == "revision: text says revised 1, file name says revised 2"


# What the labelled files are called here: an extract is no report, Hong Kong's reports go by their language.
KIND_OF_LABEL = {("annual", "en"): "english", ("annual", "zh-Hant"): "hk_annual", ("annual", "en+zh-Hant"): "hk_annual"}
# Neither page nor PDF of these files carries the field; code and name stand in the file name and the label only.
NOT_IN_TEXT = {
    "000585_2018Q1_quarterly": {"stock_code"},
    "600526_2015_annual_inquiry_scan_ocr": {"stock_code", "report_year"},
    "HK00007_2020_mda_zh_hant": {"stock_code", "company_name"},
    "HK00640_2021_mda": {"stock_code"},
    "HK00640_2021_mda_zh_hant": {"stock_code", "company_name"},
    "HK00717_2021_mda_zh_hant": {"stock_code", "company_name"},
    "HK02324_2021_mda_zh_hant": {"stock_code", "company_name"},
}


def _labels():
    folder = SHARED / "gold" / "reports"
    labels = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [label for label in labels if label["kind"] != "not_a_pdf" and (SHARED / "reports" / label["file"]).exists()]


@pytest.fixture(scope="module")
def labelled():
    labels = _labels()
    if not labels:
        pytest.skip("the shared labelled reports are not beside the repository")
    found = []
    for label in labels:
        path = SHARED / "reports" / label["file"]
        document = read_document(path.read_bytes(), path.suffix)
        found.append((label, [page.text for page in document.pages], document.metadata_title))
    return found


def _kind(label):
    if label["kind"] == "mda":
        return "other"
    language = label["language"]
    return KIND_OF_LABEL.get((label["kind"], language), label["kind"])


def _names(label):
    names = (label["company_name"], label.get("company_name_zh"))
    return {fold(name).replace(" ", "").casefold() for name in names if name}


def _check(label, identity, left_out):
    stem = label["file"].rsplit(".", 1)[0]
    expected = {"stock_code": label["stock_code"], "report_year": label["fiscal_year"], "kind": _kind(label)}
    for field, value in expected.items():
        if field not in left_out:
            assert getattr(identity, field) == value, (stem, field)
    if "company_name" not in left_out:
        assert identity.company_name is not None, stem
        assert identity.company_name.replace(" ", "").casefold() in _names(label), stem
    if "stock_code" not in left_out:
        assert identity.exchange == label["exchange"], stem
    b_codes = [code for code in label.get("stock_codes", ()) if code.startswith(("200", "900"))]
    if "company_name" not in left_out:
        assert [identity.stock_code_b] == (b_codes or [None]), stem


def test_labelled_reports_from_text_alone(labelled):
    for label, pages, _ in labelled:
        left_out = NOT_IN_TEXT.get(label["file"].rsplit(".", 1)[0], set())
        _check(label, decide(from_path("x.pdf"), from_pages(pages)), left_out)


def test_labelled_reports_from_the_name_alone(labelled):
    for label, _, _ in labelled:
        # Only the text knows the A share code of 200570.
        left_out = {"company_name"} | ({"stock_code"} if label["file"].startswith("200570") else set())
        _check(label, decide(from_path(label["file"]), None), left_out)


def test_labelled_reports_from_everything(labelled):
    for label, pages, metadata_title in labelled:
        left_out = NOT_IN_TEXT.get(label["file"].rsplit(".", 1)[0], set()) & {"company_name"}
        _check(label, decide(from_path(label["file"]), from_pages(pages), metadata_title), left_out)


def test_labelled_reports_of_the_mainland_without_their_covers(labelled):
    for label, pages, _ in labelled:
        if label["kind"] == "annual" and label["exchange"] in ("SZ", "SH") and len(pages) > 1:
            identity = decide(from_path("x.pdf"), from_pages(pages[1:]))
            found = (identity.stock_code, identity.report_year, identity.kind)
            assert found == (label["stock_code"], label["fiscal_year"], "annual"), label["file"]


def test_evidence_of_labelled_reports_is_printed_on_the_page_that_is_named(labelled):
    for label, pages, _ in labelled:
        text = from_pages(pages)
        for field in ("stock_code", "company_name", "short_name", "report_year", "kind"):
            evidence = getattr(text, f"{field}_evidence")
            if evidence:
                page = "".join(fold(pages[getattr(text, f"{field}_page") - 1]).split())
                assert "".join(fold(evidence).split()) in page, (label["file"], field)
                assert len(evidence) <= 80


def test_short_names_and_year_ends_of_labelled_reports(labelled):
    for label, pages, _ in labelled:
        text = from_pages(pages)
        if label["short_name"]:
            assert text.short_name == fold(label["short_name"]).split("、")[0], label["file"]
        if label["kind"] in ("annual", "mda"):
            assert text.fiscal_year_end == label["fiscal_year_end"], label["file"]


def test_the_metadata_of_one_labelled_report_is_reported_as_lying(labelled):
    for label, pages, metadata_title in labelled:
        if label["file"] == "000002_2007_annual_full.pdf":
            identity = decide(from_path(label["file"]), from_pages(pages), metadata_title)
            assert identity.disagreement.endswith("PDF metadata says 2003")
            assert identity.report_year == 2007


def test_files_that_are_no_reports():
    for name in ("hardcase_bad_tounicode_notareport.pdf", "hardcase_bond_prospectus_table_onepage.pdf"):
        path = SHARED / "reports" / name
        if not path.exists():
            pytest.skip("the shared reports are not beside the repository")
        pages = [page.text for page in read_document(path.read_bytes(), path.suffix).pages]
        identity = decide(from_path("x.pdf"), from_pages(pages))
        assert (identity.kind, identity.stock_code, identity.report_year) == ("other", None, None)


def test_a_usual_report_is_read_quickly():
    pages = [COVER, "第一节 重要提示", "目录", "释义\n" + LONG[:2000], PROFILE, *[LONG[:2000]] * 150]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        from_pages(pages)
        seconds.append(time.perf_counter() - start)
    # Measured: 0.002 seconds; ten times the limit of 0.01 lets a busy machine pass.
    assert min(seconds) < 0.1
