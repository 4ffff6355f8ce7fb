"""Covers and company profiles of many layouts: exchanges, years and kinds of firms, as short texts."""

import time

import pytest

from nlp.identity import decide, from_pages, from_path
from nlp.title import TitleParts

# More than the 30,000 characters that a running header needs to make a report.
LONG = "董事会对公司经营情况作如下说明，本年度公司的业务与去年相比有所增长。\n" * 1_000
NOTICE = "本公司董事会及董事保证年度报告内容的真实、准确、完整，不存在虚假记载、误导性陈述或重大遗漏。\n"

SHANGHAI_2003 = (
    "上海示范实业股份有限公司\n\n2003 年年度报告\n",
    "目 录\n一、重要提示 ........ 1\n二、公司基本情况简介 ........ 1\n三、会计数据和业务数据摘要 ........ 2",
    "一、重要提示\n" + NOTICE + "二、公司基本情况简介\n1、公司法定中文名称：上海示范实业股份有限公司\n"
    "公司中文名称缩写：示范实业\n公司英文名称：SHANGHAI EXAMPLE INDUSTRIAL CO.,LTD\n2、公司法定代表人：张三\n"
    "6、公司 A 股上市交易所：上海证券交易所\n公司 A 股简称：示范实业\n公司 A 股代码：600601\n"
    "公司 B 股上市交易所：上海证券交易所\n公司 B 股简称：示范 B 股\n公司 B 股代码：900901\n",
)
SHANGHAI_2008 = (
    "哈示航空工业股份有限公司\n600038\n2008 年年度报告\n",
    "（一） 公司信息\n公司的法定中文名称 哈示航空工业股份有限公司\n公司的法定中文名称缩写 哈示股份\n"
    "公司的法定英文名称 HASHI AVIATION INDUSTRY CO., LTD\n公司法定代表人 李四\n",
    "（六） 公司股票简况\n公司股票简况\n股票种类 股票上市交易所 股票简称 股票代码 变更前股票简称\n"
    "A 股 上海证券交易所 哈示股份 600038\n",
)
SHANGHAI_COVER_CODE_ONLY = (
    "青海示业股份有限公司\n600117\n2010 年年度报告\n",
    "目录\n一、 重要提示........2\n二、 公司基本情况........2",
)
SHANGHAI_2015_RENAMED = (
    "2015 年年度报告\n1 / 152\n公司代码：600145 公司简称：*ST 新示\n贵州新示实业股份有限公司\n2015 年年度报告\n",
    "公司的中文名称 贵州新示实业股份有限公司\n公司的中文简称 *ST新示\n公司的曾用名 贵州国示建设股份有限公司\n",
    "公司股票简况\n股票种类 股票上市交易所 股票简称 股票代码 变更前股票简称\nA股 上海证券交易所 *ST新示 600145 *ST国示",
)
SHANGHAI_A_AND_B = (
    "公司代码：600614 900907 公司简称：鹏示科技 鹏示 B 股\n鹏示科技发展股份有限公司\n2017 年年度报告",
    "公司的中文名称 鹏示科技发展股份有限公司\nA股 上海证券交易所 鹏示科技 600614 ST鼎示\n"
    "B股 上海证券交易所 鹏示B股 900907 ST鼎示B",
)
SHANGHAI_B_FIRST = (
    "公司代码：900955，600555 公司简称：*ST 示航 B，*ST 示航\n海南示航创新股份有限公司\n2018 年年度报告",
    "公司的中文名称 海南示航创新股份有限公司",
)
SHANGHAI_B_ONLY = (
    "公司代码：900957 公司简称：凌示 B 股\n上海凌示实业发展股份有限公司\n2019 年年度报告",
    "公司的中文名称 上海凌示实业发展股份有限公司\n公司股票简况\nB股 上海证券交易所 凌示B股 900957",
)
STAR = (
    "公司代码：688981 公司简称：中示国际\n港股代码：00981\n中示国际集成电路制造有限公司\n2021 年年度报告",
    "公司的中文名称 中示国际集成电路制造有限公司\nA股 上海证券交易所科创板 中示国际 688981 不适用",
)
SHENZHEN_1999 = (
    "深圳示业股份有限公司\n1999 年年度报告",
    "一、公司简介\n1、公司法定中文名称：深圳示业股份有限公司\n2、公司法定代表人：王五\n"
    "6、公司股票上市地：深圳证券交易所\n股票简称：深示业A\n股票代码：0006\n",
)
SHENZHEN_2004_NO_COLON = (
    "深圳市示康股份有限公司二 ○ ○ 四 年 年 度 报 告",
    "第二节 公司基本情况简介\n一、公司法定中文名称 深圳市示康股份有限公司\n"
    "四、股票上市地 深圳证券交易所 股票简称 示康 A 股票代码 000048\n",
)
SHENZHEN_2013_RENAMED = (
    "北京示讯科技股份有限公司\n2013 年度报告\n2014 年 04 月",
    "公司简介\n一、公司信息\n股票简称 示讯科技 股票代码 002123\n变更后的股票简称（如有） 荣示股份\n"
    "股票上市证券交易所 深圳证券交易所\n公司的中文名称 北京示讯科技股份有限公司\n公司的中文简称 示讯科技\n",
)
SHENZHEN_A_AND_B_CELLS = (
    "中国示玻集团股份有限公司 2018 年年度报告全文\n1\n中国示玻集团股份有限公司\n2018 年年度报告\n2019 年 04 月",
    "股票简称 A 股：示玻 A；B 股：示玻 B 股票代码 A 股：000012；B 股：200012\n股票上市证券交易所 深圳证券交易所\n"
    "公司的中文名称 中国示玻集团股份有限公司\n",
)
SHENZHEN_B_BEFORE_A = (
    "常示股份有限公司\n2020 年年度报告",
    "股票简称 常示 B、常示 A 股票代码 200570、000570\n公司的中文名称 常示股份有限公司",
)
CELLS_ON_LINES = (
    "山东示阳纸业股份有限公司\n2016 年年度报告",
    "一、公司信息\n股票简称\n示阳纸业\n股票代码\n002078\n股票上市证券交易所\n深圳证券交易所\n"
    "公司的中文名称\n山东示阳纸业股份有限公司\n公司的中文简称\n示阳纸业\n",
)
CHINEXT = (
    "宁示时代新能源科技股份有限公司\n2022 年年度报告\n公告编号：2023-015\n2023 年 3 月",
    "股票简称 宁示时代 股票代码 300750\n股票上市证券交易所 深圳证券交易所\n"
    "公司的中文名称 宁示时代新能源科技股份有限公司",
)
BEIJING = (
    "万示轴承\n920002\n江苏万示特种轴承股份有限公司\nJiangsu Wanshi Special Bearing Co., Ltd\n年度报告\n2023\n",
    "公司年度大事记\n2023 年 7 月，公司通过高新技术企业复审。",
    "第二节 公司概况\n一、 基本信息\n证券简称 万示轴承\n证券代码 920002\n公司中文全称 江苏万示特种轴承股份有限公司\n",
)
BEIJING_HEADER = (
    "证券代码：430047 证券简称：诺示兰德 主办券商：中泰证券\n北京诺示兰德生物技术股份有限公司\n2022 年年度报告",
    "公司中文全称 北京诺示兰德生物技术股份有限公司",
)
BANK = (
    "招示银行股份有限公司\nCHINA MERSHI BANK CO., LTD.\n二〇一九年年度报告\n（A 股股票代码：600036）\n",
    "第一章 公司简介\n1.1.1 法定中文名称：招示银行股份有限公司（简称：招示银行）\n"
    "1.1.7 股票上市证券交易所：\nA 股：上海证券交易所；股份简称：招示银行；股份代号：600036\n"
    "H 股：香港联交所；股份简称：招示银行；股份代号：03968\n",
)
BANK_SHARE_NUMBER_ONLY = (
    "招示银行股份有限公司\n二〇一九年年度报告",
    "1.1.1 法定中文名称：招示银行股份有限公司（简称：招示银行）\n1.1.7 股票上市证券交易所：\n"
    "A 股：上海证券交易所；股份简称：招示银行；股份代号：600036\n"
    "H 股：香港联交所；股份简称：招示银行；股份代号：03968\n",
)
BROKER_YEAR_BEHIND = (
    "中示证券 年度报告 2024\nSHITIC SECURITIES Annual Report\n股票代码:600030",
    "公司的中文名称 中示证券股份有限公司\n公司的中文简称 中示证券",
)
SUFFIXED_CODE = (
    "中示证券股份有限公司\n2025 年年度报告",
    "公司的中文名称 中示证券股份有限公司\n股票种类 股票上市交易所 股票简称 股票代码 变更前股票简称\n"
    "A股 上交所 中示证券 600030.SH 不适用\nH股 香港联交所 中示证券 6030.HK 不适用",
)
SPECIAL_TREATMENT = (
    "S*ST 聚示：2008 年年度报告\n成都聚示网络股份有限公司\n2008 年年度报告\n",
    "股票简称：S*ST 聚示\n股票代码：000693\n公司法定中文名称：成都聚示网络股份有限公司",
)
FULL_WIDTH = (
    "深圳市示业（集团）股份有限公司\n２０１８ 年年度报告",
    "股票简称 深示业Ａ 股票代码 ０００００６\n公司的中文名称 深圳市示业(集团)股份有限公司",
)
LETTER_SPACED = (
    "万 示 企 业 股 份 有 限 公 司\n2 0 0 8 年 度 报 告",
    "中文名称：万示企业股份有限公司\n股票简称及代码：万 示 Ａ 000002\n万 示 Ｂ 200002\n",
)
LOGO_ONLY = (
    "2014\n年度报告\n",
    "第一节 重要提示\n" + NOTICE,
    "公司简介\n股票简称 示安股份 股票代码 000009\n公司的中文名称 中国示安集团股份有限公司\n公司董事局主席 张三",
)
RENAMED = (
    "全新示股份有限公司\n2018 年年度报告",
    "股票简称 全新示 股票代码 000007\n变更前的股票简称（如有） 零示股份\n公司的中文名称 全新示股份有限公司\n"
    "公司的中文简称 全新示\n公司曾用名：深圳市零示股份有限公司\n",
)
FILED_LATE = (
    "贵州示鑫矿业股份有限公司\n2016 年年度报告\n2019 年 3 月 29 日",
    "股票代码：600123\n公司名称：贵州示鑫矿业股份有限公司\n"
    "公司于 2019 年 3 月 29 日披露 2017 年年度报告和 2018 年半年度报告。",
)
INTERLEAVED = (
    "示安银行\n2016\n股份\n年年度\n有限公\n报告\n司",
    NOTICE + "本行董事会会议审议了 2016 年年度报告正文及摘要。\n",
    "股票简称 示安银行 股票代码 000001\n公司的中文名称 示安银行股份有限公司",
)
NO_PUNCTUATION = (
    "深圳示展银行 2001年年度报告",
    "第二节公司基本情况简介\n公司法定中文名称深圳示展银行股份有限公司\n股票上市地深圳证券交易所\n"
    "股票简称深示展A\n股票代码000001\n",
)
RADICALS = (
    "⻩⼭示游发展股份有限公司\n2021 年年度报告",
    "公司代码：600054 公司简称：⻩⼭示游\n公司的中⽂名称 ⻩⼭示游发展股份有限公司",
)
COMPARATIVE_HEADERS = (
    "示范股份有限公司\n2018 年年度报告",
    "股票代码：600222\n公司名称：示范股份有限公司",
    *[f"示范股份有限公司 2017 年年度报告\n{page}\n" + NOTICE for page in range(3, 6)],
)

