"""From a store to a sheet, from the sheet as people leave it to results: each number against a count by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner
from world import World, text_report

from flows.cli_validate import validate_app
from flows.coded import Coded
from flows.coding_sheet import CODING, GUIDE, HIDDEN, VISIBLE, link_to, read_sheets, write_sheet
from flows.validate import choose_measured, draw_hits, draw_missed, read_industries
from flows.validate_score import Scores, combine, machine_tables, precision_table, score
from flows.validate_write import write_scores
from nlp.codes import CODE_NAMES
from nlp.validate import wilson
from shuzhi import StoreError, UsageError

# Four firms with so many hits each in both years: 2 * (6 + 9 + 12 + 15) = 84 of 大数据, 2 * 4 * 2 = 16 of 云计算.
FIRMS = {"000001": 6, "000002": 9, "000004": 12, "000006": 15}
POPULATION = 100


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, pool: None) -> World:
    """A store of eight reports, measured with wu2021 and a broader list of a test's own."""
    world = World(tmp_path_factory.mktemp("validate"))
    world.reports.mkdir()
    for code, times in FIRMS.items():
        for year in (2019, 2020):
            text = text_report(大数据=times, 云计算=2, 数字底座=3) + f"\n报告年度为{year}年，代码为{code}。"
            if code == "000001" and year == 2020:
                text += "\n=cmd|' /C calc'!A0 平台。"
            world.put(f"{code}_{year}_annual.txt", text)
    world.put("000007_2020_annual.txt", b"\xff\xfe\x00")
    world.read()
    world.measure(dictionaries=["wu2021"])
    own = world.dictionary("大数据", "数字底座")
    world.measure(**own)
    return world


@pytest.fixture
def sheet(measured: World, tmp_path: Path) -> Path:
    drawn = draw_hits(measured.store, n=40, seed=1, dictionaries=["wu2021"])
    path = tmp_path / "sheet.xlsx"
    write_sheet(path, drawn.rows, drawn.kind, drawn.design)
    return path


def column(sheet: Worksheet, name: str) -> int:
    return next(cell.column for cell in sheet[1] if str(cell.value).split()[-1] == name)


def code_sheet(source: Path, target: Path, code: Callable[[dict[str, Any], int], object]) -> Path:
    """Fill a sheet in as a coder would."""
    book = openpyxl.load_workbook(source, rich_text=True)
    rows = book[CODING]
    names = [str(cell.value).split()[-1] for cell in rows[1]]
    for number, row in enumerate(rows.iter_rows(min_row=2), start=2):
        values = {name: cell.value for name, cell in zip(names, row, strict=True)}
        row[column(rows, "code") - 1].value = code(values, number)
        row[column(rows, "sure") - 1].value = 1
    book.save(target)
    return target


def by_term(values: dict[str, Any], number: int) -> str:
    return "9 own 本公司已做" if values["raw_term"] == "大数据" else "背景"


def test_a_sheet_holds_the_sample_and_all_a_coder_needs(sheet: Path) -> None:
    book = openpyxl.load_workbook(sheet, rich_text=True)
    rows = book[CODING]
    assert rows.max_row == 41 and book["design"].sheet_state == "hidden"
    for name in HIDDEN:
        letter = openpyxl.utils.get_column_letter(column(rows, name))
        group = next(each for each in rows.column_dimensions.values() if each.min <= column(rows, name) <= each.max)
        assert group.hidden, letter
    codes, sure = rows.data_validations.dataValidation
    assert str(codes.sqref) == "G2:G41" and str(sure.sqref) == "H2:H41"
    first, last = codes.formula1.split("!")[1].replace("$", "").split(":")
    listed = [cell[0].value for cell in book[GUIDE][first:last]]
    assert [each.split()[1] for each in listed] == list(CODE_NAMES)
    context = rows.cell(2, column(rows, "context")).value
    assert isinstance(context, CellRichText)
    bold = [block for block in context if isinstance(block, TextBlock) and block.font.b]
    assert [block.text for block in bold] == [rows.cell(2, column(rows, "raw_term")).value]
    assert f"公司推进【{bold[0].text}】建设。" in str(context)
    assert [cell.value for cell in rows[1]][: len(VISIBLE)] == [name for name, _ in VISIBLE]


