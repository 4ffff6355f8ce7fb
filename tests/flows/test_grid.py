"""A grid of declared indices over a store: values by hand, from one pass, and the same as the plain measures."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from test_parts import pages
from world import World, text_report

from flows.grid import GRID_FILES, GridParameters, kinds_sql, load_grid, load_industries, load_others, measure_grid
from flows.tables import SCHEMAS
from shuzhi import StoreError, UsageError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect")]

FLAGS = ("org_name", "false_sense", "negated", "person", "other_party")


def declare(world: World, text: str) -> str:
    path = world.root / "grid.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def compute(world: World, text: str, **given: object) -> pd.DataFrame:
    """Compute a grid and return its values, one row a firm-year and index."""
    measure_grid(
        GridParameters(
            store=str(world.root / "store"), grid=declare(world, text), out=str(world.out), workers=2, **given
        )
    )
    return read(world, "grid.csv")


def read(world: World, name: str) -> pd.DataFrame:
    return pd.read_csv(world.out / name, dtype={"stock_code": str}, encoding="utf-8-sig", keep_default_na=False)


def values(frame: pd.DataFrame) -> dict[tuple[str, str], float | None]:
    """Return the value by index and firm; None where it is missing."""
    rows = frame[["index", "stock_code", "value"]].itertuples(index=False, name=None)
    return {(index, code): None if value == "" else float(value) for index, code, value in rows}


@pytest.fixture
def stored(world: World) -> World:
    """Read one report with sections, one without, and one that cannot be read."""
    world.put("000001_2019_年度报告.txt", "\f".join(pages()))
    world.put("000002_2019_年度报告.txt", text_report(大数据=2, 云计算=1))
    world.put("000003_2019_年度报告.pdf", b"<html>404</html>")
    world.put("000002_2020_年度报告.txt", text_report(人工智能=4))
    world.read()
    return world


PLAIN = """\
base: {dictionary: wu2021}
vary:
  scope: [report, body, mda, without_financial_report]
  transform: ["", log1p, per_10k_chars, per_1k_tokens, sentence_share]
"""


def test_the_plain_measures_come_out_as_measure_has_them(stored: World):
    found = compute(stored, PLAIN)
    stored.measure(scopes=["report", "body", "mda", "without_financial_report"])
    stored.export()
    long = stored.table("indices_long")
    long = long[long["dimension"] == "total"].set_index(["scope", "measure", "stock_code", "report_year"])
    assert len(found) == 4 * 5 * 4
    for row in found.to_dict("records"):
        measure = row["transform"] or "count"
        other = long.loc[(row["scope"], measure, row["stock_code"], row["report_year"])]
        if pd.isna(other["value"]):
            assert (row["value"], row["reason"]) == ("", other["reason"])
        else:
            assert float(row["value"]) == pytest.approx(other["value"], rel=1e-12)
            assert row["reason"] == ""


def test_tf_idf_and_trimming_by_hand(stored: World):
    grid = """\
indices:
  - dictionary=wu2021 weighting=tfidf fit_years=2019 name=tfidf
  - dictionary=wu2021 transform=trim:0.34 name=trimmed
"""
    found = compute(stored, grid)
    got = values(found[found["report_year"] == 2019])
    # Two readable reports of 2019: 大数据 and 云计算 in both, the other two in one.
    rare = np.log(3 / 2) + 1
    assert got[("tfidf", "000001")] == pytest.approx(3 + 2 + 2 * rare)
    assert got[("tfidf", "000002")] == pytest.approx(3)
    later = values(found[found["report_year"] == 2020])
    assert later[("tfidf", "000002")] == pytest.approx(4 * rare)
    # Totals 7, 3 and 4: 3 × 0.34 is 1.02, so the limits are the second and the second-last value, both 4.
    assert got[("trimmed", "000001")] is None
    assert got[("trimmed", "000002")] is None
    specs = read(stored, "grid_specs.csv").set_index("index")
    assert specs.loc["trimmed", ["n", "missing", "trimmed"]].astype(int).tolist() == [1, 3, 2]
    reasons = found.set_index(["index", "stock_code", "report_year"])["reason"]
    assert reasons[("trimmed", "000001", 2019)] == "trimmed: beyond the extreme 34 % of all"
    assert reasons[("tfidf", "000003", 2019)].startswith("a web page")
    weights = read(stored, "grid_weights.csv").set_index("column")["weight"].astype(float)
    assert weights["大数据"] == pytest.approx(1)
    assert weights["区块链"] == pytest.approx(rare)


def add_kinds(world: World) -> pd.DataFrame:
    """Write what kind each hit is of into the store; return all hits."""
    (measured,) = world.store.current_measurements()
    frames = []
    for part in world.store.parts("hits", measured["key"]):
        table = world.store.read_part("hits", measured["key"], part)
        hits = table.to_pandas()
        in_accounts = hits["section"] == "financial_report"
        columns = {name: np.zeros(len(hits), dtype=bool) for name in FLAGS}
        columns["negated"] = (in_accounts & (hits["term"] == "云计算")).to_numpy()
        is_plan = (hits["term"] == "区块链").to_numpy()
        columns["own_done"] = np.where(is_plan, 0.05, np.where(in_accounts, 0.2, 0.9))
        columns["is_published"] = ~columns["negated"]
        is_text = (hits["furniture"] == "").to_numpy()
        columns["is_strict"] = ~columns["negated"] & is_text & (columns["own_done"] >= 0.5)
        for name, column in columns.items():
            if name in table.column_names:
                table = table.drop_columns([name])
            table = table.append_column(name, pa.array(column))
        world.store.write_part("hits", measured["key"], part, table)
        frames.append(table.to_pandas())
    return pd.concat(frames, ignore_index=True)


def test_kept_kinds_by_hand(stored: World):
    stored.measure()
    add_kinds(stored)
    grid = """\
