"""派单指标 how well the right unit is found, and what towns bear."""
