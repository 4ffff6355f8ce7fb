"""The scripts for Stata and R: every name is legal and defined, R itself reads them and takes the same rows."""

import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from econometrics.instrument import instrument
from econometrics.regress import regress
from econometrics.replication import ModelSpec, model_specs
from econometrics.replication.models import is_stata_name
from econometrics.replication.r import r_script
from econometrics.replication.stata import stata_do_file
from shuzhi import DataError

NAMES = {"企业规模": "size_zh", "digital_transformation_log1p_of_the_whole_report": "digital"}
DIGITAL = "digital_transformation_log1p_of_the_whole_report"


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """A panel with singletons, missing values, codes with leading zeros and a column called group_1."""
    draw = np.random.default_rng(11)
    rows = 900
    frame = pd.DataFrame(
        {
            "stock_code": [f"{code:06d}" for code in draw.integers(1, 160, rows)],
            "report_year": draw.integers(2010, 2020, rows),
            "city": [f"{code:04d}" for code in draw.integers(1, 40, rows)],
            "group_1": draw.normal(size=rows),
            "企业规模": draw.normal(size=rows),
            "weight": draw.uniform(1, 2, size=rows),
        }
    ).drop_duplicates(["stock_code", "report_year"], ignore_index=True)
    frame["industry"] = "C" + frame["stock_code"].str[-1:]
    frame[DIGITAL] = frame["group_1"] + draw.normal(size=len(frame))
    frame["carbon"] = 0.5 * frame[DIGITAL] + draw.normal(size=len(frame))
    frame["is_large"] = (frame["企业规模"] > 0).astype(int)
    frame.loc[3:9, "企业规模"] = np.nan
    return frame


@pytest.fixture(scope="module")
def results(panel):
    firm = {"fixed_effects": ["stock_code", "report_year"], "cluster": "stock_code"}
    wide = {"fixed_effects": ["stock_code", "industry^report_year"], "cluster": ["stock_code", "report_year"]}
    large = panel[panel["is_large"] == 1]
    return [
        regress(panel, "carbon", [DIGITAL, "企业规模"], **firm),
        regress(panel, "carbon", [DIGITAL, "企业规模"], **wide),
        regress(large, "carbon", DIGITAL, **firm),
        regress(panel, "carbon", DIGITAL, weights="weight", fixed_effects="city"),
        regress(panel, "carbon", DIGITAL, cluster="city", standard_errors="wild", draws=199, seed=5),
        instrument(panel, "carbon", DIGITAL, "group_1", exogenous="企业规模", **firm),
        instrument(panel, "carbon", DIGITAL, "group_1", cluster="city"),
    ]


@pytest.fixture(scope="module")
def specs(results):
    return model_specs(results, samples=["", "", "is_large", "", "", "", ""], titles=["基准 */ /* // \n x", *[""] * 6])


@pytest.fixture(scope="module")
def do_file(specs):
    return stata_do_file(specs, names=NAMES, firm="stock_code", year="report_year", title="主表")


@pytest.fixture(scope="module")
def script(specs):
    return r_script(specs, names=NAMES, title="主表")


def commands(do_file: str) -> list[str]:
    return [line for line in do_file.splitlines() if re.match(r"(reghdfe|ivreghdfe|ivreg2) ", line)]


# ------------------------------------------------------------------------------------------------- Stata


def test_every_model_becomes_the_command_it_should(do_file):
    # group_1 is a column of the panel, so that the numbered groups begin with 2.
    assert commands(do_file) == [
        "reghdfe carbon digital size_zh, absorb(group_2 group_3) vce(cluster group_2)",
        "reghdfe carbon digital size_zh, absorb(group_2 group_4) vce(cluster group_2 group_3)",
        "reghdfe carbon digital if is_large == 1, absorb(group_2 group_3) vce(cluster group_2)",
        "reghdfe carbon digital [aweight = weight], absorb(group_5) vce(robust)",
        "reghdfe carbon digital, noabsorb vce(cluster group_5)",
        "ivreghdfe carbon size_zh (digital = group_1), absorb(group_2 group_3) cluster(group_2) ffirst",
        "ivreg2 carbon (digital = group_1), small cluster(group_5) ffirst",
    ]
    assert "egen long group_4 = group(industry report_year)" in do_file
    assert "xtset group_2 report_year" in do_file
    assert "boottest digital, reps(199) seed(5) nograph" in do_file


