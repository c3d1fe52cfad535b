"""更正 at the dispatcher: orders follow what is right, and nobody recused keeps one (R-35, JN-32)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from services.dispatcher.rules.assignment import OPEN
from shared.events import Fact, Reported, TicketCorrected, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    assignments,
    banquet,
    closed,
    finish,
    names,
    post,
    register,
    sign,
    statuses,
    street_light,
)

WATER = "GSGS"


def corrected(bench: Bench, seq: int | None = None, **right: Any) -> Fact:
    """What intake says of a correction."""
    fields = right.pop("fields", tuple(right))
    data = TicketCorrected(fields=fields, reason="听错了", **right)
    return bench.fact(data, subject=NUMBER, seq=seq)


async def waiting(bench: Bench) -> list[dict[str, Any]]:
    """The desk's list."""
    items: list[dict[str, Any]] = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return items


async def test_an_unsigned_order_goes_where_the_rules_now_lead(dispatcher: Bench) -> None:
    await register(dispatcher)
    await dispatcher.hear(corrected(dispatcher, topic="water.supply"))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "cancelled"), (WATER, 1, "dispatched")]
    [told] = await dispatcher.told("assignment.cancelled")
    assert told.data.reason == "redispatched"  # neutral: it says nothing of why


async def test_a_signed_order_is_the_desks_to_judge(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    await dispatcher.hear(corrected(dispatcher, topic="water.supply"))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "signed")]
    [listed] = await waiting(dispatcher)
    assert (listed["number"], listed["doubted"]) == (NUMBER, True)
    assert WATER in listed["reason"]
    assert listed["topic"] == "water.supply"


async def test_the_desk_confirms_who_has_it_or_gives_it_to_another(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    await dispatcher.hear(corrected(dispatcher, topic="water.supply"))
    path, desk = f"/v1/tickets/{NUMBER}/assign", dispatcher.http("desk")
    await post(desk, path, {"lead": STREET_LIGHT, "reason": "确属其职责"})
    assert await waiting(dispatcher) == []
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "signed")]
    await dispatcher.hear(corrected(dispatcher, type="help", topic="water.supply"))
    await post(desk, path, {"lead": WATER, "reason": "供水"})
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "cancelled"), (WATER, 1, "dispatched")]


async def test_a_unit_that_is_reported_loses_it_at_once(dispatcher: Bench) -> None:
    """Also when it has signed: its order ends before anything else is decided."""
    given = await register(dispatcher)
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    reported = Reported(units=(STREET_LIGHT,))
    await dispatcher.hear(corrected(dispatcher, reported=reported))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "cancelled")]
    [listed] = await waiting(dispatcher)
    assert listed["reported_unit"] == STREET_LIGHT
    unit = dispatcher.http("unit", STREET_LIGHT)
    assert (await unit.get(f"/v1/tickets/{NUMBER}")).status_code == 404


async def test_what_nobody_has_is_decided_anew(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(topic="other.other", title="x", content="y"))
    assert await statuses(dispatcher) == []
    await dispatcher.hear(corrected(dispatcher, topic="water.supply"))
    assert await statuses(dispatcher) == [(WATER, 1, "dispatched")]
    assert await waiting(dispatcher) == []


async def test_what_the_rules_leave_to_the_desk_stays_there(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    await dispatcher.hear(corrected(dispatcher, reported=Reported(units=("HC",))))
    assert await statuses(dispatcher) == []
    assert len(await waiting(dispatcher)) == 1


async def test_whom_it_is_about_no_more_does_not_get_it_by_rule(dispatcher: Bench) -> None:
    """What was dropped by mistake would hand the reporter over: a person looks first."""
    await register(dispatcher, street_light(reported_unit=STREET_LIGHT))
    assert await statuses(dispatcher) == []
    await dispatcher.hear(corrected(dispatcher, reported=Reported(nobody=True)))
    assert await statuses(dispatcher) == []
    [listed] = await waiting(dispatcher)
    assert "被反映对象" in listed["reason"]


async def test_a_more_urgent_ticket_gets_a_new_order_before_it_is_signed(dispatcher: Bench) -> None:
    await register(dispatcher)
    await dispatcher.hear(corrected(dispatcher, urgency=Urgency.URGENT))
    assert await statuses(dispatcher) == [
        (STREET_LIGHT, 1, "cancelled"),
        (STREET_LIGHT, 1, "dispatched"),
    ]
    told = await dispatcher.told("assignment.dispatched")
    assert [fact.data.urgency for fact in told] == ["normal", "urgent"]


async def test_who_is_at_work_hears_that_it_is_more_urgent(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    await dispatcher.hear(corrected(dispatcher, urgency=Urgency.URGENT))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "signed")]
    [told] = await dispatcher.told("assignment.updated")
    assert (told.unit, told.data.kind, told.data.urgency) == (STREET_LIGHT, "urged", "urgent")
    assert told.data.limits.handle