def test_the_weights_of_a_sheet_add_up_to_all_hits(sheet: Path) -> None:
    rows = openpyxl.load_workbook(sheet)[CODING]
    weights = [row[column(rows, "weight") - 1].value for row in rows.iter_rows(min_row=2)]
    assert sum(weights) == pytest.approx(POPULATION)
    codes = {row[column(rows, "stock_code") - 1].value for row in rows.iter_rows(min_row=2)}
    assert codes == set(FIRMS)


def test_the_same_seed_gives_the_same_bytes(measured: World, tmp_path: Path) -> None:
    paths = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        drawn = draw_hits(measured.store, n=40, seed=seed, dictionaries=["wu2021"])
        paths.append(tmp_path / f"{name}.xlsx")
        write_sheet(paths[-1], drawn.rows, drawn.kind, drawn.design)
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()


def test_text_that_a_spreadsheet_would_run_stays_text(measured: World, tmp_path: Path) -> None:
    drawn = draw_hits(measured.store, n=40, seed=1, dictionaries=["wu2021"])
    rows = drawn.rows.assign(before="=cmd|' /C calc'!A0", company_name="=1+1", raw_term="@SUM(1)")
    write_sheet(tmp_path / "sheet.xlsx", rows, "hits", drawn.design)
    sheet = openpyxl.load_workbook(tmp_path / "sheet.xlsx")[CODING]
    for cell in (sheet["B2"], sheet["E2"], sheet["F2"]):
        assert cell.data_type == "s" and cell.quotePrefix
    assert str(sheet["F2"].value).startswith("=cmd|")


def test_links_open_the_report() -> None:
    assert link_to("https://example.org/pdf/", "2020/平安.pdf", 7).endswith("/pdf/2020/%E5%B9%B3%E5%AE%89.pdf#page=7")
    assert link_to("../reports", "a b.pdf", 7) == "external:../reports/a b.pdf"
    assert link_to("", "a.pdf", 7) == link_to("javascript:alert(1)//", "a.pdf", 7) == ""
    assert link_to("https://example.org", "a.txt", 1) == "https://example.org/a.txt"


def test_coded_sheets_come_back_however_excel_left_them(sheet: Path, tmp_path: Path) -> None:
    coded = code_sheet(sheet, tmp_path / "anna.xlsx", by_term)
    book = openpyxl.load_workbook(coded)
    rows = book[CODING]
    # Sorted upside down, a row removed, an empty line between, codes typed in other ways, a column of the coder's own.
    values = [[cell.value for cell in row] for row in rows.iter_rows(min_row=2)][::-1]
    rows.delete_rows(2, rows.max_row)
    code = column(rows, "code") - 1
    for number, row in enumerate(values[:-1]):
        if number % 3 == 0:
            row[code] = " OWN " if "own" in row[code] else "７"
        rows.append(row)
        if number == 10:
            rows.append([])
    rows.insert_cols(2)
    rows.cell(1, 2).value = "mine"
    book.save(coded)
    found = read_sheets([coded])[0]
    assert found.coder == "anna" and found.kind == "hits" and len(found.rows) == 39
    expected = ["own" if term == "大数据" else "context" for term in found.rows["raw_term"]]
    assert found.rows["code"].tolist() == expected
    assert found.rows["stock_code"].isin(FIRMS).all()


def test_precision_and_the_corrected_index_by_hand(sheet: Path, measured: World, tmp_path: Path) -> None:
    coded = read_sheets([code_sheet(sheet, tmp_path / "anna.xlsx", by_term)])
    scores = score(coded, measured.store)
    precision = scores.tables["precision"].set_index(["group", "value", "target"])
    rows = coded[0].rows
    n, own = len(rows), int((rows["raw_term"] == "大数据").sum())
    row = precision.loc["all", "", "own"]
    assert (row["n"], row["true"], row["share"]) == (n, own, pytest.approx(own / n))
    assert (row["low"], row["high"]) == pytest.approx(wilson(own, n))
    # By weight it is the share of all hits: each term is a tier of its own, so nothing is left to chance.
    assert row["weighted_share"] == pytest.approx(0.84)
    assert precision.loc["term", "大数据", "own"]["share"] == 1 and precision.loc["term", "云计算", "own"]["share"] == 0
    corrected = scores.tables["corrected"].set_index(["stock_code", "report_year"])
    for code, times in FIRMS.items():
        for year in (2019, 2020):
            firm_year = corrected.loc[code, year]
            assert firm_year["hits"] == times + 2
            assert firm_year["own"] == pytest.approx(times)
            assert firm_year["own_log1p"] == pytest.approx(math.log(1 + times))
    assert corrected["own"].sum() == pytest.approx(0.84 * POPULATION)


