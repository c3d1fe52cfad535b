"""Two people act at once: one of them is told what the other did, nothing is done twice, no door breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.courier import DONE, County
from tests.fixtures.scenes.dispatcher import RETURN, let_lead

Ask = tuple[Bench, str, str | None, str, dict[str, Any]]  # of whom, as whom, for which unit, what
NOTE = {"note": "已核实"}


async def at_once(asks: Sequence[Ask]) -> list[httpx.Response]:
    """All of these in one moment, each by another person."""
    answers = await asyncio.gather(
        *(
            bench.http(role, unit, f"p{at}").post(path, json=body)
            for at, (bench, role, unit, path, body) in enumerate(asks)
        )
    )
    assert all(answer.status_code < 500 for answer in answers), [each.text for each in answers]
    return answers


def done(answers: Sequence[httpx.Response]) -> int:
    return sum(answer.is_success for answer in answers)


async def test_who_agrees_and_who_does_not_agree_to_a_correction(county: County) -> None:
    """One decides, and the others hear what was decided. Meanwhile another is decided, so that they share
    their transaction.
    """
    intake, asks = county.intake, list[Ask]()
    for many in (1, 6):
        number = await county.ticket(type="report", topic="rural.affairs", reported_unit="HC")
        body = {"reason": "听错了", "reported": {"units": ["CG"]}}
        asked = await county.do("desk", intake, f"/v1/tickets/{number}/corrections", body)
        path = f"/v1/corrections/{asked['id']}/decision"
        for at in range(many):
            asks.append((intake, "supervisor", None, path, NOTE | {"granted": at % 2 == 0}))
    assert done(await at_once(asks)) == 2
    assert len(await intake.told("ticket.corrected")) == 2


async def test_who_grants_and_who_refuses_less_urgency(county: County) -> None:
    desk, number = county.dispatcher, await county.ticket()
    body = {"lead": "GSGS", "reason": "实为一般", "urgency": "normal"}
    asked = await county.do("desk", desk, f"/v1/tickets/{number}/assign", body)
    path = f"/v1/approvals/{asked['approval']}/decision"
    asks = [(desk, "supervisor", None, path, NOTE | {"granted": at % 2 == 0}) for at in range(6)]
    assert done(await at_once(asks)) == 1
    decided = [*await desk.told("approval.granted"), *await desk.told("approval.refused")]
    assert len(decided) == 1


async def test_who_publishes_who_discards_and_who_rewrites_a_draft(county: County) -> None:
    desk = county.dispatcher
    drafter, note = desk.http("desk", None, "drafter"), {"note": "修订"}
    drawn = (await drafter.post("/v1/catalogue/drafts", json=note)).json()
    path = f"/v1/catalogue/drafts/{drawn['id']}"
    rule = {"id": "new", "topic": "water.supply", "lead": "GSGS", "reason": "供水"}
    asks = [
        (desk, "supervisor", None, f"{path}/publication", {"digest": drawn["digest"]}),
        (desk, "supervisor", None, f"{path}/publication", {"digest": drawn["digest"]}),
        (desk, "desk", None, f"{path}/discarding", {"reason": "不再需要"}),
        (desk, "desk", None, f"{path}/rules", {"rule": rule, "before": None}),
    ]
    answers = await at_once(asks)
    assert done(answers[:3]) <= 1, [answer.text for answer in answers]
    assert len(await desk.told("catalogue.published")) <= 1


ORDER = "/v1/assignments/{order}/"
TICKET = "/v1/tickets/{number}/"
BY_DESK: list[tuple[str, dict[str, Any]]] = [
    (f"{TICKET}assign", {"lead": "HC", "reason": "改派"}),
    (f"{TICKET}assign", {"lead": "MZJ", "co_handlers": ["GSGS"], "reason": "改派"}),
    (f"{TICKET}recall", {"reason": "核实"}),
    (f"{TICKET}co-handlers", {"unit": "MZJ", "reason": "协办"}),
    (f"{TICKET}arbitration", {"grounds": "推诿"}),
]
BY_UNIT: list[tuple[str, dict[str, Any]]] = [
    (f"{ORDER}contacts", {"how": "phone", "outcome": "reached"}),
    (f"{ORDER}return-requests", RETURN | {"suggested_unit": "MZJ"}),
    (f"{ORDER}completion", DONE),
    (
        f"{ORDER}completion",
        DONE | {"kind": "terminated", "solved": False, "unsolved_reason": "不配合"},
    ),
]
BY_FRONT: list[tuple[str, dict[str, Any]]] = [
    (f"{TICKET}merge", {"reason": "同一处停水"}),
    (f"{TICKET}corrections", {"reason": "听错了", "topic": "lighting.street"}),
    (f"{TICKET}corrections", {"reason": "听错了", "reported": {"units": ["GSGS"]}}),
    (f"{TICKET}withdrawal", {"reason": "不办了"}),
    (f"{TICKET}supplements", {"content": "有人触电倒地，被困在水里"}),
    (f"{TICKET}direct-answer", {"answer": "今晚恢复"}),
]


async def race(
    county: County, first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]
) -> None:
    """Both in one moment; then every ticket has one lead, or the desk, or an end."""
    other, number = await county.ticket(), await county.ticket()
    await let_lead(county.dispatcher, "HC", number)
    order = await county.assignment(number)
    await county.act(number, "sign", {"handler": "李工"})
    asks: list[Ask] = []
    for path, body in (first, second):
        bench, role, unit = county.dispatcher, "desk", None
        if (path, body) in BY_UNIT:
            role, unit = "unit", "GSGS"
        elif (path, body) in BY_FRONT:
            bench = county.intake
        said = body | ({"into": other} if path.endswith("merge") else {})
        asks.append((bench, role, unit, path.format(number=number, order=order), said))
    await at_once(asks)
    await county.carry()
    leads = await county.dispatcher.rows(
        "SELECT ticket FROM assignments WHERE role = 'lead' AND status <> ALL(:over)",
        over=["cancelled", "returned", "completed"],
    )
    assert len(leads) == len({row["ticket"] for row in leads})
    for bench in county.benches.values():
        assert await bench.rows("SELECT * FROM retry WHERE state = 'dead'") == []


PAIRS = [
    *((one, other) for one in BY_DESK for other in BY_UNIT),
    *((one, other) for one in BY_FRONT for other in (*BY_DESK[:3], *BY_UNIT[1:3])),
    *((one, other) for at, one in enumerate(BY_DESK) for other in BY_DESK[at:]),
]


async def test_desk_unit_and_front_at_once(county: County) -> None:
    """Whoever is second finds what the first left: one lead, the desk, or the end. All pairs were run once;
    each time every sixth is.
    """
    for first, second in PAIRS[::6]:
        await race(county, first, second)
    assert (await county.replayed())[0] == []
