"""Panels from files of every format, and the two real ones of the studies that come with shuzhi."""

import base64
import gzip
import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from econometrics.panel import Panel
from flows.cli import app
from flows.describe import DescribeOptions, describe_panel, write_description
from flows.panel import PANEL_FILES, load_panel, load_spec, make_panel, write_panel
from flows.panel_read import decode, find_source, read_panel_file
from shuzhi import DataError, SpecError, UsageError

STUDIES = Path(__file__).resolve().parents[2] / "econometrics" / "studies"
FIRMS = """\
panel: try
sources:
  firms:
    SOURCE
    columns:
      stock_code: {from: 证券代码, kind: stock_code}
      report_year: {from: 统计截止日期, kind: year_end}
      revenue: {from: 营业收入, unit: yuan, label_en: Revenue, label_zh: 营业收入}
start: firms
"""
ROWS = [["证券代码", "统计截止日期", "营业收入(万元)"], ["1", "2019-12-31", "1,200"], ["600519", "2019-12-31", "7.5"]]


def panel_of(folder: Path, source: str, text: str = FIRMS) -> Panel:
    (folder / "panel.yml").write_text(text.replace("SOURCE", source), encoding="utf-8")
    return load_panel(str(folder / "panel.yml"))


def is_right(panel: Panel) -> bool:
    return panel.data.to_dict("list") == {
        "stock_code": ["000001", "600519"],
        "report_year": [2019, 2019],
        "revenue": [12_000_000, 75_000],
    }


def as_csv(separator: str = ",") -> str:
    return "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_are_found_and_said(tmp_path, encoding):
    (tmp_path / "firms.csv").write_bytes(as_csv().encode(encoding))
    panel = panel_of(tmp_path, "path: firms.csv")
    assert is_right(panel)
    said = panel.reading["what"].iloc[0]
    assert said.startswith(f"encoding: {encoding.removesuffix('-sig')}")


def test_separators_compression_and_notes(tmp_path):
    (tmp_path / "firms.csv").write_text("# source: a book, page 3\n" + as_csv("\t"), encoding="utf-8")
    panel = panel_of(tmp_path, "path: firms.csv")
    assert is_right(panel) and panel.variables["revenue"].source == "a book, page 3"
    (tmp_path / "firms.csv.gz").write_bytes(gzip.compress(as_csv(";").encode("gb18030")))
    assert is_right(panel_of(tmp_path, "path: firms.csv.gz"))


def test_an_encoding_that_is_none():
    with pytest.raises(DataError, match=r"neither UTF-8 \(byte 2\) nor GB18030"):
        decode(b"ab\xff\xff\xff")
    with pytest.raises(DataError, match="is not utf-8"):
        decode("营业收入".encode("gb18030"), "utf-8")
    with pytest.raises(DataError, match="is not no-such-code"):
        decode(b"a", "no-such-code")


def test_a_short_file_that_is_utf_8_by_chance():
    # The four bytes of 营业 in GB18030 are Ӫҵ in UTF-8.
    assert "营业".encode("gb18030").decode("utf-8") == "Ӫҵ"
    assert decode("营业,1".encode("gb18030")) == ("营业,1", "gb18030 (as UTF-8 it would hold no Chinese)")
    assert decode("营业,1".encode()) == ("营业,1", "utf-8")
    for text in ("größer", "Ελλάδα", "Москва", "plain", "Ӫ 营"):
        assert decode(text.encode()) == (text, "utf-8")


