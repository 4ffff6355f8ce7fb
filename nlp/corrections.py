"""A user's corrections of whose report a file is: a YAML file of entries, checked as a whole, and applied to rows.

Each entry names what it corrects, the field, the right value and why::

    - file: 2019/600519*.pdf        # or stock_code and report_year, or document_id
      field: report_year
      value: 2018
      expect: 2019                  # optional guard: what the program found when this was written
      reason: the cover prints the year of filing
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

import yaml

from nlp.title import Kind, Revision, code_exchange, fold
from shuzhi import UsageError, yaml_loader

Field = Literal[
    "stock_code",
    "company_name",
    "short_name",
    "report_year",
    "fiscal_year_end",
    "kind",
    "revision",
    "revision_number",
    "status",
]
Outcome = Literal["applied", "stale", "no_match", "conflict"]
Value = str | int | None

FIELDS: tuple[str, ...] = get_args(Field)
SELECTORS = ("file", "document_id", "stock_code", "report_year")
KEYS = (*SELECTORS, "field", "value", "expect", "reason")
REQUIRED = ("field", "value", "reason")
EXCLUDED = "excluded"
"""Status of a file that a correction takes out (``field: status``, ``value: exclude``)."""

NUMBERS = ("report_year", "revision_number")
SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "report_year": (re.compile(r"(?:19[89]|20[0-4])\d"), "is no fiscal year between 1980 and 2049."),
    "revision_number": (re.compile(r"\d{1,3}"), "is no whole number."),
    "stock_code": (re.compile(r"\d{5,6}"), "is no stock code; write six digits, or five of Hong Kong."),
    "fiscal_year_end": (
        re.compile(r"(?:19[89]|20[0-4])\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"),
        "is no date such as 2021-03-31.",
    ),
}
DOCUMENT_ID = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True)
class Correction:
    """One entry of a file of corrections.

    Parameters
    ----------
    source, line : str and int
        The file and the line on which the entry begins.
    field : Field
        The column that is corrected.
    value : str or int
        What is right.
    reason : str
        Why.
    file : str or None
        Path as listed, or pattern with ``*`` and ``?``; a name without a slash holds in every folder.
    document_id : str or None
        The file's SHA-256, or the first eight or more of its digits.
    stock_code, report_year : str and int, or None
        The firm-year whose files are meant.
    has_expect, expect : bool and Value
        Whether the entry says what the program found, and that.
    """

    source: str
    line: int
    field: Field
    value: str | int
    reason: str
    file: str | None = None
    document_id: str | None = None
    stock_code: str | None = None
    report_year: int | None = None
    has_expect: bool = False
    expect: Value = None

    @property
    def where(self) -> str:
        """The entry's place in words: ``corrections.yml line 7``."""
        return f"{self.source} line {self.line}"


@dataclass(frozen=True)
class CorrectionOutcome:
    """What became of a correction.

    Parameters
    ----------
    correction : Correction
        The entry.
    outcome : {'applied', 'stale', 'no_match', 'conflict'}
        ``stale``: its guard failed; ``conflict``: an earlier entry had set the field. Neither is applied.
    files : tuple of str
        The files concerned.
    message : str
        The same in one line.
    """

    correction: Correction
    outcome: Outcome
    files: tuple[str, ...]
    message: str


