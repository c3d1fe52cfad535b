"""Everything the OpenAPI documents promise, tried with what they allow and what they forbid.

schemathesis makes the requests; a running system with a ticket of every kind answers them. Whatever
the caller and whatever the request: no 500, and no answer that is not documented.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi import checks

from operations.runtime.registry import NAMES
from shared.security.tokens import ROLES
from tests.fixtures.bench import ROOT
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.street import HOLDER, STRANGER, Matter, Street, street

PROVE = os.environ.get("HYPOTHESIS_PROFILE") == "prove"
EXAMPLES = 60 if PROVE else 1  # for each route, caller and way of making requests


def no_fault(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """No 500. On a busy machine one service may not wait for another: 503, where that is documented."""
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    return not_a_server_error(context, response, case)


CHECKS = [
    no_fault,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
Operation = APIOperation[Any, Any, Any, Any]
CALLERS: dict[str, tuple[str | None, str | None]] = {
    "nobody": (None, None),
    **{role: (role, None) for role in ROLES if role != "unit"},
    "holder": ("unit", HOLDER),
    "stranger": ("unit", STRANGER),
}

# Codes of the county: a document cannot say them, and without them nobody comes past the code tables.
LISTED: dict[str, Any] = {
    "topic": "road.damage",
    "area": "610924100",
    "channel": "phone",
    "flags": [],
    "reported_unit": None,
    "lead": HOLDER,
    "co_handlers": [],
    "attempt": 1,
}


# How a body is framed is between the client and the server: what is wrong there no application hears of.
FRAMING = frozenset({"transfer-encoding", "content-length"})


@dataclass(slots=True)
class Tally:
    """How many requests were made, and what came of them."""

    calls: int = 0
    failures: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
async def whole(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    """A running system."""
    async with street(postgres, tmp_path_factory.mktemp("var")) as one:
        yield one


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """The count over all services; build/attack.json keeps it."""
    counted = Tally()
    yield counted
    (ROOT / "build").mkdir(exist_ok=True)
    report = {
        "calls": counted.calls,
        "failures": len(counted.failures),
        "statuses": dict(sorted(counted.statuses.items())),
    }
    (ROOT / "build" / "attack.json").write_text(json.dumps(report, indent=2))


def documents(street: Street, service: str) -> BaseSchema:
    """The service's document, whose paths mostly name what exists."""
    schema = schemathesis.openapi.from_dict(street.system.apps[service].openapi())
    schema.config.output.sanitization.update(enabled=False)
    known = list(street.matters.values())

    @schema.hook("flatmap_path_parameters")
    def name_what_exists(_: Any, given: dict[str, Any] | None) -> st.SearchStrategy[dict[str, Any]]:
        given = given or {}
        some = st.sampled_from(known).map(lambda matter: given | named(matter, given))
        return st.one_of(some, some, some, st.just(given))

    @schema.hook("flatmap_body")
    def say_what_is_listed(_: Any, body: Any) -> st.SearchStrategy[Any]:
        if not isinstance(body, dict):
            return st.just(body)
        return st.sampled_from([body, body | {name: LISTED[name] for name in body.keys() & LISTED}])

    @schema.hook("map_case")
    def know_the_code(_: Any, case: Case[Any]) -> Case[Any]:
        codes = {matter.number: matter.code for matter in known}
        number = case.path_parameters.get("number")
        if case.path.endswith("{number}/progress") and number in codes:
            case.headers["X-Ticket-Code"] = codes[number]
        for name in FRAMING:
            case.headers.pop(name, None)
        return case

    return schema


def named(matter: Matter, wanted: dict[str, Any]) -> dict[str, Any]:
    """What a matter is called in a path; what is no matter's, as a call, stays as it was."""
    names = asdict(matter) | {"code": HOLDER, "table": "topics"}
    return {name: names.get(name, given) for name, given in wanted.items()}


def attack(street: Street, service: str, tally: Tally) -> None:
    """Every route, as every caller, with what the document allows and what it forbids."""
    schema = documents(street, service)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if (operation.method, operation.path) != (
            "post",
            "/clock",
        ):  # it would end the others' time
            for mode in GenerationMode:
                as_everybody(street, service, operation, mode, tally)


def as_everybody(
    street: Street, service: str, operation: Operation, mode: GenerationMode, tally: Tally
) -> None:
    """One route in one way of making requests, as every caller."""
    cases = operation.as_strategy(generation_mode=mode)
    for caller, (role, unit) in CALLERS.items():
        token = street.token(role, unit) if role else ""
        with requests.Session() as session:
            send = sender(session, street.system.urls[service], token, caller, tally)
            bounded(send, cases)


def sender(
    session: requests.Session, url: str, token: str, caller: str, tally: Tally
) -> Callable[[Case[Any]], None]:
    """What sends a case as a caller, and counts what is wrong with the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(case: Case[Any]) -> None:
        answer = case.call(base_url=url, session=session, headers=headers)
        tally.calls += 1
        tally.statuses[str(answer.status_code)] += 1
        try:
            case.validate_response(answer, checks=CHECKS, headers=headers)
        except* Exception as wrong:
            tally.failures += [
                f"{caller}: {case.as_curl_command()}\n{one}" for one in wrong.exceptions
            ]

    return send


def bounded(send: Callable[[Case[Any]], None], cases: st.SearchStrategy[Case[Any]]) -> None:
    """Run it a number of times; what fails is counted, so nothing needs to be shrunk."""
    quiet = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parts
        quiet(given(cases)(send))()


@pytest.mark.parametrize("service", NAMES)
async def test_no_answer_is_undocumented(whole: Street, service: str, tally: Tally) -> None:
    before = len(tally.failures)
    await asyncio.to_thread(attack, whole, service, tally)
    assert tally.failures[before:] == []
