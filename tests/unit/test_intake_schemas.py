"""Intake's bodies: what is taken, which field a fault names, and that nothing personal is printed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.schemas import Batch, NewTicket
from shared.events import TicketType, Urgency
from shared.http.problems import Problem

GIVEN: dict[str, Any] = {
    "type": "help",
    "topic": "water.supply",
    "title": "停水",
    "content": "家里停水三天",
    "area": "610924109",
    "channel": "phone",
}


def test_a_short_ticket_is_enough() -> None:
    ticket = NewTicket.model_validate(GIVEN)
    assert ticket.type is TicketType.HELP
    assert ticket.urgency is Urgency.NORMAL
    assert ticket.caller is None
    assert ticket.confidential is None


def test_a_whole_ticket_is_read() -> None:
    ticket = NewTicket.model_validate(
        GIVEN
        | {
            "urgency": "urgent",
            "address": "尚坝村",
            "location": {"longitude": 108.5, "latitude": 32.5},
            "flags": ["water"],
            "source_number": 2126082569798191695,
            "reported_unit": "HC",
            "caller": {"name": "王小明", "phone": "+86 138-0013-8000", "address": "尚坝村3组"},
            "confidential": True,
            "reply_declined": True,
        }
    )
    assert ticket.caller is not None
    assert ticket.caller.phone == "+86 138-0013-8000"  # as it came
    assert ticket.source_number == "2126082569798191695"
    assert NewTicket.model_validate_json(ticket.model_dump_json()) == ticket


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "gossip"}, "type"),
        ({"urgency": "now"}, "urgency"),
        ({"title": " "}, "title"),
        ({"title": "长" * 101}, "title"),
        ({"content": ""}, "content"),
        ({"content": "长" * 5_001}, "content"),
        ({"content": "x" * 100_000}, "content"),
        ({"content": "停\0水"}, "content"),
        ({"caller": {"phone": "4421234\0"}}, "phone"),
        ({"caller": {"phone": True}}, "phone"),
        ({"caller": {"phone": "1" * 201}}, "phone"),
        ({"source_number": ["4421234"]}, "source_number"),
        ({"caller": {"name": "王\0"}}, "name"),
        ({"location": {"longitude": 181, "latitude": 32}}, "longitude"),
        ({"location": {"longitude": float("nan"), "latitude": 32}}, "longitude"),
        ({"flags": ["water"] * 21}, "flags"),
        ({"tilte": "停水"}, "tilte"),
    ],
)
def test_a_bad_field_is_named_and_never_quoted(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NewTicket.model_validate(GIVEN | change)
    faults = refused.value.errors(include_input=False)
    assert [fault["loc"][-1] for fault in faults] == [field]
    assert "4421234" not in faults[0]["msg"]


@pytest.mark.parametrize("blank", ["", "  ", "\u3000", None])
def test_a_blank_number_is_none(blank: str | None) -> None:
    ticket = NewTicket.model_validate(GIVEN | {"source_number": blank, "caller": {"phone": blank}})
    assert ticket.caller is not None
    assert (ticket.source_number, ticket.caller.phone) == (None, None)


def test_a_ticket_is_never_printed_with_its_words() -> None:
    named = {"source_number": "13800138000-1", "caller": {"name": "王小明", "phone": "13800138000"}}
    ticket = NewTicket.model_validate(GIVEN | named)
    assert "王小明" not in repr(ticket)
    assert "13800138000" not in repr(ticket)
    assert "停水" not in repr(ticket)


def test_each_ticket_of_a_batch_is_judged_alone() -> None:
    batch = Batch.model_validate({"tickets": [GIVEN, GIVEN | {"title": ""}, "nonsense", GIVEN]})
    good, bad, nonsense, last = batch.tickets
    assert isinstance(good, NewTicket)
    assert good == last
    assert isinstance(bad, Problem)
    assert (bad.status, bad.field) == (422, "title")
    assert isinstance(nonsense, Problem)
    assert (nonsense.status, nonsense.field) == (422, "body")


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_has_its_bounds(size: int) -> None:
    with pytest.raises(ValidationError):
        Batch.model_validate({"tickets": [GIVEN] * size})


def test_the_interface_shows_a_batch_as_tickets() -> None:
    items = Batch.model_json_schema()["properties"]["tickets"]["items"]
    assert items == {"$ref": "#/$defs/NewTicket"}


def test_a_batch_can_be_fingerprinted() -> None:
    one, other = (
        Batch.model_validate({"tickets": [GIVEN, GIVEN | {"title": title}]}).model_dump_json()
        for title in ("", "停电")
    )
    assert one != other
