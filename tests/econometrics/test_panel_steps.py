"""Steps that attach clusters, emissions, policies, groups, attention, instruments: each against a hand count."""

import re

import numpy as np
import pandas as pd
import pytest

from econometrics.clusters.quotient import location_quotient_clusters
from econometrics.panel import Panel, RawTable, build_panel, parse_panel_spec
from econometrics.reference import load_reference
from shuzhi import DataError, SpecError

HEAD = """\
panel: try
sources:
  firms:
    path: firms.csv
    columns:
      stock_code:
      report_year:
      industry: {kind: text}
      place: {kind: text}
      cost: {unit: yuan}
      revenue: {unit: yuan}
      value: {unit: yuan}
      score:
SOURCES
start: firms
steps:
"""
FIRMS = [
    # code, year, industry, place, cost, revenue, value, score
    ["000001", 2015, "C31", "110000", 6e8, 1e9, 5e9, 1.0],
    ["000001", 2016, "C31", "110000", 7e8, 1e9, 2e10, 2.0],
    ["000002", 2015, "C31", "440300", 3e8, 4e8, 6e10, 3.0],
    ["000002", 2016, "C31", "440300", 2e8, 4e8, 1e10, 4.0],
    ["000003", 2015, "C26", "某地", 1e8, 2e8, None, 5.0],
    ["000004", 2015, "K70", "441900", 1e8, 3e8, 7e9, 6.0],
]
COLUMNS = ["stock_code", "report_year", "industry", "place", "cost", "revenue", "value", "score"]


def panel_of(steps: str, sources: str = "", **tables: pd.DataFrame) -> Panel:
    """Build a panel of the six firm-years with some steps."""
    spec = parse_panel_spec(HEAD.replace("SOURCES\n", sources) + steps, "panel.yml")
    raw = {"firms": RawTable(pd.DataFrame(FIRMS, columns=COLUMNS), has_header=True)}
    raw |= {name: RawTable(frame, has_header=True) for name, frame in tables.items()}
    return build_panel(spec, raw)


def problems(steps: str, sources: str = "") -> str:
    with pytest.raises(SpecError) as error:
        parse_panel_spec(HEAD.replace("SOURCES\n", sources) + steps, "panel.yml")
    return str(error.value)


PLANTS = "  plants: {path: p.csv}\n"
CLUSTERS = """\
  - clusters: plants
    method: location_quotient
    attach: {place: place, industry: industry, lag: 10}
"""


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (CLUSTERS.replace("clusters: plants", "clusters: plant"), "no source 'plant'. Did you mean 'plants'?"),
        (CLUSTERS.replace("_quotient", "_quotent"), "no method 'location_quotent'. Did you mean 'location_quotient'?"),
        (CLUSTERS + "    options: {quotint: 2}\n", "has no option 'quotint'. Did you mean 'quotient'?"),
        (CLUSTERS + "    options: {quotient: high}\n", "steps.1.options.quotient: Input should be a valid number"),
        (CLUSTERS + "    options: {rule: treshold}\n", "Input should be 'threshold' or 'standardised'"),
        (CLUSTERS + "    harmonise: {place_splits: first}\n", "give target_year: for places"),
        (CLUSTERS.replace(", lag: 10", ""), "give lag: (such as 10) or base_year:"),
        (CLUSTERS.replace("industry: industry", "industry: industri"), "no column 'industri' in the panel so far. Did"),
        (CLUSTERS.replace("location_quotient", "density_based_index"), "needs the option area:, a source with place"),
        (
            CLUSTERS.replace("location_quotient", "duranton_overman") + "    options: {reach: far}\n",
            "reach is a number",
        ),
        (
            CLUSTERS.replace("location_quotient", "given") + "    options: {a: 1}\n",
            "takes a table of clusters as it is",
        ),
        (CLUSTERS + "    digits: 2\n", "steps.1.digits: no such key"),
    ],
)
def test_what_is_wrong_with_clusters_is_said_before_any_work(steps, words):
    message = problems(steps, PLANTS)
    assert words in message and re.search(r"^  line (1[7-9]|2\d) ", message, re.MULTILINE), message


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("  - {emissions: aportioned, industry: industry}\n", "Did you mean 'apportioned'?"),
        ("  - {emissions: sectors, industry: industrie}\n", "Did you mean 'industry'?"),
        (
            "  - {emissions: given, co2: score, unit: t, intensities: {per: 10^4 yuan}}\n",
            "name at least one of revenue:",
        ),
        ("  - {emissions: given, co2: score, decomposition: {}}\n", "decomposition: needs intensities: with revenue:"),
        ("  - {policy: low_carbon_pilot, place: place}\n", "Did you mean 'low_carbon_pilots'?"),
        ("  - {policy: own, place: place}\n", "policy: own goes with cohorts:"),
        ("  - {policy: broadband_china, place: place, industry: industry}\n", "only carbon_trading_pilots has sectors"),
        ("  - {policy: broadband_china, place: place, rule: last}\n", "steps.1.rule: Input should be 'first'"),
        ("  - {policy: broadband_china, place: place, name: a, columns: {post: b}}\n", "give name:, or columns:"),
        ("  - {size_groups: value, at: [1, 2, x]}\n", "steps.1.at"),
        ("  - {cut: score, name: place}\n", "there is a column 'place' already"),
        ("  - {instrument: score, kind: leave_one_out_mean}\n", "leave_one_out_mean needs groups:"),
        ("  - {instrument: score, kind: lag, groups: [industry]}\n", "a lag has none"),
        ("  - {attention: reports, place: place, value: v}\n", "there is no source 'reports'. There are: firms."),
        ("  - {energy_structure: industry, shares: [cole_share]}\n", "steps.1.shares"),
        ("  - {cut: score}\n  - {keep: scor_group == 'low', because: x}\n", "Did you mean 'score_group'?"),
    ],
)
def test_what_is_wrong_with_other_steps_is_said_before_any_work(steps, words):
    message = problems(steps)
    assert words in message and "panel.yml" in message, message


