"""The word lists that ship with shuzhi: one YAML file each, read by :mod:`nlp.dictionary`."""

from __future__ import annotations

from pathlib import Path


def shipped() -> dict[str, Path]:
    """Return the path of every shipped word list by its name.

    Returns
    -------
    dict of str to Path
        Name (the file's stem, for example ``wu2021``) to file, in order of name.
    """
    folder = Path(__file__).parent
    return {path.stem: path for path in sorted(folder.glob("*.yml"))}
