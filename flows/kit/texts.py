"""The texts of a study kit: README in two languages, licence note, sample code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import pandas as pd

from flows.codebook import MEASURES
from flows.formats import stata_names
from flows.kit.example import CONTROL, EFFECT, LEAST_ROWS_MORE, OUTCOME
from flows.kit.facts import KitFacts
from nlp.scope import Scope, parse_scope
from shuzhi import __version__

TEMPLATES = {
    "README.md": "kit_readme.md.j2",
    "README.zh.md": "kit_readme.zh.md.j2",
    "LICENCE.md": "kit_licence.md.j2",
    "load_and_merge.py": "kit_load_and_merge.py.j2",
    "load_and_merge.R": "kit_load_and_merge.R.j2",
    "load_and_merge.do": "kit_load_and_merge.do.j2",
}
SHOWN_FAULTS = 12
RULES: Mapping[str, tuple[str, str]] = {
    "longest": (
        "从左到右，在每个位置取最长的词语，一个字最多属于一次命中。",
        "reading from the left, the longest term at each place; a character belongs to at most one hit.",
    ),
    "substring": (
        "每个词语的每次出现都计数，嵌套的也计（“移动互联网”中的“移动互联”再计一次）。",
        "every occurrence of every term, nested ones too.",
    ),
    "token": (
        "结巴分词（词语已加入其词典）切出的词与词语完全相同时计数。",
        "a token of jieba, with the terms added to its dictionary, that equals a term.",
    ),
}
PARTS: Mapping[str, tuple[str, str]] = {
    "report": ("印出的全部内容", "everything that is printed"),
    "body": (
        "不含页眉、页脚、页码、目录与释义的正文",
        "the text without running headers, footers, contents and glossary",
    ),
    "mda": (
        "管理层讨论与分析章节（各年名称不同）的正文",
        "the body of the discussion section, whatever it is called in its year",
    ),
}
KEEPS: Mapping[str, tuple[str, str]] = {
    "raw": ("所有命中", "every hit"),
    "published": (
        "未被否定、且不关于其他公司或人员的命中",
        "hits that are not negated and not about another firm or a person",
    ),
    "strict": ("本公司已实施的行为", "hits that are the filer's own action, done"),
}


def kit_texts(facts: KitFacts, expected: pd.DataFrame, columns: Sequence[str]) -> dict[str, str]:
    """Return every text of a kit by the name of its file.

    Parameters
    ----------
    facts : KitFacts
        What the texts state.
    expected : DataFrame
        What the sample regression must give; without rows where it cannot be run.
    columns : sequence of str
        Columns of the wide table, for their names in Stata.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flows", "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"cell": _cell, "number": _number}
    return {
        name: environment.get_template(template).render(_context(facts, expected, columns, is_chinese=".zh." in name))
        for name, template in TEMPLATES.items()
    }


def _context(facts: KitFacts, expected: pd.DataFrame, columns: Sequence[str], *, is_chinese: bool) -> dict[str, Any]:
    language = 0 if is_chinese else 1
    scopes = [parse_scope(name) for name in facts.scopes]
    stata = stata_names([*columns, CONTROL])
    return {
        "facts": facts,
        "software": __version__,
        "rule": RULES[facts.rule][language],
        "scopes": [(scope.name, describe_scope(scope)[language]) for scope in scopes],
        "is_raw": any(scope.keep == "raw" for scope in scopes),
        "measures": MEASURES,
        "faults": facts.faults[:SHOWN_FAULTS],
        "more_faults": max(0, len(facts.faults) - SHOWN_FAULTS),
        "index": facts.index,
        "stata_index": facts.stata_index,
        "outcome": OUTCOME,
        "control": CONTROL,
        "effect": EFFECT,
        "least_rows_more": LEAST_ROWS_MORE,
        "expected": [{**row, "stata_term": stata[str(row["term"])]} for row in expected.to_dict("records")],
    }


def describe_scope(scope: Scope) -> tuple[str, str]:
    """Return in Chinese and English which part of a report counts, and which hits."""
    part = scope.name.partition(":")[0]
    kinds = " + ".join(scope.kinds)
    zh, en = PARTS.get(part, (f"章节 {kinds} 的正文", f"the body of the sections {kinds}"))
    if scope.mode == "without":
        zh, en = f"不含章节 {kinds} 的正文", f"the body without the sections {kinds}"
    keep_zh, keep_en = KEEPS[scope.keep]
    return f"{zh}；{keep_zh}", f"{en}; {keep_en}"


def _cell(text: str) -> str:
    """Return text for a cell of a table in Markdown."""
    return " ".join(str(text).split()).replace("|", "\\|")


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.2f}"
