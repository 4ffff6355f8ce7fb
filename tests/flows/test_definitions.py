"""Registered definitions: every problem at once, with its line; what a store has in force as a file to keep."""

from pathlib import Path

import pytest
from world import DICTIONARY

from flows.publishing.definitions import definitions_of, load_definitions, parse_definitions
from flows.settings import AnnualUpdateParameters
from shuzhi import SpecError, UsageError

GOOD = """\
data_set:
  name: digital-firms
  licence: CC-BY-4.0
  sources: [{title: Filings, path: https://example.org}]
definitions:
  - name: wu
    dictionaries: [wu2021]
    scopes: [report, mda]
    keep: [raw, strict]
  - name: own
    dictionaries: [mine]
    dictionary_folder: lists
    rule: token
    script: simplified
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "mine.yml").write_text(DICTIONARY.format(terms="大数据, 云计算"), encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> str:
    (folder / "definitions.yml").write_text(text, encoding="utf-8")
    return str(folder / "definitions.yml")


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_definitions(text, "definitions.yml", folder)
    head, *rows = str(caught.value).splitlines()
    rows = [row for row in rows if row.startswith("  line")]
    assert head == f"definitions.yml: {len(rows)} problem{'s' if len(rows) > 1 else ''}"
    return [row.strip() for row in rows]


def test_a_file_of_definitions_is_read_and_its_folders_stand_beside_it(folder: Path):
    found = load_definitions(written(folder, GOOD))
    assert [each.name for each in found.definitions] == ["wu", "own"]
    assert found.data_set.licence == "CC-BY-4.0"
    wu, own = found.definitions
    assert (wu.rule, wu.scopes, wu.keep, wu.script) == ("longest", ["report", "mda"], ["raw", "strict"], "as_printed")
    assert own.dictionary_folder == str(folder / "lists")
    assert [term for each in own.lists() for term in each.terms] == ["大数据", "云计算"]


def test_every_problem_comes_at_once_with_its_line_and_the_nearest_name(folder: Path):
    text = """\
data_set: {name: Bad Name, licens: x}
definitions:
  - name: wu
    dictionaries: [wu2021, wu2012]
    rule: longst
    scopes: [report, mad]
  - name: Wu
    dictionaries: []
    dictionary_folder: nowhere
  - dictionaries: [zhao2021]
    keep: [stric]
    script: 5
"""
    found = problems(text, folder)
    starts = [" ".join(row.split()[:3]) for row in found]
    assert starts == [
        "line 1 data_set.licens:",
        "line 1 data_set.name:",
        "line 4 definitions.1.dictionaries.2:",
        "line 5 definitions.1.rule:",
        "line 6 definitions.1.scopes:",
        "line 7 definitions.2.name:",
        "line 8 definitions.2.dictionaries:",
        "line 9 definitions.2.dictionary_folder:",
        "line 10 definitions.3.name:",
        "line 11 definitions.3.keep.1:",
        "line 12 definitions.3.script:",
    ]
    assert "Did you mean 'wu2021'?" in found[2]
    assert "Did you mean 'licence'?" in found[0]
    assert "did you mean mda" in found[4]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("{name: a, dictionaries: [zhao2021]}", "the name of definition 1 already"),
        ("{name: b, dictionaries: [wu2021]}", "measures the same as 'a'"),
        ("{name: b, dictionaries: [wu2021], scopes: [report], keep: [raw]}", "measures the same as 'a'"),
        ("{name: con, dictionaries: [zhao2021]}", "cannot be the name of a folder"),
        ("{name: store, dictionaries: [zhao2021]}", "cannot be the name of a folder"),
        ("{name: ../x, dictionaries: [zhao2021]}", "it names a folder"),
        ("{name: b, dictionaries: [zhao2021, zhao2021]}", "stands twice"),
        ("{name: b, dictionaries: [bad], dictionary_folder: bad}", "bad.yml"),
        ("7", "valid dictionary"),
    ],
)
def test_what_would_not_work_is_said_before_any_work(second: str, words: str, folder: Path):
    (folder / "bad").mkdir()
    (folder / "bad" / "bad.yml").write_text("name: bad\n", encoding="utf-8")
    [problem] = problems(f"definitions:\n  - {{name: a, dictionaries: [wu2021]}}\n  - {second}\n", folder)
    assert problem.startswith("line 3")
    assert words in problem


@pytest.mark.parametrize("text", ["", "[]", "definitions: []", "definitions:", "data_set: {}"])
def test_a_file_without_definitions_is_refused(text: str, folder: Path):
    assert len(problems(text, folder)) == 1


def test_two_definitions_may_differ_in_script_or_scope_alone(folder: Path):
    text = "definitions:\n"
    for name, more in (("a", ""), ("b", ", script: simplified"), ("c", ", scopes: [mda]"), ("d", ", rule: token")):
        text += f"  - {{name: {name}, dictionaries: [wu2021]{more}}}\n"
    assert len(parse_definitions(text, "d.yml", folder).definitions) == 4


def test_yaml_cannot_run_code(folder: Path):
    with pytest.raises(UsageError):
        load_definitions(written(folder, "definitions: !!python/object/apply:os.getcwd []\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"nothing.yml: cannot be read"):
        load_definitions(str(tmp_path / "nothing.yml"))
    (tmp_path / "gbk.yml").write_bytes("data_set: {title: 数据}".encode("gb18030"))
    with pytest.raises(UsageError, match="it is not UTF-8"):
        load_definitions(str(tmp_path / "gbk.yml"))


def test_without_a_file_the_parameters_make_one_definition():
    given = AnnualUpdateParameters(folder="f", out="o", year=2024, scopes=["mda"], rule="token")
    [one] = definitions_of(given).definitions
    assert (one.name, one.dictionaries, one.rule, one.scopes) == ("indices", ["wu2021"], "token", ["mda"])


def test_without_a_file_an_unknown_dictionary_is_refused_before_any_work():
    with pytest.raises(UsageError, match="no dictionary nothing"):
        definitions_of(AnnualUpdateParameters(folder="f", out="o", year=2024, dictionaries=["nothing"]))


def test_the_definitions_on_the_page_are_right(tmp_path: Path):
    page = (Path(__file__).parents[2] / "docs" / "publishing.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n")[2].partition("```")[0]
    assert [each.name for each in parse_definitions(text, "page", tmp_path).definitions] == ["wu", "zhao_token"]
