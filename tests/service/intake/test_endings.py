"""Every call has an end (R-02, R-06, R-07, R-08): what the hotline answers itself, does not accept or
hands over is a ticket with an end, and nobody is told to dispatch it.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.intake import vault
from services.intake.rules import identity
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, life, post, read, registered, rows

ANSWER = {"direct_answer": {"answer": "水费可在政务中心三楼缴纳"}}
REFUSAL = {"not_accepted": {"reason": "already_in_petition", "note": "信访局已受理"}}


def handed_over(intake: Bench, line: str = "119") -> dict[str, Any]:
    at = intake.now.isoformat()
    return {"handed_over": {"line": line, "taken_by": "119接警员0321", "at": at}}


async def test_a_call_answered_at_once_ends_and_is_nobodys_to_dispatch(intake: Bench) -> None:
    """R-02: 直办 is a record too, of a kind of its own."""
    body = await registered(intake, ending=ANSWER)
    told = await intake.told()
    assert [fact.name for fact in told] == ["ticket.answered"]
    assert not told[0].data.registered
    ticket = (await intake.http("agent").get(f"/v1/tickets/{body['number']}")).json()
    assert ticket["status"] == "answered"
    code = {"X-Ticket-Code": body["code"]}
    progress = await intake.http(None).get(f"/v1/tickets/{body['number']}/progress", headers=code)
    assert progress.json()["answer"] == "水费可在政务中心三楼缴纳"
    assert progress.json()["status"] == "answered"


async def test_a_call_kept_to_be_answered_is_in_a_list_with_its_due_moment(intake: Bench) -> None:
    """R-02: the hotline owes the answer by limits.yaml direct_answer; nobody else has heard of it."""
    kept = (await registered(intake, ending={"direct_answer": {}}))["number"]
    await registered(intake)
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]
    page = (await intake.http("agent").get("/v1/tickets?status=answering")).json()
    assert [(row["number"], row["status"]) for row in page["items"]] == [(kept, "answering")]
    assert page["items"][0]["answer_due"] == "2026-03-03T10:00:00Z"
    answer = await act(intake, kept, "direct-answer", {"answer": "三楼窗口", "rating": "satisfied"})
    assert answer.json()["status"] == "answered"
    names = [fact.name for fact in await intake.told() if fact.subject == kept]
    assert names == ["ticket.answered", "ticket.call_rated"]


async def test_an_answer_to_be_rung_up_with_stays_with_the_hotline(intake: Bench) -> None:
    asked = {"direct_answer": {"answer": "三楼窗口", "callback_wanted": True}}
    number = (await registered(intake, ending=asked))["number"]
    assert await status(intake, number) == "answering"
    assert await intake.told() == []
    assert (await act(intake, number, "direct-answer", {"answer": "三楼窗口"})).status_code == 200
    assert await status(intake, number) == "answered"


async def test_an_agent_reads_whom_to_ring_up_while_the_answer_is_owed(intake: Bench) -> None:
    number = (await registered(intake, ending={"direct_answer": {}}))["number"]
    assert (await read(intake, number, "agent", None)).json()["phone"] == "13909150001"
    await act(intake, number, "direct-answer", {"answer": "三楼窗口"})
    assert (await read(intake, number, "agent", None)).status_code == 404
    other = (await registered(intake))["number"]
    assert (await read(intake, other, "agent", None)).status_code == 404
    secret = {"ending": {"direct_answer": {}}, "confidential": True}
    kept = (await registered(intake, **secret))["number"]
    assert (await read(intake, kept, "agent", None)).status_code == 404  # never by one alone


async def test_a_list_of_a_status_holds_what_is_shown_so(intake: Bench) -> None:
    ended = (await registered(intake, ending=ANSWER))["number"]
    await registered(intake, ending={"direct_answer": {}})
    for status, numbers in (("answered", [ended]), ("closed", []), ("resolved", [])):
        page = (await intake.http("agent").get(f"/v1/tickets?status={status}")).json()
        assert [row["number"] for row in page["items"]] == numbers
    await intake.do("UPDATE ticket SET ending = 'sold' WHERE ending = 'answered'")
    page = (await intake.http("agent").get("/v1/tickets?status=closed")).json()
    assert [row["number"] for row in page["items"]] == [ended]


async def test_what_is_not_accepted_says_why_and_where_to_turn(intake: Bench) -> None:
    """R-07, R-08: a reason of the catalogue, told in words with the channel to use instead."""
    body = await registered(intake, ending=REFUSAL)
    [fact] = await intake.told()
    assert (fact.name, fact.data.reason_code) == ("ticket.not_accepted", "already_in_petition")
    assert "信访" in fact.data.zh
    progress = await by_code(intake, body)
    assert progress["status"] == "not_accepted"
    assert "信访" in progress["answer"]


@pytest.mark.parametrize(
    ("ending", "field", "known"),
    [
        ({"not_accepted": {"reason": "no_time"}}, "reason", "outside_territory"),
        (
            {"handed_over": {"line": "911", "taken_by": "x", "at": "2026-03-02T01:00:00Z"}},
            "line",
            "119",
        ),
    ],
)
async def test_an_unknown_reason_or_line_is_refused_with_the_list(
    intake: Bench, ending: dict[str, Any], field: str, known: str
) -> None:
    answer = await post(intake, "/v1/tickets", complaint(ending=ending))
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert known in answer.json()["allowed"]
    assert await rows(intake, "ticket") == []


@pytest.mark.parametrize("ending", [{}, ANSWER | REFUSAL, {"direct_answer": None}])
async def test_a_call_ends_in_exactly_one_way(intake: Bench, ending: dict[str, Any]) -> None:
    answer = await post(intake, "/v1/tickets", complaint(ending=ending))
    assert answer.status_code == 422


async def test_one_request_hands_over_to_an_emergency_line(intake: Bench) -> None:
    """R-06: never queued; who took it and when is on record, and travels not."""
    body = await registered(intake, ending=handed_over(intake))
    [fact] = await intake.told()
    assert (fact.name, fact.data.line) == ("ticket.handed_over", "119")
    assert "0321" not in fact.encode().decode()
    record = (await intake.http("desk").get(f"/v1/tickets/{body['number']}/front-record")).json()
    assert record["endings"][0]["taken_by"] == "119接警员0321"
    assert record["endings"][0]["code"] == "119"


async def test_a_hand_over_in_the_future_is_refused(intake: Bench) -> None:
    late = {"line": "119", "taken_by": "x", "at": "2026-03-04T01:00:00Z"}
    answer = await post(intake, "/v1/tickets", complaint(ending={"handed_over": late}))
    assert (answer.status_code, answer.json()["field"]) == (422, "at")


async def test_a_repeat_gets_the_first_ticket_and_says_nothing_twice(intake: Bench) -> None:
    for status_code in (201, 200):
        headers = {"Idempotency-Key": "call-1"}
        client = intake.http("phone_system")
        answer = await client.post("/v1/tickets", json=complaint(ending=ANSWER), headers=headers)
        assert answer.status_code == status_code
    assert [each["code"] for each in answer.json()["warnings"]] == ["registered-before"]
    assert len(await intake.told()) == 1
    other = await client.post("/v1/tickets", json=complaint(), headers=headers)
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_a_batch_takes_ends_too(intake: Bench) -> None:
    wrong = {"not_accepted": {"reason": "x"}}
    some = [complaint(ending=ANSWER), complaint(), complaint(ending=wrong)]
    answers = (await post(intake, "/v1/tickets/batch", {"tickets": some})).json()["answers"]
    assert [answer["status"] for answer in answers] == [201, 201, 422]
    assert sorted(f.name for f in await intake.told()) == ["ticket.answered", "ticket.registered"]


async def test_names_and_numbers_the_agent_wrote_do_not_travel(intake: Bench) -> None:
    said = {"direct_answer": {"answer": "王小明您好，已回拨13909150001告知"}}
    await registered(intake, ending=said)
    [fact] = await intake.told()
    assert "王小明" not in fact.data.answer
    assert "13909150001" not in fact.data.answer


# --- after the end -----------------------------------------------------------------------------


FULL: dict[str, Any] = {
    "type": "report",
    "topic": "conduct.banquet",
    "area": "610924110",
    "address": "红椿镇街道8号",
    "location": {"longitude": 108.5, "latitude": 32.5},
    "flags": ["water"],
    "reported_unit": "HC",
    "urgency": "urgent",
    "reply_declined": True,
}


@pytest.mark.parametrize("changes", [{}, FULL, FULL | {"confidential": False, "caller": None}])
async def test_who_is_not_content_gets_an_order_with_all_that_was_said(
    intake: Bench, changes: dict[str, Any]
) -> None:
    """Never a dead end: the ticket is registered as it would have been, and its supplements follow."""
    number = (await registered(intake, ending={"direct_answer": {}}, **changes))["number"]
    await post(intake, f"/v1/tickets/{number}/supplements", {"content": "水表也坏了"})
    await post(intake, f"/v1/tickets/{number}/urges", {"note": "急"})
    assert await intake.told() == []
    answer = await act(intake, number, "dispatch", {"reason": "需现场抢修"})
    assert answer.json()["status"] == "received"
    told = await intake.told()
    assert [fact.name for fact in told] == [
        "ticket.registered",
        "ticket.supplemented",
        "ticket.urged",
    ]
    await registered(intake, **changes)
    *_, direct = await intake.told()
    assert told[0].data == direct.data  # nothing of a registration is forgotten on this way


async def test_a_supplement_brings_an_end_back_to_the_hotline(intake: Bench) -> None:
    number = (await registered(intake, ending=ANSWER))["number"]
    answer = await post(intake, f"/v1/tickets/{number}/supplements", {"content": "窗口不收"})
    assert answer.json()["status"] == "answering"
    assert (await act(intake, number, "dispatch", {"reason": "窗口不收"})).status_code == 200
    assert [fact.name for fact in await intake.told()][-2:] == [
        "ticket.registered",
        "ticket.supplemented",
    ]


async def test_after_the_window_it_is_a_new_call(intake: Bench) -> None:
    number = (await registered(intake, ending=ANSWER))["number"]
    intake.at("2026-04-20T02:00:00Z")
    answer = await act(intake, number, "dispatch", {"reason": "x"})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("ending-final")


async def test_what_was_withdrawn_before_anybody_had_it_tells_nobody(intake: Bench) -> None:
    number = (await registered(intake, ending={"direct_answer": {}}))["number"]
    answer = await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "不用了"})
    assert answer.json()["status"] == "withdrawn"
    assert await intake.told() == []
    assert (await act(intake, number, "dispatch", {"reason": "x"})).status_code == 409


# --- what the dispatcher has -------------------------------------------------------------------


async def test_what_no_unit_has_the_desk_ends(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    body = {"answer": "三楼窗口"}
    assert (await act(intake, number, "direct-answer", body)).status_code == 403  # an agent's not
    answer = await act(intake, number, "direct-answer", body, "desk")
    assert answer.json()["status"] == "answered"
    fact = (await intake.told())[-1]
    assert (fact.name, fact.data.registered) == ("ticket.answered", True)
    again = await act(intake, number, "dispatch", {"reason": "不满意"}, "desk")
    assert again.json()["status"] == "reopened"
    assert "热线已恢复办理" in again.json()["sentence"]["zh"]  # nobody judged anything
    resumed = (await intake.told())[-1]
    assert (resumed.name, resumed.data.taken_back) == ("ticket.resumed", True)


async def test_an_agent_hands_over_whatever_no_unit_has(intake: Bench) -> None:
    """R-06: a hand-over waits for nobody's role."""
    number = (await registered(intake))["number"]
    body = handed_over(intake)["handed_over"]
    assert (await act(intake, number, "handed-over", body)).json()["status"] == "handed_over"


