"""Reports that a store knew and no longer has: read again whatever years are asked for, or named if they cannot be.

A report is known where the table ``documents`` of the last run has it. Its pages may be gone because a part was
damaged or removed; its file may be gone from the folder. Neither may make a firm-year vanish without a word.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from flows.documents import known_folders
from flows.files import ListedFile, list_folder, load_listing, save_listing, with_hashes
from flows.store import Store
from flows.storing.parts import DamagedPartError
from shuzhi import StoreError, UsageError

SHOWN = 3


@dataclass(frozen=True)
class LostDocuments:
    """Known documents without pages: files of the folder that is read, and files of other folders."""

    here: list[ListedFile]
    elsewhere: list[ListedFile]


@dataclass(frozen=True)
class Before:
    """What the last run knew: the file of each document by hash, and whether it read with the reader of this run."""

    documents: Mapping[str, str]
    is_same_reader: bool

    @property
    def expected(self) -> Mapping[str, str]:
        """The documents that this run must have too."""
        return self.documents if self.is_same_reader else {}


def known_before(store: Store, pages_key: str) -> Before:
    """Return what the last run knew.

    Parameters
    ----------
    store : Store
        Before anything in it is repaired.
    pages_key : str
        Key of the pages that this run makes.
    """
    is_same = True
    with contextlib.suppress(DamagedPartError):
        reading = store.current("reading")
        is_same = reading is None or reading["key"] == pages_key
    try:
        rows = store.read_part("documents", "all", "all", ["document_id", "file"])
        pairs = zip(rows["document_id"].to_pylist(), rows["file"].to_pylist(), strict=True)
    except StoreError:
        pairs = zip(*_listed_before(store), strict=True)
    return Before({document: file for document, file in pairs if document}, is_same)


def _listed_before(store: Store) -> tuple[list[str | None], list[str]]:
    documents: list[str | None] = []
    files: list[str] = []
    for key in store.keys("files"):
        with contextlib.suppress(StoreError):
            rows = store.read_part("files", key, "all", ["document_id", "file"])
            documents += rows["document_id"].to_pylist()
            files += rows["file"].to_pylist()
    return documents, files


def restore_listings(store: Store, folder: str) -> list[str]:
    """List other folders of a store again whose listing is gone; returns lines for the user."""
    lines = []
    for key, place in known_folders(store).items():
        if place == folder or store.parts("files", key):
            continue
        try:
            save_listing(store, place, with_hashes(list_folder(place), {}))
            lines.append(f"the listing of {place} was gone from the store; the folder was listed again")
        except UsageError:
            lines.append(f"the listing of {place} and the folder itself are gone: its reports do not count")
    return lines


def find_lost(
    store: Store, folder: str, listed: Sequence[ListedFile], before: Collection[str], held: Collection[str]
) -> LostDocuments:
    """Return the files of documents that were known before and are not held any more.

    Parameters
    ----------
    store : Store
        With the listings of its folders.
    folder : str
        The folder that is read.
    listed : sequence of ListedFile
        Its files as they are now.
    before : collection of str
        Documents that the last run knew.
    held : collection of str
        Documents that the store holds, or that are about to be read.
    """
    lost = set(before) - set(held)
    if not lost:
        return LostDocuments([], [])
    here = _files_of(lost, listed, load_listing(store, folder))
    lost -= {each.document_id for each in here}
    elsewhere: list[ListedFile] = []
    for place in known_folders(store).values():
        with contextlib.suppress(UsageError):
            found = _files_of(lost, list_folder(place), load_listing(store, place))
            lost -= {each.document_id for each in found}
            elsewhere += found
    return LostDocuments(here, elsewhere)


def _files_of(
    documents: Collection[str], listed: Sequence[ListedFile], known: Mapping[str, ListedFile]
) -> list[ListedFile]:
    """Return one file for each of the documents that a folder has; whether the bytes are theirs, reading checks."""
    found: dict[str, ListedFile] = {}
    for each in listed:
        document = known[each.file].document_id if each.file in known else None
        if document in documents and document is not None and not each.status:
            found.setdefault(document, replace(each, document_id=document))
    return list(found.values())


def describe_lost(lost: LostDocuments) -> list[str]:
    """Return a line on the documents that are read again."""
    number = len(lost.here) + len(lost.elsewhere)
    return [f"{number:,} known reports had no pages in the store any more and are read again"] if number else []


def describe_gone(before: Before, documents: Collection[str], files: Collection[str]) -> list[str]:
    """Return a line on the reports that the last run knew and this one does not.

    Parameters
    ----------
    before : Before
        What the last run knew.
    documents, files : collection of str
        Documents and files that this run knows.
    """
    known, names = set(documents), set(files)
    gone = sorted(file for document, file in before.documents.items() if document not in known and file not in names)
    if not gone:
        return []
    if not before.is_same_reader:
        return [
            f"{len(gone):,} reports of the last run were read by another reader or version and do not count:"
            " read them too, without --years and --limit"
        ]
    shown = ", ".join(gone[:SHOWN]) + (", …" if len(gone) > SHOWN else "")
    return [f"{len(gone):,} reports of the last run are gone from their folder and no longer count: {shown}"]
