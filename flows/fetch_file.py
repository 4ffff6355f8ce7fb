"""One file from one link: into a part that a later try can go on with, and checked before it counts."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from flows.fetch_client import PoliteClient
from flows.fetch_gate import FetchError
from flows.formats import replacing
from flows.settings import FetchParameters
from flows.store import hash_of
from shuzhi import RunError

HEAD_BYTES = 1024
END_BYTES = 2048
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
# A listing rounds sizes, in thousands or in 1,024 bytes.
SIZE_SLACK_SHARE = 0.03
SIZE_SLACK_BYTES = 2048


@dataclass(frozen=True)
class Wanted:
    """A link, and the size that its listing says (exact, or in rounded kilobytes)."""

    link: str
    listed_bytes: int | None = None
    is_exact_size: bool = False


@dataclass(frozen=True)
class Download:
    """A whole file that passed every check, still under the name of a part."""

    part: Path
    sha256: str
    size_bytes: int
    note: str


class Part:
    """The unfinished file of one link, with what is known of it beside it.

    Parameters
    ----------
    folder : Path
        Where parts lie.
    link : str
        The link; its hash names the files.
    """

    def __init__(self, folder: Path, link: str) -> None:
        key = hash_of("link", link)
        self.path = folder / f"{key}.part"
        self._facts_path = folder / f"{key}.json"
        self._link = link

    def facts(self) -> dict[str, Any]:
        """Return what is known of the part, ``etag`` and ``is_complete``; nothing where there is no such part."""
        try:
            facts = json.loads(self._facts_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        is_own = isinstance(facts, dict) and facts.get("link") == self._link and self.path.exists()
        return facts if is_own else {}

    def note(self, *, etag: str, is_complete: bool) -> None:
        """Keep what is known of the part."""
        facts = {"link": self._link, "etag": etag, "is_complete": is_complete}
        with replacing(self._facts_path) as temporary:
            temporary.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    def size(self) -> int:
        """Return the bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def discard(self) -> None:
        """Remove the part and what is known of it."""
        self._facts_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def download(client: PoliteClient, wanted: Wanted, folder: Path, parameters: FetchParameters) -> Download:
    """Fetch one file, going on with its part where the server still has the same one.

    Parameters
    ----------
    client : PoliteClient
        Who asks.
    wanted : Wanted
        What is asked for.
    folder : Path
        Where parts lie.
    parameters : FetchParameters
        Limits and checks.

    Raises
    ------
    FetchError
        If there is no such file, or it is no whole PDF of the listed size.
    RunError
        If the disk is full or cannot be written.
    """
    part = Part(folder, wanted.link)
    client.gate.check(wanted.link)
    notes: list[str] = []

    def once() -> Download:
        try:
            if not part.facts().get("is_complete"):
                _receive(client, wanted, part, parameters, notes)
            return _checked(wanted, part, parameters, notes)
        except FetchError as error:
            if error.status == "refused":
                part.discard()
            raise
        except OSError as error:
            raise RunError(
                f"{part.path}: cannot be written: {error.strerror or error}; nothing else was lost"
            ) from error

    return client.with_tries(once)


def _receive(client: PoliteClient, wanted: Wanted, part: Part, parameters: FetchParameters, notes: list[str]) -> None:
    """Ask for the file, or for the rest of it, and write what comes to the part."""
    etag = part.facts().get("etag", "")
    start = part.size() if etag else 0
    headers = {"Accept": "application/pdf, */*;q=0.1"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": etag}
    with client.ask(wanted.link, headers) as response:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise FetchError(f"packed as {response.headers['content-encoding']}, which was not asked for", "refused")
        start = _start(response, start, etag, part)
        limit = int(parameters.max_megabytes * 1e6)
        announced = _length(response)
        if announced is not None and start + announced > limit:
            raise FetchError(f"{(start + announced) / 1e6:,.1f} MB, larger than {limit / 1e6:,.1f} MB", "refused")
        notes.clear()
        if start:
            notes.append(f"resumed after {start:,} bytes")
        new_etag = response.headers.get("etag", "")
        # A weak tag stands for the same meaning, not for the same bytes.
        kept_etag = new_etag if new_etag.startswith('"') and new_etag.isascii() else ""
        with part.path.open("r+b" if start else "wb") as file:
            file.seek(start)
            part.note(etag=kept_etag, is_complete=False)
            _write(response, file, start, limit)
            file.flush()
            os.fsync(file.fileno())
        part.note(etag=kept_etag, is_complete=True)


def _start(response: httpx.Response, asked: int, etag: str, part: Part) -> int:
    """Return at which byte the answer begins; a part that the server no longer has is thrown away."""
    if response.status_code == 200:
        return 0
    found = CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    is_rest = response.status_code == 206 and found is not None and int(found[1]) == asked
    if is_rest and response.headers.get("etag", "") == etag:
        return asked
    part.discard()
    raise FetchError("the file changed on the server while it was fetched; begun anew")


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None


def _write(response: httpx.Response, file: BinaryIO, start: int, limit: int) -> None:
    """Write the body as it comes; stop at what is no PDF or too large."""
    size, head = start, b""
    for chunk in response.iter_raw():
        if not start and len(head) < HEAD_BYTES:
            head += chunk[: HEAD_BYTES - len(head)]
            _check_head(head, response.headers.get("content-type", ""), is_whole=len(head) >= HEAD_BYTES)
        size += len(chunk)
        if size > limit:
            raise FetchError(f"larger than {limit / 1e6:,.1f} MB", "refused")
        file.write(chunk)
        # A kill takes what is not with the system yet.
        file.flush()
    if not start:
        _check_head(head, response.headers.get("content-type", ""), is_whole=True)


def _check_head(head: bytes, content_type: str, *, is_whole: bool) -> None:
    """Raise unless a file begins as a PDF does, with at most some junk before its mark."""
    if b"%PDF-" in head and not _is_markup(head):
        return
    if is_whole or _is_markup(head):
        what = "HTML or XML" if _is_markup(head) else "an empty file" if not head else "another kind of file"
        raise FetchError(f"no PDF but {what}{f' ({content_type})' if content_type else ''}", "refused")


def _is_markup(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _checked(wanted: Wanted, part: Part, parameters: FetchParameters, notes: list[str]) -> Download:
    """Check the whole file as it lies on the disk."""
    size = part.size()
    with part.path.open("rb") as file:
        _check_head(file.read(HEAD_BYTES), "", is_whole=True)
        file.seek(max(size - END_BYTES, 0))
        has_end = b"%%EOF" in file.read()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if parameters.check_end and not has_end:
        part.discard()
        raise FetchError(f"cut off: {size:,} bytes without the end mark of a PDF")
    if parameters.check_listed_size and wanted.listed_bytes is not None and not _is_near(wanted, size):
        raise FetchError(f"{size:,} bytes, where the listing says about {wanted.listed_bytes:,}", "refused")
    return Download(part.path, sha256, size, "; ".join(notes))


def _is_near(wanted: Wanted, size: int) -> bool:
    listed = wanted.listed_bytes or 0
    if wanted.is_exact_size:
        return size == listed
    # 1,369k may mean 1,369,000 or 1,401,856 bytes.
    low = listed * (1 - SIZE_SLACK_SHARE) - SIZE_SLACK_BYTES
    return low <= size <= listed * 1.024 * (1 + SIZE_SLACK_SHARE) + SIZE_SLACK_BYTES
