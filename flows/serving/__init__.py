"""A Prefect server, a worker and the deployments of ``prefect.yaml`` on one machine, started and stopped together."""
