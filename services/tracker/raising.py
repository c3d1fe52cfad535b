"""督办: a supervision that no clock raises: by a person's hand, or by a rule about what befell the order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.tracker.models import Assignment, Supervision
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from shared import events


class Ground(NamedTuple):
    """Why an order is supervised, and how; see SupervisionRaised."""

    rung: int
    by: Literal["hand", "trigger"]
    reason: str
    instruction: events.Instruction | None = None
    joint: tuple[str, ...] = ()
    stale_knowledge: events.StaleKnowledge | None = None


def raise_on(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    id: UUID,
    ground: Ground,
    at: datetime,
) -> Supervision:
    """Press the unit that has an order, on a rung, with a time to answer; kept and said."""
    policy, unit = versions.in_force(act), assignment.unit
    answer_due = policy.answer_due(ground.rung, at, unit)
    data = events.SupervisionRaised(
        supervision=id,
        title=policy.title(ground.rung),
        answer_due=answer_due,
        **ground._asdict(),
    )
    raised = Supervision(
        id=id,
        ticket=assignment.ticket,
        assignment=assignment.id,
        round=assignment.round,
        unit=unit,
        raised_at=at,
        raised_by=act.actor,
        press_at=policy.press_at(ground.rung, at, unit, answer_due),
        **data.model_dump(mode="json", include={"instruction", "joint", "stale_knowledge"}),
        **data.model_dump(include={"rung", "title", "by", "reason", "answer_due"}),
    )
    record.supervisions[id] = act.rows.add(raised)
    act.tell(
        data,
        subject=raised.ticket,
        time=at,
        round=raised.round,
        assignment=assignment.id,
        unit=unit,
    )
    return raised
