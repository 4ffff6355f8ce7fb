"""Where new reports arrive: a folder, or a prefix of an object store; looked at alike."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

import fsspec

from flows.files import SUFFIXES, ListedFile, is_same, list_folder, open_report, with_hashes
from flows.store import hash_of
from shuzhi import UsageError

NO_REPORT = "not a .pdf or .txt file"
HIDDEN = (".", "~$")
LARGEST_STAMP_DIGITS = 15
# What tells one state of an object from the next, by object store or protocol.
STAMPS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "LastModified", "last_modified", "mtime", "created")


class Inbox(Protocol):
    """Where new reports arrive."""

    def look(self) -> list[ListedFile]:
        """List everything in it, in order of name; what is no report has the status ``failed`` and a reason."""
        ...

    def with_hashes(self, files: Sequence[ListedFile], known: Mapping[str, ListedFile]) -> list[ListedFile]:
        """Return the files with the hashes that can be had without copying them."""
        ...

    def open(self, path: str) -> contextlib.AbstractContextManager[BinaryIO | BufferedReader]:
        """Open one file to read."""
        ...


def open_inbox(url: str) -> Inbox:
    """Return the inbox at a folder or an object-store URL.

    Raises
    ------
    UsageError
        If there is no such folder, or no way to reach the URL.
    """
    if "://" not in url or url.startswith(("file://", "local://")):
        return FolderInbox(url.removeprefix("file://").removeprefix("local://"))
    try:
        files, root = fsspec.core.url_to_fs(os.path.expandvars(url))
    except (ImportError, ValueError) as error:
        raise UsageError(f"inbox {shown_url(url)}: {error}") from None
    return RemoteInbox(files, str(root).rstrip("/"), shown_url(url))


def shown_url(url: str) -> str:
    """Return a URL as it may be shown: without user name, password and query."""
    scheme, sign, rest = url.partition("://")
    if not sign:
        return url
    host, slash, path = rest.split("?", 1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


@dataclass(frozen=True)
class FolderInbox:
    """A folder on this machine or a mounted one."""

    folder: str

    def look(self) -> list[ListedFile]:
        """List its files; the folder must exist, and may be empty."""
        if not Path(self.folder).is_dir():
            raise UsageError(f"{self.folder}: no such folder; name the inbox where new reports arrive, or make it")
        with contextlib.suppress(UsageError):
            return sorted([*list_folder(self.folder), *self._others()], key=lambda each: each.file)
        return self._others()

    def _others(self) -> list[ListedFile]:
        """Return what is no report by its name, so that nothing in an inbox is passed over in silence."""
        found = []
        for place, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.lower().endswith(SUFFIXES) and not name.startswith(HIDDEN):
                    path = os.path.join(place, name)  # noqa: PTH118
                    shown = os.fsencode(os.path.relpath(path, self.folder)).decode("utf-8", "backslashreplace")
                    found.append(ListedFile(shown.replace(os.sep, "/"), path, 0, 0, None, "failed", NO_REPORT))
        return found

    def with_hashes(self, files: Sequence[ListedFile], known: Mapping[str, ListedFile]) -> list[ListedFile]:
        """Hash the files; those unchanged since they were seen last are not opened."""
        return with_hashes(files, known)

    def open(self, path: str) -> contextlib.AbstractContextManager[BinaryIO | BufferedReader]:
        """Open a file, unless a pipe or a device has taken its place."""
        return open_report(path)


@dataclass(frozen=True)
class RemoteInbox:
    """A prefix of an object store, or anything else that fsspec reaches."""

    files: Any
    root: str
    shown: str

    def look(self) -> list[ListedFile]:
        """List the objects below the prefix; a prefix without objects is an empty inbox."""
        with self._told():
            self.files.invalidate_cache()
            try:
                entries = self.files.find(self.root, detail=True)
            except FileNotFoundError:
                entries = {}
        listed = [self._listed(str(path), facts) for path, facts in sorted(entries.items())]
        return [each for each in listed if not PurePosixPath(each.file).name.startswith(HIDDEN)]

    def _listed(self, path: str, facts: Mapping[str, Any]) -> ListedFile:
        name = path.removeprefix(self.root).strip("/") or PurePosixPath(path).name
        stamp = next((str(facts[key]) for key in STAMPS if facts.get(key) is not None), "")
        # A whole number that stands for the state, because a store gives an ETag where a folder gives a time.
        number = int(hash_of(stamp)[:LARGEST_STAMP_DIGITS], 16)
        is_report = name.lower().endswith(SUFFIXES)
        status, reason = ("", "") if is_report else ("failed", NO_REPORT)
        return ListedFile(name, path, int(facts.get("size") or 0), number, None, status, reason)

    def with_hashes(self, files: Sequence[ListedFile], known: Mapping[str, ListedFile]) -> list[ListedFile]:
        """Return the hashes known from an earlier run; others are found while an object is copied."""
        found = []
        for each in files:
            before = known.get(each.file)
            is_known = before is not None and is_same(each, before)
            found.append(replace(each, document_id=before.document_id) if before and is_known else each)
        return found

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open an object to read."""
        with self.files.open(path, "rb") as stream:
            yield stream

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(
                f"inbox {self.shown} cannot be listed: {words}; check its address and credentials"
            ) from None
