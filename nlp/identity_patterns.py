"""What a report looks like where it says whose it is: patterns, as data."""

from __future__ import annotations

import re

from nlp.title_patterns import ARABIC_YEAR, CHINESE_DIGIT, CHINESE_ZERO, Kind


def _spaced(text: str) -> str:
    """Return a pattern for Chinese words that may be letter-spaced or broken across lines."""
    return "|".join(r"\s*".join(word) for word in text.split("|"))


_YEAR = ARABIC_YEAR.replace(r"(?:19[89]|20[0-4])\d", r"(?:1\s{0,3}9\s{0,3}[89]|2\s{0,3}0\s{0,3}[0-4])\s{0,3}\d")
_SPACED_CHINESE_YEAR = (
    rf"(?P<chinese>[一二]\s*[九{CHINESE_ZERO}](?:\s*{CHINESE_DIGIT}){{2}})"
    rf"(?:\s*[/╱至]\s*(?P<next>{CHINESE_DIGIT}{{2,4}}))?"
)
_SECOND = r"(?:\s*[/╱\-–]\s*(?P<second>(?:20)?\d\d)(?!\d))?"
_REPORT = _spaced("报告|報告")
_NAME_OF_REPORT = (
    rf"(?P<what>(?:{_spaced('第')}\s*[一二三四1-4]\s*{_spaced('季度')}|{_spaced('半年度|半年|中期|年年度|年度|度')})\s*(?:{_REPORT})"
    rf"|{_spaced('年报|年報')})(?!\s*告)"
)
CHINESE_TITLES = (
    re.compile(rf"{_YEAR}{_SECOND}\s*年?\s*{_NAME_OF_REPORT}"),
    re.compile(rf"{_SPACED_CHINESE_YEAR}\s*年?\s*{_NAME_OF_REPORT}"),
    # The year behind or below the title; not the month of filing, nor the number of the announcement.
    re.compile(rf"(?P<what>年\s*度\s*(?:{_REPORT})|年\s*報)\s+{_YEAR}{_SECOND}(?!\s*年|[ \t]*[\d.\-/])"),
    re.compile(rf"(?P<what>年\s*度\s*(?:{_REPORT}))\s*\(\s*{_YEAR}\s*年?\s*度?\s*\)"),
)
ENGLISH_TITLES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<what>(?:annual|interim)\s+report)\s+(?:for\s+(?:the\s+year\s+)?)?{_YEAR}{_SECOND}(?!\d)",
        rf"{_YEAR}{_SECOND}\s+(?P<what>(?:annual|interim)\s+report)",
    )
)
TITLE_TAIL = re.compile(
    r"\s*(?:(?:全\s*文|正\s*文|及其摘要)\s*|(?P<summary>摘\s*要)\s*|\([^)\n]{1,12}\)\s*|年\s*[报報]\s*)*(?:\n|$)",
    re.IGNORECASE,
)
PAGE_NUMBER = re.compile(r"\s*\d{1,3}(?:\s*/\s*\d{1,3})?\s*\n")
WHAT_KINDS: tuple[tuple[str, Kind], ...] = (
    ("季", "quarterly"),
    ("半", "semiannual"),
    ("中", "semiannual"),
    ("interim", "semiannual"),
    ("", "annual"),
)
_MENDED = r"(?:更正|补充|修订|修改|修正|勘误|更新)"
NOTICES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "inquiry_reply",
        re.compile(
            # Not the letter itself, in which the exchange asks 你公司, nor the notice that it came or waits.
            r"^(?![\s\S]*(?:你公司|收到[^。]{0,40}(?:问询函|关注函|监管函)》?的公告|延期回复))[\s\S]*?"
            r"(?:(?:问\s*询\s*函|关\s*注\s*函|监\s*管\s*(?:工\s*作\s*)?函)[\s\S]{0,300}(?:回\s*复|答\s*复|说\s*明|核\s*查|汇\s*报)"
            r"|回复[\s\S]{0,60}问询函)"
        ),
    ),
    (
        "correction_notice",
        re.compile(
            rf"关于[\s\S]{{0,60}}(?:年度报告|年报)[\s\S]{{0,30}}?{_MENDED}[^。\n]{{0,12}}\n?(?:公告|说明)"
            rf"|关于[^。]{{0,30}}{_MENDED}[^。]{{0,40}}(?:年度报告|年报)[^。]{{0,16}}公告"
            rf"|(?:年度报告|年报)(?:全文|摘要|及其?摘要|及|和|、)*\s*(?:的\s*)?(?:{_MENDED}){{1,2}}\s*(?:公告|说明)"
        ),
    ),
)
# Words by which a cover says that this is no annual report; on a line of their own.
_OTHER_DOCUMENTS = "|".join(
    (
        r"(?:社会责任|可持续发展|环境、社会[及和与、][\u4e00-\u9fff]{2,4}|ESG)\s*\)?\s*报告",
        r"招股(?:说明|意向)书|募集说明书|(?:审核|独立|核查|法律|确认)意见书?|股东大会[^\n。]{0,12}(?:决议|会议资料|通知)",
        r"审\s*计\s*报\s*告(?:及财务报表)?|财务报表及审计报告|内部控制[\u4e00-\u9fff]{0,8}报告|述职报告",
        r"(?:董事会|监事会|总经理)(?:工作)?报告|(?:评级|鉴证|评估|审核|受托管理事务)报告|专项(?:说明|报告)",
        r"(?:公司|企业)?债券(?:\s*\d{4}\s*年?)?\s*年?度?\s*报告|业绩(?:预告|快报)(?:公告)?|公告|问询函|关注函",
    )
)
OTHER_COVER = re.compile(
    rf"^[^\n。,;]{{0,50}}(?:{_OTHER_DOCUMENTS})[ \t]*(?:\([^)\n]{{1,14}}\)[ \t]*)?$", re.MULTILINE | re.IGNORECASE
)
_VOUCHES = (
    r"(?<!半)年\s*度\s*报\s*告(?:全文|正文|内容|及其?摘要|中)?(?:内容)?\s*(?:财务报告)?的?\s*真\s*实"
    r"|(?<!半)(?:年度报告|年报)备置地点|登载(?:年度报告|年报)的"
)
# What only an annual report says of itself in its first pages, and what a report of any period says.
ANNUAL_MARK = re.compile(_VOUCHES)
REPORT_MARK = re.compile(rf"{_VOUCHES}|重\s*要\s*提\s*示|公司的?(?:法定)?中文名称|annual report", re.IGNORECASE)
BALANCE_SHEET_DATE = re.compile(rf"{ARABIC_YEAR}\s*年\s*12\s*月\s*31\s*日")
PERIODS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"报\s*告\s*期[^\n。]{{0,16}}?{_YEAR}\s*年\s*0?1\s*月\s*0?1\s*日",
        rf"本\s*年\s*度?\s*报\s*告\s*期[^\n。]{{0,16}}?{_YEAR}\s*年\s*度",
    )
)
PERIOD_ON_COVER = re.compile(rf"{_YEAR}\s*年\s*度(?!\s*第)")
MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})"
YEAR_ENDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"截\s*至\s*(?:{_YEAR}|{_SPACED_CHINESE_YEAR})\s*年(?:\s*[及和]\s*[\d二零一〇○九\s]{{4,12}}年)?"
        r"\s*(?P<month>[\d一二三四五六七八九十]{1,2}|十\s*[一二])\s*月\s*(?P<day>(?:[\d一二三四五六七八九十]\s*){1,3})日\s*止\s*(?:(?:財\s*政\s*)?年|[\d一二三四五六七八九十]{1,2}\s*[個个]\s*月)",
        r"(?:year|months|period)\s+ended\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+"
        rf"{_MONTH},?\s+{_YEAR}",
        rf"(?:year|months|period)\s+ended\s+{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+{_YEAR}",
    )
)

