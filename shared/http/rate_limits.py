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
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import clock
from shared.caller import Caller
from shared.errors import JiesuError, Unauthenticated
from shared.http.problems import TooLarge, TooSlow, header
from shared.security.tokens import TokenVerifier

MINUTE, HOUR = 60.0, 3600.0
KEYS = 20_000  # about 4 MB when all are taken
JITTER = 0.001  # seconds: less than this is a matter of rounding

LARGEST_BODY = 256 * 1024  # twice the longest report, each of its letters written as \uXXXX
LARGEST_BATCH = 8 * 1024 * 1024  # only who is known may hand in a batch, or a whole catalogue
BATCH = ("/batch", "/catalogue/drafts", "/content")


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

    def take(self, key: str, now: datetime, count: int = 1) -> None:
        """Take some out. Raises TooMany, and takes none, when the bucket holds fewer."""
        moment = now.timestamp()
        full_at = max(self._full_at.get(key, moment), moment) + self._each * count
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


class RequestLimits:
    """Middleware: verifies the token, counts anonymous callers, and takes no body that is too large
    or never ends.

    A request's token is verified here and nowhere else: ``caller_of`` and ``anonymous_address``
    read what came of it.
    """

    def __init__(
        self, app: ASGIApp, tokens: TokenVerifier, per_minute: int, body_seconds: float
    ) -> None:
        self._app, self._tokens, self._body_seconds = app, tokens, body_seconds
        self._anonymous = Buckets(per_minute, MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            caller = self._caller(header(scope, b"authorization"))
            known = isinstance(caller, Caller)
            address = None if known else address_of(scope)
            scope.setdefault("state", {}).update(caller=caller, anonymous=address)
            if address is not None:
                self._anonymous.take(address, clock.real())
            largest = LARGEST_BATCH if known and scope["path"].endswith(BATCH) else LARGEST_BODY
            if _declared(header(scope, b"content-length") or "") > largest:
                raise TooLarge
            receive = _bounded(receive, largest, self._body_seconds)
        await self._app(scope, receive, send)

    def _caller(self, shown: str | None) -> Caller | JiesuError:
        """Who calls, or why that is not known."""
        scheme, token = get_authorization_scheme_param(shown)
        if scheme.lower() != "bearer" or not token:
            return Unauthenticated()
        try:
            return self._tokens.admit(token)
        except JiesuError as refused:
            return refused


def caller_of(request: Request) -> Caller:
    """Who calls. Raises what refused the token, Unauthenticated when there is none."""
    caller: Caller | JiesuError = request.state.caller
    if isinstance(caller, JiesuError):
        raise caller
    return caller


def anonymous_address(request: Request) -> str | None:
    """The address of a caller without a valid token; None for one who has one."""
    address: str | None = request.state.anonymous
    return address


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
