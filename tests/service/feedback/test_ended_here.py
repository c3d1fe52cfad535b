"""What the hotline ended itself (R-02, R-06 … R-08): the citizen is told, nobody is called, and the call's
rating is no figure of the matter (R-26).
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from shared.events import (
    Data,
    Fact,
    TicketAnswered,
    TicketCallRated,
    TicketHandedOver,
    TicketNotAccepted,
    TicketResumed,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    NUMBER,
    callback_of,
    names,
    registration,
    resolution,
    status_of,
)

ABOUT: dict[str, Any] = {
    "type": "consultation",
    "urgency": "normal",
    "topic": "water.supply",
    "area": "610924100",
    "channel": "phone",
    "registered": False,
}


def answered(bench: Bench, **changes: Any) -> Fact:
    data = ABOUT | {"answer": "三楼窗口"} | changes
    return bench.fact(TicketAnswered.model_validate(data), subject=NUMBER)


def not_accepted(bench: Bench, **changes: Any) -> Fact:
    words = {"reason_code": "already_in_petition", "zh": "已由信访途径受理。", "en": "A petition."}
    return bench.fact(TicketNotAccepted.model_validate(ABOUT | words | changes), subject=NUMBER)


def handed_over(bench: Bench, **changes: Any) -> Fact:
    line = {"line": "119", "zh": "消防救援119", "en": "fire 119", "taken_at": bench.now}
    return bench.fact(TicketHandedOver.model_validate(ABOUT | line | changes), subject=NUMBER)


@pytest.mark.parametrize(
    ("ended", "occasion", "words"),
    [(answered, "answered", "直接答复"), (not_accepted, "not_accepted", "信访"),
     (handed_over, "handed_over", "消防救援119")],
)  # fmt: skip
async def test_the_citizen_is_told_of_a_number_nobody_registered(
    feedback: Bench, ended: Any, occasion: str, words: str
) -> None:
    """R-02, R-06, R-07: answered, not accepted or handed over, the citizen is told."""
    await feedback.hear(ended(feedback))
    [told] = await feedback.told("citizen.told")
    assert (told.data.occasion, told.data.channel) == (occasion, "sms")
    assert words in told.data.zh
    assert NUMBER in told.data.zh
    assert NUMBER in told.data.en
    assert await feedback.parked() == []


@pytest.mark.parametrize("ended", [answered, not_accepted, handed_over])
async def test_of_a_confidential_ticket_the_message_says_nothing(
    feedback: Bench, ended: Any
) -> None:
    """Whoever holds the telephone reads it."""
    await feedback.hear(ended(feedback, confidential=True))
    [told] = await feedback.told("citizen.told")
    assert "您反映的事项" in told.data.zh
    assert not {"信访", "119", "直接答复"} & {
        w for w in ("信访", "119", "直接答复") if w in told.data.zh
    }


@pytest.mark.parametrize("changes", [{"has_contact": False}, {"reply_declined": True}])
async def test_who_cannot_or_will_not_be_told_is_not(
    feedback: Bench, changes: dict[str, Any]
) -> None:
    await feedback.hear(answered(feedback, **changes))
    assert await feedback.told() == []


async def test_what_is_registered_later_is_followed_as_any_other(feedback: Bench) -> None:
    await feedback.hear(answered(feedback), registration(feedback), resolution(feedback))
    assert await status_of(feedback, await callback_of(feedback)) == "planned"
    occasions = [fact.data.occasion for fact in await feedback.told("citizen.told")]
    assert occasions == ["answered", "accepted", "completed"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_what_the_hotline_ended_is_not_called_about(
    feedback: Bench, order: tuple[int, ...]
) -> None:
    """Whichever comes first, the end or a unit's answer that crossed with it."""
    facts = [registration(feedback), answered(feedback, registered=True), resolution(feedback)]
    for at in order:
        await feedback.hear(facts[at])
    while await feedback.service.inbox.retry_once(now=feedback.now.replace(year=2099)):
        pass
    assert await feedback.parked() == []
    [callback] = await feedback.rows("SELECT status, next_at FROM callbacks")
    assert (callback["status"], callback["next_at"]) == ("cancelled", None)


async def test_what_goes_on_is_reopened_once(feedback: Bench) -> None:
    """Only feedback opens a round (ADR 0006)."""
    await feedback.hear(registration(feedback), answered(feedback, registered=True))
    resumed: Data = TicketResumed(reason="不满意", taken_back=True)
    for _ in range(2):
        await feedback.hear(feedback.fact(resumed, subject=NUMBER))
    [reopened] = await feedback.told("ticket.reopened")
    assert (reopened.round, reopened.data.reasons, reopened.data.continues) == (2, (), True)
    assert "评价" not in (await feedback.told("citizen.told"))[-1].data.zh
    assert (await names(feedback))[-1] == "citizen.told:reopened"


async def test_calls_are_rated_apart_from_matters(feedback: Bench) -> None:
    """R-26: two ratings of two objects."""
    for at, (rating, direct) in enumerate(
        [("satisfied", True), ("unsatisfied", True), ("satisfied", False)]
    ):
        data = TicketCallRated.model_validate({"rating": rating, "direct": direct})
        await feedback.hear(feedback.fact(data, subject=f"20260302-00000{at}"))
    found = (await feedback.http("supervisor").get("/v1/rates")).json()
    assert found["calls"]["all"]["satisfied"] == 2
    assert found["calls"]["direct"] == {
        "satisfied": 1, "basically_satisfied": 0, "unsatisfied": 1, "unrated": 0
    }  # fmt: skip
    assert found["counts"]["called"] == 0


@pytest.mark.parametrize("late", [False, True])
async def test_what_was_put_right_while_only_the_hotline_had_it_counts(
    feedback: Bench, late: bool
) -> None:
    """R-35: no correction is said of such a number; what is said of it next has what is right."""
    first = answered(feedback)
    kept: dict[str, Any] = {"confidential": True, "reply_declined": False}
    again = answered(feedback, **kept)
    sent_on = registration(feedback, type="report", **kept)
    for fact in (again, sent_on, first) if late else (first, again, sent_on):
        await feedback.hear(fact)
    told = [fact.data.zh for fact in await feedback.told("citizen.told")]
    assert all("您反映的事项" in words for words in (told[:2] if late else told[1:]))
    [row] = await feedback.rows("SELECT type, confidential FROM tickets")
    assert (row["type"], row["confidential"]) == ("report", True)


async def test_who_wants_no_call_since_is_not_called(feedback: Bench) -> None:
    await feedback.hear(answered(feedback), registration(feedback, reply_declined=True))
    await feedback.hear(resolution(feedback))
    assert "callback.planned" not in await names(feedback)
