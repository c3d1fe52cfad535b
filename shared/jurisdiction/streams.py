"""``streams`` of limits.yaml: rows with limits of their own, by what a ticket is and whose. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import Field, model_validator

from shared.events import TicketType, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.sections import LimitText, Section, Words, WorkingDays, refuse

Stage: TypeAlias = Literal["dispatch", "sign", "first_contact", "handle"]
STAGES: tuple[Stage, ...] = ("dispatch", "sign", "first_contact", "handle")
Some = Annotated[frozenset[str], Field(min_length=1)]


class Kind(NamedTuple):
    """What limits depend on (BJ-13). ``under``: a ticket's flags and all that its topic lies under;
    ``unit``: whose order it is, where that is known.
    """

    type: TicketType
    urgency: Urgency
    under: frozenset[str]
    channel: str | None = None
    unit: str | None = None


class Stream(Section):
    """A row with limits of its own, for the tickets that all its conditions fit. ``title``: what it is called
    on orders; ``matter``: a flag, or a field that topics lie under.

    The first row that fits is the one. A row that names ``units`` only shortens: how long a citizen waits
    does not depend on who gets the matter.
    """

    title: Words | None = None
    matter: str | None = None
    types: Annotated[frozenset[TicketType], Field(min_length=1)] = frozenset(TicketType)
    urgencies: Annotated[frozenset[Urgency], Field(min_length=1)] = frozenset(Urgency)
    channels: Some | None = None
    units: Some | None = None
    dispatch: LimitText | None = None
    sign: LimitText | None = None
    first_contact: LimitText | None = None
    handle: LimitText | None = None
    extension: WorkingDays | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Stream:
        conditions = {"matter", "types", "urgencies", "channels", "units"}
        if not conditions & self.model_fields_set:
            raise ValueError("缺少条件 it fits everything: change the rows of `limits` instead")
        if not self.stages and self.extension is None:
            raise ValueError("缺少时限 it says no limit")
        if self.units and self.dispatch:
            wrong = "派单时尚无承办单位 no unit has it yet when it is dispatched"
            refuse([(("dispatch",), wrong)])
        return self

    @property
    def only_shortens(self) -> bool:
        """Whether it never gives more time than there is without it."""
        return self.units is not None

    @property
    def stages(self) -> Mapping[Stage, Limit]:
        """The limits it says."""
        said = {stage: getattr(self, stage) for stage in STAGES}
        return {stage: limit for stage, limit in said.items() if limit is not None}

    @property
    def kinds(self) -> Iterator[tuple[TicketType, Urgency]]:
        """The types and urgencies it is for."""
        return product(sorted(self.types), sorted(self.urgencies))

    def fits(self, of: Kind) -> bool:
        """Whether a ticket, as it is dispatched, belongs to it."""
        return (
            of.type in self.types
            and of.urgency in self.urgencies
            and (self.matter is None or self.matter in of.under)
            and (self.channels is None or of.channel in self.channels)
            and (self.units is None or of.unit in self.units)
        )

    def covers(self, later: Stream) -> bool:
        """Whether it fits whatever a later row fits, which then is never the first."""
        return (
            self.types >= later.types
            and self.urgencies >= later.urgencies
            and self.matter in (None, later.matter)
            and _holds(self.channels, later.channels)
            and _holds(self.units, later.units)
        )


def _holds(codes: frozenset[str] | None, others: frozenset[str] | None) -> bool:
    """Whether a condition fits whatever another fits; None fits everything."""
    return codes is None or (others is not None and codes >= others)
