"""What a service does by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.storage.act import Act, Store


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs by the clock.

    ``run(store, limit)`` is one bounded tick and returns how many things it moved; it is run again
    at once while it moves a whole batch, then so many ``together``: while one waits for the database
    another works. ``due(act)`` says when there is next something to do. ``on_facts`` also wakes it whenever
    facts were received or told.
    """

    run: Callable[[Store[Any], int], Awaitable[int]]
    due: Callable[[Act[Any]], Awaitable[datetime | None]]
    every: float = 1.0
    limit: int = 100
    together: int = 1
    on_facts: bool = False

    async def step(self, store: Store[Any], moved: Callable[[int], None], *, more: bool) -> bool:
        """A tick, or several together where there was ``more`` than one takes; whether there still is.

        ``moved`` is told how many things were, also where one of the ticks found trouble, which is raised.
        """
        ticks = [self.run(store, self.limit) for _ in range(self.together if more else 1)]
        came = await asyncio.gather(*ticks, return_exceptions=True)
        count = sum(each for each in came if isinstance(each, int))
        moved(count)
        for trouble in came:
            if isinstance(trouble, BaseException):
                raise trouble
        return count >= self.limit * len(ticks)
