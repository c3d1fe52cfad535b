"""supervision.yaml, which the tracker alone reads: cards, the ladder, redo, extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from shared.errors import JiesuError
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.codes import UnitCode, Units
from shared.jurisdiction.sections import (
    LimitText,
    Section,
    Where,
    Words,
    WorkingDays,
    refuse,
    unknown_code,
)

CardPoint = Annotated[
    str, Field(pattern=r"^([1-9]\d?%_elapsed|[1-9]\d{0,3}(wd|wh|h|min)_before_due)$")
]
RungNumber = Annotated[int, Field(ge=1, le=7)]


def card_point(at: str, calendar: WorkCalendar, start: datetime, due: datetime) -> datetime | None:
    """When a yellow card is shown (预警, R-31), such as ``1wd_before_due``; None when that is not
    after the start.
    """
    amount, _, measure = at.partition("_")
    if measure == "elapsed":
        point = start + (due - start) * (int(amount.removesuffix("%")) / 100)
    else:
        point = calendar.before(due, Limit.parse(amount))
    return point if point > start else None


class SupervisionByRule(JiesuError):
    """What the ladder or a trigger raised is no person's mistake: it falls away with its cause, or is
    closed with its order.
    """

    status = 409
    slug = "supervision-by-rule"
    title = "按规定发起的督办不能由人撤回 What a rule raised no person withdraws"


class LadderRung(Section):
    """A rung of the ladder: 催办, 督办单, 一把手督办 … (R-30, R-32). One without ``when`` is for people
    to raise (R-33).
    """

    rung: RungNumber
    zh: Words
    en: Words
    when: Annotated[str, Field(pattern=r"^(red_card|overdue_[1-9]\d{0,2}wd)$")] | None = None
    new_limit: LimitText | None = None

    @property
    def title(self) -> str:
        """Name for people: ``催办 written reminder``."""
        return f"{self.zh} {self.en}"

    @property
    def climbed_at(self) -> str | None:
        """When an unmet clock climbs here: ``due``, or working days after it, such as ``3wd``."""
        if self.when is None:
            return None
        return "due" if self.when == "red_card" else self.when.removeprefix("overdue_")


class RedoRules(Section):
    """重办: how many redo rounds there are, and the rung that follows the last (R-27, SD17)."""

    max_rounds: Annotated[int, Field(ge=0, le=100)]
    then: RungNumber


class ClusterRules(Section):
    """集中反映: so many reporters of one matter within so many days raise a rung (JN-28)."""

    count: Annotated[int, Field(ge=2, le=1_000)]
    window_days: Annotated[int, Field(ge=1, le=365)]
    then: RungNumber

    def reached(self, registered: Iterable[datetime]) -> bool:
        """Whether so many of these reports came within the window."""
        moments, window = sorted(registered), timedelta(days=self.window_days)
        pairs = zip(moments, moments[self.count - 1 :], strict=False)
        return any(last - first <= window for first, last in pairs)


class ReviewRules(Section):
    """退单审核: when the desk, which has to rule on a return, is warned; to which rung it is raised at its
    due moment, and before whom: the first of ``to`` who may hear of the ticket (R-35).
    """

    warn: CardPoint
    rung: RungNumber
    to: Annotated[tuple[UnitCode, ...], Field(min_length=1)]


class BodyRules(Section):
    """争议裁决: when the body that has to rule is warned (R-17)."""

    warn: CardPoint


class ExtensionRules(Section):
    """延期 (R-18, SD17): how long, how long before the due moment, and for what not."""

    max: WorkingDays
    cap_total_handle: LimitText
    apply_at_latest_before: LimitText
    not_for: frozenset[Urgency]


class Supervision(Section):
    """When it is warned, what makes a supervision, and what an extension may be. ``unattended``: the rung of
    who was whistled for and did not come in time (吹哨报到, R-47); none where it is left out.
    """

    warnings: Mapping[Urgency, CardPoint]
    ladder: tuple[LadderRung, ...]
    critical_unsigned: RungNumber
    redo: RedoRules
    extension: ExtensionRules
    cluster_of_reporters: ClusterRules | None = None
    hotline_review: ReviewRules | None = None
    arbitration: BodyRules | None = None
    unattended: RungNumber | None = None

    @field_validator("ladder")
    @classmethod
    def _from_the_lowest(cls, ladder: tuple[LadderRung, ...]) -> tuple[LadderRung, ...]:
        if len({row.rung for row in ladder}) < len(ladder):
            raise ValueError("同一层级出现两次 a rung stands here twice")
        return tuple(sorted(ladder, key=lambda row: row.rung))

    @model_validator(mode="after")
    def _on_the_ladder(self) -> Self:
        named = {("critical_unsigned",): self.critical_unsigned, ("redo", "then"): self.redo.then}
        if self.cluster_of_reporters:
            named["cluster_of_reporters", "then"] = self.cluster_of_reporters.then
        if self.unattended is not None:
            named["unattended",] = self.unattended
        if self.hotline_review:
            named["hotline_review", "rung"] = self.hotline_review.rung
        refuse(
            (where, f"督办层级中没有 no rung {number} on the ladder")
            for where, number in named.items()
            if self.rung(number) is None
        )
        return self

    @property
    def climbed(self) -> tuple[LadderRung, ...]:
        """The rungs a clock climbs by itself, lowest first."""
        return tuple(row for row in self.ladder if row.when)

    def rung(self, number: int) -> LadderRung | None:
        """A rung by its number, None when the ladder has none."""
        return next((row for row in self.ladder if row.rung == number), None)


def offices_exist(supervision: Supervision, units: Units) -> Iterator[tuple[str, Where, str]]:
    """A check between files: whom the desk is raised before stands in the table of units."""
    for at, code in enumerate(supervision.hotline_review.to if supervision.hotline_review else ()):
        if units.unit(code) is None:
            known = [unit.code for unit in units.units]
            yield "supervision", ("hotline_review", "to", at), unknown_code(code, known)
