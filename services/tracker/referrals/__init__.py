"""移送 conduct that one supervisor would hand to the discipline body, and another grants (ADR 0074)."""