# Pages, and what they say: A share code, B share code, exchange, company, short name, fiscal year.
FORMS = {
    "Shanghai 2003": (SHANGHAI_2003, "600601", "900901", "SH", "上海示范实业股份有限公司", "示范实业", 2003),
    "Shanghai 2008": (SHANGHAI_2008, "600038", None, "SH", "哈示航空工业股份有限公司", "哈示股份", 2008),
    "code on the cover": (SHANGHAI_COVER_CODE_ONLY, "600117", None, "SH", "青海示业股份有限公司", None, 2010),
    "Shanghai renamed": (SHANGHAI_2015_RENAMED, "600145", None, "SH", "贵州新示实业股份有限公司", "*ST新示", 2015),
    "Shanghai A and B": (SHANGHAI_A_AND_B, "600614", "900907", "SH", "鹏示科技发展股份有限公司", "鹏示科技", 2017),
    "Shanghai B first": (SHANGHAI_B_FIRST, "600555", "900955", "SH", "海南示航创新股份有限公司", "*ST示航", 2018),
    "Shanghai B only": (SHANGHAI_B_ONLY, "900957", "900957", "SH", "上海凌示实业发展股份有限公司", "凌示B股", 2019),
    "STAR": (STAR, "688981", None, "SH", "中示国际集成电路制造有限公司", "中示国际", 2021),
    "Shenzhen 1999": (SHENZHEN_1999, "000006", None, "SZ", "深圳示业股份有限公司", "深示业A", 1999),
    "Shenzhen 2004": (SHENZHEN_2004_NO_COLON, "000048", None, "SZ", "深圳市示康股份有限公司", "示康A", 2004),
    "Shenzhen renamed": (SHENZHEN_2013_RENAMED, "002123", None, "SZ", "北京示讯科技股份有限公司", "示讯科技", 2013),
    "A and B in cells": (SHENZHEN_A_AND_B_CELLS, "000012", "200012", "SZ", "中国示玻集团股份有限公司", "示玻A", 2018),
    "B before A": (SHENZHEN_B_BEFORE_A, "000570", "200570", "SZ", "常示股份有限公司", "常示A", 2020),
    "cells on lines": (CELLS_ON_LINES, "002078", None, "SZ", "山东示阳纸业股份有限公司", "示阳纸业", 2016),
    "ChiNext": (CHINEXT, "300750", None, "SZ", "宁示时代新能源科技股份有限公司", "宁示时代", 2022),
    "Beijing": (BEIJING, "920002", None, "BJ", "江苏万示特种轴承股份有限公司", "万示轴承", 2023),
    "Beijing header": (BEIJING_HEADER, "430047", None, "BJ", "北京诺示兰德生物技术股份有限公司", "诺示兰德", 2022),
    "bank": (BANK, "600036", None, "SH", "招示银行股份有限公司", "招示银行", 2019),
    "bank, share number": (BANK_SHARE_NUMBER_ONLY, "600036", None, "SH", "招示银行股份有限公司", "招示银行", 2019),
    "year behind": (BROKER_YEAR_BEHIND, "600030", None, "SH", "中示证券股份有限公司", "中示证券", 2024),
    "code with suffix": (SUFFIXED_CODE, "600030", None, "SH", "中示证券股份有限公司", "中示证券", 2025),
    "special treatment": (SPECIAL_TREATMENT, "000693", None, "SZ", "成都聚示网络股份有限公司", "S*ST聚示", 2008),
    "full width": (FULL_WIDTH, "000006", None, "SZ", "深圳市示业(集团)股份有限公司", "深示业A", 2018),
    "letter-spaced": (LETTER_SPACED, "000002", "200002", "SZ", "万示企业股份有限公司", "万示A", 2008),
    "logo": (LOGO_ONLY, "000009", None, "SZ", "中国示安集团股份有限公司", "示安股份", 2014),
    "renamed": (RENAMED, "000007", None, "SZ", "全新示股份有限公司", "全新示", 2018),
    "filed late": (FILED_LATE, "600123", None, "SH", "贵州示鑫矿业股份有限公司", None, 2016),
    "interleaved": (INTERLEAVED, "000001", None, "SZ", "示安银行股份有限公司", "示安银行", 2016),
    "no punctuation": (NO_PUNCTUATION, "000001", None, "SZ", "深圳示展银行股份有限公司", "深示展A", 2001),
    "radicals": (RADICALS, "600054", None, "SH", "黄山示游发展股份有限公司", "黄山示游", 2021),
    "headers of other years": (COMPARATIVE_HEADERS, "600222", None, "SH", "示范股份有限公司", None, 2018),
}


