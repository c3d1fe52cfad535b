"""A body that is no JSON in UTF-8 is refused in words that help."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from operations import contracts
from operations.runtime.registry import NAMES, part
from shared.events import Location
from shared.http.fields import Body
from shared.security.tokens import issue, make_key
from shared.service import service_of

STEP = '{"now": "2026-03-02T09:00:00+08:00", "note": "停水三天"}'


@pytest.fixture
async def ops(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An operator, at a service of which only the body of a request is read."""
    make_key(tmp_path, "test")
    built = part("intake")
    settings = built.settings(
        embedded=True, config_dir=contracts.CONFIG, bus_url="local://bodies", token_keys=tmp_path
    )
    app = built.app(settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://here",
        headers={"Authorization": f"Bearer {issue(tmp_path, 'ops', 'test')}"},
    ) as client:
        yield client
    await service_of(app).store.close()


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "big5"])
@pytest.mark.parametrize("declared", ["application/json", "application/json; charset={}"])
async def test_another_encoding_is_told_of_utf_8(
    ops: httpx.AsyncClient, encoding: str, declared: str
) -> None:
    said = {"Content-Type": declared.format(encoding)}
    answer = await ops.post("/clock", content=STEP.encode(encoding), headers=said)
    assert answer.json()["type"] in ("/errors/not-json", "/errors/other-media")
    assert "UTF-8 编码" in answer.json()["title"]
    assert "in UTF-8" in answer.json()["title"]


async def test_a_declared_encoding_is_believed(ops: httpx.AsyncClient) -> None:
    """停水 in GBK is two letters of UTF-8: nothing but the header tells them apart."""
    said = {"Content-Type": "application/json; charset=GBK"}
    body = '{"now": "停水"}'.encode("gbk")
    assert body.decode()
    answer = await ops.post("/clock", content=body, headers=said)
    assert (answer.status_code, answer.json()["type"]) == (415, "/errors/other-media")


@pytest.mark.parametrize("media", ["application/json", 'Application/JSON; charset="UTF-8"'])
async def test_json_in_utf_8_is_read(ops: httpx.AsyncClient, media: str) -> None:
    answer = await ops.post("/clock", content=STEP.encode(), headers={"Content-Type": media})
    assert (answer.status_code, answer.json()["field"]) == (422, "note")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_another_media_type_is_told_of_json(
    ops: httpx.AsyncClient, media: str | None
) -> None:
    said = {"Content-Type": media} if media else {}
    answer = await ops.post("/clock", content=STEP.encode(), headers=said)
    assert (answer.status_code, answer.json()["type"]) == (415, "/errors/other-media")
    assert "application/json" in answer.json()["detail"]


async def test_json_that_is_no_object_is_malformed(ops: httpx.AsyncClient) -> None:
    answer = await ops.post("/clock", json="停水")
    assert (answer.status_code, answer.json()["type"]) == (422, "/errors/malformed")
    assert "应为 JSON 对象 must be a JSON object" in answer.json()["detail"]


async def test_no_body_at_all_is_missing(ops: httpx.AsyncClient) -> None:
    answer = await ops.post("/clock")
    assert (answer.status_code, answer.json()["type"]) == (422, "/errors/malformed")
    assert "缺少必填项" in answer.json()["detail"]


async def test_what_is_not_there_is_named(ops: httpx.AsyncClient) -> None:
    lost, wrong = await ops.get("/v1/lost"), await ops.delete("/clock")
    assert (lost.status_code, lost.json()["type"]) == (404, "/errors/no-such-path")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/errors/method-not-allowed")
    assert wrong.headers["allow"]


# --- numbers -----------------------------------------------------------------------------------


def _bodies(above: type[Body] = Body) -> Iterator[type[Body]]:
    for body in above.__subclasses__():
        yield body
        yield from _bodies(body)


def _within(kind: Any) -> Iterator[Any]:
    """A type, and all that it is made of."""
    yield kind
    for each in get_args(kind):
        yield from _within(each)


def _numbers() -> list[tuple[type[Body], str]]:
    """Every field of every service's bodies in which a number is asked, or an object of numbers."""
    for name in NAMES:
        part(name)  # all its doors
    return [
        (body, name)
        for body in _bodies()
        for name, field in body.model_fields.items()
        if {int, float, Location} & {*_within(field.annotation)}
    ]


def test_where_a_number_is_asked_true_is_none() -> None:
    """JSON has words of its own for yes and no; Python takes true for 1."""
    asked = _numbers()
    assert {name for _, name in asked} >= {"days", "rung", "attempt", "hours", "location"}
    for body, name in asked:
        field = body.model_fields[name]
        kind: Any = field.annotation
        whole: Any = Annotated[kind, *field.metadata] if field.metadata else kind
        for wrong in (True, {"longitude": True, "latitude": 32.5}):
            with pytest.raises(ValidationError):
                TypeAdapter(whole).validate_python(wrong)
