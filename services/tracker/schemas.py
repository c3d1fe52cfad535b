"""What is asked and answered over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.tracker.rules.people import OfOffice
from shared.events import Instruction, LegalLimit, StaleKnowledge
from shared.http.fields import NUMBERS, Body, Instant, Line, Sentence, Text
from shared.jurisdiction.appraisal import UnitStanding

Phrase = Annotated[str, Line(200)]
Paragraph = Annotated[str, Text(2_000)]


class ExtensionIn(Body):
    """延期申请: why, on what legal basis, and how many working days (R-18)."""

    reason: Paragraph
    legal_basis: Phrase
    days: Annotated[int, Field(ge=1, le=100), NUMBERS]


class RulingIn(Body):
    """延期审批: granted or refused, and why; the citizen is told the reason (BJ-15). ``days``: fewer than
    were asked for.
    """

    granted: bool
    reason: Paragraph
    days: Annotated[int, Field(ge=1, le=100), NUMBERS] | None = None

    @model_validator(mode="after")
    def _days_of_a_grant(self) -> Self:
        if self.days is not None and not self.granted:
            raise ValueError("不予批准时不填 days: only of what is granted")
        return self


class SupervisionIn(Body):
    """督办: a rung raised by hand, and why; 1 催办 … 6 通报, for 7 移送 takes two. ``joint``: the bodies that
    supervise together (联合督办).
    """

    rung: Annotated[int, Field(ge=1, le=7), NUMBERS]
    reason: Paragraph
    joint: Annotated[tuple[OfOffice, ...], Field(max_length=4)] = ()


class InstructionIn(Body):
    """领导批示: which leader wrote it, on which paper, and what it says (WH)."""

    leader: Phrase
    paper: Phrase
    text: Paragraph


class StaleKnowledgeIn(Body):
    """知识库条目失效: which entry of the county's knowledge base, and what of it is wrong (R-39)."""

    entry: Phrase
    wrong: Paragraph


class WithdrawalIn(Body):
    """撤回督办: why it ought not to have been raised."""

    reason: Paragraph


class AnswerIn(Body):
    """督办回复: what was done, what came of it, and who led in person (name and post). ``put_right``: what
    the entry of the knowledge base says now, where a stale one led to the supervision.
    """

    measures: Paragraph
    result: Paragraph
    led_by: Phrase | None = None
    led_by_post: Phrase | None = None
    put_right: Paragraph | None = None

    @model_validator(mode="after")
    def _with_post(self) -> Self:
        if (self.led_by is None) != (self.led_by_post is None):
            raise ValueError("led_by 与 led_by_post 须同时填写 name and post go together")
        return self


class AnswerRulingIn(Body):
    """对督办回复的审定: accepted, or by when it is to be answered again; and why."""

    accepted: bool
    reason: Paragraph
    answer_due: Instant | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.accepted == (self.answer_due is not None):
            raise ValueError(
                "认可则不填 answer_due，不认可则须填写 answer_due: needed unless accepted, and only then"
            )
        return self


class ExtensionOut(BaseModel):
    """An extension: asked, granted, refused, or lapsed when what it was for ended first. ``due``: the handle
    clock's due moment as it is. ``days`` were asked for; ``ordinal``: the first or the second of its order;
    ``office``: which one rules on it, null where a supervisor does.
    """

    id: UUID
    assignment: UUID
    status: str
    days: int
    granted_days: int | None
    ordinal: int
    office: str | None
    reason: str
    legal_basis: str
    asked_at: AwareDatetime
    ruled_at: AwareDatetime | None
    ruling: str | None
    due: AwareDatetime


class AnswerRulingOut(BaseModel):
    """How an answer was ruled on."""

    accepted: bool
    reason: str
    answer_due: AwareDatetime | None
    ruled_at: AwareDatetime


