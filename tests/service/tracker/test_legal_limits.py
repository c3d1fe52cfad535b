"""A law's longer limit and an upstream platform's moment, on the clocks of a ticket (JN-24(2), WF-20)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import (
    AssignmentUpdated,
    Fact,
    LegalLimit,
    Limits,
    TicketCorrected,
    TicketLawNamed,
    UpstreamLimit,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, NORMAL, Story, at, clocks, facts_told
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule

LAW = LegalLimit(law="《劳动保障监察条例》", article="第十七条", limit="60wd")
LONG = NORMAL.model_copy(update={"handle": "60wd", "law": LAW})
DUE = at("03-12 18:00")
WANTED = NORMAL.model_copy(update={"upstream": UpstreamLimit(due=DUE, margin="4wh")})


def named(story: Story, moment: str) -> Fact:
    """The desk names the law."""
    told = AssignmentUpdated(kind="urged", content="法定时限", urgency=Urgency.NORMAL, limits=LONG)
    return story.of_unit(told, moment)


async def shown(tracker: Bench, kind: str) -> dict[str, Any]:
    answer = await tracker.http("supervisor").get("/v1/tickets/20260302-000001/clocks")
    found: dict[str, Any] = next(c for c in answer.json()["clocks"] if c["kind"] == kind)
    return found


async def test_unit_and_citizen_have_the_laws_time(tracker: Bench, story: Story) -> None:
    """DOMAIN.md 2.2, JN-24(2): the law's limit prevails, beyond the cap of all handling, and is explained."""
    await tracker.hear(story.registered(), story.dispatched(), named(story, "03-03 10:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "05-28 18:00")
    citizen = await shown(tracker, "citizen")
    assert citizen["limit"] == "60wd"
    assert citizen["law"] == LAW.model_dump()
    assert "（法定时限：《劳动保障监察条例》第十七条）" in citizen["explanation"]["zh"]
    assert "set by law: 《劳动保障监察条例》, 第十七条" in citizen["explanation"]["en"]


async def test_the_citizen_is_told_with_law_and_article_once(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched(), named(story, "03-03 10:00"))
    await tracker.hear(story.signed("03-03 11:00"))
    [told] = await tracker.told("deadline.lengthened")
    assert (told.data.law, told.data.clock) == (LAW, "citizen")
    assert (told.data.before, told.data.due) == (at("03-09 18:00"), at("05-28 18:00"))
    assert "《劳动保障监察条例》第十七条另有规定" in told.data.reason


async def test_t7_a_law_named_late_leaves_the_miss_standing(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    tracker.at("2026-03-10T10:00+08:00")
    await tracker.run("sweep")
    said = law_said(story, "03-10 10:00")
    await tracker.hear(named(story, "03-10 10:00"), said, story.signed("03-10 11:00"))
    assert await facts_told(tracker, "deadline.annulled") == []
    late = await tracker.rows("SELECT kind FROM clocks WHERE breached_at IS NOT NULL")
    assert {"citizen", "handle"} <= {row["kind"] for row in late}
    [told] = await tracker.told("deadline.lengthened")
    assert told.data.due == at("05-28 18:00")


async def test_it_holds_once_an_extension_takes_the_miss_back(
    tracker: Bench, open_ticket: Story
) -> None:
    """Asked for in time and ruled on late (R-18): at once, and not with whatever is heard next."""
    asked = (await ask(tracker)).json()
    tracker.at("2026-03-10T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(named(open_ticket, "03-10 10:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await rule(tracker, asked["id"], GRANT)
    assert (await clocks(tracker))["handle HC"] == ("running", "06-02 18:00")


async def test_what_turns_out_urgent_is_late_for_nobody_before_that(
    tracker: Bench, story: Story
) -> None:
    """A law's time ends with the urgency; a shortening dates no miss before anybody could know it."""
    await tracker.hear(story.registered(), story.dispatched(), named(story, "03-03 10:00"))
    urgent = Limits(sign="30min", first_contact="2h", handle="24h")
    told = AssignmentUpdated(kind="urged", content="x", urgency=Urgency.URGENT, limits=urgent)
    await tracker.hear(story.of_unit(told, "03-06 10:00"))
    found = await clocks(tracker)
    assert found["handle HC"] == found["citizen #1"] == ("running", "03-06 10:00")
    assert (await shown(tracker, "citizen"))["law"] is None


async def test_a_unit_that_gets_it_again_goes_on_under_the_law(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), named(story, "03-03 10:00"))
    again = story.dispatched("03-04 10:00", id=GT, unit="HC", limits=LONG)
    await tracker.hear(story.cancelled("03-04 09:00"), again)
    assert (await shown(tracker, "handle"))["limit"] == "60wd"
    assert len(await tracker.told("deadline.lengthened")) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
async def test_a_citizen_waits_for_the_platform_and_the_unit_has_the_margin(
    tracker: Bench, story: Story, order: tuple[int, ...]
) -> None:
    """WF-20, ZY22 对市按时回复率."""
    facts = (
        story.registered(channel="city", upstream_due=DUE),
        story.dispatched(channel="city", limits=WANTED),
        story.signed("03-02 11:00"),
    )
    await tracker.hear(*(facts[at] for at in order))
    found = await clocks(tracker)
    assert found["handle HC"] == ("running", "03-12 14:00")
    assert found["citizen #1"] == ("running", "03-12 18:00")
    handle = await shown(tracker, "handle")
    assert handle["upstream_due"].startswith("2026-03-12T")
    assert "按此到期" in handle["explanation"]["zh"]


async def test_a_redo_has_nothing_of_the_platforms_moment(tracker: Bench, story: Story) -> None:
    """R-27: what is done again has a limit of its own."""
    await tracker.hear(
        story.registered(channel="city", upstream_due=at("05-12 18:00")),
        story.dispatched(channel="city", limits=WANTED),
        story.completed("03-05 10:00"),
        story.resolved("03-05 10:00"),
        story.reopened("03-06 10:00", 2),
    )
    rows = await tracker.rows("SELECT round, terms FROM clocks WHERE kind = 'citizen'")
    assert {row["round"]: row["terms"]["upstream"] is None for row in rows} == {1: False, 2: True}


async def test_a_channel_may_have_limits_of_its_own(tracker: Bench, story: Story) -> None:
    """BJ-13; as printed: ``Limits.rule`` is explained."""
    limits = Limits(handle="24h", rule="涉旅 tourism")
    await tracker.hear(story.registered(topic="tourism.price"), story.dispatched(limits=limits))
    handle = await shown(tracker, "handle")
    assert handle["rule"] == "涉旅 tourism"
    assert "办理时限24小时（自然时间）（涉旅 tourism）" in handle["explanation"]["zh"]


# --- the moment put right ----------------------------------------------------------------------


def put_right(story: Story, moment: str, due: str | None) -> list[Fact]:
    """Intake says it, by two persons; the dispatcher tells who is at work."""
    right = due and at(due)
    said = TicketCorrected(
        fields=("upstream_due",), reason="市平台来函", upstream_due=right, asked_by="agent:zhou"
    )
    upstream = UpstreamLimit(due=right, margin="4wh") if right else None
    limits = NORMAL.model_copy(update={"upstream": upstream})
    told = AssignmentUpdated(kind="urged", content="x", urgency=Urgency.NORMAL, limits=limits)
    heard = story.tracker.fact(said, subject=story.subject, time=at(moment))
    return [heard.model_copy(update={"actor": "desk:li"}), story.of_unit(told, moment)]


@pytest.fixture
async def wanted(tracker: Bench, story: Story) -> Story:
    """A ticket of the city's, at work, wanted by the twelfth."""
    await tracker.hear(
        story.registered(channel="city", upstream_due=DUE),
        story.dispatched(channel="city", limits=WANTED),
    )
    return story


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("due", "handle", "citizen"),
    [
        ("03-16 18:00", "03-16 14:00", "03-16 18:00"),
        ("03-04 18:00", "03-04 14:00", "03-04 18:00"),
        ("03-03 12:00", "03-03 12:00", "03-03 12:00"),  # no time for the margin is left
        (None, "03-09 18:00", "03-09 18:00"),
    ],
)
async def test_clocks_follow_the_moment_that_is_right(
    tracker: Bench, wanted: Story, due: str | None, handle: str, citizen: str, turned: bool
) -> None:
    """ADR 0080, WF-20: laid out anew, from when they began, whichever fact is heard first."""
    facts = put_right(wanted, "03-03 10:00", due)
    await tracker.hear(*(reversed(facts) if turned else facts))
    found = await clocks(tracker)
    assert found["handle HC"] == ("running", handle)
    assert found["citizen #1"] == ("running", citizen)
    moved = [fact for fact in await tracker.told("deadline.moved") if fact.data.clock == "handle"]
    assert "更正：上级平台" in moved[-1].data.reason


async def test_it_is_explained_who_put_it_right_and_why(tracker: Bench, wanted: Story) -> None:
    await tracker.hear(*put_right(wanted, "03-03 10:00", "03-16 18:00"))
    for kind in ("handle", "citizen"):
        said = (await shown(tracker, kind))["explanation"]
        zh = "经zhou更正、li同意，自2026年3月3日10:00起适用（原为：2026年3月12日18:00）：市平台来函"
        assert zh in said["zh"]
        assert "by zhou, li agreed (before: 2026-03-12 18:00): 市平台来函" in said["en"]
    assert "zhou" not in (await shown(tracker, "sign"))["explanation"]["zh"]


async def test_nothing_is_late_before_the_moment_was_put_right(
    tracker: Bench, wanted: Story
) -> None:
    """Its own five days had passed when the platform turned out to want nothing: due then, not before."""
    await tracker.hear(*put_right(wanted, "03-11 10:00", None))
    found = await clocks(tracker)
    assert found["handle HC"] == found["citizen #1"] == ("running", "03-11 10:00")


async def test_a_later_moment_leaves_the_miss_standing(tracker: Bench, wanted: Story) -> None:
    """T7 for what a platform grants late; the citizen hears the new day all the same."""
    tracker.at("2026-03-13T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(*put_right(wanted, "03-13 10:00", "03-20 18:00"))
    assert await facts_told(tracker, "deadline.annulled") == []
    late = await tracker.rows("SELECT kind FROM clocks WHERE breached_at IS NOT NULL")
    assert {"citizen", "handle"} <= {row["kind"] for row in late}
    [told] = await tracker.told("deadline.lengthened")
    assert (told.data.due, told.data.upstream_due) == (at("03-20 18:00"), at("03-20 18:00"))
    assert "上级平台要求的时刻已更正" in told.data.reason


# --- the law of a ticket, taken back, and of who waits for another's work -----------------------


def law_said(story: Story, moment: str, *, withdrawn: bool = False) -> Fact:
    """The dispatcher says it of the ticket."""
    data = TicketLawNamed(law=LAW, reason="已立案", withdrawn=withdrawn)
    return story.tracker.fact(data, subject=story.subject, time=at(moment))


def taken_back(story: Story, moment: str) -> list[Fact]:
    told = AssignmentUpdated(kind="urged", content="撤", urgency=Urgency.NORMAL, limits=NORMAL)
    return [story.of_unit(told, moment), law_said(story, moment, withdrawn=True)]


@pytest.mark.parametrize("turned", [False, True])
async def test_a_law_taken_back_gives_the_limit_it_was(
    tracker: Bench, story: Story, turned: bool
) -> None:
    """ADR 0080: whoever is heard first, the unit or the ticket; the citizen is told once, with the law."""
    begun = [named(story, "03-03 10:00"), law_said(story, "03-03 10:00")]
    gone = taken_back(story, "03-04 10:00")
    await tracker.hear(story.registered(), story.dispatched())
    for facts in (begun, gone):
        await tracker.hear(*(reversed(facts) if turned else facts))
    found = await clocks(tracker)
    assert found["handle HC"] == found["citizen #1"] == ("running", "03-09 18:00")
    assert (await shown(tracker, "citizen"))["law"] is None
    assert len(await tracker.told("deadline.lengthened")) == 1
    [told] = await tracker.told("deadline.shortened")
    assert (told.data.law, told.data.clock, told.data.limit) == (LAW, "citizen", "5wd")
    assert (told.data.before, told.data.due) == (at("05-28 18:00"), at("03-09 18:00"))
    moved = [fact for fact in await tracker.told("deadline.moved") if fact.data.clock == "handle"]
    assert "不再依据《劳动保障监察条例》第十七条" in moved[-1].data.reason


@pytest.mark.parametrize("turned", [False, True])
async def test_nobody_is_late_before_the_law_was_taken_back(
    tracker: Bench, story: Story, turned: bool
) -> None:
    """ADR 0080, whichever is heard first, the unit or the ticket."""
    begun = [named(story, "03-03 10:00"), law_said(story, "03-03 10:00")]
    await tracker.hear(story.registered(), story.dispatched(), *begun)
    facts = taken_back(story, "03-16 10:00")
    for fact in reversed(facts) if turned else facts:
        await tracker.hear(fact)
    found = await clocks(tracker)
    assert found["handle HC"] == found["citizen #1"] == ("running", "03-16 10:00")


async def test_nor_while_the_ticket_lies_at_the_desk(tracker: Bench, story: Story) -> None:
    begun = [named(story, "03-03 10:00"), law_said(story, "03-03 10:00")]
    await tracker.hear(story.registered(), story.dispatched(), *begun)
    await tracker.hear(story.cancelled("03-13 10:00"))
    await tracker.hear(law_said(story, "03-16 10:00", withdrawn=True))
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-16 10:00")


async def test_a_miss_under_the_law_stands_when_it_is_taken_back(
    tracker: Bench, story: Story
) -> None:
    begun = [named(story, "03-03 10:00"), law_said(story, "03-03 10:00")]
    await tracker.hear(story.registered(), story.dispatched(), *begun)
    tracker.at("2026-05-29T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(*taken_back(story, "05-29 10:00"))
    assert await facts_told(tracker, "deadline.annulled") == []
    assert await tracker.told("deadline.shortened") == []
    assert (await shown(tracker, "citizen"))["law"] == LAW.model_dump()


async def test_a_citizen_who_waits_for_anothers_work_has_its_law(
    tracker: Bench, story: Story
) -> None:
    """ADR 0080: no unit has it under this number; from its own registration on, and told."""
    await tracker.hear(story.registered("03-03 10:00"))
    await tracker.hear(law_said(story, "03-04 10:00"))
    assert (await clocks(tracker))["citizen #1"] == ("running", "05-29 18:00")
    [told] = await tracker.told("deadline.lengthened")
    assert (told.subject, told.data.law) == (story.subject, LAW)
    await tracker.hear(law_said(story, "03-05 10:00", withdrawn=True))
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-10 18:00")


async def test_a_law_is_heard_before_its_ticket(tracker: Bench, story: Story) -> None:
    said = law_said(story, "03-04 10:00")
    await tracker.hear(said)
    await tracker.hear(story.registered("03-03 10:00"))
    assert (await clocks(tracker))["citizen #1"] == ("running", "05-29 18:00")
