"""What is kept beside how a clock stands: by when it would have been due, had something been otherwise.

It follows whatever moves the clock: a fact, or a calendar.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from services.tracker import calendars
from services.tracker.records import ClockEntry, ServiceAct
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import due_uncharged, uncharged
from services.tracker.rules.pauses import Pause
from services.tracker.rules.revising import Judged, Revised, judged_anew, mended

PAUSES = TypeAdapter(tuple[Pause, ...])


def follow(act: ServiceAct, entry: ClockEntry, history: ClockHistory | None = None) -> None:
    """Work it out anew for how a clock stands now; ``history``: what befell it, where that is new."""
    row = entry.row
    if history:
        row.uncharged = PAUSES.dump_python(uncharged(history), mode="json")
        row.due_uncharged = None
    if row.uncharged:
        pauses, known = PAUSES.validate_python(row.uncharged), calendars.of_clock(act, row)
        row.due_uncharged = due_uncharged(entry.state, pauses, known)
    if row.revised:
        judged = judged_by(act, entry, Revised.model_validate(row.revised))
        row.due_revised = judged.due if judged else None


def judged_by(act: ServiceAct, entry: ClockEntry, revised: Revised) -> Judged | None:
    """How a revision has a clock judged; None where it does not move it."""
    known, unit = calendars.of(act), calendars.unit_of(entry.row)
    right = mended(known, revised.calendar, revised.days)
    return judged_anew(entry.state, known.by(unit), right.by(unit))