@pytest.mark.parametrize("form", FORMS)
def test_reports_of_many_layouts(form):
    pages, code, code_b, exchange, company, short_name, year = FORMS[form]
    identity = decide(TitleParts(), from_pages([*pages, LONG]))
    assert (identity.stock_code, identity.stock_code_b, identity.exchange) == (code, code_b, exchange)
    assert (identity.company_name, identity.short_name) == (company, short_name)
    assert (identity.report_year, identity.kind) == (year, "annual")
    assert (identity.revision, identity.fiscal_year_end) == ("original", f"{year}-12-31")


SUMMARY_TEXT = "本年度报告摘要来自年度报告全文，投资者应当仔细阅读年度报告全文。\n" * 80
OTHERS = {
    "Shanghai summary": (
        [
            "公司代码：601021 公司简称：示秋航空\n示秋航空股份有限公司\n2021 年年度报告摘要\n第一节 重要提示\n"
            + SUMMARY_TEXT
        ],
        ("summary", 2021, "601021"),
    ),
    "Shenzhen summary": (
        [
            "证券代码：000059 证券简称：示范股份 公告编号：2020-012\n北方示范化学工业股份有限公司 2019 年年度报告摘要\n"
            "一、重要提示\n" + SUMMARY_TEXT,
            "股票简称 示范股份 股票代码 000059\n董事会秘书 李四\n",
        ],
        ("summary", 2019, "000059"),
    ),
    "quarterly": (
        [
            "公司代码：600519 公司简称：贵州示台\n贵州示台酒股份有限公司\n2021 年第一季度报告\n",
            "2020 年年度报告已于 2021 年 3 月披露，2020 年年度报告真实。",
        ],
        ("quarterly", 2021, "600519"),
    ),
    "half-year summary": (
        ["证券代码：300750 证券简称：宁示时代 公告编号：2021-069\n宁示时代股份有限公司 2021 年半年度报告摘要\n", LONG],
        ("semiannual", 2021, "300750"),
    ),
    "half-year": (
        ["宁示时代股份有限公司\n2021 年半年度报告\n2021 年 08 月", "上年度末即 2020 年年度报告披露的数据", LONG],
        ("semiannual", 2021, None),
    ),
    "reply": (
        [
            "证券代码：002000 证券简称：示范股份 公告编号：2020-050\n示范科技股份有限公司\n"
            "关于对深圳证券交易所 2019 年年报问询函回复的公告\n本公司及董事会全体成员保证信息披露的内容真实。\n",
            LONG,
        ],
        ("inquiry_reply", 2019, "002000"),
    ),
    "auditor's reply": (
        [
            "关于对示范科技股份有限公司\n2018 年年报问询函\n有关问题的专项说明\n示会计师事务所（特殊普通合伙）\n",
            "贵部《关于对示范科技股份有限公司 2018 年年报的问询函》已收悉。",
        ],
        ("inquiry_reply", 2018, None),
    ),
    "reply to Shanghai": (
        [
            "证券代码：600222 证券简称：示范股份 公告编号：临 2019-045\n示范股份有限公司\n"
            "关于上海证券交易所对公司 2018 年年度报告的\n事后审核问询函的回复公告\n",
            LONG,
        ],
        ("inquiry_reply", 2018, "600222"),
    ),
    "inquiry": (
        [
            "关于对示范科技股份有限公司 2019 年年报的问询函\n公司部年报问询函〔2020〕第 1 号\n"
            "示范科技股份有限公司董事会：\n我部在对你公司 2019 年年度报告事后审查过程中，请你公司作出书面说明。",
        ],
        ("other", 2019, None),
    ),
    "inquiry received": (
        [
            "证券代码：600222 证券简称：示范股份\n示范股份有限公司\n"
            "关于收到上海证券交易所 2018 年年度报告问询函的公告\n"
            "请公司核实并作出说明，及时回复。",
        ],
        ("other", 2018, "600222"),
    ),
    "correction": (
        [
            "证券代码：600222 证券简称：示范股份\n示范股份有限公司\n关于 2018 年年度报告的更正公告\n本公司董事会保证。",
            "更正后的 2018 年年度报告与本公告同日披露。",
        ],
        ("correction_notice", 2018, "600222"),
    ),
    "supplement": (
        ["证券代码：000059 证券简称：示范股份\n示范股份有限公司\n2018 年年度报告补充公告\n本公司已披露年报。"],
        ("correction_notice", 2018, "000059"),
    ),
    "correction of a summary": (
        [
            "股票代码：002000 股票简称：示范\n示范股份有限公司\n"
            "关于更正 2018 年年度报告全文及摘要的公告\n本公司披露了年报。"
        ],
        ("correction_notice", 2018, "002000"),
    ),
    "late disclosure": (
        ["证券代码：600222 证券简称：示范股份\n示范股份有限公司\n关于延期披露 2019 年年度报告的公告\n因工作量大。"],
        ("other", 2019, "600222"),
    ),
    "bond issuer": (
        ["盐示市城市资产投资集团有限公司\n公司债券年度报告\n（2020 年）\n二〇二一年四月", LONG],
        ("other", 2020, None),
    ),
    "bonds of a listed firm": (
        ["万示企业股份有限公司\n公司债券 2019 年年度报告\n", NOTICE, LONG],
        ("other", 2019, None),
    ),
    "bond issuer in one line": (
        ["示西建设投资集团有限公司公司债券年度报告（2025年）\n2026 年 4 月", LONG],
        ("other", 2025, None),
    ),
    "unlisted issuer": (["湘示市城市建设投资经营有限责任公司\n2010 年年度报告", LONG], ("other", 2010, None)),
    "auditor's report": (
        ["示范股份有限公司\n审计报告及财务报表\n2019 年度\n目 录\n一、审计报告 1-6", LONG],
        ("other", 2019, None),
    ),
    "social responsibility": (
        ["示范股份有限公司\n2019 年度社会责任报告\n", "详见公司 2019 年年度报告。", LONG],
        ("other", 2019, None),
    ),
    "prospectus": (
        ["示范股份有限公司\n首次公开发行股票招股说明书\n（申报稿）", "发行人 2016 年年度报告", LONG],
        ("other", 2016, None),
    ),
    "internal control": (["示范股份有限公司\n2018 年度内部控制评价报告\n", LONG], ("other", 2018, None)),
}


