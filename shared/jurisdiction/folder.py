"""The county's folder: all its files as they were at one moment, and which configuration they are.

A service names the files it reads by the fields of its ``Files``, and what must hold between them by
checks. All faults of all files are told at once, one a line.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

from pydantic import BaseModel

from shared.errors import ConfigError
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import Units
from shared.jurisdiction.holidays import (
    LOCAL,
    CalendarFiles,
    LocalDays,
    Notice,
    local_units_exist,
    work_calendar,
)
from shared.jurisdiction.place import Place
from shared.jurisdiction.reader import Fault, Text, bytes_of
from shared.jurisdiction.sections import Where, nearest

# Every file a county has, whoever reads it; a test compares it with what the services read.
FILES = (
    "place", "codes", "units", "catalogue", "urgency", "limits", "returns", "arbitration", "supervision",
    "callbacks", "evaluation", "privacy", "duplicates", "endings", "calls", "suggestions", "dispatch",
    "audit", "places",
)  # fmt: skip
CALENDAR = "calendar"
CHECKED = ".checked"  # what `reload` checked last: no part of the rules
_NOTICE = re.compile(r"[12]\d{3}\.json")
# What nobody takes for a rule: hidden files, editors' backups, what is written for people.
_ASIDE = re.compile(r"\..*|.*~|#.*#|.*\.md|README.*|LICENSE.*")
MOST = 200  # files
MISSING = (
    "缺少此文件，请照本版 config/ziyang/{name} 编写 the file is missing: write it after "
    "config/ziyang/{name} of this release"
)
PARTED = (
    "已拆为一主题一文件，请将内容移入各文件 parted into a file for each matter, move what it says there: "
    "place, limits, urgency, returns, supervision, evaluation, privacy (.yaml)"
)
GONE = {"policy.yaml": PARTED}  # files of a release before: a name like theirs is no slip

Misfit = tuple[str, Where, str]  # file, where, what is wrong: of a check between files
Check = Callable[..., Iterable[Misfit]]
F = TypeVar("F", bound="Files")


@dataclass(frozen=True)
class Files:
    """The files a service reads, a field for each: ``limits`` is limits.yaml, ``calendar`` days off and on.

    A check takes some of them by their names, and is made when these are sound.
    """

    checks: ClassVar[tuple[Check, ...]] = ()


@dataclass(frozen=True)
class PlaceFile(Files):
    """place.yaml alone."""

    place: Place


@dataclass(frozen=True)
class Folder:
    """The files of a county as they were read, by name; and what was wrong with the folder itself."""

    path: Path
    files: Mapping[str, bytes]
    faults: tuple[Fault, ...]

    @classmethod
    def take(cls, path: Path) -> Self:
        """Read everything at once. Raises ConfigError when there is no such folder."""
        files: dict[str, bytes] = {}
        faults: list[Fault] = []
        try:
            found = sorted(_entries(path))
        except OSError as unread:
            raise ConfigError(f"{path}: 无法读取 cannot be read: {unread.strerror}") from None
        for name in found[:MOST]:
            try:
                if wrong := _unknown(name):
                    faults.append(Fault(str(path / name), 0, "", wrong))
                else:
                    files[name] = bytes_of(path / name)
            except OSError as unread:
                wrong = f"无法读取 cannot be read: {unread.strerror}"
                faults.append(Fault(str(path / name), 0, "", wrong))
        return cls(path, files, tuple(faults))

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any byte or name of the files."""
        seen = hashlib.sha256()
        for name, raw in sorted(self.files.items()):
            seen.update(f"{name}\n{len(raw)}\n".encode() + raw)
        return seen.hexdigest()[:12]

    @cached_property
    def configuration(self) -> str:
        """Which configuration this is: ``2026.1+0123456789ab``. Raises ConfigError."""
        return f"{self.read(PlaceFile).place.version}+{self.digest}"

    def text(self, name: str) -> Text:
        """One file; what is not there is a fault of it."""
        if name in self.files:
            return Text(str(self.path / name), self.files[name])
        missing = Text(str(self.path / name), b"")
        missing.faults = [Fault(str(self.path / name), 0, "", MISSING.format(name=name))]
        return missing

    def read(self, kind: type[F]) -> F:
        """The files of a service. Raises ConfigError with every fault of all of them."""
        found, faults = self._read(kind)
        if faults:
            raise refusal(faults)
        return kind(**found)

    def faults_of(self, kind: type[Files]) -> list[Fault]:
        """Every fault of the files of a service."""
        return self._read(kind)[1]

    def _read(self, kind: type[F]) -> tuple[dict[str, Any], list[Fault]]:
        found: dict[str, Any] = {}
        faults = list(self.faults)
        for name, model in _models(kind).items():
            if name == CALENDAR:
                found[name] = CalendarFiles(self._notices(faults), self._local(faults))
                continue
            value, wrong = self._value(f"{name}.yaml", model)
            if value is not None:
                found[name] = value
            faults += [fault for fault in wrong if fault not in faults]
        for check in kind.checks:
            needed = inspect.signature(check).parameters
            if needed.keys() <= found.keys():
                misfits = check(**{name: found[name] for name in needed})
                faults += [
                    self.text(f"{file}.yaml").fault(where, wrong) for file, where, wrong in misfits
                ]
        return found, faults

    def _value(self, name: str, model: type[BaseModel]) -> tuple[Any, tuple[Fault, ...]]:
        """One file as its model, and what is wrong with it."""
        if name not in self.files:
            return None, tuple(self.text(name).faults)
        return valued(str(self.path / name), self.files[name], model)

    def _notices(self, faults: list[Fault]) -> tuple[Notice, ...]:
        names = [name for name in self.files if name.startswith(f"{CALENDAR}/")]
        names = [name for name in names if name != f"{LOCAL}.yaml"]
        if not names:
            wrong = "没有放假通知 no holiday notice YYYY.json"
            faults.append(Fault(str(self.path / CALENDAR), 0, "", wrong))
        notices = []
        for name in names:
            notice, found = self._value(name, Notice)
            faults += found
            if notice and f"{notice.year:04}.json" != Path(name).name:
                wrong = f"与文件名不符 the file holds the notice of {notice.year}"
                faults.append(self.text(name).fault(("year",), wrong))
            notices += [notice] if notice else []
        return tuple(notices)

    def _local(self, faults: list[Fault]) -> LocalDays:
        if f"{LOCAL}.yaml" not in self.files:
            return LocalDays()
        found, wrong = self._value(f"{LOCAL}.yaml", LocalDays)
        faults += wrong
        return found or LocalDays()


