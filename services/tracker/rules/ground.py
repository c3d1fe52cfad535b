"""Why a citizen's time is what it is: a law, an upstream platform (JN-24(2), WF-20). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from services.tracker.rules.timelines import (
    AssignmentTimeline,
    Matter,
    RoundTimeline,
    first_rounds,
)
from shared.events import LegalLimit, Limits, Role, UpstreamLimit


def ground_of(
    matter: Matter, course: Sequence[RoundTimeline], leads: Iterable[AssignmentTimeline]
) -> Limits:
    """The law that holds for a course of rounds, and the moment an upstream platform named: its margin is the
    units', and what is done again has nothing of it.

    The law is the last that was said, by what a lead was told or by what the desk named for the ticket: one
    that waits for the work of another has no lead, and a lead's order may end while the law holds.
    """
    rounds, due = {each.number for each in course}, matter.upstream_due
    of_them = sorted((lead for lead in leads if lead.round in rounds), key=lambda lead: lead.place)
    told = [(lead.terms_at or lead.dispatched_at, lead.ground.law) for lead in of_them]
    told += [(each.at, each.law) for each in matter.laws if each.round in rounds]
    law = sorted(told, key=itemgetter(0))[-1][1] if told else None
    return Limits(law=law, upstream=UpstreamLimit(due=due) if due and 1 in rounds else None)


def law_of(
    matter: Matter,
    rounds: Sequence[RoundTimeline],
    assignments: Iterable[AssignmentTimeline],
    round: int,
) -> LegalLimit | None:
    """The law that holds for a ticket in a round."""
    firsts = first_rounds(rounds)
    course = [each for each in rounds if firsts[each.number] == firsts.get(round)]
    return ground_of(matter, course, (each for each in assignments if each.role is Role.LEAD)).law
