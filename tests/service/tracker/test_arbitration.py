"""The clock of each body of the ladder, and to whom the time of a dispute is charged (R-17)."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import (
    ArbitrationEnded,
    ArbitrationOpened,
    ArbitrationRaised,
    ArbitrationRuled,
    AssignmentReturnRefused,
    AssignmentReturnRequested,
    AssignmentReturnWithdrawn,
    Data,
    Fact,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.changed_calendar import county, day_off, restart, step
from tests.fixtures.scenes.tracker import TICKET, Story, at, clocks, local

ID, REQUEST = UUID(int=700), UUID(int=101)


def said(story: Story, data: Data, moment: str) -> Fact:
    """A fact about the ticket, addressed to nobody."""
    return story.tracker.fact(data, subject=TICKET, time=at(moment))


def opened(story: Story, moment: str, *requests: UUID) -> Fact:
    """Before the desk, for four working hours."""
    data = ArbitrationOpened(
        arbitration=ID,
        by="dispute",
        grounds="职责交叉",
        parties=("HC", "GT"),
        step=1,
        title="派单异议审核 review by the hotline",
        limit="4wh",
        requests=requests,
    )
    return said(story, data, moment)


def raised(story: Story, moment: str, step: int = 2) -> Fact:
    """Before the next body, for two working days."""
    data = ArbitrationRaised(
        arbitration=ID, step=step, title="联席会议 meeting", limit="2wd", grounds="无法认定"
    )
    return said(story, data, moment)


def ruled(story: Story, moment: str, step: int = 2) -> Fact:
    """A body rules."""
    data = ArbitrationRuled(
        arbitration=ID, step=step, title="联席会议 meeting", lead="HC", ruling="由其承办"
    )
    return said(story, data, moment)


def ended(story: Story, moment: str) -> Fact:
    """Nothing is left to rule on."""
    return said(story, ArbitrationEnded(arbitration=ID, reason="recalled"), moment)


def asked(story: Story, moment: str, review: str | None = None) -> Fact:
    """A unit asks to return it, before the ladder or, with a limit, before the desk."""
    data = AssignmentReturnRequested(
        reason_code="not_our_duty",
        legal_basis="权责清单",
        approver="李四",
        request=REQUEST,
        review=review,
    )
    return story.of_unit(data, moment)


def refused(story: Story, moment: str, *, charged: bool) -> Fact:
    """The ruling keeps it where it is."""
    data = AssignmentReturnRefused(ruling="由其承办", request=REQUEST, charged=charged)
    return story.of_unit(data, moment)


async def ladder(tracker: Bench) -> list[tuple[str, str]]:
    """Status and due moment of the bodies' clocks, in the order of their starts."""
    rows = await tracker.rows(
        "SELECT status, due FROM clocks WHERE kind = 'arbitration' ORDER BY started_at"
    )
    return [(row["status"], local(row["due"])) for row in rows]


async def rates(tracker: Bench, role: str = "supervisor", unit: str | None = None) -> Any:
    """The figures of March."""
    path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    return (await tracker.http(role, unit).get(path)).json()


async def swept(tracker: Bench, moment: str) -> None:
    """The sweep runs at a moment."""
    tracker.at(at(moment))
    await tracker.run("sweep")


# --- whose clock runs --------------------------------------------------------------------------


async def test_each_body_has_a_clock_of_its_own(tracker: Bench, open_ticket: Story) -> None:
    """R-17: from what came before it to its ruling, or to the next body."""
    await tracker.hear(opened(open_ticket, "03-02 11:00"))
    assert await ladder(tracker) == [("running", "03-02 17:00")]
    await tracker.hear(raised(open_ticket, "03-02 15:00"))
    assert await ladder(tracker) == [("met", "03-02 17:00"), ("running", "03-04 18:00")]
    await tracker.hear(ruled(open_ticket, "03-03 10:00"))
    assert [status for status, _ in await ladder(tracker)] == ["met", "met"]
    found = await rates(tracker)
    assert (found["arbitration"]["due"], found["arbitration"]["on_time"]) == (2, 2)
    assert (await rates(tracker, "unit", "HC"))["arbitration"]["due"] == 0


async def test_it_warns_and_is_breached_and_is_no_units(tracker: Bench, open_ticket: Story) -> None:
    """R-31 黄牌红牌: a body that is silent is late, whoever has it next."""
    await tracker.hear(opened(open_ticket, "03-02 11:00"))
    await swept(tracker, "03-03 09:00")
    told = [f for f in await tracker.told() if getattr(f.data, "clock", "") == "arbitration"]
    assert [f"{f.name}@{local(f.time)}" for f in told] == [
        "deadline.warned@03-02 15:30",
        "deadline.breached@03-02 17:00",
    ]
    assert {(f.unit, f.assignment) for f in told} == {(None, None)}
    await tracker.hear(raised(open_ticket, "03-03 09:00"))
    breaches = (await tracker.http("supervisor").get("/v1/breaches")).json()["items"]
    assert [(row["kind"], row["unit"]) for row in breaches if row["kind"] != "sign"] == [
        ("arbitration", None)
    ]
    assert (await rates(tracker))["arbitration"]["on_time"] == 0


