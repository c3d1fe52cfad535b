"""承诺办结: the day is told, accepted or not, and asked of after it came (R-19, gain 7)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import pytest

from shared.events import ClockKind, PromiseKept
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    NUMBER,
    Outside,
    names,
    registration,
    report,
    resolution,
    status_of,
)
from tests.fixtures.scenes.promises import (
    ACCEPTED,
    ASKED_AT,
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
    shown,
)

# --- what the citizen reads --------------------------------------------------------------------


async def test_the_citizen_reads_the_promised_day(feedback: Bench) -> None:
    """R-19 承诺办结, gain 7: in the words people use for a day."""
    await put_off(feedback)
    [_, told] = await feedback.told("citizen.told")
    assert told.data.occasion == "completed"
    assert "承诺在2026年4月30日前办结" in told.data.zh
    assert "by 30 April 2026" in told.data.en


@pytest.mark.parametrize(("today", "passed"), [("2026-04-30", False), ("2026-05-01", True)])
@pytest.mark.parametrize("confidential", [False, True])
async def test_a_day_that_passed_during_the_audit_is_not_promised_any_more(
    feedback: Bench, today: str, passed: bool, confidential: bool
) -> None:
    """R-19: the citizen is not told of what is over as if it were to come."""
    feedback.at(f"{today}T23:30+08:00")
    await put_off(feedback, confidential=confidential)
    [_, told] = await feedback.told("citizen.told")
    assert ("该日期已过" in told.data.zh, "has passed" in told.data.en) == (passed, passed)
    assert "承诺在2026年4月30日前办结" in told.data.zh
    assert "30 April 2026" in told.data.en
    assert "单位" not in told.data.zh or not confidential


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
    """R-19, R-27: and of the promise nobody is asked any more."""
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
    """R-19, R-23: by the times of any first call."""
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
    """R-19, R-27."""
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


async def test_everybody_whose_ticket_was_worked_on_with_it_is_asked(feedback: Bench) -> None:
    """并单: one promise, several citizens; each is told and asked in their own round (R-19)."""
    order, other = UUID(int=9), "20260302-000002"
    await feedback.hear(
        registration(feedback),
        registration(feedback, number=other),
        resolution(feedback, promised=DAY, promise=order),
        resolution(feedback, other, promised=DAY, promise=order),
    )
    for number in (NUMBER, other):
        feedback.at(FIRST_CALL)
        await feedback.run("ring")
        [row] = await feedback.rows("SELECT id FROM callbacks WHERE number = :n", n=number)
        assert (await report(feedback, row["id"], "answered", **ACCEPTED)).status_code == 200
    feedback.at("2026-05-06T08:00+08:00")
    await feedback.hear(passed(feedback, assignment=order))
    asked = await feedback.rows("SELECT number FROM callbacks WHERE about = 'promise'")
    assert {row["number"] for row in asked} == {NUMBER, other}
    await feedback.hear(passed(feedback, assignment=order))
    assert await count(feedback, "promise") == 2
    told = PromiseKept(promised_date=DAY, result="路面已重铺", late=True)
    await feedback.hear(feedback.fact(told, unit="CG", assignment=order))
    heard = [f for f in await feedback.told("citizen.told") if f.data.occasion == "promise_kept"]
    assert {fact.subject for fact in heard} == {NUMBER, other}


async def test_who_hears_the_answer_after_its_promise_ended_is_asked_of_both(
    feedback: Bench,
) -> None:
    """R-19, 并单: facts of another ticket come in any order."""
    order, other = UUID(int=9), "20260302-000002"
    await feedback.hear(registration(feedback), registration(feedback, number=other))
    await feedback.hear(resolution(feedback, promised=DAY, promise=order))
    told = PromiseKept(promised_date=DAY, result="路面已重铺", late=False)
    await feedback.hear(feedback.fact(told, unit="CG", assignment=order))
    await feedback.hear(resolution(feedback, other, promised=DAY, promise=order))
    feedback.at(FIRST_CALL)
    await feedback.run("ring")
    [row] = await feedback.rows("SELECT id FROM callbacks WHERE number = :n", n=other)
    view = await shown(feedback, row["id"])
    assert (view["promise_ended"], view["about"]) == ("kept", "both")


async def test_a_day_that_passed_in_silence_is_asked_of(feedback: Bench) -> None:
    """R-19: the unit said nothing, the citizen can."""
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
    assert (view["promise_ended"], view["about"], view["status"]) == (
        "passed",
        "promise",
        "planned",
    )


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
