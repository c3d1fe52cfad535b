"""退单, the dispatch objection: who may return a ticket, and until when (R-15, R-16). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, assert_never

from pydantic import Field

from services.dispatcher.rules.assignment import Action, AssignmentStatus, move
from services.dispatcher.rules.waiting import WaitRules
from shared.errors import JiesuError, Malformed, UnknownCode
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.sections import LimitText, Section, Where, unknown_code


class ReturnBarred(JiesuError):
    """A return that may not even be asked for; the subclasses say why. ``rule``: by which rule of the trade
    (docs/DOMAIN.md) and which key of returns.yaml, where there is one.
    """

    status = 409


class ReturnedBefore(ReturnBarred):
    """A unit asks once per ticket."""

    slug = "returned-before"
    title = "本单位对该工单已申请过退单 Your unit asked to return this ticket before"


class ReturnAfterRuling(ReturnBarred):
    """A unit that a ruling named as the right one may not return (R-16, WF-22)."""

    slug = "return-after-ruling"
    title = "经裁定确定的单位不得退单 A unit named by a ruling may not return the ticket"


class HandedDown(ReturnBarred):
    """二次派单: what its own superior handed down is no matter between a unit and the desk: ``unit`` is whom
    to ask to take it back.
    """

    slug = "handed-down"
    title = "本单由上级单位交办，请与其联系收回 Your superior handed this down: ask it to take the order back"


class ReturnOnRedo(ReturnBarred):
    """A unit that completed a ticket cannot say in the next round that it was never its duty."""

    slug = "return-on-redo"
    title = "重办工单不得退单 A ticket to be done again may not be returned"


class ReturnTooLate(ReturnBarred):
    """The window is over; silence counts as acceptance."""

    slug = "return-too-late"
    title = "退单时限已过 The time to return the ticket is over"


class SuggestedUnitMissing(Malformed):
    """Who says that another unit is in charge has to say which (AH, R-15); ``suggested_unit_for`` of
    returns.yaml lists the grounds.
    """

    slug = "suggested-unit-missing"
    title = "以此理由退单须写明建议承办单位 A return on this ground must suggest another unit"


class ReturnGranted(JiesuError):
    """退单已同意: the desk granted a unit's return of this ticket, and no ruling has named it since. To
    send it back there overrules that, with a reason that stays on record: ``overrules`` (R-15).

    ``unit`` is the one whose return was granted, ``field`` where the request names it.
    """

    status = 409
    slug = "return-granted"
    title = (
        "该单位的退单已获同意，再派须写明推翻裁定的理由 The return of this unit was granted:"
        " say in overrules why it gets the ticket again"
    )


class RulingNames(JiesuError):
    """裁决已定: a ruling, of the desk on a return or of the ladder, named whose the matter is. To give it to
    another lead overrules that, with a reason that stays with the ruling and is counted: ``overrules``
    (R-15, R-17).

    ``unit`` is the one it named, ``field`` where the request names another.
    """

    status = 409
    slug = "ruling-names"
    title = (
        "裁决已确定承办单位，改派其他单位须写明推翻裁决的理由 A ruling named who leads:"
        " say in overrules why another unit gets it"
    )


Silence = Literal["refused", "granted"]


class ReturnRules(Section):
    """returns.yaml; the grounds a unit may give are a table of codes.yaml.

    ``after_ruling``: whether a unit may return what a ruling gave it. ``hotline_review``: how long the
    desk has to rule; ``silence``: what holds when it says nothing. ``no_pause_for``: of what urgency the
    unit's clocks run on meanwhile. ``suggested_unit_for``: on which grounds a unit must say whose it is.
    ``awaiting_citizen``: how a lead may wait for its citizen; left out, none may.
    """

    window: LimitText
    window_urgent: LimitText
    max_per_unit_and_ticket: Annotated[int, Field(ge=0, le=100)]
    after_ruling: bool
    hotline_review: LimitText = Limit(4, "wh")
    silence: Silence = "refused"
    no_pause_for: frozenset[Urgency] = frozenset({Urgency.CRITICAL, Urgency.URGENT})
    suggested_unit_for: tuple[str, ...] = ()
    awaiting_citizen: WaitRules | None = None

    def until(self, dispatched_at: datetime, urgency: Urgency, calendar: WorkCalendar) -> datetime:
        """The last moment at which a return may be requested."""
        return calendar.due(dispatched_at, self.window_of(urgency)).at

    def window_of(self, urgency: Urgency) -> Limit:
        """How long a return may be requested."""
        match urgency:
            case Urgency.CRITICAL | Urgency.URGENT | Urgency.UNKNOWN:
                return self.window_urgent
            case Urgency.NORMAL | Urgency.COMPLEX:
                return self.window
            case _:
                assert_never(urgency)

    def stands_still(self, urgency: Urgency) -> bool:
        """Whether the clocks of a unit stand still while the desk rules; of what we do not know they
        run, as of what is urgent.
        """
        return urgency.level not in self.no_pause_for

    def ruled_by(self, asked_at: datetime, calendar: WorkCalendar) -> datetime:
        """When the desk must have ruled."""
        return calendar.due(asked_at, self.hotline_review).at


def grounds_exist(returns: ReturnRules, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: the grounds named here are among those of codes.yaml."""
    for at, code in enumerate(returns.suggested_unit_for):
        if code not in codes.grounds:
            yield "returns", ("suggested_unit_for", at), unknown_code(code, codes.grounds)