def parse_corrections(text: str, source: str) -> tuple[Correction, ...]:
    """Read a file of corrections.

    Parameters
    ----------
    text : str
        Its content.
    source : str
        Its name, for messages and as the source of the corrected values.

    Returns
    -------
    tuple of Correction
        In the order of the file; empty for an empty file.

    Raises
    ------
    UsageError
        With every problem of the file, one a line, each with its line number.
    """
    try:
        root = yaml.compose(text, Loader=yaml_loader())
        # Fails on tags, and with the reader's words, where the tree alone would not.
        yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{source}{line}: {problem}. Mend the YAML and try again.") from None
    if root is None or root.tag == "tag:yaml.org,2002:null":
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise UsageError(f"{source} line 1: corrections are a list; begin each with '- file: …'.")
    problems: list[tuple[int, str]] = []
    corrections = [_correction(node, source, problems) for node in root.value]
    if problems:
        lines = "\n".join(f"  line {line:<4} {message}" for line, message in sorted(problems))
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise UsageError(f"{source}: {count}\n{lines}")
    return tuple(item for item in corrections if item is not None)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _correction(node: yaml.Node, source: str, problems: list[tuple[int, str]]) -> Correction | None:
    """Build one entry; its problems are added to the list."""
    if not isinstance(node, yaml.MappingNode):
        problems.append((_line(node), "a correction is a mapping with field, value, reason and what it corrects."))
        return None
    entry = {str(key.value): value for key, value in node.value}
    found = [*_key_problems(node), *_selector_problems(node, entry)]
    field = _text(entry.get("field"))
    if field and field not in FIELDS:
        found.append((_line(entry["field"]), f"unknown field {field}{_nearest(field, FIELDS)}"))
    checked: dict[str, Value] = {}
    columns = {"value": field, "expect": field, "stock_code": "stock_code", "report_year": "report_year"}
    for name, column in columns.items():
        if _text(entry.get(name)) or (name == "expect" and name in entry):
            checked[name], problem = _typed(column, entry[name], is_guard=name == "expect")
            if problem:
                found.append((_line(entry[name]), f"{name}: {problem}"))
    problems += found
    if found:
        return None
    values = {name: _text(entry[name]) for name in entry}
    return Correction(
        source=source,
        line=_line(node),
        reason=values.pop("reason"),
        has_expect="expect" in entry,
        file=values.get("file"),
        document_id=values.get("document_id"),
        **{"field": field, **checked},  # type: ignore[arg-type]
    )


def _text(node: yaml.Node | None) -> str:
    """Return a scalar as it is written: 000570 stays text, where YAML would read an octal number."""
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""


