import pytest

from econometrics.declarations.yaml_lines import nearest, read_yaml
from econometrics.panel.parse import parse_panel_spec
from econometrics.panel.spec import JoinStep
from shuzhi import SpecError

GOOD = """\
panel: try
sources:
  firms:
    path: firms.csv
    columns:
      stock_code: Stkcd
      report_year: {from: Accper, kind: year_end}
      revenue: {from: 营业收入, unit: yuan, label_zh: 营业收入}
  words:
    path: words.csv
    columns: {stock_code: , report_year: , ai: }
start: firms
steps:
  - join: words
    on: [stock_code, report_year]
    relationship: one_to_one
  - define:
      size: log(revenue)
      growth: {formula: size - lag(size), unit: log points}
  - keep: revenue > 0
    because: no revenue
  - winsorise: growth
    by: report_year
checks:
  ai: {at_least: 0}
"""


def problems(text: str) -> str:
    with pytest.raises(SpecError) as error:
        parse_panel_spec(text, "panel.yml")
    return str(error.value)


def test_a_good_specification():
    spec = parse_panel_spec(GOOD, "panel.yml")
    assert spec.sources["firms"].columns["stock_code"].from_ == "Stkcd"
    step = spec.steps[0]
    assert isinstance(step, JoinStep) and step.pairs() == [("stock_code", "stock_code"), ("report_year", "report_year")]
    assert spec.at("steps", 2) == "panel.yml line 20" and len(spec.content_hash) == 16
    with pytest.raises(Exception, match="frozen"):
        spec.panel = "other"  # type: ignore[misc]


def test_all_problems_at_once_with_line_and_nearest_name():
    bad = (
        GOOD.replace("    path: firms.csv", "    path: firms.csv\n    encodng: gb18030")
        .replace("relationship: one_to_one", "relationship: one_to_many")
        .replace("log(revenue)", "lgo(revenue)")
        .replace("because: no revenue", "becuse: no revenue")
        .replace("{at_least: 0}", "{at_least: zero}")
        .replace("kind: year_end", "kind: years")
    )
    message = problems(bad)
    assert message.startswith("panel.yml: 7 problems\n")
    for words in (
        "line 5    sources.firms.encodng: no such key. Did you mean 'encoding'?",
        "line 8    sources.firms.columns.report_year.kind:",
        "line 17   steps.1.relationship: Input should be 'one_to_one' or 'many_to_one' (given: 'one_to_many')",
        "line 19   steps.2.define.size.formula:",
        "there is no function 'lgo'. Did you mean 'log'?",
        "line 22   steps.3.becuse: no such key. Did you mean 'because'?",
        "steps.3.because: is missing",
        "line 26   checks.ai.at_least:",
    ):
        assert words in message, (words, message)


def test_names_that_point_nowhere():
    bad = (
        GOOD.replace("size - lag(size)", "size - lag(sice)")
        .replace("keep: revenue > 0", "keep: revenu > 0")
        .replace("join: words", "join: word")
        .replace("  ai: {at_least: 0}", "  aj: {at_least: 0}")
    )
    message = problems(bad)
    for words in (
        "line 14   steps.1.join: there is no source 'word'. Did you mean 'words'?",
        "line 19   steps.2.define.growth: there is no column 'sice'. Did you mean 'size'?",
        "line 20   steps.3.keep: there is no column 'revenu'. Did you mean 'revenue'?",
        "sources.words: is never joined",
        "checks.aj: there is no column 'aj'",
    ):
        assert words in message, (words, message)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("start: firms", "start: firm", "there is no source 'firm'. Did you mean 'firms'?"),
        ("size: log(revenue)", "revenue: log(revenue)", "there is a column 'revenue' already"),
        ("ai: }", "revenue: }", "words has a column 'revenue' that the panel has too; use take: or prefix:"),
        ("on: [stock_code, report_year]", "on: [stock_code, year]", "there is no column 'year' in the panel so far"),
        ("on: [stock_code, report_year]", "on: {stock_code: code}", "there is no column 'code' in the source words"),
        ("path: words.csv", "path: words.csv\n    query: SELECT 1", "need format: sql"),
        ("path: words.csv", "format: sql\n    path: words.db", "format sql needs database: and query:"),
        ("by: report_year", "by: report_years", "Did you mean 'report_year'?"),
        ("by: report_year", "lower: 0.7", "less than 0.5"),
        ("  - winsorise: growth", "  - winsorize: growth", "a step begins with one of join, define"),
        ("size: log(revenue)", "size: {formula: revenue, from: revenue}", "give formula:, or from: and patterns:"),
        ("size: log(revenue)", "size: {from: revenue, patterns: {'1': '('}}", "pattern of '1'"),
        ("panel: try", "panel: try\noutput: [revenue]", "the key stock_code must be among them"),
        ("panel: try", "panel: Try it", "should match pattern"),
        ("size: log(revenue)", "log size: log(revenue)", "is no name of a column"),
        ("panel: try", "panel: try\npanel: again", "stands twice, again on line 2"),
        ("panel: try", "panel: [", "Mend the YAML"),
    ],
)
def test_one_problem(old, new, words):
    assert old in GOOD
    assert words in problems(GOOD.replace(old, new))


def test_what_is_no_specification():
    assert "a panel is a mapping" in problems("- a\n")
    assert "a panel is a mapping" in problems("")


def test_yaml_keys_stay_text_and_keep_their_lines():
    content, lines = read_yaml("on: 1\n'06': x\nlist:\n  - a\n  - {yes: no}\n", "x.yml")
    assert content == {"on": 1, "06": "x", "list": ["a", {"yes": False}]}
    assert lines[("list", 1, "yes")] == 5


def test_a_bomb_of_anchors_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(SpecError, match="more than 100,000 entries"):
        read_yaml("\n".join(lines), "x.yml")


def test_nearest():
    assert nearest("revnue", ["revenue", "cost"]) == " Did you mean 'revenue'?"
    assert nearest("zzz", ["b", "a"]) == " There are: a, b."
    assert nearest("zzz", [f"column_{i}" for i in range(40)]) == ""
