"""督办回复: what is answered to a supervision, and what stands (ADR 0066)."""

from __future__ import annotations

from uuid import UUID

from services.tracker import records
from services.tracker.models import Assignment, Supervision
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.answering import Answer, AnswerRuling, Asked, SupervisionStands
from services.tracker.schemas import AnswerIn, AnswerRulingIn, SupervisionOut
from shared import events
from shared.errors import NotFound
from shared.events import Data


def refuse_twice(record: TicketRecord, assignment: Assignment, rung: int) -> None:
    """Raises SupervisionStands when the unit is pressed on this rung of the order already."""
    for row in record.supervisions.values():
        of_order = row.assignment == assignment.id and row.unit == assignment.unit
        if of_order and row.rung == rung and row.closed_at is None:
            raise SupervisionStands(str(row.id), row.title, row.raised_at)


async def answer(act: ServiceAct, id: UUID, body: AnswerIn) -> SupervisionOut:
    """督办回复: by the unit that is pressed; the first stands, also one that comes late.

    Raises NotFound, also to another unit and to one that has to stand back; SupervisionAnswered,
    MoveRefused, LeaderMissing, PutRightMissing.
    """
    record, _, row = await records.of_supervision(act, id)
    if not records.may_see(act, row.unit) or records.recused_caller(act, record):
        raise NotFound
    asked = Asked.model_validate(vars(row))
    rung = versions.in_force(act, row.raised_at).rules.rung(row.rung)
    led_by_head = rung is not None and rung.led_by_head
    asked.may_be_answered(body.led_by, body.put_right, led_by_head=led_by_head)
    given = Answer(
        **body.model_dump(),
        answer_due=row.answer_due,
        answered_at=act.now,
        answered_by=act.actor,
        late=asked.is_late(act.now),
    )
    row.answers = [*row.answers, given.model_dump(mode="json")]
    row.answered_at = act.now
    data = events.SupervisionAnswered(
        supervision=id, rung=row.rung, late=given.late, **body.model_dump()
    )
    _tell(act, row, data)
    return SupervisionOut.model_validate(row, from_attributes=True)


async def rule_on_answer(act: ServiceAct, id: UUID, body: AnswerRulingIn) -> SupervisionOut:
    """Accepted, which closes the supervision, or to be answered again by a new moment, from which silence
    counts anew (R-32); every answer stays on record with its ruling.

    Raises NotFound, MoveRefused, AnswerDueWrong.
    """
    _, _, row = await records.of_supervision(act, id)
    policy = versions.in_force(act)
    longest = policy.rules.extension.cap_total_handle  # as handling may take in all
    latest = policy.calendar.of(row.unit).due(act.now, longest).at
    asked = Asked.model_validate(vars(row))
    asked.may_be_ruled_on(body.answer_due, act.now, latest, act.config.calendar.tz)
    ruling = AnswerRuling(**body.model_dump(), ruled_at=act.now, ruled_by=act.actor)
    *before, given = row.answers
    row.answers = [*before, given | {"ruling": ruling.model_dump(mode="json")}]
    if body.answer_due is None:
        row.closed_at = row.accepted_at = act.now
        row.close_reason = f"回复已认可：{body.reason} The answer was accepted"
        _tell(
            act,
            row,
            events.SupervisionClosed(
                supervision=id, rung=row.rung, reason=row.close_reason, accepted=True
            ),
        )
    else:
        row.answered_at, row.answer_due = None, body.answer_due
        row.press_at = policy.press_at(row.rung, act.now, row.unit, body.answer_due)
        sent_back = events.SupervisionSentBack(
            supervision=id, rung=row.rung, reason=body.reason, answer_due=body.answer_due
        )
        _tell(act, row, sent_back)
    return SupervisionOut.model_validate(row, from_attributes=True)


def _tell(act: ServiceAct, row: Supervision, data: Data) -> None:
    act.tell(data, subject=row.ticket, round=row.round, assignment=row.assignment, unit=row.unit)
