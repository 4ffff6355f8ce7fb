"""Every cause alone and all at once, by real flows: two exports that differ in what was done between them."""

import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from world import World, text_report

from flows.publishing.difference import Comparison, compare, write_changes
from flows.publishing.difference_places import compare_places
from shuzhi import UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

LIST = """\
name: mine
family: digital
title: {{zh: 自编, en: Own}}
authors: [Nobody]
year: 2024
verified: false
unit_of_count: occurrences
dimensions:
  - {{id: data, zh: 数据, en: Data, terms: [{data}]}}
  - {{id: smart, zh: 智能, en: Smart, terms: [{smart}]}}
"""
DATA, SMART = "大数据, 数据, 云计算", "人工智能"
TERM = re.compile(r"([+-]\d+) ([^,;: ]+)")
FIRM_YEAR = ["stock_code", "report_year"]
Change = Callable[[World], Any]


def put_list(world: World, data: str = DATA, smart: str = SMART) -> dict[str, Any]:
    folder = world.root / "dictionaries"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yml").write_text(LIST.format(data=data, smart=smart), encoding="utf-8")
    return options_of(world)


def options_of(world: World) -> dict[str, Any]:
    folder = str(world.root / "dictionaries")
    return {"dictionaries": ["mine"], "dictionary_folder": folder, "keep": ["raw", "strict"]}


def put_reports(world: World) -> None:
    for firm in range(1, 5):
        for year in (2020, 2021):
            text = text_report(大数据=firm, 云计算=2, 数据=1, 人工智能=year - 2019)
            world.put(f"00000{firm}_{year}年年度报告.txt", text + f"\n{year}年第{firm}号。")
    world.put("000001_2021年年度报告（修订版）.txt", text_report(大数据=9, 人工智能=2) + "\n修订。")
    world.put("000005_2021年年度报告.pdf", b"%PDF-1.4 cut off\n%%EOF")
    world.put("000006_2021年年度报告.pdf", two_columns())
    world.put("000007_2021年年度报告.txt", text_report(大數據=3, 大数据=1))


def two_columns() -> bytes:
    """Return a PDF in which one reader goes down a column and the other along the lines, through a word."""
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(595, 842), invariant=1)
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    for left, lines in (
        (40, ["董事会报告如下", "公司推进大数", "据建设，表示感谢。"]),
        (300, ["本公司经营情况良好"] * 3),
    ):
        text = canvas.beginText(left, 700)
        text.setFont("STSong-Light", 12)
        for line in lines:
            text.textLine(line)
        canvas.drawText(text)
    canvas.save()
    return stream.getvalue()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, pool: None) -> tuple[World, Path]:
    """Read, measure and export reports of seven firms once; return their world and a copy of it to go back to."""
    world = World(tmp_path_factory.mktemp("base") / "world")
    put_reports(world)
    world.run(**put_list(world))
    backup = tmp_path_factory.mktemp("backup") / "world"
    shutil.copytree(world.root, backup)
    return world, backup


@pytest.fixture
def world(base: tuple[World, Path]) -> World:
    """Give the world as it was; a store knows its folder by its path."""
    world, backup = base
    shutil.rmtree(world.root)
    shutil.copytree(backup, world.root)
    return world


@pytest.fixture
def before(base: tuple[World, Path]) -> Path:
    return base[1] / "out"


@pytest.fixture
def change(world: World, before: Path):
    """Give a function that does something to the world, runs it, and compares what came out with what was before."""

    def run(do: Change = lambda _: None, **given: Any) -> Comparison:
        options = do(world) or {}
        world.run(**options_of(world), **options, **given)
        return witnessed(before, world.out)

    return run


def used_hits(folder: Path) -> dict[tuple[str, int], Counter[tuple[str, str]]]:
    """Count the terms of each used report by hand: a second way to the same numbers."""
    hits = pd.read_parquet(folder / "hits.parquet", columns=[*FIRM_YEAR, "is_used", "dimension", "term"])
    found: dict[tuple[str, int], Counter[tuple[str, str]]] = {}
    for code, year, is_used, dimension, term in hits.itertuples(index=False, name=None):
        if is_used:
            found.setdefault((code, int(year)), Counter())[dimension, term] += 1
    return found


