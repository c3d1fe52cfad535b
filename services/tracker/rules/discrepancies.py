"""诚信疑点: what of a ticket's log does not fit together (R-34, gain 6, ADR 0075). Pure.

Each is named, goes by what is on record, and is never a verdict. What is found depends on which facts were
heard, and not on their order: a fact that comes late may explain what was found without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from services.tracker.rules.evidence import RINGING, Heard, Order, Seen, Timed
from services.tracker.rules.honesty import (
    DatedBackRules,
    HonestyRules,
    LastMinuteRules,
    ShortlyBefore,
    UnreadRules,
)
from services.tracker.rules.machine import ClockStatus
from shared.events import ClockKind, DiscrepancyKind, Evidence, ReopenCause, Role

NAMESPACE = UUID("5f3a1d52-6d0a-5b0e-8f5d-2a9f6d3f7c11")
MOST_TICKETS = 50  # that one fact or one answer names


class Found(NamedTuple):
    """One that was found. ``order``: whose unit it is about; None where no unit had the ticket."""

    kind: DiscrepancyKind
    id: UUID
    at: datetime
    order: Order | None
    evidence: tuple[Evidence, ...]
    tickets: tuple[str, ...] = ()


def id_of(kind: DiscrepancyKind, *key: object) -> UUID:
    """The same for the same evidence, however often and in whatever order it is heard."""
    return uuid5(NAMESPACE, "/".join(map(str, (kind.value, *key))))


def found(seen: Seen, rules: HonestyRules) -> list[Found]:
    """What does not fit together; of habits each occasion, which alone is none."""
    return [
        *_unread(seen, rules.contact_unread),
        *_dated_back(seen, rules.contact_dated_back),
        *(_denied(seen) if rules.contact_denied else ()),
        *(_unsolved(seen) if rules.result_denied else ()),
        *(_recategorised(seen) if rules.recategorised else ()),
        *_redispatched(seen, rules.redispatched_late),
        *(_alike(seen) if rules.answers_alike else ()),
        *_last_minute(seen, rules.last_minute),
        *(_signed_late(seen) if rules.signed_late else ()),
    ]


def _found(
    seen: Seen,
    kind: DiscrepancyKind,
    order: Order | None,
    *facts: Heard,
    tickets: Sequence[str] = (),
) -> Found:
    """By the first of these facts, of which there is one discrepancy of a kind."""
    evidence = tuple(each.evidence for each in facts)
    key = (seen.number, *facts[0].key)
    return Found(kind, id_of(kind, *key), facts[0].at, order, evidence, tuple(tickets))


def _unread(seen: Seen, rules: UnreadRules | None) -> Iterator[Found]:
    """先行联系 by telephone or message, and nobody of the unit had read the number (R-12). What a unit below
    did stands at the orders above it, too: it is one call, of who made it, and was written down at once. Who
    names the moment of another's call made one of its own.
    """
    if rules is None:
        return
    calls = [each for each in seen.of("assignment.contacted") if each.said["how"] in RINGING]
    for call in calls:
        same = (each for each in calls if (each.at, each.recorded) == (call.at, call.recorded))
        made = [order for each in same if (order := seen.order(each.assignment))]
        maker = max(made, key=lambda each: (each.dispatched_at, each.id), default=None)
        latest = call.at + timedelta(minutes=rules.grace_minutes)
        if maker and maker.id == call.assignment and not _was_read(seen, made, latest):
            yield _found(seen, DiscrepancyKind.CONTACT_UNREAD, maker, call)


def _was_read(seen: Seen, made: Sequence[Order], latest: datetime) -> bool:
    """Whether a unit that called had read the contact by then, under this order or another of its own."""
    units = {each.unit for each in made}
    reads = [each.assignment for each in seen.of("contact.read") if each.at <= latest]
    return any((order := seen.order(each)) and order.unit in units for each in reads)


def _dated_back(seen: Seen, rules: DatedBackRules | None) -> Iterator[Found]:
    """补录: as of a moment within the limit, and written down after it; it takes no red card back (T8)."""
    if rules is None:
        return
    for call in seen.of("assignment.contacted"):
        due = seen.due(call.assignment, ClockKind.FIRST_CONTACT)
        late = call.recorded - call.at > timedelta(minutes=rules.entered_after_minutes)
        if due and late and call.at <= due < call.recorded:
            yield _found(
                seen, DiscrepancyKind.CONTACT_DATED_BACK, seen.order(call.assignment), call
            )


def _denied(seen: Seen) -> Iterator[Found]:
    """诉求人称无人联系: a contact is on record of the round the citizen was asked about (R-23)."""
    for no in seen.of("ticket.reopened"):
        if "not_contacted" in no.said["reasons"]:
            calls = (each for each in seen.of("assignment.contacted") if _leads(seen, each))
            claims = [*calls, *(each for each in _answers(seen) if each.said["contacted"])]
            of_round = [each for each in claims if each.round == no.round - 1 and each.at <= no.at]
            if of_round:
                last = max(of_round, key=lambda each: (each.at, *each.key))
                yield _found(
                    seen, DiscrepancyKind.CONTACT_DENIED, seen.order(last.assignment), no, last
                )


def _unsolved(seen: Seen) -> Iterator[Found]:
    """回访与办结不符: the unit said solved, or that its promise was kept, and the citizen says not (R-34)."""
    for no in seen.of("ticket.reopened"):
        said = [each for each in _answers(seen) if each.round == no.round - 1 and each.at <= no.at]
        if "not_solved" not in no.said["reasons"] or not said:
            continue
        last = said[-1]
        order = seen.order(last.assignment)
        kept = order and order.kept_at and order.kept_at <= no.at
        broken = no.said["cause"] == ReopenCause.PROMISE_BROKEN.value and kept
        if last.said["solved"] or broken:
            yield _found(seen, DiscrepancyKind.RESULT_DENIED, order, no, last)


def _answers(seen: Seen) -> Iterator[Heard]:
    return seen.of("assignment.completed")


def _leads(seen: Seen, heard: Heard) -> bool:
    order = seen.order(heard.assignment)
    return order is not None and order.role == Role.LEAD


def _recategorised(seen: Seen) -> Iterator[Found]:
    """派单后更改性质、分类或标记: after a lead had got it (R-22)."""
    for changed in seen.of("ticket.corrected"):
        leads = (each for each in seen.orders if each.role == Role.LEAD)
        had = [each for each in leads if each.dispatched_at <= changed.at]
        lead = max(had, key=lambda each: (each.dispatched_at, each.id), default=None)
        yield _found(seen, DiscrepancyKind.RECATEGORISED, lead, changed)


def _redispatched(seen: Seen, rules: ShortlyBefore | None) -> Iterator[Found]:
    """临期改派: another unit got the ticket shortly before it was due, and a clock of its own (T9); or it was
    taken back then, and given to the same unit again later.
    """
    if rules is None or seen.withdrawn:
        return
    kind = DiscrepancyKind.REDISPATCHED_LATE
    for order in seen.orders:
        due, lost = seen.due(order.id, ClockKind.HANDLE), order.redispatched_at
        if due is None or lost is None or not _shortly_before(lost, due, rules):
            continue
        then = [
            each for each in seen.orders if each.round == order.round and each.role == order.role
        ]
        since = [each for each in then if each.dispatched_at >= lost and each.id != order.id]
        if any(each.unit != order.unit or each.dispatched_at > lost for each in since):
            gone = Evidence(name="assignment.cancelled", at=lost)
            yield Found(kind, id_of(kind, order.id), lost, order, (gone, _due(due)))


def _alike(seen: Seen) -> Iterator[Found]:
    """答复雷同, as the check of answers found it."""
    for each in seen.of("answer.found_alike"):
        tickets = each.said["tickets"][:MOST_TICKETS]
        order = seen.order(each.assignment)
        yield _found(seen, DiscrepancyKind.ANSWERS_ALIKE, order, each, tickets=tickets)


def _last_minute(seen: Seen, rules: LastMinuteRules | None) -> Iterator[Found]:
    if rules:
        for order, clock, done in _done(seen, ClockKind.HANDLE):
            if order.role == Role.LEAD and _shortly_before(done, clock.due, rules):
                yield _occasion(DiscrepancyKind.LAST_MINUTE, order, clock, done)


def _signed_late(seen: Seen) -> Iterator[Found]:
    for order, clock, done in _done(seen, ClockKind.SIGN):
        if done > clock.due:
            yield _occasion(DiscrepancyKind.SIGNED_LATE, order, clock, done)


def _done(seen: Seen, kind: ClockKind) -> Iterator[tuple[Order, Timed, datetime]]:
    for clock in seen.clocks:
        order = seen.order(clock.assignment)
        if order and clock.kind == kind and clock.status == ClockStatus.MET and clock.ended_at:
            yield order, clock, clock.ended_at


def _occasion(kind: DiscrepancyKind, order: Order, clock: Timed, done: datetime) -> Found:
    name = "assignment.signed" if kind is DiscrepancyKind.SIGNED_LATE else "assignment.completed"
    evidence = (Evidence(name=name, at=done), _due(clock.due))
    return Found(kind, id_of(kind, order.id), done, order, evidence)


def _shortly_before(at: datetime, due: datetime, rules: ShortlyBefore) -> bool:
    return timedelta() <= due - at <= timedelta(minutes=rules.within_minutes)


def _due(due: datetime) -> Evidence:
    return Evidence(name="due", at=due)
