"""督办: a supervision that no clock raises: by a person's hand, or by a rule about what befell the order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.tracker import records
from services.tracker.models import Assignment, Supervision
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.standing import KeptBack, raised_at
from services.tracker.standing import Standing
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


def keep_back(assignment: Assignment, id: UUID, ground: Ground, at: datetime) -> None:
    """Note what a trigger asks for while a higher rung stands, once."""
    known = [KeptBack.model_validate(each) for each in assignment.kept_back]
    if all(each.supervision != id for each in known):
        new = KeptBack(supervision=id, rung=ground.rung, reason=ground.reason, at=at)
        assignment.kept_back = [*assignment.kept_back, new.model_dump(mode="json")]


def raise_triggered(act: ServiceAct, record: TicketRecord) -> bool:
    """Raise what triggers asked for while a higher rung stood that has turned out not to, the highest first;
    whether anything was.
    """
    raised, withdrawal = False, record.matter().withdrawal
    for assignment in (row for row in record.assignments if row.kept_back):
        ending = records.timeline(assignment).ending(withdrawal)
        kept = map(KeptBack.model_validate, assignment.kept_back)
        for each in sorted(kept, key=lambda one: -one.rung):
            if each.supervision in record.supervisions:
                continue
            standing = Standing(act, record.clocks.values(), record.supervisions.values())
            at = raised_at(each.rung, each.at, standing.of(assignment.id))
            if at and (ending is None or at < ending.at):
                ground = Ground(each.rung, "trigger", each.reason)
                raise_on(act, record, assignment, each.supervision, ground, at)
                raised = True
    return raised
