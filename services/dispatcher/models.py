"""The dispatcher's rows: what it knows of a ticket, its assignments, the unit feed. Below them
their tables: shared/storage/rows.py.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, MetaData, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shared.events import ClosingKind, CompletionKind, ContactOutcome, Role, Urgency
from shared.storage.open_words import Words
from shared.storage.system_tables import NAMING, declare_policies, declare_system_tables

OWN = UUID(int=0)  # in place of an assignment: the clock is the ticket's own


class Base(SQLModel):
    """Base of this service's tables, on metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class Ticket(Base):
    """工单: what intake said of it, and the milestones from which its status follows.

    ``matter`` is the data of ``ticket.registered`` as it was corrected since; ``corrected`` has, of each
    field that was, the ``seq`` of the last correction heard, when that was made (``at``, None from an older
    release), and what it ``was`` at first.
    ``suggested_unit``: whose it may be, after a granted return. ``doubted_at``:
    since when the desk must see whether the units at work are still the right ones, by ``doubted_due``;
    ``alarmed_at``: since when something the citizen said later may report a danger, which a person must find
    out. ``resolved`` and ``closed`` are the last rounds that ended so, 0 for none; ``ended``: the last that
    the hotline ended itself, which is ``closed`` too. The row is the lock of everything about the
    ticket.

    ``arbitration``: the one that is open about it.
    ``work``: the ticket under whose number several are worked on as one, on each of them; ``work_seq``:
    the fact that says so. ``answered``: who completed its last resolved round under another's number.
    ``catalogue_version``: by which version of the catalogue it was last judged; None of before these were
    kept. ``law``: the longer limit a law gives it, by the desk's act, with the ``round`` that is for.
    ``had``: since when units have had its matter in a round under other numbers (rules/had.py). ``repeat``:
    its citizen is that of the ticket under whose number several are worked on.
    """

    number: str = Field(primary_key=True, sa_type=Text)
    registered_at: datetime
    matter: dict[str, Any] = Field(sa_type=JSONB)
    urgency: str = Field(sa_type=Words(Urgency))
    round: int = 1
    resolved: int = 0
    closed: int = 0
    ended: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    withdrawn_at: datetime | None = None
    unassigned_at: datetime | None = None
    unassigned_reason: str | None = Field(default=None, sa_type=Text)
    nearest: list[str] = Field(default_factory=list, sa_type=JSONB)
    suggested_unit: str | None = Field(default=None, sa_type=Text)
    urged: int = 0
    corrected: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    doubted_at: datetime | None = None
    doubted_reason: str | None = Field(default=None, sa_type=Text)
    doubted_due: datetime | None = None
    alarmed_at: datetime | None = None
    work: str | None = Field(default=None, sa_type=Text)
    work_seq: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    answered: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    catalogue_version: int | None = None
    arbitration: UUID | None = None
    law: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    had: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    repeat: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class Assignment(Base):
    """派单: a ticket given to one unit in one round.

    ``was`` is where a return was requested. ``appointed``: made by hand at the desk. ``reached``:
    an attempt to contact the citizen was answered. ``completion`` is what ``assignment.completed``
    said; ``verdict`` how the citizen closed the round. ``pending``: what the hotline has to decide of its
    completion form (schemas.Pending); it says nothing once the order has moved on. ``catalogue_version``:
    the one whose ``rule`` decided. ``approved``: who let a town lead what its duty list does not name, and
    why. ``unit`` has it now; ``former``: which ones had it that are no more, oldest first, each with
    ``until`` and ``reform``. ``handed_by``: the unit whose order it is part of (二次派单), to which it
    answers. ``sent_back``: why its last answer was (SentBack). ``whistle``: the one its unit was whistled
    for with (whistling.Blown). ``pressed``: what the desk was asked to do about its silence, by ``by``, since
    ``at``, and ``pressed_due`` by when; None again once its unit moves or the desk has seen to it. ``wait``:
    of a lead for its citizen (waiting.Wait); ``wait_due``: when it is ruled on or over, None where it is.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    round: int
    unit: str = Field(sa_type=Text)
    role: str = Field(sa_type=Words(Role))
    status: str = Field(sa_type=Text)
    was: str | None = Field(default=None, sa_type=Text)
    rule: str | None = Field(default=None, sa_type=Text)
    reason: str = Field(sa_type=Text)
    urgency: str = Field(sa_type=Words(Urgency))
    limits: dict[str, Any] = Field(sa_type=JSONB)
    appointed: bool = False
    redo: bool = False
    dispatched_at: datetime
    handler: str | None = Field(default=None, sa_type=Text)
    handler_account: str | None = Field(default=None, sa_type=Text)
    attempts: int = 0
    reached: bool = False
    progress: str | None = Field(default=None, sa_type=Text)
    completion: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    verdict: str | None = Field(default=None, sa_type=Words(ClosingKind))
    handed_by: str | None = Field(default=None, sa_type=Text)
    pending: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    catalogue_version: int | None = None
    approved: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    former: list[Any] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": text("'[]'")}
    )
    sent_back: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    whistle: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    pressed: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    pressed_due: datetime | None = None
    wait: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    wait_due: datetime | None = None


class CompletionForm(Base):
    """办结表: one form a unit sent in, and what the hotline made of it (R-20 … R-22).

    ``asks``: it asks to end the matter without an answer; else it is a lead's answer, which is audited.
    ``bands``: by which like answers find each other (rules/answers.py). ``due``: when the desk must have
    decided; None where nobody had to. ``outcome``: passed, sent_back or terminated; granted, refused,
    withdrawn or overtaken; None while it waits. ``silent``: nobody decided in time, and the policy did.
    ``pauses``: the time of an audit that sent it back is given back to the unit.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    assignment: UUID = Field(foreign_key="assignments.id", index=True)
    unit: str = Field(sa_type=Text)
    round: int
    kind: str = Field(sa_type=Words(CompletionKind))
    asks: bool
    form: dict[str, Any] = Field(sa_type=JSONB)
    bands: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))
    submitted_at: datetime
    due: datetime | None = None
    findings: list[Any] = Field(default_factory=list, sa_type=JSONB)
    outcome: str | None = Field(default=None, sa_type=Text)
    grounds: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = None
    decided_by: str | None = Field(default=None, sa_type=Text)
    silent: bool = False
    pauses: bool = False


