"""双人复核: what the desk may not decide alone, and who decides it (R-05, R-11; ADR 0071). Pure.

waiting ── grant ──→ granted
   ├───── refuse ──→ refused
   └── the ticket was answered, withdrawn or reopened meanwhile ──→ over
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from services.dispatcher.rules.urgency import is_more_urgent
from shared.caller import person
from shared.errors import Forbidden, JiesuError, MoveRefused, OwnApproval
from shared.events import Urgency

What = Literal["urgency", "town_lead", "legal_limit"]
# Who decides: a town is spared by who supervises; a ticket's urgency and its law any second person judges.
DECIDERS: Mapping[str, tuple[str, ...]] = {
    "urgency": ("desk", "supervisor"),
    "town_lead": ("supervisor",),
    "legal_limit": ("desk", "supervisor"),
}


class ApprovalPending(JiesuError):
    """Another urgency, or another law's limit, was asked for and waits for a second person: ``approval``. Let
    it be decided first; who asked may refuse it.
    """

    status = 409
    slug = "approval-pending"
    title = "本单已有待批准的同类申请，请先处理 Another such request waits: have that decided first"


class MoreUrgentWaits(JiesuError):
    """Another citizen's ticket waits for the same work, ``number``, and is more urgent than that: one work is
    as urgent as the most urgent ticket of it (R-11). Part them, or have that one's urgency put right.
    """

    status = 409
    slug = "more-urgent-waits"
    title = "并单中另有更紧急的工单 A more urgent ticket waits for the same work"


class ApprovalStatus(StrEnum):
    """Where it stands; SENTENCES says who moves it from there."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"
    OVER = "over"


class Action(StrEnum):
    """What can be done to it."""

    GRANT = "grant"
    REFUSE = "refuse"


MOVES: Mapping[ApprovalStatus, Mapping[Action, ApprovalStatus]] = {
    ApprovalStatus.WAITING: {
        Action.GRANT: ApprovalStatus.GRANTED,
        Action.REFUSE: ApprovalStatus.REFUSED,
    },
    ApprovalStatus.GRANTED: {},
    ApprovalStatus.REFUSED: {},
    ApprovalStatus.OVER: {},
}
SENTENCES: Mapping[ApprovalStatus, tuple[str, str]] = {
    ApprovalStatus.WAITING: (
        "待批准：由另一人批准或不批准，在此之前一切照旧",
        "Another person grants or refuses it; until then all stays as it is",
    ),
    ApprovalStatus.GRANTED: ("已批准", "Granted by another person"),
    ApprovalStatus.REFUSED: ("未批准，照旧", "Refused: all stays as it is"),
    ApprovalStatus.OVER: (
        "工单本轮已结束，无须批准",
        "The ticket's round is over: nothing is left to decide",
    ),
}


def lowers(now: Urgency, asked: Urgency) -> bool:
    """Whether a ticket would have more time than what is urgent or critical has (R-11)."""
    return is_more_urgent(now, asked)


def status(granted: bool | None, *, concerns: bool) -> ApprovalStatus:
    """Where an approval stands. ``concerns``: its round still waits for an answer."""
    if granted is None:
        return ApprovalStatus.WAITING if concerns else ApprovalStatus.OVER
    return ApprovalStatus.GRANTED if granted else ApprovalStatus.REFUSED


def move(now: ApprovalStatus, action: Action) -> ApprovalStatus:
    """The status after a decision. Raises MoveRefused."""
    if action not in MOVES[now]:
        raise MoveRefused(action, now, [str(each) for each in MOVES[now]])
    return MOVES[now][action]


def check_decider(what: str, asked_by: str, actor: str, role: str, *, granted: bool) -> None:
    """Who asked may take that back and no more: one person in two roles is one person. Raises OwnApproval,
    Forbidden.
    """
    own = person(asked_by) == person(actor)
    if own and granted:
        raise OwnApproval(asked_by=asked_by)
    if not own and role not in DECIDERS[what]:
        raise Forbidden("须由督办员批准 this takes a supervisor")


def allowed(now: ApprovalStatus, what: str, asked_by: str, actor: str, role: str) -> list[Action]:
    """What somebody may decide of it, as ``check_decider`` and ``move`` let them."""
    own = person(asked_by) == person(actor)
    if not own and role not in DECIDERS[what]:
        return []
    return [each for each in MOVES[now] if not (own and each is Action.GRANT)]


def check_work(asked: Urgency, waiting: Mapping[str, Urgency]) -> None:
    """``waiting``: how urgent those are that wait for the same work, by number. Raises MoreUrgentWaits."""
    for number, urgency in waiting.items():
        if lowers(urgency, asked):
            raise MoreUrgentWaits(number=number, urgency=str(urgency))


def check_as_asked(was: str | None, now: str) -> None:
    """What was asked is granted of the urgency it was asked of, not of one the ticket has had since. Raises
    MoveRefused.
    """
    if was != now:
        raise MoveRefused(Action.GRANT, f"urgency {now}", [Action.REFUSE])
