"""The pages of docs/reference/, made from the code: commands, parameters, the codebook.

python -m tests.docs.reference           writes them; a test fails while they are not what the code says
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import click
import typer
import yaml

from flows import settings
from flows.cli import app
from flows.codebook import COLUMNS, MEASURES, TABLES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
WIDTH = 110
HEAD = "<!-- Made from the code by `make reference`; do not edit. -->\n"


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"commands.md": commands_page(), "parameters.md": parameters_page(), "codebook.md": codebook_page()}


def commands_page() -> str:
    """Return what ``--help`` says of every command."""
    lines = [HEAD, "# Commands", "", "What `--help` prints, for every command.", ""]
    for name, text in helps(typer.main.get_command(app), "shuzhi"):
        lines += [f"{'##' if name.count(' ') < 2 else '###'} {name}", "", "```text", text, "```", ""]
    return "\n".join(lines)


def helps(command: Any, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Yield a command and all below it, each with its help."""
    context = command.make_context(name.rsplit(" ", 1)[-1], [], parent=parent, resilient_parsing=True)
    context.terminal_width = context.max_content_width = WIDTH
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield name, text.strip("\n")
    for below in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from helps(command.get_command(context, below), f"{name} {below}", context)


def parameters_page() -> str:
    """Return the deployments of ``prefect.yaml`` and the parameters of the flow behind each."""
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    lines = [
        HEAD,
        "# Parameters",
        "",
        "The flows behind the deployments of `prefect.yaml`. The form of the dashboard, `--param`",
    ]
    lines += ["of `prefect deployment run` and the command line take the same names.", ""]
    lines += ["| deployment | flow | what it does |", "| --- | --- | --- |"]
    lines += [f"| `{each['name']}` | `{each['entrypoint']}` | {each['description']} |" for each in declared]
    for entrypoint in dict.fromkeys(each["entrypoint"] for each in declared):
        lines += ["", f"## {entrypoint}", "", *model_table(model_of(entrypoint))]
    return "\n".join([*lines, ""])


def model_of(entrypoint: str) -> type[settings.Parameters]:
    """Return the parameter model of a flow, given as in ``prefect.yaml``."""
    path, name = entrypoint.split(":")
    flow = getattr(importlib.import_module(path.removesuffix(".py").replace("/", ".")), name)
    model: type[settings.Parameters] = get_type_hints(flow.fn)["parameters"]
    return model


def model_table(model: type[settings.Parameters]) -> list[str]:
    """Return the fields of a parameter model as a table."""
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    lines = ["| parameter | type | default | what |", "| --- | --- | --- | --- |"]
    for name, field in schema["properties"].items():
        default = "required" if name in required else f"`{field.get('default')!r}`"
        what = str(field.get("description", "")).replace("|", "\\|")
        lines.append(f"| `{name}` | {type_of(field, schema)} | {default} | {what} |")
    return lines


def type_of(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a field's type in words, with its bounds or choices."""
    if "$ref" in field:
        field = {**schema["$defs"][field["$ref"].rsplit("/", 1)[-1]], **field}
    if "anyOf" in field:
        return " or ".join(type_of(each, schema) for each in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{each}`" if each else "empty" for each in field["enum"])
    if field.get("type") == "array":
        return f"list of {type_of(field.get('items', {}), schema)}"
    bounds = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
    words = [f"{word} {field[key]:g}" for key, word in bounds.items() if key in field]
    return " ".join([str(field.get("type", "any")), *words])


def codebook_page() -> str:
    """Return every column that an export can have."""
    lines = [
        HEAD,
        "# Codebook",
        "",
        "Every column of every exported table. `codebook.csv` of an export adds the share of missing",
    ]
    lines += ["values by year. A name in Stata has at most 32 characters; `codebook.csv` gives it.", ""]
    lines += ["| table | 中文 | what |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {zh} | {en} |" for name, (zh, en) in TABLES.items()]
    lines += [
        "",
        "## Indices",
        "",
        "An index column is `<dictionary>_<dimension>_<measure>`, with the scope and the choice of hits between",
    ]
    lines += ["dictionary and dimension where they are not `report` and `raw`: `wu2021_mda_total_log1p`.", ""]
    lines += ["| measure | 中文 | unit | formula |", "| --- | --- | --- | --- |"]
    lines += [f"| `{each.name}` | {each.label_zh} | {each.unit} | {each.formula} |" for each in MEASURES]
    lines += ["", "## Other columns", "", "| column | tables | 中文 | English | type | unit | range or definition |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for each in COLUMNS:
        tables = ", ".join(f"`{name}`" for name in each.tables) or "all"
        more = "; ".join(part for part in (each.valid_range, each.formula) if part).replace("|", "\\|")
        lines.append(
            f"| `{each.name}` | {tables} | {each.label_zh} | {each.label_en} | {each.type} | {each.unit} | {more} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
