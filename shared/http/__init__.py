"""What every door over HTTP shares: who calls, which fields, repeats, problems, limits."""
