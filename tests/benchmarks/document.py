"""The tables of docs/, between their marks."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"


def put_between_marks(text: str, part: str, content: str, document: Path = DOCUMENT) -> str:
    """Return a document with a part's content between its marks."""
    pattern = re.compile(rf"(<!-- {part} -->\n).*?(<!-- /{part} -->)", re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"{document.name} has no marks <!-- {part} --> and <!-- /{part} -->; put them where the table belongs")
    return pattern.sub(lambda match: f"{match[1]}{content}\n{match[2]}", text)


def write_parts(parts: Mapping[str, str], document: Path = DOCUMENT) -> None:
    """Write each part between its marks, and print it."""
    text = document.read_text(encoding="utf-8")
    for part, content in parts.items():
        text = put_between_marks(text, part, content, document)
        print(f"{content}\n")
    document.write_text(text, encoding="utf-8")
