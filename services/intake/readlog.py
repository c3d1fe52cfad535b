"""查阅记录 The read log: who asked for a contact, who let them, who read it, who was refused (R-36).

One chain of hashes per database. Whoever owns the database could hash it anew, so its head is told
once a day as a fact, which another service keeps (docs/adr/0042-who-may-read-is-asked.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import col, select

from services.intake.models import ContactRead, ContactReads
from services.intake.records import ServiceAct
from shared.events import ReadsAnchored

# Each row is hashed with the one before it. Tickets are locked first, then the log.
CHAIN = text("SELECT pg_advisory_xact_lock(hashtext('contact_read'))")
NEWEST = select(ContactReads).order_by(col(ContactReads.id).desc()).limit(1)
SUBJECT = "reads"  # of the facts about the log
SAME_REFUSAL = timedelta(hours=1)  # a system that asks again and again is written down once


class Deed(StrEnum):
    """What was done, or tried, to a contact; ``matter``: matter data was read; ``lookup``: a caller's
    tickets were looked up; ``proof``: a proof pack was made, which opens no contact.
    """

    READ = "read"
    REFUSED = "refused"
    REQUESTED = "requested"
    GRANTED = "granted"
    DENIED = "denied"
    ERASED = "erased"
    MATTER = "matter"
    LOOKUP = "lookup"
    PROOF = "proof"


async def write(
    act: ServiceAct,
    deed: Deed,
    reasons: Mapping[str, str] | Mapping[None, str],
    *,
    person: str | None = None,
    why: str | None = None,
) -> None:
    """Write down what was done to tickets and the reason given, by number (None: to none of them),
    behind the last deed of whoever came before. ``person``: on whose behalf; ``why``: in our words.
    """
    last = await _last(act)
    for number, reason in reasons.items():
        row = ContactRead(
            id=(last.id if last else 0) + 1,
            number=number,
            actor=act.actor,
            reason=reason,
            read_at=act.now,
            deed=deed,
            person=person,
            why=why,
            hash="",
        )
        row.hash = link(last.hash if last else "", row)
        last = act.locked[CHAIN] = act.rows.add(row)


async def log_lookup(act: ServiceAct, numbers: Sequence[str], reason: str) -> None:
    """Write down which tickets a lookup of a caller showed, or that it showed none."""
    await write(act, Deed.LOOKUP, dict.fromkeys(numbers, reason) or {None: reason})


async def _last(act: ServiceAct) -> ContactRead | None:
    """The newest row, and nobody else adds one till this act ends."""
    if CHAIN not in act.locked:
        await (await act.session.connection()).execute(CHAIN)
        act.locked[CHAIN] = (await act.session.exec(NEWEST)).first()
    last: ContactRead | None = act.locked[CHAIN]
    return last


async def refused_before(act: ServiceAct, number: str, why: str) -> bool:
    """Whether the same was refused to the same caller a short while ago."""
    query = select(ContactReads.id).where(
        ContactReads.number == number,
        ContactReads.actor == act.actor,
        ContactReads.deed == Deed.REFUSED,
        ContactReads.why == why,
        ContactReads.read_at > act.now - SAME_REFUSAL,
    )
    return (await act.session.exec(query.limit(1))).first() is not None


# --- checking ----------------------------------------------------------------------------------


def link(previous: str, row: ContactRead) -> str:
    """The hash of a row in the chain: change or drop any row and every later hash is wrong."""
    content: list[Any] = [previous, row.id, row.number, row.actor, row.reason]
    content.append(row.read_at.isoformat())
    if row.deed != Deed.READ:  # older rows knew no other deed
        content.append(row.deed)
    if more := {name: said for name in ("person", "why") if (said := getattr(row, name))}:
        content.append(more)
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of the chain as it was told: how many rows, and the hash of the last of them."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found: how many rows and anchors were looked at, and the first row that does not
    fit, with the reason; None when all fit.
    """

    rows: int
    anchors: int
    broken: int | None = None
    why: str = ""


async def verify(act: ServiceAct, held: Iterable[Anchor] = ()) -> Verified:
    """Go through the chain from its first row, and compare it with every anchor: those of our own
    fact log, and those ``held`` elsewhere.
    """
    anchors = {*await own_anchors(act), *held}
    known = {count: {each.hash for each in anchors if each.count == count} for count in
             sorted({each.count for each in anchors})}  # fmt: skip
    previous, seen = "", 0
    rows = await act.session.stream(select(ContactReads).order_by(col(ContactReads.id)))
    async for row in rows.scalars():
        if row.id != seen + 1:
            return Verified(seen, len(anchors), seen + 1, GONE)
        if row.hash != link(previous, row):
            return Verified(seen, len(anchors), row.id, CHANGED)
        previous, seen = row.hash, row.id
        if known.get(seen, {previous}) != {previous}:
            return Verified(seen, len(anchors), seen, REWRITTEN)
    last = max(known, default=0)
    if last > seen:
        return Verified(seen, len(anchors), seen + 1, CUT.format(last))
    return Verified(seen, len(anchors))


GONE = "此行缺失 the row is gone"
CHANGED = "此行与其哈希不符 the row does not fit its hash"
REWRITTEN = "此行或更早的行连同哈希被改写 this row or an earlier one was rewritten with its hashes"
CUT = "末尾被截去，曾有 {} 行 the end was cut off: there were {} rows".replace("{}", "{0}")

ANCHORS = text(
    "SELECT body::json->'data'->>'count' AS count, body::json->'data'->>'hash' AS hash FROM fact_log "
    f"WHERE subject = '{SUBJECT}' AND key = '{ReadsAnchored.name}' ORDER BY id"
)


async def own_anchors(act: ServiceAct) -> list[Anchor]:
    """The heads we told, from our own fact log, the oldest first."""
    found = await (await act.session.connection()).execute(ANCHORS)
    return [Anchor(int(rows), last) for rows, last in found]


# --- anchoring ---------------------------------------------------------------------------------


async def next_anchor(act: ServiceAct) -> datetime | None:
    """When the head is to be told: with the end of the day of the first deed behind the last anchor."""
    told = await own_anchors(act)
    behind = select(ContactReads).where(ContactReads.id == (told[-1].count if told else 0) + 1)
    first = (await act.session.exec(behind)).first()
    if first is None:
        return None
    zone = act.config.place.timezone
    day = first.read_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1)).astimezone(first.read_at.tzinfo)


async def anchor(act: ServiceAct) -> int:
    """Tell the head of the chain when that is due; how often it was told."""
    last = await _last(act)  # of two replicas the second finds it told
    due = await next_anchor(act)
    if last is None or due is None or due > act.now:
        return 0
    act.tell(ReadsAnchored(count=last.id, hash=last.hash), subject=SUBJECT, round=1)
    return 1
