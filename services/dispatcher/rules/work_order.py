"""派单内容: what a unit is told with an order, and how much of what was added it carries. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.dispatcher.rules.dispatch import Order
from services.dispatcher.rules.whistling import Blown
from shared.errors import JiesuError
from shared.events import AssignmentDispatched, Limits, Role, TicketRegistered, Urgency
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.streams import Kind


def without_contact(limits: Limits, ticket: TicketRegistered) -> Limits:
    """Nobody has to contact who cannot or will not be contacted, so no clock may run for it."""
    spared = ticket.reply_declined or not ticket.has_contact
    return limits.model_copy(update={"first_contact": None}) if spared else limits


def kind_of(
    table: LimitTable, matter: TicketRegistered, urgency: Urgency, unit: str | None = None
) -> Kind:
    """What the limits of a ticket depend on; ``unit``: whose order it is, where that is known."""
    return table.kind(
        matter.type, urgency, matter.topic, matter.flags, channel=matter.channel, unit=unit
    )


class ComplexInVain(JiesuError):
    """疑难 gives no more time to handle what has a limit of its own, a law's or an upstream platform's;
    ``limit`` says which. To have more time its unit asks for an extension.
    """

    status = 409
    slug = "complex-in-vain"
    title = "该诉求另有办理时限，定为疑难不能延长 Its own limit is not lengthened by `complex`"


def check_lengthens(normal: Limits, granted: Limits) -> None:
    """Whether more time follows from a matter being complex. Raises ComplexInVain."""
    if upstream := granted.upstream:
        due = upstream.due.isoformat()
        raise ComplexInVain(
            f"上级平台要求于{due}前答复，定为疑难不能延长；确需延长的，请商上级平台 "
            f"The platform that passed it on wants the answer by {due}, which `complex` does not change",
            field="urgency",
            limit=due,
        )
    if normal.handle and normal.handle == granted.handle:
        raise ComplexInVain(
            f"该诉求的办理时限为{normal.handle}，定为疑难不能延长；确需延长的，由承办单位申请延期 "
            f"It is to be handled within {normal.handle}, which `complex` does not lengthen; "
            "its unit may ask for an extension",
            field="urgency",
            limit=normal.handle,
        )


CARRIED = 16_000  # characters of supplements a work order carries
LEFT = (
    "【补充1至{left}未附：请读取 GET /v1/assignments/{{assignment}}/supplements"
    " Supplements 1 to {left} are left out: read them there】"
)

AS_REGISTERED = (
    *("type", "topic", "title", "area", "channel", "flags"),
    *("confidential", "reply_declined", "has_contact"),
)


@dataclass(frozen=True, slots=True)
class Added:
    """补充: what the citizen said since the registration. A work order carries the newest of it, in
    the order it was said; ``left`` earlier ones its unit reads from the dispatcher. ``also``: what other
    citizens said of the matter, by their tickets' numbers.
    """

    newest: Sequence[str] = ()
    left: int = 0
    also: Mapping[str, str] = field(default_factory=dict)


def fitting(also: Mapping[str, str]) -> dict[str, str]:
    """The newest of what other citizens said as far as a work order carries it, by number."""
    fit = newest_that_fit(list(also.values()))
    return dict(list(also.items())[len(also) - len(fit) :])


def newest_that_fit(said: Sequence[str]) -> list[str]:
    """The newest of what was said as far as a work order carries it, in the order it was said."""
    newest: list[str] = []
    room = CARRIED
    for content in reversed(said):
        room -= len(content)
        if room < 0:
            break
        newest.insert(0, content)
    return newest


def work_order(
    ticket: TicketRegistered,
    order: Order,
    added: Added,
    *,
    role: Role,
    urgency: Urgency,
    limits: Limits,
    registered_at: datetime,
    redo: bool,
    configuration: str | None = None,
    blown: Blown | None = None,
) -> AssignmentDispatched:
    """What one unit is told; of a confidential matter the area only (docs/how-it-flows.md#private)."""
    registered = {name: getattr(ticket, name) for name in AS_REGISTERED}
    return AssignmentDispatched(
        **registered,
        role=role,
        urgency=urgency,
        content=whole_text(ticket, added),
        address=None if ticket.confidential else ticket.address,
        location=None if ticket.confidential else ticket.location,
        registered_at=registered_at,
        supplements_left=added.left,
        lead=order.lead,
        co_handlers=order.co_handlers,
        rule=order.rule,
        reason=order.reason,
        approved_by=order.approval and order.approval.by,
        approval_ground=order.approval and order.approval.ground,
        limits=limits,
        redo=redo,
        configuration=configuration,
        catalogue_version=order.catalogue_version,
        handed_by=order.handed_by,
        whistle=blown and blown.told,
    )


def _notes(added: Added) -> Iterator[str]:
    if added.left:
        yield LEFT.format(left=added.left)
    for count, note in enumerate(added.newest, added.left + 1):
        yield f"【补充{count} Supplement {count}】{note}"
    for number, content in added.also.items():
        yield f"【另有诉求人反映同一事项 also reported as {number}】{content}"


def whole_text(ticket: TicketRegistered, added: Added) -> str:
    """What the citizen said, with what was added."""
    return "\n\n".join((ticket.content, *_notes(added)))
