import warnings

import numpy as np
import pandas as pd
import pytest

from econometrics.panel import RawTable, build_panel, parse_panel_spec
from econometrics.panel.checks import panel_schema
from shuzhi import DataError, SpecError

KEYS = "{stock_code: {kind: stock_code}, report_year: {kind: year}"


def raw(rows: list[list], has_header: bool = False) -> RawTable:
    if has_header:
        return RawTable(pd.DataFrame(rows[1:], columns=rows[0]), has_header=True)
    return RawTable(pd.DataFrame(rows, dtype="object"))


def spec_of(steps: str = "", columns: str = "x: ", extra: str = "", source: str = ""):
    words = f"""
panel: try
sources:
  firms:
    path: firms.csv
    columns: {KEYS}, {columns}}}
{source}
start: firms
steps:
{steps or "  - {define: {one: 1}}"}
{extra}
"""
    return parse_panel_spec(words, "panel.yml")


def build(steps: str = "", rows: list[list] | None = None, columns: str = "x: ", **more: str):
    table = [["stock_code", "report_year", "x"], *(rows or [["1", 2019, 1], ["1", 2020, 2], ["2", 2019, 3]])]
    return build_panel(spec_of(steps, columns, **more), {"firms": raw(table)})


def test_a_panel_is_sorted_and_its_keys_are_what_they_are():
    panel = build(rows=[["2", "2020-12-31", 3], ["000001.SZ", 2020, 2], [1, "2019年", 1]])
    assert panel.data["stock_code"].tolist() == ["000001", "000001", "000002"]
    assert panel.data["report_year"].tolist() == [2019, 2020, 2020] and panel.data["report_year"].dtype == "int64"
    assert panel.data["x"].tolist() == [1, 2, 3]


def test_each_filter_says_what_it_removed():
    steps = """
  - keep: x > 1
    because: too small
  - drop: x == 3
    because: three
"""
    rows = [["1", 2019, 1], ["1", 2020, 2], ["2", 2019, 3], ["3", 2019, None], ["3", 2020, 5]]
    panel = build(steps, rows)
    flow = panel.sample_flow()
    assert flow["rows_left"].tolist() == [5, 3, 2] and flow["rows_removed"].tolist() == [0, 2, 1]
    assert flow["firms_left"].tolist() == [3, 3, 2] and flow["firms_removed"].tolist() == [0, 0, 1]
    assert "[1 rows where this is unknown were removed]" in flow["what"][1]
    assert "too small" in panel.summary() and "-2" in panel.summary()


def test_a_row_of_which_the_condition_is_unknown_is_not_dropped():
    steps = "  - {drop: x > 1, because: big}"
    panel = build(steps, [["1", 2019, 1], ["1", 2020, None], ["2", 2019, 3]])
    assert len(panel.data) == 2 and "[1 rows where this is unknown were kept]" in panel.sample_flow()["what"][1]


def test_lags_are_computed_before_filters_where_the_spec_says_so():
    steps = """
  - define: {before: lag(x)}
  - {keep: report_year == 2020, because: one year}
"""
    panel = build(steps)
    assert panel.data["before"].tolist() == [1]
    row = panel.definitions.set_index("variable").loc["before"]
    assert (row["observations"], row["missing"]) == (1, 2) and "no row 1 year before: 2" in row["missing_because"]


def test_complete_and_minimum_years():
    rows = [["1", 2019, 1], ["1", 2020, None], ["2", 2019, 3], ["2", 2020, 4]]
    panel = build("  - complete: x\n  - minimum_years: 2", rows)
    assert panel.data["stock_code"].unique().tolist() == ["000002"]
    assert panel.sample_flow()["what"].tolist()[1:] == ["no value of x", "firms with fewer than 2 years"]


def test_blank_counts_the_values_it_sets_to_missing():
    panel = build("  - {blank: x, where: x > 1, because: too big}")
    assert panel.data["x"].isna().sum() == 2
    row = panel.adjustments.iloc[0]
    assert row["changed_above"] == 2 and "too big" in row["what"]


def winsorised(step: str, values: list[float]) -> pd.DataFrame:
    rows = [[str(number + 1), 2019 + number % 2, value] for number, value in enumerate(values)]
    return build(step, rows)


