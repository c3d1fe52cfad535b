"""A day off that is ordered while the desk or a body of the ladder has to rule: silence waits as long as the
tracker's clock does (shared case T3, T10; ADR 0062).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.events import ClockKind, DeadlineMoved
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import disputed
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    names,
    reach,
    register,
    sign,
)

LATER = datetime.fromisoformat("2026-03-05T15:00+08:00")
OFF = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}  # a person has to look at it
END = DONE | {"kind": "terminated", "solved": False, "unsolved_reason": "诉求人要求停止办理"}


async def asked_back(bench: Bench) -> None:
    await ask_back(bench, STREET_LIGHT, (await register(bench))[STREET_LIGHT])


async def answered(bench: Bench, form: dict[str, Any] = OFF) -> None:
    given = (await register(bench))[STREET_LIGHT]
    await sign(bench, STREET_LIGHT, given)
    await reach(bench, STREET_LIGHT, given)
    await act(bench, STREET_LIGHT, given, "completion", form)


async def asked_to_end(bench: Bench) -> None:
    await answered(bench, END)


async def asked_to_wait(bench: Bench) -> None:
    given = (await register(bench))[STREET_LIGHT]
    await sign(bench, STREET_LIGHT, given)
    await reach(bench, STREET_LIGHT, given)
    wait = {"awaited": "documents", "reason": "缺合同", "contact_time": bench.now.isoformat()}
    await act(bench, STREET_LIGHT, given, "wait", wait)


async def before_the_ladder(bench: Bench) -> None:
    await disputed(bench)


async def moves(bench: Bench, clock: ClockKind, due: datetime = LATER) -> None:
    """The tracker says that its clock is due later."""
    told: UUID | None = None
    if clock is not ClockKind.ARBITRATION:
        told = (await assignments(bench))[STREET_LIGHT]
    moved = DeadlineMoved(clock=clock, before=bench.now, due=due, reason="防汛停工")
    await bench.hear(bench.fact(moved, subject=NUMBER, assignment=told))


@pytest.mark.parametrize(
    ("begin", "clock", "job", "silent", "listed"),
    [
        (asked_back, "hotline_review", "rule_unruled", "assignment.return_refused", "returns"),
        (answered, "completion_audit", "decide_undecided", "assignment.audit_passed", "audits"),
        (
            asked_to_end,
            "hotline_review",
            "decide_undecided",
            "assignment.end_refused",
            "completion_requests",
        ),
        (asked_to_wait, "hotline_review", "see_to_waits", "assignment.wait_refused", "waits"),
        (before_the_ladder, "arbitration", "raise_unruled", "arbitration.raised", "arbitrations"),
    ],
)
async def test_t3_silence_waits_as_long_as_the_clock(
    dispatcher: Bench,
    begin: Callable[[Bench], Awaitable[None]],
    clock: str,
    job: str,
    silent: str,
    listed: str,
) -> None:
    await begin(dispatcher)
    await moves(dispatcher, ClockKind(clock))
    await moves(dispatcher, ClockKind(clock), dispatcher.now)  # nothing is put forward
    work = (await dispatcher.http("desk").get("/v1/worklist")).json()["items"]
    due = {line["list"]: line["due"] for line in work}
    assert due.get(listed) == "2026-03-05T07:00:00Z", due
    dispatcher.at("2026-03-05T15:00+08:00")
    await dispatcher.run(job)
    assert silent not in await names(dispatcher)
    dispatcher.at("2026-03-05T15:00:02+08:00")
    await dispatcher.run(job)
    assert silent in await names(dispatcher)
