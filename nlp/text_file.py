"""Pages of a text file: UTF-8, UTF-16 or GB18030, with or without form feeds, or the JSON lines of FinGLM."""

from __future__ import annotations

import json
import zlib

from nlp.limits import LEAST_COMPRESSED_SHARE, LONG_TEXT, MOST_CHARACTERS, MOST_PAGES
from shuzhi import ReadError


def split_text(data: bytes) -> list[str]:
    """Return the pages of a text file.

    Parameters
    ----------
    data : bytes
        Content of the file.

    Returns
    -------
    list of str
        Pages at form feeds, or as the JSON lines of the FinGLM collection give them.

    Raises
    ------
    ReadError
        With the status ``failed`` for binary data, an unknown encoding, a broken JSON line, absurd sizes, or
        endless repetition.
    """
    text = _decode(data)
    if len(text) > MOST_CHARACTERS:
        raise ReadError("failed", f"the text has {len(text):,} characters; more than {MOST_CHARACTERS:,} are no report")
    if len(text) > LONG_TEXT and len(zlib.compress(data, 1)) < LEAST_COMPRESSED_SHARE * len(data):
        raise ReadError("failed", f"the text says the same again and again in {len(text):,} characters; no report does")
    pages = _json_line_pages(text)
    if pages is None:
        pages = text.split("\f")
        if len(pages) > 1 and not pages[-1].strip():
            pages.pop()
    if len(pages) > MOST_PAGES:
        raise ReadError("failed", f"the text has {len(pages):,} pages; more than {MOST_PAGES:,} are no report")
    return pages


def storable(text: str) -> str:
    """Replace lone surrogates, which UTF-8 and so Parquet cannot hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def _decode(data: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise ReadError("failed", "the file is named .txt but holds binary data (zero bytes)")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReadError("failed", "the text is neither UTF-8 nor GB18030; save it as UTF-8")


def _json_line_pages(text: str) -> list[str] | None:
    """Return the pages of a FinGLM file (one JSON object a line with page and inside), or None."""
    if not text.startswith('{"page":'):
        return None
    pages: dict[int, list[str]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            page, inside = int(row["page"]), row["inside"]
            if page < 1 or not isinstance(inside, str):
                raise ValueError
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise ReadError("failed", f"line {number} is not a JSON object with page and inside") from None
        if page > MOST_PAGES:
            raise ReadError("failed", f"line {number} is of page {page:,}; more than {MOST_PAGES:,} are no report")
        pages.setdefault(page, []).append(storable(inside))
    return ["\n".join(pages.get(page, [])) for page in range(1, max(pages) + 1)]
