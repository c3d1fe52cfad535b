"""试算: a draft is tried on past tickets, one draft at a time in each process.

A trial holds one of the few connections to the database for as long as it takes, and the interpreter for much
of that: as many at once as there are connections would keep every door shut, and clocks from firing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from shared.errors import JiesuError
from shared.storage.act import Store

_trying: WeakSet[Store[Any]] = WeakSet()


class TrialRuns(JiesuError):
    """Somebody else's draft is being tried; the doors are open meanwhile because only one is."""

    status = 409
    slug = "trial-runs"
    title = "另一份草稿正在试算，请稍后再试 Another draft is being tried on past tickets; try again later"


@contextmanager
def one_trial(store: Store[Any]) -> Iterator[None]:
    """Around a trial on a store's tickets, before anything is asked of its database. Raises TrialRuns."""
    if store in _trying:
        raise TrialRuns
    _trying.add(store)
    try:
        yield
    finally:
        _trying.discard(store)
