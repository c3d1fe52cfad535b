"""暂停: times in which a clock stands still. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.tracker.rules.promised import Instant, Known


class Pause(NamedTuple):
    """A time in which a clock stands still; open while ``ends_at`` is None."""

    begins_at: datetime
    ends_at: datetime | None = None


class WaitTimeline(Known):
    """等待诉求人: one wait for the citizen. ``asked_at``: since when it stands, once it is granted;
    ``awaited``: what for, in a word of the dispatcher's.
    """

    id: UUID
    awaited: str = "cooperation"  # of one of which no more is on record
    asked_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def pause(self) -> Pause | None:
        """The time in which the time to handle the order stood still, if it did."""
        if self.asked_at is None:
            return None
        return Pause(self.asked_at, self.ended_at and max(self.ended_at, self.asked_at))


def apart(pause: Pause, waits: Iterable[WaitTimeline]) -> Iterator[tuple[Pause, str | None]]:
    """A pause in its parts: what the citizen was waited for in each, None where it was the desk."""
    at, end = pause
    known = ((*each.pause, each.awaited) for each in waits if each.pause)
    for begins, ends, awaited in sorted(known, key=lambda wait: wait[0]):
        begins, ends = max(begins, at), min(filter(None, (ends, end)), default=None)
        if (end and begins >= end) or (ends and begins >= ends):
            continue
        if begins > at:
            yield Pause(at, begins), None
        yield Pause(begins, ends), awaited
        if ends is None:
            return
        at = ends
    if at == pause.begins_at or at != end:
        yield Pause(at, end), None


def joined(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Pauses in their order, of which those that meet are one: a clock stands still once. Where another
    begins, the end of the one before may not have been heard yet.
    """
    found: list[Pause] = []
    for begins, ends in sorted(pauses, key=lambda pause: pause.begins_at):
        if found and (found[-1].ends_at or begins) >= begins:
            before = found.pop()
            begins, ends = before.begins_at, ends and max(ends, before.ends_at or ends)
        found.append(Pause(begins, ends))
    return tuple(found)