def test_a_report_that_cannot_be_read_has_no_corrected_index(sheet: Path, measured: World, tmp_path: Path) -> None:
    scores = score(read_sheets([code_sheet(sheet, tmp_path / "anna.xlsx", by_term)]), measured.store)
    lost = scores.tables["corrected"].query("stock_code == '000007'")
    assert len(lost) == 1 and lost["status"].iloc[0] != "ok"
    assert lost[["hits", "own", "own_se", "own_log1p"]].isna().all().all()


def test_two_coders_are_compared(sheet: Path, tmp_path: Path) -> None:
    one = code_sheet(sheet, tmp_path / "anna.xlsx", lambda values, number: "own" if number <= 31 else "plan")
    other = code_sheet(sheet, tmp_path / "bo.xlsx", lambda values, number: "own" if number <= 26 else "plan")
    scores = score(read_sheets([one, other]))
    row = scores.tables["agreement"].iloc[0]
    # 40 rows: 25 own/own, 5 own/plan, 10 plan/plan; by chance (30 * 25 + 10 * 15) / 1600 = 0.5625.
    assert (row["n"], row["agreement"]) == (40, pytest.approx(35 / 40))
    assert row["kappa"] == pytest.approx((35 / 40 - 0.5625) / (1 - 0.5625))
    # alpha: 79 * 10 differing of the ordered pairs, 55 own and 25 plan: 1 - 79 * 10 / (80² - 55² - 25²).
    assert scores.tables["agreement"].iloc[1]["alpha"] == pytest.approx(1 - 79 * 10 / (6400 - 3025 - 625))
    table = scores.tables["confusion_coders"].set_index(["code", "other_code"])["n"]
    assert table.to_dict() == {("own", "own"): 25, ("own", "plan"): 5, ("plan", "plan"): 10}
    # Where two coders differ there is no majority.
    assert scores.tables["precision"].iloc[0]["n"] == 35
    assert "0 not coded, 5 without a majority" in scores.notes[0]


def test_every_problem_is_named_with_its_sheet_and_row(sheet: Path, tmp_path: Path) -> None:
    typed = {3: "本公司己做", 5: "own plan", 8: "zzz"}
    bad = code_sheet(sheet, tmp_path / "bo.xlsx", lambda values, number: typed.get(number, "own"))
    empty = code_sheet(sheet, tmp_path / "cy.xlsx", lambda values, number: None)
    (tmp_path / "dot.xlsx").write_text("no workbook", encoding="utf-8")
    openpyxl.Workbook().save(tmp_path / "eve.xlsx")
    names = [bad, empty, tmp_path / "dot.xlsx", tmp_path / "eve.xlsx", tmp_path / "gone.xlsx"]
    with pytest.raises(UsageError) as raised:
        read_sheets(names)
    text = str(raised.value)
    assert "7 problems" in text
    assert f"bo.xlsx, sheet {CODING}, row 3: '本公司己做' is no code; did you mean own" in text
    assert "row 5: 'own plan' names 2 codes" in text and "row 8: 'zzz' is no code" in text
    assert f"cy.xlsx, sheet {CODING}: not one row is coded" in text
    assert "dot.xlsx: is no Excel workbook" in text and "eve.xlsx: has not the hidden columns" in text
    assert "gone.xlsx: cannot be opened" in text


def test_a_row_that_stands_twice_must_say_the_same(sheet: Path, tmp_path: Path) -> None:
    coded = code_sheet(sheet, tmp_path / "anna.xlsx", by_term)
    book = openpyxl.load_workbook(coded)
    rows = book[CODING]
    row = [cell.value for cell in rows[2]]
    rows.append(row)
    book.save(coded)
    assert len(read_sheets([coded])[0].rows) == 40
    row[column(rows, "code") - 1] = "negated"
    rows.append(row)
    book.save(coded)
    with pytest.raises(UsageError, match="row 43: repeats row 2 with another code"):
        read_sheets([coded])


