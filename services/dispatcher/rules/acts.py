"""可行的操作: what a reader may do now with an order or a ticket, by role and by how it stands (ADR 0070).
Pure.

One table says it: the doors let in the roles it names, and what is answered as ``allowed`` is read off it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from services.dispatcher.rules import waiting
from services.dispatcher.rules.assignment import (
    BY_DESK,
    BY_UNIT,
    HANDLING,
    OPEN,
    WHO,
    Action,
    AssignmentStatus,
    may_move,
)
from services.dispatcher.rules.ticket import ASSIGNABLE, DispatchStatus
from services.dispatcher.rules.waiting import WaitStatus
from shared.events import Role


class OrderContext(NamedTuple):
    """How an order stands, as far as its acts depend on it.

    ``was``: how far the work was when a return was requested that waits. ``signed``: it has a handler.
    ``pending``: what the hotline has to decide of its form. ``done``: what comes before an answer was done.
    ``returnable``: a return may be asked for; ``endable``, ``disownable``: that the matter ends without an
    answer, or is not its unit's duty. ``disputed``: the ladder rules on whose it
    is; ``gives_in``: on its own unit's return, while that works on; ``disputes``: it is about this order.
    ``helped``: others at work answer to it; ``handed_down``: some of these by its own word. ``has_below``:
    its unit has units below it that may have it. ``blows``: its unit is of a kind that whistles, and others
    may hear of it. ``whistled``: somebody it whistled for is at work, ``unattended``: and has not come.
    ``awaited``: its own unit was whistled for and has not come. ``may_wait``: it may ask to wait for its
    citizen; ``wait``: how a wait of it stands, ``may_grant_wait``: there is time left to grant it.
    """

    status: AssignmentStatus
    role: Role
    was: AssignmentStatus | None = None
    signed: bool = False
    pending: str | None = None
    done: bool = True
    returnable: bool = True
    endable: bool = True
    disownable: bool = True
    disputed: bool = False
    gives_in: bool = False
    disputes: bool = False
    helped: bool = False
    handed_down: bool = False
    has_below: bool = False
    blows: bool = False
    whistled: bool = False
    unattended: bool = False
    awaited: bool = False
    may_wait: bool = False
    wait: WaitStatus | None = None
    may_grant_wait: bool = False

    @property
    def open(self) -> bool:
        """Whether somebody still has to move it."""
        return self.status in OPEN

    @property
    def leads(self) -> bool:
        """Whether it is an open order of the lead."""
        return self.open and self.role == Role.LEAD

    def wait_is(self, *statuses: WaitStatus) -> bool:
        """Whether a wait of an order that is handled stands so."""
        return self.status is AssignmentStatus.CONTACTED and self.wait in statuses

    def moves(self, action: Action) -> bool:
        """Whether its machine has this move."""
        return may_move(self.status, action, self.was)


class Act(NamedTuple):
    """An act on an order: who may do it, at which door below the order's own, and when."""

    by: tuple[str, ...]
    door: str
    when: Callable[[OrderContext], bool]


def _moves(action: Action, door: str, more: Callable[[OrderContext], bool] = lambda _: True) -> Act:
    return Act(WHO[action], door, lambda order: order.moves(action) and more(order))


