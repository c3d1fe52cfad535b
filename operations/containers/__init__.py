"""Services on containers: up, upgrade, backup, restore, and their trials."""
