"""争议裁决: when a dispute goes up the ladder, who rules at a step, and what silence does there. Pure.

Units that push a matter to one another are ruled on by the desk, then by a joint meeting with 编办 and 司法,
the government office and the executive meeting (R-17, R-33; docs/adr/0054-arbitration.md).

open ── raise ──→ open, a step higher ── rule ──→ ruled
  └── end: the ticket was withdrawn, merged, recalled, answered … ──→ ended
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.errors import Forbidden, JiesuError, Malformed, MoveRefused
from shared.events import TicketRegistered, TicketType
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import UnitCode, Units
from shared.jurisdiction.sections import LimitText, Section, Where, Words, unknown_code
from shared.labels import ROLES, label

MOMENT = timedelta(seconds=1)  # at the due moment itself a body may still rule


class StatedBefore(JiesuError):
    """陈述: a unit is heard once at each step."""

    status = 409
    slug = "stated-before"
    title = "本单位在本级裁决中已作陈述 Your unit has been heard at this step"


class NamesNobody(JiesuError):
    """先例未确定承办单位: the ruling says whose duty the matter is not, so no rule follows from it."""

    status = 409
    slug = "names-nobody"
    title = "该先例只认定不属何单位，未确定承办单位 The precedent says whose duty it is not, and names nobody"


class ArbitrationStatus(StrEnum):
    """Where an arbitration stands; SENTENCES says who moves it on."""

    OPEN = "open"
    RULED = "ruled"
    ENDED = "ended"


class Action(StrEnum):
    """What can be done to an arbitration."""

    STATE = "state"
    RAISE = "raise"
    RULE = "rule"
    END = "end"


MOVES: Mapping[ArbitrationStatus, Mapping[Action, ArbitrationStatus]] = {
    ArbitrationStatus.OPEN: {
        Action.STATE: ArbitrationStatus.OPEN,
        Action.RAISE: ArbitrationStatus.OPEN,
        Action.RULE: ArbitrationStatus.RULED,
        Action.END: ArbitrationStatus.ENDED,
    },
    ArbitrationStatus.RULED: {},
    ArbitrationStatus.ENDED: {},
}

SENTENCES: Mapping[ArbitrationStatus, tuple[str, str]] = {
    ArbitrationStatus.OPEN: (
        "裁决中：由本级裁决机构裁定，逾期自动提交上一级",
        "The body of this step must rule; when it is silent the next one must",
    ),
    ArbitrationStatus.RULED: ("已裁决：由裁定的单位承办", "Ruled; whom it names works on it"),
    ArbitrationStatus.ENDED: ("已终止：不再裁决", "There is nothing left to rule on"),
}


class Step(Section):
    """A body of the ladder. ``role``: whose token records its ruling; ``paper``: the ruling must name who
    met and its paper; ``invites``: units heard beside the parties.
    """

    zh: Words
    en: Words
    limit: LimitText
    role: Literal["desk", "supervisor"]
    paper: bool = False
    invites: tuple[UnitCode, ...] = ()

    @property
    def title(self) -> str:
        """Name for people."""
        return f"{self.zh} {self.en}"


class ArbitrationRules(Section):
    """arbitration.yaml. ``max_returns_before``: which dispute of a ticket in a round, counted from 1, opens
    an arbitration. ``silence``: what a body's silence does. ``charged_to``: who bears the time of a dispute.
    """

    max_returns_before: Annotated[int, Field(ge=1, le=100)]
    ladder: Annotated[tuple[Step, ...], Field(min_length=1, max_length=10)]
    silence: Literal["raise", "stay"]
    charged_to: Literal["loser", "nobody"]

    def step(self, number: int) -> Step:
        """A step by its number, from 1; of a ladder that was shortened since, the last."""
        return self.ladder[min(number, len(self.ladder)) - 1]

    def is_last(self, number: int) -> bool:
        """Whether nobody is above a step."""
        return number >= len(self.ladder)

    def due(self, number: int, at: datetime, calendar: WorkCalendar) -> datetime:
        """When the body of a step must have ruled on what came before it ``at`` a moment."""
        return calendar.due(at, self.step(number).limit).at

    @property
    def charges(self) -> bool:
        """Whether who disputed and lost bears the time of the dispute (DESIGN)."""
        return self.charged_to == "loser"


def invited_exist(arbitration: ArbitrationRules, units: Units) -> Iterator[tuple[str, Where, str]]:
    """A check between files: who is invited stands in the table of units."""
    known = [unit.code for unit in units.units]
    for at, step in enumerate(arbitration.ladder):
        for place, code in enumerate(step.invites):
            if units.unit(code) is None:
                where = ("ladder", at, "invites", place)
                yield "arbitration", where, unknown_code(code, known)


def opens(disputes: int, rules: ArbitrationRules) -> bool:
    """Whether one more dispute opens an arbitration, after so many that the desk ruled on or has to."""
    return disputes + 1 >= rules.max_returns_before


def move(status: ArbitrationStatus, action: Action) -> ArbitrationStatus:
    """The status after an action. Raises MoveRefused."""
    allowed = MOVES[status]
    if action not in allowed:
        raise MoveRefused(action, status, [str(each) for each in allowed])
    return allowed[action]


def check_raise(number: int, rules: ArbitrationRules) -> None:
    """Raises MoveRefused at the last step, above which there is nobody."""
    if rules.is_last(number):
        raise MoveRefused(Action.RAISE, f"step {number}", [Action.STATE, Action.RULE])


def check_ruler(step: Step, role: str, body: str | None, paper: str | None) -> None:
    """Who records a step's ruling, and what it must name. Raises Forbidden, Malformed."""
    if role != step.role:
        raise Forbidden(
            f"本级（{step.zh}）由{label(step.role, ROLES)}录入裁决。{step.en}: needed here is {step.role}"
        )
    if step.paper and not (body and paper):
        field = "paper" if body else "body"
        raise Malformed(
            f"{step.zh}的裁决须写明裁决机构和文号 the ruling of this step names who met and its paper",
            field=field,
        )


def is_secret(matter: TicketRegistered) -> bool:
    """Whether nobody may learn of a matter by a dispute about it, or by what was ruled (R-35)."""
    return matter.confidential or matter.type is TicketType.REPORT


def parties(units: Iterable[str | None], barred: Collection[str]) -> list[str]:
    """Who is heard: each once, and never who must know nothing of the ticket (R-35)."""
    found = dict.fromkeys(unit for unit in units if unit)
    return [unit for unit in found if unit not in barred]
