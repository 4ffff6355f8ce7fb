"""The gate as a command: on files of every kind, on a store, and its exit code."""

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner
from world import World, text_report

from flows.cli_quality import quality
from flows.quality_gate import PanelColumns, check_panel, check_store, read_panel
from shuzhi import StoreError, UsageError
from tests.benchmarks.validity import shuffled_year, simulate_panel

SEED = 11


@pytest.fixture(scope="module")
def clean():
    return simulate_panel(SEED)


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(quality)
    return made


def spoiled(clean) -> tuple[pd.DataFrame, int]:
    year = clean.years[4]
    return shuffled_year(clean, np.random.default_rng(SEED), year)[0], year


def test_a_clean_panel_passes_and_a_spoiled_one_fails_with_its_year(clean, app, tmp_path):
    clean.panel.to_csv(tmp_path / "clean.csv", index=False)
    panel, year = spoiled(clean)
    panel.to_csv(tmp_path / "spoiled.csv.gz", index=False)
    good = CliRunner().invoke(app, [str(tmp_path / "clean.csv")])
    assert (good.exit_code, "passes" in good.stdout) == (0, True)
    bad = CliRunner().invoke(app, [str(tmp_path / "spoiled.csv.gz"), "--out", str(tmp_path / "out")])
    assert bad.exit_code == 1
    assert f"years at fault: {year}\n" in bad.stdout
    table = pd.read_csv(tmp_path / "out" / "quality.csv", encoding="utf-8-sig")
    assert set(table["panel"]) == {"spoiled.csv.gz"}
    assert str(year) in set(table.loc[table["status"] == "fail", "report_year"].astype(str))
    assert f"years at fault: {year}" in (tmp_path / "out" / "quality.md").read_text(encoding="utf-8")


def test_every_kind_of_file_is_judged_alike(clean, tmp_path):
    panel, _ = spoiled(clean)
    panel.to_parquet(tmp_path / "p.parquet")
    panel.to_stata(tmp_path / "p.dta", write_index=False)
    panel.to_excel(tmp_path / "p.xlsx", index=False)
    with (tmp_path / "p.csv").open("w", encoding="utf-8-sig") as file:
        file.write("# source: simulated, one line of notes\n")
        panel.to_csv(file, index=False)
    columns = PanelColumns(values=clean.terms)
    found = [
        next(iter(check_panel(str(tmp_path / f"p.{kind}"), columns).values())).to_frame()
        for kind in ("csv", "parquet", "dta", "xlsx")
    ]
    for each in found[1:]:
        pd.testing.assert_frame_equal(each, found[0])


def test_stock_codes_get_their_zeros_back(tmp_path):
    frame = pd.DataFrame({"stock_code": [1, 600519], "report_year": [2020, 2020], "n": [1, 2]})
    frame.to_parquet(tmp_path / "p.parquet")
    frame.to_csv(tmp_path / "p.csv", index=False)
    for name in ("p.parquet", "p.csv"):
        assert list(read_panel(str(tmp_path / name))["stock_code"]) == ["000001", "600519"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "cannot be read"),
        ("a.txt", b"x", "no kind of table that is known"),
        ("a.csv", b"\xff\xfe\xba", "save it as CSV in UTF-8"),
        ("a.csv", b"stock_code,year,n\n1,2020,1\n", "no column report_year"),
    ],
)
def test_a_file_that_cannot_be_judged_is_named(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        check_panel(str(tmp_path / name), PanelColumns())


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_the_counts_of_a_store_are_judged_by_list_rule_and_scope(world: World, app):
    for year, firm in ((year, firm) for year in (2018, 2019, 2020) for firm in (1, 2)):
        world.put(f"00000{firm}_{year}_年度报告.txt", text_report(大数据=firm + year - 2018, 云计算=firm))
    # The same bytes under another firm's name are that firm's report too, and no firm-year twice.
    world.put("000003_2018_年度报告.txt", text_report(大数据=1, 云计算=1))
    world.read()
    with pytest.raises(StoreError, match="has no indices"):
        check_store(world.store)
    world.measure(scopes=["report", "body"])
    reports = check_store(world.store)
    assert set(reports) == {"wu2021_longest_report", "wu2021_longest_body"}
    report = reports["wu2021_longest_report"]
    assert report.columns[-1] == "total"
    assert len(report.columns) == 6
    skipped = {check.name for check in report.checks if check.status == "skipped"}
    assert skipped == set()
    assert next(check.status for check in report.checks if check.name == "duplicates") == "ok"
    assert set(check_store(world.store, ["wu2021"], ["longest"], ["body"])) == {"wu2021_longest_body"}
    done = CliRunner().invoke(app, ["--store", str(world.root / "store")])
    assert done.exit_code == 0
    assert "wu2021_longest_body" in done.stdout
