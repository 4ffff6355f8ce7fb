"""How the packages of econometrics hang together: who imports whom, how large they are, and what loading one costs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "econometrics"
FILES = {
    ".".join(
        ("econometrics", *(part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__"))
    ): path
    for path in sorted(ROOT.rglob("*.py"))
}
PACKAGES = [name for name, path in FILES.items() if path.name == "__init__.py" and name != "econometrics"]
# What a user's `from econometrics.NAME import ...` names; these stay.
PUBLIC = [
    "clusters",
    "describe",
    "did",
    "emissions",
    "figures",
    "heterogeneity",
    "instrument",
    "k_density",
    "matching",
    "measurement_error",
    "mediate",
    "panel",
    "placebo",
    "policies",
    "reference",
    "regress",
    "replication",
    "report",
    "resample",
    "robustness",
    "sample_selection",
    "simulate",
    "spec",
    "specification_curve",
    "study",
    "tables",
    "threshold",
    "u_test",
    "variables",
]


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            name = str(node.module)
            yield from (f"{name}.{alias.name}" if f"{name}.{alias.name}" in FILES else name for alias in node.names)


IMPORTS = {module: {name for name in imported(path) if name != module} for module, path in FILES.items()}


def top(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_no_module_imports_itself_through_others():
    inner = {module: {name for name in names if name in FILES} for module, names in IMPORTS.items()}
    assert len(list(TopologicalSorter(inner).static_order())) == len(FILES)


def test_no_package_imports_itself_through_others():
    between: dict[str, set[str]] = {}
    for module, names in IMPORTS.items():
        between.setdefault(top(module), set()).update(top(name) for name in names if name in FILES)
    for name, others in between.items():
        others.discard(name)
    order = list(TopologicalSorter(between).static_order())
    assert order.index("estimation") < order.index("regress") < order.index("mediate") < order.index("study")


def test_nothing_of_the_layers_above_or_of_files_is_imported():
    refused = {"nlp", "flows", "dictionaries", "prefect", "typer", "fsspec", "duckdb", "pyarrow"}
    assert {
        module: found for module, names in IMPORTS.items() if (found := {n.split(".")[0] for n in names} & refused)
    } == {}


def test_a_newcomer_finds_his_way():
    entries = [path for path in ROOT.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 38
    for package in PACKAGES:
        modules = [path for path in FILES[package].parent.glob("*.py") if path.name != "__init__.py"]
        assert 3 <= len(modules) <= 20, package
        assert ast.get_docstring(ast.parse(FILES[package].read_text(encoding="utf-8"))), package


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_of_a_package_is_never_that_of_its_module_too(package):
    tree = ast.parse(FILES[package].read_text(encoding="utf-8"))
    names = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert names & {path.stem for path in FILES[package].parent.glob("*.py")} == set()


def test_what_users_import_loads_without_the_heavy_parts():
    code = (
        "import sys\n"
        f"for name in {PUBLIC!r}: __import__('econometrics.' + name)\n"
        "print([name for name in ('prefect', 'matplotlib.pyplot', 'duckdb', 'typer', 'nlp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]"
    light = (
        "import sys, econometrics.mediate\n"
        "print([name for name in ('matplotlib', 'docx', 'jinja2', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.strip() == "[]"