def witnessed(before: Path, after: Path) -> Comparison:
    """Compare two exports, and check every changed count against hits counted anew, and that nothing is left out."""
    found = compare(before, after)
    tables = [pd.read_parquet(folder / "indices_long.parquet") for folder in (before, after)]
    keys = [*FIRM_YEAR, "index"]
    both = tables[0].merge(tables[1], on=keys, suffixes=("_before", "_after"))
    same = (both["value_before"] == both["value_after"]) | both[["value_before", "value_after"]].isna().all(axis=1)
    expected = set(both.loc[~same, keys].itertuples(index=False, name=None))
    assert set(found.values[keys].itertuples(index=False, name=None)) == expected
    assert not found.values.duplicated(keys).any()
    assert found.unexplained == 0
    hits = [used_hits(folder) for folder in (before, after)]
    for row in found.values.dropna(subset=["before", "after"]).to_dict("records"):
        if re.fullmatch("mine_(data|smart|total)_count", row["index"]):
            check_terms(row, *(each.get((row["stock_code"], row["report_year"]), Counter()) for each in hits))
    return found


def check_terms(row: dict[str, Any], before: Counter[tuple[str, str]], after: Counter[tuple[str, str]]) -> None:
    """Check that the terms that a detail names make up the change, each as often as the hits say."""
    dimension = row["index"].split("_")[1]
    steps: Counter[str] = Counter()
    for (of, term), count in after.items():
        steps[term] += count if dimension in ("total", of) else 0
    for (of, term), count in before.items():
        steps[term] -= count if dimension in ("total", of) else 0
    told: Counter[str] = Counter()
    for step, term in TERM.findall(row["detail"]):
        told[term] += int(step)
    assert {term: step for term, step in told.items() if step} == {term: step for term, step in steps.items() if step}
    assert sum(told.values()) == row["after"] - row["before"]


def causes(found: Comparison) -> set[str]:
    return set(found.values["cause"])


def firm_year(found: Comparison, code: str, year: int) -> tuple[str, str]:
    rows = found.firm_years
    row = rows[(rows["stock_code"] == code) & (rows["report_year"] == year)]
    assert len(row) == 1
    return str(row["change"].item()), str(row["cause"].item())


def value(found: Comparison, code: str, year: int, index: str) -> dict[str, Any]:
    rows = found.values
    row = rows[(rows["stock_code"] == code) & (rows["report_year"] == year) & (rows["index"] == index)]
    assert len(row) == 1
    return dict(row.to_dict("records")[0])


def touched(found: Comparison) -> set[tuple[str, int]]:
    return set(found.values[FIRM_YEAR].itertuples(index=False, name=None))


# Nothing changed


def test_the_same_export_twice_is_no_difference(before: Path, world: World):
    shutil.rmtree(world.out)
    world.run(**options_of(world))
    found = witnessed(before, world.out)
    assert found.is_identical and found.is_same
    assert found.summary() == ["no difference: every table and page is the same, byte for byte"]
    assert (len(found.values), len(found.facts), len(found.files), len(found.indices)) == (0, 0, 0, 0)
    assert set(found.firm_years["change"]) == {"unchanged"}


def test_a_file_with_other_bytes_but_the_same_numbers_is_said_to_be_other(before: Path, world: World):
    (world.out / "codebook.md").write_text("another", encoding="utf-8")
    found = compare(before, world.out)
    assert found.is_same and not found.is_identical
    assert found.summary()[0].startswith("no number differs (")


# Files


def test_a_new_firm_is_a_new_file_and_changes_no_other_number(change):
    found = change(lambda world: world.put("000008_2021年年度报告.txt", text_report(大数据=1)))
    assert firm_year(found, "000008", 2021) == ("added", "new_file")
    assert len(found.values) == 0 and not found.is_same
    assert "firms added: 1: 000008" in found.summary()


def test_a_revised_report_is_named_with_the_terms_that_came_and_went(change, world: World):
    def revise(world: World) -> None:
        text = text_report(大数据=7, 云计算=1, 数据=1, 人工智能=2)
        world.put("000003_2021年年度报告（修订版）.txt", text + "\n2021年第3号。")

    found = change(revise)
    assert causes(found) == {"revised_report"} and touched(found) == {("000003", 2021)}
    assert "revised reports: 1: 000003 2021" in found.summary()
    row = value(found, "000003", 2021, "mine_total_count")
    # 大数据 3 -> 7, 云计算 2 -> 1.
    assert (row["before"], row["after"]) == (8, 11)
    assert row["detail"] == (
        "file 000003_2021年年度报告（修订版）.txt (revised 1) takes the place of file 000003_2021年年度报告.txt"
        " (original): +4 大数据, -1 云计算"
    )
    density = value(found, "000003", 2021, "mine_total_per_10k_chars")
    first, second = (
        f"{len(re.findall('[一-龥]', (world.reports / name).read_text(encoding='utf-8'))):,}"
        for name in ("000003_2021年年度报告.txt", "000003_2021年年度报告（修订版）.txt")
    )
    assert f"Chinese characters {first} -> {second}" in density["detail"]


