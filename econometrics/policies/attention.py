"""Attention of governments: text indices of their work reports, joined to a panel by place and year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from econometrics.emissions.totals import need_columns
from econometrics.places.matching import match_prefectures, province_codes
from shuzhi import DataError


@dataclass(frozen=True)
class GovernmentAttention:
    """Attention of a government by place and year.

    Attributes
    ----------
    data : pandas.DataFrame
        ``place_code``, ``report_year``, the attention; one row a place and year.
    column : str
        Name of the attention.
    unmatched : pandas.DataFrame
        ``given``, ``rows``, ``reason``: places of the indices that are no prefecture (or province).
    assumptions : tuple of str
        In words.
    """

    data: pd.DataFrame
    column: str
    unmatched: pd.DataFrame
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class AttentionPanel:
    """A panel with the attention of the government of each row's place.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows given with ``place_code`` and the attention; missing where there is no report, never 0.
    joins : pandas.DataFrame
        ``side``, ``what``, ``rows``: rows with and without a report, reports that no row uses.
    unmatched : pandas.DataFrame
        Places of the panel that were not found.
    assumptions : tuple of str
        In words.
    """

    data: pd.DataFrame
    joins: pd.DataFrame
    unmatched: pd.DataFrame
    assumptions: tuple[str, ...]


def government_attention(
    indices: pd.DataFrame,
    *,
    place: str = "stock_code",
    year: str = "report_year",
    value: str = "value",
    where: Mapping[str, object] | None = None,
    name: str = "government_attention",
    level: str = "prefecture",
) -> GovernmentAttention:
    """Turn text indices of governments' work reports into attention by place and year.

    Parameters
    ----------
    indices : DataFrame
        The table of indices of a run over work reports, one row a report and measure; the key that is a firm's code for
        annual reports is the place here.
    place, year, value : str
        Columns. Places are codes or names.
    where : mapping of str to value, optional
        Which rows: such as ``{"dictionary": "environment", "measure": "per_10k_chars", "dimension": "total"}``.
    name : str
        Name of the new column.
    level : {"prefecture", "province"}
        Whose reports these are.

    Returns
    -------
    GovernmentAttention

    Raises
    ------
    DataError
        If columns are missing, no row is left, or a place and year has two values (the filter is too wide).
    """
    conditions = dict(where or {})
    need_columns(indices, [place, year, value, *conditions], "indices")
    rows = indices
    for column, wanted in conditions.items():
        rows = rows[rows[column] == wanted]
        if rows.empty:
            seen = ", ".join(map(str, indices[column].dropna().unique()[:8]))
            raise DataError(f"no index with {column} {wanted!r}; there are {seen}")
    codes, unmatched = _places(rows[place], level)
    data = pd.DataFrame({"place_code": codes, "report_year": rows[year], name: pd.to_numeric(rows[value])})
    data = data.dropna(subset=["place_code", "report_year"]).astype({"report_year": "int64"})
    again = data[data.duplicated(["place_code", "report_year"], keep=False)]
    if len(again):
        first = again.iloc[0]
        raise DataError(
            f"{len(again)} rows share a place and year, such as {first['place_code']} {first['report_year']}: choose "
            "one dictionary, dimension, measure and scope in where, and one report a place and year"
        )
    data = data.sort_values(["place_code", "report_year"], ignore_index=True)
    words = ", ".join(f"{column} {wanted}" for column, wanted in conditions.items()) or "all rows"
    return GovernmentAttention(data, name, unmatched, (f"{name}: text index of work reports of the {level} ({words})",))


def add_government_attention(
    data: pd.DataFrame,
    attention: GovernmentAttention,
    *,
    place: str,
    year: str = "report_year",
    province: str | None = None,
    lag: int = 0,
    level: str = "prefecture",
) -> AttentionPanel:
    """Join the attention to a panel, many rows to one report.

    Parameters
    ----------
    data : DataFrame
        One row a firm-year.
    attention : GovernmentAttention
        From :func:`government_attention`.
    place, year, province : str
        Columns of the place, the year and, to tell equal names apart, the province.
    lag : int
        Years by which the report is earlier. A work report opens its year: that of spring 2015 looks ahead on 2015.
    level : {"prefecture", "province"}
        Level of the reports.

    Returns
    -------
    AttentionPanel

    Raises
    ------
    DataError
        If columns are missing or the column is already there.
    """
    need_columns(data, [place, year, *([province] if province else [])], "data")
    if attention.column in data.columns:
        raise DataError(f"the panel already has a column {attention.column}")
    codes, unmatched = _places(data[place], level, data[province] if province else None)
    keys = pd.DataFrame({"place_code": codes, "report_year": pd.to_numeric(data[year]) - lag}, index=data.index)
    values = attention.data.set_index(["place_code", "report_year"])[attention.column]
    pairs = list(zip(keys["place_code"], keys["report_year"], strict=True))
    known = values.to_dict()
    result = data.copy()
    result["place_code"] = codes
    found = [known.get(pair) for pair in pairs]
    result[attention.column] = pd.Series(found, index=data.index, dtype="float64")
    used = set(pairs)
    matched = sum(pair in known for pair in pairs)
    joins = pd.DataFrame(
        [
            ("panel", "rows with a report", matched),
            ("panel", "rows whose place is unknown", int(codes.isna().sum())),
            ("panel", "rows of a known place without a report", len(data) - matched - int(codes.isna().sum())),
            ("reports", "reports that no row uses", sum(pair not in used for pair in known)),
        ],
        columns=["side", "what", "rows"],
    )
    words = (
        *attention.assumptions,
        f"the report is that of {lag} years before" if lag else "the report is of the year",
    )
    return AttentionPanel(result, joins, unmatched, words)


def _places(values: pd.Series, level: str, provinces: pd.Series | None = None) -> tuple[pd.Series, pd.DataFrame]:
    """Codes of places at a level and what was not found."""
    if level == "prefecture":
        match = match_prefectures(values, provinces=provinces)
        return match.codes, match.unmatched
    if level != "province":
        raise DataError(f"level is prefecture or province, not {level!r}")
    codes = province_codes(values)
    counts = values[codes.isna()].astype("str").fillna("").value_counts().sort_index()
    lost = pd.DataFrame({"given": counts.index.astype("str"), "rows": counts.to_numpy(), "reason": "no such province"})
    return codes, lost
