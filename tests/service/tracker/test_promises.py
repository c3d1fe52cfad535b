"""承诺办结: a promised day comes back by itself, is kept, moved once, or broken (R-19, gain 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.events import AssignmentAuditPassed
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, Story, at, clocks, dissolved, facts_told, local
from tests.fixtures.scenes.tracker_doors import slug
from tests.fixtures.scenes.worklist import by_its_lists, stuck, worklist

DONE = {"result": "支路已硬化，恢复通行"}
MOVE = {"promised_date": "2026-05-20", "reason": "沥青须待气温回升"}
YES = {"granted": True, "reason": "情况属实"}


@pytest.fixture
async def promised(tracker: Bench, open_ticket: Story) -> Story:
    """A road that must wait until the last of April; answered on the third of March."""
    await tracker.hear(open_ticket.promised("03-03 10:00:30"), open_ticket.resolved("03-03 10:00"))
    tracker.at(at("03-03 10:05"))
    return open_ticket


async def do(tracker: Bench, what: str, body: dict[str, Any], role: str = "unit") -> Any:
    unit = "HC" if role == "unit" else None
    return await tracker.http(role, unit).post(f"/v1/promises/{HC}/{what}", json=body)


async def listed(tracker: Bench, role: str = "supervisor", **query: Any) -> Any:
    unit = query.pop("of", "HC") if role == "unit" else None
    return (await tracker.http(role, unit).get("/v1/promises", params=query)).json()


async def until(tracker: Bench, moment: str) -> None:
    tracker.at(at(moment))
    await tracker.run("sweep")


async def test_a_promised_day_is_a_clock_that_outlives_the_order(
    tracker: Bench, promised: Story
) -> None:
    """R-19: from the answer to the end of the day, whatever becomes of the ticket."""
    assert promised
    assert (await clocks(tracker))["promise HC"] == ("running", "05-01 00:00")
    [item] = (await listed(tracker))["items"]
    assert (item["status"], item["promised_date"]) == ("open", "2026-04-30")
    assert local(datetime.fromisoformat(item["made_at"])) == "03-03 10:00"
    shown = (await tracker.http("supervisor").get(f"/v1/tickets/{item['number']}/clocks")).json()
    [clock] = [each for each in shown["clocks"] if each["kind"] == "promise"]
    assert "承诺了办结日期" in clock["explanation"]["zh"]
    assert "2026年5月1日00:00前兑现承诺" in clock["explanation"]["zh"]


async def test_the_desk_keeps_what_a_unit_promised_that_is_no_more(
    tracker: Bench, promised: Story
) -> None:
    """R-19, R-14: where nobody certainly follows it; who does has the order itself (ADR 0076)."""
    own = await do(tracker, "fulfilment", DONE, "desk")
    assert (own.status_code, slug(own)) == (403, "forbidden")
    await tracker.hear(dissolved(promised, "03-04 00:00"))
    tracker.at(at("03-04 09:00"))
    assert (await do(tracker, "move", MOVE, "desk")).status_code == 200
    assert (await do(tracker, "fulfilment", DONE, "desk")).status_code == 200
    [item] = (await listed(tracker, status="kept"))["items"]
    assert item["result"] == DONE["result"]


async def test_the_day_comes_back_before_it_comes_and_is_broken_when_it_passes(
    tracker: Bench, promised: Story
) -> None:
    """R-19, gain 7."""
    assert promised
    await until(tracker, "05-01 00:00")
    told = await facts_told(tracker, "deadline.warned", "deadline.breached", "supervision.raised")
    assert told[-4:] == [
        "deadline.warned@04-16 18:00",
        "deadline.warned@04-29 18:00",
        "deadline.breached@05-01 00:00",
        "supervision.raised@05-01 00:00",
    ]
    [breached] = [f for f in await tracker.told("deadline.breached") if f.data.clock == "promise"]
    assert breached.data.to == ("liaison", "unit_head", "hotline_supervisor")
    [item] = (await listed(tracker, status="broken"))["items"]
    assert item["late"]
    [raised] = await tracker.rows("SELECT * FROM supervisions WHERE closed_at IS NULL")
    assert raised["rung"] == 2
    await until(tracker, "05-01 09:00")
    assert (await do(tracker, "fulfilment", DONE)).status_code == 200
    assert await tracker.rows("SELECT * FROM supervisions WHERE closed_at IS NULL") == []
    [item] = (await listed(tracker, status="kept"))["items"]
    assert (item["late"], item["result"]) == (True, DONE["result"])


async def test_a_promise_kept_before_its_day_stops_its_clock(
    tracker: Bench, promised: Story
) -> None:
    assert promised
    await until(tracker, "04-20 09:00")
    kept = await do(tracker, "fulfilment", DONE)
    assert (kept.status_code, kept.json()["status"], kept.json()["late"]) == (200, "kept", False)
    [said] = await tracker.told("promise.kept")
    assert (said.key, said.data.promised_date, said.data.late) == (
        "promise.kept.HC",
        "2026-04-30",
        False,
    )
    again = await do(tracker, "fulfilment", DONE)
    assert (again.status_code, slug(again)) == (409, "move-refused")
    await until(tracker, "05-02 09:00")
    assert [f for f in await tracker.told("deadline.breached") if f.data.clock == "promise"] == []


async def test_a_day_is_moved_once_by_a_supervisor_and_both_are_shown(
    tracker: Bench, promised: Story
) -> None:
    """R-19, gain 7."""
    assert promised
    await until(tracker, "04-20 09:00")
    asked = await do(tracker, "move", MOVE)
    assert asked.status_code == 200, asked.text
    assert asked.json()["promised_date"] == "2026-04-30"
    waits = await worklist(tracker, "supervisor")
    assert waits["promise_moves"] == (1, 0, at("05-01 00:00"))
    assert waits == await by_its_lists(tracker, "supervisor")
    assert (await do(tracker, "move", MOVE)).status_code == 409
    assert await stuck(tracker, "unruled") == []
    await until(tracker, "04-21 18:30")
    [waiting] = await stuck(tracker, "unruled")
    assert (waiting.subject, waiting.since) == (promised.subject, at("04-20 09:00"))
    ruled = (await do(tracker, "ruling", YES, "supervisor")).json()
    assert (ruled["promised_date"], ruled["first_date"]) == ("2026-05-20", "2026-04-30")
    [moved] = await tracker.told("promise.moved")
    assert (moved.data.before, moved.data.promised_date) == ("2026-04-30", "2026-05-20")
    [due] = [f for f in await tracker.told("deadline.moved") if f.data.clock == "promise"]
    assert due.data.reason.startswith("承诺日期经批准变更")
    later = await do(tracker, "move", MOVE | {"promised_date": "2026-06-01"})
    assert (later.status_code, slug(later)) == (409, "promise-moved-before")
    assert (await clocks(tracker))["promise HC"] == ("running", "05-21 00:00")


async def test_a_day_that_is_not_moved_stands_and_may_be_asked_for_again(
    tracker: Bench, promised: Story
) -> None:
    assert promised
    assert (await do(tracker, "ruling", YES, "supervisor")).status_code == 409
    assert (await do(tracker, "move", MOVE)).status_code == 200
    refused = await do(tracker, "ruling", YES | {"granted": False}, "supervisor")
    assert refused.json()["promised_date"] == "2026-04-30"
    assert len(await tracker.told("promise.move_refused")) == 1
    assert (await do(tracker, "move", MOVE)).status_code == 200


@pytest.mark.parametrize("day", ["2026-04-30", "2026-04-01", "2099-01-01"])
async def test_a_day_is_moved_to_a_later_one_within_the_horizon(
    tracker: Bench, promised: Story, day: str
) -> None:
    assert promised
    answer = await do(tracker, "move", MOVE | {"promised_date": day})
    assert (answer.status_code, slug(answer)) == (422, "promised-date-wrong")
    assert answer.json()["latest"] == "2027-03-03"


async def test_a_broken_promise_is_not_moved_nor_washed(tracker: Bench, promised: Story) -> None:
    """Asked in time and ruled on too late: the day stands, and who let it pass."""
    assert promised
    await until(tracker, "04-29 09:00")
    await do(tracker, "move", MOVE)
    await until(tracker, "05-02 09:00")
    ruled = await do(tracker, "ruling", YES, "supervisor")
    assert (ruled.status_code, slug(ruled)) == (409, "promised-day-passed")
    assert (await do(tracker, "ruling", YES | {"granted": False}, "supervisor")).status_code == 200
    asked = await do(tracker, "move", MOVE)
    assert (asked.status_code, slug(asked)) == (409, "promised-day-passed")
    assert len((await listed(tracker, status="broken"))["items"]) == 1


async def test_another_round_takes_the_place_of_a_promise(tracker: Bench, promised: Story) -> None:
    await tracker.hear(promised.reopened("03-10 09:00", 2))
    assert (await clocks(tracker))["promise HC"][0] == "cancelled"
    [item] = (await listed(tracker))["items"]
    assert item["status"] == "ended"
    refused = await do(tracker, "fulfilment", DONE)
    assert refused.status_code == 409


async def test_what_was_broken_stays_broken_in_another_round(
    tracker: Bench, promised: Story
) -> None:
    await until(tracker, "05-01 00:00")
    await tracker.hear(promised.reopened("05-03 09:00", 2))
    [item] = (await listed(tracker, status="broken"))["items"]
    assert item["late"]
    assert await tracker.rows("SELECT * FROM supervisions WHERE closed_at IS NULL") == []


async def test_the_hotline_looks_after_a_promise_every_thirty_days(
    tracker: Bench, promised: Story
) -> None:
    """R-19, JN-24 跟踪督办."""
    assert promised
    await until(tracker, "04-02 09:00")
    assert (await worklist(tracker, "desk"))["promise_reviews"][0] == 0
    await until(tracker, "04-02 10:00")
    waits = await worklist(tracker, "desk")
    assert waits["promise_reviews"] == (1, 0, at("05-01 00:00"))
    assert waits == await by_its_lists(tracker, "desk")
    looked = await do(tracker, "reviews", {"note": "已备料"}, "desk")
    assert [each["note"] for each in looked.json()["reviews"]] == ["已备料"]
    assert (await worklist(tracker, "desk"))["promise_reviews"][0] == 0
    assert len(await tracker.told("promise.reviewed")) == 1


async def test_a_unit_sees_its_own_promises_alone(tracker: Bench, promised: Story) -> None:
    assert promised
    assert (await worklist(tracker, "unit", "HC"))["promises"] == (1, 0, at("05-01 00:00"))
    assert await worklist(tracker, "unit", "HC") == await by_its_lists(tracker, "unit", "HC")
    assert (await listed(tracker, "unit", of="GT"))["items"] == []
    other = await tracker.http("unit", "GT").post(f"/v1/promises/{HC}/fulfilment", json=DONE)
    assert other.status_code == 404


async def test_an_answer_that_is_sent_back_promises_nothing(
    tracker: Bench, open_ticket: Story
) -> None:
    """Only what the citizen was told binds: an answer under audit is none yet."""
    audit, story = UUID(int=77), open_ticket
    waits: dict[str, Any] = {"audit": audit, "audit_limit": "1wd"}
    await tracker.hear(story.promised("03-03 10:00", **waits))
    assert "promise HC" not in await clocks(tracker)
    about = {"audit": audit, "completed_at": at("03-03 10:00"), "audit_limit": "1wd"}
    passed = AssignmentAuditPassed(**about, grounds="条理清楚")
    await tracker.hear(story.of_unit(passed, "03-03 15:00"))
    assert (await clocks(tracker))["promise HC"] == ("running", "05-01 00:00")


async def test_a_day_that_is_over_when_the_answer_is_let_pass_is_broken(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-19: named for the evening of the day it was due, and audited the next morning. It had met the time to
    handle it, and bound nobody to anything.
    """
    audit = UUID(int=8)
    await tracker.hear(
        open_ticket.promised("03-09 17:50", "2026-03-09", audit=audit, audit_limit="1wd")
    )
    assert "promise HC" not in await clocks(tracker)
    about = {"audit": audit, "completed_at": at("03-09 17:50"), "audit_limit": "1wd"}
    passed = AssignmentAuditPassed(**about, grounds="无人审核", silent=True)
    tracker.at(at("03-10 18:01"))
    await tracker.hear(open_ticket.of_unit(passed, "03-10 18:01"))
    await until(tracker, "03-10 18:02")
    assert (await clocks(tracker))["promise HC"] == ("running", "03-10 00:00")
    broken = [f for f in await tracker.told("deadline.breached") if f.data.clock == "promise"]
    assert [local(fact.time) for fact in broken] == ["03-10 00:00"]
    assert [item["status"] for item in (await listed(tracker))["items"]] == ["broken"]


async def test_a_day_that_is_near_comes_back_before_it_too(
    tracker: Bench, open_ticket: Story
) -> None:
    """Gain 7: promised on Tuesday for Friday, ten working days before which nobody knew of it."""
    await tracker.hear(open_ticket.promised("03-03 10:00", "2026-03-06"))
    await until(tracker, "03-05 18:00")
    warned = [f for f in await tracker.told("deadline.warned") if f.data.clock == "promise"]
    assert [(local(f.time), f.data.to) for f in warned] == [
        ("03-05 18:00", ("handler", "liaison", "hotline_supervisor"))
    ]
