"""docs/reference/ says what the code says."""

import pytest

from tests.docs.reference import FOLDER, pages

WRITTEN = pages()


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_the_reference_is_current(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8") == WRITTEN[name], "run make reference"


def test_there_is_no_other_page():
    assert {path.name for path in FOLDER.iterdir()} == set(WRITTEN)


def test_every_command_has_an_example():
    sections = WRITTEN["commands.md"].split("\n## ")[1:]
    alone = [part for section in sections for part in section.split("\n### ") if "Commands:" not in part]
    assert [part.splitlines()[0] for part in alone if "Example:" not in part] == []
