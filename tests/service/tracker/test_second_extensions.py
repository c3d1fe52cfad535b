"""Fewer days than asked, a second extension, and who rules on it (R-18, SD17, ADR 0082)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.tracker.rules.supervision import Supervision
from services.tracker.settings import Config
from shared.events import Reported, TicketCorrected
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.policy import SUPERVISION, changed
from tests.fixtures.scenes.policies import drafted, simulated, with_handle
from tests.fixtures.scenes.tracker import TICKET, Story, at, clocks
from tests.fixtures.scenes.tracker_doors import GRANT, REFUSE, ask, rule, slug
from tests.fixtures.scenes.worklist import by_its_lists, stuck, worklist

OFFICE = "ZFB"
FEWER = GRANT | {"days": 2}
HANDLE = "handle HC"


async def ruled_by(
    tracker: Bench, extension: str, unit: str, ruling: dict[str, Any]
) -> httpx.Response:
    """A unit's ruling."""
    path = f"/v1/extensions/{extension}/ruling"
    return await tracker.http("unit", unit).post(path, json=ruling)


@pytest.fixture
async def second(tracker: Bench, open_ticket: Story) -> str:
    """Three days were granted, due on Thursday; four more were asked for on Thursday morning."""
    assert open_ticket
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    tracker.at("2026-03-12T10:00+08:00")
    asked = await ask(tracker, days=4)
    assert asked.status_code == 200, asked.text
    assert (asked.json()["ordinal"], asked.json()["office"]) == (2, OFFICE)
    return str(asked.json()["id"])


async def explained(tracker: Bench) -> str:
    """What the handle clock says in Chinese."""
    shown = await tracker.http("supervisor").get(f"/v1/tickets/{TICKET}/clocks")
    [handle] = [each for each in shown.json()["clocks"] if each["kind"] == "handle"]
    return str(handle["explanation"]["zh"])


# --- fewer days --------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_ticket")
async def test_fewer_days_are_granted_and_the_clock_moves_by_those(tracker: Bench) -> None:
    """R-18: told with its own date and the unit's reason."""
    asked = (await ask(tracker)).json()
    more = await rule(tracker, asked["id"], GRANT | {"days": 4})
    assert (more.status_code, slug(more), more.json()["asked"]) == (422, "more-days-than-asked", 3)
    assert await tracker.told("extension.granted") == []
    granted = (await rule(tracker, asked["id"], FEWER)).json()
    assert (granted["days"], granted["granted_days"]) == (3, 2)
    assert (await clocks(tracker))[HANDLE] == ("running", "03-11 18:00")
    [fact] = await tracker.told("extension.granted")
    assert (fact.data.days, fact.data.asked, fact.data.due) == (2, 3, at("03-11 18:00"))
    assert fact.data.unit_reason == asked["reason"]


@pytest.mark.usefixtures("open_ticket")
@pytest.mark.parametrize("ruling", [GRANT | {"days": 0}, REFUSE | {"days": 2}])
async def test_days_are_at_least_one_and_of_a_grant(tracker: Bench, ruling: dict[str, Any]) -> None:
    asked = (await ask(tracker)).json()
    assert (await rule(tracker, asked["id"], ruling)).status_code == 422


# --- a second ----------------------------------------------------------------------------------


async def asked_to_rule(tracker: Bench) -> list[tuple[str | None, tuple[str, ...]]]:
    """Who was told of an extension, and as whom."""
    found = [f.data for f in await tracker.told("staff.told") if f.data.occasion == "extension"]
    return [(each.office, each.roles) for each in found]


async def test_who_has_to_rule_is_told_when_it_is_asked(tracker: Bench, second: str) -> None:
    """R-18 R-31: a supervisor of the first, the office of the second; with the unit and the due moment."""
    assert second
    assert await asked_to_rule(tracker) == [
        ("RXB", ("hotline_supervisor",)),
        (OFFICE, ("county_government_office",)),
    ]
    first, again = [f.data for f in await tracker.told("staff.told")]
    assert "红椿镇就工单20260302-000001申请延期3个工作日，原办理时限至2026年3月9日18:00" in first.zh
    assert "再次申请延期4个工作日，原办理时限至2026年3月12日18:00" in again.zh
    assert "asks again for 4 more working days" in again.en
    assert {first.not_before, again.not_before} == {at("03-02 09:00"), at("03-12 10:00")}


