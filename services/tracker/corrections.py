"""更正: what a correction means for clocks, and for who may see them (ADR 0045).

An open clock goes by the values that are right, keeps the time it has consumed, and is never late before
the correction was made. A closed clock is judged as it was.
"""

from __future__ import annotations

from services.tracker import records
from services.tracker.clockwork import recompute_clocks
from services.tracker.models import Ticket
from services.tracker.other_due import LawChange
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.ground import law_of
from services.tracker.rules.stated import LawNamed, MomentCorrected
from services.tracker.rules.timelines import GROUND
from shared.caller import person
from shared.errors import TooEarly
from shared.events import AssignmentUpdated, Fact, LegalLimit, Role, TicketCorrected, TicketLawNamed
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
    known = _law_now(record, fact.round)
    assignment.ground = data.limits.model_dump(mode="json", include=GROUND)
    assignment.sign_limit = data.limits.sign
    assignment.first_contact_limit = data.limits.first_contact
    assignment.handle_limit = data.limits.handle
    assignment.attend_limit = (
        data.limits.attend or assignment.attend_limit
    )  # who came has no new one
    named = data.limits.law if assignment.role == Role.LEAD else None
    changed = LawChange(named) if named and named != known else None
    recompute_clocks(act, record, fact.time, law=changed)


async def take_law(act: ServiceAct, fact: Fact) -> None:
    """法定时限: the citizen's clock goes by the law the desk named for the ticket, or by it no more, whether
    units have it under its own number or another's.
    """
    data: TicketLawNamed = fact.data
    record = await records.locked(act, fact.subject)
    if record.round(fact.round) is None:
        raise TooEarly(f"round {fact.round} of {fact.subject} has not been opened yet")
    known = _law_now(record, fact.round)
    law = None if data.withdrawn else data.law
    new = LawNamed(seq=fact.seq, round=fact.round, at=fact.time, law=law)
    laws = {each.seq: each for each in record.matter().laws} | {new.seq: new}
    record.ticket.laws = [laws[seq].model_dump(mode="json") for seq in sorted(laws)]
    told = data.withdrawn or law != known
    change = LawChange(data.law, data.withdrawn) if told else None
    recompute_clocks(act, record, fact.time, law=change)


def _law_now(record: TicketRecord, round: int) -> LegalLimit | None:
    return law_of(record.matter(), record.round_timelines(), record.assignment_timelines(), round)
