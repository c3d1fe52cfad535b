"""时限规则版本: which version of the policy a clock begins under, and how versions come to be (ADR 0072).

Until people publish, the county's folder decides, as it stands. The first publication keeps it as version 1;
from then on a changed file is a draft, and said aloud.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID
from weakref import WeakKeyDictionary

import uuid6
from sqlalchemy import ColumnElement, func, text
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.tracker.policies.models import PolicyEdition, PolicyEditions
from services.tracker.records import ServiceAct
from services.tracker.rules.supervision import Supervision
from services.tracker.settings import Config
from shared import events, policies
from shared.caller import person
from shared.editions import FILE, Ledger
from shared.jurisdiction.limits import LimitTable
from shared.observability import log
from shared.storage.act import Store

FILES = ("limits.yaml", "supervision.yaml")
FILES_AUTHOR = "file:limits.yaml, supervision.yaml"
SUBJECT = "policy"  # of the facts about it
# Whoever adds or publishes an edition holds this, so that each has all others before it.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('policies'))")
ALL = select(PolicyEditions).order_by(col(PolicyEditions.id))
VERSION = col(PolicyEditions.version)
# The folder each store has compared with what was published.
_seen: WeakKeyDictionary[Store[Config], str] = WeakKeyDictionary()


class Texts(NamedTuple):
    """A policy as it is written."""

    limits: str
    supervision: str

    @classmethod
    def of_folder(cls, config: Config) -> Self:
        """The county's own."""
        return cls(*(config.folder.files[name].decode("utf-8-sig") for name in FILES))

    @property
    def digest(self) -> str:
        """Its name: the SHA-256 of both files."""
        return hashlib.sha256("\0".join(self).encode()).hexdigest()


# --- which one decides -------------------------------------------------------------------------


def in_force(act: ServiceAct, moment: datetime | None = None) -> Config:
    """The rules under the version that is in force at a moment, or now."""
    found = policies.at(act, moment)
    if found is None:
        return act.config
    return under(act.config, found.limits, found.supervision, found.version)


def under(config: Config, limits: bytes, supervision: bytes, version: int) -> Config:
    """The same county under another policy. Raises ConfigError where it cannot be read."""
    table = policies.read(FILES[0], limits, LimitTable).among(config.codes)
    return config.under(table, policies.read(FILES[1], supervision, Supervision), version)


async def check(act: ServiceAct) -> None:
    """A check at the start: this release can read what was published. Raises ConfigError."""
    await policies.take_up(act)
    in_force(act)


class Superseded(NamedTuple):
    """Which version decides instead of the folder, and the draft that the folder has become, if it has."""

    version: int
    draft: UUID | None


async def stored(act: ServiceAct, version: int | None) -> Texts | None:
    """The texts of a version, or of the one in force, as they stand in the database; None when there is none.
    It asks no file.
    """
    query = ALL.where(version == VERSION) if version else _in_force(act.now)
    row = (await act.session.exec(query)).first()
    return Texts(row.limits, row.supervision) if row else None


async def superseded(act: ServiceAct, digest: str) -> Superseded | None:
    """What decides instead of a folder with this digest; None where nobody has published, or just that."""
    row = (await act.session.exec(_in_force(act.now))).first()
    if row is None or row.digest == digest:
        return None
    waiting = select(PolicyEditions.id).where(
        PolicyEditions.digest == digest,
        VERSION.is_(None),
        col(PolicyEditions.discarded_at).is_(None),
    )
    return Superseded(row.version or policies.FOLDERS, (await act.session.exec(waiting)).first())


def _in_force(now: datetime) -> SelectOfScalar[PolicyEditions]:
    return ALL.where(*_decides(now)).order_by(None).order_by(VERSION.desc()).limit(1)


def _decides(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        VERSION.is_not(None),
        col(PolicyEditions.withdrawn_at).is_(None),
        col(PolicyEditions.effective_at) <= now,
    )


# --- how it comes to be ------------------------------------------------------------------------


async def ledger(act: ServiceAct) -> Ledger[PolicyEdition]:
    """The version in force with those after it, and whatever else this act asked for, was given or made, a
    changed file among it; no other act adds to it before this one ends.
    """
    if SUBJECT not in act.locked:
        await (await act.session.connection()).execute(ONE_AT_A_TIME)
        act.locked[SUBJECT] = Ledger(await act.rows.load(PolicyEdition, _from(act.now)))
        await _take_file(act)
    found: Ledger[PolicyEdition] = act.locked[SUBJECT]
    return found


