"""Group commit: requests that wait at the same moment share one transaction (ADR 0037)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from shared.errors import Busy
from shared.storage.act import InDoubt
from shared.storage.engine import is_trouble
from shared.storage.trouble import sqlstate

T = TypeVar("T")
R = TypeVar("R")
HANGS = 0.5  # seconds after which the next group no longer waits for the one before
AT_ONCE = 3  # groups under way at most


class PutOff(Exception):
    """An answer that is none yet: the next group serves this one."""


class GroupCommit(Generic[T, R]):
    """Requests that arrive while a commit is under way share the next one.

    ``run`` serves a whole group in one transaction and answers one by one: a result or an error
    for each, or PutOff, but never for the first. When the group as a whole fails it is run again one
    by one, so that nobody pays for a neighbour; but not when it may have been committed, for then it
    would be done twice. While the database is away, or one of them hangs until it is given up,
    nobody waits for more than one further try.

    ``limit``: how many share a transaction; ``most``: how many may wait, and who comes then is Busy.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        limit: int = 100,
        most: int = 10_000,
    ) -> None:
        self._run = run
        self._limit, self._most = limit, most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: asyncio.Task[None] | None = None
        self._served: set[asyncio.Task[None]] = set()

    async def submit(self, item: T) -> R:
        """Wait for the commit that holds this item; raises what went wrong with it, or Busy."""
        if len(self._waiting) >= self._most:
            raise Busy
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_heard)
        self._wait((item, future))
        return await future

    def _wait(self, *those: tuple[T, asyncio.Future[R]]) -> None:
        self._waiting += those
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            serving = asyncio.create_task(self._serve(group))
            self._served.add(serving)
            serving.add_done_callback(self._served.discard)
            await asyncio.wait({serving}, timeout=HANGS)
            while len(self._served) >= AT_ONCE:
                await asyncio.wait(self._served, return_when=asyncio.FIRST_COMPLETED)

    async def _serve(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._run([item for item, _ in group])
            _answer(group, answers)
            pairs = zip(group, answers, strict=True)
            if put_off := [each for each, answer in pairs if isinstance(answer, PutOff)]:
                self._wait(*put_off)
        except InDoubt as error:
            _answer(group, [error] * len(group))
        except Exception:
            await self._one_by_one(group)

    async def _one_by_one(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        for at, (item, future) in enumerate(group):
            try:
                _answer([(item, future)], await self._run([item]))
            except Exception as error:
                # In doubt is among it: the others were not begun, and are told to come again.
                if is_trouble(error) and not sqlstate(error).startswith("40"):
                    _answer(group[at:], [error] * (len(group) - at))
                    return
                _answer([(item, future)], [error])


def _heard(future: asyncio.Future[Any]) -> None:
    # A request that was cancelled asks no more; asyncio would log the error with its words.
    if not future.cancelled():
        future.exception()


def _answer(group: Sequence[tuple[T, asyncio.Future[R]]], answers: Sequence[R | Exception]) -> None:
    for (_, future), answer in zip(group, answers, strict=True):
        if future.done() or isinstance(answer, PutOff):
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
