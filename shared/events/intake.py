"""What intake says."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from shared.events.envelope import Data
from shared.events.words import CallRating, Location, Reported, TicketType, Urgency


class TicketRegistered(Data, name="ticket.registered", by="intake"):
    """受理: a complaint got its number. Text is the working copy: nobody is named in it (R-01).

    ``reported_unit`` is the first of ``reported.units``, for the release before; ask ``about``.
    ``split_from``: it is one matter of that ticket's call (拆分), whose citizen waits since
    ``accepted_at``; ``taken_off``: the ticket that held it till now, the call's or a matter of that;
    ``appointed``: whom the desk wants to lead it. ``upstream_due``: when the platform that passed it on
    wants the answer (WF-20).
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
    split_from: str | None = None
    taken_off: str | None = None
    accepted_at: AwareDatetime | None = None
    appointed: str | None = None
    upstream_due: AwareDatetime | None = None
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


class TicketMerged(Data, name="ticket.merged", by="intake"):
    """并单: another citizen reported the matter of ``into``; one piece of work for both (GB66-5).

    ``repeat``: the same person had reported it there before. ``consent``: the citizen agreed, where
    one of the two is confidential and the other is not.
    """

    into: str
    reason: str
    repeat: bool = False
    consent: bool = False


class TicketUnmerged(Data, name="ticket.unmerged", by="intake"):
    """撤销并单: it was another matter after all, and is worked on for itself again."""

    parted_from: str
    reason: str


class TicketSplit(Data, name="ticket.split", by="intake"):
    """拆分: the call held several matters. This one keeps ``title`` and ``content``; each of ``matters`` is a
    ticket of its own from now on, of the same citizen (JN-29).
    """

    title: str
    content: str
    matters: tuple[str, ...]
    reason: str


class TicketCorrected(Data, name="ticket.corrected", by="intake"):
    """更正: what was written down wrongly at registration, put right by a named act.

    ``fields`` names what changed, in the words of the registration; of those alone the values here
    count. ``phone``, ``name`` and ``caller_address`` may stand among them and have no value: they lie in
    the vault. ``after_dispatch``: a unit had it already, and judged it by what was written before.
    ``asked_by``: who corrected it, where another person had to agree, who is the actor.
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
    upstream_due: AwareDatetime | None = None
    after_dispatch: bool = False
    asked_by: str | None = None


class EndedHere(BaseModel):
    """What is said of a ticket that the hotline ended itself, whichever way. No unit has it.

    ``registered``: whether ``ticket.registered`` was said of it before. If not, the number is nobody's
    to dispatch or to wait for; it may still be registered later, when it becomes an order after all.
    """

    type: TicketType
    urgency: Urgency
    topic: str
    area: str
    channel: str
    flags: tuple[str, ...] = ()
    confidential: bool = False
    reply_declined: bool = False
    has_contact: bool = True
    registered: bool


class TicketAnswered(EndedHere, Data, name="ticket.answered", by="intake"):
    """直办: the hotline answered by itself; there is no order and no callback (R-02, BJ-11)."""

    answer: str


class TicketNotAccepted(EndedHere, Data, name="ticket.not_accepted", by="intake"):
    """不予受理: with a reason of the catalogue and the channel to use instead (R-07, R-08)."""

    reason_code: str
    zh: str
    en: str
    note: str = ""


class TicketHandedOver(EndedHere, Data, name="ticket.handed_over", by="intake"):
    """即时转接: the emergency line took it over in the same call; it was never queued (R-06)."""

    line: str
    zh: str
    en: str
    taken_at: AwareDatetime


class TicketResumed(Data, name="ticket.resumed", by="intake"):
    """恢复办理: what the hotline had ended goes on; feedback opens the next round, and the desk has it.

    ``taken_back``: the hotline takes its own words back (转派); else the citizen added something.
    """

    reason: str
    taken_back: bool = False


class TicketCallRated(Data, name="ticket.call_rated", by="intake"):
    """一次一评: the caller rated the call itself (R-26).

    ``direct``: whether the hotline answered it directly.
    """

    rating: CallRating
    direct: bool


class ContactRead(Data, name="contact.read", by="intake"):
    """查阅联系方式: the unit of ``assignment`` read who is to be contacted. That it was read, and nothing of
    what was (R-36, gain 6).
    """


class ReadsAnchored(Data, name="reads.anchored", by="intake"):
    """查阅记录存证: how long the read log was, and the hash of its last row. Who keeps this fact can
    tell when the log is cut or rewritten (R-36). Its subject is ``reads``: it is about no ticket.
    """

    count: Annotated[int, Field(ge=1)]
    hash: str
