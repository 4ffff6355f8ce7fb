"""What titles and file names look like: patterns and words, as data.

Full-width forms are folded first (NFKC), so the patterns are written in half-width. Where a table holds several
patterns they are tried in order, and the first that matches decides.
"""

from __future__ import annotations

import re
from typing import Literal

from nlp.folding import RADICALS

Kind = Literal[
    "annual",
    "summary",
    "semiannual",
    "quarterly",
    "english",
    "hk_annual",
    "correction_notice",
    "inquiry_reply",
    "other",
]
Revision = Literal["original", "revised", "updated", "cancelled"]

ANY_RADICAL = re.compile(f"[{''.join(RADICALS)}]")
# Letters and signs of other scripts that stand for the Chinese zero.
CHINESE_ZERO = "零〇○◯OОΟ0"
CHINESE_DIGITS = (
    {digit: value for value, digit in enumerate("零一二三四五六七八九")}
    | dict.fromkeys(CHINESE_ZERO, 0)
    | {"两": 2, "十": 10}
)
ARABIC_YEAR = r"(?<!\d)(?P<year>(?:19[89]|20[0-4])\d)"
CHINESE_DIGIT = rf"[{CHINESE_ZERO}一二三四五六七八九]"
CHINESE_YEAR = (
    rf"(?P<chinese>[一二][九{CHINESE_ZERO}]{CHINESE_DIGIT}{{2}})"
    rf"(?:\s*[/╱至\-]\s*(?P<next>{CHINESE_DIGIT}{{2,4}}))?"
)
# The second year of a fiscal year that spans two: 2020/21, 2020-2021, 202021.
SECOND_YEAR = r"(?:\s*[/\-–至]?\s*(?P<second>(?:20)?\d\d)(?!\d))?"
GAP = r"[\s_\-]*"
PERIOD_NAME = r"(?:年年度|年度|年|度|上半年|半年度?|中期|第?[一二三四1-4]季度?)"
REPORT_WORD = r"(?:报告|報告|报|報)"
TITLE_YEARS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{ARABIC_YEAR}{SECOND_YEAR}{GAP}(?:{PERIOD_NAME}{GAP})+{REPORT_WORD}",
        rf"{CHINESE_YEAR}{GAP}(?:{PERIOD_NAME}{GAP})+{REPORT_WORD}",
        rf"annual{GAP}report{GAP}(?:(?:of|for){GAP})?{ARABIC_YEAR}{GAP}{SECOND_YEAR}(?!\d)",
        rf"{ARABIC_YEAR}{SECOND_YEAR}{GAP}annual",
        rf"(?<![a-z])FY{GAP}{ARABIC_YEAR}(?!\d)",
        rf"年度?{REPORT_WORD}{GAP}\(?{ARABIC_YEAR}{SECOND_YEAR}(?!\d|{GAP}年?\d{{1,2}}\s*月)",
        # Short names on the delisted firms' board end in a digit: 炎黄5.
        rf"(?<=[\u4e00-\u9fffA-Z ]\d)(?P<year>20[0-4]\d)年?年度{REPORT_WORD}",
        rf"{ARABIC_YEAR}{GAP}年?度",
        rf"{ARABIC_YEAR}{GAP}(?:财年|年(?!\s*\d{{1,2}}\s*月))",
        # Vendors name the period by its last day.
        rf"{ARABIC_YEAR}[-_.年]?12[-_.月]?31(?!\d)",
        rf"(?<!\d)(?P<year>[890123]\d)年(?:年?度{REPORT_WORD}|年?报)",
    )
)
BARE_YEAR = re.compile(rf"{ARABIC_YEAR}(?!\d)")
DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?:[-_.年]\s*\d{1,2}[-_.月]\s*\d{1,2}日?(?!\d)|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))"
)
FOLDER_YEAR = re.compile(rf"\D{{0,20}}?{ARABIC_YEAR}\D{{0,20}}")

# Codes of 2008 to 2019 that read as year and month are dates: no B share has such a number.
EXCHANGE_CODES: tuple[tuple[str | None, re.Pattern[str]], ...] = (
    (None, re.compile(r"20(?:0[89]|1\d)(?:0[1-9]|1[0-2])")),
    ("SZ", re.compile(r"(?:00[0-4]|20[01]|30[0-2])\d{3}")),
    ("SH", re.compile(r"(?:60[01356]|68[89]|900)\d{3}")),
    ("BJ", re.compile(r"(?:43|83|87|88|92)\d{4}")),
    # Delisted firms go on reporting on the board of NEEQ.
    ("NEEQ", re.compile(r"(?:400|420)\d{3}")),
    ("HK", re.compile(r"\d{5}")),
)
SIX_DIGITS = re.compile(r"(?<![\d.])\d{6}(?!\d)")
HONG_KONG_CODES = (
    re.compile(r"(?<![a-z])HK[\s_.\-]?(\d{4,5})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<!\d)(\d{4,5})\.HK(?![a-z])", re.IGNORECASE),
    re.compile(r"^(0\d{4})(?=[\s_\-]|$)"),
)
# A vendor that lost the leading zeros: 2-万科A-2007年年度报告.
STRIPPED_CODE = re.compile(r"^(\d{1,5})[-_](?=[*A-Za-z\u4e00-\u9fff]{2,8}[-_](?:19|20)\d\d年)")

