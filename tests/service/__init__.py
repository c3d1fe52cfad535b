"""One service on a real PostgreSQL, door by door."""
