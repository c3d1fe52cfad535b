"""来电: when a call is missed, and how long its caller is rung back (R-46). Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, PlainValidator

from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.sections import Section

MOST_TRIES = 20


class CallEvent(StrEnum):
    """What an exchange says of a call: it rings, an agent took it, it is over."""

    NEW = "new"
    ANSWERED = "answered"
    HUNG_UP = "hung_up"


class TryOutcome(StrEnum):
    """回拨结果: what came of ringing back once."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"


class CallEnding(StrEnum):
    """Why nobody has to ring back any more.

    answered: the call was taken after all · called_again: the caller rang once more and was answered ·
    reached · registered: a ticket was made of it · unreachable: tried as often as calls.yaml says · withheld:
    there is no number to ring.
    """

    ANSWERED = "answered"
    CALLED_AGAIN = "called_again"
    REACHED = "reached"
    REGISTERED = "registered"
    UNREACHABLE = "unreachable"
    WITHHELD = "withheld"


def _natural(text: Any) -> timedelta:
    if isinstance(text, timedelta):
        return text
    limit = Limit.parse(text) if isinstance(text, str) else None
    if limit is None or not limit.natural:
        raise ValueError(
            "应为自然时间 must be natural time, such as 3min or 2h: people ring at night, too"
        )
    return timedelta(seconds=limit.seconds)


Natural = Annotated[timedelta, PlainValidator(_natural)]


class RingBackRules(Section):
    """回拨: within which time, how often, on at least how many days."""

    within: Natural
    max_tries: Annotated[int, Field(ge=1, le=MOST_TRIES)]
    min_days: Annotated[int, Field(ge=1, le=MOST_TRIES)]

    def due(self, since: datetime) -> datetime:
        """By when to ring back who has waited since then."""
        return since + self.within

    def late_since(self, now: datetime) -> datetime:
        """Who has waited since then has waited too long."""
        return now - self.within

    def given_up(self, days: Collection[date]) -> bool:
        """Whether a caller has been tried often enough; ``days``: the local day of each try."""
        return len(days) >= self.max_tries and len(set(days)) >= self.min_days


class CallRules(Section):
    """calls.yaml (R-46)."""

    missed_after: Natural
    ring_back: RingBackRules
    pop_opens_for: Natural
    draft_left_after: Natural

    def missed_since(self, now: datetime) -> datetime:
        """A call that has rung since then counts as missed."""
        return now - self.missed_after

    def pop_until(self, now: datetime) -> datetime:
        """Until when an agent's screen may fetch who is calling."""
        return now + self.pop_opens_for

    def left_since(self, now: datetime) -> datetime:
        """A draft of then, without a ticket, counts as left."""
        return now - self.draft_left_after


def earlier(known: datetime | None, said: datetime) -> datetime:
    """When something happened, of several reports in any order: what was said twice happened once."""
    return said if known is None else min(known, said)
