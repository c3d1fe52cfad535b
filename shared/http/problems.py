"""Errors as RFC 9457 problem documents, and the middleware every request passes.

A problem names fields, never values: what a citizen typed must not come back in an error that
somebody pastes into a chat. The one value it repeats is a code that is in no table, masked and cut short.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.errors import Busy, JiesuError, Malformed
from shared.http.faults import said_of
from shared.observability import TRACEPARENT, Metrics, log, place, trace
from shared.storage.engine import is_crowded, is_trouble
from shared.storage.trouble import said

PERSONAL = "/v1/"
MEDIA = "application/problem+json"
UNREAD = (408, 413)  # the rest of such a body is not waited for
TYPE = "/errors/"  # below the service that answers (RFC 9457 3.1.1)
QUOTED = re.compile(r"'([^']*)'")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
NUMBER = re.compile(r"\d{8}-(\d{6}){1,4}", re.ASCII)  # what else stands in a path may name a person


RETRY_AFTER = {
    "description": "几秒后再试 in how many seconds to ask again",
    "schema": {"type": "integer", "minimum": 0},
}


class Problem(BaseModel):
    """A problem document (RFC 9457); more members may follow, such as current_status and
    allowed."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(examples=[TYPE + "move-refused"])
    title: str
    status: int
    detail: str
    field: str | None = None


# What is published must not change with the words Python has for a status.
MEANINGS = {
    400: "请求体不是有效的 JSON The body is not valid JSON",
    401: "没有有效的令牌 No valid token",
    403: "此角色无权 This role may not",
    404: "没有 There is no such thing",
    408: "请求体未及时到达 The body did not arrive in time",
    409: "当前状态不允许 Not as things stand",
    410: "已清除 It was there and is erased",
    413: "请求体过大 The body is too large",
    415: "请求体须为 UTF-8 的 JSON The body must be JSON in UTF-8",
    422: "请求不合约定 The request does not fit its contract",
    429: "请求过于频繁 Too often",
    500: "未预期的错误 Unexpected",
    503: "暂不可用 Away for the moment",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for the problems a route may answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": MEANINGS[status], "content": {MEDIA: {"schema": schema}}}
        for status in statuses
    }
    for status in {429, 503} & set(statuses):
        found[status]["headers"] = {"Retry-After": RETRY_AFTER}
    return found


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
    """The database cannot be reached. It may have stored what was asked just before it went."""

    status = 503
    slug = "database-away"
    title = "数据库暂不可用，请用同一幂等键重试 The database is away; repeat with the same Idempotency-Key"


class Stopping(JiesuError):
    """The service stops and the request took too long. What was asked may be done or not."""

    status = 503
    slug = "stopping"
    title = (
        "服务正在停止，请用同一幂等键重试 The service stops; repeat with the same Idempotency-Key"
    )


class NotJson(JiesuError):
    """The body could not be decoded: it is no JSON, or in another encoding than UTF-8, such as GBK."""

    status = 400
    slug = "not-json"
    title = "请求体不是 UTF-8 编码的有效 JSON The body is not valid JSON in UTF-8"


class NoSuchPath(JiesuError):
    """No route of this service has this path."""

    status = 404
    slug = "no-such-path"
    title = "没有此路径 This service has no such path"


class OtherRefusal(JiesuError):
    """The web server refused the request by itself; the status says why."""

    slug = "other-refusal"
    title = "请求被拒绝 The request was refused"


class MethodNotAllowed(JiesuError):
    """The path exists, but not with this method; the header Allow names those it has."""

    status = 405
    slug = "method-not-allowed"
    title = "此路径不支持该方法 This path has not this method"


class TooLarge(JiesuError):
    """The body is larger than any request needs."""

    status = 413
    slug = "too-large"
    title = "请求体过大 The body is too large"


class TooSlow(JiesuError):
    """The body did not arrive in time."""

    status = 408
    slug = "too-slow"
    title = "请求体未及时到达 The body did not arrive in time"


