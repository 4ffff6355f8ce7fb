"""The worked example of docs/panels.md, from messy files to files: each number against a second computation."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from econometrics.declarations.functions import FUNCTIONS
from econometrics.declarations.yaml_lines import _flat
from econometrics.panel import Panel
from econometrics.panel.source_spec import SpecModel
from econometrics.panel.spec import STEPS
from econometrics.panel.steps.result import notes_from_records
from econometrics.panel.steps.specs import EMISSION_STEPS
from econometrics.reference import load_reference
from econometrics.simulate.sources import OF_2002, simulate_sources
from flows.clusters import CLUSTER_FILES, make_clusters, parse_cluster_spec
from flows.panel import PANEL_FILES, load_panel, load_spec, make_panel, write_panel
from flows.panel_read import read_panel_file
from shuzhi import SpecError, UsageError

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "econometrics" / "studies" / "panel_simulated.yml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Write the simulated files as they come: GB18030 and UTF-8, a file a year."""
    found = tmp_path_factory.mktemp("simulated")
    for name, frame in simulate_sources(7, firms=120, plants=4_500).items():
        encoding = "gb18030" if name in ("firms", "plants_2005") else "utf-8-sig"
        frame.to_csv(found / f"{name}.csv", index=False, encoding=encoding)
    return found


@pytest.fixture(scope="module")
def panel(folder) -> Panel:
    return load_panel(str(SPEC), str(folder))


@pytest.fixture(scope="module")
def out(folder, panel) -> Path:
    write_panel(panel, folder / "out")
    return folder / "out"


def read(folder: Path, name: str) -> pd.DataFrame:
    encoding = "gb18030" if name in ("firms", "plants_2005") else "utf-8-sig"
    return pd.read_csv(folder / f"{name}.csv", encoding=encoding, dtype=str)


def test_clusters_against_sums_by_hand(panel, folder):
    plants = pd.concat([read(folder, f"plants_{year}") for year in (2004, 2005, 2006)])
    unmapped = panel.unmatched.loc[panel.unmatched["column"] == "microdata: place", "given"]
    plants = plants[~(plants["省地县码"] + " " + plants["年份"]).isin(set(unmapped))]
    # The codes of 2002 back to those of 2011; a prefecture is the first four digits, a municipality the first two.
    of_2011 = {f"{old}10": f"{new}" for new, old in OF_2002.items()}
    plants["division"] = plants["行业代码"].map(of_2011).fillna(plants["行业代码"].str[:2])
    digits = plants["省地县码"].str[:2].isin(["11", "12", "31", "50"]).map({True: 2, False: 4})
    plants["prefecture"] = [code[:cut].ljust(6, "0") for code, cut in zip(plants["省地县码"], digits, strict=True)]
    plants["workers"] = plants["从业人员年平均人数"].astype(float)
    # Rubber and plastics, and vehicles, are units of several industries.
    rows = panel.data[(panel.data["cluster_match"] == "matched") & ~panel.data["industry_code"].isin(["C29", "C36"])]
    equal = 0
    for row in rows.itertuples():
        year = plants[plants["年份"] == str(row.report_year - 10)]
        here = year[year["prefecture"] == row.prefecture_code]
        industry = year[year["division"] == row.industry_code[1:]]
        own = here[here["division"] == row.industry_code[1:]]
        quotient = (own["workers"].sum() / here["workers"].sum()) / (industry["workers"].sum() / year["workers"].sum())
        if row.cluster_strength == pytest.approx(quotient):
            equal += 1
            assert row.is_cluster == float(quotient >= 1.25 and len(own) >= 3)
    assert equal == len(rows) > 50


