"""The tracker's rows, and below them their tables: shared/storage/rows.py.

Tickets, rounds and assignments hold when things happened. Clocks are worked out from them, and
stored for their index and for the policy they started under.

Locks: a ticket's row first, then its clocks by id. The sweep takes clocks alone and skips those
that are locked. Rows are locked FOR NO KEY UPDATE, so a row that refers to them never waits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.events import ClockKind, Reported, Role, TicketType, Urgency
from shared.storage.open_words import Words
from shared.storage.system_tables import NAMING, declare_policies, declare_system_tables


class Base(SQLModel):
    """Base of this service's tables, on metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def _own(kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
    """A list or a mapping, in each row one of its own; empty in rows an older release writes."""
    kwargs = {"server_default": text(f"'{kind()}'")}
    return Field(default_factory=kind, sa_type=JSONB, sa_column_kwargs=kwargs)


class Ticket(Base):
    """工单: what its limits depend on. ``urgency`` is the one asked for at registration.

    ``corrected``: the last correction heard of each field, by intake's seq; ``terms_at``: since when its
    limits go by other values. ``reported``, or ``reported_unit`` alone in older tickets: whom it is about,
    who see nothing of it, nor do their kin; ask ``about``. ``area``, which may say whose town it is, is None
    in older ones. ``risk_at``: when it was first said to be critical; ``risk_office``: who was told;
    ``risk_due``: by when it is to be said who has taken it up, ``risk_acknowledgement``: who has.
    ``work``: the ticket under whose number several are worked on as one, on each of them; ``merges``: when
    this one was merged and parted again, with the seq of each. ``unassigned``: when the dispatcher left it to
    the desk, and as how urgent, with the seq of each; none an older release said. ``arbitrations``: what went
    before the ladder (ArbitrationTimeline). ``carried``: orders of the same matter under other numbers,
    worked on as one or split (Carried). ``upstream_due``: when the platform that passed it on wants the
    answer; ``upstream_corrected``: that this was put right (MomentCorrected). ``laws``: which law the desk
    named for it, or took back (LawNamed). ``honesty``: what may not fit together (Honesty), if heard of.
    """

    number: str = Field(primary_key=True, sa_type=Text)
    type: str = Field(sa_type=Words(TicketType))
    urgency: str = Field(sa_type=Words(Urgency))
    topic: str = Field(sa_type=Text)
    flags: list[str] = Field(sa_type=JSONB)
    registered_at: datetime
    withdrawn_at: datetime | None = None
    reported_unit: str | None = Field(default=None, sa_type=Text)
    work: str | None = Field(default=None, sa_type=Text)
    merges: list[Any] = _own(list)
    unassigned: list[Any] = _own(list)
    arbitrations: list[Any] = _own(list)
    confidential: bool | None = None
    reported: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    area: str | None = Field(default=None, sa_type=Text)
    carried: list[Any] = _own(list)
    corrected: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    terms_at: datetime | None = None
    risk_at: datetime | None = None
    risk_office: str | None = Field(default=None, sa_type=Text)
    risk_due: datetime | None = None
    risk_acknowledgement: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    channel: str | None = Field(default=None, sa_type=Text)
    upstream_due: datetime | None = None
    upstream_corrected: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    laws: list[Any] = _own(list)
    honesty: dict[str, Any] | None = Field(default=None, sa_type=JSONB)

    @property
    def about(self) -> Reported:
        """被反映对象: whom the demand is about."""
        return Reported.on_record(self.reported, self.reported_unit)


