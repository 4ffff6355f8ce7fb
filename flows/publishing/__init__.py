"""From a store to a data set that others cite: definitions, inbox, gate, immutable releases, and what changed."""
