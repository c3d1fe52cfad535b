"""What intake decides: numbers, the ticket as its citizen sees it, and who may know whom.

    received ─→ assigned ─→ in_hand ─→ resolved ─→ closed
        └───────────┴──────────┤          └─→ reopened ─→ assigned …  (the next round)
                           withdrawn

Only the citizen's own acts move a ticket by a table; the rest of the picture is what the facts of
the other services add up to, in whatever order they come.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self

from shared.errors import JiesuError, MoveRefused
from shared.events import Location, TicketType
from shared.security.masking import HOME, mask_exact, mask_patterns

NUMBERS_PER_DAY = 999_999


class NumbersExhausted(JiesuError):
    """A day has no more ticket numbers."""

    status = 503
    slug = "numbers-exhausted"
    title = "当日编号已用完 The ticket numbers of this day are used up"


def compose_number(day: date, n: int) -> str:
    """The n-th number of a day, ``20261123-000001``; the day is the jurisdiction's, n from 1.

    Raises NumbersExhausted past 999,999.
    """
    if n > NUMBERS_PER_DAY:
        raise NumbersExhausted
    return f"{day:%Y%m%d}-{n:06d}"


# --- the ticket as its citizen sees it ---------------------------------------------------------


class Stage(StrEnum):
    """进度: where the citizen's ticket stands."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    IN_HAND = "in_hand"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What the citizen may do to the ticket."""

    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"


class Sentence(NamedTuple):
    """Who moves the ticket on from its stage, and when."""

    zh: str
    en: str


SENTENCES: dict[Stage, Sentence] = {
    Stage.RECEIVED: Sentence(
        "热线已受理，正在派单：派出后由承办单位接手。",
        "The hotline has your demand and is sending it to the unit whose duty it is.",
    ),
    Stage.ASSIGNED: Sentence(
        "已派至承办单位：单位签收并确定专人后开始办理。",
        "A unit has it: work begins when the unit signs and names the person who handles it.",
    ),
    Stage.IN_HAND: Sentence(
        "承办单位已签收，正在办理：主办单位办结后向您答复。",
        "The unit has signed and is working on it: the lead unit answers you when it is done.",
    ),
    Stage.RESOLVED: Sentence(
        "主办单位已答复：热线将回访，请您评价后结案。",
        "The lead unit has answered: the hotline will call you back, and your verdict decides.",
    ),
    Stage.CLOSED: Sentence(
        "已结案，无人再办：如有新的事实或理由，请另行反映。",
        "It is closed and nobody moves it: with a new fact or reason, please come again.",
    ),
    Stage.REOPENED: Sentence(
        "您未认可办理结果，已退回重办：重新派出后由主办单位接手。",
        "You did not agree with the result: it goes back to the lead unit to be done again.",
    ),
    Stage.WITHDRAWN: Sentence(
        "您已撤回，不再办理：如仍需解决，请另行反映。",
        "You took it back and nobody moves it: if you still need it solved, please come again.",
    ),
}

# After an answer the citizen's word is given in the callback; after the end it is a new ticket.
_OPEN = (Stage.RECEIVED, Stage.ASSIGNED, Stage.IN_HAND, Stage.REOPENED)
MOVES: dict[tuple[Stage, Action], Stage] = {
    **{(stage, Action.SUPPLEMENT): stage for stage in _OPEN},
    **{(stage, Action.URGE): stage for stage in _OPEN},
    **{(stage, Action.WITHDRAW): Stage.WITHDRAWN for stage in _OPEN},
}


def allowed(stage: Stage) -> list[str]:
    """The actions the citizen has in a stage."""
    return [action.value for action in Action if (stage, action) in MOVES]


def move(stage: Stage, action: Action) -> Stage:
    """The stage after the citizen's act. Raises MoveRefused."""
    if (stage, action) not in MOVES:
        raise MoveRefused(action.value, stage.value, allowed(stage))
    return MOVES[stage, action]


ENDED = (Stage.CLOSED, Stage.WITHDRAWN)  # nobody needs to know any more who called


class TicketOpen(JiesuError):
    """The identity behind a ticket that is still worked on; who must erase it anyway forces it."""

    status = 409
    slug = "ticket-open"
    title = "工单尚未办结 The ticket is still open; its identity is needed"


class IdentityErased(JiesuError):
    """The citizen's identity was erased, by wish or because it was kept long enough (PIPL 47)."""

    status = 410
    slug = "identity-erased"
    title = "身份信息已删除 The citizen's identity was erased"


def check_erasable(stage: Stage, *, forced: bool) -> None:
    """Raises TicketOpen while somebody may still have to contact the citizen."""
    if stage not in ENDED and not forced:
        raise TicketOpen


class KeepFor(NamedTuple):
    """保存期限: how long an identity is kept after its ticket ended; text such as 3y or 90d."""

    years: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        found = re.fullmatch(r"([1-9]\d{0,2})y|([1-9]\d{0,4})d", text)
        if found is None:
            raise ValueError(f"{text!r} 不是期限 is no period such as 3y or 90d")
        return cls(int(found[1] or 0), int(found[2] or 0))

    def before(self, now: datetime) -> datetime:
        """The moment before which a ticket must have ended; 29 February counts as the 28th."""
        day = min(now.day, 28) if now.month == 2 else now.day
        return now.replace(year=now.year - self.years, day=day) - timedelta(days=self.days)


# --- what the facts of others add up to --------------------------------------------------------


class Holding(StrEnum):
    """How far a unit is with one assignment; only ever goes down this list."""

    DISPATCHED = "dispatched"
    IN_HAND = "in_hand"
    COMPLETED = "completed"
    GONE = "gone"