async def test_what_a_unit_has_is_refused_with_what_to_do(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await intake.hear(life(intake, number, uuid4())[0])
    answer = await act(intake, number, "direct-answer", {"answer": "x"}, "desk")
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("unit-holds-ticket")
    assert answer.json()["units"] == ["GSGS"]


async def test_an_order_that_crossed_with_the_end_changes_nothing(intake: Bench) -> None:
    """The end stands, whatever is heard of the order afterwards."""
    number = (await registered(intake))["number"]
    await act(intake, number, "not-accepted", {"reason": "outside_territory"}, "desk")
    story = life(intake, number, uuid4())
    await intake.hear(*story[:4])
    assert await status(intake, number) == "not_accepted"


# --- the call's rating -------------------------------------------------------------------------


async def test_a_call_is_rated_once(intake: Bench) -> None:
    """R-26: 一次一评."""
    number = (await registered(intake))["number"]
    for rating, status_code in (("satisfied", 200), ("satisfied", 200), ("unsatisfied", 409)):
        answer = await act(intake, number, "call-rating", {"rating": rating})
        assert answer.status_code == status_code
    rated = await intake.told("ticket.call_rated")
    assert [(fact.data.rating, fact.data.direct) for fact in rated] == [("satisfied", False)]


# --- malicious use -----------------------------------------------------------------------------


async def test_malicious_use_is_marked_and_ends_nothing(intake: Bench) -> None:
    """R-08, BJ-9, BJ-37, JN-42: warned, evidence kept, referred; the ticket goes on."""
    number = (await registered(intake))["number"]
    body = {"evidence": "辱骂话务员，自称王小明", "warned": True, "referred_to": "110"}
    mark = (await act(intake, number, "malicious-use", body)).json()
    assert "王小明" not in mark["evidence"]
    assert await status(intake, number) == "received"
    second = (await registered(intake, ending=ANSWER))["number"]
    assert (await front(intake, second))["caller_marks"] == 1
    assert (await act(intake, number, "malicious-use/undo", {"reason": "x"})).status_code == 403
    undone = await act(intake, number, "malicious-use/undo", {"reason": "系误标"}, "desk")
    assert undone.json()["undone_reason"] == "系误标"
    assert (await front(intake, second))["caller_marks"] == 0
    assert len((await front(intake, number))["malicious_use"]) == 1
    assert (
        await act(intake, number, "malicious-use/undo", {"reason": "x"}, "desk")
    ).status_code == 404


# --- erasure, figures --------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [ANSWER, REFUSAL])
async def test_identities_of_ended_calls_are_erased_as_others(
    intake: Bench, ending: dict[str, Any]
) -> None:
    body = await registered(intake, ending=ending)
    await act(intake, body["number"], "malicious-use", {"evidence": "骂人", "warned": True})
    async with intake.service.store.act("ops") as opened:
        assert await vault.erase(opened, body["number"], "本人要求")
    assert await rows(intake, "vault") == []
    assert [row["sealed"] for row in await rows(intake, "citizen_note")] == [b""]
    assert (await by_code(intake, body))["status"] in ("answered", "not_accepted")


async def test_what_the_hotline_still_owes_is_not_erased(intake: Bench) -> None:
    number = (await registered(intake, ending={"direct_answer": {}}))["number"]
    async with intake.service.store.act("ops") as opened:
        with pytest.raises(identity.TicketOpen):
            await vault.erase(opened, number, "x")


async def test_the_figures_count_every_number_in_one_way(intake: Bench) -> None:
    """R-02: the share of direct answers, of all that was registered."""
    kept: dict[str, Any] = {"direct_answer": {}}
    for ending in (ANSWER, ANSWER, REFUSAL, handed_over(intake), kept):
        await registered(intake, ending=ending)
    await registered(intake)
    withdrawn = (await registered(intake, ending={"direct_answer": {}}))["number"]
    await post(intake, f"/v1/tickets/{withdrawn}/withdrawal", {"reason": "不用了"})
    intake.at("2026-03-05T02:00:00Z")
    found = (await intake.http("supervisor").get("/v1/figures")).json()
    ways = ("dispatched", "answered", "answering", "not_accepted", "handed_over", "withdrawn")
    assert {way: found[way] for way in ways} == {
        "dispatched": 1, "answered": 2, "answering": 1, "not_accepted": 1, "handed_over": 1,
        "withdrawn": 1,
    }  # fmt: skip
    assert found["registered"] == sum(found[way] for way in ways) == 7
    assert found["direct_share"] == round(2 / 7, 6)
    assert found["not_accepted_by_reason"] == {"already_in_petition": 1}
    assert found["handed_over_by_line"] == {"119": 1}
    assert found["answering_overdue"] == 1


async def test_the_release_before_lets_nobody_move_what_the_hotline_has(intake: Bench) -> None:
    """Its replicas read the column ``status``: words it knows, under which it refuses every act."""
    await registered(intake, ending={"direct_answer": {}})
    await registered(intake, ending=ANSWER)
    stored = {row["ending"]: row["status"] for row in await rows(intake, "ticket")}
    assert stored == {"answering": "resolved", "answered": "closed"}
    before = {"received", "assigned", "in_hand", "resolved", "closed", "reopened", "withdrawn"}
    assert set(stored.values()) <= before


async def test_an_end_of_a_newer_release_is_read_as_it_is_stored(intake: Bench) -> None:
    number = (await registered(intake, ending=ANSWER))["number"]
    await intake.do("UPDATE ticket SET ending = 'sold'")
    assert await status(intake, number) == "closed"
    page = (await intake.http("agent").get("/v1/tickets")).json()
    assert [row["status"] for row in page["items"]] == ["closed"]


# --- by hand -----------------------------------------------------------------------------------


async def act(
    intake: Bench, number: str, path: str, body: dict[str, Any], role: str = "agent"
) -> Any:
    return await post(intake, f"/v1/tickets/{number}/{path}", body, role)


async def status(intake: Bench, number: str) -> str:
    found: str = (await intake.http("agent").get(f"/v1/tickets/{number}")).json()["status"]
    return found


async def front(intake: Bench, number: str) -> Any:
    return (await intake.http("desk").get(f"/v1/tickets/{number}/front-record")).json()


async def by_code(intake: Bench, body: dict[str, Any]) -> Any:
    headers = {"X-Ticket-Code": body["code"]}
    path = f"/v1/tickets/{body['number']}/progress"
    return (await intake.http(None).get(path, headers=headers)).json()
