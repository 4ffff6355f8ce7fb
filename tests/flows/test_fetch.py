"""Fetching, against a server of ours that behaves badly; nothing here leaves this machine."""

import csv
import hashlib
import itertools
import json
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import bad_server as bad
import numpy as np
import pandas as pd
import pytest
from bad_server import BadServer, pdf
from conftest import Command

from flows.fetch_client import PoliteClient, retry_after
from flows.fetch_file import Part
from flows.fetch_gate import FetchError, Gate
from flows.fetch_list import choose, read_list
from flows.fetch_listing import list_service
from flows.fetch_manifest import Entry, Ledger, locked
from flows.fetch_names import Announced, announced_of, file_name, numbered, read_code
from flows.fetch_run import FetchSummary, fetch_all, plan_fetching
from flows.fetch_service import Service, load_service
from flows.files import list_folder
from flows.settings import FetchParameters
from nlp.identity import from_path
from shuzhi import RunError, UsageError

ROOT = Path(__file__).resolve().parents[2]
PATIENT = {
    "requests_per_second": 1000,
    "jitter_seconds": 0,
    "first_wait_seconds": 0.01,
    "tries": 2,
    "failures_in_row": 100,
    "max_failure_share": 1.0,
    "allow_private": True,
}


@pytest.fixture
def server() -> Iterator[BadServer]:
    with bad.serving() as running:
        yield running


