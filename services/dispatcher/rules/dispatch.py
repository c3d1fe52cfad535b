"""派单: which unit leads, who helps, how urgent it is and why, or why a person must say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from services.dispatcher.rules import reasons
from services.dispatcher.rules.catalogue import TOWN, Matcher, Rule, plain, prefixes, text_of
from services.dispatcher.rules.reasons import Names, Reason
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
    """A dispatch by rule; ``reason`` says every condition in words (rules/reasons.py)."""

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
    """The rules in force: catalogue, urgency, the town of each area, and what codes are called."""

    matcher: Matcher
    urgency: UrgencyRules
    towns: Mapping[str, str]
    names: Names

    def decide(self, ticket: TicketRegistered) -> Decision | Undecided:
        """Dispatch a ticket by the first rule that covers it, unless a guard forbids that."""
        text = text_of(ticket)
        rule = self.matcher.first(ticket, text)
        urgency, why = effective_urgency(ticket, text, rule, self.urgency, self.names)
        if rule is None:
            reason = reasons.no_rule(ticket, self.names)
            return Undecided(urgency, str(reason), self.matcher.nearest(ticket.topic))
        lead, co_handlers = self._handlers(rule, ticket)
        if stopped := self._guard(rule, ticket, lead, co_handlers):
            return Undecided(urgency, str(stopped), (rule.id,))
        reason = reasons.of_rule(rule, ticket, text, self.names, why)
        return Decision(rule.id, lead, co_handlers, urgency, str(reason))

    def _handlers(self, rule: Rule, ticket: TicketRegistered) -> tuple[str, tuple[str, ...]]:
        town = self.towns.get(ticket.area, "")
        named = [town if unit == TOWN else unit for unit in (rule.lead, *rule.co_handlers)]
        return named[0], helpers(named[0], filter(None, named[1:]))

    def _guard(
        self, rule: Rule, ticket: TicketRegistered, lead: str, co_handlers: tuple[str, ...]
    ) -> Reason | None:
        if not lead:
            return reasons.no_town(rule, ticket, self.names)
        if ticket.reported_unit in (lead, *co_handlers):
            return reasons.must_withdraw(rule, ticket.reported_unit, self.names)
        if lead in self.towns.values() and not rule.grassroots:
            return reasons.not_for_towns(rule, lead, self.names)
        return None


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


def again(lead: str, rule: str | None, round: int, data: TicketReopened) -> Order:
    """An order to do it again, to the lead who completed the round before (R-27)."""
    return Order(lead, (), str(reasons.done_again(round, data)), rule)


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
    registered_at: datetime,
    redo: bool,
) -> AssignmentDispatched:
    """What one unit is told. ``added`` is what the citizen said since, in order.

    Of a confidential matter a unit learns the area only (JN-32, docs/how-it-flows.md#private).
    """
    notes = [f"【补充{count} Supplement {count}】{note}" for count, note in enumerate(added, 1)]
    return AssignmentDispatched(
        role=role,
        type=ticket.type,
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
        registered_at=registered_at,
        lead=order.lead,
        co_handlers=order.co_handlers,
        rule=order.rule,
        reason=order.reason,
        limits=limits,
        redo=redo,
    )


# --- urgency -----------------------------------------------------------------------------------


def effective_urgency(
    ticket: TicketRegistered, text: str, rule: Rule | None, rules: UrgencyRules, names: Names
) -> tuple[Urgency, tuple[Reason, ...]]:
    """The most urgent of what was asked, what the rule says and what the policy says, and why.

    ``complex`` lengthens the limit to 15 working days: a citizen's wish or a form cannot grant it,
    only the desk can (SH-DN). A commendation is passed on, not handled, so nothing hurries it.
    """
    if ticket.type is TicketType.COMMENDATION:
        return Urgency.NORMAL, ()
    asked = ticket.urgency.level
    urgency: Urgency = Urgency.NORMAL if asked is Urgency.COMPLEX else asked
    why: tuple[Reason, ...] = ()
    for level, reason in (*_by_rule(rule), *_by_policy(ticket, text, rules, names)):
        if MOST_URGENT_FIRST.index(level) < MOST_URGENT_FIRST.index(urgency):
            urgency, why = level, (reason,)
    return urgency, why


def _by_rule(rule: Rule | None) -> Iterator[tuple[Urgency, Reason]]:
    if rule and rule.urgency:
        yield rule.urgency, reasons.urgent_by_rule(rule.urgency)


def _by_policy(
    ticket: TicketRegistered, text: str, rules: UrgencyRules, names: Names
) -> Iterator[tuple[Urgency, Reason]]:
    """A critical word in the text, or else a topic or a flag that is urgent."""
    for word in rules.critical_keywords:
        if word in text:
            yield Urgency.CRITICAL, reasons.critical_by_word(word)
            return
    for matter in rules.urgent_topics:
        if matter in (*prefixes(ticket.topic), *ticket.flags):
            yield Urgency.URGENT, reasons.urgent_by_matter(names.topic(matter))
            return
