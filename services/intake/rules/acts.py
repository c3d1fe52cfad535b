"""可行的操作: what a reader may do now with a ticket at intake's doors, by role and state (ADR 0078). Pure.

One table says it: the doors let in the roles it names, and what is answered as ``allowed`` is read off it.
To read who called is no act on a ticket: whether that may be, the neighbours are asked at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from services.intake.rules import endings, machine
from services.intake.rules.endings import EndAction
from services.intake.rules.machine import Action, TicketStatus
from services.intake.rules.merging import can_be_merged

BY_FRONT = ("phone_system", "agent", "desk")
BY_AGENT = ("agent", "desk")
BY_DESK = ("desk",)
BY_READER = ("desk", "callback")


class TicketContext(NamedTuple):
    """How a ticket stands, as far as its acts depend on it.

    ``forwarded``: the dispatcher has it or had it. ``disputed``: the ladder rules whose duty it is.
    ``final``: what was ended here ended too long ago to go on. ``joined``: it waits for the work of another
    ticket, ``leads``: others wait for its work. ``secret``: nobody has said whom it accuses. ``full``: it has
    as many supplements as it may have. ``rated``: the call was. ``marked``: a mark of malicious use stands.
    ``unread``: something was said after the end. ``erased``: nobody knows who called.
    """

    status: TicketStatus
    forwarded: bool = True
    disputed: bool = False
    final: bool = False
    joined: bool = False
    leads: bool = False
    secret: bool = False
    full: bool = False
    rated: bool = False
    marked: bool = False
    unread: bool = False
    erased: bool = False

    def moves(self, action: Action) -> bool:
        """Whether the citizen may do this."""
        return (self.status, action) in machine.MOVES


class TicketAct(NamedTuple):
    """An act on a ticket: who may do it, at which door below the ticket's own, and when."""

    by: tuple[str, ...]
    door: str
    when: Callable[[TicketContext, str], bool]


def _ends(
    action: EndAction, door: str, more: Callable[[TicketContext], bool] = lambda _: True
) -> TicketAct:
    """What the hotline does itself; of what the dispatcher holds, most is the desk's alone."""

    def when(ticket: TicketContext, role: str) -> bool:
        theirs = endings.acts_of(role, ticket.forwarded)
        return action in endings.allowed(ticket.status, theirs) and more(ticket)

    return TicketAct(BY_AGENT, door, when)


def _act(by: tuple[str, ...], door: str, when: Callable[[TicketContext], bool]) -> TicketAct:
    return TicketAct(by, door, lambda ticket, _: when(ticket))


ACTS: Mapping[str, TicketAct] = {
    "supplement": _act(
        BY_FRONT, "supplements", lambda ticket: ticket.moves(Action.SUPPLEMENT) and not ticket.full
    ),
    "urge": _act(BY_FRONT, "urges", lambda ticket: ticket.moves(Action.URGE)),
    "withdraw": _act(BY_FRONT, "withdrawal", lambda ticket: ticket.moves(Action.WITHDRAW)),
    "correct": _act(
        BY_FRONT,
        "corrections",
        lambda ticket: not (ticket.erased and machine.ended(ticket.status)),
    ),
    "rate_call": _act(BY_FRONT, "call-rating", lambda ticket: not ticket.rated),
    "direct_answer": _ends(
        EndAction.DIRECT_ANSWER, "direct-answer", lambda ticket: not ticket.disputed
    ),
    "not_accepted": _ends(
        EndAction.NOT_ACCEPTED, "not-accepted", lambda ticket: not ticket.disputed
    ),
    "handed_over": _ends(EndAction.HANDED_OVER, "handed-over"),
    "dispatch": _ends(EndAction.DISPATCH, "dispatch", lambda ticket: not ticket.final),
    "merge": _act(
        BY_AGENT,
        "merge",
        lambda ticket: (
            can_be_merged(ticket.status)
            and not (ticket.joined or ticket.leads or ticket.secret or ticket.disputed)
        ),
    ),
    "unmerge": _act(
        BY_AGENT, "unmerge", lambda ticket: ticket.joined and not machine.ended(ticket.status)
    ),
    "split": _act(
        BY_DESK,
        "split",
        lambda ticket: (
            can_be_merged(ticket.status) and not (ticket.joined or ticket.leads or ticket.erased)
        ),
    ),
    "mark_malicious_use": _act(BY_AGENT, "malicious-use", lambda _: True),
    "undo_malicious_use": _act(BY_DESK, "malicious-use/undo", lambda ticket: ticket.marked),
    "mark_notes_read": _act(BY_READER, "notes/read", lambda ticket: ticket.unread),
}


def allowed(ticket: TicketContext, role: str) -> list[str]:
    """What a reader of this role may do now with a ticket."""
    return [name for name, act in ACTS.items() if role in act.by and act.when(ticket, role)]
