"""Chinese text of annual reports: reading, identity, matching and indices, as plain functions."""
