"""Declared indices in one pass over the hits, and how much the choices between them matter."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from prefect import flow
from prefect.artifacts import create_table_artifact
from pydantic import Field

from flows.dictionary_files import load_dictionaries
from flows.documents import load_documents, to_frame
from flows.formats import replacing, write_csv
from flows.measure import check_measured, key_in_force, measure_indices
from flows.quality_gate import read_panel
from flows.settings import MeasureParameters, PoolParameters, Years
from flows.store import Store
from flows.tables import SCHEMAS, SECTIONS
from nlp.dictionary import Dictionary
from nlp.index import FIRM_YEAR, why_missing
from nlp.index_grid import parse_grid
from nlp.index_spec import DEFAULT_DONE, SENTENCE_SHARE, IndexSpec, Kinds
from nlp.index_values import VALUE, IndexValues, compute_index, correlate
from nlp.options import Script, Segmenter
from nlp.reliability import reliability
from nlp.scope import LENGTHS, Scope, lengths_in_scope, parse_scope
from nlp.validity import Form, convergent, tidy
from shuzhi import StoreError, UsageError

# Columns of the hits that say what a hit is evidence of; a store measured before they existed has none of them.
STRICT_FLAGS = ("org_name", "false_sense", "negated", "person", "other_party")
GRID_FILES = ("grid.csv", "grid_specs.csv", "grid_weights.csv", "grid_correlations.csv", "grid_validity.csv", "grid.md")
FACTS = ("n", "missing", "mean", "sd", "zero_share", "trimmed", "winsorised", "share_of_variance")


class GridParameters(PoolParameters):
    """Compute all declared indices from the stored hits, and compare them."""

    store: str = Field(description="Folder or object-store URL of the store")
    grid: str = Field(description="File that declares the indices (YAML)")
    out: str = Field(description="Folder to write to")
    dictionary_folder: str = Field("", description="Folder with dictionaries of your own (YAML)")
    industries: str = Field("", description="Table with stock_code, industry (and report_year): CSV, Parquet or Stata")
    others: str = Field("", description="Table by stock_code and report_year of what the indices should go with")
    draws: int = Field(200, ge=0, le=10_000, description="Random halves of the terms for the reliability; 0 for none")
    seed: int = Field(1, description="Seed of these draws")
    script: Script = Field("as_printed", description="Match traditional characters as printed, or as simplified ones")
    segmenter: Segmenter = Field("rjieba", description="Who cuts tokens, for the rule 'token'")
    years: Years = Field([], description="Report years that enter, for example 2010-2019; empty takes all")


@dataclass(frozen=True)
class GridSummary:
    """What a grid holds: indices, firm-years, and the lowest rank correlation of two of them (NaN where none)."""

    indices: int
    firm_years: int
    lowest_spearman: float
    seconds: float


@flow(name="measure-grid")
def measure_grid(parameters: GridParameters) -> GridSummary:
    """Measure the word lists of a grid where that was not done, compute all its indices and compare them."""
    started = time.monotonic()
    specs = load_grid(parameters.grid)
    industries, others = load_industries(parameters.industries), load_others(parameters.others)
    for rule in dict.fromkeys(spec.rule for spec in specs):
        names = list(dict.fromkeys(spec.dictionary for spec in specs if spec.rule == rule))
        measure_indices(
            MeasureParameters(
                **{name: getattr(parameters, name) for name in PoolParameters.model_fields},
                store=parameters.store,
                dictionaries=names,
                dictionary_folder=parameters.dictionary_folder,
                rule=rule,
                script=parameters.script,
                segmenter=parameters.segmenter,
                years=parameters.years,
            )
        )
    found = compute_grid(Store(parameters.store), specs, parameters, industries)
    correlations = correlate(pd.DataFrame({each.spec.name: each.values[VALUE] for each in found}))
    validity = validity_table(found, others, parameters.draws, parameters.seed)
    write_grid(Path(parameters.out), found, correlations, validity)
    publish(found)
    return GridSummary(
        indices=len(found),
        firm_years=len(found[0].values),
        lowest_spearman=float(correlations["spearman"].min()),
        seconds=time.monotonic() - started,
    )


def load_grid(path: str) -> list[IndexSpec]:
    """Read the file that declares the indices."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{path}: cannot be read ({words}); name a grid of indices in YAML and UTF-8") from None
    return parse_grid(text, Path(path).name)


