"""The report: one HTML page that needs no network and shows what was read, what was not, and what was found.

Everything is summed up here in vectorised steps; the template only lays it out. Charts are inline SVG drawn
by small functions, so that the page follows the reader's colours and stays sharp in print.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import jinja2
import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.charts import NO_YEAR, Row, bar_chart, histogram, line_chart

LISTED_FAILURES = 200
TOP_TERMS = 15
SENTENCES = 3
JUMPS = 10
_WINDOW = 60  # characters shown on either side of a hit

Integers = npt.NDArray[np.int64]

STATUS_LABELS = {
    "ok": "已读取",
    "scanned": "扫描件",
    "sparse": "几乎无文字",
    "excluded": "按更正文件排除",
    "garbled": "乱码",
    "encrypted": "加密",
    "not_a_pdf": "不是 PDF",
    "empty": "空文件",
    "timeout": "超时",
    "failed": "读取失败",
    "identify": "未能识别公司或年度",
}
# What a user can do about a file, by the status it ended with, or by the stage that failed if it was read.
WAYS_OUT = {
    "scanned": (
        "加上 --ocr rapidocr 重跑，或换用交易所的原始文件。",
        "Run again with --ocr rapidocr, or get the exchange's original file.",
    ),
    "sparse": (
        "文字可能已转为图形，请换用其他来源的文件，或做文字识别（--ocr rapidocr）。",
        "The text may be drawn as outlines: get another file, or read it with --ocr rapidocr.",
    ),
    "excluded": (
        "由更正文件排除；删去该条即可恢复。",
        "Taken out by the file of corrections; remove its entry to undo.",
    ),
    "garbled": (
        "换用其他来源的文件，或加上 --ocr rapidocr 重跑。",
        "Get the file from another source, or run again with --ocr rapidocr.",
    ),
    "encrypted": ("用密码打开后另存为不加密的 PDF。", "Open it with its password and save it without one."),
    "not_a_pdf": ("常为下载出错时保存的网页，请重新下载。", "Often a saved error page: download it again."),
    "empty": ("请重新下载。", "Download it again."),
    "timeout": (
        "提高时限后重跑：加上 --retry --seconds-per-file 600，只会重读这些文件。",
        "Run again with --retry --seconds-per-file 600; only these are read.",
    ),
    "identify": (
        "在文件名中写明股票代码与年度（如 000001_2020_平安银行.pdf）后重跑。",
        "Put stock code and year into the file name (000001_2020_name.pdf) and run again.",
    ),
    "failed": (
        "文件多已损坏，请重新下载后重跑。",
        "Mostly damaged files: download them again and run again.",
    ),
}
_OTHER_WAY_OUT = (
    "按原因修正后，加上 --retry 重跑，只会重读这些文件。",
    "Mend the reason and run again with --retry; only these are read.",
)


def render_report(
    *,
    title: str,
    indices_long: pd.DataFrame,
    documents: pd.DataFrame,
    hits: pd.DataFrame,
    failures: pd.DataFrame,
    provenance: Mapping[str, object],
    simulated: bool = False,
    report_language: Literal["zh", "en"] = "zh",
) -> str:
    """Render the report as one HTML page.

    Parameters
    ----------
    title : str
        Title of the page.
    indices_long, documents, hits, failures : DataFrame
        The exported tables of these names.
    provenance : mapping of str to object
        Parameters, versions, dictionary hashes and counts; nested mappings are shown one line an entry.
    simulated : bool
        Whether the reports were made up, which a banner then says.
    report_language : {'zh', 'en'}
        The language that stands first; the other one follows in small print.

    Returns
    -------
    str
        The page. The same input gives the same text.
    """
    used = documents[_is_used(documents)].drop_duplicates("document_id")
    series = firm_year_series(indices_long)
    terms = top_terms(hits, used)
    names = sorted({*series["dictionary"].unique(), *terms})
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flows", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"whole": _whole, "decimal": _decimal, "percent": _percent}
    return environment.get_template("report.html.j2").render(
        title=title,
        script_hash=script_hash(),
        language=report_language,
        simulated=simulated,
        headline=headline(documents, series),
        coverage=coverage(documents),
        failures=failures_by_status(failures),
        failure_count=len(failures),
        status_labels=STATUS_LABELS,
        dictionaries=[_dictionary(name, series, terms) for name in names],
        provenance=list(_flat(provenance)),
    )


@cache
def script_hash() -> str:
    """Return the hash of the page's own script, by which its policy lets that script run and no other."""
    source = resources.files("flows").joinpath("templates/report.html.j2").read_text(encoding="utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _dictionary(name: str, series: pd.DataFrame, terms: Mapping[str, list[Row]]) -> Row:
    own = series[series["dictionary"] == name]
    years = index_by_year(own)
    latest = own[own["report_year"] == own["report_year"].max()]["value"].to_numpy(dtype="float64")
    return {
        "name": name,
        "years": years,
        "line": line_chart(years),
        "latest_year": years[-1]["year"] if years else None,
        "histogram": histogram(latest),
        "terms": terms.get(name, []),
        "jumps": jumps(own),
    }


def firm_year_series(indices_long: pd.DataFrame) -> pd.DataFrame:
    """Keep ln(1+count) of the whole dictionary where it has a value: one row a dictionary, firm and year."""
    wanted = (indices_long["dimension"] == "total") & (indices_long["measure"] == "log1p")
    # One line a dictionary: the whole report where it was measured, else the first scope.
    scopes = indices_long["scope"].drop_duplicates()
    wanted &= indices_long["scope"] == ("report" if "report" in scopes.to_numpy() else next(iter(scopes), ""))
    columns = ["dictionary", "stock_code", "company_name", "report_year", "value"]
    kept = indices_long.loc[wanted & indices_long["value"].notna() & indices_long["report_year"].notna(), columns]
    kept = kept.astype({"report_year": "int64", "value": "float64", "dictionary": "object"})
    return kept.sort_values(["dictionary", "stock_code", "report_year"], kind="stable", ignore_index=True)


def headline(documents: pd.DataFrame, series: pd.DataFrame) -> Row:
    """Count files, files read and not read, firm-years with an index, firms and years."""
    read = int((documents["status"] == "ok").sum())
    firm_years = series.drop_duplicates(["stock_code", "report_year"])
    years = sorted(firm_years["report_year"].unique())
    return {
        "files": len(documents),
        "read": read,
        "unreadable": len(documents) - read,
        "firm_years": len(firm_years),
        "firms": int(firm_years["stock_code"].nunique()),
        "years": len(years),
        "span": f"{years[0]}–{years[-1]}" if years else "",
    }


def _is_used(documents: pd.DataFrame) -> pd.Series:
    return documents["is_used"].astype("boolean").fillna(False).astype("bool")


def coverage(documents: pd.DataFrame) -> Row:
    """Count files by report year and status, and those used for the index; files without a year come last."""
    year = documents["report_year"].astype("Int64").astype("string").fillna(NO_YEAR).astype("object")
    status = documents["status"].astype("object").fillna(NO_YEAR)
    table = pd.crosstab(year, status)
    used = _is_used(documents).groupby(year).sum()
    statuses = sorted(table.columns, key=lambda name: (name != "ok", name))
    rows = [
        {
            "year": str(label),
            "files": int(table.loc[label].sum()),
            "used": int(used[label]),
            "counts": [int(table.loc[label, name]) for name in statuses],
        }
        for label in table.index
    ]
    return {"statuses": statuses, "rows": rows, "chart": bar_chart(rows, read_first="ok" in statuses)}


def failures_by_status(failures: pd.DataFrame) -> list[Row]:
    """Group failures by status, most frequent first, and list at most `LISTED_FAILURES` of them in all."""
    rows = failures[["status", "file", "stock_code", "report_year", "stage", "reason"]].astype("object")
    # A file that was read and still failed has the status ok, which is no name for a group of failures.
    rows["status"] = rows["status"].where(rows["status"] != "ok", rows["stage"])
    rows = rows.where(rows.notna(), "").sort_values(["status", "file"], kind="stable")
    # Every status shows some files before any of them shows many.
    order = rows.groupby("status", sort=False).cumcount()
    listed = rows.loc[order.sort_values(kind="stable").index[:LISTED_FAILURES]]
    counts = rows["status"].value_counts()
    return [
        {
            "status": status,
            "count": int(counts[status]),
            "way_out": WAYS_OUT.get(status, _OTHER_WAY_OUT),
            "files": _records(listed[listed["status"] == status]),
        }
        for status in sorted(counts.index, key=lambda status: (-counts[status], status))
    ]


def index_by_year(series: pd.DataFrame) -> list[Row]:
    """Describe one dictionary's ln(1+count) year by year."""
    groups = series.groupby("report_year")["value"]
    return [
        {
            "year": int(str(year)),
            "n": len(values),
            "mean": float(values.mean()),
            "median": float(values.median()),
            "low": float(values.quantile(0.25)),
            "high": float(values.quantile(0.75)),
            "zeros": float((values == 0).mean()),
        }
        for year, values in groups
    ]


def jumps(series: pd.DataFrame) -> list[Row]:
    """Find the largest changes of one dictionary's ln(1+count) from one year to the next, up or down."""
    last = series.shift(1)
    follows = (series["stock_code"] == last["stock_code"]) & (series["report_year"] - last["report_year"] == 1)
    found = series.assign(before=last["value"], change=series["value"] - last["value"])[follows]
    found = found.assign(size=found["change"].abs()).sort_values(
        ["size", "stock_code", "report_year"], ascending=[False, True, True], kind="stable"
    )
    found["count_before"] = np.expm1(found["before"]).round().astype("int64")
    found["count"] = np.expm1(found["value"]).round().astype("int64")
    return _records(found[found["size"] > 0].head(JUMPS))


def top_terms(hits: pd.DataFrame, used: pd.DataFrame) -> dict[str, list[Row]]:
    """Find the most frequent terms of each dictionary, with sentences from different firms.

    Parameters
    ----------
    hits : DataFrame
        All hits; those in documents that are not used do not count.
    used : DataFrame
        The documents that make an index, one row each.

    Returns
    -------
    dict of str to list of dict
        By dictionary: term, dimension, count, firm-years, and the sentences.
    """
    if hits.empty or used.empty:
        return {}
    # Integer codes instead of text: five million hits are then sums over arrays.
    document, document_ids = pd.factorize(hits["document_id"])
    place = pd.Index(used["document_id"].astype("object")).get_indexer(pd.Index(document_ids).astype("object"))
    firm_year = used.groupby(["stock_code", "report_year"], dropna=False, sort=False).ngroup().to_numpy()
    term, terms = pd.factorize(hits["term"])
    dictionary, names = pd.factorize(hits["dictionary"])
    row_of_hit = np.where(document >= 0, place[document], -1)
    kept = np.flatnonzero((row_of_hit >= 0) & (term >= 0) & (dictionary >= 0))
    key = dictionary[kept].astype("int64") * len(terms) + term[kept]
    keys, counts = np.unique(key, return_counts=True)
    pairs = np.unique(key * len(used) + firm_year[row_of_hit[kept]])
    firm_years = np.bincount(np.searchsorted(keys, pairs // len(used)), minlength=len(keys))
    found: dict[str, list[Row]] = {}
    for number in sorted(range(len(keys)), key=lambda number: (-counts[number], str(terms[keys[number] % len(terms)]))):
        listed = found.setdefault(str(names[keys[number] // len(terms)]), [])
        if len(listed) < TOP_TERMS:
            rows = kept[key == keys[number]]
            name = str(terms[keys[number] % len(terms)])
            row = {"term": name, "count": int(counts[number]), "firm_years": int(firm_years[number])}
            row["dimension"] = str(hits["dimension"].iloc[rows[0]])
            row["sentences"] = [
                _in_context(hits.iloc[chosen], used.iloc[row_of_hit[chosen]])
                for chosen in _choose(name, rows, row_of_hit[rows], hits, used)
            ]
            listed.append(row)
    return found


def _choose(term: str, rows: Integers, places: Integers, hits: pd.DataFrame, used: pd.DataFrame) -> list[int]:
    """Choose hits of a term from different firms: always the same ones, and other firms for another term."""
    candidates = used.iloc[np.unique(places)].assign(place=np.unique(places)).sort_values("document_id")
    # Document ids are hashes, so starting at the term's own hash is a draw without a random number.
    start = int(candidates["document_id"].searchsorted(hashlib.sha256(term.encode("utf-8")).hexdigest()))
    ring = pd.concat([candidates.iloc[start:], candidates.iloc[:start]])
    is_other_firm = ~ring["stock_code"].duplicated()
    ring = pd.concat([ring[is_other_firm], ring[~is_other_firm]])
    chosen = []
    for place in ring["place"].head(SENTENCES):
        own = rows[places == place]
        ordered = hits.iloc[own][["page", "offset"]].assign(row=own).sort_values(["page", "offset"])
        # The first hit of a report is often its list of definitions; the middle one is prose.
        chosen.append(int(ordered["row"].iloc[len(own) // 2]))
    return chosen


def _in_context(hit: pd.Series, document: pd.Series) -> Row:
    sentence = " ".join(str(hit["sentence"]).split()) if pd.notna(hit["sentence"]) else ""
    start, length = _find(sentence, hit)
    before, after = sentence[:start], sentence[start + length :]
    return {
        "before": "…" + before[-_WINDOW:] if len(before) > _WINDOW else before,
        "hit": sentence[start : start + length],
        "after": after[:_WINDOW] + "…" if len(after) > _WINDOW else after,
        "firm": document["company_name"] if pd.notna(document["company_name"]) else document["stock_code"],
        "stock_code": document["stock_code"],
        "year": document["report_year"],
        "page": hit["page"],
    }


def _find(sentence: str, hit: pd.Series) -> tuple[int, int]:
    """Find the hit in its sentence: the occurrence nearest to where the offsets say it is."""
    expected = 0
    if hit["page"] == hit["sentence_page"] and pd.notna(hit["sentence_offset"]):
        expected = int(hit["offset"]) - int(hit["sentence_offset"])
    for text in (str(hit["matched"]), "".join(str(hit["matched"]).split()), str(hit["term"])):
        places = [place for place in range(len(sentence)) if sentence.startswith(text, place)]
        if text and places:
            return min(places, key=lambda place: (abs(place - expected), place)), len(text)
    return 0, 0


def _records(frame: pd.DataFrame) -> list[Row]:
    """Give rows as plain dictionaries; their attribute access in a template would find a Series' methods."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None)]


def _flat(mapping: Mapping[str, object], above: str = "") -> Iterable[tuple[str, str]]:
    for key, value in mapping.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name} · ")
        elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
            items = [str(item) for item in value]
            yield name, ", ".join(items if isinstance(value, Sequence) else sorted(items)) or NO_YEAR
        else:
            yield name, NO_YEAR if value is None or value == {} else str(value)


def _whole(value: int) -> str:
    return f"{value:,}"


def _decimal(value: float) -> str:
    return f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"