def test_excel_with_numbers_dates_and_a_title(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "利润表"
    sheet.append(["数据导出：CSMAR"])
    sheet.append([])
    sheet.append(["证券代码", "统计截止日期", "营业收入(万元)"])
    sheet.append([1, pd.Timestamp("2019-12-31"), 1200])
    sheet.append([600519, 43830, 7.5])
    sheet.append([600519, pd.Timestamp("2019-06-30"), 4])
    book.create_sheet("说明")
    book.save(tmp_path / "firms.xlsx")
    panel = panel_of(tmp_path, "path: firms.xlsx")
    assert is_right(panel)
    assert panel.reading["what"].tolist()[:3] == [
        "sheet: 利润表",
        "sheets not read: 说明",
        "note above the header: 数据导出:CSMAR",
    ]
    assert panel.flow["rows_removed"].tolist() == [0, 1, 0]
    assert is_right(panel_of(tmp_path, "path: firms.xlsx\n    sheet: 利润表"))
    with pytest.raises(DataError, match="has no sheet '资产负债表'; it has 利润表, 说明"):
        panel_of(tmp_path, "path: firms.xlsx\n    sheet: 资产负债表")


# A workbook of Excel 97 with the rows of ROWS, code and date of the second firm as numbers.
OLD_EXCEL = (
    "ABzY8000000t4+>O=wd=5dQY%KelO7Q?V6dD7H2+g(d~5hxYk{_GD;#QAE(j29?%Sf(P}W)ixj$LGYw_DHKJJsuzE#g1vbVDtZtK"
    "Vq@{-NmTIA<~cigiD@m;fEJbg9y>cbv-5V|+nISkFQ<L8WB2Q_Sb`2%kTYDcm&gP)S7G1<=?z1&h2BZcQ23|da?(cHZJ4Zl;gEYM"
    "_d5#>_pDPyf%nu7;w0jOsbp{!v6Fr171D=xq5?Na;z2EYRn7DW)3r?R^2{epx3lCj({`FWD-K{<kB8gLDBiEtv(5u~-iK^6!;&a!"
    "@LWdm`70tn*M=SG<Gllary^jjz&L2%I+Lknx_4j}e%iosd^Li=mqMmK3o7~Q$^}UNZL!?3jQpx*1%_Z8<^a!7Kz_DJjYWidZk{-H"
    "X&!M-NZG6qQ=@G?b8&In4)N~X*l0MB=>L%1c+?5eFj5!anoM>#!4cop9g>wg>IPyh(QVDqSaWOCMuJGJrNu2vIH$aKQOZ|xDpU~d"
    "LlyHrP6#g*_4(VMUhPeE>4#V{#AQDJFldne!@vb;LB<}|Sc){v7F(EJ<g;#IzK*G%!kGHTt{RisGt6^FSldYJv@%}nn@jj6;xiw+"
    "9|baVdWiUm&g@zL#2bAK_4IJ+BYSxaBO)T=`ZbBidZ8C);dslm_NOA^)V!wehWW&+!UEjP`k3ZN^6rS@NHg!1v=+-)3%0hH^95U5"
    "iz8`mGp)5H)=#mXWj+LMZ6Z2zN6wyHBiHQEs_{T7soed58wv^v3JMAe3JMCpfZ!L{{Oh`WDYcm&1P=4R&H}ZZ`c3lRq6dR?oT3lY"
    "-AGZN#+kC>XB}*!a4xYzo5KG>iG8$s8vRJHAN^&=FMZI7((75Vq4)QtP`T^p%JK6Lum2s47K)|-761S"
)


def test_excel_97(tmp_path):
    (tmp_path / "firms.xls").write_bytes(gzip.decompress(base64.b85decode(OLD_EXCEL)))
    panel = panel_of(tmp_path, "path: firms.xls")
    assert is_right(panel) and panel.reading["what"].iloc[0] == "sheet: 利润表"


def test_stata_labels_are_headers_too(tmp_path):
    frame = pd.DataFrame({"stkcd": [1, 600519], "accper": ["2019-12-31"] * 2, "rev": [1200.0, 7.5]})
    labels = {"stkcd": "证券代码", "accper": "统计截止日期", "rev": "营业收入"}
    frame.to_stata(tmp_path / "firms.dta", write_index=False, variable_labels=labels, version=118)
    text = FIRMS.replace("unit: yuan,", "unit: yuan, printed_unit: 万元,")
    assert is_right(panel_of(tmp_path, "path: firms.dta", text))


def test_parquet_and_databases(tmp_path):
    frame = pd.DataFrame(ROWS[1:], columns=ROWS[0])
    frame.to_parquet(tmp_path / "firms.parquet")
    text = FIRMS.replace("from: 营业收入", "from: 营业收入(万元)").replace(
        "unit: yuan,", "unit: yuan, printed_unit: 万元,"
    )
    assert is_right(panel_of(tmp_path, "path: firms.parquet", text))
    with sqlite3.connect(tmp_path / "firms.db") as connection:
        frame.to_sql("firms", connection, index=False)
    query = "format: sql\n    query: SELECT * FROM firms\n    database: "
    assert is_right(panel_of(tmp_path, query + "firms.db", text))
    assert is_right(panel_of(tmp_path, query + f"sqlite:///{tmp_path / 'firms.db'}", text))
    with duckdb.connect(str(tmp_path / "firms.duckdb")) as duck:
        duck.execute("CREATE TABLE firms AS SELECT * FROM frame")
    assert is_right(panel_of(tmp_path, query + "firms.duckdb", text))
    for database in ("firms.db", "firms.duckdb", f"sqlite:///{tmp_path / 'firms.db'}"):
        with pytest.raises(DataError, match="source firms: the query failed"):
            panel_of(tmp_path, query.replace("FROM firms", "FROM nothing") + database, text)


def test_a_query_cannot_write(tmp_path):
    with sqlite3.connect(tmp_path / "firms.db") as connection:
        connection.execute("CREATE TABLE firms (a)")
    with pytest.raises((DataError, TypeError)):
        panel_of(tmp_path, "format: sql\n    query: DROP TABLE firms\n    database: firms.db")
    with sqlite3.connect(tmp_path / "firms.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_every_source_that_is_not_there_is_named(tmp_path):
    text = FIRMS + "steps:\n  - {join: other, on: [stock_code], relationship: many_to_one}\n"
    text = text.replace("start:", "  other: {path: o.csv, columns: {stock_code: , y: }}\nstart:")
    with pytest.raises(UsageError) as error:
        panel_of(tmp_path, "path: firms.csv", text)
    assert "source firms: no firms.csv" in str(error.value) and "source other: no o.csv" in str(error.value)
    assert "--data" in str(error.value)


def test_the_data_folder_comes_first(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "firms.csv").write_text(name)
    source = load_spec(_write(tmp_path, FIRMS.replace("SOURCE", "path: firms.csv"))).sources["firms"]
    assert find_source(source, tmp_path / "a", tmp_path / "b") == str(tmp_path / "b" / "firms.csv")
    assert find_source(source, tmp_path / "a", None) == str(tmp_path / "a" / "firms.csv")
    assert find_source(source, tmp_path, None) is None


def _write(folder: Path, text: str) -> str:
    (folder / "panel.yml").write_text(text, encoding="utf-8")
    return str(folder / "panel.yml")


def test_an_export_of_a_vendor_as_it_comes(tmp_path):
    rows = [
        "Stkcd,Accper,Typrep,B0011,B0012",
        "证券代码,统计截止日期,报表类型,营业收入(万元),营业成本",
        "没有单位,没有单位,没有单位,万元,元",
        "1,2019-12-31,A,100,500000",
        "1,2019-12-31,B,90,400000",
        "1,2019-06-30,A,50,400000",
        '1,2021/12/31,A,"1,200",600000',
        "000002,43830,A,-5,",
        "2,20201231,A,70,100000",
        "数据来源：CSMAR,,,,",
    ]
    (tmp_path / "firms.csv").write_bytes("\r\n".join(rows).encode("gb18030"))
    text = """\
panel: csmar
sources:
  firms:
    path: firms.csv
    columns:
      stock_code: Stkcd
      report_year: {from: 统计截止日期, kind: year_end}
      typrep: {from: Typrep, kind: text}
      revenue: {from: 营业收入, unit: yuan}
      cost: {from: B0012, unit: yuan}
    filters: [{keep: typrep == 'A', because: consolidated statements}]
start: firms
"""
    panel = panel_of(tmp_path, "", text)
    assert panel.data[["stock_code", "report_year", "revenue"]].to_numpy().tolist() == [
        ["000001", 2019, 1_000_000],
        ["000001", 2021, 12_000_000],
        ["000002", 2019, -50_000],
        ["000002", 2020, 700_000],
    ]
    assert panel.data["cost"].isna().tolist() == [False, False, True, False]
    assert panel.flow["rows_removed"].tolist() == [0, 1, 1, 1, 0]  # the note, the half-year, the parent's statement
    assert panel.variables["cost"].label_zh == "营业成本"


def test_a_row_with_too_many_cells_is_an_error_wherever_it_stands(tmp_path):
    rows = [",".join(["证券代码", "统计截止日期", "营业收入"])] + [f"{n},2019,5" for n in range(1, 400)]
    (tmp_path / "firms.csv").write_text("\n".join([*rows, "500,2019,1,200,7"]), encoding="utf-8")
    with pytest.raises(DataError, match="Expected 3 fields in line 401, saw 5"):
        panel_of(tmp_path, "path: firms.csv")


def test_files_that_are_none(tmp_path):
    (tmp_path / "firms.docx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"firms.docx: unknown kind of table; say format: \(.csv"):
        panel_of(tmp_path, "path: firms.docx")
    for name in ("firms.xlsx", "firms.dta", "firms.parquet", "firms.csv"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(DataError, match=r"panel.yml line 3: source firms: cannot be read as "):
            panel_of(tmp_path, f"path: {name}")
    (tmp_path / "firms.csv.gz").write_bytes(gzip.compress(as_csv().encode())[:20])
    with pytest.raises(DataError, match="cannot be unpacked"):
        panel_of(tmp_path, "path: firms.csv.gz")
    with pytest.raises(UsageError, match="cannot be read"):
        load_spec(str(tmp_path / "nothing.yml"))
    (tmp_path / "gbk.yml").write_bytes("panel: 数".encode("gb18030"))
    with pytest.raises(UsageError, match="it is not UTF-8"):
        load_spec(str(tmp_path / "gbk.yml"))


@pytest.fixture
def written(tmp_path) -> Path:
    rows = [["code", "year", "收入(元)", "name"]]
    rows += [
        [str(f), str(y), str(100 * f + y), "=1+1" if f == 2 else f"公司{f}"]
        for f in range(1, 6)
        for y in (2019, 2020, 2022)
    ]
    (tmp_path / "firms.csv").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    text = """\
panel: try
sources:
  firms:
    path: firms.csv
    citation: made up
    columns:
      stock_code: code
      report_year: year
      revenue: {from: 收入, label_en: Revenue, label_zh: 营业收入}
      name: {kind: text, label_zh: 名称}
start: firms
steps:
  - define:
      growth: {formula: log(revenue / lag(revenue)), label_en: Growth, label_zh: 增长率, unit: log points}
  - {winsorise: growth, by: report_year}
"""
    make_panel(_write(tmp_path, text), str(tmp_path / "out"))
    return tmp_path / "out"


def test_labels_units_sources_and_formulas_travel_into_every_file(written):
    assert sorted(path.name for path in written.iterdir()) == sorted(PANEL_FILES)
    with pd.read_stata(written / "panel.dta", iterator=True) as reader:
        assert reader.variable_labels()["growth"] == "增长率 (log points)"
        assert reader.variable_labels()["revenue"] == "营业收入 (元)"
    _, variables, facts = read_panel_file(str(written))
    assert variables["growth"].formula == "log(revenue / lag(revenue)); winsorised at 0.01 and 0.99 by report_year"
    assert (variables["revenue"].source, variables["revenue"].unit) == ("made up", "元")
    assert (facts["firm"], facts["year"]) == ("stock_code", "report_year")
    codebook = pd.read_csv(written / "codebook.csv", encoding="utf-8-sig").set_index("name")
    assert codebook.loc["growth", "label_en"] == "Growth" and codebook.loc["growth", "missing"] == 10
    assert codebook.loc["growth", "first_year"] == 2020 and codebook.loc["revenue", "minimum"] == 2119
    sheets = pd.read_excel(written / "panel.xlsx", engine="openpyxl", sheet_name=None, dtype={"stock_code": str})
    reports = ["flow", "joins", "adjustments", "definitions", "reading", "unmatched", "notes"]
    assert list(sheets) == ["panel", "variables", *reports]
    assert sheets["panel"]["stock_code"].iloc[0] == "000001" and sheets["variables"]["unit"].iloc[2] == "元"


def test_every_file_holds_the_same_numbers(written):
    data = pd.read_parquet(written / "panel.parquet")
    csv = pd.read_csv(written / "panel.csv", encoding="utf-8-sig", dtype={"stock_code": str})
    stata = pd.read_stata(written / "panel.dta")
    excel = pd.read_excel(written / "panel.xlsx", engine="openpyxl", dtype={"stock_code": str})
    for other in (csv, stata, excel):
        assert other["stock_code"].tolist() == data["stock_code"].tolist()
        np.testing.assert_allclose(other["growth"].astype(float), data["growth"], rtol=1e-12)
    # A cell that a spreadsheet would run as a formula is text in the workbook and has an apostrophe in CSV.
    assert excel["name"].iloc[3] == "=1+1" and csv["name"].iloc[3] == "'=1+1"


def test_the_same_sources_give_the_same_bytes(written, tmp_path):
    make_panel(str(tmp_path / "panel.yml"), str(tmp_path / "again"))
    for name in PANEL_FILES:
        first, second = ((folder / name).read_bytes() for folder in (written, tmp_path / "again"))
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest(), name


def test_a_written_panel_is_a_source(written, tmp_path):
    text = "panel: next\nsources:\n  before: {path: out/panel.parquet}\nstart: before\n"
    panel = load_panel(_write(tmp_path, text))
    assert panel.variables["growth"].label_zh == "增长率" and panel.data.shape == (15, 5)


def test_indices_of_shuzhi_are_a_source(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    frame = pd.DataFrame(
        {
            "stock_code": ["000001", "000002"],
            "company_name": ["甲", "乙"],
            "report_year": pd.array([2020, 2020], dtype="Int64"),
            "status": ["ok", "unreadable"],
            "is_used": [True, True],
            "wu2021_total_count": pd.array([3, None], dtype="Int64"),
            "wu2021_total_log1p": [np.log(4), None],
        }
    )
    frame.to_parquet(out / "indices.parquet")
    codebook = (
        "table,name,label_zh,label_en,unit,type,formula,source\nindices_wide,wu2021_total_count,词频,Count,hit,,,Wu\n"
    )
    (out / "codebook.csv").write_text(codebook, encoding="utf-8-sig")
    panel = load_panel(_write(tmp_path, "panel: x\nsources: {indices: {path: out}}\nstart: indices\n"))
    assert panel.data.columns.tolist() == ["stock_code", "report_year", "wu2021_total_count", "wu2021_total_log1p"]
    assert panel.data["wu2021_total_count"].isna().tolist() == [False, True]  # unreadable, not zero
    assert panel.variables["wu2021_total_count"].label_zh == "词频"
    columns = "{stock_code: , report_year: , status: {kind: text}}"
    chosen = load_panel(
        _write(tmp_path, f"panel: x\nsources: {{indices: {{path: out, columns: {columns}}}}}\nstart: indices\n")
    )
    assert chosen.data["status"].tolist() == ["ok", "unreadable"]
    frame.to_csv(out / "indices.csv", index=False, encoding="utf-8-sig")
    (out / "indices.parquet").unlink()
    again = load_panel(_write(tmp_path, "panel: x\nsources: {indices: {path: out}}\nstart: indices\n"))
    pd.testing.assert_frame_equal(again.data, panel.data)
    (out / "indices.csv").unlink()
    with pytest.raises(DataError, match=r"holds no indices\.parquet and no indices.csv"):
        load_panel(str(tmp_path / "panel.yml"))


def test_table_one_in_every_format(written, tmp_path):
    options = DescribeOptions(("revenue", "growth"), by="report_year", language="en")
    description = describe_panel(str(written), options)
    assert description.statistics["group"].unique().tolist() == ["all", "2019", "2020", "2022"]
    files = write_description(description, tmp_path / "tables")
    assert {"descriptive.docx", "correlations.tex", "statistics.csv"} <= set(files) and len(files) == 16
    assert "Revenue" in (tmp_path / "tables" / "descriptive.md").read_text(encoding="utf-8")
    pairs = pd.read_csv(tmp_path / "tables" / "correlations_by_pair.csv", encoding="utf-8-sig")
    assert pairs["observations"].tolist() == [5]
    everything = describe_panel(str(written), DescribeOptions())
    assert everything.statistics["variable"].tolist() == ["revenue", "growth"]


def test_describe_reads_other_tables(written, tmp_path):
    for name in ("panel.csv", "panel.dta", "panel.xlsx"):
        found = describe_panel(str(written / name), DescribeOptions(("growth",)))
        assert found.statistics["observations"].tolist() == [5] and found.correlations is None
    with pytest.raises(UsageError, match="no such panel"):
        describe_panel(str(tmp_path / "nothing"), DescribeOptions())


def test_the_commands(shuzhi, written, tmp_path):
    done = shuzhi("panel", tmp_path / "panel.yml", "--out", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert "Panel try: 15 rows, 5 of stock_code" in done.stdout and (tmp_path / "new" / "panel.dta").is_file()
    done = shuzhi("describe", tmp_path / "new", "--variable", "grwth")
    assert done.returncode == 2 and "did you mean 'growth'" in done.stderr and "Traceback" not in done.stderr


def test_the_commands_in_detail(written, tmp_path):
    runner = CliRunner()
    done = runner.invoke(app, ["panel", str(tmp_path / "panel.yml"), "--check"])
    assert done.exit_code == 0 and "1 sources, 2 steps, no problem found" in done.stdout
    done = runner.invoke(app, ["panel", str(tmp_path / "panel.yml")])
    assert isinstance(done.exception, UsageError) and "--out" in str(done.exception)
    done = runner.invoke(app, ["describe", str(written), "--variable", "growth", "--format", "pdf"])
    assert isinstance(done.exception, UsageError) and "no format pdf; there are docx" in str(done.exception)
    tables = ["--variable", "growth", "--variable", "revenue", "--language", "en", "--format", "md"]
    done = runner.invoke(app, ["describe", str(written), *tables, "--out", str(tmp_path / "tables")])
    assert done.exit_code == 0 and "Growth" in done.stdout and "Spearman" in done.stdout
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "correlations.md",
        "correlations_by_pair.csv",
        "descriptive.md",
        "statistics.csv",
    ]


# The real panels: what comes out was looked at, and each number has a second count here.


@pytest.fixture(scope="session")
def reference(shared: Path) -> Path:
    folder = shared / "reference"
    if not (folder / "panels").is_dir():
        pytest.skip("the shared test data hold no folder reference/panels")
    return folder


@pytest.fixture(scope="session")
def finglm(reference: Path) -> Panel:
    """Build the panel of listed firms once; its Excel files take most of the time."""
    return load_panel(str(STUDIES / "panel_finglm.yml"), str(reference))


@pytest.fixture(scope="session")
def city(reference: Path) -> Panel:
    return load_panel(str(STUDIES / "panel_city.yml"), str(reference))


def test_every_row_of_the_listed_firms_is_accounted_for(finglm):
    flow = finglm.sample_flow()
    assert flow["rows_left"].iloc[0] == 11_587 and flow["firms_left"].iloc[0] == 4_366
    assert flow["rows_left"].iloc[0] - flow["rows_removed"].iloc[1:].sum() == len(finglm.data)
    assert flow["rows_left"].iloc[-1] == len(finglm.data) == 10_833
    removed = flow[flow["rows_removed"] > 0]
    assert removed["rows_removed"].tolist() == [158, 286, 308, 2]
    assert "B shares" in removed["what"].iloc[0]


def test_the_mess_of_the_listed_firms_is_said(finglm):
    reading = finglm.reading.set_index(["source", "column"])["cells"]
    # 548 cells of revenue are -1.0 in the file, 178 firms have no employee.
    assert reading[("profit", "revenue")] == 548 and reading[("employees", "employees")] == 178
    changed = finglm.adjustments.groupby(["variable", "what"])["changed_above"].sum()
    stale = changed[[what for what in changed.index if "statement of the year before" in what[1]]]
    assert stale.tolist() == [1] * 5  # 600048 filed its statement of 2019 again for 2020
    assert changed[("production_employees", next(w for v, w in changed.index if v == "production_employees"))] == 18
    assert not ((finglm.data["stock_code"] == "600048") & (finglm.data["report_year"] == 2020)).any()


def test_the_joins_of_the_listed_firms(finglm, reference):
    joins = finglm.joins.set_index("source")
    assert joins.loc["reports", "right_examples"] == "002861 2020"  # in the index, in no statement
    words = pd.read_csv(reference / "panels" / "dt_wufei_counts_clean.csv.gz", dtype={"stkcd": str})
    words["total"] = words[["ai", "bigdata", "cloud", "blockchain", "dt_application"]].sum(axis=1)
    both = finglm.data.merge(words, left_on=["stock_code", "report_year"], right_on=["stkcd", "year"])
    assert len(both) == len(finglm.data) and (both["total"] == both["digital_words"]).all()
    assert joins.loc["words", "left_matched"] == 11_470


def test_sectors_and_pilots_of_the_listed_firms(finglm, reference):
    data = finglm.data
    steel = data[data["sector"] == "31"]
    co2 = pd.read_csv(reference / "ceads_sector_year.csv", comment="#", dtype={"gbt4754_2011": str})
    expected = co2[(co2["year"] == 2019) & (co2["gbt4754_2011"] == "31")]["co2_mt"].iloc[0]
    assert steel["sector_co2"].unique().tolist() == pytest.approx([expected * 1e6])
    assert data["sector"].notna().mean() == pytest.approx(0.277, abs=0.01)  # a name tells the sector of so many
    guiyang = data[data["prefecture"] == "贵阳市"]
    assert (guiyang["pilot"] == 1).all() and data[data["prefecture_code"].isna()]["pilot"].isna().all()
    lost = finglm.unmatched.groupby("step")["rows"].sum()
    assert lost["policy low_carbon_pilots (pilot, pilot_year)"] == 7_440  # firms whose name tells no city
    assert lost["emissions sectors"] == 8_164 + 286


def test_growth_is_missing_without_the_year_before(finglm):
    data = finglm.data
    assert data[data["report_year"] == 2019]["revenue_growth"].isna().all()
    row = data[(data["stock_code"] == "600309") & (data["report_year"] == 2020)].iloc[0]
    before = data[(data["stock_code"] == "600309") & (data["report_year"] == 2019)].iloc[0]
    assert row["revenue_growth"] == pytest.approx(np.log(row["revenue"] / before["revenue"]))


def test_the_city_panel_has_every_row_and_a_code_for_each(city, reference):
    raw = pd.read_csv(reference / "panels" / "city_panel_2007_2023.csv.gz")
    assert len(city.data) == len(raw) == 4_819 and city.data["prefecture_code"].nunique() == 285
    printed = city.data["code_agrees"].dropna()
    assert len(printed) == 3_655 and (printed == 1).all()  # read off the name, equal wherever a code is printed


def test_city_co2_against_a_second_join(city, reference):
    co2 = pd.read_csv(reference / "panels" / "ceads_city_co2_1997_2019.csv")
    for name, ceads in (("保定市", "河北保定"), ("上海市", "上海"), ("大理市", "云南大理"), ("忻州市", "山西忻州")):
        ours = city.data[city.data["city_name"] == name].set_index("year")["city_co2"].dropna()
        theirs = co2[co2["city"] == ceads].set_index("year")["co2_mt"] * 1e6
        assert ours.to_dict() == pytest.approx(theirs[theirs.index.isin(ours.index)].to_dict())
        assert len(ours) == theirs.index.isin(range(2007, 2024)).sum() or name == "大理市"
    flow = city.flow[city.flow["table"] == "co2"]
    assert flow["rows_removed"].tolist() == [0, 5, 0] and "安徽巢湖" in flow["what"].iloc[1]


def test_pilots_of_cities_against_the_list(city, reference):
    listed = pd.read_csv(reference / "low_carbon_pilots_by_city.csv", comment="#", dtype={"code": str})
    for column, printed in (("pilot_year", "year_first"), ("pilot_year_city", "year_city_only")):
        expected = city.data["prefecture_code"].map(listed.set_index("code")[printed]).astype(float)
        pd.testing.assert_series_equal(city.data[column], expected, check_names=False)
    assert (city.data["pilot"] == (city.data["year"] >= city.data["pilot_year"])).all()


def test_a_place_that_became_part_of_another_breaks_the_declared_join(reference, tmp_path):
    text = (STUDIES / "panel_city.yml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines(keepends=True) if "安徽巢湖" in line)
    with pytest.raises(DataError) as error:
        load_panel(_write(tmp_path, text.replace(line, "")), str(reference))
    assert "the join with co2 is not one_to_one" in str(error.value)
    assert "5 keys (co2_prefecture_code, year) stand more than once: 340100 2006 (2 times)" in str(error.value)


def test_the_real_panels_become_files(finglm, tmp_path):
    part = replace(finglm, data=finglm.data.head(500))
    write_panel(part, tmp_path)
    again, variables, _ = read_panel_file(str(tmp_path))
    pd.testing.assert_frame_equal(again, part.data)
    assert variables["digital_log1p"].label_zh == "数字化转型指数"
    metadata = json.dumps({name: variable.formula for name, variable in variables.items()}, ensure_ascii=False)
    assert "log1p(digital_words)" in metadata


def test_the_studies_are_good_specifications():
    for path in sorted(STUDIES.glob("panel_*.yml")):
        assert load_spec(str(path)).file == path.name
    with pytest.raises(SpecError, match="Did you mean 'revenue'"):
        text = (STUDIES / "panel_finglm.yml").read_text(encoding="utf-8")
        from econometrics.panel import parse_panel_spec

        parse_panel_spec(text.replace("log(revenue)", "log(revenu)"), "panel_finglm.yml")
