"""What goes into a worker and comes out of it when a file is read: the file's bytes, and rows about it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from flows.confine.answers import sendable
from flows.confine.errand import FileToSend
from flows.files import open_report
from flows.store import long_path
from nlp.furniture import Mark
from nlp.pdf import Page

NO_RESULT = "the worker sent what is no result of this file"


@sendable
@dataclass(frozen=True)
class FileResult:
    """What reading one file gave: rows of readings and texts, and what the other tables hold of it.

    ``is_lost`` says that the file went away or changed since it was listed, so that nothing is known of its document.
    """

    reading: dict[str, Any]
    text: dict[str, Any] | None = None
    sections: Sequence[dict[str, Any]] = ()
    furniture: Sequence[Mark] = ()
    pages: Sequence[Page] = ()
    is_lost: bool = False


sendable(Page)
sendable(Mark)


def content_of(path: str) -> bytes | OSError:
    """Return the bytes of a report, or why it cannot be opened."""
    try:
        with open_report(long_path(path)) as file:
            return file.read()
    except OSError as error:
        return error


def send_file(path: str, *arguments: Any) -> tuple[Any, ...]:
    """Return what a worker gets of a call about a file: the file itself, the ending of its name, and the rest."""
    return FileToSend(path), PurePath(path).suffix, *arguments


def check_result(result: Any, _path: str, document_id: str, *_: Any) -> FileResult:
    """Return what came back of a file, once it is of that file and of no other.

    Raises
    ------
    TypeError
        If it is of another form, or of another file.
    """
    match result:
        case FileResult(reading={"document_id": str(read), "status": str(), "reason": str()}) if read == document_id:
            rows = [*([result.text] if result.text is not None else []), *result.sections]
            is_own = all(_is_row(row, document_id) for row in rows)
            if is_own and all(map(_is_page, result.pages)) and all(map(_is_mark, result.furniture)):
                return result
    raise TypeError(NO_RESULT)


def check_described(
    described: Any, document_id: str, *_: Any
) -> tuple[dict[str, Any], list[dict[str, Any]], tuple[Mark, ...]]:
    """Return what came back of a document's text, once it is of that document and of no other.

    Raises
    ------
    TypeError
        If it is of another form, or of another document.
    """
    match described:
        case (dict(text), list(sections), tuple(furniture)):
            rows = [text, *sections]
            is_own = all(_is_row(row, document_id) for row in rows)
            if is_own and all(map(_is_mark, furniture)):
                return text, sections, furniture
    raise TypeError(NO_RESULT)


def check_pages(pages: Any, _path: str, _document_id: str, numbers: Sequence[int]) -> list[Page]:
    """Return recognised pages, once there is one for each number.

    Raises
    ------
    TypeError
        If they are of another form.
    """
    if isinstance(pages, list) and len(pages) == len(numbers) and all(map(_is_page, pages)):
        return pages
    raise TypeError(NO_RESULT)


def _is_row(row: Any, document_id: str) -> bool:
    return isinstance(row, dict) and row.get("document_id") == document_id


def _is_page(page: Any) -> bool:
    # A worker may have built it of anything.
    return isinstance(page, Page) and all(isinstance(value, str) for value in (page.text, page.status, page.note))


def _is_mark(mark: Any) -> bool:
    return isinstance(mark, Mark)
