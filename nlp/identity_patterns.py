"""What a report looks like where it says whose it is: patterns, as data."""

from __future__ import annotations

import re

from nlp.title import (
    ARABIC_YEAR,
    Kind,
)


def _spaced(text: str) -> str:
    """Return a pattern for Chinese words that may be letter-spaced or broken across lines."""
    return "|".join(r"\s*".join(word) for word in text.split("|"))


_YEAR = ARABIC_YEAR.replace(r"(?:19[89]|20[0-4])\d", r"(?:1\s?9\s?[89]|2\s?0\s?[0-4])\s?\d")
_CHINESE_DIGIT = "[零〇○O0一二三四五六七八九]"
_SPACED_CHINESE_YEAR = (
    rf"(?P<chinese>[一二]\s*[九零〇○O0](?:\s*{_CHINESE_DIGIT}){{2}})"
    rf"(?:\s*[/╱]\s*(?P<next>{_CHINESE_DIGIT}{{2,4}}))?"
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
    # The year below the title; not the month of filing, nor the number of the announcement.
    re.compile(rf"(?P<what>年\s*度\s*(?:{_REPORT}))\s*\n\s*{_YEAR}(?!\s*[年\d.\-/])"),
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
NOTICES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "inquiry_reply",
        re.compile(
            r"(?:问\s*询\s*函|关\s*注\s*函|监\s*管\s*函)[\s\S]{0,300}(?:回\s*复|答\s*复|说\s*明|核\s*查|汇\s*报)|回复[\s\S]{0,60}问询函"
        ),
    ),
    (
        "correction_notice",
        re.compile(
            r"关于[\s\S]{0,60}(?:年度报告|年报)[\s\S]{0,30}?(?:更正|补充|修订|修改)[^。\n]{0,12}\n?(?:公告|说明)"
        ),
    ),
)
PERIODS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"报\s*告\s*期[^\n。]{{0,16}}?{_YEAR}\s*年\s*0?1\s*月\s*0?1\s*日",
        rf"本\s*年\s*度?\s*报\s*告\s*期[^\n。]{{0,16}}?{_YEAR}\s*年\s*度",
    )
)
_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
YEAR_ENDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"截\s*至\s*(?:{_YEAR}|{_SPACED_CHINESE_YEAR})\s*年(?:\s*[及和]\s*[\d二零一〇○九\s]{{4,12}}年)?"
        r"\s*(?P<month>[\d一二三四五六七八九十]{1,2}|十\s*[一二])\s*月\s*(?P<day>(?:[\d一二三四五六七八九十]\s*){1,3})日\s*止\s*(?:財\s*政\s*)?年",
        r"year\s+ended\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+"
        rf"{_MONTH},?\s+{_YEAR}",
        rf"year\s+ended\s+{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+{_YEAR}",
    )
)

_CODE_WORD = _spaced("代码|代号")
CODE_LABEL = re.compile(
    rf"(?:(?:{_spaced('股票|证券|公司|A股')})\s*(?:{_spaced('简称')}\s*[及和与、/]\s*)?(?:{_CODE_WORD})|stock\s+codes?)"
    r"[^\d\n]{0,30}(?:\n[^\d\n]{0,12})?(?<!\d)(?P<code>\d{6})(?!\d)",
    re.IGNORECASE,
)
CODE_ROW = re.compile(r"A\s*股\s+\S{0,12}交易所\S{0,8}\s+(?P<name>\S{2,12}(?: A)?)\s+(?P<code>\d{6})(?!\d)")
HONG_KONG_LABEL = re.compile(
    r"(?:股\s*[份票]\s*(?:代\s*[號号碼码]|[編编]\s*[號号])|stock\s+codes?)[^\d\n「]{0,24}(?:\n\s*)?(?<![\d.])(?P<code>\d{1,5})(?![\d,.%])",
    re.IGNORECASE,
)
H_SHARE_LABEL = re.compile(
    r"(?:H\s*股|香港联合交易所)[\s\S]{0,50}?代\s*[码號号碼][^\d\n]{0,6}(?P<code>\d{4,5})(?![\d,.%])"
)
NEARBY_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PROFILE = re.compile(
    _spaced("中文名称|中文全称|中文名稱|上市交易所|上市地|上市证券交易所|公司信息|公司資料") + "|corporate information",
    re.IGNORECASE,
)
SHORT_NAME_LABEL = re.compile(
    rf"(?:{_spaced('股票|证券|A股')}|公[ \t]*司)[ \t]*简[ \t]*称(?:\s*[及和与、]\s*(?:{_CODE_WORD}))?"
    r"[ \t]*:?[ \t]*(?P<name>(?:\*?S?\*?ST )?[^\s:,;、(]{1,10}?(?: [AB](?!\w))?)"
    r"(?=[\s:,;、(/]|股票|证券|公司代码|代码|\d{6}|$)"
)
NOT_A_SHORT_NAME = re.compile(r"^股票$|^证券$|代码|简称|变更|公司$|名称|曾用|[。“”]|^\d+$|^[为是]")

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
NOT_A_COMPANY = re.compile(r"[简簡][称稱]|名[称稱]|^公司|^本公司|^各?子公司|控股股东|会计师|律师|交易所|^关于")
_ENGLISH_NAME = (
    r"(?P<name>[A-Z][A-Za-z0-9&.'’\-]*(?: (?:[A-Z&(][A-Za-z0-9&.'’()\-]*|of|and|de)){0,9}"
    r"(?:,? |,)(?i:limited|ltd\.?|inc\.?|corporation|plc))"
)
ENGLISH_DEFINED = re.compile(rf"{_ENGLISH_NAME}\s*\((?:the )?[“\"]")
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
