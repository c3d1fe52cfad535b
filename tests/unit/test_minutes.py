"""Every clock stands as a slow model says that lives through its minutes; what fired stays (ADR 0062, 0077).

Ten thousand histories under HYPOTHESIS_PROFILE=prove: calendars, hours and local days that change, a policy
that changes, pauses, extensions, another urgency, orders that go and come back, outages, and facts that come
late and in any order, all through the tracker's own use cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.minutes import DAY
from tests.fixtures.scenes.minute_history import HOURS, LIMITS, History

DELAY = st.sampled_from([0, 0, 0, 1, 30, 700, 3_000])
LIMIT = st.sampled_from(list(LIMITS))
UNIT = st.sampled_from(["HC", "HC", "GT"])
STEPS: list[st.SearchStrategy[tuple[Any, ...]]] = [
    st.tuples(st.just("dispatch"), UNIT, LIMIT, DELAY),
    st.tuples(st.just("ask_back"), DELAY),
    st.tuples(st.just("refuse"), DELAY),
    st.tuples(st.just("grant"), DELAY),
    st.tuples(st.just("cancel"), DELAY),
    st.tuples(st.just("complete"), DELAY),
    st.tuples(st.just("update"), LIMIT),
    st.tuples(st.just("extend"), st.integers(1, 3)),
    st.tuples(st.just("hours"), st.integers(0, len(HOURS) - 1), st.sampled_from([1, 90, 2_000])),
    st.tuples(st.just("local_day"), st.integers(0, 7), st.sampled_from([None, None, 0, 2])),
    st.tuples(st.just("rules"), st.integers(0, 1)),
    st.tuples(st.just("wait"), st.sampled_from([1, 45, 300, 1_000, 1_440, 4_000])),
    st.tuples(st.just("outage"), st.sampled_from([60, 1_440, 7_000]), st.randoms()),
    st.tuples(st.just("look")),
]
Step = tuple[Any, ...]


ASKED_TWICE: list[Step] = [("ask_back", 0), ("refuse", 30), ("ask_back", 0)]


@given(UNIT, LIMIT, st.lists(st.one_of(STEPS), min_size=2, max_size=25))
@example("HC", "5wd", ASKED_TWICE)
def test_every_clock_stands_as_its_minutes_say(unit: str, limit: str, steps: list[Step]) -> None:
    """And what it passed it has passed, whatever calendar and policy become."""
    asyncio.run(live_through(unit, limit, steps))


async def live_through(unit: str, limit: str, steps: Iterable[Step]) -> None:
    """Go through a history; at its end everything is known, and a month has passed."""
    history = History()
    history.follow()
    await history.register()
    await history.dispatch(unit, limit)
    for name, *what in steps:
        await getattr(history, name)(*what)
    await history.look()
    await history.wait(30 * DAY)
    await history.look()
