"""按期办结率 and 及时签收率: judged in time / judged (SEED, LYG; DOMAIN.md 3.1).

A clock is judged once: when its duty was done in time, or when it was breached and that stands.
An extension counts as in time; how many had one is said beside it, and how many were in time only thanks to
it. A unit that had a ticket several
times in one round had each duty once: late if it was late with any of them (ADR 0049).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Self

from shared.events import ClockKind
from shared.jurisdiction.calendar import WorkCalendar


class Tally(NamedTuple):
    """How many clocks of a kind a unit had judged, how many in time, how many of those extended; and both
    again, were the time of disputes charged to nobody. The desk's have no unit. ``undone``: of who was
    whistled for, how many have not come at all. ``by_extension``: of those on time, how many had been late
    without their extension. ``revised``: of how many a clock was revised (更正).
    """

    unit: str | None
    kind: str
    due: int
    on_time: int
    extended: int
    on_time_uncharged: int = 0
    extended_uncharged: int = 0
    undone: int = 0
    by_extension: int = 0
    revised: int = 0


class Share(NamedTuple):
    """``on_time`` of ``due``; ``extended`` of those on time were extended, ``by_extension`` were in time only
    thanks to that; ``revised`` of all were revised.
    """

    due: int = 0
    on_time: int = 0
    extended: int = 0
    by_extension: int = 0
    revised: int = 0

    @property
    def rate(self) -> float | None:
        """The share to four digits; of nothing there is none."""
        return _part(self.on_time, self.due)

    @property
    def rate_unextended(self) -> float | None:
        """The same, had nobody been given more time."""
        return _part(self.on_time - self.by_extension, self.due)


def _part(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def share(
    tallies: Iterable[Tally], kind: ClockKind, unit: str | None = None, *, charged: bool = True
) -> Share:
    """The share of one kind, of one unit or of all. ``charged``: as it was judged, or else with the time of
    lost disputes charged to nobody.
    """
    of_kind = (row for row in tallies if row.kind == kind and unit in (None, row.unit))
    rows = (
        (*row[2:5], row.by_extension, row.revised)
        if charged
        else (row[2], *row[5:7], 0, row.revised)
        for row in of_kind
    )
    return Share(*map(sum, zip(*rows, strict=True)))


def absent(tallies: Iterable[Tally], unit: str | None = None) -> int:
    """How many of those judged late have not come at all that were whistled for (吹哨报到, R-47)."""
    return sum(
        row.undone for row in tallies if row.kind == ClockKind.ATTEND and unit in (None, row.unit)
    )


# --- against the law ---------------------------------------------------------------------------


class Saved(NamedTuple):
    """审批压缩: so many first answers, the working days the law allows for them, those they took, and how
    many took more than that.
    """

    answered: int = 0
    legal_days: int = 0
    used_days: int = 0
    over: int = 0

    @classmethod
    def of(cls, legal: int, used: int) -> Self:
        """One answer."""
        return cls(1, legal, used, int(used > legal))

    @property
    def saved_days(self) -> int:
        """Less than nothing where answers took longer than the law allows."""
        return self.legal_days - self.used_days

    @property
    def rate(self) -> float | None:
        """What was saved of the days of the law."""
        return _part(self.saved_days, self.legal_days)


def saved(answers: Iterable[Saved]) -> Saved:
    """Several together."""
    return Saved(*map(sum, zip(Saved(), *answers, strict=True)))


def days_taken(calendar: WorkCalendar, start: datetime, end: datetime) -> int:
    """The working days from one moment to another, the day of the first not counted (CC203 art. 201);
    no pause takes any out, for the law knows none.
    """
    first, last = (moment.astimezone(calendar.tz).date() for moment in (start, end))
    return calendar.working_days_between(first, last)
