"""How concentrated an industry is over places: Ellison-Glaeser, Maurel-Sédillot, Hirschman-Herfindahl, Gini."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.clusters.cells import cluster_cells
from econometrics.clusters.map import KEYS

Vector = npt.NDArray[np.float64]
MEDIUM, HIGH = 0.02, 0.05


@dataclass(frozen=True)
class Concentration:
    """Concentration of industries over places.

    Parameters
    ----------
    data : pandas.DataFrame
        One row an industry and year: ``plants``, ``places``, ``size``, ``plant_herfindahl`` (H),
        ``place_herfindahl`` (sum of squared place shares), ``raw_concentration`` (G),
        ``ellison_glaeser``, ``ellison_glaeser_z``, ``maurel_sedillot``, ``spatial_gini``, ``theil``, ``level``.
    size : str
        The size measure.
    dropped : Mapping[str, int]
        Establishments that did not enter, by reason.
    assumptions : tuple of str
        In words.
    """

    data: pd.DataFrame
    size: str
    dropped: Mapping[str, int]
    assumptions: tuple[str, ...] = (
        "each row of the data is one plant; several plants of one firm in one row make H too large",
        "under the null plants choose places with the shares of all industries together",
    )

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table."""
        return self.data.copy()

    def summary(self) -> str:
        """How many industries are concentrated, and what was not used, for a person to read."""
        levels = self.data["level"].value_counts()
        counts = ", ".join(f"{int(levels.get(name, 0))} {name}" for name in ("high", "medium", "low", "undefined"))
        lines = [f"Concentration of {len(self.data):,} industry-years by {self.size} (Ellison-Glaeser): {counts}"]
        lines += [f"  not used: {count:,} {reason}" for reason, count in self.dropped.items() if count]
        lines += [f"  assumes: {text}" for text in self.assumptions]
        return "\n".join(lines)


def concentration(
    data: pd.DataFrame,
    *,
    size: str = "employment",
    place: str = "place",
    industry: str = "industry",
    year: str = "year",
) -> Concentration:
    """Measure how concentrated industries are over places, beyond what a few large plants explain.

    With s_ck the place's share of the industry, x_c its share of all industries, z_i the plants'
    shares, ``G = sum (s - x)^2`` and ``H = sum z^2``:
    ``gamma_EG = (G - (1 - sum x^2) H) / ((1 - sum x^2)(1 - H))`` (Ellison and Glaeser 1997),
    ``gamma_MS = ((sum s^2 - sum x^2) / (1 - sum x^2) - H) / (1 - H)`` (Maurel and Sédillot 1999).
    ``ellison_glaeser_z`` is G less its mean under random location, over its standard deviation
    (Ellison and Glaeser 1997, appendix). The spatial Gini is that of the Lorenz curve of s over x,
    places in order of s / x (Krugman 1991); ``theil`` is sum s ln(s / x). Above 0.05 an industry is
    highly, from 0.02 moderately concentrated. Places without any size count for nothing.

    Parameters
    ----------
    data : pandas.DataFrame
        One row a plant and year.
    size : str
        ``firms``, or a column such as ``employment``.
    place, industry, year : str
        Columns.

    Returns
    -------
    Concentration
        Measures that divide by 1 - H are missing for an industry with a single plant, and where all
        industries stand in one place.

    Raises
    ------
    DataError
        If columns are missing or not numeric, or a size is negative.
    """
    cells = cluster_cells(data, size=size, place=place, industry=industry, year=year)
    plants = _plant_moments(data, size, (place, industry, year))
    rows: list[dict[str, Any]] = []
    for of_year, cells_of_year in cells.data.groupby("year"):
        table = cells_of_year[cells_of_year["place_size"] > 0]
        places = table.drop_duplicates("place").set_index("place")["place_size"]
        shares = (places / places.sum()).to_numpy()
        codes = pd.Series(np.arange(len(places)), index=places.index)
        for code, own in table.groupby("industry"):
            total = float(own["size"].sum())
            local = np.zeros(len(places))
            if total > 0:
                local[codes[own["place"]].to_numpy()] = own["size"].to_numpy() / total
            squares, fourths = plants.get((str(code), int(str(of_year))), (np.nan, np.nan))
            measures = _measures(local, shares, squares, fourths) if total > 0 else {}
            base = {"industry": code, "year": of_year, "plants": int(own["firms"].sum())}
            rows.append(base | {"places": int(own["size"].gt(0).sum()), "size": total} | measures)
    return Concentration(_finish(rows), size, cells.dropped)


