"""恶意使用: marks with sealed evidence (BJ-9, BJ-37, JN-42). A mark ends nothing: the ticket goes on, or is
not accepted by an act of its own that names the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import uuid6
from sqlmodel import col, select

from services.intake import vault
from services.intake.endings.schemas import MaliciousMarkOut, MaliciousUse, MaliciousUseUndone
from services.intake.models import CitizenNote, CitizenNotes, MaliciousMark, MaliciousMarks
from services.intake.records import ServiceAct, get_locked
from shared.errors import NotFound
from shared.security.masking import mask_patterns
from shared.storage.rows import one_of

ACTION = "malicious_use"  # as what the evidence stands among a ticket's notes


async def mark(act: ServiceAct, number: str, body: MaliciousUse) -> MaliciousMarkOut:
    """Note that the caller used the hotline maliciously, with the evidence. Raises NotFound."""
    ticket = (await get_locked(act, number)).ticket
    copy = await vault.cleared(act, ticket, body.evidence)
    note = UUID(bytes=uuid6.uuid7().bytes)
    sealed = act.config.sealer.seal(body.evidence.encode(), vault.bound_note(number, note))
    evidence = CitizenNote(
        id=note,
        number=number,
        action=ACTION,
        content=copy,
        sealed=b"" if ticket.erased_at else sealed,
        said_at=act.now,
    )
    row = MaliciousMark(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=number,
        note=act.rows.add(evidence).id,
        warned=body.warned,
        referred_to=body.referred_to and mask_patterns(body.referred_to),
        marked_at=act.now,
        marked_by=act.actor,
    )
    return mark_out(act.rows.add(row), copy)


async def undo(act: ServiceAct, number: str, body: MaliciousUseUndone) -> MaliciousMarkOut:
    """Take the newest mark of a ticket back, with a reason; it stays on record. Raises NotFound, also
    when no mark stands.
    """
    ticket = (await get_locked(act, number)).ticket
    standing = select(MaliciousMarks).where(
        MaliciousMarks.number == number, col(MaliciousMarks.undone_at).is_(None)
    )
    newest = standing.order_by(col(MaliciousMarks.id).desc()).limit(1).with_for_update()
    rows = await act.rows.load(MaliciousMark, newest)
    if not rows:
        raise NotFound(f"没有恶意使用标记 no mark of malicious use on {number}")
    [row] = rows
    row.undone_at, row.undone_by = act.now, act.actor
    row.undone_reason = await vault.cleared(act, ticket, body.reason)
    [evidence] = (
        await act.session.exec(select(CitizenNotes).where(CitizenNotes.id == row.note))
    ).all()
    return mark_out(row, evidence.content)


def mark_out(row: MaliciousMark, evidence: str) -> MaliciousMarkOut:
    """A mark as it is answered, with the evidence in its working copy."""
    return MaliciousMarkOut.model_validate(row.model_dump() | {"evidence": evidence})


async def marks_of(act: ServiceAct, number: str) -> list[MaliciousMarkOut]:
    """The marks of a ticket, oldest first, those that were taken back too."""
    of_ticket = (
        select(MaliciousMarks, CitizenNotes.content)
        .join(CitizenNotes, col(CitizenNotes.id) == col(MaliciousMarks.note))
        .where(MaliciousMarks.number == number)
        .order_by(col(MaliciousMarks.id))
    )
    return [mark_out(row, evidence) for row, evidence in await act.session.exec(of_ticket)]


async def marks_standing(act: ServiceAct, numbers: Sequence[str]) -> int:
    """How many marks stand on some tickets: those of one caller, say."""
    if not numbers:
        return 0
    standing = select(MaliciousMarks.id).where(
        one_of(MaliciousMarks.number, numbers), col(MaliciousMarks.undone_at).is_(None)
    )
    return len((await act.session.exec(standing)).all())
