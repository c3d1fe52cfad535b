"""The citizen's acts 补充, 催单, 撤单: what they tell, and when they are refused."""

from __future__ import annotations

import asyncio

import pytest

from services.intake.rules import supplements
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import post, registered


async def test_supplement_urge_withdraw(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    words = {"content": "王小明补充：水表也坏了，电话13909150001"}
    assert (await post(intake, f"/v1/tickets/{number}/supplements", words)).status_code == 200
    assert (await post(intake, f"/v1/tickets/{number}/urges", {"note": "急"})).status_code == 200
    answer = await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已来水"})
    assert answer.json()["status"] == "withdrawn"
    told = {fact.name: fact for fact in await intake.told()}
    assert "水表也坏了" in told["ticket.supplemented"].data.content
    assert "王小明" not in told["ticket.supplemented"].data.content
    assert "13909150001" not in told["ticket.supplemented"].data.content
    assert told["ticket.urged"].data.times == 1
    assert "ticket.withdrawn" in told


async def test_what_the_status_does_not_allow_is_a_409_with_what_it_does(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已来水"})
    for path, body in (
        ("supplements", {"content": "x"}),
        ("urges", {"note": "x"}),
        ("withdrawal", {"reason": "x"}),
    ):
        answer = await post(intake, f"/v1/tickets/{number}/{path}", body)
        assert answer.status_code == 409
        assert (answer.json()["current_status"], answer.json()["allowed"]) == ("withdrawn", [])


async def test_an_unknown_ticket_is_404(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets/20260302-000009/urges", {"note": "x"})
    assert answer.status_code == 404


@pytest.mark.parametrize(("most", "characters"), [(3, 1_000), (1_000, 30)])
async def test_supplements_that_meet_do_not_overfill_a_ticket(
    intake: Bench, monkeypatch: pytest.MonkeyPatch, most: int, characters: int
) -> None:
    """They share a transaction, and what one adds is not in the table before all are done."""
    monkeypatch.setattr(supplements, "MOST", most)
    monkeypatch.setattr(supplements, "MOST_CHARACTERS", characters)
    number = (await registered(intake))["number"]
    path, words = f"/v1/tickets/{number}/supplements", {"content": "水" * 10}
    assert (await post(intake, path, words)).status_code == 200
    begun = intake.service.store.acts
    answers = await asyncio.gather(*(post(intake, path, words) for _ in range(6)))
    assert intake.service.store.acts - begun < 2 * 6
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409, 409, 409]
    assert len(await intake.told("ticket.supplemented")) == 3
    assert len(await intake.rows("SELECT 1 FROM citizen_note")) == 3


@pytest.mark.parametrize(("most", "characters"), [(2, 1_000), (1_000, 20)])
async def test_a_full_ticket_says_so_and_what_to_do(
    intake: Bench, monkeypatch: pytest.MonkeyPatch, most: int, characters: int
) -> None:
    monkeypatch.setattr(supplements, "MOST", most)
    monkeypatch.setattr(supplements, "MOST_CHARACTERS", characters)
    number, other = [(await registered(intake))["number"] for _ in range(2)]
    path, words = f"/v1/tickets/{number}/supplements", {"content": "水" * 10}
    for _ in range(2):
        assert (await post(intake, path, words)).status_code == 200
    answer = await post(intake, path, words)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "/errors/supplements-full")
    assert (problem["most"], problem["most_characters"]) == (most, characters)
    assert (problem["count"], problem["characters"]) == (2, 20)
    assert f"最多补充 {most} 条" in problem["detail"]
    assert "另行登记" in problem["detail"]
    assert "Register another ticket" in problem["detail"]
    assert len(await intake.told("ticket.supplemented")) == 2
    urged = await post(intake, f"/v1/tickets/{number}/urges", {"note": "急"})
    added = await post(intake, f"/v1/tickets/{other}/supplements", words)
    assert (urged.status_code, added.status_code) == (200, 200)
