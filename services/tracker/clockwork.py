"""What follows for the clocks of a ticket: worked out, saved and said.

Both doors that move clocks end here: a fact written down (``settle``) and time (``fire``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.tracker import records
from services.tracker.models import Clock, Supervision
from services.tracker.records import Acting, Docket
from services.tracker.rules.changes import Dial, Said, changes, face
from services.tracker.rules.courses import Course, Ending
from services.tracker.rules.standing import Standing, advance, stand
from shared.events import ClockKind, Data, DeadlineSet, SupervisionClosed, SupervisionRaised


async def settle(act: Acting, docket: Docket, at: datetime) -> bool:
    """Work out every clock of a ticket anew, save and say what changed; whether anything did.

    ``at`` is when what is new became true.
    """
    known = set(docket.clocks)
    said = [move for course in docket.courses() for move in _turn(act, docket, course, at)]
    fresh = [row for key, row in docket.clocks.items() if key not in known]
    _announce(act, fresh)
    for row, one in said:
        await _say(act, row, one, docket.supervisions)
    _close_supervisions(act, docket)
    return bool(fresh or said)


async def fire(act: Acting, row: Clock) -> None:
    """Pass every mark of a running clock up to now, each with its true time (R-31, R-32)."""
    before, calendar = records.standing(row), act.config.calendar
    after = advance(before, calendar, act.now)
    records.store(row, after)
    dial = Dial(row.id, ClockKind(row.kind))
    for one in changes(dial, before, after, calendar, at=act.now, now=act.now):
        await _say(act, row, one, [])


def _turn(
    act: Acting, docket: Docket, course: Course, at: datetime
) -> Iterator[tuple[Clock, Said]]:
    """Work out one clock. It keeps the terms it started under until the urgency changes."""
    policy, row = act.config, docket.clocks.get(course.id)
    before = records.standing(row) if row else None
    keeps = before is not None and row is not None and row.urgency == course.urgency
    terms = before.terms if before and keeps else policy.terms(course, docket.matter())
    if terms is None:
        return
    after = stand(course, terms, policy.calendar, before)
    if row is None:
        row = docket.clocks[course.id] = _row(docket, course, after)
        act.session.add(row)
    elif after != before:
        records.store(row, after)
    row.urgency = course.urgency
    lost = course.lost.why if course.lost else ""
    dial = Dial(course.id, course.kind)
    for one in changes(dial, before, after, policy.calendar, at=at, now=act.now, lost=lost):
        yield row, one


def _row(docket: Docket, course: Course, standing: Standing) -> Clock:
    return Clock(
        id=course.id,
        ticket=docket.ticket.number,
        round=course.round,
        kind=course.kind,
        assignment=course.assignment,
        unit=course.unit,
        role=course.role,
        urgency=course.urgency,
        **records.columns(standing),
    )


def _announce(act: Acting, fresh: Iterable[Clock]) -> None:
    """Say which clocks started, all of one dispatch or registration together."""
    started: dict[object, list[Clock]] = {}
    for row in fresh:
        started.setdefault((row.assignment, row.round, row.started), []).append(row)
    for rows in started.values():
        faces = tuple(face(ClockKind(row.kind), records.standing(row)) for row in rows)
        _tell(act, rows[0], DeadlineSet(clocks=faces), rows[0].started)


async def _say(act: Acting, row: Clock, said: Said, known: list[Supervision]) -> None:
    """Say a fact of a clock; a supervision is also kept, and what is taken back is not.

    ``known``: the ticket's supervisions, which follow.
    """
    if isinstance(said.data, SupervisionRaised):
        raised = _supervision(act, row, said.data, said.at)
        await act.session.flush()  # its clock first: rows are not sorted by foreign key
        act.session.add(raised)
        known.append(raised)
    elif isinstance(said.data, SupervisionClosed):
        await act.session.flush()
        kept = await act.session.get_one(Supervision, said.data.supervision)
        await act.session.delete(kept)
        known[:] = (row for row in known if row is not kept)
        if kept.closed:
            return
    _tell(act, row, said.data, said.at)


def _supervision(act: Acting, row: Clock, said: SupervisionRaised, at: datetime) -> Supervision:
    if row.assignment is None or row.unit is None:
        raise AssertionError("only an assignment's clock has rungs")
    return Supervision(
        id=said.supervision,
        ticket=row.ticket,
        assignment=row.assignment,
        round=row.round,
        unit=row.unit,
        clock=row.id,
        raised=at,
        raised_by=act.actor,
        **said.model_dump(exclude={"supervision"}),
    )


def _close_supervisions(act: Acting, docket: Docket) -> None:
    """Every supervision of an assignment ends with it, and none before it was raised."""
    withdrawn = docket.ticket.withdrawn
    endings = {duty.id: duty.ending(withdrawn) for duty in docket.duties()}
    if not any(endings.values()):
        return
    for row in docket.supervisions:
        ending = endings[row.assignment]
        if ending is not None:
            _close(act, row, ending)


def _close(act: Acting, row: Supervision, ending: Ending) -> None:
    closed = max(ending.at, row.raised)
    if row.closed is None:
        said = SupervisionClosed(supervision=row.id, rung=row.rung, reason=ending.why)
        _tell(act, row, said, closed)
    row.closed, row.close_reason = closed, ending.why


def _tell(act: Acting, row: Clock | Supervision, data: Data, time: datetime) -> None:
    act.tell(
        data,
        subject=row.ticket,
        time=time,
        round=row.round,
        assignment=row.assignment,
        unit=row.unit,
    )