def plants(years: tuple[int, ...] = (2005, 2006)) -> pd.DataFrame:
    """Return plants under Chinese headers as text: iron is concentrated in 110000, where a plant has no place."""
    rows = []
    for year in years:
        rows += [[f"{n}", str(year), "110101", "3210", "100"] for n in range(1, 7)]
        rows += [[f"{n}", str(year), "110101", "2610", "10"] for n in range(7, 9)]
        rows += [[f"{n}", str(year), "440301", "3210", "10"] for n in range(9, 12)]
        rows += [[f"{n}", str(year), "440301", "2610", "100"] for n in range(12, 20)]
        rows += [["20", str(year), "x", "2610", "100"]]
    return pd.DataFrame(rows, columns=["法人代码", "年份", "省地县码", "行业代码", "从业人员年平均人数"])


STEEL = """\
  - clusters: plants
    method: location_quotient
    options: {quotient: 1.25, minimum_firms: 5}
    industry_digits: 2
    place_level: prefecture
    harmonise: {target_scheme: gbt4754_2011}
    attach: {place: place, industry: industry, lag: 10, cluster_places: as_given}
"""


def test_clusters_of_ten_years_before():
    panel = panel_of(STEEL, PLANTS, plants=plants())
    data = panel.data.set_index(["stock_code", "report_year"])
    # 110100: iron (32 of 2002 is 31 of 2011) 600 of 620 workers; country 630 of 1450: LQ = (600/620) / (630/1450).
    assert data.loc[("000001", 2015), "cluster_strength"] == pytest.approx((600 / 620) / (630 / 1450))
    assert data.loc[("000001", 2015), ["cluster_year", "cluster_industry", "is_cluster"]].tolist() == [2005, "31", 1.0]
    assert data.loc[("000002", 2016), "is_cluster"] == 0.0
    # The place of 000003 has no code and industry K is in no list of the survey: missing, not "no cluster".
    assert data.loc[[("000003", 2015), ("000004", 2015)], "is_cluster"].isna().all()
    assert panel.cluster_maps["clusters"].data["year"].unique().tolist() == [2005, 2006]


def test_nothing_of_the_microdata_is_lost_without_a_line():
    panel = panel_of(STEEL, PLANTS, plants=plants())
    flow = panel.flow[panel.flow["table"] == "clusters plants"]
    assert flow["rows_left"].iloc[0] == 40 and flow["rows_removed"].sum() == 2
    assert "without a place" in flow["what"].iloc[1]
    assert (flow["rows_left"].iloc[0] - flow["rows_removed"].cumsum() == flow["rows_left"]).all()
    join = panel.joins.iloc[0]
    assert (join["left_matched"], join["left_unmatched"], join["right_rows"], join["right_matched"]) == (4, 2, 8, 4)
    assert panel.unmatched["rows"].sum() == 2 and "某地 C26 2005" in panel.unmatched["given"].tolist()
    assert "某地 C26 2005" in panel.summary()


