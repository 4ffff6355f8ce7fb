"""A firm panel with planted effects: clusters ten years before, a digital index between, carbon intensity after.

The rule, for firm i of place c and industry k in year t::

    C_it        whether (c, k) was a cluster in year t - lag: a two-state Markov chain with share ``cluster_share``
    n_it        ~ Poisson(m_it),  m_it = intensity_i * growth ** (t - first year) * exp(cluster_on_digital * C_it)
    D_it        = ln(1 + n_it)
    y_it        = firm_i + year_t + direct * C_it + digital_on_carbon * D_it + controls + noise_it
    CO2_it      = exp(y_it) * revenue_it / 10^6 yuan           (tonnes; y is the log of tonnes per million yuan)

The defaults are calibrated to the only printed moments of the seed study (Liu, Wu & Zhu 2024): the standard
deviation of the cluster dummy is 0.46 (a share of 0.304), its total effect on carbon intensity about -0.059, and the
standard deviation of the outcome 1.233. Everything else is ours. Every draw comes from a generator seeded with the seed
and the stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from econometrics.reference import load_reference
from shuzhi import UsageError

Floats = npt.NDArray[np.float64]

# The share of a dummy with standard deviation 0.46 is the smaller root of p (1 - p) = 0.46 ** 2.
CLUSTER_SHARE = 0.3040
DIVISIONS = (13, 15, 17, 22, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 38, 39, 40)
FIRST_STOCK_CODE = 4001
# Terms of ln(1 + n) beyond this many standard deviations of the count add nothing that a double holds.
POISSON_REACH = 12.0


@dataclass(frozen=True)
class PanelDesign:
    """What is planted.

    Parameters
    ----------
    firms : int
        Number of firms.
    years : tuple of int
        Report years, ascending.
    lag : int
        Years between the cluster map and the report.
    places, industries : int
        How many prefectures and two-digit industries firms are spread over.
    cluster_share : float
        Share of place-industry-years that are clusters.
    cluster_change : float
        Probability a year that a cluster ends; beginnings keep the share.
    intensity_median, intensity_spread, growth : float
        Median over firms of the mean count in the first year, standard deviation of its log, and growth a year.
    cluster_on_digital : float
        Log points that a cluster adds to the mean count (path a of the count).
    digital_on_carbon : float
        Effect of ln(1 + count) on log carbon intensity (path b).
    direct : float
        Effect of a cluster on log carbon intensity that does not pass through the index.
    size_on_digital, size_on_carbon : float
        Effects of log assets (standardised) on the log mean count and on the outcome: what a control is for.
    outcome_sd, noise : float
        Standard deviation of the outcome, and of its part that firm and year effects leave.
    missing_share : float
        Share of firm-years that are not observed.
    """

    firms: int = 2400
    years: tuple[int, ...] = tuple(range(2008, 2021))
    lag: int = 10
    places: int = 60
    industries: int = len(DIVISIONS)
    cluster_share: float = CLUSTER_SHARE
    cluster_change: float = 0.08
    intensity_median: float = 16.0
    intensity_spread: float = 0.6
    growth: float = 1.15
    cluster_on_digital: float = 0.25
    digital_on_carbon: float = -0.081
    direct: float = -0.039
    size_on_digital: float = 0.10
    size_on_carbon: float = -0.05
    outcome_sd: float = 1.233
    noise: float = 0.20
    missing_share: float = 0.05


@dataclass(frozen=True)
class PlantedEffects:
    """The true effects of a simulated panel.

    Parameters
    ----------
    a, b : float
        Effect of a cluster on ln(1 + count), averaged over the firm-years given, and of ln(1 + count) on the outcome.
    direct, indirect, total : float
        Effects of a cluster on log carbon intensity; ``indirect`` is a times b and ``total`` the sum.
    """

    a: float
    b: float
    direct: float
    indirect: float
    total: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row an effect."""
        names = ("total", "a", "b", "direct", "indirect")
        return pd.DataFrame({"effect": list(names), "planted": [getattr(self, name) for name in names]})


def simulate_panel(design: PanelDesign | None = None, *, seed: int) -> pd.DataFrame:
    """Draw a whole panel: firms, clusters, counts, emissions, controls.

    Parameters
    ----------
    design : PanelDesign, optional
        What is planted; the defaults are calibrated to the seed study's printed moments.
    seed : int
        Seed of everything that is drawn.

    Returns
    -------
    pandas.DataFrame
        One row a firm-year, see :func:`simulate_firm_years` and :func:`simulate_emissions`.
    """
    design = design or PanelDesign()
    frame = simulate_firm_years(design, seed=seed)
    counts = np.random.default_rng([seed, 2]).poisson(frame["expected_count"])
    frame = simulate_emissions(frame.assign(digital_count=counts), design, seed=seed)
    kept = np.random.default_rng([seed, 4]).random(len(frame)) >= design.missing_share
    return frame[kept].reset_index(drop=True)


