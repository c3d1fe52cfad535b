"""The ticket (工单) as its citizen sees it, and its allowed moves.

    received ─→ assigned ─→ in_hand ─→ resolved ─→ closed
        └───────────┴──────────┤          └─→ reopened ─→ assigned …  (the next round)
                           withdrawn
    answering ─→ answered | not_accepted | handed_over: the hotline's own, while no unit has it

Only the citizen's own acts move a ticket by a table; the rest of the picture is what the facts of
the other services add up to, in whatever order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, assert_never

from shared.errors import MoveRefused


class TicketStatus(StrEnum):
    """进度: where the citizen's ticket stands."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    IN_HAND = "in_hand"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    ANSWERING = "answering"
    ANSWERED = "answered"
    NOT_ACCEPTED = "not_accepted"
    HANDED_OVER = "handed_over"


AT_WORK = frozenset(
    {TicketStatus.RECEIVED, TicketStatus.ASSIGNED, TicketStatus.IN_HAND, TicketStatus.REOPENED}
)


class Action(StrEnum):
    """What the citizen may do to the ticket."""

    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"


class Sentence(NamedTuple):
    """Who moves the ticket on from its status, and when."""

    zh: str
    en: str


SENTENCES: dict[TicketStatus, Sentence] = {
    TicketStatus.RECEIVED: Sentence(
        "热线已受理，正在派单：派出后由承办单位接手。",
        "The hotline has your demand and is sending it to the unit whose duty it is.",
    ),
    TicketStatus.ASSIGNED: Sentence(
        "已派至承办单位：单位签收并确定专人后开始办理。",
        "A unit has it: work begins when the unit signs and names the person who handles it.",
    ),
    TicketStatus.IN_HAND: Sentence(
        "承办单位已签收，正在办理：主办单位办结后向您答复。",
        "The unit has signed and is working on it: the lead unit answers you when it is done.",
    ),
    TicketStatus.RESOLVED: Sentence(
        "主办单位已答复：热线将回访，请您评价；您也可随时来电评价，未解决即退回重办。",
        "The lead unit has answered: the hotline will call you back, or you ring and judge; what is not "
        "solved is done again.",
    ),
    TicketStatus.CLOSED: Sentence(
        "已结案：如仍未解决，请来电，期限内重开办理；有补充也会有人查看。",
        "It is closed: if it is not solved, please ring; within the time for that it is opened again. What "
        "you add is read.",
    ),
    TicketStatus.REOPENED: Sentence(
        "您未认可办理结果，已退回重办：重新派出后由主办单位接手。",
        "You did not agree with the result: it goes back to the lead unit to be done again.",
    ),
    TicketStatus.WITHDRAWN: Sentence(
        "您已撤回，不再办理：如仍需解决，请来电另行登记，与本工单关联。",
        "You took it back and nobody moves it: if you still need it solved, please ring; a new one follows "
        "it.",
    ),
    TicketStatus.ANSWERING: Sentence(
        "由热线直接答复：话务员正在核实，答复后结束；需单位办理的将转派。",
        "The hotline answers it itself: an agent is looking it up, or sends it on to a unit.",
    ),
    TicketStatus.ANSWERED: Sentence(
        "热线已直接答复：如不满意或有补充，请再次来电，将继续办理。",
        "The hotline has answered: if you are not content, please call again and it goes on.",
    ),
    TicketStatus.NOT_ACCEPTED: Sentence(
        "热线不予受理，理由和应走的途径已告知：如有补充，请再次来电。",
        "The hotline could not accept it; you were told why and where to turn. Call again with more.",
    ),
    TicketStatus.HANDED_OVER: Sentence(
        "已即时转应急热线处置：有新情况请直接拨打该热线，或再次来电。",
        "An emergency line took it over at once: ring that line if anything changes, or call again.",
    ),
}

# What the hotline had ended itself and took up again: the citizen has judged nothing.
RESUMED = Sentence(
    "热线已恢复办理：重新派出后由承办单位接手。",
    "The hotline has taken it up again: it goes to the unit whose duty it is.",
)
# While a unit waits for what only the citizen can give.
AWAITED = Sentence(
    "承办单位正在等待您配合：请与其联系，收到后继续办理；您的答复期限不变。",
    "The unit waits for you: please be in touch with it, and it goes on. The time in which you are answered "
    "stays as it is.",
)