# What a fact about an assignment proves at least. A return that is asked or refused moves nothing:
# the unit holds the ticket until the desk takes it back.
PROVES: dict[str, Holding] = {
    "assignment.dispatched": Holding.DISPATCHED,
    "assignment.updated": Holding.DISPATCHED,
    "assignment.return_requested": Holding.DISPATCHED,
    "assignment.return_refused": Holding.DISPATCHED,
    "assignment.signed": Holding.IN_HAND,
    "assignment.contacted": Holding.IN_HAND,
    "assignment.progressed": Holding.IN_HAND,
    "assignment.completed": Holding.COMPLETED,
    "assignment.closed": Holding.COMPLETED,
    "assignment.returned": Holding.GONE,
    "assignment.cancelled": Holding.GONE,
}
_ORDER = list(Holding)


def later(known: Holding | None, fact: str) -> Holding:
    """What is known of an assignment after one more fact; the same in any order and twice."""
    return max(known or Holding.DISPATCHED, PROVES[fact], key=_ORDER.index)


@dataclass(frozen=True, slots=True)
class Assigned:
    """One assignment as intake knows it."""

    unit: str
    round: int
    holding: Holding

    @property
    def open(self) -> bool:
        """Whether the unit still has to work on it."""
        return self.holding in (Holding.DISPATCHED, Holding.IN_HAND)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket stands; ``units`` are those that work or have answered in this round."""

    stage: Stage
    round: int
    units: tuple[str, ...]


def progress_of(
    assignments: Iterable[Assigned],
    *,
    withdrawn: bool = False,
    resolved_round: int = 0,
    closed_round: int = 0,
    reopened_round: int = 1,
) -> Standing:
    """What everything known adds up to; the order in which it became known plays no part.

    The rounds are the highest that facts spoke of: 0 for none, and a ticket begins in round 1.
    """
    known = list(assignments)
    latest = max(1, resolved_round, closed_round, reopened_round, *(each.round for each in known))
    held = [each for each in known if each.round == latest and each.holding is not Holding.GONE]
    units = tuple(sorted({each.unit for each in held}))
    if withdrawn:
        return Standing(Stage.WITHDRAWN, latest, units)
    if closed_round == latest:
        return Standing(Stage.CLOSED, latest, units)
    if resolved_round == latest:
        return Standing(Stage.RESOLVED, latest, units)
    return Standing(_worked_on(held, latest), latest, units)


def _worked_on(held: Collection[Assigned], latest: int) -> Stage:
    if any(each.holding is not Holding.DISPATCHED for each in held):
        return Stage.IN_HAND
    if held:
        return Stage.ASSIGNED
    return Stage.RECEIVED if latest == 1 else Stage.REOPENED


# --- who may know what -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """诉求人: the identity that lives in the vault; never printed."""

    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


class WorkingCopy(NamedTuple):
    """工作文本: the words that may travel."""

    title: str
    content: str
    address: str | None


def working_copy(title: str, content: str, address: str | None, person: Person) -> WorkingCopy:
    """Take the caller's own identity out of all texts, then whatever looks like anybody's (R-36).

    The address of the matter loses the caller's home address too: who must go there reads it with
    the contact.
    """
    joined = "\0".join((title, content, address or ""))  # NUL: no text has it, no mask crosses it
    own = mask_exact(
        joined,
        names=[person.name] if person.name else (),
        phones=[person.phone] if person.phone else (),
        addresses=[person.address] if person.address else (),
    )
    masked = mask_patterns(own).split("\0")
    return WorkingCopy(masked[0], masked[1], masked[2] or None)


def mask_note(note: str, person: Person) -> str:
    """The working copy of one text that came later: a supplement, an urging, a reason."""
    return working_copy("", note, None, person).content


WITHHELD = "（内容已封存，身份信息暂无法核对 withheld: it cannot be cleared of names now）"


def copy_of(note: str, person: Person | None, *, confidential: bool) -> str:
    """The working copy of a later text when its speaker may be unknown (erased, or the key lost).

    Then only patterns can be masked; of a confidential ticket nothing travels, for a name written
    there would reach whom it must not.
    """
    if person is None and confidential:
        return WITHHELD
    return mask_note(note, person or Person())


def is_confidential(ticket_type: TicketType, asked: bool | None) -> bool:
    """保密: as the citizen asked; a report (举报) is confidential by default (R-35)."""
    return ticket_type is TicketType.REPORT if asked is None else asked


class Place(NamedTuple):
    """Where the matter is, as far as a fact may say it."""

    address: str | None
    location: Location | None


def visible(confidential: bool, address: str | None, location: Location | None) -> Place:
    """A confidential ticket's facts carry the area only: a door number names a person (R-36).

    So do coordinates: where the address lost the caller's home, they would say where that is.
    """
    if confidential:
        return Place(None, None)
    return Place(address, None if address and HOME in address else location)


def may_read_contact(
    role: str,
    name: str,
    unit: str | None,
    assignments: Iterable[Assigned],
    reported_unit: str | None,
    stage: Stage,
) -> bool:
    """Whether a caller may read who the citizen is (R-35, R-36).

    A unit while it holds an open assignment of a ticket that goes on, but never the unit
    complained of; the feedback service, which has to call; call-back staff while the citizen's
    verdict is awaited.
    """
    if role == "service":
        return name == "feedback"
    if role == "callback":
        return stage is Stage.RESOLVED
    if role != "unit" or unit is None or unit == reported_unit or stage in ENDED:
        return False
    return any(each.open and each.unit == unit for each in assignments)
