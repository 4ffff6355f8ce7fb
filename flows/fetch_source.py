"""Where announcements come from: a list, or a service that is asked for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flows.fetch_client import PoliteClient
from flows.fetch_gate import host_of
from flows.fetch_list import Announcement, check_hosts, read_list
from flows.fetch_listing import list_service
from flows.fetch_service import Service, load_service
from flows.formats import write_csv
from flows.settings import FetchParameters
from shuzhi import UsageError

ANNOUNCEMENTS = "announcements.csv"
SERVICE_ENDINGS = (".yml", ".yaml")


@dataclass(frozen=True)
class Source:
    """Where announcements come from: a list, or a service that is still to be asked; and the hosts allowed."""

    hosts: list[str]
    announcements: list[Announcement]
    service: Service | None


def open_source(parameters: FetchParameters) -> Source:
    """Read the list, or the settings of the service; no host is asked.

    Raises
    ------
    UsageError
        If they cannot be read, or no host is allowed.
    """
    path = Path(parameters.source)
    own = [host_of(host) if "://" in host else host.strip().lower() for host in parameters.hosts]
    wrong = [given for given, host in zip(parameters.hosts, own, strict=True) if not host or set(host) & set("/*@ \\")]
    if wrong:
        raise UsageError(f"--host {wrong[0]}: write a host name, for example static.example.org or example.org:8080")
    if path.suffix.lower() in SERVICE_ENDINGS:
        service = load_service(path)
        return Source([*service.all_hosts(), *own], [], service)
    announcements = read_list(path)
    check_hosts(announcements, own)
    return Source(own, announcements, None)


def announcements_of(
    source: Source, client: PoliteClient, parameters: FetchParameters
) -> tuple[list[Announcement], list[str]]:
    """Return the announcements, for which a service is asked, and what was odd about its listing."""
    if source.service is None:
        return source.announcements, []
    listing = list_service(source.service, client, parameters.years)
    return list(listing.announcements.values()), listing.notes


def write_announcements(folder: Path, announcements: Sequence[Announcement]) -> None:
    """Write what a service listed as a list that ``shuzhi fetch`` reads, so that it need not be asked again."""
    rows = [
        {
            "report_year": each.report_year,
            "stock_code": each.stock_code,
            "short_name": each.short_name,
            "title": each.title,
            "link": each.link,
            "published": each.published,
            "size_kilobytes": None if each.listed_bytes is None else round(each.listed_bytes / 1000),
        }
        for each in announcements
    ]
    columns = ["report_year", "stock_code", "short_name", "title", "link", "published", "size_kilobytes"]
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("report_year", "size_kilobytes"):
        frame[name] = frame[name].astype("Int64")
    for name in set(columns) - {"report_year", "size_kilobytes"}:
        frame[name] = frame[name].astype("str")
    write_csv(frame, folder / ANNOUNCEMENTS)
