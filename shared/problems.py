"""Errors as RFC 9457 problem documents, and the middleware every request passes.

A problem names fields, never values: what a citizen typed must not come back in an error that
somebody pastes into a chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.db import is_trouble
from shared.errors import JiesuError
from shared.observability import Metrics, log, place, trace

MEDIA = "application/problem+json"
TYPE = "https://jiesu.dev/problems/"
LARGEST_BODY = 8 * 1024 * 1024


class Problem(BaseModel):
    """A problem document (RFC 9457); more members may follow, such as state and allowed."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=[TYPE + "move-refused"])
    title: str
    status: int
    detail: str
    field: str | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for the problems a route may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {status: {"content": {MEDIA: {"schema": schema}}} for status in statuses}


def document(error: JiesuError) -> dict[str, Any]:
    """The problem document of one of our errors."""
    return {
        "type": TYPE + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        **error.extra,
    }


class DatabaseAway(JiesuError):
    """The database cannot be reached; nothing was stored."""

    status = 503
    slug = "database-away"
    title = "数据库暂不可用，请稍后重试 The database is away; nothing was stored, try again"


class NotJson(JiesuError):
    """The body could not be decoded."""

    status = 400
    slug = "not-json"
    title = "请求体不是有效的 JSON The body is not valid JSON"


class TooLarge(JiesuError):
    """The body is larger than any request needs."""

    status = 413
    slug = "too-large"
    title = "请求体过大 The body is too large"


def answer(error: JiesuError) -> Response:
    """The HTTP response for one of our errors."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status == 503:
        headers["Retry-After"] = "5"
    body = orjson.dumps(document(error), default=str)
    return Response(body, error.status, headers, media_type=MEDIA)


def _malformed(error: RequestValidationError) -> Response:
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return answer(NotJson())
    rows = [{"field": _field(fault["loc"]), "message": fault["msg"]} for fault in faults[:20]]
    problem = JiesuError("; ".join(f"{row['field']}: {row['message']}" for row in rows))
    problem.status, problem.slug = 422, "malformed"
    problem.title = "请求内容不符合要求 The request is malformed"
    problem.extra = {"field": rows[0]["field"], "errors": rows}
    if expected := (faults[0].get("ctx") or {}).get("expected"):
        problem.extra["allowed"] = expected
    return answer(problem)


def _field(loc: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in loc[1:]) or str(loc[0])


def _http(error: HTTPException) -> Response:
    problem = JiesuError(str(error.detail))
    problem.status, problem.slug = error.status_code, f"http-{error.status_code}"
    problem.title = str(error.detail)
    response = answer(problem)
    response.headers.update(error.headers or {})
    return response


def _unexpected(error: Exception) -> Response:
    if is_trouble(error):
        log.warning("database trouble", why=place(error))
        return answer(DatabaseAway())
    log.error("unexpected error", why=place(error))
    return answer(JiesuError("未预期的错误，已记录 Unexpected; it was logged with this trace"))


def to_response(error: Exception) -> Response:
    """Whatever a request raised, as a problem document."""
    if isinstance(error, JiesuError):
        return answer(error)
    if isinstance(error, RequestValidationError):
        return _malformed(error)
    if isinstance(error, HTTPException):
        return _http(error)
    return _unexpected(error)


def install_problems(app: FastAPI) -> None:
    """Turn every error of an app into a problem document, also in what it publishes.

    FastAPI would print the model of an additional response under application/json only.
    """
    generate = app.openapi

    async def handle(_: Request, error: Exception) -> Response:
        return to_response(error)

    def openapi() -> dict[str, Any]:
        published = generate()
        published["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return published

    for kind in (JiesuError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI has for extending it


class Observed:
    """Outermost middleware: trace, log context, metrics, body limit, and no error left over."""

    def __init__(self, app: ASGIApp, service: str, metrics: Metrics) -> None:
        self._app = app
        self._service = service
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        started, status = clock.real(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with trace(headers.get("traceparent"), service=self._service):
            await self._serve(scope, receive, watch, headers)
            seconds = (clock.real() - started).total_seconds()
            self._count(scope, status, seconds)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]
    ) -> None:
        began = False

        async def watch(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            if int(headers.get("content-length") or 0) > LARGEST_BODY:
                raise TooLarge
            await self._app(scope, _limited(receive), watch)
        except Exception as error:
            if began:
                raise
            await to_response(error)(scope, receive, send)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        params = scope.get("path_params") or {}
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            ticket=params.get("number"),
        )


def _limited(receive: Receive) -> Receive:
    """Count a body that did not say how long it is."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise TooLarge
        return message

    return counted
