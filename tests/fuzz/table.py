"""The table of a fuzzing run: kinds by status, what it cost, and each failure with what makes it again."""

import os
import statistics
from collections import Counter
from collections.abc import Sequence

from tests.fuzz.checks import MEMORY_SLACK_MEGABYTES, SECONDS_SLACK, Limits, Result

MOST_REASONS = 40
ROOT_NOTE = "Run by the superuser, who may read every file: that a forbidden file is failed was not checked."


def render(results: Sequence[Result], seed: int, count: int, limits: Limits) -> str:
    """Return the table as Markdown."""
    statuses: Counter[tuple[str, str]] = Counter()
    seconds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for result in results:
        statuses.update(result.statuses)
        seconds.update(result.seconds_by_kind)
        reasons.update(result.reasons)
    starts = [seconds for result in results for seconds in result.starts] or [0.0]
    faults = [(fault, result) for result in results for fault in result.faults]
    columns = sorted({status for _, status in statuses}, key=lambda status: (status != "ok", status))
    kinds = sorted({kind for kind, _ in statuses})
    lines = [
        f"# {count:,} mutations, seed {seed}",
        "",
        f"At most {limits.seconds:g} s (slack {SECONDS_SLACK:g} s) and {limits.megabytes} MB (slack"
        f" {MEMORY_SLACK_MEGABYTES} MB) a file, {limits.workers} workers.",
        f"{sum(result.seconds for result in results):,.0f} s in all; peak of a worker"
        f" {max(result.peak_megabytes for result in results):,.0f} MB;"
        f" {sum(result.replaced for result in results):,} workers replaced, a new one ready after"
        f" {statistics.median(starts):.1f} s (median), {max(starts):.1f} s at most; {len(faults)} faults.",
        *(["", ROOT_NOTE] if os.geteuid() == 0 else []),
        "",
        f"| mutation | {' | '.join(columns)} | seconds |",
        f"|---|{'---:|' * (len(columns) + 1)}",
    ]
    for kind in kinds:
        cells = [str(statuses[kind, status] or "") for status in columns]
        lines.append(f"| {kind} | {' | '.join(cells)} | {seconds[kind]:,.0f} |")
    totals = [sum(number for (_, status), number in statuses.items() if status == each) for each in columns]
    lines += [f"| all | {' | '.join(map(str, totals))} | {sum(seconds.values()):,.0f} |", "", "## Reasons", ""]
    lines += [f"- {number} × {reason}" for reason, number in reasons.most_common(MOST_REASONS)]
    lines += ["", "## Faults", ""]
    for fault, result in faults:
        again = f"--only {fault.number}" if fault.number else f"--first {result.first} --count {result.last}"
        lines.append(f"- {fault.kind}: {fault.what} (`python -m tests.fuzz --seed {seed} {again}`)")
    if not faults:
        lines.append("None.")
    return "\n".join(lines) + "\n"
