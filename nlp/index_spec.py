"""What an index is made of, in one line or one YAML mapping: word list, rule, scope, kept kinds, weighting, steps.

::

    dictionary=wu2021 scope=mda kinds=published weighting=tfidf fit_years=2010-2019 transform=per_10k_chars,log1p

The steps of ``transform`` are done in the order in which they stand. A colon parts a step from what it is told:

======================  ============================================================================
``per_10k_chars``       over the Chinese characters of the scope, times 10,000
``per_1k_tokens``       over its tokens, times 1,000
``sentence_share``      sentences with a hit over sentences (instead of hits)
``log1p``               ln(1 + value)
``dummy:T``             1 above T (0 if not given), else 0
``trim:S:BY:TAILS``     drops the extreme share S at each end, BY ``all`` (if not given) or ``year``
``winsorise:S:BY:TAILS``  draws it to the limit; TAILS are ``both`` (if not given), ``upper`` or ``lower``
``demean:BY``           less the mean of its ``industry-year`` (if not given), ``industry`` or ``year``
``standardise:BY``      less the mean, over the standard deviation, of ``all`` (if not given) or as ``demean``
======================  ============================================================================
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from nlp.options import Rule
from nlp.scope import parse_scope
from shuzhi import UsageError

Kinds = Literal["raw", "published", "strict"]
WeightingName = Literal["count", "tfidf", "entropy", "first_component", "equal"]
StepName = Literal[
    "per_10k_chars", "per_1k_tokens", "sentence_share", "log1p", "dummy", "trim", "winsorise", "demean", "standardise"
]
SHARES: Mapping[str, tuple[str, float]] = {
    "per_10k_chars": ("chinese_characters", 10_000),
    "per_1k_tokens": ("tokens", 1_000),
}
SENTENCE_SHARE = "sentence_share"
# Weightings of dimensions; the others weigh terms.
OF_DIMENSIONS = ("entropy", "first_component", "equal")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "year": ("report_year",),
    "industry": ("industry",),
    "industry-year": ("industry", "report_year"),
}
TAILS = ("both", "upper", "lower")
YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
# The classifier's own threshold.
DEFAULT_DONE = 0.0


@dataclass(frozen=True)
class Step:
    """One step after counting.

    Parameters
    ----------
    name : str
        What is done.
    number : float
        The extreme share of ``trim`` and ``winsorise``, the threshold of ``dummy``.
    by : str
        The groups, a key of ``GROUPS``.
    tails : {'both', 'upper', 'lower'}
        Ends of ``trim`` and ``winsorise``.
    """

    name: StepName
    number: float = 0.0
    by: str = "all"
    tails: Literal["both", "upper", "lower"] = "both"

    @property
    def text(self) -> str:
        """The step as users write it."""
        if self.name in ("trim", "winsorise"):
            return f"{self.name}:{self.number:g}:{self.by}:{self.tails}"
        if self.name == "dummy":
            return f"dummy:{self.number:g}"
        return f"{self.name}:{self.by}" if self.name in ("demean", "standardise") else self.name


@dataclass(frozen=True)
class IndexSpec:
    """One index, declared in full.

    Parameters
    ----------
    dictionary : str
        Name of the word list.
    rule : {'longest', 'substring', 'token'}
        What counts as an occurrence.
    scope : str
        Part of the report, as :func:`nlp.scope.parse_scope` reads it.
    kinds : {'raw', 'published', 'strict'}
        Which hits are kept: all; without negated ones, other firms' and persons'; the filer's own that are done.
    done_threshold : float
        Under ``strict``, the least probability that the filer did it; 0 takes the classifier's own threshold.
    dimension : str
        ``total`` or one dimension of the list.
    weighting : {'count', 'tfidf', 'entropy', 'first_component', 'equal'}
        How terms (count, tfidf) or dimensions (the others) become one number.
    fit_years : tuple of int
        Report years that the weights are learned from; empty takes all.
    transform : tuple of Step
        What is done to that number, in order.
    name : str
        How the index is called; made of the rest if empty.
    """

    dictionary: str
    rule: Rule = "longest"
    scope: str = "report"
    kinds: Kinds = "raw"
    done_threshold: float = DEFAULT_DONE
    dimension: str = "total"
    weighting: WeightingName = "count"
    fit_years: tuple[int, ...] = ()
    transform: tuple[Step, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", _own_name(self))

    def describe(self) -> dict[str, str]:
        """Return every choice as text, for a table of specifications."""
        said = {field.name: str(getattr(self, field.name)) for field in fields(self)}
        said["transform"] = ",".join(step.text for step in self.transform)
        said["fit_years"] = _years_text(self.fit_years)
        said["done_threshold"] = f"{self.done_threshold:g}" if self.kinds == "strict" else ""
        return {"name": said.pop("name"), **said}


KEYS = tuple(field.name for field in fields(IndexSpec))
CHOICES: Mapping[str, tuple[str, ...]] = {
    "rule": get_args(Rule),
    "kinds": get_args(Kinds),
    "weighting": get_args(WeightingName),
}


def _years_text(years: Sequence[int]) -> str:
    """Return years as text: a range where they have no gap."""
    if not years:
        return ""
    has_gap = len(years) != years[-1] - years[0] + 1
    return ",".join(map(str, years)) if has_gap else f"{years[0]}-{years[-1]}"


def _own_name(spec: IndexSpec) -> str:
    """Return a name of what differs from the plain count of a list in whole reports."""
    parts = [spec.dictionary, *([] if spec.rule == "longest" else [spec.rule])]
    parts += [] if spec.scope == "report" else [spec.scope.replace("+", "_and_")]
    parts += [] if spec.kinds == "raw" else [spec.kinds]
    parts += [f"own{round(100 * spec.done_threshold)}"] if spec.done_threshold != DEFAULT_DONE else []
    parts += [spec.dimension, *([] if spec.weighting == "count" and spec.transform else [spec.weighting])]
    parts += [f"fit{_years_text(spec.fit_years)}"] if spec.fit_years else []
    for step in spec.transform:
        short = step.text.removesuffix(":both").removesuffix(":all").replace("dummy:0", "dummy")
        parts.append(short.replace("demean:industry-year", "demean"))
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(parts)).strip("_")


def parse_keywords(text: str, where: str = "index") -> IndexSpec:
    """Read an index declared in one line, such as ``dictionary=wu2021 scope=mda transform=log1p``.

    Raises
    ------
    UsageError
        With every problem.
    """
    values: dict[str, Any] = {}
    for word in text.split():
        key, sign, value = word.partition("=")
        if not sign or key in values:
            raise UsageError(f"{where}: {word!r}: write each choice once, as in scope=mda")
        values[key] = value
    return parse_spec(values, where)


def parse_spec(values: Mapping[str, Any], where: str = "index") -> IndexSpec:
    """Read an index from a mapping, as it stands in YAML.

    Parameters
    ----------
    values : mapping
        Fields of :class:`IndexSpec`; ``transform`` is a list of steps or one text with commas, ``fit_years`` a
        range, a list or one text with commas.
    where : str
        Place of the mapping, for messages.

    Raises
    ------
    UsageError
        With every problem, one a line.
    """
    problems: list[str] = []
    read: dict[str, Any] = {}
    for key, value in values.items():
        try:
            read[key] = _read_value(str(key), value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    if not values.get("dictionary"):
        problems.append("dictionary: name the word list, for example dictionary: wu2021")
    if not problems:
        problems = list(_conflicts(spec := IndexSpec(**read)))
        if not problems:
            return spec
    raise UsageError("\n  ".join([f"{where}: {len(problems)} problem{'s' if len(problems) > 1 else ''}", *problems]))


def _read_value(key: str, value: Any) -> Any:
    """Return one field as its type, or say what would do."""
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1)
        raise ValueError(f"unknown; did you mean {near[0]}?" if near else f"unknown; known are {', '.join(KEYS)}")
    if key == "transform":
        return tuple(parse_step(text) for text in _listed(value))
    if key == "fit_years":
        return tuple(sorted({year for text in _listed(value) for year in _read_years(text)}))
    if key == "done_threshold":
        return _number(value, "a probability", 0, 1)
    if isinstance(value, (list, dict)) or value is None or str(value).strip() == "":
        raise ValueError(f"{value!r} is no single word")
    text = str(value).strip()
    if key in CHOICES and text not in CHOICES[key]:
        raise ValueError(f"{text!r} is unknown; take {', '.join(CHOICES[key])}")
    if key == "name" and not NAME.fullmatch(text):
        raise ValueError(f"{text!r}: a letter first, then ASCII letters, digits and _, at most 80")
    if key == "scope":
        try:
            return parse_scope(text).name
        except UsageError as error:
            raise ValueError(str(error)) from None
    return text


def _listed(value: Any) -> list[str]:
    found = value if isinstance(value, (list, tuple)) else str("" if value is None else value).split(",")
    return [text for each in found if (text := str(each).strip())]


def _read_years(text: str) -> range:
    found = YEARS.fullmatch(text.replace(" ", ""))
    if not found or int(found[2] or found[1]) < int(found[1]):
        raise ValueError(f"{text!r}: write a year or a range, for example 2010-2019")
    return range(int(found[1]), int(found[2] or found[1]) + 1)


def _number(value: Any, what: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number") from None
    if not least <= number <= most:
        raise ValueError(f"{value!r} is not {what} from {least:g} to {most:g}")
    return number


def parse_step(text: str) -> Step:
    """Read one step, such as ``trim:0.005:year``.

    Raises
    ------
    ValueError
        If it is unknown or told something that it does not understand.
    """
    name, *told = text.strip().split(":")
    if name not in get_args(StepName):
        near = difflib.get_close_matches(name, get_args(StepName), n=1)
        known = f"did you mean {near[0]}?" if near else f"known are {', '.join(get_args(StepName))}"
        raise ValueError(f"step {name!r} is unknown; {known}")
    values: dict[str, Any] = {"by": "industry-year"} if name == "demean" else {}
    is_extreme = name in ("trim", "winsorise")
    for given in told:
        if given in GROUPS and name != "dummy" and (not is_extreme or given in ("all", "year")):
            values["by"] = given
        elif given in TAILS and is_extreme:
            values["tails"] = given
        elif is_extreme or name == "dummy":
            values["number"] = _number(given, "a share", 0, 0.499) if is_extreme else _number(given, "", -1e300, 1e300)
        else:
            raise ValueError(f"step {text!r}: {given!r} says nothing to {name}")
    if name in (*SHARES, SENTENCE_SHARE, "log1p") and told:
        raise ValueError(f"step {text!r}: {name} takes nothing")
    if is_extreme and not values.get("number"):
        raise ValueError(f"step {text!r}: say which share at each end, for example {name}:0.005")
    if name == "demean" and values["by"] == "all":
        raise ValueError(f"step {text!r}: take industry-year, industry or year")
    return Step(name=name, **values)  # type: ignore[arg-type]


def _conflicts(spec: IndexSpec) -> Iterator[str]:
    """Yield what cannot be computed as declared."""
    names = [step.name for step in spec.transform]
    if SENTENCE_SHARE in names and (names[0] != SENTENCE_SHARE or spec.weighting != "count"):
        yield "transform: sentence_share comes first, and only with weighting: count"
    lengths = [name for name in names if name in (*SHARES, SENTENCE_SHARE)]
    if len(lengths) > 1:
        yield f"transform: {' and '.join(lengths)} exclude each other"
    if spec.weighting in OF_DIMENSIONS and spec.dimension != "total":
        yield f"weighting: {spec.weighting} weighs the dimensions against each other; take dimension: total"
    if "log1p" in names:
        before = names[: names.index("log1p")]
        negative: list[str] = [name for name in before if name in ("demean", "standardise")]
        negative += [spec.weighting] if spec.weighting in ("first_component", "equal") else []
        if negative:
            yield f"transform: log1p cannot follow {negative[0]}, which gives negative values"
    if spec.fit_years and spec.weighting == "count":
        yield "fit_years: counts learn nothing; take it out, or another weighting"
    if spec.done_threshold != DEFAULT_DONE and spec.kinds != "strict":
        yield "done_threshold: only kinds: strict uses it"