def test_a_longer_file_of_the_same_firm_and_year_is_a_new_file(change):
    text = text_report(大数据=4, 云计算=2, 数据=1, 人工智能=2) + "\n本公司经营情况良好。"
    found = change(lambda world: world.put("000002_2021年年度报告全文.txt", text))
    assert causes(found) == {"new_file"} and touched(found) == {("000002", 2021)}
    assert value(found, "000002", 2021, "mine_data_count")["detail"].endswith(": +2 大数据")


def test_a_file_with_other_bytes_under_the_same_name_is_a_new_file(change):
    text = text_report(大数据=5, 云计算=2, 数据=1, 人工智能=1)
    found = change(lambda world: world.put("000002_2020年年度报告.txt", text))
    assert causes(found) == {"new_file"}
    assert "has other bytes" in value(found, "000002", 2020, "mine_total_count")["detail"]
    assert found.files["change"].to_list() == ["other bytes"]


def test_a_removed_file_leaves_the_earlier_version_or_no_firm_year(change):
    def remove(world: World) -> None:
        (world.reports / "000001_2021年年度报告（修订版）.txt").unlink()
        (world.reports / "000004_2020年年度报告.txt").unlink()

    found = change(remove)
    assert causes(found) == {"removed_file"} and touched(found) == {("000001", 2021)}
    assert "takes its place" in value(found, "000001", 2021, "mine_total_count")["detail"]
    assert firm_year(found, "000004", 2020) == ("removed", "removed_file")


def test_a_copy_of_a_file_changes_no_number(change):
    def copy(world: World) -> None:
        (world.reports / "copies").mkdir()
        shutil.copy(world.reports / "000002_2021年年度报告.txt", world.reports / "copies")

    found = change(copy)
    assert found.is_same and len(found.facts) == 0
    assert found.files["change"].to_list() == ["renamed or copied"]
    assert found.summary()[0].startswith("no number differs (")


def test_a_renamed_file_changes_no_number(change):
    def rename(world: World) -> None:
        (world.reports / "moved").mkdir()
        (world.reports / "000002_2021年年度报告.txt").rename(world.reports / "moved" / "000002_2021年年度报告.txt")

    found = change(rename)
    assert found.is_same
    assert found.facts[["column", "cause"]].to_numpy().tolist() == [["file", "renamed_file"]]


def test_missing_becomes_a_value_by_a_readable_file_and_is_never_zero(change, world: World, before: Path):
    found = change(lambda world: world.put("000005_2021年年度报告.txt", text_report(大数据=2)))
    assert causes(found) == {"new_file"} and touched(found) == {("000005", 2021)}
    row = value(found, "000005", 2021, "mine_total_count")
    assert pd.isna(row["before"]) and row["after"] == 2
    assert "missing before (" in row["detail"]
    back = witnessed(world.out, before)
    assert causes(back) == {"removed_file"}
    row = value(back, "000005", 2021, "mine_total_count")
    assert row["before"] == 2 and pd.isna(row["after"]) and "missing now (" in row["detail"]


# Corrections


def corrected(entries: str) -> Change:
    def write(world: World) -> dict[str, Any]:
        (world.root / "corrections.yml").write_text(entries, encoding="utf-8")
        return {"corrections": str(world.root / "corrections.yml")}

    return write


def test_a_corrected_year_moves_the_firm_year_and_names_the_entry(change):
    entry = "- {file: 000004_2020年年度报告.txt, field: report_year, value: 2019, reason: the cover says so}\n"
    found = change(corrected(entry))
    assert firm_year(found, "000004", 2020) == ("removed", "correction")
    assert firm_year(found, "000004", 2019) == ("added", "correction")
    assert len(found.values) == 0
    detail = found.firm_years.loc[found.firm_years["change"] == "added", "detail"].item()
    assert detail == (
        "file 000004_2020年年度报告.txt: report_year 2020 -> 2019 (corrections.yml line 1: the cover says so)"
    )


