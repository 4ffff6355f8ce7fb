"""The results of a human validation as files: a table each, and one page that a person reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.formats import replacing, write_csv
from flows.validate_score import RESULT_FILES, Scores


def write_scores(scores: Scores, out: Path) -> list[Path]:
    """Write every table as CSV, and validation.md, which a person reads."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in RESULT_FILES:
        path = out / f"{name}.csv"
        if name in scores.tables:
            write_csv(scores.tables[name], path)
            written.append(path)
        else:
            path.unlink(missing_ok=True)
    path = out / "validation.md"
    with replacing(path) as temporary:
        temporary.write_text(to_markdown(scores), encoding="utf-8", newline="\n")
    return [*written, path]


HEADINGS = {
    "precision": "本公司行动占命中的比例 Precision: the filer's own action",
    "codes": "各编码占比 Shares of the codes",
    "agreement": "编码者一致性 Agreement",
    "confusion_coders": "编码者之间的混淆 Confusion between coders",
    "confusion_machine": "机器与编码者的混淆 Confusion of machine (rows) and coders",
    "flags": "机器标记的准确率与召回率 The machine's flags",
    "corrected": "修正后的指数 The corrected index",
    "recall": "召回率 Recall",
}
SHOWN_ROWS = 40


def to_markdown(scores: Scores) -> str:
    """Return all results as one page: weighted shares hold for all hits, plain ones for the coded hits."""
    lines = ["# 人工核验 Human validation", ""]
    lines += [f"- {note}" for note in scores.notes]
    lines += ["- share, low, high: 已编码命中中的占比与 Wilson 95 % 区间 plain, with Wilson's interval"]
    lines += ["- weighted_*: 按抽样权重推及全部命中 weighted by the chances of the sample, for all hits", ""]
    for name in RESULT_FILES:
        if name not in scores.tables:
            continue
        table = scores.tables[name]
        lines += [f"## {HEADINGS[name]}", "", *_markdown_table(table.head(SHOWN_ROWS)), ""]
        if len(table) > SHOWN_ROWS:
            lines += [f"… {len(table) - SHOWN_ROWS} more rows in {name}.csv", ""]
    return "\n".join(lines)


def _markdown_table(table: pd.DataFrame) -> list[str]:
    rows = [[str(name) for name in table.columns], ["---"] * len(table.columns)]
    rows += [[_shown(value) for value in row] for row in table.itertuples(index=False, name=None)]
    return ["| " + " | ".join(row) + " |" for row in rows]


def _shown(value: Any) -> str:
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.0f}" if number.is_integer() and abs(number) >= 2 else f"{number:.3f}"
    return str(value).replace("|", "\\|").replace("\n", " ")