def sentence(
    status: TicketStatus, round: int, ending_round: int, *, awaited: bool = False
) -> Sentence:
    """Who moves a ticket on. ``ending_round``: the last that the hotline ended itself, 0 for none.
    ``awaited``: a unit at work waits for the citizen.
    """
    if awaited and status is TicketStatus.IN_HAND:
        return AWAITED
    if status is TicketStatus.REOPENED and ending_round == round - 1:
        return RESUMED
    return SENTENCES[status]


# Whatever is said is noted, at any stage: after the end somebody reads it from a list. What the hotline
# ended itself is looked at again. Only what a unit or the citizen still decides can be taken back.
_OPEN = (
    TicketStatus.RECEIVED,
    TicketStatus.ASSIGNED,
    TicketStatus.IN_HAND,
    TicketStatus.REOPENED,
    TicketStatus.ANSWERING,
)
ENDED_HERE = (TicketStatus.ANSWERED, TicketStatus.NOT_ACCEPTED, TicketStatus.HANDED_OVER)
MOVES: dict[tuple[TicketStatus, Action], TicketStatus] = {
    **{(status, Action.SUPPLEMENT): status for status in TicketStatus},
    **{(status, Action.SUPPLEMENT): TicketStatus.ANSWERING for status in ENDED_HERE},
    **{(status, Action.URGE): status for status in TicketStatus},
    **{
        (status, Action.WITHDRAW): TicketStatus.WITHDRAWN
        for status in (*_OPEN, TicketStatus.RESOLVED)
    },
}


def ended(status: TicketStatus) -> bool:
    """Whether nobody moves the ticket any more; then nobody needs to know who called either."""
    match status:
        case (
            TicketStatus.CLOSED
            | TicketStatus.WITHDRAWN
            | TicketStatus.ANSWERED
            | TicketStatus.NOT_ACCEPTED
            | TicketStatus.HANDED_OVER
        ):
            return True
        case (
            TicketStatus.RECEIVED
            | TicketStatus.ASSIGNED
            | TicketStatus.IN_HAND
            | TicketStatus.RESOLVED
            | TicketStatus.REOPENED
            | TicketStatus.ANSWERING
        ):
            return False
        case _:
            assert_never(status)


# What the hotline does with a ticket itself stands in a column of its own. The column ``status`` holds
# for it a word that the release before knows, and under which it lets nobody move the ticket.
STORED = {TicketStatus.ANSWERING: TicketStatus.RESOLVED} | dict.fromkeys(
    ENDED_HERE, TicketStatus.CLOSED
)


def stored(status: TicketStatus) -> TicketStatus:
    """The word a status has in the column ``status``."""
    return STORED.get(status, status)


def shown(status: TicketStatus, ending: str | None) -> TicketStatus:
    """A status from its two columns; an end of a newer release is what it is stored as."""
    own = next((each for each in STORED if each == ending), status)
    return own if STORED.get(own) is status else status


def allowed(status: TicketStatus, *, full: bool = False) -> list[str]:
    """The actions the citizen has in a status. ``full``: nothing more may be added to the ticket."""
    without = Action.SUPPLEMENT if full else None
    return [each.value for each in Action if (status, each) in MOVES and each is not without]


def move(status: TicketStatus, action: Action) -> TicketStatus:
    """The status after the citizen's act. Raises MoveRefused."""
    if (status, action) not in MOVES:
        raise MoveRefused(action.value, status.value, allowed(status))
    return MOVES[status, action]


# --- what the facts of others add up to --------------------------------------------------------


class AssignmentStatus(StrEnum):
    """How far a unit is with one assignment; only ever goes down this list."""

    DISPATCHED = "dispatched"
    IN_HAND = "in_hand"
    COMPLETED = "completed"
    GONE = "gone"


