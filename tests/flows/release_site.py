"""An inbox, the folder of reports, and the releases that are made of them, as the tests of publishing use them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from world import text_report

from flows.annual import UpdateSummary, annual_update, publish_release
from flows.publishing.publish import Publishing
from flows.settings import AnnualUpdateParameters, PublishParameters

FIRMS = 12
DEFINITIONS = """\
data_set: {name: digital-firms, licence: CC-BY-4.0}
definitions:
  - {name: wu, dictionaries: [wu2021], keep: [raw, strict]}
  - {name: token, dictionaries: [zhao2021], rule: token}
"""
BIG = "wu2021_big_data_count"


class Site:
    """An inbox, the folder of reports, and the releases that are made of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox, self.reports, self.out, self.releases = (
            root / name for name in ("inbox", "reports", "out", "releases")
        )
        self.inbox.mkdir()
        (root / "definitions.yml").write_text(DEFINITIONS, encoding="utf-8")

    def arrive(self, name: str, data: str | bytes) -> None:
        (self.inbox / name).write_bytes(data.encode("utf-8") if isinstance(data, str) else data)

    def year_arrives(self, year: int, **more: int) -> None:
        """Let a report of each firm arrive; firm 3 writes of big data three times, and so on."""
        for firm in range(1, FIRMS + 1):
            text = text_report(大数据=firm, 云计算=firm % 3, **more) + f"\n本报告编号为第{year}号之{firm}。"
            self.arrive(f"{firm:06d}_{year}年年度报告.txt", text)

    def given(self, given: Mapping[str, Any]) -> dict[str, Any]:
        where = {"inbox": self.inbox, "folder": self.reports, "out": self.out, "releases": self.releases}
        named = {name: str(path) for name, path in where.items()}
        return {**named, "settle_seconds": 0.0, "definitions": str(self.root / "definitions.yml")} | dict(given)

    def update(self, year: int, **given: Any) -> UpdateSummary:
        return annual_update(AnnualUpdateParameters(year=year, **self.given(given)))

    def publish(self, **given: Any) -> Publishing:
        left_out = ("inbox", "folder", "settle_seconds")
        values = {name: value for name, value in self.given(given).items() if name not in left_out}
        return publish_release(PublishParameters(store=str(self.out / "store"), **values)).publishing

    def table(self, version: str, definition: str = "wu", name: str = "indices.csv") -> pd.DataFrame:
        path = self.releases / version / definition / name
        return pd.read_csv(path, encoding="utf-8-sig", dtype={"stock_code": str})

    def counts(self, version: str, column: str = BIG) -> dict[tuple[str, int], float]:
        table = self.table(version)
        return dict(zip(zip(table["stock_code"], table["report_year"], strict=True), table[column], strict=True))


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