@pytest.mark.parametrize("form", OTHERS)
def test_what_is_no_annual_report_of_a_listed_firm(form):
    pages, (kind, year, code) = OTHERS[form]
    identity = decide(TitleParts(), from_pages(pages))
    assert (identity.kind, identity.report_year, identity.stock_code) == (kind, year, code)


ENGLISH = "The Group recorded growth in its business during the year under review.\n" * 600
TRADITIONAL = "本集團於年內的業務與去年相比錄得增長，董事會對財務狀況感到滿意。\n" * 1_000


@pytest.mark.parametrize(
    ("pages", "kind", "year", "year_end"),
    [
        (
            ["EXAMPLE LIMITED\nAnnual Report 2020/21", "For the year ended 31 March 2021", ENGLISH],
            "english",
            2021,
            "03-31",
        ),
        (["2020/2021\nAnnual Report", "for the year ended 30 June 2021", ENGLISH], "english", 2021, "06-30"),
        (
            ["示範集團有限公司\n2020/21 年報", "截至二零二一年三月三十一日止年度", TRADITIONAL],
            "hk_annual",
            2021,
            "03-31",
        ),
        (["示範集團有限公司\n年報 2021", "截至2021年9月30日止年度", TRADITIONAL], "hk_annual", 2021, "09-30"),
        (["二零二零╱二一年年報", "截至二零二一年六月三十日止年度", TRADITIONAL], "hk_annual", 2021, "06-30"),
        (["2008年年度報告\n示範股份有限公司", "截至2008年12月31日止年度", TRADITIONAL], "hk_annual", 2008, "12-31"),
        # A change of the year's end makes a year of fifteen or eighteen months.
        (
            ["示範有限公司\n二零二零年年報", "截至二零二零年十二月三十一日止十五個月", TRADITIONAL],
            "hk_annual",
            2020,
            "12-31",
        ),
        (
            ["EXAMPLE\nANNUAL REPORT 2020", "the eighteen months ended 31 December 2020", ENGLISH],
            "english",
            2020,
            "12-31",
        ),
        (["KWEICHOW EXAMPLE CO., LTD.\nANNUAL REPORT 2021\nStock Code: 600519", ENGLISH], "english", 2021, "12-31"),
    ],
)
def test_fiscal_years_abroad(pages, kind, year, year_end):
    identity = decide(TitleParts(), from_pages(pages))
    assert (identity.kind, identity.report_year) == (kind, year)
    assert identity.fiscal_year_end == f"{year}-{year_end}"


