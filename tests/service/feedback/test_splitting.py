"""拆分 at feedback: who called is told once, and asked of each matter by its name (R-14, R-23)."""

from __future__ import annotations

from shared.events import Fact, TicketSplit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import NUMBER, registration, resolution

MATTER = "20260302-000009"


def split(feedback: Bench) -> Fact:
    """The desk splits the call."""
    data = TicketSplit(title="停水", content="停水三天", matters=(MATTER,), reason="两件事")
    return feedback.fact(data, subject=NUMBER)


def matter(feedback: Bench, **changes: object) -> Fact:
    """What was taken off."""
    return registration(feedback, MATTER, split_from=NUMBER, title="夜间施工", **changes)


async def test_who_called_is_told_once_of_all_matters(feedback: Bench) -> None:
    await feedback.hear(registration(feedback))
    await feedback.hear(matter(feedback), split(feedback))
    told = [(fact.subject, fact.data.occasion) for fact in await feedback.told("citizen.told")]
    assert told == [(NUMBER, "accepted"), (NUMBER, "split")]
    assert "2个事项" in (await feedback.told("citizen.told"))[1].data.zh


async def test_each_matter_is_asked_of_by_its_name(feedback: Bench) -> None:
    await feedback.hear(registration(feedback))
    await feedback.hear(matter(feedback), split(feedback))
    await feedback.hear(resolution(feedback), resolution(feedback, MATTER))
    page = (await feedback.http("callback").get("/v1/callbacks")).json()
    asked = {each["number"]: (each["matter"], each["split_from"]) for each in page["items"]}
    assert asked == {NUMBER: ("停水", None), MATTER: ("夜间施工", NUMBER)}


async def test_of_a_confidential_matter_its_name_is_not_said(feedback: Bench) -> None:
    """R-35: whoever holds the telephone may not be who called."""
    await feedback.hear(matter(feedback, confidential=True))
    await feedback.hear(resolution(feedback, MATTER))
    (item,) = (await feedback.http("callback").get("/v1/callbacks")).json()["items"]
    assert item["matter"] is None


async def test_a_call_that_holds_one_matter_names_none(feedback: Bench) -> None:
    await feedback.hear(registration(feedback), resolution(feedback))
    (item,) = (await feedback.http("callback").get("/v1/callbacks")).json()["items"]
    assert (item["matter"], item["split_from"]) == (None, None)
