"""Tables that are made from others: left alone while these stand, made anew when any of them changes."""

from pathlib import Path

import pyarrow as pa
from world import World, text_report

from flows.made import fingerprint

CORRECTION = "- {stock_code: '600001', report_year: 2020, field: report_year, value: 2019, reason: as printed}\n"


def written(world: World) -> tuple[int, int]:
    """Return when the documents and the indices were written last."""
    found = [path for name in ("documents", "indices") for path in Path(world.store.url, name).rglob("*.parquet")]
    documents, indices = (path.stat().st_mtime_ns for path in found)
    return documents, indices


def put(world: World, code: str, **terms: int) -> None:
    text = f"股票代码：{code}\n2020年年度报告\n" + text_report(**terms)
    world.put(f"{code}_2020_年度报告.txt", text)


def test_what_stands_is_not_made_again_and_what_changed_is(world: World, tmp_path: Path):
    put(world, "600001", 大数据=2)
    world.run()
    first = written(world)
    world.run()
    assert written(world) == first
    put(world, "600002", 大数据=3)
    world.run()
    second = written(world)
    assert second[0] > first[0] and second[1] > first[1]
    assert world.counts() == {("600001", 2020): 2, ("600002", 2020): 3}
    (tmp_path / "corrections.yml").write_text(CORRECTION, encoding="utf-8")
    world.run(corrections=str(tmp_path / "corrections.yml"))
    assert world.counts() == {("600001", 2019): 2, ("600002", 2020): 3}
    world.run()
    assert world.counts() == {("600001", 2020): 2, ("600002", 2020): 3}


def test_a_table_that_was_removed_is_made_again(world: World):
    put(world, "600001", 大数据=2)
    world.run()
    for name in ("documents", "indices"):
        for part in Path(world.store.url, name).rglob("*.parquet"):
            part.unlink()
    world.run()
    assert world.counts() == {("600001", 2020): 2}


def test_a_fingerprint_is_that_of_the_rows_however_they_are_cut():
    whole = pa.table({"code": ["600001", "600002", None]})
    cut = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert fingerprint(whole) == fingerprint(cut)
    assert fingerprint(whole) != fingerprint(whole.slice(0, 2))
    assert fingerprint(whole) != fingerprint(pa.table({"code": ["600001", "600002", ""]}))
