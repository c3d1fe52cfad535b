"""Intake's second door: the facts it listens to."""

from services.intake import usecases
from shared import policies, succession
from shared.messaging.inbox import EnvelopeOnly, Subscriptions

SUBSCRIPTIONS: Subscriptions = {
    "assignment.*.*": EnvelopeOnly(usecases.note_assignment),  # whatever words they bring
    "arbitration.opened": usecases.note_dispute,
    "arbitration.ruled": usecases.note_dispute,
    "arbitration.ended": usecases.note_dispute,
    "extension.granted.*": usecases.note_extended,
    "deadline.lengthened": usecases.note_other_due,
    "deadline.shortened": usecases.note_other_due,
    "ticket.resolved": usecases.note_resolved,
    "ticket.closed": usecases.note_closed,
    "ticket.reopened": usecases.note_reopened,
    "unit.reformed.*": succession.hear,
    "policy.published": policies.hear,
    "policy.withdrawn": policies.hear_withdrawn,
}
