"""告知工作人员: whom the policy names is told of warnings, red cards, supervisions, referrals, and who has
to rule on an extension of that (ADR 0074).

The tracker hears its own facts for it: what is told follows from what was said, is no part of a sweep and
changes no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from services.tracker import records
from services.tracker.models import Assignment, Extension
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.referrals.models import Referral
from services.tracker.rules import referral, telling
from services.tracker.rules.machine import Sentence
from services.tracker.rules.people import Addressee, Around, Handler, OfOffice, Person, people
from shared import events
from shared.events import Fact, Urgency
from shared.messaging.inbox import Handler as FactHandler


async def warn(act: ServiceAct, fact: Fact) -> None:
    """预警: those named at the point of the clock."""
    await _of_clock(act, fact, "warning", telling.warned)


async def breach(act: ServiceAct, fact: Fact) -> None:
    """红牌: those named at the due moment."""
    await _of_clock(act, fact, "breach", telling.breached)


async def miss_dispatch(act: ServiceAct, fact: Fact) -> None:
    """逾期未派单: those named, of a desk that has not dispatched."""
    data: events.DeadlineBreached = fact.data
    if not data.to:
        return
    record = await records.to_look_at(act, fact)
    mine = (each for each in record.clocks.values() if each.row.assignment is None)
    missed = (data.clock, data.due)
    clock = next((each for each in mine if (each.row.kind, each.state.due) == missed), None)
    if clock is None or _over(clock.state.ended_at, fact):
        return
    said = telling.undispatched(fact.subject, data.due, act.config.calendar.tz)
    tell(act, record, whom(act, record, data.to), "breach", said, Urgency(clock.row.urgency))


async def _of_clock(
    act: ServiceAct, fact: Fact, occasion: str, text: Callable[..., Sentence]
) -> None:
    data: events.DeadlineWarned | events.DeadlineBreached = fact.data
    if not data.to:
        return
    record, assignment = await records.assigned_to_look_at(act, fact)
    clock = record.clock_of(assignment.id, data.clock)
    if clock is None or _over(clock.state.ended_at, fact):
        return
    said = text(fact.subject, _name(act, assignment.unit), data, act.config.calendar.tz)
    _tell(act, record, assignment, occasion, data.to, said)


def _over(ended_at: datetime | None, fact: Fact) -> bool:
    """Whether it had ended before this was said, as after an outage: of that nobody is told. What ends at the
    same moment or later changes nothing, whichever of both is heard first.
    """
    return ended_at is not None and ended_at < fact.recorded


async def supervise(act: ServiceAct, fact: Fact) -> None:
    """督办: those named at the rung, and the bodies that supervise together."""
    data: events.SupervisionRaised = fact.data
    record, assignment = await records.assigned_to_look_at(act, fact)
    row = record.supervisions.get(data.supervision)
    if row is None or _over(row.closed_at, fact):
        return
    rung = versions.in_force(act).rules.rung(data.rung)
    called = Sentence(rung.zh, rung.en) if rung else Sentence(data.title, data.title)
    zone, unit = act.config.calendar.tz, _name(act, row.unit)
    stale = data.stale_knowledge is not None
    said = telling.raised(fact.subject, unit, called, data.answer_due, zone, stale=stale)
    to: list[Addressee] = [*(rung.to if rung else ("liaison",)), *row.joint]
    said = telling.jointly(said, tuple(row.joint))
    _tell(act, record, assignment, "supervision", to, said, unit=row.unit)


def refer(act: ServiceAct, record: TicketRecord, row: Referral) -> None:
    """移送: those named at its rung; nobody of the unit is ever among them."""
    rung = versions.in_force(act).rules.rung(referral.RUNG)
    assignment = record.assignment(row.assignment)
    if rung is None or assignment is None:
        return
    said = telling.referred(row.ticket, _name(act, row.unit), row.ground)
    _tell(act, record, assignment, "referral", rung.to, said)


def ask_to_rule(
    act: ServiceAct, record: TicketRecord, assignment: Assignment, asked: Extension, by: OfOffice
) -> None:
    """延期待批: who has to rule on an extension, which is never the unit that asks (R-18)."""
    clock = record.handle_clock(assignment.id)
    if clock is None:
        return
    name, zone = _name(act, asked.unit), act.config.calendar.tz
    said = telling.asked(
        asked.ticket, name, asked.days, clock.state.due, zone, again=asked.ordinal > 1
    )
    found = whom(act, record, (by,), aside=(asked.unit,))
    tell(act, record, found, "extension", said, Urgency(assignment.urgency), assignment)


SUBSCRIPTIONS: Mapping[str, FactHandler] = {
    "deadline.warned.*": warn,
    "deadline.breached.*": breach,
    "deadline.breached": miss_dispatch,
    "supervision.raised.*": supervise,
}


def _tell(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    occasion: str,
    to: Iterable[str],
    said: Sentence,
    unit: str | None = None,
) -> None:
    _, *handler = assignment.handler or (0,)
    pressed = unit or assignment.unit
    own = Handler(*handler) if handler and pressed == assignment.unit else None
    found = whom(act, record, to, pressed, own)
    urgency = Urgency(assignment.urgency)
    tell(act, record, found, occasion, said, urgency, assignment)


def whom(
    act: ServiceAct,
    record: TicketRecord,
    to: Iterable[str],
    unit: str | None = None,
    handler: Handler | None = None,
    aside: Collection[str] = (),
) -> list[Person]:
    """Who is told of a ticket; nobody of an office put ``aside``, or that must know nothing of it (R-35)."""
    recused = act.config.recused(record.ticket.about, record.ticket.area or "").union(aside)
    around = Around(versions.in_force(act).rules.told, act.config.units, recused, unit, handler)
    return people(to, around)


def tell(
    act: ServiceAct,
    record: TicketRecord,
    found: Iterable[Person],
    occasion: str,
    said: Sentence,
    urgency: Urgency,
    assignment: Assignment | None = None,
) -> None:
    """Say to each person what they are told. The fact is the port: a message gateway hears it."""
    zone = act.config.calendar.tz
    not_before = versions.in_force(act).rules.told.not_before(act.now, urgency, zone)
    for person in found:
        text = telling.to(person, said)
        data = events.StaffTold(
            occasion=occasion,
            roles=person.roles,
            instead_of=person.instead_of,
            office=person.office,
            person=person.name,
            account=person.account,
            not_before=not_before,
            zh=text.zh,
            en=text.en,
        )
        last = assignment.round if assignment else record.rounds[-1].number
        id: UUID | None = assignment.id if assignment else None
        act.tell(data, subject=record.ticket.number, round=last, assignment=id)


def _name(act: ServiceAct, code: str) -> str:
    unit = act.config.units.unit(code)
    return unit.name if unit else code
