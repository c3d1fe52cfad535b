"""更正 what was put down wrongly is put right, on record."""
