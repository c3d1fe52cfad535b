"""Intake's knobs and the code tables it checks complaints against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AnyHttpUrl,
    Field,
    PlainValidator,
    SecretStr,
    field_validator,
)

from services.intake.digests import CitizenDigester
from services.intake.rules.calls import CallRules
from services.intake.rules.endings import EndingRules
from services.intake.rules.identity import KeepFor, Public
from services.intake.rules.likeness import Duplicates
from services.intake.rules.places import AreaFinder, Places, places_have_areas
from services.intake.rules.rights import Custodian
from services.intake.sealing import Sealer
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.codes import Codes, Units, towns_have_areas
from shared.jurisdiction.folder import Files, Folder
from shared.jurisdiction.gazetteer import Gazetteer
from shared.jurisdiction.holidays import CalendarFiles, local_units_exist, work_calendar
from shared.jurisdiction.limits import LimitTable, UpstreamRules, limit_codes_exist
from shared.jurisdiction.place import Place
from shared.jurisdiction.sections import Section
from shared.jurisdiction.urgency import UrgencyRules, urgent_topics_exist
from shared.settings import DEVELOPMENT_KEY, ServiceSettings, check_key, key_bytes


def _keep_for(text: Any) -> KeepFor:
    return text if isinstance(text, KeepFor) else KeepFor.parse(str(text))


class Privacy(Section):
    """privacy.yaml: how long identities are kept, and what binds the custodian."""

    keep_identity: Annotated[KeepFor, PlainValidator(_keep_for)]
    keep_calls: Annotated[KeepFor, PlainValidator(_keep_for)] = KeepFor(0, 30)
    custodian: Custodian = Custodian()  # folders of the release before have none


@dataclass(frozen=True)
class Rules(Files):
    """The files intake reads. Of the limits it obeys ``direct_answer`` and ``upstream``, and checks that what
    the others name can be registered.
    """

    place: Place
    codes: Codes
    units: Units
    limits: LimitTable
    urgency: UrgencyRules
    privacy: Privacy
    duplicates: Duplicates
    endings: EndingRules
    calendar: CalendarFiles
    calls: CallRules
    places: Places

    checks = (
        towns_have_areas,
        limit_codes_exist,
        urgent_topics_exist,
        places_have_areas,
        local_units_exist,
    )


def _public(rules: Rules) -> Public:
    names = {area.name for area in rules.codes.areas} | {unit.name for unit in rules.units.units}
    return Public(frozenset(names), rules.units.telephones)


@dataclass(frozen=True, slots=True)
class Config:
    """Code tables, what is urgent, how calls end, what binds the custodian, the seal of the vault and
    the digests of intake.

    ``answer_within``: how long the hotline may keep what it answers itself, by ``calendar``; ``upstream``:
    what an upstream platform may say of its own limit. ``areas``: which area a text names.
    """

    codes: Codes
    units: Units
    gazetteer: Gazetteer
    place: Place
    urgency: UrgencyRules
    keep_identity: KeepFor
    duplicates: Duplicates
    keep_calls: KeepFor
    calls: CallRules
    custodian: Custodian
    sealer: Sealer
    digester: CitizenDigester
    endings: EndingRules
    answer_within: Limit
    upstream: UpstreamRules | None
    calendar: WorkCalendar
    public: Public
    areas: AreaFinder

    @property
    def telephones(self) -> frozenset[str]:
        """The offices' own numbers, which stay in every text."""
        return self.public.telephones


class Settings(ServiceSettings):
    """``vault_keys`` is the key ring of the vault by key id; ``vault_current`` seals what is new.

    ``wrong_codes_per_ticket``: wrong codes (查询码) an hour before nobody may look by code for a
    while; ``wrong_codes_per_address``: the same for whoever sends them. ``complaints_per_minute``: those
    a caller may hand in, each of a batch counted, at most as many of them under way as
    ``complaints_at_once``.

    ``dispatcher_url`` and ``feedback_url`` are asked who may read a contact, with ``service_token``,
    intake's own of role ``service``.
    """

    vault_keys: Mapping[str, SecretStr] = {"dev": SecretStr(DEVELOPMENT_KEY)}
    vault_current: str = "dev"
    vault_suite: str = "aes-256-gcm"
    wrong_codes_per_ticket: int = Field(default=10, ge=1)
    wrong_codes_per_address: int = Field(default=30, ge=1)
    complaints_per_minute: int = Field(default=60_000, ge=1_000)
    complaints_at_once: int = Field(default=4_000, ge=1_000)
    dispatcher_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8002")
    feedback_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8004")
    service_token: SecretStr | None = None

    @field_validator("service_token", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value if not isinstance(value, str) or value.strip() else None

    @field_validator("vault_keys")
    @classmethod
    def _are_keys(cls, value: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        return {name: check_key(key) for name, key in value.items()}

    def secrets(self) -> dict[str, SecretStr]:
        """The shared secrets and every key of the vault."""
        return super().secrets() | {f"vault_keys.{k}": v for k, v in self.vault_keys.items()}

    files = Rules

    def load(self, folder: Folder | None = None) -> Config:
        """Read the code tables. Raises ConfigError with file, line and field."""
        rules = self.folder(folder).read(Rules)
        ring = {name: key_bytes(key) for name, key in self.vault_keys.items()}
        return Config(
            rules.codes,
            rules.units,
            Gazetteer(rules.units, rules.codes, rules.place.name),
            rules.place,
            rules.urgency.among(rules.codes),
            rules.privacy.keep_identity,
            rules.duplicates,
            rules.privacy.keep_calls,
            rules.calls,
            rules.privacy.custodian,
            Sealer(ring, self.vault_current, self.vault_suite),
            CitizenDigester(key_bytes(self.index_key)),
            rules.endings,
            rules.limits.direct_answer,
            rules.limits.upstream,
            work_calendar(rules.place, rules.calendar, rules.units.units),
            _public(rules),
            AreaFinder(rules.places, rules.codes),
        )