def answer(error: JiesuError) -> Response:
    """The HTTP response for one of our errors."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.extra.get("retry_after", 5))
    if error.status in UNREAD:
        headers["Connection"] = "close"
    body = orjson.dumps(document(error), default=str)
    return Response(body, error.status, headers, media_type=MEDIA)


# FastAPI raises 400 for a body it cannot decode and lets only its own kind of error pass then.
BY_STATUS: dict[int, type[JiesuError]] = {
    400: NotJson,
    404: NoSuchPath,
    405: MethodNotAllowed,
    408: TooSlow,
    413: TooLarge,
}


def malformed(faults: Sequence[Any], skip: int = 0) -> JiesuError:
    """Pydantic's faults as one error: fields and what is wrong, never what was typed.

    ``skip`` drops the first words of each place, such as ``body``.
    """
    rows = [
        {"field": _field(fault["loc"], skip), "message": said_of(fault)} for fault in faults[:20]
    ]
    problem = Malformed("; ".join(f"{row['field']}: {row['message']}" for row in rows))
    problem.extra = {"field": rows[0]["field"], "errors": rows}
    if expected := (faults[0].get("ctx") or {}).get("expected"):
        problem.extra["allowed"] = QUOTED.findall(str(expected))
    return problem


def _field(loc: tuple[Any, ...], skip: int) -> str:
    words = (str(part)[:64] for part in loc[skip:])  # a field's name may be as long as the body
    return ".".join(words) or str(loc[0] if loc else "body")


def _http(error: HTTPException) -> JiesuError:
    if known := BY_STATUS.get(error.status_code):
        return known()
    problem = OtherRefusal(str(error.detail))
    problem.status = error.status_code
    return problem


def named(error: Exception) -> JiesuError:
    """Whatever was raised, as one of our errors; what nobody expected is logged by its place."""
    if isinstance(error, JiesuError):
        return error
    if isinstance(error, RequestValidationError):
        faults = error.errors()
        undecoded = any(fault["type"] == "json_invalid" for fault in faults)
        return NotJson() if undecoded else malformed(faults, skip=1)
    if isinstance(error, HTTPException):
        return _http(error)
    if is_crowded(error):
        log.warning("every connection is in use")
        return Busy()
    if is_trouble(error):
        log.warning("database trouble", why=said(error))
        return DatabaseAway()
    log.error("unexpected error", why=place(error))
    return JiesuError("未预期的错误，已记录 Unexpected; it was logged with this trace")


def to_response(error: Exception) -> Response:
    """Whatever a request raised, as a problem document."""
    response = answer(named(error))
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


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


def header(scope: Scope, name: bytes) -> str | None:
    """A request's header by its name in small letters, the first of several."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


def _asked_under(scope: Scope) -> dict[str, str]:
    """The caller's own trace, for our log only: what they call a request is nobody else's to know."""
    theirs = header(scope, b"traceparent")
    return {"caller_trace": theirs[3:35]} if theirs and TRACEPARENT.fullmatch(theirs) else {}


def _keep_nowhere(message: Message) -> None:
    """What is said of people and tickets stays in no cache, unless the route says otherwise."""
    headers = message["headers"]
    if not any(name == b"cache-control" for name, _ in headers):
        message["headers"] = [*headers, (b"cache-control", b"no-store")]


LOOKS = ("/readyz", "/healthz")


class Observed:
    """Outermost middleware: trace, log context, metrics, and no error left over."""

    def __init__(self, app: ASGIApp, service: str, metrics: Metrics) -> None:
        self._app = app
        self._service = service
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = clock.real(), 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if scope["path"].startswith(PERSONAL):
                    _keep_nowhere(message)
            await send(message)

        with trace(None, service=self._service, **_asked_under(scope)):
            try:
                await self._app(scope, receive, watch)
            except asyncio.CancelledError:  # the server's patience at its stop is over
                if not status:
                    await to_response(Stopping())(scope, receive, watch)
                raise
            except Exception as error:
                if status:
                    raise
                await to_response(error)(scope, receive, watch)
            seconds = (clock.real() - started).total_seconds()
            self._count(scope, status or 500, seconds)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.answered(method, route, status, seconds)
        known = {**scope.get("state", {}), **(scope.get("path_params") or {})}
        number = str(known.get("number"))
        # A look at our health that found us well is no news, and there are two a second.
        tell = log.debug if route in LOOKS and status < 400 else log.info
        tell(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            ticket=number if NUMBER.fullmatch(number) else None,
        )