class AnswerOut(BaseModel):
    """One answer to a supervision. ``answer_due``: by when it had to be given; ``late``: it was not."""

    measures: str
    result: str
    led_by: str | None
    led_by_post: str | None
    put_right: str | None = None
    answer_due: AwareDatetime | None
    answered_at: AwareDatetime
    late: bool
    ruling: AnswerRulingOut | None


class SupervisionOut(BaseModel):
    """A supervision. ``by``: the ladder, a person's hand, or a direct trigger. ``withdrawn_by`` and
    ``withdrawn_reason``: a supervisor took back what was raised by hand and by mistake. ``answered_at``:
    when, if an answer stands; ``accepted_at``: when that was accepted; ``answers``: all, the first first.
    ``instruction``: the leader's word that led to it, ``stale_knowledge``: the entry of the knowledge base
    that did; ``joint``: the bodies that supervise together.
    """

    id: UUID
    assignment: UUID
    unit: str
    round: int
    rung: int
    title: str
    by: str
    reason: str
    answer_due: AwareDatetime | None
    raised_at: AwareDatetime
    closed_at: AwareDatetime | None
    close_reason: str | None
    withdrawn_at: AwareDatetime | None = None
    withdrawn_by: str | None = None
    withdrawn_reason: str | None = None
    answered_at: AwareDatetime | None = None
    accepted_at: AwareDatetime | None = None
    answers: list[AnswerOut] = []
    instruction: Instruction | None = None
    joint: list[str] = []
    stale_knowledge: StaleKnowledge | None = None


class DayOut(BaseModel):
    """One day of an explanation: whether it counts, and why."""

    day: date
    working: bool
    counted: bool
    note: Sentence


class PauseOut(BaseModel):
    """A time in which the clock stood still, and how many seconds of its kind that gave back; ``awaited``:
    what the citizen was waited for in it, null where it was the desk.
    """

    begins_at: AwareDatetime
    ends_at: AwareDatetime | None
    given_back: float
    awaited: str | None = None


class RevisedOut(BaseModel):
    """更正: when a clock would have been due, and whether it is ``late`` yet; by which revision, because of
    which ``days``, on what ground and by which paper.
    """

    due: AwareDatetime
    late: bool
    revision: UUID
    days: list[date]
    ground: str
    paper: str
    at: AwareDatetime


class ClockOut(BaseModel):
    """One clock, and why it is due when it is: in one paragraph, ``explanation``, and day by day.

    ``days`` explains the limit and ``extension_days`` the extension. ``kept``: a newer calendar
    would end it earlier, and a due moment is never moved earlier. ``passed``: marks with the
    instants they were passed; ``next_at``: when the next one is. ``resumed_at``: when the unit got the
    ticket again in this round; the clock goes on where it stopped, and the pauses name the time between.
    ``revised``: a second judgement beside this first one.
    ``rule`` and ``law``: where the limit comes from, if not from type and urgency; ``upstream_due``: when the
    platform that passed it on wants the answer, whether the clock ends for that or not.
    ``policy_version``: which version of the policy it began under; 1 is the county's folder.
    """

    id: UUID
    kind: str
    round: int
    assignment: UUID | None
    unit: str | None
    urgency: str
    status: str
    sentence: Sentence
    explanation: Sentence
    started_at: AwareDatetime
    limit: str
    policy_version: int
    due: AwareDatetime
    provisional: bool
    kept: bool
    ended_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    passed: dict[str, AwareDatetime]
    next_at: AwareDatetime | None
    days: list[DayOut]
    extended_by: int
    extension_days: list[DayOut]
    pauses: list[PauseOut]
    resumed_at: AwareDatetime | None = None
    revised: RevisedOut | None = None
    rule: str | None = None
    law: LegalLimit | None = None
    upstream_due: AwareDatetime | None = None


class TicketClocks(BaseModel):
    """The clocks of a ticket as the caller may see them, with extensions and supervisions."""

    number: str
    clocks: list[ClockOut]
    extensions: list[ExtensionOut]
    supervisions: list[SupervisionOut]


