"""The folder of a study: all files, the same bytes each time, numbers that others get back, a page for a browser."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from browser import Browser, find_chromium

from econometrics.simulate import PanelDesign, simulate_panel
from econometrics.spec import parse_study_spec
from econometrics.study import run
from econometrics.study.results import StudyResults
from flows.study_files import replicate_frames, tidy_estimates
from flows.study_outputs import MANIFEST, TABLE_FORMATS, study_tables, write_study
from flows.study_replication import replication_models
from shuzhi import UsageError

ATTACK = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
FORMULA = "=HYPERLINK(1)"
SPEC = f"""
study: small
title: {{zh: "{ATTACK}", en: A small study}}
panel: {{firm: stock_code, year: report_year}}
variables:
  cluster: {{formula: "where(is_cluster, 1, 0)", label_zh: 产业集聚, label_en: Cluster}}
  carbon_intensity_log: {{label_zh: "碳强度 {ATTACK}", label_en: Carbon intensity}}
  digital_log1p: {{label_zh: 数字化, label_en: Digital index}}
sample:
  - {{keep: leverage < 0.9, because: insolvent firms differ}}
defaults: {{controls: [size], fixed_effects: [stock_code, report_year], cluster: [stock_code], seed: 5, draws: 100}}
descriptive: {{}}
models:
  base: {{outcome: carbon_intensity_log, regressors: cluster}}
  later: {{based_on: base, where: report_year > 2012}}
  two_stage:
    {{based_on: base, regressors: [digital_log1p], endogenous: [digital_log1p], instruments: [cluster]}}
  nothing: {{based_on: base, outcome: constant}}
mediation:
  digital: {{model: base, mediators: [digital_log1p]}}
heterogeneity:
  owner: {{model: base, by: owner, mediation: digital}}
"""


@pytest.fixture(scope="module")
def results() -> StudyResults:
    """A small study whose labels hold a script and one of whose groups is a formula."""
    data = simulate_panel(PanelDesign(firms=100, years=tuple(range(2010, 2017))), seed=3)
    owner = np.where(data["is_state_owned"], FORMULA, "private")
    return run(parse_study_spec(SPEC, "small.yml"), data.assign(owner=owner, constant=1.0))


@pytest.fixture(scope="module")
def folder(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the study leaves."""
    out = tmp_path_factory.mktemp("study") / "out"
    write_study(results, out)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_table_stands_in_every_format_and_every_figure_in_two(results, folder):
    names = set(contents(folder))
    tables = [plan.name for plan in results.tables]
    assert {"descriptive", "models", "mediation", "heterogeneity"} <= set(tables)
    assert {f"tables/{name}.{kind}" for name in tables for kind in TABLE_FORMATS} <= names
    assert {"tables/tables.docx", "tables/tables.xlsx", "tables/tables.tex"} <= names
    figures = {name for name in names if name.startswith("figures/")}
    assert {"figures/paths_digital.svg", "figures/paths_digital.png", "figures/trend_digital_log1p.svg"} <= figures
    assert {name[:-4] for name in figures if name.endswith(".svg")} == {
        name[:-4] for name in figures if name.endswith(".png")
    }
    assert {"report.html", "estimates.csv", "estimates.parquet", "codebook.csv", MANIFEST} <= names
    replication = {"panel.csv", "panel.dta", "columns.csv", "models.do", "models.R", "README.md", "spec.yml"}
    assert {f"replication/{name}" for name in replication} <= names
    assert not [name for name in names if name.endswith(".tmp")]


def test_the_same_results_give_the_same_bytes(results, folder, tmp_path):
    written = write_study(replace(results, seconds={"models/base": 12.5}), tmp_path / "again")
    again = contents(tmp_path / "again")
    assert again == contents(folder)
    assert sorted(again) == sorted(path.relative_to(tmp_path / "again").as_posix() for path in written)
    manifest = json.loads(again[MANIFEST])
    assert set(manifest["files"]) == set(again) - {MANIFEST}
    assert manifest["failures"][0]["name"] == "nothing" and manifest["spec_hash"] == results.spec_hash


def test_archives_hold_no_clock(folder):
    for name, content in contents(folder).items():
        if name.endswith((".docx", ".xlsx")):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert {each.date_time[0] for each in archive.infolist()} <= {1980, 2000}, name


