"""What each hit of a document is evidence of: flags by rules, probabilities by the classifier, who keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.store import hash_of
from nlp.clean import CleanText
from nlp.context import FLAG_FIELDS, FilerNames, Flags, context_of, flag_hit, keep, kind_of_hit
from nlp.context_rules import CONTEXT_VERSION, HitContext, rule_book
from nlp.match import Match
from nlp.options import Script
from nlp.outlook import Outlook
from nlp.own_action import own_action_model, vector_of

PROBABILITY_DIGITS = 6
# No report has so many hits of one list; the rest of such a text is not judged, and only raw indices count it.
MOST_JUDGED = 20_000
UNJUDGED: Mapping[str, Any] = {
    **dict.fromkeys((name for name in FLAG_FIELDS if name != "furniture"), False),
    "flag_rules": "unjudged:too_many_hits",
    "kind": "",
    "own_or_planned": 0.0,
    "own_done": 0.0,
    "is_published": False,
    "is_strict": False,
}


def judgement_version() -> str:
    """Return everything that can change what a hit is taken for."""
    return hash_of(CONTEXT_VERSION, rule_book().content_hash, own_action_model().version)


class Judge:
    """Judges the hits of one document.

    Parameters
    ----------
    text : CleanText
        The document.
    names : FilerNames
        What its firm is called.
    script : {'as_printed', 'simplified'}
        As the text was cleaned.
    """

    def __init__(self, text: CleanText, names: FilerNames, script: Script) -> None:
        self.text = text
        self.names = names
        self.script = script
        self.outlook = Outlook(text)
        self.judged = 0

    def judge(
        self, matches: Sequence[Match], places: Sequence[Mapping[str, str]], sentences: Sequence[tuple[int, int]]
    ) -> list[Mapping[str, Any]]:
        """Return the columns of each hit, given where it stands and its sentence in the cleaned text."""
        room = MOST_JUDGED - self.judged
        contexts = [
            self._context(match, place, sentence)
            for match, place, sentence in zip(matches[:room], places[:room], sentences[:room], strict=True)
        ]
        self.judged += len(contexts)
        return [*self._judge(contexts), *[UNJUDGED] * (len(matches) - len(contexts))]

    def _judge(self, contexts: Sequence[HitContext]) -> list[dict[str, Any]]:
        if not contexts:
            return []
        flags = [flag_hit(context, self.names) for context in contexts]
        model = own_action_model()
        vectors = [vector_of(context, self.names, found) for context, found in zip(contexts, flags, strict=True)]
        probabilities = model.probabilities(vectors).round(PROBABILITY_DIGITS).tolist()
        threshold = model.strict_threshold
        return [
            _columns(found, planned, done, threshold)
            for found, (planned, done) in zip(flags, probabilities, strict=True)
        ]

    def _context(self, match: Match, place: Mapping[str, str], sentence: tuple[int, int]) -> HitContext:
        return context_of(
            self.text,
            (match.start, match.end),
            term=match.term,
            sentence=sentence,
            outlook=self.outlook.holds(match.start),
            script=self.script,
            **place,
        )


def _columns(flags: Flags, own_or_planned: float, own_done: float, threshold: float) -> dict[str, Any]:
    """Return the columns of one hit; its kind of furniture is known already."""
    columns: dict[str, Any] = {name: getattr(flags, name) for name in FLAG_FIELDS if name != "furniture"}
    return columns | {
        "flag_rules": flags.rules,
        "kind": kind_of_hit(flags, own_or_planned, own_done),
        "own_or_planned": own_or_planned,
        "own_done": own_done,
        "is_published": keep(flags, own_done, "published", threshold),
        "is_strict": keep(flags, own_done, "strict", threshold),
    }
