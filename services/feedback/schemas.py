"""What is asked and answered over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    Field,
    PlainSerializer,
    ValidationInfo,
    WrapValidator,
    field_validator,
)
from pydantic_core import PydanticCustomError

from services.feedback.rules.machine import CallbackStatus as CallbackStatus
from services.feedback.rules.planning import MOST_ATTEMPTS
from services.feedback.rules.verdict import (
    Answers,
    Contacted,
    Ending,
    Outcome,
    Satisfied,
    Solved,
    answers_on_record,
)
from shared.http.fields import Body, Sentence, Text

Comment = Annotated[str, Text(1_000, min_length=0)]
Reported = Literal["answered", "no_answer", "refused", "wrong_number", "number_off"]
ANSWER = "同名问题所选答案的代码 the code of the answer chosen to the question whose id is this field's name"


class OutcomeIn(Body):
    """回访结果: what came of one attempt (R-25); ``answered`` carries the three answers (R-23).

    An answer is said as in the request to call: the field is the question's ``id``, its value the
    ``code`` of the answer the citizen chose. ``attempt`` is the attempt this is about, as the
    request to call named it: an outcome that comes late does not count for a later attempt.
    """

    attempt: Annotated[
        int, Field(ge=1, le=MOST_ATTEMPTS, description="第几次回访 as the request to call named it")
    ]
    outcome: Reported
    contacted: Contacted | None = Field(None, validate_default=True, description=ANSWER)
    solved: Solved | None = Field(None, validate_default=True, description=ANSWER)
    satisfied: Satisfied | None = Field(None, validate_default=True, description=ANSWER)
    comment: Comment = Field("", description="其他意见 whatever else was said")

    @field_validator("contacted", "solved", "satisfied")
    @classmethod
    def _answered_when_answered(cls, value: str | None, info: ValidationInfo) -> Any:
        outcome = info.data.get("outcome", "")
        if outcome == "answered" and value is None:
            raise PydanticCustomError(
                "answer_missing", "回访结果为 answered 时必填 Needed when the outcome is answered"
            )
        if outcome not in ("", "answered") and value is not None:
            raise PydanticCustomError(
                "answer_extra",
                "仅回访结果为 answered 时可填 Taken only when the outcome is answered",
            )
        return value

    def answers(self) -> Answers | None:
        """The three answers, when the citizen gave them."""
        return answers_on_record(self.contacted, self.solved, self.satisfied)


# An answer shown as its row has it: a newer release may have written a word we do not offer.
T = TypeVar("T")
Stored = Annotated[T, WrapValidator(lambda value, _: value), PlainSerializer(lambda value: value)]


class AttemptOut(BaseModel):
    """One attempt, its answers as they were reported. ``expired``: the phone system did not say
    what came of it.
    """

    attempt: int
    due: AwareDatetime
    asked_at: AwareDatetime | None
    outcome: Outcome | None
    contacted: Stored[Contacted | None]
    solved: Stored[Solved | None]
    satisfied: Stored[Satisfied | None]
    comment: str


class CallbackOut(BaseModel):
    """One callback. ``attempt`` is the one planned or running; ``person``: a person makes the call.

    ``finish_due`` is when the round should have its verdict (callbacks.yaml ``finish_within``);
    ``failed_asks`` how often the phone system could not be asked for the current attempt;
    ``ending`` how the round ended: a closing kind, or ``reopened``.
    """

    id: UUID
    number: str
    round: int
    lead: str
    status: CallbackStatus
    sentence: Sentence
    attempt: int
    due: AwareDatetime
    finish_due: AwareDatetime
    person: bool
    failed_asks: int
    ending: Ending | None
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


class CallRatings(BaseModel):
    """一次一评: what callers said of their calls, by word (R-26); of ``direct`` the hotline's own answer
    was all there was.
    """

    all: dict[str, int]
    direct: dict[str, int]


class RatesOut(BaseModel):
    """满意率: figures of a period under one named formula, from raw outcomes.

    ``start`` and ``end`` are days, both included, Asia/Shanghai; what counts is when the round
    ended. ``not_called`` counts the rounds that ended without a callback, by kind. ``calls`` rate the
    call and not the matter, and are in no other figure here.
    """

    formula: str
    text: str
    start: date
    end: date
    counts: CountsOut
    rates: dict[str, float] | None
    units: list[UnitRates]
    not_called: dict[str, int]
    calls: CallRatings
