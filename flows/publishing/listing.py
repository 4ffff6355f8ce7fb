"""The releases of a data set as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from flows.publishing.releases import find_releases
from shuzhi import UsageError

COLUMNS = ["version", "previous", "definitions", "firm_years", "with_value", "gate", "published_despite"]


def table_of(releases: Path) -> pd.DataFrame:
    """Return one row a release, the newest first; counts are those of the definition with most firm-years.

    Raises
    ------
    UsageError
        If there is no release.
    """
    found = find_releases(releases)
    if not found:
        raise UsageError(f"{releases}: no release in it; name the folder that --releases named")
    rows = []
    for each in reversed(found):
        counts = [facts["counts"] for facts in each.facts["definitions"].values()]
        rows.append(
            {
                "version": each.version,
                "previous": (each.facts["previous"] or {}).get("version", ""),
                "definitions": len(counts),
                "firm_years": max(count["firm_years"] for count in counts),
                "with_value": max(count["firm_years_with_value"] for count in counts),
                "gate": each.facts["gate"]["verdict"],
                "published_despite": each.facts["publish_despite"],
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
