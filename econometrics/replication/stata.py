"""The Stata do-file that repeats a table with reghdfe and ivreghdfe (Correia 2017) from the exported panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from econometrics.replication.models import ModelSpec, comment, number_text, parts_of, script_names
from shuzhi import DataError

_HEAD = """\
version 14
clear all
set more off
set linesize 120

* Packages, once: ssc install ftools
*                 ssc install reghdfe
*                 ssc install ivreg2
*                 ssc install ranktest
*                 ssc install ivreghdfe
*                 ssc install boottest      (only for models with the wild cluster bootstrap)
"""
_CHECK = """\
* Compares an estimate and its standard error with those of the paper's tables.
capture program drop compare_estimate
program define compare_estimate
    args model term estimate error
    local b = reldif(_b[`term'], `estimate')
    local s = reldif(_se[`term'], `error')
    if `b' < 1e-6 & `s' < 1e-4 {
        display as text "`model' `term': same"
    }
    else {
        display as error "`model' `term': relative difference of the estimate " %9.2e `b' ", of its error " %9.2e `s'
    }
end
"""


def stata_do_file(
    specs: Sequence[ModelSpec],
    *,
    data: str = "panel.dta",
    names: Mapping[str, str] | None = None,
    firm: str = "",
    year: str = "",
    title: str = "",
) -> str:
    """Write the do-file that repeats the models of a table.

    Parameters
    ----------
    specs : sequence of ModelSpec
        The models, see `econometrics.replication.model_specs`.
    data : str
        The Stata file of the panel, beside the do-file.
    names : mapping of str to str, optional
        Column to its name in the Stata file.
    firm, year : str
        Columns for ``xtset``; without both the panel is not declared.
    title : str
        A comment.

    Returns
    -------
    str
        The do-file. It estimates, compares each estimate with the stored one, and shows the table.

    Raises
    ------
    DataError
        If a name is not legal in Stata or the file's name cannot stand in quotes.
    """
    chosen = script_names([*specs, *_panel_spec(firm, year)], names)
    if not specs or any(mark in data for mark in '"`$\n\\'):
        raise DataError(f"do-file: needs at least one model and a plain file name, not {data!r}")
    groups = _group_names(specs, chosen, firm if firm and year else "")
    lines = [f"* {comment(title)}" if comment(title) else "* Main table", _HEAD, f'use "{data}", clear', ""]
    lines += [
        f"egen long {name} = group({' '.join(chosen[part] for part in parts_of(key))})" for key, name in groups.items()
    ]
    if firm and year:
        lines.append(f"xtset {groups[firm]} {chosen[year]}")
    lines += ["", _CHECK]
    for spec in specs:
        lines += [*_model(spec, chosen, groups), ""]
    lines.append(f"estimates table {' '.join(spec.name for spec in specs)}, b(%9.4f) se(%9.4f) stats(N r2 r2_within)")
    return "\n".join(lines) + "\n"


def _panel_spec(firm: str, year: str) -> list[ModelSpec]:
    return [ModelSpec("panel", year, (), fixed_effects=(firm,))] if firm and year else []


def _group_names(specs: Sequence[ModelSpec], chosen: Mapping[str, str], firm: str) -> dict[str, str]:
    """Return a number variable for each effect and cluster, because Stata absorbs no text; none overwrites a column."""
    taken = {name.casefold() for name in chosen.values()}
    wanted = dict.fromkeys([firm] if firm else [])
    wanted |= dict.fromkeys(name for spec in specs for name in (*spec.fixed_effects, *spec.cluster))
    names, number = {}, 0
    for key in wanted:
        number += 1
        while f"group_{number}" in taken:
            number += 1
        names[key] = f"group_{number}"
    return names


def _model(spec: ModelSpec, chosen: Mapping[str, str], groups: Mapping[str, str]) -> list[str]:
    lines = [f"* {spec.name}: {comment(spec.title)}" if comment(spec.title) else f"* {spec.name}"]
    if spec.errors in ("cr2", "wild"):
        lines.append(f"* The table has {spec.errors} inference; the errors compared here are clustered ones.")
    elif spec.small_sample != "reghdfe":
        lines.append(f"* The table has the small-sample convention of {spec.small_sample}: errors differ a little.")
    lines.append(_command(spec, chosen, groups))
    lines.append(f"estimates store {spec.name}")
    for term, (estimate, error) in spec.expected.items():
        if math.isfinite(estimate) and math.isfinite(error):
            lines.append(f"compare_estimate {spec.name} {chosen[term]} {number_text(estimate)} {number_text(error)}")
    if spec.errors == "wild":
        term = chosen[next(iter(spec.expected), spec.regressors[0])]
        lines.append(f"boottest {term}, reps({spec.draws or 9999}) seed({spec.seed or 1}) nograph")
    return lines


def _command(spec: ModelSpec, chosen: Mapping[str, str], groups: Mapping[str, str]) -> str:
    right = " ".join(chosen[name] for name in spec.regressors)
    weight = f" [aweight = {chosen[spec.weights]}]" if spec.weights else ""
    where = f" if {chosen[spec.sample]} == 1" if spec.sample else ""
    absorbed = " ".join(groups[name] for name in spec.fixed_effects)
    clusters = " ".join(groups[name] for name in spec.cluster)
    left = chosen[spec.outcome]
    if not spec.endogenous:
        absorb = f"absorb({absorbed})" if absorbed else "noabsorb"
        errors = f"vce(cluster {clusters})" if clusters else _unclustered(spec.errors)
        return " ".join(f"reghdfe {left} {right}{where}{weight}, {absorb} {errors}".split())
    first = f"({' '.join(chosen[n] for n in spec.endogenous)} = {' '.join(chosen[n] for n in spec.instruments)})"
    errors = f"cluster({clusters})" if clusters else {"robust": "robust"}.get(spec.errors, "")
    absorb = f"absorb({absorbed})" if absorbed else "small"
    command = "ivreghdfe" if absorbed else "ivreg2"
    return " ".join(f"{command} {left} {right} {first}{where}{weight}, {absorb} {errors} ffirst".split())


def _unclustered(errors: str) -> str:
    return "vce(robust)" if errors == "robust" else "vce(unadjusted)"
