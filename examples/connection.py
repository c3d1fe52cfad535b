"""与接诉连接 How to talk to Jiesu over HTTP: a token, an Idempotency-Key, and patience.

Both example systems stand on this file; nothing here is special to either.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx

Json = dict[str, Any]
Query = dict[str, str | int]

TRIES = 12
LONGEST_LINE = 32 * 1024 * 1024  # octets; a fact of today has a quarter of a MiB at most
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0  # seconds, doubled after each try


class Refused(Exception):
    """Jiesu said no, and why: a problem document (RFC 9457). Asking again would change nothing."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('detail') or problem.get('title') or ''}".strip())
        self.status = status
        self.problem = problem

    @property
    def slug(self) -> str:
        """The name of the problem, for programs: ``move-refused``, ``not-found`` …"""
        return str(self.problem.get("type", "")).rpartition("/")[2]


class Unreachable(Exception):
    """Jiesu did not answer, however often we tried; what was asked may have happened or not."""


def open_http() -> httpx.AsyncClient:
    """One pool of connections; every Connection of a process can share it."""
    context = ssl.create_default_context()
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
    return httpx.AsyncClient(trust_env=False, verify=context, timeout=15, limits=limits)


class Connection:
    """One service of Jiesu, as the holder of a token sees it."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str = "") -> None:
        self.http = http
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(
        self, path: str, query: Query | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """Read something. Raises Refused, Unreachable."""
        answer = await self._ask("GET", path, True, params=query or {}, headers=headers or {})
        return answer.json()

    async def text(self, path: str) -> str:
        """Read something that is no JSON. Raises Refused, Unreachable."""
        return (await self._ask("GET", path, True, headers={})).text

    async def post(self, path: str, body: Json, key: str | None = None) -> Any:
        """Do something. Raises Refused, Unreachable.

        With a key the same request can be sent again without harm: Jiesu does it once and gives
        the first answer again. So only with a key do we try again on trouble.
        """
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self._ask("POST", path, key is not None, json=body, headers=headers)
        return answer.json()

    async def put(self, path: str, body: Json) -> None:
        """Put something in the place of what was there. Raises Refused, Unreachable."""
        await self._ask("PUT", path, True, json=body, headers={})

    async def delete(self, path: str) -> None:
        """Take something away. Raises Refused, Unreachable."""
        await self._ask("DELETE", path, True, headers={})

    async def lines(self, path: str, headers: dict[str, str]) -> AsyncIterator[bytes]:
        """A stream of lines that lasts until the other side ends it. Raises httpx.TransportError.

        A line ends at a line feed and nowhere else: libraries also split at U+2028, U+0085 and
        their kin, which may stand inside a text. One without an end is cut at LONGEST_LINE.
        """
        everything = self.headers | headers
        patient = httpx.Timeout(15, read=60)
        async with self.http.stream(
            "GET", self.url + path, headers=everything, timeout=patient
        ) as answer:
            answer.raise_for_status()
            rest = b""
            async for piece in answer.aiter_bytes():
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    yield line.removesuffix(b"\r")
                if len(rest) > LONGEST_LINE:
                    yield rest
                    rest = b""

    async def _ask(self, method: str, path: str, again: bool, **request: Any) -> httpx.Response:
        request["headers"] |= self.headers
        wait, tries = FIRST_WAIT, TRIES if again else 1
        for left in reversed(range(tries)):
            try:
                answer = await self.http.request(method, self.url + path, **request)
            except httpx.TransportError as trouble:
                why = type(trouble).__name__
            else:
                if answer.status_code < 500:
                    return _granted(answer)
                why = str(answer.status_code)
            if left:
                await rest(wait)
                wait = min(wait * 2, LONGEST_WAIT)
        raise Unreachable(f"{method} {self.url}{path}: {why}")


def _granted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    raise Refused(answer.status_code, problem)


async def rest(seconds: float) -> None:
    """Let some seconds pass."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
