"""Intake's second door: the facts it listens to."""

from services.intake import usecases
from shared.messaging.inbox import Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    "assignment.*.*": usecases.note_assignment,
    "extension.granted.*": usecases.note_extended,
    "ticket.resolved": usecases.note_resolved,
    "ticket.closed": usecases.note_closed,
    "ticket.reopened": usecases.note_reopened,
}
