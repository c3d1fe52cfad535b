"""承接 at the dispatcher: what a unit had that is no more goes on with who follows it (ADR 0056)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher import jobs
from services.dispatcher.reform import transferring
from shared import succession
from shared.events import (
    ClockKind,
    Data,
    DeadlineSet,
    DeadlineView,
    PromiseKept,
    Reported,
    TicketMerged,
    TicketRegistered,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    act,
    ask_back,
    closed,
    company,
    finish,
    names,
    post,
    reach,
    register,
    reopened,
    rule,
    sign,
    statuses,
    street_light,
)
from tests.fixtures.scenes.reform import (
    NEW,
    OLD,
    approve,
    followed,
    in_hand,
    merge,
    one,
    propose,
    reform,
    slug,
    take_up,
)

FIRST, SECOND = "20260302-000001", "20260302-000002"


# --- what follows for orders -------------------------------------------------------------------


async def test_every_state_is_found_in_the_new_units_list_with_all_it_had(
    to_be_merged: Bench,
) -> None:
    """R-14: the same assignment, its handler, contacts and status; nothing begins anew."""
    numbers = [f"20260302-00000{n}" for n in range(1, 7)]
    given = {number: (await register(to_be_merged, number=number))[OLD] for number in numbers}
    _, signed, contacted, asked, completed, over = numbers
    for number in (signed, contacted, asked):
        await sign(to_be_merged, OLD, given[number])
    await reach(to_be_merged, OLD, given[contacted])
    await ask_back(to_be_merged, OLD, given[asked])
    await finish(to_be_merged, OLD, given[completed])
    await finish(to_be_merged, OLD, given[over])
    await to_be_merged.hear(closed(to_be_merged).model_copy(update={"subject": over}))
    before = {row["ticket"]: row for row in await to_be_merged.rows("SELECT * FROM assignments")}
    done = await merge(to_be_merged)
    after = {row["ticket"]: row for row in await to_be_merged.rows("SELECT * FROM assignments")}
    assert (done["status"], done["left"]) == ("done", [])
    assert {row["number"] for row in await in_hand(to_be_merged)} == set(numbers[:4])
    assert after[over] == before[over]  # closed: history stays the old unit's
    for number in numbers[:5]:
        moved = before[number] | {"unit": NEW, "former": after[number]["former"]}
        assert after[number] == moved
        [former] = after[number]["former"]
        assert (former["unit"], former["reform"]) == (OLD, done["id"])
    [shown] = [row for row in await in_hand(to_be_merged) if row["number"] == signed]
    assert (shown["unit"], shown["former"][0]["unit"]) == (NEW, OLD)


async def test_the_new_units_feed_has_each_as_a_work_order_and_what_is_said_later(
    to_be_merged: Bench,
) -> None:
    given = (await register(to_be_merged))[OLD]
    await sign(to_be_merged, OLD, given)
    await merge(to_be_merged)
    await to_be_merged.run("number_feed")
    feed = (await to_be_merged.http("unit", NEW).get(f"/v1/units/{NEW}/feed")).json()["items"]
    [told] = [item["fact"] for item in feed]
    assert told["type"] == "cn.jiesu.assignment.transferred.v1"
    assert told["data"]["predecessor"] == OLD
    assert (told["data"]["status"], told["data"]["handler"]) == ("signed", "张三")
    assert "路灯坏了一周" in told["data"]["content"]
    await reach(to_be_merged, NEW, given)
    await act(to_be_merged, NEW, given, "completion", DONE)
    assert await names(to_be_merged, NEW) == [
        "assignment.transferred",
        "assignment.contacted",
        "assignment.completed",
    ]


async def test_a_return_that_waits_is_ruled_on_for_the_new_unit(to_be_merged: Bench) -> None:
    given = (await register(to_be_merged))[OLD]
    await ask_back(to_be_merged, OLD, given)
    await merge(to_be_merged)
    await rule(to_be_merged, given, granted=False)
    [refused] = await to_be_merged.told("assignment.return_refused")
    assert refused.unit == NEW
    assert slug(await ask_back(to_be_merged, NEW, given, 409)) in (
        "returned-before",
        "return-after-ruling",
    )


async def test_a_dispute_and_what_an_order_was_decided_by_follow_too(to_be_merged: Bench) -> None:
    """R-17: the new unit is heard in the old one's place. R-03: version and rule stay on its order."""
    given = (await register(to_be_merged))[OLD]
    [dispatched] = await to_be_merged.told("assignment.dispatched")
    path = f"/v1/tickets/{FIRST}/arbitration"
    await post(to_be_merged.http("desk"), path, {"grounds": "职责不清"})
    await merge(to_be_merged)
    [transferred] = await to_be_merged.told("assignment.transferred")
    assert transferred.assignment == given
    assert transferred.data.catalogue_version == dispatched.data.catalogue_version == 1
    assert transferred.data.rule == dispatched.data.rule
    [open_one] = (await to_be_merged.http("unit", NEW).get("/v1/arbitrations")).json()["items"]
    assert NEW in open_one["parties"]
    assert OLD not in open_one["parties"]
    words = f"/v1/arbitrations/{open_one['id']}/statements"
    await post(to_be_merged.http("unit", NEW), words, {"words": "承接后由我局办理"})


