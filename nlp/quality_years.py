"""Checks of the quality gate that judge a year by the years around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from nlp.quality_panel import (
    REACH,
    Array,
    CheckFinding,
    IndexPanel,
    QualityLimits,
    mean_of,
    rank_correlation,
    spread_of,
)


def persistence(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding]:
    """Compare the ranks of the firms in a year with those in the two years on each side.

    The best of these correlations counts, so that the years beside a faulty one are not blamed for it. The standard
    error of a rank correlation near zero is ``1 / sqrt(n - 3)`` (Fisher).
    """
    found = []
    for column in panel.matrices:
        whole = _whole_column(panel, column, limits)
        if whole:
            found.append(whole)
            continue
        best = [_best(panel, column, place, limits) for place in range(len(panel.years))]
        judged = np.array([value for value, _ in best])
        if np.isnan(judged).all():
            continue
        typical = float(np.nanmedian(judged))
        for place, (value, size) in enumerate(best):
            near = [judged[each] for each in panel.around(place) if not np.isnan(judged[each])]
            usual = min(typical, float(np.median(near))) if near else typical
            margin = limits.standard_errors / np.sqrt(max(size - 3, 1))
            if value < limits.lost_persistence * usual and value + margin < usual:
                movers = panel.movers(column, place)
                sentence = (
                    f"{column} {panel.years[place]}: rank correlation with the nearest years is {value:.2f} at best,"
                    f" {usual:.2f} is usual; the values may belong to other firms."
                    f" Farthest from their ranks: {', '.join(movers)}"
                )
                found.append(CheckFinding(sentence, column, (int(panel.years[place]),), value, usual, movers))
    return found


def _best(panel: IndexPanel, column: str, place: int, limits: QualityLimits) -> tuple[float, int]:
    """Return the highest rank correlation of a year with those around it, and how many firms carry it."""
    matrix = panel.matrices[column]
    found = [rank_correlation(matrix[:, place], matrix[:, near], limits) for near in panel.around(place)]
    return max((each for each in found if not np.isnan(each[0])), default=(np.nan, 0))


def _whole_column(panel: IndexPanel, column: str, limits: QualityLimits) -> CheckFinding | None:
    """Return a finding where firms do not keep their ranks from one year to the next in half of the years."""
    matrix = panel.matrices[column]
    pairs = [rank_correlation(matrix[:, place], matrix[:, place + 1], limits) for place in range(len(panel.years) - 1)]
    known = [(value, size) for value, size in pairs if not np.isnan(value)]
    if not known:
        return None
    typical = float(np.median([value for value, _ in known]))
    margin = limits.standard_errors / np.sqrt(sum(size for _, size in known))
    if typical + margin >= limits.least_persistence:
        return None
    movers = panel.movers(column, len(panel.years) - 1)
    sentence = (
        f"{column}, every year: firms do not keep their ranks: the rank correlation with the year before is"
        f" {typical:.2f} in the median of {len(known)} pairs of years; the values seem shuffled over the firms."
        f" For example {', '.join(movers)}"
    )
    return CheckFinding(sentence, column, (), typical, limits.least_persistence, movers)


def zeros(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding]:
    """Compare the share of zeros in a year with the years on both sides, and at the ends with their trend."""
    found = []
    for column, matrix in panel.matrices.items():
        shares = mean_of(np.where(np.isnan(matrix), np.nan, matrix == 0))
        counts = (~np.isnan(matrix)).sum(axis=0)
        errors = np.sqrt(np.maximum(shares * (1 - shares), 0.25 / np.maximum(counts, 1)) / np.maximum(counts, 1))
        for place, expected, outside in _outliers(panel, shares, errors, limits.zero_jump, limits):
            if counts[place] < limits.least_firms:
                continue
            is_zero = np.where(matrix[:, place] == 0, _usual(matrix, place, panel), np.nan)
            firms = panel.name_firms(is_zero) if outside > 0 else panel.movers(column, place)
            sentence = (
                f"{column} {panel.years[place]}: {shares[place]:.0%} of {counts[place]:,} firms are at zero,"
                f" {expected:.0%} would fit the years around it. For example {', '.join(firms)}"
            )
            year = (int(panel.years[place]),)
            found.append(CheckFinding(sentence, column, year, float(shares[place]), expected, firms))
    return found


def _usual(matrix: Array, place: int, panel: IndexPanel) -> Array:
    """Return the smallest value of each firm in the years beside a year; 0 where there is none."""
    near = matrix[:, panel.beside(place)]
    return np.asarray(np.nan_to_num(np.min(np.where(np.isnan(near), np.inf, near), axis=1), posinf=0))


def level(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding]:
    """Compare the mean of ln(1 + value) in a year with the years on both sides, and at the ends with their trend.

    A column that is negative somewhere is measured in its own standard deviations.
    """
    found = []
    for column in panel.matrices:
        scaled = panel.scaled(column)
        if np.nanmin(panel.matrices[column], initial=0) < 0:
            scaled = (scaled - np.nanmean(scaled)) / (np.nanstd(scaled) or 1.0)
        counts = (~np.isnan(scaled)).sum(axis=0)
        means = mean_of(scaled)
        errors = spread_of(scaled) / np.sqrt(np.maximum(counts, 1))
        for place, expected, _ in _outliers(panel, means, errors, limits.level_jump, limits):
            if counts[place] < limits.least_firms:
                continue
            firms = panel.movers(column, place)
            sentence = (
                f"{column} {panel.years[place]}: mean of ln(1 + value) is {means[place]:.2f} over {counts[place]:,}"
                f" firms, {expected:.2f} would fit the years around it. For example {', '.join(firms)}"
            )
            found.append(
                CheckFinding(sentence, column, (int(panel.years[place]),), float(means[place]), expected, firms)
            )
    return found


def _outliers(
    panel: IndexPanel, series: Array, errors: Array, jump: float, limits: QualityLimits
) -> Iterator[tuple[int, float, float]]:
    """Yield the places of years outside the range of the years around them, what would fit, and by how much.

    A year with others on both sides must lie between the nearest of them. At the ends, the trend of the two nearest
    years is added to their range: a word that spreads may go on spreading.
    """
    for place in range(len(series)):
        before = [near for near in panel.around(place) if near < place and not np.isnan(series[near])]
        after = [near for near in panel.around(place) if near > place and not np.isnan(series[near])]
        if np.isnan(series[place]) or not (before or after):
            continue
        if before and after:
            near, trend = [before[-1], after[0]], 0.0
        else:
            near = before or after
            if len(near) < REACH:
                continue
            slope = np.diff(series[near]) / np.diff(panel.years[near])
            nearest = near[-1] if before else near[0]
            trend = float(abs(slope[0]) * abs(panel.years[place] - panel.years[nearest]))
        low, high = series[near].min() - trend, series[near].max() + trend
        outside = float(series[place] - high if series[place] > high else min(series[place] - low, 0.0))
        margin = limits.standard_errors * float(np.sqrt(errors[place] ** 2 + (errors[near] ** 2).max()))
        if abs(outside) > max(jump, margin):
            yield place, float(high if outside > 0 else low), outside


def copied_years(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding] | str:
    """Find years that repeat the one before: nearly all firms that are not at zero have its values, in all columns."""
    found = []
    # A list with one dimension gives its total alone.
    stacked = np.stack([panel.matrices[name] for name in panel.columns or panel.matrices])
    for place in range(1, len(panel.years)):
        now, then = stacked[:, :, place], stacked[:, :, place - 1]
        present = ~np.isnan(now).any(axis=0) & ~np.isnan(then).any(axis=0) & ((now != 0) | (then != 0)).any(axis=0)
        count = int(present.sum())
        if count < limits.least_firms:
            continue
        is_same = present & (now == then).all(axis=0)
        share = is_same.sum() / count
        if share > limits.copied_share:
            firms = panel.name_firms(np.where(is_same, np.abs(now).sum(axis=0), 0))
            sentence = (
                f"{panel.years[place]}: {share:.0%} of the {count:,} firms that are not at zero have the values of"
                f" {panel.years[place - 1]}; the year seems copied. For example {', '.join(firms)}"
            )
            found.append(CheckFinding(sentence, "", (int(panel.years[place]),), float(share), np.nan, firms))
    return found


def swapped_columns(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding] | str:
    """Find years in which columns continue another column instead of themselves.

    Of all ways to pair the columns of a year with those of the years beside it, the one with the largest sum of rank
    correlations is taken (assignment problem); it should pair each column with itself.
    """
    names = panel.columns
    if len(names) < 2:
        return "one column alone"
    found = []
    for place in range(len(panel.years)):
        near = panel.beside(place)
        likeness, sizes = _likeness(panel, place, near, limits)
        if np.isnan(likeness).all():
            continue
        pairs = linear_sum_assignment(-np.nan_to_num(likeness))[1]
        moved = [row for row, column in enumerate(pairs) if row != column]
        gains = [likeness[row, pairs[row]] - likeness[row, row] for row in moved]
        if len(moved) < 2:
            continue
        # Among few firms, columns that hardly differ change places by chance.
        size = min(sizes[row, column] for row in moved for column in (row, pairs[row]))
        margin = limits.standard_errors / np.sqrt(len(moved) * max(size - 3, 1))
        if min(gains) > limits.swap_gain and np.mean(gains) > margin:
            words = ", ".join(f"{names[row]} continues {names[pairs[row]]}" for row in moved)
            firms = panel.movers(names[moved[0]], place)
            sentence = (
                f"{panel.years[place]}: columns seem swapped: {words} (rank correlation higher by {min(gains):.2f} or"
                f" more). For example {', '.join(firms)}"
            )
            year = (int(panel.years[place]),)
            found += [CheckFinding(sentence, names[row], year, float(min(gains)), 0.0, firms) for row in moved]
    return found


def _likeness(
    panel: IndexPanel, place: int, near: Sequence[int], limits: QualityLimits
) -> tuple[Array, NDArray[np.int64]]:
    """Return the rank correlation of each column of a year with each column of the years beside it, and its firms."""
    names = panel.columns
    likeness = np.full((len(names), len(names)), np.nan)
    sizes = np.zeros(likeness.shape, dtype=np.int64)
    for row, first in enumerate(names):
        for column, second in enumerate(names):
            now, other = panel.matrices[first][:, place], panel.matrices[second]
            values = [rank_correlation(now, other[:, each], limits) for each in near]
            known = [value for value, _ in values if not np.isnan(value)]
            # Both years beside it must agree: one of them may itself be the faulty one.
            likeness[row, column] = min(known) if len(known) == len(near) else np.nan
            sizes[row, column] = min((size for _, size in values), default=0)
    return likeness, sizes


def alignment(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding] | str:
    """Compare how a column goes with the others in a year, with how it does usually.

    What is correlated is the column's ranks and the mean ranks of the others, over the firms of the year.
    """
    names = panel.columns
    if len(names) < 2:
        return "one column alone"
    ranks = {name: panel.ranks(name) for name in names}
    found = []
    for column in names:
        others = np.mean([ranks[name] for name in names if name != column], axis=0)
        pairs = [
            rank_correlation(ranks[column][:, place], others[:, place], limits) for place in range(len(panel.years))
        ]
        values = np.array([value for value, _ in pairs])
        if np.sum(~np.isnan(values)) < 3:
            continue
        typical = float(np.nanmedian(values))
        for place, (value, count) in enumerate(pairs):
            margin = limits.standard_errors / np.sqrt(max(count - 3, 1))
            near = [values[each] for each in panel.around(place) if not np.isnan(values[each])]
            expected = min([typical, *near], key=abs) if near else typical
            if expected > limits.least_persistence and value < limits.lost_persistence * expected - margin:
                firms = panel.movers(column, place)
                sentence = (
                    f"{column} {panel.years[place]}: rank correlation with the other columns is {value:.2f},"
                    f" {typical:.2f} is usual ({count:,} firms). For example {', '.join(firms)}"
                )
                found.append(CheckFinding(sentence, column, (int(panel.years[place]),), value, typical, firms))
    return found


def reading(panel: IndexPanel, limits: QualityLimits) -> list[CheckFinding] | str:
    """Find years whose reports were read worse: less of their pages, or shorter texts than in the years around."""
    found = []
    share = panel.extras.get("readable_share")
    characters = panel.extras.get("characters")
    if share is None and characters is None:
        return "no readable share and no number of characters is known"
    if share is not None:
        found += list(_worse_read(panel, np.asarray(share, dtype=float), limits))
    if characters is not None:
        lengths = np.log(np.where(np.asarray(characters, float) > 0, np.asarray(characters, float), np.nan))
        counts = (~np.isnan(lengths)).sum(axis=0)
        columns = (column[~np.isnan(column)] for column in lengths.T)
        medians = np.array([np.median(column) if len(column) else np.nan for column in columns])
        # The standard error of a median is 1.25 times that of a mean.
        errors = 1.25 * spread_of(lengths) / np.sqrt(np.maximum(counts, 1))
        for place, expected, outside in _outliers(panel, medians, errors, limits.shorter_text, limits):
            if outside > 0 or counts[place] < limits.least_firms:
                continue
            firms = panel.name_firms(expected - lengths[:, place])
            sentence = (
                f"{panel.years[place]}: the median text has {np.exp(medians[place]):,.0f} characters,"
                f" {np.exp(expected):,.0f} would fit the years around it. Shortest: {', '.join(firms)}"
            )
            year = (int(panel.years[place]),)
            found.append(
                CheckFinding(sentence, "", year, float(np.exp(medians[place])), float(np.exp(expected)), firms)
            )
    return found


def _worse_read(panel: IndexPanel, share: Array, limits: QualityLimits) -> Iterator[CheckFinding]:
    counts = (~np.isnan(share)).sum(axis=0)
    means, spreads = mean_of(share), spread_of(share)
    usual = float(np.nanmedian(means))
    for place, mean in enumerate(means):
        margin = limits.standard_errors * spreads[place] / np.sqrt(max(counts[place], 1))
        if usual - mean > max(limits.worse_reading, margin):
            firms = panel.name_firms(usual - share[:, place])
            sentence = (
                f"{panel.years[place]}: {mean:.1%} of the pages are readable on average, {usual:.1%} is usual."
                f" Worst: {', '.join(firms)}"
            )
            yield CheckFinding(sentence, "", (int(panel.years[place]),), float(mean), usual, firms)
