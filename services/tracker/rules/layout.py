"""Where the marks of a clock lie, under one calendar and from one version of it to the next. Pure.

Marks are points on a clock: the warning, the due moment, the rungs of supervision. A clock is laid out by
the calendar known at its start, and anew by each version that came while it ran: what lies ahead follows
the new one, what had passed does not (calendars.py, ADR 0062).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID, uuid5

from services.tracker.rules.calendars import Calendars, Span
from services.tracker.rules.pauses import Pause
from services.tracker.rules.policy import Rung, Terms, WarningPoint
from services.tracker.rules.supervision import card_point
from shared.jurisdiction.calendar import Due, Limit, WorkCalendar

WARN = "warn"
DUE = "due"
MISSED = "sign_due_missed"
NOTICE = "warn:"  # and the point, of a warning beside the yellow card


class Mark(NamedTuple):
    """A point on a clock: with the rung it raises, or the ``warning`` that is said to whom."""

    key: str
    at: datetime
    rung: Rung | None = None
    warning: WarningPoint | None = None

    @property
    def is_notice(self) -> bool:
        """Whether it only tells people something: no card of the release before, no breach and no rung."""
        return self.key.startswith(NOTICE)

    def supervision(self, clock: UUID) -> UUID:
        """The id of the supervision this mark raises: the same whenever it is worked out."""
        return supervision_id(clock, self.key, self.at)


def supervision_id(clock: UUID, key: str, at: datetime) -> UUID:
    """The id of the supervision a rung of a clock raised at an instant."""
    return uuid5(clock, f"{key}@{at.astimezone(UTC).isoformat()}")


def answer_due(rung: Rung, raised_at: datetime, calendars: Calendars) -> datetime | None:
    """When the unit must have answered a rung, by the calendar that held when it was raised; None if it need
    not.
    """
    if rung.answer is None:
        return None
    return calendars.at(raised_at).calendar.due(raised_at, Limit.parse(rung.answer)).at


class Run(NamedTuple):
    """What a clock is laid out from, whatever the calendar: fields of ClockState."""

    started_at: datetime
    terms: Terms
    extension: int
    pauses: tuple[Pause, ...]
    resumed_at: datetime | None
    floor: datetime | None


@dataclass(eq=False)
class Laid:
    """A clock as laid out under the versions up to one. ``out``: when its time was used up, which is when it
    was due, but for who gets it again later. ``points`` works out its marks, for who asks: all, or those up
    to a moment and the next.
    """

    base: datetime
    due: Due
    out: datetime
    version: int
    points: Callable[[datetime | None], Iterable[Mark]]

    @cached_property
    def marks(self) -> Sequence[Mark]:
        """Its marks as they lie on it."""
        return in_order(self.points(None))

    def until(self, moment: datetime) -> Sequence[Mark]:
        """Its marks up to a moment, and at least the next one."""
        return in_order(self.points(moment))


# --- its due moment ----------------------------------------------------------------------------


def laid_out(run: Run, spans: Iterable[Span], stands: Laid | None = None) -> Laid:
    """A clock laid out under one version after the other; ``stands``: as it lay before the first."""
    laid = stands
    for span in spans:
        laid = _go_on(laid, run, span) if laid else _lay(run, span)
    if laid is None:
        raise AssertionError("there is always a calendar")
    return laid


def _lay(run: Run, span: Span, earliest: datetime | None = None) -> Laid:
    """A clock as it would lie had it run under one version all the time, due not before ``earliest``."""
    calendar = span.calendar
    base = ends(run.terms, run.started_at, calendar)
    if run.extension:
        longer = calendar.due(base.at, Limit(run.extension, "wd"))
        base = Due(longer.at, base.provisional or longer.provisional)
    at = max(filter(None, (base.at, run.floor, earliest)))
    moved = _kept(run, at, shift(at, run.pauses, run.terms.limit, calendar))
    # Who gets it again late has no time left.
    due = Due(max(moved.at, run.resumed_at or moved.at), base.provisional or moved.provisional)
    return Laid(at, due, moved.at, span.number, partial(marks_of, run, at, due.at, calendar))


def ends(terms: Terms, started_at: datetime, calendar: WorkCalendar) -> Due:
    """When a clock is due without pauses and extension: by its own limit, or by what an upstream platform
    wants, which is never put off beyond the cap.
    """
    own, upstream = calendar.due(*counted(terms, started_at, calendar)), terms.upstream
    if upstream is None or (wanted := upstream.ends(started_at, calendar)) is None:
        return own
    longest = own
    if cap := upstream.cap:
        longest = max(own, calendar.due(cap.since, Limit.parse(cap.limit)))
    return min(Due(wanted, provisional=False), longest)


def _kept(run: Run, base: datetime, moved: Due) -> Due:
    """A pause does not put off what an upstream platform wants, unless it lasted until after that."""
    upstream = run.terms.upstream
    if upstream is None or not base <= upstream.due < moved.at:
        return moved
    stood = max((pause.ends_at or base for pause in run.pauses), default=base)
    return Due(upstream.due, moved.provisional) if stood < upstream.due else moved


def counted(terms: Terms, started_at: datetime, calendar: WorkCalendar) -> tuple[datetime, Limit]:
    """From when a clock's limit is counted, and which: its own, unless a cap on the whole ends earlier."""
    own = started_at, Limit.parse(terms.limit)
    if terms.cap is None:
        return own

    def ends(given: tuple[datetime, Limit]) -> datetime:
        return calendar.due(*given).at

    least = started_at, Limit.parse(terms.cap.least)
    capped = max((terms.cap.since, Limit.parse(terms.cap.limit)), least, key=ends)
    return min(own, capped, key=ends)


