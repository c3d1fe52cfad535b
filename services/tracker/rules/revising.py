"""更正: what clocks that ended come to, had a calendar known from the start what it was told too late. Pure.

What fired stays, and so does the first judgement; a revision sets another beside it, and both are told
(ADR 0076). A due moment is never revised to an earlier one: nobody is late by what nobody could know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Self
from uuid import UUID

from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_state import ClockState, laid_out_by
from services.tracker.rules.machine import Sentence
from services.tracker.rules.promised import Instant, Known
from shared.caller import person
from shared.errors import JiesuError, MoveRefused, OwnApproval
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.hours import SpecialDay


class NothingToRevise(JiesuError):
    """The calendar in force has those days as clocks counted them: it is mended first, then clocks that ended
    by the wrong one are revised.
    """

    status = 409
    slug = "nothing-to-revise"
    title = (
        "所列日期的日历与当时所用的一致，没有可更正的：请先更正日历 "
        "The calendar has these days as they were counted: mend the calendar first"
    )


class RevisionStatus(StrEnum):
    """Where a revision stands; SENTENCES says who moves it from there."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DONE = "done"
    REFUSED = "refused"


SENTENCES: Mapping[RevisionStatus, Sentence] = MappingProxyType(
    {
        RevisionStatus.PROPOSED: Sentence(
            "待另一人确认；确认前一切照旧",
            "Another person confirms or refuses it; until then all stays as it is",
        ),
        RevisionStatus.CONFIRMED: Sentence(
            "已确认，系统正在逐批更正", "Confirmed: clocks are being revised, batch by batch"
        ),
        RevisionStatus.DONE: Sentence("已更正完毕", "Done: every clock it concerns was revised"),
        RevisionStatus.REFUSED: Sentence("未确认，一切照旧", "Refused: all stays as it is"),
    }
)


def status(granted: bool | None, done_at: datetime | None) -> RevisionStatus:
    """Where a revision stands."""
    if granted is None:
        return RevisionStatus.PROPOSED
    if not granted:
        return RevisionStatus.REFUSED
    return RevisionStatus.DONE if done_at else RevisionStatus.CONFIRMED


def check_ruling(now: RevisionStatus, proposed_by: str, actor: str, *, granted: bool) -> None:
    """Two persons revise; who proposed it may take it back and no more. Raises MoveRefused, OwnApproval."""
    if now is not RevisionStatus.PROPOSED:
        raise MoveRefused("rule", now, [])
    if granted and person(proposed_by) == person(actor):
        raise OwnApproval(asked_by=proposed_by)


# --- the calendars as they ought to have been --------------------------------------------------


@lru_cache(maxsize=16)
def mended(calendars: Calendars, number: int, days: tuple[date, ...]) -> Calendars:
    """The versions of then, with some days as a later version has them."""
    right = _numbered(calendars, number)
    return Calendars(
        [row._replace(calendar=_with(row.calendar, right, days)) for row in calendars.versions]
    )


def differs(calendars: Calendars, number: int, days: Collection[date]) -> bool:
    """Whether a version has any of some days otherwise than one before it, for anybody."""
    right = _numbered(calendars, number)
    return any(_unlike(row.calendar, right, days) for row in calendars.versions)


def _numbered(calendars: Calendars, number: int) -> WorkCalendar:
    return next(row.calendar for row in calendars.versions if row.number == number)


def _unlike(known: WorkCalendar, right: WorkCalendar, days: Collection[date]) -> bool:
    pairs = [(known.of(unit), right.of(unit)) for unit in {None, *known.units, *right.units}]
    return any(
        one.segments_of(day) != other.segments_of(day) for one, other in pairs for day in days
    )


def _with(known: WorkCalendar, right: WorkCalendar, days: Collection[date]) -> WorkCalendar:
    put = {day: right.special_of(day) or SpecialDay(right.usual(day)) for day in days}
    units = {unit: _with(own, right.of(unit), days) for unit, own in known.units.items()}
    week = dict(enumerate(known.week))
    special = dict(known.special) | put
    return WorkCalendar(known.tz, week, special, known.known, seasons=known.seasons, units=units)


# --- one clock ---------------------------------------------------------------------------------


class Revised(Known):
    """What a clock was revised by; of several revisions, the last, with the days of all."""

    revision: UUID
    calendar: int
    days: tuple[date, ...]
    ground: str
    paper: str
    at: Instant

    def after(self, before: Self | None) -> Self:
        """This one upon an earlier one."""
        days = {*self.days, *(before.days if before else ())}
        return self.model_copy(update={"days": tuple(sorted(days))})


class Judged(NamedTuple):
    """How a clock comes to be judged: when it would have been due, and the rungs it reaches all the same."""

    due: datetime
    late: bool
    rungs: frozenset[int]


def concerns(state: ClockState) -> bool:
    """Whether a clock may be revised: it was late, and is over. One still open is judged when it ends."""
    return state.ended_at is not None and state.breached_at is not None


def judged_anew(state: ClockState, known: Calendars, right: Calendars) -> Judged | None:
    """How a clock that ended comes to be judged by the mended versions; None where these do not move it."""
    before, after = laid_out_by(state, known), laid_out_by(state, right)
    if state.ended_at is None or after.due.at <= max(before.due.at, state.due):
        return None
    due, ended = after.due.at, state.ended_at
    rungs = (mark.rung.rung for mark in after.marks if mark.rung and mark.at < ended)
    return Judged(due, late=ended > due, rungs=frozenset(rungs))


class Second(NamedTuple):
    """A second judgement, as it is told: until when its clock would have had time, and by which revision."""

    due: datetime
    late: bool
    by: Revised


def second(by: Any, due: datetime | None, ended_at: datetime | None) -> Second | None:
    """What a clock's row has of a second judgement."""
    if by is None or due is None or ended_at is None:
        return None
    return Second(due, ended_at > due, Revised.model_validate(by))