def _nearest(word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else f". Known are {', '.join(known)}."


def _key_problems(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    seen: dict[str, int] = {}
    for key_node, value in node.value:
        key, line = str(key_node.value), _line(key_node)
        if key in seen:
            yield line, f"key {key} stands already on line {seen[key]}; keep one."
        elif key not in KEYS:
            yield line, f"unknown key {key}{_nearest(key, KEYS)}"
        elif not isinstance(value, yaml.ScalarNode):
            yield line, f"{key} is a single value, not a list or mapping."
        elif key != "expect" and not _text(value):
            yield line, f"{key} is empty."
        seen.setdefault(key, line)
    yield from ((_line(node), f"{key} is missing in this correction.") for key in REQUIRED if key not in seen)


def _selector_problems(node: yaml.MappingNode, entry: Mapping[str, yaml.Node]) -> Iterator[tuple[int, str]]:
    named = tuple(key for key in SELECTORS if key in entry)
    if named not in (("file",), ("document_id",), ("stock_code", "report_year")):
        given = f" (here: {', '.join(named)})" if named else ""
        yield _line(node), f"name either a file, or a document_id, or a stock_code with its report_year{given}."
    elif named == ("document_id",) and not DOCUMENT_ID.fullmatch(_text(entry["document_id"])):
        yield _line(entry["document_id"]), "document_id: the file's SHA-256, or its first eight or more digits."


def _typed(field: str, node: yaml.Node, is_guard: bool) -> tuple[Value, str]:
    """Return a value as the column holds it, and what is wrong with it or an empty string."""
    text = _text(node)
    if is_guard and node.tag == "tag:yaml.org,2002:null":
        return None, ""
    # A guard may name any value that the program found.
    problem = "" if is_guard and field not in NUMBERS else _value_problem(field, text)
    if problem:
        return None, problem
    if field in NUMBERS:
        return int(text), ""
    return (EXCLUDED if field == "status" and not is_guard else text), ""


def _value_problem(field: str, text: str) -> str:
    """Return what is wrong with a field's value in words; empty where nothing is."""
    known = {"kind": get_args(Kind), "revision": get_args(Revision), "status": ("exclude",)}.get(field, ())
    if known and text not in known:
        return f"{text} is no {field}{_nearest(text, known)}"
    pattern, words = SHAPES.get(field, (None, ""))
    is_wrong = pattern is not None and not pattern.fullmatch(text)
    if field == "stock_code" and not is_wrong:
        is_wrong = code_exchange(text) is None
    return f"{text} {words}" if is_wrong else ""


def apply_corrections(
    rows: Iterable[Mapping[str, Any]], corrections: Sequence[Correction]
) -> tuple[list[dict[str, Any]], tuple[CorrectionOutcome, ...]]:
    """Apply corrections to the rows of the table ``documents``.

    Entries are applied in their order: one that names a firm-year means the firm and year as corrected so far.
    ``expect`` is compared with what the program found. A corrected field's source becomes the entry and its reason;
    its evidence says what was found. With the stock code goes the exchange, with the year the end of the calendar year.

    Parameters
    ----------
    rows : iterable of mapping
        One a file: ``file``, ``document_id`` and the columns of :class:`nlp.identity.Identity`; missing is None.
    corrections : sequence of Correction
        From :func:`parse_corrections`.

    Returns
    -------
    rows : list of dict
        Corrected copies, in the same order.
    outcomes : tuple of CorrectionOutcome
        At least one for each correction, in its order.
    """
    found = [dict(row) for row in rows]
    corrected = [dict(row) for row in found]
    set_by: dict[tuple[int, str], Correction] = {}
    outcomes: list[CorrectionOutcome] = []
    for correction in corrections:
        places = [place for place, row in enumerate(corrected) if _is_meant(row, correction)]
        if not places:
            outcomes.append(_outcome(correction, "no_match", (), "no file matches; correct or remove the entry"))
            continue
        groups: dict[tuple[Outcome, str], list[int]] = {}
        for place in places:
            earlier = set_by.get((place, correction.field))
            groups.setdefault(_judge(correction, found[place], earlier), []).append(place)
        for (outcome, words), members in groups.items():
            files = tuple(str(found[place].get("file")) for place in members)
            outcomes.append(_outcome(correction, outcome, files, words))
            for place in members if outcome == "applied" else ():
                _set(corrected[place], correction, found[place].get(correction.field))
                set_by[place, correction.field] = correction
    return corrected, tuple(outcomes)


def _is_meant(row: Mapping[str, Any], correction: Correction) -> bool:
    if correction.document_id:
        return str(row.get("document_id") or "").startswith(correction.document_id)
    if correction.file is None:
        return row.get("stock_code") == correction.stock_code and row.get("report_year") == correction.report_year
    path, pattern = (fold(name).replace("\\", "/") for name in (str(row.get("file") or ""), correction.file))
    if "/" not in pattern:
        path = path.rsplit("/", 1)[-1]
    return path == pattern or fnmatchcase(path, pattern)


def _judge(correction: Correction, row: Mapping[str, Any], earlier: Correction | None) -> tuple[Outcome, str]:
    """Return whether a correction may be applied to a row as found, and the words for it."""
    if earlier:
        return "conflict", f"{correction.field} is already set by line {earlier.line}; keep one of them"
    value = row.get(correction.field)
    if correction.has_expect and value != correction.expect:
        expected, now = _words(correction.expect), _words(value)
        found = f"expected {correction.field} {expected} but now {now} is found"
        return "stale", f"{found}; remove or renew the correction"
    return "applied", f"{correction.field} set to {correction.value} ({correction.reason})"


def _words(value: object) -> str:
    return "nothing" if value is None else str(value)


def _outcome(correction: Correction, outcome: Outcome, files: tuple[str, ...], words: str) -> CorrectionOutcome:
    of_files = f" [{files[0]}]" if len(files) == 1 else f" [{len(files)} files]" if files else ""
    return CorrectionOutcome(correction, outcome, files, f"{correction.where}: {words}{of_files}")


def _set(row: dict[str, Any], correction: Correction, found: object) -> None:
    """Set a field with its source and evidence, and what follows from it."""
    field, why = correction.field, f"{correction.where}: {correction.reason}"
    old_year = row.get("report_year")
    row[field] = correction.value
    if field == "status":
        row["reason"] = why
        return
    source = "revision" if field == "revision_number" else field
    if f"{source}_source" in row:
        was = f" ({row[f'{source}_source']})" if row[f"{source}_source"] else ""
        row[f"{source}_evidence"] = f"found {_words(found)}{was}"
        row[f"{source}_source"] = why
    if field == "stock_code":
        row["exchange"] = code_exchange(str(correction.value))
    elif field == "report_year" and row.get("fiscal_year_end") == f"{old_year}-12-31":
        row["fiscal_year_end"] = f"{correction.value}-12-31"