def test_clusters_equal_those_of_the_function_itself():
    panel = panel_of(STEEL, PLANTS, plants=plants())
    given = plants()
    frame = pd.DataFrame(
        {
            "place": given["省地县码"].map({"110101": "110000", "440301": "440300"}),
            "industry": given["行业代码"].map({"3210": "31", "2610": "26"}),
            "year": given["年份"].astype(int),
            "employment": given["从业人员年平均人数"].astype(float),
        }
    )[given["省地县码"] != "x"]
    expected = location_quotient_clusters(frame, quotient=1.25, minimum_firms=5).data
    found = panel.cluster_maps["clusters"].data
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_two_methods_side_by_side_and_a_file_a_year():
    sources = "  plants: {path: p.csv}\n  later: {path: q.csv}\n  counties: {path: c.csv}\n"
    steps = (
        STEEL.replace("clusters: plants", "clusters: [plants, later]")
        + """\
  - clusters: [plants, later]
    method: density_based_index
    options: {area: counties, top_percent: 50, among: places_with_industry}
    industry_digits: 2
    place_level: prefecture
    harmonise: {target_scheme: gbt4754_2011}
    attach: {place: place, industry: industry, base_year: 2006, cluster_places: as_given}
    prefix: dbi_
"""
    )
    area = pd.DataFrame({"place": ["110100", "440300"], "area_km2": ["100", "10"]})
    panel = panel_of(steps, sources, plants=plants((2005,)), later=plants((2006,)), counties=area)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert sorted(panel.cluster_maps) == ["clusters", "dbi_clusters"]
    # Six plants of iron on 100 km2 are less dense than three on 10.
    assert data["is_cluster"].dropna().tolist() == [1.0, 1.0, 0.0, 0.0]
    assert data["dbi_is_cluster"].dropna().tolist() == [0.0, 0.0, 1.0, 1.0]
    assert panel.variables["dbi_is_cluster"].label_zh == "是否处于产业集群（2006年）"


def test_units_printed_in_headers_of_microdata():
    given = plants().rename(columns={"从业人员年平均人数": "产值合计(万元)"})
    spec_steps = STEEL.replace("minimum_firms: 5", "minimum_firms: 5, size: output")
    spec_steps += "    mapping: {output: 产值合计(万元)}\n"
    spec = parse_panel_spec(HEAD.replace("SOURCES\n", PLANTS) + spec_steps, "panel.yml")
    cells = pd.DataFrame([list(given.columns), *given.to_numpy().tolist()])
    firms = RawTable(pd.DataFrame(FIRMS, columns=COLUMNS), has_header=True)
    panel = build_panel(spec, {"firms": firms, "plants": RawTable(cells)})
    size = panel.data.loc[panel.data["stock_code"] == "000001", "cluster_size"].iloc[0]
    assert size == 600 * 10  # ten thousand yuan are ten thousand yuan: the standard is thousand


def test_a_header_that_no_file_has():
    with pytest.raises(
        DataError, match=r"panel.yml line 17: mapping: no such header \(output: 产值\); the headers are"
    ):
        panel_of(STEEL + "    mapping: {output: 产值}\n", PLANTS, plants=plants())


def test_a_table_of_clusters_that_is_ready():
    table = pd.DataFrame(
        {
            "地区": ["110000", "440300", "440300", "", "110000"],
            "行业": ["31", "31", "26", "31", "31"],
            "年": ["2005", "2005年", "2006", "2005", "x"],
            "集群": ["是", "0", "1.0", "1", "1"],
        }
    )
    steps = """\
  - clusters: table
    method: given
    mapping: {place: 地区, industry: 行业, year: 年, is_cluster: 集群}
    place_level: prefecture
    attach: {place: place, industry: sector, base_year: 2005}
"""
    define = "  - {define: {sector: {formula: division(industry)}}}\n"
    panel = panel_of(
        define + steps.replace("attach: {", "attach: {cluster_places: as_given, "),
        "  table: {path: t.csv}\n",
        table=table,
    )
    known = panel.data.dropna(subset="is_cluster").drop_duplicates("stock_code")
    assert dict(zip(known["stock_code"], known["is_cluster"], strict=True)) == {"000001": 1.0, "000002": 0.0}
    assert panel.data["cluster_strength"].isna().all()
    flow = panel.flow[panel.flow["table"] == "clusters table"]
    assert flow["rows_removed"].tolist() == [0, 1, 1] and flow["rows_left"].iloc[-1] == 3
    with pytest.raises(DataError, match=r"line 1.*has no column is_cluster"):
        panel_of(define + steps.replace(", is_cluster: 集群", ""), "  table: {path: t.csv}\n", table=table)


