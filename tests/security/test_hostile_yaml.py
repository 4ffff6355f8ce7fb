"""YAML of somebody else: no objects, no repetition without end, no nesting without end, each key once."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from econometrics.declarations.yaml_lines import read_yaml
from flows.fetch_service import load_service
from nlp.corrections import parse_corrections
from nlp.dictionary import parse
from nlp.index_grid import parse_grid
from shuzhi import ShuzhiError, yaml_loader

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SELF = "a: &a [*a]\n"
FLOW = "a: " + "[" * 5_000 + "]" * 5_000 + "\n"
BLOCK = "".join(f"{' ' * level}a:\n" for level in range(300))
OBJECT = "a: !!python/object/apply:os.system ['touch {place}']\n"
READERS: dict[str, Callable[[str], object]] = {
    "dictionary": lambda text: parse(text, "hostile.yml"),
    "corrections": lambda text: parse_corrections(text, "hostile.yml"),
    "grid": lambda text: parse_grid(text, "hostile.yml"),
    "specification": lambda text: read_yaml(text, "hostile.yml"),
}


@pytest.fixture(params=[*READERS, "service"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], object]:
    def read_service(text: str) -> object:
        path = tmp_path / "hostile.yml"
        path.write_text(text, encoding="utf-8")
        return load_service(path)

    return READERS.get(request.param, read_service)


@pytest.mark.parametrize(
    ("text", "words"),
    [(LAUGHS, "repeats a value|entries"), (SELF, "repeats a value|holds itself"), (FLOW, "deep"), (BLOCK, "deep")],
    ids=["billion laughs", "alias of itself", "nested lists", "nested mappings"],
)
def test_a_bomb_is_refused_in_one_line_and_at_once(reader: Callable[[str], object], text: str, words: str):
    started = time.monotonic()
    with pytest.raises(ShuzhiError, match=words) as error:
        reader(text)
    assert time.monotonic() - started < 10
    assert len(str(error.value).splitlines()) <= 2
    assert len(str(error.value)) < 300


def test_a_tag_makes_no_object(reader: Callable[[str], object], tmp_path: Path):
    place = tmp_path / "ran"
    with contextlib.suppress(ShuzhiError):
        reader(OBJECT.format(place=place))
    assert not place.exists()


def test_a_key_that_stands_twice_is_refused(reader: Callable[[str], object]):
    with pytest.raises(ShuzhiError):
        reader("name: one\nname: two\n")


@pytest.mark.parametrize("value", ["1" * 5_000, "2020-13-45"])
def test_a_value_that_nothing_can_be_made_of_is_named_with_its_line(value: str):
    with pytest.raises(yaml.YAMLError, match="cannot be read") as error:
        yaml.load(f"a: 1\nb: {value}\n", Loader=yaml_loader())
    assert error.value.problem_mark.line == 1


def test_plain_yaml_reads_as_it_always_did():
    text = "a: [1, 2.5, yes, null, 2020-01-02, 'text']\nb: {c: {d: [x, {e: f}]}}\n"
    assert yaml.load(text, Loader=yaml_loader()) == yaml.safe_load(text)


def test_aliases_work_where_they_are_counted():
    text = "base: &base {a: 1}\nother: *base\n"
    assert yaml.load(text, Loader=yaml_loader(aliases=True)) == {"base": {"a": 1}, "other": {"a": 1}}


def test_every_shipped_file_can_be_read_by_the_strict_loader():
    root = Path(__file__).resolve().parents[2]
    paths = [path for folder in ("dictionaries", "nlp", "econometrics") for path in (root / folder).rglob("*.yml")]
    assert len(paths) > 10
    for path in paths:
        yaml.load(path.read_text(encoding="utf-8"), Loader=yaml_loader())


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('touch {place}')",
        "().__class__.__bases__[0].__subclasses__()",
        "log.__globals__",
        "open('{place}', 'w')",
        "exec('1')",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "f'{{sales}}'",
        "99999999999999999999 ** 99999999",
        "(" * 300 + "1" + ")" * 300,
        "-" * 3_000 + "1",
    ],
)
def test_a_formula_of_a_specification_runs_no_code(formula: str, tmp_path: Path):
    from econometrics.declarations.formula import evaluate, parse_formula

    place = tmp_path / "ran"
    with pytest.raises(ShuzhiError):
        evaluate(parse_formula(formula.format(place=place)), pd.DataFrame({"sales": [1.0]}), "code", "year")
    assert not place.exists()


def test_nothing_reads_yaml_of_others_by_a_loader_that_makes_objects():
    root = Path(__file__).resolve().parents[2]
    for folder in ("flows", "nlp", "econometrics", "dictionaries"):
        for path in (root / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "yaml.unsafe" not in text and "full_load" not in text and "UnsafeLoader" not in text, path
            assert "yaml.Loader" not in text and "yaml.FullLoader" not in text, path