base: {dictionary: wu2021}
vary: {scope: [report, body], kinds: [raw, published, strict]}
indices: ["kinds=strict done_threshold=0.1 name=all_done", "kinds=strict transform=sentence_share name=share"]
"""
    got = values(compute(stored, grid))
    # 1 in the glossary, 1 in the business section, 3 in the discussion, 2 in the accounts; one of these is negated,
    # one of the discussion a plan; neither the glossary nor what is not done is strict.
    expected = {"report": (7, 6, 3), "body": (6, 5, 3)}
    names = {"raw": "count", "published": "published_total_count", "strict": "strict_total_count"}
    for (scope, numbers), place in itertools.product(expected.items(), range(3)):
        kind = ("raw", "published", "strict")[place]
        middle = "" if scope == "report" else f"{scope}_"
        name = f"wu2021_{middle}{'total_count' if kind == 'raw' else names[kind]}"
        assert got[(name, "000001")] == numbers[place], name
    # With a low threshold the 大数据 of the accounts counts too.
    assert got[("all_done", "000001")] == 4
    assert got[("share", "000001")] > 0
    sentences = read(stored, "grid.csv")
    assert set(sentences["kinds"]) == {"raw", "published", "strict"}


def test_hits_that_were_never_judged_are_not_left_out_in_silence(stored: World):
    stored.measure()
    add_kinds(stored)
    (measured,) = stored.store.current_measurements()
    (part,) = stored.store.parts("hits", measured["key"])
    table = stored.store.read_part("hits", measured["key"], part)
    unknown = pa.array([None] * len(table), pa.bool_())
    stored.store.write_part(
        "hits", measured["key"], part, table.drop_columns(["is_strict"]).append_column("is_strict", unknown)
    )
    with pytest.raises(StoreError, match=r"hits of store .* say not what kind"):
        compute(stored, "indices: [dictionary=wu2021 kinds=published]")


def test_kinds_need_their_columns():
    assert kinds_sql("raw", 0, []) == "TRUE"
    assert kinds_sql("published", 0, ["is_published"]) == "is_published"
    assert kinds_sql("strict", 0, ["is_strict"]) == "is_strict"
    with pytest.raises(UsageError, match="kinds: published needs is_published, which the hits"):
        kinds_sql("published", 0, ["negated"])
    strict = kinds_sql("strict", 0.7, ["is_strict"])
    assert strict.startswith("(own_done >= 0.7 AND furniture = ''")
    assert all(f"NOT {name}" in strict for name in FLAGS)


def test_industries_come_from_the_users_table(stored: World):
    table = stored.root / "industries.csv"
    table.write_text("stock_code,industry\n1,C39\n000002,C39\n", encoding="utf-8")
    grid = "indices: ['dictionary=wu2021 transform=demean name=demeaned']"
    found = compute(stored, grid, industries=str(table)).set_index(["stock_code", "report_year"])
    # 2019: totals 7 and 3; alone in 2020.
    assert [float(found.loc[(code, 2019), "value"]) for code in ("000001", "000002")] == [2, -2]
    assert found.loc[("000002", 2020), "reason"] == "fewer than two firms in its industry-year"
    with pytest.raises(UsageError, match="give a table with stock_code, industry"):
        compute(stored, grid)


def test_correlations_are_those_of_the_written_values(stored: World):
    compute(stored, PLAIN)
    wide = read(stored, "grid.csv").pivot(index=["stock_code", "report_year"], columns="index", values="value")
    wide = wide.replace("", np.nan).astype(float)
    found = read(stored, "grid_correlations.csv")
    assert len(found) == 20 * 19 / 2
    row = found[(found["index_a"] == "wu2021_total_log1p") & (found["index_b"] == "wu2021_body_total_log1p")].iloc[0]
    both = wide[["wu2021_total_log1p", "wu2021_body_total_log1p"]].dropna()
    assert int(row["n"]) == len(both) == 3
    assert float(row["pearson"]) == pytest.approx(np.corrcoef(both.to_numpy().T)[0, 1])
    assert float(row["spearman"]) == pytest.approx(both.corr("spearman").iloc[0, 1])
    # The discussion was found in one report alone.
    with_mda = found[found["index_b"] == "wu2021_mda_total_count"]
    assert set(with_mda["spearman"]) == {""}
    page = (stored.out / "grid.md").read_text(encoding="utf-8")
    assert "20 indices over the same firm-years" in page
    assert "lowest" in page


def test_the_same_grid_gives_the_same_bytes(stored: World):
    compute(stored, PLAIN)
    before = {name: (stored.out / name).read_bytes() for name in GRID_FILES}
    compute(stored, PLAIN)
    assert before == {name: (stored.out / name).read_bytes() for name in GRID_FILES}


def test_years_leave_the_others_out_of_everything(stored: World):
    found = compute(stored, "indices: ['dictionary=wu2021 weighting=tfidf']", years="2020")
    assert found[["stock_code", "report_year"]].to_numpy().tolist() == [["000002", 2020]]
    # One report: the term is in 1 of 1.
    assert float(found["value"].iloc[0]) == pytest.approx(4)
    with pytest.raises(StoreError, match="no report of these years"):
        compute(stored, "indices: ['dictionary=wu2021']", years="2001")


def test_several_lists_and_rules_are_measured_as_the_grid_needs_them(stored: World):
    own = stored.dictionary("大数据", "大数据平台")
    grid = """\
