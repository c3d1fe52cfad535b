"""Intake's rows, and below them their tables: shared/storage/rows.py. Identity lives sealed in ``vault``
and nowhere else.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.intake.rules.machine import TicketStatus, ended, stored
from shared.events import CallRating, Reported, TicketType, Urgency
from shared.storage.open_words import ShortWords
from shared.storage.system_tables import NAMING, declare_policies, declare_system_tables


class Base(SQLModel):
    """Base of this service's tables, on metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


# The statuses in which nobody moves a ticket any more, as a list in SQL.
ENDED = ", ".join(f"'{s}'" for s in TicketStatus if ended(s) and stored(s) is s)
OPEN = f"status NOT IN ({ENDED})"


class Ticket(Base):
    """诉求工单: the complaint as others may know it, and how far it is (R-01).

    ``ended_at``: since when it is closed or withdrawn; ``erased_at``: when its identity was destroyed.
    ``follows``: the ended ticket this one goes on from. ``noted_after_end_at``: since when something was
    said after the end that nobody has read. ``code_nonce``: what the citizen's code is made of beside
    the number; None in older tickets.
    ``phone_index``: what releases before this one wrote, until it is keyed anew (callers.py).
    ``reported`` is None in older tickets, which know a ``reported_unit`` at most; ask ``about``.

    ``ending``: what the hotline did with it itself in the round ``ending_round``, ``ending_code`` the
    reason or the line, ``ending_words`` what the citizen reads of it; ``answer_due``: when it must be
    answered that is kept to be answered. ``forwarded``: whether ``ticket.registered`` was said of it.
    ``call_rating``: what the caller said of the call. ``work``: the ticket under whose number several
    are worked on as one (并单), on each of them. ``split_from``: the ticket whose call this matter is of
    (拆分), and ``accepted_at`` when that call was; None of any other. ``arbitration``: the one that rules
    whose duty it is, by the dispatcher's fact ``arbitration_seq``.
    """

    number: str = Field(primary_key=True)
    id: UUID = Field(unique=True)
    type: str = Field(index=True, sa_type=ShortWords(TicketType))
    urgency: str = Field(sa_type=ShortWords(Urgency))
    topic: str = Field(index=True)
    title: str
    content: str
    area: str = Field(index=True)
    address: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    channel: str
    flags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    source_number: str | None = None
    upstream_due: datetime | None = None
    reported_unit: str | None = None
    reported: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    confidential: bool
    reply_declined: bool
    has_contact: bool
    phone_index: str | None = Field(default=None, index=True)
    registered_at: datetime
    status: str = Field(default="received", index=True)
    urged: int = 0
    withdrawn: bool = False
    resolved_round: int = 0
    closed_round: int = 0
    reopened_round: int = 1
    answer: str | None = None
    answer_seq: int = 0
    extended_round: int = 0
    extended_due: datetime | None = None
    extended_reason: str | None = None
    ended_at: datetime | None = None
    erased_at: datetime | None = None
    code_nonce: UUID | None = None
    follows: str | None = None
    noted_after_end_at: datetime | None = None
    ending: str | None = None
    ending_round: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    ending_code: str | None = None
    ending_words: str | None = None
    answer_due: datetime | None = None
    forwarded: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    call_rating: str | None = Field(default=None, sa_type=ShortWords(CallRating))
    work: str | None = None
    split_from: str | None = None
    accepted_at: datetime | None = None
    arbitration: UUID | None = None
    arbitration_seq: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})

    @property
    def accepted(self) -> datetime:
        """受理: since when its citizen waits."""
        return self.accepted_at or self.registered_at

    @property
    def about(self) -> Reported:
        """被反映对象: whom the demand is about."""
        return Reported.on_record(self.reported, self.reported_unit)


class Vault(Base):
    """The caller's identity and the raw words, sealed and bound to the number (PIPL 51)."""

    number: str = Field(primary_key=True, foreign_key="ticket.number")
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CallerDigest(Base):
    """By which a caller's tickets are found: a digest of each number given (``caller_digest``). It is
    of the vault's row and goes with it, whichever release erases that.
    """

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    number: str = Field(
        primary_key=True, foreign_key="vault.number", ondelete="CASCADE", index=True
    )


class CitizenNote(Base):
    """What the citizen said later (补充, 催单, 撤单): raw words sealed, a copy without names."""

    id: UUID = Field(primary_key=True)
    number: str = Field(foreign_key="ticket.number", index=True)
    action: str
    content: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    said_at: datetime


