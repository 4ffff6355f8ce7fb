"""Studies from the command line and from Prefect: specification and panel in, a folder of results out."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from econometrics.simulate import PanelDesign, simulate_panel
from flows.cli import app
from flows.settings import StudyParameters
from flows.study import do_study, run_study
from flows.study_read import load_study, read_study_panel, study_file
from shuzhi import SpecError, UsageError

ROOT = Path(__file__).resolve().parents[2]
SPEC = """\
study: small
title: {zh: 小研究, en: A small study}
defaults: {controls: [size], fixed_effects: [stock_code, report_year], cluster: stock_code, seed: 1, draws: 100}
variables: {nothing: size - size}
models:
  good: {outcome: carbon_intensity_log, regressors: is_cluster, magnitude: sd}
mediation:
  channel: {model: good, mediators: digital_log1p}
tables:
  main: {kind: models, parts: [good], number: "1"}
"""
BROKEN = SPEC.replace("mediation:", "  constant: {outcome: carbon_intensity_log, regressors: nothing}\nmediation:")


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    return simulate_panel(PanelDesign(firms=60, years=(2015, 2016, 2017, 2018), places=10, industries=4), seed=2)


@pytest.fixture
def files(tmp_path: Path, panel: pd.DataFrame) -> Path:
    panel.to_parquet(tmp_path / "panel.parquet")
    (tmp_path / "small.yml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "broken.yml").write_text(BROKEN, encoding="utf-8")
    return tmp_path


def parameters(folder: Path, spec: str = "small.yml", panel: str = "panel.parquet") -> StudyParameters:
    return StudyParameters(spec=str(folder / spec), panel=str(folder / panel), out=str(folder / "out"))


def test_a_study_leaves_report_tables_and_an_account_of_itself(files, panel):
    summary = do_study(parameters(files))
    assert summary.failed == summary.skipped == ()
    assert summary.results == {"models": 1, "mediations": 1}
    assert "小研究" in summary.text
    out = files / "out"
    assert (out / "report.html").stat().st_size > 10_000
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["spec"] == {"file": "small.yml", "hash": load_study(str(files / "small.yml")).content_hash}
    assert run["panel"]["rows"] == len(panel)
    assert run["panel"]["panel_file"] == "panel.parquet"
    assert set(run["files"]) <= {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {"shuzhi", "python", "numpy", "pandas", "diff-diff"} <= set(run["versions"])
    assert run["seconds"]["total"] > 0
    table = pd.read_csv(out / "tables" / "main.csv", encoding="utf-8-sig", header=None)
    assert table.astype(str).apply(lambda row: row.str.contains("is_cluster").any(), axis=1).any()


def test_the_same_study_writes_the_same_bytes_but_for_its_seconds(files):
    def written() -> dict[str, bytes]:
        do_study(parameters(files))
        found = {
            path.relative_to(files).as_posix(): path.read_bytes()
            for path in (files / "out").rglob("*")
            if path.is_file()
        }
        run = json.loads(found.pop("out/run.json"))
        del run["seconds"]
        return {**found, "run": json.dumps(run).encode()}

    first, second = written(), written()
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.parametrize("kind", ["csv", "dta", "xlsx"])
def test_a_panel_may_lie_in_every_format(files, panel, kind):
    place = files / f"panel.{kind}"
    plain = panel.assign(is_cluster=panel["is_cluster"].astype(int), is_state_owned=panel["is_state_owned"].astype(int))
    if kind == "csv":
        plain.to_csv(place, index=False)
    elif kind == "dta":
        short = {"co2_tonnes_per_million_yuan_revenue": "co2_by_revenue"}
        plain.drop(columns=["city", "province"]).rename(columns=short).to_stata(place, write_index=False)
    else:
        plain.to_excel(place, index=False)
    spec = load_study(str(files / "small.yml"))
    given = read_study_panel(spec, parameters(files, panel=place.name))
    data, source = given.data, given.source
    assert source["panel_file"] == place.name
    assert len(data) == len(panel)
    assert data["stock_code"].astype(str).str.len().eq(6).all()
    from econometrics.study import run

    found, expected = run(spec, data), run(spec, panel)
    assert found.models["good"].coefficients["is_cluster"] == pytest.approx(
        expected.models["good"].coefficients["is_cluster"]
    )


def test_the_command_says_what_failed_and_ends_with_1(files, shuzhi):
    done = shuzhi("study", "broken.yml", "--panel", "panel.parquet", "--out", "out", cwd=files)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("done 2 · failed 1;")
    assert done.stderr.count("Failed: broken.yml line 7: models constant: nothing cannot be estimated") == 1
    assert (files / "out" / "report.html").is_file()
    assert "Traceback" not in done.stdout + done.stderr


def test_a_specification_with_problems_ends_with_2_before_anything_is_written(files, shuzhi):
    (files / "bad.yml").write_text(
        SPEC.replace("is_cluster", "is_clustr").replace("[good]", "[best]"), encoding="utf-8"
    )
    done = shuzhi("study", "bad.yml", "--panel", "panel.parquet", "--out", "out", cwd=files)
    assert done.returncode == 2
    assert "line 10   tables.main.parts: there is no name under models 'best'. There are: good." in done.stderr
    assert not (files / "out").exists()


def test_checking_names_every_column_that_is_unknown(files, panel):
    (files / "bad.yml").write_text(SPEC.replace("is_cluster", "is_clustr"), encoding="utf-8")
    run = CliRunner().invoke(app, ["study", str(files / "bad.yml"), "--panel", str(files / "panel.parquet"), "--check"])
    assert isinstance(run.exception, SpecError)
    assert "line 6    models.good.regressors: there is no column 'is_clustr'. Did you mean 'is_cluster'?" in str(
        run.exception
    )
    good = CliRunner().invoke(
        app, ["study", str(files / "small.yml"), "--panel", str(files / "panel.parquet"), "--check"]
    )
    assert good.exit_code == 0
    assert f"small.yml: models 1, mediation 1, tables 1; {len(panel)} rows; no problem found" in good.output
    plain = CliRunner().invoke(app, ["study", "liu2024", "--check"])
    assert "liu2024.yml: models 11" in plain.output
    out = CliRunner().invoke(app, ["study", "liu2024"])
    assert isinstance(out.exception, UsageError)


def test_a_study_that_is_not_there_names_those_that_are(files):
    with pytest.raises(UsageError, match="no study that comes with shuzhi; these are city, demo, finglm, liu2024"):
        study_file("liu2025")
    with pytest.raises(UsageError, match="names no panel; name one with --panel FILE"):
        read_study_panel(load_study(str(files / "small.yml")), StudyParameters(spec=str(files / "small.yml"), out="x"))


def test_a_panel_is_built_from_its_own_specification(tmp_path, panel):
    panel.to_csv(tmp_path / "firms.csv", index=False)
    columns = (
        "stock_code: , report_year: , carbon_intensity_log: , size: , digital_log1p: , is_cluster: {kind: boolean}"
    )
    (tmp_path / "panel.yml").write_text(
        f"panel: firms\nsources: {{firms: {{path: firms.csv, columns: {{{columns}}}}}}}\nstart: firms\n",
        encoding="utf-8",
    )
    (tmp_path / "small.yml").write_text(SPEC.replace("title:", "panel: panel.yml\ntitle:"), encoding="utf-8")
    spec = load_study(str(tmp_path / "small.yml"))
    given = read_study_panel(spec, StudyParameters(spec=str(tmp_path / "small.yml"), out="x"))
    data, source = given.data, given.source
    assert len(data) == len(panel)
    assert source["panel_spec"] == "panel.yml"
    other = SPEC.replace("title:", "panel: {spec: panel.yml, firm: size}\ntitle:")
    (tmp_path / "other.yml").write_text(other, encoding="utf-8")
    with pytest.raises(SpecError, match="firm: stock_code, year: report_year"):
        read_study_panel(
            load_study(str(tmp_path / "other.yml")), StudyParameters(spec=str(tmp_path / "other.yml"), out="x")
        )


def test_prefect_runs_a_study(files, prefect):
    summary = run_study(parameters(files, spec="broken.yml"))
    assert summary.results == {"models": 1, "mediations": 1}
    assert len(summary.failed) == 1


def test_the_deployment_has_parameters_that_the_flow_takes():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    deployment = next(each for each in deployments if each["name"] == "study")
    assert deployment["entrypoint"] == "flows/study.py:run_study"
    given = StudyParameters(**deployment["parameters"]["parameters"])
    assert study_file(given.spec).is_file()


def real(name: str, shared: Path, out: Path) -> StudyParameters:
    reference = shared / "reference"
    if not (reference / "panels").is_dir():
        pytest.skip("the shared test data hold no panels")
    return StudyParameters(spec=name, data=str(reference), out=str(out))


def test_the_pilots_of_real_cities_by_every_estimator(shared, tmp_path):
    """The effect is small and uncertain, whoever estimates it, and the two-way estimate is that of the regression."""
    from econometrics.study import run

    given = real("city", shared, tmp_path)
    spec = load_study("city")
    quick = spec.text.replace("draws: 1000", "draws: 100")
    from econometrics.spec import parse_study_spec

    panel = read_study_panel(spec, given)
    found = run(parse_study_spec(quick, "city.yml"), panel.data, variables=panel.variables, notes=panel.notes)
    assert found.failures == ()
    overall = found.staggered["intensity"].to_frame().query("aggregation == 'overall'").set_index("estimator")
    assert len(overall) == 6
    assert overall["estimate"].between(0.0, 0.06).all()
    assert ((overall["interval_low"] < 0) & (overall["interval_high"] > 0)).all()
    plain = found.models["plain"]
    assert plain.observations == found.data["co2_intensity_log_w"].notna().sum()
    assert overall["estimate"]["static_two_way"] == pytest.approx(plain.coefficients["pilot"], abs=0.005)
    assert found.data["year"].max() == 2019


def test_apportioned_emissions_vary_with_cost_by_revenue_alone(shared, tmp_path):
    """Within a sector and year the regression on ln(cost by revenue) has the coefficient 1 and leaves nothing."""
    from econometrics.spec import parse_study_spec
    from econometrics.study import run

    given = real("finglm", shared, tmp_path)
    spec = load_study("finglm")
    panel = read_study_panel(spec, given)
    quick = parse_study_spec(spec.text.replace("draws: 1000", "draws: 100"), "finglm.yml")
    found = run(quick, panel.data, variables=panel.variables, notes=panel.notes)
    assert found.failures == ()
    assert found.models["trap"].coefficients["cost_log_share"] == pytest.approx(1, abs=1e-9)
    assert found.models["trap"].within_r2 == pytest.approx(1, abs=1e-9)
    assert found.models["research"].observations > 9000
