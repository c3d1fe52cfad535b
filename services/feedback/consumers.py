"""Door 2, facts: which fact leads to which use case."""

from __future__ import annotations

from services.feedback import usecases
from shared.messaging.inbox import Handler

SUBSCRIPTIONS: dict[str, Handler] = {
    "ticket.registered": usecases.remember_ticket,
    "ticket.merged": usecases.tell_merged,
    "ticket.withdrawn": usecases.cancel_callbacks,
    "ticket.resolved": usecases.follow_up,
    "assignment.dispatched.*": usecases.tell_who_handles,
    "extension.granted.*": usecases.tell_new_date,
    "supervision.raised.*": usecases.remember_supervision,
}
