"""docs/api.md is run from top to bottom in an empty folder: Python as doctests, commands as commands, SQL by DuckDB."""

import doctest
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "api.md"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with a Prefect folder of this test's own, and this installation's commands first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHUZHI_"))}
    places = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": places, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "DO_NOT_TRACK": "1"}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> dict[str, str]:
    """Run the page, and return what each command and each query printed."""
    printed: dict[str, str] = {}
    names: dict[str, object] = {}
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("page"))
    try:
        for block in blocks(PAGE):
            if block.language == "python" and ">>>" in block.body:
                run_examples(block, names)
            elif block.language == "sh":
                printed |= {line: run_command(line, environment) for line in block.body.strip().splitlines()}
            elif block.language == "sql":
                printed[block.body] = run_sql(block)
        yield printed
    finally:
        os.chdir(before)


def run_examples(block: Block, names: dict[str, object]) -> None:
    """Run the examples of a block, which see the names of those before."""
    test = doctest.DocTestParser().get_doctest(block.body, names, str(block), str(PAGE), block.line)
    lines: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=lines.append, clear_globs=False)
    names |= test.globs
    assert result.attempted > 0
    assert result.failed == 0, "".join(lines)


def run_command(line: str, environment: dict[str, str]) -> str:
    """Run a command as a shell does that knows of nothing but quotes."""
    words = shlex.split(line)
    if shutil.which(words[0], path=environment["PATH"]) is None:
        return ""
    done = subprocess.run(
        words,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def run_sql(block: Block) -> str:
    """Answer every query of a block by DuckDB alone."""
    with duckdb.connect() as connection:
        found = [connection.execute(query).df() for query in connection.extract_statements(block.body)]
    return found[-1].to_csv(index=False)


def test_the_page_runs_and_its_commands_say_what_they_should(outputs: dict[str, str]):
    commands = {line: text for line, text in outputs.items() if line.startswith("shuzhi")}
    assert len(commands) == 6
    top, evidence, counts, book = [text for line, text in commands.items() if line.startswith("shuzhi sql")]
    assert len(top.splitlines()) == 4
    assert evidence.count("\n") == 27 + 1
    assert counts.strip() == f"{24 * 6} rows written to counts.parquet"
    assert book.strip() == "24 rows written to documents.xlsx"


def test_plain_duckdb_answers_from_the_files_of_an_export(outputs: dict[str, str]):
    highest, blockchain, _ = [text for line, text in outputs.items() if line.startswith(("SELECT", "CREATE"))]
    assert highest.splitlines()[0] == "stock_code,report_year,value"
    values = [float(line.split(",")[2]) for line in highest.splitlines()[1:]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3
    assert len(blockchain.splitlines()) == 6


def test_the_kit_of_the_page_gives_the_same_numbers_in_r_and_python(outputs: dict[str, str]):
    python, r = [text for line, text in outputs.items() if "load_and_merge" in line]
    assert "matched: " in python
    if not r:
        pytest.skip("no Rscript on this machine")
    assert r == python


def test_written_files_can_be_read_back(outputs: dict[str, str]):
    counts = pd.read_parquet("counts.parquet")
    assert counts["stock_code"].iloc[0] == "004001"
    assert counts["value"].isna().sum() == 2 * 6
    assert set(counts["measure"]) == {"count"}