class TicketText(Base):
    """What a ticket is searched by: its working copy with what was added, and the grams of that
    (rules/words.py). In a row of its own, for the ticket's changes with every step.
    """

    number: str = Field(primary_key=True, foreign_key="ticket.number")
    words: str
    grams: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class SearchPlace(Base):
    """How far the search has read the fact log: one row."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(sa_type=BigInteger)


class Assignment(Base):
    """What intake has heard of one assignment: for the citizen's progress. Who may contact is asked
    where it is known (neighbours.py). ``unit_seq``: the fact that says which unit has it, where another
    had it before that is no more. ``awaits``: whether it waits for the citizen, by ``awaits_seq``.
    """

    id: UUID = Field(primary_key=True)
    number: str = Field(foreign_key="ticket.number", index=True)
    unit: str
    round: int
    status: str
    unit_seq: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    awaits: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    awaits_seq: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})


class ContactRead(Base):
    """One deed of the read log: a contact read, asked for, granted, refused, erased, or a caller looked
    up, who may have no ticket. Each row carries the hash of the one before (R-36).

    ``person``: on whose behalf a machine's token did it; ``why``: in our words, of a refusal.
    """

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: str | None = Field(default=None, foreign_key="ticket.number", index=True)
    actor: str
    reason: str
    read_at: datetime
    hash: str
    deed: str = Field(default="read", sa_column_kwargs={"server_default": "read"})
    person: str | None = None
    why: str | None = None


class ContactRequest(Base):
    """查阅申请: what a unit asks the custodian for, to read whom it must contact in a confidential
    matter (R-35, R-36). It ends with ``assignment``, the order it was asked under.
    """

    id: UUID = Field(primary_key=True)
    number: str = Field(foreign_key="ticket.number", index=True)
    unit: str
    assignment: UUID = Field(index=True)
    status: str
    reason: str
    asked_at: datetime
    asked_by: str
    due: datetime
    granted_until: datetime | None = None
    ruling: str | None = None
    ruled_at: datetime | None = None
    ruled_by: str | None = None


class EndingRecord(Base):
    """结束记录: one act of the hotline that ended a ticket, kept it, or let it go on; never changed.

    ``kind``: a status, or ``resumed``. ``words``: what was said, in the working copy.
    """

    id: UUID = Field(primary_key=True)
    number: str = Field(foreign_key="ticket.number", index=True)
    round: int
    kind: str
    code: str | None = None
    words: str
    taken_by: str | None = None
    taken_at: datetime | None = None
    recorded_at: datetime
    recorded_by: str


class MaliciousMark(Base):
    """恶意使用标记: a caller used the hotline maliciously (BJ-9, BJ-37, JN-42).

    The evidence is the note ``note``, sealed as all that was said on the telephone. A mark that was
    taken back stays on record and counts no more.
    """

    id: UUID = Field(primary_key=True)
    number: str = Field(foreign_key="ticket.number", index=True)
    note: UUID
    warned: bool
    referred_to: str | None = None
    marked_at: datetime
    marked_by: str
    undone_at: datetime | None = None
    undone_by: str | None = None
    undone_reason: str | None = None


class DayNumber(Base):
    """The last ticket number given on a day, Asia/Shanghai.

    ``code_nonces``: whether its tickets get a nonce; not on the day this release came.
    """

    day: date = Field(primary_key=True)
    last: int
    code_nonces: bool | None = Field(
        default=None, sa_column_kwargs={"server_default": text("true")}
    )


# --- their tables ------------------------------------------------------------------------------


class Tickets(Ticket, table=True):
    """The table of tickets."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index(
            "uq_ticket_channel_source_number",
            "channel",
            "source_number",
            unique=True,
            postgresql_where=text("source_number IS NOT NULL"),
        ),
        Index("ix_ticket_open", "number", postgresql_where=text(OPEN)),
        Index("ix_ticket_follows", "follows", postgresql_where=text("follows IS NOT NULL")),
        Index(
            "ix_ticket_noted_after_end",
            "number",
            postgresql_where=text("noted_after_end_at IS NOT NULL"),
        ),
        Index("ix_ticket_work", "work", postgresql_where=text("work IS NOT NULL")),
        Index(
            "ix_ticket_split_from", "split_from", postgresql_where=text("split_from IS NOT NULL")
        ),
        Index("ix_ticket_ended_at", "ended_at", postgresql_where=text("erased_at IS NULL")),
        Index("ix_ticket_ending", "ending", "number", postgresql_where=text("ending IS NOT NULL")),
    )


class Vaults(Vault, table=True):
    """The table of sealed identities."""

    __tablename__ = "vault"


class CallerDigests(CallerDigest, table=True):
    """The table of digests of callers' numbers."""

    __tablename__ = "caller_digest"


class CitizenNotes(CitizenNote, table=True):
    """The table of what citizens said later."""

    __tablename__ = "citizen_note"


class TicketTexts(TicketText, table=True):
    """The table of what tickets are searched by."""

    __tablename__ = "ticket_text"
    __table_args__ = (Index("ix_ticket_text_grams", "grams", postgresql_using="gin"),)


class SearchPlaces(SearchPlace, table=True):
    """The table of how far the search is."""

    __tablename__ = "search_place"


class Assignments(Assignment, table=True):
    """The table of assignments."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_unit_number", "unit", "number"),)


class ContactReads(ContactRead, table=True):
    """The table of readings and erasures of contacts."""

    __tablename__ = "contact_read"


class EndingRecords(EndingRecord, table=True):
    """The table of what the hotline did itself, to which rows are only added."""

    __tablename__ = "ending_record"


class MaliciousMarks(MaliciousMark, table=True):
    """The table of marks of malicious use."""

    __tablename__ = "malicious_mark"


class ContactRequests(ContactRequest, table=True):
    """The table of requests to read a confidential contact."""

    __tablename__ = "contact_request"
    __table_args__ = (
        Index("ix_contact_request_due", "due", postgresql_where=text("status = 'asked'")),
    )


class DayNumbers(DayNumber, table=True):
    """The table of the last numbers given, by day."""

    __tablename__ = "day_number"


declare_system_tables(Base.metadata)
declare_policies(Base.metadata)
