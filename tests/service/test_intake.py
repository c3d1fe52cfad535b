"""Intake's doors: registering, repeating, the citizen's acts, the vault."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    AssignmentCompleted,
    AssignmentDispatched,
    AssignmentSigned,
    CompletionKind,
    Limits,
    Role,
    TicketClosed,
    TicketReopened,
    TicketResolved,
    TicketType,
    Urgency,
)
from tests.bench import Bench

CALLER = {"name": "王小明", "phone": "13909150001", "address": "紫阳县城关镇河堤路8号3单元201"}


def complaint(**changes: Any) -> dict[str, Any]:
    """A complaint as the phone system posts it."""
    return {
        "type": "help",
        "topic": "water.supply",
        "title": "停水三天",
        "content": "我是王小明，电话13909150001，小区停水三天无人处理。",
        "area": "610924100",
        "channel": "phone",
        "caller": CALLER,
    } | changes


async def registered(intake: Bench, **changes: Any) -> dict[str, Any]:
    """A ticket registered through the door."""
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint(**changes))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_complaint_gets_its_number_and_is_told(intake: Bench) -> None:
    ticket = await registered(intake)
    assert ticket["number"] == "20260302-000001"
    [fact] = await intake.told()
    assert (fact.name, fact.subject, fact.seq) == ("ticket.registered", ticket["number"], 1)
    assert fact.data.ticket_type is TicketType.HELP
    assert fact.data.has_contact
