"""来电评价: what a citizen who rings us says of a round, and until when it counts (DOMAIN.md R-23, R-27).

Nobody need wait for the callback: "not repaired" on Friday evening reopens on Friday evening. After a
round has ended a repeat call reopens it within the policy's time; later it is a new ticket that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.feedback.rules import verdict
from services.feedback.rules.verdict import REOPENED, Answers, Closed, Ending, Reason, Reopened
from shared.errors import JiesuError
from shared.events import CallbackAbout, ClosingKind, ReopenCause
from shared.labels import OUTCOMES, QUESTIONS, label, labels

OWN_WORD = (ClosingKind.SATISFIED, ClosingKind.BASICALLY_SATISFIED, ClosingKind.UNRATED)


class NothingToJudge(JiesuError):
    """The unit has not answered in this round: there is nothing to judge yet. What the citizen says is
    taken as a supplement or an urging.
    """

    status = 409
    slug = "nothing-to-judge"
    title = "承办单位尚未答复，无可评价 The unit has not answered yet"


class AlreadyJudged(JiesuError):
    """The citizen closed the round with a verdict, and has no objection now either."""

    status = 409
    slug = "already-judged"
    title = "诉求人已作出评价 The citizen has judged already"


class NotReopened(JiesuError):
    """The ticket is not opened again: it was withdrawn, or it ended too long ago. ``follows``: what a new
    ticket names to be linked to it.
    """

    status = 409
    slug = "not-reopened"
    title = "本工单不再重开，请另行登记 The ticket is not opened again: register a new one"


class AnswersMissing(JiesuError):
    """Nobody calls any more, and what was said neither reopens nor ends it; ``missing``: what to ask."""

    status = 409
    slug = "answers-missing"
    title = "还需询问 Something is still to be asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFound:
    """The latest round of a ticket as a call finds it.

    ``completed``: its unit answered; ``until``: when a repeat call stops counting, None while nothing
    ended; ``said``: what was answered before; ``about``: what a call made now would ask of.
    """

    number: str
    completed: bool
    withdrawn: bool = False
    ending: Ending | None = None
    until: datetime | None = None
    said: Answers | None = None
    about: CallbackAbout = CallbackAbout.ANSWER


@dataclass(frozen=True, slots=True)
class Kept:
    """Some answers, none an objection: kept, and the callback asks for the rest."""


def hear(found: RoundFound, answers: Answers, now: datetime) -> Kept | Closed | Reopened:
    """What the answers of a citizen who rings do to a round.

    Raises NothingToJudge, NotReopened, AlreadyJudged, AnswersMissing.
    """
    check_open(found, now)
    if found.ending is None:
        known = answers.after(found.said)
        decided = verdict.is_decided(known, found.about)
        return verdict.judge(known, found.about) if decided else Kept()
    if verdict.objections(answers):
        again = verdict.judge(answers)
        cause = ReopenCause.REPEAT_CALL
        return replace(again, cause=cause) if isinstance(again, Reopened) else again
    if found.ending in OWN_WORD:
        raise AlreadyJudged(
            f"诉求人对本轮的评价为“{label(found.ending, OUTCOMES)}”，已据此结案；反映未解决的，"
            "“是否解决”请答否。"
            f"The round was closed on the citizen's verdict {found.ending}; to object, answer solved=no",
            ending=found.ending,
        )
    if answers.missing:
        raise AnswersMissing(
            f"已不再回访，请一并询问：{labels(answers.missing, QUESTIONS)}。"
            f"Nobody will call: ask for {', '.join(answers.missing)} as well",
            field=answers.missing[0],
            missing=answers.missing,
        )
    return verdict.judge(answers)


def return_upstream(found: RoundFound, now: datetime) -> Reopened:
    """退回重办: the upstream platform hands it back. Raises NothingToJudge, NotReopened."""
    check_open(found, now)
    reasons: tuple[Reason, ...] = ("not_solved",)
    return Reopened(reasons, ReopenCause.UPSTREAM)


def check_open(found: RoundFound, now: datetime) -> None:
    """Whether a round can be judged or opened again at all. Raises NothingToJudge, NotReopened."""
    follows = {"follows": found.number, "allowed": ["register_ticket"]}
    if found.withdrawn:
        raise NotReopened(
            f"{found.number} 已由诉求人撤回：请新登记一张工单，原工单号填 {found.number} "
            f"it was withdrawn: register a new ticket with follows={found.number}",
            **follows,
        )
    if not found.completed or found.ending == REOPENED:
        raise NothingToJudge(
            f"{found.number} 本轮尚未办结答复：请登记补充或催单 "
            "no unit has answered in this round: note it as a supplement or an urging",
            allowed=["supplement_ticket", "urge_ticket"],
        )
    if found.until is not None and now > found.until:
        raise NotReopened(
            f"{found.number} 结案后可重开至 {found.until:%Y-%m-%d %H:%M}，现已过期："
            f"请新登记一张工单，原工单号填 {found.number} "
            f"it could be reopened until {found.until.isoformat()}: register a new ticket with "
            f"follows={found.number}",
            until=found.until,
            **follows,
        )
