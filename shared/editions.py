"""起草与发布: rules that are data, such as the dispatch catalogue and the time limits: who may do what to
a draft and to a version, and from when it decides (GB66-5). Pure.

A draft is anybody's of the desk to write; a second person publishes it. Versions follow one another: each
is written on top of the last, and takes effect after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Generic, TypeVar
from uuid import UUID

from shared.caller import person
from shared.errors import Forbidden, JiesuError, MoveRefused, NotFound
from shared.storage.editions import EditionRow

FILE = "file"  # sources of an edition: the county's folder, and the doors
DOOR = "door"
AHEAD = timedelta(days=366)  # what is published for later than that keeps everything else waiting
SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "draft": ("草稿，待另一人复核发布", "A draft: a second person may publish it"),
        "discarded": ("草稿已作废", "The draft was discarded"),
        "scheduled": ("已发布，尚未生效", "Published, not in force yet"),
        "in_force": ("现行版本", "In force"),
        "superseded": ("已被后来的版本取代", "A later version took its place"),
        "withdrawn": ("生效前已撤回", "Withdrawn before it took effect"),
    }
)


class OwnDraft(Forbidden):
    """Whoever wrote in a draft may not publish it: a second person does (R-03, 双人复核)."""

    slug = "own-draft"
    title = "起草人不得发布自己的草稿 Whoever wrote in a draft may not publish it"


class OutdatedDraft(JiesuError):
    """Another version was published since the draft was written; ``latest`` is that one."""

    status = 409
    slug = "outdated-draft"
    title = "草稿所依据的版本已不是最新 The draft is based on an older version"


class ChangedDraft(JiesuError):
    """The draft is not what the caller read any more; ``digest`` is what it is now."""

    status = 409
    slug = "changed-draft"
    title = "草稿已被修改，请重新核对 The draft was changed since you read it"


class EffectiveTooEarly(JiesuError):
    """A version takes effect after the one it is based on, and not in the past; ``earliest`` says when."""

    status = 409
    slug = "effective-too-early"
    title = "生效时间过早 The effective time is too early"


class EffectiveTooLate(JiesuError):
    """A version takes effect within a year: each later one waits for it. ``latest`` says when."""

    status = 409
    slug = "effective-too-late"
    title = "生效时间过晚，须在一年之内 The effective time is too late: within a year"


E = TypeVar("E", bound=EditionRow)


class Ledger(Generic[E]):
    """All drafts and versions of something, the oldest first."""

    def __init__(self, editions: list[E]) -> None:
        self.editions = editions

    def find(self, id: UUID) -> E:
        """A draft, or the version it became. Raises NotFound."""
        for row in self.editions:
            if row.id == id:
                return row
        raise NotFound

    def version(self, version: int) -> E:
        """A version by its number. Raises NotFound."""
        for row in self.editions:
            if row.version == version:
                return row
        raise NotFound

    @property
    def standing(self) -> list[E]:
        """The versions that were not withdrawn, in their order."""
        found = (row for row in self.editions if row.version and row.withdrawn_at is None)
        return sorted(found, key=lambda row: row.version or 0)

    @property
    def latest(self) -> E | None:
        """The last version, whether it decides yet or not."""
        return self.standing[-1] if self.standing else None

    @property
    def next_version(self) -> int:
        """The number of the next version: each is given once, also where one is withdrawn."""
        return max((row.version or 0 for row in self.editions), default=0) + 1

    def in_force(self, now: datetime) -> E | None:
        """The version that decides at a moment."""
        found = [
            row
            for row in self.standing
            if row.version == 1 or (row.effective_at and row.effective_at <= now)
        ]
        return found[-1] if found else None

    @property
    def led_by_people(self) -> bool:
        """Whether a version came from the doors: then no file replaces it."""
        return any(row.source == DOOR for row in self.standing)

    @property
    def last_file(self) -> str | None:
        """The text of the county's file that was imported last."""
        return next((row.digest for row in self.editions[::-1] if row.source == FILE), None)


def check_open(*, version: int | None, discarded: bool) -> None:
    """Whether a draft may still be written in, published or discarded. Raises MoveRefused."""
    if version is not None:
        raise MoveRefused("edit", "published", [])
    if discarded:
        raise MoveRefused("edit", "discarded", [])


def check_second_person(name: str, authors: Iterable[str]) -> None:
    """Raises OwnDraft. The same person under another role is the same person."""
    if name in {person(author) for author in authors}:
        raise OwnDraft(
            "您参与了起草，须由另一人复核发布。You wrote in this draft: somebody else has to publish it"
        )


def check_current(based_on: int | None, latest: int | None, *, same: bool = True) -> None:
    """``same``: that version says what it said then. Raises OutdatedDraft."""
    if based_on == latest and not same:
        raise OutdatedDraft(
            "起草之后县规则目录已改，请以其为准重新写入。The county's folder was changed since the draft was "
            "written: write it anew on top of that",
            latest=latest,
        )
    if based_on != latest:
        raise OutdatedDraft(
            f"草稿依据第{based_on}版起草，现已有第{latest}版，请以其为准重新写入。The draft is based on "
            f"version {based_on}, and {latest} was published since: write it anew on top of that",
            latest=latest,
        )


def takes_effect(
    asked: datetime | None,
    now: datetime,
    before: datetime | None,
    notice: timedelta = timedelta(0),
) -> datetime:
    """When a version takes effect: as asked, else as soon as it may. ``notice``: how long others need to hear
    of it. Raises EffectiveTooEarly, EffectiveTooLate.
    """
    latest = now + AHEAD
    earliest = max(now + notice, before or now)
    if asked is None:
        return earliest
    if asked < earliest:
        raise EffectiveTooEarly(
            f"不得早于 not before {earliest.isoformat()}",
            field="effective_at",
            earliest=earliest.isoformat(),
        )
    if asked > latest:
        raise EffectiveTooLate(
            f"不得晚于 not after {latest.isoformat()}",
            field="effective_at",
            latest=latest.isoformat(),
        )
    return asked


def check_withdrawable(
    effective_at: datetime | None, now: datetime, *, withdrawn: bool, last: bool
) -> None:
    """Whether a version can be taken back: only before it decides, and the last one first. Raises
    MoveRefused.
    """
    if withdrawn:
        raise MoveRefused("withdraw", "withdrawn", [])
    if effective_at is None or effective_at <= now:
        raise MoveRefused("withdraw", "in_force", ["发布新版本 publish a new version"])
    if not last:
        raise MoveRefused(
            "withdraw", "superseded", ["先撤回其后的版本 withdraw the later version first"]
        )


def status(row: EditionRow, now: datetime, in_force: int | None) -> str:
    """Where an edition stands: draft, discarded, scheduled, in_force, superseded or withdrawn."""
    if row.version is None:
        return "discarded" if row.discarded_at else "draft"
    if row.withdrawn_at:
        return "withdrawn"
    if row.version == in_force:
        return "in_force"
    return "superseded" if in_force and row.version < in_force else "scheduled"
