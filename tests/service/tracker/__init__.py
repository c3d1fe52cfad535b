"""The doors of tracker on a real database."""
