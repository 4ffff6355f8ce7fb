"""Audit: known vulnerabilities of the locked packages, and the risky calls of our own code. See ``make audit``.

The packages are looked up by pip-audit, which asks the advisory service of the Python Package Index; without it
nothing is known, which is said and is no success. The code is read by ruff's rules for security; each call that they
name must stand in the list below with the reason why it is no danger.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = "requirements.lock"
CODE = ("flows", "nlp", "econometrics", "dictionaries", "shuzhi.py")
FINE, FOUND, NOT_CHECKED = 0, 1, 3
# Asserts state what is known; they guard nothing.
LEFT_OUT = "S101"
# File and rule: how often, and why that is no danger.
KNOWN: dict[tuple[str, str], tuple[int, str]] = {
    ("econometrics/report/page.py", "S704"): (3, "a style sheet of ours, tables and figures whose texts are escaped"),
    ("flows/charts.py", "S704"): (1, "drawn from numbers"),
    ("flows/clusters.py", "S506"): (1, "shuzhi.yaml_loader makes plain data only"),
    ("flows/confine/bubblewrap.py", "S108"): (1, "the scratch folder inside a box, which nobody else sees"),
    ("flows/confine/bubblewrap.py", "S603"): (2, "bubblewrap itself, with words of ours"),
    ("flows/confine/launch.py", "S603"): (1, "our own interpreter, with words of ours"),
    ("flows/confine/worker.py", "S301"): (
        4,
        "a worker reads what its parent sends, never the other way round",
    ),
    ("flows/evidence_page.py", "S704"): (2, "a script of ours, and data in base64"),
    ("flows/fetch_service.py", "S506"): (1, "shuzhi.yaml_loader makes plain data only"),
    ("flows/grid.py", "S608"): (1, "conditions of ours; values are bound"),
    ("flows/inspect_store.py", "S608"): (1, "an example in a message, no query"),
    ("flows/kit/texts.py", "S701"): (1, "renders Markdown and code, no HTML; names that enter code are checked names"),
    ("flows/publishing/difference_hits.py", "S608"): (2, "names and conditions of ours; values are bound"),
    ("flows/publishing/difference_pairs.py", "S608"): (1, "names of ours; paths are bound"),
    ("flows/publishing/difference_values.py", "S608"): (1, "names of ours"),
    ("flows/serving/deploy.py", "S603"): (1, "Prefect, with words of ours"),
    ("flows/serving/options.py", "S104"): (1, "names the addresses that are warned of"),
    ("flows/serving/process.py", "S603"): (1, "Prefect, with words of ours"),
    ("flows/storing/views.py", "S608"): (1, "paths of the store, quoted; DuckDB binds none in a view"),
    ("flows/validate.py", "S608"): (3, "parts of ours; values are bound"),
    ("nlp/dictionary_checks.py", "S506"): (1, "a file of ours, read as text alone"),
    ("nlp/index_grid.py", "S506"): (1, "shuzhi.yaml_loader makes plain data only"),
}


def code_findings() -> list[str]:
    """Return the risky calls that are not in the list, and the entries of the list that no call needs any more."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    command = [ruff, "check", "--select", "S", "--ignore", LEFT_OUT, "--output-format", "json", "--exit-zero", *CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    found = [
        (Path(each["filename"]).relative_to(ROOT).as_posix(), each["code"], each["location"]["row"], each["message"])
        for each in json.loads(done.stdout)
    ]
    counts = Counter((file, rule) for file, rule, _, _ in found)
    lines = [
        f"{file}:{row}: {rule} {message}"
        for file, rule, row, message in found
        if counts[file, rule] > KNOWN.get((file, rule), (0, ""))[0]
    ]
    lines += [
        f"{file}: {rule} is found {counts[file, rule]} times where tests/security/audit.py knows {times}"
        for (file, rule), (times, _) in KNOWN.items()
        if counts[file, rule] < times
    ]
    return lines


def package_findings(program: str) -> tuple[int, list[str]]:
    """Return an exit code and what pip-audit says of the locked packages."""
    command = [program, "-r", LOCK, "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return NOT_CHECKED, [f"packages not checked: the advisory service cannot be asked from here ({last[:200]})"]
    return judged(packages)


def judged(packages: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """Return an exit code and lines for what pip-audit says of each package."""
    checked = [each for each in packages if "skip_reason" not in each]
    if not checked:
        return NOT_CHECKED, [f"packages not checked: the advisory service knows none of the {len(packages)} from here"]
    lines = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no release'}"
        for each in checked
        for flaw in each["vulns"]
    ]
    skipped = len(packages) - len(checked)
    rest = f", {skipped} could not be checked" if skipped else ""
    lines.append(f"{len(checked)} packages checked{rest}, {len(lines)} known vulnerabilities")
    return (FOUND if len(lines) > 1 else NOT_CHECKED if skipped else FINE), lines


def main() -> int:
    """Audit packages and code; 1 where something was found, 3 where packages could not be checked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pip-audit", default="pip-audit", help="the program")
    code, lines = package_findings(parser.parse_args().pip_audit)
    for line in lines:
        print(line)
    found = code_findings()
    for line in found:
        print(line)
    print(f"code: {len(found)} calls that are not accounted for, {sum(times for times, _ in KNOWN.values())} that are")
    return FOUND if found else code


if __name__ == "__main__":
    sys.exit(main())
