"""YAML with the line of everything in it, and errors that name file, line and nearest name, all at once."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from shuzhi import SpecError, yaml_loader

Place = tuple[str | int, ...]
Problem = tuple[Place, str]
MOST_NODES = 100_000
DEEPEST = 60
LONGEST_GIVEN = 80


def read_yaml(text: str, file: str) -> tuple[Any, dict[Place, int]]:
    """Read YAML, and the line on which each entry stands.

    Parameters
    ----------
    text : str
        One YAML document; the keys of its mappings are taken as text, so that ``on`` stays ``on``.
    file : str
        Its name, for messages.

    Returns
    -------
    content : object
        Mappings, lists and scalars.
    lines : dict of tuple to int
        Line of each entry by its path, for example ``("steps", 0, "on")``.

    Raises
    ------
    SpecError
        If it is no YAML, or a key stands twice.
    """
    loader = yaml_loader(aliases=True)(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        words = getattr(error, "problem", None) or "is not YAML"
        raise SpecError(f"{file}{line}: {words}. Mend the YAML and try again.") from None
    lines: dict[Place, int] = {(): 1}
    problems: list[Problem] = []
    content = _value_of(loader, root, (), lines, problems) if root is not None else None
    if problems:
        raise spec_error(file, lines, problems)
    return content, lines


def _value_of(loader: Any, node: Any, place: Place, lines: dict[Place, int], problems: list[Problem]) -> Any:
    if len(lines) > MOST_NODES:
        raise SpecError(f"more than {MOST_NODES:,} entries: this is no specification")
    if len(place) > DEEPEST:
        line = node.start_mark.line + 1
        raise SpecError(f"line {line}: nested more than {DEEPEST} deep, or an alias that holds itself")
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            inner = (*place, name)
            if name in found:
                problems.append((inner, f"stands twice, again on line {key.start_mark.line + 1}; keep one"))
            lines.setdefault(inner, key.start_mark.line + 1)
            found[name] = _value_of(loader, value, inner, lines, problems)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value_of(loader, each, (*place, number), lines, problems) for number, each in enumerate(node.value)]
    try:
        return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        problems.append((place, f"{node.value!r} cannot be read ({error}); put it in quotation marks"))
        return None


def line_of(lines: Mapping[Place, int], place: Sequence[str | int]) -> int:
    """Return the line of an entry, or of the nearest one around it; what stands in no YAML is skipped."""
    best = lines.get((), 1)
    here: Place = ()
    for part in place:
        if (*here, part) in lines:
            here = (*here, part)
            best = lines[here]
    return best


def spec_error(file: str, lines: Mapping[Place, int], problems: Iterable[Problem]) -> SpecError:
    """Return one error with every problem, by line.

    Parameters
    ----------
    file : str
        Name of the specification.
    lines : mapping of tuple to int
        What `read_yaml` gave.
    problems : iterable of (tuple, str)
        Path of each entry, and what is wrong with it.
    """
    placed = sorted({(line_of(lines, place), _shown(lines, place), words) for place, words in problems})
    rows = [f"  line {line:<4} {f'{name}: ' if name else ''}{words}" for line, name, words in placed]
    return SpecError(f"{file}: {len(rows)} problem{'s' if len(rows) > 1 else ''}\n" + "\n".join(rows))


def _shown(lines: Mapping[Place, int], place: Place) -> str:
    here: Place = ()
    for part in place:
        if (*here, part) in lines or part == place[-1]:
            here = (*here, part)
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in here)


def nearest(name: str, options: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of some names, or the names where none is near and all are few."""
    known = sorted({str(option) for option in options})
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if found:
        return f" Did you mean '{found[0]}'?"
    return f" There are: {', '.join(known)}." if 0 < len(known) <= 12 else ""


def pydantic_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return what pydantic found as places and plain words, with the nearest name for an unknown key.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    model : type of BaseModel
        The model that was built.
    """
    problems: dict[Place, list[str]] = {}
    errors = error.errors(include_url=False)
    told = [(_of_file(each["loc"]), each["type"] in _OTHER_BRANCH) for each in errors]
    for each in errors:
        place: Place = tuple(each["loc"])
        here = _of_file(place)
        if each["type"] in _OTHER_BRANCH and here != place and _is_told_better(here, told):
            continue
        words = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            words = f"no such key.{nearest(str(place[-1]), _keys_at(model, place[:-1]))}"
        elif each["type"] == "missing":
            words = "is missing; it must be given"
        elif each["type"] not in {"value_error", "which_kind"}:
            given = repr(each["input"])
            words = f"{words} (given: {given if len(given) <= LONGEST_GIVEN else given[:LONGEST_GIVEN] + '…'})"
        problems.setdefault(here, []).append(words)
    return [(place, "; or: ".join(dict.fromkeys(words))) for place, words in problems.items()]


# What pydantic says of the branch of a union that was not meant, beside what is wrong in the one that was.
_OTHER_BRANCH = frozenset(("literal_error", "dict_type", "list_type", "int_parsing", "int_type", "string_type"))


def _of_file(place: Place) -> Place:
    """Return a path without the names of branches of unions, which stand in no file."""
    named = place[:-1] if place[-1:] and place[-1] in {"int", "str", "float", "bool"} else place
    return tuple(part for part in named if isinstance(part, int) or not part.endswith(("]", "Spec", "Step")))


def _is_told_better(here: Place, told: Sequence[tuple[Place, bool]]) -> bool:
    """Tell whether another problem stands deeper in the same entry, or at it and not of another branch."""
    return any(place[: len(here)] == here and (len(place) > len(here) or not is_branch) for place, is_branch in told)


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that a model offers at a path."""
    options: list[Any] = [model]
    for part in place:
        options = [inner for option in options for inner in _inside(option, part)] or options
    return [key for option in options for key in _keys(option)]


def _keys(option: Any) -> list[str]:
    if isinstance(option, type) and issubclass(option, BaseModel):
        return [field.alias or name for name, field in option.model_fields.items()]
    return []


def _inside(option: Any, part: str | int) -> list[Any]:
    """Return the annotations one step down; in a union, the name of a model leads to that model."""
    if isinstance(option, type) and issubclass(option, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in option.model_fields.items()}
        if part in fields:
            return _flat(fields[str(part)])
        return [option] if part == option.__name__ else []
    arguments = get_args(option)
    if get_origin(option) in {list, tuple, Sequence}:
        return _flat(arguments[0])
    if get_origin(option) is dict:
        return _flat(arguments[1])
    return []


def _flat(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _flat(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [inner for each in get_args(annotation) for inner in _flat(each)]
    return [annotation]
