"""The only file that reads the time.

``now()`` is the trade's time: real, or stepped in demo and tests, where a month passes in a minute.
``real()`` serves what must not be stepped: tokens, retries, leases, timeouts.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from shared.errors import JiesuError


class ClockIsReal(JiesuError):
    """Somebody tried to step a clock that runs by itself."""

    status = 403
    slug = "clock-is-real"
    title = "时钟不可调整 This clock runs by itself and cannot be stepped"


class ClockRunsForward(JiesuError):
    """A stepped clock was asked to go back."""

    status = 409
    slug = "clock-runs-forward"
    title = "时钟只能向前 A clock only runs forward"


_stepped: datetime | None = None


def real() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The trade's time, aware UTC."""
    return _stepped or real()


def is_stepped() -> bool:
    """Whether the trade's time is stepped by hand."""
    return _stepped is not None


def simulate(start: datetime | None) -> None:
    """Start the stepped clock at an instant, or go back to the real one with None."""
    global _stepped
    _stepped = start.astimezone(UTC) if start else None


def step_to(instant: datetime) -> None:
    """Move the stepped clock forward. Raises ClockIsReal, ClockRunsForward."""
    if _stepped is None:
        raise ClockIsReal
    if instant < _stepped:
        raise ClockRunsForward
    simulate(instant)


async def breathe() -> None:
    """Let everybody else go first, between two pieces of work that is long."""
    await asyncio.sleep(0)


async def pause(seconds: float, until: asyncio.Event | None = None) -> None:
    """Rest for real seconds, or less when the event is set first."""
    try:
        await asyncio.wait_for((until or asyncio.Event()).wait(), timeout=seconds)
    except TimeoutError:
        return
