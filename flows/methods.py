"""Which methods stood behind texts and hits, named one by one, so that two exports can say what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.store import Store
from flows.work import Measurement
from nlp.clean import CLEAN_VERSION
from nlp.context_rules import CONTEXT_VERSION, rule_book
from nlp.furniture import FURNITURE_VERSION
from nlp.identity import IDENTITY_VERSION
from nlp.match import MATCH_VERSION
from nlp.options import Ocr, Reader, Segmenter
from nlp.own_action import own_action_model
from nlp.pdf import extractor_version
from nlp.sections import SECTIONS_VERSION
from nlp.segment import segmenter_version


def reading_methods(reader: Reader, segmenter: Segmenter, ocr: Ocr, kinds: Sequence[str]) -> dict[str, str]:
    """Return the version of everything that makes a text, its lengths, its sections and whose it is."""
    recognition = "off"
    if ocr != "off":
        from nlp.ocr import ocr_version

        recognition = ocr_version()
    return {
        "reader": extractor_version(reader),
        "ocr": recognition,
        "cleaning": CLEAN_VERSION,
        "sections": SECTIONS_VERSION,
        "furniture": FURNITURE_VERSION,
        "segmenter": str(segmenter_version(segmenter)),
        "identity": IDENTITY_VERSION,
        "kinds": " ".join(kinds),
    }


def measuring_methods(measurement: Measurement) -> dict[str, str]:
    """Return the version of everything that makes and judges hits, besides the word list and the rule."""
    cutter = str(segmenter_version(measurement.segmenter)) if measurement.rule == "token" else "none"
    return {
        "matching": MATCH_VERSION,
        "script": measurement.script,
        "tokens": cutter,
        "context": CONTEXT_VERSION,
        "context_rules": rule_book().content_hash,
        "classifier": own_action_model().version,
    }


def methods_in_force(store: Store, measurements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the methods of what is exported, with the keys that stand for all of them.

    A store that was read or measured before methods were noted gives empty ones; the keys are always there.
    """
    reading = store.current("reading") or {}
    return {
        "reading": reading.get("methods", {}),
        "measuring": {str(each["dictionary"]): each.get("methods", {}) for each in measurements},
        "keys": {
            "pages": str(reading.get("key", "")),
            "texts": str(reading.get("text_key", "")),
            "hits": {str(each["dictionary"]): str(each["key"]) for each in measurements},
        },
    }
