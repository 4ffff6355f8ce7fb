"""The files of a store, below its tables: written whole or not at all, each with its hash; marker, keys, lock."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import fsspec

from flows.storing.faults import explained
from flows.storing.folder_lock import locked
from flows.storing.job_lock import kept_for_job
from flows.storing.parts import DamagedPartError
from flows.storing.remote import reached
from flows.storing.remote_lock import locked_remotely
from shuzhi import StoreError

# Since format 2 every file carries its hash; parts and files of format 1 are taken as they are until a run seals them.
FORMAT, UNSEALED_FORMAT = 2, 1
MARKER, LOCK, CHECKED = "shuzhi.json", "lock.json", "checked.json"
HASH_NAME = "sha256"
PartTable = Literal["readings", "pages", "texts", "sections", "furniture", "hits", "files", "documents", "indices"]
HASH_DIGITS = 16
READ_AGAIN, MEASURE_AGAIN = "'shuzhi read FOLDER'", "'shuzhi measure'"
MADE_BY_MEASURING = ("hits", "indices")


def hash_of(*values: object) -> str:
    """Return sixteen hexadecimal digits that stand for the values, in order."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:HASH_DIGITS]


def long_path(path: str | Path) -> str:
    """Return a path that Windows opens however long it is; elsewhere the path itself."""
    if sys.platform == "win32":
        absolute = str(Path(path).resolve())
        return absolute if absolute.startswith("\\\\") else "\\\\?\\" + absolute
    return str(path)


