"""What does not move at intake: nothing waits here for a moment; the rest shows when compared."""

from __future__ import annotations

from services.intake import models
from services.intake.rules.rights import RequestStatus
from shared.stuck import EVERYWHERE, Question, rows

QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unruled-contacts",
        "逾期未裁定的查阅申请 requests to read a confidential contact that nobody ruled on in time",
        "身份保管员逾期未裁定，承办单位无法联系诉求人 the custodian did not rule; the unit cannot call",
        "身份保管员裁定 the custodian rules: POST /v1/contact-requests/{id}/ruling",
        rows(f"""
            SELECT number, due, unit FROM contact_request
            WHERE status = '{RequestStatus.ASKED}' AND due < :now ORDER BY due LIMIT :limit"""),
    ),
)

OPEN = f"""
    SELECT number FROM ticket WHERE {models.OPEN} AND number > :after
    ORDER BY number LIMIT :limit"""

PROGRESS = """
    SELECT number, reopened_round AS round, resolved_round AS resolved, closed_round AS closed,
        withdrawn
    FROM ticket WHERE number = ANY(CAST(:numbers AS text[]))"""
