"""What units had of a ticket's matter under other numbers (并单, 拆分, ADR 0049). Pure.

While a ticket is merged, its matter is worked on under another number: what its units have of that is had of
this ticket, too. And what they had of a ticket before it was merged joins the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from services.tracker.rules.timelines import (
    AssignmentTimeline,
    Carried,
    Matter,
    RoundTimeline,
    first_rounds,
)

ALWAYS = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


class _Span(NamedTuple):
    """From when until when a ticket was of a work."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Whole:
    """A ticket with its rounds and orders."""

    matter: Matter
    rounds: Sequence[RoundTimeline]
    assignments: Sequence[AssignmentTimeline]

    @property
    def works(self) -> set[str]:
        """The numbers under which it was worked on with others."""
        return {each.into for each in self.matter.merges if each.into}

    def _within(self, work: str) -> list[_Span]:
        if work == self.matter.number:
            return [_Span(ALWAYS, NEVER)]
        merges = self.matter.merges
        ends = [each.at for each in merges[1:]] + [NEVER]
        spans = (
            _Span(each.at, end) for each, end in zip(merges, ends, strict=True) if each.into == work
        )
        return [span for span in spans if span.begins < span.ends]

    def shared(self, other: Whole) -> Iterator[_Span]:
        """The times in which both were of one work."""
        for work in {*self.works, self.matter.number} & {*other.works, other.matter.number}:
            for mine in self._within(work):
                for its in other._within(work):
                    both = _Span(max(mine.begins, its.begins), min(mine.ends, its.ends))
                    if both.begins < both.ends:
                        yield both

    def round_at(self, moment: datetime) -> int:
        """Its round at a moment."""
        opened = (each.number for each in self.rounds if each.started_at <= moment)
        return max(opened, default=1)

    def had_by(self, moment: datetime) -> Iterator[AssignmentTimeline]:
        """The orders of its matter by a moment, in the round it was in, under whatever number."""
        firsts = first_rounds(self.rounds)
        course = firsts.get(self.round_at(moment))
        elsewhere = (each.order for each in self.matter.carried if not each.joined)
        for order in (*self.assignments, *elsewhere):
            if order.dispatched_at < moment and firsts.get(order.round) == course:
                yield _cut(order, order.dispatched_at, moment)

    def joined_by(self, both: _Span) -> datetime | None:
        """Since when the matter of another ticket is worked on under this number, of a time in which both
        were of one work.
        """
        if any(_open(order, both.begins) for order in self.assignments):
            return both.begins
        given = (order.dispatched_at for order in self.assignments)
        return min((at for at in given if both.begins <= at < both.ends), default=None)


def by_merging(to: Whole, others: Sequence[Whole], known_at: datetime) -> Iterator[Carried]:
    """What counts for a ticket of those it is, or was, worked on with."""
    yield from _worked_on(to, others, known_at)
    own = {order.id for order in to.assignments}
    for other in others:
        for both in other.shared(to):
            since = to.joined_by(both)
            if since is None:
                continue
            past = list(other.had_by(since))
            if all(order.id in own for order in past):
                continue
            for order in past:
                there = order.model_copy(update={"round": to.round_at(since)})
                yield Carried(
                    order=there, since=since, known_at=known_at, joined=other.matter.number
                )


def _worked_on(of: Whole, others: Iterable[Whole], known_at: datetime) -> Iterator[Carried]:
    """The orders under other numbers that were orders of a ticket's matter, while they were."""
    for other in others:
        if not other.assignments:
            continue
        for both in other.shared(of):
            for order in other.assignments:
                began = max(order.dispatched_at, both.begins)
                if began < both.ends and _open(order, began):
                    there = _cut(order, began, both.ends)
                    there = there.model_copy(update={"round": of.round_at(began)})
                    yield Carried(order=there, since=began, known_at=known_at)


def _open(order: AssignmentTimeline, at: datetime) -> bool:
    ending = order.ending(None)
    return order.dispatched_at <= at and (ending is None or ending.at > at)


def by_splitting(call: Whole, at: datetime) -> Iterator[Carried]:
    """What counts for a matter of what its units had of the call, or the matter, it was split from."""
    for order in call.had_by(at):
        there = order.model_copy(update={"round": 1})
        yield Carried(order=there, since=at, known_at=at)


def kept_with(known: Iterable[Carried], found: Iterable[Carried]) -> tuple[Carried, ...]:
    """What was carried once stays, as far as it is known now; to part tickets again gives nobody time."""
    carried = {each.key: each for each in known}
    for each in found:
        before = carried.get(each.key)
        carried[each.key] = (
            each.model_copy(update={"known_at": before.known_at}) if before else each
        )
    return tuple(carried[key] for key in sorted(carried))


def _cut(order: AssignmentTimeline, begins: datetime, ends: datetime) -> AssignmentTimeline:
    """An order as far as it lies in a time."""
    if ends == NEVER and begins == order.dispatched_at:
        return order
    ended = min(filter(None, (order.cancelled_at, ends)))
    return order.model_copy(
        update={"dispatched_at": begins, "cancelled_at": None if ended == NEVER else ended}
    )
