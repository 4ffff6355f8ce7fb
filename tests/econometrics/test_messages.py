"""Messages in Chinese: every one that an estimator can make has its twin, filled with the same numbers and names."""

import re
from pathlib import Path

import numpy as np
import pytest

from econometrics.mediate import mediate
from econometrics.messages import catalogue, has_chinese, in_chinese, in_language, placeholders, templates
from econometrics.panel.steps.result import notes_of
from econometrics.reference import references
from econometrics.regress import regress
from econometrics.simulate import PanelDesign, simulate_panel
from tests.econometrics.message_sites import all_texts, english_in, messages_in

ROOT = Path(__file__).resolve().parents[2] / "econometrics"
# The packages whose results stand in a study; clusters and emissions speak through the steps of a panel.
SPEAKING = [
    "did", "estimation", "heterogeneity", "instrument", "matching", "measurement_error", "mediate", "placebo",
    "robustness/battery.py", "sample_selection", "specification_curve", "threshold", "u_test.py",
]  # fmt: skip
# Texts of these modules that never stand in a study's report.
APART = {"instrument/anderson_rubin.py"}


def skeleton(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "7", template)


def alike(text: str, template: str) -> bool:
    """Whether a text is the template, a piece of it, or one with whole phrases for what is filled in."""
    either = ((text, template), (template, text))
    return text.strip(" ,") in template or any(
        re.fullmatch(re.sub("7", ".+?", re.escape(one)), other, re.DOTALL) for one, other in either
    )


def speaking_files() -> list[Path]:
    found = [ROOT / each for each in SPEAKING]
    files = [path for each in found for path in (sorted(each.rglob("*.py")) if each.is_dir() else [each])]
    return [path for path in files if path.relative_to(ROOT).as_posix() not in APART]


def test_a_message_keeps_its_numbers_and_names_and_takes_labels():
    english = (
        "only 12 clusters of city_code^industry: clustered errors tend to be too small below about 40; "
        "compare standard_errors='cr2' or 'wild'"
    )
    labels = {"city_code": "城市", "industry": "行业"}
    assert in_chinese(english, labels) == (
        "只有 12 个城市×行业聚类：少于约 40 个时聚类标准误往往偏小，请对照 standard_errors='cr2' 或 'wild'"
    )
    assert in_language(english, "en", labels) == english
    assert in_chinese("x is collinear with size, leverage", {"x": "甲", "size": "规模"}) == "甲与规模、leverage共线"
    assert in_chinese("2 of 300 draws hold a sample in which a path cannot be estimated; they are left out") == (
        "300 次抽样中有 2 次有路径无法估计，已略去"
    )


def test_messages_within_messages_and_several_at_once_are_translated():
    inner = "x does not vary in the sample (it is 1 throughout)"
    assert in_chinese(f"group north is not estimated: {inner}") == "组“north”未能估计：x在样本内不变（恒为 1）"
    assert in_chinese("the industry is missing: 12; no row for the industry and year: 1,204") == (
        "行业缺失：12；没有该行业该年份的行：1,204"
    )
    assert in_chinese("policy low_carbon_pilots (first): 1,091 of 2,736 rows in a treated place, 959 of them since its "
                      "first year; 3 values not matched, e.g. 某地 (12)") == (
        "政策 low_carbon_pilots (first)：2,736 行中 1,091 行在试点地区，其中 959 行在起始年份之后；"
        "有 3 个值未匹配，例如 某地 (12)"
    )  # fmt: skip


def test_what_is_not_in_the_catalogue_stays_as_it_is():
    for text in ("nobody wrote this sentence; nor this one", "no untreated row: 5", "没有中文的问题", ""):
        assert in_chinese(text) == text
        assert not has_chinese(text)


