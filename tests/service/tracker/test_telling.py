"""People of units and offices are told what the tracker said (告知工作人员, R-31, R-38, ADR 0074)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    AssignmentSigned,
    AssignmentUpdated,
    ClockKind,
    DeadlineBreached,
    Fact,
    Limits,
    Reported,
    SupervisionRaised,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story, at
from tests.fixtures.scenes.tracker_doors import supervise
from tests.fixtures.scenes.worklist import worklist

HEARD = ("deadline.warned", "deadline.breached", "supervision.raised")


async def round_trip(tracker: Bench) -> None:
    """What the tracker said comes back to it, as it does by the broker."""
    await tracker.hear(*(f for f in await tracker.told() if f.name in HEARD and f.unit))


async def told(tracker: Bench, occasion: str) -> list[Fact]:
    return [f for f in await tracker.told("staff.told") if f.data.occasion == occasion]


async def whom(tracker: Bench, occasion: str) -> list[tuple[str | None, str | None]]:
    return [(f.data.office, f.data.person) for f in await told(tracker, occasion)]


async def test_each_person_the_policy_names_is_told_of_a_warning(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-31 黄牌: the handler by account, liaison and deputy; nothing is addressed to a unit's feed."""
    signed = AssignmentSigned(handler="张三", handler_account="zhangsan")
    await tracker.hear(open_ticket.of_unit(signed, "03-02 11:00"))
    await tracker.hear(open_ticket.contacted("03-02 11:10"))
    tracker.at("2026-03-06T18:00+08:00")
    await tracker.run("sweep")
    await round_trip(tracker)
    half, *card = await told(tracker, "warning")
    assert (half.data.account, half.data.roles) == ("zhangsan", ("handler",))
    assert [(f.data.office, f.data.person) for f in card] == [
        ("HC", "张三"),
        ("HC", "党政办主任"),
        ("HC", "分管副镇长"),
    ]
    assert {(f.unit, f.subject, f.data.not_before) for f in card} == {
        (None, TICKET, at("03-06 18:00"))
    }
    assert {(f.round, f.assignment) for f in card} == {(1, HC)}
    assert "黄牌预警" in card[0].data.zh
    assert "Yellow card" in card[0].data.en


