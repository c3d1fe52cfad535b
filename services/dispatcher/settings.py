"""The dispatcher's knobs, and the rules in force: catalogue, units, limits, calendar, returns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import Field

from services.dispatcher.rules.arbitration import ArbitrationRules, invited_exist
from services.dispatcher.rules.audit import AuditRules
from services.dispatcher.rules.catalogue import Catalogue, Rule, unknown_codes
from services.dispatcher.rules.checking import County
from services.dispatcher.rules.dispatch import Dispatching
from services.dispatcher.rules.grassroots import GrassrootsRules
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.rules.reasons import Names, Reason
from services.dispatcher.rules.returns import ReturnRules, grounds_exist
from services.dispatcher.rules.suggesting import LARGEST, Model, Suggestions
from shared.errors import ConfigError
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import Codes, Units, towns_have_areas
from shared.jurisdiction.folder import Files, Folder, Misfit
from shared.jurisdiction.gazetteer import Gazetteer
from shared.jurisdiction.holidays import CalendarFiles, local_units_exist, work_calendar
from shared.jurisdiction.limits import LimitTable, limit_codes_exist
from shared.jurisdiction.place import Place
from shared.jurisdiction.reader import Fault, Text, bytes_of
from shared.jurisdiction.urgency import UrgencyRules, urgent_topics_exist
from shared.settings import ServiceSettings


def catalogue_codes_exist(
    catalogue: Catalogue, units: Units, codes: Codes, urgency: UrgencyRules
) -> Iterator[Misfit]:
    """A check between files: every code in the catalogue is in the tables of the place."""
    known = codes_by_key(codes, urgency)
    found = unknown_codes(catalogue, units=[unit.code for unit in units.units], known=known)
    yield from (("catalogue", where, wrong) for where, wrong in found)


def codes_by_key(codes: Codes, urgency: UrgencyRules) -> Mapping[str, Sequence[str]]:
    """The codes that a rule of the catalogue may name, by its key."""
    return {
        "topic": [*codes.branches],
        "areas": [area.code for area in codes.areas],
        "channels": [channel.code for channel in codes.channels],
        "flags": codes.flags,
        "dangers": [danger.id for danger in urgency.dangers],
    }


@dataclass(frozen=True, slots=True)
class Written:
    """A catalogue as it was written, and what that says. ``digest``: the SHA-256 of the text, its name."""

    text: str
    digest: str
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, text: str, rules: Sequence[Rule]) -> Written:
        """A text that says these rules."""
        return cls(text, digest_of(text), tuple(rules))


def digest_of(text: str) -> str:
    """The name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_catalogue(text: str) -> tuple[Written | None, list[Fault]]:
    """A text as a catalogue, or everything that keeps it from being one."""
    found = Text("catalogue.yaml", text.encode())
    catalogue = found.model(Catalogue)
    if catalogue is None or found.faults:
        return None, sorted(found.faults)
    return Written.of(text, catalogue.rules), []


def line_of(text: str, rule: int) -> int:
    """In which line of a catalogue's text a rule begins."""
    return Text("catalogue.yaml", text.encode()).fault(("rules", rule), "").line


@dataclass(frozen=True)
class Rules(Files):
    """The files the dispatcher reads."""

    place: Place
    codes: Codes
    units: Units
    catalogue: Catalogue
    urgency: UrgencyRules
    limits: LimitTable
    returns: ReturnRules
    audit: AuditRules
    arbitration: ArbitrationRules
    suggestions: Suggestions
    dispatch: GrassrootsRules
    calendar: CalendarFiles

    checks = (
        towns_have_areas,
        catalogue_codes_exist,
        urgent_topics_exist,
        limit_codes_exist,
        grounds_exist,
        invited_exist,
        local_units_exist,
    )


@dataclass(frozen=True, slots=True)
class FeedPace:
    """How the unit feed is numbered and streamed, in seconds: Settings' ``feed_*``."""

    gather: float
    look: float
    heartbeat: float
    life: float


