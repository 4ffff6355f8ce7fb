"""Table 1 on disk: descriptive statistics and correlations of a panel, in every format of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from econometrics.describe import (
    CorrelationMatrix,
    MissingPairs,
    Percentile,
    correlation_matrix,
    descriptive_statistics,
)
from econometrics.tables import (
    FORMATS,
    Language,
    Table,
    TableFormat,
    correlation_table,
    descriptive_table,
    render_table,
)
from econometrics.variables import variable_labels
from flows.formats import replacing
from flows.panel_read import read_panel_file
from shuzhi import UsageError


@dataclass(frozen=True)
class DescribeOptions:
    """What is described, and how.

    Parameters
    ----------
    variables : tuple of str
        Columns; empty takes all numbers but the keys.
    by : str
        Column of groups or years; empty describes all rows only.
    missing : {"pairwise", "listwise"}
        Which rows a correlation uses.
    percentile : {"linear", "stata"}
        How quartiles are computed.
    language : {"zh", "en"}
        Language of the tables.
    digits : int
        Decimals.
    """

    variables: tuple[str, ...] = ()
    by: str = ""
    missing: MissingPairs = "pairwise"
    percentile: Percentile = "linear"
    language: Language = "zh"
    digits: int = 3


@dataclass(frozen=True)
class Description:
    """The statistics of a panel, as frames and as tables for the paper."""

    statistics: pd.DataFrame
    correlations: CorrelationMatrix | None
    tables: dict[str, Table]


def describe_panel(place: str, options: DescribeOptions) -> Description:
    """Describe a panel.

    Parameters
    ----------
    place : str
        A table, or the folder that ``shuzhi panel`` wrote.
    options : DescribeOptions
        What is described.

    Returns
    -------
    Description
        Without correlations where there is one variable alone.
    """
    data, variables, facts = read_panel_file(place)
    year = str(facts.get("year", "report_year"))
    names = list(options.variables) or [
        str(name) for name in data.columns if name != year and pd.api.types.is_numeric_dtype(data[name].dtype)
    ]
    if not names:
        raise UsageError(f"{place}: has no column of numbers besides its keys")
    statistics = descriptive_statistics(data, names, by=options.by or None, percentile=options.percentile)
    labels = variable_labels(variables, names, options.language)
    if options.by:
        labels["all"] = "全样本" if options.language == "zh" else "All"
    tables = {
        "descriptive": descriptive_table(
            statistics,
            group="group" if options.by else None,
            labels=labels,
            language=options.language,
            digits=options.digits,
        )
    }
    correlations = None
    if len(names) > 1:
        correlations = correlation_matrix(data, names, missing=options.missing)
        tables["correlations"] = correlation_table(
            correlations,
            labels=labels,
            language=options.language,
            digits=options.digits,
        )
    return Description(statistics, correlations, tables)


def write_description(description: Description, out: Path, formats: Sequence[TableFormat] = FORMATS) -> list[str]:
    """Write the tables in every format wanted, and the figures in full precision; return the names of the files.

    The files ``statistics.csv`` and ``correlations_by_pair.csv`` hold what the tables round, and the number of rows
    of each pair.
    """
    from flows.formats import write_csv

    written = []
    for name, table in description.tables.items():
        for format_ in formats:
            path = out / f"{name}.{format_}"
            with replacing(path) as temporary:
                temporary.write_bytes(render_table(table, format_))
            written.append(path.name)
    write_csv(description.statistics, out / "statistics.csv")
    written.append("statistics.csv")
    if description.correlations is not None:
        write_csv(description.correlations.to_frame(), out / "correlations_by_pair.csv")
        written.append("correlations_by_pair.csv")
    return written
