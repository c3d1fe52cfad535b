"""Why a clock is due when it is: day by day, so that everybody can check it (Zammad #390)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.tracker.rules.calendars import Calendars, Span
from services.tracker.rules.clock_state import ClockState, wanted
from services.tracker.rules.layout import counted, ends, given_back
from services.tracker.rules.pauses import WaitTimeline, apart
from services.tracker.rules.stated import MomentCorrected
from services.tracker.rules.timelines import AssignmentTimeline, Matter
from shared.events import ClockKind
from shared.jurisdiction.calendar import Limit, Step


class Stop(NamedTuple):
    """A time in which the clock stood still, and how many seconds of its kind that gave back; what the
    citizen was waited for in it, if that is why.
    """

    begins_at: datetime
    ends_at: datetime | None
    given_back: float
    awaited: str | None = None


class Explanation(NamedTuple):
    """The days of the limit, those of the extension, and the pauses.

    ``kept``: a newer calendar would end it earlier, and a due moment is never moved earlier. ``capped``: a
    cap on the whole time, from the registration on, ends it before its own limit would. ``upstream``: what an
    upstream platform wants decides when it ends; then the days of its own limit are none.
    """

    days: list[Step]
    extension_days: list[Step]
    pauses: list[Stop]
    kept: bool
    capped: bool = False
    upstream: bool = False


def explain(
    state: ClockState, calendars: Calendars, waits: Sequence[WaitTimeline] = ()
) -> Explanation:
    """Explain a due moment by the calendar that decided it; ``waits``: those its pauses may be."""
    limit, extension_days = Limit.parse(state.terms.limit), list[Step]()
    calendar = _decided(state, calendars).calendar
    counts = counted(state.terms, state.started_at, calendar)
    ended, own = ends(state.terms, state.started_at, calendar).at, calendar.due(*counts).at
    upstream = state.terms.upstream and state.terms.upstream.ends(state.started_at, calendar)
    days = calendar.explain(*counts) if ended == own else []
    if state.extension:
        longer = Limit(state.extension, "wd")
        extension_days = calendar.explain(ended, longer)
        ended = calendar.due(ended, longer).at
    pauses = [
        Stop(*part, given_back(part, limit, calendar), awaited)
        for pause in state.pauses
        for part, awaited in apart(pause, waits)
    ]
    capped = counts != (state.started_at, limit) or ended not in (own, upstream)
    kept = state.base_due > ended
    return Explanation(days, extension_days, pauses, kept, capped, upstream == ended != own)


def _decided(state: ClockState, calendars: Calendars) -> Span:
    """The version a clock was laid out by last before it was due: what came later moved nothing."""
    spans = calendars.over(state.started_at, state.ended_at)
    before = [each for each in spans if each.number <= state.calendar and each.since < state.due]
    return before[-1] if before else calendars.numbered(state.calendar)


def waits_of(
    kind: str, unit: str | None, orders: Iterable[AssignmentTimeline]
) -> list[WaitTimeline]:
    """The waits for which a clock may have stood still: of the time to handle it alone, and also those of
    earlier orders of its unit, where it goes on from them.
    """
    if kind != ClockKind.HANDLE:
        return []
    return [wait for each in orders if each.unit == unit for wait in each.waits]


def righted(kind: ClockKind, state: ClockState, matter: Matter) -> MomentCorrected | None:
    """Who put the moment right that an upstream platform wants the answer by, where a clock goes by that."""
    found = matter.upstream_corrected
    if found is None or kind not in (ClockKind.HANDLE, ClockKind.CITIZEN):
        return None
    follows = wanted(state.terms.upstream) == matter.upstream_due and state.started_at < found.at
    return found if follows else None
