"""What was registered travels to the unit, field by field, or somebody decided that it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import AwareDatetime

from shared.events import Location, Reported, TicketRegistered
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import NUMBER, let_lead, post, register

# What a unit is not told, and why. A new field of TicketRegistered travels or gets its line here.
NOT_TOLD = {
    "source_number": "names the case at the city platform, with which intake alone speaks",
    "configuration": "it has its own: the rules it was dispatched under",
    "reported": "the desk's ground to pass units over (R-35); what they did is in the content",
    "reported_unit": "the desk's ground to pass a unit over (R-35); what it did is in the content",
    "split_from": "what else a citizen said in the same call is others' matter",
    "taken_off": "since when units have it elsewhere goes by it",
    "upstream_due": "the order prints it with the margin, as `limits.upstream`",
    "accepted_at": "the citizen's clock goes by it, none of a unit",
    "appointed": "the order has a lead",
}
# Of a confidential matter a unit learns the area only (docs/how-it-flows.md#private, JN-32).
NOT_TOLD_OF_CONFIDENTIAL = {
    "address": "it may lead to the citizen",
    "location": "it may lead to the citizen",
}


def distinct(field: str, kind: Any, default: Any) -> Any:
    """A value of this type that no other field has, and that is not the field's default."""
    if get_origin(kind) in (Union, UnionType):
        [kind] = [each for each in get_args(kind) if each is not type(None)]
    if kind is bool:
        return not default
    if kind is str:
        return f"the {field}"
    if get_origin(kind) is tuple:
        return (f"the first of {field}", f"the second of {field}")
    if kind is AwareDatetime:
        return datetime(2026, 3, 1, 9, tzinfo=UTC)
    if kind is Location:
        return Location(longitude=108.25, latitude=32.75)
    if kind is Reported:
        return Reported(units=("the unit reported",), words=("the words reported",))
    if issubclass(kind, StrEnum):
        return list(kind)[1]
    raise AssertionError(f"{field}: say here what a {kind} may look like")


def filled(**given: Any) -> TicketRegistered:
    """Every field with a value of its own."""
    fields = TicketRegistered.model_fields.items()
    values = {name: distinct(name, field.annotation, field.default) for name, field in fields}
    return TicketRegistered.model_validate(values | given)


def test_every_field_is_filled_with_something_of_its_own() -> None:
    values = filled().model_dump()
    for name, field in TicketRegistered.model_fields.items():
        assert values[name] != field.get_default(), name
    texts = [value for value in values.values() if isinstance(value, str)]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("confidential", [False, True])
async def test_what_was_registered_is_what_the_unit_gets(
    dispatcher: Bench, confidential: bool
) -> None:
    matter = filled(confidential=confidential)
    await register(dispatcher, matter)
    body = {"lead": "HC", "reason": "属地管理"}
    await let_lead(dispatcher, "HC")  # no rule covers such a topic
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    (fact,) = await dispatcher.told("assignment.dispatched")
    told = fact.data.model_dump()
    kept = {
        field
        for field, value in matter.model_dump().items()
        if field not in told or told[field] != value
    }
    assert kept == NOT_TOLD.keys() | (NOT_TOLD_OF_CONFIDENTIAL if confidential else {}).keys()