WhichJudgement = Literal["revised", "first"]


class ShareOut(BaseModel):
    """``on_time`` of ``due``; ``extended`` of those on time were extended, ``revised`` of all were revised
    (更正). No rate of nothing.
    """

    due: int
    on_time: int
    extended: int
    revised: int
    rate: float | None


class HandleOut(ShareOut):
    """``by_extension`` of those on time had been late without their extension; ``rate_unextended``: the rate,
    had they.
    """

    by_extension: int
    rate_unextended: float | None


class SavedOut(BaseModel):
    """审批压缩: what first answers of leads took from their dispatch, in working days, against the limit of
    the law (supervision.yaml). ``over``: how many took longer, which counts as less than nothing saved;
    ``rate``: ``saved_days`` of ``legal_days``.
    """

    answered: int
    legal_days: int
    used_days: int
    saved_days: int
    over: int
    rate: float | None


class AttendOut(BaseModel):
    """报到率 of who was whistled for (R-47). ``due``: those that came, or whose limit was over; of these
    ``on_time``, ``late``, and ``absent``: not at all so far. ``rate``: ``on_time`` of ``due``.
    """

    due: int
    on_time: int
    late: int
    absent: int
    revised: int
    rate: float | None


class Followed(BaseModel):
    """承接: a unit that is no more, and since when its work is another's."""

    unit: str
    since: AwareDatetime


class UnitRates(UnitStanding):
    """按期办结率 (of leads) and 及时签收率 of one unit; its volume is ``due`` of ``handle``. ``until``,
    ``successors``: of one that is no more; what was judged by then is its own, what was judged later theirs.
    ``follows``: whose work it has since. ``handle_uncharged``: the first, were the time of disputes that
    units lost charged to nobody (arbitration.yaml).
    """

    name: str | None
    until: AwareDatetime | None
    successors: list[str]
    follows: list[Followed]
    handle: HandleOut
    handle_uncharged: ShareOut
    sign: ShareOut
    contact: ShareOut
    attend: AttendOut
    saved: SavedOut | None


class RatesOut(BaseModel):
    """On-time rates of a period; ``start`` and ``end`` are days, both included, as the place counts them.
    ``basis``: whether a clock counts when it was ``judged``, or when it was ``due``, once that has come; one
    that was missed counts where it was missed, whatever became of it. ``judgement``: whether by what was
    ``revised`` since, or as clocks were ``first`` judged.

    ``hotline_review``: returns and requests to end a matter that the desk ruled on in time;
    ``completion_audit``: answers it audited in time; ``arbitration``: bodies of the ladder that ruled, or
    handed on, in time; ``citizen``: citizens who were answered in time, by a clock that never stands
    still. A unit sees none of them.
    """

    start: date
    end: date
    basis: Literal["due", "judged"]
    judgement: WhichJudgement
    handle: HandleOut
    handle_uncharged: ShareOut
    sign: ShareOut
    contact: ShareOut
    hotline_review: ShareOut
    completion_audit: ShareOut
    arbitration: ShareOut
    citizen: ShareOut
    attend: AttendOut
    saved: SavedOut | None
    units: list[UnitRates]


class BreachOut(BaseModel):
    """A clock with a breach that stands. ``status`` is where the clock stands now, ``unit`` who answers
    for it now; ``missed_by``: who did when it ran out, where that is another that is no more.
    ``due_revised``: when it would have been due, as a revision has it.
    """

    id: UUID
    kind: str
    number: str
    round: int
    assignment: UUID | None
    unit: str | None
    missed_by: str | None = None
    status: str
    due: AwareDatetime
    due_revised: AwareDatetime | None
    breached_at: AwareDatetime
    ended_at: AwareDatetime | None


class BreachPage(BaseModel):
    """Standing breaches, oldest first; ask again with ``after`` = ``next``."""

    items: list[BreachOut]
    next: str | None