def test_winsorising_by_year_against_numpy():
    values = [float(each) for each in np.random.Generator(np.random.PCG64(5)).normal(size=400)]
    panel = winsorised("  - {winsorise: x, lower: 0.05, upper: 0.9, by: report_year, suffix: _w}", values)
    for _, part in panel.data.groupby("report_year"):
        low, high = np.quantile(part["x"], [0.05, 0.9])
        assert part["x_w"].tolist() == pytest.approx(np.clip(part["x"], low, high).tolist(), abs=1e-15)
    found = panel.adjustments
    assert found["changed_below"].tolist() == [10, 10] and found["changed_above"].tolist() == [20, 20]
    assert "winsorised at 0.05 and 0.9 by report_year" in panel.variables["x_w"].formula


def test_trimming_sets_to_missing_what_winsorising_pulls_in():
    values = [float(each) for each in range(1, 101)]
    panel = winsorised("  - {trim: x, lower: 0.1, upper: 0.9}", values)
    # numpy's 10th percentile of 1..100 is 10.9, the 90th 90.1.
    assert panel.data["x"].min() == 11 and panel.data["x"].max() == 90 and panel.data["x"].isna().sum() == 20


def test_percentiles_of_stata():
    # summarize x, detail of 1..100 gives 1 % = 1.5 and 99 % = 99.5: the mean of two neighbours.
    values = [float(each) for each in range(1, 101)]
    panel = winsorised("  - {winsorise: x, percentile: stata}", values)
    assert (panel.data["x"].min(), panel.data["x"].max()) == (1.5, 99.5)


def test_winsorising_leaves_rows_without_a_group_alone_and_says_so():
    rows = [[str(n + 1), 2019, n] for n in range(50)]
    steps = "  - define:\n      half: log(x - 25)\n      g: where(half > 0, 1, 1)\n  - {winsorise: x, by: g}"
    panel = build(steps, rows)
    assert panel.data["x"].iloc[0] == 0
    assert panel.adjustments["what"].tolist()[0] == "left as it is: g missing"


def test_patterns_classify_a_text_in_order():
    columns = "name: {kind: text}"
    steps = "  - define: {sector: {from: name, patterns: {'27': 药, '26': 化, '66': 银行$}}}"
    rows = [
        ["1", 2019, "医药化工"],
        ["2", 2019, "化工"],
        ["3", 2019, "平安银行"],
        ["4", 2019, "银行业务"],
        ["5", 2019, None],
    ]
    table = raw([["stock_code", "report_year", "name"], *rows])
    panel = build_panel(spec_of(steps, columns), {"firms": table})
    assert [None if pd.isna(each) else each for each in panel.data["sector"]] == ["27", "26", "66", None, None]
    assert panel.definitions.iloc[0]["missing_because"] == "no pattern found: 1"


def test_keys_that_cannot_be_read_are_dropped_and_listed():
    rows = [["1", "2019", 1], ["数据来源：CSMAR", None, None], ["1", "第三季度", 2], [None, None, None]]
    panel = build(rows=rows)
    assert len(panel.data) == 1
    assert panel.flow["rows_left"].tolist() == [4, 2, 1, 1]
    reading = panel.reading[panel.reading["what"].str.contains("row dropped")]
    assert reading["cells"].tolist() == [2, 1] and "CSMAR" in reading["examples"].iloc[0]


def test_repeated_keys_are_an_error_unless_the_spec_decides():
    rows = [["1", 2019, 1], ["1", 2019, 1], ["2", 2019, 3]]
    with pytest.raises(DataError, match=r"line 4: source firms: 1 keys .* 000001 2019; 1 rows are copies") as error:
        build(rows=rows)
    assert "repeated: identical, first or last" in str(error.value)
    same = build(rows=rows, source="    repeated: identical")
    assert same.data["x"].tolist() == [1, 3] and "1 of them" not in same.summary().split("Joins")[-1]
    different = [*rows, ["2", 2019, 4]]
    with pytest.raises(DataError, match="with different values, for example 000002 2019"):
        build(rows=different, source="    repeated: identical")
    assert build(rows=different, source="    repeated: last").data["x"].tolist() == [1, 4]
    assert build(rows=different, source="    repeated: first").data["x"].tolist() == [1, 3]


def test_consolidated_statements_by_a_declared_filter():
    columns = "typrep: {kind: text}, x: "
    source = "    filters: [{keep: typrep == 'A', because: consolidated statements}]"
    table = [["stock_code", "report_year", "typrep", "x"], ["1", 2019, "A", 1], ["1", 2019, "B", 9]]
    panel = build_panel(spec_of(columns=columns, source=source), {"firms": raw(table)})
    assert panel.data["x"].tolist() == [1]
    assert panel.flow["what"][1] == "kept only if typrep == 'A': consolidated statements"


