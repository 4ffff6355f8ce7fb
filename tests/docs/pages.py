"""The pages of the documentation: their links, headings and code blocks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)\n(?P<body>(?:.*\n)*?)(?P=indent)```\s*$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]\n]*\]\((?P<target>[^)\s]+)(?: \"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$", re.MULTILINE)
TITLE = re.compile(r'title="(?P<name>[^"]+)"')


@dataclass(frozen=True)
class Block:
    """One fenced block: its page, its line, the words after the fence, and what stands in it."""

    page: Path
    line: int
    info: str
    body: str

    @property
    def language(self) -> str:
        """First word after the fence; empty where there is none."""
        return self.info.split()[0] if self.info.split() else ""

    @property
    def file(self) -> str:
        """Name of the file that the block is, from ``title="…"``; empty for other blocks."""
        found = TITLE.search(self.info)
        return found["name"] if found else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def page_paths() -> list[Path]:
    """Return every page of the project in order of name."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            found["info"].strip(),
            _dedented(found["body"], found["indent"]),
        )
        for found in FENCE.finditer(text)
    )


def _dedented(body: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links and pictures."""
    for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page))):
        yield found["target"]


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that a reader of Markdown makes of a page's headings."""
    found: list[str] = []
    for heading in HEADING.finditer(prose(page)):
        name = re.sub(r"[^\w\- ]", "", heading["title"].replace("`", "").lower()).replace(" ", "-")
        found.append(name if name not in found else f"{name}-{found.count(name)}")
    return frozenset(found)


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the commands of a block that call shuzhi, as words without their comments."""
    for line in block.body.replace("\\\n", " ").splitlines():
        if re.match(r"(\$ )?(\S*/)?shuzhi ", line):
            words = shlex.split(line.removeprefix("$ "), comments=True)
            yield words[1:]
