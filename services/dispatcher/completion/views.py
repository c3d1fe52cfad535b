"""办结审核与终止申请待办: completion forms that wait for the hotline, what is due first (ADR 0052, 0055)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, func, select

from services.dispatcher import views
from services.dispatcher.completion.schemas import ContactOut, FindingOut, FormOut, FormPage
from services.dispatcher.models import (
    Assignment,
    Assignments,
    CompletionForm,
    CompletionForms,
    Contacts,
    Ticket,
    Tickets,
)
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.settings import Config
from services.dispatcher.worklists import lists
from services.dispatcher.worklists.narrowing import RANK, conditions, last_place, next_place
from services.dispatcher.worklists.schemas import Narrowing
from shared.http.fields import Sentence
from shared.storage.rows import one_of

DUE = col(CompletionForms.due)
WAITS = (
    col(CompletionForms.outcome).is_(None),
    DUE.is_not(None),
    col(Assignments.id) == col(CompletionForms.assignment),
    col(Tickets.number) == col(CompletionForms.ticket),
)
REQUESTED = (
    *WAITS,
    col(CompletionForms.asks).is_(True),
    col(Assignments.status).in_(machine.OPEN),
)
AUDITED = (
    *WAITS,
    col(CompletionForms.asks).is_(False),
    col(Assignments.status) == AssignmentStatus.COMPLETED,
    col(Tickets.withdrawn_at).is_(None),
    col(Tickets.round) == col(CompletionForms.round),
    func.greatest(col(Tickets.resolved), col(Tickets.closed)) < col(Tickets.round),
)


async def waiting(
    act: ServiceAct, which: Sequence[Any], narrowed: Narrowing, after: str | None, limit: int
) -> FormPage:
    """Forms that wait for the hotline, the most urgent first, of each what is due first. ``which``:
    REQUESTED or AUDITED.

    Raises UnknownCode, AmbiguousCode, BadCursor.
    """
    waits = [*which, *conditions(act, narrowed)]
    if narrowed.unit:
        waits.append(col(CompletionForms.unit) == narrowed.unit)
    place = tuple_(RANK, DUE, col(CompletionForms.id))
    query = select(*place.clauses, Tickets, Assignments, CompletionForms).where(*waits)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    shown = rows[:limit]
    clocks = await lists.clocks_of(act, (row[-1].ticket for row in shown))
    contacts, sent_back = await _beside(act, [row[-2].id for row in shown])
    items = [
        _form_out(
            act,
            *row[-3:],
            citizen_due=lists.citizen_due(clocks, row[-1].ticket),
            contacts=contacts[row[-2].id],
            sent_back=sent_back[row[-2].id],
        )
        for row in shown
    ]
    counted = select(Tickets.urgency, *lists.how_many(act, DUE))
    counts = await lists.counts_of(act, counted, waits)
    return FormPage(items=items, next=next_place(act, rows, limit), counts=counts)


def why_unsolved(config: Config, code: str | None) -> Sentence | None:
    """What the code of an unsolved matter means; None where none was given."""
    known = (term for term in config.codes.unsolved_reasons if term.code == code)
    return next((Sentence(zh=term.zh, en=term.en or term.zh) for term in known), None)


async def _beside(
    act: ServiceAct, orders: Sequence[UUID]
) -> tuple[Mapping[UUID, list[ContactOut]], Mapping[UUID, int]]:
    """The contacts on record of some orders, and how often their answers were sent back."""
    made: dict[UUID, list[ContactOut]] = defaultdict(list)
    query = select(Contacts).where(one_of(Contacts.assignment, orders))
    for each in await act.session.exec(query.order_by(col(Contacts.made_at))):
        made[each.assignment].append(ContactOut.model_validate(each, from_attributes=True))
    back = (
        select(CompletionForms.assignment, func.count())
        .where(one_of(CompletionForms.assignment, orders), CompletionForms.outcome == "sent_back")
        .group_by(col(CompletionForms.assignment))
    )
    return made, Counter(dict((await act.session.exec(back)).all()))


def _form_out(
    act: ServiceAct,
    ticket: Ticket,
    order: Assignment,
    form: CompletionForm,
    *,
    citizen_due: Any,
    contacts: list[ContactOut],
    sent_back: int,
) -> FormOut:
    record = TicketRecord(ticket, [order])
    shown = {"id", "assignment", "round", "unit", "kind", "submitted_at", "due"}
    return FormOut(
        **form.model_dump(include=shown),
        **record.matter.model_dump(include=lists.MATTER),
        **order.model_dump(include={"role", "dispatched_at"}),
        number=ticket.number,
        form=views.shown_form(form.form),
        unsolved=why_unsolved(act.config, form.form.get("unsolved_reason_code")),
        findings=[
            FindingOut(
                check=each["check"],
                sentence=Sentence(zh=each["zh"], en=each["en"]),
                tickets=each["tickets"],
            )
            for each in form.findings
        ],
        contacts=contacts,
        sent_back=sent_back,
        urgency=ticket.urgency,
        shield=views.shield(act, record),
        citizen_due=citizen_due,
    )
