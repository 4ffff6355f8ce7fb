"""The evidence page: one HTML file that needs no network and leads from any number to its sentences.

The hits are packed column by column, each text once, and compressed; the page's script unpacks them and shows only
the rows in sight. No text of a report ever stands in the page as markup: the data are base64, the script writes
text nodes alone, and the page's policy runs no script but the one whose hash it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast

import jinja2
import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from flows.evidence_labels import FLAG_LABELS, FURNITURE_LABELS, KIND_LABELS, SECTION_LABELS
from flows.inspect_store import find_hit
from nlp.dictionary import Dictionary
from nlp.index import MEASURES
from nlp.scope import Scope, parse_scope

MOST_HITS = 200_000
_COUNT = "_count"
_ORDER = ["stock_code", "report_year", "file", "page", "offset", "dictionary", "term"]
_TEXT_COLUMNS = ("dictionary", "rule", "dimension", "term", "section", "subsection", "sentence")
_OTHER_COLUMNS = "document_id is_used dictionary_hash end_page end_offset matched sentence_number sentence_page"
_OTHER_COLUMNS += " sentence_offset furniture is_ocr company_name start"
_PLAIN_COLUMNS = frozenset((*_TEXT_COLUMNS, *_ORDER, *_OTHER_COLUMNS.split()))

Packed = dict[str, Any]


def render_evidence(
    *,
    title: str,
    hits: pd.DataFrame,
    documents: pd.DataFrame,
    indices_long: pd.DataFrame,
    entered: pd.DataFrame | None = None,
    dictionaries: Sequence[Dictionary] = (),
    reports_base: str = "",
    most_hits: int = MOST_HITS,
    simulated: bool = False,
    report_language: Literal["zh", "en"] = "zh",
) -> str:
    """Render the page of all hits.

    Parameters
    ----------
    title : str
        Title of the page.
    hits, documents, indices_long : DataFrame
        The exported tables. Columns of ``hits`` that are not known here are shown as well: booleans as flags,
        numbers as scores, ``kind`` as a filter.
    entered : DataFrame or None
        Which indices each hit entered: booleans, rows as in ``hits``, one column an index without its measure
        (``wu2021_mda_total``). None works it out from ``indices_long``, see :func:`index_membership`.
    dictionaries : sequence of Dictionary
        The word lists, for the labels of their dimensions.
    reports_base : str
        Where the reports stand as seen from the page: a relative path or a URL; the reader can change it.
    most_hits : int
        With more hits the page holds the reports that are used, then whole reports drawn by hash, and says so.
    simulated : bool
        Whether the reports were made up, which a banner then says.
    report_language : {'zh', 'en'}
        The language that stands first.

    Returns
    -------
    str
        The page. The same input gives the same text, whatever the order of its rows.
    """
    held, coverage = hold(hits, most_hits)
    membership = index_membership(held, indices_long) if entered is None else entered.loc[held.index]
    held = held.sort_values(_ORDER, kind="stable", na_position="last")
    data = {
        "held": coverage,
        "base": reports_base,
        "measures": list(MEASURES),
        "labels": {"section": SECTION_LABELS, "kind": KIND_LABELS, "dimension": dimension_labels(dictionaries)},
        "hits": pack_hits(held, documents, membership.loc[held.index]),
        "firm_years": pack_values(indices_long),
    }
    script = resources.files("flows").joinpath("templates/evidence.js").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flows", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return environment.get_template("evidence.html.j2").render(
        title=title,
        language=report_language,
        simulated=simulated,
        coverage=coverage,
        has_kind="kind" in held.columns,
        script=Markup(script),
        script_hash=digest,
        data=Markup(compress(data)),
    )


def dimension_labels(dictionaries: Sequence[Dictionary]) -> dict[str, tuple[str, str]]:
    """Return the labels of dimensions by id; where lists label the same id otherwise, all of its labels."""
    zh: dict[str, dict[str, None]] = {}
    en: dict[str, dict[str, None]] = {}
    for dimension in (dimension for each in dictionaries for dimension in each.dimensions):
        zh.setdefault(dimension.id, {})[dimension.zh] = None
        en.setdefault(dimension.id, {})[dimension.en] = None
    return {name: (" / ".join(zh[name]), " / ".join(en[name])) for name in zh}


def compress(data: Mapping[str, Any]) -> str:
    """Return data as base64 of zlib-compressed JSON, which no text can break out of."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 6)).decode("ascii")


