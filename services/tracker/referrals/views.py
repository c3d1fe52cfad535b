"""移送台账: referrals as they are listed and shown. Supervisors alone see them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.tracker import lists
from services.tracker.records import ServiceAct
from services.tracker.referrals.models import Referral, Referrals
from services.tracker.referrals.schemas import ReferralOut, ReferralPage
from services.tracker.rules import referral
from shared.http.fields import Sentence

WAITING = (col(Referrals.granted).is_(None),)


def by_another(act: ServiceAct) -> Any:
    """What the caller may grant: what somebody else proposed."""
    return col(Referrals.proposed_by) != act.actor


async def referrals(
    act: ServiceAct, after: str | None, limit: int, *, decided: bool
) -> ReferralPage:
    """Those that wait for a second supervisor, or those that were decided. Raises BadCursor."""
    wanted = [col(Referrals.granted).is_not(None)] if decided else WAITING
    place = tuple_(col(Referrals.proposed_at), col(Referrals.id))
    query = select(*place.clauses, Referrals).where(*wanted)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > lists.last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    items = [referral_out(row) for _, _, row in rows[:limit]]
    return ReferralPage(items=items, next=lists.next_(act, rows, limit))


def referral_out(row: Referral) -> ReferralOut:
    """One as it is answered."""
    status = referral.status(row.granted)
    zh, en = referral.SENTENCES[status]
    return ReferralOut(
        **row.model_dump(exclude={"ticket", "granted"}),
        number=row.ticket,
        status=status,
        sentence=Sentence(zh=zh, en=en),
    )
