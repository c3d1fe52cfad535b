"""派单目录版本: which version of the catalogue decides now, in every replica alike (R-03, ADR 0057).

Versions stand in the database. Each act that decides asks which one is in force at its moment, so that all
replicas change at the effective time, and none needs to be told. A version is compiled once a process.

The county's file is the first version. While nobody has published another through the doors, a changed file
is the next version as soon as it is taken up; from then on it is a draft, and said aloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

import uuid6
from sqlalchemy import text
from sqlmodel import col, select

from services.dispatcher.catalogue.models import (
    CatalogueText,
    CatalogueTexts,
    Edition,
    Editions,
)
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.covering import changes
from services.dispatcher.rules.dispatch import Dispatching
from services.dispatcher.settings import Config, Written, read_catalogue
from shared import events
from shared.caller import person
from shared.editions import DOOR, FILE, Ledger
from shared.errors import ConfigError, NotFound
from shared.observability import log
from shared.storage.act import Store

FILES_AUTHOR = "file:catalogue.yaml"
SUBJECT = "catalogue"  # of the facts about it
KEPT = 8  # versions compiled at once: the one in force, the next, those being tried or explained
# Whoever adds or publishes an edition holds this, so that each has all others before it.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('catalogues'))")
IN_FORCE = text(f"""
    SELECT version, digest, (SELECT digest FROM catalogues WHERE source = '{FILE}'
            ORDER BY id DESC LIMIT 1) AS file
    FROM catalogues WHERE version IS NOT NULL AND withdrawn_at IS NULL
        AND (effective_at <= :now OR version = 1) ORDER BY version DESC LIMIT 1""")
ALL = select(Editions).order_by(col(Editions.id))
taken: WeakKeyDictionary[Store[Config], str] = (
    WeakKeyDictionary()
)  # the file each store has imported


async def ledger(act: ServiceAct) -> Ledger[Edition]:
    """All editions, locked until the act ends; loaded once an act."""
    if SUBJECT not in act.locked:
        await (await act.session.connection()).execute(ONE_AT_A_TIME)
        act.locked[SUBJECT] = Ledger(await act.rows.load(Edition, ALL))
    found: Ledger[Edition] = act.locked[SUBJECT]
    return found


# --- which one decides -------------------------------------------------------------------------


async def dispatching(act: ServiceAct) -> Dispatching:
    """The rules under the version that is in force now."""
    if IN_FORCE not in act.locked:
        act.locked[IN_FORCE] = await compiled(act, *await in_force(act))
    found: Dispatching = act.locked[IN_FORCE]
    return found


async def in_force(act: ServiceAct) -> tuple[int | None, str]:
    """The number and the digest of the version that decides now, the county's file imported."""
    own = act.config.catalogue.digest
    row = (await (await act.session.connection()).execute(IN_FORCE, {"now": act.now})).first()
    if taken.get(act.store) == own and row:
        return row.version, row.digest
    if row and own in (row.file, row.digest):
        taken[act.store] = own  # by an act that is committed, here or in another process
        return row.version, row.digest
    return await _take_file(act)


async def check(act: ServiceAct) -> None:
    """A check at the start: this release can read the version in force. Raises ConfigError."""
    await dispatching(act)


async def under(act: ServiceAct, version: int) -> Dispatching | None:
    """The rules under some version; None when there is none of that number, or an older release wrote
    what this one cannot read.
    """
    query = select(Editions.digest).where(Editions.version == version)
    digest = (await act.session.exec(query)).first()
    try:
        return await compiled(act, version, digest) if digest else None
    except ConfigError as unread:
        log.warning("an old catalogue cannot be read", version=version, why=str(unread))
        return None


async def compiled(act: ServiceAct, version: int | None, digest: str) -> Dispatching:
    """The rules under a catalogue, compiled once a process; those used last are kept. Raises NotFound,
    ConfigError.
    """
    kept = act.config.compiled
    found = kept.pop(digest, None)
    if found is None and digest == act.config.catalogue.digest:
        found = act.config.dispatching
    if found is None:
        rules = (await written(act, digest)).rules
        found = await asyncio.to_thread(act.config.going_by, rules)
    kept[digest] = found
    while len(kept) > KEPT:
        del kept[next(iter(kept))]
    return found.numbered(version)