async def test_it_is_shown_to_the_desk_and_to_no_unit(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(opened(open_ticket, "03-02 11:00"))
    path = f"/v1/tickets/{TICKET}/clocks"
    shown = (await tracker.http("desk").get(path)).json()["clocks"]
    assert "arbitration" in [clock["kind"] for clock in shown]
    hidden = (await tracker.http("unit", "HC").get(path)).json()["clocks"]
    assert "arbitration" not in [clock["kind"] for clock in hidden]


@pytest.mark.parametrize("what", ["ended", "withdrawn"])
async def test_what_ends_it_cancels_the_clock(
    tracker: Bench, open_ticket: Story, what: str
) -> None:
    await tracker.hear(opened(open_ticket, "03-02 11:00"))
    over = (
        ended(open_ticket, "03-02 12:00")
        if what == "ended"
        else open_ticket.withdrawn("03-02 12:00")
    )
    await tracker.hear(over)
    assert await ladder(tracker) == [("cancelled", "03-02 17:00")]


async def test_the_desks_own_clock_ends_where_the_ladders_begins(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-33: what the desk puts before the ladder by hand; what it missed until then stands."""
    await tracker.hear(asked(open_ticket, "03-02 11:00", "4wh"))
    await tracker.hear(opened(open_ticket, "03-03 09:00", REQUEST))
    await swept(tracker, "03-03 09:01")
    now = await clocks(tracker)
    assert now["hotline_review #1"][0] == "cancelled"
    (row,) = await tracker.rows("SELECT breached_at FROM clocks WHERE kind = 'hotline_review'")
    assert local(row["breached_at"]) == "03-02 17:00"
    assert [f.data.rung for f in await tracker.told("supervision.closed")] == [1]


async def test_whatever_order_facts_come_in_the_clocks_are_the_same(
    tracker: Bench, open_ticket: Story
) -> None:
    facts = [
        opened(open_ticket, "03-02 11:00"),
        raised(open_ticket, "03-02 15:00"),
        ruled(open_ticket, "03-03 10:00"),
    ]
    for order in permutations(facts):
        await tracker.do("DELETE FROM clocks WHERE kind = 'arbitration'")
        await tracker.do("UPDATE tickets SET arbitrations = '[]'")
        again = [f.model_copy(update={"id": uuid4()}) for f in order]
        await tracker.hear(*again)
        assert await ladder(tracker) == [("met", "03-02 17:00"), ("met", "03-04 18:00")]


# --- to whom its time is charged ---------------------------------------------------------------


async def disputed(tracker: Bench, story: Story, *, charged: bool) -> None:
    """Asked on Monday, ruled on Wednesday, and the unit keeps it; done a day after it was due."""
    await tracker.hear(asked(story, "03-02 11:00"), opened(story, "03-02 11:00", REQUEST))
    assert (await clocks(tracker))["handle HC"][0] == "paused"
    await tracker.hear(
        ruled(story, "03-04 11:00", 1), refused(story, "03-04 11:00", charged=charged)
    )
    await swept(tracker, "03-10 11:00")
    await tracker.hear(story.completed("03-10 12:00"))


async def test_who_lost_has_had_no_pause_and_both_figures_say_so(
    tracker: Bench, open_ticket: Story
) -> None:
    """Gain 2: charged to the loser (arbitration.yaml)."""
    await disputed(tracker, open_ticket, charged=True)
    resumed = {fact.data.clock: fact.data.due for fact in await tracker.told("deadline.resumed")}
    assert local(resumed["handle"]) == "03-09 18:00"
    assert local(resumed["sign"]) == "03-04 16:05"  # meanwhile it was not let
    assert (await clocks(tracker))["handle HC"] == ("met", "03-09 18:00")
    found = await rates(tracker)
    (unit,) = found["units"]
    assert (unit["handle"]["on_time"], unit["handle_uncharged"]["on_time"]) == (0, 1)
    assert (found["handle"]["rate"], found["handle_uncharged"]["rate"]) == (0.0, 1.0)
    (row,) = await tracker.rows("SELECT due_uncharged FROM clocks WHERE kind = 'handle'")
    assert local(row["due_uncharged"]) == "03-11 18:00"


async def test_the_moment_without_the_charge_follows_a_day_off_too(
    tracker: Bench, open_ticket: Story, tmp_path: Path
) -> None:
    """Also where the clock itself is due before that day."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    await tracker.hear(
        asked(open_ticket, "03-02 11:00"), opened(open_ticket, "03-02 11:00", REQUEST)
    )
    await tracker.hear(
        ruled(open_ticket, "03-04 11:00", 1), refused(open_ticket, "03-04 11:00", charged=True)
    )
    uncharged = "SELECT due_uncharged FROM clocks WHERE kind = 'handle'"
    assert [local(row["due_uncharged"]) for row in await tracker.rows(uncharged)] == ["03-11 18:00"]
    await step(tracker, "03-05 09:00")
    day_off(folder, "2026-03-10", "暴雪停工")
    await restart(tracker, folder)
    await step(tracker, "03-05 09:10")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    assert [local(row["due_uncharged"]) for row in await tracker.rows(uncharged)] == ["03-12 18:00"]


async def test_charged_to_nobody_the_pause_is_given_back(
    tracker: Bench, open_ticket: Story
) -> None:
    await disputed(tracker, open_ticket, charged=False)
    assert (await clocks(tracker))["handle HC"] == ("met", "03-11 18:00")
    (unit,) = (await rates(tracker))["units"]
    assert (unit["handle"]["on_time"], unit["handle_uncharged"]["on_time"]) == (1, 1)


async def test_who_gives_in_before_the_ladder_bears_the_time_too(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    back = AssignmentReturnWithdrawn(reason="属本单位", request=REQUEST, charged=True)
    await tracker.hear(open_ticket.of_unit(back, "03-04 11:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
