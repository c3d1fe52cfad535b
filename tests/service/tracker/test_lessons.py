"""What users of other systems complained of, one test each: rows 1 to 12 of DOMAIN.md 5.3."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest

from services.tracker.rules.supervision import card_point
from shared.events import AssignmentUpdated, Limits, Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.hours import Segment
from tests.fixtures.bench import Bench
from tests.fixtures.calendars import SHANGHAI, ZIYANG
from tests.fixtures.scenes.tracker import GT, TICKET, Story, at, clocks, facts_told, local

MINUTE = timedelta(minutes=1)
MARKS = ("deadline.warned", "deadline.breached", "supervision.raised")


async def sweep(tracker: Bench, moment: str) -> int:
    """Time passes, and the tracker looks."""
    tracker.at(at(moment))
    return await tracker.run("sweep")


async def explained(tracker: Bench, kind: str) -> Any:
    """A clock as it is shown to people."""
    shown = (await tracker.http("desk").get(f"/v1/tickets/{TICKET}/clocks")).json()["clocks"]
    return next(each for each in shown if each["kind"] == kind)


@pytest.mark.parametrize(
    ("point", "due", "warned"),
    [
        ("1wh_before_due", "03-04 14:30", "03-04 11:30"),
        ("1wh_before_due", "03-09 08:45", "03-06 17:15"),
        ("1wd_before_due", "03-09 18:00", "03-06 18:00"),
        ("4wh_before_due", "03-04 08:30", "03-03 14:00"),
    ],
)
def test_lesson_01_warnings_are_counted_backwards_through_working_time(
    point: str, due: str, warned: str
) -> None:
    """DOMAIN.md 5.3 row 1, GLPI #22678: over lunch, night and weekend, and never at midnight."""
    found = card_point(point, ZIYANG, at("03-02 10:00"), at(due), natural=False)
    assert found
    assert local(found) == warned


@pytest.mark.parametrize("changed_first", [True, False])
async def test_lesson_02_another_urgency_keeps_the_time_consumed_and_the_time_paused(
    tracker: Bench, open_ticket: Story, changed_first: bool
) -> None:
    """DOMAIN.md 5.3 row 2, GLPI #6902, #15605: fifteen days from the first start, and the two hours the
    desk took; both said.
    """
    limits = Limits(sign="4wh", first_contact="1wd", handle="15wd")
    data = AssignmentUpdated(kind="urged", content="疑难", urgency=Urgency.COMPLEX, limits=limits)
    pause = [open_ticket.asked_return("03-03 10:00"), open_ticket.refused_return("03-03 12:00")]
    change = [open_ticket.of_unit(data, "03-04 11:00")]
    await tracker.hear(*(change + pause if changed_first else pause + change))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-24 10:30")
    shown = await explained(tracker, "handle")
    assert (shown["started_at"], shown["limit"]) == ("2026-03-02T02:05:00Z", "15wd")
    assert [pause["given_back"] for pause in shown["pauses"]] == [7200.0]
    moved = [fact for fact in await tracker.told("deadline.moved") if fact.data.clock == "handle"]
    assert moved
    assert all(fact.data.reason and fact.data.before < fact.data.due for fact in moved)


