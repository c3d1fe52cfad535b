"""风险报告: a danger the government was told of, and who has taken it up (R-38, BJ-29, ADR 0081). Pure.

open ── acknowledge ──→ acknowledged
 └── its ticket ends ─→ ended ── acknowledge ──→ acknowledged

The first acknowledgement stands. A ticket that is worked on again is open again, unless it was acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.tracker.rules.machine import Sentence
from shared.errors import JiesuError


class AcknowledgedBefore(JiesuError):
    """Somebody said so before, as of ``taken_up_by`` at ``acknowledged_at``: the first stands."""

    status = 409
    slug = "risk-acknowledged"
    title = (
        "该险情已登记知悉，以首次登记为准 "
        "The danger was acknowledged before; the first acknowledgement stands"
    )

    def __init__(self, first: Acknowledgement) -> None:
        when = first.acknowledged_at.isoformat()
        super().__init__(
            f"已于 {when} 登记，由 {first.taken_up_by} 处置。Acknowledged at {when}",
            acknowledged_at=when,
            taken_up_by=first.taken_up_by,
        )


class RiskStatus(StrEnum):
    """Where a danger stands; SENTENCES says who moves it from there."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


SENTENCES: Mapping[RiskStatus, Sentence] = MappingProxyType(
    {
        RiskStatus.OPEN: Sentence(
            "待知悉：由接报单位登记谁来处置；其不能登记的，由督办员代为登记",
            "The office that was told says who has taken it up; where it cannot, a supervisor does",
        ),
        RiskStatus.ACKNOWLEDGED: Sentence("已知悉", "Somebody has taken it up"),
        RiskStatus.ENDED: Sentence(
            "工单已办结或撤单，无人登记知悉",
            "Its ticket was resolved or withdrawn, and nobody had said so",
        ),
    }
)


class Acknowledgement(BaseModel):
    """已知悉: who has taken a danger up and what is being done; ``late``: after it had to be said."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    taken_up_by: str
    measures: str
    acknowledged_at: AwareDatetime
    acknowledged_by: str
    late: bool

    @classmethod
    def first(cls, before: Self | None, due: datetime | None, now: datetime, **said: str) -> Self:
        """What is said now. Raises AcknowledgedBefore."""
        if before is not None:
            raise AcknowledgedBefore(before)
        return cls(acknowledged_at=now, late=due is not None and now > due, **said)


def status(*, acknowledged: bool, under_way: bool) -> RiskStatus:
    """Where a danger stands. ``under_way``: its ticket was neither resolved nor withdrawn."""
    if acknowledged:
        return RiskStatus.ACKNOWLEDGED
    return RiskStatus.OPEN if under_way else RiskStatus.ENDED
