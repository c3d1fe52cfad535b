"""Whatever is merged, parted and split: no unit has more time for the matter of a ticket than its limit,
under whatever numbers it had it, and no breach that stood is gone (ADR 0049).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.events import ClockKind
from tests.fixtures.scenes.handle_clock import at
from tests.fixtures.scenes.walk import TRACKER
from tests.fixtures.scenes.works import SECONDS, Works

PLACE = st.integers(0, 4)
UNIT = st.sampled_from(["HC", "HC", "CGZF"])
STEPS: list[st.SearchStrategy[tuple[Any, ...]]] = [
    st.tuples(st.just("register")),
    st.tuples(st.just("dispatch"), PLACE, UNIT),
    st.tuples(st.just("dispatch"), PLACE, UNIT),
    st.tuples(st.just("recall"), PLACE),
    st.tuples(st.just("give_back"), PLACE),
    st.tuples(st.just("merge"), PLACE, PLACE),
    st.tuples(st.just("merge"), PLACE, PLACE),
    st.tuples(st.just("unmerge"), PLACE),
    st.tuples(st.just("withdraw"), PLACE),
    st.tuples(st.just("split"), PLACE),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 8, 26])),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 8, 26])),
    st.tuples(st.just("sweep")),
]
WALKS = st.lists(st.one_of(STEPS), min_size=5, max_size=30)

NEW, GIVEN = ("register",), ("dispatch", 1, "HC")
# Who has the order leaves: the other goes on with what was had of it meanwhile.
LEFT = [NEW, GIVEN, ("merge", 1, 0), ("wait", 1), ("unmerge", 1)]
# Its own time, then under another number, then joined to a third.
TWICE = [
    *(NEW, NEW, ("dispatch", 0, "HC"), ("wait", 8), ("dispatch", 2, "HC"), GIVEN),
    *(("merge", 0, 2), ("wait", 26), ("unmerge", 0), ("merge", 0, 1)),
]


@given(WALKS, st.booleans())
@example(steps=LEFT, late=False)
@example(steps=LEFT, late=True)
@example(steps=TWICE, late=False)
@example(steps=TWICE, late=True)
def test_no_number_gives_a_unit_more_time_for_a_matter(
    steps: list[tuple[Any, ...]], late: bool
) -> None:
    """Whichever service's facts are heard first."""
    asyncio.run(walk(steps, late=late))


async def walk(steps: Iterable[tuple[Any, ...]], *, late: bool = False) -> None:
    """Go a path and look after each step."""
    works, stood = Works(at("03-02 10:00"), late), dict[Any, Any]()
    await works.register()
    for name, *what in steps:
        works.pass_time(timedelta(seconds=1))
        await getattr(works, name)(*what)
        await works.settle()
        now = {each.row.id: each.state.breached_at for each in works.entries()}
        for id, moment in stood.items():
            assert now[id] == moment
        stood = {id: moment for id, moment in now.items() if moment}
        nobody_has_more(works)


def nobody_has_more(works: Works) -> None:
    """Of each matter an order is for, its unit has no more than is left."""
    for holder, order in works.orders.items():
        entry = works.tickets[holder].clock_of(order.id, ClockKind.HANDLE)
        assert entry
        ahead = TRACKER.calendar.working_seconds_between(works.now, max(entry.state.due, works.now))
        for number in works.group(holder):
            left = max(SECONDS - works.used[number, order.unit], 0)
            assert ahead <= left + len(works.tickets) * 30, (number, holder, ahead, left)
