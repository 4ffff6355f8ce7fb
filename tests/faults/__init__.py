"""Faults injected into real runs: kills, full disks, clocks, damaged files. What must hold after each is checked."""
