"""时限规则 as data: drafted, tried on the past, published by a second person, and from its moment on in force
in every service alike (ADR 0072).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared import policies
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.courier import DONE, County
from tests.fixtures.scenes.dispatcher import post
from tests.fixtures.scenes.policies import (
    MONDAY,
    VERSIONS,
    drafted,
    published,
    simulated,
    with_handle,
)

UNIT = "ZJJ"
HANDLE = "SELECT due FROM clocks WHERE ticket = :number AND kind = 'handle' ORDER BY due"
ROAD: dict[str, Any] = {"topic": "road.damage", "title": "道路破损", "content": "路面破损"}


async def order(county: County, number: str) -> tuple[str, int]:
    """The handle limit of the newest order of a ticket, and the policy it names."""
    told = await county.dispatcher.told("assignment.dispatched")
    data = [fact.data for fact in told if fact.subject == number][-1]
    return data.limits.handle, data.policy_version


async def clock(county: County, number: str, kind: str) -> tuple[str, int]:
    """The limit of a clock of a ticket, and the policy it began under."""
    answer = await county.tracker.http("desk").get(f"/v1/tickets/{number}/clocks")
    [found] = [each for each in answer.json()["clocks"] if each["kind"] == kind]
    return found["limit"], found["policy_version"]


async def published_for_monday(county: County) -> Any:
    """Three days instead of five, published on Monday for the next one."""
    draft = await drafted(county.tracker)
    done = await published(county.tracker, draft)
    await county.carry()
    return done


async def resolve(county: County, number: str) -> None:
    """The unit signs, contacts and completes."""
    path = f"/v1/assignments/{await county.assignment(number)}"
    done = DONE | {"result": "路面破损已修补", "public_answer": "您反映的路面破损处已修补"}
    contact = {"how": "phone", "outcome": "reached", "note": "已了解"}
    for what, body in (("sign", {"handler": "李工"}), ("contacts", contact), ("completion", done)):
        await county.do("unit", county.dispatcher, f"{path}/{what}", body, UNIT)


def forget(bench: Bench) -> None:
    """A process that was killed remembers nothing."""
    policies._known.pop(bench.service.store)


async def test_a_policy_is_in_force_from_its_moment_on_and_nothing_before_changes(
    county: County,
) -> None:
    """R-03, BJ-13: who got it on Friday has five days, who gets it on Monday three."""
    first = await county.ticket(**ROAD)
    done = await published_for_monday(county)
    assert (done["version"], done["status"]) == (2, "scheduled")
    county.at("2026-03-06T17:00+08:00")
    friday = await county.ticket(**ROAD)
    before = await county.tracker.rows("SELECT id, due, terms FROM clocks ORDER BY id")
    county.at(MONDAY)
    monday = await county.ticket(**ROAD)
    for number, limit, version in ((first, "5wd", 1), (friday, "5wd", 1), (monday, "3wd", 2)):
        assert await order(county, number) == (limit, version)
        assert await clock(county, number, "handle") == (limit, version)
        assert await clock(county, number, "citizen") == (limit, version)
    ids = {row["id"]: row for row in before}
    after = await county.tracker.rows("SELECT id, due, terms FROM clocks ORDER BY id")
    assert [row for row in after if row["id"] in ids] == before


async def test_every_service_keeps_to_it_when_it_starts_again(county: County) -> None:
    await published_for_monday(county)
    for bench in (county.intake, county.dispatcher, county.tracker):
        forget(bench)
        await bench.run("follow_policies")
    county.at(MONDAY)
    assert await order(county, await county.ticket(**ROAD)) == ("3wd", 2)
    for bench in (county.intake, county.dispatcher, county.tracker):
        async with bench.service.store.act("desk") as act:
            assert policies.version(act) == 2


async def test_who_has_not_heard_goes_by_what_it_knows_and_says_so(county: County) -> None:
    """Its limits are on the order, and nobody changes them behind the unit's back (BJ-13)."""
    county.courier.deaf.add(("dispatcher", "policy.published"))
    await published_for_monday(county)
    county.at(MONDAY)
    number = await county.ticket(**ROAD)
    assert await order(county, number) == ("5wd", 1)
    assert (await clock(county, number, "handle"))[0] == "5wd"
    assert await clock(county, number, "citizen") == ("3wd", 2)


