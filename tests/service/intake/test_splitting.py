"""拆分: one call, several matters, a ticket for each; nobody ever sees half of it (R-14, JN-29)."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake import vault
from services.intake.registration import store
from shared.events import Fact, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import (
    CALLER,
    RESOLVED,
    post,
    read_on_duty,
    registered,
    rows,
)

NOISE: dict[str, Any] = {
    "title": "夜间施工",
    "content": "王小明说工地夜里十一点还在打桩",
    "topic": "noise.construction",
    "lead": "HBJ",
}
REFUSE: dict[str, Any] = {"content": "楼下垃圾堆了三天", "topic": "sanitation.refuse"}
BODY: dict[str, Any] = {
    "remainder": {"title": "停水", "content": "小区停水三天无人处理"},
    "matters": [NOISE, REFUSE],
    "reason": "一次来电反映三件事",
}


async def split(
    intake: Bench, number: str, status: int = 200, key: str | None = None, **more: Any
) -> Any:
    """The desk splits a call."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = await intake.http("desk").post(
        f"/v1/tickets/{number}/split", json=BODY | more, headers=headers
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def slug(problem: Any) -> str:
    """Which error it is."""
    return str(problem["type"]).rpartition("/")[2]


async def of_matters(intake: Bench) -> list[Fact]:
    """What was said of the matters that were taken off."""
    told = await intake.told("ticket.registered")
    return [fact for fact in told if fact.data.split_from]


# --- what becomes of it ------------------------------------------------------------------------


async def test_each_matter_has_a_ticket_and_the_number_keeps_the_rest(intake: Bench) -> None:
    """R-14 一个主办: each matter can have one lead of its own."""
    first = await registered(intake)
    intake.at("2026-03-02T11:00:00+08:00")
    answer = await split(intake, first["number"])
    numbers = [each["number"] for each in answer["matters"]]
    assert (numbers[0], len(set(numbers))) == (first["number"], 3)
    shown = (await intake.http("desk").get(f"/v1/tickets/{first['number']}")).json()
    assert (shown["title"], shown["content"]) == ("停水", "小区停水三天无人处理")
    assert shown["matters"] == numbers
    (fact,) = await intake.told("ticket.split")
    assert (fact.subject, list(fact.data.matters)) == (first["number"], numbers[1:])
    noise, refuse = await of_matters(intake)
    assert [noise.subject, refuse.subject] == numbers[1:]
    assert (noise.data.topic, noise.data.appointed) == ("noise.construction", "HBJ")
    assert (refuse.data.topic, refuse.data.appointed) == ("sanitation.refuse", None)
    assert refuse.data.title == "楼下垃圾堆了三天"


async def test_the_citizen_waits_since_the_call_was_accepted(intake: Bench) -> None:
    """The clock of each matter starts at the acceptance of the call, never afresh; of a matter that is
    split again, too.
    """
    first = await registered(intake)
    accepted = (await intake.told("ticket.registered"))[0].time
    intake.at("2026-03-03T11:00:00+08:00")
    answer = await split(intake, first["number"], matters=[NOISE])
    intake.at("2026-03-04T11:00:00+08:00")
    await split(intake, answer["matters"][1]["number"], matters=[REFUSE])
    matters = await of_matters(intake)
    assert {fact.data.accepted_at for fact in matters} == {accepted}
    assert {fact.data.split_from for fact in matters} == {first["number"]}


async def test_it_is_the_same_citizen_under_the_same_secrecy(intake: Bench) -> None:
    first = await registered(intake, confidential=True, reply_declined=True)
    answer = await split(intake, first["number"])
    for fact in await of_matters(intake):
        assert (fact.data.confidential, fact.data.reply_declined) == (True, True)
        assert (fact.data.has_contact, fact.data.channel) == (True, "phone")
        assert (fact.data.address, fact.data.location) == (None, None)
    second = await registered(intake)
    answer = await split(intake, second["number"])
    contact = await read_on_duty(intake, answer["matters"][1]["number"])
    assert (contact.json()["name"], contact.json()["phone"]) == ("王小明", CALLER["phone"])


async def test_no_matter_names_who_called(intake: Bench) -> None:
    first = await registered(intake)
    await split(intake, first["number"], reason="王小明(13909150001)一次说了三件事")
    for fact in (await intake.told())[1:]:
        assert "王小明" not in fact.data.model_dump_json()
        assert "13909150001" not in fact.data.model_dump_json()