def hold(hits: pd.DataFrame, most_hits: int) -> tuple[pd.DataFrame, Packed]:
    """Choose what the page holds: all hits, else those of used reports, else whole reports drawn by hash.

    Parameters
    ----------
    hits : DataFrame
        All hits.
    most_hits : int
        As many as the page may hold.

    Returns
    -------
    held : DataFrame
        The hits on the page.
    coverage : dict
        ``why`` (``all``, ``used`` or ``sample``), and how many hits and reports are held, of how many.
    """
    held, why = hits, "all"
    if len(held) > most_hits:
        held, why = held[held["is_used"].astype("boolean").fillna(False).to_numpy(dtype=bool)], "used"
    if len(held) > most_hits:
        # Document ids are hashes of the files, so their order is a draw that every run repeats.
        sizes = held.groupby("document_id", sort=True).size()
        kept = sizes.index[np.cumsum(sizes.to_numpy()) <= most_hits]
        held, why = held[held["document_id"].isin(kept)], "sample"
    reports = {"reports": int(held["document_id"].nunique()), "of_reports": int(hits["document_id"].nunique())}
    return held, {"why": why, "hits": len(held), "of_hits": len(hits), **reports}


def index_membership(hits: pd.DataFrame, indices_long: pd.DataFrame) -> pd.DataFrame:
    """Return which indices each hit entered.

    A hit enters an index if its report has a value there, its dictionary, rule and dimension are the index's, and
    it stands in the part of the report that counts.

    Parameters
    ----------
    hits : DataFrame
        Hits, as exported.
    indices_long : DataFrame
        Indices, as exported.

    Returns
    -------
    DataFrame
        Booleans; rows as in ``hits``, one column an index, named without its measure.
    """
    counted = indices_long[(indices_long["measure"] == "count") & indices_long["value"].notna()]
    keys = ["index", "dictionary", "rule", "scope", "dimension"]
    found: dict[str, npt.NDArray[np.bool_]] = {}
    is_used = hits["is_used"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    parts = {str(name): in_scope(hits, parse_scope(str(name))) for name in counted["scope"].unique()}
    for (index, dictionary, rule, scope, dimension), rows in counted.groupby(keys, sort=False):
        mask = is_used & parts[str(scope)] & (hits["dictionary"] == dictionary).to_numpy(dtype=bool)
        if "rule" in hits:
            mask &= (hits["rule"] == rule).to_numpy(dtype=bool)
        if dimension != "total":
            mask &= (hits["dimension"] == dimension).to_numpy(dtype=bool)
        mask &= hits["document_id"].isin(rows["document_id"]).to_numpy(dtype=bool)
        found[str(index).removesuffix(_COUNT)] = mask
    return pd.DataFrame(found, index=hits.index, dtype=bool)


def in_scope(hits: pd.DataFrame, scope: Scope) -> npt.NDArray[np.bool_]:
    """Tell of each hit whether it stands in a part of its report, as :mod:`flows.measure` counts it."""
    if scope.mode == "report":
        return np.ones(len(hits), dtype=bool)
    is_body = (hits["furniture"].fillna("") == "").to_numpy(dtype=bool)
    if scope.mode == "body":
        return is_body
    named = (hits["section"].isin(scope.kinds) | hits["subsection"].isin(scope.kinds)).to_numpy(dtype=bool)
    return is_body & (~named if scope.mode == "without" else named)


def pack_hits(hits: pd.DataFrame, documents: pd.DataFrame, membership: pd.DataFrame) -> Packed:
    """Pack hits column by column: text as a list of distinct values and a number a row."""
    names = documents.drop_duplicates("document_id").set_index("document_id")["company_name"]
    places = hits[["document_id", "file", "stock_code", "report_year", "is_used"]].drop_duplicates("document_id")
    rows = dict(zip(places["document_id"], range(len(places)), strict=True))
    packed: Packed = {
        "documents": {
            "id": [str(each)[:12] for each in places["document_id"]],
            "file": _texts(places["file"]),
            "code": _texts(places["stock_code"]),
            "name": _texts(places["document_id"].map(names)),
            "year": _numbers(places["report_year"]),
            "used": [int(each) for each in places["is_used"].astype("boolean").fillna(False)],
        },
        "document": [rows[each] for each in hits["document_id"]],
        "page": _numbers(hits["page"]),
        "offset": _numbers(hits["offset"]),
    }
    packed["start"], packed["length"] = _places(hits)
    for name in _TEXT_COLUMNS:
        packed[name] = _coded(hits[name]) if name in hits else {"values": [""], "codes": [0] * len(hits)}
    packed["index"] = _sets(membership.to_numpy(dtype=bool), [[name] for name in membership.columns])
    return packed | _extras(hits)


def _extras(hits: pd.DataFrame) -> Packed:
    """Pack flags, scores and the columns that are not known here by their type."""
    flags: dict[str, npt.NDArray[np.bool_]] = {}
    packed: Packed = {"scores": {}, "texts": {}}
    for name in hits.columns:
        column = hits[name]
        if name == "furniture":
            for value in sorted(set(column.dropna()) - {""}):
                flags[f"furniture:{value}"] = (column == value).to_numpy(dtype=bool)
        elif _is_boolean(column) and name != "is_used":
            flags[str(name)] = column.astype("boolean").fillna(False).to_numpy(dtype=bool)
        elif name in _PLAIN_COLUMNS:
            continue
        elif pd.api.types.is_numeric_dtype(column.dtype):
            packed["scores"][str(name)] = [None if pd.isna(value) else round(float(value), 3) for value in column]
        elif name == "kind":
            packed["kind"] = _coded(column)
        else:
            packed["texts"][str(name)] = _coded(column)
    labels = {**FLAG_LABELS, **{f"furniture:{key}": value for key, value in FURNITURE_LABELS.items()}}
    shown = [[name, *labels.get(name, (name.replace("_", " "), ""))] for name in flags]
    table = np.column_stack(list(flags.values())) if flags else np.zeros((len(hits), 0), dtype=bool)
    packed["flag"] = _sets(table, shown)
    return packed


def _is_boolean(column: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(column.dtype):
        return True
    present = column.dropna()
    return column.dtype == object and len(present) > 0 and all(isinstance(each, bool | np.bool_) for each in present)


def _sets(table: npt.NDArray[np.bool_], members: Sequence[Sequence[str]]) -> Packed:
    """Pack which of some members hold in each row: the distinct combinations, and a number a row."""
    if not len(table) or not len(members):
        return {"members": list(members), "sets": [[]], "codes": [0] * len(table)}
    bits = np.packbits(table, axis=1)
    _, first, codes = np.unique(bits, axis=0, return_index=True, return_inverse=True)
    sets = [np.flatnonzero(table[row]).tolist() for row in first]
    return {"members": list(members), "sets": sets, "codes": codes.ravel().tolist()}


def _places(hits: pd.DataFrame) -> tuple[list[int], list[int]]:
    """Return start and length of each hit in its sentence, counted as JavaScript does, in UTF-16 units."""
    starts, lengths = [], []
    columns = ["sentence", "matched", "page", "offset", "sentence_page", "sentence_offset"]
    for row in hits[columns].astype(object).to_dict("records"):
        sentence, matched = _text(row["sentence"]), _text(row["matched"])
        is_known = pd.notna(row["offset"]) and pd.notna(row["sentence_offset"])
        start = find_hit(sentence, matched, row) if is_known else max(sentence.find(matched), 0)
        length = len(matched) if sentence.startswith(matched, start) else 0
        starts.append(_utf16(sentence[:start]))
        lengths.append(_utf16(sentence[start : start + length]))
    return starts, lengths


def _utf16(text: str) -> int:
    return len(text) if text.isascii() or max(text) <= "\uffff" else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if pd.isna(cast("Any", value)) else str(value)


def _texts(column: pd.Series) -> list[str]:
    return [_text(value) for value in column]


def _numbers(column: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else int(value) for value in column]


def _coded(column: pd.Series) -> Packed:
    texts = column.astype(object).where(column.notna(), "").astype(str)
    codes, values = pd.factorize(texts)
    return {"values": list(values), "codes": codes.tolist()}


def pack_values(indices_long: pd.DataFrame) -> Packed:
    """Pack the counts of all indices, one row a firm-year, with why a value is missing."""
    counted = indices_long[indices_long["measure"] == "count"]
    keys = ["stock_code", "report_year"]
    firm_years = counted.drop_duplicates(keys).sort_values(keys, kind="stable")
    wanted = pd.MultiIndex.from_frame(firm_years[keys])
    values, reasons = {}, {}
    for index, rows in counted.groupby("index", sort=False):
        own = rows.drop_duplicates(keys).set_index(keys).reindex(wanted)
        values[str(index).removesuffix(_COUNT)] = _numbers(own["value"])
        if own["value"].isna().any():
            missing = own["reason"].where(own["value"].isna(), "")
            reasons[str(index).removesuffix(_COUNT)] = _coded(missing)
    return {
        "code": _texts(firm_years["stock_code"]),
        "name": _texts(firm_years["company_name"]),
        "year": _numbers(firm_years["report_year"]),
        "values": values,
        "reasons": reasons,
    }


def relative_base(reports: str | Path, out: str | Path) -> str:
    """Return where a folder of reports stands as seen from a page in another folder, to link to its files."""
    folder = Path(reports).resolve()
    try:
        return Path(os.path.relpath(folder, Path(out).resolve())).as_posix() + "/"
    except ValueError:  # another drive on Windows
        return folder.as_uri() + "/"
