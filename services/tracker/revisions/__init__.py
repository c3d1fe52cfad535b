"""更正: clocks that ended by a calendar that was wrong, judged anew by two persons (ADR 0076)."""
