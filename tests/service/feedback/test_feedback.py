"""Feedback's second door: what it makes of the facts it hears, in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    ClockKind,
    DeadlineLengthened,
    DeadlineShortened,
    Fact,
    LegalLimit,
    Role,
    SupervisionRaised,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    NUMBER,
    SATISFIED,
    UNSATISFIED,
    callback_of,
    dispatch,
    due,
    extension,
    names,
    registration,
    report,
    resolution,
    resolved,
    status_of,
    withdrawal,
)

# --- messages ----------------------------------------------------------------------------------


async def test_the_citizen_is_told_at_each_turn(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), dispatch(feedback))
    await feedback.hear(extension(feedback, "2026-03-16T18:00+08:00"), resolution(feedback))
    told = await feedback.told("citizen.told")
    assert [fact.data.occasion for fact in told] == [
        "accepted",
        "dispatched",
        "extended",
        "completed",
    ]
    assert {fact.data.channel for fact in told} == {"sms"}
    assert all(NUMBER in fact.data.zh and NUMBER in fact.data.en for fact in told)
    assert "城关镇" in told[1].data.zh
    assert "2026-03-16" in told[2].data.zh
    assert all("停水" not in fact.data.zh for fact in told)


async def test_a_unit_nobody_lists_is_told_of_without_its_code(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), dispatch(feedback, lead="GONE"))
    [*_, told] = await feedback.told("citizen.told")
    assert told.data.occasion == "dispatched"
    assert "已交承办单位办理" in told.data.zh
    assert not [text for text in (told.data.zh, told.data.en) if "GONE" in text]


async def test_the_citizen_hears_of_the_lead_once_a_round_and_of_no_co_handler(
    feedback: Bench,
) -> None:
    await feedback.hear(
        registration(feedback),
        dispatch(feedback, "CG", Role.CO),
        dispatch(feedback, "HC"),
        dispatch(feedback, "HP"),
    )
    assert await names(feedback) == ["citizen.told:accepted", "citizen.told:dispatched"]


async def test_each_extension_is_told(feedback: Bench) -> None:
    """R-18 延期."""
    await feedback.hear(
        registration(feedback),
        extension(feedback, "2026-03-16T18:00+08:00"),
        extension(feedback, "2026-03-20T18:00+08:00"),
    )
    told = await feedback.told("citizen.told")
    assert [fact.data.occasion for fact in told] == ["accepted", "extended", "extended"]


async def test_who_declined_a_reply_hears_only_that_it_was_accepted(feedback: Bench) -> None:
    await feedback.hear(
        registration(feedback, reply_declined=True), dispatch(feedback), resolution(feedback)
    )
    assert await names(feedback) == ["citizen.told:accepted", "ticket.closed"]


async def test_without_a_contact_nobody_is_told(feedback: Bench) -> None:
    await feedback.hear(
        registration(feedback, has_contact=False), dispatch(feedback), resolution(feedback)
    )
    assert await names(feedback) == ["ticket.closed"]


# --- planning ----------------------------------------------------------------------------------


async def test_a_completion_plans_the_first_call_of_the_next_day(feedback: Bench) -> None:
    """R-23 回访."""
    await resolved(feedback)
    [planned] = await feedback.told("callback.planned")
    assert planned.data.attempt == 1
    assert planned.data.due == datetime.fromisoformat(FIRST_CALL)
    assert planned.round == 1
    view = (await feedback.http("callback").get("/v1/callbacks")).json()["items"][0]
    assert (view["status"], view["lead"], view["number"]) == ("planned", "CG", NUMBER)
    assert view["sentence"].keys() == {"zh", "en"}
    assert datetime.fromisoformat(view["finish_due"]) == datetime.fromisoformat(
        "2026-03-09T18:00+08:00"
    )


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"type": "commendation"}, "commendation"),
        ({"reply_declined": True}, "reply_declined"),
        ({"has_contact": False}, "no_contact"),
    ],
)
async def test_who_gets_no_call_is_closed_at_once(
    feedback: Bench, changes: dict[str, Any], kind: str
) -> None:
    await resolved(feedback, **changes)
    [closed] = await feedback.told("ticket.closed")
    assert (closed.data.kind, closed.round) == (kind, 1)
    assert await feedback.rows("SELECT * FROM callbacks") == []
    assert await feedback.told("callback.planned") == []


async def test_the_later_of_two_completions_of_a_round_counts(feedback: Bench) -> None:
    later = resolution(feedback, at="2026-03-04T11:00+08:00", lead="HC", seq=9)
    earlier = resolution(feedback, at="2026-03-02T11:00+08:00", lead="CG", seq=5)
    await feedback.hear(registration(feedback))
    for facts in ([earlier, later], [later, earlier]):
        await feedback.hear(*facts)
        [row] = await feedback.rows("SELECT lead, seq FROM resolutions")
        assert row == {"lead": "HC", "seq": 9}
        [attempt] = await feedback.rows("SELECT due FROM attempts")
        assert attempt["due"] == datetime.fromisoformat("2026-03-05T09:00+08:00")


async def test_a_completion_of_an_older_round_changes_nothing(feedback: Bench) -> None:
    callback = await due(feedback)
    await report(feedback, callback, "answered", **UNSATISFIED)
    before = await everything(feedback)
    await feedback.hear(resolution(feedback, round=1))
    assert await everything(feedback) == before


async def test_a_completion_of_a_round_nobody_opened_waits(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), resolution(feedback, round=2))
    [parked] = await feedback.parked()
    assert parked["state"] == "early"
    assert await feedback.rows("SELECT * FROM resolutions") == []


# --- withdrawal --------------------------------------------------------------------------------


async def test_a_withdrawn_ticket_is_not_called(feedback: Bench) -> None:
    await resolved(feedback)
    await feedback.hear(withdrawal(feedback))
    callback = await callback_of(feedback)
    assert await status_of(feedback, callback) == "cancelled"
    feedback.at(FIRST_CALL)
    assert await feedback.run("ring") == 0
    answer = await report(feedback, callback, "answered", **SATISFIED)
    assert answer.status_code == 409
    assert answer.json()["current_status"] == "cancelled"


async def test_a_call_under_way_is_cancelled_too(feedback: Bench) -> None:
    callback = await due(feedback)
    await feedback.hear(withdrawal(feedback))
    assert await status_of(feedback, callback) == "cancelled"
    assert await feedback.told("ticket.closed") == []


async def test_a_ticket_withdrawn_before_it_was_completed_is_not_closed_again(
    feedback: Bench,
) -> None:
    await feedback.hear(
        registration(feedback, type="commendation"),
        withdrawal(feedback, at="2026-03-02T09:00+08:00"),
        resolution(feedback, at="2026-03-02T10:00+08:00"),
    )
    assert await feedback.told("ticket.closed") == []


# --- order and doubling ------------------------------------------------------------------------

ROWS = {
    "tickets": "SELECT * FROM tickets WHERE number = :number",
    "resolutions": "SELECT * FROM resolutions WHERE number = :number ORDER BY round",
    "callbacks": "SELECT * FROM callbacks WHERE number = :number ORDER BY round",
    "attempts": "SELECT a.* FROM attempts a JOIN callbacks c ON c.id = a.callback"
    " WHERE c.number = :number ORDER BY c.round, a.attempt",
    "messages": "SELECT * FROM messages WHERE number = :number ORDER BY round, occasion",
}
GIVEN = {"number", "id", "callback"}


async def everything(bench: Bench, number: str = NUMBER) -> dict[str, list[dict[str, Any]]]:
    """All rows about a ticket, without its number and the ids feedback gave."""
    return {
        table: [
            {name: value for name, value in row.items() if name not in GIVEN}
            for row in await bench.rows(query, number=number)
        ]
        for table, query in ROWS.items()
    }


def a_withdrawn_ticket(bench: Bench) -> list[Fact]:
    return [
        registration(bench),
        dispatch(bench, "HC"),
        dispatch(bench, "CG", Role.CO),
        extension(bench, "2026-03-16T18:00+08:00"),
        resolution(bench, at="2026-03-02T16:00+08:00"),
        withdrawal(bench, at="2026-03-02T17:00+08:00"),
    ]


def a_ticket_completed_twice(bench: Bench) -> list[Fact]:
    return [
        registration(bench),
        dispatch(bench, "HC"),
        resolution(bench, at="2026-03-02T16:00+08:00"),
        resolution(bench, at="2026-03-03T16:00+08:00", lead="HC"),
        extension(bench, "2026-03-16T18:00+08:00"),
        bench.fact(
            SupervisionRaised(
                supervision=uuid4(), rung=1, title="催办", by="ladder", reason="红牌"
            ),
            subject=NUMBER,
            unit="HC",
        ),
    ]


def renamed(facts: list[Fact], number: str) -> list[Fact]:
    return [fact.model_copy(update={"subject": number, "id": uuid4()}) for fact in facts]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("story", [a_withdrawn_ticket, a_ticket_completed_twice])
async def test_shuffled_and_doubled_facts_give_the_same_rows(
    feedback: Bench, story: Callable[[Bench], list[Fact]], seed: int
) -> None:
    in_order, other = story(feedback), "20260302-000002"
    shuffled = renamed(in_order, other) * 2 + renamed(in_order, other)
    random.Random(seed).shuffle(shuffled)
    for fact in in_order:
        await feedback.hear(fact)
    expected = await everything(feedback)
    cut = seed * 3 + 1
    await feedback.hear(*shuffled[:cut])
    await feedback.hear(*shuffled[cut:])
    assert await feedback.parked() == []
    assert await everything(feedback, other) == await everything(feedback, NUMBER) == expected
    told = await feedback.told("citizen.told")
    assert sorted(f.data.zh.replace(other, NUMBER) for f in told if f.subject == other) == sorted(
        f.data.zh for f in told if f.subject == NUMBER
    )


# --- new dates (shared cases T4, T7) -----------------------------------------------------------


def lengthened(bench: Bench, round: int = 1) -> Fact:
    """The tracker says that a complex matter takes longer."""
    data = DeadlineLengthened(
        clock=ClockKind.CITIZEN,
        before=datetime.fromisoformat("2026-03-09T18:00+08:00"),
        due=datetime.fromisoformat("2026-03-23T18:00+08:00"),
        limit="15wd",
        reason="情况复杂",
    )
    return bench.fact(data, subject=NUMBER, round=round)


async def test_t7_the_citizen_is_told_of_a_longer_limit_once(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), lengthened(feedback), lengthened(feedback))
    told = await feedback.told("citizen.told")
    assert [fact.data.occasion for fact in told] == ["accepted", "extended"]
    assert "2026-03-23" in told[1].data.zh


@pytest.mark.parametrize(("confidential", "named"), [(False, True), (True, False)])
async def test_the_citizen_is_told_which_law_sets_the_time(
    feedback: Bench, confidential: bool, named: bool
) -> None:
    """DOMAIN.md 2.2, JN-24(2) 告知法定时限; of a confidential demand no message says which law."""
    law = LegalLimit(law="《劳动保障监察条例》", article="第十七条", limit="60wd")
    said = lengthened(feedback)
    by_law = feedback.fact(said.data.model_copy(update={"law": law}), subject=NUMBER, round=1)
    await feedback.hear(registration(feedback, confidential=confidential), by_law, by_law)
    _, told = await feedback.told("citizen.told")
    assert ("《劳动保障监察条例》第十七条" in told.data.zh) == named
    assert ("《劳动保障监察条例》, 第十七条" in told.data.en) == named
    assert "3月23日" in told.data.zh


@pytest.mark.parametrize(("confidential", "named"), [(False, True), (True, False)])
async def test_who_was_told_of_a_law_is_told_that_it_does_not_apply(
    feedback: Bench, confidential: bool, named: bool
) -> None:
    """ADR 0080: named, taken back, and named again after all: three messages."""
    law = LegalLimit(law="《劳动保障监察条例》", article="第十七条", limit="60wd")
    before, due = (datetime.fromisoformat(f"2026-{day}T18:00+08:00") for day in ("05-28", "03-09"))
    gone = DeadlineShortened(
        clock=ClockKind.CITIZEN, before=before, due=due, limit="5wd", reason="x", law=law
    )
    heard = [registration(feedback, confidential=confidential)]
    for hours, data in enumerate((lengthened(feedback).data.model_copy(update={"law": law}), gone)):
        at = feedback.now + timedelta(hours=hours)
        heard.append(feedback.fact(data, subject=NUMBER, round=1, time=at))
    again = feedback.now + timedelta(hours=2)
    heard.append(feedback.fact(heard[1].data, subject=NUMBER, round=1, time=again))
    await feedback.hear(*heard)
    _, first, told, last = await feedback.told("citizen.told")
    assert "经核实不适用，期限恢复为2026年3月9日" in told.data.zh
    assert ("《劳动保障监察条例》第十七条" in told.data.zh) == named
    assert "due by 9 March 2026 again" in told.data.en
    assert first.data.zh == last.data.zh


@pytest.mark.parametrize("over", [resolution, withdrawal])
@pytest.mark.parametrize(
    "said", [lengthened, lambda bench: extension(bench, "2026-03-23T18:00+08:00")]
)
async def test_t4_nothing_is_told_once_the_round_is_over(
    feedback: Bench, over: Callable[..., Fact], said: Callable[[Bench], Fact]
) -> None:
    ended = over(feedback, at=(feedback.now - timedelta(hours=1)).isoformat())
    await feedback.hear(registration(feedback), ended, said(feedback))
    told = await feedback.told("citizen.told")
    assert "extended" not in {fact.data.occasion for fact in told}


async def test_t4_a_grant_after_the_answer_is_not_told(feedback: Bench) -> None:
    granted = extension(feedback, "2026-03-23T18:00+08:00")
    after = feedback.fact(
        granted.data.model_copy(update={"while_open": False}),
        subject=NUMBER,
        assignment=uuid4(),
        unit="CG",
    )
    await feedback.hear(registration(feedback), after)
    told = await feedback.told("citizen.told")
    assert [fact.data.occasion for fact in told] == ["accepted"]
