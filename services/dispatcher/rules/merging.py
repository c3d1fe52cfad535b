"""并单: one piece of work for several citizens (GB66-5, JN-28). Pure.

The tickets of one work share its open orders: at most one of them has any, or lies at the desk, and
those that wait for an answer wait for that one's. Whoever was answered is left in peace: who does not
agree is worked on again alone, and those who do not agree after him join him.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import JiesuError


class InOtherWork(JiesuError):
    """The ticket waits for the work of another one: whoever wants other units assigns that one.

    ``number`` is the ticket whose units are at work.
    """

    status = 409
    slug = "in-other-work"
    title = (
        "已并单：请对承办的工单操作 Merged: the work is done under another ticket, act on that one"
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A ticket of a work. ``waits``: its citizen is owed an answer; ``engaged``: units have it, or the
    desk does.
    """

    number: str
    waits: bool
    engaged: bool


def holder(members: Iterable[Member]) -> str | None:
    """The ticket whose orders the others of the work wait for; None when nobody is at work."""
    engaged = (each.number for each in members if each.waits and each.engaged)
    return min(engaged, default=None)
