"""The tables of docs/scale.md from the results of :mod:`tests.benchmarks.scale`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MEGABYTE = 1e6
# Annual reports of A-share firms for 2001 to 2025, about.
ALL_REPORTS = 67_500
CORES = (2, 16, 64)
# The tables whose size is that of the texts.
OF_TEXTS = ("readings", "pages", "texts", "sections", "furniture", "hits")

Result = Mapping[str, Any]


def scale_table(found: Sequence[Result], start_up: Result) -> str:
    """Return what each size took and filled, a column a size."""
    rows = [
        ("reports (each found once, with its own count)", [f"{each['reports']:,}" for each in found]),
        ("whole job, seconds", [_seconds(each["first"]["seconds"]) for each in found]),
        ("of it reading", [_seconds(each["first"]["reading"]) for each in found]),
        ("of it measuring", [_seconds(each["first"]["measuring"]) for each in found]),
        ("of it exporting", [_seconds(each["first"]["exporting"]) for each in found]),
        ("reports a second", [f"{each['reports'] / each['first']['seconds']:.1f}" for each in found]),
        ("reports a second without start-up", [f"{rate(each, start_up):.1f}" for each in found]),
        ("beside the smallest size", [f"{rate(each, start_up) / rate(found[0], start_up):.2f}" for each in found]),
        ("processor seconds per 1,000 reports: workers", [_per_thousand(each, start_up, "worker") for each in found]),
        ("the same: main process", [_per_thousand(each, start_up, "main") for each in found]),
        ("the same command again, nothing new, seconds", [_seconds(each["second"]["seconds"]) for each in found]),
        ("peak memory of a worker, MB", [_whole(each["first"]["worker_megabytes"]) for each in found]),
        ("peak memory of the main process, MB", [_whole(each["first"]["main_megabytes"]) for each in found]),
        ("peak memory of Prefect's server, MB", [_whole(each["first"]["prefect_megabytes"]) for each in found]),
        ("open files of the main process, most", [_whole(each["first"]["open_files"]) for each in found]),
        ("store, MB", [f"{sum(each['store'].values()) / MEGABYTE:,.1f}" for each in found]),
        *((f"of it {name}", [f"{each['store'][name] / MEGABYTE:,.1f}" for each in found]) for name in OF_TEXTS),
        ("exported files, MB", [f"{sum(each['exports'].values()) / MEGABYTE:,.1f}" for each in found]),
        ("Prefect's database, MB", [f"{each['prefect_bytes'] / MEGABYTE:.1f}" for each in found]),
        ("task runs, all of them kept", [_whole(each["task_runs"]) for each in found]),
    ]
    return _table(["", *("" for _ in found)], rows)


def real_table(real: Result, start_up: Result) -> str:
    """Return what the whole real reports took and filled, per page."""
    pages = real["pages"]
    rows = [
        ("reports, pages", [f"{real['reports']} real reports, {pages:,} pages, {real['first']['hits']:,} hits"]),
        ("workers, processor time", [f"{1000 * of_pages(real, start_up, 'worker') / pages:.2f} ms a page"]),
        ("main process, processor time", [f"{1000 * of_pages(real, start_up, 'main') / pages:.2f} ms a page"]),
        ("store", [f"{sum(real['store'][name] for name in OF_TEXTS) / pages / 1000:.2f} KB a page"]),
        ("peak memory of a worker", [f"{real['first']['worker_megabytes']:.0f} MB"]),
    ]
    return _table(["what", "result"], rows)


def estimate_table(real: Result, start_up: Result, largest: Result) -> str:
    """Return how long all reports of all years take on some numbers of cores, with the arithmetic."""
    pages = ALL_REPORTS * real["pages"] / real["reports"]
    workers = pages * of_pages(real, start_up, "worker") / real["pages"]
    main = pages * of_pages(real, start_up, "main") / real["pages"]
    export = ALL_REPORTS * largest["first"]["exporting"] / largest["reports"]
    store = pages * sum(real["store"][name] for name in OF_TEXTS) / real["pages"] / 1e9
    rows = []
    for cores in CORES:
        shared = (workers + main) / cores
        by_processes = max(shared, main)
        rows.append((f"{cores} cores", [_hours(by_processes + export), _hours(shared + export)]))
    table = _table(["read, measure and export", "processes of one machine", "dask"], rows)
    lines = [
        f"{ALL_REPORTS:,} reports × {real['pages'] / real['reports']:.0f} pages = {pages / 1e6:.1f} million pages;"
        f" workers {workers / 3600:.1f} and main process {main / 3600:.1f} processor hours;"
        f" export {_hours(export)}; store {store:,.0f} GB.",
        "",
        table,
    ]
    return "\n".join(lines)


def rate(found: Result, start_up: Result) -> float:
    """Return reports a second of a size, without what ten reports take."""
    return float((found["reports"] - start_up["reports"]) / (found["first"]["seconds"] - start_up["first"]["seconds"]))


def of_pages(real: Result, start_up: Result, who: str) -> float:
    """Return processor seconds beyond start-up."""
    name = f"{who}_processor"
    return float(real["first"][name] - start_up["first"][name])


def _per_thousand(found: Result, start_up: Result, who: str) -> str:
    return f"{1000 * of_pages(found, start_up, who) / (found['reports'] - start_up['reports']):.1f}"


def _seconds(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])