def test_sheets_of_different_samples_are_not_mixed(sheet: Path, measured: World, tmp_path: Path) -> None:
    drawn = draw_hits(measured.store, n=40, seed=2, dictionaries=["wu2021"])
    write_sheet(tmp_path / "other.xlsx", drawn.rows, drawn.kind, drawn.design)
    sheets = [code_sheet(sheet, tmp_path / "anna.xlsx", by_term), code_sheet(tmp_path / "other.xlsx", tmp_path / "bo.xlsx", by_term)]  # fmt: skip  # noqa: E501
    with pytest.raises(UsageError, match="different samples"):
        score(read_sheets(sheets))


def test_a_dictionary_that_changed_since_is_refused(sheet: Path, measured: World, tmp_path: Path) -> None:
    coded = read_sheets([code_sheet(sheet, tmp_path / "anna.xlsx", by_term)])
    coded[0].design["dictionary_hashes"]["wu2021"] = "0" * 12
    with pytest.raises(UsageError, match="was drawn from wu2021 000000000000"):
        score(coded, measured.store)


def test_missed_sentences_and_recall_by_hand(sheet: Path, measured: World, tmp_path: Path) -> None:
    drawn = draw_missed(measured.store, n=12, seed=1, narrow=["wu2021"], broad=["mine"])
    # 数字底座 stands in 3 sentences of each of 8 reports; 大数据 is no news.
    assert drawn.design["population"] == 24 and set(drawn.rows["raw_term"]) == {"数字底座"}
    path = tmp_path / "missed.xlsx"
    write_sheet(path, drawn.rows, drawn.kind, drawn.design)
    missed = code_sheet(path, tmp_path / "missed_anna.xlsx", lambda values, number: "own" if number <= 4 else "context")
    hits = code_sheet(sheet, tmp_path / "anna.xlsx", by_term)
    scores = score(read_sheets([missed, hits]))
    row = scores.tables["recall"].set_index("target").loc["own"]
    # 3 of 12 coded: 24 * 3 / 12 = 6 missed; found are the 84 sentences of 大数据, one hit each.
    assert row["missed_own"] == pytest.approx(6)
    assert row["found_own"] == pytest.approx(84) and row["found_own_se"] == pytest.approx(0)
    assert row["recall"] == pytest.approx(84 / 90)
    # Variance of a share under simple sampling without replacement: (1 - 12/24) * 0.75 * 0.25 / 11.
    error = 24 * math.sqrt(0.5 * 0.1875 / 11)
    assert row["missed_own_se"] == pytest.approx(error)
    half = 1.959964 * error / 6
    assert row["recall_low"] == pytest.approx(1 / (1 + math.exp(half) * 6 / 84), abs=1e-6)
    alone = score(read_sheets([missed]))
    assert "recall" not in alone.tables["recall"].columns and "name both sheets" in alone.notes[-1]


def test_what_the_machine_said_is_held_against_the_coders() -> None:
    agreed = ["own"] * 6 + ["org_name"] * 3 + ["other"]
    rows = pd.DataFrame(dict.fromkeys(HIDDEN, "x") | {"agreed": agreed})
    rows = rows.assign(stratum="a", stratum_size=100, report_year=2020, hits_in_sentence=1)
    rows["machine_kind"] = ["own_action"] * 5 + ["org_name"] * 3 + ["own_action"] * 2
    rows["machine_org_name"] = [0] * 5 + [1] * 3 + [0] * 2
    rows["machine_other_party"] = [0] * 10
    coded = Coded("hits", {"n": 10}, rows, {"anna": agreed})
    scores = Scores({})
    machine_tables(coded, scores)
    table = scores.tables["confusion_machine"].set_index(["code", "other_code"])["n"]
    assert table.to_dict() == {
        ("org_name", "org_name"): 2,
        ("org_name", "own"): 1,
        ("own", "org_name"): 1,
        ("own", "other"): 1,
        ("own", "own"): 5,
    }
    flags = scores.tables["flags"].set_index("flag")
    assert (flags.loc["org_name", "precision"], flags.loc["org_name", "recall"]) == pytest.approx((2 / 3, 2 / 3))
    assert math.isnan(flags.loc["other_party", "precision"]) and flags.loc["other_party", "recall"] == 0
    precision = precision_table(coded).set_index(["group", "value", "target"])
    assert precision.loc["machine_kind", "own_action", "own"]["share"] == pytest.approx(5 / 7)
    assert precision.loc["machine_org_name", "1", "own"]["share"] == pytest.approx(1 / 3)


