"""The tracker's part of policy.yaml, and the terms a clock starts under.

A clock keeps its terms: a policy that changes later does not rewrite what was promised, unless
the urgency of the ticket changes too (DESIGN §3, fivetran dbt_zendesk #25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from services.tracker.rules.courses import Course, Matter
from shared.events import ClockKind, Role, Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.limits import Rung as LadderRule

_YEARS_AHEAD = 10
_ANY_LIMIT = Limit(1, "wh")

RungNumber = Annotated[int, Field(ge=1, le=7)]
RungName = Annotated[RungNumber, BeforeValidator(lambda text: str(text).removeprefix("rung_"))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class DirectTriggers(_Part):
    """直接督办: what is supervised at once, whatever the ladder says."""

    critical_not_signed_in_limit: RungName


class RedoRules(_Part):
    """重办: how many redo rounds there are before supervision, and which act it is (R-27, SD17)."""

    max_rounds: Annotated[int, Field(ge=0)]
    after_max: str


class LadderRung(_Part):
    """A rung by its number and act."""

    rung: RungNumber
    act: str


class Supervising(_Part):
    """What makes a supervision besides an unmet handle clock."""

    direct_triggers: DirectTriggers
    escalation_ladder: tuple[LadderRung, ...]
    redo: RedoRules

    @field_validator("redo")
    @classmethod
    def _on_the_ladder(cls, redo: RedoRules, info: ValidationInfo) -> RedoRules:
        ladder = info.data.get("escalation_ladder", ())
        if ladder and redo.after_max not in (row.act for row in ladder):
            raise ValueError(f"after_max: no rung of the ladder is a {redo.after_max!r}")
        return redo

    @property
    def after_redo(self) -> int:
        """The rung after the last redo round."""
        return next(r.rung for r in self.escalation_ladder if r.act == self.redo.after_max)


class Rung(_Part):
    """One rung a clock can climb: when, as what, and how long the unit has to answer.

    ``at`` is ``start``, ``due``, or working days after the due moment (``3wd``).
    """

    rung: RungNumber
    title: str
    by: Literal["ladder", "trigger"]
    at: str
    reason: str
    answer: str | None = None

    @property
    def key(self) -> str:
        """Names the mark of this rung on its clock."""
        return f"{self.by}:{self.rung}"


class Terms(_Part):
    """The policy as it stood when a clock started. ``warn`` is a card as policy.yaml writes it."""

    limit: str
    warn: str | None = None
    rungs: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force: limits, cards and ladder, direct triggers, and the working calendar."""

    table: LimitTable
    supervising: Supervising
    calendar: WorkCalendar

    def terms(self, course: Course, matter: Matter) -> Terms | None:
        """The terms a clock starts under; None where there is no such duty."""
        limit = course.limit or self._own_limit(course, matter)
        if limit is None:
            return None
        return Terms(limit=limit, warn=self._card(course, limit), rungs=self._rungs(course))

    def title(self, rung: int) -> str:
        """What a rung is called: ``督办单 supervision order``."""
        known = {row.rung: row.title for row in self.table.escalation_ladder}
        return known.get(rung, f"督办第{rung}级 rung {rung}")

    def answer_due(self, rung: int, raised: datetime) -> datetime | None:
        """When a unit must have answered a rung; None where nothing says so."""
        limit = self._answer(rung)
        return self.calendar.due(raised, limit).at if limit else None

    def known_until(self, now: datetime) -> datetime:
        """Where the years with known holidays end; due moments from here on are provisional."""
        tz, year = self.calendar.tz, now.astimezone(self.calendar.tz).year
        for opening in (datetime(year + ahead, 1, 1, tzinfo=tz) for ahead in range(_YEARS_AHEAD)):
            if self.calendar.due(opening, _ANY_LIMIT).provisional:
                return opening
        return datetime(year + _YEARS_AHEAD, 1, 1, tzinfo=tz)

    def _own_limit(self, course: Course, matter: Matter) -> str | None:
        """Limit of a clock of the ticket itself: no dispatch carries it."""
        if course.kind is ClockKind.DISPATCH:
            return self.table.dispatch(matter.ticket_type, course.urgency)
        if course.kind is not ClockKind.CITIZEN:
            return None
        return self.table.stages(
            matter.ticket_type, course.urgency, matter.topic, matter.flags, redo=course.round > 1
        ).handle

    def _card(self, course: Course, limit: str) -> str | None:
        """The yellow card (R-31); what runs on natural time is warned as urgent tickets are."""
        natural = self.table.urgency_levels[course.urgency].clock == "natural"
        level = course.urgency
        if natural != Limit.parse(limit).natural:
            level = Urgency.NORMAL if natural else Urgency.URGENT
        card = self.table.yellow_card(level)
        return card.at if card else None

    def _rungs(self, course: Course) -> tuple[Rung, ...]:
        if course.kind is ClockKind.SIGN and course.urgency is Urgency.CRITICAL:
            rung = self.supervising.direct_triggers.critical_not_signed_in_limit
            return (self._trigger(rung, "due", "特急件未按时签收 critical and not signed in time"),)
        if course.kind is not ClockKind.HANDLE:
            return ()
        return (*self._after_redo(course), *map(_climb, self.table.ladder))

    def _after_redo(self, course: Course) -> tuple[Rung, ...]:
        redone = course.round - 1
        if course.role is not Role.LEAD or redone <= self.supervising.redo.max_rounds:
            return ()
        reason = f"第{redone}次重办 sent back {redone} times"
        return (self._trigger(self.supervising.after_redo, "start", reason),)

    def _trigger(self, rung: int, at: str, reason: str) -> Rung:
        answer = _text(self._answer(rung))
        title = self.title(rung)
        return Rung(rung=rung, title=title, by="trigger", at=at, reason=reason, answer=answer)

    def _answer(self, rung: int) -> Limit | None:
        return next((r.new_limit for r in self.table.escalation_ladder if r.rung == rung), None)


def _climb(rung: LadderRule) -> Rung:
    """A rung of the ladder as a term of a clock."""
    return Rung(
        rung=rung.rung,
        title=rung.title,
        by="ladder",
        at="due" if rung.when == "red_card" else rung.when.removeprefix("overdue_"),
        reason=f"逾期未办结（{rung.when}） overdue and not completed ({rung.when})",
        answer=_text(rung.new_limit),
    )


def _text(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)