def test_an_older_study_leaves_nothing_behind_and_other_files_stay(results, tmp_path):
    out = tmp_path / "out"
    write_study(results, out)
    (out / "tables" / "mine.docx").write_bytes(b"mine")
    (out / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("stays", encoding="utf-8")
    content = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    content["files"]["../outside.txt"] = "0"
    (out / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    write_study(replace(results, mediations={}, tables=(), indirect_groups={}), out)
    names = set(contents(out))
    assert "tables/mine.docx" in names and (tmp_path / "outside.txt").is_file()
    assert not {name for name in names if "mediation" in name or "paths_digital" in name}
    # It was the run.json of the study before.
    assert "run.json" not in names


def test_estimates_are_those_of_the_results_and_missing_is_empty(results, folder):
    frame = pd.read_csv(folder / "estimates.csv", dtype={"group": "str"})
    row = frame[(frame["part"] == "models") & (frame["name"] == "base") & (frame["term"] == "cluster")].iloc[0]
    model = results.models["base"]
    assert row["estimate"] == model.coefficients["cluster"] and row["observations"] == model.observations
    assert row["clusters"] == f"stock_code: {model.clusters['stock_code']}"
    assert row["fixed_effects"] == "stock_code + report_year" and row["spec_hash"] == results.spec_hash
    indirect = frame[(frame["part"] == "mediations") & (frame["effect"] == "indirect")].iloc[0]
    assert indirect["estimate"] == results.mediations["digital"].indirect.estimate and indirect["seed"] == 5
    assert frame["study"].eq("small").all()
    text = (folder / "estimates.csv").read_text(encoding="utf-8-sig")
    assert "nan" not in text.lower().replace("nance", "") and "<na>" not in text.lower()
    assert pd.isna(row["seed"]) and pd.isna(row["adjusted_p_value"])
    pd.testing.assert_frame_equal(
        pd.read_parquet(folder / "estimates.parquet")[["estimate", "p_value"]],
        tidy_estimates(results)[["estimate", "p_value"]],
    )


def test_a_group_named_like_a_formula_is_text_everywhere(folder):
    table = (folder / "tables" / "heterogeneity.csv").read_text(encoding="utf-8-sig")
    estimates = (folder / "estimates.csv").read_text(encoding="utf-8-sig")
    panel = (folder / "replication" / "panel.csv").read_text(encoding="utf-8-sig")
    for text in (table, estimates, panel):
        cells = re.findall(r"(?:^|,|\")([^,\"\r\n]*HYPERLINK)", text)
        assert cells and all(cell.startswith("'=") for cell in cells)
    with zipfile.ZipFile(folder / "tables" / "tables.xlsx") as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) >= 4 and not any("<f>" in sheet for sheet in sheets)


def test_replicates_are_stored_with_their_seeds(results, folder):
    stored = pd.read_parquet(folder / "replicates" / "mediations_digital.parquet")
    assert list(stored["draw"]) == list(range(1, 101))
    np.testing.assert_array_equal(stored.iloc[:, 1:].to_numpy(), results.mediations["digital"].replicates.to_numpy())
    about = pq.read_schema(folder / "replicates" / "mediations_digital.parquet").metadata
    assert about[b"seed"] == b"5" and about[b"method"] == b"percentile"
    listing = pd.read_csv(folder / "replicates" / "replicates.csv")
    assert set(listing["file"]) == {path.name for path in (folder / "replicates").glob("*.parquet")}
    assert set(listing["seed"]) == {5} and set(listing["draws"]) == {100}
    groups = replicate_frames(results)["indirect_groups_owner"][0]
    mean = results.indirect_groups["owner"]
    place, column = mean.names.index("indirect"), mean.groups.index("private")
    np.testing.assert_array_equal(groups["indirect [private]"], mean.replicates[:, place, column])


def dummies(frame: pd.DataFrame, y: str, x: list[str]) -> np.ndarray:
    """Least squares with a dummy for every firm and year, by hand."""
    effects = [
        pd.get_dummies(frame[name].astype(str), dtype=float).to_numpy() for name in ("stock_code", "report_year")
    ]
    design = np.column_stack([frame[x].to_numpy(dtype=float), *effects])
    return np.linalg.lstsq(design, frame[y].to_numpy(dtype=float), rcond=None)[0][: len(x)]


@pytest.mark.parametrize("model", ["base", "later"])
def test_the_exported_panel_gives_the_main_table_back(results, folder, model):
    wanted = results.models[model]
    for panel in (
        pd.read_stata(folder / "replication" / "panel.dta"),
        pd.read_csv(folder / "replication" / "panel.csv", dtype={"stock_code": "str"}),
    ):
        rows = panel[panel[f"sample_{model}"] == 1]
        assert len(rows) == wanted.observations < len(panel) or model == "base"
        assert rows["stock_code"].str.len().eq(6).all()
        found = dummies(rows, "carbon_intensity_log", ["cluster", "size"])
        np.testing.assert_allclose(found, wanted.coefficients[["cluster", "size"]], rtol=1e-7)


def test_the_scripts_and_the_readme_say_what_must_come_out(results, folder):
    stata, r, readme = ((folder / "replication" / name).read_text() for name in ("models.do", "models.R", "README.md"))
    estimate = float(results.models["base"].coefficients["cluster"])
    assert repr(estimate) in stata and repr(estimate) in r and f"{estimate:.10g}" in readme
    assert "sample_later == 1" in stata and "sample_later" in r and "ivreghdfe" in stata
    assert (folder / "replication" / "spec.yml").read_text(encoding="utf-8") == SPEC
    columns = pd.read_csv(folder / "replication" / "columns.csv")
    assert {"column", "stata_name", "label_zh", "label_en"} == set(columns.columns)
    assert columns["stata_name"].str.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}").all()