def load_industries(path: str) -> pd.DataFrame | None:
    """Read the industry of each firm, or of each firm-year; None where no file is named."""
    if not path:
        return None
    table = read_panel(path)
    keys = [name for name in FIRM_YEAR if name in table.columns]
    if "stock_code" not in keys or "industry" not in table.columns:
        raise UsageError(f"{path}: needs the columns stock_code and industry, and report_year where it changes")
    table = table[[*keys, "industry"]].drop_duplicates()
    twice = table[table.duplicated(keys)]
    if len(twice):
        raise UsageError(f"{path}: {twice['stock_code'].iloc[0]} has two industries at once; keep one a firm-year")
    return table


def load_others(path: str) -> pd.DataFrame | None:
    """Read what the indices are compared with, one row a firm-year; None where no file is named."""
    if not path:
        return None
    table = read_panel(path)
    missing = [name for name in FIRM_YEAR if name not in table.columns]
    numbers = [name for name in table.columns if name not in FIRM_YEAR and pd.api.types.is_numeric_dtype(table[name])]
    if missing or not numbers:
        raise UsageError(f"{path}: needs the columns stock_code, report_year and at least one of numbers")
    twice = table[table.duplicated(FIRM_YEAR)]
    if len(twice):
        code, year = twice[FIRM_YEAR].iloc[0]
        raise UsageError(f"{path}: {code} {year} stands twice; keep one row a firm-year")
    return table[[*FIRM_YEAR, *numbers]]


def compute_grid(
    store: Store, specs: Sequence[IndexSpec], parameters: GridParameters, industries: pd.DataFrame | None
) -> list[IndexValues]:
    """Compute indices from one pass over the stored hits; all have the same rows, firms and years in order."""
    lists = {each.name: each for each in load_dictionaries([s.dictionary for s in specs], parameters.dictionary_folder)}
    check_in_force(store, specs, lists)
    documents = load_documents(store)
    used = documents[documents["is_used"]].sort_values(FIRM_YEAR, ignore_index=True)
    if parameters.years:
        used = used[used["report_year"].isin(parameters.years)].reset_index(drop=True)
    if used.empty:
        raise StoreError(f"store {store.url} has no report of these years; 'shuzhi status' shows what it holds")
    reading = store.current("reading") or {}
    counted_parts = store.parts("readings", str(reading["key"]))
    sections = to_frame(store.read_table("sections", str(reading["text_key"]), SECTIONS, counted_parts))
    cells = {cell_of(spec): place for place, spec in enumerate({cell_of(spec): spec for spec in specs}.values())}
    counted = count_cells(store, specs, cells)
    by_list = {(str(name), str(rule)): rows for (name, rule), rows in counted.groupby(["dictionary", "rule"])}
    scopes = dict.fromkeys(spec.scope for spec in specs)
    in_scope = {scope: firm_years_in(used, sections, parse_scope(scope), industries) for scope in scopes}
    matrices: dict[tuple[str, str, int], pd.DataFrame] = {}
    found = []
    for spec in specs:
        place, firm_years, dictionary = cells[cell_of(spec)], in_scope[spec.scope], lists[spec.dictionary]
        own = by_list.get((spec.dictionary, spec.rule), counted.iloc[:0])
        key = (spec.dictionary, spec.rule, place)
        if key not in matrices:
            matrices[key] = count_matrix(own, place, dictionary, firm_years)
        found.append(compute_one(spec, dictionary, matrices[key], own, place, firm_years))
    return found


def cell_of(spec: IndexSpec) -> tuple[str, Kinds, float]:
    """Return which hits an index counts, of those of its list and rule."""
    return spec.scope, spec.kinds, spec.done_threshold


