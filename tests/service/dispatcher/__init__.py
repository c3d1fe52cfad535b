"""The doors of dispatcher on a real database."""
