"""机构改革 as the citizen sees it: the new unit's name, the old one with the new beside, and never a code."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import AssignmentCompleted, AssignmentSigned, AssignmentTransferred, Fact
from shared.events import UnitReformed as Reformed
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import COMPLETED, DISPATCHED, life, registered

OLD, NEW = "GSGS", "SLJ"  # 供水公司, which becomes part of 水利局


def transferred(bench: Bench, number: str, id: UUID, to: str = NEW, seq: int = 20) -> Fact:
    """Another unit goes on with it."""
    data = AssignmentTransferred.model_validate(
        DISPATCHED
        | {
            "lead": to,
            "reason": "供水",
            "registered_at": bench.now,
            "predecessor": OLD,
            "reform": uuid4(),
            "status": "signed",
            "dispatched_at": bench.now,
        }
    )
    return bench.fact(data, subject=number, assignment=id, unit=to, seq=seq)


def dissolved(bench: Bench) -> Fact:
    """The water company is no more."""
    data = Reformed(kind="merge", reform=uuid4(), successors=(NEW,), reason="紫编发3号")
    return bench.fact(data, subject=f"unit:{OLD}", unit=OLD)


async def progress(bench: Bench, ticket: Any) -> Any:
    path = f"/v1/tickets/{ticket['number']}/progress"
    headers = {"X-Ticket-Code": ticket["code"]}
    return (await bench.http(None).get(path, headers=headers)).json()


async def test_the_citizen_is_told_the_new_units_name(intake: Bench) -> None:
    """R-44."""
    ticket, id = await registered(intake), uuid4()
    dispatched = life(intake, ticket["number"], id)[0]
    await intake.hear(dispatched, transferred(intake, ticket["number"], id), dissolved(intake))
    shown = await progress(intake, ticket)
    assert (shown["status"], shown["unit_names"]) == ("assigned", ["水利局"])


async def test_what_the_old_unit_did_keeps_its_name_with_the_new_one_beside(intake: Bench) -> None:
    ticket, id = await registered(intake), uuid4()
    heard = life(intake, ticket["number"], id)
    await intake.hear(*(fact for fact in heard if fact.name.startswith("assignment.")))
    await intake.hear(dissolved(intake))
    shown = await progress(intake, ticket)
    assert shown["unit_names"] == ["紫阳县供水有限公司（现水利局）"]
    assert OLD not in str(shown)


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_whatever_order_it_is_heard(intake: Bench, order: Any) -> None:
    ticket, id = await registered(intake), uuid4()
    number = ticket["number"]
    signed = intake.fact(
        AssignmentSigned(handler="张三"), subject=number, assignment=id, unit=OLD, seq=11
    )
    completed = intake.fact(
        AssignmentCompleted.model_validate(COMPLETED),
        subject=number,
        assignment=id,
        unit="HC",
        seq=22,
    )
    said = [
        signed,
        transferred(intake, number, id),
        transferred(intake, number, id, to="HC", seq=21),
        completed,
    ]
    for place in order:
        await intake.hear(said[place])
    assert await intake.rows("SELECT unit, status FROM assignment") == [
        {"unit": "HC", "status": "completed"}
    ]
