"""Statistics of a human validation: precision with its interval, agreement, and the corrected index.

Formulas are from: Wilson (1927), JASA 22, 209-212; Cohen (1960), Educational and Psychological Measurement 20,
37-46; Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Tenenbein (1970), JASA 65, 1350-1361
(counts by machine corrected by a sample that was coded by hand). How samples are drawn: :mod:`nlp.sampling`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from nlp.codes import CODE_NAMES

CONFIDENCE = 0.95


def wilson(successes: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    Parameters
    ----------
    successes, n : float
        How many of how many; an effective number need not be whole.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        Lower and upper end; both NaN where ``n`` is 0.
    """
    if n <= 0:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def percent_agreement(one: Sequence[str | None], other: Sequence[str | None]) -> float:
    """Return the share of the units coded by both on which both agree; NaN if there is none."""
    pairs = _both(one, other)
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else math.nan


def cohen_kappa(one: Sequence[str | None], other: Sequence[str | None]) -> float:
    """Return Cohen's kappa of two coders over the units that both coded.

    Parameters
    ----------
    one, other : sequence of (str or None)
        Codes of the same units; None where a coder gave none.

    Returns
    -------
    float
        NaN where it is not defined: no unit, or both use one and the same code throughout.
    """
    pairs = _both(one, other)
    if not pairs:
        return math.nan
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[code] * second[code] for code in first) / len(pairs) ** 2
    observed = sum(a == b for a, b in pairs) / len(pairs)
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan


def _both(one: Sequence[str | None], other: Sequence[str | None]) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def krippendorff_alpha(codes: Sequence[Sequence[str | None]]) -> float:
    """Return Krippendorff's alpha for nominal codes, any number of coders, and missing codes.

    Parameters
    ----------
    codes : sequence of sequences, coders by units
        None where a coder gave no code.

    Returns
    -------
    float
        NaN where it is not defined: no unit with two codes, or one code throughout.
    """
    units = [[code for code in unit if code is not None] for unit in zip(*codes, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    totals = Counter(code for unit in units for code in unit)
    n = totals.total()
    # Ordered pairs that differ within a unit, each unit weighted by 1 / (its codes - 1).
    differing = sum(
        (len(unit) ** 2 - sum(times**2 for times in Counter(unit).values())) / (len(unit) - 1) for unit in units
    )
    expected = n**2 - sum(times**2 for times in totals.values())
    return 1 - (n - 1) * differing / expected if expected else math.nan


def majority(codes: Sequence[str | None]) -> str | None:
    """Return the code that more than half of the coders of a unit gave; None where there is none."""
    given = [code for code in codes if code is not None]
    if not given:
        return None
    code, times = Counter(given).most_common(1)[0]
    return code if 2 * times > len(given) else None


def confusion(one: Sequence[str | None], other: Sequence[str | None], names: Sequence[str] = ()) -> pd.DataFrame:
    """Count how often each code of one coder meets each code of another.

    Parameters
    ----------
    one, other : sequence of (str or None)
        Codes of the same units.
    names : sequence of str
        Rows and columns, in order; what occurs besides comes after. Empty takes the codes of the guide.

    Returns
    -------
    DataFrame
        Codes of ``one`` by codes of ``other``; those that occur.
    """
    pairs = _both(one, other)
    used = {code for pair in pairs for code in pair}
    order = [name for name in names or CODE_NAMES if name in used]
    order += sorted(used - set(order))
    counts = Counter(pairs)
    table = [[counts[row, column] for column in order] for row in order]
    return pd.DataFrame(table, index=pd.Index(order), columns=pd.Index(order))


def corrected_counts(counts: pd.DataFrame, precision: pd.Series, standard_error: pd.Series) -> pd.DataFrame:
    """Correct counts by machine for what a coded sample says each cell is worth.

    The expected number of true hits of a row is the sum over cells of count times precision. Its variance has two
    parts: that of the precisions, which all rows share, and that of which of this row's hits are the true ones.

    Parameters
    ----------
    counts : DataFrame, rows by cells
        Hits of each firm-year in each cell (a stratum of terms, or what the machine took the hit for).
    precision, standard_error : Series by cell
        Share of true hits in each cell and its standard error; cells are taken as independent.

    Returns
    -------
    DataFrame
        Rows as in ``counts``: ``expected``, ``se_precision`` (the first part) and ``se`` (both).

    Raises
    ------
    ValueError
        If a cell with hits has no precision.
    """
    cells = list(counts.columns)
    share = precision.reindex(cells).to_numpy(dtype="float64")
    error = standard_error.reindex(cells).to_numpy(dtype="float64")
    table = counts.to_numpy(dtype="float64")
    is_unknown = np.isnan(share) & (table.sum(axis=0) > 0)
    unknown = [str(cell) for cell, is_missing in zip(cells, is_unknown.tolist(), strict=True) if is_missing]
    if unknown:
        raise ValueError(f"no precision is known of {', '.join(unknown)}")
    share, error = np.nan_to_num(share), np.nan_to_num(error)
    shared = table**2 @ error**2
    own = table @ (share * (1 - share))
    values = {"expected": table @ share, "se_precision": np.sqrt(shared), "se": np.sqrt(shared + own)}
    return pd.DataFrame(values, index=counts.index)


def recall(
    found: float, found_error: float, missed: float, missed_error: float, missed_at_most: float
) -> tuple[float, float, float]:
    """Return the share of the true units that were found, with an interval on the logit scale (delta method).

    Parameters
    ----------
    found, found_error : float
        Estimated number of true units among those found, and its standard error.
    missed, missed_error : float
        The same of those not found.
    missed_at_most : float
        Upper end of the number missed, which gives the lower end of recall where none was seen.

    Returns
    -------
    tuple of float
        Recall and the lower and upper end of its 95 % interval; NaN where nothing true was found.
    """
    if found <= 0:
        return math.nan, math.nan, math.nan
    if missed <= 0:
        return 1.0, found / (found + missed_at_most), 1.0
    share = found / (found + missed)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.hypot(found_error / found, missed_error / missed)
    odds = found / missed
    return share, 1 / (1 + math.exp(half) / odds), 1 / (1 + math.exp(-half) / odds)