REPORT = r"(?:年度?报告|年报)"
_MENDED = r"(?:更正|修订|补充|更新|修正|修改|调整|勘误)"
KIND_PATTERNS: tuple[tuple[Kind, str], ...] = (
    (
        "inquiry_reply",
        r"(?:问询函|关注函|监管函|工作函|审核意见函?)(?!.*延期).*(?:回复|答复|回函|复函|说明|意见)"
        r"|(?<!延期)(?:回复|答复).{0,40}(?:问询|关注函|监管函|审核意见)|inquiry",
    ),
    (
        "correction_notice",
        rf"{REPORT}.{{0,40}}{_MENDED}.{{0,12}}(?:公告|说明|提示)"
        rf"|{_MENDED}.{{0,40}}{REPORT}.{{0,20}}(?:公告|说明)|{REPORT}的{_MENDED}$",
    ),
    (
        "other",
        r"(?<![a-z])mda(?![a-z])|management[\s_\-]*discussion|受托管理|债务人|发行人|公司债|企业债"
        r"|(?:年度?|及)(?:审计|财务)报[告表]|财务决算|(?:公告|决议|通知|意见)$|(?:^|[_\-])审计报告"
        r"|内部控制|社会责任|可持续发展|环境、社会|(?<![a-z])ESG(?![a-z])|述职报告|募集说明|招股|会议资料"
        r"|(?:董事会|监事会|工作|评价|鉴证|评级|核查|审核|督导|募集资金)[^年]{0,20}报告|督导年度报告"
        r"|业绩(?:预告|快报|说明|发布)|^(?:控股|全资|参股)?子?公司\d|(?:^|:)关于"
        rf"|{REPORT}(?:中|的|之|有关|相关|涉及|披露|编制|工作|重大|信息|业绩|网上|说明会)"
        rf"|{REPORT}.{{0,40}}(?:公告|通知|决议|意见|函|说明|制度|办法|声明|承诺)",
    ),
    ("quarterly", r"季度报告|季报|第[一二三四1-4]季度|(?<![a-z])Q[1-4](?!\d)|quarter"),
    (
        "semiannual",
        r"半年度?报告|半年度?报|半年度|中期报告|上半年|interim|semi[\s_\-]?annual|half[\s_\-]?year",
    ),
    ("summary", r"(?<!及)(?<!及其)(?<!和)(?<!与)摘要|summary|abstract"),
    ("english", r"(?<!中)英文|english|(?<![a-z])eng?(?![a-z])"),
    (
        "hk_annual",
        rf"(?:H\s*股|(?:^|[_\-:\s])港股|境外|海外监管).*{REPORT}|{REPORT}.*(?:H\s*股|\(境外|\(港股)|年度?報告?|繁体",
    ),
    ("annual", rf"{REPORT}|年度{GAP}报告|annual"),
)
KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in KIND_PATTERNS)
ENGLISH_TITLE = re.compile(
    r"(?:(?:FY\s*)?(?:19|20)\d\d(?:[/\-]\d\d(?:\d\d)?)?\s+)?(?:[A-Z][A-Za-z&.,' ]*\s)?Annual Report\b"
    r"(?!.*\b(?:Summary|Abstract))[A-Za-z\d /()\-]*",
    re.IGNORECASE,
)
# Titles that speak of a report; no edition of one.
SPEAKS_OF_REPORT = re.compile(r"公告|通知|说明|预告|快报")

CANCELLED = re.compile(r"已?取消|已?作废|cancell?ed", re.IGNORECASE)
_ONE_NUMBER = r"[一二三四五六七八九十]|\d{1,2}"
REVISION_WORD = re.compile(
    r"(?P<times>第?\s*(?:[一二两三四五六七八九十]|\d{1,2})\s*次|再次?)?\s*"
    r"(?:(?P<updated>更新|(?<!创)新(?=版)|updated?)|修订|更正|修正|调整|补充|修改|订正|重述|勘误|revised|revision)"
    r"(?:版本?|后|稿|本)?\s*"
    rf"(?:(?:\)?\s*\(|\)?[_\-\s]*v\s*)?(?P<number>{_ONE_NUMBER})\)?(?![\d年月]))?",
    re.IGNORECASE,
)

COMPANY = re.compile(
    r"(?:^|\d年?|[_\-:\s])(?:关于)?对?(?:发行人|债务人)?"
    r"(?!年|股份有限公司|有限公司|有限责任公司)([\u4e00-\u9fff()·]{4,40}?公司)"
)
SHORT_NAME = re.compile(r"\*?(?:ST|S)?\*?(?:ST)?[A-Za-z\u4e00-\u9fff]{2,8}[1-9]?")
NOT_A_NAME = re.compile(
    r"年报|报告|公告|全文|关于|H\s*股|^B\s*股|有限公司$|年度|半年|季度|摘要|(?<!出)版|债券|债务人|发行人|^[A-Za-z]+\d?$"
    r"|^(?:股票|上市|公司|数据|下载|文件|原始|交易所|上交所|深交所|北交所|资料|pdf|txt)+$",
    re.IGNORECASE,
)
