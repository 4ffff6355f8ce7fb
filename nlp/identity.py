"""Which firm and which fiscal year a document belongs to, what it is, and where each answer came from.

The text says most (cover, running headers, company profile), then the file name, the folder and the PDF's own
title, in this order: :data:`WEIGHTS` is the whole rule. Sources that contradict each other are named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from nlp.title import (
    ARABIC_YEAR,
    CHINESE_DIGITS,
    Kind,
    Revision,
    TitleParts,
    code_exchange,
    fold,
    from_path,
    is_b_share,
    is_stock_code,
    matched_year,
    parse_revision,
    parse_title,
)

__all__ = [
    "IDENTITY_VERSION",
    "Identity",
    "Kind",
    "Revision",
    "TextEvidence",
    "TitleParts",
    "decide",
    "from_pages",
    "from_path",
    "parse_title",
]

IDENTITY_VERSION = "1"
Place = Literal["cover", "header", "profile", "body"]
Language = Literal["zh-Hans", "zh-Hant", "en", "mixed"]

HEAD_PAGES = 15
LAST_PAGES = 3
HEAD_CHARACTERS = 30_000
COVER_CHARACTERS = 800
# The first page of an extract or a summary is full of text: its title stands at the very top.
FULL_PAGE_CHARACTERS = 2_000
FULL_PAGE_TITLE_WITHIN = 300
HEADER_CHARACTERS = 110
# A running header alone makes no annual report: extracts have it too, and are shorter than this.
REPORT_CHARACTERS = 30_000
SAMPLES, SAMPLE_CHARACTERS = 8, 600
PROFILE_BEFORE, PROFILE_AFTER = 800, 1_500

WEIGHTS = {"text": 4, "text in passing": 2, "file name": 3, "folder": 1, "metadata": 1}
"""The rule for every field: the weights of sources that agree are added, and the heaviest value wins.

Of two equal ones the earlier source wins. Text is a cover, a running header or a profile; in passing is any
other mention.
"""


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


@dataclass(frozen=True)
class TextEvidence:
    """What the pages say, as scalars for a row of a table; None where they do not say.

    Parameters
    ----------
    stock_code, stock_code_b, stock_code_h : str or None
        The firm's code, and the B share and H share codes printed beside it.
    company_name, short_name : str or None
        Names as printed, full-width forms folded, without white space between Chinese characters.
    report_year, report_year_other : int or None
        Fiscal year, and the year that another place of the text states instead.
    fiscal_year_end : str or None
        Last day of the fiscal year (ISO date).
    kind, exchange, revision, revision_number, language : str, int or None
        As in :class:`Identity`; the language is ``zh-Hans``, ``zh-Hant``, ``en`` or ``mixed``.
    stock_code_place, company_name_place, report_year_place, kind_place : str or None
        ``cover``, ``header``, ``profile`` or ``body`` (in passing).
    stock_code_page, company_name_page, report_year_page, kind_page : int or None
        1-based page.
    """

    stock_code: str | None = None
    stock_code_place: str | None = None
    stock_code_page: int | None = None
    stock_code_b: str | None = None
    stock_code_h: str | None = None
    company_name: str | None = None
    company_name_place: str | None = None
    company_name_page: int | None = None
    short_name: str | None = None
    report_year: int | None = None
    report_year_place: str | None = None
    report_year_page: int | None = None
    report_year_other: int | None = None
    fiscal_year_end: str | None = None
    kind: Kind | None = None
    kind_place: str | None = None
    kind_page: int | None = None
    exchange: str | None = None
    revision: Revision = "original"
    revision_number: int = 0
    language: Language | None = None


@dataclass(frozen=True)
class Identity:
    """The decision on one document.

    Parameters
    ----------
    stock_code, exchange, company_name, short_name, report_year, kind, revision, revision_number
        The answers; None where no source says. ``kind`` is ``other`` then, with an empty source.
    stock_code_source, company_name_source, report_year_source, kind_source : str
        Who says so, for example ``page 5 and file name``.
    disagreement : str
        Which sources say something else, or empty.
    """

    stock_code: str | None
    exchange: str | None
    company_name: str | None
    short_name: str | None
    report_year: int | None
    kind: Kind
    revision: Revision
    revision_number: int
    stock_code_source: str = ""
    company_name_source: str = ""
    report_year_source: str = ""
    kind_source: str = ""
    disagreement: str = ""


@dataclass(frozen=True)
class _HeadPage:
    number: int
    text: str
    is_first: bool
    is_whole_document: bool

    @property
    def cover_length(self) -> int:
        """How far the cover's title may stand from the top."""
        return FULL_PAGE_TITLE_WITHIN if self.is_full else COVER_CHARACTERS

    @property
    def is_full(self) -> bool:
        """Whether this is a page full of text, which no cover is."""
        return len(self.text) > FULL_PAGE_CHARACTERS and not self.is_whole_document


