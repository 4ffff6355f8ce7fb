"""Prefect flows, the store, the worker pool and the command line."""