@pytest.mark.parametrize(
    "title",
    [
        "二〇〇八年年度报告",
        "二零零八年度报告",
        "二 ○ ○ 八 年 年 度 报 告",
        "二◯◯八年年度报告",
        "二OO八年度报告",
        "二ОО八年年度报告",
        "2008 年度报告",
        "２００８年年报",
        "2008年年度报告正文",
        "2008 年年度报告（全文）",
        "2008\n年度报告",
        "年度报告\n2008",
        "ANNUAL REPORT 2008\n年度报告\n二〇〇九年三月",
    ],
)
def test_fiscal_year_in_many_spellings(title):
    identity = decide(TitleParts(), from_pages([f"示范股份有限公司\n{title}\n", NOTICE, LONG]))
    assert (identity.report_year, identity.kind) == (2008, "annual")


@pytest.mark.parametrize(
    ("mark", "revision", "number"),
    [
        ("（修订版）", "revised", 1),
        ("（更新后）", "updated", 1),
        ("（2009 年 10 月修订）", "revised", 1),
        ("\n（二次修订稿）", "revised", 2),
        ("\n修订稿", "revised", 1),
        ("（全文）", "original", 0),
        ("\n（经修订的企业会计准则）编制", "original", 0),
    ],
)
def test_edition_on_the_cover(mark, revision, number):
    text = from_pages([f"示范股份有限公司\n2008 年年度报告{mark}\n", NOTICE, LONG])
    assert (text.revision, text.revision_number, text.report_year) == (revision, number, 2008)
    assert bool(text.revision_evidence) == (revision != "original")


