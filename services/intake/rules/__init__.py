"""Intake's decisions: pure, every instant an argument."""