@dataclass(frozen=True)
class _Found:
    value: str
    place: Place
    page: int
    near: str = ""


@dataclass(frozen=True)
class _ReportTitle:
    year: int
    kind: Kind
    place: Place
    page: int


PLACES: tuple[Place, ...] = ("cover", "profile", "header", "body")


def from_pages(pages: Sequence[str]) -> TextEvidence:
    """Read the identity from the raw text of a document's pages.

    Parameters
    ----------
    pages : sequence of str
        All pages, as extracted; only the first ones are searched.

    Returns
    -------
    TextEvidence
        All None for a document without text.
    """
    head = _head(pages)
    if not head:
        return TextEvidence()
    length = sum(map(len, pages))
    language, is_traditional = _language(pages)
    code, code_b, code_h = _stock_code(head)
    if code is None and language != "zh-Hans":
        code, code_b, code_h = _stock_code(_last(pages))
    company = _company_name(head, language, is_traditional)
    titles = list(_report_titles(head, language))
    year, other_year = _report_year(head, titles)
    # The accounting law of the mainland makes every fiscal year a calendar year.
    ends = list(_year_ends(head)) if year is None or language != "zh-Hans" else []
    if year is None and ends:
        year = _Found(ends[0].value[:4], "body", ends[0].page)
    kind = _text_kind(head, titles, length)
    if kind and kind.value == "annual":
        kind = _Found(_annual_kind(code, company, language, is_traditional), kind.place, kind.page)
    report_year = int(year.value) if year else None
    revision, number = _cover_revision(head[0])
    return TextEvidence(
        **_columns("stock_code", code),
        stock_code_b=code_b,
        stock_code_h=code_h,
        **_columns("company_name", company),
        short_name=_short_name(head),
        **_columns("report_year", year) | {"report_year": report_year},
        report_year_other=other_year,
        fiscal_year_end=_fiscal_year_end(ends, report_year, kind),
        **_columns("kind", kind),
        exchange=_text_exchange(head, code),
        revision=revision,
        revision_number=number,
        language=language,
    )


def _columns(name: str, found: _Found | None) -> dict[str, Any]:
    """Return a find as the columns for its value, place and page."""
    if found is None:
        return {}
    return {name: found.value, f"{name}_place": found.place, f"{name}_page": found.page}


def _head(pages: Sequence[str]) -> list[_HeadPage]:
    """Fold the first pages that have text, up to the page after the company profile."""
    head: list[_HeadPage] = []
    room = HEAD_CHARACTERS
    is_code_seen = is_name_seen = False
    for number, page in enumerate(pages, start=1):
        text = _tidy(page[:room])
        if not text.strip():
            continue
        if len(pages) == 1:
            text = _to_profile(text)
        head.append(_HeadPage(number, text, not head, len(pages) == 1))
        room -= len(text)
        if len(head) == HEAD_PAGES or room <= 0 or (is_code_seen and is_name_seen):
            break
        is_code_seen = is_code_seen or CODE_LABEL.search(text) is not None
        is_name_seen = is_name_seen or NAME_MARK.search(text) is not None
    return head


def _to_profile(text: str) -> str:
    """Cut a text without pages behind its company profile."""
    code, name = CODE_LABEL.search(text), NAME_MARK.search(text)
    return text[: max(code.end(), name.end()) + PROFILE_AFTER] if code and name else text


def _last(pages: Sequence[str]) -> list[_HeadPage]:
    """Fold the last pages, where reports of Hong Kong may print their corporate information."""
    first = max(len(pages) - LAST_PAGES, 1)
    return [
        _HeadPage(number, _tidy(page[:FULL_PAGE_CHARACTERS]), False, False)
        for number, page in enumerate(pages[first:], start=first + 1)
    ]


