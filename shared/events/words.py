"""Words that several facts share."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import EnumType, StrEnum
from functools import partial
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

W = TypeVar("W")


class _KnownOnly(EnumType):
    """What iterates an open enum, or tests against all of it, means the words it knows."""

    def __iter__(cls: type[W]) -> Iterator[W]:
        return (word for word in super().__iter__() if word.name != "UNKNOWN")  # type: ignore[misc]


class OpenEnum(StrEnum, metaclass=_KnownOnly):
    """Words to which a newer release adds: rows it wrote are read after a rollback.

    Called with a word it does not know, as columns and rows do, an open enum gives a member that
    equals UNKNOWN and keeps the word, which is answered and saved again as it was. Models are
    strict: doors, facts and configuration files refuse such a word, and UNKNOWN itself.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_, word._value_ = "UNKNOWN", value
        return word

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, type(self)):
            return self._name_ == other._name_  # name costs ten times as much, in every comparison
        return str.__eq__(self, other) if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._name_ if self._name_ == "UNKNOWN" else self._value_)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(cls)
        schema["members"] = list(cls)
        known = frozenset(word.value for word in cls)
        return core_schema.no_info_wrap_validator_function(partial(cls._strictly, known), schema)

    @classmethod
    def _strictly(
        cls, known: Collection[str], value: Any, inner: ValidatorFunctionWrapHandler
    ) -> Any:
        """pydantic would ask the enum itself, which knows an answer to every word."""
        if isinstance(value, cls) or (isinstance(value, str) and value in known):
            return inner(value)
        *words, last = (f"'{word}'" for word in cls)
        raise PydanticKnownError("enum", {"expected": f"{', '.join(words)} or {last}"})


class TicketType(OpenEnum):
    """性质: what kind of demand this is (BJ-2, AK21)."""

    CONSULTATION = "consultation"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    COMMENDATION = "commendation"
    UNKNOWN = "unknown"


TYPE_NAMES: Mapping[TicketType, str] = {
    TicketType.CONSULTATION: "咨询",
    TicketType.HELP: "求助",
    TicketType.COMPLAINT: "投诉",
    TicketType.REPORT: "举报",
    TicketType.SUGGESTION: "建议",
    TicketType.COMMENDATION: "表扬",
}


class Urgency(OpenEnum):
    """紧急程度: critical and urgent run on natural time, normal and complex on working time (BJ4)."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"
    COMPLEX = "complex"
    UNKNOWN = "unknown"

    @property
    def level(self) -> Urgency:
        """The urgency whose limits hold: what we do not know hurries as urgent, lest it be late."""
        return Urgency.URGENT if self == Urgency.UNKNOWN else self

    @property
    def overtakes(self) -> bool:
        """Whether facts about it go before others that wait (docs/adr/0035-lanes.md)."""
        return self.level in (Urgency.CRITICAL, Urgency.URGENT)


class Role(OpenEnum):
    """主办 leads and answers for the ticket; 协办 answers to the lead (JN-29)."""

    LEAD = "lead"
    CO = "co"
    UNKNOWN = "unknown"


class ContactOutcome(OpenEnum):
    """What came of one attempt to contact the citizen (R-12)."""

    REACHED = "reached"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    UNKNOWN = "unknown"


class CompletionKind(OpenEnum):
    """办结类型: how a unit finished, apart from whether the citizen agrees (JN-24, WF-20)."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    EXPLAINED = "explained"
    NO_CONDITION_YET = "no_condition_yet_with_date"
    NOT_OUR_DUTY = "not_our_duty_confirmed"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


class ClockKind(OpenEnum):
    """时限类型: the stage a limit belongs to (limits.yaml); ``hotline_review`` is the desk's, to rule on a
    return (returns.yaml) or a request to end a matter, ``completion_audit`` its own to audit an answer
    (audit.yaml), ``arbitration`` a body's of the ladder, to rule on a dispute (arbitration.yaml);
    ``attend`` is a unit's that was whistled for (吹哨报到, dispatch.yaml); ``promise`` a unit's, that put a
    matter off until a day it named (承诺办结, R-19): it outlives its order, and the ticket's end.
    """

    DISPATCH = "dispatch"
    CITIZEN = "citizen"
    SIGN = "sign"
    FIRST_CONTACT = "first_contact"
    HANDLE = "handle"
    HOTLINE_REVIEW = "hotline_review"
    COMPLETION_AUDIT = "completion_audit"
    ARBITRATION = "arbitration"
    ATTEND = "attend"
    PROMISE = "promise"
    UNKNOWN = "unknown"


