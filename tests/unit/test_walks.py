"""Whatever units and the desk do: no breach that stood is gone, and no clock starts afresh (ADR 0049).

Ten thousand walks under HYPOTHESIS_PROFILE=prove. The exceptions are the policy's: the desk may grant a
ticket the time of 疑难, and the desk's time to rule on a return is not the unit's.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.tracker.models import Clock
from services.tracker.records import ClockEntry
from services.tracker.rules.machine import ClockStatus
from shared.events import ClockKind
from shared.jurisdiction.calendar import Limit
from tests.fixtures.scenes.handle_clock import at
from tests.fixtures.scenes.walk import TRACKER, Walk

UNITS = ["CGZF", "HC", "MZJ"]  # the first has it by the catalogue
START = at("03-02 10:00")
UNIT = st.sampled_from(UNITS)
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
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 50, 100])),
    st.tuples(st.just("sweep")),
]
WALKS = st.lists(st.one_of(STEPS), min_size=3, max_size=25)
Breaches = dict[UUID, datetime]


@given(WALKS)
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
    """Every breach that stood stands, at the same instant."""
    now = {id: entry.row.breached_at for id, entry in way.watched.clocks.items()}
    for id, breached_at in stood.items():
        assert now[id] == breached_at, way.watched.clocks[id].row
    return {id: breached_at for id, breached_at in now.items() if breached_at}


def never_afresh(way: Walk) -> None:
    """All the time a unit had for a duty in a round, and has left, is no more than the longest limit it
    was given.
    """
    duties: dict[Any, list[ClockEntry]] = defaultdict(list)
    for entry in way.watched.clocks.values():
        if entry.row.unit:
            duties[entry.row.unit, entry.row.kind].append(entry)
    for entries in duties.values():
        limits = {each for entry in entries for each in limits_of(way, entry.row)}
        natural = {Limit.parse(each).natural for each in limits}
        if len(natural) > 1:
            continue  # hurried: they do not compare, and test_resuming.py proves what happens
        first = min(entry.state.started_at for entry in entries)
        most = max(seconds(first, ends(first, each), *natural) for each in limits)
        had = sum(time_of(entry, *natural) for entry in entries)
        assert had <= most + 1, (had, most, [entry.row for entry in entries])


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


def time_of(entry: ClockEntry, natural: bool) -> float:
    """Seconds a clock ran before it was late, or may run yet."""
    state = entry.state
    begins = state.resumed_at or state.started_at
    until = min(state.ended_at or state.due, state.due)
    stops = [
        (max(begins, stop.begins_at), min(until, stop.ends_at or until)) for stop in state.pauses
    ]
    still = sum(seconds(*stop, natural) for stop in stops if stop[0] < stop[1])
    return seconds(begins, until, natural) - still if begins < until else 0.0


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