_CODE_WORD = _spaced("代码|代号")
CODE_LABEL = re.compile(
    rf"(?:(?:{_spaced('股票|证券|公司|股份|A股')})\s*(?:{_spaced('简称')}\s*[及和与、/]\s*)?(?:{_CODE_WORD})|stock\s+codes?)"
    r"[^\d\n]{0,30}(?:\n[^\d\n]{0,12})?(?<!\d)(?P<code>\d{6})(?!\d)",
    re.IGNORECASE,
)
CODE_ROW = re.compile(
    r"[AB]\s*股\s+(?:\S{0,12}交易所\S{0,8}|[上深北]交所\S{0,6})\s+"
    r"(?P<name>(?:\*?S?\*?ST {1,3})?\S{2,12}(?: {1,3}[AB](?: {0,3}股)?)?)\s+(?P<code>\d{6})(?!\d)"
)
# A code by itself on a line of the cover, or in brackets behind the name.
CODE_LINE = re.compile(r"(?:^[ \t]*\(?|公司[ \t]*\()(?P<code>\d{6})(?:\.S[HZ])?\)?[ \t]*$", re.MULTILINE)
SHENZHEN_SHORT_CODE = re.compile(
    r"(?:深圳证券交易所|深交所)[^港H]{0,60}?(?:股票|证券)代码[^\d\n]{0,8}(?<!\d)(?P<code>\d{4})(?!\d)"
)
HONG_KONG_LABEL = re.compile(
    r"(?:股\s*[份票]\s*(?:代\s*[號号碼码]|[編编]\s*[號号])|stock\s+codes?)[^\d\n「]{0,24}(?:\n\s*)?(?<![\d.])(?P<code>\d{1,5})(?![\d,.%])",
    re.IGNORECASE,
)
H_SHARE_LABELS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:H\s*股|港股|香港联合交易所|香港联交所)[\s\S]{0,50}?代\s*[码號号碼][^\d\n]{0,6}(?P<code>\d{4,5})(?![\d,.%])",
        r"H\s*股\s+(?:\S{0,12}交易所\S{0,8}|香港联交所\S{0,6})\s+\S{2,12}\s+(?P<code>\d{4,5})(?:\.HK)?(?![\d,.%])",
    )
)
NEARBY_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PROFILE = re.compile(
    _spaced("中文名称|中文全称|中文名稱|上市交易所|上市地|上市证券交易所|公司信息|公司資料") + "|corporate information",
    re.IGNORECASE,
)
_LETTER_SPACED = r"[\u4e00-\u9fff](?: {1,3}[\u4e00-\u9fff]){1,3}(?: {1,3}[AB])?"
_SHORT_NAME = (
    rf"(?P<name>{_LETTER_SPACED}(?=[\s:,;、(/]|\d{{6}}|$)"
    r"|(?:\*?S?\*?ST {1,3})?[^\s:,;、(/]{1,10}?(?: {0,3}[AB](?: {0,3}股)?(?!\w))?)"
    r"(?=[\s:,;、(/]|(?:股票|证券|公司)?(?:代码|简称)|\d{6}|$)"
)
SHORT_NAME_LABEL = re.compile(
    r"(?<!更前)(?<!更后)(?<!更前的)(?<!更后的)"
    rf"(?:{_spaced('股票|证券|股份|A股')}|公[ \t]*司)[ \t]*简[ \t]*称(?:\s*[及和与、]\s*(?:{_CODE_WORD}))?"
    rf"[ \t]*:?[ \t]*\n?[ \t]*(?:A *股 *: *)?{_SHORT_NAME}"
)
SHORT_NAME_OF_COMPANY = re.compile(rf"中\s*文\s*(?:名\s*称\s*)?(?:简\s*称|缩\s*写)[ \t]*:?[ \t]*\n?[ \t]*{_SHORT_NAME}")
# The names of a firm's other shares stand behind the first: 示范B、示范A.
OTHER_SHORT_NAME = re.compile(rf"[、,;/][ \t]*(?:A *股 *: *)?{_SHORT_NAME}")
NOT_A_SHORT_NAME = re.compile(r"^股票$|^证券$|代码|简称|变更|公司$|名称|曾用|[。“”]|^\d+$|^[为是]|^[ABH]股?$")

