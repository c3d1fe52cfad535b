"""工作清单: what waits at the front of the hotline, counted list by list (ADR 0052)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import col, func, select

from services.intake import search
from services.intake.calls import views as calls
from services.intake.corrections.models import WAITING, Corrections
from services.intake.models import Tickets
from services.intake.records import ServiceAct
from services.intake.rules.machine import TicketStatus
from services.intake.search import Filter
from shared.caller import person
from shared.http.worklists import Line, Tally, Worklist

LINES: Mapping[str, Line] = {
    "missed_calls": Line("漏接来电待回拨", "Missed callers to ring back", "missed-calls"),
    "answering": Line(
        "直办待答复", "Tickets the hotline answers itself", "tickets?status=answering"
    ),
    "drafts": Line("未转工单的草稿", "Drafts left without a ticket", "drafts"),
    "noted_after_end": Line(
        "结案后来话待阅", "Said after the end, to be read", "tickets?noted_after_end=true"
    ),
    "corrections": Line(
        "更正待同意",
        "Corrections of others that take the shield off or give more time",
        "corrections",
    ),
}
OF_ROLE = {
    "agent": ("missed_calls", "answering", "drafts"),
    "desk": tuple(LINES),
    "callback": ("noted_after_end",),
    "supervisor": ("corrections",),
}


async def read(act: ServiceAct) -> Worklist:
    """What waits for the caller. What was said after the end is for who may mark it as read."""
    if act.caller is None:
        raise AssertionError("a worklist is somebody's")
    tallies = {
        "missed_calls": _missed,
        "answering": _answering,
        "drafts": _drafts,
        "noted_after_end": _noted,
        "corrections": _corrections,
    }
    codes = OF_ROLE[act.caller.role]
    return Worklist(items=[LINES[code].counted(code, await tallies[code](act)) for code in codes])


async def _missed(act: ServiceAct) -> Tally:
    waits = await act.session.exec(select(calls.WAITING.c.since))
    return Tally.of(map(act.config.calls.ring_back.due, waits), act.now)


async def _answering(act: ServiceAct) -> Tally:
    late = func.count().filter(col(Tickets.answer_due) < act.now)
    counted = select(func.count(), late, func.min(Tickets.answer_due))
    kept = await search.narrow(act, counted, Filter(status=TicketStatus.ANSWERING))
    return Tally(*(await act.session.exec(kept)).one())


async def _drafts(act: ServiceAct) -> Tally:
    """Nothing says when they are due."""
    left = calls.left(act, select(func.count()))
    return Tally((await act.session.exec(left)).one())


async def _noted(act: ServiceAct) -> Tally:
    """Nothing says when they are due."""
    noted = await search.narrow(
        act, select(func.count()).select_from(Tickets), Filter(noted_after_end=True)
    )
    return Tally((await act.session.exec(noted)).one())


async def _corrections(act: ServiceAct) -> Tally:
    """What the caller may agree to: another person asks for it. It is due at once, and nobody's clock."""
    made_by = await act.session.exec(select(Corrections.corrected_by).where(*WAITING))
    return Tally(sum(person(by) != person(act.actor) for by in made_by))