def simulate_firm_years(design: PanelDesign, *, seed: int, stock_codes: Sequence[str] | None = None) -> pd.DataFrame:
    """Draw firms with places, industries, clusters, controls and the mean of their counts, before any text is written.

    Parameters
    ----------
    design : PanelDesign
        What is planted.
    seed : int
        Seed of the draws.
    stock_codes : sequence of str, optional
        Codes of the firms; by default 004001 and following, which no exchange has given.

    Returns
    -------
    pandas.DataFrame
        Columns stock_code, report_year, city_code, city, province, industry, cluster_year, is_cluster, size, leverage,
        return_on_assets, firm_age, is_state_owned, expected_count, sorted by firm and year.

    Raises
    ------
    UsageError
        If the design has no firm or year, or a share outside of 0 to 1.
    """
    _check_design(design)
    generator = np.random.default_rng([seed, 1])
    codes = list(stock_codes) if stock_codes is not None else _stock_codes(design.firms)
    firms = _firms(codes, design, generator)
    years = np.asarray(design.years)
    status = _cluster_status(design, generator)
    frame = firms.loc[firms.index.repeat(years.size)].reset_index(drop=True)
    frame["report_year"] = np.tile(years, len(firms))
    step = frame["report_year"].to_numpy() - years[0]
    frame["is_cluster"] = status[frame["place_number"], frame["industry_number"], step]
    frame["cluster_year"] = frame["report_year"] - design.lag
    drift = generator.normal(0.0, 0.15, len(frame))
    frame["size"] = frame["size"] + 0.06 * step + drift
    frame["leverage"] = np.clip(frame["leverage"] + generator.normal(0, 0.05, len(frame)), 0.02, 0.98)
    frame["return_on_assets"] = generator.normal(0.04, 0.05, len(frame))
    frame["firm_age"] = frame["firm_age"] + step
    log_mean = (
        np.log(frame["intensity"])
        + np.log(design.growth) * step
        + design.size_on_digital * (frame["size"] - 22.0)
        + design.cluster_on_digital * frame["is_cluster"]
    )
    frame["expected_count"] = np.exp(log_mean)
    return frame.drop(columns=["place_number", "industry_number", "intensity"]).sort_values(
        ["stock_code", "report_year"], ignore_index=True
    )


def simulate_emissions(frame: pd.DataFrame, design: PanelDesign, *, seed: int) -> pd.DataFrame:
    """Add revenue, cost, assets, emissions and carbon intensity to firm-years whose counts are known.

    Parameters
    ----------
    frame : pandas.DataFrame
        From :func:`simulate_firm_years`, with a column ``digital_count``; a missing count gives missing emissions.
    design : PanelDesign
        What is planted.
    seed : int
        Seed of the draws.

    Returns
    -------
    pandas.DataFrame
        The frame with digital_log1p, revenue_yuan, operating_cost_yuan, total_assets_yuan, market_value_yuan,
        co2_tonnes, co2_tonnes_per_million_yuan_revenue and carbon_intensity_log.
    """
    generator = np.random.default_rng([seed, 3])
    size = frame["size"].to_numpy(dtype=float)
    digital = np.log1p(frame["digital_count"].to_numpy(dtype=float, na_value=np.nan))
    codes, firm = np.unique(frame["stock_code"].to_numpy(dtype=str), return_inverse=True)
    noise = generator.normal(0.0, design.noise, len(frame))
    year = generator.normal(0.0, 0.1, len(design.years))
    between = np.sqrt(max(design.outcome_sd**2 - design.noise**2 - 0.1**2, 0.0))
    level = 3.0 + between * generator.normal(size=codes.size)
    outcome = (
        level[firm]
        + year[np.searchsorted(design.years, frame["report_year"])]
        + design.direct * frame["is_cluster"].to_numpy(dtype=float)
        + design.digital_on_carbon * digital
        + design.size_on_carbon * (size - 22.0)
        + noise
    )
    assets = np.exp(size)
    revenue = assets * np.exp(generator.normal(-0.5, 0.3, len(frame)))
    return frame.assign(
        digital_log1p=digital,
        total_assets_yuan=assets,
        revenue_yuan=revenue,
        operating_cost_yuan=revenue * np.clip(generator.normal(0.74, 0.12, len(frame)), 0.2, 0.99),
        market_value_yuan=assets * np.exp(generator.normal(0.2, 0.5, len(frame))),
        co2_tonnes=np.exp(outcome) * revenue / 1e6,
        co2_tonnes_per_million_yuan_revenue=np.exp(outcome),
        carbon_intensity_log=outcome,
    )