def test_industries_come_in_proportion(measured: World, tmp_path: Path) -> None:
    path = tmp_path / "industry.csv"
    path.write_text("\ufeffstock_code,industry\n000001,金融\n000002,地产\n000004,医药\n", encoding="utf-8")
    drawn = draw_hits(measured.store, n=50, seed=1, dictionaries=["wu2021"], industries=read_industries(path))
    in_tier = drawn.rows[drawn.rows["raw_term"] == "大数据"]
    taken = in_tier["stock_code"].value_counts()
    for code, times in FIRMS.items():
        assert abs(taken[code] - len(in_tier) * 2 * times / 84) < 1 + 1e-9
    with pytest.raises(UsageError, match="needs the columns stock_code and industry"):
        path.write_text("code,industry\n1,a\n", encoding="utf-8")
        read_industries(path)


def test_what_was_not_measured_cannot_be_sampled(measured: World) -> None:
    with pytest.raises(StoreError, match="shuzhi measure --dictionary nothing"):
        choose_measured(measured.store, ["nothing"], "")
    with pytest.raises(UsageError, match="too small"):
        draw_hits(measured.store, n=1, seed=1, dictionaries=["wu2021"])
    with pytest.raises(UsageError, match="in these years"):
        draw_hits(measured.store, n=10, seed=1, dictionaries=["wu2021"], years=[1999])


def test_the_commands_from_end_to_end(measured: World, tmp_path: Path) -> None:
    runner, store, out = CliRunner(), str(measured.root / "store"), tmp_path / "results"
    path, missed = tmp_path / "sheet.xlsx", tmp_path / "missed.xlsx"
    given = ["--store", store, "--n", "40", "--dictionary", "wu2021", "--out", str(path), "--years", "2019-2020"]
    done = runner.invoke(validate_app, ["sample", *given, "--reports", str(measured.reports)])
    assert done.exit_code == 0 and f"drew 40 of {POPULATION}" in done.output
    link = openpyxl.load_workbook(path)[CODING]["D2"].hyperlink
    assert link is not None and (tmp_path / unquote(str(link.target)).replace("\\", "/")).exists()
    given = ["--store", store, "--n", "12", "--dictionary", "wu2021", "--broad", "mine", "--out", str(missed)]
    assert runner.invoke(validate_app, ["missed", *given]).exit_code == 0
    coded = [
        code_sheet(path, tmp_path / "anna.xlsx", by_term),
        code_sheet(missed, tmp_path / "missed_anna.xlsx", by_term),
    ]
    done = runner.invoke(validate_app, ["score", *map(str, coded), "--store", store, "--out", str(out)])
    assert done.exit_code == 0 and "# 人工核验 Human validation" in done.output
    names = {each.name for each in out.iterdir()}
    expected = {"precision.csv", "codes.csv", "agreement.csv", "corrected.csv", "recall.csv", "validation.md"}
    # The hits carry what the machine takes them for, so that it is judged too.
    assert names == expected | {"flags.csv", "confusion_machine.csv"}
    corrected = pd.read_csv(out / "corrected.csv", dtype={"stock_code": str}, encoding="utf-8-sig")
    assert corrected["own"].sum() == pytest.approx(84)
    first = {each.name: each.read_bytes() for each in out.iterdir()}
    runner.invoke(validate_app, ["score", *map(str, coded), "--store", store, "--out", str(out)])
    assert {each.name: each.read_bytes() for each in out.iterdir()} == first


def test_results_of_before_do_not_stay(tmp_path: Path) -> None:
    write_scores(Scores({"flags": pd.DataFrame({"flag": ["plan"], "share": [np.nan]})}), tmp_path)
    write_scores(Scores({"codes": pd.DataFrame({"code": ["own"], "share": [0.5]})}), tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["codes.csv", "validation.md"]


def test_coders_of_one_sample_stand_side_by_side(sheet: Path, tmp_path: Path) -> None:
    one = code_sheet(sheet, tmp_path / "anna.xlsx", lambda values, number: "own" if number < 30 else None)
    other = code_sheet(sheet, tmp_path / "bo.xlsx", lambda values, number: "own" if number >= 20 else None)
    coded = combine(read_sheets([one, other]))
    assert list(coded.codes) == ["anna", "bo"] and len(coded.rows) == 40
    assert sum(code is not None for code in coded.codes["anna"]) == 28
    assert coded.rows["agreed"].tolist() == ["own"] * 40
