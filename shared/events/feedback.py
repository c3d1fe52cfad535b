"""What feedback says."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from shared.events.envelope import Data
from shared.events.words import CallbackAbout, ClosingKind, ReopenCause

Occasion: TypeAlias = Literal[
    "accepted",
    "dispatched",
    "merged",
    "extended",
    "awaited",
    "completed",
    "reopened",
    "closed",
    "answered",
    "not_accepted",
    "handed_over",
    "split",
    "promise_moved",
    "promise_kept",
]


class CallbackPlanned(Data, name="callback.planned", by="feedback"):
    """回访计划: the next attempt to call the citizen (R-23, R-24)."""

    attempt: Annotated[int, Field(ge=1)]
    due: AwareDatetime
    about: CallbackAbout = CallbackAbout.ANSWER


class CallbackAnswered(Data, name="callback.answered", by="feedback"):
    """回访: the citizen answered the three questions (R-23, R-25). Where it was put off, ``solved`` says
    whether the citizen accepts that it waits until the promised day (R-19).
    """

    contacted: bool
    solved: Literal["yes", "partly", "no"]
    satisfied: Literal["satisfied", "basically_satisfied", "unsatisfied", "unrated"]
    comment: str = ""
    about: CallbackAbout = CallbackAbout.ANSWER


class CallbackGivenUp(Data, name="callback.given_up", by="feedback"):
    """No verdict could be had: unreachable at every attempt, or refused (R-24, R-25)."""

    outcome: Literal["unreachable", "refused"]
    attempts: int
    about: CallbackAbout = CallbackAbout.ANSWER


class PromiseConfirmed(Data, name="promise.confirmed", by="feedback"):
    """承诺属实: a promise came to its end, and the citizen says that it was kept, or kept in part
    (``solved``); addressed to the unit that had promised. ``satisfied``: None when that was not said
    (R-19, gain 7).
    """

    solved: Literal["yes", "partly"]
    promised_date: str | None = None
    satisfied: Literal["satisfied", "basically_satisfied", "unrated"] | None = None
    comment: str = ""


class CitizenTold(Data, name="citizen.told", by="feedback"):
    """告知: a message went to the citizen (BJ-15, JN-15)."""

    occasion: Occasion
    channel: str
    zh: str
    en: str


class TicketClosed(Data, name="ticket.closed", by="feedback"):
    """结案: the ticket ended, and how (AH, JN-25)."""

    kind: ClosingKind


class TicketReopened(Data, name="ticket.reopened", by="feedback"):
    """重办: the citizen does not agree; the envelope's round is the resolved round + 1 (R-27).

    ``reasons`` are in words every release knows; ``cause`` says how we came to know them. ``continues``:
    nobody judged, the hotline took its own end of the round before back; the same clocks go on.
    """

    reasons: tuple[Literal["not_contacted", "not_solved", "not_satisfied"], ...]
    comment: str = ""
    cause: ReopenCause = ReopenCause.VERDICT
    continues: bool = False