# What a fact about an assignment proves at least. A return that is asked, taken back or refused moves
# nothing: the unit holds the ticket until the desk takes it back; and so with a request to end the matter.
# An answer that was sent back was an answer; what the citizen is shown, in hand, stays.
PROVES: dict[str, AssignmentStatus] = {
    "assignment.dispatched": AssignmentStatus.DISPATCHED,
    "assignment.transferred": AssignmentStatus.DISPATCHED,
    "assignment.updated": AssignmentStatus.DISPATCHED,
    "assignment.return_requested": AssignmentStatus.DISPATCHED,
    "assignment.return_refused": AssignmentStatus.DISPATCHED,
    "assignment.return_barred": AssignmentStatus.DISPATCHED,
    "assignment.return_withdrawn": AssignmentStatus.DISPATCHED,
    "assignment.end_requested": AssignmentStatus.DISPATCHED,
    "assignment.end_granted": AssignmentStatus.DISPATCHED,
    "assignment.end_refused": AssignmentStatus.DISPATCHED,
    "assignment.end_withdrawn": AssignmentStatus.DISPATCHED,
    "assignment.wait_requested": AssignmentStatus.IN_HAND,
    "assignment.wait_granted": AssignmentStatus.IN_HAND,
    "assignment.wait_refused": AssignmentStatus.IN_HAND,
    "assignment.wait_ended": AssignmentStatus.IN_HAND,
    "assignment.signed": AssignmentStatus.IN_HAND,
    "assignment.contacted": AssignmentStatus.IN_HAND,
    "assignment.attended": AssignmentStatus.DISPATCHED,
    "assignment.progressed": AssignmentStatus.IN_HAND,
    "assignment.completed": AssignmentStatus.COMPLETED,
    "assignment.sent_back": AssignmentStatus.COMPLETED,
    "assignment.audit_passed": AssignmentStatus.COMPLETED,
    "assignment.closed": AssignmentStatus.COMPLETED,
    "assignment.returned": AssignmentStatus.GONE,
    "assignment.cancelled": AssignmentStatus.GONE,
}
# By which of them a unit waits for the citizen, or no more.
AWAITS = {"assignment.wait_granted": True, "assignment.wait_ended": False}
TRANSFERRED = "assignment.transferred"  # the unit it is addressed to has it from now on
_ORDER = list(AssignmentStatus)


def later(known: AssignmentStatus | None, fact: str) -> AssignmentStatus:
    """What is known of an assignment after one more fact; the same in any order and twice."""
    return max(known or AssignmentStatus.DISPATCHED, PROVES[fact], key=_ORDER.index)


@dataclass(frozen=True, slots=True)
class Assigned:
    """One assignment as intake knows it."""

    unit: str
    round: int
    status: AssignmentStatus

    @property
    def open(self) -> bool:
        """Whether the unit still has to work on it."""
        return is_open(self.status)


def is_open(status: AssignmentStatus) -> bool:
    """Whether a unit still has to work on an assignment."""
    match status:
        case AssignmentStatus.DISPATCHED | AssignmentStatus.IN_HAND:
            return True
        case AssignmentStatus.COMPLETED | AssignmentStatus.GONE:
            return False
        case _:
            assert_never(status)


@dataclass(frozen=True, slots=True)
class TicketProgress:
    """Where a ticket stands; ``units`` are those that work or have answered in this round."""

    status: TicketStatus
    round: int
    units: tuple[str, ...]


def progress_of(
    assignments: Iterable[Assigned],
    *,
    withdrawn: bool = False,
    resolved_round: int = 0,
    closed_round: int = 0,
    reopened_round: int = 1,
    ending: str | None = None,
    ending_round: int = 0,
    shared: Iterable[Assigned] = (),
) -> TicketProgress:
    """What everything known adds up to; the order in which it became known plays no part. What the
    hotline ended itself has ended, whatever a unit did meanwhile.

    ``shared``: whom other tickets have that it is worked on with (并单): while it waits for an answer,
    they are at work for it, too. The rounds are the highest that facts spoke of: 0 for none, and a
    ticket begins in round 1.
    """
    known = list(assignments)
    latest = max(1, resolved_round, closed_round, reopened_round, *(each.round for each in known))
    gone = AssignmentStatus.GONE
    engaged = [each for each in known if each.round == latest and each.status is not gone]
    units = tuple(sorted({each.unit for each in engaged}))
    if withdrawn:
        return TicketProgress(TicketStatus.WITHDRAWN, latest, units)
    if ending_round == latest and (own := next((s for s in STORED if s == ending), None)):
        return TicketProgress(own, latest, ())
    if closed_round == latest:
        return TicketProgress(TicketStatus.CLOSED, latest, units)
    if resolved_round == latest:
        return TicketProgress(TicketStatus.RESOLVED, latest, units)
    engaged += [each for each in shared if each.open]
    units = tuple(sorted({each.unit for each in engaged}))
    return TicketProgress(_worked_on(engaged, latest), latest, units)


def owed(status: TicketStatus) -> bool:
    """Whether the citizen is owed an answer to this round: units work on it, or somebody must."""
    return status in _OPEN


def _worked_on(engaged: Collection[Assigned], latest: int) -> TicketStatus:
    if any(each.status is not AssignmentStatus.DISPATCHED for each in engaged):
        return TicketStatus.IN_HAND
    if engaged:
        return TicketStatus.ASSIGNED
    return TicketStatus.RECEIVED if latest == 1 else TicketStatus.REOPENED
