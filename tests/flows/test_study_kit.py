"""The study kit: what is in it, that its code runs and gives the same numbers everywhere, and that nothing leaks."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml
from stata_text import lines_of, problems_of, settings_of
from world import World, text_report

from flows.formats import stata_names
from flows.kit.citation import citation_bib, citation_cff
from flows.kit.example import CONTROL, OUTCOME, example_panel, expected_result
from flows.kit.facts import gather_facts
from flows.kit.options import KitOptions
from flows.kit.tables import kit_tables
from flows.kit.texts import describe_scope
from flows.kit.write import write_kit
from flows.notebook import open_export
from flows.settings import ExportParameters
from nlp.scope import parse_scope
from shuzhi import RunError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

FIRMS, YEARS = 14, (2018, 2019, 2020, 2021)
INDEX = "wu2021_total_log1p"
SENTENCE = "公司推进大数据建设"


def planted(firm: int, year: int) -> int:
    """Hits of the report of a firm-year: by hand, some of them zero."""
    return (3 * firm + 2 * (year - 2018) + firm * year) % 9


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, pool: None) -> World:
    """Read and measure 14 firms × 4 years, one report of them empty and one a web page."""
    world = World(tmp_path_factory.mktemp("kit"))
    world.reports.mkdir()
    for firm in range(FIRMS):
        for year in YEARS:
            own = f"\n本报告为第{firm}家公司{year}年的报告。"  # no two files have the same bytes
            world.put(f"{firm + 1:06d}_{year}年年度报告.txt", text_report(大数据=planted(firm, year)) + own)
    world.put("000003_2019年年度报告.txt", b"")
    world.put("000004_2020年年度报告.txt", b"\0\1\2\3")
    world.read()
    world.measure(scopes=["report", "mda"])
    return world


@pytest.fixture(scope="module")
def kit(filled: World) -> Path:
    """Give a kit as most people will ask for it."""
    filled.export(study_kit=True, is_simulated=True)
    return filled.out / "study-kit"


@pytest.fixture(scope="module")
def data(kit: Path) -> pd.DataFrame:
    """Give the wide table as its CSV file has it."""
    return pd.read_csv(kit / "data" / "indices_wide.csv", dtype={"stock_code": "str"}, encoding="utf-8-sig")


def run_python(kit: Path, script: str = "load_and_merge.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", kit / script], capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def run_r(kit: Path, script: str = "load_and_merge.R", **environment: str) -> subprocess.CompletedProcess[str]:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("no Rscript on this machine")
    return subprocess.run(
        [rscript, "--vanilla", kit / script],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment} if environment else None,
    )


def numbers_of(output: str) -> dict[str, list[float]]:
    """Return the numbers of each line that a script printed, by the words before them."""
    found = {}
    for line in output.splitlines():
        name, _, rest = line.partition(":")
        found[name.strip()] = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", rest)]
    return found


# What is in it


def test_the_kit_has_exactly_its_files(kit: Path):
    names = {path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file()}
    assert names == {*KitOptions().files, "SHA256SUMS"}
    for shape in ("wide", "long"):
        assert {f"data/indices_{shape}.{kind}" for kind in ("csv", "dta", "parquet", "xlsx")} <= names


def test_the_checksums_and_the_hash_of_the_data_hold(kit: Path):
    lines = (kit / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(KitOptions().files)
    for line in lines:
        sha, name = line.split("  ")
        assert hashlib.sha256((kit / name).read_bytes()).hexdigest() == sha
    sha = hashlib.sha256((kit / "data" / "indices_long.csv").read_bytes()).hexdigest()
    for name in ("README.md", "README.zh.md", "CITATION.cff", "CITATION.bib", "provenance.json"):
        assert sha in (kit / name).read_text(encoding="utf-8"), name


def test_all_formats_hold_the_same(kit: Path):
    for shape, kept in (("wide", FIRMS * len(YEARS)), ("long", FIRMS * len(YEARS) * 60)):
        place = kit / "data" / f"indices_{shape}"
        parquet = pd.read_parquet(place.with_suffix(".parquet"))
        assert len(parquet) == kept
        csv = pd.read_csv(place.with_suffix(".csv"), dtype={"stock_code": "str"}, encoding="utf-8-sig")
        stata = pd.read_stata(place.with_suffix(".dta"))
        names = stata_names(parquet.columns)
        book = openpyxl.load_workbook(place.with_suffix(".xlsx"), read_only=True)
        head, *rows = book.worksheets[0].iter_rows(values_only=True)
        assert list(csv.columns) == list(parquet.columns) == list(head)
        assert list(stata.columns) == list(names.values())
        assert len(rows) == kept
        excel = pd.DataFrame(rows, columns=list(head))
        for name in parquet.columns:
            if pd.api.types.is_numeric_dtype(parquet[name].dtype):
                wanted = parquet[name].astype("float64").to_numpy(float, na_value=np.nan)
                for other in (csv[name], stata[names[name]]):
                    np.testing.assert_array_equal(other.astype("float64").to_numpy(), wanted, err_msg=name)
                np.testing.assert_allclose(excel[name].astype("float64"), wanted, rtol=1e-14, err_msg=name)
            else:
                wanted_text = parquet[name].fillna("").tolist()
                for other in (csv[name], stata[names[name]], excel[name]):
                    assert ["" if pd.isna(cell) else cell for cell in other] == wanted_text, name
        assert csv["stock_code"].iloc[0] == excel["stock_code"].iloc[0] == "000001"


def test_the_values_are_the_planted_ones_and_missing_is_missing(data: pd.DataFrame):
    rows = data.set_index(["stock_code", "report_year"])
    for firm in range(FIRMS):
        for year in YEARS:
            row = rows.loc[(f"{firm + 1:06d}", year)]
            if (firm, year) in ((2, 2019), (3, 2020)):
                assert pd.isna(row["wu2021_total_count"])
                assert row["reason"]
            else:
                assert row["wu2021_total_count"] == planted(firm, year)
                assert row[INDEX] == pytest.approx(np.log(1 + planted(firm, year)))
    assert (rows["wu2021_total_count"] == 0).sum() > 0
    assert rows["wu2021_mda_total_count"].isna().all()  # these texts have no sections


def test_the_codebook_has_every_column_in_both_languages(kit: Path):
    book = pd.read_csv(kit / "codebook.csv", encoding="utf-8-sig", dtype="str")
    text = (kit / "codebook.md").read_text(encoding="utf-8")
    sheets = openpyxl.load_workbook(kit / "codebook.xlsx").sheetnames
    assert sheets == ["indices_wide", "indices_long"]
    for table in sheets:
        columns = list(pd.read_parquet(kit / "data" / f"{table}.parquet").columns)
        rows = book[book["table"] == table]
        assert list(rows["name"]) == columns
        assert rows[["label_zh", "label_en", "type", "stata_name"]].notna().all(axis=None)
        assert all(f"| {name} |" in text for name in columns)
    assert dict(zip(book["name"], book["stata_name"], strict=True))[INDEX] == INDEX


# The code


def test_python_prints_what_is_expected(kit: Path):
    done = run_python(kit)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    printed = numbers_of(done.stdout)
    expected = pd.read_csv(kit / "expected_result.csv", encoding="utf-8-sig").set_index("term")
    assert list(expected.index) == [INDEX, CONTROL]
    for term, row in expected.iterrows():
        assert printed[str(term)][:2] == pytest.approx([row["estimate"], row["standard_error"]], rel=1e-8)
    assert printed["rows in the regression"] == [expected["observations"].iloc[0]]
    assert printed["firms"][0] == expected["firms"].iloc[0]


def test_python_counts_the_merge_right(kit: Path, data: pd.DataFrame):
    printed = numbers_of(run_python(kit).stdout)
    own = pd.read_csv(kit / "own_panel_example.csv", dtype="str")
    keys = {(code.zfill(6), int(year)) for code, year in zip(own["stock_code"], own["report_year"], strict=True)}
    values = {(row.stock_code, row.report_year): getattr(row, INDEX) for row in data.itertuples()}
    both = keys & set(values)
    assert any(not code.startswith("0") and len(code) < 6 for code in own["stock_code"])  # zeros were lost
    assert printed["rows of the own panel"] == [len(own)]
    assert printed["matched"] == [len(both)]
    assert printed["without a row in the data"] == [len(keys - both)] != [0]
    assert printed["rows of the data not asked for"] == [len(set(values) - both)] != [0]
    assert printed["matched but index missing"] == [sum(pd.isna(values[key]) for key in both)]
    complete = sum(
        not pd.isna(row[OUTCOME]) and not pd.isna(values.get((row["stock_code"].zfill(6), int(row["report_year"]))))
        for row in own.to_dict("records")
    )
    assert printed["rows with a missing value"] == [len(own) - complete]


@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}], ids=str)
def test_r_and_python_agree_number_by_number(kit: Path, environment: dict[str, str]):
    done = run_r(kit, **environment)
    assert done.returncode == 0, done.stderr
    ours, theirs = numbers_of(run_python(kit).stdout), numbers_of(done.stdout)
    assert list(ours) == list(theirs)
    assert len(ours) > 8
    for name, values in ours.items():
        assert theirs[name] == pytest.approx(values, rel=1e-8), name


HARD = """stkcd,Accper,y,x
1,2018-12-31,0.1,1
000002.SZ,2018.0,0.2,2
sz000003,2018,,3
 5 ,2018,0.4,4
