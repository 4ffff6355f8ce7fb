"""What specifications in YAML are read with: lines of entries, formulas and their functions."""
