"""One round: some hundred mutations and their readable neighbours through the real flow, and what must hold."""

import contextlib
import faulthandler
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.annual import index_reports
from flows.documents import load_documents
from flows.read import read_reports
from flows.settings import RunParameters
from flows.shared_pool import worker_pool
from flows.store import Store
from tests.fuzz.bases import Bases
from tests.fuzz.checks import (
    Fault,
    Limits,
    Result,
    check_documents,
    check_limits,
    check_outputs,
    check_second,
    numbers_of_neighbours,
)
from tests.fuzz.kinds import Kind, lay
from tests.fuzz.places import Placed
from tests.fuzz.watch import meddling, tree, watching

LONGEST_ROUND_SECONDS = 1800
LARGEST_KEPT_BYTES = 100 << 20


@contextlib.contextmanager
def sandbox() -> Iterator[Path]:
    """Give a temporary folder that is the working folder and the place of temporary files too; gone afterwards."""
    before, temporary = Path.cwd(), os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="shuzhi-fuzz-") as name:
        root = Path(name).resolve()
        for folder in ("reports", "here", "temporary"):
            (root / folder).mkdir()
        os.chdir(root / "here")
        os.environ["TMPDIR"] = str(root / "temporary")
        tempfile.tempdir = None
        try:
            yield root
        finally:
            os.chdir(before)
            os.environ.pop("TMPDIR")
            if temporary is not None:
                os.environ["TMPDIR"] = temporary
            tempfile.tempdir = None


def run_round(seed: int, numbered: Sequence[tuple[int, Kind]], bases: Bases, limits: Limits, keep: Path) -> Result:
    """Make the mutations, run the whole job over them and their neighbours twice, and check what must hold.

    Parameters
    ----------
    seed : int
        With each mutation's number, all that its bytes depend on.
    numbered : sequence of (int, Kind)
        The mutations of this round.
    bases : Bases
        What is mutated.
    limits : Limits
        Of one file.
    keep : Path
        Folder to which the files that show a fault are copied.

    Returns
    -------
    Result
        Counts and faults; nothing is raised whatever the run does.
    """
    result = Result()
    with sandbox() as root:
        reports = root / "reports"
        placed = [lay(kind, seed, number, bases, reports) for number, kind in numbered]
        for name, data in bases.neighbours.items():
            (reports / name).write_bytes(data)
        kept = _copies(placed, root / "copies")
        started = time.monotonic()
        faulthandler.dump_traceback_later(LONGEST_ROUND_SECONDS, exit=True, file=sys.__stderr__)
        try:
            _run(root, placed, limits, result)
        except Exception as error:
            result.faults.append(Fault(None, "the run", f"ended by {type(error).__name__}: {error}"))
        finally:
            faulthandler.cancel_dump_traceback_later()
        result.seconds = time.monotonic() - started
        _keep(result.faults, kept, keep, seed)
    return result


def _run(root: Path, placed: Sequence[Placed], limits: Limits, result: Result) -> None:
    parameters = RunParameters(
        folder=str(root / "reports"),
        out=str(root / "out"),
        workers=limits.workers,
        seconds_per_file=limits.seconds,
        memory_megabytes=limits.megabytes,
        max_failure_share=1.0,
    )
    store = root / "out" / "store"
    before = tree(root, but=("out",))
    actions = [each.during for each in placed if each.during]
    with worker_pool(parameters, parameters.segmenter) as pool, watching() as seen:
        with meddling(lambda: any(store.glob("files/*/*.parquet")), actions) as errors:
            is_whole = _runs_through(parameters, result)
        result.faults += [Fault(None, "the fuzzer", f"could not meddle with a file: {error}") for error in errors]
        documents = load_documents(Store(str(store)))
        check_documents(placed, documents, result)
        for each in placed:
            if each.after:
                each.after()
        read_reports(parameters.reading([]))
        check_second(placed, load_documents(Store(str(store))), result)
    result.replaced = pool.replaced
    result.starts = seen.starts
    result.peak_megabytes = max(seen.peak_megabytes, pool.peak_memory_megabytes)
    check_limits(seen, limits, {each.number: each.kind for each in placed}, result)
    written = tree(root, but=("out",)) - before
    result.faults += [Fault(None, "the run", f"left {os.fsdecode(path)!r} behind") for path in sorted(written)]
    if is_whole:
        check_outputs(root / "out", documents, result)
        result.neighbours = numbers_of_neighbours(root / "out", documents)


def _runs_through(parameters: RunParameters, result: Result) -> bool:
    try:
        index_reports(parameters)
    except Exception as error:
        result.faults.append(Fault(None, "the run", f"ended by {type(error).__name__}: {error}"))
        return False
    return True


def _copies(placed: Sequence[Placed], folder: Path) -> dict[int, Path]:
    """Set aside the file of each mutation as it was made; links cost nothing."""
    folder.mkdir()
    copies = {}
    for each in placed:
        copy = folder / f"{each.number:05d}-{each.kind}{each.path.suffix}"
        if each.path.is_file() and not each.path.is_symlink() and each.during is None:
            os.link(each.path, copy)
            copies[each.number] = copy
    return copies


def _keep(faults: Sequence[Fault], copies: dict[int, Path], keep: Path, seed: int) -> None:
    """Keep the files that show a fault, save the huge ones, which the seed makes again."""
    for fault in faults:
        copy = copies.get(fault.number or 0)
        if copy is not None and copy.stat().st_size <= LARGEST_KEPT_BYTES:
            keep.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(PermissionError):
                shutil.copyfile(copy, keep / f"seed{seed}-{copy.name}")
