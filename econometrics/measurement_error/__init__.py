"""A regressor measured with error: attenuation, SIMEX, and two measures that instrument each other."""

from econometrics.measurement_error.attenuation import correct_attenuation
from econometrics.measurement_error.extrapolate import Extrapolant
from econometrics.measurement_error.oriv import RelatedInstruments, related_instruments
from econometrics.measurement_error.result import AttenuationCorrection, ReliabilityOf, SimulationExtrapolation
from econometrics.measurement_error.simex import simulate_extrapolate

__all__ = [
    "AttenuationCorrection",
    "Extrapolant",
    "RelatedInstruments",
    "ReliabilityOf",
    "SimulationExtrapolation",
    "correct_attenuation",
    "related_instruments",
    "simulate_extrapolate",
]
