"""What at least three services use and that decides nothing."""
