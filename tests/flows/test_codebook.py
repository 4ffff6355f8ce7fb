"""The codebook: every exported column has a Chinese and an English label, and what is missing is told."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from flows import codebook, formats
from shuzhi import ShuzhiError

WU = codebook.DictionaryInfo(
    name="wu2021",
    title_zh="企业数字化转型词典（吴非等，2021）",
    title_en="Digital transformation of firms (Wu et al. 2021)",
    content_hash="ab12cd34",
    verified=True,
    dimensions={
        "ai": ("人工智能技术", "artificial intelligence"),
        "big_data": ("大数据技术", "big data"),
        "cloud": ("云计算技术", "cloud computing"),
        "blockchain": ("区块链技术", "blockchain"),
        "application": ("数字技术运用", "application"),
    },
)
UNVERIFIED = codebook.DictionaryInfo("x2020", "某词典", "A list", "ef56", False, {})

TABLES = {
    "indices_wide": """
        stock_code company_name report_year status reason file document_id chinese_characters tokens
        sentences
    """,
    "indices_long": """
        stock_code company_name report_year index dictionary dictionary_hash rule dimension measure
        value numerator denominator denominator_unit document_id status reason
    """,
    "documents": """
        file document_id stock_code stock_code_source company_name company_name_source short_name
        exchange report_year report_year_source kind kind_source revision revision_number disagreement
        status reason pages text_pages ocr_pages readable_share reader extractor language is_used use_reason
        chinese_characters tokens sentences size_bytes
    """,
    "hits": """
        document_id file stock_code report_year dictionary dictionary_hash rule term dimension page
        offset end_page end_offset matched sentence sentence_number sentence_page sentence_offset
    """,
    "failures": """
        file document_id stock_code report_year stage status reason pages seconds
    """,
    "sections": """
        file document_id kind heading start_page end_page confidence
    """,
}


def exported() -> dict[str, pd.DataFrame]:
    frames = {table: pd.DataFrame(columns=names.split(), dtype="object") for table, names in TABLES.items()}
    measures = ("count", "log1p", "per_10k_chars", "per_1k_tokens", "sentence_share")
    dimensions = ("total", *WU.dimensions)
    wide = [f"wu2021_{dimension}_{measure}" for dimension in dimensions for measure in measures]
    frames["indices_wide"] = frames["indices_wide"].reindex(columns=[*frames["indices_wide"].columns, *wide])
    return frames


def test_every_exported_column_has_both_labels() -> None:
    frames = exported()
    codebook.check_described(frames, [WU])
    made = codebook.codebook(frames, [WU])
    found = set(zip(made["table"], made["name"], strict=True))
    assert found >= {(table, name) for table, frame in frames.items() for name in frame.columns}
    assert all(re.search(r"[\u4e00-\u9fff]", label) for label in made["label_zh"])
    assert all(re.search(r"[A-Za-z]", label) for label in made["label_en"])
    assert set(made["type"]) <= {"text", "integer", "number", "boolean"}
    assert not made.duplicated(["table", "name"]).any()
    assert all(len(label) <= 80 for label in made["label_zh"])


def test_a_column_without_an_entry_is_named() -> None:
    frames = exported()
    frames["documents"]["colour"] = None
    frames["indices_wide"]["zhao2021_total_count"] = None
    with pytest.raises(ShuzhiError, match=r"indices_wide\.zhao2021_total_count, documents\.colour"):
        codebook.check_described(frames, [WU])
    with pytest.raises(codebook.UndescribedColumnError):
        codebook.codebook(frames, [WU])


def test_the_codebook_describes_itself_and_can_be_written_twice_alike(tmp_path: Path) -> None:
    made = codebook.codebook(exported(), [WU])
    own = made.loc[made["table"] == "codebook", "name"].tolist()
    assert own == list(made.columns)
    formats.write_csv(made, tmp_path / "one.csv")
    formats.write_csv(codebook.codebook(exported(), [WU]), tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert codebook.to_markdown(made) == codebook.to_markdown(codebook.codebook(exported(), [WU]))


def test_descriptions_are_unique_and_complete() -> None:
    keys = [(column.name, column.tables) for column in codebook.COLUMNS]
    assert len(set(keys)) == len(keys)
    for column in codebook.COLUMNS:
        assert column.label_zh and column.label_en and column.type in {"text", "integer", "number", "boolean"}


def test_a_table_can_have_its_own_meaning_of_a_column() -> None:
    made = codebook.codebook(exported(), [WU]).set_index(["table", "name"])["label_zh"]
    assert made["documents", "kind"] == "报告类型"
    assert made["sections", "kind"] == "章节类型（mda 为管理层讨论）"
    assert "type" not in codebook.describe("documents", ["type"], [])


def test_index_columns_say_dictionary_dimension_measure_and_formula() -> None:
    columns = codebook.index_columns(WU)
    assert len(columns) == 6 * 5
    share = columns["wu2021_ai_per_10k_chars"]
    assert share.label_zh == "企业数字化转型词典（吴非等，2021）：人工智能技术，每万汉字词频"
    assert "10000 * count / chinese_characters" in share.formula and "CJK Unified Ideographs" in share.formula
    assert "ab12cd34" in share.source and "NOT" not in share.source
    other = codebook.index_columns(UNVERIFIED)["x2020_total_count"]
    assert "未核实" in other.label_zh and "NOT checked" in other.source


def test_a_long_title_does_not_push_the_measure_out_of_a_label() -> None:
    long = codebook.DictionaryInfo("long", "很长的词典标题" * 20, "Long", "00", False, {"ai": ("人工智能", "AI")})
    label = codebook.index_columns(long)["long_ai_log1p"].label_zh
    assert len(label) == 80 and label.endswith("…：人工智能，ln(1+词频)（词典未核实）")


def test_missing_values_are_counted_by_year() -> None:
    frame = pd.DataFrame(
        {
            "report_year": pd.array([2019, 2020, 2020, 2021, None], dtype="Int64"),
            "wu2021_total_count": pd.array([None, 0, None, 7, 1], dtype="Int64"),
        }
    )
    made = codebook.codebook({"indices_wide": frame}, [WU]).set_index("name").loc["wu2021_total_count"]
    assert made["missing_share"] == pytest.approx(0.4)
    assert (made["first_year"], made["last_year"]) == (2020, 2021)
    assert made["missing_by_year"] == "2019 100.0%; 2020 50.0%; 2021 0.0%"
    assert made["stata_name"] == "wu2021_total_count"


def test_stata_labels_are_chinese() -> None:
    frame = exported()["indices_wide"]
    labels = codebook.labels("indices", frame, [WU])
    assert list(labels) == list(frame.columns)
    assert labels["stock_code"] == "股票代码"


def test_markdown_says_the_rules_and_keeps_its_tables_whole() -> None:
    text = codebook.to_markdown(codebook.codebook(exported(), [WU]))
    assert formats.FORMULA_RULE_ZH in text and formats.FORMULA_RULE_EN in text
    assert "缺失不等于零" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert codebook._cell("a|b\nc") == "a\\|b c"
