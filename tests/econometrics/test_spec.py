"""The specification of a study: what it takes, what it refuses, and where it says that the fault lies."""

from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from econometrics.spec import StudySpec, parse_study_spec
from econometrics.spec.columns import plan_study
from econometrics.spec.models import checks_of, full_mediation, full_model
from econometrics.study.sample import prepare_sample
from shuzhi import DataError, SpecError

STUDIES = Path(str(files("econometrics") / "studies"))
GOOD = """\
study: try
defaults: {fixed_effects: [firm, year], cluster: firm, controls: [size, debt], seed: 7}
panel: {firm: firm, year: year}
variables:
  size: {label_en: Size}
  ratio: size / debt
sample:
  - keep: year > 2000
    because: earlier years are odd
  - winsorise: [carbon, size]
models:
  plain: {outcome: carbon, regressors: cluster, controls: []}
  full: {based_on: plain, controls: [size, debt]}
  wide: {based_on: full, fixed_effects: [firm, industry^year], where: size > 1}
mediation:
  channel: {model: full, mediators: digital}
heterogeneity:
  owner: {model: full, by: owner, mediation: channel}
tables:
  main: {kind: models, parts: [plain, full, wide], options: {digits: 4}}
"""
COLUMNS = ["firm", "year", "industry", "carbon", "cluster", "digital", "size", "debt", "owner"]


def problems(text: str, columns: list[str] | None = None) -> list[str]:
    """Return the lines of the error, without the first."""
    with pytest.raises(SpecError) as raised:
        plan_study(parse_study_spec(text, "try.yml"), COLUMNS if columns is None else columns)
    first, *rest = str(raised.value).splitlines()
    assert first == f"try.yml: {len(rest)} problem{'s' if len(rest) > 1 else ''}"
    return [" ".join(line.split()) for line in rest]


def test_what_is_not_given_comes_from_the_other_model_and_then_from_the_defaults():
    spec = parse_study_spec(GOOD)
    wide, plain = full_model(spec, "wide"), full_model(spec, "plain")
    assert (wide.outcome, wide.regressors, wide.controls) == ("carbon", ("cluster",), ("size", "debt"))
    assert (wide.fixed_effects, wide.cluster, wide.where) == (("firm", "industry^year"), ("firm",), "size > 1")
    assert (plain.controls, plain.fixed_effects, plain.where) == ((), ("firm", "year"), None)
    mediation = full_mediation(spec, "channel")
    assert (mediation.outcome, mediation.treatment, mediation.mediators) == ("carbon", "cluster", ("digital",))
    assert (mediation.controls, mediation.seed, mediation.draws) == (("size", "debt"), 7, 1000)


def test_a_regressor_of_a_model_is_no_control_of_it_too():
    text = GOOD.replace("regressors: cluster, controls: []", "regressors: [cluster, size]")
    assert full_model(parse_study_spec(text), "plain").controls == ("debt",)


def test_every_problem_is_said_at_once_with_its_line_and_the_nearest_name():
    text = GOOD.replace("based_on: plain, controls", "based_on: plian, controls").replace(
        "by: owner, med", "by: ownr, med"
    )
    text = text.replace("mediators: digital", "mediatros: digital").replace("digits: 4", "digts: 4")
    assert problems(text) == [
        "line 16 mediation.channel.mediators: is missing; it must be given",
        "line 16 mediation.channel.mediatros: no such key. Did you mean 'mediators'?",
    ]
    assert problems(text.replace("mediatros", "mediators")) == [
        "line 13 models.full.based_on: there is no model 'plian'. Did you mean 'plain'?",
        "line 20 tables.main.options.digts: there is no option of a table of kind models 'digts'."
        " Did you mean 'digits'?",
    ]


def test_unknown_columns_are_said_once_where_they_are_written():
    text = GOOD.replace("[size, debt], seed", "[size, dept], seed").replace("outcome: carbon", "outcome: carbn")
    text = text.replace("full: {based_on: plain, controls: [size, debt]}", "full: {based_on: plain, controls: [sise]}")
    text = text.replace("size > 1", "siz > 1").replace("by: owner", "by: ownr").replace("year > 2000", "yaer > 2000")
    assert problems(text) == [
        "line 8 sample.1.keep: there is no column 'yaer'. Did you mean 'year'?",
        "line 12 models.plain.outcome: there is no column 'carbn'. Did you mean 'carbon'?",
        "line 13 models.full.controls: there is no column 'sise'. Did you mean 'size'?",
        "line 14 models.wide.where: there is no column 'siz'. Did you mean 'size'?",
        "line 18 heterogeneity.owner.by.column: there is no column 'ownr'. Did you mean 'owner'?",
    ]


