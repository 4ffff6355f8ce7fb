"""What a study kit can be told, and the names of its files."""

from __future__ import annotations

from dataclasses import dataclass

# Raised when the same export would give another kit.
KIT_VERSION = "1"
KIT_FOLDER = "study-kit"
SUMS_FILE = "SHA256SUMS"
LONG_CSV = "data/indices_long.csv"
WIDE_CSV = "data/indices_wide.csv"
# The files of an export that a kit is made from.
SOURCES = ("indices.parquet", "indices_long.parquet", "hits.parquet", "codebook.csv", "quality.csv", "quality.md")
DATA_FORMATS = ("csv", "dta", "parquet", "xlsx")
HITS_FILES = ("data/hits.csv", "data/hits.parquet")
DATA_FILES = tuple(f"data/indices_{shape}.{kind}" for shape in ("wide", "long") for kind in DATA_FORMATS)
TEXT_FILES = (
    "README.md",
    "README.zh.md",
    "LICENCE.md",
    "CITATION.cff",
    "CITATION.bib",
    "codebook.csv",
    "codebook.md",
    "codebook.xlsx",
    "quality.md",
    "load_and_merge.R",
    "load_and_merge.do",
    "load_and_merge.py",
    "own_panel_example.csv",
    "expected_result.csv",
    "provenance.json",
)


@dataclass(frozen=True)
class KitOptions:
    """What a kit can be told.

    Parameters
    ----------
    authors : tuple of str
        Who made the data set: ``Family, Given`` for a person, anything else for a team or an institution.
    licence : str
        SPDX name of the licence of the data set, for example ``CC-BY-4.0``; empty says that none was chosen.
    has_sentences : bool
        Whether the sentences of the hits go into the kit, which are quotations from the reports.
    """

    authors: tuple[str, ...] = ()
    licence: str = ""
    has_sentences: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the kit but the list of checksums, in order."""
        return tuple(sorted((*TEXT_FILES, *DATA_FILES, *(HITS_FILES if self.has_sentences else ()))))