async def test_another_handler_is_told_once_the_unit_says_so(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:10"))
    shift = AssignmentUpdated(
        kind="supplemented", content="换经办人", handler="李四", handler_account="lisi"
    )
    await tracker.hear(open_ticket.of_unit(shift, "03-03 09:00"))
    tracker.at("2026-03-05T12:00+08:00")
    await tracker.run("sweep")
    await round_trip(tracker)
    [half] = await told(tracker, "warning")
    assert (half.data.person, half.data.account) == ("李四", "lisi")


async def test_a_red_card_at_night_waits_for_the_morning_and_the_clock_does_not(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 7, Zammad #4432."""
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:10"))
    tracker.at("2026-03-09T22:00+08:00")
    await tracker.run("sweep")
    await round_trip(tracker)
    [breached] = [f for f in await tracker.told("deadline.breached") if f.data.clock == "handle"]
    assert breached.time == at("03-09 18:00")
    red = await told(tracker, "breach")
    assert [f.data.person for f in red] == ["党政办主任", "镇长", "热线办值班长"]
    assert {f.data.not_before for f in red} == {at("03-10 07:30")}


@pytest.mark.parametrize(("done", "is_told"), [("09:59", False), ("10:00", True), ("10:01", True)])
async def test_of_what_was_done_meanwhile_nobody_is_told(
    tracker: Bench, open_ticket: Story, done: str, is_told: bool
) -> None:
    """By when it was done, whichever is heard first; what ends as it is said, or later, changes nothing."""
    tracker.at("2026-03-10T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(open_ticket.completed(f"03-10 {done}"))
    await round_trip(tracker)
    for occasion in ("breach", "supervision"):
        assert bool(await told(tracker, occasion)) is is_told


async def test_of_what_is_not_on_record_nobody_is_told(tracker: Bench, open_ticket: Story) -> None:
    """As after a change that took it back; that is no error."""
    late = DeadlineBreached(clock=ClockKind.ATTEND, due=at("03-02 12:00"), to=("liaison",))
    raised = SupervisionRaised(
        supervision=uuid4(), rung=2, title="督办单", by="ladder", reason="逾期"
    )
    for data in (late, raised):
        await tracker.hear(open_ticket.of_unit(data, "03-02 12:00"))
    assert (await tracker.told("staff.told"), await tracker.parked()) == ([], [])


async def test_a_fact_heard_twice_tells_once(tracker: Bench, open_ticket: Story) -> None:
    assert open_ticket
    await supervise(tracker, rung=2)
    await round_trip(tracker)
    await round_trip(tracker)
    assert await whom(tracker, "supervision") == [("HC", "镇长")]


async def test_a_dispatch_that_was_missed_is_told_to_the_hotline_s_supervisor(
    tracker: Bench, story: Story
) -> None:
    """R-31: the desk's own duty; it stands in the supervisor's worklist."""
    await tracker.hear(story.registered())
    tracker.at("2026-03-02T22:00+08:00")
    await tracker.run("sweep")
    [missed] = await tracker.told("deadline.breached")
    assert (missed.key, missed.data.clock) == ("deadline.breached", ClockKind.DISPATCH)
    await tracker.hear(missed)
    [said] = await told(tracker, "breach")
    assert (said.data.office, said.data.roles) == ("RXB", ("hotline_supervisor",))
    assert (said.round, said.assignment, said.unit) == (1, None, None)
    assert said.data.not_before == at("03-03 07:30")
    assert "派单员尚未派单" in said.data.zh
    assert "the desk has not done so" in said.data.en
    assert (await worklist(tracker, "supervisor"))["breaches"][0] == 1


async def test_of_a_dispatch_made_before_it_was_said_nobody_is_told(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    tracker.at("2026-03-02T22:00+08:00")
    await tracker.run("sweep")
    [missed] = await tracker.told("deadline.breached")
    await tracker.hear(story.dispatched("03-02 20:00"), missed)
    assert await told(tracker, "breach") == []


@pytest.mark.usefixtures("open_ticket")
async def test_a_joint_supervision_is_told_to_each_body(tracker: Bench) -> None:
    """R-30 联合督办: named on one supervision, by hand."""
    bodies = ["county_government_office", "discipline_body"]
    raised = await supervise(tracker, rung=3, joint=bodies)
    assert raised.json()["joint"] == bodies
    await round_trip(tracker)
    assert await whom(tracker, "supervision") == [
        ("HC", "镇长"),
        ("ZFB", "县政府办督查室联络员"),
        ("JWJ", "信访室主任"),
    ]
    [first, *_] = await told(tracker, "supervision")
    assert "已对红椿镇启动一把手督办，请于" in first.data.zh
    assert "本件由县政府办公室、纪检监察机关联合督办。" in first.data.zh
    [fact] = await tracker.told("supervision.raised")
    assert fact.data.joint == tuple(bodies)
    refused = await supervise(tracker, rung=4, joint=["county_leader"])
    assert (refused.status_code, refused.json()["field"]) == (422, "joint")
    assert "discipline_body" in refused.json()["allowed"]


# --- dangers -----------------------------------------------------------------------------------


async def risks(tracker: Bench, role: str = "supervisor", unit: str | None = None) -> list[Any]:
    page = (await tracker.http(role, unit).get("/v1/risks")).json()
    return [item["number"] for item in page["items"]]


async def test_a_danger_is_told_to_the_government_at_once_and_once(
    tracker: Bench, story: Story
) -> None:
    """R-38 风险预警, BJ-29: at night, too, whoever handles it; listed for the office that was told."""
    tracker.at("2026-03-02T23:00+08:00")
    limits = Limits(sign="15min", first_contact="30min", handle="2h")
    await tracker.hear(
        story.registered("03-02 22:59", urgency=Urgency.CRITICAL),
        story.dispatched("03-02 23:00", urgency=Urgency.CRITICAL, limits=limits),
    )
    [fact] = await told(tracker, "risk")
    assert (fact.data.office, fact.data.roles) == ("ZFB", ("county_government_office",))
    assert fact.data.not_before == at("03-02 23:00")
    assert (await risks(tracker), await risks(tracker, "unit", "ZFB")) == ([TICKET], [TICKET])
    assert await risks(tracker, "unit", "HC") == []


async def test_what_turns_out_to_be_one_later_is_told_then(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.left("03-02 10:01", Urgency.NORMAL))
    assert await told(tracker, "risk") == []
    await tracker.hear(story.reopened("03-05 10:00", 2))
    await tracker.hear(story.left("03-05 10:01", Urgency.CRITICAL, round=2))
    [fact] = await told(tracker, "risk")
    assert (fact.round, fact.assignment) == (2, None)


async def test_a_danger_about_the_government_office_is_told_to_the_next_one(
    tracker: Bench, story: Story
) -> None:
    """R-35: and of a confidential one the list says neither what nor where."""
    about: dict[str, Any] = {"reported": Reported(units=("ZFB",)), "confidential": True}
    await tracker.hear(story.registered(urgency=Urgency.CRITICAL, **about))
    assert await whom(tracker, "risk") == [("RXB", "热线办值班长")]
    [item] = (await tracker.http("supervisor").get("/v1/risks")).json()["items"]
    assert (item["topic"], item["area"], item["office"]) == (None, None, "RXB")
    assert await risks(tracker, "unit", "ZFB") == []
