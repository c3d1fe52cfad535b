"""移送: proposed by one supervisor, decided by another; until then nothing leaves the hotline (BJ-35, JN-40).

Conduct may come to light after the order has ended, so that is no bar.
"""

from __future__ import annotations

from uuid import UUID

import uuid6
from sqlmodel import select

from services.tracker import records, telling
from services.tracker.records import ServiceAct
from services.tracker.referrals.models import Referral, Referrals
from services.tracker.referrals.schemas import ReferralDecision, ReferralIn, ReferralOut
from services.tracker.referrals.views import WAITING, referral_out
from services.tracker.rules import referral
from shared import events
from shared.errors import NotFound
from shared.events import Data
from shared.storage.rows import one_of


async def propose(act: ServiceAct, id: UUID, body: ReferralIn) -> ReferralOut:
    """提议移送: of a unit's conduct over an order, with its ground. Raises NotFound, ReferralWaits."""
    _, assignment = await records.of_assignment(act, id)
    same = select(Referrals).where(
        Referrals.assignment == id, Referrals.ground == body.ground, *WAITING
    )
    for row in await act.rows.load(Referral, same):
        raise referral.ReferralWaits(referral=str(row.id))
    proposed = Referral(
        id=UUID(bytes=uuid6.uuid7().bytes),
        ticket=assignment.ticket,
        assignment=id,
        round=assignment.round,
        unit=assignment.unit,
        ground=body.ground,
        reason=body.reason,
        proposed_at=act.now,
        proposed_by=act.actor,
    )
    said = events.ReferralProposed(referral=proposed.id, ground=body.ground, reason=body.reason)
    _tell(act, act.rows.add(proposed), said)
    return referral_out(proposed)


async def decide(act: ServiceAct, id: UUID, body: ReferralDecision) -> ReferralOut:
    """批准或不予移送: by another supervisor; who proposed it may take it back.

    Raises NotFound, MoveRefused, OwnApproval.
    """
    row = await _locked(act, id)
    now = referral.status(row.granted)
    referral.check_decision(now, row.proposed_by, act.actor, granted=body.granted)
    row.granted, row.note = body.granted, body.note
    row.decided_at, row.decided_by = act.now, act.actor
    if not body.granted:
        refused = events.ReferralRefused(referral=id, proposed_by=row.proposed_by, note=body.note)
        _tell(act, row, refused)
        return referral_out(row)
    granted = events.ReferralGranted(
        referral=id,
        ground=row.ground,
        reason=row.reason,
        proposed_by=row.proposed_by,
        note=body.note,
    )
    _tell(act, row, granted)
    record = await records.locked(act, row.ticket)
    telling.refer(act, record, row)
    return referral_out(row)


async def _locked(act: ServiceAct, id: UUID) -> Referral:
    """A referral, its ticket locked before it. Raises NotFound."""
    if id not in act.locked:
        ids = act.lock_order(id)
        of_tickets = select(Referrals.ticket).where(one_of(Referrals.id, ids))
        await records.lock_new(act, (await act.session.exec(of_tickets)).all())
        rows = await act.rows.load(Referral, select(Referrals).where(one_of(Referrals.id, ids)))
        found = {row.id: row for row in rows}
        act.locked |= {each: found.get(each) for each in ids}
    row: Referral | None = act.locked[id]
    if row is None:
        raise NotFound
    return row


def _tell(act: ServiceAct, row: Referral, data: Data) -> None:
    act.tell(data, subject=row.ticket, round=row.round, assignment=row.assignment)
