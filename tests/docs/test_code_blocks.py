"""Code in the documentation is code: YAML loads, Python compiles, commands exist with their options."""

import json
import os
from pathlib import Path

import click
import pytest
import typer
import yaml

from flows.cli import app
from tests.docs.pages import ROOT, Block, blocks, commands, page_paths

BLOCKS = [block for page in page_paths() for block in blocks(page)]
COMMANDS = [(block, words) for block in BLOCKS for words in commands(block)]
TOP = typer.main.get_command(app)


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


@pytest.mark.parametrize("block", of("yaml", "yml"), ids=str)
def test_yaml_loads(block: Block):
    assert yaml.safe_load(block.body) is not None


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_loads(block: Block):
    json.loads(block.body)


@pytest.mark.parametrize("block", of("python", "py"), ids=str)
def test_python_compiles(block: Block):
    if ">>>" not in block.body:
        compile(block.body, str(block), "exec")


@pytest.mark.parametrize(("block", "words"), COMMANDS, ids=lambda each: str(each) if isinstance(each, Block) else "")
def test_commands_exist_with_their_options(
    block: Block, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    command, context = TOP, None
    name, rest = "shuzhi", [word for word in words if word not in ("…", "...")]
    while True:
        with_help = any(word in ("--help", "--version") for word in rest)
        context = command.make_context(name, list(rest), parent=context, resilient_parsing=with_help)
        left = [*context._protected_args, *context.args]
        if not isinstance(command, click.Group) or not left:
            return
        found = command.get_command(context, left[0])
        assert found is not None, f"{block}: there is no command {left[0]}"
        command, name, rest = found, left[0], left[1:]


def test_there_are_blocks_of_each_kind():
    assert len(COMMANDS) > 40
    assert all(of(language) for language in ("yaml", "python", "sh"))


def test_no_page_names_a_folder_of_a_machine():
    home = os.path.expanduser("~")  # noqa: PTH111
    assert [page.name for page in page_paths() if home != "/" and f"{home}/" in page.read_text(encoding="utf-8")] == []
    assert ROOT.as_posix() not in "".join(page.read_text(encoding="utf-8") for page in page_paths())