def test_cells_that_are_no_numbers_are_all_said_at_once():
    table = [["stock_code", "report_year", "x", "y"], ["1", 2019, "n.a.", "5 kg"], ["1", 2020, "n.a.", 1]]
    with pytest.raises(DataError) as error:
        build_panel(spec_of(columns="x: , y: "), {"firms": raw(table)})
    assert "2 columns cannot be read" in str(error.value)
    assert "x: 2 cells are no number: n.a. (2)" in str(error.value) and "5 kg (1)" in str(error.value)
    panel = build_panel(spec_of(columns="x: {missing: [n.a.]}, y: {missing: [5 kg]}"), {"firms": raw(table)})
    assert panel.data["x"].isna().all() and panel.reading["cells"].tolist() == [2, 1]


def test_headers_that_are_not_there_are_all_said_at_once():
    with pytest.raises(DataError) as error:
        build(columns="y: 营业收人, z: xx")
    assert "2 columns cannot be taken" in str(error.value) and "y: no header '营业收人'" in str(error.value)


def test_a_header_that_stands_twice_is_asked_about():
    table = raw([["stock_code", "report_year", "x", "x"], ["1", 2019, 1, 2]])
    with pytest.raises(DataError, match="stands in columns 3, 4; which one is meant"):
        build_panel(spec_of(), {"firms": table})


def test_units_of_the_header_are_converted_to_those_wanted():
    table = [["stock_code", "report_year", "收入(万元)"], ["1", 2019, "1,200"]]
    panel = build_panel(spec_of(columns="x: {from: 收入, unit: yuan}"), {"firms": raw(table)})
    assert panel.data["x"].tolist() == [12_000_000] and panel.variables["x"].unit == "yuan"
    assert "万元 became yuan: times 10000" in panel.reading["what"].tolist()
    with pytest.raises(DataError, match="in 万元, the specification wants tonne"):
        build_panel(spec_of(columns="x: {from: 收入, unit: tonne}"), {"firms": raw(table)})


def test_years_across_the_header_become_rows():
    table = [["代码", "收入(万元) 2019", "收入(万元) 2020", "成本 2020"], ["1", "5", "6", "2"], ["2", "7", "", "3"]]
    words = """
panel: wide
sources:
  firms:
    path: x.csv
    wide: {pattern: '(?P<name>.+) (?P<year>\\d{4})'}
    columns: {stock_code: 代码, x: {from: 收入, unit: yuan}, cost: {from: 成本}}
start: firms
"""
    panel = build_panel(parse_panel_spec(words), {"firms": raw(table)})
    found = panel.data.set_index(["stock_code", "report_year"])
    assert found.loc[("000001", 2020), "cost"] == 2 and np.isnan(found.loc[("000001", 2019), "cost"])
    assert found["x"].dropna().to_dict() == {("000001", 2019): 5e4, ("000001", 2020): 6e4, ("000002", 2019): 7e4}


JOIN = """
panel: try
sources:
  firms:
    path: firms.csv
    columns: {stock_code: , report_year: , division: {kind: division}, x: }
  other:
    path: other.csv
    keys: [code]
    columns: {code: {kind: division}, y: , z: }
    repeated: RULE
start: firms
steps:
  - join: other
    on: {division: code}
    relationship: many_to_one
"""
FIRMS = [
    ["stock_code", "report_year", "division", "x"],
    ["1", 2019, "C39", 1],
    ["2", 2019, "39", 2],
    ["3", 2019, "C26", 3],
    ["4", 2019, None, 4],
]
OTHER = [["code", "y", "z"], ["39", 10, 1], ["06", 20, 2], ["31", 30, 3]]


def join(text: str = JOIN, firms: list[list] = FIRMS, other: list[list] = OTHER):
    spec = parse_panel_spec(text.replace("RULE", "error"))
    return build_panel(spec, {"firms": raw(firms), "other": raw(other)})


def test_a_join_reports_what_found_no_partner_on_both_sides():
    panel = join()
    assert [None if pd.isna(each) else each for each in panel.data["y"]] == [10, 10, None, None]
    report = panel.joins.iloc[0]
    assert (report["left_rows"], report["left_matched"], report["left_unmatched"]) == (4, 2, 1)
    assert (report["left_missing_key"], report["left_examples"]) == (1, "26")
    assert (report["right_matched"], report["right_unmatched"], report["right_examples"]) == (1, 2, "06; 31")
    assert panel.variables["y"].source == "other.csv"