async def test_one_taken_back_decides_nowhere_whichever_was_heard_first(county: County) -> None:
    """Intake hears of the withdrawal before it hears of the version."""
    await published(county.tracker, await drafted(county.tracker))
    path, why = f"{VERSIONS}/2/withdrawal", {"reason": "推迟"}
    await post(county.tracker.http("supervisor", name="wang"), path, why)
    known = await county.tracker.told("policy.published")
    [back] = await county.tracker.told("policy.withdrawn")
    await county.intake.hear(back)
    assert [row["state"] for row in await county.intake.parked()] == ["early"]
    await county.intake.hear(*known)
    await county.carry()
    for bench in (county.intake, county.dispatcher):
        rows = await bench.rows("SELECT version, withdrawn FROM policies ORDER BY version")
        assert [(row["version"], row["withdrawn"]) for row in rows] == [(1, False), (2, True)]
        assert await bench.parked() == []
    county.at(MONDAY)
    assert await order(county, await county.ticket(**ROAD)) == ("5wd", 1)


async def test_what_the_hotline_answers_itself_goes_by_it_too(county: County) -> None:
    """R-02: intake's own limit."""
    longer = with_handle("5wd").replace("direct_answer: 1wd", "direct_answer: 2wd")
    await published(county.tracker, await drafted(county.tracker, limits=longer))
    await county.carry()
    due = []
    for moment in ("2026-03-06T09:00+08:00", MONDAY):
        county.at(moment)
        body = ROAD | {"type": "consultation", "ending": {"direct_answer": {}}}
        number = await county.ticket(**body)
        [row] = await county.intake.rows(
            "SELECT answer_due FROM ticket WHERE number = :number", number=number
        )
        due.append(f"{row['answer_due']:%m-%d}")
    assert due == ["03-09", "03-11"]


async def test_a_round_that_opens_later_goes_by_the_new_one(county: County) -> None:
    """R-27: a redo has the limit of its own day."""
    redo = with_handle("5wd").replace("handle: 3wd}   # 重办", "handle: 2wd}   # 重办")
    number = await county.ticket(**ROAD)
    await resolve(county, number)
    await published(county.tracker, await drafted(county.tracker, limits=redo))
    await county.carry()
    county.at("2026-03-09T09:00+08:00")
    reopened = {"by": "citizen", "reason": "仍未修好"}
    await county.do("phone_system", county.feedback, f"/v1/tickets/{number}/reopening", reopened)
    assert await order(county, number) == ("2wd", 2)


async def test_the_fact_log_says_the_same_again_under_the_versions_of_then(county: County) -> None:
    await county.ticket(**ROAD)
    await published_for_monday(county)
    county.at(MONDAY)
    await county.ticket(**ROAD)
    county.at("2026-03-20T09:00+08:00")
    await county.sweep()
    forget(county.tracker)
    found, report = await county.replayed()
    assert (found, report.other_terms) == ([], 0)


async def test_a_draft_is_tried_on_what_was(county: County) -> None:
    """S16: of two orders done on the fourth day one would have been late; the past stays."""
    number = await county.ticket(**ROAD)
    county.at("2026-03-06T10:00+08:00")
    await resolve(county, number)
    await county.sweep()
    before = [len(await one.told()) for one in county.benches.values()]
    draft = await drafted(county.tracker)
    found = await simulated(county.tracker, draft)
    [unit] = found["units"]
    assert unit["unit"] == UNIT
    late = {
        each["kind"]: (each["before"]["late"], each["after"]["late"]) for each in found["kinds"]
    }
    assert late["handle"] == (0, 1)
    assert late["sign"] == (1, 1)
    [*_, example] = [each for each in found["examples"] if each["kind"] == "handle"]
    assert (example["number"], example["limit"], example["draft_limit"]) == (number, "5wd", "3wd")
    assert found["not_modelled"]
    assert [len(await one.told()) for one in county.benches.values()] == before
    assert (await simulated(county.tracker, draft, **{"to": "2026-03-01"}))["tickets"] == 0


async def test_who_gets_it_again_in_the_round_goes_by_the_policy_of_the_first_time(
    county: County,
) -> None:
    """T9: flags put on and off, and the order taken back and given again, do not make five days twenty."""
    number = await county.ticket(**ROAD)
    await published(county.tracker, await drafted(county.tracker, limits=with_handle("20wd")))
    await county.carry()
    county.at("2026-03-09T10:00+08:00")
    for flags in (["enterprise"], []):
        path, said = f"/v1/tickets/{number}/corrections", {"flags": flags, "reason": "核实"}
        await county.do("agent", county.intake, path, said)
    for what, body in (("recall", {}), ("assign", {"lead": UNIT})):
        path = f"/v1/tickets/{number}/{what}"
        await county.do("desk", county.dispatcher, path, body | {"reason": "再议"})
    assert await order(county, number) == ("5wd", 1)
    due = [row["due"] for row in await county.tracker.rows(HANDLE, number=number)]
    assert due == [datetime.fromisoformat("2026-03-09T18:00+08:00")] * 2
