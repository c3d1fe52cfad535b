"""The shape of callbacks.yaml: windows, attempts, questions, and whom a call is spared."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.feedback.rules.planning import MOST_ATTEMPTS, Window
from services.feedback.rules.verdict import Contacted, Satisfied, Solved
from shared.jurisdiction.limits import LimitText

Spared: TypeAlias = Literal[
    "commendation", "anonymous_without_contact", "reply_declined", "merged_reporter_opted_out"
]
PersonCalls: TypeAlias = Literal["report", "supervised", "redo", "unsatisfied"]

ANSWERS = {
    "contacted": frozenset(get_args(Contacted)),
    "solved": frozenset(get_args(Solved)),
    "satisfied": frozenset(get_args(Satisfied)),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class First(_Part):
    """When the first attempt is made, counted from the completion."""

    days_after_completion: Annotated[int, Field(ge=1, le=30)]


class WindowText(_Part):
    """One window, local time; it ends before ``to``."""

    opens: Annotated[time, Field(alias="from")]
    ends: Annotated[time, Field(alias="to")]

    @model_validator(mode="after")
    def _opens_before_it_ends(self) -> Self:
        if self.opens >= self.ends:
            raise ValueError("a window opens before it ends")
        return self


class Attempts(_Part):
    """How often the citizen is tried, over at least how many different days."""

    max: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)]
    min_days: Annotated[int, Field(ge=1)]
    different_time_slots: bool = True

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        if self.min_days > self.max:
            raise ValueError("min_days cannot be more than max: an attempt is on one day")
        return self


class Answer(_Part):
    """One answer a question allows; ``code`` is what an outcome says when it was chosen."""

    code: str
    zh: str
    en: str


class Question(_Part):
    """One question as the caller puts it; its ``id`` is the outcome's field for the answer."""

    id: str
    zh: str
    en: str
    answers: tuple[Answer, ...] = ()
    free_text: bool = False

    @model_validator(mode="after")
    def _answers_are_the_contract(self) -> Self:
        wanted = ANSWERS.get(self.id, frozenset())
        if wanted and {answer.code for answer in self.answers} != wanted:
            raise ValueError(f"{self.id} takes the answers {', '.join(sorted(wanted))}")
        return self


class Redo(_Part):
    """What follows a reopening; its limit and its end are the tracker's to watch."""

    max_rounds: Annotated[int, Field(ge=1)]
    handle_limit: LimitText
    after_max: Literal["supervision_order"]


class CallbackPolicy(_Part):
    """callbacks.yaml (policy.yaml ``callback``; DOMAIN.md R-23 to R-27)."""

    schema_version: Literal[1]
    version: str
    jurisdiction: str
    first: First
    finish_within: LimitText
    windows: Annotated[tuple[WindowText, ...], Field(min_length=1)]
    attempts: Attempts
    by: Literal["hotline_not_the_handling_unit"]
    human_call_required_for: frozenset[PersonCalls] = frozenset()
    not_for: frozenset[Spared] = frozenset()
    outcomes: frozenset[Literal["answered", "refused", "unreachable", "wrong_number", "number_off"]]
    questions: tuple[Question, ...]
    redo: Redo

    @model_validator(mode="after")
    def _windows_in_order(self) -> Self:
        for earlier, later in zip(self.windows, self.windows[1:], strict=False):
            if later.opens < earlier.ends:
                raise ValueError("windows stand in the order of the day and do not overlap")
        return self

    @model_validator(mode="after")
    def _asks_what_the_verdict_needs(self) -> Self:
        missing = ANSWERS.keys() - {question.id for question in self.questions}
        if missing:
            raise ValueError(f"questions: missing {', '.join(sorted(missing))}")
        return self

    def call_windows(self) -> tuple[Window, ...]:
        """The windows as planning takes them."""
        return tuple(Window(window.opens, window.ends) for window in self.windows)

    def needs_person(self, *, report: bool, supervised: bool, redo: bool) -> bool:
        """Whether a person makes this call, not a machine.

        A redo comes of a citizen who was not content, so ``unsatisfied`` means the same here.
        """
        required = self.human_call_required_for
        return (
            (report and "report" in required)
            or (supervised and "supervised" in required)
            or (redo and bool(required & {"redo", "unsatisfied"}))
        )
