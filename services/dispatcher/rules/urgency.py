"""紧急程度: how urgent a ticket is by the request, the rule and the policy, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from services.dispatcher.rules import reasons
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.reasons import Names, Reason
from shared.events import TicketRegistered, TicketType, Urgency
from shared.jurisdiction.urgency import Found

MOST_URGENT_FIRST = (Urgency.CRITICAL, Urgency.URGENT, Urgency.NORMAL)


def effective_urgency(
    ticket: TicketRegistered, rule: Rule | None, found: Found | None, names: Names
) -> tuple[Urgency, tuple[Reason, ...]]:
    """The most urgent of what was asked, what the rule says and what the policy says, and why.

    ``complex`` lengthens the limit to 15 working days: a citizen's wish or a form cannot grant it,
    only the desk can (SH-DN). A commendation is passed on, not handled, so nothing hurries it.
    """
    if ticket.type is TicketType.COMMENDATION:
        return Urgency.NORMAL, ()
    asked = ticket.urgency.level
    urgency: Urgency = Urgency.NORMAL if asked is Urgency.COMPLEX else asked
    why: tuple[Reason, ...] = ()
    for level, reason in (*_by_rule(rule), *_by_policy(found, names)):
        if MOST_URGENT_FIRST.index(level) < MOST_URGENT_FIRST.index(urgency):
            urgency, why = level, (reason,)
    return urgency, why


def is_more_urgent(one: Urgency, other: Urgency) -> bool:
    """Whether one urgency hurries more than another; 疑难 hurries nobody."""
    ranks = {urgency: rank for rank, urgency in enumerate(MOST_URGENT_FIRST)}
    return ranks.get(one, len(ranks)) < min(ranks.get(other, len(ranks)), ranks[Urgency.NORMAL])


def _by_rule(rule: Rule | None) -> Iterator[tuple[Urgency, Reason]]:
    if rule and rule.urgency:
        yield rule.urgency, reasons.urgent_by_rule(rule.urgency)


def _by_policy(found: Found | None, names: Names) -> Iterator[tuple[Urgency, Reason]]:
    """A critical word in the text, or else a topic or a flag that is urgent."""
    if found is None:
        return
    if found.level is not Urgency.CRITICAL:
        yield found.level, reasons.urgent_by_matter(names.topic(found.what))
    else:
        yield found.level, reasons.perhaps(found) or reasons.critical_by_word(found.what)