_NAME = (
    r"(?P<name>[\u4e00-\u9fff][\u4e00-\u9fffA-Za-z0-9()·\- \t]{1,40}?"
    r"(?:\n[\u4e00-\u9fff()]{0,12}?)?公[ \t]*\n?司)"
)
NAME_LABELS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"中\s*文\s*(?:名\s*[称稱]|全\s*称)(?:\s*\([^)\n]{{1,10}}\))?\s*:?\s*{_NAME}",
        rf"公\s*司\s*(?:法\s*定\s*)?名\s*称\s*(?:\(中文\)\s*)?:\s*(?:中文:?\s*)?{_NAME}",
        rf"法\s*定\s*中[\s、]*英?文\s*名\s*称\s*:?\s*(?:中文(?:名称)?:?\s*)?{_NAME}",
    )
)
SHORTEST_COMPANY = 6
NAME_MARK = re.compile(_spaced("中文名称|中文名稱|法定名称"))
NAME_LINE = re.compile(
    rf"^[ \t]*\d{{0,3}}[ \t]*(?:关于(?:对)?)?{_NAME}[ \t]*(?=\n|$|(?:19|20)\d\d|二[零〇○O0])", re.MULTILINE
)
NAME_DEFINED = re.compile(rf"(?:^|[由,。]|[ \t]){_NAME}[ \t]*\((?:以下|下)\s*[简簡][称稱]", re.MULTILINE)
NOT_A_COMPANY = re.compile(
    r"[简簡][称稱]|名[称稱]|^公司|^本公司|^各?子公司|控股股东|[会會][计計][师師]|核數師|律[师師]|交易所|^关于"
)
_ENGLISH_NAME = (
    r"(?P<name>[A-Z][A-Za-z0-9&.'’\-]*(?: (?:[A-Z&(][A-Za-z0-9&.'’()\-]*|of|and|de)){0,9}"
    r"(?:,? |,)(?i:limited|ltd\.?|inc\.?|corporation|plc))"
)
# Example Holdings Limited (the “Company”): from the bracket backwards.
DEFINITION = re.compile(r"\((?:the )?[“\"](?:the )?(?:Company|Group|Bank)\b", re.IGNORECASE)
ENGLISH_DEFINED = re.compile(rf"(?<![A-Za-z]){_ENGLISH_NAME}$")
ENGLISH_LINE = re.compile(
    rf"^[\d \t]*(?i:annual report (?:19|20)\d\d[/\d]* )?{_ENGLISH_NAME}(?=[ \t]*(?:\||\d{{0,3}}[ \t]*$))",
    re.MULTILINE,
)
NOT_THE_FIRM = re.compile(r"stock exchange|registrar|trust|bank(?:ing)? corporation", re.IGNORECASE)
EXCHANGES = (
    ("深圳证券交易所", "SZ"),
    ("上海证券交易所", "SH"),
    ("北京证券交易所", "BJ"),
    ("香港聯合交易所", "HK"),
    ("Stock Exchange of Hong Kong", "HK"),
)
TRADITIONAL = re.compile("[個為與於國報會業財務這來時對發經東車門開關長馬們書學實際變]")
SIMPLIFIED = re.compile("[个为与于国报会业财务这来时对发经东车门开关长马们书学实际变]")
CHINESE = re.compile("[\u4e00-\u9fff]")
LATIN_WORD = re.compile("[A-Za-z]{2,}")
# One of these stands in every text that the pattern matches.
MARKS: dict[re.Pattern[str], tuple[str, ...]] = {
    CODE_LABEL: ("代", "ode", "ODE"),
    CODE_ROW: ("交",),
    HONG_KONG_LABEL: ("股", "ode", "ODE"),
    SHORT_NAME_LABEL: ("简",),
    SHORT_NAME_OF_COMPANY: ("简", "缩"),
    NAME_DEFINED: ("司",),
    **dict.fromkeys(H_SHARE_LABELS, ("H", "港")),
    **dict.fromkeys(NAME_LABELS, ("司",)),
    **dict.fromkeys(CHINESE_TITLES, ("报", "報")),
    **dict.fromkeys(ENGLISH_TITLES, ("eport", "EPORT")),
    **dict.fromkeys(YEAR_ENDS, ("截", "ended", "ENDED")),
}