def _plant_moments(
    data: pd.DataFrame, size: str, columns: tuple[str, str, str]
) -> dict[tuple[str, int], tuple[float, float]]:
    """Sums of the squared and of the fourth powers of plants' shares in their industry and year."""
    used = data[[*columns, *([size] if size != "firms" else [])]].dropna()
    used.columns = pd.Index([*KEYS, *(["size"] if size != "firms" else [])])
    if size == "firms":
        used = used.assign(size=1.0)
    used = used.assign(size=used["size"].astype(float))
    used = used[np.isfinite(used["size"]) & used["place"].astype("str").ne("") & used["industry"].astype("str").ne("")]
    share = used["size"] / used.groupby(["industry", "year"])["size"].transform("sum")
    sums = pd.DataFrame(
        {"industry": used["industry"].astype("str"), "year": used["year"], "two": share**2, "four": share**4}
    )
    table = sums.groupby(["industry", "year"]).sum()
    return {
        (str(code), int(of_year)): (two, four)
        for (code, of_year), two, four in zip(table.index, table["two"], table["four"], strict=True)
    }


def _measures(local: Vector, shares: Vector, herfindahl: float, fourths: float) -> dict[str, float]:
    x2 = float(shares @ shares)
    raw = float(((local - shares) ** 2).sum())
    open_share, spread = 1 - x2, 1 - herfindahl
    defined = open_share > 1e-12 and spread > 1e-12
    out = {
        "plant_herfindahl": herfindahl,
        "place_herfindahl": float(local @ local),
        "raw_concentration": raw,
        "ellison_glaeser": (raw - open_share * herfindahl) / (open_share * spread) if defined else np.nan,
        "ellison_glaeser_z": _z(raw, shares, herfindahl, fourths) if open_share > 1e-12 else np.nan,
        "maurel_sedillot": ((float(local @ local) - x2) / open_share - herfindahl) / spread if defined else np.nan,
        "spatial_gini": _gini(local, shares),
    }
    used = local > 0
    out["theil"] = float((local[used] * np.log(local[used] / shares[used])).sum())
    return out


def _z(raw: float, shares: Vector, herfindahl: float, fourths: float) -> float:
    """G standardised by its mean and variance if plants choose places independently with the shares given."""
    x2, x3 = float(shares @ shares), float((shares**3).sum())
    variance = 2 * (herfindahl**2 * (x2 - 2 * x3 + x2**2) - fourths * (x2 - 4 * x3 + 3 * x2**2))
    if variance <= 1e-18:
        return float("nan")
    return float((raw - (1 - x2) * herfindahl) / np.sqrt(variance))


def _gini(local: Vector, shares: Vector) -> float:
    """Twice the area between the diagonal and the Lorenz curve of local over all shares."""
    order = np.argsort(local / shares, kind="stable")
    height = np.concatenate([[0.0], np.cumsum(local[order])])
    return float(1 - (shares[order] * (height[1:] + height[:-1])).sum())


def _finish(rows: list[dict[str, Any]]) -> pd.DataFrame:
    names = ("plant_herfindahl", "place_herfindahl", "raw_concentration", "ellison_glaeser", "ellison_glaeser_z")
    columns = ["industry", "year", "plants", "places", "size", *names, "maurel_sedillot", "spatial_gini", "theil"]
    data = pd.DataFrame(rows).reindex(columns=columns)
    gamma = data["ellison_glaeser"]
    level = np.select([gamma.isna(), gamma > HIGH, gamma >= MEDIUM], ["undefined", "high", "medium"], "low")
    data["level"] = pd.Series(level, index=data.index, dtype="str")
    return data.sort_values(["industry", "year"], ignore_index=True).astype({"industry": "str", "year": "int64"})
