"""The share of clocks kept in time, of all units and of one."""

from __future__ import annotations

from services.tracker.rules.rates import Share, Tally, share
from shared.events import ClockKind


def test_shares() -> None:
    rows = [
        Tally("HC", "handle", 3, 2, 1),
        Tally("GT", "handle", 1, 1, 0),
        Tally("HC", "sign", 4, 4, 0),
    ]
    assert share(rows, ClockKind.HANDLE) == Share(4, 3, 1)
    assert share(rows, ClockKind.HANDLE).rate == 0.75
    assert share(rows, ClockKind.HANDLE, "HC").rate == 0.6667
    assert share(rows, ClockKind.SIGN, "GT") == Share()
    assert share([], ClockKind.SIGN).rate is None
