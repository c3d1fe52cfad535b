"""What does not move at intake: calls kept and not answered, callers nobody rings back, drafts without
an end; the rest shows when compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from services.intake import models
from services.intake.calls.models import PhoneCalls
from services.intake.records import ServiceAct
from services.intake.rules.rights import RequestStatus
from shared.stuck import COUNTED, EVERYWHERE, Question, Stuck, rows


async def unrung(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Missed callers nobody reached within the limit of calls.yaml, the longest wait first."""
    since = col(PhoneCalls.missed_since)
    late = select(PhoneCalls).where(
        since <= act.config.calls.ring_back.late_since(act.now), col(PhoneCalls.ended_at).is_(None)
    )
    found = (await act.session.exec(late.order_by(since).limit(COUNTED))).all()
    return [Stuck(str(row.id), row.missed_since, "漏接 missed") for row in found]


async def undone(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Drafts left without a ticket."""
    at = col(PhoneCalls.drafted_at)
    left = select(PhoneCalls).where(
        at <= act.config.calls.left_since(act.now), col(PhoneCalls.number).is_(None)
    )
    found = (await act.session.exec(left.order_by(at).limit(COUNTED))).all()
    return [Stuck(str(row.id), row.drafted_at, "草稿 draft") for row in found]


QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unrung",
        "超时未回拨的漏接来电 missed calls nobody rang back in time",
        "话务员未回拨，或未登记结果 no agent rang back, or none said what came of it",
        "话务员处理 GET /v1/missed-calls  agents work through that list",
        unrung,
    ),
    Question(
        "drafts",
        "未转工单的草稿 agents' drafts without a ticket",
        "话务员未登记，也未删除 the agent neither registered it nor removed it",
        "派单员处理 GET /v1/drafts：登记时写明 call，或删除 the desk registers with that call, or removes it",
        undone,
    ),
    Question(
        "unread",
        "结案后诉求人又来话、无人查看的工单 tickets of which the citizen said something after the end",
        "一天内无人查看 nobody has read it within a day",
        "派单员或回访员查看 GET /v1/tickets?noted_after_end=true，登记 POST …/notes/read，或重开 "
        "the desk or call-back staff read that list, note it, or reopen",
        rows("""
            SELECT number, noted_after_end_at, status FROM ticket
            WHERE noted_after_end_at <= CAST(:now AS timestamptz) - interval '1 day'
            ORDER BY noted_after_end_at LIMIT :limit"""),
    ),
    Question(
        "unagreed",
        "待另一人同意的更正 corrections that take a shield off or give more time, not decided within a day",
        "无第二人作出决定，一切照旧 no second person decided; all stays as it was",
        "派单员或督办员处理 GET /v1/corrections，登记 POST /v1/corrections/{id}/decision  "
        "the desk or a supervisor decides what stands in that list",
        rows("""
            SELECT number, corrected_at, 'waiting' AS state FROM correction
            WHERE waits AND granted IS NULL
                AND corrected_at <= CAST(:now AS timestamptz) - interval '1 day'
            ORDER BY corrected_at LIMIT :limit"""),
    ),
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
