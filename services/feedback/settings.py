"""Feedback's knobs: its callback policy, and how it reaches intake and the phone system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from services.feedback.rules.planning import CallTimes
from services.feedback.rules.policy import CallbackPolicy
from services.feedback.rules.rates import FORMULAS
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import Units
from shared.jurisdiction.folder import Files, Folder
from shared.jurisdiction.holidays import CalendarFiles, local_units_exist, work_calendar
from shared.jurisdiction.place import Place
from shared.jurisdiction.sections import Section
from shared.settings import DEVELOPMENT_KEY, ServiceSettings, check_key


def _known_formula(name: str) -> str:
    if name not in FORMULAS:
        raise ValueError(f"公式不存在 unknown formula; one of {', '.join(FORMULAS)}")
    return name


class Evaluation(Section):
    """evaluation.yaml: the formula figures are printed under unless another is asked for."""

    formula: Annotated[str, AfterValidator(_known_formula)]


@dataclass(frozen=True)
class Rules(Files):
    """The files feedback reads."""

    place: Place
    units: Units
    callbacks: CallbackPolicy
    evaluation: Evaluation
    calendar: CalendarFiles

    checks = (local_units_exist,)


@dataclass(frozen=True, slots=True)
class Config:
    """The rules in force, and the settings that reach outside."""

    settings: Settings
    place: Place
    policy: CallbackPolicy
    times: CallTimes
    calendar: WorkCalendar
    formula: str
    unit_names: Mapping[str, str]
    units: Units

    @property
    def telephones(self) -> frozenset[str]:
        """The offices' own numbers, which stay in every text."""
        return self.units.telephones

    @property
    def outcome_within(self) -> timedelta:
        """How long an asked call may stay without an outcome."""
        return timedelta(hours=self.settings.outcome_within_hours)


class Settings(ServiceSettings):
    """Without ``phone_system_url``, unset or empty, a callback that is due waits for call-back staff.

    ``webhook_secret`` signs what is sent there (standardwebhooks; base64 of 32 bytes).
    ``service_token`` is feedback's own, role ``service``: intake opens a contact to it.
    ``allow_private_webhooks``: the phone system may stand on an address that is not public.
    ``allow_plain_webhooks``: it may be reached by http://, for the line to it is private: names and
    numbers of citizens then travel unencrypted.
    ``outcome_within_hours``: an asked call nobody reports on counts as not answered after that.
    """

    phone_system_url: AnyHttpUrl | None = None
    webhook_secret: SecretStr = SecretStr(DEVELOPMENT_KEY)
    allow_private_webhooks: bool = False
    allow_plain_webhooks: bool = False
    intake_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8001")
    service_token: SecretStr | None = None
    outcome_within_hours: float = Field(default=4.0, gt=0)

    @field_validator("phone_system_url", "service_token", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        """``JIESU_PHONE_SYSTEM_URL=`` is how an environment file says that there is none."""
        return value if not isinstance(value, str) or value.strip() else None

    @field_validator("webhook_secret")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        """Also as some libraries write it: with ``whsec_`` before it."""
        return check_key(SecretStr(value.get_secret_value().removeprefix("whsec_")))

    @model_validator(mode="after")
    def _can_ask(self) -> Self:
        if self.phone_system_url and self.service_token is None:
            raise ValueError("JIESU_SERVICE_TOKEN is needed to call through a phone system")
        plain = self.phone_system_url and self.phone_system_url.scheme == "http"
        if plain and not (self.embedded or self.allow_plain_webhooks):
            raise ValueError(
                "JIESU_PHONE_SYSTEM_URL: http:// 会明文传送姓名与号码，请用 https://；专线则设 "
                "JIESU_ALLOW_PLAIN_WEBHOOKS=true http:// would send names and numbers unencrypted: use "
                "https://, or JIESU_ALLOW_PLAIN_WEBHOOKS=true on a private line"
            )
        return self

    files = Rules

    def load(self, folder: Folder | None = None) -> Config:
        """Read the rules. Raises ConfigError with file, line and field."""
        rules = self.folder(folder).read(Rules)
        policy, calendar = (
            rules.callbacks,
            work_calendar(rules.place, rules.calendar, rules.units.units),
        )
        times = CallTimes(
            windows=policy.call_windows(),
            max_attempts=policy.attempts.max,
            min_days=policy.attempts.min_days,
            other_windows=policy.attempts.different_time_slots,
            days_after=policy.first.days_after_completion,
            is_working_day=calendar.is_working_day,
            timezone=calendar.tz,
        )
        names = {unit.code: unit.name for unit in rules.units.units}
        return Config(
            settings=self,
            place=rules.place,
            policy=policy,
            times=times,
            calendar=calendar,
            formula=rules.evaluation.formula,
            unit_names=names,
            units=rules.units,
        )
