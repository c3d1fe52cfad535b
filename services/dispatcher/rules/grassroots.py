"""基层减负: a department's matter is not given to a town, by hand no more than by rule (R-05). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Self

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.reasons import Names, Reason
from services.dispatcher.rules.whistling import WhistleRules
from shared.errors import JiesuError
from shared.events import TicketRegistered, Urgency
from shared.jurisdiction.sections import Section

Guard = Literal["block_unless_in_town_duty_list", "flag"]


class NotForTowns(JiesuError):
    """不得分派给基层: the town's duty list does not name the matter, so the town leads it only where a
    supervisor, asked by the desk, approved that with a token of their own (GB66-5, R-05): ``allowed`` is the
    door that asks.

    ``rule`` is the key of dispatch.yaml that forbids it, ``unit`` the town.
    """

    status = 409
    slug = "not-for-towns"
    title = "应由职能部门办理的事项不得分派给基层 A department's matter may not be given to a town"


class GrassrootsRules(Section):
    """dispatch.yaml. ``flag``: by hand a town may get the matter without approval, and it is counted.
    ``whistle``: nobody whistles where it is left out.
    """

    grassroots_guard: Guard
    copy_to_supervisor_when_unit_is_town: bool
    whistle: WhistleRules | None = None

    @property
    def blocks(self) -> bool:
        """Whether it takes an approval by hand."""
        return self.grassroots_guard == "block_unless_in_town_duty_list"

    def attend(self, urgency: Urgency) -> str | None:
        """How long a unit has to come that is whistled for; None where nobody whistles."""
        return str(self.whistle.attend[urgency.level]) if self.whistle else None


class Approval(NamedTuple):
    """Who let a town lead what its duty list does not name, and on what ground."""

    by: str
    ground: str

    @classmethod
    def on_record(cls, kept: Mapping[str, str] | None) -> Self | None:
        """As an order keeps it; None of one that took nobody's approval."""
        return cls(**kept) if kept else None


def no_duty(rule: Rule | None, ticket: TicketRegistered, unit: str, names: Names) -> Reason:
    """What the desk is told that gives a town what its duty list does not name (GB66-5)."""
    called = names.unit(unit)
    if rule is None:
        topic = names.topic(ticket.topic)
        return Reason(
            f"镇职责清单没有“{topic.zh}”一类事项，不得派给“{called}”，除非另有人批准",
            f"No duty list of the towns names “{topic.en}”, so {unit} may not lead unless approved",
        )
    return Reason(
        f"按规则 {rule.id} 该事项不在镇职责清单内，不得派给“{called}”，除非另有人批准",
        f"By rule {rule.id} it is in no duty list of the towns, so {unit} may not lead unless approved",
    )
