"""An answer that is sent back is undone: the unit's clock runs on, and what was late stays late (R-22)."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from shared.events import (
    AssignmentAuditPassed,
    AssignmentCompleted,
    AssignmentEndGranted,
    AssignmentEndRefused,
    AssignmentEndRequested,
    AssignmentEndWithdrawn,
    AssignmentSentBack,
    CompletionKind,
    Fact,
    Role,
    SentBack,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, clocks, local

AUDIT = "completion_audit #1"
REVIEW = "hotline_review #1"


def answered(story: Story, moment: str, n: int | None = 1, **said: Any) -> Fact:
    """A lead's answer that waits for its audit; ``n`` None: one that passed at once."""
    data = AssignmentCompleted(
        role=Role.LEAD,
        kind=CompletionKind.SOLVED,
        contacted=True,
        solved=True,
        result="已修复",
        public_answer="道路已修复",
        signed_off_by="王五",
        audit=n and UUID(int=200 + n),
        audit_limit="1wd" if n else None,
        **said,
    )
    return story.of_unit(data, moment)


def passed(
    story: Story, moment: str, answered_at: str, n: int = 1, *, silent: bool = False
) -> Fact:
    """The desk, or its silence, lets the answer pass."""
    data = AssignmentAuditPassed(
        audit=UUID(int=200 + n),
        completed_at=at(answered_at),
        audit_limit="1wd",
        grounds="属实",
        silent=silent,
    )
    return story.of_unit(data, moment)


def back(story: Story, moment: str, answered_at: str, n: int = 1, *, pauses: bool = True) -> Fact:
    """The desk sends the answer back."""
    data = AssignmentSentBack(
        audit=UUID(int=200 + n),
        completed_at=at(answered_at),
        audit_limit="1wd",
        grounds="答非所问",
        pauses=pauses,
    )
    return story.of_unit(data, moment)


async def swept(tracker: Bench, moment: str) -> None:
    tracker.at(at(moment))
    await tracker.run("sweep")


async def breached(tracker: Bench) -> list[str]:
    told = await tracker.told("deadline.breached")
    return [f"{fact.data.clock}@{local(fact.time)}" for fact in told]


async def rates(tracker: Bench) -> Any:
    path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    return (await tracker.http("supervisor").get(path)).json()


async def test_the_desk_has_a_clock_from_the_answer_to_its_audit(
    tracker: Bench, open_ticket: Story
) -> None:
    """JN-27: the desk's own, counted apart, in no unit's figures."""
    await tracker.hear(answered(open_ticket, "03-03 10:00"))
    now = await clocks(tracker)
    assert (now[AUDIT], now["handle HC"][0]) == (("running", "03-04 18:00"), "met")
    await tracker.hear(passed(open_ticket, "03-04 09:00", "03-03 10:00"))
    assert (await clocks(tracker))[AUDIT][0] == "met"
    found = await rates(tracker)
    assert (found["completion_audit"]["due"], found["completion_audit"]["on_time"]) == (1, 1)
    assert found["handle"]["on_time"] == 1


