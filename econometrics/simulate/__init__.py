"""Simulated data with planted effects: a firm panel, plants with clusters, and the files of a panel as they come."""

from econometrics.simulate.firms import (
    PanelDesign,
    PlantedEffects,
    mean_log1p,
    planted_effects,
    simulate_emissions,
    simulate_firm_years,
    simulate_panel,
)
from econometrics.simulate.plants import SimulatedPlants, simulate_plants
from econometrics.simulate.sources import simulate_sources

__all__ = [
    "PanelDesign",
    "PlantedEffects",
    "SimulatedPlants",
    "mean_log1p",
    "planted_effects",
    "simulate_emissions",
    "simulate_firm_years",
    "simulate_panel",
    "simulate_plants",
    "simulate_sources",
]