@pytest.mark.parametrize(
    ("cover", "other"),
    [
        # A part of the name on the cover, and a firm that was renamed between profile and cover.
        ("全新示股份有限公司\n2018 年年度报告", "全新示股份有限公司"),
        ("深圳市新名股份有限公司\n2018 年年度报告", "深圳市新名股份有限公司"),
        ("深圳市全新示股份有限公司\n2018 年年度报告", None),
        ("深圳市\n全新示股份有限公司\n2018 年年度报告", None),
    ],
)
def test_the_profile_names_the_firm_and_another_name_on_the_cover_is_reported(cover, other):
    profile = "股票代码：000007\n公司的中文名称 深圳市全新示股份有限公司\n"
    identity = decide(TitleParts(), from_pages([cover, profile, LONG]))
    assert (identity.company_name, identity.company_name_source) == ("深圳市全新示股份有限公司", "page 2")
    expected = f"company_name: another place of the text says {other}" if other else ""
    assert identity.disagreement == expected


def test_every_answer_carries_the_words_it_was_read_from():
    cover = "\r\n苏示柴股份有限公司\r\n２０１９ 年年度报告（更新后）\r\n"
    profile = (
        "5\r\n股票简称 苏示柴 A、苏示柴 B 股票代码 ０００５７０、２００５７０\r\n公司的中文名称 苏示柴股份有限公司\r\n"
    )
    identity = decide(TitleParts(), from_pages([cover, profile, LONG]))
    assert (identity.stock_code, identity.stock_code_b) == ("000570", "200570")
    assert identity.stock_code_evidence == "股票简称 苏示柴 A、苏示柴 B 股票代码 ０００５７０、２００５７０"
    assert identity.short_name_evidence == identity.stock_code_evidence
    assert identity.company_name_evidence == "公司的中文名称 苏示柴股份有限公司"
    assert identity.report_year_evidence == "２０１９ 年年度报告（更新后）"
    assert identity.kind_evidence == identity.revision_evidence == identity.report_year_evidence
    assert (identity.short_name_source, identity.revision_source) == ("page 2", "page 1")