async def test_a_promised_day_goes_along_after_the_close_until_it_is_kept(
    to_be_merged: Bench,
) -> None:
    """R-19, R-14: somebody must be able to keep it (ADR 0069, 0076)."""
    due = datetime.fromisoformat("2026-04-30T16:00:00+00:00")
    for number, kept in ((FIRST, False), (SECOND, True)):
        given = (await register(to_be_merged, number=number))[OLD]
        await finish(to_be_merged, OLD, given)
        about: dict[str, Any] = {"subject": number, "assignment": given, "unit": OLD}
        view = DeadlineView(clock=ClockKind.PROMISE, started_at=due, limit="9min", due=due)
        said: list[Data] = [DeadlineSet(clocks=(view,))]
        said += [PromiseKept(promised_date="2026-04-30", result="已修复", late=False)] * kept
        over = closed(to_be_merged).model_copy(update={"subject": number})
        facts = [to_be_merged.fact(data, **about, seq=n) for n, data in enumerate(said, 7)]
        await to_be_merged.hear(*facts, over)
    await merge(to_be_merged)
    rows = await to_be_merged.rows("SELECT ticket, unit FROM assignments ORDER BY ticket")
    assert [(row["ticket"], row["unit"]) for row in rows] == [(FIRST, NEW), (SECOND, OLD)]
    [told] = await to_be_merged.told("assignment.transferred")
    assert (told.subject, told.unit, told.data.status) == (FIRST, NEW, "completed")


async def test_a_redo_goes_to_who_follows(to_be_merged: Bench) -> None:
    """R-27: what was done before the reform is done again after it."""
    await finish(to_be_merged, OLD, (await register(to_be_merged))[OLD])
    await merge(to_be_merged)
    await to_be_merged.hear(reopened(to_be_merged, 2))
    assert await statuses(to_be_merged) == [(NEW, 1, "completed"), (NEW, 2, "dispatched")]


async def test_a_redo_of_a_round_that_had_ended_goes_there_too(to_be_merged: Bench) -> None:
    await finish(to_be_merged, OLD, (await register(to_be_merged))[OLD])
    await to_be_merged.hear(closed(to_be_merged))
    await merge(to_be_merged)
    await to_be_merged.hear(reopened(to_be_merged, 2))
    assert await statuses(to_be_merged) == [(OLD, 1, "completed"), (NEW, 2, "dispatched")]


async def test_a_rule_and_the_desk_that_name_the_old_unit_reach_the_new_one(
    to_be_merged: Bench,
) -> None:
    await merge(to_be_merged)
    assert set(await register(to_be_merged)) == {NEW}
    [told] = await to_be_merged.told("assignment.dispatched")
    assert "承接" in told.data.reason
    body = {"lead": OLD, "reason": "按职责"}
    await post(to_be_merged.http("desk"), f"/v1/tickets/{FIRST}/assign", body)
    assert await statuses(to_be_merged) == [(NEW, 1, "dispatched")]