async def test_at_night_who_has_to_rule_is_told_in_the_morning(
    tracker: Bench, open_ticket: Story
) -> None:
    """Zammad #4432; who asks is not asked to rule."""
    assert open_ticket
    tracker.at("2026-03-03T22:00+08:00")
    await ask(tracker)
    [told] = await tracker.told("staff.told")
    assert (told.data.office, told.data.not_before) == ("RXB", at("03-04 07:30"))


async def test_an_office_that_asks_is_not_told_to_rule(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched(unit="RXB"))
    await ask(tracker, unit="RXB")
    assert await asked_to_rule(tracker) == [("ZFB", ("hotline_supervisor",))]


async def test_a_second_is_ruled_on_by_the_office_and_counts_from_the_first(
    tracker: Bench, second: str
) -> None:
    """R-18: more time twice, the second by the higher office."""
    granted = await ruled_by(tracker, second, OFFICE, FEWER)
    assert granted.status_code == 200, granted.text
    assert (await clocks(tracker))[HANDLE] == ("running", "03-16 18:00")
    first, fact = await tracker.told("extension.granted")
    assert (first.data.ordinal, first.data.office) == (1, None)
    assert (fact.data.ordinal, fact.data.office) == (2, OFFICE)
    assert fact.actor == "service:tracker"  # no unit speaks to another; the row keeps who it was
    [kept] = await tracker.rows("SELECT ruled_by FROM extensions WHERE ordinal = 2")
    assert kept["ruled_by"] == f"unit:{OFFICE}:test"
    assert (fact.data.days, fact.data.asked, fact.data.due) == (2, 4, at("03-16 18:00"))
    said = await explained(tracker)
    assert "经督办员批准延期3个工作日" in said
    assert "经紫阳县人民政府办公室批准再次延期2个工作日" in said
    third = await ask(tracker, days=1)
    assert (third.status_code, slug(third)) == (409, "extension-asked-before")
    assert "已申请过两次" in third.json()["detail"]


async def test_a_trial_keeps_the_days_that_were_granted(tracker: Bench, second: str) -> None:
    """Gain 9: a draft is tried on what happened, both extensions with the days granted."""
    await ruled_by(tracker, second, OFFICE, FEWER)
    tracker.at("2026-03-16T18:01+08:00")
    await tracker.run("sweep")
    for limits, others, late in (("5wd", 0, 1), ("6wd", 1, 0)):
        draft = await drafted(tracker, limits=with_handle(limits))
        kinds = (await simulated(tracker, draft))["kinds"]
        [handle] = [each for each in kinds if each["kind"] == "handle"]
        assert handle["before"]["late"] == 1
        assert (handle["changed"], handle["after"]["late"]) == (others, late)


async def test_a_second_is_asked_once_the_first_was_granted_and_within_the_cap(
    tracker: Bench, open_ticket: Story
) -> None:
    assert open_ticket
    first = (await ask(tracker, days=7)).json()
    waits = await ask(tracker)
    assert (slug(waits), "首次延期批准后" in waits.json()["detail"]) == (
        "extension-asked-before",
        True,
    )
    await rule(tracker, first["id"], GRANT)
    over = await ask(tracker, days=4)
    assert (over.status_code, slug(over), over.json()["cap"]) == (409, "extension-over-cap", "15wd")
    assert "办理总时限不得超过15个工作日" in over.json()["detail"]
    tracker.at("2026-03-18T14:01+08:00")
    late = await ask(tracker, days=3)
    assert (slug(late), late.json()["latest"]) == (
        "extension-too-late",
        "2026-03-18T06:00:00+00:00",
    )
    tracker.at("2026-03-18T14:00+08:00")
    assert (await ask(tracker, days=3)).status_code == 200


async def test_nobody_else_rules_on_it_and_is_told_who_does(tracker: Bench, second: str) -> None:
    """R-18: by level."""
    for answer in (
        await rule(tracker, second, GRANT),
        await ruled_by(tracker, second, "HC", GRANT),
    ):
        assert (answer.status_code, slug(answer)) == (403, "extension-ruled-elsewhere")
        assert answer.json()["office"] == OFFICE
        assert "紫阳县人民政府办公室" in answer.json()["detail"]
    assert (await ruled_by(tracker, second, "RXB", GRANT)).status_code == 404
    assert len(await tracker.told("extension.granted")) == 1