async def test_after_the_answer_only_the_record_changes(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await finish(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    before = await names(dispatcher)
    await dispatcher.hear(corrected(dispatcher, topic="water.supply"))
    await dispatcher.hear(closed(dispatcher), corrected(dispatcher, area="610924110"))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "completed")]
    assert [name for name in await names(dispatcher) if name.startswith("assignment.d")] == [
        name for name in before if name.startswith("assignment.d")
    ]


async def test_the_later_said_counts_whichever_is_heard_first(dispatcher: Bench) -> None:
    await register(dispatcher)
    late = corrected(dispatcher, seq=9, topic="water.supply")
    await dispatcher.hear(late, corrected(dispatcher, seq=8, topic="road.damage"), late)
    assert (await assignments(dispatcher)).keys() == {STREET_LIGHT, WATER}
    [row] = await dispatcher.rows("SELECT matter, corrected FROM tickets")
    assert row["matter"]["topic"] == "water.supply"
    known = row["corrected"]["topic"]
    assert (known["seq"], known["was"]) == (9, "lighting.street")


async def test_a_correction_before_the_registration_waits_for_it(dispatcher: Bench) -> None:
    early = corrected(dispatcher, topic="water.supply")
    await dispatcher.hear(early)
    assert [row["state"] for row in await dispatcher.parked()] == ["early"]


@pytest.mark.parametrize("seed", range(6))
async def test_in_any_order_no_recused_unit_stays_at_work(dispatcher: Bench, seed: int) -> None:
    """Registered, signed or not, corrected thrice, in any order: who is reported has no open order, and
    somebody always has the ticket: a unit, or the desk by its list.
    """
    dice = random.Random(seed)
    facts = [
        dispatcher.fact(street_light(), subject=NUMBER),
        corrected(dispatcher, seq=2, topic=dice.choice(["water.supply", "road.damage"])),
        corrected(
            dispatcher, seq=3, reported=Reported(units=(dice.choice([STREET_LIGHT, WATER]),))
        ),
        corrected(dispatcher, seq=4, urgency=Urgency.URGENT),
    ]
    dice.shuffle(facts)
    for fact in facts:
        await dispatcher.hear(fact)
        for unit, assignment in (await assignments(dispatcher)).items():
            if (unit, 1, "dispatched") in await statuses(dispatcher) and dice.random() < 0.5:
                await dispatcher.http("unit", unit).post(
                    f"/v1/assignments/{assignment}/sign", json={"handler": "张三"}
                )
    await dispatcher.hear(*facts)  # and once more
    assert await dispatcher.parked() == []
    [row] = await dispatcher.rows("SELECT matter, unassigned_at FROM tickets")
    at_work = {unit for unit, _, status in await statuses(dispatcher) if status in OPEN}
    assert not at_work & set(row["matter"]["reported"]["units"])
    assert at_work or row["unassigned_at"]
    assert len([s for s in await statuses(dispatcher) if s[2] in OPEN]) == len(at_work)


async def test_a_wrong_number_a_unit_finds_is_on_the_desks_list_till_it_is_corrected(
    dispatcher: Bench,
) -> None:
    """R-12: the unit cannot correct it, so whoever can must hear of it."""
    await dispatcher.hear(dispatcher.fact(street_light(), subject=NUMBER))
    [(unit, order)] = (await assignments(dispatcher)).items()
    client, path = dispatcher.http("unit", unit), f"/v1/assignments/{order}"
    await client.post(f"{path}/sign", json={"handler": "张三"})
    tried = {"how": "phone", "outcome": "wrong_number"}
    assert (await client.post(f"{path}/contacts", json=tried)).is_success
    [item] = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (item["number"], item["doubted"]) == (NUMBER, True)
    assert "号码有误" in item["reason"]
    dispatcher.at("2026-03-02T11:00")
    data = TicketCorrected(fields=("phone",), reason="来电更正", has_contact=True)
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER, seq=2))
    assert (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"] == []


async def test_a_citizen_reached_after_all_leaves_the_desks_list(dispatcher: Bench) -> None:
    await dispatcher.hear(dispatcher.fact(street_light(), subject=NUMBER))
    [(unit, order)] = (await assignments(dispatcher)).items()
    client, path = dispatcher.http("unit", unit), f"/v1/assignments/{order}"
    await client.post(f"{path}/sign", json={"handler": "张三"})
    for outcome, waits in (("wrong_number", 1), ("no_answer", 1), ("reached", 0)):
        tried = {"how": "phone", "outcome": outcome}
        assert (await client.post(f"{path}/contacts", json=tried)).is_success
        assert len(await waiting(dispatcher)) == waits
