"""Door 2, facts: what the tracker listens to."""

from __future__ import annotations

from services.tracker import corrections, merging, usecases
from shared.messaging.inbox import Handler

SUBSCRIPTIONS: dict[str, Handler] = {
    "ticket.registered": usecases.register,
    "ticket.corrected": corrections.heed,
    "ticket.merged": merging.merge,
    "ticket.unmerged": merging.unmerge,
    "ticket.withdrawn": usecases.withdraw,
    "ticket.resolved": usecases.resolve,
    "ticket.reopened": usecases.reopen,
    "ticket.answered": usecases.end,
    "ticket.not_accepted": usecases.end,
    "ticket.handed_over": usecases.end,
    "ticket.unassigned": usecases.leave_to_desk,
    "assignment.dispatched.*": usecases.dispatch,
    "assignment.signed.*": usecases.sign,
    "assignment.contacted.*": usecases.contact,
    "assignment.return_requested.*": usecases.request_return,
    "assignment.return_refused.*": usecases.refuse_return,
    "assignment.returned.*": usecases.grant_return,
    "assignment.completed.*": usecases.complete,
    "assignment.updated.*": corrections.follow_terms,
    "assignment.cancelled.*": usecases.cancel,
    "reads.anchored": usecases.hold_anchor,
}
