"""Whatever units and the desk do, and whatever becomes of units: no breach that stood is gone, and no clock
starts afresh (ADR 0049, 0056, 0059).

Ten thousand walks under HYPOTHESIS_PROFILE=prove. The exceptions are the policy's: the desk may grant a
ticket the time of 疑难, and the desk's time to rule on a return is not the unit's.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from services.dispatcher.models import Assignment
from services.tracker.models import Clock
from services.tracker.records import ClockEntry
from services.tracker.rules.machine import ClockStatus
from shared.events import ClockKind
from shared.jurisdiction.calendar import Limit
from tests.fixtures.scenes.handle_clock import at
from tests.fixtures.scenes.walk import STATIONS, TRACKER, Walk

UNITS = ["CGZF", "HC", "MZJ"]  # the first has it by the catalogue
HEIRS = ["ZJJ", "MB"]  # have nothing to do with it before a reform
START = at("03-02 10:00")
UNIT = st.sampled_from([*UNITS, *UNITS, *HEIRS, *STATIONS.values()])
OTHERS = st.lists(UNIT, max_size=2, unique=True)
URGENCY = st.sampled_from([None, None, "normal", "complex", "urgent"])
STEPS: list[st.SearchStrategy[tuple[Any, ...]]] = [
    st.tuples(st.just("assign"), UNIT, OTHERS, URGENCY),
    st.tuples(st.just("assign"), UNIT, st.just([]), st.none()),
    st.tuples(st.just("add"), UNIT),
    st.tuples(st.just("release"), UNIT),
    st.tuples(st.just("recall")),
    st.tuples(st.just("sign"), UNIT),
    st.tuples(st.just("contact"), UNIT, st.sampled_from([0, 3, 30])),
    st.tuples(st.just("ask_back"), UNIT),
    st.tuples(st.just("rule"), UNIT, st.booleans()),
    st.tuples(st.just("dispute")),
    st.tuples(st.just("arbitrate"), UNIT, OTHERS),
    st.tuples(st.just("complete"), UNIT, OTHERS),
    st.tuples(st.just("complete_badly"), UNIT),
    st.tuples(st.just("audit"), UNIT, st.sampled_from(["passed", "sent_back", "terminated"])),
    st.tuples(st.just("ask_end"), UNIT, st.sampled_from(["terminated", "not_our_duty_confirmed"])),
    st.tuples(st.just("withdraw_end"), UNIT),
    st.tuples(st.just("rule_end"), UNIT, st.booleans(), st.sampled_from([None, "resolved"])),
    st.tuples(st.just("ask_wait"), UNIT),
    st.tuples(st.just("rule_wait"), UNIT, st.booleans()),
    st.tuples(st.just("end_wait"), UNIT),
    st.tuples(st.just("hand_down"), UNIT, st.booleans()),
    st.tuples(st.just("take_back"), UNIT),
    st.tuples(st.just("split")),
    st.tuples(st.just("reform"), UNIT, st.lists(UNIT, min_size=1, max_size=1)),
    st.tuples(st.just("reform"), UNIT, st.lists(UNIT, min_size=2, max_size=2, unique=True)),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 50, 100])),
    st.tuples(st.just("sweep")),
]
WALKS = st.lists(st.one_of(STEPS), min_size=3, max_size=25)
Step = tuple[Any, ...]
Breaches = dict[UUID, tuple[datetime, str | None]]
TWO_ASK_BACK = [
    ("assign", "CGZF", ["HC"], None),
    ("ask_back", "CGZF"),
    ("ask_back", "HC"),
    ("rule", "CGZF", False),
    ("rule", "HC", True),
]
WAITED: list[tuple[Any, ...]] = [
    ("assign", "CGZF", [], None),
    ("sign", "CGZF"),
    ("contact", "CGZF", 0),
    ("ask_wait", "CGZF"),
    ("wait", 20),
    ("rule_wait", "CGZF", True),
    ("wait", 100),
    ("sweep",),
    ("end_wait", "CGZF"),
]
BACK: Step = ("recall",)
AGAIN: Step = ("assign", "CGZF", [], None)
MERGED = ("reform", "CGZF", ["MZJ"])
WENT_ON = [("wait", 50), BACK, AGAIN, MERGED, ("sign", "MZJ")]
GIVEN_TO_HEIR = [("wait", 50), BACK, MERGED, ("assign", "MZJ", [], None)]
MISSED = [
    ("wait", 100),
    ("wait", 100),
    ("sweep",),
    BACK,
    AGAIN,
    ("sweep",),
    MERGED,
    ("sign", "MZJ"),
]
BELOW = [
    ("sign", "CGZF"),
    ("hand_down", "CGZF", True),
    ("wait", 20),
    MERGED,
    ("hand_down", "MZJ", True),
]


@given(WALKS)
@example(TWO_ASK_BACK)
@example(WAITED)
@example(WENT_ON)
@example(GIVEN_TO_HEIR)
@example(MISSED)
@example(BELOW)
def test_no_path_washes_a_breach_or_starts_a_clock_afresh(steps: list[tuple[Any, ...]]) -> None:
    """What a unit used up or missed stays in its figures."""
    asyncio.run(walk(steps))


async def walk(steps: Iterable[tuple[Any, ...]]) -> None:
    """Go a path and look after each step."""
    way, stood = Walk(START), Breaches()
    await way.register()
    for name, *what in steps:
        await getattr(way, name)(*what)
        stood = still_standing(stood, way)
        never_afresh(way)
    await way.sweep()
    still_standing(stood, way)
    runs_on(way)


def still_standing(stood: Breaches, way: Walk) -> Breaches:
    """Every breach that stood stands, at the same instant, and counts for the same unit."""
    now = {
        id: (entry.row.breached_at, whose(entry.row, entry.row.breached_at))
        for id, entry in way.watched.clocks.items()
        if entry.row.breached_at
    }
    for id, stands in stood.items():
        assert now.get(id) == stands, way.watched.clocks[id].row
    return now


def whose(clock: Clock, at: datetime) -> str | None:
    """Which unit's a clock was at a moment, as figures count it."""
    until = ((datetime.fromisoformat(until), unit) for until, unit in clock.former)
    return next((unit for until, unit in until if at < until), clock.unit)


