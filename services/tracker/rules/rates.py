"""按期办结率 and 及时签收率: judged in time / judged (SEED, LYG; DOMAIN.md 3.1).

A clock is judged once: when its duty was done in time, or when it was breached and that stands.
An extension counts as in time; how many had one is said beside it. A unit that had a ticket several
times in one round had each duty once: late if it was late with any of them (ADR 0049).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.events import ClockKind


class Tally(NamedTuple):
    """How many clocks of a kind a unit had judged, how many in time, how many of those extended; and both
    again, were the time of disputes charged to nobody. The desk's have no unit. ``undone``: of who was
    whistled for, how many have not come at all.
    """

    unit: str | None
    kind: str
    due: int
    on_time: int
    extended: int
    on_time_uncharged: int = 0
    extended_uncharged: int = 0
    undone: int = 0


class Share(NamedTuple):
    """``on_time`` of ``due``; ``extended`` of those on time were extended."""

    due: int = 0
    on_time: int = 0
    extended: int = 0

    @property
    def rate(self) -> float | None:
        """The share to four digits; of nothing there is none."""
        return round(self.on_time / self.due, 4) if self.due else None


def share(
    tallies: Iterable[Tally], kind: ClockKind, unit: str | None = None, *, charged: bool = True
) -> Share:
    """The share of one kind, of one unit or of all. ``charged``: as it was judged, or else with the time of
    lost disputes charged to nobody.
    """
    of_kind = (row for row in tallies if row.kind == kind and unit in (None, row.unit))
    rows = [row[2:5] if charged else (row[2], *row[5:7]) for row in of_kind]
    return Share(*map(sum, zip(*rows, strict=True)))


def absent(tallies: Iterable[Tally], unit: str | None = None) -> int:
    """How many of those judged late have not come at all that were whistled for (吹哨报到, R-47)."""
    return sum(
        row.undone for row in tallies if row.kind == ClockKind.ATTEND and unit in (None, row.unit)
    )