def test_every_name_is_legal_and_known_before_it_is_used(do_file, panel):
    known = {NAMES.get(name, name) for name in panel.columns}
    for line in do_file.splitlines():
        made = re.fullmatch(r"egen long (\w+) = group\(([\w ]+)\)", line)
        if made:
            assert set(made[2].split()) <= known and made[1] not in known
            known.add(made[1])
        elif line in commands(do_file):
            bare = re.sub(
                r"\b(reghdfe|ivreghdfe|ivreg2|if|aweight|absorb|noabsorb|vce|cluster|robust|small|ffirst)\b", " ", line
            )
            names = set(re.findall(r"[^\s(),=\[\]]+", bare)) - {"1"}
            assert names <= known and all(map(is_stata_name, names))
            assert line.count("(") == line.count(")")
    assert all(len(line) < 500 for line in do_file.splitlines())
    assert do_file.splitlines()[0] == "* 主表"


def test_estimates_are_compared_in_full_precision(do_file, results):
    found = re.findall(r"^compare_estimate m1 (\w+) (\S+) (\S+)$", do_file, flags=re.M)
    expected = {NAMES[name]: results[0].coefficients[name] for name in results[0].coefficients.index}
    assert {name: float(value) for name, value, _ in found} == expected
    assert float(found[0][2]) == results[0].standard_errors[DIGITAL]


def test_comments_cannot_end_or_begin_one(do_file):
    first = next(line for line in do_file.splitlines() if line.startswith("* m1"))
    assert first == "* m1: 基准 x"


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("size", True),
        ("_x1", True),
        ("a" * 32, True),
        ("a" * 33, False),
        ("企业", False),
        ("1st", False),
        ("my var", False),
        ("if", False),
        ("_cons", False),
        ("str12", False),
        ("NULL", False),
        ("", False),
        ("size\n", False),
    ],
)
def test_names_of_both_programs(name, legal):
    assert is_stata_name(name) is legal


def test_illegal_names_are_all_named(specs):
    with pytest.raises(DataError, match=rf"'{DIGITAL}' is no Stata name.*'企业规模' is no Stata name"):
        stata_do_file(specs)
    with pytest.raises(DataError, match="'same' stands for several columns"):
        r_script(specs, names={DIGITAL: "same", "企业规模": "same"})
    with pytest.raises(DataError, match="plain file name"):
        stata_do_file(specs, names=NAMES, data='x" , clear\nshell rm')
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        r_script(specs, names=NAMES, data="panel.dta")
    with pytest.raises(DataError, match="2 results need as many samples"):
        model_specs([specs, specs], samples=[""])


def test_the_same_models_give_the_same_scripts(results):
    specs = [ModelSpec("m1", "y", ("x",), cluster=("firm",)), ModelSpec("m2", "y", (), ("e",), ("z",), ("firm",))]
    assert stata_do_file(specs) == stata_do_file(specs)
    assert 'feols(y ~ 1 | firm | e ~ z, data = rows, vcov = "iid")' in r_script(specs)


# ----------------------------------------------------------------------------------------------------- R


def r(code: str, folder) -> str:
    if shutil.which("Rscript") is None:
        pytest.skip("needs Rscript")
    (folder / "run.R").write_text(code, encoding="utf-8")
    command = ["Rscript", "--vanilla", "--encoding=UTF-8", "run.R"]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_formulas_of_fixest(script):
    assert re.findall(r"feols\((.*), data = rows, vcov = (.*)\)", script) == [
        ("carbon ~ digital + size_zh | stock_code + report_year", "~stock_code"),
        ("carbon ~ digital + size_zh | stock_code + industry^report_year", "~stock_code + report_year"),
        ("carbon ~ digital | stock_code + report_year", "~stock_code"),
        ("carbon ~ digital | city", '"hetero", weights = ~weight'),
        ("carbon ~ digital", "~city"),
        ("carbon ~ size_zh | stock_code + report_year | digital ~ group_1", "~stock_code"),
        ("carbon ~ 1 | digital ~ group_1", "~city"),
    ]
    assert 'compare_estimate(m6, "m6", "fit_digital"' in script


def test_r_takes_the_same_rows_from_the_exported_panel(script, panel, results, tmp_path):
    panel.to_csv(tmp_path / "panel.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    kept = [
        line for line in script.splitlines() if not re.match(r"library|print|compare_estimate\(m|m\d+ <- feols", line)
    ]
    kept = [re.sub(r"^(rows <- .*)$", r"\1; cat(nrow(rows), '')", line) for line in kept]
    out = r("\n".join([*kept, "cat('|', panel$stock_code[1], panel$city[1])"]), tmp_path)
    counts, _, codes = out.partition("|")
    assert [int(count) for count in counts.split()] == [result.observations for result in results]
    assert codes.split() == [panel["stock_code"][0], panel["city"][0]]


def test_r_parses_the_whole_script(script, tmp_path):
    (tmp_path / "main.R").write_text(script, encoding="utf-8")
    assert r('cat(length(parse("main.R", encoding = "UTF-8")))', tmp_path).strip().isdigit()
