"""The dictionary commands as a user types them, from a colleague's list to a new version from one's own reports."""

import hashlib
import random
import re
import shutil
from pathlib import Path

import openpyxl
import pytest
from conftest import Command

GOOD = """\
name: mine
family: digital
title: {zh: 自编, en: Own}
authors: [Nobody]
year: 2024
verified: false
unit_of_count: occurrences
dimensions:
  - {id: cloud, zh: 云, en: Cloud, terms: [云计算, 云存储服务]}
  - {id: data, zh: 数据, en: Data, terms: [大数据]}
"""


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "mine.yml").write_text(GOOD, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def store(shuzhi: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read six simulated reports of three firms, in which 分布式账本 stands where 云计算 and 大数据 stand."""
    folder = tmp_path_factory.mktemp("expand")
    draw = random.Random(5)
    technical = ["公司利用{}优化后台系统", "公司部署{}处理客户信息", "研发团队掌握{}核心算法", "服务器集群运行{}任务"]
    food = ["仓库储存{}和玉米", "车间研磨{}制作面包", "农民种植并出售{}原料", "食品厂采购{}做饼干"]
    (folder / "reports").mkdir()
    for firm in ("000011", "000012", "000014"):
        for year in (2019, 2020):
            lines = []
            for _ in range(60):
                lines.append(draw.choice(technical).format(draw.choice(["云计算", "大数据", "分布式账本"])) + "。")
                lines.append(draw.choice(food).format(draw.choice(["小麦粉", "玉米粉"])) + "。")
            (folder / "reports" / f"{firm}_{year}_annual.txt").write_text("\n".join(lines), encoding="utf-8")
    done = shuzhi("read", "reports", "--store", "store", "--workers", 1, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "store"


# List and show


@pytest.mark.parametrize("name", ["zhao2021", "yao2024_ai", "li2020_fintech", "dai2024_data"])
def test_a_list_that_is_not_verified_is_called_so_wherever_it_is_shown(shuzhi: Command, name: str):
    [line] = [line for line in shuzhi("dictionary", "list").stdout.splitlines() if line.startswith(f"{name} ")]
    assert "NOT verified" in line
    shown = shuzhi("dictionary", "show", name).stdout
    assert "NOT verified" in shown.splitlines()[2]
    assert "unsure:" in shown
    assert "NOT verified" in shuzhi("dictionary", "check", name).stdout.splitlines()[0]


def test_a_house_list_shows_the_reason_of_each_term(shuzhi: Command):
    shown = shuzhi("dictionary", "show", "intelligent").stdout
    assert "house list, NOT verified" in shown
    assert re.search(r"^    机器人: .*\[dai2024_data\]$", shown, re.MULTILINE)


@pytest.mark.parametrize("where", ["option", "variable"])
def test_a_folder_of_ones_own_counts_for_every_command(shuzhi: Command, lists: Path, where: str):
    option = ["--dictionary-folder", lists] if where == "option" else []
    variable = {"SHUZHI_DICTIONARIES": str(lists)} if where == "variable" else {}
    assert "mine " in shuzhi("dictionary", "list", *option, **variable).stdout
    assert "云存储服务" in shuzhi("dictionary", "show", "mine", *option, **variable).stdout
    assert shuzhi("dictionary", "check", "mine", *option, **variable).returncode == 0
    assert "only in mine: 1" in shuzhi("dictionary", "diff", "mine", "wu2021", *option, **variable).stdout


def test_a_folder_that_is_not_there_names_the_variable(shuzhi: Command):
    done = shuzhi("--version", SHUZHI_DICTIONARIES="nowhere")
    assert (done.returncode, "nowhere (SHUZHI_DICTIONARIES)" in done.stderr) == (2, True)


def test_a_broken_list_does_not_hide_the_others(shuzhi: Command, lists: Path):
    (lists / "broken.yml").write_text(GOOD.replace("name: mine", "name: broken").replace("year: 2024\n", ""), "utf-8")
    done = shuzhi("dictionary", "list", "--dictionary-folder", lists)
    assert done.returncode == 2
    assert "mine " in done.stdout
    assert "year is missing" in done.stderr


# Check


def test_warnings_do_not_fail(shuzhi: Command):
    done = shuzhi("dictionary", "check", "wu2021", "zhao2021")
    assert (done.returncode, done.stderr) == (0, "")
    assert "移动互联 lies inside 移动互联网" in done.stdout
    assert "征信 often means something else" in done.stdout
    assert re.search(r"^wu2021 \+ zhao2021: \d+ warnings$", done.stdout, re.MULTILINE)
    assert "数字化 of zhao2021 lies inside" not in done.stdout


def test_the_problems_of_all_files_come_at_once_and_the_good_ones_are_checked(shuzhi: Command, lists: Path):
    for name in ("a", "b"):
        (lists / f"{name}.yml").write_text(GOOD.replace("mine", name).replace("大数据", "云计算"), encoding="utf-8")
    done = shuzhi("dictionary", "check", "a.yml", "mine.yml", "b.yml", "nosuch", cwd=lists)
    assert done.returncode == 2
    assert done.stdout.startswith("mine.yml: no problem; 3 terms")
    assert [name in done.stderr for name in ("a.yml: 1 problem", "b.yml: 1 problem", "no dictionary nosuch")] == [
        True
    ] * 3


def test_a_store_tells_which_short_terms_lie_in_longer_words(shuzhi: Command, lists: Path, store: Path):
    # In the simulated reports 玉米 stands alone (和玉米) and inside 玉米粉.
    (lists / "corn.yml").write_text(
        GOOD.replace("name: mine", "name: corn").replace("云计算, 云存储服务", "玉米"), encoding="utf-8"
    )
    done = shuzhi("dictionary", "check", lists / "corn.yml", "--store", store)
    text = "".join(path.read_text("utf-8") for path in sorted((store.parent / "reports").iterdir()))
    [line] = [line for line in done.stdout.splitlines() if "in_longer_word" in line and "玉米" in line]
    inside, hits = text.count("玉米粉"), text.count("玉米")
    assert f"玉米: {inside} of {hits} hits ({inside / hits:.0%})" in line
    assert "玉米粉" in line


# Diff


def test_the_difference_is_counted_and_listed(shuzhi: Command, lists: Path):
    (lists / "new.yml").write_text(
        GOOD.replace("name: mine", "name: new")
        .replace("云计算, 云存储服务", "大数据")
        .replace("[大数据]}\n", "[云计算, 区块链]}\n")
        .replace("Cloud, terms: [云计算, 区块链]", "Cloud, terms: [大数据]"),
        encoding="utf-8",
    )
    lines = shuzhi("dictionary", "diff", "mine.yml", "new.yml", cwd=lists).stdout.splitlines()
    assert lines[2:] == [
        "in both, same dimension: 0",
        "in both, moved: 2",
        "    cloud -> data: 云计算",
        "    data -> cloud: 大数据",
        "only in mine: 1",
        "    cloud: 云存储服务",
        "only in new: 1",
        "    data: 区块链",
    ]


# Import


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_table_becomes_a_dictionary_with_its_lineage(shuzhi: Command, tmp_path: Path, encoding: str):
    data = "词语,维度\n大数据平台,数据\n区块链,链\n".encode(encoding)
    (tmp_path / "colleague.csv").write_bytes(data)
    arguments = [
        "colleague.csv",
        "--name",
        "ours",
        "--dimension",
        "数据=data",
        "--dimension",
        "链=chain",
        "--out",
        "lists",
    ]
    done = shuzhi("dictionary", "import", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = shuzhi("dictionary", "show", "ours", "--dictionary-folder", "lists", cwd=tmp_path).stdout
    assert "imported_from: colleague.csv" in shown
    assert hashlib.sha256(data).hexdigest() in shown
    assert re.search(r"data  数据 / data \(1 terms\)\n    大数据平台\nchain  链 / chain", shown)


def test_jiebas_dictionary_and_plain_text(shuzhi: Command, tmp_path: Path):
    (tmp_path / "user.txt").write_text("人工智能 3 n\n云计算 5 nz\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("# ours\n人工智能\n云计算\n", encoding="utf-8")
    hashes = set()
    for file in ("user.txt", "words.txt"):
        done = shuzhi("dictionary", "import", file, "--name", "ours", "--out", file[:4], cwd=tmp_path)
        hashes.add(re.search(r"hash (\w+)", done.stdout)[1])
    assert len(hashes) == 1


def test_a_dirty_workbook_is_refused_with_every_row(shuzhi: Command, tmp_path: Path):
    book = openpyxl.Workbook()
    for row in (["关键词", "保留"], ["大数据", "是"], ["大数据", "是"], [None, "是"], ["云计算", "也许"]):
        book.active.append(row)
    book.active.title = "词表"
    book.save(tmp_path / "dirty.xlsx")
    done = shuzhi("dictionary", "import", "dirty.xlsx", "--name", "ours", cwd=tmp_path)
    assert done.returncode == 2
    assert [line.strip() for line in done.stderr.splitlines()] == [
        "Error: dirty.xlsx: 3 problems",
        "sheet 词表, row 3: 大数据 stands already at sheet 词表, row 2; keep one",
        "sheet 词表, row 4: no term",
        "sheet 词表, row 5: keep is '也许'; write yes or no, or leave it empty",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["dirty.xlsx"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"not a workbook", "x.xlsx", "not an Excel workbook"),
        (b"", "x.csv", "empty"),
        (b"a,b\n1,2\n", "x.csv", "no column of terms among a, b"),
        (b"\xff\xff\xff\xff", "x.txt", "line 1: not text in UTF-8 or GB18030"),
        (b"\xd0\xcf\x11\xe0", "x.xls", "old Excel format"),
    ],
)
def test_a_file_that_is_no_list_is_one_line(shuzhi: Command, tmp_path: Path, content: bytes, name: str, words: str):
    (tmp_path / name).write_bytes(content)
    done = shuzhi("dictionary", "import", name, "--name", "ours", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.strip().splitlines()
    assert line.startswith(f"Error: {name}")
    assert words in line


def test_nothing_is_replaced_unless_asked_and_no_shipped_name_is_taken(shuzhi: Command, tmp_path: Path):
    (tmp_path / "w.txt").write_text("云计算\n", encoding="utf-8")
    assert shuzhi("dictionary", "import", "w.txt", "--name", "ours", cwd=tmp_path).returncode == 0
    again = shuzhi("dictionary", "import", "w.txt", "--name", "ours", cwd=tmp_path)
    assert (again.returncode, "--replace" in again.stderr) == (2, True)
    assert shuzhi("dictionary", "import", "w.txt", "--name", "ours", "--replace", cwd=tmp_path).returncode == 0
    taken = shuzhi("dictionary", "import", "w.txt", "--name", "wu2021", cwd=tmp_path)
    assert (taken.returncode, "ships with shuzhi" in taken.stderr) == (2, True)


# Expand


def test_a_list_grows_from_ones_own_reports(shuzhi: Command, lists: Path, store: Path):
    mine = {"SHUZHI_DICTIONARIES": str(lists)}
    done = shuzhi("dictionary", "expand", "mine", "--store", store, "--out", "sheet.xlsx", cwd=lists, **mine)
    assert done.returncode == 0, done.stderr
    assert "6 reports of 3 firms, by likeness to 2 terms" in done.stdout
    book = openpyxl.load_workbook(lists / "sheet.xlsx")
    assert book.sheetnames == ["proposals", "seeds", "about"]
    sheet = book["proposals"]
    header = [cell.value for cell in sheet[1]]
    at = {name: number + 1 for number, name in enumerate(header)}
    terms = [sheet.cell(row, at["term"]).value for row in range(2, sheet.max_row + 1)]
    place = terms.index("分布式账本") + 2
    text = "".join(path.read_text("utf-8") for path in sorted((store.parent / "reports").iterdir()))
    assert sheet.cell(place, at["frequency"]).value == text.count("分布式账本")
    assert sheet.cell(place, at["firms"]).value == 3
    assert sheet.cell(place, at["documents"]).value == 6
    examples = [sheet.cell(place, at[f"example_{number}"]).value for number in (1, 2, 3)]
    assert [example[:6] for example in examples] == ["000011", "000012", "000014"]
    assert all("【分布式账本】" in example for example in examples)
    assert terms.index("分布式账本") < terms.index("小麦粉")
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules == {f"A2:A{sheet.max_row}": '"yes,no"', f"B2:B{sheet.max_row}": '"cloud,data"'}

    sheet.cell(place, at["keep"]).value = "yes"
    sheet.cell(place, at["dimension"]).value = "data"
    sheet.cell(terms.index("小麦粉") + 2, at["keep"]).value = "no"
    seeds = book["seeds"]
    assert [seeds.cell(row, 3).value for row in (2, 3, 4)] == ["云计算", "云存储服务", "大数据"]
    seeds["A3"].value = "no"
    book.save(lists / "sheet.xlsx")
    made = shuzhi("dictionary", "import", "sheet.xlsx", "--base", "mine", "--name", "mine2", cwd=lists, **mine)
    assert made.returncode == 0, made.stderr
    assert re.search(r"on top of mine \w{12}: 1 added, 1 removed, 0 moved", made.stdout)
    lines = shuzhi("dictionary", "diff", "mine", "mine2", **mine).stdout.splitlines()
    assert lines[-4:] == ["only in mine: 1", "    cloud: 云存储服务", "only in mine2: 1", "    data: 分布式账本"]


@pytest.mark.parametrize("model", ["word2vec", "ppmi"])
def test_the_same_store_gives_the_same_bytes(shuzhi: Command, lists: Path, store: Path, model: str):
    for number in ("1", "2"):
        arguments = ["--store", store, "--out", lists / f"{number}.xlsx", "--model", model]
        done = shuzhi("dictionary", "expand", lists / "mine.yml", *arguments, PYTHONHASHSEED=number)
        assert done.returncode == 0, done.stderr
    assert (lists / "1.xlsx").read_bytes() == (lists / "2.xlsx").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "sheet.csv"], "end with .xlsx"),
        (["--out", "s.xlsx", "--years", "1999"], "holds no readable report of these years"),
        (["--out", "s.xlsx", "--min-count", "100000"], "lower --min-count"),
    ],
)
def test_what_cannot_be_expanded_is_one_line(
    shuzhi: Command, lists: Path, store: Path, arguments: list[str], words: str
):
    done = shuzhi("dictionary", "expand", lists / "mine.yml", "--store", store, *arguments, cwd=lists)
    assert done.returncode == 2
    [line] = done.stderr.strip().splitlines()
    assert re.search(words, line)
    assert not list(lists.glob("s*.xlsx"))


def test_a_copy_of_the_store_elsewhere_gives_the_same_sheet(shuzhi: Command, lists: Path, store: Path, tmp_path: Path):
    shutil.copytree(store, tmp_path / "moved")
    for name, place in (("a", store), ("b", tmp_path / "moved")):
        arguments = ["--store", place, "--out", tmp_path / f"{name}.xlsx", "--model", "ppmi"]
        assert shuzhi("dictionary", "expand", lists / "mine.yml", *arguments).returncode == 0
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
