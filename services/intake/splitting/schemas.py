"""What is asked and answered when a call is split into its matters."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.schemas import (
    CitizenWords,
    Code,
    Content,
    NamedType,
    Phrase,
    TicketStatus,
    Title,
)
from shared.events import TicketType, Urgency


class Remainder(CitizenWords):
    """原工单保留的事项: what stays under the ticket's own number, in the desk's words."""

    title: Title | None = Field(default=None, repr=False)
    content: Content = Field(repr=False)


class SplitMatter(CitizenWords):
    """分出的事项: one further matter of the call, in the desk's words. Left out, ``type``, ``area`` and
    ``address`` are those of the ticket. ``lead``: who is to handle it; left out, the catalogue says. How
    urgent it is its own words say, and never less than ``urgency``.
    """

    title: Title | None = Field(default=None, repr=False)
    content: Content = Field(repr=False)
    topic: Code
    area: Code | None = None
    address: Phrase | None = Field(default=None, repr=False)
    type: NamedType | None = None
    urgency: Urgency = Urgency.NORMAL
    flags: tuple[Code, ...] = Field(default=(), max_length=20)
    lead: Code | None = None


class Split(CitizenWords):
    """拆分: a call that holds several matters: ``remainder`` and at least one of ``matters``."""

    remainder: Remainder | None = None
    matters: tuple[SplitMatter, ...] = Field(default=(), max_length=9)
    reason: Phrase = Field(repr=False)


class SplitTicket(BaseModel):
    """One matter of a call. ``lead``: who was named for it; the dispatcher says who has it."""

    number: str
    type: TicketType
    topic: str
    area: str
    title: str
    status: TicketStatus
    lead: str | None = None


class SplitOut(BaseModel):
    """The matters of a call: the one that stayed first, then those that were just taken off. The
    citizen's code of the first shows them all.
    """

    number: str
    accepted_at: AwareDatetime
    matters: list[SplitTicket]
