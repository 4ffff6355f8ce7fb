"""Announcement services: a query by form, an answer in JSON, page by page. The settings are a YAML file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.fetch_gate import FetchError, host_of
from flows.fetch_list import Announcement
from flows.fetch_names import clean_title
from flows.settings import usage_error
from nlp.title import parse_title
from shuzhi import UsageError, yaml_loader

LARGEST_ANSWER_BYTES = 20 << 20
LARGEST_SETTINGS_BYTES = 1 << 20
CHINA = timezone(timedelta(hours=8))


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fields(_Settings):
    """Where an answer holds what: names of JSON fields, with dots for fields in fields; cninfo's by default."""

    rows: str = "announcements"
    total: str = "totalAnnouncement"
    more: str = "hasMore"
    code: str = "secCode"
    name: str = "secName"
    title: str = "announcementTitle"
    time: str = "announcementTime"
    link: str = "adjunctUrl"
    size_kilobytes: str = "adjunctSize"


class Service(_Settings):
    """Settings of an announcement service.

    Parameters
    ----------
    address : str
        Where the form is sent (POST).
    files : str
        Address to which the links of the answers are relative.
    hosts : list of str
        Hosts that may be asked; by default those of the two addresses.
    form : dict
        Fields of the form. ``{from}`` and ``{until}`` stand for days, ``{stock}`` for an entry of ``stocks``.
    page_field, page_size_field, page_size : str, str, int
        How a page is asked for; pages count from 1.
    answer : Fields
        Where the answer holds what.
    since, until : date or None
        Days of publication; by default the calendar years after the report years.
    window_days : int
        Days asked for at once, at most.
    most_rows : int
        Rows a query may give; days are asked for in smaller parts where there are more.
    stocks : list of str
        For ``{stock}``, for example ``000001,gssz0000001``; one query each.
    """

    address: str
    files: str
    hosts: list[str] = []
    form: dict[str, str | int]
    page_field: str = "pageNum"
    page_size_field: str = "pageSize"
    page_size: int = Field(30, ge=1, le=1000)
    answer: Fields = Fields()
    since: date | None = None
    until: date | None = None
    window_days: int = Field(31, ge=1, le=400)
    most_rows: int = Field(3000, ge=1)
    stocks: list[str] = []

    def all_hosts(self) -> list[str]:
        """Return the hosts that may be asked."""
        return self.hosts or sorted({host_of(self.address), host_of(self.files)})


@dataclass(frozen=True)
class Page:
    """One page of a listing: its rows, what the service says of the rest, and how many rows were no announcements."""

    rows: list[Announcement]
    total: int | None
    has_more: bool | None
    malformed: int


def load_service(path: Path) -> Service:
    """Read the settings of a service.

    Raises
    ------
    UsageError
        If the file is missing or no YAML, or its settings have problems; the message lists all of them.
    """
    try:
        if path.stat().st_size > LARGEST_SETTINGS_BYTES:
            raise UsageError(f"{path}: larger than 1 MB, which settings never are")
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml_loader())
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}: write settings as 'name: value', beginning with address, files and form")
    try:
        service = Service(**{str(key): value for key, value in content.items()})
    except ValidationError as error:
        raise usage_error(error, str(path)) from None
    wrong = [name for name in ("address", "files") if not host_of(getattr(service, name))]
    if wrong:
        raise UsageError(f"{path}: {' and '.join(wrong)} must begin with https:// or http:// and name a host")
    if service.since and service.until and service.until < service.since:
        raise UsageError(f"{path}: until ({service.until}) is before since ({service.since})")
    return service


def read_page(service: Service, response: httpx.Response) -> Page:
    """Read one page of an answer; raise a `FetchError` if it is none."""
    body = _body(response)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "no type")
        raise FetchError(f"the service answers with what is no JSON ({kind}, {len(body):,} bytes)") from None
    if not isinstance(answer, dict):
        raise FetchError("the service answers with JSON of another form")
    rows = _at(answer, service.answer.rows)
    if rows is None:
        rows = []
    if not isinstance(rows, list):
        raise FetchError(f"the service's answer holds no list '{service.answer.rows}'")
    read = [_row(service, row) for row in rows]
    total, more = _at(answer, service.answer.total), _at(answer, service.answer.more)
    return Page(
        rows=[row for row in read if row is not None],
        total=total if isinstance(total, int) and total >= 0 else None,
        has_more=more if isinstance(more, bool) else None,
        malformed=sum(row is None for row in read),
    )


def _body(response: httpx.Response) -> bytes:
    """Return the body, unpacked where the service packs it unasked, and never more of it than an answer can have."""
    packed = response.headers.get("content-encoding", "identity").lower()
    if packed not in ("identity", "gzip", "deflate"):
        raise FetchError(f"the service packs its answer as {packed}, which was not asked for", "refused")
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packed != "identity" else None
    parts, size = [], 0
    for chunk in response.iter_raw():
        try:
            part = unpack.decompress(chunk, LARGEST_ANSWER_BYTES + 1 - size) if unpack else chunk
        except zlib.error as error:
            raise FetchError(f"the service's answer cannot be unpacked: {error}") from None
        size += len(part)
        parts.append(part)
        if size > LARGEST_ANSWER_BYTES:
            raise FetchError(f"the service's answer is larger than {LARGEST_ANSWER_BYTES >> 20} MB", "refused")
    if unpack and not unpack.eof:
        raise FetchError("the service's answer cannot be unpacked: it is cut off")
    return b"".join(parts)


def _at(answer: Mapping[str, Any], path: str) -> Any:
    value: Any = answer
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _row(service: Service, row: object) -> Announcement | None:
    if not isinstance(row, dict):
        return None
    names = service.answer
    code, title, link = (_at(row, name) for name in (names.code, names.title, names.link))
    if not all(isinstance(each, str) and each for each in (code, title, link)):
        return None
    size = _at(row, names.size_kilobytes)
    is_size = isinstance(size, int | float) and 0 < size < 1e9
    try:
        address = urljoin(service.files, str(link))
    except ValueError:
        return None
    return Announcement(
        stock_code=str(code),
        short_name=str(_at(row, names.name) or ""),
        # Announcements have no year of their own; where the title names none there is none.
        report_year=parse_title(clean_title(str(title))).report_year,
        title=clean_title(str(title)),
        link=address,
        published=_day(_at(row, names.time)),
        listed_bytes=int(size * 1000) if is_size else None,
    )


def _day(value: object) -> str:
    """Return the day in China of a moment in milliseconds, or the day that text begins with."""
    if isinstance(value, str):
        return value[:10]
    if isinstance(value, int | float) and 0 < value < 1e14:
        return datetime.fromtimestamp(value / 1000, UTC).astimezone(CHINA).date().isoformat()
    return ""
