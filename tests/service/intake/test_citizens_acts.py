"""The citizen's acts 补充, 催单, 撤单: what they tell, and when they are refused."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from services.intake.rules import supplements
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import RESOLVED, complaint, life, post, registered


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
    answer = await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "x"})
    assert answer.status_code == 409
    noted = ["supplement", "urge"]
    assert (answer.json()["current_status"], answer.json()["allowed"]) == ("withdrawn", noted)


@pytest.mark.parametrize(
    ("path", "body"), [("supplements", {"content": "又停水了"}), ("urges", {"note": "又停水了"})]
)
async def test_what_is_said_after_the_end_is_read_by_somebody(
    intake: Bench, path: str, body: dict[str, str]
) -> None:
    """No note is written into the void: it stands on a list until it was read."""
    number = (await registered(intake))["number"]
    await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已来水"})
    answer = await post(intake, f"/v1/tickets/{number}/{path}", body)
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    desk = intake.http("desk")
    [listed] = (await desk.get("/v1/tickets?noted_after_end=true")).json()["items"]
    assert listed["number"] == number
    notes = (await desk.get(f"/v1/tickets/{number}/notes")).json()["items"]
    assert [note["content"] for note in notes] == ["已来水", "又停水了"]
    done = {"done": "已请其另行登记"}
    await post(intake, f"/v1/tickets/{number}/notes/read", done, "callback")
    assert (await desk.get("/v1/tickets?noted_after_end=true")).json()["items"] == []
    notes = (await desk.get(f"/v1/tickets/{number}/notes")).json()["items"]
    assert notes[-1]["action"] == "read"


async def test_a_resolved_ticket_can_be_noted_and_taken_back(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await intake.hear(intake.fact(RESOLVED, subject=number))
    answer = await post(intake, f"/v1/tickets/{number}/supplements", {"content": "水压很低"})
    assert answer.json()["status"] == "resolved"
    assert answer.json()["allowed"] == ["supplement", "urge", "withdraw"]
    answer = await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "不追究了"})
    assert answer.json()["status"] == "withdrawn"
    assert len(await intake.told("ticket.withdrawn")) == 1


# --- a new ticket that follows -----------------------------------------------------------------


async def test_a_new_ticket_follows_an_old_one_and_both_say_so(intake: Bench) -> None:
    old = (await registered(intake))["number"]
    new = (await registered(intake, follows=old, caller=None))["number"]
    client = intake.http("desk")
    assert (await client.get(f"/v1/tickets/{new}")).json()["follows"] == old
    assert (await client.get(f"/v1/tickets/{old}")).json()["followed_by"] == [new]
    listed = (await client.get("/v1/tickets")).json()["items"]
    assert [row["followed_by"] for row in listed] == [[new], []]


async def test_a_settled_matter_without_a_new_fact_is_explained_and_given_to_nobody(
    intake: Bench,
) -> None:
    """R-28: the repeat names what it follows, why is on record, and what is new takes it up again."""
    old = (await registered(intake))["number"]
    await intake.hear(*life(intake, old, uuid4()))
    note = "已于三月依法答复并送达"
    settled = {"reason": "lawfully_settled_no_new_fact", "note": note}
    body = await registered(intake, follows=old, ending={"not_accepted": settled})
    told = [fact for fact in await intake.told() if fact.subject == body["number"]]
    assert [fact.name for fact in told] == ["ticket.not_accepted"]
    assert "依法办理终结" in told[0].data.zh
    here, desk = f"/v1/tickets/{body['number']}", intake.http("desk")
    assert (await desk.get(f"{here}/front-record")).json()["endings"][0]["words"] == note
    assert (await desk.get(f"/v1/tickets/{old}")).json()["followed_by"] == [body["number"]]
    answer = await post(intake, f"{here}/supplements", {"content": "现有新的鉴定意见"})
    assert answer.json()["status"] == "answering"


async def test_a_ticket_nobody_knows_cannot_be_followed(intake: Bench) -> None:
    """The others of its batch are registered."""
    batch = {"tickets": [complaint(follows="20200101-000001"), complaint()]}
    answers = (await post(intake, "/v1/tickets/batch", batch)).json()["answers"]
    assert [answer["status"] for answer in answers] == [422, 201]
    assert answers[0]["problem"]["field"] == "follows"


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
