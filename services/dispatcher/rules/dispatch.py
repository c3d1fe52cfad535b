"""派单: which unit leads, who helps, how urgent it is and why, or why a person must say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from services.dispatcher.rules.catalogue import (
    TOWN,
    Matcher,
    Rule,
    explain,
    plain,
    prefixes,
    text_of,
)
from shared.errors import JiesuError
from shared.events import (
    AssignmentDispatched,
    Limits,
    Role,
    TicketRegistered,
    TicketReopened,
    TicketType,
    Urgency,
)

MOST_URGENT_FIRST = (Urgency.CRITICAL, Urgency.URGENT, Urgency.NORMAL)
REOPENED_FOR = {
    "not_contacted": "未联系 not contacted",
    "not_solved": "未解决 not solved",
    "not_satisfied": "不满意 not satisfied",
}


class Recused(JiesuError):
    """回避: the unit the complaint is about may neither lead nor help (R-35, JN-32)."""

    status = 409
    slug = "recused"
    title = "被反映单位须回避 The reported unit must withdraw"


class UrgencyRules(BaseModel):
    """``urgency_rules`` of policy.yaml: what is urgent whatever the caller asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    critical_keywords: tuple[Annotated[str, AfterValidator(plain)], ...] = ()
    urgent_topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """A dispatch by rule; ``reason`` says every condition in words."""

    rule: str
    lead: str
    co_handlers: tuple[str, ...]
    urgency: Urgency
    reason: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """No dispatch by rule: the desk must assign; ``nearest`` are rules to start from."""

    urgency: Urgency
    reason: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispatching:
    """The rules in force: catalogue, urgency, and the town of each area."""

    matcher: Matcher
    urgency: UrgencyRules
    towns: Mapping[str, str]

    def decide(self, ticket: TicketRegistered) -> Decision | Undecided:
        """Dispatch a ticket by the first rule that covers it, unless a guard forbids that."""
        text = text_of(ticket)
        rule = self.matcher.first(ticket, text)
        urgency, why = effective_urgency(ticket, text, rule, self.urgency)
        if rule is None:
            return Undecided(urgency, _no_rule(ticket), self.matcher.nearest(ticket.topic))
        lead, co_handlers = self._handlers(rule, ticket)
        if stopped := self._guard(rule, ticket, lead, co_handlers):
            return Undecided(urgency, stopped, (rule.id,))
        reason = "；".join((rule.reason, *explain(rule, ticket, text), *why))
        return Decision(rule.id, lead, co_handlers, urgency, reason)

    def _handlers(self, rule: Rule, ticket: TicketRegistered) -> tuple[str, tuple[str, ...]]:
        town = self.towns.get(ticket.area, "")
        named = [town if unit == TOWN else unit for unit in (rule.lead, *rule.co_handlers)]
        return named[0], helpers(named[0], filter(None, named[1:]))

    def _guard(
        self, rule: Rule, ticket: TicketRegistered, lead: str, co_handlers: tuple[str, ...]
    ) -> str:
        if not lead:
            return _no_town(rule, ticket)
        if ticket.reported_unit in (lead, *co_handlers):
            return _recused(rule, ticket)
        if lead in self.towns.values() and not rule.grassroots:
            return _not_for_towns(rule, lead)
        return ""


def helpers(lead: str, named: Iterable[str]) -> tuple[str, ...]:
    """Co-handlers in the order named, each once, the lead not among them (JN-29)."""
    return tuple(dict.fromkeys(unit for unit in named if unit != lead))


# --- orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """派单: who gets the ticket and why, decided by a rule, by hand, or to be done again."""

    lead: str
    co_handlers: tuple[str, ...]
    reason: str
    rule: str | None = None
    appointed: bool = False

    def roles(self) -> dict[str, Role]:
        """Each unit with its role, the lead first."""
        return {self.lead: Role.LEAD} | dict.fromkeys(self.co_handlers, Role.CO)


def by_rule(decision: Decision) -> Order:
    """An order as the catalogue decided."""
    return Order(decision.lead, decision.co_handlers, decision.reason, decision.rule)


def by_hand(ticket: TicketRegistered, lead: str, co_handlers: Iterable[str], reason: str) -> Order:
    """An order of the desk: any units but the reported one. Raises Recused."""
    order = Order(lead, helpers(lead, co_handlers), reason, appointed=True)
    if ticket.reported_unit in order.roles():
        raise Recused(field="lead" if ticket.reported_unit == lead else "co_handlers")
    return order


