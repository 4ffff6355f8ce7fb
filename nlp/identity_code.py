"""The stock codes that a report's own pages print: the firm's, and those of its B and H shares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nlp.identity_head import COVER_CHARACTERS, PLACES, Found, HeadPage, Language, best, find, labelled
from nlp.identity_patterns import (
    CODE_LABEL,
    CODE_LINE,
    CODE_ROW,
    EXCHANGES,
    H_SHARE_LABELS,
    HONG_KONG_LABEL,
    NEARBY_CODE,
    SHENZHEN_SHORT_CODE,
)
from nlp.title import code_exchange, is_b_share, is_stock_code

# Codes this near belong together; a page ends so few characters behind its last line.
BESIDE, FOOT = 80, 10


@dataclass(frozen=True)
class StockCodes:
    """The firm's code (of its A share, where it has one), and the codes of its B and H shares."""

    code: Found | None = None
    code_b: str | None = None
    code_h: str | None = None


def find_stock_codes(head: Sequence[HeadPage], language: Language | None) -> StockCodes:
    """Return the codes that the first pages label as the firm's own.

    Parameters
    ----------
    head : sequence of HeadPage
        From :func:`nlp.identity_head.head_pages`.
    language : {'zh-Hans', 'zh-Hant', 'en', 'mixed'} or None
        Language of the document: a simplified report is one of the mainland where it prints a code of it.
    """
    listed = [
        found
        for pattern in (CODE_LABEL, CODE_ROW)
        for found in labelled(head, pattern, "code")
        if is_stock_code(found.value)
    ]
    code = best(iter(listed)) or _short_shenzhen_code(head) or _code_on_the_cover(head)
    code_h = next((item.value.zfill(5) for label in H_SHARE_LABELS for item in labelled(head, label, "code")), None)
    hong_kong = best(
        replace(found, value=found.value.zfill(5))
        for found in labelled(head, HONG_KONG_LABEL, "code")
        if int(found.value)
    )
    if hong_kong and (code is None or _goes_before(hong_kong, code, language)):
        return StockCodes(hong_kong, None, hong_kong.value)
    if code is None:
        return StockCodes(code_h=code_h)
    beside = [value for value in NEARBY_CODE.findall(_text_behind(head, code)) if is_stock_code(value)]
    beside += [found.value for found in listed if found.place in ("cover", "profile")]
    same = [value for value in (code.value, *beside) if code_exchange(value) == code_exchange(code.value)]
    code_a = next((value for value in same if not is_b_share(value)), code.value)
    code_b = next((value for value in same if is_b_share(value)), None)
    return StockCodes(replace(code, value=code_a), code_b, code_h)


def _text_behind(head: Sequence[HeadPage], code: Found) -> str:
    """Return the text from a code's label on; at the foot of a page with the top of the next."""
    following = next((page.text[:BESIDE] for page in head if page.number == code.page.number + 1), "")
    return code.near + (following if code.end > len(code.page.text) - FOOT else "")


def _goes_before(hong_kong: Found, code: Found, language: Language | None) -> bool:
    """Return whether a code of Hong Kong is the firm's own rather than the code of the mainland."""
    if language == "zh-Hans" and code.place != "body":
        return False
    return PLACES.index(hong_kong.place) < PLACES.index(code.place)


def _short_shenzhen_code(head: Sequence[HeadPage]) -> Found | None:
    """Return a code of four digits, as Shenzhen's were printed until the turn of the century, with its zeros."""
    for page in head:
        match = SHENZHEN_SHORT_CODE.search(page.text)
        if match:
            return find(match, "profile", page, f"00{match['code']}")
    return None


def _code_on_the_cover(head: Sequence[HeadPage]) -> Found | None:
    """Return a code that stands by itself on the cover or behind the company's name."""
    codes: Iterator[re.Match[str]] = CODE_LINE.finditer(head[0].text[:COVER_CHARACTERS]) if head else iter(())
    found = [find(match, "cover", head[0], match["code"]) for match in codes if is_stock_code(match["code"])]
    return found[0] if found and not head[0].is_full else None


def text_exchange(head: Sequence[HeadPage], code: Found | None) -> str | None:
    """Return the exchange of the code, else the only exchange that the first pages name."""
    if code:
        return code_exchange(code.value)
    named = {exchange for name, exchange in EXCHANGES if any(name in page.text for page in head)}
    return named.pop() if len(named) == 1 else None
