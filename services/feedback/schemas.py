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
from services.feedback.rules.policy import Question
from services.feedback.rules.verdict import (
    Answers,
    Contacted,
    Ending,
    Outcome,
    Satisfied,
    Solved,
    answers_on_record,
)
from shared.events import CallbackAbout
from shared.http.fields import NUMBERS, Body, Sentence, Text
from shared.jurisdiction.appraisal import UnitStanding

Comment = Annotated[str, Text(1_000, min_length=0)]
Reported = Literal["answered", "refused", "unreachable", "wrong_number", "number_off", "no_answer"]
RECORDED_AS = {"unreachable": Outcome.NO_ANSWER}
ANSWER = "同名问题所选答案的代码 the code of the answer chosen to the question whose id is this field's name"


class OutcomeIn(Body):
    """回访结果: what came of one attempt (R-25); ``answered`` carries the answers (R-23), also when the
    citizen hung up after the first. ``no_answer`` is the older word for ``unreachable``.

    An answer is said as in the request to call: the field is the question's ``id``, its value the
    ``code`` of the answer the citizen chose. ``attempt`` is the attempt this is about, as the
    request to call named it: an outcome that comes late does not count for a later attempt.
    """

    attempt: Annotated[
        int,
        Field(ge=1, le=MOST_ATTEMPTS, description="第几次回访 as the request to call named it"),
        NUMBERS,
    ]
    outcome: Reported
    contacted: Contacted | None = Field(None, validate_default=True, description=ANSWER)
    solved: Solved | None = Field(None, validate_default=True, description=ANSWER)
    satisfied: Satisfied | None = Field(None, validate_default=True, description=ANSWER)
    comment: Comment = Field("", description="其他意见 whatever else was said")

    @field_validator("satisfied")
    @classmethod
    def _something_was_answered(cls, value: str | None, info: ValidationInfo) -> Any:
        """Validated last, so what was said of the others is known here."""
        answers = (value, *(info.data.get(name, "bad") for name in ("contacted", "solved")))
        if info.data.get("outcome") == "answered" and not any(answers):
            raise PydanticCustomError(
                "answer_missing",
                "回访结果为“已答复”时至少一项必填 At least one is needed when the outcome is answered",
            )
        return value

    @field_validator("contacted", "solved", "satisfied")
    @classmethod
    def _answered_when_answered(cls, value: str | None, info: ValidationInfo) -> Any:
        outcome = info.data.get("outcome", "")
        if outcome not in ("", "answered") and value is not None:
            raise PydanticCustomError(
                "answer_extra",
                "仅回访结果为“已答复”时可填 Taken only when the outcome is answered",
            )
        return value

    def said_outcome(self) -> Outcome:
        """The outcome as rows and answers call it."""
        return RECORDED_AS.get(self.outcome) or Outcome(self.outcome)

    def answers(self) -> Answers | None:
        """What was answered, when the citizen answered."""
        return answers_on_record(self.contacted, self.solved, self.satisfied)


class VerdictIn(Body):
    """评价: what a citizen who rings says of the result; what was not asked is left out (R-23, R-27).

    One objection is enough to reopen. ``comment``: the citizen's words. Where the unit put the matter off,
    ``solved`` says whether the citizen accepts that; once its promise has ended, whether it was kept.
    """

    contacted: Contacted | None = Field(None, description=ANSWER)
    solved: Solved | None = Field(None, description=ANSWER)
    satisfied: Satisfied | None = Field(None, validate_default=True, description=ANSWER)
    comment: Comment = Field("", description="诉求人原话 what was said, in words")

    @field_validator("satisfied")
    @classmethod
    def _something_was_said(cls, value: str | None, info: ValidationInfo) -> Any:
        answers = (value, *(info.data.get(name, "bad") for name in ("contacted", "solved")))
        if not any(answers):
            raise PydanticCustomError(
                "answer_missing",
                "至少一项必填；“没修好”即 solved=no At least one is needed; “not repaired” is solved=no",
            )
        return value

    def answers(self) -> Answers:
        """What was answered."""
        return Answers(self.contacted, self.solved, self.satisfied)


class ReopeningIn(Body):
    """重办: who wants it done again, and why; what is new goes before it as a supplement."""

    by: Literal["citizen", "upstream"] = Field(
        description="citizen 诉求人再次来电 | upstream 来源平台退回重办 the platform it came from"
    )
    reason: Annotated[str, Text(1_000)]


# An answer shown as its row has it: a newer release may have written a word we do not offer.
T = TypeVar("T")
Stored = Annotated[T, WrapValidator(lambda value, _: value), PlainSerializer(lambda value: value)]


