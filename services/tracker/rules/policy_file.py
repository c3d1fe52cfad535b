"""What the tracker alone reads of policy.yaml: cards, the ladder, direct triggers, extensions.

What it shares with other services, the limits themselves, is ``shared.jurisdiction.limits``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.limits import LimitText

LADDER_TOP = 3  # Rungs above 一把手督办 are for people to raise (DOMAIN.md ).
_CLIMB = re.compile(r"red_card|overdue_[1-9]\d*wd")

RungNumber = Annotated[int, Field(ge=1, le=7)]
RungName = Annotated[RungNumber, BeforeValidator(lambda text: str(text).removeprefix("rung_"))]


class _Part(BaseModel):
    """A part of policy.yaml; what is there for other readers is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WarningRule(_Part):
    """预警: a card, the point where it is shown and the urgencies it is for (R-31)."""

    at: Annotated[
        str, Field(pattern=r"^(\d\d?%_elapsed|\d+(wd|wh|h|min)_before_due|due|sign_due_missed)$")
    ]
    color: Literal["none", "yellow", "red"]
    urgencies: Annotated[frozenset[Urgency], Field(alias="for")] = frozenset(Urgency)

    @property
    def timed(self) -> bool:
        """Whether the card has a point of its own, before the due moment."""
        return self.at.endswith(("_elapsed", "_before_due"))

    def point(self, calendar: WorkCalendar, start: datetime, due: datetime) -> datetime | None:
        """When the timed card is shown; None when that is not after the start."""
        amount, _, measure = self.at.partition("_")
        if measure == "elapsed":
            point = start + (due - start) * (int(amount.removesuffix("%")) / 100)
        else:
            point = calendar.before(due, Limit.parse(amount))
        return point if point > start else None


class LadderRung(_Part):
    """A rung of the ladder: 催办, 督办单, 一把手督办 … (R-30, R-32)."""

    rung: RungNumber
    name: str
    when: str
    act: str
    new_limit: LimitText | None = None

    @property
    def title(self) -> str:
        """Name for people: ``催办 written reminder``."""
        return f"{self.name} {self.act.replace('_', ' ')}"

    @property
    def climbed_at(self) -> str:
        """When an unmet clock climbs here: ``due``, or working days after it, such as ``3wd``."""
        return "due" if self.when == "red_card" else self.when.removeprefix("overdue_")


class DirectTriggers(_Part):
    """直接督办: what is supervised at once, whatever the ladder says."""

    critical_not_signed_in_limit: RungName


class RedoRules(_Part):
    """重办: how many redo rounds there are before supervision, and which act it is (R-27, SD17)."""

    max_rounds: Annotated[int, Field(ge=0)]
    after_max: str


class ExtensionStep(_Part):
    """How long one extension may be."""

    max: LimitText


class ExtensionRules(_Part):
    """延期 (R-18, SD17): how long, how often, how long before the due moment, and for what not."""

    first: ExtensionStep
    max_count: Annotated[int, Field(ge=0)]
    cap_total_handle: LimitText
    apply_at_latest_before: LimitText
    not_for: frozenset[Urgency]


class TrackerRules(_Part):
    """When it is warned, what makes a supervision, and what an extension may be."""

    warnings: tuple[WarningRule, ...]
    direct_triggers: DirectTriggers
    escalation_ladder: tuple[LadderRung, ...]
    redo: RedoRules
    extension: ExtensionRules

    @field_validator("escalation_ladder")
    @classmethod
    def _climbable(cls, ladder: tuple[LadderRung, ...]) -> tuple[LadderRung, ...]:
        for rung in ladder:
            if rung.rung <= LADDER_TOP and not _CLIMB.fullmatch(rung.when):
                raise ValueError(f"rung {rung.rung}: when {rung.when!r} is no point in time")
        return tuple(sorted(ladder, key=lambda rung: rung.rung))

    @field_validator("redo")
    @classmethod
    def _on_the_ladder(cls, redo: RedoRules, info: ValidationInfo) -> RedoRules:
        ladder = info.data.get("escalation_ladder", ())
        if ladder and redo.after_max not in (row.act for row in ladder):
            raise ValueError(f"after_max: no rung of the ladder is a {redo.after_max!r}")
        return redo

    @property
    def ladder(self) -> tuple[LadderRung, ...]:
        """The rungs a clock climbs by itself, lowest first; the others are raised by hand."""
        return tuple(rung for rung in self.escalation_ladder if rung.rung <= LADDER_TOP)

    @property
    def after_redo(self) -> int:
        """The rung after the last redo round."""
        return next(r.rung for r in self.escalation_ladder if r.act == self.redo.after_max)

    def rung(self, number: int) -> LadderRung | None:
        """A rung by its number, None when the ladder has none."""
        return next((row for row in self.escalation_ladder if row.rung == number), None)

    def yellow_card(self, urgency: Urgency) -> WarningRule | None:
        """The warning of an urgency; a rule written for it goes before one for all (R-31)."""
        cards = [
            w for w in self.warnings if w.color == "yellow" and w.timed and urgency in w.urgencies
        ]
        return min(cards, key=lambda card: len(card.urgencies), default=None)
