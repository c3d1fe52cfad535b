"""What the tracker says of what does not fit together."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.envelope import Data
from shared.events.words import DiscrepancyKind


class Evidence(BaseModel):
    """What a discrepancy goes by: something on record, and when it was and was written down. ``seq``: of the
    fact of that name about its ticket, where it is one.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)
    name: str
    at: AwareDatetime
    recorded: AwareDatetime | None = None
    seq: int | None = None


class DiscrepancyRaised(Data, name="discrepancy.raised", by="tracker"):
    """疑点: what is on record does not fit together: to be looked into, and no verdict (R-34, gain 6).

    It is addressed to nobody: ``about_unit``, whom it is about, reads it where it may. ``noticed_at``: when
    what it goes by happened. ``tickets``: others it goes by. A habit is about no ticket, and its subject is
    ``unit:`` and the code.
    """

    discrepancy: UUID
    kind: DiscrepancyKind
    about_unit: str | None = None
    noticed_at: AwareDatetime
    reason: str
    evidence: tuple[Evidence, ...] = ()
    tickets: tuple[str, ...] = ()


class DiscrepancyExplained(Data, name="discrepancy.explained", by="tracker"):
    """疑点消除: what was heard later explains it; it stays on record."""

    discrepancy: UUID
    kind: DiscrepancyKind
    reason: str


class DiscrepancyCommented(Data, name="discrepancy.commented", by="tracker"):
    """申辩: what the unit says to a discrepancy about it, once."""

    discrepancy: UUID
    kind: DiscrepancyKind
    comment: str


class DiscrepancyDismissed(Data, name="discrepancy.dismissed", by="tracker"):
    """疑点排除: a person looked into it and found nothing; it stays on record, with who and why."""

    discrepancy: UUID
    kind: DiscrepancyKind
    reason: str
