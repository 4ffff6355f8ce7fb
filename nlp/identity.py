"""Which firm and which fiscal year a document belongs to, what it is, and where each answer came from.

The text says most (cover, running headers, company profile), then the file name, the folder and the PDF's own
title, in this order: :data:`WEIGHTS` is the whole rule. Each answer carries the words that it was read from, and
sources that contradict each other are named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nlp.identity_text import TextEvidence, from_pages
from nlp.title import (
    Kind,
    Revision,
    TitleParts,
    code_exchange,
    from_path,
    is_b_share,
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

IDENTITY_VERSION = "2"

WEIGHTS = {"text": 4, "file name": 3, "text in passing": 2, "folder": 1, "metadata": 1}
"""The rule for every field: the weights of sources that agree are added, and the heaviest value wins.

Of two equal ones the earlier source wins: text, file name, folder, metadata. Text is a cover, a running header or a
profile; in passing is any other mention. Of the revision, silence is no claim: the file name's word, which is the
exchange's own, goes before the cover's.
"""

FIELDS = ("stock_code", "company_name", "report_year", "kind")
ANNUAL_FAMILY = ("annual", "english", "hk_annual")
# Documents on a whole fiscal year, which is a calendar year on the mainland.
WHOLE_YEAR = ("annual", "summary", "english", "correction_notice", "inquiry_reply")
EVIDENCE_CHARACTERS = 80


@dataclass(frozen=True)
class Identity:
    """The decision on one document.

    Parameters
    ----------
    stock_code : str or None
        Code of the A share where the text names it beside that of the B share.
    stock_code_b : str or None
        Code of the B share.
    exchange, company_name, short_name, report_year, kind, revision, revision_number
        The answers; None where no source says. ``kind`` is ``other`` then, with an empty source.
    fiscal_year_end : str or None
        Last day of the fiscal year (ISO date): as stated; of an annual report of the mainland 31 December, by law.
    stock_code_source, company_name_source, short_name_source, report_year_source, kind_source, revision_source : str
        Who says so, for example ``page 5 and file name``; empty where no source says.
    stock_code_evidence, company_name_evidence, short_name_evidence, report_year_evidence, kind_evidence, \
revision_evidence : str
        The printed line, the file name or the title in which it stands, of at most 80 characters.
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
    stock_code_b: str | None = None
    fiscal_year_end: str | None = None
    stock_code_source: str = ""
    stock_code_evidence: str = ""
    company_name_source: str = ""
    company_name_evidence: str = ""
    short_name_source: str = ""
    short_name_evidence: str = ""
    report_year_source: str = ""
    report_year_evidence: str = ""
    kind_source: str = ""
    kind_evidence: str = ""
    revision_source: str = ""
    revision_evidence: str = ""
    disagreement: str = ""


@dataclass(frozen=True)
class _Claim:
    """What one source says of one field: the value, the source's name in WEIGHTS and in words, and its own words."""

    value: str | int
    source: str
    label: str
    where: str
    evidence: str


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
        Each answer with its sources and their words, and every disagreement in words.
    """
    text = text or TextEvidence()
    metadata = parse_title(_metadata_text(metadata_title)) if metadata_title else TitleParts()
    columns: dict[str, Any] = {}
    disagreements: list[str] = []
    for field in FIELDS:
        claims = list(_claims(field, path, text, metadata))
        columns |= _weigh(field, claims)
        disagreements += _disagreement(field, claims, columns[field])
    for field in ("company_name", "report_year"):
        other = getattr(text, f"{field}_other")
        if other and other != columns[field]:
            disagreements.append(f"{field}: another place of the text says {other}")
    columns |= _decide_short_name(path, text) | _decide_revision(path, text, disagreements)
    code = cast(str | None, columns["stock_code"])
    kind = cast(Kind, columns.pop("kind") or "other")
    return Identity(
        **columns,
        kind=kind,
        exchange=code_exchange(code) if code else text.exchange or path.exchange,
        stock_code_b=code if is_b_share(code) else text.stock_code_b if code == text.stock_code else None,
        fiscal_year_end=_year_end(text, code, columns["report_year"], kind),
        disagreement="; ".join(disagreements),
    )


def _claims(field: str, path: TitleParts, text: TextEvidence, metadata: TitleParts) -> Iterator[_Claim]:
    """Yield what each source says of a field, the text first."""
    said = getattr(text, field)
    if said is not None:
        in_passing = getattr(text, f"{field}_place") == "body"
        page, evidence = f"page {getattr(text, f'{field}_page')}", getattr(text, f"{field}_evidence") or ""
        yield _Claim(said, "text in passing" if in_passing else "text", "text", page, evidence)
    from_folder = field in path.from_folder
    folder, name = ("folder", path.folder) if from_folder else ("file name", path.title)
    for value, source, label, words in (
        (getattr(path, field), folder, folder, name),
        (getattr(metadata, field), "metadata", "PDF metadata", metadata.title),
    ):
        # A PDF's own title that names no kind of report says nothing of it.
        if value is not None and (source, value) != ("metadata", "other"):
            yield _Claim(_same_thing(field, value, text), source, label, label, words[-EVIDENCE_CHARACTERS:])


def _same_thing(field: str, value: str | int, text: TextEvidence) -> str | int:
    """Return the text's own word where a name means the same: a B share's code, capitals, the language."""
    if field == "stock_code" and text.stock_code:
        return text.stock_code if _is_same_firm(str(value), text) else value
    if field == "company_name" and text.company_name and str(value).casefold() == text.company_name.casefold():
        return text.company_name
    is_family = text.kind in ANNUAL_FAMILY and value in ANNUAL_FAMILY
    # Names say annual of reports in any language; only 英文版 of a Chinese text contradicts.
    if field == "kind" and text.kind and is_family and not (value == "english" and text.language == "zh-Hans"):
        return text.kind
    return value


def _is_same_firm(code: str, text: TextEvidence) -> bool:
    """Return whether a code is the text's own, or that of its B or H share; in Shenzhen 200570 belongs to 000570."""
    own = text.stock_code or ""
    if code in (own, text.stock_code_b, text.stock_code_h):
        return True
    return code.startswith("20") and is_b_share(code) and own == f"00{code[2:]}"