def never_afresh(way: Walk) -> None:
    """All the time the same people had for a duty in a round, and have left, is no more than the longest
    limit they were given. Whoever follows a unit that is no more is the same people.
    """
    for order in way.record.assignments:
        orders = {each.id for each in way.record.assignments if had_before(way, each, order)}
        duties: dict[str, list[ClockEntry]] = defaultdict(list)
        for entry in way.watched.clocks.values():
            if entry.row.assignment in {order.id, *orders} and entry.row.unit:
                duties[entry.row.kind].append(entry)
        for entries in duties.values():
            has_enough(way, entries, [each for each in entries if each.row.assignment in orders])


def had_before(way: Walk, one: Assignment, order: Assignment) -> bool:
    """Whether an order was, when another of the round was given, of the people who were given that."""
    if one.round != order.round or one.id >= order.id:
        return False
    since = (
        each for each in one.former if datetime.fromisoformat(each["until"]) > order.dispatched_at
    )
    then = next((each["unit"] for each in since), one.unit)
    return given_to(order) in way.people(then, order.dispatched_at)


def given_to(order: Assignment) -> str:
    """To whom an order was given."""
    return str(order.former[0]["unit"] if order.former else order.unit)


def has_enough(way: Walk, entries: list[ClockEntry], earlier: list[ClockEntry]) -> None:
    """The last of some clocks of a duty gives no more time than the limits allow."""
    limits = {each for entry in entries for each in limits_of(way, entry.row)}
    natural = {Limit.parse(each).natural for each in limits}
    if len(natural) > 1:
        return  # hurried: they do not compare, and test_resuming.py proves what happens
    first = min(entry.state.started_at for entry in entries)
    most = max(seconds(first, ends(first, each), *natural) for each in limits)
    had, before = time_of(entries, *natural), time_of(earlier, *natural)
    assert had <= max(most, before) + 1, (had, most, before, [entry.row for entry in entries])


def limits_of(way: Walk, row: Clock) -> set[str]:
    """The limits a clock went by, and the one its order was given."""
    order = way.watched.assignment(row.assignment)
    assert order
    printed = {
        ClockKind.SIGN: order.sign_limit,
        ClockKind.FIRST_CONTACT: order.first_contact_limit,
        ClockKind.HANDLE: order.handle_limit,
    }[ClockKind(row.kind)]
    return {*way.limits[row.id], *filter(None, [printed])}


def time_of(entries: Iterable[ClockEntry], natural: bool) -> float:
    """Seconds in which some clocks ran in time, or may run yet; what ran at once counts once."""
    total, reached = 0.0, START
    for begins, until in sorted(span for entry in entries for span in running(entry)):
        if (begins := max(begins, reached)) < until:
            total, reached = total + seconds(begins, until, natural), until
    return total


def running(entry: ClockEntry) -> Iterator[tuple[datetime, datetime]]:
    """From when until when a clock ran in time."""
    state = entry.state
    begins, until = (
        state.resumed_at or state.started_at,
        min(state.ended_at or state.due, state.due),
    )
    for stop in state.pauses:
        yield begins, min(stop.begins_at, until)
        begins = max(begins, stop.ends_at or until)
    yield begins, until


def seconds(begins: datetime, ends: datetime, natural: bool) -> float:
    """How long a time is, as a clock of its kind counts it."""
    if natural:
        return (ends - begins).total_seconds()
    return TRACKER.calendar.working_seconds_between(begins, ends)


def ends(begins: datetime, limit: str) -> datetime:
    """When a limit is over."""
    return TRACKER.calendar.due(begins, Limit.parse(limit)).at


def runs_on(way: Walk) -> None:
    """The citizen's clock never stops before the answer, whatever the units quarrel about."""
    [entry] = [each for each in way.watched.clocks.values() if each.row.kind == "citizen"]
    assert entry.state.pauses == ()
    assert entry.state.started_at == START
    if entry.state.status is not ClockStatus.MET:
        assert entry.state.status is ClockStatus.RUNNING