async def find(act: ServiceAct, id: UUID) -> PolicyEdition:
    """A draft, or the version it became. Raises NotFound."""
    editions = await ledger(act)
    if all(row.id != id for row in editions.editions):
        editions.editions += await act.rows.load(PolicyEdition, ALL.where(PolicyEditions.id == id))
    return editions.find(id)


async def numbered(act: ServiceAct, version: int) -> PolicyEdition:
    """A version by its number. Raises NotFound."""
    editions = await ledger(act)
    if all(row.version != version for row in editions.editions):
        editions.editions += await act.rows.load(PolicyEdition, ALL.where(version == VERSION))
    return editions.version(version)


def _from(now: datetime) -> SelectOfScalar[PolicyEditions]:
    """The version in force and all after it, also those withdrawn, whose numbers are not given again."""
    decides = select(func.max(VERSION)).where(*_decides(now)).scalar_subquery()
    return ALL.where(func.coalesce(decides, policies.FOLDERS) <= VERSION)


def latest(act: ServiceAct) -> PolicyEdition:
    """The last version, whether it decides yet or not: the folder until people publish. The ledger must be
    loaded.
    """
    editions: Ledger[PolicyEdition] = act.locked[SUBJECT]
    return editions.latest or folders(act)


def folders(act: ServiceAct) -> PolicyEdition:
    """The county's folder as it stands, as the version it is while nothing was published; not kept."""
    row = _edition(act, Texts.of_folder(act.config), FILE, FILES_AUTHOR, "县规则目录 the folder")
    row.version = policies.FOLDERS
    return row


def draft(act: ServiceAct, texts: Texts, source: str, author: str, note: str) -> PolicyEdition:
    """A new draft on top of the latest version. The ledger must be loaded."""
    editions: Ledger[PolicyEdition] = act.locked[SUBJECT]
    base = latest(act)
    row = _edition(act, texts, source, author, note)
    row.based_on, row.base = base.version, base.digest
    editions.editions.append(act.rows.add(row))
    return row


def _edition(act: ServiceAct, texts: Texts, source: str, author: str, note: str) -> PolicyEdition:
    return PolicyEdition(
        id=UUID(bytes=uuid6.uuid7().bytes),
        digest=texts.digest,
        source=source,
        base=texts.digest,
        note=note,
        authors=[author],
        drafted_at=act.now,
        edited_at=act.now,
        **texts._asdict(),
    )


async def publish(act: ServiceAct, row: PolicyEdition, effective_at: datetime, by: str) -> None:
    """Make a draft the next version; the first one keeps the folder as the version before it. The ledger
    must be loaded.
    """
    editions: Ledger[PolicyEdition] = act.locked[SUBJECT]
    if editions.latest is None:
        before = act.rows.add(folders(act))
        editions.editions.append(before)
        await _tell(act, before, act.now, FILES_AUTHOR)
    row.version = editions.next_version
    await _tell(act, row, effective_at, by)


async def _tell(act: ServiceAct, row: PolicyEdition, effective_at: datetime, by: str) -> None:
    row.published_at, row.published_by, row.effective_at = act.now, by, effective_at
    data = events.PolicyPublished(
        policy_version=row.version or policies.FOLDERS,
        effective_at=effective_at,
        digest=row.digest,
        limits_yaml=row.limits,
        supervision_yaml=row.supervision,
        authors=tuple(dict.fromkeys(map(person, row.authors))),
        note=row.note,
    )
    act.tell(data, subject=SUBJECT, round=1)
    await policies.note(act, data)


async def _take_file(act: ServiceAct) -> None:
    """A folder that was changed since people publish is a draft."""
    editions: Ledger[PolicyEdition] = act.locked[SUBJECT]
    own = Texts.of_folder(act.config)
    known = select(PolicyEditions.id).where(PolicyEditions.digest == own.digest).limit(1)
    if editions.latest is None or (await act.session.exec(known)).first():
        return
    row = draft(act, own, FILE, FILES_AUTHOR, "由县规则目录导入 from the county's folder")
    log.warning(
        "limits.yaml 或 supervision.yaml 已改，但以已发布的版本为准，改动存为草稿，须由人发布 a file was "
        "changed, but published versions decide: it is a draft now, for somebody to publish",
        draft=str(row.id),
    )


async def follow(store: Store[Config], limit: int) -> int:
    """A job: go by what other processes published, and make a folder that was changed since a draft."""
    await policies.follow(store, limit)
    own = Texts.of_folder(store.config).digest
    if _seen.get(store) != own:
        async with store.act(f"service:{store.name}") as act:
            if policies.at(act):
                await ledger(act)
                _seen[store] = own
    return 0