# Emissions

INDUSTRIES = """\
  industries:
    path: i.csv
    keys: [code, report_year]
    columns: {code: {kind: text}, report_year: , cost: {printed_unit: 亿元, unit: yuan}, energy: {unit: 10^4 tce}}
"""
TABLE = pd.DataFrame(
    {"code": ["31", "31", "26"], "report_year": [2015, 2016, 2016], "cost": [60, 70, 10], "energy": [1e4, 2e4, 500]}
)
APPORTIONED = """\
  - emissions: apportioned
    industry: industry
    cost: cost
    industries: industries
    industry_column: code
    industry_cost: cost
    energy: energy
    intensities: {revenue: revenue}
"""


def test_apportioned_emissions_and_what_they_can_vary_with():
    panel = panel_of(APPORTIONED, INDUSTRIES, industries=TABLE)
    data = panel.data.set_index(["stock_code", "report_year"])
    # 6e8 of 60e8 yuan of cost; 1e8 tce x 0.68 x 44/12.
    expected = 6e8 / 60e8 * 1e4 * 1e4 * 0.68 * 44 / 12
    assert data.loc[("000001", 2015), "co2_tonnes"] == pytest.approx(expected)
    assert data.loc[("000001", 2015), "co2_tonnes_per_million_yuan_revenue"] == pytest.approx(expected / 1000)
    assert data.loc[[("000003", 2015), ("000004", 2015)], "co2_tonnes"].isna().all()
    notes = {note.kind: note for note in panel.notes}
    assert "成本收入比" in notes["decomposition"].zh and "cost to revenue" in notes["decomposition"].text("en")
    assert notes["decomposition"].en in panel.summary() and notes["decomposition"].zh in panel.texts["decomposition"]
    assert panel.variables["co2_tonnes"].formula.startswith("cost / industry cost x industry energy x 0.68")
    lost = panel.unmatched.set_index("given")["reason"].to_dict()
    assert lost == {
        "C26 2015": "no row for the industry and year",
        "K70 2015": "the industry is no division of mining, manufacturing or utilities",
    }
    join = panel.joins.iloc[0]
    assert (join["left_matched"], join["right_rows"], join["right_matched"]) == (4, 3, 2)


def test_a_unit_that_nobody_said_is_refused():
    with pytest.raises(DataError, match=r"panel.yml line 20: industries: energy has no unit; say energy_unit:"):
        panel_of(APPORTIONED, INDUSTRIES.replace("energy: {unit: 10^4 tce}", "energy:"), industries=TABLE)
    with pytest.raises(DataError, match="does not say tonnes of what"):
        panel_of(APPORTIONED + "    energy_unit: 10^4 t\n", INDUSTRIES, industries=TABLE)
    with pytest.raises(DataError, match="score has no unit; give it with its column"):
        panel_of("  - {emissions: given, co2: score}\n")
    with pytest.raises(DataError, match="cost is in yuan, but the step says 亿元"):
        panel_of(APPORTIONED + "    industry_cost_unit: 亿元\n", INDUSTRIES, industries=TABLE)


