"""The tutorial and the pages that go on from it, run as they are printed, in a folder of their own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks

pytestmark = pytest.mark.slow

TUTORIAL = ROOT / "docs" / "tutorial.md"
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment of a shell in which shuzhi is found, with a Prefect server that all commands share."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHUZHI_"))}
    binaries = str(Path(sys.executable).parent)
    home = str(tmp_path_factory.mktemp("prefect"))
    with prefect_test_harness(server_startup_timeout=120):
        # Each command would start one of its own, which takes five seconds.
        yield {
            **kept,
            "PATH": os.pathsep.join((binaries, kept["PATH"])),
            "PREFECT_HOME": home,
            "PREFECT_API_URL": str(PREFECT_API_URL.value()),
            "DO_NOT_TRACK": "1",
        }


def follow(page: Path, folder: Path, environment: dict[str, str]) -> None:
    """Do what a page says: write its files, run its commands, compare what they print with what it prints."""
    printed = ""
    for block in blocks(page):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.body, encoding="utf-8")
        elif block.language == "sh":
            printed = run(block, folder, environment)
        elif block.language == "text":
            compare(block, printed)


def run(block: Block, folder: Path, environment: dict[str, str]) -> str:
    """Run the commands of a block one after the other, each of which must end with 0, and return what they print."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.body],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def compare(block: Block, printed: str) -> None:
    """Look for each printed line of a page, in which … stands for anything, in what the command before it printed."""
    for line in block.body.splitlines():
        pattern = ".*".join(map(re.escape, line.strip().split("…")))
        assert re.search(pattern, printed), f"{block}: not printed: {line}\n{printed}"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Follow the tutorial and return its folder."""
    if shutil.which("bash") is None:
        pytest.skip("no bash; the pages show commands of a shell")
    folder = tmp_path_factory.mktemp("tutorial")
    follow(TUTORIAL, folder, environment)
    return folder


def test_the_tutorial_ends_with_a_table(followed: Path):
    assert (followed / "study" / "tables" / "baseline.docx").stat().st_size > 10_000
    table = (followed / "study" / "tables" / "baseline.md").read_text(encoding="utf-8")
    assert "Digital transformation" in table
    assert "Firm fixed effects" in table


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_page_that_goes_on_from_the_tutorial_works(
    page: Path, followed: Path, environment: dict[str, str], tmp_path: Path
):
    shutil.copytree(followed, tmp_path / "copy")
    follow(page, tmp_path / "copy", environment)


def test_the_chinese_first_steps_work(followed: Path, environment: dict[str, str], tmp_path: Path):
    shutil.copytree(followed / "demo", tmp_path / "demo")
    page = ROOT / "docs" / "index.zh.md"
    commands = [block for block in blocks(page) if block.language == "sh"]
    # The reports of the tutorial are there already.
    assert commands[0].body.startswith("shuzhi demo --out demo --firms 30\n")
    without_demo = commands[0].body.split("\n", 1)[1]
    first = run(Block(page, commands[0].line, "sh", without_demo), tmp_path, environment)
    texts = [block for block in blocks(page) if block.language == "text"]
    compare(texts[0], first)
    for block in commands[1:]:
        last = run(block, tmp_path, environment)
    compare(texts[-1], last)
