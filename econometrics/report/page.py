"""The report of a study: one HTML page that needs no network, prints, and says what was asked, found and assumed.

Nothing is read or written here; the page is a function of the results.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from econometrics.emissions.decomposition import ApportionmentDecomposition
from econometrics.report.assumptions import assumptions_in_words, stated_texts
from econometrics.report.base import Naming, both_titles, main_model
from econometrics.report.diagnostics import study_diagnostics
from econometrics.report.figures import StudyFigure
from econometrics.report.findings import answer, question, sample_of
from econometrics.report.sections import flow_tables, study_sections
from econometrics.spec.vocabulary import Failure
from econometrics.study.results import StudyResults
from econometrics.tables.html import TABLE_STYLE, to_html
from econometrics.tables.model import Language, Table

LONGEST_OPEN = 80
SIMULATED = ("模拟数据：由程序生成，结果不可引用。", "Simulated data: made up by a program; do not cite these results.")


def render_study(
    results: StudyResults,
    *,
    tables: Mapping[str, Table],
    figures: Sequence[StudyFigure],
    figure_failures: Sequence[Failure] = (),
    language: Language = "zh",
    provenance: Mapping[str, object] | None = None,
    decompositions: Mapping[str, ApportionmentDecomposition] | None = None,
    simulated: bool = False,
) -> str:
    """Render the report of a study as one HTML page.

    Parameters
    ----------
    results : StudyResults
        What the study found.
    tables : mapping of str to Table
        By the name of their plan, in the language of the page.
    figures : sequence of StudyFigure
        In the language of the page.
    figure_failures : sequence of Failure
        Figures that could not be drawn.
    language : {'zh', 'en'}
        The language that stands first; the other one follows in small print.
    provenance : mapping of str to object, optional
        Versions, seeds and what else the page should tell of how it came about; nested mappings are one line an entry.
    decompositions : mapping of str to ApportionmentDecomposition, optional
        What emission intensities among the outcomes consist of.
    simulated : bool
        Whether the data were made up, which a banner then says.

    Returns
    -------
    str
        The page. The same input gives the same text; every text of the data is escaped.
    """
    naming = Naming(results)
    style = TABLE_STYLE.removeprefix("<style>").replace("</style>", "")
    return (
        _environment()
        .get_template("study.html.j2")
        .render(
            title=_title(results, language),
            script_hash=_script_hash(),
            other_title=_title(results, "en" if language == "zh" else "zh"),
            language=language,
            table_style=Markup(style),
            banner=SIMULATED if simulated else None,
            question=question(results, naming),
            answer=answer(results, naming),
            counts=_counts(results),
            flow=[_table(table) for table in flow_tables(results, language)],
            sections=[
                {
                    "name": section.name,
                    "title": section.title,
                    "sentences": section.sentences,
                    "figures": [_figure(figure) for figure in section.figures],
                    "tables": [_entry(table, LONGEST_OPEN) for table in section.tables],
                    "more": [_entry(table, 0) for table in section.more],
                }
                for section in study_sections(results, naming, language=language, tables=tables, figures=figures)
            ],
            diagnostics=study_diagnostics(results, naming, decompositions),
            figure_failures=figure_failures,
            assumptions=assumptions_in_words(results, naming),
            stated={name: stated_texts(results, naming, name) for name in ("warnings", "assumptions")},
            provenance=list(flat({**_own_provenance(results), **(provenance or {})})),
            spec_text=str(results.spec.text),
        )
    )


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("econometrics", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _script_hash() -> str:
    """Return the hash of the page's own script, by which its policy lets that script run and no other."""
    source = resources.files("econometrics").joinpath("templates/study.html.j2").read_text(encoding="utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _title(results: StudyResults, language: Language) -> str:
    zh, en = both_titles(results.spec.title, (results.spec.study, results.spec.study))
    return en if language == "en" else zh


def _table(table: Table) -> Markup:
    # The renderer escapes every text of the table.
    return Markup(to_html(table, style="without"))


def _entry(table: Table, longest_open: int) -> dict[str, Any]:
    rows = len(table.rows)
    return {"html": _table(table), "caption": table.caption, "rows": rows, "is_folded": rows > longest_open}


def _figure(figure: StudyFigure) -> dict[str, Any]:
    # The drawing's letters are outlines, and matplotlib escapes what stands in comments and titles.
    svg = re.sub(r"(?s)\s*<metadata>.*?</metadata>", "", figure.drawing.svg())
    return {"title": figure.title, "name": figure.name, "svg": Markup(svg)}


def _counts(results: StudyResults) -> list[tuple[str, str, str]]:
    keys = results.spec.panel
    years = results.data[str(keys.year)].dropna()
    found = main_model(results)
    used = sample_of(results, found[1])["observations"] if found else 0
    span = f" {int(years.min())}–{int(years.max())}" if len(years) else ""
    return [
        ("面板行数", "rows of the panel", f"{results.panel_rows:,}"),
        ("样本行数", "rows of the sample", f"{len(results.data):,}"),
        ("个体", "units", f"{results.data[str(keys.firm)].nunique():,}"),
        (f"年份{span}", "years", f"{years.nunique():,}"),
        ("主模型观测", "used in the main model", f"{used:,}"),
        ("未得到的结果", "results not obtained", f"{len(results.failures):,}"),
    ]


def _own_provenance(results: StudyResults) -> dict[str, object]:
    return {
        "研究 study": results.spec.study,
        "设定哈希 specification": results.spec_hash,
        "面板哈希 panel": results.data_hash,
        "种子 seeds": dict(_seeds(results)),
    }


def _seeds(results: StudyResults) -> Iterable[tuple[str, str]]:
    for place, result in results.parts().items():
        seed, draws = getattr(result, "seed", None), getattr(result, "draws", None)
        if seed is not None and draws:
            yield place, f"seed {seed}, {draws:,} draws"


def flat(mapping: Mapping[str, object], above: str = "") -> Iterable[tuple[str, str]]:
    """Yield the entries of nested mappings as pairs of a name and a text.

    Parameters
    ----------
    mapping : mapping of str to object
        What to flatten.
    above : str
        What stands before the names.
    """
    for key, value in mapping.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{name} · ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "—"
        else:
            yield name, "—" if value is None or value == "" else str(value)