ACTS: Mapping[str, Act] = {
    "sign": _moves(Action.SIGN, "sign"),
    "contact": _moves(Action.CONTACT, "contacts"),
    "progress": _moves(Action.PROGRESS, "progress"),
    "request_return": _moves(
        Action.REQUEST_RETURN,
        "return-requests",
        lambda order: order.returnable and not order.disputed,
    ),
    "withdraw_return": Act(
        BY_UNIT,
        "return-withdrawal",
        lambda order: order.moves(Action.WITHDRAW_RETURN) or order.gives_in,
    ),
    "complete": _moves(Action.COMPLETE, "completion", lambda order: order.done),
    "request_end": _moves(
        Action.COMPLETE, "completion", lambda order: order.endable and not order.pending
    ),
    "disown": _moves(
        Action.COMPLETE,
        "completion",
        lambda order: order.disownable and not order.pending and not order.disputed,
    ),
    "withdraw_end": Act(
        BY_UNIT, "completion-withdrawal", lambda order: order.open and order.pending == "request"
    ),
    "request_wait": Act(
        BY_UNIT,
        "wait",
        lambda order: order.status is AssignmentStatus.CONTACTED and order.may_wait,
    ),
    "end_wait": Act(BY_UNIT, "wait-end", lambda order: order.wait_is(*waiting.OPEN)),
    "press": Act(BY_UNIT, "press", lambda order: order.open and order.helped),
    "hand_down": Act(
        BY_UNIT, "hand-down", lambda order: order.status in HANDLING and order.has_below
    ),
    "take_back": Act(BY_UNIT, "take-back", lambda order: order.open and order.handed_down),
    "change_handler": Act(BY_UNIT, "handler", lambda order: order.open and order.signed),
    "whistle": Act(
        BY_UNIT,
        "whistle",
        lambda order: order.leads and order.status in HANDLING and order.blows,
    ),
    "attend": Act(BY_UNIT, "attend", lambda order: order.open and order.awaited),
    "attendance": Act(BY_UNIT, "attendance", lambda order: order.leads and order.whistled),
    "call_off": Act(BY_UNIT, "call-off", lambda order: order.leads and order.unattended),
    "grant_return": _moves(Action.GRANT_RETURN, "ruling", lambda order: not order.disputed),
    "refuse_return": _moves(Action.REFUSE_RETURN, "ruling", lambda order: not order.disputed),
    "grant_end": Act(
        BY_DESK,
        "completion-ruling",
        lambda order: order.moves(Action.COMPLETE) and order.pending == "request",
    ),
    "refuse_end": Act(
        BY_DESK, "completion-ruling", lambda order: order.open and order.pending == "request"
    ),
    "grant_wait": Act(
        BY_DESK,
        "wait-ruling",
        lambda order: order.wait_is(WaitStatus.ASKED) and order.may_grant_wait,
    ),
    "refuse_wait": Act(BY_DESK, "wait-ruling", lambda order: order.wait_is(WaitStatus.ASKED)),
    "audit": Act(BY_DESK, "audit", lambda order: order.pending == "audit"),
    "release": Act(
        BY_DESK,
        "release",
        lambda order: order.open and order.role == Role.CO and not order.disputes,
    ),
}


def allowed(order: OrderContext, role: str) -> list[str]:
    """What a reader of this role may do now. A unit asks of its own orders only."""
    return [name for name, act in ACTS.items() if role in act.by and act.when(order)]


# --- with a ticket -----------------------------------------------------------------------------


class TicketContext(NamedTuple):
    """How a ticket stands for the dispatcher. ``led``: a unit leads it now. ``elsewhere``: it waits for the
    units of another one (并单). ``disputed``: the ladder rules whose it is. ``natural``: its limits
    run day and night. ``lawful``: a law was named for its round, which may be taken back here.
    """

    status: DispatchStatus
    led: bool = False
    elsewhere: bool = False
    disputed: bool = False
    natural: bool = False
    lawful: bool = False

    @property
    def assignable(self) -> bool:
        """Whether it is given to units under its own number."""
        return self.status in ASSIGNABLE and not self.elsewhere

    @property
    def assigned(self) -> bool:
        """Whether units have it under its own number."""
        return self.status is DispatchStatus.ASSIGNED and not self.elsewhere


class TicketAct(NamedTuple):
    """An act on a ticket: who may do it, at which door below the ticket's own, and when."""

    by: tuple[str, ...]
    door: str
    when: Callable[[TicketContext], bool]


ON_TICKET: Mapping[str, TicketAct] = {
    "assign": TicketAct(BY_DESK, "assign", lambda ticket: ticket.assignable),
    "recall": TicketAct(BY_DESK, "recall", lambda ticket: ticket.assigned and not ticket.disputed),
    "add_co_handler": TicketAct(BY_DESK, "co-handlers", lambda ticket: ticket.led),
    "open_arbitration": TicketAct(
        ("desk", "supervisor"),
        "arbitration",
        lambda ticket: ticket.assignable and not ticket.disputed,
    ),
    "name_law": TicketAct(
        BY_DESK, "legal-limit", lambda ticket: ticket.assigned and not ticket.natural
    ),
    "withdraw_law": TicketAct(
        BY_DESK,
        "legal-limit-withdrawal",
        lambda ticket: ticket.lawful and ticket.status in ASSIGNABLE,
    ),
    "ask_town_lead": TicketAct(BY_DESK, "approvals", lambda ticket: ticket.status in ASSIGNABLE),
}


def allowed_on(ticket: TicketContext, role: str) -> list[str]:
    """What a reader of this role may do now with a ticket, at the dispatcher's doors."""
    return [name for name, act in ON_TICKET.items() if role in act.by and act.when(ticket)]
