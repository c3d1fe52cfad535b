"""Door 2, facts: what the dispatcher listens to."""

from __future__ import annotations

from services.dispatcher import corrections, merging, splitting, usecases
from services.dispatcher.worklists import clocks
from shared import policies
from shared.messaging.inbox import EnvelopeOnly, Handler

SUBSCRIPTIONS: dict[str, Handler | EnvelopeOnly] = {
    "ticket.registered": usecases.register,
    "ticket.supplemented": usecases.supplement,
    "ticket.urged": usecases.urge,
    "ticket.corrected": corrections.heed,
    "ticket.split": splitting.heed,
    "ticket.merged": merging.merge,
    "ticket.unmerged": merging.unmerge,
    "ticket.withdrawn": usecases.withdraw,
    "ticket.reopened": usecases.reopen,
    "ticket.closed": usecases.close,
    "ticket.answered": usecases.end,
    "ticket.not_accepted": usecases.end,
    "ticket.handed_over": usecases.end,
    "policy.published": policies.hear,
    "policy.withdrawn": policies.hear_withdrawn,
    **{f"{name}{unit}": clocks.hear for name in clocks.HEARD for unit in ("", ".*")},
    "promise.kept.*": clocks.hear,
    # Addressed to a unit, whoever says it. What the dispatcher says itself is delivered when it is said
    # (shared/messaging/own_facts.py). It still comes round here, because what a replica of the release
    # before says is delivered in no other way; the next release can do without.
    "*.*.*": EnvelopeOnly(usecases.deliver),
}
