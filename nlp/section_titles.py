"""What sections are called: the titles annual reports usually have, by form and year, and how titles are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

SectionKind = Literal[
    "important_notice",
    "definitions",
    "letter",
    "financial_highlights",
    "company_profile",
    "business_overview",
    "mda",
    "directors_report",
    "supervisors_report",
    "significant_events",
    "preferred_shares",
    "convertible_bonds",
    "bonds",
    "shares",
    "directors",
    "shareholder_meetings",
    "internal_control",
    "governance",
    "social_responsibility",
    "related_parties",
    "confirmation",
    "reference_documents",
    "financial_report",
    "appendix",
    "other",
]
_DISCUSSION = "(?:讨论[和及]?分析|分析[和及]?讨论)"
_WHO = "(?:公司|本公司|本行|集团|本集团|银行|我行|上市公司|母公司){0,2}"
# Titles are compared without white space and punctuation, with 与 and 及 written 和; the first kind that fits is taken.
KIND_PATTERNS: tuple[tuple[SectionKind, str], ...] = (
    ("appendix", "附录.*"),
    (
        "mda",
        f"(?:董事[会局]?报告[和暨]?|董事[会局]关于)?{_WHO}(?:报告期内)?{_WHO}(?:管理层|管理者|经营|业务|财务)?"
        f"(?:情况|状况|业绩|成果)?的?{_DISCUSSION}(?:[和暨]?董事[会局]?报告)?"
        "|(?:会计数据)?经营情况和管理层分析",
    ),
    ("important_notice", "(?:特别|重要|声明和)提示.*"),
    ("definitions", "释义.*|.{0,6}释义|名词解释"),
    ("letter", ".{0,12}(?:致辞|致词|致全体股东|致股东.{0,4}|致投资者.{0,4}|报告书)|(?:董事局)?主席报告"),
    ("business_overview", f"{_WHO}业务(?:概要|概况|概览|综述|回顾|情况)"),
    (
        "financial_highlights",
        f"{_WHO}(?:主要|近.年)?(?:会计|财务|业务|银行|经营).{{0,8}}(?:数据|指标|概要|摘要|概况).{{0,14}}|财务摘要",
    ),
    ("company_profile", f"{_WHO}(?:基本|概括)?(?:情况)?(?:简介|简况|基本情况|概况|基本信息|信息|资料)(?:和.{{0,14}})?"),
    ("directors_report", f"{_WHO}董事[会局]?(?:工作)?报告(?:书)?"),
    ("supervisors_report", f"{_WHO}监事会(?:工作)?报告(?:书)?"),
    ("significant_events", "(?:其他|其它)?重[要大]事[项件宜]"),
    ("preferred_shares", "优先股.{0,8}"),
    ("convertible_bonds", "可转换公司债券.{0,8}"),
    ("bonds", "(?:公司)?债券?(?:相关)?情况.{0,4}|(?:公司)?债券.{0,8}"),
    ("confirmation", ".*(?:确认意见|承诺书|声明书?)"),
    ("directors", "(?!.*关于).{0,4}董事.{0,10}(?:高级管理|高管).{0,24}"),
    (
        "shares",
        "(?:普通股)?(?:股本|股份)(?:结构|总数|资本)?(?:变动|变化|结构|情况).{0,16}"
        "|股东和实际控制人.{0,4}|(?:主要)?股东.{0,4}(?:股本|股份).{0,12}",
    ),
    ("shareholder_meetings", ".{0,4}股东(?:大会|会|年会).{0,10}"),
    ("governance", f"{_WHO}(?:法人|企业)?(?:治理|管治).{{0,14}}"),
    ("internal_control", ".{0,6}内部控制.{0,24}"),
    ("social_responsibility", "(?:环境|社会).{0,4}责任.{0,8}|环境和?社会.{0,8}"),
    ("related_parties", "关联交易.{0,24}"),
    ("reference_documents", ".{0,2}备查文件.{0,6}"),
    (
        "financial_report",
        f"(?!.*分析)(?:经审计的?|审计报告[和]?|{_WHO})(?:财务|会计)(?:会计)?(?:报告|报表).{{0,10}}|(?:独立核数师|核数师|审计)报告",
    ),
)
KNOWN_TITLE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in KIND_PATTERNS))
SUBPART_TITLE = re.compile(
    f"(?:董事[会局]关于)?{_WHO}(?:对|关于)?{_WHO}(?:报告期内?|本报告期内?|本年度?)?{_WHO}的?"
    f"(?:整体|总体|主要)?(?:管理层|经营|财务)?(?:情况|状况|业绩|成果)?(?:和.{{2,6}})?的?{_DISCUSSION}"
)
KINDS: tuple[SectionKind, ...] = get_args(SectionKind)
# Traditional characters of section titles, and the simplified ones.
TITLE_VARIANTS: Mapping[str, str] = dict(
    zip(
        # Position by position.
        "節報營討論與會監層財務釋義錄簡業項變動東級員債優關轉換備據標規則長總經產質結構發開戶資環責險實現計況狀贊屆審聯權機內閱參見詞數師獨綜損團執歷",
        "节报营讨论与会监层财务释义录简业项变动东级员债优关转换备据标规则长总经产质结构发开户资环责险实现计况状赞届审联权机内阅参见词数师独综损团执历",
        strict=True,
    )
)

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0}
_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")
_ROMAN = {numeral: value for value, numeral in enumerate(_ROMANS, start=1)}
_TENS = re.compile("([一二三四五六七八九]?)十([一二三四五六七八九]?)")
CHANGING = re.compile(r"[\W\d_]+")


def parse_number(text: str) -> int:
    """Return the value of a Chinese, Arabic or small Roman number up to 99, or 0."""
    text = text.replace(" ", "")
    if text.isdecimal():
        return int(text)
    if text in _ROMAN:
        return _ROMAN[text]
    if "Ⅰ" <= text[:1] <= "Ⅻ":
        return ord(text[0]) - ord("Ⅰ") + 1
    tens = _TENS.fullmatch(text)
    if tens is not None:
        return _DIGITS.get(tens[1], 1) * 10 + _DIGITS.get(tens[2], 0)
    return _DIGITS.get(text, 0)


def title_key(title: str) -> str:
    """Return a title as it is compared: no punctuation, white space or numbers, one word for 'and'."""
    return CHANGING.sub("", title).replace("与", "和").replace("及", "和")


def kind_of(title: str) -> SectionKind:
    """Return the canonical kind of a section from its title, ``other`` where no usual title fits."""
    return kind_of_key(title_key(title))


def kind_of_key(key: str) -> SectionKind:
    """Return the canonical kind of a title as :func:`title_key` gives it."""
    match = KNOWN_TITLE.fullmatch(key)
    return next((kind for kind in KINDS if match is not None and kind == match.lastgroup), "other")
