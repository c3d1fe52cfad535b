"""The rules of one place, read from its folder: codes, units, working time, limits."""