def write_list(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = ["report_year", "stock_code", "short_name", "title", "link"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({name: row.get(name, "") for name in columns} for row in rows)
    return path


def announcement(link: str, code: str = "600519", title: str = "2020年年度报告", **more: Any) -> dict[str, Any]:
    return {"stock_code": code, "short_name": "示范股份", "report_year": 2020, "title": title, "link": link, **more}


class Place:
    """A list and a folder to fetch into."""

    def __init__(self, root: Path, server: BadServer) -> None:
        self.folder = root / "reports"
        self.list = root / "list.csv"
        self.server = server

    def announce(self, *rows: dict[str, Any]) -> None:
        write_list(self.list, [{**row, "link": self.address(row["link"])} for row in rows])

    def address(self, link: str) -> str:
        return self.server.address + link if link.startswith("/") else link

    def parameters(self, **more: Any) -> FetchParameters:
        given = {"source": str(self.list), "folder": str(self.folder), "hosts": [self.server.host], **PATIENT}
        return FetchParameters(**{**given, **more})

    def fetch(self, **more: Any) -> FetchSummary:
        return fetch_all(self.parameters(**more))

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the manifest by the last part of their links."""
        frame = pd.read_parquet(self.folder / "fetched.parquet")
        return {row["link"].removeprefix(self.server.address): row for row in frame.to_dict("records")}

    def files(self) -> dict[str, bytes]:
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in self.folder.rglob("*.pdf")}


@pytest.fixture
def place(tmp_path: Path, server: BadServer) -> Place:
    return Place(tmp_path, server)


# A server that behaves


def test_reports_are_fetched_once_and_recognised_by_their_names(place: Place):
    bodies = {"/a": pdf("a"), "/b": pdf("b"), "/c": pdf("c")}
    place.server.paths |= {path: bad.gives(body) for path, body in bodies.items()}
    place.announce(
        announcement("/a"),
        announcement("/b", code="sz000001", title="平安银行:2019年年度报告(更新后)_(4k).PDF", short_name="平安银行"),
        announcement("/c", title="2020年年度报告摘要"),
    )
    summary = place.fetch()
    assert (summary.fetched, summary.held, summary.left_out) == (2, 0, {"kind summary": 1})
    assert place.files() == {
        "2020/600519_示范股份_2020年年度报告.pdf": bodies["/a"],
        "2019/000001_平安银行_平安银行2019年年度报告(更新后).pdf": bodies["/b"],
    }
    assert [each.file for each in list_folder(str(place.folder))] == sorted(place.files())
    second = from_path("2019/000001_平安银行_平安银行2019年年度报告(更新后).pdf")
    assert (second.stock_code, second.report_year, second.kind, second.revision) == (
        "000001",
        2019,
        "annual",
        "updated",
    )
    rows = place.rows()
    assert rows["/a"]["sha256"] == hashlib.sha256(bodies["/a"]).hexdigest()
    assert {path: row["status"] for path, row in rows.items()} == {"/a": "ok", "/b": "ok", "/c": "left_out"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows["/a"]["fetched_at"])

    before, manifest = len(place.server.asked), (place.folder / "fetched.csv").read_bytes()
    again = place.fetch()
    assert (again.fetched, again.held, again.requests, len(place.server.asked)) == (0, 2, 0, before)
    assert (place.folder / "fetched.csv").read_bytes() == manifest


def test_the_server_is_told_who_asks_and_asked_for_plain_bytes(place: Place):
    place.server.paths["/a"] = bad.gives(pdf("a"))
    place.announce(announcement("/a"))
    place.fetch(contact="mailto:lab@example.org")
    [asked] = place.server.asked
    assert asked.headers["user-agent"] == "shuzhi/0.1.0 (research on annual reports; mailto:lab@example.org)"
    assert asked.headers["accept-encoding"] == "identity"
    assert "cookie" not in asked.headers


def test_a_cookie_is_not_given_back(place: Place):
    place.server.paths |= {path: bad.gives(pdf(path), set_cookie="who=you; Path=/") for path in ("/a", "/b")}
    place.announce(announcement("/a"), announcement("/b", code="600000"))
    place.fetch()
    assert [asked.headers.get("cookie") for asked in place.server.asked] == [None, None]


def test_requests_keep_their_pace(place: Place):
    codes = ["600519", "600000", "600001", "600002"]
    place.server.paths |= {f"/{code}": bad.gives(pdf(code)) for code in codes}
    place.announce(*(announcement(f"/{code}", code=code) for code in codes))
    place.fetch(requests_per_second=10)
    times = [asked.at for asked in place.server.asked]
    assert len(times) == 4
    # The pace is kept between the moments of sending, which the server sees a little late or early.
    assert all(later - earlier > 0.09 for earlier, later in itertools.pairwise(times))


# A server that does not


WRONG = {
    "/404": (bad.fails(404), "refused", "the server answers 404", 1),
    "/403": (bad.fails(403), "refused", "the server answers 403", 1),
    "/500": (bad.fails(500), "failed", "the server answers 500", 2),
    "/html": (bad.gives(b"<!DOCTYPE html><p>%PDF-", content_type="text/html"), "refused", "no PDF but HTML", 1),
    "/zip": (bad.gives(b"PK\x03\x04" + bytes(3000)), "refused", "no PDF but another kind of file", 1),
    "/empty": (bad.gives(b""), "refused", "no PDF but an empty file", 1),
    "/truncated": (bad.breaks_off(pdf("t"), 1500, etag=None), "failed", "the connection failed", 2),
    "/cut": (bad.gives(pdf("u")[:2500]), "failed", "cut off: 2,500 bytes without the end mark", 2),
    "/short-length": (bad.gives(pdf("s"), content_length=2500), "failed", "cut off: 2,500 bytes", 2),
    "/long-length": (bad.gives(pdf("l"), content_length=9999), "failed", "the connection failed", 2),
    "/silent": (bad.is_silent(0.9), "failed", "took too long: ", 2),
    "/drip": (bad.drips(pdf("d")), "failed", "took too long: the time limit of the file is over", 2),
    "/drip-headers": (bad.drips_headers(), "failed", "took too long: the time limit of the file is over", 2),
    "/endless": (bad.never_ends, "refused", "larger than 1.0 MB", 1),
    "/large": (bad.gives(b"%PDF-", content_length=3_000_000), "refused", "3.0 MB, larger than 1.0 MB", 1),
    "/bomb": (bad.is_a_bomb, "refused", "packed as gzip", 1),
    "/206": (bad.gives(pdf("p"), code=206), "refused", "the server answers 206", 1),
    "/304": (bad.fails(304), "refused", "the server answers 304", 1),
    "/no-http": (bad.is_no_server, "failed", "the connection failed", 2),
    "/file": (bad.redirects("file:///etc/passwd"), "refused", "redirects to no http or https address", 1),
    "/private": (bad.redirects("http://10.0.0.1/secret"), "refused", "another host: 10.0.0.1 is not", 1),
    "/metadata": (bad.redirects("http://169.254.169.254/latest"), "refused", "169.254.169.254 is not allowed", 1),
    "/port": (bad.redirects("http://127.0.0.1:1/x"), "refused", "another host: 127.0.0.1:1 is not allowed", 1),
    "/name": (bad.redirects(""), "refused", "an address with a user name", 1),
    "/double": (bad.redirects("//example.org/x"), "refused", "another host: example.org is not allowed", 1),
    "/bad-location": (bad.redirects("http://[::1"), "failed", "Invalid URL in location header", 2),
    "/nowhere": (bad.redirects(""), "refused", "redirects more than 5 times", 6),
    "/escape": (bad.fails(418, x="\x1b[2J"), "refused", "the server answers 418", 1),
}


SLOW = ("/silent", "/drip", "/drip-headers")


@pytest.mark.parametrize(("slow", "limit"), [(False, 20), (True, 0.5)], ids=["wrong", "slow"])
def test_every_kind_of_misbehaviour_is_a_row_with_its_reason(place: Place, slow: bool, limit: float):
    wrong = {path: case for path, case in WRONG.items() if (path in SLOW) == slow}
    place.server.paths |= {path: behaviour for path, (behaviour, *_) in wrong.items()}
    place.server.paths["/name"] = bad.redirects(f"http://user:secret@{place.server.host}/404")
    place.server.paths["/good"] = bad.gives(pdf("good"))
    place.announce(*(announcement(path, code=f"{600000 + number}") for number, path in enumerate([*wrong, "/good"])))
    summary = place.fetch(read_seconds=limit, seconds_per_file=limit, max_megabytes=1)
    assert summary.fetched == 1
    assert list(place.files().values()) == [pdf("good")]
    rows = place.rows()
    for path, (_, status, reason, requests) in wrong.items():
        row = rows[path]
        assert (row["status"], reason in row["reason"]) == (status, True), (path, row["status"], row["reason"])
        assert len(place.server.asked_for(path)) == requests, path
        assert row["file"] == ""
    assert not any(re.search(r"[\x00-\x1f]|secret", row["reason"]) for row in rows.values() if row["reason"])
    assert all(part.size() <= 4000 for path in wrong for part in [Part(place.folder / ".fetch", place.address(path))])


def test_what_was_refused_for_good_is_not_asked_again_unless_told_to(place: Place):
    place.server.paths |= {"/a": bad.fails(404), "/b": bad.fails(500)}
    place.announce(announcement("/a"), announcement("/b", code="600000"))
    for more, requests in (({}, (1, 1)), ({}, (1, 2)), ({"retry": True}, (2, 3))):
        place.fetch(tries=1, **more)
        assert (len(place.server.asked_for("/a")), len(place.server.asked_for("/b"))) == requests


def test_a_passing_failure_is_tried_again_after_growing_waits(place: Place):
    place.server.paths["/a"] = bad.in_turn(bad.fails(500), bad.fails(502), bad.gives(pdf("a")))
    place.announce(announcement("/a"))
    assert place.fetch(tries=3, first_wait_seconds=0.1).fetched == 1
    first, second, third = (asked.at for asked in place.server.asked)
    assert second - first >= 0.09
    assert third - second >= 0.19


def test_retry_after_is_honoured(place: Place):
    place.server.paths["/a"] = bad.in_turn(bad.fails(429, retry_after=1), bad.gives(pdf("a")))
    place.announce(announcement("/a"))
    assert place.fetch().fetched == 1
    first, second = (asked.at for asked in place.server.asked)
    assert 0.95 < second - first < 6


def test_a_wait_that_is_too_long_ends_the_run_and_the_next_run_goes_on(place: Place):
    place.server.paths |= {"/a": bad.gives(pdf("a")), "/b": bad.fails(503, retry_after=3600), "/c": bad.gives(pdf("c"))}
    place.announce(announcement("/a"), announcement("/b", code="600000"), announcement("/c", code="600001"))
    with pytest.raises(RunError, match=r"asks to wait 3,600 seconds .* \(1 fetched, 2 not reached"):
        place.fetch()
    assert [asked.path for asked in place.server.asked] == ["/a", "/b"]
    assert [place.rows()[path]["status"] for path in ("/a", "/b", "/c")] == ["ok", "pending", "pending"]
    place.server.paths["/b"] = bad.gives(pdf("b"))
    assert place.fetch().fetched == 2
    assert [asked.path for asked in place.server.asked] == ["/a", "/b", "/b", "/c"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), (" 7 ", 7), ("-5", None), ("soon", None), ("", None), ("1.5", None), ("٣", None)],
)
def test_a_retry_after_header_is_read(header: str, seconds: float | None):
    assert retry_after(header) == seconds


def test_a_retry_after_date_is_read():
    assert retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) == pytest.approx(
        60, abs=2
    )
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_the_run_stops_after_failures_in_a_row_but_not_after_as_many_in_all(place: Place):
    codes = [str(600000 + number) for number in range(8)]
    good = {codes[2], codes[4]}
    place.server.paths |= {f"/{code}": bad.gives(pdf(code)) if code in good else bad.fails(404) for code in codes}
    place.announce(*(announcement(f"/{code}", code=code) for code in codes))
    with pytest.raises(RunError, match=r"stopped after 3 failed links in a row.*404"):
        place.fetch(failures_in_row=3)
    # 404 404 ok 404 ok 404 404 404: the third in a row is the eighth link.
    assert len(place.server.asked) == 8
    place.server.asked.clear()
    with pytest.raises(RunError, match="stopped after 2 failed links in a row"):
        place.fetch(failures_in_row=2, retry=True)
    # The two good ones are settled and break no row.
    assert [asked.path for asked in place.server.asked] == [f"/{codes[0]}", f"/{codes[1]}"]


def test_too_many_links_without_a_report_fail_the_run(place: Place):
    place.server.paths |= {"/a": bad.gives(pdf("a")), "/b": bad.fails(404)}
    place.announce(announcement("/a"), announcement("/b", code="600000"))
    with pytest.raises(RunError, match="1 of 2 links gave no report"):
        place.fetch(max_failure_share=0.4)
    assert place.fetch(max_failure_share=0.5).refused == 1


# Sizes, hashes, names


@pytest.mark.parametrize(
    ("title", "status"),
    [
        # 40,000 bytes are 40k in thousands and 39k in 1,024s; 3 % and 2 KB of slack lie around them.
        ("2020年年度报告_(40k).PDF", "ok"),
        ("2020年年度报告_(39k).PDF", "ok"),
        ("2020年年度报告_(60k).PDF", "refused"),
        ("2020年年度报告_(20k).PDF", "refused"),
    ],
)
def test_the_listed_size_must_be_near(place: Place, title: str, status: str):
    place.server.paths["/a"] = bad.gives(pdf("a", 40_000))
    place.announce(announcement("/a", title=title))
    place.fetch()
    assert place.rows()["/a"]["status"] == status
    if status == "refused":
        assert "40,000 bytes, where the listing says about" in place.rows()["/a"]["reason"]
        assert place.fetch(check_listed_size=False, retry=True).fetched == 1


def test_the_same_bytes_under_two_names_are_kept_once_and_noted(place: Place):
    place.server.paths |= {path: bad.gives(pdf("same")) for path in ("/a", "/b")}
    place.announce(announcement("/a", code="000012"), announcement("/b", code="200012"))
    summary = place.fetch()
    assert (summary.fetched, summary.duplicates) == (1, 1)
    assert list(place.files()) == ["2020/000012_示范股份_2020年年度报告.pdf"]
    second = place.rows()["/b"]
    assert second["file"] == "2020/000012_示范股份_2020年年度报告.pdf"
    assert second["reason"] == "the same bytes as 2020/000012_示范股份_2020年年度报告.pdf"
    assert place.fetch().held == 2


def test_nothing_is_overwritten(place: Place):
    place.server.paths |= {path: bad.gives(pdf(path)) for path in ("/a", "/b", "/c", "/d")}
    own = place.folder / "2020" / "600519_示范股份_2020年年度报告.pdf"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    place.announce(
        announcement("/a"),
        announcement("/b"),
        announcement("/c", title="2020年年度报告(修订版)"),
        announcement("/d", title="2020年年度报告(修订版)"),
    )
    assert place.fetch().fetched == 4
    stem = "2020/600519_示范股份_2020年年度报告"
    assert place.files() == {
        f"{stem}.pdf": b"mine",
        f"{stem}_2.pdf": pdf("/a"),
        f"{stem}_3.pdf": pdf("/b"),
        f"{stem}(修订版).pdf": pdf("/c"),
        f"{stem}(修订版)_2.pdf": pdf("/d"),
    }
    revised = from_path(f"{stem}(修订版)_2.pdf")
    assert (revised.stock_code, revised.report_year, revised.revision, revised.revision_number) == (
        "600519",
        2020,
        "revised",
        1,
    )


def test_a_file_that_lies_there_already_is_recognised_by_its_bytes(place: Place):
    place.server.paths["/a"] = bad.gives(pdf("a"))
    own = place.folder / "2020" / "600519_示范股份_2020年年度报告.pdf"
    own.parent.mkdir(parents=True)
    own.write_bytes(pdf("a"))
    place.announce(announcement("/a"))
    place.fetch()
    assert len(place.files()) == 1
    assert place.rows()["/a"]["status"] == "ok"


def test_a_file_that_was_deleted_is_fetched_again_under_its_name(place: Place):
    place.server.paths["/a"] = bad.gives(pdf("a"))
    place.announce(announcement("/a"))
    place.fetch()
    [name] = place.files()
    (place.folder / name).unlink()
    assert place.fetch().fetched == 1
    assert list(place.files()) == [name]


@pytest.mark.parametrize(
    "title",
    [
        "../../../../etc/passwd 2020年年度报告",
        "..\\..\\windows\\2020年年度报告",
        "/etc/cron.d/2020年年度报告",
        "2020年年度报告\x00.exe",
        "2020年年度报告\n\x1b[31m",
        "\u202e2020年年度报告\u202d",
        "=cmd|'/C calc'!A0 2020年年度报告",
        "2020年年度报告 $(rm -rf ~) `id` ; %PATH%",
        "<em>2020</em>年<em>年度报告</em>",
        "２０２０年年度报告（全文）",
        "2020年年度报告" + "长" * 400,
        "长" * 400 + "2020年年度报告",
        "CON.2020年年度报告.",
    ],
)
def test_no_title_leads_out_of_the_folder_or_hides_what_the_report_is(title: str):
    announced = announced_of("600519", "*ST示范/..", 2020, title)
    assert isinstance(announced, Announced)
    for name in (file_name(announced), numbered(file_name(announced), 2)):
        assert re.fullmatch(r"2020/600519_[\w()（）·、。\-]+\.pdf", name), name
        assert ".." not in name
        assert len(Path(name).name.encode()) <= 200
        read = from_path(name)
        assert (read.stock_code, read.report_year, read.kind) == ("600519", 2020, "annual")


def test_names_of_real_announcements_are_read_as_what_they_are(shared: Path):
    path = shared / "reports" / "titles.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))[::17]
    read = 0
    for row in rows:
        code = read_code(row["stock_code"])
        if code is None:
            # The rest are bonds, whose codes begin with 1.
            assert row["stock_code"].startswith("sz1")
            continue
        announced = announced_of(code, row["short_name"], int(row["report_year"]), row["title"])
        assert isinstance(announced, Announced)
        name = from_path(file_name(announced))
        assert (name.stock_code, name.report_year, name.kind) == (code, announced.report_year, announced.kind)
        assert (name.revision, name.revision_number) == (announced.revision, announced.revision_number)
        read += 1
    assert read > 0.98 * len(rows)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("600519", "600519"),
        ("sz000001", "000001"),
        ("SH600519", "600519"),
        ("000001.SZ", "000001"),
        ("600519.XSHG", "600519"),
        ("1", "000001"),
        ("2.0", "000002"),
        ("'000001", "000001"),
        ("００００１２", "000012"),
        ("200012", "200012"),
        ("00700.HK", "00700"),
        ("HK700", "00700"),
        ("00700", "00700"),
        ("832000", "832000"),
        ("sz122050", None),
        ("sz122050,600884", None),
        ("", None),
        ("../1", None),
        ("茅台", None),
    ],
)
def test_codes_are_read_as_lists_write_them(text: str, code: str | None):
    assert read_code(text) == code


# Hosts and addresses


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/a",
        "http://[::1]/a",
        "http://10.1.2.3/a",
        "http://192.168.0.1/a",
        "http://172.16.0.1/a",
        "http://169.254.169.254/a",
        "http://100.64.0.1/a",
        "http://0.0.0.0/a",
        "http://224.0.0.1/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://[64:ff9b::7f00:1]/a",
        "http://[fc00::1]/a",
        "http://[2002:7f00:1::]/a",
    ],
)
def test_private_addresses_are_refused_even_where_they_are_configured(link: str):
    host = link.split("/")[2]
    with pytest.raises(FetchError, match="of this machine or a private network"):
        Gate([host]).check(link)
    Gate([host], allow_private=True).check(link)


@pytest.mark.parametrize(
    "link",
    [
        "ftp://example.org/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//example.org/a",
        "example.org/a",
        "http:///a",
        "http://example.org:99999/a",
        "http://example.org:x/a",
        "http://example.org\\@evil.org/a",
        "http://example.org@evil.org/a",
        "http://evil.org/example.org",
        "http://example.org.evil.org/a",
        "http://example.org:8080/a",
        "http://exam\tple.org/a",
        "http://example.org/a\r\nHost: evil.org",
        "http://[::1/a",
        "",
    ],
)
def test_what_is_no_address_of_a_configured_host_is_refused_without_asking(link: str):
    with pytest.raises(FetchError) as refused:
        Gate(["example.org"]).check(link)
    assert (refused.value.status, refused.value.is_local) == ("refused", True)


def test_configured_hosts_pass_in_any_spelling_and_with_the_usual_port():
    gate = Gate(["Example.org", "files.example.org:8443"])
    for link in ("https://EXAMPLE.org/a", "http://example.org:80/a", "https://example.org./a"):
        gate.check(link)
    gate.check("https://files.example.org:8443/a")
    with pytest.raises(FetchError, match="from https to http"):
        gate.check("http://example.org/a", before="https://example.org/a")
    gate.check("https://example.org/a", before="http://example.org/a")


def test_a_name_that_stands_for_this_machine_is_not_connected_to(place: Place):
    host = f"localhost:{place.server.server_port}"
    place.announce(announcement(f"http://{host}/a"))
    place.fetch(hosts=[host], allow_private=False)
    [row] = place.rows().values()
    assert row["status"] == "refused"
    assert "is an address of this machine or a private network" in row["reason"]
    assert place.server.asked == []
    # The settings may change: it is no lasting refusal.
    place.server.paths["/a"] = bad.gives(pdf("a"))
    assert place.fetch(hosts=[host]).fetched == 1


def test_a_redirect_within_the_hosts_is_followed(place: Place):
    place.server.paths |= {"/a": bad.redirects("/deep/b"), "/deep/b": bad.gives(pdf("b"))}
    place.announce(announcement("/a"))
    assert place.fetch().fetched == 1
    assert [asked.path for asked in place.server.asked] == ["/a", "/deep/b"]


def test_a_redirect_to_another_host_is_not_asked_for(place: Place):
    with bad.serving() as other:
        other.paths["/x"] = bad.gives(pdf("x"))
        place.server.paths["/a"] = bad.redirects(f"{other.address}/x")
        place.announce(announcement("/a"), announcement(f"{other.address}/x", code="600000"))
        assert place.fetch().refused == 2
        assert other.asked == []
        assert place.fetch(hosts=[place.server.host, other.host], retry=True).fetched == 1
        assert place.rows()[f"{other.address}/x"]["status"] == "duplicate"


def test_proxies_of_the_environment_are_used_only_if_asked(place: Place, monkeypatch: pytest.MonkeyPatch):
    place.server.paths["/a"] = bad.gives(pdf("a"))
    place.announce(announcement("/a"))
    with bad.serving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert place.fetch().fetched == 1
        assert proxy.asked == []
        place.announce(announcement("http://files.example.org/b"))
        place.fetch(hosts=["files.example.org"], proxies_from_environment=True, allow_private=False, tries=1)
        # The proxy gets the whole address; it says 404 to it.
        assert [asked.path for asked in proxy.asked] == ["http://files.example.org/b"]


def certificate(folder: Path) -> Path:
    """Write a certificate of our own for 127.0.0.1, with its key."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_certificates_are_verified(tmp_path: Path):
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with bad.serving(context) as server, bad.serving() as plain:
        server.paths |= {"/a": bad.gives(pdf("a")), "/b": bad.redirects(f"{plain.address}/b")}
        place = Place(tmp_path, server)
        place.announce(announcement("/a"), announcement("/b", code="600000"))
        hosts = [server.host, plain.host]
        assert place.fetch(hosts=hosts, tries=1).failed == 2
        assert "certificate verify failed" in place.rows()["/a"]["reason"].lower()
        assert server.asked == []
        assert place.fetch(hosts=hosts, certificates=str(pem)).fetched == 1
        assert place.rows()["/b"]["reason"] == "redirects from https to http"
        assert plain.asked == []


# Going on


def test_a_broken_download_goes_on_where_it_broke_off(place: Place):
    body = pdf("a", 50_000)
    place.server.paths["/a"] = bad.in_turn(bad.breaks_off(body, 30_000), bad.with_ranges(body))
    place.announce(announcement("/a"))
    assert place.fetch().fetched == 1
    assert list(place.files().values()) == [body]
    first, second = place.server.asked
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=30000-", '"one"')
    assert first.sent + second.sent == len(body)
    assert place.rows()["/a"]["note"] == "resumed after 30,000 bytes"


def test_a_part_of_an_earlier_run_is_used(place: Place):
    body = pdf("a", 50_000)
    place.server.paths["/a"] = bad.breaks_off(body, 20_000)
    place.announce(announcement("/a"))
    assert place.fetch(tries=1).failed == 1
    place.server.paths["/a"] = bad.with_ranges(body)
    assert place.fetch().fetched == 1
    assert list(place.files().values()) == [body]
    assert place.server.asked[-1].sent == 30_000
    assert sorted(path.name for path in (place.folder / ".fetch").iterdir()) == ["journal.jsonl"]


@pytest.mark.parametrize("honours_if_range", [True, False], ids=["a good server", "one that ignores If-Range"])
def test_a_file_that_changed_meanwhile_is_begun_anew(place: Place, honours_if_range: bool):
    old, new = pdf("old", 50_000), pdf("new", 60_000)
    place.server.paths["/a"] = bad.in_turn(bad.breaks_off(old, 30_000), bad.with_ranges(new, '"two"', honours_if_range))
    place.announce(announcement("/a"))
    assert place.fetch(tries=3).fetched == 1
    assert list(place.files().values()) == [new]
    assert place.rows()["/a"]["note"] == ""


@pytest.mark.parametrize("etag", [None, 'W/"weak"'], ids=["no tag", "a weak tag"])
def test_without_a_tag_that_stands_for_bytes_a_part_is_not_gone_on_with(place: Place, etag: str | None):
    body = pdf("a", 50_000)
    place.server.paths["/a"] = bad.in_turn(bad.breaks_off(body, 30_000, etag), bad.with_ranges(body))
    place.announce(announcement("/a"))
    assert place.fetch().fetched == 1
    assert "range" not in place.server.asked[1].headers
    assert list(place.files().values()) == [body]


def test_a_killed_run_loses_nothing_and_fetches_nothing_twice(place: Place, command_line: list[str], shuzhi: Command):
    bodies = {f"/{number}": pdf(str(number), 300_000) for number in range(3)}
    place.server.paths |= {path: bad.with_ranges(body, f'"{path}"') for path, body in bodies.items()}
    place.server.paths["/1"] = bad.in_turn(
        bad.stalls(bodies["/1"], 200_000, 30, '"/1"'), bad.with_ranges(bodies["/1"], '"/1"')
    )
    place.announce(*(announcement(path, code=f"60000{path[1]}") for path in bodies))
    command = ["fetch", str(place.list), "--to", str(place.folder), "--host", place.server.host, "--allow-private"]
    command += ["--requests-per-second", "100", "--jitter-seconds", "0"]
    running = subprocess.Popen([*command_line, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    part = Part(place.folder / ".fetch", place.address("/1"))
    deadline = time.monotonic() + 60
    while part.size() < 200_000 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert part.size() == 200_000
    assert len(place.files()) == 1

    done = shuzhi(*command)
    assert done.returncode == 0, done.stderr
    assert "fetched 2 (0.6 MB) · held 1" in done.stdout
    assert sorted(place.files().values()) == sorted(bodies.values())
    assert [(asked.path, asked.headers.get("range")) for asked in place.server.asked] == [
        ("/0", None),
        ("/1", None),
        ("/1", "bytes=200000-"),
        ("/2", None),
    ]
    assert sum(asked.sent for asked in place.server.asked) == 900_000


def test_a_kill_between_journal_and_rename_is_finished_by_the_next_run(place: Place):
    body = pdf("a")
    place.announce(announcement("/a"))
    link = place.address("/a")
    with Ledger(place.folder) as ledger:
        part = Part(ledger.parts, link)
        part.path.write_bytes(body)
        part.note(etag="", is_complete=True)
        entry = Entry(link, "ok", file="2020/x.pdf", sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
        ledger.add(entry)
    with (place.folder / ".fetch" / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"link": "http://example.org/half", "sta')
    summary = place.fetch()
    assert (summary.held, summary.requests) == (1, 0)
    assert place.files() == {"2020/x.pdf": body}
    lines = (place.folder / ".fetch" / "journal.jsonl").read_bytes().splitlines()
    assert json.loads(lines[0])["file"] == "2020/x.pdf"


def test_a_whole_part_of_a_run_that_was_killed_before_its_journal_is_not_fetched_again(place: Place):
    place.announce(announcement("/a"))
    with Ledger(place.folder) as ledger:
        part = Part(ledger.parts, place.address("/a"))
        part.path.write_bytes(pdf("a"))
        part.note(etag='"one"', is_complete=True)
    summary = place.fetch()
    assert (summary.fetched, summary.requests) == (1, 0)
    assert list(place.files().values()) == [pdf("a")]


def test_without_the_journal_the_manifest_still_knows_what_is_there(place: Place):
    place.server.paths["/a"] = bad.gives(pdf("a"))
    place.announce(announcement("/a"))
    place.fetch()
    (place.folder / ".fetch" / "journal.jsonl").unlink()
    for _ in range(2):
        assert (place.fetch().held, len(place.server.asked)) == (1, 1)


def test_two_runs_at_once_do_not_share_a_folder(place: Place):
    place.announce(announcement("/a"))
    with locked(place.folder), pytest.raises(UsageError, match="another run is fetching into it"):
        place.fetch()
    dead = {"process": 999_999_999, "created": 0, "host": socket.gethostname()}
    (place.folder / ".fetch" / "lock.json").write_text(json.dumps(dead))
    place.server.paths["/a"] = bad.gives(pdf("a"))
    assert place.fetch().fetched == 1


def test_a_limit_leaves_the_rest_for_the_next_run(place: Place):
    codes = ["600519", "600000", "600001"]
    place.server.paths |= {f"/{code}": bad.gives(pdf(code)) for code in codes}
    place.announce(*(announcement(f"/{code}", code=code) for code in codes))
    summary = place.fetch(limit=2)
    assert (summary.fetched, summary.pending) == (2, 1)
    assert place.rows()["/600001"]["status"] == "pending"
    assert (place.fetch(limit=2).fetched, len(place.server.asked)) == (1, 3)


# Lists


def test_lists_are_read_with_chinese_headers_in_gb18030_and_with_lost_zeros(tmp_path: Path):
    path = tmp_path / "list.csv"
    text = (
        "证券代码;证券简称;年份;公告标题;公告链接;公告日期\n1;平安银行;2020;年度报告全文;https://x.org/1;2021-02-02\n\n"
    )
    path.write_bytes(text.encode("gb18030"))
    [row] = read_list(path)
    assert (row.stock_code, row.short_name, row.report_year, row.published) == ("1", "平安银行", 2020, "2021-02-02")
    parameters = FetchParameters(source="", folder="")
    [choice] = choose([row], parameters)
    assert choice.announced is not None
    assert (choice.left_out, choice.announced.stock_code, choice.announced.report_year) == ("", "000001", 2020)


def test_a_list_that_lacks_columns_is_told_all_of_them(tmp_path: Path):
    path = tmp_path / "list.csv"
    path.write_text("stock_code,report_year\n600519,2020\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"no column title .*; no column link \(or url"):
        read_list(path)


def test_rows_are_chosen_by_kind_year_and_edition(place: Place):
    rows = [
        ("2020年年度报告", ""),
        ("2020年年度报告(修订版)", "the report was revised"),
        ("2020年年度报告(已取消)", "the report was cancelled"),
        ("2020年年度报告摘要", "kind summary"),
        ("2020年半年度报告", "kind semiannual"),
        ("2020年年度报告(英文版)", "kind english"),
        ("关于2020年年度报告的更正公告", "kind correction_notice"),
        ("2019年年度报告", "report year 2019"),
        ("董事会决议", "the title names no kind of report"),
    ]
    listed = [announcement(f"http://x.org/{number}", title=title) for number, (title, _) in enumerate(rows)]
    listed += [
        announcement("http://x.org/0"),
        announcement("", title="2020年年度报告"),
        announcement("http://x.org/n", code="122050"),
    ]
    write_list(place.list, listed)
    choices = choose(read_list(place.list), place.parameters(years="2020", include_revised=False))
    reasons = [choice.left_out for choice in choices]
    assert reasons[:8] == [reason for _, reason in rows[:8]]
    assert reasons[8] in ("the title names no kind of report", "kind other")
    assert reasons[9:] == ["the link stands in the list before", "no link", "122050 is no code of a share"]
    assert [choice.left_out for choice in choose(read_list(place.list), place.parameters())][:2] == ["", ""]


# Services


class Listing:
    """A service with announcements of its own, paged; what it does wrong is asked for."""

    def __init__(self, server: BadServer, dates: list[date]) -> None:
        self.server = server
        self.rows = [self.row(number, day) for number, day in enumerate(dates)]
        self.page = lambda rows, number, size: rows[(number - 1) * size : number * size]
        self.more: Any = lambda rows, number, size: number * size < len(rows)
        self.total = lambda rows, number: len(rows)
        server.paths["/query"] = self.answer

    def row(self, number: int, day: date) -> dict[str, Any]:
        body = pdf(f"report {number}", 20_000)
        self.server.paths[f"/files/{number}.PDF"] = bad.gives(body)
        noon = datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) - timedelta(hours=8)
        return {
            "secCode": f"{600000 + number}",
            "secName": f"示范{'一二三四五六七八九十'[number % 10]}号",
            "announcementTitle": "<em>2020</em>年<em>年度报告</em>",
            "announcementTime": int(noon.timestamp() * 1000),
            "adjunctUrl": f"{number}.PDF",
            "adjunctSize": 20,
            "day": day,
        }

    def answer(self, handler: bad.Handler, asked: bad.Asked) -> None:
        number, size = int(asked.form["pageNum"]), int(asked.form["pageSize"])
        rows = self.rows
        if "seDate" in asked.form:
            first, last = map(date.fromisoformat, asked.form["seDate"].split("~"))
            rows = [row for row in rows if first <= row["day"] <= last]
        shown = self.page(rows, number, size)
        plain = [{name: value for name, value in row.items() if name != "day"} for row in shown]
        answer = {
            "announcements": plain or None,
            "totalAnnouncement": self.total(rows, number),
            "hasMore": self.more(rows, number, size),
        }
        handler.reply(json.dumps(answer).encode(), content_type="application/json")


SERVICE = """\
address: {address}/query
files: {address}/files/
form:
  column: szse
  category: category_ndbg_szsh
  seDate: "{{from}}~{{until}}"
page_size: 3
since: 2021-01-01
until: 2021-01-31
"""


def listed(place: Place, text: str, years: tuple[int, ...] = ()) -> tuple[list[str], list[str]]:
    """Return the codes that the service lists, and the notes."""
    path = place.list.with_suffix(".yml")
    path.write_text(text.format(address=place.server.address), encoding="utf-8")
    service = load_service(path)
    client = PoliteClient(place.parameters(), service.all_hosts())
    try:
        listing = list_service(service, client, years)
    finally:
        client.close()
    return [each.stock_code for each in listing.announcements.values()], listing.notes


def codes(count: int) -> list[str]:
    return [f"{600000 + number}" for number in range(count)]


def test_a_service_is_listed_and_its_reports_fetched(place: Place):
    listing = Listing(place.server, [date(2021, 1, 5)] * 7)
    listing.rows[3]["announcementTitle"] = "2020年年度报告<em>摘要</em>"
    listing.rows[4]["adjunctUrl"] = "http://evil.example.org/4.PDF"
    listing.rows[5]["adjunctUrl"] = "../files/../../5.PDF"
    place.server.paths["/5.PDF"] = bad.gives(pdf("five", 20_000))
    path = place.list.with_suffix(".yml")
    path.write_text(SERVICE.format(address=place.server.address), encoding="utf-8")
    summary = place.fetch(source=str(path), hosts=[])
    assert (summary.announcements, summary.fetched, summary.refused, summary.left_out) == (7, 5, 1, {"kind summary": 1})
    assert {Path(name).name[:6] for name in place.files()} == {"600000", "600001", "600002", "600005", "600006"}
    asked = place.server.asked_for("/query")
    assert [each.form["pageNum"] for each in asked] == ["1", "2", "3"]
    assert {each.form["seDate"] for each in asked} == {"2021-01-01~2021-01-31"}
    assert all(each.method == "POST" and each.form["category"] == "category_ndbg_szsh" for each in asked)
    # What it listed is a list that can be fetched without asking the service again.
    again = read_list(place.folder / "announcements.csv")
    assert [each.published for each in again] == ["2021-01-05"] * 7
    assert [each.listed_bytes for each in again] == [20_000] * 7
    held = place.fetch(source=str(place.folder / "announcements.csv"))
    assert (held.held, held.requests) == (5, 0)


def test_pages_that_come_twice_and_rows_that_move_lose_nothing(place: Place):
    listing = Listing(place.server, [date(2021, 1, 5)] * 10)
    calls = []

    def page(rows: list[Any], number: int, size: int) -> list[Any]:
        # The second page is the first one again; at the first pass, a new row then pushes all others back.
        calls.append(number)
        moved = rows if len(calls) < 3 else [rows[9], *rows[:9]]
        number = 1 if number == 2 and len(calls) < 5 else number
        return moved[(number - 1) * size : number * size]

    listing.page = page
    found, notes = listed(place, SERVICE)
    assert sorted(found) == codes(10)
    assert notes == []
    assert len(calls) <= 9


def test_a_total_that_changes_is_noted_and_all_rows_are_taken(place: Place):
    listing = Listing(place.server, [date(2021, 1, 5)] * 10)
    listing.total = lambda rows, number: 5 + number
    found, notes = listed(place, SERVICE)
    assert found == codes(10)
    assert notes == ["2021-01-01 to 2021-01-31: the count changed between pages (6 to 9)"]


def test_a_service_that_never_ends_is_left(place: Place):
    listing = Listing(place.server, [date(2021, 1, 5)] * 4)
    listing.more = lambda rows, number, size: True
    listing.page = lambda rows, number, size: rows[:3]
    listing.total = lambda rows, number: 100
    found, notes = listed(place, SERVICE)
    assert found == codes(3)
    assert notes == ["2021-01-01 to 2021-01-31: 3 different announcements of 100 counted"]
    assert len(place.server.asked) <= 8


def test_days_are_asked_for_in_smaller_parts_where_a_query_would_be_cut(place: Place):
    dates = [date(2021, 1, 1 + number % 20) for number in range(20)]
    Listing(place.server, dates)
    found, notes = listed(place, SERVICE + "most_rows: 6\n")
    assert sorted(found) == codes(20)
    assert notes == []
    spans = {asked.form["seDate"] for asked in place.server.asked}
    assert "2021-01-01~2021-01-31" in spans
    assert len(spans) == 9


def test_the_days_follow_from_the_report_years(place: Place):
    Listing(place.server, [date(2021, 4, 30), date(2022, 4, 30), date(2023, 4, 30)])
    text = "\n".join(line for line in SERVICE.splitlines() if not line.startswith(("since", "until")))
    assert listed(place, text, (2020, 2021))[0] == codes(2)
    spans = [asked.form["seDate"] for asked in place.server.asked]
    assert (spans[0], spans[-1]) == ("2021-01-01~2021-01-31", "2022-12-15~2022-12-31")
    with pytest.raises(UsageError, match="say which report years"):
        listed(place, text)


def test_one_query_a_stock_where_stocks_are_given(place: Place):
    Listing(place.server, [date(2021, 1, 5)] * 2)
    text = SERVICE + 'stocks: ["600000,gssh0600000", "600001,gssh0600001"]\n'
    listed(place, text.replace("column: szse", "stock: '{{stock}}'"))
    assert [asked.form["stock"] for asked in place.server.asked] == ["600000,gssh0600000", "600001,gssh0600001"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (bad.gives(b"<html>login</html>", content_type="text/html"), "no JSON"),
        (bad.gives(b"[" * 100_000), "no JSON"),
        (bad.gives(b"[1]"), "JSON of another form"),
        (bad.gives(b'{"announcements": 5}'), "holds no list 'announcements'"),
        (bad.is_a_bomb, "larger than 20 MB"),
        (bad.gives(b"x", content_encoding="br"), "packs its answer as br"),
        (bad.gives(b"x", content_encoding="gzip"), "cannot be unpacked"),
        (bad.fails(500), "the server answers 500"),
        (bad.redirects("/other"), "redirects to http://127.0.0.1"),
    ],
    ids=["html", "deep", "array", "number", "bomb", "brotli", "no gzip", "500", "redirect"],
)
def test_a_listing_that_cannot_be_had_fails_the_run(place: Place, behaviour: bad.Behaviour, reason: str):
    place.server.paths["/query"] = behaviour
    with pytest.raises(RunError, match=f"could not list 2021-01-01 to 2021-01-31, page 1: .*{reason}"):
        listed(place, SERVICE)


def test_rows_that_are_no_announcements_are_counted(place: Place):
    listing = Listing(place.server, [date(2021, 1, 5)] * 5)
    listing.rows[1]["adjunctUrl"] = None
    listing.rows[2]["secCode"] = 600002
    found, notes = listed(place, SERVICE)
    assert found == ["600000", "600003", "600004"]
    assert notes == ["2021-01-01 to 2021-01-31: 2 rows without a code, a title or a link"]


def test_settings_with_problems_are_told_all_at_once(tmp_path: Path):
    path = tmp_path / "service.yml"
    path.write_text("address: https://x.org/q\nfilles: y\npage_size: 0\nform: {}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"3 problems\n(.*\n)*.*files: Field required") as told:
        load_service(path)
    assert "page_size" in str(told.value)
    assert "filles" in str(told.value)
    path.write_text("!!python/object/apply:os.system ['true']\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no YAML"):
        load_service(path)


def test_the_settings_in_the_documentation_are_valid(tmp_path: Path):
    text = (ROOT / "docs" / "fetching.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "cninfo.yml"
    path.write_text(block, encoding="utf-8")
    service = load_service(path)
    assert isinstance(service, Service)
    assert sorted(service.all_hosts()) == ["static.cninfo.com.cn", "www.cninfo.com.cn"]
    assert service.answer == type(service.answer)()


# The pace and the command line


def test_the_random_pauses_follow_from_the_seed():
    from flows.fetch_client import Pacer

    def pauses(seed: int) -> list[float]:
        pacer = Pacer(1000, 0.02, seed)
        times = []
        for _ in range(4):
            pacer.pause()
            times.append(time.monotonic())
        return list(np.diff(times))

    wanted = 0.001 + 0.02 * np.random.Generator(np.random.PCG64(7)).random(3)
    # A busy machine adds to a pause and never takes off.
    measured = np.array([pauses(7) for _ in range(6)])
    assert np.all(measured >= wanted - 0.001)
    assert np.allclose(measured.min(axis=0), wanted, atol=0.01)


def test_a_dry_run_asks_nothing_and_writes_nothing(place: Place, shuzhi: Command):
    place.announce(announcement("/a"), announcement("/b", title="2020年年度报告摘要"))
    options = ["--host", place.server.host, "--allow-private", "--dry-run"]
    done = shuzhi("fetch", place.list, "--to", place.folder, *options)
    assert done.returncode == 0
    first, last = done.stdout.splitlines()
    assert first == f"2020/600519_示范股份_2020年年度报告.pdf  <-  {place.server.address}/a"
    assert last.startswith(
        "would fetch 1 files (0 settled, 0 refused, 1 left out: kind summary 1): about 2 MB, 0.1 min"
    )
    assert place.server.asked == []
    assert not place.folder.exists()


def test_a_plan_counts_what_is_settled(place: Place):
    codes = ["600519", "600000", "600001"]
    place.server.paths |= {"/600519": bad.gives(pdf("a")), "/600000": bad.fails(404)}
    place.announce(
        *(announcement(f"/{code}", code=code) for code in codes), announcement("http://x.org/x", code="600002")
    )
    place.fetch(limit=2)
    plan = plan_fetching(place.parameters(requests_per_second=0.1))
    assert [link for _, link in plan.files] == [place.address("/600001")]
    assert (plan.held, plan.refused) == (2, 1)
    assert plan.minutes == pytest.approx(10 / 60)


def test_exit_codes_and_one_line_for_an_error(place: Place, shuzhi: Command, tmp_path: Path):
    place.announce(announcement("/a"), announcement("/b", code="600000"))
    done = shuzhi("fetch", place.list, "--to", place.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no host is allowed yet; the links go to {place.server.host} (2)" in done.stderr
    fast = ["--host", place.server.host, "--allow-private", "--tries", 1, "--requests-per-second", 100]
    done = shuzhi(
        "fetch", place.list, "--to", place.folder, "--jitter-seconds", 0, "--contact", "lab@example.org", *fast
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: 2 of 2 links gave no report")


@pytest.mark.slow
def test_the_flow_of_the_deployment_does_the_same(place: Place, prefect: None):
    import yaml

    from flows.fetch import fetch_reports

    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    [declared] = [each for each in deployments if each["entrypoint"] == "flows/fetch.py:fetch_reports"]
    FetchParameters(**declared["parameters"]["parameters"])
    place.server.paths |= {"/a": bad.gives(pdf("a")), "/b": bad.fails(404)}
    place.announce(announcement("/a"), announcement("/b", code="600000"))
    summary = fetch_reports(place.parameters())
    assert (summary.fetched, summary.refused) == (1, 1)
    with pytest.raises(RunError, match="1 of 2 links gave no report"):
        fetch_reports(place.parameters(max_failure_share=0.1))
