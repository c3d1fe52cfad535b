"""What does not move at intake: what the hotline kept to answer itself; the rest shows when compared."""

from __future__ import annotations

from services.intake import models
from shared.stuck import EVERYWHERE, Question, rows

QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unanswered",
        "逾期未答复的直办来电 calls the hotline kept and has not answered in time",
        "话务员未在 limits.yaml direct_answer 的时限内答复或转派 no agent has answered it, or sent it on, "
        "within direct_answer of limits.yaml",
        "话务员处理 GET /v1/tickets?status=answering：答复或转派 agents work through that list: answer, or "
        "POST /v1/tickets/{number}/dispatch",
        rows("""
            SELECT number, answer_due, type FROM ticket
            WHERE ending = 'answering' AND answer_due < :now ORDER BY number LIMIT :limit"""),
    ),
)

OPEN = f"""
    SELECT number FROM ticket WHERE {models.OPEN} AND number > :after
    ORDER BY number LIMIT :limit"""

PROGRESS = """
    SELECT number, reopened_round AS round, resolved_round AS resolved, closed_round AS closed,
        withdrawn
    FROM ticket WHERE number = ANY(CAST(:numbers AS text[]))"""