def test_apportioned_emissions_by_hand(panel, folder):
    table = read(folder, "industries").set_index(["行业代码", "年份"]).astype(float)
    firms = read(folder, "firms")
    cost = {
        (code.zfill(6), int(day[:4])): float(amount) * 1e4
        for code, day, amount in firms[["证券代码", "统计截止日期", "营业成本(万元)"]].itertuples(index=False)
    }
    for row in panel.data.iloc[::23].itertuples():
        members = ["36", "37"] if row.industry_code == "C36" else [row.industry_code[1:]]
        rows = table.loc[[(member, str(row.report_year)) for member in members]].sum()
        share = cost[row.stock_code, row.report_year] / (rows["营业成本(亿元)"] * 1e8)
        expected = share * rows["能源消费总量(万吨标准煤)"] * 1e4 * 0.68 * 44 / 12
        assert row.co2_tonnes == pytest.approx(expected)
    frame = panel.tables["industry_years"]
    assert frame[frame["is_above_industry"]][["division", "report_year"]].to_numpy().tolist() == [["13", 2014]]


def test_the_trap_travels_with_the_panel(panel, out):
    note = next(note for note in panel.notes if note.kind == "decomposition")
    assert "all of the rest" in note.en and "全部由企业的成本收入比" in note.zh
    _, _, facts = read_panel_file(str(out))
    assert note in notes_from_records(facts["notes"])
    assert note.zh in (out / "panel.txt").read_text(encoding="utf-8")
    assert note.zh in (out / "steps" / "decomposition.txt").read_text(encoding="utf-8")
    table = pd.read_csv(out / "steps" / "decomposition.csv", encoding="utf-8-sig")
    assert table["r2"].iloc[4] == pytest.approx(1.0, abs=1e-8)
    # By hand: within industry-years the log of the intensity is the log of the cost ratio, one for one.
    full = load_without_winsorising(panel)
    left, right = (
        values - values.groupby([full["industry_code"], full["report_year"]]).transform("mean")
        for values in (full["y"], full["x"])
    )
    np.testing.assert_allclose(left, right, atol=1e-9)


def load_without_winsorising(panel: Panel) -> pd.DataFrame:
    data = panel.data
    return pd.DataFrame(
        {
            "industry_code": data["industry_code"],
            "report_year": data["report_year"],
            "y": np.log(data["co2_tonnes_per_million_yuan_revenue"]),
            "x": np.log(data["operating_cost"] / data["revenue"]),
        }
    )


def test_policy_vendor_attention_and_instrument_by_hand(panel, folder):
    data = panel.data
    pilots = load_reference("low_carbon_pilots_by_city").data.set_index("code")["year_first"]
    first = data["prefecture_code"].map(pilots).astype(float)
    pd.testing.assert_series_equal(data["low_carbon_first_year"], first, check_names=False)
    vendor = read(folder, "vendor")
    total = {
        (code.zfill(6), int(year)): float(amount) for code, year, amount in vendor.itertuples(index=False, name=None)
    }
    expected = [
        total.get(key, np.nan) for key in data[["stock_code", "report_year"]].itertuples(index=False, name=None)
    ]
    np.testing.assert_allclose(data["vendor_co2_tonnes"], expected)
    reports = read(folder, "work_reports")
    share = {(city, int(year)): float(value) for city, year, value in reports.itertuples(index=False, name=None)}
    expected = [share.get(key, np.nan) for key in data[["city", "report_year"]].itertuples(index=False, name=None)]
    np.testing.assert_allclose(data["government_attention"], expected)
    # The mean of the others is over the firms of the panel before any was left out.
    firms = read(folder, "firms").assign(year=lambda frame: frame["统计截止日期"].str[:4].astype(int))
    firms["value"] = np.log1p(firms["数字化词频"].astype(float))
    row = data.iloc[17]
    others = firms[(firms["行业代码"] == row["industry_code"]) & (firms["year"] == row["report_year"])]
    others = others[others["证券代码"].str.zfill(6) != row["stock_code"]]
    assert row["digital_others"] == pytest.approx(others["value"].mean())


