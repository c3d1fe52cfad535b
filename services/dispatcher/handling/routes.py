"""办理 The doors by which others come to work on an order: co-handlers, units below, another person."""

from uuid import UUID

from fastapi import Response

from services.dispatcher.doors import DeskDoor, UnitDoor
from services.dispatcher.handling import co_handling, handing_down, handlers, legal_limits
from services.dispatcher.handling.schemas import HandDown, NameLaw, NewHandler, TakeBack, Withdrawal
from services.dispatcher.schemas import AssignmentOut, CoHandler, Press, Release, TicketOut
from shared.http.fields import Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单"])


@router.post(
    "/tickets/{number}/co-handlers", response_model=TicketOut, responses=problems(404, 409)
)
async def add_co_handler(number: Number, body: CoHandler, door: DeskDoor) -> Response:
    """增加协办 Let one more unit help; whoever has the ticket goes on untouched."""
    return await door.once(co_handling.add, number, body)


@router.post(
    "/tickets/{number}/legal-limit", response_model=TicketOut, responses=problems(404, 409)
)
async def name_law(number: Number, body: NameLaw, door: DeskDoor) -> Response:
    """法定时限 Name the law that gives a ticket at work a longer limit; its citizen is told.

    One of the county's table holds at once; for another a second person is asked.
    """
    return await door.once(legal_limits.name_law, number, body)


@router.post(
    "/tickets/{number}/legal-limit-withdrawal",
    response_model=TicketOut,
    responses=problems(404, 409),
)
async def withdraw_law(number: Number, body: Withdrawal, door: DeskDoor) -> Response:
    """撤回法定时限 Take back a law that was named wrongly, within the round; its citizens are told again."""
    return await door.once(legal_limits.withdraw_law, number, body)


@router.post(
    "/assignments/{assignment}/release", response_model=TicketOut, responses=problems(404, 409)
)
async def release_co_handler(assignment: UUID, body: Release, door: DeskDoor) -> Response:
    """撤出协办 Free one co-handler; whoever else has the ticket goes on untouched."""
    return await door.once(co_handling.release, assignment, body)


@router.post(
    "/assignments/{assignment}/press", response_model=AssignmentOut, responses=problems(404, 409)
)
async def press_co_handler(assignment: UUID, body: Press, door: UnitDoor) -> Response:
    """催促协办 Urge a silent co-handler of one's own order, and ask the desk to step in if need be."""
    return await door.once(co_handling.press, assignment, body)


@router.post(
    "/assignments/{assignment}/hand-down",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def hand_order_down(assignment: UUID, body: HandDown, door: UnitDoor) -> Response:
    """二次派单 Hand one's own order down to a village or station of one's own, which answers to who hands
    it down.
    """
    return await door.once(handing_down.hand_down, assignment, body)


@router.post(
    "/assignments/{assignment}/take-back",
    response_model=AssignmentOut,
    responses=problems(404, 409),
)
async def take_order_back(assignment: UUID, body: TakeBack, door: UnitDoor) -> Response:
    """收回交办 Take back what was handed down of one's own order."""
    return await door.once(handing_down.take_back, assignment, body)


@router.post(
    "/assignments/{assignment}/handler", response_model=AssignmentOut, responses=problems(404, 409)
)
async def change_handler(assignment: UUID, body: NewHandler, door: UnitDoor) -> Response:
    """换经办人 Let another person of the unit go on with a signed order; its clocks run on."""
    return await door.once(handlers.change, assignment, body)
