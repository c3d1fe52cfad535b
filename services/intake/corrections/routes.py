"""更正、来话 Corrections, and what was said later, for routes.py."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.intake import usecases, views
from services.intake.corrections import usecases as corrections
from services.intake.corrections.schemas import (
    CorrectionDecision,
    CorrectionIn,
    CorrectionList,
    CorrectionOut,
)
from services.intake.doors import FrontDoor, ReaderDoor
from services.intake.records import ServiceAct
from services.intake.schemas import Notes, NotesRead, TicketOut
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理"])
DecidesDoor = Annotated[Door, Depends(entering("desk", "supervisor"))]
NotesAct = Annotated[
    ServiceAct, Depends(acting("agent", "desk", "callback", "supervisor"), scope="function")
]
DeskAct = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]


@router.post(
    "/tickets/{number}/corrections",
    response_model=CorrectionOut,
    responses=problems(404, 409, 410),
)
async def correct_ticket(number: Number, body: CorrectionIn, door: FrontDoor) -> Response:
    """更正: put right what was written down wrongly; every service follows it.

    409 `recused`: a report whose `reported` nobody has stated could go to just them. `consent-missing`:
    it is confidential. `move-refused`: after the end only the phone is put right.

    What would take the shield off (confidential no more, somebody reported no more, no report any more), or
    may give more time (`upstream_due`, unless it is earlier than what stood there), waits, all of it, until
    another person agrees: `status` says so.
    """
    return await door.once(corrections.correct, number, body)


@router.post(
    "/corrections/{correction}/decision",
    response_model=CorrectionOut,
    responses=problems(403, 404, 409),
)
async def decide_correction(
    correction: UUID, body: CorrectionDecision, door: DecidesDoor
) -> Response:
    """同意或不同意 Let a correction take the shield off, or give more time, which another person made; who
    made it may only refuse it.
    """
    return await door.once(corrections.decide, correction, body)


@router.get("/corrections")
async def list_waiting_corrections(act: DeskAct) -> CorrectionList:
    """待同意的更正: what would take the shield off, or may give more time, and waits for another person, the
    oldest first.
    """
    return await corrections.waiting(act)


@router.get("/tickets/{number}/corrections", responses=problems(404))
async def list_corrections(number: Number, act: DeskAct) -> CorrectionList:
    """更正记录: what was corrected, before and after, by whom and why; what names a person stays sealed."""
    return await corrections.listed(act, number)


@router.get("/tickets/{number}/notes", responses=problems(404))
async def list_notes(number: Number, act: NotesAct) -> Notes:
    """来话记录: what the citizen said later, in the working copy."""
    return await views.notes_of(act, number)


@router.post("/tickets/{number}/notes/read", response_model=TicketOut, responses=problems(404))
async def mark_notes_read(number: Number, body: NotesRead, door: ReaderDoor) -> Response:
    """已阅: what was said after the end was read; the ticket leaves the list ``noted_after_end``."""
    return await door.once(usecases.mark_notes_read, number, body)
