"""Words that several facts share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class TicketType(StrEnum):
    """性质: what kind of demand this is (BJ-2, AK21)."""

    CONSULTATION = "consultation"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    COMMENDATION = "commendation"


class Urgency(StrEnum):
    """紧急程度: critical and urgent run on natural time, normal and complex on working time (BJ4)."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"
    COMPLEX = "complex"


class Role(StrEnum):
    """主办 leads and answers for the ticket; 协办 answers to the lead (JN-29)."""

    LEAD = "lead"
    CO = "co"


class ContactOutcome(StrEnum):
    """What came of one attempt to contact the citizen (R-12)."""

    REACHED = "reached"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"


class CompletionKind(StrEnum):
    """办结类型: how a unit finished, apart from whether the citizen agrees (JN-24, WF-20)."""

    SOLVED = "solved"
    PARTLY_SOLVED = "partly_solved"
    EXPLAINED = "explained"
    NO_CONDITION_YET = "no_condition_yet_with_date"
    NOT_OUR_DUTY = "not_our_duty_confirmed"
    TERMINATED = "terminated"


class ClockKind(StrEnum):
    """时限类型: the stage a limit belongs to (limits.yaml)."""

    DISPATCH = "dispatch"
    CITIZEN = "citizen"
    SIGN = "sign"
    FIRST_CONTACT = "first_contact"
    HANDLE = "handle"


class ClosingKind(StrEnum):
    """Why a ticket ended; each is counted apart, and only the first three are a citizen's word."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    UNRATED = "unrated"
    REFUSED_CALLBACK = "refused_callback"
    UNREACHABLE = "unreachable"
    REPLY_DECLINED = "reply_declined"
    NO_CONTACT = "no_contact"
    COMMENDATION = "commendation"


class Location(BaseModel):
    """Coordinates of the matter, WGS 84 degrees."""

    model_config = ConfigDict(frozen=True)
    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
