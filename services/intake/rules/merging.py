"""并单: which tickets may be worked on as one, and which may be parted again (GB66-5). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.intake.rules.machine import TicketStatus, ended, owed
from shared.errors import JiesuError


class MergeRefused(JiesuError):
    """Two tickets that are not worked on as one; each reason has a slug of its own."""

    status = 409
    slug = "merge-refused"
    title = "不能并单 The tickets cannot be merged"


class MergeIntoItself(MergeRefused):
    """A ticket is no duplicate of itself."""

    slug = "merge-into-itself"
    title = "不能并入自身 A ticket cannot be merged into itself"


class MergeCyclic(MergeRefused):
    """The other ticket is merged into this one."""

    slug = "merge-cyclic"
    title = "对方工单已并入本单，不能互相并单 The other ticket is merged into this one"


class AlreadyMerged(MergeRefused):
    """It waits for the work of another ticket, ``merged_into``: unmerge it first."""

    slug = "already-merged"
    title = "本单已并入其他工单，请先撤销并单 The ticket is merged already: unmerge it first"


class OthersMerged(MergeRefused):
    """Other tickets, ``merged``, wait for the work of this one: merge the other one into it instead."""

    slug = "others-merged"
    title = (
        "已有工单并入本单，请改将对方并入 Others are merged into it: merge the other one into it"
    )


class NothingToWaitFor(MergeRefused):
    """Nobody works on the other ticket any more, or this one needs no work: ``number`` is which."""

    slug = "merge-too-late"
    title = "工单已答复或已结束，不能并单 A ticket that was answered or has ended cannot be merged"


class KeptAtHotline(MergeRefused):
    """The hotline keeps ``number`` to answer it itself: no unit and no other service has heard of it,
    so there is no work to share until it is sent to one.
    """

    slug = "merge-kept-here"
    title = (
        "热线留办的工单须先转派才能并单 The hotline keeps it to answer it: send it to a unit first"
    )


class ConsentNeeded(MergeRefused):
    """One of the two is confidential: its units would read of the other what it keeps, or the reverse."""

    slug = "merge-needs-consent"
    title = "两单保密要求不同，须征得诉求人同意 They differ in confidentiality: the citizen must consent"


class ReportedNotStated(MergeRefused):
    """A report (举报) of which nobody has said whom it accuses, or of somebody nobody can place: the units
    at work on the other ticket could be just those (R-35).
    """

    slug = "merge-needs-reported"
    title = "举报件须先注明被举报对象 Say first whom the report accuses"


class OneCall(MergeRefused):
    """Both are matters of one call, taken apart by the desk because they are different: no rule puts them
    together again, and no hand (拆分).
    """

    slug = "merge-one-call"
    title = "同一来电拆分出的事项不能再并单 Matters split from one call cannot be merged"


class NotMerged(JiesuError):
    """There is nothing to undo."""

    status = 409
    slug = "not-merged"
    title = "本单没有并入其他工单 The ticket is not merged into another"


@dataclass(frozen=True, slots=True)
class Side:
    """A ticket as it is when two are to be merged. ``merged``: the tickets merged into it. ``call``: the
    number of the call it is a matter of.
    """

    number: str
    status: TicketStatus
    confidential: bool
    merged_into: str | None
    merged: tuple[str, ...]
    call: str = ""


def can_be_merged(status: TicketStatus) -> bool:
    """Whether a ticket in a status may be worked on with others: somebody is at work on it, or must be,
    and it is not the hotline itself.
    """
    return owed(status) and status is not TicketStatus.ANSWERING


def check_merge(ticket: Side, into: Side, *, consent: bool) -> None:
    """Raises what stands in the way of merging a ticket into another, the plainest first.

    Into a ticket that is merged itself means into the work it waits for.
    """
    if ticket.number == into.number:
        raise MergeIntoItself
    if into.merged_into == ticket.number:
        raise MergeCyclic(field="into")
    if ticket.merged_into:
        raise AlreadyMerged(merged_into=ticket.merged_into)
    if ticket.merged:
        raise OthersMerged(merged=list(ticket.merged))
    if ticket.call and ticket.call == into.call:
        raise OneCall(field="into")
    for side, field in ((ticket, None), (into, "into")):
        if side.status is TicketStatus.ANSWERING:
            raise KeptAtHotline(number=side.number, field=field)
        if not can_be_merged(side.status):
            raise NothingToWaitFor(number=side.number, current_status=side.status, field=field)
    if ticket.confidential != into.confidential and not consent:
        raise ConsentNeeded(field="consent")


def check_unmerge(ticket: Side) -> None:
    """Raises NotMerged; NothingToWaitFor once it has ended."""
    if ticket.merged_into is None:
        raise NotMerged
    if ended(ticket.status):
        raise NothingToWaitFor(number=ticket.number, current_status=ticket.status)
