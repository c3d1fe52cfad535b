"""What does not move at intake: nothing waits here for a moment; the rest shows when compared."""

from __future__ import annotations

from shared.stuck import EVERYWHERE, Question

QUESTIONS: tuple[Question, ...] = EVERYWHERE

OPEN = """
    SELECT number FROM ticket WHERE status NOT IN ('closed', 'withdrawn') AND number > :after
    ORDER BY number LIMIT :limit"""

MARKS = """
    SELECT number, reopened_round AS round, resolved_round AS resolved, closed_round AS closed,
        withdrawn
    FROM ticket WHERE number = ANY(CAST(:numbers AS text[]))"""
