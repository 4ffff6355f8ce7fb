"""Exports and stores opened from a notebook, and the way of one report without a store: the same numbers."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from world import World, text_report

import econometrics
import nlp
from flows.formats import write_csv, write_parquet
from flows.notebook import EXPORT_FILES, open_export, open_store, read_estimates
from nlp import Matcher, Report, build_index, find_hits, read_report, to_wide
from nlp.dictionary import Dictionary
from shuzhi import StoreError, UsageError

# Import

PACKAGES = {"nlp": nlp, "econometrics": econometrics}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_can_be_taken_from_its_package(name: str):
    package = PACKAGES[name]
    tree = ast.parse(Path(str(package.__file__)).read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    stated = {each for each in imported if each not in ("annotations", "TYPE_CHECKING", "Any")}
    assert set(package.__all__) == stated == set(package._MODULE_OF)
    for public in package.__all__:
        found = getattr(package, public)
        assert found.__name__ == public
        # A name that is a module's too would mean this or that, depending on what was imported before.
        assert not (Path(str(package.__file__)).parent / public).exists()
        assert not (Path(str(package.__file__)).parent / f"{public}.py").exists()
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        package.nosuch  # noqa: B018


@pytest.mark.parametrize("name", PACKAGES)
def test_importing_a_package_imports_nothing_slow(name: str):
    slow = "('numpy', 'pandas', 'pypdfium2', 'scipy')"
    code = f"import sys, {name}; print([each for each in {slow} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


# One report


def test_a_real_report_has_the_hits_that_were_counted_by_hand(reports: Path, wu2021: Dictionary):
    """The report of the README: nine hits, all inside the name of one firm."""
    path = reports / "600519_2020_annual_full.pdf"
    report = read_report(path.read_bytes(), path.name)
    assert (report.identity.stock_code, report.identity.report_year) == ("600519", 2020)
    hits = find_hits(report, Matcher(wu2021, "longest"))
    assert len(hits) == 9
    assert set(hits["term"]) == {"电子商务"}
    assert all(report.pages[hit.page - 1][hit.offset] == "电" for hit in hits.itertuples())
    assert hits["sentence"].str.contains("电子商务").all()


def test_a_file_that_cannot_be_read_has_a_reason_and_no_zero(wu2021: Dictionary):
    damaged = read_report(b"<html>404</html>", "000001_2020年年度报告.pdf")
    assert (damaged.status, damaged.pages, damaged.identity.stock_code) == ("not_a_pdf", (), "000001")
    assert not damaged.is_readable
    long = build_index([damaged], wu2021)
    assert len(long) == 30
    assert long["value"].isna().all()
    assert long["reason"].str.contains("web page").all()


def test_reports_in_two_scripts_make_no_index(wu2021: Dictionary):
    text = text_report(大数据=1).encode("utf-8")
    both = [read_report(text, "000001_2020年年度报告.txt"), read_report(text, "000002.txt", script="simplified")]
    with pytest.raises(UsageError, match="same script"):
        build_index(both, wu2021)
    with pytest.raises(UsageError, match="at least one"):
        build_index([], wu2021)


# An export


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, small_corpus, pool: None) -> World:
    """Run the whole job over the simulated corpus, with one report twice."""
    corpus, _ = small_corpus
    world = World(tmp_path_factory.mktemp("notebook"))
    shutil.copytree(corpus, world.reports)
    world.put("000001_2020年年度报告.txt", text_report(大数据=2, 移动互联网=1))
    world.put("000001_2020年年度报告（更正后）.txt", text_report(大数据=4, 移动互联网=1))
    world.run()
    return world


@pytest.fixture(scope="module")
def in_memory(ran: World) -> dict[str, Report]:
    """Read the same reports without a store."""
    return {path.name: read_report(path.read_bytes(), path.name) for path in sorted(ran.reports.iterdir())}


@pytest.mark.parametrize("rule", ["longest", "substring", "token"])
def test_an_index_built_in_memory_is_the_one_of_the_flows(
    ran: World, in_memory: dict[str, Report], wu2021: Dictionary, rule: str
):
    if rule != "longest":
        ran.measure(rule=rule)
    ran.export(out=str(ran.root / rule), rule=rule)
    export = open_export(ran.root / rule)
    long = build_index(in_memory.values(), wu2021, rule)
    columns = ["stock_code", "report_year", "index", "value", "numerator", "denominator", "document_id", "status"]
    pd.testing.assert_frame_equal(long[columns], export.indices_long[columns], check_dtype=False, rtol=0, atol=0)
    wide = to_wide(long)
    pd.testing.assert_frame_equal(wide, export.indices[list(wide.columns)], check_dtype=False)


def test_hits_in_memory_are_the_ones_of_the_flows(ran: World, in_memory: dict[str, Report], wu2021: Dictionary):
    export = open_export(ran.out)
    columns = ["term", "dimension", "page", "offset", "matched", "sentence", "section"]
    matcher = Matcher(wu2021, "longest")
    ours = {file: find_hits(report, matcher)[columns] for file, report in in_memory.items()}
    seen = 0
    for file, theirs in export.hits.groupby("file"):
        shown = theirs[columns].astype({"page": "int64", "offset": "int64"}).reset_index(drop=True)
        pd.testing.assert_frame_equal(ours[str(file)], shown, check_dtype=False)
        seen += len(shown)
    assert seen == sum(map(len, ours.values())) > 50


def test_every_table_opens_with_the_types_of_the_codebook(ran: World):
    export = open_export(ran.out)
    kinds = {"text": "str", "integer": "Int64", "number": "float64", "boolean": "boolean"}
    book = export.codebook
    for name in EXPORT_FILES:
        table = export.table(name)
        types = book[book["table"] == name].set_index("name")["type"]
        for column, kind in types.items():
            if name != "codebook" and table[str(column)].notna().any():
                assert str(table[str(column)].dtype) == kinds[kind], f"{name}.{column}"
    assert export.documents["stock_code"].dropna().str.len().eq(6).all()
    assert book["first_year"].dtype == "Int64"
    assert export.documents["is_used"].sum() == len(export.indices)


def test_text_comes_back_as_it_was_and_not_as_a_spreadsheet_needs_it(ran: World, tmp_path: Path):
    shutil.copytree(ran.out, tmp_path / "out", ignore=shutil.ignore_patterns("store"))
    failures = open_export(ran.out).table("failures")
    failures["reason"] = ["=1+1", *["NA"] * (len(failures) - 1)]
    write_csv(failures, tmp_path / "out" / "failures.csv")
    assert open_export(tmp_path / "out").table("failures")["reason"].tolist() == failures["reason"].tolist()


def test_labels_in_both_languages(ran: World):
    export = open_export(ran.out)
    assert export.labels("zh")["stock_code"] == "股票代码"
    assert set(export.labels("en")) == set(export.indices.columns)
    assert export.labels("en", "hits")["sentence"] == "Sentence of the hit"


def test_an_export_answers_in_sql(ran: World):
    export = open_export(ran.out)
    names = export.sql("SHOW TABLES")["name"].tolist()
    assert names == sorted([*EXPORT_FILES, "indices"])
    found = export.sql("SELECT stock_code, count(*) AS n FROM hits WHERE term = $term GROUP BY ALL", {"term": "大数据"})
    assert dict(zip(found["stock_code"], found["n"], strict=True))["000001"] == 4 + 2
    assert export.sql("SELECT count(value) AS n FROM indices")["n"].item() == export.indices_long["value"].notna().sum()
    with pytest.raises(UsageError, match="only reads"):
        export.sql("COPY hits TO 'hits.csv'")


def test_an_export_in_a_folder_with_odd_characters_answers(ran: World, tmp_path: Path):
    place = tmp_path / "out [a*b] 'c'?"
    shutil.copytree(ran.out, place, ignore=shutil.ignore_patterns("store"))
    assert open_export(place).sql("SELECT count(*) AS n FROM hits")["n"].item() == len(open_export(ran.out).hits)


def test_what_was_changed_is_named(ran: World, tmp_path: Path):
    shutil.copytree(ran.out, tmp_path / "out", ignore=shutil.ignore_patterns("store"))
    export = open_export(tmp_path / "out")
    assert export.damaged() == []
    (tmp_path / "out" / "hits.parquet").unlink()
    (tmp_path / "out" / "quality.md").write_text("fine", encoding="utf-8")
    assert export.damaged() == ["hits.parquet", "quality.md"]
    with pytest.raises(UsageError, match=r"hits\.parquet is missing; 'shuzhi export"):
        export.hits  # noqa: B018
    with pytest.raises(UsageError, match="no table of an export"):
        export.table("panel")


@pytest.mark.parametrize("content", [None, "{", ""])
def test_a_folder_without_a_finished_export_does_not_open(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"run\.json: .*'shuzhi export' wrote to its end"):
        open_export(tmp_path)


def test_passports_of_word_lists_stand_in_run_json(ran: World):
    passport = json.loads((ran.out / "run.json").read_text(encoding="utf-8"))["passports"]["wu2021"]
    assert passport["doi"] == "10.19744/j.cnki.11-1235/f.2021.0097"
    assert passport["title"]["zh"] == "企业数字化转型（吴非等 2021）"
    assert list(passport["dimensions"]) == sorted(passport["dimensions"])  # keys in order, as everywhere in run.json


# A store


def test_a_store_opens_and_answers(ran: World):
    store = open_store(ran.root)
    assert len(store.documents) == len(list(ran.reports.iterdir()))
    assert len(store.evidence("000001", 2020, term="大数据")) >= 4
    found = store.sql("SELECT count(*) AS n FROM documents WHERE report_year = $year", {"year": 2020})
    assert found["n"].item() == (store.documents["report_year"] == 2020).sum()
    with store.connect() as connection:
        assert connection.execute("SELECT count(*) FROM pages").fetchall()[0][0] > 20
    with pytest.raises(UsageError, match="only reads"):
        store.sql("CREATE TABLE x AS SELECT 1")


def test_no_store_says_where_it_was_looked_for(tmp_path: Path):
    with pytest.raises(StoreError, match="no store at"):
        open_store(tmp_path)


def test_plain_duckdb_reads_an_export(ran: World):
    query = f"SELECT stock_code, value FROM '{ran.out}/indices_long.parquet' WHERE \"index\" = ? AND report_year = ?"
    found = duckdb.execute(query, ["wu2021_total_count", 2020]).fetchall()
    wide = open_export(ran.out).indices
    wanted = wide[wide["report_year"] == 2020].set_index("stock_code")["wu2021_total_count"]
    assert {code: value for code, value in found if value is not None} == wanted.dropna().to_dict()


# A study


def test_estimates_of_a_study(tmp_path: Path):
    with pytest.raises(UsageError, match=r"estimates\.parquet is missing"):
        read_estimates(tmp_path)
    frame = pd.DataFrame({"term": ["a"], "estimate": [0.5], "observations": pd.array([None], dtype="Int64")})
    write_parquet(frame, tmp_path / "estimates.parquet", {})
    assert read_estimates(tmp_path)["observations"].dtype == "Int64"
