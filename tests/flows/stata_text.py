"""What can be said of a Stata do-file without Stata: its words, its quotes, the variables and macros it uses."""

import re

COMMANDS = {
    "version", "clear", "set", "local", "import", "generate", "replace", "capture", "rename", "drop", "destring",
    "quietly", "count", "display", "duplicates", "assert", "merge", "tabulate", "noisily", "foreach", "egen",
    "while", "bysort", "exit", "if", "xtset", "xtreg", "}",
}  # fmt: skip
QUOTED = re.compile(r'"[^"\n]*"')
MACRO = re.compile(r"`(\w+)'")


def lines_of(text: str) -> list[str]:
    """Return the lines that are commands."""
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("*")]


def problems_of(text: str) -> list[str]:
    """Return what cannot be right in a do-file, line by line."""
    found, macros, depth = [], set(), 0
    for line in lines_of(text):
        words = line.split()
        if words[0] not in COMMANDS:
            found.append(f"no known command: {line}")
        if line.count('"') % 2:
            found.append(f"odd quotes: {line}")
        bare = QUOTED.sub('""', line)
        if bare.count("(") != bare.count(")") or bare.count("[") != bare.count("]"):
            found.append(f"odd brackets: {line}")
        if line.count("`") != len(MACRO.findall(line)):
            found.append(f"odd macro quotes: {line}")
        used = set(MACRO.findall(line))
        macros |= {words[1]} if words[0] in ("local", "foreach") else set()
        if not used <= macros:
            found.append(f"macros that are not defined: {line}")
        depth += bare.count("{") - bare.count("}")
        if depth < 0:
            found.append(f"a brace too many: {line}")
    return [*found, *(["braces are open at the end"] if depth else [])]


def settings_of(text: str) -> dict[str, str]:
    """Return the macros that are set at the head of a do-file."""
    return {name: value.strip('"') for name, value in re.findall(r"^local (\w+) (.+)$", text, re.MULTILINE)}
