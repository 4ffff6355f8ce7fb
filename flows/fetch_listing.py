"""All that an announcement service lists: span of days by span of days, page by page, whatever moves meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flows.fetch_client import PoliteClient
from flows.fetch_gate import FetchError
from flows.fetch_list import Announcement
from flows.fetch_service import CHINA, Page, Service, read_page
from shuzhi import RunError, UsageError

# A service that gives the same page over and over has no more to say.
MOST_STALE_PAGES = 3
MOST_PASSES = 3


@dataclass
class Listing:
    """What a service listed: announcements in its order, each once, and what was odd about it, in words."""

    announcements: dict[str, Announcement] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def list_service(service: Service, client: PoliteClient, years: Sequence[int]) -> Listing:
    """Ask a service for all its announcements of the report years.

    Raises
    ------
    RunError
        If a page could not be had: a listing with holes would look complete.
    """
    listing = Listing()
    for stock in service.stocks or [""]:
        for first, last in _windows(service, years):
            _list_days(service, client, {"stock": stock}, (first, last), listing)
    return listing


def _uses_days(service: Service) -> bool:
    return any("{from}" in str(value) or "{until}" in str(value) for value in service.form.values())


def _windows(service: Service, years: Sequence[int]) -> Iterator[tuple[date, date]]:
    """Yield spans of days; one without meaning where the form names no day."""
    if not _uses_days(service):
        yield date.min, date.min
        return
    if not years and service.since is None:
        raise UsageError("say which report years with --years, or since when in the settings of the service")
    since = service.since or date(min(years) + 1, 1, 1)
    until = service.until or (date(max(years) + 1, 12, 31) if years else datetime.now(CHINA).date())
    while since <= until:
        last = min(since + timedelta(days=service.window_days - 1), until)
        yield since, last
        since = last + timedelta(days=1)


def _list_days(
    service: Service, client: PoliteClient, values: Mapping[str, str], days: tuple[date, date], listing: Listing
) -> None:
    """List the announcements of a span of days; of halves of it where there are more than one query may give."""
    first, last = days
    form = _form(service, {**values, "from": first.isoformat(), "until": last.isoformat()})
    what = f"{values['stock']} {first} to {last}".strip() if _uses_days(service) else values["stock"] or "the query"
    page = _ask(service, client, form, 1, what)
    if page.total is not None and page.total > service.most_rows:
        if first < last:
            middle = first + (last - first) // 2
            _list_days(service, client, values, (first, middle), listing)
            _list_days(service, client, values, (middle + timedelta(days=1), last), listing)
            return
        listing.notes.append(f"{what}: {page.total:,} announcements, more than one query may give")
    _list_pages(service, client, form, page, what, listing)


def _list_pages(
    service: Service, client: PoliteClient, form: Mapping[str, str], page: Page, what: str, listing: Listing
) -> None:
    """Read all pages; once more where fewer rows came than the service counts, for rows move while it is asked."""
    found: dict[str, Announcement] = {}
    totals: set[int] = set()
    malformed = 0
    for attempt in range(MOST_PASSES):
        before, seen = len(found), set[str]()
        number, stale = 1, 0
        if attempt:
            page = _ask(service, client, form, 1, what)
        while True:
            links = {row.link: row for row in page.rows}
            stale = 0 if links.keys() - seen else stale + 1
            seen |= links.keys()
            found |= {link: row for link, row in links.items() if link not in found}
            malformed += page.malformed if not attempt else 0
            totals |= {page.total} if page.total is not None else set()
            if _is_last(service, page, number) or stale >= MOST_STALE_PAGES:
                break
            number += 1
            page = _ask(service, client, form, number, what)
        if not totals or len(found) + malformed >= max(totals) or (attempt and len(found) == before):
            break
    if len(totals) > 1:
        listing.notes.append(f"{what}: the count changed between pages ({min(totals):,} to {max(totals):,})")
    if totals and len(found) + malformed < max(totals):
        listing.notes.append(f"{what}: {len(found):,} different announcements of {max(totals):,} counted")
    if malformed:
        listing.notes.append(f"{what}: {malformed:,} rows without a code, a title or a link")
    listing.announcements |= {link: row for link, row in found.items() if link not in listing.announcements}


def _is_last(service: Service, page: Page, number: int) -> bool:
    """Return whether no page follows: an empty one, one past all that can be, or as the service says."""
    if not page.rows and not page.malformed:
        return True
    if number * service.page_size >= max(page.total or 0, service.most_rows) + MOST_STALE_PAGES * service.page_size:
        return True
    reached = page.total is None or number * service.page_size >= page.total
    return reached if page.has_more is None else not page.has_more and reached


def _form(service: Service, values: Mapping[str, str]) -> dict[str, str]:
    form = {}
    for name, text in service.form.items():
        filled = str(text)
        for key, value in values.items():
            filled = filled.replace("{" + key + "}", value)
        form[name] = filled
    return form


def _ask(service: Service, client: PoliteClient, form: Mapping[str, str], number: int, what: str) -> Page:
    asked = {**form, service.page_field: str(number), service.page_size_field: str(service.page_size)}

    def once() -> Page:
        with client.ask(service.address, {"Accept": "application/json"}, asked) as response:
            return read_page(service, response)

    try:
        return client.with_tries(once)
    except FetchError as error:
        raise RunError(
            f"the service could not list {what}, page {number}: {error.reason}; nothing was fetched, run it again"
        ) from None
