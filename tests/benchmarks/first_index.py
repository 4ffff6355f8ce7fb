"""How long a newcomer waits: from a clone to the first index of real PDFs, by the README's own commands.

    python -m tests.benchmarks.first_index           two to five minutes; packages come from pip's index or its cache

Clones this repository as it is committed into an empty folder, sets up with ``make``, runs ``shuzhi run`` on the real
PDFs of the shared folder, and looks that every firm-year of a readable report has a value. The table is written to
README.md between its marks.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.document import write_parts

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SHUZHI_SHARED", ROOT.parent / "shared"))
BINARIES = "Scripts" if os.name == "nt" else "bin"


def timed(*command: str | Path, folder: Path) -> float:
    """Run a command in a folder and return its seconds; its failure ends the measurement."""
    started = time.monotonic()
    done = subprocess.run([str(each) for each in command], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


def measure(folder: Path) -> tuple[dict[str, float], dict[str, int]]:
    """Return the seconds of each step and what the first run found."""
    clone, reports = folder / "shuzhi", folder / "reports"
    reports.mkdir()
    for path in sorted((SHARED / "reports").glob("*.pdf")):
        shutil.copy(path, reports)
    seconds = {"git clone": timed("git", "clone", "--quiet", ROOT, clone, folder=folder)}
    seconds["make setup"] = timed("make", "setup", f"PYTHON={sys.executable}", folder=clone)
    command = clone / ".venv" / BINARIES / "shuzhi"
    seconds["shuzhi run reports --out out"] = timed(command, "run", reports, "--out", folder / "out", folder=folder)
    counts: dict[str, int] = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))["counts"]
    if counts["firm_years_with_value"] < 1:
        sys.exit(f"the first run gave no index: {counts}")
    return seconds, counts


def main() -> None:
    """Measure and write the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds, counts = measure(Path(folder))
    lines = ["| step | seconds |", "| --- | --- |", *(f"| `{name}` | {value:.0f} |" for name, value in seconds.items())]
    total = sum(seconds.values())
    files, values = counts["files"], counts["firm_years_with_value"]
    lines.append(f"| from nothing to an index of {values} firm-years from {files} PDFs | {total:.0f} |")
    write_parts({"first-index": "\n".join(lines)}, ROOT / "README.md")


if __name__ == "__main__":
    main()
