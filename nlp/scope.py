"""Which part of a report an index counts in.

``report`` is everything, as the published indices count. Every other scope is made of body text alone: without
running headers, page numbers, contents and glossary. After a colon stands which hits count there: ``mda:strict``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from nlp.options import Preset
from nlp.section_titles import KINDS
from shuzhi import UsageError

REPORT, BODY = "report", "body"
PRESETS: tuple[Preset, ...] = get_args(Preset)
WITHOUT = "without_"
SUBPART = "mda_subpart"
SCOPE_KINDS = (*KINDS, SUBPART)
LENGTHS = ("chinese_characters", "tokens", "sentences")
# Boundaries below this confidence are doubtful; what lies between them is no number to print.
LEAST_CONFIDENCE = 0.5
ScopeMode = Literal["report", "body", "only", "without"]


@dataclass(frozen=True)
class Scope:
    """Which part of a report counts.

    Parameters
    ----------
    name : str
        As it was asked for: ``report``, ``body``, ``mda``, ``mda+governance``, ``without_financial_report``.
    mode : {'report', 'body', 'only', 'without'}
        Everything, all body text, only some sections, or all but some.
    kinds : tuple of str
        Kinds of these sections.
    keep : {'raw', 'published', 'strict'}
        Which hits count, see :func:`nlp.context.keep`.
    """

    name: str
    mode: ScopeMode
    kinds: tuple[str, ...] = ()
    keep: Preset = "raw"

    @property
    def column_part(self) -> str:
        """What the names of index columns carry for this scope: nothing for the whole report."""
        part, _, keep = self.name.partition(":")
        parts = ["" if self.mode == "report" else part.replace("+", "_and_"), keep]
        return "".join(f"{each}_" for each in parts if each)


def parse_scope(text: str) -> Scope:
    """Read a scope as users write it.

    Parameters
    ----------
    text : str
        ``report``, ``body``, a kind of section, several joined by ``+``, or ``without_`` and one or several; after
        a colon ``published`` or ``strict``.

    Returns
    -------
    Scope
        What it means.

    Raises
    ------
    UsageError
        If a kind of section does not exist; the nearest names are given.
    """
    part, _, said = text.strip().partition(":")
    keep = _preset(said, text)
    name = part if keep == "raw" else f"{part}:{keep}"
    if part in (REPORT, BODY):
        return Scope(name, "report" if part == REPORT else "body", (), keep)
    is_without = part.startswith(WITHOUT)
    kinds = tuple(part.removeprefix(WITHOUT).split("+"))
    for kind in kinds:
        if kind not in SCOPE_KINDS:
            near = difflib.get_close_matches(kind, (*SCOPE_KINDS, REPORT, BODY), n=2, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"known: report, body, {', '.join(SCOPE_KINDS)}"
            raise UsageError(f"scope {text!r}: {kind!r} is no part of a report; {hint}")
    return Scope(name, "without" if is_without else "only", kinds, keep)


def _preset(said: str, text: str) -> Preset:
    """Return which hits count, all of them where nothing is said."""
    for preset in PRESETS:
        if said in ("", preset):
            return preset
    raise UsageError(f"scope {text!r}: {said!r} is no choice of hits; known: {', '.join(PRESETS)}")


def lengths_in_scope(documents: pd.DataFrame, sections: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return how long each document is within a scope, or why it has no such part.

    Parameters
    ----------
    documents : DataFrame
        One row a document: document_id, the three lengths of the whole text, and the same of the body with
        ``body_`` before their names.
    sections : DataFrame
        One row a section: document_id, kind, heading, confidence, checks and the three lengths.
    scope : Scope
        Which part.

    Returns
    -------
    DataFrame
        Index as in ``documents``; the three lengths (null where the part is not there or is doubtful) and
        ``scope_reason`` (empty where they are there).
    """
    lengths = documents[list(LENGTHS)].astype("Int64")
    result = lengths.assign(scope_reason="")
    if scope.mode == "report":
        return result
    body = documents[[f"body_{name}" for name in LENGTHS]].set_axis(list(LENGTHS), axis="columns").astype("Int64")
    if scope.mode == "body":
        return body.assign(scope_reason="")
    found = sections[sections["kind"].isin(scope.kinds)]
    sums = found[found["heading"].notna()].groupby("document_id")[list(LENGTHS)].sum()
    own = sums.reindex(documents["document_id"]).set_axis(documents.index).astype("Int64")
    states = _section_states(found)
    reasons = [_reason(states.get(document, {}), scope) for document in documents["document_id"]]
    reason = pd.Series(reasons, index=documents.index, dtype=object)
    values = body - own.fillna(0) if scope.mode == "without" else own
    return values.where(reason == "").assign(scope_reason=reason)


def _section_states(found: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return by document and kind what is wrong with the sections of that kind; empty where nothing is."""
    states: dict[str, dict[str, str]] = {}
    for row in found.to_dict("records"):
        of_document = states.setdefault(str(row["document_id"]), {})
        kind, checks = str(row["kind"]), str(row["checks"])
        if not isinstance(row["heading"], str):
            of_document.setdefault(kind, f"section {kind} was not found: {checks}")
        elif row["confidence"] < LEAST_CONFIDENCE:
            of_document[kind] = f"section {kind} is doubtful (confidence {row['confidence']:.2f}): {checks}"
        else:
            of_document.setdefault(kind, "")
    return states


def _reason(states: dict[str, str], scope: Scope) -> str:
    """Return why the sections of a scope cannot be counted in, or left out: all named ones then must be known."""
    wrong = [state for state in states.values() if state]
    missing = [kind for kind in scope.kinds if kind not in states]
    if wrong:
        return wrong[0]
    if missing and (scope.mode == "without" or not states):
        return f"no section {' or '.join(missing)} was found"
    return ""


def check_scopes(scopes: Sequence[str], keep: Sequence[Preset] = ("raw",)) -> list[Scope]:
    """Read several scopes, each once, in order; those that do not say which hits count get each of ``keep``."""
    texts = [text if ":" in text else f"{text}:{preset}" for text in scopes for preset in keep]
    return list({scope.name: scope for scope in map(parse_scope, texts)}.values())
