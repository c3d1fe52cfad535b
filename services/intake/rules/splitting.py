"""拆分: which call may be split into its matters, and what is refused (JN-29, R-14). Pure."""

from __future__ import annotations

from services.intake.rules.machine import TicketStatus
from services.intake.rules.merging import can_be_merged
from shared.errors import JiesuError, Malformed, Recused
from shared.events import Reported, TicketType
from shared.jurisdiction.gazetteer import accuses

MOST = 9  # matters beside the one that stays


class SplitWithoutRemainder(Malformed):
    """One matter stays under the number the citizen has, with the unit that has it: say which."""

    slug = "split-without-remainder"
    title = "拆分须写明原工单保留的事项 Say which matter stays under the ticket's own number"


class SplitWithoutMatters(Malformed):
    """Nothing is split off: a split makes two matters at least."""

    slug = "split-without-matters"
    title = "拆分至少须分出一个事项 A split takes at least one matter off"


class SplitRefused(JiesuError):
    """A ticket that is not split: it was answered, has ended, or the hotline keeps it to answer it
    itself; ``current_status`` says which. Once the citizen has an answer, what else there is to say is a
    matter of its own.
    """

    status = 409
    slug = "split-too-late"
    title = "工单已答复、已结束或由热线留办，不能拆分 It was answered, has ended or is kept at the hotline"


class SplitMerged(JiesuError):
    """It is worked on with others, ``merged``, as one matter: part them first."""

    status = 409
    slug = "split-merged"
    title = "已并单的工单须先撤销并单才能拆分 A merged ticket must be unmerged before it is split"


def check_type(type: TicketType, about: Reported, becomes: TicketType | None, field: str) -> None:
    """While nobody said whom a report is about, no rule may give any matter of it to anybody: it stays a
    report (R-35, JN-32). Raises Recused.
    """
    if accuses(type) and not about.stated and becomes is not type:
        raise Recused(
            "举报件未注明被反映对象：须先更正，再把其中的事项改作其他性质 "
            "Nobody has said whom this report is about: state that first, or a matter of it could go to just "
            "them",
            field=field,
        )


def check_split(status: TicketStatus, merged: list[str]) -> None:
    """Raises SplitMerged, SplitRefused. ``merged``: the tickets it is worked on with."""
    if merged:
        raise SplitMerged(merged=merged)
    if not can_be_merged(status):
        raise SplitRefused(current_status=status)
