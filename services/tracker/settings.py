"""The tracker's knobs, none but the shared ones, and the rules it reads."""

from __future__ import annotations

from dataclasses import dataclass

from services.tracker.rules.policy import Policy
from services.tracker.rules.supervision import Supervision, offices_exist
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.folder import Files, Folder
from shared.jurisdiction.gazetteer import Gazetteer
from shared.jurisdiction.holidays import CalendarFiles, local_units_exist, work_calendar
from shared.jurisdiction.limits import LimitTable, limit_codes_exist
from shared.jurisdiction.place import Place
from shared.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Config(Policy):
    """The rules in force, and the units there are: a token of any other opens nothing."""

    units: Units
    place: Place

    @property
    def telephones(self) -> frozenset[str]:
        """The offices' own numbers, which stay in every text."""
        return self.units.telephones


@dataclass(frozen=True)
class Rules(Files):
    """The files the tracker reads."""

    place: Place
    codes: Codes
    units: Units
    limits: LimitTable
    supervision: Supervision
    calendar: CalendarFiles

    checks = (limit_codes_exist, offices_exist, local_units_exist)


class Settings(ServiceSettings):
    """What every service has."""

    files = Rules

    def load(self, folder: Folder | None = None) -> Config:
        """Read the rules. Raises ConfigError with file, line and field."""
        rules = self.folder(folder).read(Rules)
        calendar = work_calendar(rules.place, rules.calendar, rules.units.units)
        limits = rules.limits.among(rules.codes)
        recused = Gazetteer(rules.units, rules.codes, rules.place.name).recused
        return Config(limits, rules.supervision, calendar, recused, rules.units, rules.place)