def _go_on(laid: Laid, run: Run, span: Span) -> Laid:
    """A clock under the next version: a mark that had passed by then stays, what lies ahead follows, and
    nothing is due earlier than it was, or passes before the version was known.
    """
    new, since = _lay(run, span, laid.base), span.since
    had_passed = laid.out <= since
    due = laid.due if had_passed else Due(max(laid.due.at, new.due.at), new.due.provisional)
    base, out = (laid.base, laid.out) if had_passed else (new.base, new.out)

    def points(until: datetime | None) -> Iterator[Mark]:
        passed = {mark.key: mark for mark in laid.until(since) if mark.at <= since}
        yield from passed.values()
        for mark in in_order(marks_of(run, base, due.at, span.calendar, until)):
            if mark.key not in passed:
                yield mark._replace(at=max(mark.at, since))

    return Laid(base, due, out, span.number, points)


def shift(at: datetime, pauses: Sequence[Pause], limited: str, calendar: WorkCalendar) -> Due:
    """A point moved by the pauses before it: the time of each counts as a clock with that limit counts
    time.
    """
    if not pauses:
        return Due(at, False)
    limit, provisional = Limit.parse(limited), False
    for pause in pauses:
        seconds = given_back(pause, limit, calendar)
        # A pause in the night gives nothing back, and must not move a duty end to the morning.
        if seconds and pause.begins_at <= at:
            moved = calendar.due(at, Limit(seconds / 3600, "h" if limit.natural else "wh"))
            at, provisional = moved.at, provisional or moved.provisional
    return Due(at, provisional)


def given_back(pause: Pause, limit: Limit, calendar: WorkCalendar) -> float:
    """Seconds a pause gives back: only its working time, unless the limit is natural time."""
    if pause.ends_at is None:
        return 0.0
    if limit.natural:
        return (pause.ends_at - pause.begins_at).total_seconds()
    return calendar.working_seconds_between(pause.begins_at, pause.ends_at)


# --- its marks ---------------------------------------------------------------------------------


def in_order(marks: Iterable[Mark]) -> Sequence[Mark]:
    """Marks as they lie on a clock; at one instant in the order given."""
    return sorted(marks, key=attrgetter("at"))


def marks_of(
    run: Run,
    base: datetime,
    due: datetime,
    calendar: WorkCalendar,
    until: datetime | None = None,
) -> Sequence[Mark]:
    """The points of a clock; at one instant the due moment goes before its rungs. ``until``: who asks needs
    none beyond the first one after that.
    """
    listed = run.terms.listed
    points = [*_warnings(run, base, calendar), Mark(DUE, due, warning=listed.get(DUE))]
    if missed := listed.get(MISSED):
        points.append(Mark(f"{NOTICE}{MISSED}", due, warning=missed))
    points += (
        Mark(rung.key, _rung_at(run, rung, base, due, calendar), rung)
        for rung in run.terms.climbed
        if until is None or due <= until or rung.at == "start"  # all others come after it is due
    )
    if begins := run.resumed_at:  # nothing befalls an order before it was given
        points = [mark._replace(at=max(mark.at, begins)) for mark in points]
    return points


def _warnings(run: Run, base: datetime, calendar: WorkCalendar) -> Iterator[Mark]:
    """The yellow card and whatever else the policy lists (R-31); a point not after the start is skipped."""
    terms, listed, natural = run.terms, run.terms.listed, Limit.parse(run.terms.limit).natural
    for at in dict.fromkeys([terms.warn, *listed]):
        if at is None or at in (DUE, MISSED):
            continue
        key, warning = WARN if at == terms.warn else f"{NOTICE}{at}", listed.get(at)
        # A card that no release listed keeps its share of days and nights.
        counts = natural or warning is None
        point = card_point(at, calendar, run.started_at, base, natural=counts)
        if point:
            yield Mark(key, shift(point, run.pauses, terms.limit, calendar).at, warning=warning)


def _rung_at(
    run: Run, rung: Rung, base: datetime, due: datetime, calendar: WorkCalendar
) -> datetime:
    if rung.at == "start":
        return run.resumed_at or run.started_at
    if rung.at == "due":
        return due
    overdue = calendar.due(base, Limit.parse(rung.at)).at
    at = max(due, shift(overdue, run.pauses, run.terms.limit, calendar).at)
    if run.resumed_at and rung.by == "trigger":
        return max(at, _refused_at(run, run.resumed_at, rung.at, calendar))
    return at


def _refused_at(run: Run, again_at: datetime, after: str, calendar: WorkCalendar) -> datetime:
    """When a unit that got an order again, its time used up or not, is said to refuse it: nobody refuses what
    they have not had, so that time is given anew. The ladder counts how late the duty is, whoever waited.
    """
    own = [
        pause._replace(begins_at=max(pause.begins_at, again_at))
        for pause in run.pauses
        if pause.ends_at is None or pause.ends_at > again_at
    ]
    refused = calendar.due(again_at, Limit.parse(after)).at
    return shift(refused, own, run.terms.limit, calendar).at
