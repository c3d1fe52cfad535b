"""吹哨报到 a town whistles, units come, and both are appraised (R-47)."""
