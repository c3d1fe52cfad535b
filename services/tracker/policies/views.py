"""What GET answers of the policy: drafts and versions."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import col, select

from services.tracker.policies import versions
from services.tracker.policies.models import PolicyEdition, PolicyEditions
from services.tracker.policies.schemas import WholePolicy
from services.tracker.records import ServiceAct
from shared import policies
from shared.errors import NotFound
from shared.http.editions import EditionOut, EditionPage, shown

ID, VERSION = col(PolicyEditions.id), col(PolicyEditions.version)
OPEN = (VERSION.is_(None), col(PolicyEditions.discarded_at).is_(None))


async def drafts(act: ServiceAct, after: str | None, limit: int) -> EditionPage:
    """Open drafts, the newest first. Raises BadCursor."""
    query = select(PolicyEditions).where(*OPEN)
    if after is not None:
        query = query.where(UUID(act.place(after)) > ID)
    rows = (await act.session.exec(query.order_by(ID.desc()).limit(limit + 1))).all()
    more = act.cursor(str(rows[limit - 1].id)) if len(rows) > limit else None
    return EditionPage(items=[_shown(act, row) for row in rows[:limit]], next=more)


async def authors(act: ServiceAct) -> list[list[str]]:
    """Who wrote in each open draft."""
    return [*await act.session.exec(select(PolicyEditions.authors).where(*OPEN))]


async def published(act: ServiceAct, after: str | None, limit: int) -> EditionPage:
    """Versions, the newest first: the folder alone while nothing was published. Raises BadCursor."""
    query = select(PolicyEditions).where(VERSION.is_not(None))
    if after is not None:
        query = query.where(int(act.place(after)) > VERSION)
    rows = list((await act.session.exec(query.order_by(VERSION.desc()).limit(limit + 1))).all())
    more = act.cursor(str(rows[limit - 1].version)) if len(rows) > limit else None
    found: list[PolicyEdition] = [*rows[:limit]]
    if after is None and not found:
        found = [versions.folders(act)]
    return EditionPage(items=[_shown(act, row) for row in found], next=more)


async def read_draft(act: ServiceAct, id: UUID) -> WholePolicy:
    """A draft, or the version it became, with its texts. Raises NotFound."""
    return _whole(act, await find(act, id))


async def read_version(act: ServiceAct, version: int) -> WholePolicy:
    """A version with its texts. Raises NotFound."""
    row: PolicyEdition | None = (
        await act.session.exec(select(PolicyEditions).where(version == VERSION))
    ).first()
    if row is None and version == policies.FOLDERS:
        row = versions.folders(act)
    if row is None:
        raise NotFound
    return _whole(act, row)


async def find(act: ServiceAct, id: UUID) -> PolicyEdition:
    """A draft or version. Raises NotFound."""
    row = await act.session.get(PolicyEditions, id)
    if row is None:
        raise NotFound
    return row


def _shown(act: ServiceAct, row: PolicyEdition) -> EditionOut:
    return EditionOut.model_validate(shown(row, act.now, policies.version(act)))


def _whole(act: ServiceAct, row: PolicyEdition) -> WholePolicy:
    return WholePolicy.model_validate(shown(row, act.now, policies.version(act)))
