"""What raises a supervision beside clocks and hands (直接触发): silence, refusal, a leader's word, a return
after a ruling (R-30, R-32, R-33, ADR 0074).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.tracker import triggers
from shared.events import AssignmentReturnBarred, Fact, Limits, Role
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, TICKET, Story, at, local
from tests.fixtures.scenes.tracker_doors import slug, supervise

WORD = {"leader": "李县长", "paper": "紫政批〔2026〕3号", "text": "请红椿镇三日内办结并报告"}


async def raised(tracker: Bench) -> list[str]:
    """Rung and moment of each supervision raised, in the order of time."""
    facts = await tracker.told("supervision.raised")
    return [f"{f.data.rung} {f.data.by} {local(f.time)}" for f in sorted(facts, key=_time)]


def _time(fact: Fact) -> Any:
    return fact.time


async def swept(tracker: Bench, *moments: str) -> None:
    for moment in moments:
        tracker.at(f"2026-{moment}+08:00")
        await tracker.run("sweep")
        await tracker.run("press")


async def withdraw(tracker: Bench, id: str) -> None:
    path = f"/v1/supervisions/{id}/withdrawal"
    answer = await tracker.http("supervisor").post(path, json={"reason": "误发"})
    assert answer.status_code == 200, answer.text


# --- silence -----------------------------------------------------------------------------------


@pytest.fixture
async def handled(tracker: Bench, open_ticket: Story) -> Story:
    """Signed and contacted in time; due on the ninth at 18:00."""
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:10"))
    return open_ticket


async def test_the_ladder_is_climbed_to_the_fifth_rung(tracker: Bench, handled: Story) -> None:
    """R-30 督办: 挂牌 after five working days, 约谈 after ten, of who answers each time."""
    assert handled
    for moment in ("03-09T18:00", "03-10T18:00", "03-12T18:00", "03-16T18:00", "03-23T18:00"):
        await swept(tracker, moment)
        for row in (await tracker.http("unit", "HC").get("/v1/supervisions")).json()["items"]:
            said = {
                "measures": "增派人手",
                "result": "抢修中",
                "led_by": "王建",
                "led_by_post": "镇长",
            }
            path = f"/v1/supervisions/{row['id']}/answer"
            await tracker.http("unit", "HC").post(path, json=said)
    assert await raised(tracker) == [
        "1 ladder 03-09 18:00",
        "2 ladder 03-10 18:00",
        "3 ladder 03-12 18:00",
        "4 ladder 03-16 18:00",
        "5 ladder 03-23 18:00",
    ]


async def test_who_gives_no_answer_for_five_working_days_is_criticised(
    tracker: Bench, handled: Story
) -> None:
    """R-32 FS: once, and nothing lower follows; at the moment itself an answer would be in time."""
    assert handled
    await swept(tracker, "03-09T18:00", "03-16T18:00")
    assert (await raised(tracker))[-1] == "4 ladder 03-16 18:00"
    assert await next_press(tracker) == at("03-16 18:00:01")
    await swept(tracker, "03-16T18:00:01", "03-18T18:00", "03-24T10:00")
    assert [each for each in await raised(tracker) if each > "4"] == [
        "4 ladder 03-16 18:00",
        "6 trigger 03-16 18:00",
    ]
    [last] = [f for f in await tracker.told("supervision.raised") if f.data.rung == 6]
    assert last.data.reason.startswith("催办")


async def test_silence_counts_anew_from_a_new_date_and_is_not_over_before_it(
    tracker: Bench, handled: Story
) -> None:
    """R-32: who has until the 17th is not criticised on the 16th, and who answers in form only is then."""
    assert handled
    await swept(tracker, "03-09T18:00")
    [reminder] = (await tracker.http("unit", "HC").get("/v1/supervisions")).json()["items"]
    path, said = f"/v1/supervisions/{reminder['id']}", {"measures": "已安排", "result": "办理中"}
    await tracker.http("unit", "HC").post(f"{path}/answer", json=said)
    again = {
        "accepted": False,
        "reason": "未说明成效",
        "answer_due": "2026-03-17T12:00:00+08:00",
    }
    assert (await tracker.http("supervisor").post(f"{path}/ruling", json=again)).is_success
    await swept(tracker, "03-16T18:01")
    assert (await raised(tracker))[-1] == "4 ladder 03-16 18:00"
    await swept(tracker, "03-17T12:00")
    assert (await raised(tracker))[-1] == "4 ladder 03-16 18:00"
    await swept(tracker, "03-17T12:01")
    assert (await raised(tracker))[-1] == "6 trigger 03-17 12:01"
    [last] = [f for f in await tracker.told("supervision.raised") if f.data.rung == 6]
    assert last.data.reason.startswith("催办")


async def next_press(tracker: Bench) -> Any:
    async with tracker.service.store.act("ops") as act:
        return await triggers.next_unanswered(act)


@pytest.mark.parametrize(("limit", "higher"), [("5wd", 1), ("6wd", 0), (None, 0)])
async def test_whether_it_was_overdue_goes_by_the_moment_of_the_fifth_day(
    tracker: Bench, story: Story, limit: str | None, higher: int
) -> None:
    """R-32: due at that very moment, a day later, or without a limit; looked at after an outage, too."""
    limits = Limits(sign="4wh", handle=limit)
    await tracker.hear(story.registered(), story.dispatched(limits=limits))
    await tracker.hear(story.signed("03-02 11:00"))
    await supervise(tracker, rung=1)
    assert await next_press(tracker) == at("03-09 18:00:01")
    await swept(tracker, "03-12T10:00")
    assert len([each for each in await raised(tracker) if each.startswith("6")]) == higher


async def test_nor_where_it_was_withdrawn(tracker: Bench, handled: Story) -> None:
    assert handled
    await withdraw(tracker, (await supervise(tracker, rung=1)).json()["id"])
    await swept(tracker, "03-13T10:00")
    assert [each for each in await raised(tracker) if each.startswith("6")] == []


async def test_those_due_first_are_looked_at_first(tracker: Bench, handled: Story) -> None:
    assert handled
    tracker.at(at("03-03 09:00"))
    later = (await supervise(tracker, rung=2)).json()["id"]
    tracker.at(at("03-02 09:00"))
    await supervise(tracker, rung=1)
    tracker.at("2026-03-13T10:00+08:00")
    assert await tracker.service.jobs["press"].run(tracker.service.store, 1) == 1
    waiting = await tracker.rows("SELECT id FROM supervisions WHERE press_at IS NOT NULL")
    assert [str(row["id"]) for row in waiting] == [later]


async def test_who_is_not_overdue_or_has_answered_is_not(tracker: Bench, handled: Story) -> None:
    """R-32: a reminder by hand of an order that is not late yet, and of one that is done."""
    await supervise(tracker, rung=1)
    await swept(tracker, "03-09T12:00")
    await tracker.hear(handled.completed("03-09 13:00"))
    await swept(tracker, "03-24T10:00")
    assert await raised(tracker) == ["1 hand 03-02 09:00"]


async def test_a_supervision_by_hand_has_an_answer_due_on_every_rung(
    tracker: Bench, handled: Story
) -> None:
    """R-30: a reminder, too."""
    assert handled
    raised = (await supervise(tracker, rung=1)).json()
    assert raised["answer_due"] == "2026-03-03T10:00:00Z"


# --- refused to receive ------------------------------------------------------------------------


async def test_who_does_not_sign_for_a_day_refuses(tracker: Bench, open_ticket: Story) -> None:
    """R-30 WF-26(1) 拒不签收: a working day after the limit; not of who signs late."""
    await swept(tracker, "03-03T17:59")
    assert await raised(tracker) == []
    await swept(tracker, "03-03T18:00")
    assert await raised(tracker) == ["2 trigger 03-03 18:00"]
    await tracker.hear(open_ticket.signed("03-03 11:00"))
    [closed] = await tracker.told("supervision.closed")
    assert closed.data.rung == 2


AGAIN = UUID(int=3)


async def test_nobody_refuses_what_they_have_not_had(tracker: Bench, open_ticket: Story) -> None:
    """R-30 拒不签收, ADR 0078: given again with its time to sign used up, a unit has the policy's day from
    then; the sign clock's own breach stands at once.
    """
    await swept(tracker, "03-03T10:00")  # the limit was over on the second at 16:05
    await tracker.hear(open_ticket.cancelled("03-03 10:00"))
    await tracker.hear(open_ticket.dispatched("03-05 10:00", id=AGAIN))
    await swept(tracker, "03-05T10:01", "03-06T17:59")
    assert await raised(tracker) == []
    missed, *_ = [f for f in await tracker.told("deadline.breached") if f.assignment == AGAIN]
    assert (missed.data.clock, local(missed.time)) == ("sign", "03-05 10:00")
    await swept(tracker, "03-06T18:00")
    assert await raised(tracker) == ["2 trigger 03-06 18:00"]


async def test_who_still_had_time_to_sign_refuses_a_day_after_that(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30: half an hour was used up, the rest counts from when the unit has it again."""
    await tracker.hear(open_ticket.cancelled("03-02 10:35"))
    await tracker.hear(open_ticket.dispatched("03-05 10:00", id=AGAIN))
    await swept(tracker, "03-06T17:59")
    assert await raised(tracker) == []
    await swept(tracker, "03-06T18:00")
    assert await raised(tracker) == ["2 trigger 03-06 18:00"]


