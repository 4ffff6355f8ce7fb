"""Fetch the reports of a list of announcements, as a flow for deployments; the command line calls the same function."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.fetch_manifest import MANIFEST_PARQUET
from flows.fetch_run import FetchSummary, fetch_all
from flows.settings import FetchParameters
from shuzhi import masked

MOST_SHOWN_FAILURES = 200


@flow(name="fetch-reports")
def fetch_reports(parameters: FetchParameters) -> FetchSummary:
    """Fetch the wanted reports into a folder; what is there already is not asked for again.

    One after another on purpose: the pace is the server's, and the manifest remembers what Prefect would.
    """
    logger = get_run_logger()
    try:
        return fetch_all(parameters, logger.info)
    finally:
        publish_failures(Path(parameters.folder))


def publish_failures(folder: Path) -> None:
    """Show the links that gave no report as an artifact of the run."""
    path = folder / MANIFEST_PARQUET
    if not path.exists():
        return
    rows = pd.read_parquet(path, columns=["stock_code", "report_year", "title", "status", "reason", "link"])
    lost = rows[rows["status"].isin(["failed", "refused"])]
    if len(lost):
        shown = lost.head(MOST_SHOWN_FAILURES).astype("str").map(masked)
        table = [dict(zip(shown.columns, row, strict=True)) for row in shown.itertuples(index=False, name=None)]
        create_table_artifact(table=table, key="fetch-failures", description=f"{len(lost):,} links gave no report")
