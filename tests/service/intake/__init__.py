"""The doors of intake on a real database."""
