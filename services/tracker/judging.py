"""How figures read the judgement of a clock in its row: as it was revised, or as it was first judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Exists, case, cast, column, exists, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.tracker.models import Clocks
from services.tracker.rules.machine import ClockStatus
from shared.events import ClockKind, Role

# Counted of leads and co-handlers; the citizen hears from leads alone.
EVERYBODYS = (ClockKind.SIGN, ClockKind.FIRST_CONTACT, ClockKind.ATTEND)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is read at a moment; ``first``: as clocks were first judged, whatever was revised since."""

    now: datetime
    first: bool = False

    def due(self, clocks: Any) -> ColumnElement[datetime]:
        """When it was due."""
        own = clocks.due if self.first else func.coalesce(clocks.due_revised, clocks.due)
        return case((self.counts_apart(clocks), clocks.due_counted), else_=own)

    def missed_at(self, clocks: Any) -> ColumnElement[datetime]:
        """When it was breached, if that stands."""
        first: ColumnElement[datetime] = clocks.breached_at
        if self.first:
            return first
        late = func.coalesce(clocks.ended_at, self.now) > clocks.due_revised
        revised = case((late, clocks.due_revised))
        return case((col(clocks.due_revised).is_not(None), revised), else_=first)

    def went_on_late(self, clocks: Any) -> ColumnElement[bool]:
        """Whether no time was left when the ticket was given again; also by a unit that is no more."""
        return func.coalesce(self.missed_at(clocks) <= clocks.resumed_at, False)

    def counts_apart(self, clocks: Any) -> ColumnElement[bool]:
        """Whether it went on late of what figures do not count with this duty: they go by its own moment."""
        return self.went_on_late(clocks) & col(clocks.due_counted).is_not(None)

    def in_time(self, clocks: Any) -> ColumnElement[bool]:
        """Whether its duty was done in time, so far as that was judged."""
        by_its_own = func.coalesce(clocks.ended_at, self.now) <= clocks.due_counted
        return case((self.counts_apart(clocks), by_its_own), else_=self.missed_at(clocks).is_(None))

    def judged_at(self, clocks: Any) -> ColumnElement[datetime]:
        """When it counts as done in time, or as late; never, where it was cancelled before it was due."""
        done = case((clocks.status == ClockStatus.MET, clocks.ended_at))
        by_its_own = case((self.in_time(clocks), done), else_=clocks.due_counted)
        judged = func.coalesce(self.missed_at(clocks), done)
        return case((self.counts_apart(clocks), by_its_own), else_=judged)

    def whose(self, clocks: Any) -> ColumnElement[str | None]:
        """Whose it is."""
        return charged(clocks, func.coalesce(self.judged_at(clocks), self.missed_at(clocks)))

    def missed_before(self) -> Exists:
        """Whether the unit of a clock was late with the same duty before it got the ticket again."""
        before = aliased(Clocks)
        names = ("ticket", "round", "kind")
        same = (getattr(before, name) == getattr(Clocks, name) for name in names)
        counted = col(before.kind).in_(EVERYBODYS) | (col(before.role) == Role.LEAD)
        theirs = self.whose(before) == self.whose(Clocks)
        missed = ~self.in_time(before), self.judged_at(before) < self.judged_at(Clocks)
        return exists().where(*same, theirs, counted, *missed)


def charged(clocks: Any, at: Any = None) -> ColumnElement[str | None]:
    """Whose a clock is in the figures: of who answered for it when it was judged, or breached, or ``at`` a
    moment; a unit that is no more keeps what it missed (机构改革).
    """
    each = func.jsonb_array_elements(clocks.former).table_valued(column("value", JSONB))
    until = cast(each.c.value[0].astext, DateTime(timezone=True))
    moment = func.coalesce(clocks.judged_at, clocks.breached_at) if at is None else at
    before = select(each.c.value[1].astext).where(moment < until).order_by(until).limit(1)
    return func.coalesce(before.correlate(clocks).scalar_subquery(), clocks.unit)