class Round(Base):
    """One round of a ticket: from registration or reopening to the lead's answer, or to ``ended_at``,
    when the hotline ended it itself. ``continues``: the hotline took that end of the one before back.
    """

    ticket: str = Field(primary_key=True, foreign_key="tickets.number", sa_type=Text)
    number: int = Field(primary_key=True)
    started_at: datetime
    resolved_at: datetime | None = None
    ended_at: datetime | None = None
    continues: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class Assignment(Base):
    """派单: its limits as dispatched, when what befell it, and the working days it was extended by, at last
    at ``extended_at``; ``granted``: each extension (Grant).

    ``terms_at``: since when its urgency and limits are others than as dispatched, ``terms_seq``: by which
    fact. ``contacted_at`` is the first attempt the citizen answered, also by refusing to talk. ``returns``:
    its requests to be returned with their rulings (ReturnTimeline); of those older than this release only
    ``return_requested_at`` and ``return_refused_at`` tell, which are kept up for it. ``resumed_at``: since
    when its clocks stand still for none of them, being too urgent. ``completions``: the answers of its unit
    with their audits (CompletionTimeline); ``completed_at`` is the first that was not sent back. ``unit`` has
    it now; ``transfers``: when which one had to hand it on and is no more (``[seq, until, unit]``).
    ``promise``: what was done about a day its unit promised (PromiseRecord); ``promise_asked_at``: since when
    a move of it waits for a ruling, ``promise_review_at``: when the hotline looks after it, while its day
    lies ahead. ``handler``: who in the unit has it, by which fact and under which account (``[seq, name,
    account]``). ``ground``: why its time to handle it is what it is (GROUND of Limits). ``waits``: its waits
    for the citizen (WaitTimeline). ``kept_back``: what higher rungs kept of triggers (KeptBack).
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    unit: str = Field(sa_type=Text)
    role: str = Field(sa_type=Words(Role))
    round: int
    urgency: str = Field(sa_type=Words(Urgency))
    redo: bool
    has_contact: bool
    sign_limit: str | None = Field(sa_type=Text)
    first_contact_limit: str | None = Field(sa_type=Text)
    handle_limit: str | None = Field(sa_type=Text)
    dispatched_at: datetime
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    completed_at: datetime | None = None
    return_requested_at: datetime | None = None
    return_refused_at: datetime | None = None
    returned_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = Field(default=None, sa_type=Text)
    extension: int = 0
    extended_at: datetime | None = None
    granted: list[Any] = _own(list)
    terms_at: datetime | None = None
    terms_seq: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    returns: list[Any] = _own(list)
    resumed_at: datetime | None = None
    completions: list[Any] = _own(list)
    transfers: list[Any] = _own(list)
    attend_limit: str | None = Field(default=None, sa_type=Text)
    attended_at: datetime | None = None
    promise: dict[str, Any] = _own(dict)
    promise_asked_at: datetime | None = None
    promise_review_at: datetime | None = None
    handler: list[Any] | None = Field(default=None, sa_type=JSONB)
    ground: dict[str, Any] = _own(dict)
    waits: list[Any] = _own(list)
    kept_back: list[Any] = _own(list)


class Clock(Base):
    """时限: one clock and how it stands.

    ``urgency`` and ``terms``: the policy it started under. ``base_due``: its due moment without pauses.
    ``passed``: its marks that were passed, with their instants. ``breached_at``: when, if that stands.
    ``judged_at``: when it was decided whether it was met in time. ``next_at``: when the sweep looks.
    ``resumed_at``: when its unit got the ticket again in the round, where it goes on where it stopped.
    ``unit`` answers for it now; ``former``: which ones did that are no more, each with the moment until which
    (``[until, unit]``, oldest first): a clock counts for who had it when it was judged. ``due_uncharged``:
    when it would be due, were the time of disputes its unit lost charged to nobody, so that it had stood
    still in the pauses ``uncharged``. ``due_revised``: when it would have been due by the calendar as it
    ought to have been, and ``revised`` by which revision (rules/revising.py); all else is the first
    judgement, which stays. ``due_counted``: by when its unit is in time in the figures, where it had no time
    left when it went on and was late under another number, or as a co-handler. ``floor``, ``calendar``,
    ``warned``: as in ClockState.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    round: int
    kind: str = Field(sa_type=Words(ClockKind))
    assignment: UUID | None = Field(default=None, foreign_key="assignments.id")
    unit: str | None = Field(default=None, sa_type=Text)
    role: str | None = Field(default=None, sa_type=Words(Role))
    urgency: str = Field(sa_type=Words(Urgency))
    status: str = Field(sa_type=Text)
    started_at: datetime
    terms: dict[str, Any] = Field(sa_type=JSONB)
    extension: int
    pauses: list[Any] = Field(sa_type=JSONB)
    base_due: datetime
    due: datetime
    provisional: bool
    ended_at: datetime | None = None
    passed: dict[str, str] = Field(sa_type=JSONB)
    breached_at: datetime | None = None
    judged_at: datetime | None = None
    next_at: datetime | None = None
    resumed_at: datetime | None = None
    former: list[Any] = _own(list)
    due_uncharged: datetime | None = None
    due_counted: datetime | None = None
    uncharged: list[Any] = _own(list)
    due_revised: datetime | None = None
    revised: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    floor: datetime | None = None
    calendar: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    warned: dict[str, str] = _own(dict)


class CalendarVersion(Base):
    """工作日历的一版: as the county's folder had it, and since when it holds (rules/calendars.py).

    ``known_at``: when the first process read it. ``digest`` is that of its ``document``.
    """

    number: int = Field(primary_key=True)
    since: datetime
    known_at: datetime
    digest: str = Field(sa_type=Text)
    document: dict[str, Any] = Field(sa_type=JSONB)


