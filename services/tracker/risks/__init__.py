"""风险报告: dangers the government is told of at once, and who has taken each up (ADR 0074, 0081)."""
