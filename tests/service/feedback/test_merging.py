"""并单 at feedback: each citizen is told, and called on their own account (gain 8)."""

from __future__ import annotations

from shared.events import TicketMerged
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import NUMBER, registration, resolution


async def test_each_citizen_is_told_once_and_nobody_elses_number(feedback: Bench) -> None:
    """Gain 8: each is told."""
    other = "20260302-000009"
    merged = feedback.fact(TicketMerged(into=other, reason="同一件事"), subject=NUMBER)
    await feedback.hear(registration(feedback), merged)
    again = feedback.fact(TicketMerged(into=other, reason="同一件事"), subject=NUMBER)
    await feedback.hear(again)
    told = [fact for fact in await feedback.told("citizen.told") if fact.data.occasion == "merged"]
    assert [fact.subject for fact in told] == [NUMBER]
    assert other not in told[0].data.zh + told[0].data.en


async def test_who_declined_a_reply_is_not_told(feedback: Bench) -> None:
    merged = feedback.fact(TicketMerged(into="20260302-000009", reason="同一件事"), subject=NUMBER)
    await feedback.hear(registration(feedback, reply_declined=True), merged)
    occasions = [fact.data.occasion for fact in await feedback.told("citizen.told")]
    assert occasions == ["accepted"]


async def test_who_is_confidential_is_told_in_neutral_words_and_called_all_the_same(
    feedback: Bench,
) -> None:
    """R-35: and nothing of the ticket waits behind a message that nobody could write."""
    merged = feedback.fact(TicketMerged(into="20260302-000009", reason="同一件事"), subject=NUMBER)
    await feedback.hear(registration(feedback, confidential=True), merged)
    await feedback.hear(resolution(feedback))
    told = {fact.data.occasion: fact.data.zh for fact in await feedback.told("citizen.told")}
    assert "您反映的事项" in told["merged"]
    assert [fact.subject for fact in await feedback.told("callback.planned")] == [NUMBER]
