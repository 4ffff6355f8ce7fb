"""Which firm and which fiscal year a document belongs to, what it is, and where each answer came from.

The text says most (cover, running headers, company profile), then the file name, the folder and the PDF's own
title, in this order: :data:`WEIGHTS` is the whole rule. Sources that contradict each other are named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from nlp.identity_text import TextEvidence, from_pages
from nlp.title import (
    Kind,
    Revision,
    TitleParts,
    code_exchange,
    from_path,
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

WEIGHTS = {"text": 4, "text in passing": 2, "file name": 3, "folder": 1, "metadata": 1}
"""The rule for every field: the weights of sources that agree are added, and the heaviest value wins.

Of two equal ones the earlier source wins. Text is a cover, a running header or a profile; in passing is any
other mention.
"""


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
