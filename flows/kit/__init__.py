"""The study kit: what a colleague elsewhere needs to use the indices without knowing this software."""
