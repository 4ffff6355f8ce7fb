"""The registered definitions of indices: a YAML file that says under which names a data set is measured, and how.

::

    data_set:                            # optional: what the descriptor of a release says
      name: digital-firms
      title: Digital transformation of listed firms
      licence: CC-BY-4.0
    definitions:
      - name: wu
        dictionaries: [wu2021]
        scopes: [report, mda]
        keep: [raw, strict]
      - name: own
        dictionaries: [my_words]
        dictionary_folder: lists         # beside this file
        rule: token
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from econometrics.declarations.yaml_lines import Place, Problem, nearest, pydantic_problems, read_yaml, spec_error
from flows.dictionary_files import dictionary_paths, load_dictionaries, load_dictionary
from flows.settings import AnnualUpdateParameters, Keep, PublishParameters, Scopes
from nlp.dictionary import Dictionary
from nlp.options import Rule, Script
from nlp.scope import check_scopes
from shuzhi import DictionaryError, UsageError

ONE_DEFINITION = "indices"
# A folder of that name could not be made on Windows, or means something else where releases lie.
RESERVED = frozenset(
    ("store", "latest", "con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)))
)
DEFINITION_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
DATA_SET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=2000)]
NonEmpty = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$", max_length=2000)]


def _folder_name(name: str) -> str:
    if not DEFINITION_NAME.fullmatch(name):
        raise ValueError(f"{name!r}: write small letters, digits and _, a letter first; it names a folder")
    return name


def _data_set_name(name: str) -> str:
    if not DATA_SET_NAME.fullmatch(name):
        raise ValueError(f"{name!r}: write small letters, digits, - _ and full stops")
    return name


class Entry(BaseModel):
    """Base of what stands in the file: frozen, no other keys, no other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(Entry):
    """Where the reports came from, as a reader should cite it."""

    title: NonEmpty
    path: Line = ""


class Contributor(Entry):
    """Who made the data set."""

    title: NonEmpty
    path: Line = ""
    role: Line = ""


class DataSet(Entry):
    """What the descriptor of every release says of the data set."""

    name: Annotated[str, AfterValidator(_data_set_name)] = "shuzhi-indices"
    title: Line = ""
    description: Line = ""
    licence: Line = ""
    licence_path: Line = ""
    contributors: list[Contributor] = []
    sources: list[Source] = []


class Definition(Entry):
    """One registered definition: word lists, rule, parts of a report, kept hits, script."""

    name: Annotated[str, AfterValidator(_folder_name)]
    dictionaries: list[NonEmpty] = Field(min_length=1)
    dictionary_folder: Line = ""
    rule: Rule = "longest"
    scopes: Scopes = Field(["report"], min_length=1)
    keep: Keep = Field(["raw"], min_length=1)
    script: Script = "as_printed"

    def measures(self) -> tuple[object, ...]:
        """Return what is measured; two definitions with the same would be one under two names."""
        scopes = sorted(scope.name for scope in check_scopes(self.scopes, self.keep))
        return (sorted(self.dictionaries), self.dictionary_folder, self.rule, scopes, self.script)

    def lists(self) -> list[Dictionary]:
        """Load the word lists."""
        return load_dictionaries(self.dictionaries, self.dictionary_folder)


class Definitions(Entry):
    """A data set and its definitions, in order."""

    data_set: DataSet = DataSet()
    definitions: list[Definition] = Field(min_length=1)


def load_definitions(path: str) -> Definitions:
    """Read a file of definitions; folders of dictionaries are taken from beside it.

    Raises
    ------
    UsageError
        If it cannot be read, or with every problem in it, each with its line and the nearest name.
    """
    place = Path(path)
    try:
        text = place.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read ({words}); name a file of definitions in YAML and UTF-8") from None
    return parse_definitions(text, place.name, place.parent)


def parse_definitions(text: str, file: str, folder: Path) -> Definitions:
    """Read definitions from text.

    Parameters
    ----------
    text : str
        YAML.
    file : str
        Its name, for messages.
    folder : Path
        Where relative folders of dictionaries begin.

    Returns
    -------
    Definitions
        Checked: their dictionaries exist and have no problems.

    Raises
    ------
    SpecError
        With every problem, by line.
    """
    content, lines = read_yaml(text, file)
    content = content if content is not None else {}
    try:
        found = Definitions.model_validate(content)
    except ValidationError as error:
        # What pydantic refused must not hide a list that is not there.
        problems = [*pydantic_problems(error, Definitions), *_problems_of_lists(content, folder)]
        raise spec_error(file, lines, problems) from None
    placed = [each.model_copy(update={"dictionary_folder": _beside(each, folder)}) for each in found.definitions]
    problems = [*_problems_of_names(placed), *_problems_of_lists(content, folder)]
    if problems:
        raise spec_error(file, lines, problems)
    return found.model_copy(update={"definitions": placed})


def definitions_of(parameters: AnnualUpdateParameters | PublishParameters) -> Definitions:
    """Return the registered definitions, or the one that the parameters make where no file is named."""
    if parameters.definitions:
        return load_definitions(parameters.definitions)
    one = Definition(
        name=ONE_DEFINITION,
        dictionaries=parameters.dictionaries,
        dictionary_folder=parameters.dictionary_folder,
        rule=parameters.rule,
        scopes=parameters.scopes,
        keep=parameters.keep,
        script=parameters.script,
    )
    one.lists()
    return Definitions(definitions=[one])


def _beside(definition: Definition, folder: Path) -> str:
    named = definition.dictionary_folder
    return str(folder / named) if named else ""


def _problems_of_names(definitions: list[Definition]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    same: dict[str, list[str]] = defaultdict(list)
    for number, each in enumerate(definitions):
        place: Place = ("definitions", number, "name")
        if each.name in RESERVED:
            yield place, f"{each.name!r} cannot be the name of a folder everywhere; choose another"
        if each.name in first:
            yield place, f"{each.name!r} is the name of definition {first[each.name] + 1} already; choose another"
        first.setdefault(each.name, number)
        twins = same[repr(each.measures())]
        if twins and each.name not in twins:
            yield place, f"measures the same as {twins[0]!r}; keep one of them"
        twins.append(each.name)


def _problems_of_lists(content: Any, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with dictionaries, also where other keys of a definition are wrong."""
    entries = content.get("definitions") if isinstance(content, dict) else None
    for number, each in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(each, dict):
            continue
        named = each.get("dictionary_folder") or ""
        names = each.get("dictionaries")
        if isinstance(named, str) and isinstance(names, list):
            yield from _problems_of_one(number, names, str(folder / named) if named else "")


def _problems_of_one(number: int, names: list[Any], own_folder: str) -> Iterator[Problem]:
    try:
        paths = dictionary_paths(own_folder)
    except DictionaryError as error:
        yield ("definitions", number, "dictionary_folder"), str(error)
        return
    for position, name in enumerate(names):
        place: Place = ("definitions", number, "dictionaries", position)
        if not isinstance(name, str):
            continue
        if names.index(name) != position:
            yield place, f"{name!r} stands twice; keep one"
        elif name not in paths:
            yield place, f"no dictionary {name!r}.{nearest(name, paths)}"
        else:
            try:
                load_dictionary(paths[name])
            except DictionaryError as error:
                yield place, str(error).replace("\n", "\n    ")
