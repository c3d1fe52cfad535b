"""An attempt that is waited for no longer than its asker can wait, whatever it hangs on.

A driver that hangs on a frozen server does not let itself be cancelled in time. So nobody cancels
it: it goes on by itself until its own timeout, and whoever asks meanwhile waits for the same one.
There is never more than one, so nothing leaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Attempt(Generic[T]):
    """Something that is tried once at a time. ``seconds``: how long it is waited for."""

    def __init__(self, what: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._what, self._seconds = what, seconds
        self._task: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """What came of it. Raises what it raised; TimeoutError when it is not done in time."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(_seen)
        task = self._task
        await asyncio.wait({task}, timeout=self._seconds)
        if not task.done():
            raise TimeoutError
        return task.result()

    async def _run(self) -> T:
        return await self._what()

    def give_up(self) -> None:
        """Nobody asks any more."""
        if self._task is not None:
            self._task.cancel()


def _seen(task: asyncio.Task[T]) -> None:
    """Nobody may have waited for its error to the end."""
    if not task.cancelled():
        task.exception()