class AttemptOut(BaseModel):
    """One attempt, its answers as they were reported. ``expired``: the phone system did not say
    what came of it. ``by_citizen``: nobody called, the citizen rang.
    """

    attempt: int
    due: AwareDatetime
    asked_at: AwareDatetime | None
    outcome: Outcome | None
    contacted: Stored[Contacted | None]
    solved: Stored[Solved | None]
    satisfied: Stored[Satisfied | None]
    comment: str
    by_citizen: bool = False


class AnswersOut(BaseModel):
    """What was answered so far; null: not said yet."""

    contacted: Stored[Contacted | None]
    solved: Stored[Solved | None]
    satisfied: Stored[Satisfied | None]


class VerdictOut(BaseModel):
    """What a verdict did to its round. ``ending`` is null while answers are ``missing``: they are kept,
    and the callback asks for the rest. ``current_round`` is one more when it was reopened. ``about``: what
    was judged, the answer or a promise.
    """

    number: str
    round: int
    ending: Ending | None
    current_round: int
    said: AnswersOut
    missing: list[str]
    about: CallbackAbout = CallbackAbout.ANSWER


class CallbackOut(BaseModel):
    """One callback. ``attempt`` is the one planned or running; ``person``: a person makes the call.

    ``finish_due`` is when the round should have its verdict (callbacks.yaml ``finish_within``);
    ``failed_asks`` how often the phone system could not be asked for the current attempt;
    ``ending`` how the round ended: a closing kind, or ``reopened``. ``said``: the answers so far, partial
    while one is null. ``awaits_number``: the number is wrong; a person corrects it, or it is given up at
    ``finish_due``. ``split_from``: the ticket of whose call this is one matter; ``matter``: which of several
    the citizen is asked of, unless it is confidential. ``about`` and ``questions``: what the current attempt
    asks, the last one of an ended callback; ``promised_date``: the day a unit promised (承诺办结);
    ``promise_ended``: ``kept`` as the unit says, or ``passed``, null before.
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
    said: AnswersOut | None = None
    awaits_number: bool = False
    split_from: str | None = None
    matter: str | None = None
    about: CallbackAbout = CallbackAbout.ANSWER
    promised_date: date | None = None
    promise_ended: str | None = None
    questions: list[Question] = []
    attempts: list[AttemptOut]


class CallbackPage(BaseModel):
    """Callbacks in the order they were planned; ``next`` asks for what follows, None at the end."""

    items: list[CallbackOut]
    next: str | None


class DueCounts(BaseModel):
    """Of the whole list. ``persons``: those a person must call; ``overdue``: the round should have its
    verdict by now.
    """

    total: int
    persons: int
    overdue: int


class DueCallbackPage(BaseModel):
    """Callbacks whose call is to be made now, what was due first; ``next`` asks for what follows."""

    items: list[CallbackOut]
    next: str | None
    counts: DueCounts


class AwaitedNumber(BaseModel):
    """错号待更正: a citizen whose number was wrong and who is called again once it is corrected at intake,
    which knows it. ``due``: when the round ends without a verdict.
    """

    number: str
    round: int
    callback: UUID
    due: AwareDatetime


class AwaitedNumberList(BaseModel):
    """Whose number is to be found, what ends first first, 500 at most."""

    items: list[AwaitedNumber]


class CountsOut(BaseModel):
    """Finished callbacks by outcome; ``valid`` = called − refused − unreachable (ZY22).

    ``partial``: of the valid, those not asked to the end; ``by_citizen``: where the citizen rang.
    """

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
    partial: int
    by_citizen: int


class PromiseCountsOut(BaseModel):
    """Callbacks about promised days by the answer to ``solved``; the rest of ``called`` answered something
    else.
    """

    called: int
    yes: int
    partly: int
    no: int
    refused: int
    unreachable: int


class PromisesOut(BaseModel):
    """承诺办结 (R-19). ``accepted``: of the rounds put off until a day, whose first callback counts in all
    other figures as well, though never as solved: whether the citizen accepts it. ``kept``: of promises
    that came to their end and were asked of: whether they were kept; ``no`` reopened.
    """

    accepted: PromiseCountsOut
    kept: PromiseCountsOut


class RedoOut(BaseModel):
    """重办率: of the rounds a lead ``completed`` in the period; ``reopened``: that were sent back in it, by
    the citizen's word or by upstream. ``rate``: one of the other (Yulin); null of nothing.
    """

    completed: int
    reopened: int
    rate: float | None


class UnitRates(UnitStanding):
    """The figures of one lead unit; its volume is ``valid``, which rates are of. ``rates`` is null
    when no callback was valid.
    """

    name: str
    counts: CountsOut
    rates: dict[str, float] | None
    redo: RedoOut
    promises: PromisesOut


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
    redo: RedoOut
    promises: PromisesOut
    units: list[UnitRates]
    not_called: dict[str, int]
    calls: CallRatings