def check_in_force(store: Store, specs: Sequence[IndexSpec], lists: Mapping[str, Dictionary]) -> None:
    """Refuse to compute from hits that do not cover the pages or the word list as they are."""
    pages_key = key_in_force(store)
    in_force = {(each["dictionary"], each["rule"]): each for each in store.current_measurements()}
    for name, rule in dict.fromkeys((spec.dictionary, spec.rule) for spec in specs):
        found = in_force.get((name, rule))
        if found is None or found["dictionary_hash"] != lists[name].content_hash or found["pages_key"] != pages_key:
            raise StoreError(
                f"store {store.url} has no up-to-date hits of {name} by the rule {rule};"
                f" run 'shuzhi measure --dictionary {name} --rule {rule}'"
            )
        check_measured(store, pages_key, str(found["key"]))


def scope_sql(scope: Scope) -> str:
    """Return the condition on a hit to lie in a scope."""
    if scope.mode == "report":
        return "TRUE"
    if scope.mode == "body":
        return "furniture = ''"
    kinds = "[" + ", ".join(f"'{kind}'" for kind in scope.kinds) + "]"
    within = f"(list_contains({kinds}, section) OR list_contains({kinds}, subsection))"
    return f"(furniture = '' AND {'NOT ' if scope.mode == 'without' else ''}{within})"


def kinds_sql(kinds: Kinds, done_threshold: float, columns: Sequence[str]) -> str:
    """Return the condition on a hit to be kept, the same as of :func:`nlp.context.keep`.

    Parameters
    ----------
    kinds : {'raw', 'published', 'strict'}
        What the index keeps.
    done_threshold : float
        Under ``strict``, the least probability that the filer did it; 0 takes the classifier's own threshold.
    columns : sequence of str
        Columns of the hits in the store.

    Raises
    ------
    UsageError
        If the hits do not say what kind they are of.
    """
    if kinds == "raw":
        return "TRUE"
    kept = "is_published" if kinds == "published" else "is_strict"
    if kept not in columns:
        raise UsageError(
            f"kinds: {kinds} needs {kept}, which the hits of this store do not have; run 'shuzhi measure' with this"
            " version, or take kinds: raw"
        )
    if kinds == "published" or done_threshold == DEFAULT_DONE:
        return kept
    flags = " AND ".join(f"NOT {name}" for name in STRICT_FLAGS)
    return f"(own_done >= {done_threshold!r} AND furniture = '' AND {flags})"


def count_cells(
    store: Store, specs: Sequence[IndexSpec], cells: Mapping[tuple[str, Kinds, float], int]
) -> pd.DataFrame:
    """Count the hits of every list, rule, term, scope and kind at once.

    Returns
    -------
    DataFrame
        One row a document, dictionary, rule and term, and one a dimension and one in all (``level`` term, dimension,
        total); ``hits_<cell>``, and ``sentences_<cell>`` (with a hit) where an index needs them.
    """
    columns = list(store.query(SCHEMAS, "SELECT * FROM hits LIMIT 0").columns)
    conditions = {
        place: f"{scope_sql(parse_scope(scope))} AND {kinds_sql(kinds, threshold, columns)}"
        for (scope, kinds, threshold), place in cells.items()
    }
    numbers = [f"count(*) FILTER (WHERE {where}) AS hits_{place}" for place, where in conditions.items()]
    with_sentences = {cells[cell_of(s)] for s in specs if any(step.name == SENTENCE_SHARE for step in s.transform)}
    numbers += [
        f"count(DISTINCT sentence_number) FILTER (WHERE {conditions[place]}) AS sentences_{place}"
        for place in sorted(with_sentences)
    ]
    if any(kinds != "raw" for _, kinds, _ in cells):
        numbers.append("count(*) FILTER (WHERE is_published IS NULL OR is_strict IS NULL) AS unknown")
    query = f"""
        SELECT document_id, dictionary, rule, dimension, term,
            CASE WHEN grouping(term) = 0 THEN 'term' WHEN grouping(dimension) = 0 THEN 'dimension' ELSE 'total' END
                AS level,
            {", ".join(numbers)}
        FROM hits WHERE list_contains($measured, dictionary || ' ' || rule)
        GROUP BY GROUPING SETS ((document_id, dictionary, rule, dimension, term),
            (document_id, dictionary, rule, dimension), (document_id, dictionary, rule))
        ORDER BY ALL
    """
    measured = sorted({f"{spec.dictionary} {spec.rule}" for spec in specs})
    counted = store.query(SCHEMAS, query, {"measured": measured})
    unknown = int(counted.loc[counted["level"] == "total", "unknown"].sum()) if "unknown" in counted else 0
    if unknown:
        raise StoreError(f"{unknown} hits of store {store.url} say not what kind they are of; run 'shuzhi measure'")
    return counted