def _weigh(field: str, claims: Sequence[_Claim]) -> dict[str, Any]:
    """Return the heaviest value as the columns for it, its sources and the words of the first of them."""
    weights: Counter[str | int] = Counter()
    for claim in claims:
        weights[claim.value] += WEIGHTS[claim.source]
    value = max(weights, key=lambda candidate: weights[candidate]) if weights else None
    winners = [claim for claim in claims if claim.value == value]
    return {
        field: value,
        f"{field}_source": " and ".join(claim.where for claim in winners),
        f"{field}_evidence": next((claim.evidence for claim in winners if claim.evidence), ""),
    }


def _disagreement(field: str, claims: Sequence[_Claim], chosen: str | int | None) -> list[str]:
    if all(claim.value == chosen for claim in claims):
        return []
    return [f"{field}: " + ", ".join(f"{claim.label} says {claim.value}" for claim in claims)]


def _decide_short_name(path: TitleParts, text: TextEvidence) -> dict[str, Any]:
    """Take the profile's word, then the file name's: a firm's short name changes, and vendors print today's."""
    if text.short_name:
        source, evidence = f"page {text.short_name_page}", text.short_name_evidence or ""
    elif path.short_name:
        is_folder = "short_name" in path.from_folder
        source, evidence = ("folder", path.folder) if is_folder else ("file name", path.title)
    else:
        source = evidence = ""
    words = evidence[-EVIDENCE_CHARACTERS:]
    name = text.short_name or path.short_name
    return {"short_name": name, "short_name_source": source, "short_name_evidence": words}


def _decide_revision(path: TitleParts, text: TextEvidence, disagreements: list[str]) -> dict[str, Any]:
    """Take the file name's word, which is the exchange's own, then the cover's."""
    said, named = (text.revision, text.revision_number), (path.revision, path.revision_number)
    if "original" not in (path.revision, text.revision) and said != named:
        disagreements.append(f"revision: text says {said[0]} {said[1]}, file name says {named[0]} {named[1]}")
    (revision, number), source, evidence = said, "page 1", text.revision_evidence or ""
    if path.revision != "original":
        (revision, number), source, evidence = named, "file name", path.title[-EVIDENCE_CHARACTERS:]
    elif text.revision == "original":
        source = ""
    columns: dict[str, Any] = {"revision": revision, "revision_number": number}
    return columns | {"revision_source": source, "revision_evidence": evidence}


def _year_end(text: TextEvidence, code: str | None, year: int | None, kind: Kind) -> str | None:
    """Return the end that the text states for the chosen year; the mainland's law leaves no choice."""
    if text.fiscal_year_end and text.fiscal_year_end[:4] == str(year):
        return text.fiscal_year_end
    is_mainland = code is not None and len(code) == 6 and kind in WHOLE_YEAR
    return f"{year}-12-31" if year and is_mainland else None


def _metadata_text(title: str) -> str:
    """Return the title without the name of the program; old printer drivers wrote it as GBK bytes in hex."""
    if re.fullmatch(r"<(?:[0-9A-Fa-f]{2})+>", title.strip()):
        title = bytes.fromhex(title.strip()[1:-1]).decode("gb18030", errors="replace")
    return re.sub(r"^Microsoft \w+ - ", "", title)
