"""Many indices declared at once: a grid of choices, so that a paper can show that the choice does not matter.

::

    base: {dictionary: wu2021, fit_years: 2010-2019}
    vary:
      scope: [report, mda]
      weighting: [count, tfidf]
      transform: [log1p, "per_10k_chars,trim:0.005:year"]
    indices:
      - scope=body kinds=published name=as_published
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import yaml

from nlp.index_spec import IndexSpec, parse_spec
from shuzhi import UsageError, yaml_loader

MOST_SPECS = 500


def parse_grid(text: str, file: str) -> list[IndexSpec]:
    """Read a grid of indices from YAML: what all share, what varies, and single ones besides.

    Parameters
    ----------
    text : str
        YAML with any of ``base`` (a mapping), ``vary`` (lists by field; all their combinations are taken) and
        ``indices`` (a list of mappings or of lines), of which the last two get the fields of ``base`` too. In
        ``vary``, an entry of ``transform`` is one list of steps or one text with commas.
    file : str
        Its name, for messages.

    Returns
    -------
    list of IndexSpec
        In order of declaration, each once.

    Raises
    ------
    UsageError
        With the place of each problem.
    """
    try:
        root = yaml.load(text, Loader=yaml_loader())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is not YAML"
        raise UsageError(f"{file}{line}: {problem}. Mend the YAML and try again.") from None
    if not isinstance(root, dict) or not root.keys() & {"vary", "indices"} or root.keys() - {"base", "vary", "indices"}:
        raise UsageError(f"{file}: a grid holds vary: or indices: or both, and base:, and nothing else")
    base, vary, single = root.get("base") or {}, root.get("vary") or {}, root.get("indices") or []
    for name, value, kind in (("base", base, dict), ("vary", vary, dict), ("indices", single, list)):
        if not isinstance(value, kind):
            raise UsageError(f"{file}: {name}: is no {'mapping' if kind is dict else 'list'}")
    bad = [key for key, value in vary.items() if not (isinstance(value, list) and value)]
    if bad:
        raise UsageError(f"{file}: vary.{bad[0]}: give a list of choices, for example [{', '.join(['a', 'b'])}]")
    specs = [
        _spec({**base, **dict(zip(vary, choice, strict=True))}, f"{file}: vary {_choice_text(vary, choice)}")
        for choice in (itertools.product(*vary.values()) if vary else ())
    ]
    for number, each in enumerate(single, start=1):
        where = f"{file}: indices, entry {number}"
        own = _as_mapping(each, where)
        specs.append(_spec({**base, **own}, where))
    return check_specs(specs, file)


def _spec(values: dict[str, Any], where: str) -> IndexSpec:
    """Read one index of a grid; what its base says of other choices alone falls away."""
    left_out = [] if str(values.get("weighting", "count")) != "count" else ["fit_years"]
    left_out += [] if str(values.get("kinds", "raw")) == "strict" else ["done_threshold"]
    return parse_spec({key: value for key, value in values.items() if key not in left_out}, where)


def _as_mapping(entry: Any, where: str) -> dict[str, Any]:
    """Return an entry of a grid as a mapping, whichever way it was written."""
    if isinstance(entry, str):
        words = [word.partition("=") for word in entry.split()]
        if not all(sign for _, sign, _ in words):
            raise UsageError(f"{where}: {entry!r}: write each choice as in scope=mda")
        return {key: value for key, _, value in words}
    if isinstance(entry, dict):
        return entry
    raise UsageError(f"{where}: is no mapping and no line of choices")


def _choice_text(names: Iterable[str], choice: Iterable[Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(names, choice, strict=True))


def check_specs(specs: Sequence[IndexSpec], where: str) -> list[IndexSpec]:
    """Return indices, each once; one name must not mean two things.

    Raises
    ------
    UsageError
        If it does, or if there are none or too many.
    """
    by_content = {tuple(sorted((key, str(value)) for key, value in asdict(each).items())): each for each in specs}
    unique = list(by_content.values())
    names = [each.name for each in unique]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{where}: the name {twice[0]} stands for two indices; leave name out of base, or rename one")
    if not unique or len(unique) > MOST_SPECS:
        raise UsageError(f"{where}: declares {len(unique)} indices; 1 to {MOST_SPECS} can be computed")
    return unique
