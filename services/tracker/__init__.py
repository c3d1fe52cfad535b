"""Tracker 督办: clocks, limits, extensions and supervision. It decides when time is up."""
