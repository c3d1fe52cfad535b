"""工作清单: how much of each list waits for a supervisor, a unit or the desk (ADR 0052)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import DateTime, cast, func, null
from sqlmodel import col, select

from services.tracker.discrepancies.views import OPEN
from services.tracker.lists import (
    ANSWER_DUE,
    ANSWERED,
    ANSWERED_LATE,
    ASKED,
    BY_SUPERVISOR,
    PRESSED,
    RAISED,
    RULED_BY,
    UNANSWERED,
    own,
)
from services.tracker.models import Clocks
from services.tracker.policies import views as policies
from services.tracker.promises.views import ASKED as ASKED_TO_MOVE
from services.tracker.promises.views import PROMISES, UNKEPT, to_review
from services.tracker.records import ServiceAct
from services.tracker.referrals.views import WAITING as PROPOSED
from services.tracker.referrals.views import by_another
from services.tracker.revisions import views as revisions
from services.tracker.risks import views as risks
from shared.caller import person
from shared.http.worklists import Line, Tally, Worklist, WorklistLine

OVERDUE = (col(Clocks.breached_at).is_not(None), col(Clocks.ended_at).is_(None))


async def worklist(act: ServiceAct) -> Worklist:
    """工作清单: how much of each list waits for who asks, by what the list itself stands on."""
    role = act.caller.role if act.caller else ""
    if role == "unit":
        waits = [*RAISED, UNANSWERED, *await own(act, *PRESSED)]
        promised = [*UNKEPT, *await own(act, Clocks.ticket, Clocks.unit, *PROMISES[:1])]
        told = [*risks.WAITING, *await risks.own(act)]
        asked = [*ASKED, *await own(act, *RULED_BY)]
        return Worklist(
            items=[
                await _line(act, DANGERS, risks.DUE, told),
                await _line(act, SECONDS, col(Clocks.due), asked),
                await _line(act, TO_ANSWER, ANSWER_DUE, waits),
                await _line(act, TO_KEEP, col(Clocks.due), promised),
            ]
        )
    if role == "desk":
        return Worklist(
            items=[
                await _line(act, TO_REVIEW, col(Clocks.due), to_review(act)),
                _by_another(act, REVISIONS, await revisions.proposers(act)),
            ]
        )
    return Worklist(
        items=[
            await _line(act, DANGERS, risks.DUE, risks.WAITING),
            await _line(act, EXTENSIONS, col(Clocks.due), [*ASKED, BY_SUPERVISOR]),
            await _line(act, TO_BE_ANSWERED, ANSWER_DUE, [*RAISED, UNANSWERED]),
            await _line(act, ANSWERS, ANSWER_DUE, [*RAISED, ANSWERED], ANSWERED_LATE),
            await _line(act, MOVES, col(Clocks.due), ASKED_TO_MOVE),
            await _line(act, REFERRALS, UNDATED, [*PROPOSED, by_another(act)]),
            _by_another(act, REVISIONS, await revisions.proposers(act)),
            _by_another(act, DRAFTS, await policies.authors(act)),
            await _line(act, BREACHES, col(Clocks.due), OVERDUE),
            await _line(act, DISCREPANCIES, UNDATED, OPEN),
        ]
    )


UNDATED = cast(null(), DateTime(timezone=True))  # nothing says by when
NONE_GIVEN, GIVEN = "supervisions?answered=false", "supervisions?answered=true"
DANGERS = "risks", Line("险情待知悉", "Dangers nobody has taken up", "risks?status=open")
EXTENSIONS = "extensions", Line("延期待批", "Extensions to rule on", "extensions?higher=false")
SECONDS = "extensions", Line("再次延期待批", "Second extensions to rule on", "extensions")
TO_BE_ANSWERED = "unanswered", Line("督办待回复", "Supervisions without an answer", NONE_GIVEN)
ANSWERS = "answers", Line("督办回复待审定", "Answers to supervisions to rule on", GIVEN)
TO_ANSWER = "supervisions", Line("督办待回复", "Supervisions to answer", NONE_GIVEN)
TO_KEEP = "promises", Line("承诺未兑现", "Promises to keep", "promises?unkept=true")
MOVES = "promise_moves", Line("承诺改期待批", "Promised days to rule on", "promises?asked=true")
REFERRALS = "referrals", Line("移送待批准", "Referrals to decide", "referrals")
REVISIONS = "revisions", Line("更正待确认", "Revisions to confirm", "revisions?status=proposed")
DRAFTS = "policy_drafts", Line("时限规则草稿待发布", "Drafts of the policy", "policies/drafts")
TO_REVIEW = "promise_reviews", Line("承诺待复核", "Promises to look after", "promises?review=true")
DISCREPANCIES = "discrepancies", Line("疑点待核查", "To look into", "discrepancies?status=open")
BREACHES = "breaches", Line("超期未办", "Breaches whose duty is not done", "breaches?undone=true")


async def _line(
    act: ServiceAct,
    called: tuple[str, Line],
    due: Any,
    waits: Sequence[Any],
    late: Any = None,
) -> WorklistLine:
    late = due < act.now if late is None else late
    counted = select(func.count(), func.count().filter(late), func.min(due))
    tally = Tally(*(await act.session.exec(counted.where(*waits))).one())
    code, line = called
    return line.counted(code, tally)


def _by_another(
    act: ServiceAct, called: tuple[str, Line], authors: Iterable[Collection[str]]
) -> WorklistLine:
    """What waits for a second person, as far as the caller may be that one; ``authors``: whose each is."""
    code, line = called
    others = [some for some in authors if person(act.actor) not in map(person, some)]
    return line.counted(code, Tally(len(others)))
