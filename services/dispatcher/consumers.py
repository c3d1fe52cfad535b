"""Door 2, facts: what the dispatcher listens to."""

from __future__ import annotations

from services.dispatcher import usecases
from shared.messaging.inbox import EnvelopeOnly, Handler

SUBSCRIPTIONS: dict[str, Handler | EnvelopeOnly] = {
    "ticket.registered": usecases.register,
    "ticket.supplemented": usecases.supplement,
    "ticket.urged": usecases.urge,
    "ticket.withdrawn": usecases.withdraw,
    "ticket.reopened": usecases.reopen,
    "ticket.closed": usecases.close,
    "*.*.*": EnvelopeOnly(usecases.deliver),  # addressed to a unit, whoever says it
}