def test_evidence_of_names_and_of_long_lines():
    name = decide(from_path("2019/600519_贵州示台_2019年年度报告（更新后）.pdf"), None)
    assert name.stock_code_evidence == name.revision_evidence == "600519_贵州示台_2019年年度报告（更新后）"
    assert (name.short_name, name.short_name_source) == ("贵州示台", "file name")
    assert decide(from_path("000008/2016.pdf"), None).stock_code_evidence == "000008"
    line = "本行董事会审议了" + "各项议案" * 30 + "以及 2016 年年度报告正文及摘要" + "各项议案" * 30
    text = from_pages(["示安", "重要提示\n" + line, LONG])
    assert (text.report_year, text.report_year_evidence) == (2016, "2016 年年度报告")


def test_a_b_share_in_the_name_agrees_with_the_a_share_in_the_text():
    text = from_pages(["常示股份有限公司\n2019 年年度报告", "股票代码：000570\n公司的中文名称 常示股份有限公司", LONG])
    assert decide(from_path("200570_2019.pdf"), text).disagreement == ""
    assert decide(from_path("200571_2019.pdf"), text).disagreement == (
        "stock_code: text says 000570, file name says 200571"
    )


def test_the_b_code_may_stand_on_the_next_page():
    pages = [
        "2009 年度报告\n",
        "公司法定中文名称：万示企业股份有限公司\n股票简称及代码：万示 A 000002",
        "万示 B 200002\n",
    ]
    identity = decide(TitleParts(), from_pages([*pages, LONG]))
    assert (identity.stock_code, identity.stock_code_b) == ("000002", "200002")