def test_a_missing_key_matches_nothing():
    # pandas would match the two missing values.
    other = [*OTHER, ["39", 40, 4]]
    spec = parse_panel_spec(JOIN.replace("RULE", "first").replace("keys: [code]", "keys: [y]"))
    other = [["code", "y", "z"], [None, 99, 9], ["39", 10, 1]]
    panel = build_panel(spec, {"firms": raw(FIRMS), "other": raw(other)})
    assert panel.data["y"].isna().sum() == 2 and panel.joins.iloc[0]["right_missing_key"] == 1


def test_a_false_declaration_fails_with_the_keys():
    text = JOIN.replace("keys: [code]", "keys: [code, y]")
    twice = [*OTHER, ["39", 11, 5]]
    with pytest.raises(DataError) as error:
        join(text, other=twice)
    assert "the join with other is not many_to_one" in str(error.value)
    assert "in other 1 keys (code) stand more than once: 39 (2 times)" in str(error.value)
    with pytest.raises(DataError, match=r"in the panel 1 keys \(division\) stand more than once: 39 \(2 times\)"):
        join(JOIN.replace("many_to_one", "one_to_one"))


def test_rows_that_stay():
    matched = join(JOIN + "    keep: matched")
    assert matched.data["x"].tolist() == [1, 2]
    assert matched.sample_flow()["rows_removed"].tolist() == [0, 2]
    text = JOIN.replace("on: {division: code}", "on: {stock_code: code}").replace(
        "code: {kind: division}", "code: {kind: stock_code}"
    )
    with pytest.raises(DataError, match=r"no row is left|stand more than once|must not be missing"):
        join(text.replace("relationship", "keep: matched\n    relationship"), other=[["code", "y", "z"], ["9", 1, 1]])


def test_a_full_join_adds_the_rows_of_the_other_side():
    text = """
panel: try
sources:
  firms: {path: a.csv, columns: {stock_code: , report_year: , x: }}
  other: {path: b.csv, columns: {stock_code: , report_year: , y: }}
start: firms
steps:
  - {join: other, on: [stock_code, report_year], relationship: one_to_one, keep: both}
"""
    tables = {
        "firms": raw([["stock_code", "report_year", "x"], ["1", 2019, 1]]),
        "other": raw([["stock_code", "report_year", "y"], ["1", 2019, 2], ["2", 2020, 3]]),
    }
    panel = build_panel(parse_panel_spec(text), tables)
    assert panel.data["stock_code"].tolist() == ["000001", "000002"] and panel.data["report_year"].dtype == "int64"
    assert panel.sample_flow()["rows_removed"].tolist() == [0, -1]


def test_take_and_prefix():
    panel = join(JOIN + "    take: z\n    prefix: other_")
    assert panel.data.columns.tolist() == ["stock_code", "report_year", "division", "x", "other_z"]


def test_text_and_numbers_are_no_keys_of_each_other():
    text = JOIN.replace("code: {kind: division}", "code: {kind: number}")
    with pytest.raises(DataError, match="division holds text in the panel, code numbers in other"):
        join(text)


def test_every_check_that_fails_stands_in_one_message():
    extra = "checks:\n  x: {at_least: 2, at_most: 2, required: true}\n  name: {matches: '[A-Z]+', one_of: [A, B]}"
    table = raw(
        [["stock_code", "report_year", "x", "name"], ["1", 2019, 1, "A"], ["2", 2019, 3, "b"], ["3", 2019, None, "B"]]
    )
    with pytest.raises(DataError) as error:
        build_panel(spec_of(columns="x: , name: {kind: text}", extra=extra), {"firms": table})
    message = str(error.value)
    assert "panel.yml line 11: 5 checks fail" in message, message
    assert "greater_than_or_equal_to(2.0): 1 rows, for example 000001 2019 = 1.0" in message
    assert "less_than_or_equal_to(2.0): 1 rows, for example 000002 2019 = 3.0" in message
    assert "x: must not be missing: 1 rows" in message and "000003 2019" in message
    assert "name: str_matches" in message and "isin(['A', 'B'])" in message


def test_checks_that_do_not_fit_their_column():
    with pytest.raises(DataError, match="x holds numbers and cannot match a pattern"):
        build(extra="checks: {x: {matches: a}}")


