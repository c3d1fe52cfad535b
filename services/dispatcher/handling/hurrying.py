"""紧急程度与时限改变: units go on under other limits than their order was printed with (ADR 0045, 0073)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.dispatcher import orders, printed_limits
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import corrections, dispatch, legal_limit, whistling, work_order
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.grassroots import Approval
from services.dispatcher.rules.whistling import Blown
from shared import events, policies
from shared.events import LegalLimit, Role, Urgency


def hurry(act: ServiceAct, record: TicketRecord, added: work_order.Added, time: datetime) -> None:
    """The same units, as urgent as the ticket is now. Who has not signed gets a new order; who is at work
    is told, and its limits follow. ``added``: what goes with a new order.
    """
    units = record.open()
    lead = next((each for each in units if each.role == Role.LEAD), None)
    if lead is None:
        if record.ticket.unassigned_at:
            orders.say_left(act, record)  # the desk's clock follows
        return
    unsigned = [
        each
        for each in units
        if each.status == AssignmentStatus.DISPATCHED and each.handed_by is None
    ]
    follow_urgency(act, record, [each for each in units if each not in unsigned], time)
    if unsigned:
        helpers = tuple(each.unit for each in units if each is not lead and not each.handed_by)
        reason = corrections.hurried_anew(lead.reason)
        orders.cancel(act, record, unsigned, "redispatched", act.now, corrections.HURRIED)
        order = dispatch.Order(
            lead.unit,
            helpers,
            reason,
            lead.rule,
            lead.appointed,
            catalogue_version=lead.catalogue_version,
            approval=Approval.on_record(lead.approved),
            whistles=whistling.blown_for(unsigned),
        )
        orders.give(act, record, order, added, [each.unit for each in unsigned])


def follow_urgency(
    act: ServiceAct,
    record: TicketRecord,
    assignments: Iterable[Assignment],
    time: datetime,
    words: str | None = None,
) -> None:
    """Tell units that go on that the ticket's urgency is another now, or, in these ``words``, what else
    changed their limits; those follow.
    """
    urgency = Urgency(record.ticket.urgency)
    for each in assignments:
        blown = Blown.on_record(each.whistle)
        role, since = Role(each.role), each.dispatched_at
        limits = printed_limits.limits_of(act, record, urgency, role, blown, since, unit=each.unit)
        each.urgency, each.limits = urgency, limits.model_dump(mode="json")
        content = words or str(corrections.hurried(urgency, limits))
        asks_back = each.status == AssignmentStatus.RETURN_REQUESTED
        resumes = asks_back and not act.config.returns.stands_still(urgency)
        data = events.AssignmentUpdated(
            kind="urged", content=content, urgency=urgency, limits=limits, resumes=resumes
        )
        orders.tell(act, each, data, time)
        if not act.config.returns.stands_still(urgency):
            orders.end_wait(act, each, "hurried")
    if record.arbitration:
        let_work(act, record)


def let_work(act: ServiceAct, record: TicketRecord) -> None:
    """Whose clocks run while the ladder rules on its return, works on meanwhile, as far as it was."""
    for each in record.open():
        waits = each.status == AssignmentStatus.RETURN_REQUESTED
        if waits and not act.config.returns.stands_still(Urgency(each.urgency)):
            was = AssignmentStatus(each.was or AssignmentStatus.DISPATCHED)
            each.status = machine.move(AssignmentStatus(each.status), Action.WITHDRAW_RETURN, was)


# --- the law that gives more time --------------------------------------------------------------


def check_law(act: ServiceAct, record: TicketRecord, law: LegalLimit) -> None:
    """Whether a law gives a ticket more time than it has now. Raises MoveRefused, LegalLimitNotForUrgency,
    LegalLimitInVain.
    """
    urgency = Urgency(record.ticket.urgency)
    lead = next((each for each in record.open() if each.role == Role.LEAD), None)
    present = printed_limits.limits_of(
        act, record, urgency, Role.LEAD, unit=lead.unit if lead else None
    )
    natural = policies.limits(act).natural(urgency.level)
    legal_limit.check(record.milestones(), natural=natural, law=law, present=present.handle)


def name_law(act: ServiceAct, record: TicketRecord, law: LegalLimit, reason: str) -> None:
    """Let a law's longer limit be the limit of the round that runs, for all who wait for that work. A clock
    that was missed stays missed. Raises what ``check_law`` does.
    """
    check_law(act, record, law)
    hold_law(act, record, law, reason)
    for each in record.waiting_with():
        hold_law(act, each, law, reason, record.ticket.number)
    words = str(legal_limit.words(law, reason))
    follow_urgency(act, record, record.open(), act.now, words)


def hold_law(
    act: ServiceAct, record: TicketRecord, law: LegalLimit, reason: str, work: str | None = None
) -> None:
    """Let a law's longer limit hold for a ticket in the round that runs. ``work``: the number it was named
    under, of one that waits for that work; not of one whose own limit is no shorter, or that is urgent.
    """
    ticket, before = record.ticket, record.ticket.law
    if work and legal_limit.of_round(before, ticket.round) and not legal_limit.is_of_work(before):
        return  # it has one by itself
    ticket.law = law.model_dump() | {"round": ticket.round} | ({"work": work} if work else {})
    if (
        work
        and printed_limits.limits_of(act, record, Urgency(ticket.urgency), Role.LEAD).law is None
    ):
        ticket.law = before
        return
    data = events.TicketLawNamed(law=law, reason=reason)
    act.tell(data, subject=ticket.number, round=ticket.round)


def share_law(act: ServiceAct, record: TicketRecord, holder: TicketRecord) -> None:
    """Who joins a work for which a law was named waits as long as the others (JN-24(2))."""
    number = holder.ticket.number
    if law := legal_limit.of_round(holder.ticket.law, holder.ticket.round):
        hold_law(act, record, law, str(legal_limit.shared(number)), number)


def drop_law(act: ServiceAct, record: TicketRecord, reason: str) -> None:
    """Let the law that was named for a ticket hold no more."""
    ticket = record.ticket
    if law := legal_limit.of_round(ticket.law, ticket.round):
        ticket.law = None
        data = events.TicketLawNamed(law=law, reason=reason, withdrawn=True)
        act.tell(data, subject=ticket.number, round=ticket.round)
