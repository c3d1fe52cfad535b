"""The dispatcher's knobs, and the rules in force: catalogue, units, limits, calendar, returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from services.dispatcher.rules.catalogue import Catalogue, Matcher, unknown_codes
from services.dispatcher.rules.dispatch import Dispatching, UrgencyRules
from services.dispatcher.rules.reasons import Names, Reason
from services.dispatcher.rules.returns import ReturnRules
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.holidays import load_calendar
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.reader import read, refuse
from shared.settings import ServiceSettings


class Policy(BaseModel):
    """What the dispatcher reads of policy.yaml beside the limits; every ground of a return has its
    names in codes.yaml.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    flags: tuple[str, ...]
    urgency_rules: UrgencyRules
    return_ticket: ReturnRules

    @model_validator(mode="after")
    def _reasons_have_names(self, info: ValidationInfo) -> Self:
        known = (info.context or {}).get("reasons")
        refuse(
            (
                ("return_ticket", "reason_codes", at),
                f"{code} 在代码表中没有名称 has no name in codes",
            )
            for at, code in enumerate(self.return_ticket.reason_codes)
            if known is not None and code not in known
        )
        return self


class CheckedCatalogue(Catalogue):
    """catalogue.yaml, with every code in it looked up in the tables of its jurisdiction."""

    @model_validator(mode="after")
    def _codes_exist(self, info: ValidationInfo) -> Self:
        found = unknown_codes(self, **(info.context or {}))
        refuse(
            (("rules", index, field), f"代码不存在 no such code: {code}")
            for index, field, code in found
        )
        return self


@dataclass(frozen=True, slots=True)
class FeedPace:
    """How the unit feed is numbered and streamed, in seconds: Settings' ``feed_*``."""

    gather: float
    look: float
    heartbeat: float
    life: float


@dataclass(frozen=True, slots=True)
class Config:
    """The rules in force, and the pace of the unit feed."""

    dispatching: Dispatching
    units: Units
    limits: LimitTable
    calendar: WorkCalendar
    returns: ReturnRules
    feed: FeedPace


class Settings(ServiceSettings):
    """How the unit feed streams, in seconds. A stream ends after ``feed_life``, so that a token
    that expired or was revoked meanwhile stops counting; the client resumes by Last-Event-ID.
    A caller may have ``feed_streams`` open at once. A delivery may wait ``feed_gather`` for others
    that get their places with it.

    A ticket waits for no company here: its unit waits for the ticket.
    """

    receive_gather: float = Field(default=0.0, ge=0)
    feed_streams: int = Field(default=20, ge=1)
    feed_gather: float = Field(default=0.05, ge=0)
    feed_look: float = Field(default=1.0, gt=0)
    feed_heartbeat: float = Field(default=15.0, gt=0)
    feed_life: float = Field(default=900.0, gt=0)

    def load(self) -> Config:
        """Read the files of config_dir. Raises ConfigError with file, line and field."""
        folder = self.config_dir
        units, codes = read(folder / "units.yaml", Units), read(folder / "codes.yaml", Codes)
        reasons = {"reasons": {reason.code for reason in codes.reasons}}
        policy = read(folder / "policy.yaml", Policy, context=reasons)
        limits = read(folder / "policy.yaml", LimitTable)
        return Config(
            dispatching=Dispatching(
                matcher=Matcher(self._catalogue(units, codes, policy).rules),
                urgency=policy.urgency_rules,
                towns=units.towns(),
                names=_names(units, codes),
                recused=units.recused,
            ),
            units=units,
            limits=limits,
            calendar=load_calendar(
                folder / "calendar", limits.calendar.duty_segments, limits.timezone
            ),
            returns=policy.return_ticket,
            feed=FeedPace(self.feed_gather, self.feed_look, self.feed_heartbeat, self.feed_life),
        )

    def _catalogue(self, units: Units, codes: Codes, policy: Policy) -> Catalogue:
        known = {
            "units": {unit.code for unit in units.units},
            "topics": {topic.code for topic in codes.topics},
            "areas": {area.code for area in codes.areas},
            "flags": set(policy.flags),
        }
        return read(self.config_dir / "catalogue.yaml", CheckedCatalogue, context=known)


def _names(units: Units, codes: Codes) -> Names:
    return Names(
        topics={term.code: Reason(term.zh, term.en) for term in (*codes.fields, *codes.topics)},
        areas={area.code: area.name for area in codes.areas},
        units={unit.code: unit.name for unit in units.units},
    )
