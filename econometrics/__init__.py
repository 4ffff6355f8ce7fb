"""Regressions on the panel that the indices enter, as plain functions over data frames."""
