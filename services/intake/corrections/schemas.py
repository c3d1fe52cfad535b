"""What is asked and answered about corrections."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.intake.rules.corrections import CorrectionStatus
from services.intake.schemas import AsGiven, Code, NamedType, Note, Phrase
from shared.events import Urgency
from shared.http.fields import Body, Instant, Line


class CorrectedParty(Body):
    """被反映对象: all of whom it is about, not only what is new; see the registration."""

    units: tuple[Code, ...] = Field(default=(), max_length=20)
    words: tuple[Phrase, ...] = Field(default=(), max_length=20, repr=False)
    nobody: bool = False


class CorrectedCaller(Body):
    """诉求人: what is named is put right; null takes it away."""

    name: Annotated[str, Line(50)] | None = Field(default=None, repr=False)
    phone: AsGiven = Field(default=None, repr=False)
    address: Phrase | None = Field(default=None, repr=False)


class CorrectionIn(Body):
    """更正: what was written down wrongly; what is left out stays as it is.

    ``consent``: how the citizen agreed that the ticket is confidential no more. ``upstream_due``: when the
    platform that passed it on wants the answer; null: it named no moment.
    """

    reason: Note = Field(repr=False)
    caller: CorrectedCaller | None = Field(default=None, repr=False)
    type: NamedType | None = None
    topic: Code | None = None
    area: Code | None = None
    flags: Annotated[tuple[Code, ...], Field(max_length=20)] | None = None
    urgency: Urgency | None = None
    reported: CorrectedParty | None = None
    reply_declined: bool | None = None
    confidential: bool | None = None
    upstream_due: Instant | None = None
    consent: Note | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _corrects_something(self) -> CorrectionIn:
        given = self.model_fields_set - {"reason", "consent"}
        if not any(field == "upstream_due" or getattr(self, field) is not None for field in given):
            raise PydanticCustomError(
                "nothing_corrected", "至少更正一项 Name at least one field to put right"
            )
        return self


class CorrectionDecision(Body):
    """同意或不同意 that a correction takes the shield off, or gives more time, and why."""

    granted: bool
    note: Note = Field(repr=False)


class CorrectionOut(BaseModel):
    """One correction. Of ``phone``, ``name`` and ``caller_address`` the values stay sealed: ``before`` and
    ``after`` have the others. ``after_dispatch``: a unit had the ticket by then.

    ``status``: ``waiting``, where it would take the shield off or may give more time, and another person has
    to agree: nothing of it holds; ``refused``; else ``in_force``. ``note``: what the second person said.
    """

    id: UUID
    number: str
    status: CorrectionStatus
    fields: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    after_dispatch: bool
    corrected_at: AwareDatetime
    corrected_by: str
    consent: str | None
    note: str | None
    decided_at: AwareDatetime | None
    decided_by: str | None


class CorrectionList(BaseModel):
    """The corrections of a ticket, oldest first."""

    items: list[CorrectionOut]
