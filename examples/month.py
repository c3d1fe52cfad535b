"""一个月的来电 A month of a county's calls, and how everybody behaves: seeded, so always the same.

Nothing here talks to Jiesu. Each choice has a seed of its own (which ticket, which round, which
unit), so it does not depend on the order in which things happen to be asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from examples.connection import Json
from examples.matters import (
    AREAS,
    CHANNELS,
    GIVEN,
    MATTERS,
    PLACES,
    SURNAMES,
    TYPE_MIX,
)
from examples.scene import CHINA

SEED = "紫阳 2026-03"
TICKETS = 550
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 31)
# When people look up and act on a working day; coarser than life, so that a month takes a minute.
HOURS = (time(9), time(10), time(11), time(14, 30), time(15, 30), time(16, 30), time(17, 30))
PER_DAY = len(HOURS)
IN_DUTY, IN_EVENINGS = 0.9, 0.06  # the rest comes on days off


@dataclass(frozen=True, slots=True)
class Case:
    """One citizen's call: when it comes, and what is registered."""

    index: int
    at: datetime
    complaint: Json


def dice(*what: object) -> Random:
    """The dice of one choice."""
    return Random("/".join(map(str, (SEED, *what))))


# --- working time in hours of duty ------------------------------------------------------------


class Duty:
    """The hours at which offices act, on the working days of a period."""

    def __init__(self, is_working_day: Callable[[date], bool], first: date, days: int) -> None:
        every = [first + timedelta(days=n) for n in range(days)]
        self.working = [day for day in every if is_working_day(day)]
        self.days_off = [day for day in every if not is_working_day(day)]
        self._moments = [
            datetime.combine(day, hour, CHINA) for day in self.working for hour in HOURS
        ]

    def after(self, moment: datetime, count: int) -> datetime:
        """The hour of duty ``count`` hours of duty after an instant; 0: the first not before."""
        return self._moments[bisect_left(self._moments, moment) + count]


# --- calls -------------------------------------------------------------------------------------


def cases(duty: Duty) -> list[Case]:
    """The calls of the month in the order in which they come."""
    types = [kind for kind, count in _shares(TYPE_MIX, TICKETS).items() for _ in range(count)]
    dice("types").shuffle(types)
    drafts = [(_arrival(duty, n), n, kind) for n, kind in enumerate(types)]
    return [
        Case(index, at, _complaint(n, kind)) for index, (at, n, kind) in enumerate(sorted(drafts))
    ]


def _shares(mix: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers that add up to the total, by largest remainders."""
    exact = {name: share * total / sum(mix.values()) for name, share in mix.items()}
    counts = {name: int(share) for name, share in exact.items()}
    by_rest = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_rest[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _arrival(duty: Duty, n: int) -> datetime:
    throw = dice("arrival", n)
    working = [day for day in duty.working if FIRST <= day <= LAST]
    off = [day for day in duty.days_off if FIRST <= day <= LAST]
    kind = throw.random()
    if kind < IN_DUTY:
        return datetime.combine(throw.choice(working), throw.choice(HOURS), CHINA)
    if kind < IN_DUTY + IN_EVENINGS:
        return datetime.combine(throw.choice(working), time(20), CHINA)
    return datetime.combine(throw.choice(off), throw.choice((time(10), time(16))), CHINA)


def _complaint(n: int, kind: str) -> Json:
    throw = dice("complaint", n)
    matter = throw.choices(MATTERS[kind], [row.weight for row in MATTERS[kind]])[0]
    complaint: Json = {
        "type": kind,
        "topic": matter.topic,
        "title": matter.title,
        "content": matter.content.format(place=throw.choice(PLACES)),
        "area": throw.choices(list(AREAS), [share for _, share in AREAS.values()])[0],
        "channel": throw.choices(list(CHANNELS), list(CHANNELS.values()))[0],
        "flags": matter.flags,
    }
    if kind == "report":  # workshops and banquets: the agent says that no office is meant
        complaint["reported"] = {"nobody": True}
    who = throw.random()
    if who > 0.02:  # the others gave no name
        complaint["caller"] = _caller(throw)
        complaint["reply_declined"] = who > 0.99
    return complaint


def _caller(throw: Random) -> Json:
    name = throw.choice(SURNAMES) + throw.choice(GIVEN)
    return {"name": name, "phone": f"139{throw.randrange(10**8):08d}"}


def by_moment(all_cases: Sequence[Case]) -> dict[datetime, list[Case]]:
    """The calls by the hour at which they come."""
    found: dict[datetime, list[Case]] = {}
    for case in all_cases:
        found.setdefault(case.at, []).append(case)
    return found
