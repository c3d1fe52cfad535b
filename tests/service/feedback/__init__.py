"""The doors of feedback on a real database."""