class Contact(Base):
    """联系记录: one attempt to contact the citizen (R-12)."""

    id: UUID = Field(primary_key=True)
    assignment: UUID = Field(foreign_key="assignments.id", index=True)
    made_at: datetime
    how: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Words(ContactOutcome))
    note: str = Field(sa_type=Text)


class Return(Base):
    """退单: a request and, once the desk ruled, its ruling (R-15); kept as precedent.

    ``review_due``: when the desk must have ruled; None of those that were asked before that was counted.
    ``silent``: it had not, and the policy ruled. ``named_unit``: whom the ruling named as the right one.
    ``withdrawn_at``: when the unit took it back, unruled.
    ``overruled_by``: who sent the ticket back to the unit all the same, when and why.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    assignment: UUID = Field(foreign_key="assignments.id", index=True)
    unit: str = Field(sa_type=Text)
    reason_code: str = Field(sa_type=Text)
    legal_basis: str = Field(sa_type=Text)
    suggested_unit: str | None = Field(default=None, sa_type=Text)
    approver: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    requested_at: datetime
    granted: bool | None = None
    ruling: str | None = Field(default=None, sa_type=Text)
    ruled_at: datetime | None = None
    ruled_by: str | None = Field(default=None, sa_type=Text)
    review_due: datetime | None = None
    silent: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    named_unit: str | None = Field(default=None, sa_type=Text)
    withdrawn_at: datetime | None = None
    overruled_at: datetime | None = None
    overruled_by: str | None = Field(default=None, sa_type=Text)
    overruled_reason: str | None = Field(default=None, sa_type=Text)

    @property
    def waits(self) -> bool:
        """Whether nobody has ruled on it, and the unit has not taken it back."""
        return self.granted is None and self.withdrawn_at is None


class GrassrootsCheck(Base):
    """基层减负: a town that was kept from a ticket, or led what its duty list does not name (R-05).

    ``way``: by rule or by hand; ``outcome``: blocked or passed. Once for a ticket, a round and a town.
    """

    ticket: str = Field(primary_key=True, sa_type=Text)
    round: int = Field(primary_key=True)
    unit: str = Field(primary_key=True, sa_type=Text)
    way: str = Field(primary_key=True, sa_type=Text)
    outcome: str = Field(primary_key=True, sa_type=Text)
    at: datetime
    actor: str = Field(sa_type=Text)
    approved_by: str | None = Field(default=None, sa_type=Text)
    ground: str | None = Field(default=None, sa_type=Text)


class Clock(Base):
    """时限: what the tracker last said of one clock, for the lists; how it runs is the tracker's alone.

    ``assignment`` is OWN for the ticket's own clocks, of which a new one of the same kind takes the place
    of the old. ``due_seq``, ``pause_seq``: the tracker's facts that said so; later ones count.
    """

    ticket: str = Field(primary_key=True, sa_type=Text)
    assignment: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, sa_type=Text)
    started_at: datetime | None = None
    due: datetime | None = None
    provisional: bool = False
    due_seq: int = 0
    paused_at: datetime | None = None
    pause_seq: int = 0


class Supplement(Base):
    """补充: what the citizen added; whoever is dispatched later gets it with the content."""

    ticket: str = Field(primary_key=True, foreign_key="tickets.number", sa_type=Text)
    seq: int = Field(primary_key=True)
    added_at: datetime
    content: str = Field(sa_type=Text)


class Delivery(Base):
    """One fact addressed to a unit, read by ``position``: given after the commit, unit by unit.

    Ids are handed out before commit, so a reader who went by id would miss rows. ``body`` is the fact
    as it was said or received, whatever its speaker said in it. A fact is delivered once.
    """

    id: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger,
        sa_column_args=(Identity(always=True),),
    )
    position: int | None = Field(default=None, sa_type=BigInteger)
    unit: str = Field(sa_type=Text)
    fact: UUID
    name: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    received_at: datetime


# --- their tables ------------------------------------------------------------------------------


OPEN = text("withdrawn_at IS NULL AND closed < round")
UNASSIGNED = text("unassigned_at IS NOT NULL")
DOUBTED = text("doubted_at IS NOT NULL")
UNRULED = text("granted IS NULL")
UNSIGNED = text("status = 'dispatched'")
HANDED = text("handed_by IS NOT NULL")
IN_HAND = text("status IN ('dispatched', 'signed', 'contacted', 'return_requested')")
UNDECIDED = text("outcome IS NULL")


class Tickets(Ticket, table=True):
    """The table of tickets."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_unassigned", "number", postgresql_where=UNASSIGNED),
        Index("ix_tickets_open", "number", postgresql_where=OPEN),
        Index("ix_tickets_doubted", "number", postgresql_where=DOUBTED),
        Index("ix_tickets_work", "work", postgresql_where=text("work IS NOT NULL")),
    )