def test_an_excluded_file_gives_way_to_the_earlier_version(change):
    entry = "- {file: 000001_2021年年度报告（修订版）.txt, field: status, value: exclude, reason: a draft}\n"
    found = change(corrected(entry))
    assert causes(found) == {"correction"} and touched(found) == {("000001", 2021)}
    detail = value(found, "000001", 2021, "mine_total_count")["detail"]
    assert "is excluded now (corrections.yml line 1: a draft)" in detail


def test_a_firm_that_is_renamed_by_a_correction_changes_no_number(change):
    entry = "- {file: 000002_2021年年度报告.txt, field: company_name, value: 新名股份有限公司, reason: renamed}\n"
    found = change(corrected(entry))
    assert found.is_same
    assert found.facts[["column", "after", "cause"]].to_numpy().tolist() == [
        ["company_name", "新名股份有限公司", "correction"]
    ]


# Definitions


def test_an_edited_list_explains_each_hit_by_its_terms(change):
    def edit(world: World) -> None:
        # 云计算 leaves, 建设 comes, 数据 moves to the other dimension.
        put_list(world, data="大数据, 建设", smart="人工智能, 数据")

    found = change(edit)
    assert causes(found) == {"dictionary"}
    row = value(found, "000003", 2020, "mine_data_count")
    # Before 3 + 2 + 1; now 3 大数据 and one 建设 a sentence: 3 + 2 + 1 + 1.
    assert (row["before"], row["after"]) == (6, 10)
    assert re.fullmatch(r"dictionary mine [0-9a-f]{12} -> [0-9a-f]{12}: \+7 建设, -2 云计算, -1 数据", row["detail"])
    assert value(found, "000003", 2020, "mine_smart_count")["detail"].endswith(": +1 数据")
    # The move shows in no total.
    assert value(found, "000003", 2020, "mine_total_count")["detail"].endswith(": +7 建设, -2 云计算")


def test_a_longer_term_takes_the_hits_of_a_shorter_one_and_both_are_the_lists_work(change):
    found = change(lambda world: put_list(world, smart="人工智能, 大数据建设") and None)
    assert causes(found) == {"dictionary"}
    assert value(found, "000004", 2020, "mine_data_count")["detail"].endswith(": -4 大数据")
    assert value(found, "000004", 2020, "mine_smart_count")["detail"].endswith(": +4 大数据建设")
    assert "mine_total_count" not in set(found.values["index"])


def test_another_rule_is_named(change):
    found = change(rule="substring")
    assert causes(found) == {"rule"}
    assert value(found, "000004", 2021, "mine_data_count")["detail"] == "rule longest -> substring: +4 数据"


def test_another_script_is_a_rule(change):
    found = change(script="simplified")
    assert causes(found) == {"rule"} and touched(found) == {("000007", 2021)}
    detail = value(found, "000007", 2021, "mine_total_count")["detail"]
    assert detail == "script as_printed -> simplified: +3 大数据"


def test_more_parts_and_kept_hits_are_more_indices_and_no_changed_number(change, world: World, before: Path):
    found = change(scopes=["report", "body"])
    assert len(found.values) == 0 and not found.is_same
    by_scope = found.indices.set_index("index")
    assert set(by_scope["change"]) == {"added"}
    assert by_scope.loc["mine_body_total_count", "cause"] == "scope"
    world.export(keep=["raw"], scopes=["report"])
    fewer = witnessed(before, world.out)
    assert set(fewer.indices["cause"]) == {"keep"} and set(fewer.indices["change"]) == {"removed"}


def test_an_export_of_some_years_loses_the_others_by_the_years(world: World, before: Path):
    world.export(years=[2021], keep=["raw", "strict"], scopes=["report"])
    found = witnessed(before, world.out)
    gone = found.firm_years[found.firm_years["change"] == "removed"]
    assert set(gone["cause"]) == {"years"} and set(gone["report_year"]) == {2020}
    assert len(found.values) == 0


# Reading


def test_another_reader_is_named(change):
    found = change(reader="pdfplumber")
    assert causes(found) == {"reading"} and touched(found) == {("000006", 2021)}
    row = value(found, "000006", 2021, "mine_total_count")
    # Read along the lines, the word is broken by the other column.
    assert (row["before"], row["after"]) == (1, 0)
    assert row["detail"] == "same file, reader pdfium -> pdfplumber: -1 大数据"


# All at once, and what is written