def _tidy(text: str) -> str:
    """Fold widths; drop control characters and the brackets of FinGLM's table rows."""
    text = fold(text).replace("\r\n", "\n")
    if "['" in text:
        text = re.sub(r"\['|', '|'\]", " ", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\u200b\ufeff]", " ", text)


def _language(pages: Sequence[str]) -> tuple[Language | None, bool]:
    """Return the language of samples from the whole document, and whether its Chinese is traditional."""
    text = "\n".join(pages) if len(pages) < SAMPLES else ""
    samples = (
        [text[len(text) * part // SAMPLES :][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
        if text
        else [pages[(2 * part + 1) * len(pages) // (2 * SAMPLES)][:SAMPLE_CHARACTERS] for part in range(SAMPLES)]
    )
    sample = "".join(samples)
    chinese, latin = len(CHINESE.findall(sample)), len(LATIN_WORD.findall(sample))
    if chinese + latin == 0:
        return None, False
    is_traditional = len(TRADITIONAL.findall(sample)) > len(SIMPLIFIED.findall(sample))
    share = chinese / (chinese + latin)
    if share < 0.15:
        return "en", is_traditional
    if share < 0.85:
        return "mixed", is_traditional
    return ("zh-Hant" if is_traditional else "zh-Hans"), is_traditional


def _best(found: Iterator[_Found]) -> _Found | None:
    """Return the earliest find in the best place."""
    return min(found, key=lambda item: PLACES.index(item.place), default=None)


def _labelled(head: Sequence[_HeadPage], pattern: re.Pattern[str], group: str) -> Iterator[_Found]:
    """Find a labelled value; in brackets in running text it belongs to another firm."""
    for page in head:
        profiles: list[int] | None = None
        for match in pattern.finditer(page.text):
            if profiles is None:
                profiles = [marker.start() for marker in PROFILE.finditer(page.text)]
            place: Place = "body"
            if page.is_first and match.start() < COVER_CHARACTERS:
                place = "cover"
            elif any(-PROFILE_BEFORE <= match.start() - start <= PROFILE_AFTER for start in profiles):
                place = "profile"
            before = page.text[max(0, match.start() - 3) : match.start()].strip()
            if place != "cover" and before.endswith(("(", ",", "为")):
                continue
            yield _Found(match[group], place, page.number, page.text[match.start() : match.end() + 80])


def _stock_code(head: Sequence[_HeadPage]) -> tuple[_Found | None, str | None, str | None]:
    """Return the code of the firm, its B share code and its H share code."""
    listed = [
        found
        for pattern in (CODE_LABEL, CODE_ROW)
        for found in _labelled(head, pattern, "code")
        if is_stock_code(found.value)
    ]
    best = _best(iter(listed))
    code_h = next((found.value.zfill(5) for found in _labelled(head, H_SHARE_LABEL, "code")), None)
    hong_kong = _best(
        _Found(found.value.zfill(5), found.place, found.page)
        for found in _labelled(head, HONG_KONG_LABEL, "code")
        if int(found.value)
    )
    if hong_kong and (best is None or PLACES.index(hong_kong.place) < PLACES.index(best.place)):
        return hong_kong, None, hong_kong.value
    if best is None:
        return None, None, code_h
    beside = [code for code in NEARBY_CODE.findall(best.near) if is_stock_code(code)]
    beside += [found.value for found in listed if found.place in ("cover", "profile")]
    same = [code for code in (best.value, *beside) if code_exchange(code) == code_exchange(best.value)]
    code_a = next((code for code in same if not is_b_share(code)), best.value)
    code_b = next((code for code in same if is_b_share(code)), None)
    return _Found(code_a, best.place, best.page), code_b, code_h


def _text_exchange(head: Sequence[_HeadPage], code: _Found | None) -> str | None:
    if code:
        return code_exchange(code.value)
    named = {exchange for name, exchange in EXCHANGES if any(name in page.text for page in head)}
    return named.pop() if len(named) == 1 else None


def _clean_name(name: str) -> str:
    return re.sub(r"\s", "", name) if CHINESE.search(name) else re.sub(r"\s+", " ", name).strip()


def _company_name(head: Sequence[_HeadPage], language: Language | None, is_traditional: bool) -> _Found | None:
    """Return the legal name: the Chinese one, but the English one of a firm that was founded abroad."""
    chinese = _best(_chinese_names(head)) or _best(_defined_names(head))
    if language == "zh-Hans" or (chinese and "股份有限公司" in chinese.value) or (chinese and language == "zh-Hant"):
        return chinese
    return _english_name(head) or chinese


def _chinese_names(head: Sequence[_HeadPage]) -> Iterator[_Found]:
    for page in head:
        top = page.text[: page.cover_length if page.is_first else HEADER_CHARACTERS]
        searches: list[tuple[Place, re.Pattern[str], str]] = [
            ("profile", pattern, page.text) for pattern in NAME_LABELS
        ]
        searches.append(("header", NAME_LINE, top))
        for place, pattern, text in searches:
            for match in pattern.finditer(text):
                name = _clean_name(match["name"])
                if _is_company(name):
                    yield _Found(name, "cover" if place == "header" and page.is_first else place, page.number)


def _defined_names(head: Sequence[_HeadPage]) -> Iterator[_Found]:
    for page in head:
        for match in NAME_DEFINED.finditer(page.text):
            name = _clean_name(match["name"])
            if _is_company(name):
                yield _Found(name, "body", page.number)


def _is_company(name: str) -> bool:
    return len(name) >= SHORTEST_COMPANY and not NOT_A_COMPANY.search(name)


def _english_name(head: Sequence[_HeadPage]) -> _Found | None:
    """Return the English name found most often, spelled with small letters where it is."""
    found = [
        _Found(_clean_name(match["name"]), "cover" if page.is_first else "header", page.number)
        for page in head
        for pattern, text in (
            (ENGLISH_DEFINED, page.text),
            (ENGLISH_LINE, page.text[: COVER_CHARACTERS if page.is_first else HEADER_CHARACTERS]),
        )
        for match in pattern.finditer(text)
        if not NOT_THE_FIRM.search(match["name"])
    ]
    if not found:
        return None
    name, _ = Counter(item.value.casefold() for item in found).most_common(1)[0]
    same = [item for item in found if item.value.casefold() == name]
    spelled = next((item.value for item in same if not item.value.isupper()), same[0].value)
    return _Found(spelled, same[0].place, same[0].page)


def _short_name(head: Sequence[_HeadPage]) -> str | None:
    found = _best(
        item
        for pattern in (SHORT_NAME_LABEL, CODE_ROW)
        for item in _labelled(head, pattern, "name")
        if not NOT_A_SHORT_NAME.search(item.value)
    )
    return re.sub(r"\s", "", found.value) if found else None


def _report_titles(head: Sequence[_HeadPage], language: Language | None) -> Iterator[_ReportTitle]:
    """Find every mention of a report with its year."""
    for page in head:
        is_chinese_only = language == "zh-Hans" and not page.is_first
        patterns = CHINESE_TITLES if is_chinese_only else CHINESE_TITLES + ENGLISH_TITLES
        for pattern in patterns:
            for match in pattern.finditer(page.text):
                year = matched_year(match)
                if year is None:
                    continue
                tail = TITLE_TAIL.match(page.text, match.end())
                kind = next(kind for word, kind in WHAT_KINDS if word in match["what"].lower())
                if kind == "annual" and tail and tail["summary"]:
                    kind = "summary"
                yield _ReportTitle(year, kind, _title_place(page, match, tail), page.number)


def _title_place(page: _HeadPage, match: re.Match[str], tail: re.Match[str] | None) -> Place:
    if page.is_first and tail and match.start() < page.cover_length:
        # On a page full of text, a title with the page number below it is a running header.
        is_header = page.is_full and PAGE_NUMBER.match(page.text, tail.end())
        return "header" if is_header else "cover"
    if page.is_whole_document:
        return "body"
    is_margin = match.start() < HEADER_CHARACTERS or match.end() > len(page.text) - HEADER_CHARACTERS
    return "header" if is_margin else "body"


def _most_common(titles: Sequence[_ReportTitle], place: Place) -> _ReportTitle | None:
    """Return the first of the most frequent kind and year in a place; on the cover simply the first."""
    here = [title for title in titles if title.place == place]
    if not here or place == "cover":
        return here[0] if here else None
    (year, kind), _ = Counter((title.year, title.kind) for title in here).most_common(1)[0]
    return next(title for title in here if (title.year, title.kind) == (year, kind))


def _report_year(head: Sequence[_HeadPage], titles: Sequence[_ReportTitle]) -> tuple[_Found | None, int | None]:
    """Return the fiscal year (cover, running header, reporting period, any mention) and one against it."""
    found: list[_Found] = []
    for place in ("cover", "header"):
        title = _most_common(titles, place)
        if title:
            found.append(_Found(str(title.year), title.place, title.page))
    period = next(
        ((match, page) for page in head for pattern in PERIODS for match in pattern.finditer(page.text)), None
    )
    if period:
        found.append(_Found(str(matched_year(period[0])), "profile", period[1].number))
    if not found:
        title = _most_common(titles, "body")
        return (_Found(str(title.year), "body", title.page) if title else None), None
    other = next((int(item.value) for item in found if item.value != found[0].value), None)
    return found[0], other


def _text_kind(head: Sequence[_HeadPage], titles: Sequence[_ReportTitle], length: int) -> _Found | None:
    first = head[0]
    for kind, pattern in NOTICES:
        if pattern.search(first.text[:COVER_CHARACTERS]):
            return _Found(kind, "cover", first.number)
    title = _most_common(titles, "cover")
    if title:
        return _Found(title.kind, "cover", title.page)
    title = _most_common(titles, "header") or _most_common(titles, "body")
    if title is None:
        return None
    if title.kind == "annual" and length < REPORT_CHARACTERS:
        return _Found("other", "header", title.page) if title.place == "header" else None
    return _Found(title.kind, title.place, title.page)


def _annual_kind(code: _Found | None, company: _Found | None, language: Language | None, is_traditional: bool) -> Kind:
    """Tell apart annual reports of listed firms in Chinese, in English, in Hong Kong, and of others."""
    if language == "en":
        return "english"
    if is_traditional or (code and len(code.value) == 5):
        return "hk_annual"
    # Only a 股份有限公司 can be listed, few foreign ones aside; those print a stock code.
    if code is None and company and "股份" not in company.value:
        return "other"
    return "annual"


def _year_ends(head: Sequence[_HeadPage]) -> Iterator[_Found]:
    for page in head:
        for pattern in YEAR_ENDS:
            for match in pattern.finditer(page.text):
                year, month, day = matched_year(match), _number(match["month"]), _number(match["day"])
                if year and 1 <= month <= 12 and 1 <= day <= 31:
                    yield _Found(f"{year:04}-{month:02}-{day:02}", "body", page.number)


def _number(text: str) -> int:
    """Return the value of a month or day: 9, 九, 三十一 or September."""
    text = re.sub(r"\s", "", text).lower()
    if text.isdigit() and text.isascii():
        return int(text)
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    tens, mark, ones = text.partition("十")
    if not mark:
        return CHINESE_DIGITS.get(text, 0)
    return (CHINESE_DIGITS.get(tens, 0) if tens else 1) * 10 + (CHINESE_DIGITS.get(ones, 0) if ones else 0)


def _fiscal_year_end(ends: Sequence[_Found], year: int | None, kind: _Found | None) -> str | None:
    stated = next((end.value for end in ends if end.value[:4] == str(year)), None)
    is_mainland = kind is not None and kind.value in ("annual", "summary")
    return stated or (f"{year}-12-31" if year and is_mainland else None)


def _cover_revision(page: _HeadPage) -> tuple[Revision, int]:
    """Read a revision that the cover prints in brackets or on a line of its own."""
    for line in page.text[: page.cover_length].split("\n"):
        marked = re.search(r"\(([^()]{2,10})\)\s*$", line)
        words = marked[1] if marked else line.strip()
        if len(words) <= 10:
            revision, number = parse_revision(words)
            if revision in ("revised", "updated"):
                return revision, number
    return "original", 0


@dataclass(frozen=True)
class _Claim:
    """What one source says of one field."""

    value: str | int
    source: str
    label: str
    where: str


def decide(path: TitleParts, text: TextEvidence | None, metadata_title: str | None = None) -> Identity:
    """Weigh the text, the file name, the folder and the PDF's own title.

    Parameters
    ----------
    path : TitleParts
        From :func:`from_path` or :func:`parse_title`.
    text : TextEvidence or None
        From :func:`from_pages`; None where no text could be read.
    metadata_title : str or None
        Title in the PDF's metadata, as it is.

    Returns
    -------
    Identity
        Each answer with its sources, and every disagreement in words.
    """
    text = text or TextEvidence()
    metadata = parse_title(_metadata_text(metadata_title)) if metadata_title else TitleParts()
    chosen: dict[str, str | int | None] = {}
    sources: dict[str, str] = {}
    disagreements: list[str] = []
    for field in ("stock_code", "company_name", "report_year", "kind"):
        claims = list(_claims(field, path, text, metadata))
        chosen[field], sources[f"{field}_source"] = _weigh(claims)
        disagreements += _disagreement(field, claims, chosen[field])
    if text.report_year_other and text.report_year_other != chosen["report_year"]:
        disagreements.append(f"report_year: another place of the text says {text.report_year_other}")
    revision, number = _decide_revision(path, text, disagreements)
    code = cast(str | None, chosen["stock_code"])
    return Identity(
        stock_code=code,
        exchange=code_exchange(code) if code else text.exchange or path.exchange,
        company_name=cast(str | None, chosen["company_name"]),
        short_name=text.short_name or path.short_name,
        report_year=cast(int | None, chosen["report_year"]),
        kind=cast(Kind, chosen["kind"] or "other"),
        revision=revision,
        revision_number=number,
        **sources,
        disagreement="; ".join(disagreements),
    )


def _claims(field: str, path: TitleParts, text: TextEvidence, metadata: TitleParts) -> Iterator[_Claim]:
    """Yield what each source says of a field, the text first."""
    said = getattr(text, field)
    if said is not None:
        in_passing = getattr(text, f"{field}_place") == "body"
        page = f"page {getattr(text, f'{field}_page')}"
        yield _Claim(said, "text in passing" if in_passing else "text", "text", page)
    folder = "folder" if field in path.from_folder else "file name"
    for value, source, label in (
        (getattr(path, field), folder, folder),
        (getattr(metadata, field), "metadata", "PDF metadata"),
    ):
        # A PDF's own title that names no kind of report says nothing of it.
        if value is not None and (source, value) != ("metadata", "other"):
            yield _Claim(_same_thing(field, value, text), source, label, label)


ANNUAL_FAMILY = ("annual", "english", "hk_annual")


def _same_thing(field: str, value: str | int, text: TextEvidence) -> str | int:
    """Return the text's own word where a name means the same: a B share's code, capitals, the language."""
    if field == "stock_code" and value in (text.stock_code_b, text.stock_code_h):
        return text.stock_code or value
    if field == "company_name" and text.company_name and str(value).casefold() == text.company_name.casefold():
        return text.company_name
    is_family = text.kind in ANNUAL_FAMILY and value in ANNUAL_FAMILY
    # Names say annual of reports in any language; only 英文版 of a Chinese text contradicts.
    if field == "kind" and text.kind and is_family and not (value == "english" and text.language == "zh-Hans"):
        return text.kind
    return value


def _weigh(claims: Sequence[_Claim]) -> tuple[str | int | None, str]:
    weights: Counter[str | int] = Counter()
    for claim in claims:
        weights[claim.value] += WEIGHTS[claim.source]
    if not weights:
        return None, ""
    value = max(weights, key=lambda candidate: weights[candidate])
    return value, " and ".join(claim.where for claim in claims if claim.value == value)


def _disagreement(field: str, claims: Sequence[_Claim], chosen: str | int | None) -> list[str]:
    if all(claim.value == chosen for claim in claims):
        return []
    return [f"{field}: " + ", ".join(f"{claim.label} says {claim.value}" for claim in claims)]


def _decide_revision(path: TitleParts, text: TextEvidence, disagreements: list[str]) -> tuple[Revision, int]:
    """Take the file name's word, which is the exchange's own, then the cover's."""
    if path.revision == "original":
        return text.revision, text.revision_number
    if text.revision != "original" and (text.revision, text.revision_number) != (
        path.revision,
        path.revision_number,
    ):
        said = f"text says {text.revision} {text.revision_number}"
        disagreements.append(f"revision: {said}, file name says {path.revision} {path.revision_number}")
    return path.revision, path.revision_number


def _metadata_text(title: str) -> str:
    """Return the title without the name of the program; old printer drivers wrote it as GBK bytes in hex."""
    if re.fullmatch(r"<(?:[0-9A-Fa-f]{2})+>", title.strip()):
        title = bytes.fromhex(title.strip()[1:-1]).decode("gb18030", errors="replace")
    return re.sub(r"^Microsoft \w+ - ", "", title)
