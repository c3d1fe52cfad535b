"""Jiesu in containers: what operators run (upgrade, backup, restore), and trials of it for real."""
