"""Carbon emissions of firms: apportioned to them, from their activities, or as a vendor gives them."""

from econometrics.emissions.apportioned import ApportionedEmissions, apportion_co2, apportion_energy

__all__ = ["ApportionedEmissions", "apportion_co2", "apportion_energy"]