def test_every_row_and_cell_is_accounted_for(panel, folder):
    flow = panel.sample_flow()
    assert flow["rows_left"].iloc[0] == len(read(folder, "firms"))
    assert flow["rows_left"].iloc[0] - flow["rows_removed"].sum() == len(panel.data)
    plants = panel.flow[panel.flow["table"].str.startswith("clusters")]
    assert plants["rows_left"].iloc[0] == 13_500
    assert "某某市" in panel.unmatched["given"].tolist()
    computed = panel.definitions.set_index("variable")
    assert set(computed.index) >= {"is_cluster", "co2_tonnes", "vendor_co2_tonnes", "is_low_carbon", "size_group"}


def test_labels_units_sources_and_formulas_in_both_languages(out):
    codebook = pd.read_csv(out / "codebook.csv", encoding="utf-8-sig", keep_default_na=False).set_index("name")
    assert (codebook["label_zh"] != "").all() and (codebook["label_en"] != "").all()
    assert codebook.loc["vendor_co2_tonnes", ["label_zh", "unit", "source"]].tolist() == [
        "二氧化碳排放量（数据商）",
        "t CO2",
        "simulated vendor",
    ]
    formula = codebook.loc["vendor_ln_co2_tonnes_per_million_yuan_revenue", "formula"]
    assert formula == "ln(vendor_co2_tonnes_per_million_yuan_revenue)"
    with pd.read_stata(out / "panel.dta", iterator=True) as reader:
        labels = reader.variable_labels()
    assert labels["is_cluster"] == "是否处于产业集群（滞后10年） (0/1)"