def test_a_model_on_columns_that_are_not_exported_is_named_and_left_out(results):
    gone = replace(results, data=results.data.drop(columns="size"))
    _, specs, left_out = replication_models(gone)
    assert specs == () and set(left_out) == set(results.models)
    assert "size" in left_out["base"]


def test_rows_that_cannot_be_told_apart_are_refused(results, tmp_path):
    doubled = replace(results, data=results.data.set_axis([0] * len(results.data)))
    with pytest.raises(UsageError, match="share an index"):
        write_study(doubled, tmp_path / "out")


def test_the_codebook_describes_every_column(results, folder):
    codebook = pd.read_csv(folder / "codebook.csv")
    assert list(codebook["name"]) == list(results.data.columns)
    row = codebook.set_index("name").loc["cluster"]
    assert row["label_en"] == "Cluster" and row["observations"] == len(results.data)


def test_word_holds_every_table(results, folder):
    from docx import Document

    document = Document(str(folder / "tables" / "tables.docx"))
    assert len(document.tables) == len(study_tables(results, "zh")[0]) == len(results.tables) + 1


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium: install one (apt-get install chromium), or name it with SHUZHI_CHROMIUM")
    opened = Browser(program)
    yield opened
    opened.close()


def test_a_browser_shows_the_page_and_runs_nothing_of_the_data(results, folder, browser):
    browser.problems.clear()
    browser.open(folder / "report.html")
    assert browser.problems == []
    assert browser.run("window.hacked === undefined && document.images.length === 0")
    assert "window.hacked=1" in str(browser.run("document.querySelector('h1').textContent"))
    tables = int(browser.run("document.querySelectorAll('.paper-table table').length"))
    assert tables >= len(results.tables) + 1
    # Nothing is wider than the page, and every figure is drawn.
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
    sizes = browser.run(
        "Array.from(document.querySelectorAll('figure svg')).map(s => s.getBoundingClientRect().height)"
    )
    assert len(sizes) == 2 and min(sizes) > 100
    assert browser.run("document.querySelectorAll('details[open]').length") == 0
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('details:not([open])').length") == 0
    anchors = browser.run("Array.from(document.querySelectorAll('nav a')).every(a => document.querySelector(a.hash))")
    assert anchors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(folder, browser, scheme):
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(folder / "report.html")
    script = """(() => {
      const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const back = light(getComputedStyle(document.body).backgroundColor);
      return ['p', 'td', '.notes', 'li', 'small', 'nav a'].map(selector => {
        const own = light(getComputedStyle(document.querySelector(selector)).color);
        return (Math.max(own, back) + 0.05) / (Math.min(own, back) + 0.05); });
    })()"""
    contrasts = browser.run(script)
    browser.call("Emulation.setEmulatedMedia", features=[])
    # WCAG 2.2, level AA.
    assert min(contrasts) >= 4.5
