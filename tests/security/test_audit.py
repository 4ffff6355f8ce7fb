"""The audit: every risky call of the code is accounted for, and packages that nobody checked are no success."""

import json
import sys
from pathlib import Path

import pytest

from tests.security import audit

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}


def test_every_risky_call_of_the_code_is_accounted_for():
    assert audit.code_findings() == []


def test_a_new_risky_call_is_named_with_its_line(monkeypatch):
    fewer = {key: value for key, value in audit.KNOWN.items() if key[1] != "S301"}
    monkeypatch.setattr(audit, "KNOWN", fewer)
    found = audit.code_findings()
    assert len(found) == 4
    assert all("flows/confine/worker.py:" in line and "S301" in line for line in found)


def test_an_entry_that_no_call_needs_is_named(monkeypatch):
    monkeypatch.setitem(audit.KNOWN, ("flows/pool.py", "S301"), (1, "gone"))
    assert audit.code_findings() == ["flows/pool.py: S301 is found 0 times where tests/security/audit.py knows 1"]


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], audit.FINE, "1 packages checked, 0 known vulnerabilities"),
        ([{"name": "a", "version": "1", "vulns": [FLAW]}], audit.FOUND, "a 1: PYSEC-2026-1, mended in 2.0"),
        ([{"name": "a", "skip_reason": "not found"}], audit.NOT_CHECKED, "packages not checked"),
        (
            [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}],
            audit.NOT_CHECKED,
            "1 packages checked, 1 could not be checked",
        ),
    ],
)
def test_what_pip_audit_says_is_judged(packages, code, words):
    found, lines = audit.judged(packages)
    assert found == code
    assert any(line.startswith(words) for line in lines)


@pytest.mark.skipif(sys.platform == "win32", reason="stands in by a shell script")
@pytest.mark.parametrize(("answer", "code"), [('{"dependencies": []}', 3), ("no JSON", 3), (None, 3)])
def test_a_service_that_cannot_be_asked_is_no_success(tmp_path: Path, answer, code):
    program = tmp_path / "pip-audit"
    if answer is not None:
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n", encoding="utf-8")
    else:
        program.write_text("#!/bin/sh\necho 'Connection refused' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    found, lines = audit.package_findings(str(program))
    assert found == code
    assert len(lines) == 1 and "not checked" in lines[0]


@pytest.mark.skipif(sys.platform == "win32", reason="stands in by a shell script")
def test_vulnerable_packages_are_found_through_the_program(tmp_path: Path):
    program = tmp_path / "pip-audit"
    answer = json.dumps({"dependencies": [{"name": "jinja2", "version": "2.0", "vulns": [FLAW]}]})
    program.write_text(f"#!/bin/sh\necho '{answer}'\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    assert audit.package_findings(str(program))[0] == audit.FOUND