def test_apportioned_from_tables_of_other_origin():
    costs = pd.DataFrame({"code": ["31", "26"], "report_year": [2016, 2016], "cost": [70, 10], "energy": [1, 1]})
    steps = APPORTIONED.replace("    energy: energy\n", "    by: co2\n")
    data = panel_of(steps, INDUSTRIES, industries=costs).data.set_index(["stock_code", "report_year"])
    table = load_reference("ceads_sector_year").data
    steel = table[(table["gbt4754_2011"] == "31") & (table["year"] == 2016)]["co2_mt"].iloc[0] * 1e6
    assert data.loc[("000001", 2016), "co2_tonnes"] == pytest.approx(7e8 / 70e8 * steel)
    assert data["vintage"].dropna().unique().tolist() == ["CEADs 1997-2019"]
    own = """\
  own:
    path: s.csv
    keys: [division, report_year]
    columns: {division: {kind: text}, report_year: , co2_tonnes: {printed_unit: 万吨, unit: tonne}}
"""
    sectors = pd.DataFrame({"division": ["31"], "report_year": [2016], "co2_tonnes": [500.0]})
    panel = panel_of(steps + "    sectors: own\n", INDUSTRIES + own, industries=costs, own=sectors)
    assert panel.data["co2_tonnes"].dropna().tolist() == pytest.approx([7e8 / 70e8 * 5e6, 2e8 / 70e8 * 5e6])
    assert "vintage" not in panel.data.columns
    # Two rows are too few for a decomposition that nobody asked for: said, and the panel goes on.
    assert any("was not decomposed: fewer than three rows" in note.en for note in panel.notes)
    with pytest.raises(DataError, match=r"panel.yml line \d+: fewer than three rows"):
        asked = steps + "    sectors: own\n    decomposition: {fixed_effects: stock_code}\n"
        panel_of(asked, INDUSTRIES + own, industries=costs, own=sectors)


def test_emissions_of_the_sector():
    steps = "  - {emissions: sectors, industry: industry}\n"
    steps += "  - {emissions: sectors, industry: industry, sector_year: 2019, prefix: late_, name: co2_2019}\n"
    panel = panel_of(steps)
    table = load_reference("ceads_sector_year").data
    steel = table[table["gbt4754_2011"] == "31"].set_index("year")["co2_mt"] * 1e6
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data.loc[("000001", 2016), "industry_co2_tonnes"] == pytest.approx(steel[2016])
    assert data.loc[("000001", 2016), "co2_2019"] == pytest.approx(steel[2019])
    assert data.loc[("000004", 2015), ["division", "co2_2019"]].isna().all()
    with pytest.raises(DataError, match="sector_year: there is no 2021"):
        panel_of("  - {emissions: sectors, industry: industry, sector_year: 2021}\n")


def test_emissions_of_a_vendor_with_lost_zeros():
    table = pd.DataFrame(
        {"证券": ["1", "2", "9"], "年份": ["2015", "2016", "2015"], "上市公司碳排放总量（吨）": ["1,000", "50", "7"]}
    )
    steps = "  - {emissions: vendor, vendor: vendor, firm_column: 证券, year_column: 年份, "
    steps += "intensities: {revenue: revenue}}\n"
    panel = panel_of(steps, "  vendor: {path: v.csv}\n", vendor=table)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data["co2_tonnes"].dropna().to_dict() == {("000001", 2015): 1000.0, ("000002", 2016): 50.0}
    assert data.loc[("000001", 2015), "ln1p_co2_tonnes_per_million_yuan_revenue"] == pytest.approx(np.log(2))
    join = panel.joins.iloc[0]
    assert (join["left_matched"], join["right_unmatched"], join["right_examples"]) == (2, 1, "000009 2015")
    with pytest.raises(DataError, match="2 rows share 证券 and 年份, such as 000001 2015"):
        panel_of(steps, "  vendor: {path: v.csv}\n", vendor=pd.concat([table, table.head(1)]))
    printed = table.rename(columns={"上市公司碳排放总量（吨）": "上市公司碳排放总量(万吨)"})
    spec = parse_panel_spec(HEAD.replace("SOURCES\n", "  vendor: {path: v.csv}\n") + steps, "panel.yml")
    cells = RawTable(pd.DataFrame([list(printed.columns), *printed.to_numpy().tolist()]))
    with pytest.raises(DataError, match=r"万吨.* is not in t; say unit:"):
        build_panel(spec, {"firms": RawTable(pd.DataFrame(FIRMS, columns=COLUMNS), has_header=True), "vendor": cells})


def test_emissions_by_components_with_activities_of_other_firms_listed():
    source = """\
  activities:
    path: a.csv
    keys: [stock_code, report_year, activity]
    columns: {stock_code: , report_year: , activity: {kind: text}, amount: , unit: {kind: text}}
"""
    rows = [["000001", 2015, "purchased_heat", 1000.0, "GJ"], ["000009", 2015, "purchased_heat", 5.0, "GJ"]]
    table = pd.DataFrame(rows, columns=["stock_code", "report_year", "activity", "amount", "unit"])
    steps = "  - {emissions: components, activities: activities, industry: industry, "
    steps += "imputation: none, total: measured_components}\n"
    panel = panel_of(steps, source, activities=table)
    data = panel.data.set_index(["stock_code", "report_year"])
    # 0.11 t CO2 per GJ of heat (NDRC).
    assert data.loc[("000001", 2015), "co2_combustion_escape_tonnes"] == pytest.approx(110.0)
    assert data["co2_tonnes"].notna().sum() == 1 and data.loc[("000001", 2015), "process_basis"] == "missing"
    assert panel.unmatched["given"].tolist() == ["000009 2015"]


