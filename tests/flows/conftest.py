"""A small corpus, a Prefect of the tests' own, and the command line as a user has it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

# Before Prefect is imported: quiet, and nothing sent anywhere.
for _name in ("PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_ROOT_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL"):
    os.environ.setdefault(_name, "CRITICAL")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Let flows run against a temporary Prefect, which takes ten seconds once."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    # The thread that sends heartbeats holds every flow up by a second at its end.
    quiet = temporary_settings(updates={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    with prefect_test_harness(server_startup_timeout=120), quiet:
        yield


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory):
    """Write 4 firms × 2 years of simulated reports, one a scan and one cut off; return the folder and the truth."""
    from flows.corpus import write_corpus
    from flows.dictionary_files import load_dictionaries

    folder = tmp_path_factory.mktemp("small") / "reports"
    terms = load_dictionaries(["wu2021"])[0].terms
    return folder, write_corpus(folder, terms=terms, firms=4, years=(2020, 2021))


@pytest.fixture(scope="session")
def command_environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the environment of the command line, with a Prefect folder of the tests' own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHUZHI_"))}
    return {**kept, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "DO_NOT_TRACK": "1"}


@pytest.fixture(scope="session")
def command_line() -> list[str]:
    """Return the command that users type."""
    found = shutil.which("shuzhi", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-m", "flows.cli"]


@pytest.fixture(scope="session")
def shuzhi(command_line: list[str], command_environment: Mapping[str, str]) -> Command:
    """Run the command line to its end and return its exit code and what it printed."""

    def run(
        *arguments: object, cwd: Path | None = None, seconds: float = 200, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command_line, *map(str, arguments)],
            cwd=cwd,
            env={**command_environment, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def pool(prefect: None) -> Iterator[None]:
    """Share one pool of two workers among the flows of this file, as a run shares it among its stages."""
    from flows.settings import PoolParameters
    from flows.shared_pool import worker_pool

    # In a box a worker that has read reports measures none, so that each test would start two more.
    with worker_pool(PoolParameters(workers=2, confine="off"), "rjieba"):
        yield


@pytest.fixture
def world(tmp_path: Path, pool: None):
    """Give an empty world."""
    (tmp_path / "reports").mkdir()
    from world import World

    return World(tmp_path)
