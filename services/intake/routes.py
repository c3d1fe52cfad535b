"""Intake's first door, HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.intake import codes, queries, usecases, vault
from services.intake.registration import Receipt, Registration, check_codes, register_many
from services.intake.schemas import (
    Batch,
    BatchAnswer,
    BatchAnswers,
    Code,
    Contact,
    ContactReadRequest,
    Links,
    NewTicket,
    Progress,
    Registered,
    Stage,
    Supplement,
    TicketOut,
    TicketPage,
    Urge,
    Withdrawal,
)
from services.intake.settings import Config, Settings
from shared import clock
from shared.caller import Caller
from shared.errors import NotFound
from shared.events import TicketType
from shared.http.auth import acting, calling
from shared.http.fields import Instant, Number
from shared.http.idempotency import Key, acting_once, once
from shared.http.problems import Problem, document, named, problems
from shared.http.rate_limits import HOUR, Buckets, anonymous_address
from shared.service import service_of
from shared.storage.act import Act, Store
from shared.storage.group_commit import GroupCommit

router = APIRouter(tags=["intake 受理"])
router.include_router(codes.router)
Registrar = GroupCommit[Registration, Receipt]
Front = Annotated[Caller, Depends(calling("phone_system", "desk"))]
FrontAct = Annotated[Act[Config], Depends(acting_once("phone_system", "desk"), scope="function")]
ReadAct = Annotated[
    Act[Config],
    Depends(acting("phone_system", "desk", "supervisor", "callback", "service"), scope="function"),
]
ContactAct = Annotated[
    Act[Config], Depends(acting("unit", "callback", "service"), scope="function")
]


def registrar(store: Store[Config]) -> Registrar:
    """The group commit that all registrations of this process share."""

    async def run(items: Sequence[Registration]) -> Sequence[Receipt | Exception]:
        async with store.act("service:intake") as act:
            return await register_many(act, items)

    return GroupCommit(run)


class Guesses:
    """Wrong codes, by ticket and by address: too many, and nobody looks by code for a while.

    By ticket as well, because whoever guesses may have many addresses. The right code is refused
    then too, or guessing would go on; who shows a token is asked for no address.
    """

    def __init__(self, settings: Settings) -> None:
        self._tickets = Buckets(settings.wrong_codes_per_ticket, HOUR)
        self._strangers = Buckets(settings.wrong_codes_per_address, HOUR)

    @contextmanager
    def guess(self, number: str, stranger: str | None) -> Iterator[None]:
        """One look, counted before it is made: of many at once none is free. Raises TooMany."""
        now, wrong = clock.real(), False
        if stranger is not None:  # first: who may guess no more uses up no ticket's guesses
            self._strangers.take(stranger, now)
        self._tickets.take(number, now)
        try:
            yield
        except NotFound:
            wrong = True
            raise
        finally:
            if not wrong:
                self._tickets.give_back(number)
                self._strangers.give_back(stranger or "")


async def _register(request: Request, item: Registration) -> Receipt:
    config: Config = service_of(request.app).store.config
    check_codes(item.body, config)
    shared: Registrar = request.app.state.registrar
    return await shared.submit(item)


def _registered(request: Request, receipt: Receipt) -> Registered:
    config: Config = service_of(request.app).store.config
    here = f"/v1/tickets/{receipt.number}"
    return Registered(
        number=receipt.number,
        id=receipt.id,
        code=config.digester.ticket_code(receipt.number),
        registered_at=receipt.registered,
        links=Links(self=here, progress=f"{here}/progress"),
    )


@router.post("/v1/tickets", status_code=201, responses={200: {"model": Registered}})
async def register(
    request: Request, response: Response, body: NewTicket, caller: Front, key: Key = None
) -> Registered:
    """Register a complaint. 200 and the first ticket when it was registered before."""
    receipt = await _register(request, Registration.of(body, caller, key))
    response.status_code = 201 if receipt.created else 200
    request.state.number = receipt.number
    return _registered(request, receipt)


@router.post("/v1/tickets/batch")
async def register_batch(
    request: Request, body: Batch, caller: Front, key: Key = None
) -> BatchAnswers:
    """Register up to 1,000 complaints; each is judged alone and has its own answer, in order."""

    async def answer(at: int, entry: NewTicket | Problem) -> BatchAnswer:
        if isinstance(entry, Problem):
            return BatchAnswer(status=entry.status, problem=entry)
        own_key = f"{key}/{at}" if key else None
        try:
            receipt = await _register(request, Registration.of(entry, caller, own_key))
        except Exception as error:  # others of the batch are stored: each has its own answer
            refusal = named(error)
            problem = Problem.model_validate(document(refusal))
            return BatchAnswer(status=refusal.status, problem=problem)
        status = 201 if receipt.created else 200
        return BatchAnswer(status=status, ticket=_registered(request, receipt))

    answers = [answer(at, entry) for at, entry in enumerate(body.tickets)]
    return BatchAnswers(answers=list(await asyncio.gather(*answers)))


@router.get("/v1/tickets")
async def tickets(
    act: ReadAct,
    type: TicketType | None = None,
    topic: Code | None = None,
    area: Code | None = None,
    channel: Code | None = None,
    stage: Stage | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> TicketPage:
    """Tickets in order of registration, narrowed by any of the filters."""
    narrowed = queries.Filter(type, topic, area, channel, stage, since, until)
    return await queries.page(act, narrowed, after, limit)


@router.get("/v1/tickets/{number}", responses=problems(404))
async def ticket(number: Number, act: ReadAct) -> TicketOut:
    """One ticket in its working copy."""
    return await queries.one(act, number)


@router.post("/v1/tickets/{number}/supplements", responses=problems(404, 409))
async def supplement(number: Number, body: Supplement, act: FrontAct) -> Progress:
    """The citizen adds something."""
    return await once(act, body, Progress, lambda: usecases.supplement(act, number, body))


@router.post("/v1/tickets/{number}/urges", responses=problems(404, 409))
async def urge(number: Number, body: Urge, act: FrontAct) -> Progress:
    """The citizen asks again."""
    return await once(act, body, Progress, lambda: usecases.urge(act, number, body))


@router.post("/v1/tickets/{number}/withdrawal", responses=problems(404, 409))
async def withdraw(number: Number, body: Withdrawal, act: FrontAct) -> Progress:
    """The citizen takes the complaint back."""
    return await once(act, body, Progress, lambda: usecases.withdraw(act, number, body))


@router.get("/v1/tickets/{number}/progress", responses=problems(404))
async def progress(
    request: Request,
    number: Number,
    code: Annotated[str, Header(alias="X-Ticket-Code", min_length=4, max_length=32)],
) -> Progress:
    """The citizen's own look: number and code, no token. Wrong codes are counted (429)."""
    guesses: Guesses = request.app.state.guesses
    with guesses.guess(number, anonymous_address(request)):
        async with service_of(request.app).store.act("citizen") as act:
            return await queries.progress_by_code(act, number, code)


@router.post("/v1/tickets/{number}/contact-reads", responses=problems(404, 410))
async def read_contact(number: Number, body: ContactReadRequest, act: ContactAct) -> Contact:
    """Read who must be contacted. Every call is a reading of its own and stands in the read log."""
    return await vault.read_contact(act, number, body)
