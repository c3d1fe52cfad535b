"""The figures of dispatching as JSON."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from shared.jurisdiction.appraisal import UnitStanding


class DispatchFigures(BaseModel):
    """派单指标: counts, and the shares of them (Yulin 回退率; policy `first_dispatch_accuracy`).

    ``dispatched``: orders told in the period, those of co-handlers and of redo rounds too.
    ``first_dispatches``: to the first lead a ticket had; ``first_dispatches_held``: of these, whose unit
    neither returned it nor had to give the lead to another in that round. That may still be found out
    after the period has ended, and changes its figure then. Returns count when they were asked for, and
    when they were ruled on. ``rulings_overruled``: rulings that had named the unit, and the desk gave the
    ticket to another all the same.

    ``return_rate``: ``returns_granted`` of ``dispatched``; ``first_dispatch_accuracy``:
    ``first_dispatches_held`` of ``first_dispatches``; to six digits, null of nothing.
    """

    dispatched: int
    first_dispatches: int
    first_dispatches_held: int
    returns_requested: int
    returns_granted: int
    returns_refused: int
    rulings_overruled: int
    return_rate: float | None
    first_dispatch_accuracy: float | None


class UnitDispatch(UnitStanding):
    """The figures of one unit; its volume is ``dispatched``."""

    name: str
    figures: DispatchFigures


class DispatchRates(BaseModel):
    """派单指标 of a period; ``start`` and ``end`` are days, both included, Asia/Shanghai."""

    start: date
    end: date
    total: DispatchFigures
    units: list[UnitDispatch]


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
