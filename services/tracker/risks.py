"""风险报告: a danger is told to the government at once, whoever handles it (R-38, BJ-29, ADR 0074)."""

from __future__ import annotations

from collections.abc import Mapping

from services.tracker import telling
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.telling import at_risk
from shared.events import Fact, Urgency
from shared.messaging.inbox import Handler

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
    role = versions.in_force(act).rules.risk_of_incident
    urgency = getattr(fact.data, "urgency", None)
    record: TicketRecord | None = act.locked.get(fact.subject)
    if role is None or urgency != Urgency.CRITICAL or record is None or record.ticket.risk_at:
        return
    found = telling.whom(act, record, [role])
    record.ticket.risk_at, record.ticket.risk_office = fact.time, found[0].office
    telling.tell(act, record, found, "risk", at_risk(fact.subject), Urgency.CRITICAL)