def test_given_emissions_in_another_unit():
    source = "  more: {path: m.csv, columns: {stock_code: , report_year: , tons: {unit: 万吨CO2}}}\n"
    steps = "  - {join: more, on: [stock_code, report_year], relationship: one_to_one}\n"
    steps += "  - {emissions: given, co2: tons, intensities: {revenue: revenue, per: 10^4 yuan}, "
    steps += "decomposition: {cost: cost, industry: industry}}\n"
    table = pd.DataFrame(
        [[*row[:2], n + 1.0] for n, row in enumerate(FIRMS)], columns=["stock_code", "report_year", "tons"]
    )
    panel = panel_of(steps, source, more=table)
    assert panel.data["co2_tonnes"].tolist() == [1e4, 2e4, 3e4, 4e4, 5e4, 6e4]
    assert panel.data["co2_tonnes_per_10k_yuan_revenue"].iloc[0] == pytest.approx(1e4 / 1e5)
    note = next(note for note in panel.notes if note.kind == "decomposition")
    assert "not merely apportioned" in note.en


# Policies, groups, attention, instruments


def test_policies_by_place_and_year():
    steps = """\
  - {policy: low_carbon_pilots, place: place, name: pilot}
  - {policy: carbon_trading_pilots, place: place, industry: industry, columns: {first: trading_year}}
"""
    panel = panel_of(steps)
    data = panel.data.drop_duplicates("stock_code").set_index("stock_code")
    # Beijing was listed in the second batch (in force 2013); Guangdong, with Shenzhen and Dongguan, in the first.
    assert data["pilot_first_year"].to_dict() | {"000003": None} == {
        "000001": 2013.0,
        "000002": 2010.0,
        "000003": None,
        "000004": 2010.0,
    }
    assert data.loc["000001", "years_since_pilot"] == 2 and np.isnan(data.loc["000003", "is_pilot_post"])
    assert "is_treated" not in data.columns and data.columns.tolist().count("place_code") == 1
    assert panel.unmatched[["column", "given", "rows"]].drop_duplicates().to_numpy().tolist() == [["place", "某地", 1]]
    assert len(panel.data) == 6


def test_a_policy_of_ones_own():
    sources = "  zones: {path: z.csv, keys: [city], columns: {city: {kind: text}, first: {kind: year}}}\n"
    table = pd.DataFrame({"city": ["深圳市", "Atlantis", "东莞"], "first": ["2016", "2015", "2014"]})
    steps = (
        "  - {policy: own, cohorts: {source: zones, place: city, year: first}, place: place, name: zone, never: zero}\n"
    )
    panel = panel_of(steps, sources, zones=table)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data["is_zone_post"].fillna(-1).tolist() == [0, 0, 0, 1, -1, 1]
    assert data.loc[("000001", 2015), "zone_first_year"] == 0
    assert "Atlantis" in panel.unmatched["given"].tolist()
    twice = pd.concat([table, pd.DataFrame({"city": ["深圳"], "first": ["2012"]})])
    with pytest.raises(DataError, match="places with more than one first year: 440300"):
        panel_of(steps, sources, zones=twice)