class Extension(Base):
    """延期: the first or the second (``ordinal``) a unit asked on an order, and how its ``office``, or else a
    supervisor, ruled (R-18). ``lapsed_at``: when what it was for had ended first; ``status`` stays asked.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    assignment: UUID = Field(foreign_key="assignments.id")
    unit: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    legal_basis: str = Field(sa_type=Text)
    days: int
    asked_at: datetime
    asked_by: str = Field(sa_type=Text)
    ruled_at: datetime | None = None
    ruled_by: str | None = Field(default=None, sa_type=Text)
    ruling: str | None = Field(default=None, sa_type=Text)
    lapsed_at: datetime | None = None
    ordinal: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    office: str | None = Field(default=None, sa_type=Text)
    granted_days: int | None = None


class Supervision(Base):
    """督办: a rung that was raised and stands, or was closed with its assignment (R-30, R-32).

    One that is taken back leaves no row; the fact log keeps both its facts. One that a supervisor withdrew
    was raised by mistake: it stands on record with that. ``answers``: all its unit gave, with their rulings
    (rules/answering.py); ``answered_at``: when, if one stands; ``accepted_at``: when that was accepted, which
    closed it. ``instruction``: the leader's word it goes by, ``stale_knowledge``: the entry of the knowledge
    base it is about; ``joint``: the bodies that supervise together. ``press_at``: when it is raised higher
    unless it is answered; None once that is decided.
    """

    id: UUID = Field(primary_key=True)
    ticket: str = Field(foreign_key="tickets.number", index=True, sa_type=Text)
    assignment: UUID = Field(foreign_key="assignments.id")
    round: int
    unit: str = Field(sa_type=Text)
    clock: UUID | None = Field(default=None, foreign_key="clocks.id")
    rung: int
    title: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    answer_due: datetime | None = None
    raised_at: datetime
    raised_by: str = Field(sa_type=Text)
    closed_at: datetime | None = None
    close_reason: str | None = Field(default=None, sa_type=Text)
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = Field(default=None, sa_type=Text)
    withdrawn_reason: str | None = Field(default=None, sa_type=Text)
    answers: list[Any] = _own(list)
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    instruction: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    joint: list[Any] = _own(list)
    stale_knowledge: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    press_at: datetime | None = None


class ReadAnchor(Base):
    """查阅记录存证: the head of intake's read log as intake told it, kept where who writes intake's
    database does not reach it.
    """

    fact: UUID = Field(primary_key=True)
    count: int
    hash: str = Field(sa_type=Text)
    told_at: datetime


# --- their tables ------------------------------------------------------------------------------


ASKED = text("status = 'asked'")
STANDS = text("closed_at IS NULL")
UNACKNOWLEDGED = text("risk_due IS NOT NULL AND risk_acknowledgement IS NULL")


class Tickets(Ticket, table=True):
    """The table of tickets."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_work", "work", postgresql_where=text("work IS NOT NULL")),
        Index("ix_tickets_risk", "risk_at", "number", postgresql_where=text("risk_at IS NOT NULL")),
        Index("ix_tickets_risk_due", "risk_due", postgresql_where=UNACKNOWLEDGED),
    )


class Rounds(Round, table=True):
    """The table of rounds."""

    __tablename__ = "rounds"


class Assignments(Assignment, table=True):
    """The table of assignments."""

    __tablename__ = "assignments"


class Clocks(Clock, table=True):
    """The table of clocks."""

    __tablename__ = "clocks"
    __table_args__ = (
        Index("ix_clocks_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_clocks_judged_at", "judged_at", postgresql_where=text("judged_at IS NOT NULL")),
        Index("ix_clocks_judged_due", "due", postgresql_where=text("judged_at IS NOT NULL")),
        Index(
            "ix_clocks_answered",
            "ended_at",
            postgresql_where=text("kind = 'handle' AND ended_at IS NOT NULL"),
        ),
        Index(
            "ix_clocks_due_counted",
            "due_counted",
            postgresql_where=text("due_counted IS NOT NULL"),
        ),
        Index(
            "ix_clocks_due_revised",
            "due_revised",
            postgresql_where=text("due_revised IS NOT NULL"),
        ),
        Index(
            "ix_clocks_breached_at",
            "breached_at",
            "id",
            postgresql_where=text("breached_at IS NOT NULL"),
        ),
        Index(
            "ix_clocks_overdue",
            "due",
            postgresql_where=text("breached_at IS NOT NULL AND ended_at IS NULL"),
        ),
        Index("ix_clocks_provisional", "due", postgresql_where=text("provisional")),
        Index("ix_clocks_promise", "due", "id", postgresql_where=text("kind = 'promise'")),
        Index("ix_clocks_calendar", "calendar", "id", postgresql_where=text("ended_at IS NULL")),
    )


class CalendarVersions(CalendarVersion, table=True):
    """The table of versions of the working calendar."""

    __tablename__ = "calendars"


class Extensions(Extension, table=True):
    """The table of extensions."""

    __tablename__ = "extensions"
    __table_args__ = (
        Index("ix_extensions_asked", "asked_at", postgresql_where=ASKED),
        Index("ix_extensions_ordinal", "assignment", "ordinal", unique=True),
    )


class Supervisions(Supervision, table=True):
    """The table of supervisions."""

    __tablename__ = "supervisions"
    __table_args__ = (
        Index("ix_supervisions_open", "answer_due", "id", postgresql_where=STANDS),
        Index("ix_supervisions_press", "press_at", postgresql_where=text("press_at IS NOT NULL")),
    )


class ReadAnchors(ReadAnchor, table=True):
    """The table of anchors."""

    __tablename__ = "read_anchors"


declare_system_tables(Base.metadata)
declare_policies(Base.metadata)
