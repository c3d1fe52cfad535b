"""更正: what a correction means for clocks, and for who may see them (ADR 0045).

An open clock goes by the values that are right, keeps the time it has consumed, and is never late before
the correction was made. A closed clock is judged as it was.
"""

from __future__ import annotations

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Ticket
from services.tracker.records import ServiceAct
from services.tracker.rules.timelines import GROUND, MomentCorrected
from shared.caller import person
from shared.events import AssignmentUpdated, Fact, Limits, Role, TicketCorrected
from shared.observability import log

LIMITING = {"type", "topic", "flags", "urgency", "upstream_due"}
HEEDED = LIMITING | {"reported", "area", "confidential"}


async def heed(act: ServiceAct, fact: Fact) -> None:
    """The ticket's own clocks follow what was put right; those of units follow the dispatcher's word.

    Of two corrections of a field the later said counts, whichever is heard first.
    """
    data: TicketCorrected = fact.data
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    known = ticket.corrected or {}
    fields = {f for f in data.fields if f in HEEDED and fact.seq > known.get(f, 0)}
    if not fields:
        log.info("ignored: corrected later, or nothing of ours", ticket=fact.subject)
        return
    ticket.corrected = known | dict.fromkeys(sorted(fields), fact.seq)
    right = data.model_dump(mode="json", include=fields - {"upstream_due"})
    for field, value in right.items():
        setattr(ticket, field, value)
    if "upstream_due" in fields:
        _take_moment(ticket, data, fact)
    if "reported" in fields and data.reported:
        ticket.reported_unit = next(iter(data.reported.units), None)
    if fields & LIMITING:
        ticket.terms_at = max(ticket.terms_at or fact.time, fact.time)
        recompute_clocks(act, record, fact.time, corrected=True)


def _take_moment(ticket: Ticket, data: TicketCorrected, fact: Fact) -> None:
    """The moment an upstream platform wants the answer by, and who put it right, and why."""
    right = MomentCorrected(
        was=ticket.upstream_due,
        at=fact.time,
        by=person(data.asked_by or fact.actor),
        agreed_by=person(fact.actor) if data.asked_by else None,
        reason=data.reason,
    )
    ticket.upstream_due, ticket.upstream_corrected = (
        data.upstream_due,
        right.model_dump(mode="json"),
    )


async def follow_terms(act: ServiceAct, fact: Fact) -> None:
    """A unit at work heard that its ticket is more urgent, or which law gives it more time: its clocks go by
    the new limits; or that another person of it is the handler.
    """
    data: AssignmentUpdated = fact.data
    termed = data.urgency is not None and data.limits is not None
    if not termed and data.handler is None:
        return
    record, assignment = await records.assigned(act, fact)
    records.take_handler(assignment, fact)
    if data.urgency is None or data.limits is None:
        return
    if data.resumes:
        assignment.resumed_at = min(assignment.resumed_at or fact.time, fact.time)
    if fact.seq <= assignment.terms_seq:
        log.info("ignored: newer terms were heard", ticket=fact.subject)
        return
    assignment.terms_seq, assignment.terms_at = fact.seq, fact.time
    assignment.urgency = data.urgency
    known = Limits.model_validate(assignment.ground).law
    assignment.ground = data.limits.model_dump(mode="json", include=GROUND)
    assignment.sign_limit = data.limits.sign
    assignment.first_contact_limit = data.limits.first_contact
    assignment.handle_limit = data.limits.handle
    assignment.attend_limit = (
        data.limits.attend or assignment.attend_limit
    )  # who came has no new one
    named = assignment.role == Role.LEAD and data.limits.law != known
    recompute_clocks(act, record, fact.time, law=data.limits.law if named else None)
