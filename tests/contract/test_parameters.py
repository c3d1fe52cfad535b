"""A query parameter that is none: refused on every route, with the one most like it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from operations import contracts
from operations.runtime.registry import NAMES, part
from shared.http.parameters import SHOWN, UnknownParameter
from tests.fixtures.documents import asked

SAMPLES = {"number": "20260302-000001", "table": "topics"}
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def operations() -> Iterator[tuple[str, str, str, list[str]]]:
    """Service, method, path and query parameters of everything published."""
    for service in NAMES:
        for path, methods in contracts.openapi(service)["paths"].items():
            for method, operation in methods.items():
                parameters = operation.get("parameters", ())
                names = [each["name"] for each in parameters if each["in"] == "query"]
                yield service, method, path, names


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return SAMPLES.get(key, ID)


@pytest.mark.parametrize(("service", "method", "path", "names"), list(operations()))
async def test_every_route_refuses_what_it_does_not_know(
    service: str, method: str, path: str, names: list[str]
) -> None:
    answer = await asked(service, method, f"{path.format_map(_Filled())}?phone=13912345678")
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/errors/unknown-parameter")
    assert (problem["parameter"], problem["field"]) == ("phone", "phone")
    assert sorted(problem["allowed"]) == sorted(names)
    assert "13912345678" not in answer.text, "a problem names fields, never values"


@pytest.mark.parametrize("service", NAMES)
def test_no_router_lies_within_another(service: str) -> None:
    """FastAPI would search it twice at every request."""
    routes = part(service).app(part(service).settings(embedded=True)).routes
    assert all(isinstance(route, Route) for route in routes)


@pytest.mark.parametrize("service", NAMES)
def test_every_operation_documents_the_refusal(service: str) -> None:
    without = [
        f"{method} {path}"
        for path, methods in contracts.openapi(service)["paths"].items()
        for method, operation in methods.items()
        if "422" not in operation["responses"]
    ]
    assert without == []


async def test_the_nearest_known_one_is_named() -> None:
    problem = (await asked("intake", "GET", "/v1/tickets?limt=3")).json()
    assert problem["nearest"] == "limit"
    assert "limit" in problem["detail"]


async def test_what_is_like_nothing_has_no_nearest() -> None:
    problem = (await asked("intake", "GET", "/v1/tickets?王=3")).json()
    assert problem["nearest"] is None


async def test_who_asks_rightly_is_asked_who_it_is() -> None:
    assert (await asked("intake", "GET", "/v1/tickets?limit=3&limit=4")).status_code == 401


def test_a_name_without_end_is_cut() -> None:
    problem = UnknownParameter("x" * 10_000, ["limit"])
    assert problem.extra["parameter"] == "x" * SHOWN
    assert len(problem.detail) < 200
