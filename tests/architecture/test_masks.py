"""Whatever somebody types and that enters a fact has passed a mask (R-36): the kind, not its cases.

A body is masked where it goes in, by ``Door``; so what is proved is that every body's every text is,
that no door is passed by, and that what is not masked there is named here with its reason.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from operations.runtime.registry import NAMES
from shared.http.fields import Body
from tests.fixtures.source import files, tree

CANARY, IN_LISTS = "张三13800001111", "李四13900002222"
OWN_RULE = {
    "Publication": "a digest, and nothing else that is a text",
    "NewTicket": "sealed as it came; registration masks it, knowing who calls",
    "Citizen": "the identity: sealed, in no fact",
    "Batch": "of NewTickets",
    "DraftContent": "a catalogue is never altered; one with such a number in a text does not check",
    "PolicyContent": "a policy is never altered: its sources have numbers, and it names nobody",
    "ContactReadRequest": "goes into the read log only, masked there with what the vault knows",
    "CitizenWords": "sealed as they came; intake masks them, knowing who spoke",
    "Supplement": "words of a citizen",
    "Urge": "words of a citizen",
    "Withdrawal": "words of a citizen",
    "Remainder": "the desk's words for what a citizen said, masked as those",
    "SplitMatter": "the same",
    "Split": "of these",
    "MaliciousUse": "evidence: sealed as it came, its copy masked as a citizen's words are",
}
# Routes that take a body and no door: name → why nothing of it enters a fact unmasked.
NO_DOOR = {
    "register_ticket": "NewTicket",
    "register_tickets": "Batch",
    "read_contact": "ContactReadRequest",
    "read_matter": "ContactReadRequest",
    "clear_words": "masked there, answered and kept nowhere",
    "take_missed_call": "ContactReadRequest",
    "look_up_caller": "the reason goes into the read log, masked there; the phone nowhere",
    "simulate_policy": "which draft and which days: no text, and kept nowhere",
    "find_duplicates": "compared with what is there and kept nowhere",
    "report_call": "sealed; a call is told in no fact",
    "keep_draft": "sealed; a draft is told in no fact",
    "keep_transcript": "sealed; a transcript is told in no fact",
}


def bodies() -> Iterator[type[Body]]:
    """Every body that is asked with, whichever file it stands in."""
    for service in NAMES:
        package = importlib.import_module(f"services.{service}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in module.name:
                continue
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, Body) and value is not Body:
                    yield value


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a body, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for _, each in value:
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def full_of(body: type[Body]) -> Body:
    """A body with a canary wherever a text may stand; in lists another, for a unit may confirm what
    stands in one.
    """
    fields: dict[str, Any] = {
        name: [IN_LISTS] if "list" in str(field.annotation) else CANARY
        for name, field in body.model_fields.items()
        if "str" in str(field.annotation)
    }
    rest = dict.fromkeys(body.model_fields.keys() - fields.keys())
    return body.model_construct(**fields, **rest)


@pytest.mark.parametrize("body", {*bodies()} - {Body}, ids=lambda body: body.__name__)
def test_every_text_of_a_body_is_masked(body: type[Body]) -> None:
    if body.__name__ in OWN_RULE:
        return
    masked = list(texts_in(full_of(body).masked()))
    assert [text for text in masked if text in (CANARY, IN_LISTS)] == []


def test_who_has_a_rule_of_its_own_is_known() -> None:
    assert {body.__name__ for body in bodies()} >= OWN_RULE.keys()


def bodies_without_a_door() -> Iterator[str]:
    """Routes that take a body and do not go through ``door.once``."""
    names = {body.__name__ for body in bodies()}
    for path in files(*(f"services/{service}" for service in NAMES)):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.AsyncFunctionDef) and any(
                "router." in ast.unparse(each) for each in node.decorator_list
            ):
                given = {ast.unparse(each.annotation) for each in node.args.args if each.annotation}
                if given & names and ".once(" not in ast.unparse(node):
                    yield node.name


def test_no_body_passes_by_the_door() -> None:
    assert set(bodies_without_a_door()) == NO_DOOR.keys()


def test_the_door_masks_what_it_hands_on() -> None:
    acts = ast.unparse(tree(next(path for path in files("shared/http") if path.stem == "acts")))
    assert "use_case(mine, ask.target, _masked(ask.body, act.config))" in acts
    assert acts.count("use_case(") == 1
