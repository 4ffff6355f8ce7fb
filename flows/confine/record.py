"""What a store says of how its reports were read; nothing else depends on it."""

from __future__ import annotations

from flows.confine import Confined
from flows.store import Store
from shuzhi import StoreError

KIND = "confinement"


def note(store: Store, confined: Confined) -> None:
    """Add to a store how the workers were confined that read reports into it."""
    store.set_current(KIND, how=sorted({*_noted(store), confined}))


def noted(store: Store) -> str:
    """Return how the workers were confined that read the reports of a store; empty where it does not say."""
    return ", ".join(_noted(store))


def _noted(store: Store) -> list[str]:
    try:
        return list((store.current(KIND) or {}).get("how", []))
    except StoreError:
        return []
