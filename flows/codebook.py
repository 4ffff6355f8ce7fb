"""The codebook: what every exported column is, in Chinese and English, and how much of it is missing.

Columns are described once by name; a description with ``tables`` holds in those tables only and wins there.
Index columns such as ``wu2021_total_log1p`` are described by construction: dictionary, dimension, measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from flows.formats import FORMULA_RULE_EN, FORMULA_RULE_ZH, STATA_LABEL_LENGTH, stata_names
from shuzhi import ShuzhiError


class UndescribedColumnError(ShuzhiError):
    """An exported column without an entry in the codebook."""


@dataclass(frozen=True)
class DictionaryInfo:
    """What the codebook must know of a word list.

    Parameters
    ----------
    name : str
        ASCII name that begins the names of its columns, for example ``wu2021``.
    title_zh, title_en : str
        Title in both languages.
    content_hash : str
        Hash of terms and dimensions.
    verified : bool
        True only where the list was checked against its publication.
    dimensions : mapping of str to (str, str)
        Dimension id to its Chinese and English label.
    is_house_list : bool
        Whether the list is ours and of no publication.
    scopes : tuple of (str, str)
        What the names of index columns carry for each part of a report (empty for the whole), and its name.
    """

    name: str
    title_zh: str
    title_en: str
    content_hash: str
    verified: bool
    dimensions: Mapping[str, tuple[str, str]]
    is_house_list: bool = False
    scopes: tuple[tuple[str, str], ...] = (("", "report"),)


@dataclass(frozen=True)
class Column:
    """The description of one exported column.

    Parameters
    ----------
    name : str
        Column name.
    label_zh, label_en : str
        Labels; the Chinese one is the variable label in Stata.
    type : str
        ``text``, ``integer``, ``number`` or ``boolean``.
    unit, formula, valid_range, source : str
        As they apply, else empty.
    tables : tuple of str
        The tables in which this description holds; empty for all of them.
    """

    name: str
    label_zh: str
    label_en: str
    type: str
    unit: str = ""
    formula: str = ""
    valid_range: str = ""
    source: str = ""
    tables: tuple[str, ...] = ()


CHARACTERS_ARE = "characters of the cleaned text in the CJK Unified Ideographs blocks"
TOKENS_ARE = "jieba tokens (stock dictionary, no terms added) with at least one Chinese character"
SENTENCES_ARE = (
    "segments of the cleaned text, ended by 。！？；!?; or by a line that stops short of the margin, "
    "with at least one Chinese character"
)

BODY_IS = "the text without running headers, footers, page numbers, contents and glossary"

# name | type | unit | Chinese label | English label | valid range | definition. A heading names the tables
# for which the columns beneath it hold; the columns before the first heading mean the same everywhere.
_DESCRIPTIONS = f"""
stock_code | text | | 股票代码 | Stock code, always text | 6 digits
company_name | text | | 公司全称 | Company name as printed in the report
short_name | text | | 证券简称 | Short name of the security
exchange | text | | 上市交易所 | Stock exchange of the listing
report_year | integer | year | 报告年度（会计年度） | Fiscal year, not the filing year | 1990 to 2100
stock_code_source | text | | 股票代码的识别来源 | Where the stock code was found
company_name_source | text | | 公司全称的识别来源 | Where the company name was found
report_year_source | text | | 报告年度的识别来源 | Where the report year was found
stock_code_b | text | | B 股代码 | Code of the firm's B shares
fiscal_year_end | text | | 会计年度截止日 | Last day of the fiscal year | ISO date
short_name_source | text | | 证券简称的识别来源 | Where the short name was found
short_name_evidence | text | | 证券简称的原文依据 | Where the short name is printed, verbatim
stock_code_evidence | text | | 股票代码的原文依据 | Where the stock code is printed, verbatim
company_name_evidence | text | | 公司全称的原文依据 | Where the company name is printed, verbatim
report_year_evidence | text | | 报告年度的原文依据 | Where the report year is printed, verbatim
kind_evidence | text | | 报告类型的原文依据 | Where the kind of report is printed, verbatim
revision_source | text | | 版本的识别来源 | Where the revision was found
revision_evidence | text | | 版本的原文依据 | Where the revision is printed, verbatim
disagreement | text | | 文件名与正文的识别分歧 | Where file name and text disagree
file | text | | 文件路径（相对于输入文件夹） | File, relative to the input folder
document_id | text | | 文件编号（内容的 SHA-256） | Document: SHA-256 of its bytes | 64 hexadecimal digits
kind | text | | 报告类型 | Kind of report | annual, summary, semiannual, quarterly, …
kind_source | text | | 报告类型的识别来源 | Where the kind of report was found
revision | text | | 版本（原始、更正、修订等） | Original, corrected or revised report
revision_number | integer | | 修订次序 | Number of the revision | >= 0
status | text | | 读取状态 | How reading the report ended; ok = read
reason | text | | 原因说明（缺失的原因） | Why, in words; says why an index is missing
pages | integer | page | 页数 | Pages of the file | >= 0
text_pages | integer | page | 含文字的页数 | Pages with text | >= 0
ocr_pages | integer | page | 经文字识别（OCR）的页数 | Pages read by character recognition | >= 0
ocr_confidence | number | | 文字识别的平均置信度 | Mean confidence of the recognised characters | 0 to 1
readable_share | number | share | 可读页占比 | Share of the pages with content whose text is readable | 0 to 1
reader | text | | 读取程序 | Program that read the file
extractor | text | | 文本提取版本 | Extractor and its version
language | text | | 语言 | Language of the text
is_used | boolean | | 是否用于指数 | Whether this file makes the index of its firm-year
use_status | text | | 采用情况 | Whether used, or why not | used, superseded, duplicate, left_out
use_reason | text | | 采用或未采用的原因 | Why the file is used or not
winner_document_id | text | | 同一公司年度实际采用的文件编号 | Document that is used for the firm-year instead
size_bytes | integer | byte | 文件大小 | Size of the file | >= 0
stage | text | | 失败的环节 | Stage that failed
seconds | number | second | 耗时 | Seconds until it failed | >= 0
chinese_characters | integer | character | 汉字数 | Chinese characters | >= 0 | {CHARACTERS_ARE}
tokens | integer | token | 分词数 | Words | >= 0 | {TOKENS_ARE}
sentences | integer | sentence | 句子数 | Sentences | >= 0 | {SENTENCES_ARE}
body_chinese_characters | integer | character | 正文汉字数 | Chinese characters of the body | >= 0 | {BODY_IS}
body_tokens | integer | token | 正文分词数 | Words of the body | >= 0 | {BODY_IS}
body_sentences | integer | sentence | 正文句子数 | Sentences of the body | >= 0 | {BODY_IS}
unmapped_characters | integer | character | 无法对应的字符数 | Private-use and replacement characters | >= 0
index | text | | 指数名称 | Index, as its column in the wide table | | dictionary_dimension_measure
dictionary | text | | 词典 | Dictionary (word list)
dictionary_hash | text | | 词典内容哈希 | Hash of the dictionary's content
rule | text | | 匹配规则 | Matching rule
scope | text | | 计数范围（report 为全文） | Part of the report that counts | report, body, or kinds of section
dimension | text | | 维度（total 为合计） | Dimension of the dictionary; total = all of them
measure | text | | 度量 | Measure | count, log1p, per_10k_chars, per_1k_tokens, sentence_share
value | number | see measure | 指数值（缺失不等于零） | Value; missing is never zero | >= 0
numerator | integer | hit or sentence | 分子 | Numerator: hits, or sentences with a hit | >= 0
denominator | integer | see denominator_unit | 分母 | Denominator; empty for count and log1p | >= 0
denominator_unit | text | | 分母的单位 | What the denominator counts
term | text | | 词典词语 | Term of the dictionary
page | integer | page | 页码 | Page of the file where the hit begins, from 1 | >= 1
offset | integer | character | 页内起始位置 | Where the hit begins in its page's text, from 0 | >= 0
end_page | integer | page | 结束页码 | Page where it ends, from 1 | >= 1
end_offset | integer | character | 页内结束位置 | Where the hit ends in its page's text | >= 0
matched | text | | 原文中的词语 | The hit as it stands in the report
sentence | text | | 所在句子 | Sentence of the hit
sentence_number | integer | | 句子序号（仅计含汉字的句子） | Number of the sentence among those with Chinese text | >= 1
sentence_page | integer | page | 句子起始页码 | Page where the sentence begins | >= 1
sentence_offset | integer | character | 句子页内起始位置 | Where the sentence begins in its page's text | >= 0
section | text | | 所在章节 | Section of the hit (kind, as in sections); empty outside all
subsection | text | | 所在子章节 | mda_subpart in the part of a directors' report named management discussion
furniture | text | | 非正文类型（空为正文） | Where it is no text | running_header, page_number, contents, glossary
is_ocr | boolean | | 是否在识别（OCR）页上 | Whether its page was read by character recognition
org_name | boolean | | 是否在机构名称中 | In the name of a firm, fund, association, journal, the filer's own included
false_sense | boolean | | 是否为其他含义 | Another meaning, or characters that cross a word's boundary
negated | boolean | | 是否被否定 | The filer says that it does not have or do it
person | boolean | | 是否为人员简历 | In a CV or a title
other_party | boolean | | 是否关于其他主体 | About a customer, supplier, shareholder or peer
context | boolean | | 是否为政策、行业背景 | Policy, trend or market, with no action of the filer
plan | boolean | | 是否为计划 | The filer will, aims to or intends to
flag_rules | text | | 触发的规则 | The rule behind each flag | | flag:rule, see nlp/data/context_rules.yml
own_or_planned | number | | 属本公司行为（含计划）的概率 | Probability of the filer's action, done or planned | 0 to 1
own_done | number | | 属本公司已实施行为的概率 | Probability of the filer's action, done | 0 to 1
is_published | boolean | | 是否计入 published 口径 | Whether the choice published keeps it
is_strict | boolean | | 是否计入 strict 口径 | Whether the choice strict keeps it
heading | text | | 章节标题原文 | Heading as printed
start_page | integer | page | 起始页码 | Page where the section begins, from 1 | >= 1
confidence | number | | 识别置信度 | Confidence that this is the section | 0 to 1
[hits]
kind | text | | 命中类型（九类之一） | Most likely of the nine kinds of the coding guide
[sections]
kind | text | | 章节类型（mda 为管理层讨论） | Kind of section; mda is the discussion section, whatever its heading
chinese_characters | integer | character | 章节正文汉字数 | Chinese characters of the section's body text | >= 0
tokens | integer | token | 章节正文分词数 | Words of the section's body text | >= 0
sentences | integer | sentence | 章节正文句子数 | Sentences of the section's body text | >= 0
start_offset | integer | character | 页内起始位置 | Where the heading begins in its page's text, from 0 | >= 0
end_offset | integer | character | 页内结束位置 | Where the section ends in its page's text | >= 0
checks | text | | 存疑之处 | What speaks against the boundaries, or why there is no such section
[codebook]
table | text | | 数据表 | Table
name | text | | 变量名 | Column name
label_zh | text | | 中文标签 | Chinese label
label_en | text | | 英文标签 | English label
unit | text | | 单位 | Unit
type | text | | 类型 | Type | text, integer, number, boolean
formula | text | | 公式或定义 | Formula or definition
valid_range | text | | 有效范围 | Valid range
source | text | | 来源 | Source
stata_name | text | | Stata 变量名 | Name in Stata | at most 32 ASCII characters
missing_share | number | share | 缺失占比 | Share of rows without a value | 0 to 1
first_year | integer | year | 首个有值年度 | First report year with a value
last_year | integer | year | 最后有值年度 | Last report year with a value
missing_by_year | text | | 各年缺失占比 | Share missing in each report year
"""


def _parse(text: str) -> Iterator[Column]:
    tables: tuple[str, ...] = ()
    for line in text.strip().splitlines():
        if line.startswith("["):
            tables = tuple(line.strip("[]").split())
            continue
        parts = [part.strip() for part in line.split("|")] + ["", ""]
        name, kind, unit, label_zh, label_en, valid_range, formula = parts[:7]
        yield Column(name, label_zh, label_en, kind, unit, formula, valid_range, tables=tables)


COLUMNS = tuple(_parse(_DESCRIPTIONS))

SCOPES_ZH = {"body": "正文", "mda": "管理层讨论", "without_financial_report": "不含财务报告"}
_LOG = "ln(1 + count); count = hits of the terms"
_PER_CHARACTERS = f"10000 * count / chinese_characters; chinese_characters = {CHARACTERS_ARE}"
_PER_TOKENS = f"1000 * count / tokens; tokens = {TOKENS_ARE}"
_SHARE = f"sentences with at least one hit / sentences; sentences = {SENTENCES_ARE}"
MEASURES = (
    Column("count", "词频", "count", "integer", "hit", "hits of the terms", ">= 0"),
    Column("log1p", "ln(1+词频)", "ln(1 + count)", "number", "log points", _LOG, ">= 0"),
    Column("per_10k_chars", "每万汉字词频", "per 10,000 characters", "number", "hit", _PER_CHARACTERS, ">= 0"),
    Column("per_1k_tokens", "每千词词频", "per 1,000 tokens", "number", "hit", _PER_TOKENS, ">= 0"),
    Column("sentence_share", "含词句占比", "share of sentences", "number", "share", _SHARE, "0 to 1"),
)

TABLES = {
    "indices_wide": ("公司—年度指数（宽表）", "Firm-year indices, one row a firm-year"),
    "indices_long": ("公司—年度指数（长表）", "Firm-year indices, one row a firm-year and index"),
    "documents": ("文件", "Documents, one row a file"),
    "hits": ("命中", "Hits, one row an occurrence of a term"),
    "sections": ("章节", "Sections, one row a section of a document"),
    "failures": ("失败", "Failures, one row a file that gave no index"),
    "codebook": ("变量说明", "This codebook"),
}
_DESCRIBED = ["label_zh", "label_en", "unit", "type", "formula", "valid_range", "source"]
_MEASURED = ["stata_name", "missing_share", "first_year", "last_year", "missing_by_year"]
_FIELDS = ["table", "name", *_DESCRIBED, *_MEASURED]


def index_columns(dictionary: DictionaryInfo) -> dict[str, Column]:
    """Describe every index column that a dictionary can give, by column name."""
    checked = _checked(dictionary)
    source = f"{dictionary.title_en} ({dictionary.name}, {checked}), hash {dictionary.content_hash}"
    mark = "（自编词表）" if dictionary.is_house_list else "" if dictionary.verified else "（词典未核实）"
    dimensions = {"total": ("合计", "total"), **dictionary.dimensions}
    return {
        (name := f"{dictionary.name}_{part}{dimension}_{measure.name}"): replace(
            measure,
            name=name,
            label_zh=_short_label(dictionary.title_zh, f"：{zh}，{_scope_zh(scope)}{measure.label_zh}{mark}"),
            label_en=f"{dictionary.title_en}: {en}, {measure.label_en}{_scope_en(scope)}",
            formula=measure.formula + _scope_formula(scope),
            source=source,
        )
        for part, scope in dictionary.scopes
        for dimension, (zh, en) in dimensions.items()
        for measure in MEASURES
    }


def _checked(dictionary: DictionaryInfo) -> str:
    if dictionary.is_house_list:
        return "house list, no publication"
    return "checked against public copies of its list" if dictionary.verified else "NOT checked against its publication"


def _scope_formula(scope: str) -> str:
    part, _, keep = scope.partition(":")
    words = "" if part == "report" else f"; all of it counted in {part} (body text only)"
    return words + (f"; of the hits those that {keep} keeps" if keep else "")


def _scope_zh(scope: str) -> str:
    part, _, keep = scope.partition(":")
    words = ["" if part == "report" else SCOPES_ZH.get(part, part), keep]
    return "".join(f"{word}，" for word in words if word)


def _scope_en(scope: str) -> str:
    return "" if scope == "report" else f", in {scope}"


def _short_label(title: str, rest: str) -> str:
    """Cut the title rather than the measure where a label is too long for Stata."""
    room = STATA_LABEL_LENGTH - len(rest)
    return (title if len(title) <= room else f"{title[: max(room - 1, 0)]}…") + rest


def describe(table: str, names: Sequence[str], dictionaries: Sequence[DictionaryInfo]) -> dict[str, Column]:
    """Describe the columns of a table; what has no description is left out.

    Parameters
    ----------
    table : str
        Name of the table, for example ``documents``.
    names : sequence of str
        Its columns.
    dictionaries : sequence of DictionaryInfo
        The word lists whose indices may be among them.

    Returns
    -------
    dict of str to Column
        In the order of `names`.
    """
    known = {column.name: column for column in COLUMNS if not column.tables}
    known |= {column.name: column for column in COLUMNS if table in column.tables}
    for dictionary in dictionaries:
        known |= index_columns(dictionary)
    return {name: known[name] for name in names if name in known}


def labels(table: str, frame: pd.DataFrame, dictionaries: Sequence[DictionaryInfo]) -> dict[str, str]:
    """Give the Chinese label of every described column of a table, as Stata needs them."""
    return {name: column.label_zh for name, column in describe(table, list(frame.columns), dictionaries).items()}


def check_described(frames: Mapping[str, pd.DataFrame], dictionaries: Sequence[DictionaryInfo]) -> None:
    """Raise an `UndescribedColumnError` that names every column without an entry.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Every exported table by its name.
    dictionaries : sequence of DictionaryInfo
        The word lists used.
    """
    missing: list[str] = []
    for table, frame in frames.items():
        described = describe(table, list(frame.columns), dictionaries)
        missing += [f"{table}.{name}" for name in frame.columns if name not in described]
    if missing:
        raise UndescribedColumnError(f"columns without an entry in flows/codebook.py: {', '.join(missing)}")


def codebook(frames: Mapping[str, pd.DataFrame], dictionaries: Sequence[DictionaryInfo]) -> pd.DataFrame:
    """Make the codebook of the exported tables.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Every exported table by its name; the wide table of indices is called ``indices_wide``.
    dictionaries : sequence of DictionaryInfo
        The word lists used.

    Returns
    -------
    DataFrame
        One row a table and column, the codebook's own columns last. Tables with a ``report_year`` get first
        and last year with a value, tables of indices also the share missing in each year.
    """
    check_described(frames, dictionaries)
    rows = [row for table, frame in frames.items() for row in _rows(table, frame, dictionaries)]
    rows += _rows("codebook", pd.DataFrame(columns=_FIELDS), dictionaries)
    made = pd.DataFrame(rows, columns=_FIELDS)
    for name in ("first_year", "last_year"):
        made[name] = made[name].astype("Int64")
    return made.astype({"missing_share": "float64"})


def _rows(table: str, frame: pd.DataFrame, dictionaries: Sequence[DictionaryInfo]) -> list[dict[str, object]]:
    stata = stata_names(frame.columns)
    years = frame["report_year"] if "report_year" in frame.columns else None
    return [
        {
            "table": table,
            "name": name,
            **{field: getattr(column, field) for field in _DESCRIBED},
            "stata_name": stata[name],
            "missing_share": round(float(frame[name].isna().mean()), 6) if len(frame) else None,
            **_by_year(frame[name], years, in_detail=table.startswith("indices")),
        }
        for name, column in describe(table, list(frame.columns), dictionaries).items()
    ]


def _by_year(column: pd.Series, years: pd.Series | None, in_detail: bool) -> dict[str, object]:
    if years is None:
        return {}
    present = years[column.notna()].dropna()
    found: dict[str, object] = {}
    if len(present):
        found = {"first_year": int(present.min()), "last_year": int(present.max())}
    if in_detail:
        shares = column.isna().groupby(years.astype("Int64").astype("string")).mean()
        found["missing_by_year"] = "; ".join(f"{year} {share:.1%}" for year, share in shares.items())
    return found


def to_markdown(frame: pd.DataFrame) -> str:
    """Render the codebook as Markdown, with the rules that hold for every file first.

    Parameters
    ----------
    frame : DataFrame
        What `codebook` gave.

    Returns
    -------
    str
        The text of ``codebook.md``.
    """
    lines = [
        "# 变量说明 Codebook",
        "",
        "- 缺失不等于零：无法读取的报告，指数为空，原因见 `reason`。"
        "Missing is never zero: a report that could not be read gives an empty index, and `reason` says why.",
        "- 股票代码一律为文本。Stock codes are always text.",
        f"- {FORMULA_RULE_ZH} {FORMULA_RULE_EN}",
        "- `documents.csv`, `failures.csv`, `sections.csv`, `indices.csv`: UTF-8 with a byte-order mark; "
        "empty cells are missing values. In `.dta`, missing text is the empty string.",
    ]
    return "\n".join([*lines, *table_sections(frame)]) + "\n"


def table_sections(frame: pd.DataFrame) -> list[str]:
    """Return the lines of a codebook in Markdown: a heading and the columns of each table."""
    lines = []
    for table, part in frame.groupby("table", sort=False):
        zh, en = TABLES.get(str(table), (str(table), str(table)))
        lines += ["", f"## {table}：{zh}", "", en, "", *_markdown_table(part)]
    return lines


def _markdown_table(part: pd.DataFrame) -> list[str]:
    shown = part.drop(columns=["table"]).dropna(axis="columns", how="all")
    shown = shown.loc[:, [bool((shown[name].astype(str) != "").any()) for name in shown.columns]]
    lines = [f"| {' | '.join(shown.columns)} |", f"| {' | '.join('---' for _ in shown.columns)} |"]
    for row in shown.itertuples(index=False, name=None):
        lines.append(f"| {' | '.join(_cell(value) for value in row)} |")
    return lines


def _cell(value: object) -> str:
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