def hash_of_file(name: str, value: Mapping[str, Any]) -> str:
    """Return the hash that a small file of the store carries: of its name and of what it says."""
    text = json.dumps([name, value], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def made_by(table: str) -> str:
    """Return the command that makes a table of the store."""
    return MEASURE_AGAIN if table in MADE_BY_MEASURING else READ_AGAIN


def sync_folder(folder: str) -> None:
    """Have a rename within a folder outlast a power cut, where the system can."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class StoreFiles:
    """The files of one store.

    Parameters
    ----------
    url : str
        Local folder, or any URL that fsspec knows (``s3://bucket/prefix``, ``memory://name``).
    create : bool
        Make it if there is none; otherwise a missing store is an error.

    Raises
    ------
    StoreError
        If there is no store, or the folder holds something else or a newer format.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = url
        try:
            # So that a password can stay in the environment, and out of parameters and messages.
            self.files, root = fsspec.core.url_to_fs(os.path.expandvars(url) if "://" in url else url)
        except (ImportError, ValueError) as error:
            raise StoreError(f"store {url}: {error}") from None
        self.is_local = self.files.protocol in ("file", ("file", "local"))
        self.root = str(root).rstrip("/")
        self._check_marker(create)

    def _check_marker(self, create: bool) -> None:
        self.format = FORMAT
        try:
            found = self._read_json(MARKER)
        except DamagedPartError:
            found = {"format": UNSEALED_FORMAT}
        if found is not None:
            self.format = found["format"] if isinstance(found.get("format"), int) else UNSEALED_FORMAT
            if self.format > FORMAT:
                raise StoreError(
                    f"store {self.url} has format {self.format}, this version reads {FORMAT} and older ones;"
                    " use the version that wrote it, or name a new store"
                )
            return
        names = {name for name in self._names() if name != LOCK}
        if names & {"current", *get_args(PartTable)}:
            # Its marker was removed: what is in it says nothing of its format.
            self.format = UNSEALED_FORMAT
            return
        if not create:
            raise StoreError(f"no store at {self.url}; make one with 'shuzhi read FOLDER --store {self.url}'")
        if names:
            raise StoreError(f"{self.url} is not empty and holds no store; name an empty or new folder")
        self.write_marker()

    def write_marker(self) -> None:
        """Say that this folder is a store, every file of which carries its hash."""
        self.write_json(MARKER, {"what": "store of shuzhi", "format": FORMAT})
        self.format = FORMAT

    @property
    def is_sealed(self) -> bool:
        """Whether every file of this store must carry its hash."""
        return self.format == FORMAT

    def place(self, *names: str) -> str:
        """Return the full path of a file or folder of the store."""
        return "/".join((self.root, *names))

    def write_bytes(self, place: str, data: bytes | bytearray) -> None:
        """Write bytes beside and rename them into place; an object store's put is whole or nothing by itself."""
        with explained(place):
            if not self.is_local:
                with reached(self.url):
                    self.files.pipe_file(place, bytes(data))
                return
            folder = place.rsplit("/", 1)[0]
            beside = f"{place}.{uuid.uuid4().hex[:8]}.tmp"
            try:
                os.makedirs(long_path(folder), exist_ok=True)  # noqa: PTH103
                with open(long_path(beside), "wb") as file:  # noqa: PTH123
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(long_path(beside), long_path(place))  # noqa: PTH105
            except BaseException:
                with contextlib.suppress(OSError):
                    os.remove(long_path(beside))  # noqa: PTH107
                raise
            sync_folder(folder)

    def read_bytes(self, place: str) -> bytes | None:
        """Return the bytes of a file, or None if there is none."""
        try:
            with explained(place), contextlib.nullcontext() if self.is_local else reached(self.url, FileNotFoundError):
                content: bytes = self.files.cat_file(place)
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            raise StoreError(f"store {self.url} is a file, not a folder; name a folder") from None
        return content

    def _read_json(self, name: str) -> dict[str, Any] | None:
        content = self.read_bytes(self.place(name))
        if content is None:
            return None
        try:
            value = json.loads(content.decode("utf-8"))
        except ValueError:
            value = None
        again = MEASURE_AGAIN if "measurement-" in name else READ_AGAIN
        if not isinstance(value, dict):
            raise DamagedPartError(f"{self.url}/{name} is damaged; {again} makes it again")
        given = value.pop(HASH_NAME, None)
        is_older = given is None and (self.format == UNSEALED_FORMAT or name in (MARKER, LOCK))
        if not is_older and given != hash_of_file(name, value):
            why = "carries no hash" if given is None else "was changed since it was written"
            raise DamagedPartError(f"{self.url}/{name} is damaged: it {why}; {again} makes it again")
        return value

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a small file of the store's own, with its hash."""
        content = {**value, HASH_NAME: hash_of_file(name, value)}
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
        self.write_bytes(self.place(name), text.encode("utf-8"))

    def set_current(self, kind: str, **values: Any) -> None:
        """Put keys in force, for example ``set_current('reading', key=…)``."""
        try:
            is_same = self.current(kind) == values
        except DamagedPartError:
            is_same = False
        if not is_same:
            self.write_json(f"current/{kind}.json", values)

    def current(self, kind: str) -> dict[str, Any] | None:
        """Return the keys in force of a kind, or None."""
        return self._read_json(f"current/{kind}.json")

    def kinds(self) -> list[str]:
        """Return the kinds of which keys are in force, in order of name."""
        return [name.removesuffix(".json") for name in self._names("current") if name.endswith(".json")]

    def forget_current(self, kind: str) -> None:
        """Remove a file of keys in force."""
        with contextlib.suppress(FileNotFoundError):
            self.files.rm(self.place("current", f"{kind}.json"))

    def current_measurements(self) -> list[dict[str, Any]]:
        """Return what is in force for each measured dictionary and rule, in order of name."""
        found = (self.current(kind) for kind in self.kinds() if kind.startswith("measurement-"))
        return [values for values in found if values is not None]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second run from writing to this store; a lock left by a dead process is taken over.

        Within :func:`flows.storing.job_lock.one_lock_a_job` it is kept until the job ends.

        Raises
        ------
        StoreError
            If another run is writing.
        """
        with kept_for_job(self.url, self._lock):
            yield

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        if self.is_local:
            with locked(long_path(self.place(LOCK)), f"store {self.url}"):
                yield
            return
        with locked_remotely(self.files, self.place(LOCK), f"store {self.url}"):
            yield

    def _names(self, *folder: str) -> list[str]:
        place = self.place(*folder)
        try:
            with explained(place):
                # An object store's listing is kept by the library, which does not see what other processes put.
                self.files.invalidate_cache(place)
                entries = self.files.ls(place, detail=False)
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise StoreError(f"{place} is a file, not a folder; name a folder") from None
        names = (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
        return sorted(name for name in names if not name.endswith(".tmp"))

    def keys(self, table: PartTable) -> list[str]:
        """Return the keys under which a table has or had parts, in order."""
        return self._names(table)

    def leftovers(self) -> list[str]:
        """Return the temporary files of killed runs; object stores have none."""
        if not self.is_local:
            return []
        root = Path(long_path(self.root))
        return sorted(str(path) for path in root.rglob("*.tmp") if path.is_file())

    def remove_empty_folders(self) -> None:
        """Remove the folders of keys that have no part left; object stores have none."""
        for table in get_args(PartTable) if self.is_local else ():
            for key in self.keys(table):
                # It stays where anything is left in it.
                with contextlib.suppress(OSError):
                    os.rmdir(long_path(self.place(table, key)))  # noqa: PTH106

    def read_checked(self) -> dict[str, list[Any]]:
        """Return the fingerprints of the parts that earlier runs checked; none where that file is damaged."""
        try:
            found: dict[str, list[Any]] = (self._read_json(CHECKED) or {}).get("parts", {})
        except DamagedPartError:
            return {}
        return found

    def distrust(self) -> None:
        """Have the next run check every part anew, whatever was checked before."""
        with contextlib.suppress(OSError):
            self.files.rm(self.place(CHECKED))