async def written(act: ServiceAct, digest: str) -> Written:
    """A catalogue by the digest of its text. Raises NotFound; ConfigError for what an older release wrote
    and this one cannot read.
    """
    own = act.config.catalogue
    if digest == own.digest:
        return own
    row = await act.session.get(CatalogueTexts, digest)
    if row is None:
        raise NotFound
    found, faults = await asyncio.to_thread(read_catalogue, row.text)
    if found is None:
        listed = "\n".join(map(str, faults))
        raise ConfigError(
            f"派单目录 catalogue {digest[:12]}: 本版本无法读取 cannot be read\n{listed}"
        )
    return found


async def stored(act: ServiceAct, version: int | None) -> str | None:
    """The text of a version, or of the one in force, as it stands in the database; None when there is
    none. It asks no file.
    """
    if version is None:
        connection = await act.session.connection()
        row = (await connection.execute(IN_FORCE, {"now": act.now})).first()
        version = row.version if row else None
    query = select(CatalogueTexts.text).join(
        Editions, col(Editions.digest) == col(CatalogueTexts.digest)
    )
    return (await act.session.exec(query.where(Editions.version == version))).first()


async def differing(act: ServiceAct, digest: str) -> int | None:
    """Which version decides instead of a file with this digest, where people's versions do."""
    connection = await act.session.connection()
    row = (await connection.execute(IN_FORCE, {"now": act.now})).first()
    by_people = select(Editions.id).where(
        Editions.source == DOOR,
        col(Editions.version).is_not(None),
        col(Editions.withdrawn_at).is_(None),
    )
    if row is None or row.digest == digest:
        return None
    led = (await act.session.exec(by_people.limit(1))).first()
    return row.version if led else None


# --- how it comes to be ------------------------------------------------------------------------


async def _take_file(act: ServiceAct) -> tuple[int | None, str]:
    """Import the county's file if it is news, and say which version decides then."""
    editions, own = await ledger(act), act.config.catalogue
    now = editions.in_force(act.now)
    if now is None or own.digest not in (editions.last_file, now.digest):
        row = draft(act, own, FILE, FILES_AUTHOR, "由 catalogue.yaml 导入 from catalogue.yaml")
        if editions.led_by_people:
            log.warning(
                "catalogue.yaml 已改，但以已发布的版本为准，改动存为草稿，须由人发布 the file was changed, "
                "but published versions decide: it is a draft now, for somebody to publish",
                draft=str(row.id),
            )
        else:
            await publish(act, row, act.now, FILES_AUTHOR)
            now = row
    if now is None:
        raise AssertionError("no catalogue is in force")
    return now.version, now.digest


def draft(act: ServiceAct, catalogue: Written, source: str, author: str, note: str) -> Edition:
    """A new draft on top of the latest version. The ledger must be loaded."""
    editions: Ledger[Edition] = act.locked[SUBJECT]
    keep_text(act, catalogue)
    row = Edition(
        id=UUID(bytes=uuid6.uuid7().bytes),
        digest=catalogue.digest,
        source=source,
        based_on=editions.latest.version if editions.latest else None,
        note=note,
        authors=[author],
        drafted_at=act.now,
        edited_at=act.now,
    )
    editions.editions.append(act.rows.add(row))
    return row


def keep_text(act: ServiceAct, catalogue: Written) -> None:
    """Keep a text under its digest."""
    act.rows.add(CatalogueText(digest=catalogue.digest, text=catalogue.text), unless_there=True)


async def publish(act: ServiceAct, row: Edition, effective_at: datetime, by: str) -> None:
    """Make a draft the next version. It is told, but for the first: that changes nothing."""
    editions: Ledger[Edition] = act.locked[SUBJECT]
    before = editions.latest
    row.version = editions.next_version
    row.published_at, row.published_by, row.effective_at = act.now, by, effective_at
    if before is None:
        return
    after = (await written(act, row.digest)).rules
    found = changes((await written(act, before.digest)).rules, after)
    data = events.CataloguePublished(
        catalogue_version=row.version,
        based_on=row.based_on,
        effective_at=effective_at,
        digest=row.digest,
        rules=len(after),
        **{kind: len(ids) for kind, ids in found.items()},
        authors=_persons(row.authors),
        note=row.note,
    )
    act.tell(data, subject=SUBJECT, round=1)


def _persons(authors: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(person, authors)))