def test_the_schema_is_one_that_users_can_go_on_with():
    panel = build()
    schema = panel_schema(panel.data, "stock_code", "report_year", {})
    schema.validate(panel.data)
    import pandera.errors

    with pytest.raises(pandera.errors.SchemaErrors):
        schema.validate(pd.concat([panel.data, panel.data], ignore_index=True), lazy=True)


def test_no_row_left_says_where_they_went():
    with pytest.raises(DataError, match=r"no row is left .*never: -3"):
        build("  - {keep: x > 100, because: never}")


def test_columns_of_a_source_taken_whole_are_checked_once_they_are_known():
    text = """
panel: try
sources: {firms: {path: a.dta}}
start: firms
steps:
  - define: {size: log(revenu)}
"""
    table = raw([["stock_code", "report_year", "revenue"], ["1", 2019, 5.0]], has_header=True)
    with pytest.raises(SpecError, match=r"line 6 .*there is no column 'revenu'. Did you mean 'revenue'"):
        build_panel(parse_panel_spec(text), {"firms": table})
    panel = build_panel(parse_panel_spec(text.replace("revenu)", "revenue)")), {"firms": table})
    assert panel.data["size"].tolist() == [pytest.approx(np.log(5))]


def test_years_in_the_headers_of_wind():
    table = [
        [
            "证券代码",
            "证券简称",
            "营业收入\n[报告期] 2019年报\n[单位] 万元",
            "营业收入\n[报告期] 2020年报\n[单位] 万元",
        ],
        ["000001.SZ", "平安银行", 5, 6],
        ["600519.SH", "贵州茅台", 7, None],
        ["数据来源：Wind", None, None, None],
    ]
    words = """
panel: wind
sources:
  firms:
    path: x.xlsx
    wide: {pattern: '(?P<name>.+)\\n\\[报告期\\] (?P<year>\\d{4})年报'}
    columns: {stock_code: 证券代码, x: {from: 营业收入, unit: yuan}}
start: firms
steps: [{complete: x}]
"""
    panel = build_panel(parse_panel_spec(words), {"firms": raw(table)})
    assert panel.data.to_numpy().tolist() == [["000001", 2019, 5e4], ["000001", 2020, 6e4], ["600519", 2019, 7e4]]


def test_a_lag_needs_its_keys():
    text = """
panel: x
sources:
  a: {path: a.csv, columns: [stock_code, report_year]}
  b: {path: b.csv, keys: [code], columns: [code, y], define: {z: lag(y)}}
start: a
steps: [{join: b, on: {stock_code: code}, relationship: many_to_one}]
"""
    tables = {"a": raw([["stock_code", "report_year"], [1, 2019]]), "b": raw([["code", "y"], ["1", 2]])}
    with pytest.raises(SpecError, match=r"line 5 .*needs the column stock_code and report_year"):
        build_panel(parse_panel_spec(text), tables)


def test_output_chooses_and_orders_the_columns():
    panel = build(extra="output: [x, stock_code, report_year]")
    assert panel.data.columns.tolist() == ["stock_code", "report_year", "x"]


def test_the_same_tables_give_the_same_panel_and_are_not_changed():
    rows = [["1", 2019, 1], ["1", 2020, 2], ["2", 2019, 3]]
    table = raw([["stock_code", "report_year", "x"], *rows])
    before = table.cells.copy()
    steps = "  - {winsorise: x}\n  - {define: {y: lag(x)}}\n  - {blank: x, where: x > 2, because: z}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (build_panel(spec_of(steps), {"firms": table}) for _ in range(2))
    pd.testing.assert_frame_equal(first.data, second.data)
    pd.testing.assert_frame_equal(table.cells, before)
    assert first.summary() == second.summary()


def test_places_of_a_source_can_be_its_key():
    text = """
panel: city
firm: prefecture_code
year: year
sources:
  cities: {path: a.csv, columns: {year: , city: {kind: text}, x: }, places: [{places: city}]}
start: cities
"""
    rows = [["year", "city", "x"], [2019, "河北保定", 1], [2019, "北京", 2], [2019, "火星", 3]]
    panel = build_panel(parse_panel_spec(text), {"cities": raw(rows)})
    assert panel.data["prefecture_code"].tolist() == ["110000", "130600"]
    assert panel.sample_flow()["what"].tolist()[1] == "no prefecture_code"
    assert "1 different texts without one place, for example 火星" in panel.definitions.iloc[0]["missing_because"]