class ClosingKind(OpenEnum):
    """Why a ticket ended; each is counted apart, and only the first three are a citizen's word."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    UNRATED = "unrated"
    REFUSED_CALLBACK = "refused_callback"
    UNREACHABLE = "unreachable"
    REPLY_DECLINED = "reply_declined"
    NO_CONTACT = "no_contact"
    COMMENDATION = "commendation"
    UNKNOWN = "unknown"


class ReopenCause(OpenEnum):
    """Why a round was opened again: the verdict of a callback, a repeat call (再次来电) of the citizen,
    the upstream platform that handed it in (退回重办), or a promise that came to its end and of which the
    citizen says that it was not kept (R-19).
    """

    VERDICT = "verdict"
    REPEAT_CALL = "repeat_call"
    UPSTREAM = "upstream"
    PROMISE_BROKEN = "promise_broken"
    UNKNOWN = "unknown"


class CallbackAbout(OpenEnum):
    """回访事项: what a call asks of. ``answer``: whether the demand was solved; ``put_off``: whether the
    citizen accepts that it waits until a promised day; ``promise``: whether that promise was kept; ``both``:
    of the answer, when the promise came to its end before anybody had called (R-19, R-23).
    """

    ANSWER = "answer"
    PUT_OFF = "put_off"
    BOTH = "both"
    PROMISE = "promise"
    UNKNOWN = "unknown"


class DiscrepancyKind(OpenEnum):
    """疑点类型: what of the log does not fit together, and never a verdict (R-34, gain 6).

    ``contact_unread``: a citizen was rung, says the unit, whose contact nobody of it had read;
    ``contact_dated_back``: a contact was written down after its limit, as of a moment before;
    ``contact_denied``: a contact is on record, and the citizen says nobody rang; ``result_denied``: the
    unit says solved, the citizen not; ``recategorised``: type, topic or flags changed after the dispatch;
    ``redispatched_late``: the order went elsewhere just before it was due; ``answers_alike``: the
    answer is that of another matter; ``last_minute``, ``signed_late``: habits of a unit, many in a month.
    """

    CONTACT_UNREAD = "contact_unread"
    CONTACT_DATED_BACK = "contact_dated_back"
    CONTACT_DENIED = "contact_denied"
    RESULT_DENIED = "result_denied"
    RECATEGORISED = "recategorised"
    REDISPATCHED_LATE = "redispatched_late"
    ANSWERS_ALIKE = "answers_alike"
    LAST_MINUTE = "last_minute"
    SIGNED_LATE = "signed_late"
    UNKNOWN = "unknown"


class Reported(BaseModel):
    """被反映对象: whom the demand is about (R-35, JN-32): units by code, posts and villages in words.

    ``nobody``: the caller said that nobody of the administration is meant (an illegal workshop, a
    banquet). All empty: nobody has said yet.
    """

    model_config = ConfigDict(frozen=True)
    units: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    nobody: bool = False

    @property
    def stated(self) -> bool:
        """Whether anybody said whom it is about, or that nobody of the administration is."""
        return bool(self.units or self.words or self.nobody)

    @classmethod
    def on_record(cls, said: Mapping[str, Any] | Self | None, unit: str | None) -> Self:
        """As it was said or stored, by whichever release: the one before knows a single ``unit``."""
        known = said if isinstance(said, cls) else cls.model_validate(said or {})
        if unit is None or unit in known.units:
            return known
        return known.model_copy(update={"units": (unit, *known.units), "nobody": False})


class CallRating(OpenEnum):
    """一次一评: what the caller says of the call itself; of the matter the callback asks (R-26)."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    UNSATISFIED = "unsatisfied"
    UNRATED = "unrated"
    UNKNOWN = "unknown"


class LegalLimit(BaseModel):
    """法定时限: a limit that a law sets, longer than the hotline's, and which law (JN-24(2), WF-20(2))."""

    model_config = ConfigDict(frozen=True)
    law: str
    article: str
    limit: str


class UpstreamLimit(BaseModel):
    """上级平台时限: when the platform that passed it on wants the answer, and how long before that we have it
    ready (WF-20).
    """

    model_config = ConfigDict(frozen=True)
    due: AwareDatetime
    margin: str | None = None


class Location(BaseModel):
    """Coordinates of the matter, WGS 84 degrees."""

    model_config = ConfigDict(frozen=True)
    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
