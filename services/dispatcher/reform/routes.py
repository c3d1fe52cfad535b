"""机构改革 The doors by which units are merged, renamed and split: two persons, and a moment."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.dispatcher.records import ServiceAct
from services.dispatcher.reform import reforming
from services.dispatcher.reform.schemas import (
    ReformApproval,
    ReformIn,
    ReformList,
    ReformOut,
    ReformWithdrawal,
)
from shared.http.acts import Door, entering
from shared.http.auth import acting
from shared.http.fields import UnitCode
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["dispatcher 派单", "reforms 机构改革"])
DecidesDoor = Annotated[Door, Depends(entering("desk", "supervisor"))]
Reads = Annotated[ServiceAct, Depends(acting("desk", "supervisor"), scope="function")]


@router.post(
    "/units/{code}/reforms",
    response_model=ReformOut,
    status_code=201,
    responses=problems(404, 409),
)
async def propose_reform(code: UnitCode, body: ReformIn, door: DecidesDoor) -> Response:
    """拟定机构改革方案 Propose that a unit be merged, renamed or split, and from which day on. The answer
    counts what would go to whom.
    """
    return await door.once(reforming.propose, code, body)


@router.post(
    "/reforms/{reform}/approval", response_model=ReformOut, responses=problems(403, 404, 409)
)
async def approve_reform(reform: UUID, body: ReformApproval, door: DecidesDoor) -> Response:
    """批准方案 Approve a reform another person proposed; it takes effect at its moment."""
    return await door.once(reforming.approve, reform, body)


@router.post("/reforms/{reform}/withdrawal", response_model=ReformOut, responses=problems(404, 409))
async def withdraw_reform(reform: UUID, body: ReformWithdrawal, door: DecidesDoor) -> Response:
    """撤回方案 Withdraw a reform before it takes effect."""
    return await door.once(reforming.withdraw, reform, body)


@router.get("/reforms")
async def list_reforms(act: Reads) -> ReformList:
    """机构改革方案 Every reform, the newest first."""
    return await reforming.listed(act)


@router.get("/reforms/{reform}", responses=problems(404))
async def read_reform(reform: UUID, act: Reads) -> ReformOut:
    """一个方案 One reform, with what is left to go to whom."""
    return await reforming.read(act, reform)
