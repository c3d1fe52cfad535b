"""拆分 The door by which a call that holds several matters becomes several tickets."""

from fastapi import Response

from services.intake.doors import DeskDoor
from services.intake.splitting import usecases as splitting
from services.intake.splitting.schemas import Split, SplitOut
from shared.http.fields import Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理"])


@router.post("/tickets/{number}/split", response_model=SplitOut, responses=problems(404, 409))
async def split_ticket(number: Number, body: Split, door: DeskDoor) -> Response:
    """拆分 Give each matter of a call a ticket of its own, with a lead of its own. One stays under this
    number, with whoever has it."""
    return await door.once(splitting.split, number, body)
