"""Dictionaries as files: the shipped ones, and those of a user's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dictionaries
from nlp.dictionary import Dictionary, parse
from shuzhi import DictionaryError


def load_dictionaries(names: Sequence[str], folder: str = "") -> list[Dictionary]:
    """Load and check dictionaries by name.

    Raises
    ------
    DictionaryError
        If a name is unknown, or a list has problems.
    """
    paths = dictionary_paths(folder)
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise DictionaryError(f"no dictionary {', '.join(unknown)}. There are: {', '.join(sorted(paths))}")
    return [load_dictionary(paths[name]) for name in dict.fromkeys(names)]


def load_dictionary(path: Path) -> Dictionary:
    """Load and check one dictionary file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DictionaryError(f"{path}: not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise DictionaryError(f"{path}: cannot be opened: {error.strerror}") from None
    loaded = parse(text, str(path))
    if loaded.name != path.stem:
        raise DictionaryError(f"{path} line 1: the name {loaded.name} is not the file's; make them the same")
    return loaded


def dictionary_paths(folder: str = "") -> dict[str, Path]:
    """Return the files of all dictionaries by name: the shipped ones, and those of the user's folder."""
    paths = dictionaries.shipped()
    if folder:
        own = Path(folder)
        if not own.is_dir():
            raise DictionaryError(f"{folder}: no such folder of dictionaries")
        found = {path.stem: path for path in sorted(own.glob("*.yml")) + sorted(own.glob("*.yaml"))}
        twins = sorted(found.keys() & paths.keys())
        if twins:
            raise DictionaryError(f"{folder}: {', '.join(twins)} ships with shuzhi already; rename yours")
        paths |= found
    return paths