@pytest.mark.parametrize("section", [name for name in catalogue() if name != "words"])
def test_both_languages_of_a_template_have_the_same_placeholders(section):
    for english, chinese in catalogue()[section].items():
        wanted, given = ({name for name, _ in placeholders(text)} for text in (english, chinese))
        # A list that a sentence names twice need not stand twice in Chinese.
        assert given <= wanted and wanted - given <= {"names"}, english
        assert re.search(r"[\u4e00-\u9fff：]", chinese), english
        assert all(kind in ("", "list", "number", "word", "text", "known", "name") for _, kind in placeholders(english))


def test_every_template_is_found_by_its_own_text_and_by_no_other():
    example = {
        "word": "rows",
        "number": "12",
        "text": "singleton",
        "known": "singleton",
        "": "x",
        "list": "x",
        "name": "x",
    }
    for english, chinese in templates().items():
        kinds = dict(placeholders(english))
        filled = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found, kinds=kinds: example[kinds[found[1]]], english)
        shown = {**example, "word": "行", "text": "单例", "known": "单例"}
        assert in_chinese(filled) == chinese.format(**{name: shown[kind] for name, kind in kinds.items()})


def test_every_template_stands_in_the_source():
    """A sentence that was reworded and not its template would silently be English again."""
    files = [path for path in sorted(ROOT.rglob("*.py")) if path.name != "messages.py"]
    source = "\n".join(text for path in files for text in all_texts(path))
    source += "".join(str(row) for row in references().to_dict("records"))
    source += "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "studies").glob("*.yml")))
    between = re.compile(r"\{[^}]*\}|; |, | within ")
    parts = [(english, part.strip(" ():,")) for english in templates() for part in between.split(english)]
    assert [pair for pair in parts if len(pair[1]) > 8 and pair[1] not in source] == []


@pytest.mark.parametrize("path", speaking_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_message_of_an_estimator_has_a_chinese_form(path):
    texts = [*map(skeleton, templates()), *catalogue()["words"]]
    lost = []
    for text in messages_in(path):
        parts = [text, *text.split("; ")] if "; " in text else [text]
        whole, *pieces = [any(alike(part, template) for template in texts) for part in parts]
        if not (whole or (pieces and all(pieces))):
            lost.append(text)
    assert lost == []


def test_results_made_on_purpose_speak_chinese():
    """Few clusters, a collinear control, an absorbed one, few draws: the warnings as results really give them."""
    data = simulate_panel(PanelDesign(firms=20, years=tuple(range(2012, 2018))), seed=3)
    data = data.assign(twice=2 * data["size"], fixed=data["stock_code"].astype(int) % 7, draw=np.arange(len(data)) % 5)
    effects = ["stock_code", "report_year"]
    model = regress(data, "carbon_intensity_log", ["is_cluster", "size", "twice", "fixed"], fixed_effects=effects,
                    cluster="stock_code")  # fmt: skip
    found = mediate(data.astype({"is_cluster": float}), "carbon_intensity_log", "is_cluster", "digital_log1p",
                    controls=["size", "twice"], fixed_effects=effects, cluster="stock_code", draws=50)  # fmt: skip
    said = [
        *model.warnings,
        *model.assumptions,
        *found.warnings,
        *found.assumptions,
        *filter(None, [found.share_reason]),
    ]
    assert len(said) > 10
    assert [text for text in said if not has_chinese(text)] == []
    assert english_in([in_chinese(text) for text in said], []) == []


def test_notes_of_a_panel_are_told_in_chinese():
    (note,) = notes_of("policy", (), ("12 of 40 rows name no known place: their treatment is missing; see unmatched",))
    assert note.text("zh") == "40 行中有 12 行的地区无法识别：其处理状态缺失，见 unmatched"
    assert note.text("en").startswith("12 of 40 rows")


def test_finding_english_finds_it():
    """The check that the reports must pass is no formality."""
    assert english_in(["提示：the interval is too short。"], []) == ["the interval is too short"]
    assert english_in(["提示：the interval is too short。"], ["the interval is"]) == []
    assert english_in(["单位：ln(tonnes of CO2 per million yuan of revenue)"], []) == []
    assert english_in(["Kleibergen-Paap rk Wald F"], []) == []
