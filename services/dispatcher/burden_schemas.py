"""What is answered about the burden of towns."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class TownBurden(BaseModel):
    """基层减负 One town in one month, in tickets. ``by_rule`` and ``by_hand``: what it was given to lead,
    each ticket and round once. Of these ``approved``: not in its duty list, with a supervisor's approval;
    ``flagged``: the same without one, where dispatch.yaml lets that pass. ``blocked_by_rule`` and
    ``blocked_by_hand``: what was kept from it.
    """

    month: str
    unit: str
    name: str
    by_rule: int = 0
    by_hand: int = 0
    approved: int = 0
    flagged: int = 0
    blocked_by_rule: int = 0
    blocked_by_hand: int = 0


class Burden(BaseModel):
    """The towns with anything to count in a period, both days included, by month and code."""

    start: date
    end: date
    towns: list[TownBurden]
