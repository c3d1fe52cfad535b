"""承诺办结: asked of once, in any order, of nobody in vain, and counted apart (R-19)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    Outside,
    callback_of,
    names,
    registration,
    report,
    resolution,
    status_of,
    withdrawal,
)
from tests.fixtures.scenes.promises import (
    ACCEPTED,
    DAY,
    KEPT,
    accepted,
    asked_of_promise,
    count,
    kept,
    moved,
    passed,
    promise_of,
    put_off,
    say,
    shown,
)

# --- once, in any order ------------------------------------------------------------------------


async def test_facts_that_come_twice_ask_once(feedback: Bench) -> None:
    await accepted(feedback)
    news = kept(feedback)
    await feedback.hear(news, news, passed(feedback))
    assert await count(feedback, "promise") == 1
    assert (await names(feedback)).count("citizen.told:promise_kept") == 1


async def test_the_day_passed_and_was_kept_in_whichever_order_they_come(feedback: Bench) -> None:
    await accepted(feedback)
    await feedback.hear(kept(feedback, seq=9), passed(feedback, seq=8), moved(feedback, seq=7))
    view = await shown(feedback, await promise_of(feedback))
    assert (view["promise_ended"], view["promised_date"]) == ("kept", DAY)
    assert "citizen.told:promise_moved" not in await names(feedback)


async def test_a_promise_heard_of_before_its_answer_waits(feedback: Bench) -> None:
    await feedback.hear(registration(feedback))
    early = kept(feedback)
    await feedback.hear(early)
    assert await count(feedback, "promise") == 0
    await feedback.hear(resolution(feedback, promised=DAY))
    await feedback.hear(early)
    assert (await names(feedback)).count("citizen.told:promise_kept") == 1


async def test_one_call_asks_of_both_when_it_was_kept_before_anybody_called(
    calling: Bench, outside: Outside
) -> None:
    await put_off(calling)
    await calling.hear(kept(calling))
    calling.at(FIRST_CALL)
    await calling.run("ring")
    assert outside.asks[-1].get_json()["about"] == "both"
    assert "是否解决" in outside.asks[-1].get_json()["questions"][1]["zh"]
    await report(calling, await callback_of(calling), "answered", **SATISFIED)
    assert [f.data.kind for f in await calling.told("ticket.closed")] == ["satisfied"]
    assert [f.data.solved for f in await calling.told("promise.confirmed")] == ["yes"]
    assert await count(calling, "promise") == 0
    await calling.hear(passed(calling))
    assert await count(calling, "promise") == 0


async def test_not_solved_at_that_one_call_is_a_broken_promise(feedback: Bench) -> None:
    await put_off(feedback)
    await feedback.hear(kept(feedback))
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    await report(feedback, await callback_of(feedback), "answered", solved="no")
    assert [f.data.cause for f in await feedback.told("ticket.reopened")] == ["promise_broken"]


async def test_kept_while_the_citizen_is_on_the_line_is_asked_of_afterwards(
    feedback: Bench,
) -> None:
    """That call asks whether the day is accepted: its "yes" is no word on what was done."""
    await put_off(feedback)
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    await feedback.hear(kept(feedback))
    assert await count(feedback, "promise") == 0
    feedback.at("2026-03-05T15:00+08:00")
    await report(feedback, await callback_of(feedback), "answered", **ACCEPTED)
    assert await feedback.told("promise.confirmed") == []
    planned = (await feedback.told("callback.planned"))[-1].data
    assert (planned.about, planned.due) == (
        "promise",
        datetime.fromisoformat("2026-03-06T09:00+08:00"),
    )


async def test_the_release_before_finds_nothing_to_do_in_a_call_about_a_promise(
    feedback: Bench,
) -> None:
    """It knows these four words, and one callback a round."""
    await asked_of_promise(feedback)
    await feedback.http("phone_system").post(
        f"/v1/callbacks/{await promise_of(feedback)}/outcome",
        json={"attempt": 1, "outcome": "unreachable"},
    )
    rows = await feedback.rows("SELECT about, next_step FROM callbacks ORDER BY about")
    assert [(row["about"], row["next_step"]) for row in rows] == [
        ("answer", None),
        ("promise", "promise_fall_due"),
    ]


async def test_an_acceptance_is_not_taken_for_an_answer_to_another_question(
    feedback: Bench,
) -> None:
    await put_off(feedback)
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    callback = await callback_of(feedback)
    await report(feedback, callback, "answered", contacted="yes", solved="yes")
    await feedback.hear(kept(feedback))
    feedback.at(await feedback.service.next_due() or feedback.now)
    await feedback.run("ring")
    await report(feedback, callback, "answered", attempt=2, satisfied="satisfied")
    said = (await shown(feedback, callback))["said"]
    assert said == {"contacted": "yes", "solved": None, "satisfied": "satisfied"}
    assert await feedback.told("promise.confirmed") == []


# --- whom nobody asks --------------------------------------------------------------------------


async def test_a_promise_of_an_older_round_asks_nobody(feedback: Bench) -> None:
    await accepted(feedback)
    await say(feedback, solved="no")
    assert [f.round for f in await feedback.told("ticket.reopened")] == [2]
    await feedback.hear(kept(feedback), passed(feedback))
    assert await count(feedback, "promise") == 0
    assert "citizen.told:promise_kept" not in await names(feedback)


async def test_a_withdrawn_ticket_is_asked_of_nothing(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    await feedback.hear(withdrawal(feedback))
    assert await status_of(feedback, callback) == "cancelled"
    assert (await feedback.http("callback").get("/v1/callbacks/due")).json()["items"] == []


async def test_withdrawn_before_the_day_asks_nobody(feedback: Bench) -> None:
    await accepted(feedback)
    await feedback.hear(withdrawal(feedback), kept(feedback))
    assert await count(feedback, "promise") == 0
    assert "citizen.told:promise_kept" not in await names(feedback)


@pytest.mark.parametrize("changes", [{"has_contact": False}, {"reply_declined": True}])
async def test_whom_nobody_calls_nobody_asks(feedback: Bench, changes: dict[str, Any]) -> None:
    await put_off(feedback, **changes)
    told = await names(feedback)
    await feedback.hear(kept(feedback))
    assert await count(feedback, "promise") == 0
    assert await names(feedback) == told


async def test_a_return_by_the_platform_ends_the_asking(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    body = {"by": "upstream", "reason": "平台退回"}
    answer = await feedback.http("agent").post(f"/v1/tickets/{NUMBER}/reopening", json=body)
    assert answer.status_code == 200, answer.text
    assert await status_of(feedback, callback) == "cancelled"
    assert [f.data.cause for f in await feedback.told("ticket.reopened")] == ["upstream"]


# --- the citizen who rings ---------------------------------------------------------------------


async def test_who_rings_after_the_day_is_heard_on_the_promise(feedback: Bench) -> None:
    """Seven weeks after the end, where a repeat call would be a new ticket."""
    callback = await asked_of_promise(feedback)
    half = (await say(feedback, satisfied="satisfied")).json()
    assert (half["ending"], half["missing"], half["about"]) == (None, ["solved"], "promise")
    found = await say(feedback, solved="yes")
    assert (found.json()["ending"], found.json()["current_round"]) == ("satisfied", 1)
    assert await status_of(feedback, callback) == "answered"
    assert [f.data.satisfied for f in await feedback.told("promise.confirmed")] == ["satisfied"]
    assert len(await feedback.told("ticket.closed")) == 1
    told = await names(feedback)
    assert (await say(feedback, solved="yes")).status_code == 200  # the same again
    assert await names(feedback) == told


async def test_who_rings_because_it_was_not_kept_reopens(feedback: Bench) -> None:
    await asked_of_promise(feedback)
    found = (await say(feedback, solved="no")).json()
    assert found["current_round"] == 2
    assert [f.data.cause for f in await feedback.told("ticket.reopened")] == ["promise_broken"]


async def test_who_was_not_reached_is_heard_within_the_policys_time(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    await report(feedback, callback, "refused")
    feedback.at("2026-05-20T09:00+08:00")  # eleven working days later and more
    late = await say(feedback, solved="no")
    assert (late.status_code, late.json()["type"].rsplit("/", 1)[-1]) == (409, "not-reopened")
    feedback.at("2026-04-29T09:00+08:00")
    assert (await say(feedback, solved="no")).status_code == 200
    assert [f.data.cause for f in await feedback.told("ticket.reopened")] == ["promise_broken"]


# --- counted apart -----------------------------------------------------------------------------


async def test_promises_are_counted_apart(feedback: Bench) -> None:
    """R-19: who accepts to wait is content with the answer, and has not said that it was solved."""
    callback = await asked_of_promise(feedback)
    await report(feedback, callback, "answered", **(KEPT | {"solved": "partly"}))
    query = {"from": "2026-03-01", "to": "2026-04-30", "formula": "beijing-district"}
    found = (await feedback.http("supervisor").get("/v1/rates", params=query)).json()
    assert (found["counts"]["called"], found["counts"]["satisfied"]) == (1, 1)
    assert (found["counts"]["solved"], found["rates"]["solved"]) == (0, 0)
    nothing = {"called": 1, "yes": 0, "partly": 0, "no": 0, "refused": 0, "unreachable": 0}
    wanted = {"accepted": nothing | {"yes": 1}, "kept": nothing | {"partly": 1}}
    assert found["promises"] == wanted
    assert [(unit["unit"], unit["promises"]) for unit in found["units"]] == [("CG", wanted)]
    april = {"from": "2026-04-01", "to": "2026-04-30"}
    later = (await feedback.http("supervisor").get("/v1/rates", params=april)).json()
    assert (later["counts"]["called"], later["promises"]["kept"]["called"]) == (0, 1)