def test_the_files_of_the_steps_and_the_same_bytes_again(folder, out):
    first = {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    names = {str(path) for path in first}
    assert names >= {*PANEL_FILES, "steps/clusters.parquet", "steps/clusters.csv", "steps/decomposition.txt"}
    (out / "steps" / "of_an_earlier_run.csv").write_text("x")
    make_panel(str(SPEC), str(out), str(folder))
    again = {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    assert set(again) == set(first)
    for name, content in first.items():
        assert hashlib.sha256(content).digest() == hashlib.sha256(again[name]).digest(), name
    facts = json.loads(pq.read_schema(out / "steps" / "clusters.parquet").metadata[b"shuzhi_clusters"])
    assert facts["method"] == "location_quotient" and facts["parameters"]["quotient"] == "1.25"


def test_the_map_of_an_earlier_run_is_a_table_that_is_ready(out, folder, panel, tmp_path):
    text = SPEC.read_text(encoding="utf-8")
    old = text[text.index("  - clusters: [") : text.index("  # Emissions: by cost")]
    new = """\
  - clusters: map
    method: given
    place_level: prefecture
    attach:
      place: prefecture_code
      industry: industry_code
      lag: 10
      cluster_places: 2010
      firm_scheme: listed
      cluster_scheme: gbt4754_2011

"""
    text = text.replace(old, new).replace("start: firms", "  map: {path: out/steps/clusters.csv}\nstart: firms")
    text = re.sub(r"  plants_\d+: \{.*\n", "", text)
    (tmp_path / "panel.yml").write_text(text, encoding="utf-8")
    again = load_panel(str(tmp_path / "panel.yml"), str(folder))
    for name in ("is_cluster", "cluster_size", "cluster_strength"):
        pd.testing.assert_series_equal(again.data[name], panel.data[name])


def test_attention_from_an_export_of_shuzhi(folder, tmp_path):
    """A run over work reports whose codes are those of the cities."""
    frame = pd.DataFrame(
        {
            "stock_code": ["130100", "130100", "140100"],
            "report_year": pd.array([2014, 2015, 2014], dtype="Int64"),
            "governance_total_per_10k_chars": [1.5, 2.5, None],
        }
    )
    (tmp_path / "reports").mkdir()
    frame.to_parquet(tmp_path / "reports" / "indices.parquet")
    text = SPEC.read_text(encoding="utf-8")
    source = text[text.index("  work_reports:") : text.index("start: firms")]
    text = text.replace(source, "  work_reports: {path: reports}\n\n")
    text = text.replace("source_place: place", "source_place: stock_code")
    text = text.replace("value: environment_share", "value: governance_total_per_10k_chars")
    (tmp_path / "panel.yml").write_text(text, encoding="utf-8")
    data = load_panel(str(tmp_path / "panel.yml"), str(folder)).data
    found = data[data["city"] == "石家庄市"].groupby("report_year")["government_attention"].unique()
    assert found[2014].tolist() == [1.5] and found[2015].tolist() == [2.5]
    assert data[data["city"] != "石家庄市"]["government_attention"].isna().all()


# The map alone


def test_a_map_from_a_file_and_from_a_specification(folder, tmp_path):
    options = ["quotient=1.25", "minimum_firms=3"]
    choices = {"place_level": "prefecture", "industry_digits": 2}
    found = make_clusters(str(folder / "plants_2005.csv"), str(tmp_path / "a"), options=options, choices=choices)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(CLUSTER_FILES)
    assert "4,500 rows" in found.text
    spec = """\
sources:
  plants: {path: plants_2005.csv}
clusters: plants
method: location_quotient
options: {quotient: 1.25, minimum_firms: 3}
place_level: prefecture
industry_digits: 2
"""
    (tmp_path / "map.yml").write_text(spec, encoding="utf-8")
    make_clusters(str(tmp_path / "map.yml"), str(tmp_path / "b"), str(folder))
    assert (tmp_path / "a" / "clusters.csv").read_bytes() == (tmp_path / "b" / "clusters.csv").read_bytes()
    table = pd.read_csv(tmp_path / "a" / "clusters.csv", encoding="utf-8-sig", dtype={"place": str, "industry": str})
    plants = read(folder, "plants_2005").assign(workers=lambda frame: frame["从业人员年平均人数"].astype(float))
    row = table[table["is_cluster"]].iloc[5]
    place = plants["省地县码"].str[:4] == row["place"][:4]
    industry = plants["行业代码"].str[:2] == row["industry"]
    workers = plants["workers"]
    expected = (workers[place & industry].sum() / workers[place].sum()) / (workers[industry].sum() / workers.sum())
    assert row["cluster_strength"] == pytest.approx(expected) and row["cluster_size"] == workers[place & industry].sum()


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("cluster_strength", "{groups: 4, minimum_firms: 2}"),
        ("cluster_strength", "{groups: groups, size: firms, top_percent: 1e1}"),
        ("cluster_strength", "{groups: {'13': food, '15': food, '17': cloth}}"),
        ("related_strength", "{relatedness: locational_correlation, minimum_firms: 2}"),
        ("related_strength", "{relatedness: pairs, size: firms}"),
        ("proximity", "{size: output}"),
        ("density_based_index", "{area: area, top_percent: 10}"),
    ],
)
def test_every_method_from_a_specification(folder, tmp_path, method, options):
    plants = read(folder, "plants_2004")
    divisions = sorted(plants["行业代码"].str[:2].unique())
    groups = pd.DataFrame({"industry": divisions, "group": [f"g{number % 3}" for number in range(len(divisions))]})
    groups.to_csv(tmp_path / "groups.csv", index=False)
    pairs = [(a, b, 0.5) for a in divisions for b in divisions]
    pd.DataFrame(pairs, columns=["industry", "other_industry", "relatedness"]).to_csv(
        tmp_path / "pairs.csv", index=False
    )
    places = sorted(plants["省地县码"].str[:4].unique())
    pd.DataFrame({"place": places, "area_km2": 5000.0}).to_csv(tmp_path / "area.csv", index=False)
    text_columns = "{place: {kind: text}, area_km2: }"
    spec = f"""\
sources:
  plants: {{path: plants_2004.csv}}
  groups: {{path: groups.csv, columns: {{industry: {{kind: text}}, group: {{kind: text}}}}}}
  pairs: {{path: pairs.csv, columns: {{industry: {{kind: text}}, other_industry: {{kind: text}}, relatedness: }}}}
  area: {{path: area.csv, columns: {text_columns}}}
clusters: plants
method: {method}
options: {options}
place_level: prefecture
industry_digits: 2
"""
    (tmp_path / "map.yml").write_text(spec, encoding="utf-8")
    found = make_clusters(str(tmp_path / "map.yml"), str(tmp_path / "out"), str(folder)).clusters
    assert 0 < len(found.clusters()) < len(found.data) <= 4_500