HK0001,2018,0.5,5
7,soon,0.6,6
999999,2018,0.7,7
"""


@pytest.mark.parametrize("language", ["python", "R"])
def test_codes_and_years_as_people_have_them(kit: Path, tmp_path: Path, language: str):
    shutil.copytree(kit, tmp_path / "kit")
    (tmp_path / "kit" / "mine.csv").write_text(HARD, encoding="gb18030")
    name = "load_and_merge." + ("py" if language == "python" else "R")
    script = (kit / name).read_text(encoding="utf-8")
    for before, after in {
        "own_panel_example.csv": "mine.csv",
        'OWN_CODE, OWN_YEAR = "stock_code", "report_year"': 'OWN_CODE, OWN_YEAR = "stkcd", "Accper"',
        'own_code <- "stock_code"': 'own_code <- "stkcd"',
        'own_year <- "report_year"': 'own_year <- "Accper"',
        OUTCOME: "y",
        CONTROL: "x",
        '"utf-8-sig"  # gb18030': '"gb18030"  # gb18030',
        'own_encoding <- "UTF-8"': 'own_encoding <- "GB18030"',
    }.items():
        script = script.replace(before, after)
    (tmp_path / "kit" / f"mine_{name}").write_text(script, encoding="utf-8")
    run = run_python if language == "python" else run_r
    done = run(tmp_path / "kit", f"mine_{name}")
    printed = numbers_of(done.stdout)
    assert printed["rows of the own panel"] == [7]
    assert printed["code or year not readable"] == [2]
    assert printed["matched"] == [4]
    assert printed["without a row in the data"] == [3]
    assert done.returncode == 1
    assert "too few rows" in done.stderr


@pytest.mark.parametrize("language", ["python", "R"])
def test_a_doubled_firm_year_stops_the_merge(kit: Path, tmp_path: Path, language: str):
    shutil.copytree(kit, tmp_path / "kit")
    own = tmp_path / "kit" / "own_panel_example.csv"
    lines = own.read_text(encoding="utf-8").splitlines()
    own.write_text("\n".join([*lines, "00000" + lines[1]]) + "\n", encoding="utf-8")
    done = (run_python if language == "python" else run_r)(tmp_path / "kit")
    assert done.returncode == 1
    assert "1 firm-years stand more than once" in done.stderr
    assert "matched" not in done.stdout


def test_the_do_file_holds_together(kit: Path):
    text = (kit / "load_and_merge.do").read_text(encoding="utf-8")
    assert text.isascii()
    assert problems_of(text) == []
    settings = settings_of(text)
    with pd.io.stata.StataReader(kit / "data" / "indices_wide.dta") as reader:
        variables = set(reader.variable_labels())
    assert {settings["index"], "stock_code", "report_year", "status"} <= variables
    own = pd.read_csv(kit / settings["own_panel"], nrows=1)
    assert {settings[name] for name in ("own_code", "own_year", "outcome", "controls")} == set(own.columns)
    for file in re.findall(r'using "([^"`]+)"', text):
        assert (kit / file).is_file()
    expected = pd.read_csv(kit / "expected_result.csv", encoding="utf-8-sig").set_index("term")
    stated = re.findall(r"assert reldif\(_(b|se)\[(\w+)\], ([-\d.e]+)\)", text)
    assert len(stated) == 2 * len(expected)
    for what, term, value in stated:
        assert float(value) == expected.loc[term, "estimate" if what == "b" else "standard_error"]


def test_the_do_file_merges_as_python_does(kit: Path):
    """Do by hand what its commands say, on the files that it reads."""
    text = (kit / "load_and_merge.do").read_text(encoding="utf-8")
    own = pd.read_csv(kit / "own_panel_example.csv", dtype="str")
    patterns = [found[1] for found in re.finditer(r'regexr\(key_code, "([^"]+)", ""\)', text)]
    assert len(patterns) == 3
    codes = own["stock_code"].str.strip().str.upper()
    for pattern in patterns:
        codes = codes.str.replace(pattern, "", n=1, regex=True)
    own["stock_code"] = ("000000" + codes).str[-6:]
    own["report_year"] = own["report_year"].str[:4].astype(int)
    merged = own.merge(pd.read_stata(kit / "data" / "indices_wide.dta"), how="left", indicator=True)
    printed = numbers_of(run_python(kit).stdout)
    assert printed["matched"] == [(merged["_merge"] == "both").sum()]
    assert printed["matched but index missing"] == [((merged["_merge"] == "both") & merged[INDEX].isna()).sum()]


def test_the_check_of_do_files_finds_what_is_wrong():
    assert problems_of('display "a\n') == ['odd quotes: display "a']
    assert problems_of("generate x = (1\n") == ["odd brackets: generate x = (1"]
    assert problems_of("replace `x' = 1\n") == ["macros that are not defined: replace `x' = 1"]
    assert problems_of("while 1 {\n") == ["braces are open at the end"]
    assert problems_of("delete x\n") == ["no known command: delete x"]
    assert lines_of("* a\n\n  drop x\n") == ["drop x"]


# The texts


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_readme_counts_right(kit: Path, data: pd.DataFrame, name: str):
    text = (kit / name).read_text(encoding="utf-8")
    assert "{{" not in text
    assert "{%" not in text
    assert str(FIRMS * len(YEARS)) in text
    for year, rows in data.groupby("report_year"):
        assert f"| {year} | {len(rows)} | {(rows['status'] == 'ok').sum()} |" in text
    for status, count in Counter(data.loc[data["status"] != "ok", "status"]).items():
        assert f"| `{status}` | {count} |" in text
    values = data["wu2021_total_count"].dropna()
    assert f"| `wu2021` | `report` | {len(values)} | {(values == 0).sum()} | {values.mean():.2f} |" in text
    assert "| `wu2021` | `mda` | 0 | 0 |  |" in text
    assert "`longest`" in text
    assert "SIMULATED" in text.upper()
    assert "吴非" in text


def test_every_table_of_the_texts_is_whole(kit: Path):
    for path in kit.glob("*.md"):
        widths: list[int] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
            assert not cells or not widths or cells == widths[-1], f"{path.name}: {line}"
            widths = [*widths, cells] if cells else []


def test_every_file_that_the_readme_names_is_there(kit: Path):
    text = (kit / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"`([\w/]+\.(?:md|csv|do|py|R|cff|bib|json))`", text):
        assert (kit / name).is_file() or (kit / "data" / name).is_file(), name


CFF_TOP = {
    "cff-version", "message", "type", "title", "abstract", "authors", "version", "keywords", "identifiers",
    "references", "license",
}  # fmt: skip
CFF_REFERENCE = {"type", "title", "authors", "version", "license", "notes", "journal", "year", "doi"}


def check_cff(content: dict) -> None:
    """Check what version 1.2.0 of the format asks for, as far as our files use it."""
    assert set(content) <= CFF_TOP
    assert content["cff-version"] == "1.2.0"
    assert content["type"] in ("software", "dataset")
    for entry in (content, *content["references"]):
        assert entry["title"]
        assert entry["authors"]
        for agent in entry["authors"]:
            assert set(agent) in ({"name"}, {"family-names"}, {"family-names", "given-names"})
            assert all(isinstance(value, str) and value for value in agent.values())
    for reference in content["references"]:
        assert set(reference) <= CFF_REFERENCE
        assert reference["type"] in ("software", "article")
        assert isinstance(reference.get("year", 2000), int)
        assert re.fullmatch(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+", reference.get("doi", "10.1234/x"))
    for identifier in content["identifiers"]:
        assert set(identifier) == {"type", "value", "description"}
        assert identifier["type"] == "other"


def test_the_citation_file_is_valid_and_names_data_software_and_article(kit: Path):
    content = yaml.safe_load((kit / "CITATION.cff").read_text(encoding="utf-8"))
    check_cff(content)
    assert "license" not in content
    software, article = content["references"]
    assert software["title"] == "shuzhi"
    assert article["doi"] == "10.19744/j.cnki.11-1235/f.2021.0097"
    assert article["year"] == 2021
    assert [agent["family-names"] for agent in article["authors"]] == ["吴非", "胡慧芷", "林慧妍", "任晓怡"]


def test_bibtex_is_balanced_and_names_the_same(kit: Path):
    text = (kit / "CITATION.bib").read_text(encoding="utf-8")
    assert re.findall(r"^@(\w+)\{", text, re.MULTILINE) == ["misc", "misc", "article"]
    for entry in text.split("\n\n"):
        assert entry.count("{") == entry.count("}")
    assert "{吴非} and {胡慧芷}" in text


def test_authors_licence_and_odd_dictionaries(filled: World, kit: Path):
    export = open_export(filled.out)
    options = KitOptions(authors=("张, 三", "Zhang, San", "数字经济 & 课题组"), licence="CC-BY-4.0")
    facts = gather_facts(export, kit_tables(export, False), "ab" * 32, options)
    content = yaml.safe_load(citation_cff(facts))
    check_cff(content)
    assert content["license"] == "CC-BY-4.0"
    assert content["authors"] == [
        {"family-names": "张", "given-names": "三"},
        {"family-names": "Zhang", "given-names": "San"},
        {"name": "数字经济 & 课题组"},
    ]
    assert "author = {张, 三 and Zhang, San and {数字经济 \\& 课题组}}" in citation_bib(facts)


def test_scopes_are_described():
    assert describe_scope(parse_scope("report"))[1] == "everything that is printed; every hit"
    assert describe_scope(parse_scope("mda:strict"))[1].endswith("hits that are the filer's own action, done")
    assert "mda + governance" in describe_scope(parse_scope("mda+governance"))[1]
    assert describe_scope(parse_scope("without_financial_report"))[0] == "不含章节 financial_report 的正文；所有命中"


# What must not be in it


def test_no_sentence_no_path_no_name_of_a_user(kit: Path, filled: World):
    with zipfile.ZipFile(filled.out / "study-kit.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name, content in contents.items():
        plain = [content]
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(kit.parent / name) as book:
                plain = [book.read(each) for each in book.namelist()]
        for part in plain:
            assert SENTENCE.encode("utf-8") not in part, name
            assert str(filled.root).encode() not in part, name
            assert str(Path.home()).encode() + b"/" not in part, name
            assert "年年度报告.txt".encode() not in part, name  # names of files
    told = json.loads((kit / "provenance.json").read_text(encoding="utf-8"))
    assert "terms" not in told
    assert "this_run" not in told


def test_parquet_files_hold_no_path_or_sentence_in_their_pages(kit: Path, filled: World):
    for path in (kit / "data").glob("*.parquet"):
        cells = pd.read_parquet(path).select_dtypes(include=["str", "object"]).stack().dropna().unique()
        assert not [cell for cell in cells if SENTENCE in cell or str(filled.root) in cell or cell.endswith(".txt")]


def test_sentences_come_only_when_asked_for_and_go_again(filled: World, tmp_path: Path):
    shutil.copytree(filled.out, tmp_path / "out", ignore=shutil.ignore_patterns("study-kit*"))
    folder = write_kit(tmp_path / "out", KitOptions(has_sentences=True))
    hits = pd.read_parquet(folder / "data" / "hits.parquet")
    assert len(hits) == sum(
        planted(firm, year) for firm in range(FIRMS) for year in YEARS if (firm, year) not in ((2, 2019), (3, 2020))
    )
    assert hits["sentence"].str.contains(SENTENCE).all()
    assert "data/hits.csv" in (folder / "SHA256SUMS").read_text(encoding="utf-8")
    assert "`data/hits.*` hold them" in (folder / "LICENCE.md").read_text(encoding="utf-8")
    (folder / "mine.R").write_text("x <- 1\n", encoding="utf-8")
    write_kit(tmp_path / "out", KitOptions())
    assert not list((folder / "data").glob("hits.*"))
    assert (folder / "mine.R").is_file()  # files of others stay, and do not travel
    with zipfile.ZipFile(tmp_path / "out" / "study-kit.zip") as archive:
        assert not [name for name in archive.namelist() if "hits" in name or "mine" in name]


# Again


def test_a_second_kit_has_the_same_bytes(filled: World, kit: Path, tmp_path: Path):
    filled.export(study_kit=True, is_simulated=True, out=str(tmp_path / "second"))
    assert (tmp_path / "second" / "study-kit.zip").read_bytes() == (filled.out / "study-kit.zip").read_bytes()
    for name in (*KitOptions().files, "SHA256SUMS"):
        assert (tmp_path / "second" / "study-kit" / name).read_bytes() == (kit / name).read_bytes(), name


def test_a_current_kit_is_left_alone_and_a_damaged_one_is_mended(filled: World, tmp_path: Path):
    shutil.copytree(filled.out, tmp_path / "out")
    folder = write_kit(tmp_path / "out", KitOptions())
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_kit(tmp_path / "out", KitOptions())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    before = (folder / "README.md").read_bytes()
    (folder / "README.md").write_text("changed", encoding="utf-8")
    (folder / "data" / ".indices_wide.csv.1-2.tmp").write_text("half", encoding="utf-8")
    write_kit(tmp_path / "out", KitOptions())
    assert (folder / "README.md").read_bytes() == before
    assert not list(folder.rglob("*.tmp"))


def test_files_that_were_changed_since_the_export_give_no_kit(filled: World, tmp_path: Path):
    shutil.copytree(filled.out, tmp_path / "out", ignore=shutil.ignore_patterns("study-kit*"))
    (tmp_path / "out" / "quality.md").write_text("all is well\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"quality\.md changed since the export"):
        write_kit(tmp_path / "out", KitOptions())
    assert not (tmp_path / "out" / "study-kit").exists()


def test_options_of_a_kit_that_nobody_asked_for_are_refused():
    with pytest.raises(ValueError, match="--study-kit"):
        ExportParameters(store="s", out="o", kit_sentences=True)
    with pytest.raises(ValueError, match="kit_licence"):
        ExportParameters(store="s", out="o", study_kit=True, kit_licence="my own words")


# The example


def wide_of(firms: int, years: int) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    rows = [(f"{firm:06d}", 2010 + year, generator.normal()) for firm in range(1, firms + 1) for year in range(years)]
    return pd.DataFrame(rows, columns=["stock_code", "report_year", "index"])


def test_the_planted_effect_is_found_in_a_long_panel():
    wide = wide_of(60, 12)
    found = expected_result(wide, example_panel(wide, "index"), "index").set_index("term")
    assert abs(found.loc["index", "estimate"] - 0.1) < 3 * found.loc["index", "standard_error"]
    assert found.loc["index", "standard_error"] < 0.01


@pytest.mark.parametrize(("firms", "years"), [(1, 1), (1, 8), (3, 2), (2, 9)])
def test_too_few_firm_years_give_no_expected_result(firms: int, years: int):
    wide = wide_of(firms, years)
    assert expected_result(wide, example_panel(wide, "index"), "index").empty


def test_an_export_without_firm_years_gives_no_kit(filled: World, tmp_path: Path):
    filled.export(out=str(tmp_path / "none"), years=[1999])
    with pytest.raises(UsageError, match="no firm-year"):
        write_kit(tmp_path / "none", KitOptions())
