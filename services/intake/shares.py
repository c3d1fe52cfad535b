"""How much of intake one caller may take: complaints, so that a token that floods stops nobody but
itself, and guesses at codes (docs/adr/0022-rate-limits.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from services.intake.settings import Settings
from shared import clock
from shared.caller import Caller
from shared.errors import NotFound
from shared.http.rate_limits import HOUR, MINUTE, Buckets, TooMany

SOON = 1.0  # seconds: what is under way is registered by then


class ComplaintLimiter:
    """Complaints by caller, each of a batch counted: how many a minute, and how many at once. What
    waits for its commit holds memory and a place in the queue that all callers share.
    """

    def __init__(self, settings: Settings) -> None:
        self._minute = Buckets(settings.complaints_per_minute, MINUTE)
        self._most = settings.complaints_at_once
        self._under_way = Counter[str]()

    @contextmanager
    def admit(self, caller: Caller, count: int = 1) -> Iterator[None]:
        """Complaints on their way in. Raises TooMany, before any of them is registered."""
        who = caller.actor
        if self._under_way[who] + count > self._most:
            raise TooMany(SOON)
        self._minute.take(who, clock.real(), count)
        self._under_way[who] += count
        try:
            yield
        finally:
            self._under_way[who] -= count
            if not self._under_way[who]:
                del self._under_way[who]


class WrongCodeLimiter:
    """Wrong codes, by ticket and by address: too many, and nobody looks by code for a while.

    By ticket as well, because whoever guesses may have many addresses. The right code is refused
    then too, or guessing would go on; who shows a token is asked for no address.
    """

    def __init__(self, settings: Settings) -> None:
        self._tickets = Buckets(settings.wrong_codes_per_ticket, HOUR)
        self._addresses = Buckets(settings.wrong_codes_per_address, HOUR)

    @contextmanager
    def look(self, number: str, address: str | None) -> Iterator[None]:
        """One look by code, counted before it is made: of many at once none is free. Raises TooMany."""
        now, wrong = clock.real(), False
        if address is not None:  # first: who may guess no more uses up no ticket's guesses
            self._addresses.take(address, now)
        self._tickets.take(number, now)
        try:
            yield
        except NotFound:
            wrong = True
            raise
        finally:
            if not wrong:
                self._tickets.give_back(number)
                self._addresses.give_back(address or "")
