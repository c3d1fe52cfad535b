"""派单: which unit leads, who helps, how urgent it is and why, or why a person must say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.dispatcher.rules import reasons
from services.dispatcher.rules.catalogue import TOWN, Rule
from services.dispatcher.rules.grassroots import Approval, no_duty
from services.dispatcher.rules.matching import NEAREST, Matcher
from services.dispatcher.rules.reasons import Names, Reason
from services.dispatcher.rules.urgency import effective_urgency
from services.dispatcher.rules.whistling import Blown
from shared.errors import Recused as Recused  # what by_hand raises
from shared.events import (
    Role,
    TicketRegistered,
    TicketReopened,
    Urgency,
)
from shared.jurisdiction.gazetteer import Gazetteer, Mention, accuses
from shared.jurisdiction.urgency import UrgencyRules
from shared.jurisdiction.wording import Alarm, text_of


@dataclass(frozen=True, slots=True)
class Decision:
    """A dispatch by rule; ``why`` says every condition in words (rules/reasons.py). ``version``: of the
    catalogue whose rule it is.
    """

    rule: str
    lead: str
    co_handlers: tuple[str, ...]
    urgency: Urgency
    why: Reason
    version: int | None = None

    @property
    def reason(self) -> str:
        """Why, as it is told and kept."""
        return str(self.why)


@dataclass(frozen=True, slots=True)
class Undecided:
    """The desk must assign; ``nearest``: rules to start from. ``uncovered``: no guard holds it back.
    ``kept_from``: the town that a rule would have given what is not its duty.
    """

    urgency: Urgency
    why: Reason
    nearest: tuple[str, ...]
    uncovered: bool = False
    version: int | None = None
    kept_from: str | None = None

    @property
    def reason(self) -> str:
        """Why, as it is told and kept."""
        return str(self.why)


@dataclass(frozen=True, slots=True)
class Dispatching:
    """The rules in force: catalogue, urgency, who answers for each area, what codes are called, and
    what people call the units, by which it is known who stands back. ``districts`` answer for areas
    and are no grass roots; ``villages`` answer for none and are. ``version``: which catalogue it is; None of
    one that is no version (yet).
    """

    matcher: Matcher
    urgency: UrgencyRules
    towns: Mapping[str, str]
    names: Names
    gazetteer: Gazetteer
    districts: frozenset[str] = frozenset()
    villages: frozenset[str] = frozenset()
    version: int | None = None

    def numbered(self, version: int | None) -> Dispatching:
        """The same, as some version of the catalogue."""
        return self if version == self.version else replace(self, version=version)

    def decide(self, ticket: TicketRegistered, now: datetime | None = None) -> Decision | Undecided:
        """Dispatch a ticket registered ``now`` by the first rule that covers it, unless a guard forbids
        that, or its text may report a danger and may not: that a person must say.
        """
        text = text_of(ticket.title, ticket.content)
        alarms = self.urgency.alarms(ticket.type, text)
        found = self.urgency.found(ticket.type, ticket.topic, ticket.flags, text, alarms)
        certain = [alarm.danger.id for alarm in alarms if alarm.certain]
        rule = self.matcher.first(ticket, text, certain, now)
        urgency, why = effective_urgency(ticket, rule, found, self.names)
        unnamed, doubt = self._unnamed(ticket), reasons.perhaps(found) if found else None
        if rule is None or unnamed or doubt:
            none = None if rule else reasons.no_rule(ticket, self.names)
            said = reasons.joined(dict.fromkeys(filter(None, (doubt, unnamed, none, *why))))
            start = self._to_start_from(rule, ticket, alarms)
            uncovered = not (unnamed or doubt)
            return Undecided(urgency, said, start, uncovered, self.version)
        lead, co_handlers = self._handlers(rule, ticket)
        if stopped := self._guard(rule, ticket, lead, co_handlers):
            kept_from = lead if self.is_grassroots(lead) and not rule.grassroots else None
            said, named = reasons.joined((stopped, *why)), (rule.id,)
            return Undecided(urgency, said, named, version=self.version, kept_from=kept_from)
        met = reasons.conditions(rule, ticket, text, self.names, alarms, self.matcher.denied)
        said = reasons.of_rule(rule, met, why)
        return Decision(rule.id, lead, co_handlers, urgency, said, self.version)

    def certain_urgency(self, ticket: TicketRegistered, now: datetime | None = None) -> Urgency:
        """How urgent a ticket is whatever a doubtful word in it means (ADR 0051)."""
        text = text_of(ticket.title, ticket.content)
        alarms = [each for each in self.urgency.alarms(ticket.type, text) if each.certain]
        found = self.urgency.found(ticket.type, ticket.topic, ticket.flags, text, alarms)
        certain = [alarm.danger.id for alarm in alarms]
        rule = self.matcher.first(ticket, text, certain, now)
        return effective_urgency(ticket, rule, found, self.names)[0]

    def _handlers(self, rule: Rule, ticket: TicketRegistered) -> tuple[str, tuple[str, ...]]:
        town = self.towns.get(ticket.area, "")
        named = [town if unit == TOWN else unit for unit in (rule.lead, *rule.co_handlers)]
        return named[0], helpers(named[0], filter(None, named[1:]))

    def _guard(
        self, rule: Rule, ticket: TicketRegistered, lead: str, co_handlers: tuple[str, ...]
    ) -> Reason | None:
        if not lead:
            return reasons.no_town(rule, ticket, self.names)
        for unit in (lead, *co_handlers):
            if self.names.units and unit not in self.names.units:
                return reasons.no_such_unit(rule, unit)
            if by := self._accused_for(unit, ticket):
                return reasons.must_withdraw(rule, unit, by, self.names)
        if self.is_grassroots(lead) and not rule.grassroots:
            return reasons.not_for_towns(rule, lead, self.names)
        return self._gainsaid(rule, ticket, (lead, *co_handlers))

    def is_grassroots(self, unit: str) -> bool:
        """Whether a unit is of the grass roots, which lead only what their duty list names (R-05)."""
        return unit in self.villages or (unit in self.towns.values() and unit not in self.districts)

    def not_for_town(self, ticket: TicketRegistered, unit: str, at: datetime) -> Reason | None:
        """Why a unit may not lead a ticket registered ``at``, though nobody is barred from it: it is a
        town, and the rule that covers the ticket is in no duty list of the towns, or there is none.
        """
        if not self.is_grassroots(unit):
            return None
        text = text_of(ticket.title, ticket.content)
        alarms = self.urgency.alarms(ticket.type, text)
        certain = [alarm.danger.id for alarm in alarms if alarm.certain]
        rule = self.matcher.first(ticket, text, certain, at)
        if rule and rule.grassroots:
            return None
        return no_duty(rule, ticket, unit, self.names)

    def _unnamed(self, ticket: TicketRegistered) -> Reason | None:
        """Why no rule may decide at all: nobody can say who has to stand back."""
        if unclear := self.gazetteer.unclear(ticket.about, ticket.area):
            return reasons.unclear(unclear)
        if ticket.about.stated or not accuses(ticket.type):
            return None
        return reasons.nobody_named(mention.words for mention in self.mentions(ticket))

    def _gainsaid(
        self, rule: Rule, ticket: TicketRegistered, handlers: Sequence[str]
    ) -> Reason | None:
        """Why the text of a report does not bear out what was stated: it names others whom the rule
        leads to, or somebody nobody can place though nobody was said to be meant.
        """
        about, accused = ticket.about, self.gazetteer.accused(ticket.about, ticket.area)
        for mention in self.mentions(ticket):
            if mention.place or not mention.units.isdisjoint(accused):
                continue
            by = self._named_for(mention, handlers)
            if by or (about.nobody and not mention.units):
                return reasons.gainsaid(rule, mention, by, about.nobody, self.names)
        return None

    def _to_start_from(
        self, rule: Rule | None, ticket: TicketRegistered, alarms: Iterable[Alarm]
    ) -> tuple[str, ...]:
        """Rules for the danger first, then the one that covers the ticket, then those of its field."""
        first = [id for alarm in alarms for id in self.matcher.for_danger(alarm.danger.id)]
        ids = [*first, *([rule.id] if rule else []), *self.matcher.nearest(ticket.topic)]
        return tuple(dict.fromkeys(ids))[:NEAREST]

    # --- who stands back -----------------------------------------------------------------------

    def mentions(self, ticket: TicketRegistered, said: Iterable[str] = ()) -> tuple[Mention, ...]:
        """Whom the text of a report names, and what was said later; of other demands it is not asked."""
        if not accuses(ticket.type):
            return ()
        return self.gazetteer.find("\n".join((ticket.title, ticket.content, *said)), ticket.area)

    def recused(self, ticket: TicketRegistered) -> frozenset[str]:
        """回避: who sees, reads and hears nothing of a ticket (R-35, JN-32)."""
        return self.gazetteer.recused(ticket.about, ticket.area)

    def barred(self, ticket: TicketRegistered, said: Iterable[str] = ()) -> dict[str, Reason]:
        """Who may not be given a ticket, by hand neither, and why: whom it is about, and while nobody
        has stated that, whom the text of a report, or what was ``said`` later, names; and their kin.
        """
        barred: dict[str, Reason] = {}
        stated = self.gazetteer.accused(ticket.about, ticket.area)
        if not stated and not ticket.about.nobody:
            for mention in self.mentions(ticket, said):
                for named in sorted(mention.units):
                    for unit in self.gazetteer.kin(named):
                        barred.setdefault(unit, reasons.named(unit, mention, named, self.names))
        for accused in stated:
            for unit in self.gazetteer.kin(accused):
                barred.setdefault(unit, reasons.stands_back(unit, accused, self.names))
            barred[accused] = reasons.stands_back(accused, accused, self.names)
        return barred

    def may_be_meant(self, ticket: TicketRegistered, said: str) -> frozenset[str]:
        """Who may be told no words of a person about a ticket: whom it is about, and whom its text or those
        words name, whatever its type; and their kin.
        """
        named = self.gazetteer.find("\n".join((ticket.title, ticket.content, said)), ticket.area)
        units = (unit for mention in named for unit in mention.units)
        return frozenset(self.barred(ticket)).union(*map(self.gazetteer.kin, units))

    def _accused_for(self, unit: str, ticket: TicketRegistered) -> str | None:
        """For whom a unit stands back: itself, or else its kin."""
        accused = self.gazetteer.accused(ticket.about, ticket.area)
        if unit in accused:
            return unit
        return next((each for each in accused if unit in self.gazetteer.kin(each)), None)

    def _named_for(self, mention: Mention, handlers: Sequence[str]) -> str | None:
        """Which of some handlers is named, or is kin of who is."""
        kin = frozenset().union(*map(self.gazetteer.kin, mention.units))
        return next((unit for unit in handlers if unit in kin), None)

    # --- without a rule ------------------------------------------------------------------------

    def by_hand(
        self,
        ticket: TicketRegistered,
        lead: str,
        co_handlers: Iterable[str],
        reason: str,
        said: Iterable[str] = (),
    ) -> Order:
        """An order of the desk: any units but those barred. Raises Recused."""
        order = Order(lead, helpers(lead, co_handlers), reason, appointed=True)
        barred = self.barred(ticket, said)
        for unit in order.roles():
            if why := barred.get(unit):
                field = "lead" if unit == lead else "co_handlers"
                raise Recused(str(why), field=field, unit=unit)
        return order

    def again(
        self,
        ticket: TicketRegistered,
        lead: str,
        rule: str | None,
        round: int,
        data: TicketReopened,
        version: int | None = None,
    ) -> Order | Reason:
        """An order to do it again, to the lead who completed the round before (R-27).

        A Reason for the desk when that lead is barred, or when a rule gave it a report that accuses
        nobody by name: an older release did that.
        """
        why = reasons.done_again(round, data)
        said = [data.comment or ""]
        return self.handed_on(ticket, lead, (), rule, why, said, version)

    def handed_on(
        self,
        ticket: TicketRegistered,
        lead: str,
        co_handlers: Iterable[str],
        rule: str | None,
        why: Reason,
        said: Iterable[str] = (),
        version: int | None = None,
    ) -> Order | Reason:
        """An order to units that had the matter before; a Reason for the desk where ``again`` has one.
        ``said``: what its citizen said later. ``version``: of the catalogue whose rule it was.
        """
        helping = helpers(lead, co_handlers)
        order = Order(lead, helping, str(why), rule, catalogue_version=version)
        barred = self.barred(ticket, said)
        for unit in order.roles():
            if stopped := barred.get(unit):
                return reasons.joined((why, stopped))
        if rule and (unnamed := self._unnamed(ticket)):
            return reasons.joined((why, unnamed))
        return order

    def may_join(self, ticket: TicketRegistered, units: Iterable[str]) -> bool:
        """Whether a ticket may be worked on by units that have another of the same matter: none of them
        is barred from it, and if it accuses, somebody has said whom (R-35).
        """
        return not self._unnamed(ticket) and self.barred(ticket).keys().isdisjoint(units)


def helpers(lead: str, named: Iterable[str]) -> tuple[str, ...]:
    """Co-handlers in the order named, each once, the lead not among them (JN-29)."""
    return tuple(dict.fromkeys(unit for unit in named if unit != lead))


# --- orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """派单: who gets the ticket and why, decided by a rule, by hand, or to be done again. ``approval``: who
    let a town lead what is not in its duty list (R-05). ``handed_by``: the unit that handed it down
    (二次派单). ``whistles``: those that were blown, by the co-handler they are for (吹哨报到).
    """

    lead: str
    co_handlers: tuple[str, ...]
    reason: str
    rule: str | None = None
    appointed: bool = False
    catalogue_version: int | None = None
    approval: Approval | None = None
    handed_by: str | None = None
    whistles: Mapping[str, Blown] = field(default_factory=dict)

    def roles(self) -> dict[str, Role]:
        """Each unit with its role, the lead first."""
        return {self.lead: Role.LEAD} | dict.fromkeys(self.co_handlers, Role.CO)


def by_rule(decision: Decision) -> Order:
    """An order as the catalogue decided."""
    return Order(
        decision.lead,
        decision.co_handlers,
        decision.reason,
        decision.rule,
        catalogue_version=decision.version,
    )
