"""查重: an agent is shown what may be the same matter, and nobody's secret (R-09, GB66-5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, post, registered, rows

POTHOLE = {
    "topic": "road.damage",
    "title": "河堤路口有个大坑",
    "content": "河堤路口一处坑洞已有三周，夜里多人摔倒，一直无人修补",
    "address": "城关镇河堤路口",
    "location": {"longitude": 108.534, "latitude": 32.52},
}
NEIGHBOUR = {"name": "李四", "phone": "13909150002", "address": None}
DRAFT = {"topic": "road.damage", "area": "610924100", "content": "河堤路口有个大坑，晚上有人摔跤"}


async def asked(intake: Bench, role: str = "agent", **changes: Any) -> Any:
    """What an agent is shown before registering."""
    answer = await post(intake, "/v1/tickets/duplicates", DRAFT | changes, role)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def of_ticket(intake: Bench, number: str) -> Any:
    """What an agent is shown of a ticket."""
    answer = await intake.http("agent").get(f"/v1/tickets/{number}/duplicates")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_same_matter_of_somebody_else_is_shown_with_what_is_needed_to_decide(
    intake: Bench,
) -> None:
    """R-09; DOMAIN.md 7: topic and place, then words, and a person decides."""
    first = (await registered(intake, **POTHOLE))["number"]
    found = await asked(intake, phone=NEIGHBOUR["phone"])
    [shown] = found["items"]
    assert (shown["number"], found["same_person"]) == (first, False)
    assert shown["why"] == ["same_topic_and_area", "like_words"]
    assert shown["content"] == POTHOLE["content"]
    assert (shown["address"], shown["status"]) == (POTHOLE["address"], "received")
    assert shown["mergeable"]
    assert "王小明" not in str(found)


async def test_a_registered_ticket_has_candidates_but_never_itself(intake: Bench) -> None:
    first = (await registered(intake, **POTHOLE))["number"]
    second = (await registered(intake, **POTHOLE | {"caller": NEIGHBOUR}))["number"]
    assert [each["number"] for each in (await of_ticket(intake, second))["items"]] == [first]
    assert [each["number"] for each in (await of_ticket(intake, first))["items"]] == [second]


async def test_the_same_person_with_nothing_new_is_told_the_progress(intake: Bench) -> None:
    """R-09."""
    await registered(intake, **POTHOLE)
    found = await asked(intake, phone=CALLER["phone"])
    assert found["same_person"]
    assert found["items"][0]["why"] == ["same_person", "same_topic_and_area", "like_words"]


async def test_another_matter_of_the_same_person_is_shown_and_is_no_repeat(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    found = await asked(intake, phone=CALLER["phone"])
    assert [each["number"] for each in found["items"]] == [number]
    assert not found["same_person"]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ({"longitude": 108.534, "latitude": 32.5267}, 1),  # 745 m to the north
        ({"longitude": 108.534, "latitude": 32.5269}, 0),  # 767 m
    ],
)
async def test_what_is_far_away_is_another_matter_whatever_the_words(
    intake: Bench, place: dict[str, float], shown: int
) -> None:
    await registered(intake, **POTHOLE)
    same_words: dict[str, Any] = {"title": POTHOLE["title"], "content": POTHOLE["content"]}
    found = await asked(intake, location=place, **same_words)
    assert len(found["items"]) == shown
    if shown:
        assert found["items"][0]["distance_m"] == 745
        assert "near" in found["items"][0]["why"]


async def test_other_words_elsewhere_or_long_ago_are_no_candidates(intake: Bench) -> None:
    await registered(intake, **POTHOLE)
    assert (await asked(intake, content="洞河镇到县城的公路塌方，班车停了"))["items"] == []
    assert (await asked(intake, area="610924106"))["items"] == []
    assert (await asked(intake, topic="lighting.street"))["items"] == []
    intake.at(intake.now + timedelta(days=31))
    assert (await asked(intake))["items"] == []


async def test_a_confidential_ticket_is_shown_to_nobody_and_links_nobody(intake: Bench) -> None:
    """R-35: not by its words, not by its caller's number, and not to the caller either."""
    secret = (await registered(intake, **POTHOLE, confidential=True))["number"]
    assert (await asked(intake, phone=CALLER["phone"])) == {"same_person": False, "items": []}
    plain = (await registered(intake))["number"]
    assert (await of_ticket(intake, plain))["items"] == []
    assert (await of_ticket(intake, secret))["items"] == []
    assert (await asked(intake, phone=CALLER["phone"], confidential=True))["items"] == []


async def test_who_was_merged_is_shown_with_where(intake: Bench) -> None:
    first = (await registered(intake, **POTHOLE))["number"]
    second = (await registered(intake, **POTHOLE | {"caller": NEIGHBOUR}))["number"]
    body = {"into": first, "reason": "同一个坑"}
    await post(intake, f"/v1/tickets/{second}/merge", body, "agent")
    found = {each["number"]: each["merged_into"] for each in (await asked(intake))["items"]}
    assert found == {first: None, second: first}


async def test_a_withheld_phone_is_no_person(intake: Bench) -> None:
    await registered(intake, **POTHOLE, caller=None)
    assert not (await asked(intake, phone="anonymous"))["same_person"]


@pytest.mark.parametrize("role", ["unit", "supervisor", "callback", "ops"])
async def test_only_the_front_asks(intake: Bench, role: str) -> None:
    client = intake.http(role, "HC" if role == "unit" else None)
    assert (await client.post("/v1/tickets/duplicates", json=DRAFT)).status_code == 403


async def test_registration_refuses_nothing_by_itself(intake: Bench) -> None:
    first, second = await registered(intake, **POTHOLE), await registered(intake, **POTHOLE)
    assert first["number"] != second["number"]


async def test_what_the_hotline_ended_or_keeps_itself_is_shown_as_that(intake: Bench) -> None:
    """R-09: the agent tells the caller how far it is, and no unit has it."""
    answer = {"direct_answer": {"answer": "本月底修补"}}
    ended = (await registered(intake, **POTHOLE, ending=answer))["number"]
    kept = (await registered(intake, **POTHOLE, ending={"direct_answer": {}}))["number"]
    shown = {item["number"]: item for item in (await asked(intake))["items"]}
    assert (shown[ended]["status"], shown[ended]["mergeable"]) == ("answered", False)
    assert (shown[kept]["status"], shown[kept]["mergeable"]) == ("answering", False)
    assert "热线" in shown[ended]["sentence"]["zh"]


async def test_whose_tickets_they_are_is_looked_up_on_record(intake: Bench) -> None:
    """R-36: of a draft with a number and of a registered ticket alike; of a confidential one nobody's."""
    first = (await registered(intake, **POTHOLE))["number"]
    second = (await registered(intake, **POTHOLE))["number"]
    await asked(intake, phone=CALLER["phone"])
    await of_ticket(intake, second)
    await of_ticket(intake, (await registered(intake, **POTHOLE, confidential=True))["number"])
    looked = {(row["deed"], row["number"]) for row in await rows(intake, "contact_read")}
    assert looked == {("lookup", first), ("lookup", second)}
    assert len(await rows(intake, "contact_read")) == 3
