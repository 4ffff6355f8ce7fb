"""Damaged, hostile and odd files through the real reading flow: ``python -m tests.fuzz --count 5000 --seed 1``."""
