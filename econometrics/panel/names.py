"""Which columns there are after each step of a specification, and which names in it point nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from econometrics.declarations.formula import parse_formula
from econometrics.declarations.yaml_lines import Place, Problem, nearest
from econometrics.panel.source_spec import DefinitionSpec, SourceSpec
from econometrics.panel.spec import (
    BlankStep,
    CompleteStep,
    DefineStep,
    DropStep,
    JoinStep,
    KeepStep,
    MinimumYearsStep,
    PanelSpec,
    PlacesStep,
    TrimStep,
    WinsoriseStep,
)
from econometrics.panel.steps.names import data_step_problems, data_step_sources
from econometrics.panel.steps.specs import DataStep
from econometrics.places.addresses import PLACE_COLUMNS


class Columns:
    """Names of columns known so far; with ``is_open`` there may be more, and nothing can be called unknown."""

    def __init__(self, names: Iterable[str], is_open: bool) -> None:
        self.names = list(dict.fromkeys(names))
        self.is_open = is_open

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of some names that are no columns."""
        return [] if self.is_open else [name for name in names if name not in self.names]

    def check(self, place: Place, names: Iterable[str], where: str = "") -> Iterator[Problem]:
        """Say which of some names are no columns, with the nearest ones."""
        for name in dict.fromkeys(self.unknown(names)):
            yield place, f"there is no column '{name}'{where}.{nearest(name, self.names)}"

    def add(self, place: Place, names: Iterable[str]) -> Iterator[Problem]:
        """Take in new columns, and say which of them are there already."""
        for name in names:
            if name in self.names:
                yield place, f"there is a column '{name}' already; give another name"
            else:
                self.names.append(name)


def name_problems(spec: PanelSpec, known: Mapping[str, Collection[str]] | None = None) -> list[Problem]:
    """Return every name of a specification that points nowhere.

    Parameters
    ----------
    spec : PanelSpec
        What to judge.
    known : mapping of str to collection of str, optional
        Columns of the sources that were read; of the others only those are known that the specification declares.

    Returns
    -------
    list of (tuple, str)
        Places and problems.
    """
    problems: list[Problem] = []
    sources: dict[str, Columns] = {}
    for name, source in spec.sources.items():
        found, columns = source_problems(name, source, spec, (known or {}).get(name))
        problems += found
        sources[name] = columns
    if spec.start not in sources:
        return [*problems, (("start",), f"there is no source '{spec.start}'.{nearest(spec.start, sources)}")]
    columns = Columns(sources[spec.start].names, sources[spec.start].is_open)
    problems += columns.check(("start",), [spec.firm, spec.year], f" in the source {spec.start}, and it is a key")
    used = {spec.start}
    for number, step in enumerate(spec.steps):
        place: Place = ("steps", number)
        if isinstance(step, DataStep):
            problems += data_step_problems(place, step, columns, sources, spec.firm, spec.year)
        else:
            problems += step_problems(place, step, columns, sources)
        used |= {step.join} if isinstance(step, JoinStep) else data_step_sources(step, spec.firm, spec.year)
    for name in sources.keys() - used:
        problems.append((("sources", name), "is never joined and used by no step; use it or leave it out"))
    problems += [problem for name in spec.checks for problem in columns.check(("checks", name), [name])]
    if spec.output:
        problems += columns.check(("output",), spec.output)
        problems += [
            (("output",), f"the key {key} must be among them")
            for key in (spec.firm, spec.year)
            if key not in spec.output
        ]
    return problems


def source_problems(
    name: str, source: SourceSpec, spec: PanelSpec, known: Collection[str] | None
) -> tuple[list[Problem], Columns]:
    """Return what is wrong with the names of a source, and the columns that it offers."""
    place: Place = ("sources", name)
    declared = list(source.columns) if isinstance(source.columns, dict) else []
    declared += [source.wide.year] if source.wide else []
    is_open = source.columns == "all" and known is None
    columns = Columns(declared if known is None else known, is_open)
    problems: list[Problem] = []
    if known is None:
        for number, places in enumerate(source.places):
            inner = (*place, "places", number)
            problems += columns.check(inner, [places.places])
            problems += columns.add(inner, [places.prefix + each for each in PLACE_COLUMNS])
        problems += _definition_problems((*place, "define"), source.define, columns)
    for number, each in enumerate(source.filters):
        condition = each.keep if hasattr(each, "keep") else each.drop
        problems += columns.check((*place, "filters", number), parse_formula(condition).columns)
    problems += columns.check((*place, "keys"), source.keys or [])
    if source.format == "sql" and not (source.database and source.query):
        problems.append((place, "format sql needs database: and query:"))
    if source.format != "sql" and (source.database or source.query or not source.path):
        words = "database: and query: need format: sql" if source.path else "path: is missing"
        problems.append((place, words))
    return problems, columns


def step_problems(place: Place, step: object, columns: Columns, sources: Mapping[str, Columns]) -> Iterator[Problem]:
    """Return what is wrong with the names of a step, and take its new columns in."""
    match step:
        case JoinStep():
            yield from _join_problems(place, step, columns, sources)
        case DefineStep():
            yield from _definition_problems((*place, "define"), step.define, columns)
        case PlacesStep():
            yield from columns.check(place, [step.places])
            yield from columns.add(place, [step.prefix + each for each in PLACE_COLUMNS])
        case KeepStep():
            yield from columns.check((*place, "keep"), parse_formula(step.keep).columns)
        case DropStep():
            yield from columns.check((*place, "drop"), parse_formula(step.drop).columns)
        case BlankStep():
            yield from columns.check((*place, "blank"), step.blank)
            yield from columns.check((*place, "where"), parse_formula(step.where).columns)
        case CompleteStep():
            yield from columns.check((*place, "complete"), step.complete)
        case WinsoriseStep():
            yield from columns.check((*place, "winsorise"), step.winsorise)
            yield from columns.check((*place, "by"), step.by)
            if step.suffix:
                yield from columns.add((*place, "suffix"), [name + step.suffix for name in step.winsorise])
        case TrimStep():
            yield from columns.check((*place, "trim"), step.trim)
            yield from columns.check((*place, "by"), step.by)
        case MinimumYearsStep():
            pass


def _definition_problems(
    place: Place, definitions: Mapping[str, DefinitionSpec], columns: Columns
) -> Iterator[Problem]:
    for name, definition in definitions.items():
        inputs = parse_formula(definition.formula).columns if definition.formula else [str(definition.from_)]
        yield from columns.check((*place, name), inputs)
        yield from columns.add((*place, name), [name])


def _join_problems(place: Place, step: JoinStep, columns: Columns, sources: Mapping[str, Columns]) -> Iterator[Problem]:
    if step.join not in sources:
        yield (*place, "join"), f"there is no source '{step.join}'.{nearest(step.join, sources)}"
        return
    other = sources[step.join]
    yield from columns.check((*place, "on"), [left for left, _ in step.pairs()], " in the panel so far")
    yield from other.check((*place, "on"), [right for _, right in step.pairs()], f" in the source {step.join}")
    yield from other.check((*place, "take"), step.take or [], f" in the source {step.join}")
    keys = [right for _, right in step.pairs()]
    taken = [name for name in (step.take or other.names) if name not in keys]
    if other.is_open and step.take is None:
        columns.is_open = True
    for name in taken:
        if step.prefix + name in columns.names:
            yield place, f"{step.join} has a column '{name}' that the panel has too; use take: or prefix:"
    columns.names += [step.prefix + name for name in taken if step.prefix + name not in columns.names]
