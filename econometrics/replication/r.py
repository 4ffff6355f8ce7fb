"""The R script that repeats a table with fixest (Bergé 2018) from the exported panel."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from econometrics.replication.models import ModelSpec, comment, number_text, parts_of, script_names
from shuzhi import DataError

_HELPERS = """\
# Drops rows alone in a level of an effect, again and again, as reghdfe does; rows with missing values go first.
estimation_rows <- function(data, variables, effects) {
  kept <- data[stats::complete.cases(data[variables]), , drop = FALSE]
  repeat {
    before <- nrow(kept)
    for (effect in effects) {
      level <- do.call(paste, c(kept[effect], sep = "\\t"))
      kept <- kept[as.vector(table(level)[level] > 1), , drop = FALSE]
    }
    if (nrow(kept) == before) return(kept)
  }
}

# Compares an estimate and its standard error with those of the paper's tables.
compare_estimate <- function(model, name, term, estimate, error, tolerance) {
  b <- abs(coef(model)[[term]] / estimate - 1)
  s <- abs(se(model)[[term]] / error - 1)
  result <- if (b < 1e-6 && s < tolerance) "same" else sprintf("relative difference %.2e, of its error %.2e", b, s)
  cat(name, " ", term, ": ", result, "\\n", sep = "")
}
"""
# fixest counts absorbed levels without looking for connected components: beyond that its errors equal reghdfe's.
_TOLERANCES = {"fixest": 1e-4, "reghdfe": 1e-2}


def r_script(
    specs: Sequence[ModelSpec],
    *,
    data: str = "panel.csv",
    names: Mapping[str, str] | None = None,
    title: str = "",
) -> str:
    """Write the R script that repeats the models of a table.

    Parameters
    ----------
    specs : sequence of ModelSpec
        The models, see `econometrics.replication.model_specs`.
    data : str
        The panel beside the script, ``.csv`` (UTF-8) or ``.parquet``, with the columns' own names.
    names : mapping of str to str, optional
        Column to its name in the script, the same as in Stata.
    title : str
        A comment.

    Returns
    -------
    str
        The script. It estimates, compares each estimate with the stored one, and shows the table.

    Raises
    ------
    DataError
        If a name is not legal, there is no model, or the file is of another kind.
    """
    chosen = script_names(specs, names)
    if not specs or not data.endswith((".csv", ".parquet")) or any(mark in data for mark in '"\n\\'):
        raise DataError(f"R script: needs at least one model and a plain name of a .csv or .parquet file, not {data!r}")
    effects = list(
        dict.fromkeys(p for spec in specs for name in (*spec.fixed_effects, *spec.cluster) for p in parts_of(name))
    )
    lines = [
        f"# {comment(title)}" if comment(title) else "# Main table",
        '# Packages, once: install.packages(c("fixest", "arrow"))'
        if data.endswith(".parquet")
        else '# Packages, once: install.packages("fixest")',
        "library(fixest)",
        "",
        *_read(data, effects),
    ]
    renamed = {column: name for column, name in chosen.items() if column != name}
    lines += [f"names(panel)[names(panel) == {_quoted(column)}] <- {_quoted(name)}" for column, name in renamed.items()]
    lines += ["", _HELPERS]
    for spec in specs:
        lines += [*_model(spec, chosen), ""]
    lines.append(f"print(etable({', '.join(spec.name for spec in specs)}, digits = 4))")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(data: str, effects: Sequence[str]) -> list[str]:
    if data.endswith(".parquet"):
        return [f'panel <- as.data.frame(arrow::read_parquet("{data}"))']
    # Codes read as text keep their leading zeros.
    classes = ", ".join(f'{_quoted(name)} = "character"' for name in effects)
    kinds = f",\n  colClasses = c({classes})" if classes else ""
    return [
        f'panel <- read.csv("{data}", fileEncoding = "UTF-8-BOM", check.names = FALSE, na.strings = c("", "NA"){kinds})'
    ]


def _model(spec: ModelSpec, chosen: Mapping[str, str]) -> list[str]:
    lines = [f"# {spec.name}: {comment(spec.title)}" if comment(spec.title) else f"# {spec.name}"]
    if spec.errors in ("cr2", "wild"):
        lines.append(f"# The table has {spec.errors} inference; the errors compared here are clustered ones.")
    used = [chosen[name] for name in spec.columns if name != spec.sample]
    rows = f"panel[panel${chosen[spec.sample]} %in% 1, ]" if spec.sample else "panel"
    effects = [f"c({', '.join(_quoted(chosen[p]) for p in parts_of(name))})" for name in spec.fixed_effects]
    variables = ", ".join(map(_quoted, used))
    lines.append(f"rows <- estimation_rows({rows}, c({variables}), list({', '.join(effects)}))")
    weight = f", weights = ~{chosen[spec.weights]}" if spec.weights else ""
    lines.append(f"{spec.name} <- feols({_formula(spec, chosen)}, data = rows, vcov = {_errors(spec, chosen)}{weight})")
    tolerance = _TOLERANCES.get(spec.small_sample, 1e-1)
    for term, (estimate, error) in spec.expected.items():
        if math.isfinite(estimate) and math.isfinite(error):
            name = f"fit_{chosen[term]}" if term in spec.endogenous else chosen[term]
            numbers = f"{number_text(estimate)}, {number_text(error)}, {number_text(tolerance)}"
            lines.append(f'compare_estimate({spec.name}, "{spec.name}", "{name}", {numbers})')
    return lines


def _formula(spec: ModelSpec, chosen: Mapping[str, str]) -> str:
    right = " + ".join(chosen[name] for name in spec.regressors) or "1"
    parts = [f"{chosen[spec.outcome]} ~ {right}"]
    if spec.fixed_effects:
        parts.append(" + ".join("^".join(chosen[part] for part in parts_of(name)) for name in spec.fixed_effects))
    if spec.endogenous:
        left = " + ".join(chosen[name] for name in spec.endogenous)
        parts.append(f"{left} ~ {' + '.join(chosen[name] for name in spec.instruments)}")
    return " | ".join(parts)


def _errors(spec: ModelSpec, chosen: Mapping[str, str]) -> str:
    if spec.cluster:
        return "~" + " + ".join("^".join(chosen[part] for part in parts_of(name)) for name in spec.cluster)
    return '"hetero"' if spec.errors == "robust" else '"iid"'
