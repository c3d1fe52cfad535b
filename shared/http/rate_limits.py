"""What a request must pass before anything of it is read: how often, how much, how slowly.

Who shows no valid token is counted by address, whatever the path: citizens, health checks, the
documents, guesses at paths and at tokens. Counts are kept in this process, and their number is
bounded: docs/adr/0022-rate-limits.md.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from datetime import datetime
from ipaddress import IPv4Address, ip_address

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.errors import JiesuError
from shared.http.auth import Gate
from shared.http.problems import TooLarge, TooSlow

MINUTE, HOUR = 60.0, 3600.0
KEYS = 20_000  # about 4 MB when all are taken
JITTER = 0.001  # seconds: less than this is a matter of rounding

LARGEST_BODY = 256 * 1024  # twice the longest report, each of its letters written as \uXXXX
LARGEST_BATCH = 8 * 1024 * 1024
BATCH = "/batch"


class TooMany(JiesuError):
    """Somebody asked too often; ``retry_after`` says in how many seconds to ask again."""

    status = 429
    slug = "too-many"
    title = "请求过于频繁，请稍后再试 Too many requests; try again later"

    def __init__(self, seconds: float) -> None:
        super().__init__(retry_after=math.ceil(seconds))


class Buckets:
    """A bucket per key: it holds ``size`` and refills evenly within ``seconds`` (GCRA).

    Of each key only the moment is known at which its bucket is full again. When there are more
    keys than we keep, the one that asked longest ago is forgotten.
    """

    def __init__(self, size: int, seconds: float, keys: int = KEYS) -> None:
        self._each, self._seconds, self._keys = seconds / size, seconds, keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: datetime) -> None:
        """Take one out. Raises TooMany when the bucket is empty."""
        moment = now.timestamp()
        full_at = max(self._full_at.get(key, moment), moment) + self._each
        if (wait := full_at - moment - self._seconds) > JITTER:
            raise TooMany(wait)
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)

    def give_back(self, key: str) -> None:
        """Put back what was taken for nothing."""
        if key in self._full_at:
            self._full_at[key] -= self._each


class Guard:
    """Middleware: counts strangers, and takes no body that is too large or never ends.

    ``request.state.stranger`` is the address of who shows no valid token, None for all others.
    """

    def __init__(self, app: ASGIApp, gate: Gate, per_minute: int, body_seconds: float) -> None:
        self._app, self._gate, self._body_seconds = app, gate, body_seconds
        self._strangers = Buckets(per_minute, MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            stranger = None if self._known(headers) else address_of(scope)
            scope.setdefault("state", {})["stranger"] = stranger
            if stranger is not None:
                self._strangers.take(stranger, clock.real())
            largest = _largest(scope["path"], stranger)
            if _declared(headers.get("content-length", "")) > largest:
                raise TooLarge
            receive = _bounded(receive, largest, self._body_seconds)
        await self._app(scope, receive, send)

    def _known(self, headers: Headers) -> bool:
        scheme, token = get_authorization_scheme_param(headers.get("authorization"))
        return scheme.lower() == "bearer" and self._gate.knows(token)


def address_of(scope: Scope) -> str:
    """Whom a request comes from: an IPv4 address, or the /64 that one household has of IPv6."""
    host = str((scope.get("client") or ("",))[0])
    try:
        address = ip_address(host)
    except ValueError:
        return host[:64]  # a socket of this machine, or a test's
    if not isinstance(address, IPv4Address):
        if address.ipv4_mapped is None:
            return f"{int(address) >> 64:x}/64"
        address = address.ipv4_mapped
    return str(address)


def _largest(path: str, stranger: str | None) -> int:
    """Bytes a body may have: only who is known may hand in a batch."""
    return LARGEST_BATCH if stranger is None and path.endswith(BATCH) else LARGEST_BODY


def _declared(length: str) -> int:
    """The size a header announces; what is no number is counted as it arrives."""
    return int(length[:16]) if length.isascii() and length.isdecimal() else 0


def _bounded(receive: Receive, largest: int, seconds: float) -> Receive:
    """Count a body as it comes, and give the whole of it some seconds.

    Raised as HTTPException: FastAPI lets no other error pass while it reads a body.
    """
    until = asyncio.get_running_loop().time() + seconds
    size, more = 0, True

    async def bounded() -> Message:
        nonlocal size, more
        if not more:
            return await receive()  # who waits for the end of a stream may wait
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(TooSlow.status) from None
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        if size > largest:
            raise HTTPException(TooLarge.status)
        return message

    return bounded
