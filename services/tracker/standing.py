"""Which rungs stand of an order, for whoever is about to raise one (R-30)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.tracker import calendars
from services.tracker.models import Supervision
from services.tracker.records import ClockEntry, ServiceAct
from services.tracker.rules.standing import Stands, stands_by


class Standing:
    """What stands of each order: what its clocks raise, and what people and clusters of reporters did. It is
    worked out for the orders that are asked of.
    """

    def __init__(
        self, act: ServiceAct, clocks: Iterable[ClockEntry], supervisions: Iterable[Supervision]
    ) -> None:
        self._act = act
        self._clocks: defaultdict[UUID | None, list[ClockEntry]] = defaultdict(list)
        self._found: defaultdict[UUID, list[Stands]] = defaultdict(list)
        self._accepted: dict[object, datetime | None] = {}  # of what clocks raised
        for entry in clocks:
            self._clocks[entry.row.assignment].append(entry)
        for each in supervisions:
            if each.clock is None:
                stands = Stands(each.rung, each.raised_at, each.withdrawn_at)
                self._found[each.assignment].append(stands.answered(each.accepted_at))
            else:
                self._accepted[each.clock, each.rung, each.raised_at] = each.accepted_at

    def of(self, order: UUID) -> Sequence[Stands]:
        """What stands of one."""
        found = self._found[order]
        for entry in self._clocks.pop(order, ()):
            known = calendars.of_clock(self._act, entry.row)
            found += (
                each.answered(self._accepted.get((entry.row.id, each.rung, each.since)))
                for each in stands_by(entry.state, known, self._act.now)
            )
        return found