# --- a return after a ruling -------------------------------------------------------------------


async def test_who_would_return_what_a_ruling_gave_is_pressed_once(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-33 WF-22: the head's matter; not where a higher rung stands."""
    for moment in ("03-02 15:00", "03-02 16:00"):
        barred = AssignmentReturnBarred(way="return")
        await tracker.hear(open_ticket.of_unit(barred, moment))
    assert await raised(tracker) == ["3 trigger 03-02 15:00"]


async def test_no_lower_rung_is_raised_where_a_higher_one_stands(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30."""
    stands = (await supervise(tracker, rung=4)).json()["id"]
    barred = open_ticket.of_unit(AssignmentReturnBarred(way="completion"), "03-02 15:00")
    await tracker.hear(barred)
    assert [each[0] for each in await raised(tracker)] == ["4"]
    await withdraw(tracker, stands)
    again = open_ticket.of_unit(AssignmentReturnBarred(way="completion"), "03-02 16:00")
    await tracker.hear(again)
    assert [each[0] for each in await raised(tracker)] == ["4", "3"]


async def test_what_a_mistake_kept_back_is_raised_when_that_is_withdrawn(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30 WF-22: with its own cause, from then on, and once."""
    stands = (await supervise(tracker, rung=4)).json()["id"]
    barred = open_ticket.of_unit(AssignmentReturnBarred(way="return"), "03-02 15:00")
    await tracker.hear(barred)
    assert await raised(tracker) == ["4 hand 03-02 09:00"]
    tracker.at("2026-03-03T09:00+08:00")
    await withdraw(tracker, stands)
    assert await raised(tracker) == ["4 hand 03-02 09:00", "3 trigger 03-03 09:00"]
    [_, fact] = await tracker.told("supervision.raised")
    assert "裁定后仍申请退单" in fact.data.reason
    assert fact.data.answer_due == at("03-06 18:00")
    await tracker.hear(open_ticket.of_unit(AssignmentReturnBarred(way="return"), "03-03 10:00"))
    await withdraw(tracker, str(await higher(tracker)))
    assert len(await raised(tracker)) == 3


async def higher(tracker: Bench) -> Any:
    return (await supervise(tracker, rung=5)).json()["id"]


async def test_what_was_answered_with_the_higher_one_is_not_raised(
    tracker: Bench, open_ticket: Story
) -> None:
    """ADR 0066: accepted, it was answered for all that was reached meanwhile."""
    stands = (await supervise(tracker, rung=4)).json()["id"]
    await tracker.hear(open_ticket.of_unit(AssignmentReturnBarred(way="return"), "03-02 15:00"))
    tracker.at("2026-03-03T09:00+08:00")
    path, said = f"/v1/supervisions/{stands}", {"measures": "派人", "result": "已办"}
    await tracker.http("unit", "HC").post(f"{path}/answer", json=said)
    ruling = {"accepted": True, "reason": "属实"}
    assert (await tracker.http("supervisor").post(f"{path}/ruling", json=ruling)).is_success
    await withdraw(tracker, str(await higher(tracker)))
    assert [each[0] for each in await raised(tracker)] == ["4", "5"]


async def test_of_another_order_or_of_the_same_rung_none_keeps_it_back(
    tracker: Bench, open_ticket: Story
) -> None:
    helping = open_ticket.dispatched(id=GT, unit="GT", role=Role.CO, lead="HC")
    await tracker.hear(helping)
    await supervise(tracker, id=GT, rung=4)
    await supervise(tracker, rung=3)
    await tracker.hear(open_ticket.of_unit(AssignmentReturnBarred(way="return"), "03-02 15:00"))
    assert [each[:9] for each in await raised(tracker)] == ["4 hand 03", "3 hand 03", "3 trigger"]


async def test_an_order_that_ended_is_pressed_for_nothing(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.completed("03-02 14:00"))
    await tracker.hear(open_ticket.of_unit(AssignmentReturnBarred(way="return"), "03-02 15:00"))
    assert await raised(tracker) == []


# --- a leader's word ---------------------------------------------------------------------------


async def instruct(tracker: Bench, number: str = TICKET, **what: Any) -> Any:
    path = f"/v1/tickets/{number}/instructions"
    return await tracker.http("supervisor").post(path, json=WORD | what)


async def test_a_leaders_word_is_a_supervision_order(tracker: Bench, open_ticket: Story) -> None:
    """R-30 WH 领导批示: who, which paper, what; once for a paper, and whatever stands already."""
    assert open_ticket
    await supervise(tracker, rung=3)
    done = await instruct(tracker)
    assert done.status_code == 200, done.text
    assert (done.json()["rung"], done.json()["instruction"]) == (2, WORD)
    [_, fact] = await tracker.told("supervision.raised")
    assert (fact.unit, fact.data.instruction.paper) == ("HC", WORD["paper"])
    assert fact.data.answer_due == at("03-05 18:00")
    again = await instruct(tracker, text="再次批示")
    assert (again.status_code, slug(again)) == (409, "instruction-stands")
    assert (await instruct(tracker, paper="紫政批〔2026〕4号")).status_code == 200


async def test_it_presses_who_leads_and_the_paper_counts_while_it_stands(
    tracker: Bench, open_ticket: Story
) -> None:
    helping = open_ticket.dispatched("03-02 10:10", id=GT, unit="GT", role=Role.CO, lead="HC")
    await tracker.hear(helping)
    first = (await instruct(tracker)).json()
    assert first["unit"] == "HC"
    await withdraw(tracker, first["id"])
    assert (await instruct(tracker)).status_code == 200
    await tracker.hear(open_ticket.completed("03-02 14:00"))
    late = await instruct(tracker, paper="紫政批〔2026〕5号")
    assert (late.status_code, late.json()["current_status"]) == (409, "unassigned")


async def test_a_leaders_word_needs_a_unit_that_leads(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered())
    refused = await instruct(tracker)
    assert (refused.status_code, refused.json()["current_status"]) == (409, "unassigned")
    assert (await instruct(tracker, "20260302-000009")).status_code == 404