async def test_whom_the_call_is_about_shields_each_of_its_matters(intake: Bench) -> None:
    """R-35: the reported unit and its kin get none of them; nobody stays nobody."""
    about = {"units": ["HBJ"], "words": [], "nobody": False}
    first = await registered(intake, reported={"units": ["HBJ"]})
    refused = await split(intake, first["number"], 409)
    assert (slug(refused), refused["unit"], refused["field"]) == (
        "recused",
        "HBJ",
        "matters.0.lead",
    )
    await split(intake, first["number"], matters=[REFUSE])
    (matter,) = await of_matters(intake)
    assert matter.data.reported.model_dump(mode="json") == about
    other = await registered(intake, reported={"nobody": True})
    await split(intake, other["number"], matters=[REFUSE])
    assert (await of_matters(intake))[-1].data.reported.nobody


async def test_a_report_that_names_nobody_yet_stays_one_in_every_matter(intake: Bench) -> None:
    """R-35: as another type a rule could give it to just whom it accuses."""
    first = await registered(intake, type="report", topic="conduct.banquet")
    refused = await split(intake, first["number"], 409, matters=[REFUSE | {"type": "help"}])
    assert (slug(refused), refused["field"]) == ("recused", "matters.0.type")
    await split(intake, first["number"], matters=[REFUSE])
    (matter,) = await of_matters(intake)
    assert (matter.data.type, matter.data.confidential) == ("report", True)


async def test_a_matter_that_endangers_somebody_overtakes(intake: Bench) -> None:
    """How urgent it is its own words say, whatever was asked for the call (R-06)."""
    first = await registered(intake)
    await split(intake, first["number"], matters=[REFUSE, NOISE | {"content": "有人被困在电梯里"}])
    lanes = await intake.rows(
        "SELECT subject, lane FROM outbox WHERE key = 'ticket.registered' ORDER BY id"
    )
    first_lane = min(row["lane"] for row in lanes)
    urgent = [row["subject"] for row in lanes[1:] if row["lane"] == first_lane]
    assert urgent == [(await of_matters(intake))[1].subject]


async def test_what_was_said_as_a_whole_stays_on_record(intake: Bench) -> None:
    """Without names in the notes; a correction of the caller's name brings none of it back."""
    first = await registered(intake)
    await split(intake, first["number"])
    notes = (await intake.http("desk").get(f"/v1/tickets/{first['number']}/notes")).json()
    (note,) = notes["items"]
    assert note["action"] == "split"
    assert "小区停水三天无人处理" in note["content"]
    assert "王小明" not in note["content"]
    body = {"caller": {"name": "王晓明"}, "reason": "听错了姓名"}
    await post(intake, f"/v1/tickets/{first['number']}/corrections", body, "desk")
    shown = (await intake.http("desk").get(f"/v1/tickets/{first['number']}")).json()
    assert shown["content"] == "小区停水三天无人处理"


# --- what the citizen sees ---------------------------------------------------------------------


async def test_the_code_of_the_call_shows_all_its_matters(intake: Bench) -> None:
    first = await registered(intake)
    numbers = [each["number"] for each in (await split(intake, first["number"]))["matters"]]
    for number in numbers:
        answer = await intake.http(None).get(
            f"/v1/tickets/{number}/progress", headers={"X-Ticket-Code": first["code"]}
        )
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert [each["number"] for each in shown["matters"]] == numbers
        assert [each["title"] for each in shown["matters"]] == [
            "停水",
            "夜间施工",
            "楼下垃圾堆了三天",
        ]


async def test_another_code_shows_none_of_them(intake: Bench) -> None:
    first, other = await registered(intake), await registered(intake)
    numbers = [each["number"] for each in (await split(intake, first["number"]))["matters"]]
    for number in numbers:
        answer = await intake.http(None).get(
            f"/v1/tickets/{number}/progress", headers={"X-Ticket-Code": other["code"]}
        )
        assert answer.status_code == 404


async def test_a_call_that_was_not_split_says_nothing_of_matters(intake: Bench) -> None:
    first = await registered(intake)
    answer = await intake.http(None).get(
        f"/v1/tickets/{first['number']}/progress", headers={"X-Ticket-Code": first["code"]}
    )
    assert answer.json()["matters"] == []


async def test_whose_identity_is_erased_is_erased_from_every_matter(intake: Bench) -> None:
    """PIPL 47: the same citizen lies sealed under each number."""
    first = await registered(intake)
    await split(intake, first["number"])
    async with intake.service.store.act("ops:test") as act:
        assert await vault.erase(act, first["number"], "本人要求", forced=True)
    assert await rows(intake, "vault") == []


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected", "field"),
    [
        ({"remainder": None}, "split-without-remainder", "remainder"),
        ({"matters": []}, "split-without-matters", "matters"),
        ({"matters": [REFUSE | {"content": "　"}]}, "malformed", "matters.0.content"),
        ({"matters": [REFUSE] * 10}, "malformed", "matters"),
        ({"remainder": {"content": ""}}, "malformed", "remainder.content"),
        ({"matters": [REFUSE | {"topic": "nope"}]}, "unknown-code", "topic"),
        ({"matters": [REFUSE | {"lead": "NOPE"}]}, "unknown-code", "matters.0.lead"),
    ],
)
async def test_a_split_that_is_none_is_refused_by_name(
    intake: Bench, more: dict[str, Any], expected: str, field: str
) -> None:
    first = await registered(intake)
    refused = await split(intake, first["number"], 422, **more)
    assert (slug(refused), refused["field"]) == (expected, field)
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]


