"""督办回复: what a unit answers to a supervision, and how a supervisor rules on it (R-30, ADR 0066)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.tracker.rules.paragraph import moment
from shared.errors import JiesuError, Malformed, MoveRefused
from shared.events import StaleKnowledge


class SupervisionStands(JiesuError):
    """One rung presses an order once at a time; ``supervision`` is the one that stands."""

    status = 409
    slug = "supervision-stands"
    title = "该派单已有同级督办，尚未解除 The same rung stands on this order already"

    def __init__(self, supervision: str, title: str, raised_at: datetime) -> None:
        super().__init__(
            f"{title}，编号 {supervision}，发起于 raised at {raised_at.isoformat()}",
            supervision=supervision,
        )


class InstructionStands(JiesuError):
    """What a leader wrote on a paper presses a ticket once; ``supervision`` is the one that stands."""

    status = 409
    slug = "instruction-stands"
    title = "该批示件已立督办，尚未解除 This paper's instruction stands on the ticket already"


class KnowledgeStands(JiesuError):
    """A stale entry of the knowledge base presses the unit of a ticket once; ``supervision`` is the one that
    stands.
    """

    status = 409
    slug = "knowledge-stands"
    title = "该知识库条目已立督办，尚未解除 This entry's supervision stands on the ticket already"


class SupervisionAnswered(JiesuError):
    """The first answer stands until it is ruled on; it was given at ``answered_at``."""

    status = 409
    slug = "supervision-answered"
    title = (
        "该督办已回复，以首次回复为准 The supervision was answered before; the first answer stands"
    )

    def __init__(self, answered_at: datetime) -> None:
        when = answered_at.isoformat()
        super().__init__(f"已于 {when} 回复。It was answered at {when}", answered_at=when)


class LeaderMissing(JiesuError):
    """What the head of a unit has to lead in person is not answered without who did (SEED)."""

    status = 422
    slug = "leader-missing"
    title = "一把手督办须写明谁牵头 Say who led in person, with name and post"


class PutRightMissing(JiesuError):
    """What a stale entry of the knowledge base led to is not answered without what the entry says now (R-39);
    of anything else there is no entry to say it of.
    """

    status = 422
    slug = "put-right-missing"
    title = (
        "知识库失效督办须写明更正内容，其他督办不填 Say what was put right, of a stale entry alone"
    )


class AnswerDueWrong(Malformed):
    """A unit answers again by a moment that lies ahead, and no later than ``latest``."""

    slug = "answer-due-wrong"
    title = (
        "新的回复期限须晚于现在且不超过最长期限 The new moment must lie ahead, and within the limit"
    )

    def __init__(self, latest: datetime, zone: tzinfo) -> None:
        zh, en = moment(latest, zone)
        super().__init__(
            f"最迟{zh} At the latest {en}", field="answer_due", latest=latest.isoformat()
        )


class AnswerRuling(BaseModel):
    """How a supervisor ruled on an answer: accepted, or to be answered again by ``answer_due``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    accepted: bool
    reason: str
    answer_due: AwareDatetime | None
    ruled_at: AwareDatetime
    ruled_by: str


class Answer(BaseModel):
    """One answer as it stays on record. ``answer_due``: by when it had to be given; ``late``: it was not."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    measures: str
    result: str
    led_by: str | None
    led_by_post: str | None
    put_right: str | None = None
    answer_due: AwareDatetime | None
    answered_at: AwareDatetime
    answered_by: str
    late: bool
    ruling: AnswerRuling | None = None


class Asked(BaseModel):
    """A supervision as far as it can be answered. ``answered_at``: when, if an answer stands."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    answer_due: AwareDatetime | None
    answered_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    stale_knowledge: StaleKnowledge | None = None

    def is_late(self, at: datetime) -> bool:
        """Whether an answer at a moment comes after its due moment."""
        return self.answer_due is not None and at > self.answer_due

    def may_be_answered(
        self, led_by: str | None, put_right: str | None, *, led_by_head: bool
    ) -> None:
        """``led_by_head``: its rung is for the head of the unit to lead in person.

        Raises SupervisionAnswered, MoveRefused when it is closed, LeaderMissing, PutRightMissing.
        """
        if self.answered_at is not None:
            raise SupervisionAnswered(self.answered_at)
        if self.closed_at is not None:
            raise MoveRefused("answer", "closed", [])
        if led_by is None and led_by_head:
            raise LeaderMissing
        if (put_right is None) != (self.stale_knowledge is None):
            raise PutRightMissing

    def may_be_ruled_on(
        self, answer_due: datetime | None, now: datetime, latest: datetime, zone: tzinfo
    ) -> None:
        """``latest``: the last moment by which it may be asked for again. Raises MoveRefused when no answer
        waits, AnswerDueWrong.
        """
        if self.closed_at is not None:
            raise MoveRefused("rule", "closed", [])
        if self.answered_at is None:
            raise MoveRefused("rule", "unanswered", ["answer"])
        if answer_due is not None and not now < answer_due <= latest:
            raise AnswerDueWrong(latest, zone)