def firm_years_in(
    used: pd.DataFrame, sections: pd.DataFrame, scope: Scope, industries: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the firm-years with their lengths in a scope, why one gives no index, and the industry if known."""
    found = used.drop(columns=list(LENGTHS)).join(lengths_in_scope(used, sections, scope))
    found["reason"] = why_missing(found, scope)
    found["is_readable"] = (found["status"] == "ok") & (found["chinese_characters"].fillna(0) > 0)
    if industries is not None:
        keys = [name for name in FIRM_YEAR if name in industries.columns]
        known = industries.astype({"report_year": "Int64"}) if "report_year" in keys else industries
        found = found.merge(known, on=keys, how="left", validate="many_to_one")
    return found


def count_matrix(counted: pd.DataFrame, place: int, dictionary: Dictionary, firm_years: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of a cell by firm-year and term; a readable report without a row has no hits."""
    by_term = counted[counted["level"] == "term"].pivot(index="document_id", columns="term", values=f"hits_{place}")
    terms = by_term.reindex(index=firm_years["document_id"], columns=list(dictionary.terms)).fillna(0).astype(float)
    terms.index = firm_years.index
    terms[~firm_years["is_readable"]] = np.nan
    return terms


def compute_one(
    spec: IndexSpec,
    dictionary: Dictionary,
    terms: pd.DataFrame,
    counted: pd.DataFrame,
    place: int,
    firm_years: pd.DataFrame,
) -> IndexValues:
    """Compute one index from its counts by term, and where it needs them, the sentences with a hit."""
    if f"sentences_{place}" in counted:
        level = "total" if spec.dimension == "total" else "dimension"
        is_own = (counted["level"] == level) & (counted["dimension"].eq(spec.dimension) | (level == "total"))
        with_hits = counted[is_own].set_index("document_id")[f"sentences_{place}"]
        with_hits = with_hits.reindex(firm_years["document_id"]).fillna(0)
        firm_years = firm_years.assign(sentences_with_hits=with_hits.to_numpy())
    computed = compute_index(spec, terms, dictionary.dimension_of, firm_years)
    keys = firm_years[[*FIRM_YEAR, "company_name", "document_id"]].assign(dictionary_hash=dictionary.content_hash)
    return replace(computed, values=keys.join(computed.values))


def validity_table(found: Sequence[IndexValues], others: pd.DataFrame | None, draws: int, seed: int) -> pd.DataFrame:
    """Return the reliability of each index and its correlations with other word lists and with the user's columns."""
    rows = [tidy([])]
    halves: dict[tuple[object, ...], pd.DataFrame] = {}
    for each in found:
        spec, firms = each.spec, each.values["stock_code"]
        panel = each.values[FIRM_YEAR].assign(**{spec.name: each.values[VALUE]})
        if draws:
            form: Form = "log1p" if any(step.name == "log1p" for step in spec.transform) else "count"
            key = (spec.dictionary, spec.rule, spec.dimension, form, *cell_of(spec))
            if key not in halves:
                halves[key] = reliability(each.terms, firms, spec.name, draws=draws, seed=seed, form=form)
            rows.append(halves[key].assign(index=spec.name))
        lists = {one.spec.name: one.values[VALUE] for one in found if one.spec.dictionary != spec.dictionary}
        rows.append(convergent(panel.assign(**lists), spec.name, list(lists)))
        if others is not None:
            joined = panel.merge(others.astype({"report_year": "Int64"}), on=FIRM_YEAR, how="left")
            rows.append(convergent(joined, spec.name, [name for name in others.columns if name not in FIRM_YEAR]))
    return pd.concat([rows[0], *(each for each in rows if len(each))], ignore_index=True)


def write_grid(out: Path, found: Sequence[IndexValues], correlations: pd.DataFrame, validity: pd.DataFrame) -> None:
    """Write the values, the specifications, the weights, correlations, validity, and a page in words."""
    out.mkdir(parents=True, exist_ok=True)
    specs = specs_table(found)
    write_csv(long_table(found), out / "grid.csv")
    write_csv(specs, out / "grid_specs.csv")
    write_csv(correlations, out / "grid_correlations.csv")
    write_csv(validity, out / "grid_validity.csv")
    weights = [
        each.weights.rename("weight").rename_axis("column").reset_index().assign(index=each.spec.name)
        for each in found
        if len(each.weights)
    ]
    columns = ["index", "column", "weight"]
    write_csv(pd.concat(weights)[columns] if weights else pd.DataFrame(columns=columns), out / "grid_weights.csv")
    with replacing(out / "grid.md") as temporary:
        temporary.write_text("\n".join(grid_lines(specs, correlations)) + "\n", encoding="utf-8", newline="\n")


def long_table(found: Sequence[IndexValues]) -> pd.DataFrame:
    """Return the values of all indices, one row a firm-year and index."""
    parts = []
    for each in found:
        said = {key: value for key, value in each.spec.describe().items() if key != "name"}
        parts.append(each.values.assign(index=each.spec.name, **said))
    keys = ["stock_code", "company_name", "report_year", "index", "dictionary", "dictionary_hash", "rule", "scope"]
    keys += ["kinds", "dimension", "weighting", "transform", VALUE, "reason", "document_id"]
    return pd.concat(parts, ignore_index=True)[keys]


def specs_table(found: Sequence[IndexValues]) -> pd.DataFrame:
    """Return one row an index: every choice, and how its values spread."""
    rows = [{**each.spec.describe(), **{name: each.facts.get(name) for name in FACTS}} for each in found]
    table = pd.DataFrame(rows).rename(columns={"name": "index"})
    whole = ["n", "missing", "trimmed", "winsorised"]
    return table.astype({**dict.fromkeys(FACTS, "Float64"), **dict.fromkeys(whole, "Int64")})


def grid_lines(specs: pd.DataFrame, correlations: pd.DataFrame) -> list[str]:
    """Return a page that says what was computed and how far the choices matter."""
    lines = ["# Specification grid", "", f"{len(specs)} indices over the same firm-years.", ""]
    known = correlations.dropna(subset=["spearman"])
    for name, words in (("spearman", "Spearman"), ("pearson", "Pearson")) if len(known) else ():
        lowest = known.sort_values(name, kind="stable").iloc[0]
        lines.append(
            f"- {words} correlation of two indices: median {known[name].median():.3f}, lowest {lowest[name]:.3f}"
            f" ({lowest['index_a']} and {lowest['index_b']}, {int(lowest['n']):,} firm-years)."
        )
    if len(known) < len(correlations):
        lines.append(
            f"- {len(correlations) - len(known)} pairs share too few firm-years, or one of them never changes."
        )
    lines += ["", "| index | n | missing | mean | sd | zeros | trimmed | winsorised | median Spearman |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in specs.to_dict("records"):
        own = known[(known["index_a"] == row["index"]) | (known["index_b"] == row["index"])]["spearman"]
        cells = [row["n"], row["missing"], row["mean"], row["sd"], row["zero_share"], row["trimmed"], row["winsorised"]]
        lines.append(f"| {row['index']} | {' | '.join(_cell(value) for value in [*cells, own.median()])} |")
    return [*lines, "", "Every choice of each index is in grid_specs.csv, the values in grid.csv."]


def _cell(value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{round(value, 3) + 0.0:.3f}"


def publish(found: Sequence[IndexValues]) -> None:
    """Show in Prefect what was computed."""
    rows = [{"index": each.spec.name, "firm_years": int(each.facts["n"])} for each in found]
    create_table_artifact(
        key="measure-grid", table=rows, description="Indices of the grid, and firm-years with a value"
    )
