"""办结审核: a lead's answer is checked before its citizen is called, and looked at by a person where
audit.yaml says so (R-22, JN-27; docs/adr/0055-nothing-ends-by-a-units-own-word.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, bindparam, text
from sqlmodel import col, func, select

from services.dispatcher import answering, orders, records, schemas, views
from services.dispatcher.completion import completing
from services.dispatcher.completion.schemas import Audit
from services.dispatcher.models import (
    Assignment,
    CompletionForm,
    CompletionForms,
    Tickets,
)
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import answers, hotline_reasons
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import audit as rules
from services.dispatcher.rules.audit import Answered, Demand, NotAuditable, Other
from shared import events
from shared.events import CompletionKind, TicketRegistered, Urgency

COMPARED = 50  # answers, the newest of those that may be the same
MOMENT = timedelta(seconds=1)  # at the due moment itself the desk may still decide
MOST_TOLD = 20  # answers that were sent back before, in one fact
LIKE = (
    select(
        CompletionForms.ticket,
        CompletionForms.unit,
        col(CompletionForms.form)["public_answer"].as_string(),
        func.concat_ws("\n", *(col(Tickets.matter)[name].as_string() for name in Demand._fields)),
    )
    .join(Tickets, col(Tickets.number) == col(CompletionForms.ticket))
    .where(
        col(CompletionForms.bands).op("&&")(bindparam("bands", type_=ARRAY(Integer))),
        col(CompletionForms.submitted_at) >= bindparam("since"),
        col(CompletionForms.asks).is_(False),
    )
    .order_by(col(CompletionForms.submitted_at).desc(), col(CompletionForms.id).desc())
    .limit(COMPARED)
)
# Answers that come at once are compared, too: one transaction after the other, and within one in turn.
IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('answers'))")
ANSWERED_HERE = "answers of this act"


# --- checked -----------------------------------------------------------------------------------


async def check(
    act: ServiceAct,
    record: TicketRecord,
    lead: Assignment,
    answer: events.AssignmentCompleted,
    body: schemas.Completion,
) -> events.AssignmentCompleted:
    """Check a lead's answer and keep what was found; it comes back with the audit it waits for, or without
    one when it passes at once.
    """
    policy = act.config.audit
    answered = await _answered(act, record, lead, answer, body.hidden)
    findings = rules.check(answered, policy)
    form = completing.sent_in(act, lead, answer, body)
    whole = _demand(record.matter).whole
    _answered_here(act).append(Other(lead.ticket, lead.unit, whole, answer.public_answer))
    form.bands = answers.bands(answer.public_answer)
    form.findings = [each._asdict() for each in findings]
    _tell_alike(act, lead, findings)
    update: dict[str, object] = {"sent_back": await _sent_back(act, lead)}
    if policy.needs_person(answered, findings):
        form.due = policy.audited_by(act.now, act.config.calendar)
        lead.pending = completing.pending(form)
        update |= {"audit": form.id, "audit_limit": str(policy.completion_audit)}
    else:
        completing.decide(act, lead, form, "passed", str(hotline_reasons.passed_at_once()))
        form.decided_by = "service:dispatcher"
    return answer.model_copy(update=update)


async def _answered(
    act: ServiceAct,
    record: TicketRecord,
    lead: Assignment,
    answer: events.AssignmentCompleted,
    hidden: Sequence[str],
) -> Answered:
    matter, work = record.matter, record.work(lead)
    added = await records.added(act, record)
    return Answered(
        number=lead.ticket,
        round=lead.round,
        type=matter.type,
        urgency=Urgency(lead.urgency),
        kind=answer.kind,
        demanded=[
            _demand(matter),
            *(_demand(each.matter) for each in record.waiting_with()),
            *(Demand("", each) for each in added.newest if answers.asks(each)),
        ],
        public_answer=answer.public_answer,
        corrected=_corrected(record, lead),
        contact_duty=work.contact_duty,
        attempts=lead.attempts,
        reached=lead.reached,
        hidden=hidden,
        others=await _others(act, record, answer),
    )


def _tell_alike(act: ServiceAct, lead: Assignment, findings: Sequence[rules.Finding]) -> None:
    """雷同: said once to nobody, for who counts such things (gain 6); the unit need not know of others."""
    for each in findings:
        if each.check is rules.Check.COPIED:
            act.tell(
                events.AnswerFoundAlike(tickets=each.tickets),
                subject=lead.ticket,
                round=lead.round,
                assignment=lead.id,
                actor="service:dispatcher",
            )


def _demand(matter: TicketRegistered) -> Demand:
    return Demand(matter.title, matter.content)


def _corrected(record: TicketRecord, lead: Assignment) -> list[tuple[str, str, str]]:
    """Type and topic, where they were changed since the unit got the ticket; of a change by an older
    release it is not known when that was.
    """
    found, now = [], record.matter.model_dump(mode="json")
    for field, changed in (record.ticket.corrected or {}).items():
        at = changed.get("at")
        since = at is None or datetime.fromisoformat(at) >= lead.dispatched_at
        if field in ("type", "topic") and since and changed.get("was") != now[field]:
            found.append((field, str(changed.get("was")), str(now[field])))
    return found


async def _others(
    act: ServiceAct, record: TicketRecord, answer: events.AssignmentCompleted
) -> list[Other]:
    """Answers to other tickets that may be the same; what is worked on as one has one answer. Of two that
    are sent in at once, one is the later: whoever pastes an answer under thirty tickets sends thirty.
    """
    await (await act.session.connection()).execute(IN_TURN)
    own = {record.ticket.number, *(each.ticket.number for each in record.group)}
    values = {
        "bands": answers.bands(answer.public_answer),
        "since": act.config.audit.copied_since(act.now),
    }
    found = (await act.session.exec(LIKE, params=values)).all()
    before = [
        Other(number, unit, demanded, public_answer)
        for number, unit, public_answer, demanded in found
    ]
    return [each for each in (*_answered_here(act), *before) if each.number not in own]


def _answered_here(act: ServiceAct) -> list[Other]:
    """What this transaction answered itself, which no query finds before its end."""
    answered: list[Other] = act.locked.setdefault(ANSWERED_HERE, [])
    return answered


async def _sent_back(act: ServiceAct, lead: Assignment) -> tuple[events.SentBack, ...]:
    if lead.sent_back is None:
        return ()
    query = select(CompletionForms).where(
        CompletionForms.assignment == lead.id, CompletionForms.outcome == "sent_back"
    )
    rows = (await act.session.exec(query.order_by(col(CompletionForms.submitted_at)))).all()
    return tuple(
        events.SentBack(
            audit=row.id,
            completed_at=row.submitted_at,
            sent_back_at=row.decided_at,
            pauses=row.pauses,
        )
        for row in rows[-MOST_TOLD:]
    )


# --- by a person -------------------------------------------------------------------------------


async def audit(act: ServiceAct, id: UUID, body: Audit) -> schemas.AssignmentOut:
    """办结审核: the answer passes and its citizen is called; it is sent back, and the unit goes on in the
    same round; or the desk ends the matter, explained to the citizen. Raises NotFound, NotAuditable.
    """
    record, lead = await records.locked_assignment(act, id)
    form = await _waiting(act, record, lead)
    match body.outcome:
        case "passed":
            _pass(act, record, lead, form, body.grounds)
        case "sent_back":
            await _send_back(act, lead, form, body.grounds)
        case "terminated":
            _terminate(act, record, lead, form, body)
    return views.assignment_out(act, record, lead)


async def _waiting(act: ServiceAct, record: TicketRecord, lead: Assignment) -> CompletionForm:
    known = lead.pending or {}
    if known.get("what") != "audit" or not record.under_audit:
        raise NotAuditable
    [form] = await act.rows.load(
        CompletionForm, select(CompletionForms).where(CompletionForms.id == UUID(known["id"]))
    )
    return form


def _pass(
    act: ServiceAct,
    record: TicketRecord,
    lead: Assignment,
    form: CompletionForm,
    grounds: str,
    *,
    silent: bool = False,
    terminated: bool = False,
) -> None:
    outcome = "terminated" if terminated else "passed"
    completing.decide(act, lead, form, outcome, grounds, silent=silent)
    data = events.AssignmentAuditPassed(
        audit=form.id,
        completed_at=form.submitted_at,
        audit_limit=str(act.config.audit.completion_audit),
        grounds=grounds,
        terminated=terminated,
        silent=silent,
    )
    orders.tell(act, lead, data)
    answer = events.AssignmentCompleted.on_record(lead.completion or form.form)
    answering.resolve(act, record, lead, answer)


async def _send_back(act: ServiceAct, lead: Assignment, form: CompletionForm, grounds: str) -> None:
    """退回: its completion is undone; co-handlers that answered stay as they are."""
    once = act.config.audit.unit_clock == "stands_still_once"
    form.pauses = once and not await _sent_back(act, lead)
    completing.decide(act, lead, form, "sent_back", grounds)
    lead.status, lead.completion = rules.undone(reached=lead.reached), None
    data = events.AssignmentSentBack(
        audit=form.id,
        completed_at=form.submitted_at,
        audit_limit=str(act.config.audit.completion_audit),
        grounds=grounds,
        findings=tuple(str(each["check"]) for each in form.findings),
        pauses=form.pauses,
    )
    lead.sent_back = data.model_dump(mode="json", include={"grounds", "findings"}) | {
        "audit": str(form.id),
        "at": act.now.isoformat(),
    }
    orders.tell(act, lead, data)


def _terminate(
    act: ServiceAct, record: TicketRecord, lead: Assignment, form: CompletionForm, body: Audit
) -> None:
    """终止办理: the desk's decision, and the desk's words to the citizen (R-20)."""
    ended = {
        "kind": CompletionKind.TERMINATED.value,
        "solved": False,
        "unsolved_reason": body.grounds,
        "public_answer": body.public_answer,
    }
    lead.completion = (lead.completion or form.form) | ended
    _pass(act, record, lead, form, body.grounds, terminated=True)


# --- by the clock ------------------------------------------------------------------------------


async def decide_undecided(act: ServiceAct, limit: int) -> int:
    """Do what the policy says of forms the desk let lie past their due moment; how many. What has fallen
    away meanwhile is overtaken.
    """
    query = (
        select(CompletionForms.ticket, CompletionForms.assignment, CompletionForms.id)
        .where(*_undecided(act), col(CompletionForms.due) <= act.now - MOMENT)
        .order_by(col(CompletionForms.due))
        .limit(limit)
    )
    late = (await act.session.exec(query)).all()
    await records.lock(act, {number for number, *_ in late})
    ids = [id for *_, id in late]
    found = select(CompletionForms).where(col(CompletionForms.id).in_(ids))
    forms = {form.id: form for form in await act.rows.load(CompletionForm, found)}
    for number, assignment, id in late:
        record = await records.locked(act, number)
        if forms[id].outcome is None:  # nobody decided before the lock
            own = next(each for each in record.assignments if each.id == assignment)
            _decide_silently(act, record, own, forms[id])
    return len(late)


def _undecided(act: ServiceAct) -> tuple[Any, ...]:
    """What the policy decides when nobody does."""
    waits = act.config.audit.silence == "waits"
    asked = col(CompletionForms.asks).is_(True)
    return (
        col(CompletionForms.outcome).is_(None),
        col(CompletionForms.due).is_not(None),
        *([asked] if waits else ()),
    )


def _decide_silently(
    act: ServiceAct, record: TicketRecord, assignment: Assignment, form: CompletionForm
) -> None:
    still = (assignment.pending or {}).get("id") == str(form.id)
    if still and form.asks and assignment.status in machine.OPEN:
        completing.refuse(
            act, assignment, form, str(hotline_reasons.no_end_by_silence()), silent=True
        )
    elif still and not form.asks and record.under_audit:
        _pass(act, record, assignment, form, str(hotline_reasons.passed_by_silence()), silent=True)
    else:
        form.outcome, form.decided_at, form.decided_by = "overtaken", act.now, act.actor


async def next_undecided(act: ServiceAct) -> datetime | None:
    """When the policy decides next on what the desk lets lie."""
    query = select(func.min(CompletionForms.due)).where(*_undecided(act))
    due: datetime | None = (await act.session.exec(query)).one()
    return due and due + MOMENT
