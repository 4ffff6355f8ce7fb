"""Localisation of industries in continuous space: the K-densities of Duranton and Overman (2005)."""

from econometrics.k_density.estimate import Bandwidth, k_density
from econometrics.k_density.result import IndustryDensity, KDensities

__all__ = ["Bandwidth", "IndustryDensity", "KDensities", "k_density"]
