"""Feedback's rows, and below them their tables: shared/storage/rows.py. They hold no name, no
telephone number and no word of the complaint.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.feedback.rules import machine
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import (
    QUESTIONS,
    Answers,
    Outcome,
    Report,
    answers_on_record,
)
from shared.events import CallbackAbout, CallRating, TicketType
from shared.storage.open_words import ShortWords
from shared.storage.system_tables import NAMING, declare_system_tables


class Base(SQLModel):
    """Base of this service's tables, on metadata of its own."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class Ticket(Base):
    """What feedback must know of a ticket. ``ended_round``: the last round that the hotline ended
    itself, 0 for none.

    ``number_corrected_at``: since when the vault holds another number to call; ``corrected``: the
    last correction heard of each field, by intake's seq.

    Its row is the lock of everything feedback keeps about the ticket: whoever changes any of it
    holds this row first, so nobody waits for two rows in two orders. ``confidential``: not known of
    tickets an older release took down, and then counts as such. ``split_from``: of whose call it is one
    matter; ``matter``: which, known of those alone whose call was split.
    """

    number: str = Field(primary_key=True)
    type: str = Field(sa_type=ShortWords(TicketType))
    channel: str
    has_contact: bool
    reply_declined: bool
    round: int = 1
    supervised: bool = False
    withdrawn_at: datetime | None = None
    number_corrected_at: datetime | None = None
    corrected: dict[str, int] | None = Field(default=None, sa_type=JSONB)
    ended_round: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    confidential: bool | None = None
    split_from: str | None = None
    matter: str | None = None

    @property
    def asked_of(self) -> str | None:
        """Which of several matters a citizen is asked of; of a confidential one that is not said (R-35)."""
        return None if self.kept_quiet else self.matter

    @property
    def kept_quiet(self) -> bool:
        """Whether what the citizen is told is neutral (R-35). Of a ticket of an older release it is
        not known: then of every type that is confidential unless the citizen says otherwise.
        """
        delicate = (TicketType.REPORT, TicketType.UNKNOWN)
        return TicketType(self.type) in delicate if self.confidential is None else self.confidential


class Resolution(Base):
    """办结: one round as its lead completed it, and how the round ended.

    ``ending`` is a closing kind or ``reopened``. ``seq`` is the dispatcher's: of two completions
    of one round the later one counts.

    ``promised_on``: the day by which the lead promises what it put off (承诺办结, R-19); ``promise_ended``:
    how that came to its end for the tracker, ``kept`` (the unit says so) or ``passed`` (the day came first),
    and when; ``promise_seq``: the tracker's seq of the last heard of it. ``promise``: the order with which it
    was made, the same for all whose tickets were worked on as one.
    """

    number: str = Field(primary_key=True, foreign_key="tickets.number")
    round: int = Field(primary_key=True)
    seq: int
    lead: str
    completed_at: datetime
    ending: str | None = None
    ended_at: datetime | None = None
    promised_on: date | None = None
    promise: UUID | None = None
    promise_seq: int | None = None
    promise_ended: str | None = None
    promise_ended_at: datetime | None = None

    def hear_promise(self, seq: int, day: date | None) -> bool:
        """Take over what the tracker says of the promise; False when later news was heard before."""
        if seq <= (self.promise_seq or 0):
            return False
        self.promise_seq, self.promised_on = seq, day or self.promised_on
        return True


OF_PROMISE = "promise_"


def steps(*names: str) -> tuple[str, ...]:
    """Words of ``next_step`` for callbacks about answers and about promises."""
    return (*names, *(OF_PROMISE + name for name in names))