SHEET = "项目 2007 年 12 月 31 日 2006 年 12 月 31 日\n" * 20 + "借款将于 2009 年 12 月 31 日到期。\n" * 2


def test_without_a_cover_the_balance_sheet_tells_the_year():
    profile = "公司法定中文名称：万示企业股份有限公司\n股票代码：000002\n年报备置地点：公司董事会办公室\n"
    identity = decide(TitleParts(), from_pages([profile, LONG, SHEET]))
    assert (identity.report_year, identity.report_year_source) == (2007, "page 3")
    assert identity.report_year_evidence == "项目 2007 年 12 月 31 日 2006 年 12 月 31 日"
    assert (identity.kind, identity.kind_evidence) == ("annual", "年报备置地点：公司董事会办公室")
    mention = "2004 年年度报告披露的承诺已履行。"
    identity = decide(TitleParts(), from_pages([profile, mention, LONG, SHEET]))
    assert identity.report_year == 2007
    assert identity.disagreement == "report_year: another place of the text says 2004"


def test_a_half_year_report_without_a_cover_is_not_taken_for_an_annual_one():
    profile = "公司法定中文名称：万示企业股份有限公司\n股票代码：000002\n半年度报告备置地点：公司董事会办公室\n"
    notice = "董事会保证 2008 年半年度报告内容的真实、准确、完整。"
    identity = decide(TitleParts(), from_pages([profile, notice, LONG, SHEET]))
    assert (identity.kind, identity.report_year) == ("semiannual", 2008)
    assert decide(TitleParts(), from_pages([profile, LONG, SHEET])).kind == "other"


def test_a_code_on_the_last_pages():
    last = "公司資料\n股票代码：601318\n法定中文名称：中国示安保险股份有限公司"
    identity = decide(TitleParts(), from_pages(["中国示安保险股份有限公司\n二零二三年年报", LONG, last]))
    assert (identity.stock_code, identity.stock_code_source) == ("601318", "page 3")
    whole = "\n".join(["中国示安保险股份有限公司\n二零二三年年报", LONG, last])
    assert decide(TitleParts(), from_pages([whole])).stock_code == "601318"


@pytest.mark.parametrize("form", FORMS)
def test_the_same_from_a_text_without_pages_and_with_other_white_space(form):
    pages, code, code_b, _, company, short_name, year = FORMS[form]
    for text in (
        ["\n".join([*pages, LONG])],
        [page.replace("\n", " \r\n").replace(" ", "  ") for page in [*pages, LONG]],
    ):
        identity = decide(TitleParts(), from_pages(text))
        assert (identity.stock_code, identity.stock_code_b, identity.company_name) == (code, code_b, company)
        assert (identity.short_name, identity.report_year, identity.kind) == (short_name, year, "annual")


@pytest.mark.parametrize("unit", [" ", "\n", "A ", "股 ", "2 0 ", "年 度 报 告 ", "股票简称 ", "公司", "the “", "截至"])
def test_pages_of_one_repeated_word_take_no_time(unit):
    start = time.perf_counter()
    from_pages([(unit * 60_000)[:60_000]])
    # Measured: below 0.25 seconds on a busy machine; a pattern that backtracks takes minutes.
    assert time.perf_counter() - start < 5