@pytest.mark.usefixtures("open_ticket")
async def test_no_office_rules_on_a_first(tracker: Bench) -> None:
    asked = (await ask(tracker)).json()
    assert (await ruled_by(tracker, asked["id"], OFFICE, GRANT)).status_code == 404
    own = await ruled_by(tracker, asked["id"], "HC", GRANT)
    assert (own.status_code, "督办员" in own.json()["detail"]) == (403, True)


async def test_it_stands_in_the_office_s_list_and_overdue_on_the_morning_page(
    tracker: Bench, second: str
) -> None:
    page = (await tracker.http("unit", OFFICE).get("/v1/extensions")).json()
    assert [(each["id"], each["office"]) for each in page["items"]] == [(second, OFFICE)]
    assert (await tracker.http("unit", "HC").get("/v1/extensions")).json()["items"] == []
    seen = await tracker.http("supervisor").get("/v1/extensions", params={"higher": True})
    assert seen.json()["counts"]["total"] == 1
    for role, unit, waits in (("unit", OFFICE, 1), ("unit", "HC", 0), ("supervisor", None, 0)):
        said = await worklist(tracker, role, unit)
        assert said["extensions"][0] == waits
        assert said == await by_its_lists(tracker, role, unit)
    tracker.at("2026-03-16T10:00+08:00")
    [late] = await stuck(tracker, "unruled")
    assert (late.subject, late.note) == (TICKET, f"HC +4wd → {OFFICE}")
    await ruled_by(tracker, second, OFFICE, REFUSE)
    assert (await worklist(tracker, "unit", OFFICE))["extensions"][0] == 0


async def test_where_the_office_has_to_stand_back_since_a_supervisor_rules(
    tracker: Bench, open_ticket: Story, second: str
) -> None:
    """R-35: nobody is stuck with an office that must know nothing of it."""
    assert open_ticket
    about = TicketCorrected(fields=("reported",), reason="核实", reported=Reported(units=(OFFICE,)))
    await tracker.hear(tracker.fact(about, subject=TICKET, time=at("03-12 10:30")))
    assert (await ruled_by(tracker, second, OFFICE, GRANT)).status_code == 404
    assert (await tracker.http("unit", OFFICE).get("/v1/extensions")).json()["items"] == []
    assert (await rule(tracker, second, GRANT)).status_code == 200


async def test_an_office_does_not_rule_in_its_own_matter(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched(unit=OFFICE))
    await rule(tracker, (await ask(tracker, OFFICE)).json()["id"], GRANT)
    asked = (await ask(tracker, OFFICE)).json()
    assert (asked["ordinal"], asked["office"]) == (2, "RXB")


async def test_a_policy_without_a_second_gives_one(tracker: Bench, open_ticket: Story) -> None:
    assert open_ticket
    store: Store[Config] = tracker.service.store
    once = Supervision.model_validate(changed(SUPERVISION, "extension", "second", to=None))
    store.config = replace(store.config, rules=once)
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    again = await ask(tracker)
    assert (again.status_code, slug(again)) == (409, "extension-asked-before")


# --- what was done meanwhile -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "extended"), [("03-12 17:00", 1), ("03-13 17:00", 1), ("03-09 11:00", 0)]
)
async def test_an_answer_heard_late_is_judged_by_what_it_needed(
    tracker: Bench, open_ticket: Story, second: str, done: str, extended: int
) -> None:
    """Granted before the answer counts; what was granted after it, only where it was late without."""
    await ruled_by(tracker, second, OFFICE, GRANT)
    tracker.at("2026-03-25T10:00+08:00")
    await tracker.hear(open_ticket.completed(done))
    [clock] = await tracker.rows("SELECT * FROM clocks WHERE kind = 'handle'")
    assert (clock["status"], clock["breached_at"]) == ("met", None)
    rates = (await tracker.http("supervisor").get("/v1/rates")).json()
    assert rates["handle"]["by_extension"] == extended
