"""Checks of the quality gate that judge firms: doubles, gaps, jumps, and moves that their text does not explain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from nlp.quality_panel import TOTAL, Array, CheckFinding, IndexPanel, QualityLimits

# How much more often than usual firms must jump in a year before it fails.
MANY_TIMES = 3.0
# Of a column that holds no counts, a jump is this many robust standard deviations of the yearly changes.
JUMP_SPREADS = 8.0


def duplicates(panel: IndexPanel, _: QualityLimits) -> list[CheckFinding]:
    """Find firm-years that stand more than once."""
    if panel.duplicated.empty:
        return []
    code, year = panel.duplicated.columns
    keys = panel.duplicated.drop_duplicates()
    names = tuple(f"{row[0]} {row[1]}" for row in keys.head(5).itertuples(index=False, name=None))
    sentence = f"{len(keys):,} firm-years stand more than once; the first row of each was judged: {', '.join(names)}"
    years = tuple(int(each) for each in sorted(keys[year].unique()))
    firms = tuple(str(each) for each in keys[code].unique()[:5])
    return [CheckFinding(sentence, "", years, float(len(keys)), 0.0, firms)]


def coverage(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding]:
    """Find years, and industries in a year, that lack firms which are there in the years before and after.

    A year that is missing for all firms is to be looked at; it fails nothing, for its values cannot be wrong.
    """
    present = ~np.isnan(panel.matrices[TOTAL if TOTAL in panel.matrices else panel.columns[0]])
    if TOTAL not in panel.matrices and len(panel.columns) > 1:
        present = np.any([~np.isnan(panel.matrices[name]) for name in panel.columns], axis=0)
    found = []
    absent = sorted(set(range(int(panel.years[0]), int(panel.years[-1]) + 1)) - {int(year) for year in panel.years})
    if absent:
        words = f"no firm has a row in {', '.join(map(str, absent))}, within {panel.years[0]} to {panel.years[-1]}"
        found.append(CheckFinding(words, "", tuple(absent), is_failure=False))
    for place in range(1, len(panel.years) - 1):
        both = present[:, place - 1] & present[:, place + 1]
        gone = both & ~present[:, place]
        found += _gap(panel, place, both, gone, "", limits)
        industry = panel.extras.get("industry")
        if industry is not None:
            of_firm = np.where(pd.isna(industry[:, place - 1]), industry[:, place + 1], industry[:, place - 1])
            for name in sorted({str(each) for each in of_firm[both] if not pd.isna(each)}):
                own = of_firm.astype(str) == name
                found += _gap(panel, place, both & own, gone & own, f"industry {name}, ", limits)
    return found


def _gap(
    panel: IndexPanel,
    place: int,
    both: npt.NDArray[np.bool_],
    gone: npt.NDArray[np.bool_],
    where: str,
    limits: QualityLimits,
) -> list[CheckFinding]:
    """Return a finding where too many of the firms that are there before and after are gone."""
    count = int(both.sum())
    share = gone.sum() / count if count else 0.0
    error = np.sqrt(limits.gap_share * (1 - limits.gap_share) / max(count, 1))
    # An industry of a few firms fails only where clearly more are gone than chance would have it.
    if count < 10 or share <= limits.gap_share + (limits.standard_errors * error if where else 0.0):
        return []
    firms = panel.name_firms(gone.astype(float))
    sentence = (
        f"{where}{panel.years[place]}: {gone.sum():,} of {count:,} firms that have a value before and after have none"
        f" ({share:.0%}): {', '.join(firms)}"
    )
    return [CheckFinding(sentence, "", (int(panel.years[place]),), float(share), 0.0, firms)]


def jumps(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding]:
    """Find firms that leave their path for one year: far above, or far below, both years around it."""
    found = []
    for column in panel.matrices:
        is_jump, can_jump = _jumps(panel, column, limits)
        found += _by_year(panel, column, is_jump, can_jump, limits, "are far from both years around it")
    return found


def _jumps(
    panel: IndexPanel, column: str, limits: QualityLimits
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which firm-years jump, and which could: those with values in both years around, not all at zero."""
    matrix = panel.matrices[column]
    is_far = _is_far(panel, column, limits)
    steps = np.diff(matrix, axis=1)
    jumped = is_far[:, :-1] & is_far[:, 1:] & (np.sign(steps[:, :-1]) == -np.sign(steps[:, 1:]))
    possible = ~np.isnan(steps[:, :-1] + steps[:, 1:]) & (np.nanmax(_three(matrix), axis=0, initial=0) > 0)
    edge = np.zeros((len(matrix), 1), dtype=bool)
    return np.hstack([edge, jumped, edge]), np.hstack([edge, possible, edge])


def _three(matrix: Array) -> Array:
    """Return the absolute values of each inner year and of the years around it, of shape (3, firms, years - 2)."""
    return np.abs(np.stack([matrix[:, :-2], matrix[:, 1:-1], matrix[:, 2:]]))


