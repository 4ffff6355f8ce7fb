"""A coded sample: the sheets of its coders side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.coding_sheet import CodedSheet, SheetKind
from nlp.sampling import Estimate, weighted_share
from nlp.validate import majority
from shuzhi import UsageError


@dataclass(frozen=True)
class Coded:
    """One sample with the codes of all its coders.

    Parameters
    ----------
    kind : {'hits', 'missed'}
        What was drawn.
    design : mapping
        What it was drawn from and how.
    rows : DataFrame
        One row a hit: the hidden columns of the sheets, and ``agreed``, the majority (None where there is none).
    codes : mapping of str to list of (str or None)
        Codes by coder, in the order of ``rows``.
    """

    kind: SheetKind
    design: Mapping[str, Any]
    rows: pd.DataFrame
    codes: Mapping[str, Sequence[str | None]]

    @property
    def agreed(self) -> pd.DataFrame:
        """The rows that have a code."""
        return self.rows[self.rows["agreed"].notna()]


def combine(sheets: Sequence[CodedSheet]) -> Coded:
    """Put the sheets of several coders of one sample side by side.

    Raises
    ------
    UsageError
        If they are of different samples.
    """
    samples = {str(sheet.design.get("sample_id")): sheet for sheet in sheets}
    if len(samples) > 1:
        names = ", ".join(sheet.coder for sheet in samples.values())
        raise UsageError(f"coded sheets {names} are of different samples; score those of one sample at a time")
    rows = pd.concat([sheet.rows for sheet in sheets]).drop_duplicates("hit_id").drop(columns=["code", "sure"])
    rows = rows.sort_values("hit_id", ignore_index=True)
    rows["report_year"] = rows["report_year"].astype("int64")
    codes: dict[str, list[str | None]] = {}
    for sheet in sorted(sheets, key=lambda each: each.coder):
        own = dict(zip(sheet.rows["hit_id"], sheet.rows["code"], strict=True))
        codes[sheet.coder] = [code if isinstance(code := own.get(each), str) else None for each in rows["hit_id"]]
    given = [majority(each) for each in zip(*codes.values(), strict=True)]
    return Coded(sheets[0].kind, sheets[0].design, rows.assign(agreed=pd.Series(given, dtype=object)), codes)


def weigh(rows: pd.DataFrame, is_true: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_] | None = None) -> Estimate:
    """Estimate a share of all hits from coded rows of a sheet."""
    strata = rows["stratum"].to_numpy(dtype=object)
    return weighted_share(is_true, strata, rows["stratum_size"].to_numpy(dtype="int64"), inside)
