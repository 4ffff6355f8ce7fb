"""What the K-densities of industries are reported as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from econometrics.places.distances import Floats
from shuzhi import DataError


@dataclass(frozen=True)
class IndustryDensity:
    """The K-density of an industry with its confidence bands.

    Attributes
    ----------
    industry : str
        Code of the industry.
    plants : int
        Number of plants.
    bandwidth_km : float
        Bandwidth of the kernel.
    distances_km : array of float, shape (points,)
        Distances at which the density is evaluated.
    density, simulated_mean : array of float, shape (points,)
        The K-density, and the mean of the simulated ones, per kilometre.
    local_low, local_high, global_low, global_high : array of float, shape (points,)
        Confidence bands, per kilometre.
    p_localised, p_dispersed : float
        p values of the test of the whole curve against being nowhere too high, and nowhere too low.
    global_level : float
        Share of the simulated densities that hit a global band anywhere; above the level if draws are too few.
    """

    industry: str
    plants: int
    bandwidth_km: float
    distances_km: Floats
    density: Floats
    simulated_mean: Floats
    local_low: Floats
    local_high: Floats
    global_low: Floats
    global_high: Floats
    p_localised: float
    p_dispersed: float
    global_level: float

    @property
    def localisation(self) -> Floats:
        """Gamma(d): the excess of the density over the upper global band."""
        return np.maximum(self.density - self.global_high, 0.0)

    @property
    def dispersion(self) -> Floats:
        """Psi(d): the shortfall below the lower global band; zero everywhere if the industry is localised anywhere."""
        short = np.maximum(self.global_low - self.density, 0.0)
        return np.zeros_like(short) if self.is_localised else short

    @property
    def is_localised(self) -> bool:
        """Whether the density hits the upper global band anywhere."""
        return bool((self.density > self.global_high).any())

    @property
    def is_dispersed(self) -> bool:
        """Whether the density hits the lower global band anywhere and the upper one nowhere."""
        return not self.is_localised and bool((self.density < self.global_low).any())

    @property
    def step_km(self) -> float:
        """Distance between two points of the grid."""
        return float(self.distances_km[1] - self.distances_km[0])

    @property
    def localisation_strength(self) -> float:
        """Sum of Gamma over the grid times its step: the share of pairs in excess (on a 1 km grid, the plain sum)."""
        return float(self.localisation.sum() * self.step_km)

    @property
    def dispersion_strength(self) -> float:
        """Sum of Psi over the grid times its step."""
        return float(self.dispersion.sum() * self.step_km)

    @property
    def localised_to_km(self) -> float:
        """Largest distance of the grid at which the industry is localised; missing if it is not."""
        hits = np.flatnonzero(self.localisation)
        return float(self.distances_km[hits[-1]]) if len(hits) else float("nan")

    @property
    def first_range_km(self) -> tuple[float, float]:
        """First and last distance of the first unbroken range of localisation; missing if there is none.

        Two clusters far apart also raise the density at their distance from each other, so that only the first range
        tells how wide a cluster is.
        """
        hits = self.localisation > 0
        if not hits.any():
            return float("nan"), float("nan")
        start = int(np.argmax(hits))
        after = hits[start:]
        length = len(after) if after.all() else int(np.argmin(after))
        return float(self.distances_km[start]), float(self.distances_km[start + length - 1])

    def to_frame(self) -> pd.DataFrame:
        """One row a distance: density, mean of the simulations, bands, Gamma and Psi, all per kilometre."""
        return pd.DataFrame(
            {
                "industry": self.industry,
                "distance_km": self.distances_km,
                "density": self.density,
                "simulated_mean": self.simulated_mean,
                "local_low": self.local_low,
                "local_high": self.local_high,
                "global_low": self.global_low,
                "global_high": self.global_high,
                "localisation": self.localisation,
                "dispersion": self.dispersion,
            }
        )

    def summary(self) -> str:
        """Say in one line whether, where and how strongly the industry is localised or dispersed."""
        head = f"{self.industry}: {self.plants:,} plants, bandwidth {self.bandwidth_km:.1f} km, "
        if self.is_localised:
            start, end = self.first_range_km
            return (
                f"{head}localised from {start:.0f} to {end:.0f} km, farthest at {self.localised_to_km:.0f} km, "
                f"strength {self.localisation_strength:.4f} (p = {self.p_localised:.3f})"
            )
        if self.is_dispersed:
            return f"{head}dispersed, strength {self.dispersion_strength:.4f} (p = {self.p_dispersed:.3f})"
        return f"{head}neither localised nor dispersed"


@dataclass(frozen=True)
class KDensities:
    """The K-densities of all industries of one cross-section.

    Attributes
    ----------
    industries : mapping of str to IndustryDensity
        By code, in the order of the codes.
    plants, sites : int
        Plants of all industries that were used, and places where they stand.
    maximum_km : float
        End of the range of distances that is tested.
    bin_km : float or None
        Width of the distance bins; None: distances are exact.
    draws, seed : int
        Number of simulations of each industry, and the seed.
    parameters : mapping
        All other choices.
    dropped : mapping of str to int
        Plants that could not be used, by reason.
    without_density : mapping of str to int
        Industries that are too small, with their plants, which stay in the pool of sites.
    assumptions, warnings : tuple of str
        In words.
    """

    industries: Mapping[str, IndustryDensity]
    plants: int
    sites: int
    maximum_km: float
    bin_km: float | None
    draws: int
    seed: int
    parameters: Mapping[str, Any]
    dropped: Mapping[str, int] = field(default_factory=dict)
    without_density: Mapping[str, int] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __getitem__(self, industry: str) -> IndustryDensity:
        try:
            return self.industries[industry]
        except KeyError:
            why = f"it has only {self.without_density[industry]} plants" if industry in self.without_density else ""
            raise DataError(f"no K-density of industry {industry!r}: {why or 'no plant has this code'}") from None

    def to_frame(self) -> pd.DataFrame:
        """All curves, one row an industry and distance."""
        return pd.concat([result.to_frame() for result in self.industries.values()], ignore_index=True)

    def table(self) -> pd.DataFrame:
        """One row an industry: plants, bandwidth, whether, where and how strongly it is localised or dispersed."""
        rows = [
            {
                "industry": result.industry,
                "plants": result.plants,
                "bandwidth_km": result.bandwidth_km,
                "is_localised": result.is_localised,
                "is_dispersed": result.is_dispersed,
                "localisation_strength": result.localisation_strength,
                "dispersion_strength": result.dispersion_strength,
                "first_range_from_km": result.first_range_km[0],
                "first_range_to_km": result.first_range_km[1],
                "localised_to_km": result.localised_to_km,
                "p_localised": result.p_localised,
                "p_dispersed": result.p_dispersed,
            }
            for result in self.industries.values()
        ]
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """Say what was computed from what, and a line for each industry, as plain text."""
        results = self.industries.values()
        bins = "exact distances" if self.bin_km is None else f"distances in bins of {self.bin_km:g} km"
        lines = [
            f"K-densities of {len(results)} industries: {self.plants:,} plants at {self.sites:,} sites, {bins}, "
            f"0 to {self.maximum_km:.0f} km, {self.draws:,} draws, seed {self.seed}",
            f"localised: {sum(result.is_localised for result in results)}, "
            f"dispersed: {sum(result.is_dispersed for result in results)}",
            *(f"  {result.summary()}" for result in results),
            *(f"dropped: {count:,} plants, {reason}" for reason, count in self.dropped.items() if count),
        ]
        if self.without_density:
            few = sum(self.without_density.values())
            lines.append(
                f"{len(self.without_density)} industries with {few:,} plants are too small; "
                "their sites stay in the pool"
            )
        lines += [f"assumption: {text}" for text in self.assumptions]
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join(lines)
