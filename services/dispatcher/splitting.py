"""拆分: one matter of a call stays with who has it; each further one is a ticket of its own (ADR 0058).

The desk may have named a lead for a further matter. It gets the order as by hand, unless it must stand
back or is a town whose duty list does not name the matter: then the desk has it, and reads why.
"""

from __future__ import annotations

from services.dispatcher import grassroots, orders, printed_limits, records
from services.dispatcher.catalogue import catalogues
from services.dispatcher.models import Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import dispatch, had, work_order
from services.dispatcher.rules import splitting as rules
from services.dispatcher.rules.reasons import Reason
from shared import events
from shared.events import Fact
from shared.observability import log

WORDS = "content"  # under which the last split heard is kept beside the last corrections


async def heed(act: ServiceAct, fact: Fact) -> None:
    """The ticket keeps the matter that stayed: who has it goes on, within the same limits, and is told.
    Its urgency stays; what endangered somebody is not less urgent for being one matter of several.
    """
    data: events.TicketSplit = fact.data
    record = await records.locked(act, fact.subject)
    known, before = record.ticket.corrected or {}, record.matter
    last = known.get(WORDS, {"seq": 0, "was": before.content})
    if fact.seq <= last["seq"]:
        log.info("ignored: split again since", ticket=fact.subject)
        return
    record.ticket.corrected = known | {WORDS: last | {"seq": fact.seq}}
    right = {"title": data.title, "content": data.content}
    record.registered = before.model_copy(update=right)
    record.ticket.matter = record.ticket.matter | right
    said = str(rules.split(data.content))
    orders.update(act, record, "supplemented", said, fact.time, spoken=False)


async def go_on(act: ServiceAct, record: TicketRecord, call: str) -> None:
    """Who has the ticket that held a matter till now has had it there: the new number brings nobody under
    a policy that gives more time, and its citizen, who was waited for there, is not again (ADR 0087).
    """
    ticket = await act.session.get(Tickets, call)
    if ticket is None:
        log.info("ignored: never heard of whose call it is", call=call)
        return
    orders_of = await act.session.exec(records.ASSIGNMENTS_OF, params={"numbers": [call]})
    there = [each for each in orders_of if each.round == ticket.round]
    waited = any(each.wait for each in there) or had.has_waited(ticket.had, ticket.round)
    printed_limits.note_had(record, printed_limits.since_when(there), waited=waited)
    printed_limits.note_had(record, had.of_round(ticket.had, ticket.round))


async def appoint(act: ServiceAct, record: TicketRecord, data: events.TicketRegistered) -> None:
    """Give a further matter to whom the desk named for it, or leave it to the desk with what forbids that."""
    dispatching, lead = await catalogues.dispatching(act), data.appointed or ""
    if stopped := _forbids(act, record, dispatching, lead):
        nearest = dispatching.matcher.nearest(data.topic)
        orders.leave_to_desk(act, record, str(stopped), nearest)
        return
    why = rules.of_split(data.split_from or "")
    order = dispatch.Order(lead, (), str(why), appointed=True)
    await grassroots.note_passed(act, record, lead, None)
    orders.give(act, record, order, work_order.Added())


def _forbids(
    act: ServiceAct, record: TicketRecord, dispatching: dispatch.Dispatching, lead: str
) -> Reason | None:
    matter = record.matter
    if act.config.units.unit(lead) is None:
        return rules.no_such_unit(lead)
    if barred := dispatching.barred(matter).get(lead):
        return barred
    town = dispatching.not_for_town(matter, lead, record.ticket.registered_at)
    if town is None or not act.config.grassroots.blocks:
        return None
    grassroots.note_blocked(act, record, lead)
    return town
