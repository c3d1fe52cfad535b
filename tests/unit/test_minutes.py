"""Every clock stands as a slow model says that lives through its minutes; what fired stays (ADR 0062, 0077).

Ten thousand histories under HYPOTHESIS_PROFILE=prove: calendars, hours and local days that change, a policy
that changes, returns, waits for the citizen, extensions and second ones, another urgency, laws that are named
and taken back, a platform's moment put right, orders that go and come back, outages, and facts that come late
and in any order, all through the tracker's own use cases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.fixtures.minute_days import DAY
from tests.fixtures.scenes.minute_history import LAWS, History
from tests.fixtures.scenes.minute_waits import IN_NO_HURRY, LIMITS
from tests.fixtures.scenes.minute_watch import HOURS

DELAY = st.sampled_from([0, 0, 0, 1, 30, 700, 3_000])
LIMIT = st.sampled_from([*IN_NO_HURRY, *IN_NO_HURRY, *LIMITS])
UNIT = st.sampled_from(["HC", "HC", "GT"])
EVENING = 1_080
MOMENT = st.sampled_from([*[None] * 6, 2 * DAY + EVENING, 9 * DAY + EVENING, 50 * DAY])
AHEAD = st.sampled_from([None, 200, 2_000, 9_000, 14_000, 40_000])
Step = tuple[Any, ...]


def step(name: str, *what: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Something that befalls the ticket."""
    return st.tuples(st.just(name), *what)


ASK_BACK, REFUSE = step("ask_back", DELAY), step("refuse", DELAY)
NAME_LAW = step("name_law", st.sampled_from(LAWS), st.booleans())
WITHDRAW_LAW = step("withdraw_law", st.booleans())
EXTEND = (
    step("ask_extension", st.sampled_from([1, 2, 3, 5, 8])),
    step("rule_extension", st.integers(0, 7)),
)
ASK_WAIT, GRANT_WAIT = step("ask_wait", DELAY), step("grant_wait", DELAY)
ANY = st.one_of(
    step("dispatch", UNIT, LIMIT, DELAY),
    *(ASK_BACK, REFUSE, step("grant", DELAY), step("cancel", DELAY), step("complete", DELAY)),
    *(step("update", LIMIT), NAME_LAW, WITHDRAW_LAW, step("correct_moment", AHEAD)),
    *(*EXTEND, ASK_WAIT, GRANT_WAIT, step("end_wait", DELAY)),
    step("hours", st.integers(0, len(HOURS) - 1), st.sampled_from([1, 90, 2_000])),
    step("local_day", st.integers(0, 7), st.sampled_from([None, None, 0, 2])),
    step("rules", st.integers(0, 1)),
    step("wait", st.sampled_from([1, 45, 300, 1_000, 1_440, 4_000])),
    step("outage", st.sampled_from([60, 1_440, 7_000]), st.randoms()),
    step("look"),
)


def course(*steps: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """What follows from what, and after each whatever else."""
    return st.tuples(*(each for one in steps for each in (one, ANY))).map(list)


COURSES = st.one_of(
    course(ASK_BACK, REFUSE),
    course(NAME_LAW, WITHDRAW_LAW),
    course(*EXTEND),
    course(*EXTEND, *EXTEND),
    course(ASK_WAIT, GRANT_WAIT),
    course(ASK_WAIT, GRANT_WAIT, step("end_wait", DELAY)),
)
ALONE = ANY.map(lambda step: [step])
LATER = st.lists(st.one_of(*[ALONE] * 4, COURSES), max_size=5)
STEPS = st.tuples(COURSES, LATER).map(lambda drawn: sum(drawn[1], drawn[0]))


ASKED_TWICE: list[Step] = [("ask_back", 0), ("refuse", 30), ("ask_back", 0)]
WAITED: list[Step] = [
    ("ask_wait", 0),
    ("wait", 300),
    ("grant_wait", 700),
    ("wait", 1_440),
    ("look",),
]
EXTENDED_TWICE: list[Step] = [
    *(("ask_extension", 4), ("rule_extension", 3), ("look",)),
    *(("ask_extension", 5), ("rule_extension", 7), ("ask_extension", 1)),
]
ANSWERED: list[Step] = [("ask_extension", 2), ("complete", 0), ("rule_extension", 2)]
REFUSED: list[Step] = [
    *(("ask_extension", 2), ("rule_extension", 0), ("ask_extension", 2)),
    *(("update", "24h"), ("ask_wait", 0)),
]
TOO_LATE: list[Step] = [("wait", 10_400), ("ask_extension", 2), ("wait", 200), ("ask_wait", 0)]
LAW_TAKEN_BACK: list[Step] = [
    *(("name_law", "20wd", True), ("wait", 12 * DAY), ("look",)),
    *(("cancel", 0), ("withdraw_law", False), ("look",)),
]
LAW_WHILE_LATE: list[Step] = [
    *(("ask_extension", 2), ("wait", 11_000), ("look",)),
    *(("name_law", "20wd", True), ("rule_extension", 2), ("look",)),
]
STILL_TWICE: list[Step] = [
    *(("wait", 1_440), ("ask_back", 0), ("wait", 1_000), ("refuse", 0), ("wait", 1_000), ("look",)),
    *(("ask_back", 0), ("wait", 1_000), ("refuse", 0), ("look",)),
]


@given(UNIT, LIMIT, MOMENT, STEPS)
@example("HC", "5wd", None, ASKED_TWICE)
@example("HC", "5wd", None, WAITED)
@example("HC", "5wd", None, EXTENDED_TWICE)
@example("HC", "5wd", None, ANSWERED)
@example("HC", "5wd", None, REFUSED)
@example("HC", "5wd", None, TOO_LATE)
@example("HC", "5wd", None, LAW_TAKEN_BACK)
@example("HC", "5wd", None, LAW_WHILE_LATE)
@example("HC", "5wd", 2 * DAY + EVENING, STILL_TWICE)
def test_every_clock_stands_as_its_minutes_say(
    unit: str, limit: str, moment: int | None, steps: list[Step]
) -> None:
    """And what it passed it has passed, whatever calendar and policy become."""
    asyncio.run(live_through(unit, limit, moment, steps))


async def live_through(unit: str, limit: str, moment: int | None, steps: Iterable[Step]) -> None:
    """Go through a history; at its end everything is known, and a month has passed."""
    history = History()
    history.follow()
    await history.register(moment)
    await history.dispatch(unit, limit)
    for name, *what in steps:
        await getattr(history, name)(*what)
    await history.look()
    await history.wait(30 * DAY)
    await history.look()
