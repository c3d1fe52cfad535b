"""What is asked and answered over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.feedback.rules.machine import State as State
from services.feedback.rules.verdict import Answers, Outcome, Satisfied, Solved, answers_on_record
from shared.http.fields import Body, Text

Comment = Annotated[str, Text(1_000, min_length=0)]
Reported = Literal["answered", "no_answer", "refused", "wrong_number", "number_off"]


class OutcomeIn(Body):
    """回访结果: what came of one attempt (R-25); ``answered`` carries the three answers (R-23).

    ``attempt`` is the attempt this is about, as the request to call named it: an outcome that
    comes late does not count for a later attempt.
    """

    attempt: Annotated[int, Field(ge=1)]
    outcome: Reported
    contacted: bool | None = None
    solved: Solved | None = None
    satisfied: Satisfied | None = None
    comment: Comment = ""

    @model_validator(mode="after")
    def _answers_when_answered(self) -> Self:
        given = [self.contacted, self.solved, self.satisfied]
        if self.outcome == "answered" and None in given:
            raise ValueError("answered 需要 needs: contacted, solved, satisfied")
        if self.outcome != "answered" and given != [None, None, None]:
            raise ValueError("只有 answered 才有回答 only answered carries answers")
        return self

    def answers(self) -> Answers | None:
        """The three answers, when the citizen gave them."""
        return answers_on_record(self.contacted, self.solved, self.satisfied)


class AttemptOut(BaseModel):
    """One attempt. ``expired``: the phone system did not say what came of it."""

    attempt: int
    due: AwareDatetime
    asked: AwareDatetime | None
    outcome: Outcome | None
    contacted: bool | None
    solved: Solved | None
    satisfied: Satisfied | None
    comment: str


class CallbackOut(BaseModel):
    """One callback. ``attempt`` is the one planned or running; ``person``: a person makes the call.

    ``finish_by`` is when the round should have its verdict (policy.yaml ``finish_within``);
    ``failed_asks`` how often the phone system could not be asked for the current attempt;
    ``ending`` how the round ended: a closing kind, or ``reopened``.
    """

    id: UUID
    ticket: str
    round: int
    lead: str
    state: State
    sentence_zh: str
    sentence_en: str
    attempt: int
    due: AwareDatetime
    finish_by: AwareDatetime
    person: bool
    failed_asks: int
    ending: str | None
    attempts: list[AttemptOut]


class CallbackPage(BaseModel):
    """Callbacks in the order they were planned; ``next`` asks for what follows, None at the end."""

    items: list[CallbackOut]
    next: str | None


class CountsOut(BaseModel):
    """Finished callbacks by outcome; ``valid`` = called − refused − unreachable (ZY22)."""

    called: int
    refused: int
    unreachable: int
    valid: int
    contacted: int
    solved: int
    partly_solved: int
    satisfied: int
    basically_satisfied: int
    unsatisfied: int
    unrated: int


class UnitRates(BaseModel):
    """The figures of one lead unit; ``rates`` is null when no callback was valid."""

    unit: str
    name: str
    counts: CountsOut
    rates: dict[str, float] | None


class RatesOut(BaseModel):
    """满意率: figures of a period under one named formula, from raw outcomes.

    ``start`` and ``end`` are days, both included, Asia/Shanghai; what counts is when the round
    ended. ``not_called`` counts the rounds that ended without a callback, by kind.
    """

    formula: str
    text: str
    start: date
    end: date
    counts: CountsOut
    rates: dict[str, float] | None
    units: list[UnitRates]
    not_called: dict[str, int]
