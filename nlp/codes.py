"""The codes of the coding guide, and how people type them."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One code of the coding guide.

    Parameters
    ----------
    name : str
        As it is stored.
    zh, en : str
        Short labels.
    rule_zh, rule_en : str
        When a hit gets this code.
    """

    name: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str


# In the order in which they are tried: the first that fits is taken.
CODES = (
    Code(
        "furniture",
        "非正文",
        "furniture",
        "页眉、页脚、页码、目录，或释义表中的一行。",
        "A running header or footer, a page number, the contents, or a row of the glossary.",
    ),
    Code(
        "org_name",
        "机构名称",
        "name of an organisation",
        "词语是某个机构或产品登记名称的一部分：公司（含本公司）、基金、协会、政府部门、期刊。例：XX智能科技有限公司。",
        "Part of the proper name of a firm (the filer's own too), fund, association, public body or journal.",
    ),
    Code(
        "false_sense",
        "另义",
        "another sense",
        "跨越词的边界，或显然不是词典所指的意思。例：京津冀一体化中的“一体化”。",
        "The characters cross a word boundary, or plainly mean something else than the dictionary intends.",
    ),
    Code(
        "negated",
        "否定",
        "negated",
        "句子说本公司没有、未做或不涉及。“不断”“不仅”“无人”不是否定。",
        "The sentence says that the filer does not have or do it.",
    ),
    Code(
        "person",
        "人物履历",
        "a person",
        "董事、高管或员工的履历、职务、学历。",
        "The career, title or education of a director, manager or employee.",
    ),
    Code(
        "other",
        "其他主体",
        "another party",
        "说的是客户、供应商、股东、竞争者、集团外的被投资企业或同行的活动。",
        "The activity of a customer, supplier, shareholder, competitor, an investee outside the group, or peers.",
    ),
    Code(
        "context",
        "背景",
        "context",
        "宏观经济、行业趋势、政策或法规，没有写本公司的行动。",
        "The economy, a trend of the industry, a policy or law, with no action of the filer stated.",
    ),
    Code(
        "plan",
        "本公司计划",
        "the filer's plan",
        "本公司（含合并范围内的子公司）将要、计划、拟或争取去做。",
        "The filer or its consolidated group will, intends or aims to do it.",
    ),
    Code(
        "own",
        "本公司已做",
        "the filer's own",
        "本公司（含合并范围内的子公司）现在或过去在做、拥有、使用、研发、销售或投资。",
        "The filer or its group does, has, uses, develops, sells or invests in it, now or in the past.",
    ),
)
CODE_NAMES = tuple(code.name for code in CODES)
TARGETS = {"own": ("own",), "own_or_plan": ("own", "plan")}
_SPELLINGS = {
    spelling: code.name
    for number, code in enumerate(CODES, start=1)
    for spelling in (code.name, code.zh, code.en, str(number))
} | {"other_party": "other", "own_action": "own"}
_YES, _NO = ("1", "1.0", "true", "yes", "y", "是", "确定"), ("0", "0.0", "false", "no", "n", "否", "不确定")


def read_code(text: object) -> str | None:
    """Read a code as people type it: its name, a label in either language, its number, or several of these.

    Parameters
    ----------
    text : object
        What stands in the cell.

    Returns
    -------
    str or None
        The name of the code; None for an empty cell.

    Raises
    ------
    ValueError
        If it is no code; the message gives the nearest ones.
    """
    plain = _plain(text)
    if not plain:
        return None
    if plain in _SPELLINGS:
        return _SPELLINGS[plain]
    words = re.split(r"[\s,、.()]+", f"{plain} {plain.replace('_', ' ')}")
    found = {_SPELLINGS[word] for word in words if word in _SPELLINGS}
    if len(found) == 1:
        return found.pop()
    if len(found) > 1:
        raise ValueError(f"{str(text)!r} names {len(found)} codes: {', '.join(sorted(found))}")
    near = list(dict.fromkeys(_SPELLINGS[each] for each in difflib.get_close_matches(plain, _SPELLINGS, n=3)))
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(CODE_NAMES)}"
    raise ValueError(f"{str(text)!r} is no code; {hint}")


def read_sure(text: object) -> bool | None:
    """Read whether a coder was sure: 1 or 0, yes or no in either language; None for an empty cell.

    Raises
    ------
    ValueError
        If it is something else.
    """
    plain = _plain(text)
    if plain and plain not in (*_YES, *_NO):
        raise ValueError(f"{str(text)!r} is neither 1 (sure) nor 0")
    return plain in _YES if plain else None


def _plain(text: object) -> str:
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return ""
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    plain = unicodedata.normalize("NFKC", str(text)).strip().lower()
    return plain if " " in plain and plain in _SPELLINGS else re.sub(r"(?<=[a-z])[ _-]+(?=[a-z])", "_", plain)
