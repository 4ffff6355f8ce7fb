"""The new year beside the year before: mean, zeros, missing values and coverage, for the same firms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from flows.publishing.gate_numbers import Move, Readable, moves, readable
from flows.publishing.gate_report import CheckName, GateCheck
from flows.settings import GateOptions
from nlp.quality_panel import QualityLimits


def new_year(definition: str, counts: pd.DataFrame, year: int, options: GateOptions) -> Iterator[GateCheck]:
    """Judge the new year beside the year before: mean, zeros, missing, coverage."""
    means, zeros = moves(counts, year)
    limits: tuple[tuple[CheckName, list[Move], float, Callable[[float], str], str], ...] = (
        ("new_year_mean", means, options.largest_mean_jump, "{:.2f}".format, "the mean of ln(1 + count)"),
        ("new_year_zeros", zeros, options.largest_zero_jump, "{:.1%}".format, "the share of zeros"),
    )
    for name, found, limit, show, what in limits:
        yield _judge_moves(name, definition, found, limit, show, what, year, options)
    states = readable(counts, year)
    yield _judge_missing(definition, states, year, options)
    yield _judge_coverage(definition, states, year, options)


def _judge_moves(
    name: CheckName,
    definition: str,
    found: Sequence[Move],
    limit: float,
    show: Callable[[float], str],
    what: str,
    year: int,
    options: GateOptions,
) -> GateCheck:
    """Judge the moves of all indices; small ones of few firms are chance (four standard errors)."""
    judged = [each for each in found if each.firms >= options.least_firms]
    if not judged:
        most = max((each.firms for each in found), default=0)
        words = f"{most:,} firms have a value in {year - 1} and {year}; at least {options.least_firms} are needed"
        return GateCheck(name, "skipped", words, definition)
    errors = QualityLimits().standard_errors
    faulty = [each for each in judged if each.size > limit and each.size > errors * each.standard_error]
    worst = max(faulty or judged, key=lambda each: each.size)
    sentence = (
        f"{worst.index}: {what} goes from {show(worst.before)} in {year - 1} to {show(worst.after)} in {year} for the"
        f" {worst.firms:,} firms with both (by at most {show(limit)})"
    )
    sentence += f"; {len(faulty) - 1:,} more indices move so far" if len(faulty) > 1 else ""
    is_chance = not faulty and worst.size > limit
    sentence += f"; within {errors:g} standard errors, so it may be chance" if is_chance else ""
    return GateCheck(name, "fail" if faulty else "ok", sentence, definition, worst.size, limit)


def _judge_missing(definition: str, found: Sequence[Readable], year: int, options: GateOptions) -> GateCheck:
    name: CheckName = "new_year_missing"
    judged = [each for each in found if min(each.rows_before, each.rows_after) >= options.least_firms]
    if not judged:
        words = f"fewer than {options.least_firms} reports of {year - 1} or {year}"
        return GateCheck(name, "skipped", words, definition)
    limit = options.largest_missing_jump
    worst = max(judged, key=lambda each: each.rise)
    sentence = (
        f"{worst.index}: {worst.rows_after - worst.values_after:,} of {worst.rows_after:,} reports of {year} give no"
        f" value, {worst.rows_before - worst.values_before:,} of {worst.rows_before:,} of {year - 1}"
        f" ({100 * worst.rise:+.1f} percentage points, at most {100 * limit:+.1f})"
    )
    return GateCheck(name, "fail" if worst.rise > limit else "ok", sentence, definition, worst.rise, limit)


def _judge_coverage(definition: str, found: Sequence[Readable], year: int, options: GateOptions) -> GateCheck:
    name: CheckName = "new_year_coverage"
    if not found:
        return GateCheck(name, "skipped", f"no reports of {year - 1} or of {year}", definition)
    worst, least = min(found, key=lambda each: each.coverage), options.least_coverage
    sentence = (
        f"{worst.firms_back:,} of the {worst.values_before:,} firms with a value in {year - 1} have a report of {year}"
        f" ({worst.coverage:.1%}, at least {least:.1%})"
    )
    return GateCheck(name, "fail" if worst.coverage < least else "ok", sentence, definition, worst.coverage, least)
