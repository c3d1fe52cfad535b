"""What is asked and answered where somebody must know who the citizen is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from services.intake.rules.rights import RequestStatus as RequestStatus
from services.intake.rules.rights import meaningful
from shared.events import Location, TicketType
from shared.http.fields import NUMBERS, Body, Line, Text

# --- asked -------------------------------------------------------------------------------------

# Why somebody must know who the citizen is, in words: it stands in the read log.
Reason = Annotated[str, Line(200), AfterValidator(meaningful)]
OnBehalfOf = Annotated[
    str,
    Line(50),
    Field(description="经办人 the person who asks, where a system asks with its own token"),
]


class ContactReadRequest(Body):
    """Why the contact, or the matter data, must be read; the reason stands in the read log (R-36)."""

    reason: Reason
    on_behalf_of: OnBehalfOf | None = None


class ContactRequestIn(Body):
    """查阅申请: why the unit must know who the citizen of a confidential matter is."""

    reason: Reason
    on_behalf_of: OnBehalfOf | None = None


class ContactRuling(Body):
    """查阅裁定: granted until a moment or for some hours, or refused; in words."""

    granted: bool
    until: AwareDatetime | None = None
    hours: Annotated[float | None, Field(gt=0, le=10_000), NUMBERS] = None
    reason: Reason


class Words(Body):
    """脱敏: what somebody wrote down about a ticket, before and after who called is taken out of it."""

    text: Annotated[str, Text(2_000, min_length=0)] = Field(repr=False)


# --- answered ----------------------------------------------------------------------------------


class ContactRequestOut(BaseModel):
    """查阅申请 as the custodian and its unit see it; nothing of what the ticket says.

    ``due``: until when the custodian must have ruled; ``granted_until``: how long the unit may read.
    """

    id: UUID
    number: str
    type: TicketType
    unit: str
    status: RequestStatus
    reason: str
    asked_at: AwareDatetime
    asked_by: str
    due: AwareDatetime
    granted_until: AwareDatetime | None
    ruling: str | None
    ruled_at: AwareDatetime | None
    ruled_by: str | None


class ContactRequestPage(BaseModel):
    """Requests, oldest first; ``next`` asks for what follows, None at the end."""

    items: list[ContactRequestOut]
    next: str | None


class Contact(BaseModel):
    """Who must be contacted; read once, stored nowhere.

    ``phone`` is the number to call, ``other_phones`` what was given besides; ``phone_given`` what came,
    where that is not the number.
    """

    name: str | None = Field(repr=False)
    phone: str | None = Field(repr=False)
    address: str | None = Field(repr=False)
    other_phones: list[str] = Field(default=[], repr=False)
    phone_given: str | None = Field(default=None, repr=False)


class ClearedWords(BaseModel):
    """The words as others may read them."""

    text: str


class MatterItem(BaseModel):
    """What lies behind one place of the texts, as it was written: ``[电话1]`` and the number."""

    place: str
    value: str = Field(repr=False)


class Matter(BaseModel):
    """事项数据: what the texts of a ticket hide of others, and where the matter is, as it was given;
    read once, stored nowhere. Of a ticket of an older release there are no items.
    """

    items: list[MatterItem] = Field(repr=False)
    address: str | None = Field(repr=False)
    location: Location | None = Field(default=None, repr=False)
