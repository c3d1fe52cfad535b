"""派单说明 Why a ticket went where it is: the rule that decided, and why the next ones did not.

The desk and supervisors read all of it. A unit reads why it has its own order, in the words its order
came with, and nothing of other rules; one that must know nothing of the ticket is told that there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from services.dispatcher import records
from services.dispatcher.approvals import views as approvals
from services.dispatcher.catalogue import catalogues
from services.dispatcher.catalogue.schemas import ConditionOut, ExplanationOut, RuleOut
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.dispatch import Dispatching
from services.dispatcher.rules.explaining import Condition, Explainer, Seen
from services.dispatcher.rules.reasons import Reason, as_kept
from shared.errors import NotFound
from shared.events import TicketRegistered
from shared.http.fields import Sentence
from shared.jurisdiction.wording import text_of

NOBODY = Reason(
    "目录未能派单，待派单员指定", "The catalogue gave it to nobody: the desk assigns it"
)
CHANGED = Reason(
    "工单或紧急程度规则在派单后有变，按当时的目录现在会是另一结果",
    "The ticket or urgency.yaml was changed since: under the catalogue of then another rule would decide now",
)


async def explain(act: ServiceAct, number: str, most: int) -> ExplanationOut:
    """Why a ticket is where it is, as the caller may know it. Raises NotFound."""
    record = await records.read(act, number)
    if act.caller and act.caller.unit:
        return _own(act, record, act.caller.unit)
    newest = record.assignments[::-1]
    order = next((each for each in newest if each.rule), newest[0] if newest else None)
    ruled = order is not None and order.rule is not None
    version = order.catalogue_version if order and ruled else record.ticket.catalogue_version
    found = _of_order(number, order, version, _said(record, order))
    found.approvals = await approvals.of_ticket(act, record)
    rules = await catalogues.under(act, version) if version else None
    if rules is None:
        return found
    return await asyncio.to_thread(_explained, found, record, order, rules, most)


def _own(act: ServiceAct, record: TicketRecord, unit: str) -> ExplanationOut:
    """What a unit reads of its newest order, while it is its own."""
    theirs = [
        each for each in record.assignments if each.unit == unit and each.status not in machine.GONE
    ]
    if not theirs or records.recused_caller(act, record):
        raise NotFound
    order = theirs[-1]
    number, version = record.ticket.number, order.catalogue_version
    return _of_order(number, order, version, as_kept(order.reason))


def _said(record: TicketRecord, order: Assignment | None) -> Reason:
    """The ground of its newest order; where it has none, why nobody has it."""
    if order:
        return as_kept(order.reason)
    if record.joined:
        number = record.joined.ticket.number
        return Reason(f"与 {number} 并单办理", f"Worked on as one with {number}")
    return as_kept(record.ticket.unassigned_reason) if record.ticket.unassigned_reason else NOBODY


def _of_order(
    number: str, order: Assignment | None, version: int | None, why: Reason
) -> ExplanationOut:
    return ExplanationOut(
        number=number,
        catalogue_version=version,
        rule=order.rule if order else None,
        unit=order.unit if order else None,
        order=order.id if order else None,
        sentence=_sentence(why),
    )


def _explained(
    found: ExplanationOut,
    record: TicketRecord,
    order: Assignment | None,
    rules: Dispatching,
    most: int,
) -> ExplanationOut:
    explainer = Explainer(rules.matcher, rules.names)
    seen, winner = _as_then(record, order, rules, explainer)
    as_then = order is None or winner is None or winner.id == order.rule
    if order and winner is None:
        as_then = False
    decided = next(
        (rule for rule in rules.matcher.rules if order and rule.id == order.rule), winner
    )
    others = explainer.others(decided, seen, most)
    return found.model_copy(
        update={
            "as_then": as_then,
            "sentence": found.sentence if as_then else _sentence(CHANGED),
            "winner": _rule_out(decided, explainer, seen) if decided else None,
            "others": [
                RuleOut(
                    id=each.rule.id,
                    place=each.place,
                    lead=each.rule.lead,
                    conditions=[*_conditions(each.conditions)],
                    sentence=_sentence(each.why),
                )
                for each in others
            ],
        }
    )


def _as_then(
    record: TicketRecord, order: Assignment | None, rules: Dispatching, explainer: Explainer
) -> tuple[Seen, Rule | None]:
    """The ticket as it was decided: as it is now, else as it was registered, whichever gives that order."""
    found = []
    for matter in _matters(record):
        text = text_of(matter.title, matter.content)
        alarms = rules.urgency.alarms(matter.type, text)
        seen = Seen(matter, text, alarms, record.ticket.registered_at)
        found.append((seen, explainer.winner(seen)))
    same = (each for each in found if order and each[1] and each[1].id == order.rule)
    return next(same, found[0])


def _matters(record: TicketRecord) -> Iterator[TicketRegistered]:
    yield record.matter
    if corrected := record.ticket.corrected:
        was = {field: each["was"] for field, each in corrected.items() if "was" in each}
        yield TicketRegistered.on_record(record.ticket.matter | was)


def _rule_out(rule: Rule, explainer: Explainer, seen: Seen) -> RuleOut:
    return RuleOut(
        id=rule.id,
        place=explainer.place(rule),
        lead=rule.lead,
        conditions=[*_conditions(explainer.conditions(rule, seen))],
        sentence=Sentence(zh=rule.reason, en=f"Rule {rule.id}"),
    )


def _conditions(met: Sequence[Condition]) -> Iterator[ConditionOut]:
    for each in met:
        yield ConditionOut(
            condition=each.condition,
            asked=list(each.asked),
            saw=list(each.saw),
            held=each.held,
            sentence=_sentence(each.why),
        )


def _sentence(why: Reason) -> Sentence:
    return Sentence(zh=why.zh, en=why.en)
