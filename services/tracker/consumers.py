"""Door 2, facts: what the tracker listens to."""

from __future__ import annotations

from services.tracker import (
    arbitration,
    audits,
    carrying,
    citizen_waits,
    corrections,
    extensions,
    merging,
    returns,
    telling,
    transfers,
    triggers,
    usecases,
)
from services.tracker.discrepancies import usecases as discrepancies
from services.tracker.risks import usecases as risks
from shared import succession
from shared.messaging.inbox import Handler

# What a fact means to the ticket it is about; a replay asks no more.
HANDLERS: dict[str, Handler] = {
    "ticket.registered": usecases.register,
    "ticket.corrected": corrections.heed,
    "ticket.merged": merging.merge,
    "ticket.unmerged": merging.unmerge,
    "ticket.resolved": usecases.resolve,
    "ticket.reopened": usecases.reopen,
    "ticket.unassigned": usecases.leave_to_desk,
    "ticket.law_named": corrections.take_law,
    "assignment.dispatched.*": usecases.dispatch,
    "assignment.signed.*": usecases.sign,
    "assignment.contacted.*": usecases.contact,
    "assignment.attended.*": usecases.attend,
    "assignment.return_requested.*": returns.request,
    "assignment.return_refused.*": returns.refuse,
    "assignment.return_withdrawn.*": returns.withdraw,
    "assignment.sent_back.*": audits.send_back,
    "assignment.end_requested.*": returns.request_end,
    "assignment.end_granted.*": returns.grant_end,
    "assignment.end_refused.*": returns.refuse_end,
    "assignment.end_withdrawn.*": returns.withdraw_end,
    "assignment.wait_requested.*": citizen_waits.request,
    "assignment.wait_granted.*": citizen_waits.grant,
    "assignment.wait_refused.*": citizen_waits.refuse,
    "assignment.wait_ended.*": citizen_waits.end,
    "assignment.updated.*": corrections.follow_terms,
    "assignment.transferred.*": transfers.transfer,
    "unit.reformed.*": succession.hear,
    "arbitration.opened": arbitration.open_,
    "arbitration.raised": arbitration.raise_,
    "arbitration.ruled": arbitration.rule,
    "arbitration.ended": arbitration.end,
    "reads.anchored": usecases.hold_anchor,
    **extensions.ending(
        {
            "ticket.withdrawn": usecases.withdraw,
            "ticket.answered": usecases.end,
            "ticket.not_accepted": usecases.end,
            "ticket.handed_over": usecases.end,
            "assignment.returned.*": returns.grant,
            "assignment.completed.*": audits.complete,
            "assignment.audit_passed.*": audits.pass_,
            "assignment.cancelled.*": usecases.cancel,
        }
    ),
}

FOLLOWING = HANDLERS | carrying.following(HANDLERS)
OTHERS: dict[str, Handler] = {
    **FOLLOWING,
    **risks.reporting(FOLLOWING),
    "ticket.split": carrying.split,
    "assignment.return_barred.*": triggers.bar,
    "contact.read": discrepancies.hear,
    "answer.found_alike": discrepancies.hear,
}
# What others say may not fit together; what the tracker said itself people are told.
SUBSCRIPTIONS: dict[str, Handler] = {**discrepancies.following(OTHERS), **telling.SUBSCRIPTIONS}
