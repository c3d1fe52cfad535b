"""What follows for the clocks of a ticket: worked out, saved and said.

Both doors that move clocks end here: a fact written down (``recompute_clocks``) and time
(``fire``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from uuid import UUID

from services.tracker import beside, calendars, claims, other_due, records
from services.tracker.models import Clock, Supervision
from services.tracker.other_due import Heard, LawChange
from services.tracker.policies import versions
from services.tracker.raising import raise_triggered
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord, columns
from services.tracker.rules.calendars import Calendars
from services.tracker.rules.changes import (
    ClockRef,
    DatedFact,
    changes,
    raised_fact,
    snapshot,
)
from services.tracker.rules.clock_history import (
    ClockHistory,
    clock_histories,
    review_endings,
)
from services.tracker.rules.clock_state import (
    ClockState,
    Reading,
    is_current,
    keeps_terms,
    lay_out,
    pass_due_marks,
    replay,
)
from services.tracker.rules.layout import answer_due, supervision_id
from services.tracker.rules.policy import Terms
from services.tracker.rules.resuming import resumed
from services.tracker.rules.standing import raised_at, reached
from services.tracker.rules.timelines import AssignmentTimeline, Ending, Matter
from services.tracker.standing import Standing
from shared.events import (
    ClockKind,
    Data,
    DeadlineSet,
    SupervisionClosed,
    SupervisionRaised,
)
from shared.jurisdiction.succession import acts_as


def recompute_clocks(
    act: ServiceAct,
    record: TicketRecord,
    at: datetime,
    *,
    corrected: bool = False,
    given: Collection[UUID] = (),
    joined: int | None = None,
    law: LawChange | None = None,
) -> bool:
    """Work out the clocks of a ticket anew, save and say what changed; whether anything did.

    ``at`` is when what is new became true. ``corrected``: what the ticket's own limits depend on was.
    ``given``: orders that are new, or were their unit's before. ``joined``: a round of which is new that it
    goes on from the one before. ``law``: which was named now, or taken back.
    """
    matter, assignments = record.matter(), record.assignment_timelines()
    heard = Heard(at, corrected, law)
    known = set(record.clocks)
    facts = [
        (row, fact)
        for history in _histories(act, record, matter, assignments, given, joined)
        for row, fact in _recompute(act, record, matter, history, heard)
    ]
    fresh = [entry for id, entry in record.clocks.items() if id not in known]
    _announce(act, fresh)
    standing = Standing(act, record.clocks.values(), record.supervisions.values())
    for row, fact in facts:
        _say(act, row, fact, record.supervisions, standing)
    raise_kept_back(act, record, standing)
    endings = {timeline.id: timeline.ending(matter.withdrawal) for timeline in assignments}
    _close_supervisions(
        act, record, endings | review_endings(matter, assignments, record.round_timelines())
    )
    return bool(fresh or facts)


def _histories(
    act: ServiceAct,
    record: TicketRecord,
    matter: Matter,
    assignments: Sequence[AssignmentTimeline],
    given: Collection[UUID],
    joined: int | None,
) -> Iterator[ClockHistory]:
    """What befell each clock. Whether it goes on where its unit stopped is decided when it is set, or
    when an earlier order of its unit is heard of late.
    """
    rounds, dissolved = record.round_timelines(), act.store.dissolved
    for history in clock_histories(matter, rounds, assignments, dissolved):
        entry = record.clocks.get(history.id)
        late = history.earlier and (
            any(not each.orders.isdisjoint(given) for each in history.earlier)
            or (joined and history.round >= joined)
        )
        known = entry.state if entry and not late else None
        calendar = _known(act, entry, history).at(history.started_at).calendar
        befell = resumed(history, calendar, known)
        if entry and entry.row.due_counted != befell.due_counted:
            entry.row.due_counted = befell.due_counted
        yield befell


def _known(act: ServiceAct, entry: ClockEntry | None, history: ClockHistory) -> Calendars:
    """The calendars a clock goes by, set already or not."""
    return calendars.of_clock(act, entry.row) if entry else calendars.of(act).by(history.unit)


async def fire(act: ServiceAct, entries: Sequence[ClockEntry]) -> None:
    """Pass every mark of running clocks up to now, each with its true time (R-31, R-32)."""
    facts = [(entry.row, fact) for entry in entries for fact in _pass_marks(act, entry)]
    taken_back = {
        fact.data.supervision for _, fact in facts if isinstance(fact.data, SupervisionClosed)
    }
    known = await claims.supervisions(act, taken_back)
    pressed = {row.id for row, fact in facts if isinstance(fact.data, SupervisionRaised)}
    of_orders = await claims.pressing(act, [each for each in entries if each.row.id in pressed])
    standing = Standing(act, *of_orders)
    for row, fact in facts:
        _say(act, row, fact, known, standing)


def follow(act: ServiceAct, entries: Iterable[ClockEntry]) -> None:
    """Let open clocks follow the calendar that holds now; what moved is said with its reason."""
    for entry in entries:
        for fact in _keep(act, entry, lay_out(entry.state, calendars.of_clock(act, entry.row))):
            _say(act, entry.row, fact, {}, Standing(act, (), ()))


def _pass_marks(act: ServiceAct, entry: ClockEntry) -> list[DatedFact]:
    """What is to say of one clock whose marks are due; of one that a new calendar moved first, that."""
    known = calendars.of_clock(act, entry.row)
    return _keep(act, entry, pass_due_marks(entry.state, known, act.now))


def _keep(act: ServiceAct, entry: ClockEntry, reading: Reading) -> list[DatedFact]:
    before, row = entry.state, entry.row
    entry.keep(reading.state)
    beside.follow(act, entry)
    clock = ClockRef(row.id, ClockKind(row.kind))
    known = calendars.of_clock(act, row)
    return changes(clock, before, reading, known, at=act.now, now=act.now)


def _recompute(
    act: ServiceAct,
    record: TicketRecord,
    matter: Matter,
    history: ClockHistory,
    heard: Heard,
) -> Iterator[tuple[Clock, DatedFact]]:
    """Work out one clock, save it and say what changed of it."""
    entry = record.clocks.get(history.id)
    known = _known(act, entry, history)
    before = entry.state if entry else None
    if entry and (told := other_due.told_anew(act, record, matter, history, entry, heard)):
        yield entry.row, told
    keeps = entry is not None and keeps_terms(
        entry.state, entry.row.urgency, history, heard.at, corrected=heard.corrected
    )
    if entry and keeps:
        entry.row.urgency = history.urgency
    if before and keeps and is_current(before, history, known):
        return
    terms = before.terms if before and keeps else other_due.terms(act, record, matter, history)
    if terms is None:
        return
    reading = replay(history, terms, known, before)
    if entry is None:
        entry = record.clocks[history.id] = _entry(matter.number, history, reading.state)
        act.rows.add(entry.row)
    elif reading.state != before:
        entry.keep(reading.state)
    entry.row.urgency = history.urgency
    beside.follow(act, entry, history)
    lost = history.lost.why if history.lost else ""
    clock = ClockRef(history.id, history.kind)
    waits = [pause.begins_at for each in record.waits_of(entry.row) if (pause := each.pause)]
    for fact in changes(
        clock, before, reading, known, at=heard.at, now=act.now, lost=lost, waits=waits
    ):
        yield entry.row, fact


def _entry(number: str, history: ClockHistory, state: ClockState) -> ClockEntry:
    row = Clock(
        id=history.id,
        ticket=number,
        round=history.round,
        kind=history.kind,
        assignment=history.assignment,
        unit=history.unit,
        role=history.role,
        urgency=history.urgency,
        due_counted=history.due_counted,
        **columns(state),
    )
    return ClockEntry(row, state)


def _announce(act: ServiceAct, fresh: Iterable[ClockEntry]) -> None:
    """Say which clocks started, all of one dispatch or registration together."""
    started: dict[object, list[ClockEntry]] = {}
    for entry in fresh:
        row = entry.row
        started.setdefault((row.assignment, row.round, row.started_at), []).append(entry)
    for entries in started.values():
        row = entries[0].row
        clocks = tuple(snapshot(ClockKind(entry.row.kind), entry.state) for entry in entries)
        version = entries[0].state.terms.policy_version
        data = DeadlineSet(clocks=clocks, configuration=act.configuration, policy_version=version)
        _tell(act, row, data, row.started_at)


def raise_kept_back(
    act: ServiceAct, record: TicketRecord, standing: Standing | None = None
) -> None:
    """Raise what a clock had reached, or a trigger asked for, while a higher rung stood, where that one has
    turned out not to, or was taken back while the order was open.
    """
    if raise_triggered(act, record) or standing is None:
        standing = Standing(act, record.clocks.values(), record.supervisions.values())
    for entry in record.clocks.values():
        row = entry.row
        for rung, at in reached(entry.state):
            id, raised = supervision_id(row.id, rung.key, at), None
            if id not in record.supervisions and row.assignment:
                raised = raised_at(rung.rung, at, standing.of(row.assignment))
            if raised and (raised == at or _is_open(record, row, raised)):
                answer = answer_due(rung, raised, calendars.of_clock(act, row))
                _raise(act, row, raised_fact(id, rung, answer), raised, record.supervisions)


def _is_open(record: TicketRecord, row: Clock, at: datetime) -> bool:
    """Whether the order of a clock was open at a moment."""
    order, withdrawal = record.assignment(row.assignment), record.matter().withdrawal
    ending = records.timeline(order).ending(withdrawal) if order else None
    return ending is None or at < ending.at


def _raise(
    act: ServiceAct,
    row: Clock,
    data: SupervisionRaised,
    at: datetime,
    known: MutableMapping[UUID, Supervision],
) -> None:
    raised = _supervision(act, row, data, at)
    known[raised.id] = act.rows.add(raised)
    _tell(act, raised, data, at)


def _say(
    act: ServiceAct,
    row: Clock,
    fact: DatedFact,
    known: MutableMapping[UUID, Supervision],
    standing: Standing,
) -> None:
    """Say a fact of a clock; a supervision is also kept, and what is taken back is not. One that a higher
    rung keeps back is not raised.

    ``known``: supervisions by id, which follow.
    """
    if isinstance(fact.data, SupervisionRaised):
        others = standing.of(row.assignment) if row.assignment else ()
        if row.unit is None or raised_at(fact.data.rung, fact.at, others) == fact.at:
            _raise(act, row, fact.data, fact.at, known)
        return
    if isinstance(fact.data, SupervisionClosed):
        taken_back = known.pop(fact.data.supervision, None)
        if taken_back is None:
            return  # a higher rung had kept it back
        act.rows.remove(taken_back)
        if taken_back.closed_at:
            return
        _tell(act, taken_back, fact.data, fact.at)
        return
    _tell(act, row, fact.data, fact.at)


def _supervision(
    act: ServiceAct, row: Clock, data: SupervisionRaised, raised_at: datetime
) -> Supervision:
    office = Terms.model_validate(row.terms).office
    [unit, *_] = acts_as(office.unit, act.store.dissolved) if office else [row.unit]
    if row.assignment is None or unit is None:
        raise AssertionError("only a clock of an assignment has rungs, and somebody to press")
    policy = versions.in_force(act, row.started_at)
    return Supervision(
        id=data.supervision,
        ticket=row.ticket,
        assignment=row.assignment,
        round=row.round,
        unit=unit,
        clock=row.id,
        raised_at=raised_at,
        raised_by=act.actor,
        press_at=policy.press_at(data.rung, raised_at, unit, data.answer_due),
        **data.model_dump(include={"rung", "title", "by", "reason", "answer_due"}),
    )


def _close_supervisions(
    act: ServiceAct, record: TicketRecord, endings: Mapping[UUID, Ending | None]
) -> None:
    """Every supervision of an assignment ends with it, one of the desk with its ruling, and none before
    it was raised.
    """
    for row in sorted(record.supervisions.values(), key=lambda row: (row.raised_at, row.rung)):
        about = row.clock if row.clock and row.clock in endings else row.assignment
        if ending := endings[about]:
            _close(act, row, ending)


def _close(act: ServiceAct, row: Supervision, ending: Ending) -> None:
    if row.withdrawn_at or row.accepted_at:
        return  # by hand, which nothing that happens later takes back
    if row.stale_knowledge:
        return  # what the matter came to puts no entry right
    closed_at = max(ending.at, row.raised_at)
    if row.closed_at is None:
        data = SupervisionClosed(supervision=row.id, rung=row.rung, reason=ending.why)
        _tell(act, row, data, closed_at)
    row.closed_at, row.close_reason = closed_at, ending.why


def _tell(act: ServiceAct, row: Clock | Supervision, data: Data, time: datetime) -> None:
    act.tell(
        data,
        subject=row.ticket,
        time=time,
        round=row.round,
        assignment=row.assignment,
        unit=row.unit,
    )