# --- asking ------------------------------------------------------------------------------------


class Earlier(NamedTuple):
    """A return that was asked for on the same ticket, and what became of it.

    ``granted``: None while nobody ruled. ``silent``: nobody did in time, and the policy did. ``named``:
    the unit a ruling named as the right one. ``overruled``: the desk sent it back all the same.
    ``withdrawn``: the unit took it back.
    """

    unit: str
    reason_code: str
    legal_basis: str
    granted: bool | None = None
    silent: bool = False
    named: str | None = None
    overruled: bool = False
    withdrawn: bool = False

    @property
    def counts(self) -> bool:
        """Whether it was the unit's one return: not while its order went before anybody ruled."""
        return self.granted is not None or self.withdrawn


@dataclass(frozen=True, slots=True)
class ReturnContext:
    """What the rules must know of the assignment that is to be returned.

    ``earlier``: every return of its ticket so far, oldest first. ``until``: when the window ends.
    ``handed_by``: the unit that handed it down and has its own order still.
    """

    status: AssignmentStatus
    unit: str
    urgency: Urgency
    redo: bool
    earlier: Sequence[Earlier]
    until: datetime
    handed_by: str | None = None


class Asked(NamedTuple):
    """What a unit says when it asks to return an assignment."""

    reason_code: str
    legal_basis: str
    suggested_unit: str | None = None


def request_return(
    context: ReturnContext,
    asked: Asked,
    rules: ReturnRules,
    grounds: Collection[str],
    now: datetime,
) -> AssignmentStatus:
    """The status after a return was requested.

    Raises MoveRefused, UnknownCode, SuggestedUnitMissing, Malformed, HandedDown, ReturnAfterRuling,
    ReturnedBefore, ReturnOnRedo, ReturnTooLate.
    """
    moved = move(context.status, Action.REQUEST_RETURN)
    if asked.reason_code not in grounds:
        raise UnknownCode(asked.reason_code, field="reason_code", allowed=list(grounds))
    if asked.suggested_unit is None and asked.reason_code in rules.suggested_unit_for:
        raise SuggestedUnitMissing(field="suggested_unit")
    if asked.suggested_unit == context.unit:
        raise Malformed(OWN_UNIT, field="suggested_unit")
    if why := barred(context, rules, now):
        raise why
    return moved


def barred(context: ReturnContext, rules: ReturnRules, now: datetime) -> ReturnBarred | None:
    """Why a return may not be asked for, whatever its form says; None where it may."""
    if context.handed_by is not None:
        return HandedDown(rule="R-13", unit=context.handed_by)
    if not rules.after_ruling and is_ruled(context.unit, context.earlier):
        return ReturnAfterRuling(rule="R-16 after_ruling")
    own = [each for each in context.earlier if each.unit == context.unit and each.counts]
    if len(own) >= rules.max_per_unit_and_ticket:
        return ReturnedBefore(rule="R-16 max_per_unit_and_ticket")
    if context.redo:
        return ReturnOnRedo(rule="R-27")
    if now > context.until:
        key = "window" if rules.window_of(context.urgency) == rules.window else "window_urgent"
        return ReturnTooLate(rule=f"R-16 {key}", until=context.until.isoformat())
    return None


OWN_UNIT = "建议承办单位不能是本单位 The suggested unit is your own"


def pauses(context: ReturnContext, asked: Asked, rules: ReturnRules) -> bool:
    """Whether the clocks of the unit stand still while the desk rules: never of what is urgent, and once
    for a question. The same ground, or the same basis, is the same question; so is whatever is asked after
    a request that went with its order (ADR 0087).
    """
    own = [each for each in context.earlier if each.unit == context.unit]
    again = any(
        not each.counts
        or each.reason_code == asked.reason_code
        or each.legal_basis == asked.legal_basis
        for each in own
    )
    return rules.stands_still(context.urgency) and not again


# --- what rulings leave behind -----------------------------------------------------------------


def is_ruled(unit: str, earlier: Iterable[Earlier]) -> bool:
    """Whether a ruling named a unit as the right one: refused its return, named it when another's was
    granted, or overruled a grant. Silence is no ruling.
    """
    return any(
        each.named == unit
        or (each.unit == unit and (each.overruled or (each.granted is False and not each.silent)))
        for each in earlier
    )


def freed(earlier: Sequence[Earlier]) -> list[str]:
    """The units whose returns the desk granted and that no ruling has named since, oldest first."""
    found: dict[str, None] = {}
    for each in earlier:
        if each.granted and not each.overruled:
            found[each.unit] = None
        if each.named:
            found.pop(each.named, None)
    return list(found)


def rules_to_start_from(
    leads: Mapping[str, str], suggested: str | None, freed: Collection[str]
) -> list[str]:
    """Ids of rules for the desk after a granted return, of rules with the units they lead to: those that
    lead to the unit suggested first, and none that leads to who was freed of the ticket.
    """
    left = [rule for rule, lead in leads.items() if lead not in freed]
    return sorted(left, key=lambda rule: leads[rule] != suggested)