def _spread(scaled: Array) -> float:
    """Return the robust standard deviation of the yearly changes that are not zero."""
    changes = np.diff(scaled, axis=1)
    changes = changes[~np.isnan(changes) & (changes != 0)]
    return float(1.4826 * np.median(np.abs(changes - np.median(changes)))) if len(changes) else np.inf


def moves_without_text(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding] | str:
    """Find firms whose index moves far from one year to the next while the length of their text stays.

    A move back to where the firm was before counts for the year between alone, and one between the first two years for
    the one that the third year is far from.
    """
    characters = panel.extras.get("characters")
    if characters is None:
        return "no number of characters is known"
    lengths = np.asarray(characters, dtype=float)
    logs = np.log(np.where(lengths > 0, lengths, np.nan))
    is_steady = np.abs(np.diff(logs, axis=1)) < limits.steady_text
    found = []
    words = "move far from the year before while their text stays as long"
    for column, matrix in panel.matrices.items():
        is_far = _is_far(panel, column, limits)
        moves, can_move = np.zeros(matrix.shape, dtype=bool), np.zeros(matrix.shape, dtype=bool)
        is_varied = ~np.isnan(np.diff(matrix, axis=1)) & ((matrix[:, 1:] != 0) | (matrix[:, :-1] != 0))
        moves[:, 1:], can_move[:, 1:] = is_far & is_steady, is_varied & is_steady
        scaled = np.log1p(matrix) if panel.is_count[column] else matrix
        # Back where it was two years before: the year between is the one that moved.
        is_back = np.abs(scaled[:, 2:] - scaled[:, :-2]) < np.abs(scaled[:, 2:] - scaled[:, 1:-1]) / 2
        moves[:, 2:] &= ~is_far[:, :-1] & ~is_back
        if matrix.shape[1] > 2:
            moves[:, 0], can_move[:, 0] = moves[:, 1] & ~is_far[:, 1], can_move[:, 1]
            moves[:, 1] &= is_far[:, 1]
        found += _by_year(panel, column, moves, can_move, limits, words)
    return found


def _is_far(panel: IndexPanel, column: str, limits: QualityLimits) -> npt.NDArray[np.bool_]:
    """Return which firms are far from the year before, of shape (firms, years - 1)."""
    matrix = panel.matrices[column]
    if panel.is_count[column]:
        is_far = np.abs(np.diff(np.log1p(matrix), axis=1)) > np.log(limits.jump_factor)
        return np.asarray(is_far & (np.abs(np.diff(matrix, axis=1)) >= limits.jump_hits))
    return np.asarray(np.abs(np.diff(matrix, axis=1)) > JUMP_SPREADS * _spread(matrix))


def _by_year(
    panel: IndexPanel,
    column: str,
    is_found: npt.NDArray[np.bool_],
    can_be: npt.NDArray[np.bool_],
    limits: QualityLimits,
    words: str,
) -> list[CheckFinding]:
    """Return a failure for each year with unusually many such firms, and one thing to look at for all others."""
    found = []
    counts, possible = is_found.sum(axis=0), can_be.sum(axis=0)
    shares = counts / np.maximum(possible, 1)
    judged = shares[possible >= limits.least_firms]
    usual = float(np.median(judged)) if len(judged) else 0.0
    failing = []
    for place in np.flatnonzero(possible >= limits.least_firms):
        error = limits.standard_errors * np.sqrt(max(usual, 0.01) / possible[place])
        if shares[place] > max(limits.jump_share, MANY_TIMES * usual, usual + error):
            failing.append(int(place))
            firms = panel.name_firms(_size(panel, column, int(place)) * is_found[:, place])
            sentence = (
                f"{column} {panel.years[place]}: {counts[place]:,} of {possible[place]:,} firms {words}"
                f" ({shares[place]:.0%}, {usual:.0%} is usual): {', '.join(firms)}"
            )
            year = (int(panel.years[place]),)
            found.append(CheckFinding(sentence, column, year, float(shares[place]), usual, firms))
    rest = [int(place) for place in np.flatnonzero(counts) if place not in failing]
    if rest:
        names = [
            f"{firm} {panel.years[place]}"
            for place in rest
            for firm in panel.name_firms(_size(panel, column, place) * is_found[:, place], most=2)
        ]
        total = int(counts[rest].sum())
        sentence = f"{column}: {total:,} firm-years {words}, no year unusually many: {', '.join(names[:8])}"
        firms = tuple(dict.fromkeys(name.split()[0] for name in names[:8]))
        years = tuple(int(panel.years[place]) for place in rest)
        found.append(CheckFinding(sentence, column, years, float(total), np.nan, firms, is_failure=False))
    return found


def _size(panel: IndexPanel, column: str, place: int) -> Array:
    """Return how far each firm is from the year before, or after where there is none."""
    scaled = panel.scaled(column)
    other = place - 1 if place else place + 1
    return np.nan_to_num(np.abs(scaled[:, place] - scaled[:, other])) + 1e-9
