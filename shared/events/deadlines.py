"""What the tracker says of clocks: set, moved, warned, missed, met."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.envelope import Data
from shared.events.words import ClockKind, LegalLimit


class DeadlineView(BaseModel):
    """One clock as others see it. ``provisional``: the due moment lies in a year without a calendar."""

    model_config = ConfigDict(frozen=True)
    clock: ClockKind
    started_at: AwareDatetime
    limit: str
    due: AwareDatetime
    provisional: bool = False


class DeadlineSet(Data, name="deadline.set", by="tracker"):
    """起表: all clocks that one dispatch (or one registration) started."""

    clocks: tuple[DeadlineView, ...]
    configuration: str | None = None
    policy_version: int | None = None


class DeadlineMoved(Data, name="deadline.moved", by="tracker"):
    """改期: a due moment moved, and why."""

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    provisional: bool = False
    reason: str


class DeadlineLengthened(Data, name="deadline.lengthened", by="tracker"):
    """延长时限: a matter was found complex, or a law gives it a longer limit (``law``), so the citizen waits
    longer; ``due`` is when an answer is to be expected now. That the clock was missed before, if it was,
    stands. ``upstream_due``: the platform that passed it on wants the answer then, and that was put right.
    """

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    limit: str
    reason: str
    law: LegalLimit | None = None
    upstream_due: AwareDatetime | None = None


class DeadlineShortened(Data, name="deadline.shortened", by="tracker"):
    """恢复时限: the ``law`` that gave a matter a longer limit was taken back, so an answer is to be expected
    by ``due`` again, and never before that was said.
    """

    clock: ClockKind
    before: AwareDatetime
    due: AwareDatetime
    limit: str
    reason: str
    law: LegalLimit


class DeadlineWarned(Data, name="deadline.warned", by="tracker"):
    """预警: a warning point passed; the envelope's time is that point (R-31). ``point``: which of the
    policy's; ``color``: of the card, ``none`` where there is none; ``to``: who is to be told. One that says
    none of these means the yellow card.
    """

    clock: ClockKind
    due: AwareDatetime
    point: str | None = None
    color: str | None = None
    to: tuple[str, ...] = ()


class DeadlineBreached(Data, name="deadline.breached", by="tracker"):
    """红牌: the due moment passed unmet; the envelope's time is the due moment (R-31). ``to``: who is to be
    told.
    """

    clock: ClockKind
    due: AwareDatetime
    to: tuple[str, ...] = ()


class DeadlineAnnulled(Data, name="deadline.annulled", by="tracker"):
    """撤牌: a breach was taken back: the duty had been done in time, or the due moment moved past it."""

    clock: ClockKind
    due: AwareDatetime
    reason: str


class DeadlineRevised(Data, name="deadline.revised", by="tracker"):
    """更正: a clock that ended is judged anew, because of ``days`` the calendar had wrong; two persons decide
    it. Its first judgement, late after ``before``, stays on record; ``late``: it is so after ``due`` too.
    ``calendar``: the version that has the days right.
    """

    clock: ClockKind
    clock_id: UUID
    before: AwareDatetime
    due: AwareDatetime
    late: bool
    revision: UUID
    days: tuple[str, ...]
    calendar: int
    ground: str
    paper: str
    proposed_by: str
    confirmed_by: str


class DeadlineMet(Data, name="deadline.met", by="tracker"):
    """停表: the duty was done; ``late`` when that was after the due moment."""

    clock: ClockKind
    due: AwareDatetime
    late: bool


class DeadlinePaused(Data, name="deadline.paused", by="tracker"):
    """A unit's clock stands still while the desk rules on its request, or stood still while the desk audited
    an answer that it sent back.
    """

    clock: ClockKind
    reason: str


class DeadlineResumed(Data, name="deadline.resumed", by="tracker"):
    """A unit's clock runs again, with its due moment moved by the pause's working time."""

    clock: ClockKind
    due: AwareDatetime
    provisional: bool = False


class DeadlineCancelled(Data, name="deadline.cancelled", by="tracker"):
    """A clock lost its ground: its assignment was cancelled or returned, its ticket withdrawn."""

    clock: ClockKind
    reason: str
