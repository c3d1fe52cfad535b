"""承诺办结: the day is told, accepted or not, and asked of after it came (R-19, gain 7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.events import ClockKind, DeadlineBreached, Fact, PromiseKept, PromiseMoved
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

DAY = "2026-04-30"
KEPT_AT = "2026-04-20T16:00+08:00"
ASKED_AT = "2026-04-21T09:00+08:00"
ACCEPTED: dict[str, Any] = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}
KEPT: dict[str, Any] = {"solved": "yes", "satisfied": "basically_satisfied"}


def kept(bench: Bench, round: int = 1, seq: int | None = None, at: str | None = None) -> Fact:
    """承诺兑现."""
    data = PromiseKept(promised_date=DAY, result="路面已重铺", late=False)
    return bench.fact(data, unit="CG", round=round, seq=seq, time=moment(at))


def moved(bench: Bench, until: str = "2026-05-15", seq: int | None = None) -> Fact:
    """承诺改期."""
    data = PromiseMoved(before=DAY, promised_date=until, unit_reason="材料未到", ruling="同意")
    return bench.fact(data, unit="CG", seq=seq)


def passed(bench: Bench, clock: ClockKind = ClockKind.PROMISE, seq: int | None = None) -> Fact:
    """The day came and went."""
    due = datetime.fromisoformat(f"{DAY}T23:59:59+08:00")
    return bench.fact(DeadlineBreached(clock=clock, due=due), unit="CG", time=due, seq=seq)


def moment(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None


async def put_off(bench: Bench, **changes: Any) -> None:
    """A ticket whose lead promised a day."""
    await bench.hear(registration(bench, **changes), resolution(bench, promised=DAY))


async def accepted(bench: Bench, **answers: Any) -> None:
    """The same, and the citizen was called and accepted it: the ticket is closed."""
    await put_off(bench)
    bench.at(FIRST_CALL)
    await bench.run("ring")
    answer = await report(bench, await callback_of(bench), "answered", **(ACCEPTED | answers))
    assert answer.status_code == 200, answer.text


async def promise_of(bench: Bench) -> UUID:
    """The callback about the promise."""
    [row] = await bench.rows("SELECT id FROM callbacks WHERE about = 'promise'")
    found: UUID = row["id"]
    return found


async def asked_of_promise(bench: Bench) -> UUID:
    """The unit said that it kept its promise, and the citizen is to be called."""
    await accepted(bench)
    bench.at(KEPT_AT)
    await bench.hear(kept(bench))
    bench.at(ASKED_AT)
    assert await bench.run("ring") == 1
    return await promise_of(bench)


async def shown(bench: Bench, callback: UUID) -> dict[str, Any]:
    found: dict[str, Any] = (await bench.http("callback").get(f"/v1/callbacks/{callback}")).json()
    return found


async def say(bench: Bench, **body: Any) -> Any:
    """The citizen rings."""
    return await bench.http("agent").post(f"/v1/tickets/{NUMBER}/verdict", json=body)


async def count(bench: Bench, about: str) -> int:
    query = "SELECT id FROM callbacks WHERE about = :about"
    return len(await bench.rows(query, about=about))


# --- what the citizen reads --------------------------------------------------------------------


async def test_the_citizen_reads_the_promised_day(feedback: Bench) -> None:
    await put_off(feedback)
    [_, told] = await feedback.told("citizen.told")
    assert told.data.occasion == "completed"
    assert "承诺在2026年4月30日前办结" in told.data.zh
    assert "by 30 April 2026" in told.data.en


async def test_of_a_confidential_matter_the_day_is_told_and_no_unit(feedback: Bench) -> None:
    await put_off(feedback, confidential=True)
    [_, told] = await feedback.told("citizen.told")
    assert "2026年4月30日" in told.data.zh
    assert "单位" not in told.data.zh


async def test_a_later_answer_with_another_day_is_told_again(feedback: Bench) -> None:
    await put_off(feedback)
    await feedback.hear(resolution(feedback, promised="2026-05-31"))
    told = [
        f.data.zh for f in await feedback.told("citizen.told") if f.data.occasion == "completed"
    ]
    assert ["4月30日" in told[0], "5月31日" in told[1], len(told)] == [True, True, 2]


async def test_a_moved_day_is_told_once_with_the_units_reason(feedback: Bench) -> None:
    await accepted(feedback)
    news = moved(feedback)
    await feedback.hear(news)
    await feedback.hear(news)
    [told] = [f for f in await feedback.told("citizen.told") if f.data.occasion == "promise_moved"]
    assert all(words in told.data.zh for words in ("2026年4月30日", "2026年5月15日", "材料未到"))
    assert "15 May 2026" in told.data.en
    await feedback.hear(kept(feedback))
    assert (await shown(feedback, await promise_of(feedback)))["promised_date"] == DAY


async def test_a_units_long_words_and_a_persons_name_stay_out_of_messages(feedback: Bench) -> None:
    await accepted(feedback)
    data = PromiseKept(promised_date=DAY, result="我是王小明，" + "已办" * 300, late=True)
    await feedback.hear(feedback.fact(data, unit="CG"))
    told = (await feedback.told("citizen.told"))[-1].data
    assert "王小明" not in told.zh
    assert len(told.zh) < 300
    assert "我们将回访" in told.zh


# --- does the citizen accept it? ---------------------------------------------------------------


async def test_the_first_call_asks_whether_the_day_is_accepted(
    calling: Bench, outside: Outside
) -> None:
    await put_off(calling)
    calling.at(FIRST_CALL)
    await calling.run("ring")
    [asked] = [request.get_json() for request in outside.asks]
    assert (asked["about"], asked["promised_date"]) == ("put_off", DAY)
    solved = next(each for each in asked["questions"] if each["id"] == "solved")
    assert "承诺在2026年4月30日前办结，您是否同意" in solved["zh"]
    view = (await calling.http("callback").get("/v1/callbacks/due")).json()["items"][0]
    assert (view["about"], view["promised_date"]) == ("put_off", DAY)
    assert view["questions"] == asked["questions"]


async def test_who_accepts_the_day_closes_the_round(feedback: Bench) -> None:
    await accepted(feedback)
    [closed] = await feedback.told("ticket.closed")
    [answered] = await feedback.told("callback.answered")
    assert (closed.data.kind, answered.data.about) == ("satisfied", "put_off")
    assert await count(feedback, "promise") == 0


async def test_who_does_not_accept_it_reopens(feedback: Bench) -> None:
    await accepted(feedback, solved="no")
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.data.reasons, reopened.data.cause) == (("not_solved",), "verdict")
    await feedback.hear(kept(feedback), passed(feedback))
    assert await count(feedback, "promise") == 0
    assert "citizen.told:promise_kept" not in await names(feedback)


# --- and after the day? ------------------------------------------------------------------------


async def test_a_kept_promise_is_told_and_asked_of_the_next_day(
    calling: Bench, outside: Outside
) -> None:
    callback = await asked_of_promise(calling)
    told = (await names(calling))[-2:]
    assert told == ["callback.planned", "citizen.told:promise_kept"]
    planned = (await calling.told("callback.planned"))[-1].data
    assert (planned.about, planned.due) == ("promise", datetime.fromisoformat(ASKED_AT))
    asked = outside.asks[-1].get_json()
    assert (asked["about"], asked["callback"]) == ("promise", str(callback))
    assert [each["id"] for each in asked["questions"]] == ["solved", "satisfied", "comment"]
    view = await shown(calling, callback)
    assert (view["about"], view["promise_ended"], view["ending"]) == (
        "promise",
        "kept",
        "satisfied",
    )
    assert (view["status"], view["finish_due"][:10]) == ("due", "2026-04-27")


async def test_who_says_it_was_kept_confirms_it_and_nothing_closes_again(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    before = len(await feedback.told())
    answer = await report(feedback, callback, "answered", **KEPT, comment="路修好了")
    assert answer.status_code == 200, answer.text
    [confirmed] = await feedback.told("promise.confirmed")
    assert (confirmed.key, confirmed.round) == ("promise.confirmed.CG", 1)
    data = confirmed.data
    assert (data.promised_date, data.solved, data.satisfied) == (DAY, "yes", "basically_satisfied")
    assert data.comment == "路修好了"
    assert len(await feedback.told()) == before + 1
    assert answer.json()["ending"] == "satisfied"  # as it was closed


async def test_who_says_it_was_not_kept_reopens(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    answer = await report(feedback, callback, "answered", solved="no", comment="路还是坑")
    assert answer.status_code == 200, answer.text
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.round, reopened.data.cause) == (2, "promise_broken")
    assert reopened.data.reasons == ("not_solved",)
    assert await feedback.told("promise.confirmed") == []
    assert len(await feedback.told("ticket.closed")) == 1


async def test_kept_but_not_well_reopens_and_is_no_broken_promise(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    await report(feedback, callback, "answered", solved="partly", satisfied="unsatisfied")
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.data.reasons, reopened.data.cause) == (("not_satisfied",), "verdict")
    assert await feedback.told("promise.confirmed") == []


async def test_half_an_answer_is_asked_again(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    await report(feedback, callback, "answered", solved="yes")
    assert await status_of(feedback, callback) == "no_answer"
    assert await feedback.told("promise.confirmed") == []


async def test_a_day_that_passed_in_silence_is_asked_of(feedback: Bench) -> None:
    await accepted(feedback)
    feedback.at("2026-05-06T08:00+08:00")
    await feedback.hear(passed(feedback, ClockKind.HANDLE), passed(feedback))
    planned = (await feedback.told("callback.planned"))[-1].data
    assert (planned.about, planned.due) == (
        "promise",
        datetime.fromisoformat("2026-05-06T09:00+08:00"),
    )
    assert "citizen.told:promise_kept" not in await names(feedback)
    view = await shown(feedback, await promise_of(feedback))
    assert view["promise_ended"] == "passed"


async def test_other_clocks_that_pass_ask_nobody(feedback: Bench) -> None:
    await accepted(feedback)
    await feedback.hear(passed(feedback, ClockKind.HANDLE))
    assert await count(feedback, "promise") == 0


async def test_nobody_reached_leaves_the_ticket_closed(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    for attempt in (1, 2, 3):
        assert (await report(feedback, callback, "unreachable", attempt)).status_code == 200
        if at := await feedback.service.next_due():
            feedback.at(at)
            await feedback.run("ring")
    given_up = (await feedback.told("callback.given_up"))[-1].data
    assert (given_up.outcome, given_up.attempts, given_up.about) == ("unreachable", 3, "promise")
    assert len(await feedback.told("ticket.closed")) == 1
    assert await feedback.told("ticket.reopened") == []


async def test_who_hangs_up_on_it_leaves_the_ticket_closed(feedback: Bench) -> None:
    callback = await asked_of_promise(feedback)
    await report(feedback, callback, "refused")
    assert (await feedback.told("callback.given_up"))[-1].data.about == "promise"
    assert len(await feedback.told("ticket.closed")) == 1


async def test_a_wrong_number_waits_and_lapses(calling: Bench) -> None:
    callback = await asked_of_promise(calling)
    await report(calling, callback, "wrong_number")
    query = {"awaits_number": True}
    listed = (await calling.http("callback").get("/v1/callbacks", params=query)).json()["items"]
    assert [each["id"] for each in listed] == [str(callback)]
    calling.at("2026-04-28T09:00+08:00")
    assert await calling.run("expire") == 1
    assert await status_of(calling, callback) == "given_up"
    assert len(await calling.told("ticket.closed")) == 1


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
    await report(feedback, await callback_of(feedback), "answered", **ACCEPTED)
    assert await feedback.told("promise.confirmed") == []
    planned = (await feedback.told("callback.planned"))[-1].data
    assert (planned.about, planned.due) == (
        "promise",
        datetime.fromisoformat("2026-03-04T09:00+08:00"),
    )


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
    """Who accepts to wait is content with the answer, and has not said that it was solved."""
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
