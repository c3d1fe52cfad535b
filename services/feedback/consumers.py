"""Door 2, facts: which fact leads to which use case."""

from __future__ import annotations

from services.feedback import corrections, endings, extensions, promises, splitting, usecases
from shared import succession
from shared.messaging.inbox import Handler

SUBSCRIPTIONS: dict[str, Handler] = {
    "ticket.registered": usecases.remember_ticket,
    "ticket.corrected": corrections.heed,
    "ticket.merged": usecases.tell_merged,
    "ticket.split": splitting.tell_split,
    "ticket.withdrawn": usecases.cancel_callbacks,
    "ticket.resolved": usecases.follow_up,
    "assignment.dispatched.*": usecases.tell_who_handles,
    "extension.granted.*": extensions.tell_extended,
    "deadline.lengthened": extensions.tell_lengthened,
    "deadline.shortened": extensions.tell_shortened,
    "ticket.answered": endings.tell_answered,
    "ticket.not_accepted": endings.tell_not_accepted,
    "ticket.handed_over": endings.tell_handed_over,
    "ticket.resumed": endings.reopen,
    "ticket.call_rated": endings.remember_rating,
    "promise.moved.*": promises.tell_moved,
    "promise.kept.*": promises.ask_kept,
    "deadline.breached.*": promises.ask_after_day,
    "unit.reformed.*": succession.hear,
    "supervision.raised.*": usecases.remember_supervision,
}
