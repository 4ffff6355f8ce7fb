"""Prefect flows, the store, the worker pool and the command line."""

import os

# Prefect's telemetry is off unless a user turns it on: reports and their names are nobody else's business.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
