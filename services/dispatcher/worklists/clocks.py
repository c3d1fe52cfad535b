"""时限: when what waits is due, as the tracker says it, kept beside what the lists show (ADR 0052).

Facts come in any order: of each clock the later word counts, whichever is heard first, and nothing else
need have been heard. When a clock ends is not kept: whoever reads a list knows what is done.
"""

from __future__ import annotations

from typing import Any

from services.dispatcher.models import OWN, Clock
from services.dispatcher.records import ServiceAct
from services.dispatcher.worklists import putting_off
from shared import events
from shared.events import ClockKind, Fact

HEARD = ("deadline.set", "deadline.moved", "deadline.paused", "deadline.resumed")
LATER_COUNTS = """ON CONFLICT (ticket, assignment, kind) DO UPDATE SET
    started_at = greatest(clocks.started_at, EXCLUDED.started_at),
    due = CASE WHEN EXCLUDED.due_seq > clocks.due_seq THEN EXCLUDED.due ELSE clocks.due END,
    provisional = CASE WHEN EXCLUDED.due_seq > clocks.due_seq
        THEN EXCLUDED.provisional ELSE clocks.provisional END,
    due_seq = greatest(clocks.due_seq, EXCLUDED.due_seq),
    paused_at = CASE WHEN EXCLUDED.pause_seq > clocks.pause_seq
        THEN EXCLUDED.paused_at ELSE clocks.paused_at END,
    pause_seq = greatest(clocks.pause_seq, EXCLUDED.pause_seq)"""


async def hear(act: ServiceAct, fact: Fact) -> None:
    """When a clock is due, or since when it stands still; of a promise that was kept nothing is due.
    Raises TooEarly of what waits for the desk.
    """
    said = fact.data
    match said:
        case events.DeadlineSet():
            for each in said.clocks:
                clock = _clock(act, fact, each.clock)
                clock.started_at = max(clock.started_at or each.started_at, each.started_at)
                _due(clock, fact, each)
        case events.DeadlineMoved():
            _due(_clock(act, fact, said.clock), fact, said)
            await putting_off.hear(act, fact)
        case events.DeadlinePaused():
            _pause(_clock(act, fact, said.clock), fact)
        case events.DeadlineResumed():
            clock = _clock(act, fact, said.clock)
            _due(clock, fact, said)
            _pause(clock, fact, ended=True)
        case events.PromiseKept():
            clock = _clock(act, fact, ClockKind.PROMISE)
            clock.due, clock.due_seq = None, max(fact.seq, clock.due_seq)


def _clock(act: ServiceAct, fact: Fact, kind: str) -> Clock:
    """The row of a clock: one for all that is said of it in this act."""
    key = (fact.subject, fact.assignment or OWN, str(kind))
    if key not in act.locked:
        ticket, assignment, kind = key
        row = Clock(ticket=ticket, assignment=assignment, kind=kind)
        act.locked[key] = act.rows.add(row, or_else=LATER_COUNTS)
    clock: Clock = act.locked[key]
    return clock


def _due(clock: Clock, fact: Fact, said: Any) -> None:
    if fact.seq > clock.due_seq:
        clock.due, clock.provisional, clock.due_seq = said.due, said.provisional, fact.seq


def _pause(clock: Clock, fact: Fact, *, ended: bool = False) -> None:
    if fact.seq > clock.pause_seq:
        clock.paused_at, clock.pause_seq = None if ended else fact.time, fact.seq