@dataclass(frozen=True, slots=True)
class Config:
    """The rules in force, the pace of the unit feed, and the model of suggestions if there is one.

    ``dispatching`` goes by ``catalogue``, that of the folder; which version decides, stands in
    catalogue/catalogues.py. ``compiled`` are those, by their digests.
    """

    place: Place
    dispatching: Dispatching
    catalogue: Written
    units: Units
    limits: LimitTable
    calendar: WorkCalendar
    returns: ReturnRules
    audit: AuditRules
    grassroots: GrassrootsRules
    arbitration: ArbitrationRules
    grounds: Sequence[str]
    codes: Codes
    feed: FeedPace
    suggestions: Suggestions
    model: Model | None
    compiled: dict[str, Dispatching] = field(default_factory=dict, compare=False)

    @property
    def telephones(self) -> frozenset[str]:
        """The offices' own numbers, which stay in every text."""
        return self.units.telephones

    def going_by(self, rules: Sequence[Rule], version: int | None = None) -> Dispatching:
        """The same county under another catalogue, compiled."""
        matcher = Matcher(rules, self.codes.lineage, self.dispatching.urgency.denied, self.calendar)
        return replace(self.dispatching, matcher=matcher, version=version)

    def county(self) -> County:
        """What a catalogue is checked against."""
        return County(
            known=codes_by_key(self.codes, self.dispatching.urgency),
            units=[unit.code for unit in self.units.units],
            topics=[topic.code for topic in self.codes.topics],
            towns=self.dispatching.towns,
            districts=self.dispatching.districts,
            villages=self.dispatching.villages,
            lineage=self.codes.lineage,
            names=self.dispatching.names,
            telephones=self.telephones,
        )


class Settings(ServiceSettings):
    """How the unit feed streams, in seconds. A stream ends after ``feed_life``, so that a token
    that expired or was revoked meanwhile stops counting; the client resumes by Last-Event-ID.
    A caller may have ``feed_streams`` open at once. A delivery may wait ``feed_gather`` for others
    that get their places with it. ``suggest_model``: the file `suggest-train` wrote; without it nothing
    is suggested.

    A ticket waits for no company here: its unit waits for the ticket.
    """

    receive_gather: float = Field(default=0.0, ge=0)
    feed_streams: int = Field(default=20, ge=1)
    feed_gather: float = Field(default=0.05, ge=0)
    feed_look: float = Field(default=1.0, gt=0)
    feed_heartbeat: float = Field(default=15.0, gt=0)
    feed_life: float = Field(default=900.0, gt=0)
    suggest_model: Path | None = None

    files = Rules

    def load(self, folder: Folder | None = None) -> Config:
        """Read the rules. Raises ConfigError with file, line and field."""
        taken = self.folder(folder)
        rules = taken.read(Rules)
        text = taken.files["catalogue.yaml"].decode("utf-8-sig")
        calendar = work_calendar(rules.place, rules.calendar, rules.units.units)
        lineage, denied = rules.codes.lineage, rules.urgency.denied
        return Config(
            place=rules.place,
            dispatching=Dispatching(
                matcher=Matcher(rules.catalogue.rules, lineage, denied, calendar),
                urgency=rules.urgency.among(rules.codes),
                towns=rules.units.answering(rules.codes),
                names=_names(rules.units, rules.codes),
                gazetteer=Gazetteer(rules.units, rules.codes, rules.place.name),
                districts=rules.units.districts(),
                villages=rules.units.villages(),
            ),
            catalogue=Written.of(text, rules.catalogue.rules),
            units=rules.units,
            limits=rules.limits.among(rules.codes),
            calendar=calendar,
            returns=rules.returns,
            audit=rules.audit,
            grassroots=rules.dispatch,
            arbitration=rules.arbitration,
            grounds=rules.codes.grounds,
            codes=rules.codes,
            feed=FeedPace(self.feed_gather, self.feed_look, self.feed_heartbeat, self.feed_life),
            suggestions=rules.suggestions,
            model=self._model(),
        )

    def _model(self) -> Model | None:
        """The model of suggestions. Raises ConfigError when it is none, or not whole."""
        if (path := self.suggest_model) is None:
            return None
        try:
            raw = bytes_of(path, LARGEST)
        except OSError as unread:
            raise ConfigError(f"{path}: 无法读取 cannot be read: {unread.strerror}") from None
        return Model.read(raw, str(path))


def _names(units: Units, codes: Codes) -> Names:
    return Names(
        topics={
            term.code: Reason(term.zh, term.en or term.zh)
            for term in (*codes.fields, *codes.topics)
        },
        channels={row.code: Reason(row.zh, row.en or row.zh) for row in codes.channels},
        areas={area.code: area.name for area in codes.areas},
        units={unit.code: unit.name for unit in units.units},
    )
