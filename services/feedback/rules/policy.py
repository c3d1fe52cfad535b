"""The shape of callbacks.yaml: windows, attempts, questions, and whom a call is spared."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import Field, PlainValidator, model_validator

from services.feedback.rules.days import in_words
from services.feedback.rules.planning import MOST_ATTEMPTS, Window
from services.feedback.rules.verdict import (
    ASKED,
    Contacted,
    Satisfied,
    Solved,
    about_now,
    closes_at_once,
)
from shared.events import CallbackAbout, ClosingKind, TicketType
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.sections import LimitText, Section, Words

Spared: TypeAlias = Literal["commendation", "reply_declined"]
PersonCalls: TypeAlias = Literal["report", "supervised", "redo"]

DAY = "{day}"
ANSWERS = {
    "contacted": frozenset(get_args(Contacted)),
    "solved": frozenset(get_args(Solved)),
    "satisfied": frozenset(get_args(Satisfied)),
}


def _wall_clock(text: Any) -> time:
    if isinstance(text, time):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("应为时刻 must be a time of day such as 08:30")
    return time.fromisoformat(text)


Clock = Annotated[time, PlainValidator(_wall_clock)]


class First(Section):
    """When the first attempt is made, counted from the completion."""

    days_after_completion: Annotated[int, Field(ge=1, le=30)]


class WindowText(Section):
    """One window, local time; it ends before ``to``."""

    opens: Annotated[Clock, Field(alias="from")]
    ends: Annotated[Clock, Field(alias="to")]

    @model_validator(mode="after")
    def _opens_before_it_ends(self) -> Self:
        if self.opens >= self.ends:
            raise ValueError("a window opens before it ends")
        return self


class Attempts(Section):
    """How often the citizen is tried, over at least how many different days."""

    max: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)]
    min_days: Annotated[int, Field(ge=1)]
    different_time_slots: bool

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        if self.min_days > self.max:
            raise ValueError("min_days cannot be more than max: an attempt is on one day")
        return self


class Answer(Section):
    """One answer a question allows; ``code`` is what an outcome says when it was chosen."""

    code: Words
    zh: Words
    en: Words


class Question(Section):
    """One question as the caller puts it; its ``id`` is the outcome's field for the answer."""

    id: Words
    zh: Words
    en: Words
    answers: tuple[Answer, ...] = ()
    free_text: bool = False

    @model_validator(mode="after")
    def _answers_are_the_contract(self) -> Self:
        wanted = ANSWERS.get(self.id, frozenset())
        if wanted and {answer.code for answer in self.answers} != wanted:
            raise ValueError(f"{self.id} takes the answers {', '.join(sorted(wanted))}")
        return self

    def of_day(self, day: date | None) -> Question:
        """The same, with the promised day in its words."""
        if day is None or DAY not in self.zh + self.en:
            return self
        zh, en = in_words(day)
        return self.model_copy(
            update={"zh": self.zh.replace(DAY, zh), "en": self.en.replace(DAY, en)}
        )


class CallbackPolicy(Section):
    """callbacks.yaml (DOMAIN.md R-23 to R-27)."""

    first: First
    finish_within: LimitText
    reopen_within: LimitText
    windows: Annotated[tuple[WindowText, ...], Field(min_length=1)]
    attempts: Attempts
    human_call_required_for: frozenset[PersonCalls]
    not_for: frozenset[Spared]
    questions: tuple[Question, ...]
    put_off_questions: tuple[Question, ...] = ()
    promise_questions: tuple[Question, ...] = ()

    @model_validator(mode="after")
    def _windows_in_order(self) -> Self:
        for earlier, later in zip(self.windows, self.windows[1:], strict=False):
            if later.opens < earlier.ends:
                raise ValueError("windows stand in the order of the day and do not overlap")
        return self

    @model_validator(mode="after")
    def _asks_what_the_verdict_needs(self) -> Self:
        for key, asked in self._sets():
            needed = ASKED[asked]
            ids = {question.id for question in getattr(self, key)}
            if missing := set(needed) - ids:
                raise ValueError(f"{key}: missing {', '.join(sorted(missing))}")
            if extra := (ANSWERS.keys() & ids) - set(needed):
                raise ValueError(f"{key}: {', '.join(sorted(extra))} decides nothing there")
        return self

    @model_validator(mode="after")
    def _names_a_day_where_there_is_one(self) -> Self:
        if any(DAY in question.zh + question.en for question in self.questions):
            raise ValueError(
                f"questions: {DAY} is known in put_off_questions and promise_questions"
            )
        return self

    def _sets(self) -> list[tuple[str, CallbackAbout]]:
        """The sets of questions that stand in the file, by key; those about promises may be left out."""
        sets = [("questions", CallbackAbout.ANSWER)]
        if self.put_off_questions:
            sets.append(("put_off_questions", CallbackAbout.PUT_OFF))
        if self.promise_questions:
            sets.append(("promise_questions", CallbackAbout.PROMISE))
        return sets

    def about_now(self, *, promise: bool, promised: bool, ended: bool) -> CallbackAbout:
        """What a call made now asks of. Without questions for what was put off it asks the usual ones."""
        promised = promised and bool(self.put_off_questions)
        return about_now(promise=promise, promised=promised, ended=ended)

    def questions_about(self, about: CallbackAbout, day: date | None) -> tuple[Question, ...]:
        """What to ask, in order, the promised day in words. A file without questions about promises asks
        those of its three that decide there.
        """
        asked = self.questions
        if about is CallbackAbout.PUT_OFF:
            asked = self.put_off_questions or asked
        elif about is CallbackAbout.PROMISE:
            asked = self.promise_questions or asked
        spared = ANSWERS.keys() - set(ASKED.get(about, ANSWERS))
        return tuple(each.of_day(day) for each in asked if each.id not in spared)

    def call_windows(self) -> tuple[Window, ...]:
        """The windows as planning takes them."""
        return tuple(Window(window.opens, window.ends) for window in self.windows)

    def finish_due(self, completed: datetime, calendar: WorkCalendar) -> datetime:
        """When a round that was completed should have its verdict."""
        return calendar.due(completed, self.finish_within).at

    def reopen_until(self, ended: datetime, calendar: WorkCalendar) -> datetime:
        """Until when a repeat call about a round that ended opens the next one."""
        return calendar.due(ended, self.reopen_within).at

    def closes_at_once(
        self, ticket_type: TicketType, *, has_contact: bool, reply_declined: bool
    ) -> ClosingKind | None:
        """How a ticket ends on completion that gets no callback; None when it gets one."""
        return closes_at_once(
            ticket_type,
            has_contact=has_contact,
            reply_declined=reply_declined,
            not_for=self.not_for,
        )

    def needs_person(self, *, report: bool, supervised: bool, redo: bool) -> bool:
        """Whether a person makes this call, not a machine."""
        required = self.human_call_required_for
        return (
            (report and "report" in required)
            or (supervised and "supervised" in required)
            or (redo and "redo" in required)
        )