base: {dictionary: mine}
vary: {rule: [longest, substring]}
indices: [dictionary=wu2021]
"""
    got = values(compute(stored, grid, dictionary_folder=own["dictionary_folder"]))
    # The discussion holds 大数据平台: one hit by the longest term, two by substrings; 大数据 twice more.
    assert got[("mine_total_count", "000001")] == 3
    assert got[("mine_substring_total_count", "000001")] == 4
    assert got[("wu2021_total_count", "000001")] == 7


def test_the_share_of_sentences_is_of_the_dimension_it_is_asked_for(stored: World):
    grid = "indices: ['dictionary=wu2021 dimension=cloud transform=sentence_share name=cloud', 'dictionary=wu2021']"
    found = compute(stored, grid).set_index(["index", "stock_code", "report_year"])
    documents = stored.store.query(SCHEMAS, "SELECT stock_code, report_year, sentences FROM documents WHERE is_used")
    sentences = documents.set_index(["stock_code", "report_year"])["sentences"]
    # 云计算 stands in the business section and in the accounts; once in the report without sections; then never.
    for firm_year, hits in {("000001", 2019): 2, ("000002", 2019): 1, ("000002", 2020): 0}.items():
        assert float(found.loc[("cloud", *firm_year), "value"]) == pytest.approx(hits / sentences[firm_year])


def test_validity_stands_beside_the_values(stored: World):
    own = stored.dictionary("大数据", "人工智能")
    table = stored.root / "staff.csv"
    table.write_text("stock_code,report_year,rd\n1,2019,0.3\n2,2019,0.1\n2,2020,0.2\n", encoding="utf-8")
    grid = "indices: ['dictionary=wu2021 transform=log1p name=a', 'dictionary=mine name=b']"
    compute(stored, grid, dictionary_folder=own["dictionary_folder"], others=str(table), draws=20)
    found = read(stored, "grid_validity.csv").set_index(["statistic", "index", "other"])
    values_of = read(stored, "grid.csv").replace("", np.nan)
    wide = values_of.pivot(index=["stock_code", "report_year"], columns="index", values="value").astype(float)
    expected = wide["a"].corr(wide["b"])
    assert float(found.loc[("convergent_pearson", "a", "b"), "estimate"]) == pytest.approx(expected)
    staff = pd.Series({("000001", 2019): 0.3, ("000002", 2019): 0.1, ("000002", 2020): 0.2})
    staff = staff.rename_axis(wide.index.names)
    with_rd = found.loc[("convergent_pearson", "a", "rd")]
    assert float(with_rd["estimate"]) == pytest.approx(wide["a"].corr(staff))
    assert (int(with_rd["n"]), int(with_rd["firms"])) == (3, 2)
    # 大数据 3, 2 and 0 times, 人工智能 1, 0 and 4 times: variances 7/3 and 13/3; sums 4, 2 and 4, variance 4/3.
    alpha = float(found.loc[("cronbach_alpha", "b", ""), "estimate"])
    assert alpha == pytest.approx(2 * (1 - (7 / 3 + 13 / 3) / (4 / 3)))
    assert "split_half" in found.index.get_level_values("statistic")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_grid(str(tmp_path / "none.yml"))
    table = tmp_path / "t.csv"
    table.write_text("stock_code,industry\n1,A\n1,B\n", encoding="utf-8")
    with pytest.raises(UsageError, match="000001 has two industries"):
        load_industries(str(table))
    table.write_text("code,industry\n1,A\n", encoding="utf-8")
    with pytest.raises(UsageError, match="needs the columns stock_code and industry"):
        load_industries(str(table))
    assert load_industries("") is None
    table.write_text("stock_code,report_year,rd\n1,2019,1\n1,2019,2\n", encoding="utf-8")
    with pytest.raises(UsageError, match="000001 2019 stands twice"):
        load_others(str(table))
