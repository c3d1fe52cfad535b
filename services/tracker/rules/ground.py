"""Why a citizen's time is what it is: a law, an upstream platform (JN-24(2), WF-20). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.tracker.rules.timelines import AssignmentTimeline, Matter, RoundTimeline
from shared.events import Limits, UpstreamLimit


def ground_of(
    matter: Matter, course: Sequence[RoundTimeline], leads: Iterable[AssignmentTimeline]
) -> Limits:
    """The law that the last lead of a course of rounds goes by, and the moment an upstream platform named:
    its margin is the units', and what is done again has nothing of it.
    """
    rounds = {each.number for each in course}
    of_them = (lead for lead in leads if lead.round in rounds)
    last, due = max(of_them, key=lambda lead: lead.place, default=None), matter.upstream_due
    wanted = UpstreamLimit(due=due) if due and 1 in rounds else None
    return Limits(law=last.ground.law if last else None, upstream=wanted)