def again(lead: str, rule: str | None, round: int, said: TicketReopened) -> Order:
    """An order to do it again, to the lead who completed the round before (R-27)."""
    why = "；".join(REOPENED_FOR[reason] for reason in said.reasons)
    reason = f"第{round}轮重办，市民认为 Round {round}, the citizen says: {why}"
    return Order(lead, (), f"{reason}。{said.comment}" if said.comment else reason, rule)


def without_contact(limits: Limits, ticket: TicketRegistered) -> Limits:
    """Nobody has to contact who cannot or will not be contacted, so no clock may run for it."""
    spared = ticket.reply_declined or not ticket.has_contact
    return limits.model_copy(update={"first_contact": None}) if spared else limits


def work_order(
    ticket: TicketRegistered,
    order: Order,
    added: Sequence[str],
    *,
    role: Role,
    urgency: Urgency,
    limits: Limits,
    registered: datetime,
    redo: bool,
) -> AssignmentDispatched:
    """What one unit is told. ``added`` is what the citizen said since, in order.

    Of a confidential matter a unit learns the area only (DESIGN 7, JN-32).
    """
    notes = [f"【补充{count} Supplement {count}】{note}" for count, note in enumerate(added, 1)]
    return AssignmentDispatched(
        role=role,
        ticket_type=ticket.ticket_type,
        urgency=urgency,
        topic=ticket.topic,
        title=ticket.title,
        content="\n\n".join((ticket.content, *notes)),
        area=ticket.area,
        address=None if ticket.confidential else ticket.address,
        location=None if ticket.confidential else ticket.location,
        channel=ticket.channel,
        flags=ticket.flags,
        confidential=ticket.confidential,
        reply_declined=ticket.reply_declined,
        has_contact=ticket.has_contact,
        registered=registered,
        lead=order.lead,
        co_handlers=order.co_handlers,
        rule=order.rule,
        reason=order.reason,
        limits=limits,
        redo=redo,
    )


# --- urgency -----------------------------------------------------------------------------------


def effective_urgency(
    ticket: TicketRegistered, text: str, rule: Rule | None, rules: UrgencyRules
) -> tuple[Urgency, tuple[str, ...]]:
    """The most urgent of what was asked, what the rule says and what the policy says, and why.

    ``complex`` lengthens the limit to 15 working days: a citizen's wish or a form cannot grant it,
    only the desk can (SH-DN). A commendation is passed on, not handled, so nothing hurries it.
    """
    if ticket.ticket_type is TicketType.COMMENDATION:
        return Urgency.NORMAL, ()
    urgency: Urgency = Urgency.NORMAL if ticket.urgency is Urgency.COMPLEX else ticket.urgency
    why = ""
    for level, ground in (_by_rule(rule), _by_policy(ticket, text, rules)):
        if MOST_URGENT_FIRST.index(level) < MOST_URGENT_FIRST.index(urgency):
            urgency, why = level, ground
    return urgency, (why,) if why else ()


def _by_rule(rule: Rule | None) -> tuple[Urgency, str]:
    level = rule.urgency if rule and rule.urgency else Urgency.NORMAL
    return level, f"规则定为 {level} the rule makes it {level}"


def _by_policy(ticket: TicketRegistered, text: str, rules: UrgencyRules) -> tuple[Urgency, str]:
    for word in rules.critical_keywords:
        if word in text:
            return Urgency.CRITICAL, f"提到“{word}”，定为特急 {word!r} makes it critical"
    for matter in rules.urgent_topics:
        if matter in (*prefixes(ticket.topic), *ticket.flags):
            return Urgency.URGENT, f"{matter} 类定为紧急 {matter} makes it urgent"
    return Urgency.NORMAL, ""


# --- why not -----------------------------------------------------------------------------------


def _no_rule(ticket: TicketRegistered) -> str:
    return (
        f"派单目录没有适用于事项 {ticket.topic}、地区 {ticket.area} 的规则 "
        f"No rule of the catalogue covers topic {ticket.topic} in area {ticket.area}"
    )


def _no_town(rule: Rule, ticket: TicketRegistered) -> str:
    return (
        f"规则 {rule.id} 派给属地镇，但地区 {ticket.area} 没有对应的镇 "
        f"Rule {rule.id} names the town of the area, and {ticket.area} has none"
    )


def _recused(rule: Rule, ticket: TicketRegistered) -> str:
    return (
        f"规则 {rule.id} 指向被反映单位 {ticket.reported_unit}，该单位须回避 "
        f"Rule {rule.id} names the reported unit {ticket.reported_unit}, which must withdraw"
    )


def _not_for_towns(rule: Rule, lead: str) -> str:
    return (
        f"规则 {rule.id} 的事项不在镇职责清单内，不得派给 {lead} "
        f"Rule {rule.id} is not in the towns' duty list, so {lead} may not lead (GB66-5)"
    )
