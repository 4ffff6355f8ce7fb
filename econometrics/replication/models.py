"""What others need to repeat a table elsewhere: its models as data, and the scripts for Stata and R made from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from econometrics.tables.regression import CONSTANTS
from shuzhi import DataError

_STATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}", re.ASCII)
_STATA_RESERVED = re.compile(
    r"_all|_b|byte|_coef|_cons|double|float|if|in|int|long|_n|_N|_pi|_pred|_rc|_skip|str(\d+|L)|using|with"
)
_R_RESERVED = re.compile(
    r"if|else|repeat|while|function|for|next|break|in|TRUE|FALSE|NULL|Inf|NaN|NA|NA_(integer|real|complex|character)_"
)


@dataclass(frozen=True)
class ModelSpec:
    """One model of a table, as far as another program must know it.

    Parameters
    ----------
    name : str
        Name of the model in the scripts, such as ``m1``.
    outcome : str
        Column explained.
    regressors : tuple of str
        Exogenous regressors with the controls.
    endogenous, instruments : tuple of str
        Of two-stage least squares; empty for least squares.
    fixed_effects, cluster : tuple of str
        Columns; ``a^b`` for the interaction of two.
    weights : str
        Column of analytic weights; empty for none.
    errors : str
        Kind of standard errors: classical, robust, cluster, cr2 or wild.
    small_sample : str
        Convention of the small-sample adjustment.
    sample : str
        Column that is 1 in the rows of the model; empty for all rows.
    expected : mapping of str to (float, float)
        Estimate and standard error by term, to be compared with what the other program gets.
    draws, seed : int or None
        Of the wild bootstrap.
    title : str
        A comment.
    """

    name: str
    outcome: str
    regressors: tuple[str, ...]
    endogenous: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    fixed_effects: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    weights: str = ""
    errors: str = "cluster"
    small_sample: str = "reghdfe"
    sample: str = ""
    expected: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    draws: int | None = None
    seed: int | None = None
    title: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the model needs, each once."""
        grouped = [part for name in (*self.fixed_effects, *self.cluster) for part in parts_of(name)]
        numbers = (self.outcome, *self.endogenous, *self.regressors, *self.instruments, self.weights, self.sample)
        return tuple(name for name in dict.fromkeys([*numbers, *grouped]) if name)


def parts_of(effect: str) -> tuple[str, ...]:
    """Return the columns of an effect: ``a^b`` has two."""
    return tuple(part.strip() for part in effect.split("^"))


def model_specs(
    results: Sequence[Any], *, samples: Sequence[str] | None = None, titles: Sequence[str] | None = None
) -> tuple[ModelSpec, ...]:
    """Read the models of a table from their results.

    Parameters
    ----------
    results : sequence of Regression or InstrumentedRegression
        In the order of the columns; they become m1, m2 and so on.
    samples : sequence of str, optional
        For each, the column that is 1 in its rows; empty for all rows.
    titles : sequence of str, optional
        For each, a comment.

    Raises
    ------
    DataError
        If there are no results, or samples or titles for another number of them.
    """
    if not results or any(given is not None and len(given) != len(results) for given in (samples, titles)):
        raise DataError(f"replication: {len(results)} results need as many samples and titles, at least one")
    return tuple(
        _spec(result, f"m{number + 1}", samples[number] if samples else "", titles[number] if titles else "")
        for number, result in enumerate(results)
    )


def _spec(result: Any, name: str, sample: str, title: str) -> ModelSpec:
    endogenous = tuple(getattr(result, "endogenous", ()))
    terms = [str(term) for term in result.coefficients.index]
    return ModelSpec(
        name=name,
        outcome=str(result.outcome),
        regressors=tuple(term for term in terms if term not in CONSTANTS and term not in endogenous),
        endogenous=endogenous,
        instruments=tuple(getattr(result, "instruments", ())),
        fixed_effects=tuple(result.fixed_effects),
        cluster=tuple(result.cluster),
        weights=str(getattr(result, "weights", None) or ""),
        errors=str(result.standard_error_kind),
        small_sample=str(result.small_sample),
        sample=sample,
        expected={
            term: (float(result.coefficients[term]), float(result.standard_errors[term]))
            for term in terms
            if term not in CONSTANTS
        },
        draws=getattr(result, "draws", None),
        seed=getattr(result, "seed", None),
        title=title,
    )


def script_names(specs: Sequence[ModelSpec], names: Mapping[str, str] | None) -> dict[str, str]:
    """Return the name of every column in the scripts, checked.

    Parameters
    ----------
    specs : sequence of ModelSpec
        The models.
    names : mapping of str to str, optional
        Column to its name in the Stata file; columns that are not in it keep their names.

    Returns
    -------
    dict of str to str
        Legal in Stata (ASCII, at most 32 characters, no reserved word) and in R, and unique.

    Raises
    ------
    DataError
        If a name is not legal or two columns have the same; all of them are named.
    """
    columns = list(dict.fromkeys(column for spec in specs for column in spec.columns))
    chosen = {column: (names or {}).get(column, column) for column in columns}
    problems = [
        f"{column!r} is no Stata name (ASCII letters, digits and _, at most 32, no reserved word)"
        if chosen[column] == column
        else f"{column!r} is called {chosen[column]!r}, which is no Stata name"
        for column in columns
        if not is_stata_name(chosen[column])
    ]
    problems += [f"{name!r} stands for several columns" for name in sorted(_doubled(chosen.values()))]
    if problems:
        raise DataError(f"replication: {'; '.join(problems)}: give names, a mapping from column to Stata name")
    return chosen


def is_stata_name(name: str) -> bool:
    """Whether Stata and R both take a text as a variable's name as it stands."""
    return bool(_STATA_NAME.fullmatch(name)) and not _STATA_RESERVED.fullmatch(name) and not _R_RESERVED.fullmatch(name)


def _doubled(names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def comment(text: str) -> str:
    """Return a text that can stand in a comment of one line: no line breaks, no marks that end or begin a comment."""
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f]|/\*|\*/|///?", " ", text)).strip()


def number_text(value: float) -> str:
    """Return a number with all its digits, as Stata and R read it."""
    return repr(float(value))
