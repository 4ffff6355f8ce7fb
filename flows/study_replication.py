"""The replication folder of a study: panel, specification, expected numbers, and scripts for Stata and R."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from econometrics.replication import ModelSpec, model_specs
from econometrics.replication.r import r_script
from econometrics.replication.stata import stata_do_file
from econometrics.study.results import StudyResults
from flows.formats import check_codes, replacing, stata_names, write_csv, write_dta
from flows.study_files import plain_name, tidy_estimates
from shuzhi import UsageError, __version__


def refuse_doubled_index(results: StudyResults) -> None:
    """Raise an error if rows of the sample cannot be told apart.

    Raises
    ------
    UsageError
        If two rows have the same index, so that the rows of a model cannot be found again.
    """
    if not results.data.index.is_unique:
        raise UsageError(f"study {results.spec.study}: rows of the sample share an index; reset it before the study")


def write_replication(results: StudyResults, folder: Path) -> list[Path]:
    """Write what others need to repeat the models elsewhere: panel, scripts, specification, expected numbers."""
    panel, specs, left_out = replication_models(results)
    keys = results.spec.panel
    written = [*_write_panel(results, panel, folder), _write_estimates(results, folder)]
    texts = {"spec.yml": str(results.spec.text), "README.md": _readme(results, specs, left_out)}
    if specs:
        names = stata_names([str(name) for name in panel.columns])
        title = str(results.spec.title.get("en", "") or results.spec.study)
        texts["models.do"] = stata_do_file(
            specs, data="panel.dta", names=names, firm=str(keys.firm), year=str(keys.year), title=title
        )
        texts["models.R"] = r_script(specs, data="panel.csv", names=names, title=title)
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
        written.append(folder / name)
    return sorted(written)


def replication_models(results: StudyResults) -> tuple[pd.DataFrame, tuple[ModelSpec, ...], dict[str, str]]:
    """Return the panel with a column for the rows of each model, the models, and those that cannot be repeated.

    Parameters
    ----------
    results : StudyResults
        The study.

    Returns
    -------
    panel : DataFrame
        The sample; truth values and codes that were numbers are made what other programs read.
    specs : tuple of ModelSpec
        One a model.
    left_out : dict of str to str
        Why the others are not among them.
    """
    panel = _portable(results.data)
    kept, samples, left_out = [], [], {}
    for name, model in results.models.items():
        column, rows = sample_column(results, name), results.data.index.isin(model.residuals.index)
        spec = model_specs([model])[0]
        missing = [each for each in spec.columns if each not in panel.columns]
        if missing:
            left_out[name] = f"not among the columns of the panel: {', '.join(missing)}"
            continue
        panel = panel.assign(**{column: rows.astype("int8")})
        kept.append((name, model))
        samples.append(column)
    if not kept:
        return panel, (), left_out
    titles = [results.spec.models[name].title.get("en", "") or name for name, _ in kept]
    return panel, model_specs([model for _, model in kept], samples=samples, titles=titles), left_out


def sample_column(results: StudyResults, name: str) -> str:
    """Return the column that is 1 in the rows of a model; no column of the sample has its name."""
    column = plain_name(f"sample_{name}")
    while column in results.data.columns:
        column += "_"
    return column


def _portable(data: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that CSV, Stata and R read alike: truth as 0 and 1, codes as text, dates as text."""
    columns = {}
    for name in data.columns:
        column = data[name]
        if pd.api.types.is_bool_dtype(column.dtype):
            column = column.astype("Int8")
        elif str(name).endswith("_code") and pd.api.types.is_numeric_dtype(column.dtype):
            whole = column.dropna().mod(1).eq(0).all()
            column = column.astype("Int64").astype("string") if whole else column.astype("string")
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            column = column.dt.strftime("%Y-%m-%d")
        columns[str(name)] = column.reset_index(drop=True)
    frame = pd.DataFrame(columns)
    check_codes(frame)
    return frame


def _write_estimates(results: StudyResults, folder: Path) -> Path:
    write_csv(tidy_estimates(results), folder / "estimates.csv")
    return folder / "estimates.csv"


def _write_panel(results: StudyResults, panel: pd.DataFrame, folder: Path) -> list[Path]:
    labels = {name: variable.label("en") for name, variable in results.variables.items()}
    labels |= {sample_column(results, name): f"1 in the rows of model {name}" for name in results.models}
    names = stata_names([str(name) for name in panel.columns])
    columns = pd.DataFrame(
        {
            "column": list(names),
            "stata_name": list(names.values()),
            "label_zh": [results.variables[name].label_zh if name in results.variables else "" for name in names],
            "label_en": [labels.get(name, "") for name in names],
        }
    )
    write_csv(panel, folder / "panel.csv")
    write_csv(columns, folder / "columns.csv")
    write_dta(panel, folder / "panel.dta", labels, f"{results.spec.study} (shuzhi {__version__}, {results.spec_hash})")
    return [folder / "panel.csv", folder / "columns.csv", folder / "panel.dta"]


def _readme(results: StudyResults, specs: tuple[ModelSpec, ...], left_out: Mapping[str, str]) -> str:
    lines = [
        f"# {results.spec.title.get('en') or results.spec.study}",
        "",
        f"Study `{results.spec.study}`, specification {results.spec_hash}, panel {results.data_hash}, "
        f"shuzhi {__version__}.",
        "",
        "| File | What it is |",
        "| --- | --- |",
        "| `spec.yml` | the specification as given |",
        f"| `panel.csv`, `panel.dta` | the sample, {len(results.data):,} rows; a column `sample_*` is 1 in the "
        "rows that its model used |",
        "| `columns.csv` | the names of the columns in Stata, and their labels |",
        "| `estimates.csv` | every estimate of the study, all digits |",
    ]
    if specs:
        lines += [
            "| `models.do` | Stata 14 or later, with reghdfe (and ivreghdfe, boottest) |",
            "| `models.R` | R with fixest |",
            "",
            "## How to run",
            "",
            "In this folder: `do models.do` in Stata, or `Rscript models.R`. Both estimate every model below, compare "
            "its coefficients and standard errors with those stored here, and print `same` for each, or by how much it "
            "differs.",
            "",
            "## What must come out",
            "",
            "| Model | Outcome | Term | Estimate | Standard error | N |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        by_name = {spec.name: spec for spec in specs}
        kept = [name for name in results.models if name not in left_out]
        for (own, spec), name in zip(by_name.items(), kept, strict=True):
            for term, (estimate, error) in spec.expected.items():
                rows = results.models[name].observations
                lines.append(
                    f"| {own} ({name}) | `{spec.outcome}` | `{term}` | {estimate:.10g} | {error:.10g} | {rows:,} |"
                )
    if left_out:
        lines += ["", "## Not repeated by the scripts", ""]
        lines += [f"- `{name}`: {' '.join(why.split())}" for name, why in left_out.items()]
    lines += [
        "",
        "A missing value is an empty cell in `panel.csv` and `.` in `panel.dta`; it is never zero. Text cells that a "
        "spreadsheet would run as a formula begin with an apostrophe in the CSV files.",
    ]
    return "\n".join(lines) + "\n"
