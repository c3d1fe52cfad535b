"""Who has taken a danger up: said once by the office that was told, missed where nobody says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.tracker.rules.supervision import Supervision
from services.tracker.settings import Config
from shared.events import Reported, TicketCorrected, Urgency
from shared.storage.act import Store
from shared.stuck import Stuck
from tests.fixtures.bench import Bench
from tests.fixtures.policy import SUPERVISION, changed
from tests.fixtures.scenes.tracker import TICKET, Story, at
from tests.fixtures.scenes.tracker_doors import slug
from tests.fixtures.scenes.worklist import by_its_lists, stuck, worklist

OFFICE = "ZFB"
SAID = {"taken_up_by": "值班室主任 陈某", "measures": "已派应急队到场，现场警戒"}
DUE = at("03-03 00:00")


@pytest.fixture
async def danger(tracker: Bench, story: Story) -> Story:
    """Told to the government at eleven at night: an hour to take it up, whatever the hour."""
    tracker.at("2026-03-02T23:00+08:00")
    await tracker.hear(story.registered("03-02 22:59", urgency=Urgency.CRITICAL))
    return story


async def acknowledge(
    tracker: Bench, role: str = "unit", unit: str | None = OFFICE, **said: str
) -> Any:
    path = f"/v1/risks/{TICKET}/acknowledgement"
    return await tracker.http(role, unit).post(path, json=SAID | said)


async def listed(tracker: Bench, **query: str) -> list[str]:
    page = await tracker.http("unit", OFFICE).get("/v1/risks", params=query)
    return [item["number"] for item in page.json()["items"]]


async def missed(tracker: Bench) -> list[Stuck]:
    """What the morning page says of it."""
    return await stuck(tracker, "unacknowledged")


STUCK = [Stuck(TICKET, DUE, OFFICE)]


async def test_the_office_that_was_told_says_who_has_taken_it_up_and_the_first_stands(
    tracker: Bench, danger: Story
) -> None:
    """R-38: a fact with who, what and when; said again it is refused, and nothing is said twice."""
    assert danger
    for unit in ("HC", "RXB"):
        assert (await acknowledge(tracker, unit=unit)).status_code == 404
    assert (await listed(tracker, status="open"), await missed(tracker)) == ([TICKET], [])
    tracker.at("2026-03-03T00:00+08:00")
    said = (await acknowledge(tracker)).json()
    assert (said["status"], said["acknowledgement"]["late"]) == ("acknowledged", False)
    assert said["acknowledgement"]["taken_up_by"] == SAID["taken_up_by"]
    again = await acknowledge(tracker, taken_up_by="别人")
    assert (again.status_code, slug(again)) == (409, "risk-acknowledged")
    assert again.json()["taken_up_by"] == SAID["taken_up_by"]
    [fact] = await tracker.told("risk.acknowledged")
    assert (fact.unit, fact.subject, fact.data.office, fact.data.due) == (None, TICKET, OFFICE, DUE)
    assert (fact.data.measures, fact.actor) == (SAID["measures"], f"unit:{OFFICE}:test")
    assert await listed(tracker, status="open") == []
    assert await listed(tracker, status="acknowledged") == await listed(tracker) == [TICKET]


async def test_what_nobody_takes_up_stands_in_both_lists_and_on_the_morning_page(
    tracker: Bench, danger: Story
) -> None:
    """R-38: of the office and of the supervisors, until it is said: late, and on record as late."""
    assert danger
    waits = {"supervisor": None, "unit": OFFICE}
    for moment, late in (("2026-03-03T00:00+08:00", 0), ("2026-03-03T00:01+08:00", 1)):
        tracker.at(moment)
        for role, unit in waits.items():
            said = await worklist(tracker, role, unit)
            assert said == await by_its_lists(tracker, role, unit)
            assert said["risks"] == (1, late, DUE)
        assert await missed(tracker) == (STUCK if late else [])
    assert (await worklist(tracker, "unit", "HC"))["risks"] == (0, 0, None)
    assert (await acknowledge(tracker)).json()["acknowledgement"]["late"]
    assert ((await worklist(tracker, "supervisor"))["risks"], await missed(tracker)) == (
        (0, 0, None),
        [],
    )


@pytest.mark.parametrize("end", ["withdrawn", "resolved"])
async def test_it_is_missed_no_more_when_its_ticket_ends_and_again_when_that_goes_on(
    tracker: Bench, danger: Story, end: str
) -> None:
    await tracker.hear(danger.dispatched("03-02 23:00", urgency=Urgency.CRITICAL))
    tracker.at("2026-03-03T02:00+08:00")
    assert await missed(tracker) == STUCK
    ended = danger.withdrawn if end == "withdrawn" else danger.resolved
    await tracker.hear(ended("03-03 02:00"))
    assert (await missed(tracker), await listed(tracker, status="ended")) == ([], [TICKET])
    assert (await worklist(tracker, "supervisor"))["risks"] == (0, 0, None)
    if end == "resolved":
        await tracker.hear(danger.reopened("03-03 03:00", round=2))
        assert (await missed(tracker), await listed(tracker, status="open")) == (STUCK, [TICKET])
    assert (await acknowledge(tracker)).status_code == 200


async def test_a_supervisor_says_it_for_an_office_that_cannot(tracker: Bench, story: Story) -> None:
    """Nobody was left to be told (R-35): whoever has the role is meant, and none of them has a token."""
    about = Reported(units=("ZFB", "RXB"))
    await tracker.hear(story.registered(urgency=Urgency.CRITICAL, reported=about))
    for unit in ("ZFB", "RXB"):
        assert (await acknowledge(tracker, unit=unit)).status_code == 404
    for role in ("desk", "callback"):
        assert (await acknowledge(tracker, role, None)).status_code == 403
    said = await acknowledge(tracker, "supervisor", None)
    assert (said.status_code, said.json()["office"]) == (200, None)


async def test_an_office_that_has_to_stand_back_since_says_nothing_of_it(
    tracker: Bench, danger: Story
) -> None:
    """R-35: the demand turns out to be about the office that was told; a supervisor sees to it."""
    about = TicketCorrected(fields=("reported",), reason="核实", reported=Reported(units=(OFFICE,)))
    await tracker.hear(tracker.fact(about, subject=danger.subject, time=at("03-02 23:30")))
    assert (await listed(tracker), (await acknowledge(tracker)).status_code) == ([], 404)
    assert (await worklist(tracker, "unit", OFFICE))["risks"] == (0, 0, None)
    assert (await worklist(tracker, "supervisor"))["risks"] == (1, 0, DUE)
    assert (await acknowledge(tracker, "supervisor", None)).status_code == 200


async def test_what_was_never_a_danger_cannot_be_taken_up(tracker: Bench, story: Story) -> None:
    assert (await acknowledge(tracker)).status_code == 404
    await tracker.hear(story.registered())
    assert (await acknowledge(tracker, "supervisor", None)).status_code == 404


# --- the policy --------------------------------------------------------------------------------


def under(tracker: Bench, *path: str | int, to: Any) -> None:
    store: Store[Config] = tracker.service.store
    rules = Supervision.model_validate(changed(SUPERVISION, *path, to=to))
    store.config = replace(store.config, rules=rules)


async def test_the_office_alone_is_read_as_before_and_nothing_is_late(
    tracker: Bench, story: Story
) -> None:
    """The text that folders had, and published versions may have: told, listed, and no limit."""
    under(tracker, "risk_of_incident", to="county_government_office")
    await tracker.hear(story.registered(urgency=Urgency.CRITICAL))
    [fact] = await tracker.told("staff.told")
    assert fact.data.zh.endswith("请立即关注处置。")
    tracker.at("2026-06-01T09:00+08:00")
    assert (await listed(tracker, status="open"), await missed(tracker)) == ([TICKET], [])
    assert (await acknowledge(tracker)).json()["acknowledgement"]["late"] is False


async def test_the_limit_begins_when_the_message_may_go_out(tracker: Bench, story: Story) -> None:
    """Where the county lets messages about dangers wait for the morning; and the message says by when."""
    under(tracker, "told", "quiet_hours", "except", to=[])
    tracker.at("2026-03-02T23:00+08:00")
    await tracker.hear(story.registered("03-02 23:00", urgency=Urgency.CRITICAL))
    [fact] = await tracker.told("staff.told")
    assert fact.data.not_before == at("03-03 07:30")
    assert fact.data.zh.endswith("并于2026年3月3日08:30前登记由谁处置。")
    assert fact.data.en.endswith("by 2026-03-03 08:30 who has taken it up.")