async def test_it_warns_is_breached_and_supervised_as_the_desks(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-31: silence lets the citizen be called, and the desk was late."""
    await tracker.hear(answered(open_ticket, "03-03 10:00"))
    await swept(tracker, "03-05 08:00")
    of_desk = [f for f in await tracker.told() if f.name.startswith("deadline.") and not f.unit]
    assert [f"{f.name}@{local(f.time)}" for f in of_desk if f.assignment] == [
        "deadline.set@03-03 10:00",
        "deadline.warned@03-04 17:00",
        "deadline.breached@03-04 18:00",
    ]
    (raised,) = await tracker.told("supervision.raised")
    assert raised.unit == "RXB"
    await tracker.hear(passed(open_ticket, "03-05 08:31", "03-03 10:00", silent=True))
    (closed,) = await tracker.told("supervision.closed")
    assert closed.data.supervision == raised.data.supervision
    found = await rates(tracker)
    assert (found["completion_audit"]["due"], found["completion_audit"]["on_time"]) == (1, 0)


@pytest.mark.parametrize(("pauses", "due"), [(True, "03-10 18:00"), (False, "03-09 18:00")])
async def test_what_is_sent_back_runs_on(
    tracker: Bench, open_ticket: Story, pauses: bool, due: str
) -> None:
    """R-22, the same clock: without the working time of the audit, or with it, as the fact says."""
    await tracker.hear(answered(open_ticket, "03-03 10:00"))
    assert (await rates(tracker))["handle"]["due"] == 1
    await tracker.hear(back(open_ticket, "03-04 10:00", "03-03 10:00", pauses=pauses))
    now = await clocks(tracker)
    assert now["handle HC"] == ("running", due)
    assert now[AUDIT][0] == "met"
    assert (await rates(tracker))["handle"]["due"] == 0
    await tracker.hear(answered(open_ticket, "03-06 10:00", 2))
    assert (await clocks(tracker))["handle HC"] == ("met", due)


async def test_a_breach_that_stood_stays(tracker: Bench, open_ticket: Story) -> None:
    """Answered late and sent back: late once, and no card is taken back."""
    await swept(tracker, "03-10 09:00")
    await tracker.hear(answered(open_ticket, "03-10 10:00"))
    await tracker.hear(back(open_ticket, "03-11 10:00", "03-10 10:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await tracker.hear(answered(open_ticket, "03-11 11:00", None))
    assert "handle@03-09 18:00" in await breached(tracker)
    assert await tracker.told("deadline.annulled") == []
    assert (await rates(tracker))["handle"].items() >= {"due": 1, "on_time": 0, "rate": 0.0}.items()


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_any_order_the_clocks_stand_the_same(
    tracker: Bench, open_ticket: Story, order: tuple[int, ...]
) -> None:
    facts = [
        answered(open_ticket, "03-03 10:00"),
        back(open_ticket, "03-04 10:00", "03-03 10:00"),
        answered(open_ticket, "03-05 10:00", 2),
        passed(open_ticket, "03-05 15:00", "03-05 10:00", 2),
    ]
    for place in order:
        await tracker.hear(facts[place])
    rows = await tracker.rows(
        "SELECT kind, status, started_at, due, ended_at FROM clocks WHERE assignment IS NOT NULL"
        " AND kind IN ('handle', 'completion_audit') ORDER BY kind, started_at"
    )
    shown = [(r["kind"], r["status"], local(r["due"]), local(r["ended_at"])) for r in rows]
    assert shown == [
        ("completion_audit", "met", "03-04 18:00", "03-04 10:00"),
        ("completion_audit", "met", "03-06 18:00", "03-05 15:00"),
        ("handle", "met", "03-10 18:00", "03-05 10:00"),
    ]


async def test_the_next_answer_tells_what_a_replica_of_before_did_not_hear(
    tracker: Bench, open_ticket: Story
) -> None:
    """In a roll the release before takes facts it does not know: nothing of them is lost."""
    await tracker.hear(answered(open_ticket, "03-03 10:00"))
    before = SentBack(
        audit=UUID(int=201),
        completed_at=at("03-03 10:00"),
        sent_back_at=at("03-04 10:00"),
        pauses=True,
    )
    await tracker.hear(answered(open_ticket, "03-12 10:00", None, sent_back=(before,)))
    handle = (await clocks(tracker))["handle HC"]
    assert handle == ("met", "03-10 18:00")
    assert [each for each in await breached(tracker) if "handle" in each] == ["handle@03-10 18:00"]


def asked(story: Story, moment: str, *, pauses: bool = False) -> Fact:
    """A unit asks to end the matter."""
    data = AssignmentEndRequested(
        request=UUID(int=301),
        kind=CompletionKind.TERMINATED,
        reason="不配合",
        public_answer="终止办理",
        signed_off_by="王五",
        review="4wh",
        pauses=pauses,
    )
    return story.of_unit(data, moment)


async def test_while_the_desk_rules_on_an_end_the_units_clock_runs_on(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-20: refused, what it used up stays; the desk has a limit of its own."""
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    now = await clocks(tracker)
    assert now[REVIEW] == ("running", "03-02 17:00")
    assert now["handle HC"] == ("running", "03-09 18:00")
    data = AssignmentEndRefused(
        request=UUID(int=301), kind=CompletionKind.TERMINATED, ruling="继续"
    )
    await tracker.hear(open_ticket.of_unit(data, "03-02 15:00"))
    now = await clocks(tracker)
    assert (now[REVIEW][0], now["handle HC"]) == ("met", ("running", "03-09 18:00"))


async def test_where_policy_says_so_it_stands_still(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00", pauses=True))
    assert (await clocks(tracker))["handle HC"][0] == "paused"
    data = AssignmentEndWithdrawn(request=UUID(int=301), reason="继续办理")
    await tracker.hear(open_ticket.of_unit(data, "03-02 15:00"))
    now = await clocks(tracker)
    assert (now[REVIEW][0], now["handle HC"][0]) == ("cancelled", "running")


async def test_a_granted_end_is_the_desks_in_time(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    data = AssignmentEndGranted(
        request=UUID(int=301), kind=CompletionKind.TERMINATED, outcome="resolved", ruling="同意"
    )
    ended = answered(open_ticket, "03-02 15:00", None)
    for fact in (ended, open_ticket.of_unit(data, "03-02 15:00")):
        await tracker.hear(fact)
    now = await clocks(tracker)
    assert (now[REVIEW][0], now["handle HC"][0]) == ("met", "met")
    assert timedelta(0) == at("03-02 15:00") - ended.time
