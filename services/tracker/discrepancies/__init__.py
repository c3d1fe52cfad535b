"""疑点: what on record does not fit together, and what people make of it (R-34, gain 6, ADR 0075)."""