def refusal(faults: Iterable[Fault]) -> ConfigError:
    """All faults, each once, one a line, in the order of the files."""
    return ConfigError("\n".join(map(str, sorted(set(faults)))))


@dataclass(frozen=True)
class CalendarRules(PlaceFile):
    """What the working calendar of a place is made of."""

    calendar: CalendarFiles
    units: Units

    checks = (local_units_exist,)

    def work_calendar(self) -> WorkCalendar:
        """The calendar they make. Raises ConfigError for one without working time."""
        return work_calendar(self.place, self.calendar, self.units.units)


def calendar_of(path: Path) -> WorkCalendar:
    """The working calendar of the place whose folder it is. Raises ConfigError."""
    return Folder.take(path).read(CalendarRules).work_calendar()


def _entries(path: Path) -> Iterator[str]:
    """Everything in the folder, and in that of the notices, but what nobody takes for a rule."""
    for entry in path.iterdir():
        if _ASIDE.fullmatch(entry.name):
            continue
        if entry.name == CALENDAR and entry.is_dir():
            notices = [below.name for below in entry.iterdir()]
            yield from (f"{CALENDAR}/{name}" for name in notices if not _ASIDE.fullmatch(name))
        else:
            yield entry.name


def _unknown(name: str) -> str | None:
    """What is wrong with a name that no code reads."""
    folder, _, file = name.rpartition("/")
    known = [f"{own}.yaml" for own in FILES]
    if (folder == CALENDAR and _NOTICE.fullmatch(file)) or name in (*known, f"{LOCAL}.yaml"):
        return None
    if name in GONE:
        return f"没有程序读取此文件 no code reads this file: {GONE[name]}"
    hint = (
        "；calendar/ 中只放 holds only YYYY.json, local.yaml"
        if folder
        else nearest(name, [*known, CALENDAR])
    )
    return f"没有程序读取此文件 no code reads this file{hint}"


@lru_cache(maxsize=3 * len(FILES))
def valued(file: str, raw: bytes, model: type[BaseModel]) -> tuple[Any, tuple[Fault, ...]]:
    """What these bytes are as a model. Four services of one process read most files alike, and what
    a reading gives is frozen: the same bytes are read once.
    """
    text = Text(file, raw)
    value = text.model(model)
    return value, tuple(text.faults)


def _models(kind: type[Files]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hint for name, hint in hints.items() if name != "checks"}
