"""Where the results of estimators make their messages, read off the source, and English sentences in a Chinese page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import islice, product
from pathlib import Path

# Functions, variables and keywords that hold messages.
_FUNCTIONS = re.compile(r"notes|warnings|assumptions")
_LISTS = {"warnings", "notes", "texts", "few", "assumptions"}
_WORDS = re.compile(r"(the|of|is|are|to|in|by|and|for|a|that|not|with|only|its|as|was|were|from|on|be|has|have|no|or)")
_RUN = re.compile(r"[A-Za-z][A-Za-z'-]*(?:[ ,;]+[A-Za-z][A-Za-z'-]*){3,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_VOID = {"meta", "br", "img", "link", "input", "hr"}


def variants(node: ast.AST) -> list[str]:
    """All texts that an expression can be, with 7 for whatever is filled in."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in islice(product(*map(variants, node.values)), 64)]
    if isinstance(node, ast.FormattedValue):
        return variants(node.value) if isinstance(node.value, ast.IfExp | ast.Constant) else ["7"]
    if isinstance(node, ast.IfExp):
        return [*variants(node.body), *variants(node.orelse)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [left + right for left in variants(node.left) for right in variants(node.right)]
    return ["7"]


def _texts(node: ast.AST, skipped: set[int]) -> Iterator[str]:
    """The outermost texts of a piece of source."""
    if id(node) in skipped or isinstance(node, ast.Raise | ast.Subscript | ast.Compare):
        return
    sides = (node.left, node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) else (node,)
    if any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in sides):
        yield from variants(node)
    elif not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("join", "startswith", "get", "format")):
        for child in ast.iter_child_nodes(node):
            yield from _texts(child, skipped)


def messages_in(path: Path) -> list[str]:
    """Every message that a module can make: in functions, lists and keywords for warnings, notes and assumptions."""
    tree, found = ast.parse(path.read_text(encoding="utf-8")), list[ast.AST]()
    skipped = {
        id(node.body[0].value)  # type: ignore[attr-defined]
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _FUNCTIONS.search(node.name):
            found += node.body
        elif isinstance(node, ast.keyword) and node.arg in ("warnings", "assumptions"):
            found.append(node.value)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("append", "extend"):
            if _name(node.func.value) in _LISTS:  # type: ignore[attr-defined]
                found += node.args
        elif isinstance(node, ast.Assign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if _name(target) in _LISTS:
                found.append(node.value)
    texts = (text for each in found for text in _texts(each, skipped))
    return [text for text in dict.fromkeys(texts) if re.search(r"[a-z]{2,} [a-z7]{1,}", text)]


def _name(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


class _Texts(HTMLParser):
    """Collects the text that a reader of a Chinese page takes for Chinese."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag in ("script", "style", "pre", "svg", "code") or dict(attrs).get("lang") == "en")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open) and data.strip():
            self.found.append(" ".join(data.split()))


def texts_of(page: str) -> list[str]:
    """The texts of a page that are not marked as English, code or drawing."""
    reader = _Texts()
    reader.feed(page)
    return reader.found


def english_in(texts: list[str], known: list[str]) -> list[str]:
    """Runs of four or more English words, one of them an article, a verb or the like, but for those that are known."""
    apart = "|".join([r"ln\([^)]*\)", *map(re.escape, known)])
    runs = [run for text in dict.fromkeys(texts) for run in _RUN.findall(re.sub(apart, "", text))]
    return [run for run in runs if any(map(_WORDS.fullmatch, run.lower().split()))]


def all_texts(path: Path) -> list[str]:
    """Every text in a module, pieces that Python joins as one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.JoinedStr, ast.Constant, ast.BinOp, ast.IfExp)
    return [text for node in ast.walk(tree) if isinstance(node, kinds) for text in variants(node)]
