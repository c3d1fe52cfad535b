"""风险报告: a danger is told to the government at once, whoever handles it, and it says who has taken it up
(R-38, BJ-29, ADR 0074, 0081).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.tracker import records, telling
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.risks.schemas import AcknowledgementIn, RiskOut
from services.tracker.risks.views import risk_out
from services.tracker.rules.risk import Acknowledgement
from services.tracker.rules.supervision import RiskRules
from services.tracker.rules.telling import at_risk
from shared import events
from shared.errors import NotFound
from shared.events import Fact, Urgency
from shared.messaging.inbox import Handler

# --- told at once ------------------------------------------------------------------------------

# Whatever may be the first to say that a ticket is critical.
SAYING = (
    "ticket.registered",
    "ticket.corrected",
    "ticket.unassigned",
    "assignment.dispatched.*",
    "assignment.updated.*",
)


def reporting(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Handlers of facts after which a ticket may be critical."""

    def then_report(handler: Handler) -> Handler:
        async def handle(act: ServiceAct, fact: Fact) -> None:
            await handler(act, fact)
            _report(act, fact)

        return handle

    return {name: then_report(handlers[name]) for name in SAYING}


def _report(act: ServiceAct, fact: Fact) -> None:
    """Tell who the policy names, once, when the ticket is first said to be critical."""
    rules = versions.in_force(act).rules.risk_of_incident
    urgency = getattr(fact.data, "urgency", None)
    record: TicketRecord | None = act.locked.get(fact.subject)
    if rules is None or urgency != Urgency.CRITICAL or record is None or record.ticket.risk_at:
        return
    found, due = telling.whom(act, record, [rules.to]), _due(act, rules)
    record.ticket.risk_at, record.ticket.risk_due = fact.time, due
    record.ticket.risk_office = found[0].office
    said = at_risk(fact.subject, due, act.config.calendar.tz)
    telling.tell(act, record, found, "risk", said, Urgency.CRITICAL)


def _due(act: ServiceAct, rules: RiskRules) -> datetime | None:
    """By when it is to be acknowledged: the limit begins when the message may go out, never before now."""
    if rules.acknowledge_within is None:
        return None
    calendar, told = act.config.calendar, versions.in_force(act).rules.told
    goes_out = told.not_before(act.now, Urgency.CRITICAL, calendar.tz)
    return calendar.due(goes_out, rules.acknowledge_within).at


# --- taken up ----------------------------------------------------------------------------------


async def acknowledge(act: ServiceAct, number: str, body: AcknowledgementIn) -> RiskOut:
    """已知悉: by the office that was told, or by a supervisor for it; also after the ticket's end.

    Raises NotFound, also to a unit that was not told or has to stand back; AcknowledgedBefore.
    """
    record = await records.find_locked(act, number)
    if record is None or record.ticket.risk_at is None or records.recused_caller(act, record):
        raise NotFound
    ticket = record.ticket
    if not records.may_see(act, ticket.risk_office):
        raise NotFound
    known = ticket.risk_acknowledgement
    before = Acknowledgement.model_validate(known) if known else None
    said = Acknowledgement.first(
        before, ticket.risk_due, act.now, acknowledged_by=act.actor, **body.model_dump()
    )
    ticket.risk_acknowledgement = said.model_dump(mode="json")
    data = events.RiskAcknowledged(
        office=ticket.risk_office, due=ticket.risk_due, late=said.late, **body.model_dump()
    )
    act.tell(data, subject=number, round=record.rounds[-1].number)
    return risk_out(ticket, under_way=True)