async def test_lesson_03_nothing_is_missed_while_it_stands_still_nor_paused_after_the_end(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 3, GLPI #24481, #23359: what ran, stood still and ended follows moves; a redo
    counts its own.
    """
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:30"))
    await tracker.hear(open_ticket.asked_return("03-09 17:00"))
    await sweep(tracker, "03-12 10:00")
    assert "deadline.breached@03-09 18:00" not in await handle_told(tracker)
    assert (await clocks(tracker))["handle HC"][0] == "paused"
    await tracker.hear(open_ticket.refused_return("03-12 10:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-12 11:00")
    await tracker.hear(open_ticket.completed("03-12 10:30"), open_ticket.resolved("03-12 10:30"))
    await tracker.hear(open_ticket.reopened("03-20 10:00", 2))
    again = open_ticket.dispatched("03-20 10:00", id=GT, unit="HC", round=2, redo=True)
    await tracker.hear(again)
    first, second = await tracker.rows(
        "SELECT status, pauses, ended_at, started_at FROM clocks WHERE kind = 'handle' ORDER BY round"
    )
    assert (first["status"], local(first["ended_at"]), len(first["pauses"])) == (
        "met",
        "03-12 10:30",
        1,
    )
    assert (second["status"], local(second["started_at"]), second["pauses"]) == (
        "running",
        "03-20 10:00",
        [],
    )


async def handle_told(tracker: Bench) -> list[str]:
    """What was told of handle clocks, with its time."""
    facts = [f for f in await tracker.told() if getattr(f.data, "clock", None) == "handle"]
    return [f"{fact.name}@{local(fact.time)}" for fact in facts]


async def test_lesson_04_after_an_outage_every_missed_rung_fires_once_with_its_true_time(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 4, GLPI #5319: asleep for eighteen days, or awake each hour: the same marks at the
    same times.
    """
    await sweep(tracker, "03-20 10:00")
    slept = await facts_told(tracker, *MARKS)
    assert await sweep(tracker, "03-20 10:01") == 0
    assert len(slept) == len(await facts_told(tracker, *MARKS))
    rungs = [said for said in slept if said.startswith("supervision.raised")]
    assert rungs == [
        f"supervision.raised@{day} 18:00" for day in ("03-03", "03-10", "03-12", "03-16")
    ]
    other = Story(tracker, "20260302-000002")
    tracker.at(at("03-02 10:05"))
    await tracker.hear(other.registered(), other.dispatched(id=GT))
    moment = at("03-02 11:00")
    while moment <= at("03-20 10:00"):
        tracker.at(moment)
        await tracker.run("sweep")
        moment += timedelta(hours=6)
    awake = [f for f in await tracker.told() if f.subject == other.subject and f.name in MARKS]
    assert sorted(f"{f.name}@{local(f.time)}" for f in awake) == sorted(slept)


async def test_lesson_05_who_gets_it_next_has_a_clock_of_its_own_and_the_ticket_goes_on(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 5, GLPI #1911: the second unit has all its days; the citizen's clock and the ping-
    pong are seen.
    """
    gone = open_ticket.asked_return("03-05 10:00"), open_ticket.returned("03-06 09:00")
    await tracker.hear(*gone, open_ticket.dispatched("03-06 09:10", id=GT, unit="GT"))
    now = await clocks(tracker)
    assert now["handle GT"] == ("running", "03-13 18:00")
    assert now["citizen #1"] == ("running", "03-09 18:00")
    assert now["handle HC"][0] == "cancelled"
    assert [name for name in now if name.startswith("dispatch")] == [
        "dispatch #1",
        "dispatch #1 again",
    ]


async def test_lesson_06_every_deadline_carries_its_explanation(
    tracker: Bench, story: Story
) -> None:
    """DOMAIN.md 5.3 row 6, gain 1, Zammad #390: each day that counts and each that does not, by name; what is
    no holiday is no day off.
    """
    await tracker.hear(story.registered("02-12 10:00"), story.dispatched("02-12 10:05"))
    shown = await explained(tracker, "handle")
    assert local(datetime.fromisoformat(shown["due"])) == "02-26 18:00"
    counted = [day["day"] for day in shown["days"] if day["counted"]]
    assert counted == ["2026-02-13", "2026-02-14", "2026-02-24", "2026-02-25", "2026-02-26"]
    named = {day["day"]: day["note"]["zh"] for day in shown["days"]}
    assert "春节" in named["2026-02-17"]
    assert "上班" in named["2026-02-14"]
    assert len(named) == (at("02-26 00:00") - at("02-12 00:00")).days + 1
    for language in ("zh", "en"):
        assert shown["explanation"][language]
    assert "春节" in shown["explanation"]["zh"]


async def test_lesson_07_the_clock_itself_knows_no_quiet_hours(
    tracker: Bench, story: Story
) -> None:
    """DOMAIN.md 5.3 row 7, Zammad #4432: a gas leak at night is late at night; working time has no card at
    night.
    """
    night = Limits(sign="15min", first_contact="30min", handle="2h")
    urgent: dict[str, Any] = {"urgency": Urgency.CRITICAL}
    await tracker.hear(story.registered("02-17 03:00", **urgent))
    await tracker.hear(story.dispatched("02-17 03:00", **urgent, limits=night))
    await sweep(tracker, "02-17 06:00")
    assert "deadline.breached@02-17 05:00" in await handle_told(tracker)
    other = Story(tracker, "20260302-000002")
    await tracker.hear(other.registered(), other.dispatched(id=GT))
    await sweep(tracker, "03-20 10:00")
    for fact in await tracker.told():
        clock = getattr(fact.data, "clock", "handle")
        if fact.subject == other.subject and fact.name in MARKS and clock != "dispatch":
            wall = fact.time.astimezone(SHANGHAI)
            assert wall.weekday() < 5
            assert "08:30" <= f"{wall:%H:%M}" <= "18:00"


def test_lesson_08_a_day_and_night_calendar_is_never_closed() -> None:
    """DOMAIN.md 5.3 row 8, Zammad #3180: not one minute at midnight; a segment ends before the next
    begins, at 24:00.
    """
    always = WorkCalendar(SHANGHAI, dict.fromkeys(range(7), (Segment.parse("00:00", "24:00"),)))
    start = at("03-02 23:59")
    for minutes in (1, 2, 60, 24 * 60, 9 * 24 * 60 + 7):
        end = start + minutes * MINUTE
        assert always.add_working_seconds(start, minutes * 60) == end
        assert always.working_seconds_between(start, end) == minutes * 60


async def test_lesson_09_the_ladder_goes_up_by_levels_to_other_people(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 9, Zammad #2532, ERPNext #6049, Chatwoot #6889: rung after rung, and ever more are
    told, up to the top.
    """
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:30"))
    await sweep(tracker, "03-23 18:00")
    raised = await tracker.told("supervision.raised")
    assert [fact.data.rung for fact in raised] == [1, 2, 3, 4, 5]
    assert [fact.time for fact in raised] == sorted(fact.time for fact in raised)
    said = [f for f in await tracker.told() if getattr(f.data, "clock", None) == "handle"]
    await tracker.hear(*(f for f in said if f.name in MARKS), *raised)
    told = [fact.data for fact in await tracker.told("staff.told")]
    assert [
        [f"{each.office} {'+'.join(each.roles)}" for each in same]
        for _, same in groupby(told, key=first_words)
    ] == [
        ["HC handler"],
        ["HC handler", "HC liaison", "HC unit_deputy"],
        ["HC liaison", "HC unit_head", "RXB hotline_supervisor"],
        ["HC liaison", "HC unit_deputy"],
        ["HC unit_head"],
        ["HC unit_head"],
        ["ZFB county_government_office"],
        ["ZFB county_leader", "HC unit_head"],
    ]


async def test_lesson_10_clocks_have_names_and_none_overrides_another(
    tracker: Bench, open_ticket: Story
) -> None:
    """DOMAIN.md 5.3 row 10, Zammad #188, #5177, #1322: each act meets its own, what a citizen adds starts
    none afresh.
    """
    before = await clocks(tracker)
    note = AssignmentUpdated(kind="supplemented", content="又漏水了")
    await tracker.hear(open_ticket.of_unit(note, "03-02 10:30"))
    assert await clocks(tracker) == before
    for fact, met in (
        (open_ticket.signed("03-02 11:00"), "sign HC"),
        (open_ticket.contacted("03-02 14:30"), "first_contact HC"),
        (open_ticket.completed("03-03 10:00"), "handle HC"),
        (open_ticket.resolved("03-03 10:00"), "citizen #1"),
    ):
        running = {
            name for name, (status, _) in (await clocks(tracker)).items() if status == "running"
        }
        await tracker.hear(fact)
        still = {
            name for name, (status, _) in (await clocks(tracker)).items() if status == "running"
        }
        assert running - still == {met}
    ended = await clocks(tracker)
    await tracker.hear(open_ticket.reopened("03-05 10:00", 2))
    after = await clocks(tracker)
    assert {name: after[name] for name in ended} == ended
    assert after["citizen #2"][0] == "running"


def first_words(told: Any) -> str:
    """What the same message begins with, to whomever it goes."""
    return str(told.zh.partition("。")[0])


@pytest.mark.parametrize(
    ("asked", "ruled", "due"),
    [
        ("03-03 17:00", "03-04 09:30", "03-10 10:30"),  # two hours of duty, not sixteen and a half
        ("03-06 17:00", "03-09 09:30", "03-10 10:30"),  # over a weekend the same two
        ("03-04 11:30", "03-04 14:30", "03-10 09:30"),  # over lunch one
        ("03-04 19:00", "03-04 21:00", "03-09 18:00"),  # of an evening nothing
    ],
)
async def test_lesson_11_only_the_working_overlap_of_a_pause_is_given_back(
    tracker: Bench, open_ticket: Story, asked: str, ruled: str, due: str
) -> None:
    """DOMAIN.md 5.3 row 11, Frappe #1554, ERPNext PR 49414: nights count once, as nothing."""
    await tracker.hear(open_ticket.asked_return(asked), open_ticket.refused_return(ruled))
    assert (await clocks(tracker))["handle HC"] == ("running", due)


@pytest.mark.parametrize("seed", range(4))
def test_lesson_12_lunch_breaks_and_odd_weeks_are_counted_minute_by_minute(seed: int) -> None:
    """DOMAIN.md 5.3 row 12, Frappe #2212, osTicket #1168: three stretches a day, half a Saturday, a night
    shift on Wednesdays.
    """
    day = [
        Segment.parse(*pair.split("-")) for pair in ("08:00-11:30", "12:15-15:00", "15:20-17:45")
    ]
    week = dict.fromkeys(range(5), tuple(day)) | {5: (Segment.parse("09:00", "11:00"),)}
    week[2] = (Segment.parse("00:00", "02:30"), Segment.parse("20:00", "24:00"))
    odd, dice = WorkCalendar(SHANGHAI, week), Random(seed)
    for _ in range(10):
        start = at("03-02 00:00") + dice.randrange(14 * 24 * 60) * MINUTE
        minutes = dice.randrange(1, 3000)
        end = walked(odd, start, minutes)
        assert odd.due(start, Limit(minutes / 60, "wh")).at == end
        assert odd.working_seconds_between(start, end) == minutes * 60


def walked(calendar: WorkCalendar, start: datetime, minutes: int) -> datetime:
    """When so many minutes of duty have gone by, looked at one by one."""
    moment = start
    while minutes:
        local = moment.astimezone(SHANGHAI)
        since = timedelta(hours=local.hour, minutes=local.minute)
        segments = calendar.week[local.weekday()]
        minutes -= any(each.opens <= since < each.closes for each in segments)
        moment += MINUTE
    return moment
