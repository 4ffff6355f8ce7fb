"""Checks as plain mappings, as a YAML file holds them: read with all problems at once, and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

from econometrics.declarations.yaml_lines import nearest
from econometrics.robustness.columns import FirstDifferences, Lag, Lead, OtherOutcome, OtherRegressor, Transform
from econometrics.robustness.measurement import Instrumented, KnownReliability, Related, Simex
from econometrics.robustness.methods import EntropyBalancing, Placebo, PropensityMatching, Selection
from econometrics.robustness.models import (
    AddControls,
    DropControls,
    OtherCluster,
    OtherControls,
    OtherEffects,
    OtherErrors,
    Weighted,
)
from econometrics.robustness.rows import (
    BalancedPanel,
    DropIndustries,
    DropMunicipalities,
    DropValues,
    DropYears,
    DropZeros,
    MinimumYears,
)
from econometrics.robustness.setting import Check
from econometrics.robustness.tails import Trim, Winsorise
from shuzhi import SpecError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Place = tuple[str | int, ...]
Problem = tuple[Place, str]

KINDS: dict[str, type[Check]] = {
    check.kind: check
    for check in (
        OtherOutcome,
        OtherRegressor,
        Lag,
        Lead,
        Transform,
        Winsorise,
        Trim,
        DropValues,
        DropYears,
        DropMunicipalities,
        DropIndustries,
        BalancedPanel,
        MinimumYears,
        DropZeros,
        OtherEffects,
        OtherCluster,
        OtherErrors,
        OtherControls,
        AddControls,
        DropControls,
        Weighted,
        FirstDifferences,
        PropensityMatching,
        EntropyBalancing,
        Selection,
        Placebo,
        KnownReliability,
        Simex,
        Related,
        Instrumented,
    )
}


def read_check(entry: Any, place: Place = ()) -> tuple[Check | None, list[Problem]]:
    """Read one check, or say what is wrong with it and where.

    Parameters
    ----------
    entry : str, mapping or Check
        The name of a kind (``balanced_panel``), or a mapping with one kind and its options: ``{lag: [1, 2]}``,
        ``{winsorise: {share: [0.01, 0.05], by: report_year}}``; a value alone stands for the kind's main option. Labels
        may stand beside the kind or among its options.
    place : tuple
        Path of the entry, which starts the paths of problems.

    Returns
    -------
    check : Check or None
        None where there is a problem.
    problems : list of (tuple, str)
        Path and words.
    """
    if isinstance(entry, Check):
        return entry, []
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping):
        return None, [(place, f"a check is the name of a kind or a mapping with one, not {entry!r}")]
    labels = {key: entry[key] for key in ("label_zh", "label_en") if key in entry}
    named = [str(key) for key in entry if key not in labels]
    if len(named) != 1:
        found = ", ".join(named) or "none"
        return None, [(place, f"a check names one kind; this one names {len(named)} ({found})")]
    kind = named[0]
    if kind not in KINDS:
        return None, [((*place, kind), f"no such check.{nearest(kind, KINDS) or ' There are: ' + ', '.join(KINDS)}")]
    return _built(KINDS[kind], entry[kind], labels, (*place, kind))


def checks_from(declaration: Sequence[Any]) -> tuple[Check, ...]:
    """Read a list of checks.

    Parameters
    ----------
    declaration : sequence
        Entries as for ``read_check``.

    Raises
    ------
    SpecError
        All problems, each with its place in the list.
    """
    if isinstance(declaration, str | Mapping | Check):
        declaration = [declaration]
    checks, problems = [], []
    for number, entry in enumerate(declaration):
        check, found = read_check(entry, (number,))
        problems += found
        if check is not None:
            checks.append(check)
    if problems:
        shown = [
            f"{'.'.join(str(p + 1) if isinstance(p, int) else p for p in place)}: {text}" for place, text in problems
        ]
        raise SpecError(f"checks with {len(shown)} problem{'s' if len(shown) > 1 else ''}: " + "; ".join(shown))
    return tuple(checks)


def declared(check: Check) -> dict[str, Any]:
    """Return a check as the mapping that declares it, without what is as by default.

    Parameters
    ----------
    check : Check
        Any check.
    """
    options = {}
    for each in fields(check):
        value = getattr(check, each.name)
        if each.default is MISSING or value != each.default:
            options[each.name] = list(value) if isinstance(value, tuple) else value
    return {check.kind: options}


def _built(cls: type[Check], value: Any, labels: dict[str, Any], place: Place) -> tuple[Check | None, list[Problem]]:
    from pydantic import ValidationError

    names = [each.name for each in fields(cls)]
    if value is None or value is True:
        options: dict[str, Any] = {}
    elif isinstance(value, Mapping):
        options = {str(key): each for key, each in value.items()}
    elif cls.main:
        options = {cls.main: value}
    else:
        return None, [(place, f"give its options by name: {', '.join(names)}")]
    strange = [key for key in options if key not in names]
    problems: list[Problem] = [((*place, key), f"no such option.{nearest(key, names)}") for key in strange]
    given = {key: _as_list(cls, key, each) for key, each in (options | labels).items() if key in names}
    try:
        check = _adapter(cls).validate_python(given)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            inner = tuple(part for part in each["loc"][:1])
            words = "is missing; it must be given" if each["type"] == "missing" else each["msg"]
            shown = "" if each["type"] == "missing" else f" (given: {each['input']!r})"
            problems.append(((*place, *inner), f"{words}{shown}"))
        return None, _once(problems)
    return (None, problems) if problems else (check, [])


def _once(problems: list[Problem]) -> list[Problem]:
    """One problem a place: of the branches of a union only the first."""
    first: dict[Place, str] = {}
    for place, text in problems:
        first.setdefault(place, text)
    return list(first.items())


def _as_list(cls: type[Check], name: str, value: Any) -> Any:
    """Take a single value for a list of one where the option holds several."""
    hint = str(_hints(cls)[name])
    holds_many = get_origin(_hints(cls)[name]) is tuple or "tuple[" in hint
    return [value] if holds_many and not isinstance(value, list | tuple | type(None)) else value


@cache
def _hints(cls: type[Check]) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def _adapter(cls: type[Check]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)