async def test_an_order_that_comes_late_to_the_old_unit_follows(to_be_merged: Bench) -> None:
    """A replica that had not heard of the reform gave it."""
    await merge(to_be_merged)
    known, to_be_merged.service.store.dissolved = to_be_merged.service.store.dissolved, {}
    await register(to_be_merged)
    assert (await one(to_be_merged))["unit"] == OLD
    to_be_merged.service.store.dissolved = known
    await to_be_merged.run("carry_out_reforms")
    assert (await one(to_be_merged))["unit"] == NEW


async def test_who_leads_does_not_help_itself(dispatcher: Bench, tmp_path: Path) -> None:
    take_up(followed(tmp_path, **{COMPANY_CO[0]: [COMPANY]}), dispatcher)
    given = await register(dispatcher, company())
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reform(dispatcher, COMPANY_CO[0], into=COMPANY)
    left = {unit: status for unit, _, status in await statuses(dispatcher)}
    assert left == {
        COMPANY: "signed",
        COMPANY_CO[0]: "cancelled",
        **dict.fromkeys(COMPANY_CO[1:], "dispatched"),
    }


async def test_a_lead_that_joins_its_co_handler_goes_on_as_lead(
    dispatcher: Bench, tmp_path: Path
) -> None:
    take_up(followed(tmp_path, **{COMPANY: [COMPANY_CO[0]]}), dispatcher)
    given = await register(dispatcher, company())
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reform(dispatcher, COMPANY, into=COMPANY_CO[0])
    rows = await dispatcher.rows("SELECT unit, role, status, id FROM assignments ORDER BY id")
    at_work = [row for row in rows if row["status"] not in ("cancelled",)]
    assert [row["unit"] for row in at_work] == [COMPANY_CO[0], *COMPANY_CO[1:]]
    assert (at_work[0]["id"], at_work[0]["role"]) == (given[COMPANY], "lead")
    told = await dispatcher.told("assignment.updated")
    assert {fact.data.lead for fact in told} == {COMPANY_CO[0]}


async def test_who_waits_with_a_merged_ticket_waits_on(to_be_merged: Bench) -> None:
    given = (await register(to_be_merged))[OLD]
    await register(to_be_merged, number=SECOND)
    data = TicketMerged(into=FIRST, reason="同一处路灯")
    await to_be_merged.hear(to_be_merged.fact(data, subject=SECOND, seq=9))
    await merge(to_be_merged)
    await finish(to_be_merged, NEW, given)
    assert {fact.subject for fact in await to_be_merged.told("ticket.resolved")} == {FIRST, SECOND}


# --- killed in the middle ----------------------------------------------------------------------


async def test_a_batch_that_dies_is_done_again_and_nothing_twice(
    to_be_merged: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, 10):
        await register(to_be_merged, number=f"20260302-00000{n}")
    proposed = await propose(to_be_merged, OLD, into=NEW)
    await approve(to_be_merged, proposed["id"])
    move, moved = transferring._move, 0

    async def dying(*given: Any) -> None:
        nonlocal moved
        moved += 1
        if moved == 5:
            raise ConnectionError("killed")
        await move(*given)

    monkeypatch.setattr(transferring, "_move", dying)
    assert [await jobs.carry_out_reforms(to_be_merged.service.store, 3) for _ in range(2)] == [1, 3]
    with pytest.raises(ConnectionError):
        await jobs.carry_out_reforms(to_be_merged.service.store, 3)
    to_be_merged.service.store.dissolved = {}  # another process, which knows what was committed
    await succession.take_up(to_be_merged.service.store)
    assert len(await to_be_merged.told("assignment.transferred")) == 3
    await to_be_merged.run("carry_out_reforms", 3)
    told = await to_be_merged.told("assignment.transferred")
    assert len(told) == len({fact.assignment for fact in told}) == 9
    assert len(await in_hand(to_be_merged)) == 9
    assert len(await to_be_merged.told("unit.reformed")) == 1


# --- who may read ------------------------------------------------------------------------------