def test_groups_of_industry_size_and_numbers():
    steps = """\
  - {industry_groups: industry}
  - {energy_structure: industry, shares: [coal_share, electricity_share]}
  - {size_groups: value}
  - {cut: score, within: report_year}
  - {cut: cost, at: [2.0e8, 5.0e8], labels: [a, b, c], name: cost_class}
"""
    panel = panel_of(steps)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data["is_heavy_pollution"].tolist() == [1, 1, 1, 1, 1, 0]
    structure = load_reference("sector_energy_structure").data
    steel = structure[(structure["year"] == 2019) & (structure["gbt4754_2011"] == "31")]["coal_share"].iloc[0]
    assert data.loc[("000001", 2015), "coal_share"] == pytest.approx(steel)
    assert data["size_group"].fillna("-").tolist() == ["small", "medium", "large", "medium", "-", "small"]
    # 2015: 1, 3, 5, 6, median 4; 2016: 2, 4, median 3.
    assert data["score_group"].tolist() == ["low", "low", "low", "high", "high", "high"]
    assert data["cost_class"].tolist() == ["c", "c", "b", "b", "a", "a"]
    assert panel.variables["size_group"].formula == "value cut at 1e+10, 5e+10 yuan"
    with pytest.raises(DataError, match=r"panel.yml line 16: the median score of 3.5 yuan lies outside"):
        panel_of("  - {size_groups: score, unit: yuan}\n")


def test_energy_of_sectors_by_output():
    sources = """\
  output:
    path: o.csv
    keys: [code, report_year]
    columns: {code: {kind: text}, report_year: , output: {printed_unit: 亿元, unit: yuan}}
"""
    table = pd.DataFrame({"code": ["31", "26"], "report_year": [2019, 2019], "output": [70_000, 65_000]})
    firms = pd.DataFrame([[*row[:1], 2019, *row[2:]] for row in FIRMS[::2]], columns=COLUMNS)
    steps = "  - energy_structure: industry\n"
    steps += "    intensity: {industries: output, industry: code, output: output, concept: final_coal_equivalent}\n"
    spec = parse_panel_spec(HEAD.replace("SOURCES\n", sources) + steps, "panel.yml")
    raw = {"firms": RawTable(firms, has_header=True), "output": RawTable(table, has_header=True)}
    data = build_panel(spec, raw).data
    energy = load_reference("sector_energy_consumption").data
    rows = energy[
        (energy["item"] == "final_energy_coal_equivalent") & (energy["year"] == 2019) & (energy["sector_code"] == "31")
    ]
    assert data["tce_per_10k_yuan"].iloc[0] == pytest.approx(rows["value"].iloc[0] * 1e4 / (70_000e8 / 1e4))


def test_attention_of_governments_a_year_before():
    sources = """\
  reports:
    path: r.csv
    keys: [city, report_year, measure]
    columns: {city: {kind: text}, report_year: , measure: {kind: text}, value: }
"""
    table = pd.DataFrame(
        [["北京", 2014, "a", 0.5], ["北京", 2014, "b", 9.0], ["深圳市", 2015, "a", 0.25], ["Atlantis", 2015, "a", 1.0]],
        columns=["city", "report_year", "measure", "value"],
    )
    steps = "  - {attention: reports, place: place, source_place: city, value: value, "
    steps += "where: {measure: a}, lag: 1, name: green}\n"
    panel = panel_of(steps, sources, reports=table)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data["green"].dropna().to_dict() == {("000001", 2015): 0.5, ("000002", 2016): 0.25}
    assert set(panel.unmatched["given"]) == {"某地", "Atlantis"}
    assert "滞后1年" in panel.variables["green"].label_zh


def test_instruments_made_of_the_panel():
    steps = """\
  - {instrument: score, kind: leave_one_out_mean, groups: [report_year]}
  - {instrument: score, kind: lag, years: 1}
"""
    panel = panel_of(steps)
    data = panel.data.set_index(["stock_code", "report_year"])
    assert data.loc[("000001", 2015), "score_others_mean"] == pytest.approx((3 + 5 + 6) / 3)
    assert data.loc[("000002", 2016), "score_others_mean"] == 2.0
    assert data["score_lag1"].dropna().to_dict() == {("000001", 2016): 1.0, ("000002", 2016): 3.0}


def test_every_new_column_has_labels_and_a_line():
    steps = APPORTIONED + "  - {policy: low_carbon_pilots, place: place}\n  - {industry_groups: industry}\n"
    steps += "  - {cut: score}\n  - {instrument: score, kind: lag}\n" + STEEL
    panel = panel_of(steps, INDUSTRIES + PLANTS, industries=TABLE, plants=plants())
    new = [name for name in panel.data.columns if name not in COLUMNS]
    named = [name for name in new if name != "score_group"]  # its variable has no label to begin with
    assert all(panel.variables[name].label_zh and panel.variables[name].label_en for name in named)
    assert set(new) == set(panel.definitions["variable"])
    assert len(panel.data) == 6 and panel.sample_flow()["rows_removed"].sum() == 0
