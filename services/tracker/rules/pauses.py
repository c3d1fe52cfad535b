"""暂停: times in which a clock stands still. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Pause(NamedTuple):
    """A time in which a clock stands still; open while ``ends_at`` is None."""

    begins_at: datetime
    ends_at: datetime | None = None


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
