"""Needs nothing."""