async def test_the_old_units_token_acts_as_the_new_unit(to_be_merged: Bench) -> None:
    given = (await register(to_be_merged))[OLD]
    await merge(to_be_merged)
    await sign(to_be_merged, OLD, given)
    [signed] = await to_be_merged.told("assignment.signed")
    assert (signed.unit, signed.actor) == (NEW, f"unit:{NEW}:test")
    await to_be_merged.run("number_feed")
    for unit in (OLD, NEW):  # to the end of the old feed, and on in the new one
        feed = await to_be_merged.http("unit", OLD).get(f"/v1/units/{unit}/feed")
        assert [item["fact"]["type"].split(".")[-2] for item in feed.json()["items"]] == {
            OLD: ["dispatched", "reformed"],
            NEW: ["transferred", "signed"],
        }[unit]


async def test_before_it_is_moved_the_new_unit_is_told_to_ask_again(to_be_merged: Bench) -> None:
    given = (await register(to_be_merged))[OLD]
    proposed = await propose(to_be_merged, OLD, into=NEW)
    await approve(to_be_merged, proposed["id"])
    async with to_be_merged.service.store.act("ops") as opened:
        await transferring._take_effect(opened)
    answer = await act(to_be_merged, NEW, given, "sign", {"handler": "张三"}, 503)
    assert slug(answer) == "being-transferred"


def about(unit: str, **given: Any) -> TicketRegistered:
    """A complaint about a unit, which another handles."""
    return street_light(
        topic="lighting.street", reported=Reported(units=(unit,)), reported_unit=unit, **given
    )


async def test_the_successor_inherits_the_shield(dispatcher: Bench, tmp_path: Path) -> None:
    """R-35, JN-32: who is complained of learns nothing of it by a merger."""
    await register(dispatcher, about(NEW), FIRST)  # the old unit has a complaint about the new one
    assert [unit for unit, *_ in await statuses(dispatcher)] == [OLD]
    take_up(followed(tmp_path, **{OLD: [NEW]}), dispatcher)
    done = await merge(dispatcher)
    assert done["left"] == []
    assert await statuses(dispatcher) == [(OLD, 1, "cancelled")]
    assert await in_hand(dispatcher) == []
    [waiting] = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (waiting["number"], "回避" in waiting["reason"]) == (FIRST, True)
    assert await names(dispatcher, NEW) == []
    for unit in (OLD, NEW):  # nor by the feed of the unit it has become
        feed = await dispatcher.http("unit", NEW).get(f"/v1/units/{unit}/feed")
        assert FIRST not in feed.text
    body = {"lead": NEW, "reason": "按职责"}
    answer = await post(dispatcher.http("desk"), f"/v1/tickets/{FIRST}/assign", body, 409)
    assert slug(answer) == "recused"


async def test_the_old_feed_hides_what_the_new_unit_may_not_be_given(
    dispatcher: Bench, tmp_path: Path
) -> None:
    """R-35: the text of a report names the new unit, and nobody has said whom it is about."""
    named = street_light(type="report", content="住建局的人收了好处费", confidential=True)
    await register(dispatcher, named)
    body = {"lead": OLD, "reason": "按职责"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{FIRST}/assign", body)
    await register(dispatcher, number=SECOND)
    take_up(followed(tmp_path, **{OLD: [NEW]}), dispatcher)
    await merge(dispatcher)
    await dispatcher.run("number_feed")
    for unit in (OLD, NEW):
        feed = await dispatcher.http("unit", NEW).get(f"/v1/units/{unit}/feed")
        assert (FIRST in feed.text, SECOND in feed.text) == (False, True)
    assert (await statuses(dispatcher))[-1] == (OLD, 1, "cancelled")
    lists = await dispatcher.http("unit", NEW).get(f"/v1/units/{OLD}/assignments")
    assert lists.status_code == 404


async def test_a_complaint_about_the_old_unit_is_never_given_to_the_new_one(
    to_be_merged: Bench,
) -> None:
    await merge(to_be_merged)
    assert await register(to_be_merged, about(OLD)) == {}
    body = {"lead": NEW, "reason": "按职责"}
    answer = await post(to_be_merged.http("desk"), f"/v1/tickets/{FIRST}/assign", body, 409)
    assert slug(answer) == "recused"