def test_clusters_by_k_densities(folder, tmp_path):
    choices = {"place_level": "county", "industry_digits": 2}
    found = make_clusters(
        str(folder / "plants_2004.csv"),
        str(tmp_path),
        method="duranton_overman",
        options=["draws=100"],
        choices=choices,
    )
    assert found.clusters.method.startswith("duranton_overman") and len(found.clusters.clusters()) > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clusters: p\nmethod: given\n", "sources: is missing"),
        ("sources: {p: {path: p.csv}}\nclusters: q\nmethod: proximity\n", "line 2    clusters: there is no source 'q'"),
        ("sources: {p: {path: p.csv}}\nclusters: p\nmethod: proximty\n", "Did you mean 'proximity'?"),
        ("sources: {p: {path: p.csv}}\nclusters: p\nmethod: proximity\noptions: {top: 5}\n", "has no option 'top'"),
        ("- a\n", "a map of clusters is a mapping"),
    ],
)
def test_a_specification_of_a_map_that_cannot_be(tmp_path, text, words):
    (tmp_path / "map.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as error:
        make_clusters(str(tmp_path / "map.yml"), str(tmp_path / "out"))
    assert words in str(error.value)


def test_wrong_use_of_the_command(shuzhi, tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        make_clusters(str(tmp_path / "p.csv"), str(tmp_path))
    (tmp_path / "p.csv").write_text("place,industry,year\n110101,1310,2004\n")
    with pytest.raises(UsageError, match="write name=value"):
        make_clusters(str(tmp_path / "p.csv"), str(tmp_path), options=["quotient"])
    done = shuzhi("clusters", tmp_path / "p.csv", "--option", "size=firms", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "1 place-industry-years; 0 are clusters" in done.stdout


# The documentation


def test_the_documentation_names_every_function_step_and_key():
    text = (ROOT / "docs" / "panels.md").read_text(encoding="utf-8")
    assert f"```yaml\n{SPEC.read_text(encoding='utf-8')}```" in text  # the example there is the one that is run here
    for function in FUNCTIONS.values():
        usage, _, what = function.usage.partition(": ")
        assert f"- `{usage}`" + (f": {what}" if what else "") in text, usage
    before_example = text[: text.index("## A worked example")]
    models = [*STEPS.values(), *EMISSION_STEPS.values()]
    for model in models:
        for key in keys_of(model):
            assert re.search(rf"[`{{ ]{key}[`:]", before_example), (model.__name__, key)


def test_the_map_of_the_documentation():
    text = (ROOT / "docs" / "panels.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "\nmethod: " in block]
    step, _ = parse_cluster_spec(blocks[0], "map.yml")
    assert step.method == "duranton_overman" and step.clusters == ["plants_2004", "plants_2005"]


def test_the_lines_that_write_the_simulated_files(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "panels.md").read_text(encoding="utf-8")
    lines = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert lines
    monkeypatch.chdir(tmp_path)
    exec(compile(lines[1], "panels.md", "exec"), {})
    wanted = {source.path for source in load_spec(str(SPEC)).sources.values()}
    assert {path.name for path in (tmp_path / "simulated").iterdir()} == wanted


def keys_of(model: type[SpecModel]) -> set[str]:
    """Return the keys that a step offers, inner ones included."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for each in _flat(field.annotation):
            if isinstance(each, type) and issubclass(each, SpecModel):
                found |= keys_of(each)
    return found
