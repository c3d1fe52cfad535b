"""Takes complaints in; owns the citizen's identity."""