async def test_what_was_answered_or_has_ended_is_not_split(intake: Bench) -> None:
    resolved, withdrawn = await registered(intake), await registered(intake)
    await intake.hear(intake.fact(RESOLVED, subject=resolved["number"]))
    body = {"reason": "不办了"}
    await post(intake, f"/v1/tickets/{withdrawn['number']}/withdrawal", body)
    for number in (resolved["number"], withdrawn["number"]):
        assert slug(await split(intake, number, 409)) == "split-too-late"
    kept = await registered(intake, ending={"direct_answer": {"answer": None}})
    assert slug(await split(intake, kept["number"], 409)) == "split-too-late"


async def test_a_merged_ticket_is_parted_before_it_is_split(intake: Bench) -> None:
    first, second = await registered(intake), await registered(intake)
    body = {"into": first["number"], "reason": "同一件事"}
    await post(intake, f"/v1/tickets/{second['number']}/merge", body, "desk")
    for number in (first["number"], second["number"]):
        assert slug(await split(intake, number, 409)) == "split-merged"


async def test_matters_of_one_call_are_not_merged_again(intake: Bench) -> None:
    """Nor does the search for duplicates offer them: the desk has said that they differ."""
    first = await registered(intake)
    same = {"content": "小区停水三天无人处理", "topic": "water.supply"}
    answer = await split(intake, first["number"], matters=[same, same])
    numbers = [each["number"] for each in answer["matters"]]
    for number, into in ((numbers[1], numbers[0]), (numbers[1], numbers[2])):
        body = {"into": into, "reason": "同一件事"}
        refused = await post(intake, f"/v1/tickets/{number}/merge", body, "desk")
        assert (refused.status_code, slug(refused.json())) == (409, "merge-one-call")
        found = await intake.http("desk").get(f"/v1/tickets/{number}/duplicates")
        assert found.json()["items"] == []


async def test_only_the_desk_splits(intake: Bench) -> None:
    first = await registered(intake)
    for role in ("agent", "supervisor", "phone_system"):
        answer = await post(intake, f"/v1/tickets/{first['number']}/split", BODY, role)
        assert answer.status_code == 403


# --- once, and whole ---------------------------------------------------------------------------


async def test_the_same_split_twice_is_done_once(intake: Bench) -> None:
    first = await registered(intake)
    assert await split(intake, first["number"], key="s-1") == await split(
        intake, first["number"], key="s-1"
    )
    assert len(await of_matters(intake)) == 2


async def test_a_split_that_dies_half_done_is_never_seen(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is killed when the matters are stored and the ticket is not: nothing stands, no
    fact was said, and the desk repeats it under its key.
    """
    first = await registered(intake)

    async def killed(act: Any, items: Any) -> Any:
        done = await store(act, items)
        connection = await act.session.connection()
        [pid] = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).one()
        await intake.do("SELECT pg_terminate_backend(CAST(:pid AS int))", pid=pid)
        return done

    with monkeypatch.context() as patched:
        patched.setattr("services.intake.splitting.usecases.store", killed)
        answer = await intake.http("desk").post(
            f"/v1/tickets/{first['number']}/split", json=BODY, headers={"Idempotency-Key": "s-2"}
        )
    assert answer.status_code >= 500
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]
    assert len(await rows(intake, "ticket")) == len(await rows(intake, "vault")) == 1
    await split(intake, first["number"], key="s-2")
    assert len(await of_matters(intake)) == 2


# --- counted -----------------------------------------------------------------------------------


async def test_matters_and_calls_are_counted_apart(intake: Bench) -> None:
    first = await registered(intake)
    await registered(intake)
    await split(intake, first["number"])
    figures = (await intake.http("desk").get("/v1/figures")).json()
    assert (figures["registered"], figures["calls"]) == (4, 2)


async def test_one_matter_taken_back_leaves_the_others(intake: Bench) -> None:
    first = await registered(intake)
    numbers = [each["number"] for each in (await split(intake, first["number"]))["matters"]]
    body = {"reason": "垃圾清走了"}
    await post(intake, f"/v1/tickets/{numbers[2]}/withdrawal", body)
    (fact,) = await intake.told("ticket.withdrawn")
    assert isinstance(fact.data, TicketWithdrawn)
    assert fact.subject == numbers[2]
