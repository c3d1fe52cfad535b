"""办结表: the form of R-21, and requests to end a matter without an answer, which the hotline rules on
(R-15, R-20, WF-21; docs/adr/0055-nothing-ends-by-a-units-own-word.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam
from sqlmodel import col, select

from services.dispatcher import answering, orders, records, returning, schemas, views
from services.dispatcher.completion.schemas import EndRuling, EndWithdrawal
from services.dispatcher.models import (
    Assignment,
    Assignments,
    CompletionForm,
    CompletionForms,
    Contacts,
    Return,
)
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.reform import following
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import completion, handing_down, hotline_reasons, leaving
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.completion import (
    ContactNotOnRecord,
    NoRequestPending,
    RequestPending,
)
from shared import events
from shared.errors import Malformed, UnknownCode
from shared.events import CompletionKind, Role, Urgency

# What of a form goes its own way: numbers confirmed, a name of old, what only the desk reads.
ASIDE = {"public_numbers", "internal_result", "contact_number"}
SAME_CALL = timedelta(minutes=1)  # a form says when, to the minute
# Of units in a round of a ticket, the last first.
CONTACTS = (
    select(Contacts.made_at, Contacts.outcome)
    .join(Assignments, col(Assignments.id) == col(Contacts.assignment))
    .where(
        Assignments.ticket == bindparam("ticket"),
        col(Assignments.unit) == any_(bindparam("units", type_=ARRAY(Text))),
        Assignments.round == bindparam("round"),
    )
    .order_by(col(Contacts.made_at).desc())
)


# --- the form ----------------------------------------------------------------------------------


async def answer_of(
    act: ServiceAct, assignment: Assignment, body: schemas.Completion
) -> events.AssignmentCompleted:
    """A form as a fact: what is on record fills in what it leaves out. Raises ContactNotOnRecord for a
    contact at a time of which there is no record, UnknownCode for a reason that is in no table.
    """
    codes = act.config.codes.unsolved
    if body.unsolved_reason_code is not None and body.unsolved_reason_code not in codes:
        raise UnknownCode(body.unsolved_reason_code, field="unsolved_reason_code", allowed=codes)
    form = body.model_dump(exclude=ASIDE)
    form["result"] = body.internal_result or body.result
    form["contacted"] = assignment.reached if body.contacted is None else body.contacted
    form["contact_time"] = await contact_time(act, assignment, body.contact_time)
    form["promised_date"] = body.promised_date and body.promised_date.isoformat()
    return events.AssignmentCompleted(role=Role(assignment.role), **form)


async def contact_time(
    act: ServiceAct, assignment: Assignment, claimed: datetime | None
) -> datetime | None:
    """Which recorded contact it was that reached the citizen, under whichever order its unit had in the
    round, or those it follows; the last of them where none is named.
    """
    if not assignment.reached and claimed is None:
        return None
    former = (each["unit"] for each in assignment.former)
    people = {assignment.unit, *former, *following.followed_by(act, assignment.unit)}
    asked = {"ticket": assignment.ticket, "units": sorted(people), "round": assignment.round}
    made = (await act.session.exec(CONTACTS, params=asked)).all()
    reached = [at for at, outcome in made if _reached(outcome)]
    if claimed is None:
        return next(iter(reached), None)
    found = [at for at in reached if abs(at - claimed) < SAME_CALL]
    if not found:
        raise ContactNotOnRecord(field="contact_time")
    return found[0]


def _reached(outcome: str) -> bool:
    return machine.is_answer(events.ContactOutcome(outcome))


def kept(answer: events.AssignmentCompleted, number: str | None) -> dict[str, Any]:
    """A form as its order keeps it: the fact, and of the number called what tells which it was."""
    return answer.model_dump(mode="json") | ({"contact_number": number} if number else {})


def sent_in(
    act: ServiceAct,
    assignment: Assignment,
    answer: events.AssignmentCompleted,
    body: schemas.Completion,
) -> CompletionForm:
    """A form on record, as it was sent in."""
    form = CompletionForm(
        id=orders.new_id(),
        ticket=assignment.ticket,
        assignment=assignment.id,
        unit=assignment.unit,
        round=assignment.round,
        kind=answer.kind,
        asks=False,
        form=kept(answer, body.contact_number),
        submitted_at=act.now,
    )
    return act.rows.add(form)


# --- asked by a unit ---------------------------------------------------------------------------


async def request(
    act: ServiceAct, record: TicketRecord, assignment: Assignment, body: schemas.Completion
) -> schemas.AssignmentOut:
    """申请终止办理 or 非本单位职责: the hotline has to rule, by a due moment; the unit's clock runs on.

    Raises HandedDown, RequestPending, ReturnAfterRuling, and what rules/completion.py raises.
    """
    returning.check_not_handed_down(record, assignment)
    answer = await answer_of(act, assignment, body)
    today = act.now.astimezone(act.config.calendar.tz).date()
    refused = record.past.refused[assignment.id] if record.past else ()
    completion.ask(record.work(assignment), answer, today, refused)
    if assignment.pending:
        raise RequestPending
    if answer.kind is CompletionKind.NOT_OUR_DUTY:
        await returning.check_may_disown(act, record, assignment)
    rules, form = act.config.audit, sent_in(act, assignment, answer, body)
    form.asks, form.due = True, rules.ruled_by(act.now, act.config.calendar)
    assignment.pending = pending(form)
    data = events.AssignmentEndRequested(
        request=form.id,
        kind=answer.kind,
        reason=answer.result,
        public_answer=answer.public_answer,
        signed_off_by=answer.signed_off_by,
        review=str(rules.request_review),
        pauses=rules.pauses_for(Urgency(assignment.urgency), act.config.returns)
        and not await _asked_before(act, assignment),
    )
    orders.tell(act, assignment, data)
    answered = views.assignment_out(act, record, assignment)
    return answered.model_copy(update={"warnings": schemas.warnings_of(body)})


def pending(form: CompletionForm) -> dict[str, Any]:
    """What an order shows of a form that waits."""
    shown = schemas.Pending.model_validate(
        {
            "id": form.id,
            "what": "request" if form.asks else "audit",
            "kind": form.kind,
            "since": form.submitted_at,
            "due": form.due,
        }
    )
    return shown.model_dump(mode="json")


async def _asked_before(act: ServiceAct, assignment: Assignment) -> bool:
    """Whether an order stood still for a request before: it does so once."""
    query = select(CompletionForms.id).where(
        CompletionForms.assignment == assignment.id, col(CompletionForms.asks).is_(True)
    )
    return (await act.session.exec(query.limit(1))).first() is not None


async def withdraw(act: ServiceAct, id: UUID, body: EndWithdrawal) -> schemas.AssignmentOut:
    """撤回申请: the unit goes on and may ask again. Raises NotFound, NoRequestPending."""
    record, assignment = await records.locked_assignment(act, id)
    form = await waiting(act, assignment)
    _take_back(act, assignment, form, "withdrawn", body.reason)
    return views.assignment_out(act, record, assignment)


async def overtake(act: ServiceAct, assignment: Assignment) -> None:
    """A request of the same order falls away when its unit answers after all."""
    if assignment.pending and AssignmentStatus(assignment.status) in machine.OPEN:
        form = await waiting(act, assignment)
        _take_back(act, assignment, form, "overtaken", str(hotline_reasons.answered_after_all()))


def _take_back(
    act: ServiceAct, assignment: Assignment, form: CompletionForm, outcome: str, reason: str
) -> None:
    decide(act, assignment, form, outcome, reason)
    data = events.AssignmentEndWithdrawn(request=form.id, reason=reason, spent=True)
    orders.tell(act, assignment, data)


async def waiting(act: ServiceAct, assignment: Assignment) -> CompletionForm:
    """The request of an order that waits for a ruling. Raises NoRequestPending."""
    known = assignment.pending or {}
    if known.get("what") != "request" or assignment.status not in machine.OPEN:
        raise NoRequestPending
    query = select(CompletionForms).where(CompletionForms.id == UUID(known["id"]))
    [form] = await act.rows.load(CompletionForm, query)
    return form


def decide(
    act: ServiceAct,
    assignment: Assignment,
    form: CompletionForm,
    outcome: str,
    grounds: str,
    *,
    silent: bool = False,
) -> None:
    """What became of a form: on record, and nothing to be decided any more."""
    form.outcome, form.grounds, form.silent = outcome, grounds, silent
    form.decided_at, form.decided_by = act.now, act.actor
    assignment.pending = None


# --- ruled on ----------------------------------------------------------------------------------


async def rule(act: ServiceAct, id: UUID, body: EndRuling) -> schemas.AssignmentOut:
    """终止办理裁定: refused, the unit goes on; granted, the ticket is the desk's to assign again, or it ends
    with what the citizen is told. The citizen is told why either way it ends (R-20).

    Raises NotFound, NoRequestPending, Malformed, UnknownCode, AmbiguousCode.
    """
    record, assignment = await records.locked_assignment(act, id)
    form = await waiting(act, assignment)
    if not body.granted:
        refuse(act, assignment, form, body.ruling)
        return views.assignment_out(act, record, assignment)
    disowned = form.kind == CompletionKind.NOT_OUR_DUTY
    outcome = body.outcome or ("returned" if disowned else "resolved")
    if outcome == "returned" and not disowned:
        raise Malformed(ONLY_DISOWNED, field="outcome")
    decide(act, assignment, form, "granted", body.ruling)
    kind = CompletionKind(form.kind)
    granted = events.AssignmentEndGranted(
        request=form.id, kind=kind, outcome=outcome, ruling=body.ruling
    )
    orders.tell(act, assignment, granted)
    if outcome == "returned":
        named = body.named_unit and records.unit_code(act, "named_unit", body.named_unit)
        asked = _as_return(form, named or None)
        await returning.take_back(act, record, assignment, asked, body.ruling)
    else:
        _end(act, record, assignment, form, body.public_answer)
    return views.assignment_out(act, record, assignment)


ONLY_DISOWNED = (
    "仅“非本单位职责”的申请可退回重新派单 only a request of not_our_duty_confirmed can give the ticket back"
    " to the desk"
)


def refuse(
    act: ServiceAct,
    assignment: Assignment,
    form: CompletionForm,
    ruling: str,
    *,
    silent: bool = False,
) -> None:
    """不予同意: the unit goes on where it was, and its clock never stood still."""
    decide(act, assignment, form, "refused", ruling, silent=silent)
    data = events.AssignmentEndRefused(
        request=form.id, kind=CompletionKind(form.kind), ruling=ruling, silent=silent
    )
    orders.tell(act, assignment, data)


def _as_return(form: CompletionForm, named: str | None) -> Return:
    """A granted request that said it was another's duty is a return on record like any other."""
    return Return(
        id=form.id,
        ticket=form.ticket,
        assignment=form.assignment,
        unit=form.unit,
        reason_code="not_our_duty",
        legal_basis=form.form["result"][:2_000],
        approver=form.form["signed_off_by"],
        note="",
        requested_at=form.submitted_at,
        review_due=form.due,
        named_unit=named,
    )


def _end(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    form: CompletionForm,
    public_answer: str | None,
) -> None:
    """The order ends as it was asked. The hotline has looked at it, so there is nothing to audit."""
    answer = events.AssignmentCompleted.on_record(form.form)
    orders.end_wait(act, assignment, "answered")
    if public_answer:
        answer = answer.model_copy(update={"public_answer": public_answer})
    assignment.status = machine.move(AssignmentStatus(assignment.status), Action.COMPLETE)
    assignment.completion = kept(answer, form.form.get("contact_number"))
    orders.tell(act, assignment, answer)
    leads = assignment.role == Role.LEAD
    going = record.open() if leads else handing_down.below(assignment, record.open())
    orders.cancel(act, record, going, "redispatched", act.now, leaving.ENDED_HERE)
    if leads:
        answering.resolve(act, record, assignment, answer)