def test_all_causes_at_once_are_told_apart(change, world: World, before: Path, tmp_path: Path):
    def everything(world: World) -> dict[str, Any]:
        world.put("000008_2021年年度报告.txt", text_report(大数据=1))
        world.put("000003_2021年年度报告（修订版）.txt", text_report(大数据=7, 云计算=1, 数据=1, 人工智能=2, 区块链=3))
        (world.reports / "000001_2021年年度报告（修订版）.txt").unlink()
        (world.reports / "000002_2020年年度报告.txt").unlink()
        put_list(world, data="大数据, 数据, 区块链", smart="人工智能")
        entry = "- {file: 000004_2020年年度报告.txt, field: report_year, value: 2019, reason: the cover}\n"
        return corrected(entry)(world)

    found = change(everything, rule="substring")
    row = value(found, "000003", 2021, "mine_total_count")
    # Known sentences give +3 数据 inside 大数据 by the rule; the four new ones are the revision's, each with two hits.
    assert (row["before"], row["after"]) == (8, 20)
    parts = dict(part.split(": ", 1) for part in row["detail"].split("; "))
    assert {name.split()[0]: Counter(words.split(", ")) for name, words in parts.items()} == {
        "dictionary": Counter(["+3 区块链", "-2 云计算"]),
        "file": Counter(["+4 大数据", "+4 数据"]),
        "rule": Counter(["+3 数据"]),
    }
    assert row["cause"] == "revised_report"
    assert firm_year(found, "000008", 2021) == ("added", "new_file")
    assert firm_year(found, "000004", 2019) == ("added", "correction")
    assert firm_year(found, "000002", 2020) == ("removed", "removed_file")
    write_changes({"mine": found}, tmp_path / "once")
    write_changes({"mine": compare(before, world.out)}, tmp_path / "twice")
    for name in ("changes.csv", "CHANGES.md"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
    rows = pd.read_csv(tmp_path / "once" / "changes.csv", dtype="str", encoding="utf-8-sig")
    assert rows["what"].value_counts()["number"] == len(found.values)
    moved = found.firm_years["change"].isin(["added", "removed"]).sum()
    assert rows["what"].value_counts()["firm_year"] == moved
    assert str(tmp_path) not in (tmp_path / "once" / "CHANGES.md").read_text(encoding="utf-8")


def test_two_folders_of_definitions_are_compared_by_name(world: World, before: Path, tmp_path: Path):
    given = world.dictionary("大数据", "云计算")
    world.measure(**given)
    world.export(dictionaries=["mine"], keep=["raw"], scopes=["report"])
    for release, definitions in (("2020.1", {"own": before, "old": before}), ("2021.1", {"own": world.out})):
        for name, folder in definitions.items():
            shutil.copytree(folder, tmp_path / "releases" / release / name)
        facts = {"sequence": int(release[:4]), "content": release, "definitions": {name: {} for name in definitions}}
        (tmp_path / "releases" / release / "release.json").write_text(json.dumps(facts), encoding="utf-8")
    found = compare_places("2020.1", "latest", str(tmp_path / "releases"))
    assert found.only_before == ("old",) and not found.is_same
    # The same name and another list: two dimensions went, one came, and what both have changed by the list.
    own = found.comparisons["own"]
    assert causes(own) == {"dictionary"} and own.unexplained == 0
    changes = own.indices.groupby("change")["cause"].agg(set).to_dict()
    assert changes == {"added": {"dictionary"}, "removed": {"dictionary", "keep"}}
    with pytest.raises(UsageError, match=r"no release 2020\.2; did you mean 2020\.1\?"):
        compare_places("2020.2", "2021.1", str(tmp_path / "releases"))
    with pytest.raises(UsageError, match="neither an export nor a release"):
        compare_places(str(tmp_path / "releases" / "2020.1"), str(world.root / "store"))


def test_the_command_says_by_its_exit_code_whether_a_number_differs(
    world: World, before: Path, tmp_path: Path, shuzhi: Callable[..., Any]
):
    world.export(years=[2021], keep=["raw", "strict"], scopes=["report"])
    same = shuzhi("diff", before, before)
    assert (same.returncode, same.stdout.strip()) == (
        0,
        "no difference: every table and page is the same, byte for byte",
    )
    other = shuzhi("diff", before, world.out, "--out", tmp_path / "changes")
    assert other.returncode == 1 and "years" in other.stdout
    assert (tmp_path / "changes" / "CHANGES.md").is_file()
    absent = shuzhi("diff", before, tmp_path / "nowhere")
    assert absent.returncode == 2 and absent.stderr.count("\n") == 1 and "no such folder" in absent.stderr
