"""A service's database: transactions, engine, group commit, the tables every service has."""
