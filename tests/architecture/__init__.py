"""Reads the source: imports, habits, sizes."""
