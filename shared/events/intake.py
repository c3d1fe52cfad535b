"""What intake says."""

from __future__ import annotations

from shared.events.envelope import Data
from shared.events.words import Location, Reported, TicketType, Urgency


class TicketRegistered(Data, name="ticket.registered", by="intake"):
    """受理: a complaint got its number. Text is the working copy: nobody is named in it (R-01).

    ``reported_unit`` is the first of ``reported.units``, for the release before; ask ``about``.
    """

    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    address: str | None = None
    location: Location | None = None
    channel: str
    flags: tuple[str, ...] = ()
    source_number: str | None = None
    reported_unit: str | None = None
    reported: Reported | None = None
    confidential: bool = False
    reply_declined: bool = False
    has_contact: bool = True
    configuration: str | None = None

    @property
    def about(self) -> Reported:
        """被反映对象, whichever release said it: the one before names ``reported_unit`` alone."""
        return Reported.on_record(self.reported, self.reported_unit)


class TicketSupplemented(Data, name="ticket.supplemented", by="intake"):
    """补充: the citizen added something to the complaint."""

    content: str


class TicketUrged(Data, name="ticket.urged", by="intake"):
    """催单: the citizen asked again; ``times`` counts the urgings of this ticket so far."""

    note: str
    times: int


class TicketWithdrawn(Data, name="ticket.withdrawn", by="intake"):
    """撤单: the citizen took the complaint back."""

    reason: str


class TicketCorrected(Data, name="ticket.corrected", by="intake"):
    """更正: what was written down wrongly at registration, put right by a named act.

    ``fields`` names what changed, in the words of the registration; of those alone the values here
    count. ``phone``, ``name`` and ``caller_address`` may stand among them and have no value: they lie in
    the vault. ``after_dispatch``: a unit had it already, and judged it by what was written before.
    """

    fields: tuple[str, ...]
    reason: str
    type: TicketType | None = None
    urgency: Urgency | None = None
    topic: str | None = None
    area: str | None = None
    flags: tuple[str, ...] = ()
    reported: Reported | None = None
    confidential: bool | None = None
    reply_declined: bool | None = None
    has_contact: bool | None = None
    after_dispatch: bool = False