class Assignments(Assignment, table=True):
    """The table of assignments."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("ix_assignments_unit_id", "unit", "id"),
        Index("ix_assignments_unsigned", "unit", "dispatched_at", postgresql_where=UNSIGNED),
        Index("ix_assignments_in_hand", "unit", "id", postgresql_where=IN_HAND),
        Index("ix_assignments_handed", "handed_by", "id", postgresql_where=HANDED),
        Index("ix_assignments_whistled", "id", postgresql_where=text("whistle IS NOT NULL")),
        Index("ix_assignments_pressed", "id", postgresql_where=text("pressed IS NOT NULL")),
        Index("ix_assignments_wait", "wait_due", postgresql_where=text("wait_due IS NOT NULL")),
    )


class CompletionForms(CompletionForm, table=True):
    """The table of completion forms."""

    __tablename__ = "completion_forms"
    __table_args__ = (
        Index("ix_completion_forms_undecided", "due", postgresql_where=UNDECIDED),
        Index("ix_completion_forms_bands", "bands", postgresql_using="gin"),
    )


class Contacts(Contact, table=True):
    """The table of contacts, to which rows are only added."""

    __tablename__ = "contacts"


class Returns(Return, table=True):
    """The table of returns."""

    __tablename__ = "returns"
    __table_args__ = (Index("ix_returns_unruled", "review_due", postgresql_where=UNRULED),)


class GrassrootsChecks(GrassrootsCheck, table=True):
    """The table of what towns were kept from or led all the same, to which rows are only added."""

    __tablename__ = "grassroots_checks"
    __table_args__ = (Index("ix_grassroots_checks_at", "at"),)


class Clocks(Clock, table=True):
    """The table of clocks. What they are of may be heard of later, so they refer to nothing."""

    __tablename__ = "clocks"


class Supplements(Supplement, table=True):
    """The table of supplements."""

    __tablename__ = "supplements"


class Deliveries(Delivery, table=True):
    """The unit feed: the table of deliveries."""

    __tablename__ = "feed"
    __table_args__ = (
        Index("uq_feed_unit_position", "unit", "position", unique=True),
        Index("ix_feed_position", "position"),  # for the release before; the next one drops it
        Index("ix_feed_fact", "fact", unique=True),
        Index("ix_feed_unnumbered", "id", postgresql_where=text("position IS NULL")),
    )


declare_system_tables(Base.metadata)
declare_policies(Base.metadata)
