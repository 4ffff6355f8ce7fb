"""What a store has in force, as definitions that can be kept in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from flows.publishing.definitions import Definition
from flows.store import Store
from nlp.scope import REPORT
from shuzhi import StoreError


def in_force(store: Store) -> list[Definition]:
    """Return one definition for each list and rule that a store has in force.

    Raises
    ------
    StoreError
        If nothing was measured.
    """
    measured = store.current_measurements()
    if not measured:
        raise StoreError(f"store {store.url} has no indices; run 'shuzhi measure' first")
    names = [str(each["dictionary"]) for each in measured]
    return [_definition(each, is_alone=names.count(str(each["dictionary"])) == 1) for each in measured]


def _definition(measured: Mapping[str, Any], *, is_alone: bool) -> Definition:
    name = str(measured["dictionary"]).lower()
    scopes = sorted(measured.get("scopes", {}), key=lambda scope: (scope != REPORT, scope))
    return Definition(
        name=name if is_alone else f"{name}_{measured['rule']}",
        dictionaries=[str(measured["dictionary"])],
        dictionary_folder=str(measured.get("dictionary_folder") or ""),
        rule=measured["rule"],
        scopes=scopes or [REPORT],
        script=measured.get("script", "as_printed"),
    )


def to_yaml(definitions: Sequence[Definition]) -> str:
    """Return definitions as the text of a file; what is as usual is left out."""
    entries = [each.model_dump(exclude_defaults=True) for each in definitions]
    return yaml.safe_dump({"definitions": entries}, allow_unicode=True, sort_keys=False, width=1000)


def shown(definition: Definition) -> list[str]:
    """Return a definition in words, a line for it and one for each of its word lists."""
    parts = [f"rule {definition.rule}", f"scopes {', '.join(definition.scopes)}", f"keep {', '.join(definition.keep)}"]
    parts += [] if definition.script == "as_printed" else [f"script {definition.script}"]
    lines = [f"{definition.name}: {'; '.join(parts)}"]
    for each in definition.lists():
        checked = "verified" if each.verified else "NOT verified"
        lines.append(f"  {each.name}  {len(each.terms)} terms  {each.content_hash}  {checked}")
    return lines