def test_what_is_random_needs_a_seed():
    found = problems(GOOD.replace(", seed: 7", ""))
    assert [line.split(":")[0] for line in found] == ["line 16 mediation.channel", "line 18 heterogeneity.owner"]
    assert all("needs a seed" in line for line in found)
    # Analytic intervals draw nothing.
    text = GOOD.replace(", seed: 7", "").replace("mediators: digital", "mediators: digital, interval: sobel")
    text = text.replace("mediation: channel}", "permute: none}")
    assert plan_study(parse_study_spec(text), COLUMNS).names["mediation"] == ("channel",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("plain: {", "plain: {based_on: wide, ", "models are based on each other in a circle"),
        ("outcome: carbon, ", "", "has no outcome, nor has a model it is based on"),
        ("cluster, controls: []", "cluster, controls: [], instruments: [debt]", "belong together"),
        (
            "cluster, controls: []",
            "cluster, controls: [], endogenous: [size], instruments: [debt]",
            "no regressor 'size'",
        ),
        ("cluster: firm,", "standard_errors: cr2,", "needs cluster:"),
        ("mediators: digital", "mediators: carbon", "is also outcome or treatment"),
        ("mediators: digital", "mediators: digital, cluster: [firm, year]", "a bootstrap draws one kind of cluster"),
        ("by: owner,", "by: {cut: size},", "cut: and at: belong together"),
        ("by: owner,", "by: {column: owner, policy: year},", "give one of column, cut"),
        ("kind: models, parts: [plain, full, wide]", "kind: models", "names no parts"),
        ("digits: 4", "digits: four", "Input should be a valid integer"),
        ("digits: 4", "below: under", "Input should be 'standard_error'"),
        ("digits: 4", "stars: [a]", "tables.main.options.stars"),
        ("kind: models,", "kind: modles,", "Input should be 'descriptive'"),
        ("year > 2000", "year >", "is no formula"),
        ("industry^year", "industry-year", "no interaction of columns"),
        ("ratio: size / debt", "size2: size / debt\n  size2: size", "stands twice"),
        ("ratio: size / debt", "debt: size / 2", "there is a column 'debt' already"),
    ],
)
def test_what_cannot_work_is_refused(old, new, said):
    assert GOOD.count(old) >= 1
    assert any(said in line for line in problems(GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    "text", ["", "[]", "study", "study: 1", "study: x\nmodels: {}", "a: &a [*a]", "study: x\nmodels: {a: }"]
)
def test_what_is_no_study_is_refused_in_words(text):
    with pytest.raises(SpecError):
        parse_study_spec(text)


def test_checks_are_read_with_their_lines_and_take_the_seed_of_the_study():
    battery = (
        "robustness:\n  all:\n    model: full\n    checks:\n      - lag: 1\n      - placebo: firms\n      - CHECK\n"
    )
    spec = parse_study_spec(GOOD + battery.replace("CHECK", "placebo: {scheme: rows, seed: 3}"))
    (_, first), (_, placebo), (_, own) = checks_of(spec, "all")[0]
    assert (first.kind, placebo.seed, placebo.draws, own.seed) == ("lag", 7, 1000, 3)
    assert problems(GOOD + battery.replace("CHECK", "winsorize: 0.01")) == [
        "line 27 robustness.all.checks.3.winsorize: no such check. Did you mean 'winsorise'?"
    ]
    assert problems(GOOD + battery.replace("CHECK", "outcome: carbn")) == [
        "line 27 robustness.all.checks.3: there is no column 'carbn'. Did you mean 'carbon'?"
    ]


OPTIONAL = GOOD.replace("  ratio: size / debt", "  digital: {optional: true, description: words}\n  words: digital + 1")


def test_an_optional_column_that_is_missing_is_an_error_unless_it_may_be_skipped():
    columns = [name for name in COLUMNS if name != "digital"]
    found = problems(OPTIONAL, columns)
    assert [line.split(":")[0] for line in found] == [
        "line 7 variables.words.formula",
        "line 17 mediation.channel.mediators",
    ]
    assert all("the panel has no column 'digital'; supply it, or write skip_missing: true" in line for line in found)
    plan = plan_study(parse_study_spec(OPTIONAL + "skip_missing: true\n"), columns)
    assert plan.names["models"] == ("plain", "full", "wide")
    assert plan.names["mediation"] == plan.names["heterogeneity"] == ()
    assert [(each.part, each.name, each.line) for each in plan.skipped] == [
        ("variables", "digital", 6),
        ("variables", "words", 7),
        ("mediations", "channel", 17),
        ("groups", "owner", 19),
    ]
    assert "the panel has no column 'digital', words" in plan.skipped[0].message


def test_skipping_does_not_hide_a_column_that_is_misspelt():
    text = OPTIONAL.replace("outcome: carbon", "outcome: carbn") + "skip_missing: true\n"
    assert problems(text, [name for name in COLUMNS if name != "digital"]) == [
        "line 13 models.plain.outcome: there is no column 'carbn'. Did you mean 'carbon'?"
    ]


def test_policies_and_groups_come_from_facts_by_their_codes():
    """A step that needs another source belongs to the panel; its columns may have labels, and no second column."""
    step = "  - industry_groups: industry\nmodels:"
    plan = plan_study(parse_study_spec(GOOD.replace("models:", step, 1)), COLUMNS)
    assert {"is_heavy_pollution", "is_high_energy"} <= set(plan.columns)
    labelled = GOOD.replace("variables:", "variables:\n  is_high_energy: {label_en: Energy}").replace(
        "models:", step, 1
    )
    assert plan_study(parse_study_spec(labelled), COLUMNS).columns == plan.columns
    twice = problems(GOOD.replace("models:", step, 1), [*COLUMNS, "is_high_energy"])
    assert twice == ["line 11 sample.3: there is a column 'is_high_energy' already; give another name"]
    own = "  - {policy: own, place: industry, name: zone, cohorts: {source: zones, place: a, year: b}}\nmodels:"
    assert "'zones' is another source" in problems(GOOD.replace("models:", own, 1))[0]


def panel(rows: int = 60) -> pd.DataFrame:
    """Return firms of six years with two owners, the second of one firm alone."""
    firms = rows // 6
    frame = pd.DataFrame(
        {"firm": [f"{number // 6:06d}" for number in range(rows)], "year": [2001 + n % 6 for n in range(rows)]}
    )
    code = frame["firm"].astype(int)
    for place, name in enumerate(("carbon", "cluster", "digital", "size", "debt"), start=1):
        frame[name] = ((code * 7 + frame["year"] * (place + 2)) % (11 + place)).astype(float) + 2
    return frame.assign(industry="C1", owner=["b" if int(firm) == firms - 1 else "a" for firm in frame["firm"]])


def sample_problems(text: str, data: pd.DataFrame) -> str:
    with pytest.raises(SpecError) as raised:
        prepare_sample(parse_study_spec(text, "try.yml"), data, {})
    return str(raised.value)


def test_a_group_with_too_few_rows_is_said_before_any_work():
    said = sample_problems(GOOD, panel())
    assert "line 18   heterogeneity.owner.by: group 'b' has 6 usable rows, fewer than minimum_rows: 30" in said
    changing = panel(120)
    changing["owner"] = ["b" if year > 2003 else "a" for year in changing["year"]]
    assert "20 of 20 firms change their group, and firms are permuted" in sample_problems(GOOD, changing)
    settled = GOOD.replace("by: owner,", "by: {column: owner, one_group_a_firm: most_common}, minimum_rows: 10,")
    assert "splitting by owner leaves 1 group(s) with rows" in sample_problems(settled, changing)


def test_text_where_numbers_are_needed_and_conditions_that_are_none_are_said_before_any_work():
    text = GOOD.replace("controls: [size, debt]}\n  wide", "controls: [size, industry]}\n  wide").replace(
        "size > 1", "size + 1"
    )
    said = sample_problems(text, panel(120))
    assert "models.full: column 'industry' holds text, and numbers are needed" in said
    assert "models.wide.where: 'size + 1' is no condition" in said
    assert "no row of the sample fulfils 'size > 999'" in sample_problems(
        GOOD.replace("size > 1", "size > 999"), panel(120)
    )


def test_doubled_firm_years_are_refused():
    data = panel()
    with pytest.raises(DataError, match="1 firm-years of firm and year occur more than once"):
        prepare_sample(parse_study_spec(GOOD), pd.concat([data, data.head(1)]), {})


def test_the_example_of_the_guide_is_a_study():
    guide = (Path(__file__).resolve().parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    example = guide.split("```yaml\n")[1].split("```")[0]
    spec = parse_study_spec(example, "mine.yml")
    columns = ["stock_code", "report_year", "industry", "size", "leverage", "is_cluster", "digital_log1p"]
    plan = plan_study(spec, [*columns, "carbon_intensity_log", "green_patents"])
    assert plan.names["models"] == ("baseline", "industry_year")
    assert plan.skipped == []
    # Every key of the guide's table is one of a study, and every key of a study stands in it.
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    told = {key for row in rows for key in row.replace("`", "").replace(" ", "").split(",")}
    assert told == set(StudySpec.model_fields)


@pytest.mark.parametrize("name", ["liu2024", "demo", "city", "finglm"])
def test_the_studies_that_come_with_shuzhi_are_read(name):
    spec = parse_study_spec((STUDIES / f"{name}.yml").read_text(encoding="utf-8"), f"{name}.yml")
    assert spec.study == name
    assert spec.main in spec.models
    assert len(spec.content_hash) == 16