class Callback(Base):
    """回访: a callback of one round; ``attempt`` is the one planned or running. ``about`` the ``answer``
    there is one, and after it one about the ``promise`` where a day was promised (ADR 0069).

    ``next_step`` is what the clock does with it at ``next_at``: fall_due, ask (the phone system),
    expire (an asked call nobody reported on), lapse (nobody found the right number); None when it
    waits for a person or is over. In a row about a promise these words begin with ``promise_``: the release
    before, which knows one callback a round, then leaves it alone.
    ``lease_ends_at`` (wall clock): a call is being asked for right now. ``settled_by`` is the
    attempt that ended it. ``said``: the answers given so far, by question.
    """

    id: UUID = Field(primary_key=True)
    number: str
    round: int
    status: str
    attempt: int
    finish_due: datetime
    next_step: str | None = None
    next_at: datetime | None = None
    lease_ends_at: datetime | None = None
    failed_asks: int = 0
    settled_by: int | None = None
    about: str = Field(
        default=CallbackAbout.ANSWER,
        sa_type=ShortWords(CallbackAbout),
        sa_column_kwargs={"server_default": text("'answer'")},
    )
    said: dict[str, str] | None = Field(default=None, sa_type=JSONB)

    def answers(self) -> Answers | None:
        """What was answered so far."""
        return answers_on_record(*map((self.said or {}).get, QUESTIONS))

    def keep(self, answers: Answers) -> None:
        """Keep what was answered so far, of a citizen who gave only some of the answers, too."""
        self.said = {name: answer for name, answer in asdict(answers).items() if answer}

    def move(self, action: Action) -> None:
        """Raises MoveRefused when the table does not allow it."""
        self.status = machine.move(CallbackStatus(self.status), action)

    @property
    def step(self) -> str | None:
        """What the clock does next, in the words of either kind of callback."""
        return self.next_step and self.next_step.removeprefix(OF_PROMISE)

    def wait_for(self, step: str, at: datetime) -> None:
        """The clock moves it on."""
        step = step if self.about == CallbackAbout.ANSWER else OF_PROMISE + step
        self.next_step, self.next_at, self.lease_ends_at = step, at, None

    def rest(self) -> None:
        """Nothing for the clock to do: a person moves it on, or nobody."""
        self.next_step = self.next_at = self.lease_ends_at = None


class Attempt(Base):
    """一次回访: one attempt and its raw outcome. Kept for ever: formulas change (DOMAIN.md 3.2).

    ``by_citizen``: nobody called, the citizen rang and judged. ``about``: what was asked, known since it fell
    due; None of the release before, which asks about answers alone.
    """

    callback: UUID = Field(primary_key=True, foreign_key="callbacks.id")
    attempt: int = Field(primary_key=True)
    due: datetime
    asked_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=ShortWords(Outcome))
    contacted: str | None = None
    solved: str | None = None
    satisfied: str | None = None
    comment: str = ""
    reported_at: datetime | None = None
    reported_by: str | None = None
    by_citizen: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    about: str | None = Field(default=None, sa_type=ShortWords(CallbackAbout))

    def write(self, report: Report, now: datetime, by: str) -> None:
        """Put a report on record."""
        self.outcome, self.comment = report.outcome, report.comment
        self.reported_at, self.reported_by = now, by
        if report.answers:
            self.contacted, self.solved = report.answers.contacted, report.answers.solved
            self.satisfied = report.answers.satisfied

    @property
    def asked(self) -> CallbackAbout:
        """What was asked in it, or would have been."""
        return CallbackAbout(self.about or CallbackAbout.ANSWER)

    def report(self) -> Report | None:
        """The report on record, if there is one."""
        if self.outcome is None:
            return None
        answers = answers_on_record(self.contacted, self.solved, self.satisfied)
        return Report(Outcome(self.outcome), answers, self.comment)


class Message(Base):
    """告知: what the citizen was told of, once each; the text is in the fact ``citizen.told``."""

    number: str = Field(primary_key=True, foreign_key="tickets.number")
    round: int = Field(primary_key=True)
    occasion: str = Field(primary_key=True)


class CallRated(Base):
    """一次一评: what a caller said of the call, not of the matter (R-26). It hangs on no ticket: of most
    calls there is none here. ``direct``: whether the hotline answered the call itself.
    """

    number: str = Field(primary_key=True)
    rating: str = Field(sa_type=ShortWords(CallRating))
    direct: bool
    rated_at: datetime


# --- their tables ------------------------------------------------------------------------------


class Tickets(Ticket, table=True):
    """The table of tickets."""

    __tablename__ = "tickets"


class Resolutions(Resolution, table=True):
    """The table of resolutions."""

    __tablename__ = "resolutions"
    __table_args__ = (
        Index("ix_resolutions_ended_at", "ended_at"),
        Index("ix_resolutions_promise", "promise", postgresql_where=text("promise IS NOT NULL")),
    )


class Callbacks(Callback, table=True):
    """The table of callbacks."""

    __tablename__ = "callbacks"
    __table_args__ = (
        ForeignKeyConstraint(["number", "round"], ["resolutions.number", "resolutions.round"]),
        Index("uq_callbacks_number_round_about", "number", "round", "about", unique=True),
        CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="next"),
        Index("ix_callbacks_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_callbacks_status", "status", "id"),
    )


class Attempts(Attempt, table=True):
    """The table of attempts."""

    __tablename__ = "attempts"


class Messages(Message, table=True):
    """The table of messages."""

    __tablename__ = "messages"


class CallsRated(CallRated, table=True):
    """The table of what callers said of their calls."""

    __tablename__ = "calls_rated"
    __table_args__ = (Index("ix_calls_rated_rated_at", "rated_at"),)


declare_system_tables(Base.metadata)
