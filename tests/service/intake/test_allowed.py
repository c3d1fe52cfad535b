"""可行的操作: what a ticket offers its reader at intake's doors is done, what it does not offer is refused
(ADR 0078).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from services.intake import routes, vault
from services.intake.rules.acts import ACTS
from services.intake.rules.machine import TicketStatus, ended
from services.intake.rules.supplements import MOST
from shared.events import ArbitrationEnded, ArbitrationOpened
from shared.http.auth import CallerOf
from tests.fixtures.bench import Bench
from tests.fixtures.neighbours import neighbours_of
from tests.fixtures.scenes.intake import life, post, registered

START = "2026-03-02T10:00+08:00"
WHY = {"reason": "核实后办理"}
KEPT: dict[str, Any] = {"ending": {"direct_answer": {}}}
SAID: dict[str, dict[str, Any]] = {
    "supplement": {"content": "仍未恢复"},
    "urge": {"note": "请快些"},
    "withdraw": {"reason": "已解决"},
    "correct": WHY | {"reply_declined": True},
    "rate_call": {"rating": "unsatisfied"},
    "direct_answer": {"answer": "已恢复供水"},
    "not_accepted": {"reason": "already_in_petition"},
    "handed_over": {"line": "119", "taken_by": "119接警员", "at": "2026-03-02T10:00+08:00"},
    "dispatch": WHY,
    "merge": WHY,
    "unmerge": WHY,
    "split": WHY
    | {
        "remainder": {"content": "停水三天"},
        "matters": [{"topic": "road.damage", "title": "道路破损", "content": "村口路面破损"}],
    },
    "mark_malicious_use": {"evidence": "连续辱骂话务员", "warned": True},
    "undo_malicious_use": {"reason": "认错人"},
    "mark_notes_read": {"done": "已转承办单位"},
}
Scene = Callable[[Bench], Awaitable[str]]


async def fresh(intake: Bench, **changes: Any) -> str:
    number: str = (await registered(intake, **changes))["number"]
    return number


def lived(facts: int) -> Scene:
    """So many facts of its life were heard."""

    async def scene(intake: Bench) -> str:
        number = await fresh(intake)
        await intake.hear(*life(intake, number, uuid4())[:facts])
        return number

    return scene


def did(*acts: str, **changes: Any) -> Scene:
    """The desk did these, one after the other."""

    async def scene(intake: Bench) -> str:
        number = await fresh(intake, **changes)
        for name in acts:
            answer = await post(intake, _door(number, name), SAID[name], "desk")
            assert answer.is_success, answer.text
        return number

    return scene


async def ended_long_ago(intake: Bench) -> str:
    number = await did("direct_answer")(intake)
    intake.at("2026-06-01T10:00+08:00")
    return number


async def joined(intake: Bench) -> str:
    number, into = await fresh(intake), await fresh(intake)
    await post(intake, _door(number, "merge"), WHY | {"into": into}, "desk")
    return number


async def led(intake: Bench) -> str:
    number, into = await fresh(intake), await fresh(intake)
    await post(intake, _door(number, "merge"), WHY | {"into": into}, "desk")
    return into


async def disputed(intake: Bench) -> str:
    number, id = await fresh(intake), uuid4()
    neighbours_of(intake).disputes[number] = id
    data = ArbitrationOpened(
        arbitration=id,
        by="hand",
        grounds="推诿",
        parties=("GSGS",),
        step=1,
        title="会商",
        limit="1wd",
    )
    await intake.hear(intake.fact(data, subject=number))
    return number


async def disputed_no_more(intake: Bench) -> str:
    """Whichever of the two facts is heard first."""
    number = await fresh(intake)
    opened = ArbitrationOpened(
        arbitration=uuid4(),
        by="hand",
        grounds="推诿",
        parties=(),
        step=1,
        title="会商",
        limit="1wd",
    )
    ended = ArbitrationEnded(arbitration=opened.arbitration, reason="resolved")
    first, then = (intake.fact(data, subject=number) for data in (opened, ended))
    await intake.hear(then, first)
    return number


async def accuses_nobody_knows_whom(intake: Bench) -> str:
    return await fresh(intake, type="report")


async def full(intake: Bench) -> str:
    number = await fresh(intake)
    await intake.do(
        "INSERT INTO citizen_note (id, number, action, content, sealed, said_at) SELECT "
        "gen_random_uuid(), :number, 'supplement', '补充', '', now() FROM generate_series(1, :most)",
        number=number,
        most=MOST,
    )
    return number


def erased(before: Scene) -> Scene:
    async def scene(intake: Bench) -> str:
        number = await before(intake)
        async with intake.service.store.act("ops") as act:
            assert await vault.erase(act, number, "本人要求", forced=True)
        return number

    return scene


SCENES: dict[str, Scene] = {
    "received": fresh,
    "kept": did(**KEPT),
    **{f"lived {facts}": lived(facts) for facts in (1, 2, 4, 5, 10)},
    "withdrawn": did("withdraw"),
    "answered": did("direct_answer"),
    "answered, never sent": did("direct_answer", **KEPT),
    "not accepted": did("not_accepted"),
    "handed over": did("handed_over"),
    "taken up again": did("direct_answer", "dispatch"),
    "ended long ago": ended_long_ago,
    "joined": joined,
    "led": led,
    "disputed": disputed,
    "disputed no more": disputed_no_more,
    "accuses nobody knows whom": accuses_nobody_knows_whom,
    "full": full,
    "rated and marked": did("rate_call", "mark_malicious_use"),
    "marked no more": did("mark_malicious_use", "undo_malicious_use"),
    "something said after the end": did("withdraw", "supplement"),
    "erased": erased(fresh),
    "erased after its end": erased(did("withdraw")),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
async def test_what_is_allowed_is_and_nothing_else(intake: Bench, scene: Scene) -> None:
    """Each act as each role. What was done begins anew, what was refused has changed nothing."""
    number = ""
    for role in ("phone_system", "agent", "desk", "callback"):
        for name, act in ACTS.items():
            if role not in act.by:  # its door lets nobody else in
                continue
            if not number:
                intake.at(START)
                number, into = await scene(intake), await fresh(intake)
            shown = (await intake.http(role).get(f"/v1/tickets/{number}")).json()
            more: dict[str, dict[str, Any]] = {
                "merge": {"into": into},
                "rate_call": {"rating": "satisfied"},
            }
            if ended(TicketStatus(shown["status"])):  # then the phone alone is put right
                more["correct"] = {"reply_declined": None, "caller": {"phone": "13909150009"}}
            answer = await post(intake, _door(number, name), SAID[name] | more.get(name, {}), role)
            idle = name == "mark_notes_read" and answer.is_success  # once more changes nothing
            said = name in shown["allowed"]
            assert idle or answer.is_success is said, (role, name, shown["allowed"], answer.text)
            assert all(role in ACTS[other].by for other in shown["allowed"])
            number = "" if said else number


def _door(number: str, name: str) -> str:
    return f"/v1/tickets/{number}/{ACTS[name].door}"


@pytest.mark.parametrize("role", ["phone_system", "agent", "desk", "callback", "supervisor"])
async def test_a_list_says_the_same_and_who_only_reads_may_do_nothing(
    intake: Bench, role: str
) -> None:
    scenes = ("kept", "led", "full", "rated and marked", "disputed", "something said after the end")
    numbers = [await SCENES[name](intake) for name in scenes]
    client, found = intake.http(role), {}
    for item in (await client.get("/v1/tickets")).json()["items"]:
        found[item["number"]] = item["allowed"]
    for number in numbers:
        shown = (await client.get(f"/v1/tickets/{number}")).json()
        assert found[number] == shown["allowed"]
        assert bool(shown["allowed"]) is (
            role != "supervisor" and (role != "callback" or shown["noted_after_end_at"] is not None)
        )


async def test_a_citizen_with_a_full_ticket_is_not_told_to_add_to_it(intake: Bench) -> None:
    number = await full(intake)
    asked = {"phone": "13909150001"}
    [found] = (await post(intake, "/v1/callers/lookup", asked, "agent")).json()["items"]
    assert (found["number"], found["allowed"]) == (number, ["urge", "withdraw"])


def test_the_doors_let_in_whom_the_table_names() -> None:
    """One source; whether a contact may be read, the neighbours are asked."""
    found = {}
    for route in routes.router.routes:
        assert isinstance(route, APIRoute)
        path = route.path.removeprefix("/v1/tickets/{number}/")
        if path == route.path or "POST" not in (route.methods or ()):
            continue
        if path in ("contact-reads", "matter-reads", "contact-requests", "cleared-words"):
            continue
        asked = [each.call for one in route.dependant.dependencies for each in one.dependencies]
        [caller] = [each for each in asked if isinstance(each, CallerOf)]
        found[path] = caller._roles
    assert found == {act.door: act.by for act in ACTS.values()}
