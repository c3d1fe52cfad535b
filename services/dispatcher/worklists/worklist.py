"""工作清单: what waits for one role, counted list by list by what each list stands on (ADR 0052)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import literal, union_all
from sqlmodel import col, func, select

from services.dispatcher.approvals import views as approvals
from services.dispatcher.approvals.models import Approvals
from services.dispatcher.arbitration import views as disputes
from services.dispatcher.arbitration.models import Arbitrations
from services.dispatcher.catalogue.models import Editions
from services.dispatcher.completion import views as forms
from services.dispatcher.models import Assignments, Returns, Tickets
from services.dispatcher.records import ServiceAct
from services.dispatcher.reform.models import Reforms
from services.dispatcher.rules.approvals import DECIDERS
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.waits import views as waits
from services.dispatcher.whistles import views as whistles
from services.dispatcher.worklists import dues, lists, presses
from services.dispatcher.worklists.narrowing import ENDANGERS
from services.dispatcher.worklists.schemas import Whose
from shared.caller import person
from shared.events import Role
from shared.http.worklists import Line, Tally, Worklist

ORDERS = "units/{unit}/orders"
LINES = {
    "dangers": Line(
        "险情待派", "Tickets to assign that endanger life, or may", "unassigned?danger=true"
    ),
    "unassigned": Line("待派工单", "Tickets to assign", "unassigned"),
    "presses": Line("催促待处理", "Silent co-handlers whose lead asks the desk", "presses"),
    "returns": Line("退单待裁定", "Return requests to rule on", "returns"),
    "completion_requests": Line(
        "终止申请待裁定", "Requests to end a matter, to rule on", "completion-requests"
    ),
    "waits": Line("等待诉求人待裁定", "Requests to wait for the citizen, to rule on", "waits"),
    "audits": Line("办结待审核", "Answers to audit", "audits"),
    "arbitrations": Line(
        "争议待裁决", "Arbitrations whose ruling this role records", "arbitrations?role={role}"
    ),
    "whistles": Line("吹哨待报到", "Whistles whose units have not come", "whistles?awaited=true"),
    "reforms": Line("机构改革待批准", "Reforms that wait for a second person", "reforms"),
    "approvals": Line(
        "待批准事项", "What waits for a second person's approval", "approvals?role={role}"
    ),
    "catalogue_drafts": Line(
        "目录草稿待发布",
        "Drafts of the catalogue that wait for a second person",
        "catalogue/drafts",
    ),
    "to_sign": Line("待签收", "Orders to sign", f"{ORDERS}?status=dispatched"),
    "to_contact": Line("待联系", "Orders whose citizen to contact", f"{ORDERS}?status=signed"),
    "to_handle": Line("待办理", "Orders to handle", f"{ORDERS}?status=contacted"),
    "to_attend": Line(
        "被吹哨待报到", "Orders whose unit was whistled for", f"{ORDERS}?awaited=true"
    ),
    "return_requests": Line(
        "退单待答复", "Orders whose return waits for a ruling", f"{ORDERS}?status=return_requested"
    ),
    "co_handling": Line("其中协办", "Of all these, as co-handler", f"{ORDERS}?role=co"),
    "handed_down": Line("交下级办理", "Orders handed down", f"{ORDERS}?handed_down=true"),
    "heard_in": Line("争议待陈述", "Arbitrations in which the unit is heard", "arbitrations"),
}
OF_STATUS = {
    "to_sign": AssignmentStatus.DISPATCHED,
    "to_contact": AssignmentStatus.SIGNED,
    "to_handle": AssignmentStatus.CONTACTED,
    "return_requests": AssignmentStatus.RETURN_REQUESTED,
}


class Counted(NamedTuple):
    """Rows of a list, each with when it is ``due``, and with the moment after which the list calls it
    overdue: a clock that stands still is due, and never late.
    """

    list: str
    due: Any
    late_after: Any
    waits: Sequence[Any]


async def read(act: ServiceAct) -> Worklist:
    """What waits for the caller: a unit, the desk or a supervisor."""
    caller = act.caller
    if caller is None:
        raise AssertionError("a worklist is somebody's")
    if caller.unit:
        found = await _tallies(act, await _of_unit(act, caller.unit))
    else:
        of_desk = OF_DESK if caller.role == "desk" else ()
        disputed = _by_due(
            "arbitrations", col(Arbitrations.due), await disputes.waits(act, caller.role)
        )
        found = await _tallies(act, [*of_desk, disputed, AWAITED])
        found["reforms"] = await _reforms(act)
        found["approvals"] = await _approvals(act, caller.role)
        if caller.role == "supervisor":
            found["catalogue_drafts"] = await _drafts(act)
    shown = ((code, line, found[code]) for code, line in LINES.items() if code in found)
    return Worklist(
        items=[
            line.counted(code, tally, unit=caller.unit, role=caller.role)
            for code, line, tally in shown
        ]
    )


# --- whose they are ----------------------------------------------------------------------------


def _by_due(code: str, due: Any, waits: Sequence[Any]) -> Counted:
    return Counted(code, due, due, waits)


OF_DESK = (
    _by_due("dangers", dues.DESK_DUE, (*lists.LEFT_TO_DESK, ENDANGERS)),
    _by_due("unassigned", dues.DESK_DUE, lists.LEFT_TO_DESK),
    _by_due("presses", presses.DUE, presses.PRESSED),
    _by_due("returns", col(Returns.review_due), lists.ASKED_BACK),
    _by_due("completion_requests", forms.DUE, forms.REQUESTED),
    _by_due("waits", waits.DUE, waits.ASKED),
    _by_due("audits", forms.DUE, forms.AUDITED),
)


AWAITED = _by_due("whistles", whistles.DUE, whistles.AWAITED)


async def _of_unit(act: ServiceAct, unit: str) -> list[Counted]:
    own = await lists.in_hand(act, unit, Whose())
    handed_down = await lists.in_hand(act, unit, Whose(handed_down=True))
    status, role = col(Assignments.status), col(Assignments.role)
    orders = {
        **{code: [*own, status == each] for code, each in OF_STATUS.items()},
        "to_attend": [*own, *whistles.AWAITED],
        "co_handling": [*own, role == Role.CO],
        "handed_down": handed_down,
    }
    heard_in = await disputes.waits(act)
    return [
        *(Counted(code, dues.NEXT_DUE, dues.RUNNING_DUE, waits) for code, waits in orders.items()),
        _by_due("heard_in", col(Arbitrations.due), heard_in),
    ]


async def _reforms(act: ServiceAct) -> Tally:
    """Reforms the caller may approve: another person proposed them."""
    waits = col(Reforms.approved_at).is_(None), col(Reforms.withdrawn_at).is_(None)
    rows = await act.session.exec(select(Reforms).where(*waits))
    others = [row for row in rows if person(row.proposed_by) != person(act.actor)]
    return Tally.of((row.effective_at for row in others), act.now)


async def _approvals(act: ServiceAct, role: str) -> Tally:
    """What the caller may grant: other persons asked for it. It is due at once, and nobody's clock."""
    query = select(Approvals.what, Approvals.asked_by).select_from(Tickets)
    rows = await act.session.exec(query.where(*approvals.WAITING))
    others = [by for what, by in rows if role in DECIDERS[what] and person(by) != person(act.actor)]
    return Tally(len(others))


async def _drafts(act: ServiceAct) -> Tally:
    """Drafts the caller may publish: other persons wrote them. Nothing says when they are due."""
    waits = col(Editions.version).is_(None), col(Editions.discarded_at).is_(None)
    rows = await act.session.exec(select(Editions.authors).where(*waits))
    others = [row for row in rows if person(act.actor) not in map(person, row)]
    return Tally(len(others))


# --- counted -----------------------------------------------------------------------------------


async def _tallies(act: ServiceAct, counted: Iterable[Counted]) -> dict[str, Tally]:
    """Each of these, in one statement; what is due is asked once a row, whatever is then made of it."""
    found: dict[str, Tally] = {each.list: Tally() for each in counted}
    rows = union_all(
        *(
            select(
                literal(each.list).label("list"),
                each.due.label("due"),
                each.late_after.label("late_after"),
            ).where(*each.waits)
            for each in counted
        )
    ).subquery()
    late = func.count().filter(rows.c.late_after < act.now)
    query = select(rows.c.list, func.count(), late, func.min(rows.c.due)).group_by(rows.c.list)
    for code, total, overdue, due in await act.session.exec(query):
        found[code] = Tally(total, overdue, due)
    return found
