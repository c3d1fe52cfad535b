"""派单目录的起草与发布: who may do what to a draft and to a version, and from when it decides (GB66-5). Pure.

A draft is anybody's of the desk to write; a second person publishes it. Versions follow one another: each
is written on top of the last, and takes effect after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.caller import person
from shared.errors import Forbidden, JiesuError, MoveRefused


class OwnDraft(Forbidden):
    """Whoever wrote in a draft may not publish it: a second person does (R-03, 双人复核)."""

    slug = "own-draft"
    title = "起草人不得发布自己的草稿 Whoever wrote in a draft may not publish it"


class CatalogueRefused(JiesuError):
    """派单目录有错: the catalogue does not check; ``faults`` are all of them, each with rule and place."""

    status = 409
    slug = "catalogue-refused"
    title = "派单目录校核未通过，未发布 The catalogue does not check and was not published"


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


def check_current(based_on: int | None, latest: int | None) -> None:
    """Raises OutdatedDraft."""
    if based_on != latest:
        raise OutdatedDraft(
            f"草稿依据第{based_on}版起草，现已有第{latest}版，请以其为准重新写入。The draft is based on "
            f"version {based_on}, and {latest} was published since: write it anew on top of that",
            latest=latest,
        )


def takes_effect(asked: datetime | None, now: datetime, before: datetime | None) -> datetime:
    """When a version takes effect: as asked, else at once. Raises EffectiveTooEarly."""
    earliest = max(now, before or now)
    if asked is None:
        return earliest
    if asked < earliest:
        raise EffectiveTooEarly(
            f"不得早于 not before {earliest.isoformat()}",
            field="effective_at",
            earliest=earliest.isoformat(),
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


def status(row: Any, now: datetime, in_force: int | None) -> str:
    """Where an edition stands: draft, discarded, scheduled, in_force, superseded or withdrawn."""
    if row.version is None:
        return "discarded" if row.discarded_at else "draft"
    if row.withdrawn_at:
        return "withdrawn"
    if row.version == in_force:
        return "in_force"
    return "superseded" if in_force and row.version < in_force else "scheduled"
