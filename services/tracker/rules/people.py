"""Whom the policy names is told, and when a message may go out (R-31, R-32, R-38, ADR 0074). Pure.

Nobody is told instead of somebody without that being said, and nothing is told to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeGuard, assert_never, get_args

from pydantic import Field, PlainValidator, model_validator

from shared.events import Urgency
from shared.jurisdiction.codes import Unit, UnitCode, Units
from shared.jurisdiction.sections import Section

OfUnit = Literal["handler", "liaison", "unit_deputy", "unit_head"]
OfOffice = Literal[
    "hotline_supervisor", "county_leader", "county_government_office", "discipline_body"
]
Addressee = Literal[
    "handler",
    "liaison",
    "unit_deputy",
    "unit_head",
    "hotline_supervisor",
    "county_leader",
    "county_government_office",
    "discipline_body",
]
Offices = tuple[UnitCode, ...]
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _time_of_day(text: Any) -> time:
    if isinstance(text, time):
        return text
    if isinstance(text, str) and _CLOCK.fullmatch(text):  # of no zone: it is the place's
        return time.fromisoformat(text)
    raise ValueError('应为时刻 must be a time of day, such as "21:00"')


TimeOfDay = Annotated[time, PlainValidator(_time_of_day)]


class QuietHours(Section):
    """免打扰时段: messages wait until it is over, clocks do not (Zammad #4432). ``except``: of what urgency
    they go out at any hour.
    """

    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    exempt: frozenset[Urgency] = Field(alias="except", default=frozenset())

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.begin == self.end:
            raise ValueError("起止相同 begins and ends at the same time")
        return self

    def over(self, moment: datetime, urgency: Urgency, zone: tzinfo) -> datetime:
        """The first moment from this one on at which a message may go out."""
        wall = moment.astimezone(zone)
        now, begin, end = wall.time(), self.begin, self.end
        quiet = begin <= now < end if begin < end else now >= begin or now < end
        if urgency in self.exempt or not quiet:
            return moment
        day = wall.date() if now < end else wall.date() + timedelta(days=1)
        return datetime.combine(day, end, zone)


class Told(Section):
    """告知: who is meant by those that are no people of a unit, the first that is not itself complained of;
    and when messages wait.
    """

    hotline_supervisor: Offices = ()
    county_leader: Offices = ()
    county_government_office: Offices = ()
    discipline_body: Offices = ()
    quiet_hours: QuietHours | None = None

    def offices(self, role: OfOffice) -> Offices:
        """Which offices a role is looked for at, in their order."""
        match role:
            case "hotline_supervisor":
                return self.hotline_supervisor
            case "county_leader":
                return self.county_leader
            case "county_government_office":
                return self.county_government_office
            case "discipline_body":
                return self.discipline_body
            case _:
                assert_never(role)

    def not_before(self, moment: datetime, urgency: Urgency, zone: tzinfo) -> datetime:
        """When a message of a moment may go out."""
        hours = self.quiet_hours
        return hours.over(moment, urgency, zone) if hours else moment


class Handler(NamedTuple):
    """经办人: who in the unit has the order, and under which account."""

    name: str
    account: str | None = None


class Person(NamedTuple):
    """One who is told: of which office, by name or post, and as whom; ``instead_of`` those of these roles of
    which nobody is on record.
    """

    office: str | None
    name: str | None
    account: str | None = None
    roles: tuple[Addressee, ...] = ()
    instead_of: tuple[Addressee, ...] = ()

    @property
    def contact(self) -> tuple[str | None, ...]:
        """What a message goes to."""
        return self.office, self.name, self.account

    def also(self, other: Person) -> Person:
        """The same person under one role more."""
        roles = tuple(dict.fromkeys((*self.roles, *other.roles)))
        instead = tuple(dict.fromkeys((*self.instead_of, *other.instead_of)))
        return self._replace(roles=roles, instead_of=instead)


class Around(NamedTuple):
    """Where people are looked for: the unit that is pressed with its handler, and the offices that may hear
    of the ticket, which are all but ``recused`` (R-35).
    """

    told: Told
    units: Units
    recused: Collection[str]
    unit: str | None = None
    handler: Handler | None = None


def people(to: Iterable[str], around: Around) -> list[Person]:
    """Who is told, each once however many roles are theirs, in the order of the policy. For a role that only
    a newer release knows the liaison is.
    """
    found: dict[tuple[str | None, ...], Person] = {}
    for role in to:
        person = _person(role if _is_known(role) else "liaison", around)
        known = found.get(person.contact)
        found[person.contact] = known.also(person) if known else person
    return list(found.values())


def _is_known(role: str) -> TypeGuard[Addressee]:
    return role in get_args(Addressee)


def _person(role: Addressee, around: Around) -> Person:
    match role:
        case "handler" | "liaison" | "unit_deputy" | "unit_head":
            return _of_unit(role, around)
        case (
            "hotline_supervisor" | "county_leader" | "county_government_office" | "discipline_body"
        ):
            return _of_office(role, around)
        case _:
            assert_never(role)


def _of_unit(role: OfUnit, around: Around) -> Person:
    code, handler = around.unit, around.handler
    if role == "handler" and handler:
        return Person(code, handler.name, handler.account, (role,))
    unit = around.units.unit(code) if code else None
    if unit is None:
        return Person(code, None, None, (role,))
    named = _post(role, unit)
    instead = () if named else (role,)
    return Person(unit.code, named or unit.liaison, None, (role,), instead)


def _post(role: OfUnit, unit: Unit) -> str | None:
    match role:
        case "handler":
            return None
        case "liaison":
            return unit.liaison
        case "unit_deputy":
            return unit.deputy
        case "unit_head":
            return unit.head
        case _:
            assert_never(role)


def _of_office(role: OfOffice, around: Around) -> Person:
    """The liaison of the office; a leader of the county is told through it."""
    may = (code for code in around.told.offices(role) if code not in around.recused)
    office = around.units.unit(next(may, ""))
    if office is None:
        return Person(None, None, None, (role,))
    instead = (role,) if role == "county_leader" else ()
    return Person(office.code, office.liaison, None, (role,), instead)