def planted_effects(frame: pd.DataFrame, design: PanelDesign) -> PlantedEffects:
    """Return the true effects over the firm-years given.

    Parameters
    ----------
    frame : pandas.DataFrame
        Firm-years with ``expected_count`` and ``is_cluster``.
    design : PanelDesign
        What was planted.

    Returns
    -------
    PlantedEffects
        Path a is the mean over the firm-years of E ln(1 + n) with a cluster less the same without one, both summed
        exactly over the Poisson distribution.
    """
    without = frame["expected_count"].to_numpy(dtype=float) * np.exp(
        -design.cluster_on_digital * frame["is_cluster"].to_numpy(dtype=float)
    )
    a = float((mean_log1p(without * np.exp(design.cluster_on_digital)) - mean_log1p(without)).mean())
    indirect = a * design.digital_on_carbon
    return PlantedEffects(a, design.digital_on_carbon, design.direct, indirect, indirect + design.direct)


def mean_log1p(means: Floats) -> Floats:
    """Return E ln(1 + n) of Poisson counts with the means given, each summed to where the tail holds nothing."""
    from scipy.special import gammaln

    found = np.empty(means.size)
    order = np.argsort(means)
    for block in np.array_split(order, max(1, means.size // 512)):
        top = float(means[block].max(initial=0.0))
        counts = np.arange(int(top + POISSON_REACH * np.sqrt(top) + 40))
        log_mass = counts * np.log(means[block])[:, None] - means[block][:, None] - gammaln(counts + 1)
        found[block] = np.exp(log_mass) @ np.log1p(counts)
    return found


def _check_design(design: PanelDesign) -> None:
    problems = []
    if design.firms < 1 or not design.years:
        problems.append("it needs at least one firm and one year")
    if list(design.years) != sorted(set(design.years)):
        problems.append("its years must ascend, each once")
    for name in ("cluster_share", "cluster_change", "missing_share"):
        if not 0.0 <= getattr(design, name) < 1.0:
            problems.append(f"{name} is {getattr(design, name)}, not a share from 0 to below 1")
    if not 1 <= design.industries <= len(DIVISIONS):
        problems.append(f"industries is {design.industries}; between 1 and {len(DIVISIONS)} can be drawn")
    if problems:
        raise UsageError(f"the design of the simulated panel: {'; '.join(problems)}")


def _stock_codes(count: int) -> list[str]:
    return [f"{FIRST_STOCK_CODE + number:06d}" for number in range(count)]


def _firms(codes: Sequence[str], design: PanelDesign, generator: np.random.Generator) -> pd.DataFrame:
    """Draw what does not change of a firm; a firm's row does not depend on how many firms come after it."""
    places = _places(design.places)
    rows = []
    for number, code in enumerate(codes):
        place, industry = number % len(places), (number * 7 + number // len(places)) % design.industries
        draw = generator.normal(size=4)
        rows.append(
            {
                "stock_code": code,
                "place_number": place,
                "industry_number": industry,
                **places.iloc[place].to_dict(),
                "industry": f"C{DIVISIONS[industry]}",
                "intensity": design.intensity_median * np.exp(design.intensity_spread * draw[0]),
                "size": 22.0 + 1.2 * draw[1],
                "leverage": float(np.clip(0.42 + 0.18 * draw[2], 0.05, 0.95)),
                "firm_age": 5 + number % 20,
                "is_state_owned": bool(draw[3] > 0.4),
            }
        )
    return pd.DataFrame(rows)


def _places(count: int) -> pd.DataFrame:
    """Return prefectures spread evenly over the official list."""
    cities = load_reference("china_admin_codes").data
    cities = cities[cities["level"] == "prefecture"].sort_values("code", ignore_index=True)
    if not 1 <= count <= len(cities):
        raise UsageError(f"places is {count}; between 1 and {len(cities)} prefectures can be drawn")
    chosen = cities.iloc[np.linspace(0, len(cities) - 1, count).astype(int)]
    return pd.DataFrame({"city_code": chosen["code"], "city": chosen["name"], "province": chosen["province"]})


def _cluster_status(design: PanelDesign, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw cluster or not of each place, industry and year as a stationary Markov chain."""
    shape = (design.places, design.industries)
    years = design.years[-1] - design.years[0] + 1
    begin = design.cluster_share * design.cluster_change / max(1.0 - design.cluster_share, 1e-12)
    status = np.empty((*shape, years), dtype=bool)
    status[..., 0] = generator.random(shape) < design.cluster_share
    for year in range(1, years):
        draw = generator.random(shape)
        before = status[..., year - 1]
        status[..., year] = np.where(before, draw >= design.cluster_change, draw < begin)
    return status
