"""Intake's first door, HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Query, Request, Response

from services.intake import codes, duplicates, merging, search, usecases, views
from services.intake.calls import routes as call_routes
from services.intake.calls import usecases as calls
from services.intake.claims import Receipt, Registration
from services.intake.contacts import routes as contact_routes
from services.intake.contacts.neighbours import Neighbours
from services.intake.corrections import routes as correction_routes
from services.intake.doors import FrontDoor
from services.intake.endings import routes as ending_routes
from services.intake.records import ServiceAct
from services.intake.registration import check_codes, register_many, warnings_of
from services.intake.schemas import (
    Batch,
    BatchAnswer,
    BatchAnswers,
    Code,
    Links,
    NamedType,
    NewTicket,
    Progress,
    Registered,
    SearchText,
    SourceNumber,
    Supplement,
    TicketOut,
    TicketPage,
    TicketStatus,
    Urge,
    Withdrawal,
)
from services.intake.settings import Config, Settings
from services.intake.shares import ComplaintLimiter, WrongCodeLimiter
from services.intake.splitting import routes as split_routes
from services.intake.worklists import routes as list_routes
from shared import clock, policies
from shared.caller import Caller
from shared.events import Urgency
from shared.http.auth import acting, calling
from shared.http.fields import Instant, Number
from shared.http.idempotency import Key
from shared.http.problems import Problem, document, named, problems
from shared.http.rate_limits import anonymous_address
from shared.http.router import Router
from shared.observability import trace
from shared.service import service_of
from shared.storage.act import Store
from shared.storage.group_commit import GroupCommit

AT_ONCE = 100  # complaints of one batch: as many as share a commit
router = Router("/v1", tags=["intake 受理"])
Registrar = GroupCommit[Registration, Receipt]
Front = Annotated[Caller, Depends(calling("phone_system", "agent", "desk"))]
ReadAct = Annotated[
    ServiceAct,
    Depends(
        acting("phone_system", "agent", "desk", "supervisor", "callback", "service"),
        scope="function",
    ),
]


def registrar(store: Store[Config]) -> Registrar:
    """The group commit that all registrations of this process share."""

    async def run(items: Sequence[Registration]) -> Sequence[Receipt | Exception]:
        async with store.act("service:intake") as act:
            return await register_many(act, items)

    return GroupCommit(run)


def share(app: FastAPI, settings: Settings) -> None:
    """What all requests of a process have in common: the group commit, who may ask how often, and the
    neighbours. Raises ConfigError.
    """
    app.state.registrar = registrar(service_of(app).store)
    app.state.complaints = ComplaintLimiter(settings)
    app.state.wrong_codes = WrongCodeLimiter(settings)
    app.state.neighbours = Neighbours(settings)


async def _of_call(request: Request, item: Registration) -> Registration:
    """Check a complaint's codes, and look up the call it was made of. Raises UnknownCode."""
    store: Store[Config] = service_of(request.app).store
    check_codes(item.body, store.config, policies.limits_at(store, clock.now()))
    if item.body.call is None:
        return item
    async with store.act(item.caller.actor) as act:
        return await calls.with_call(act, item)


async def _register(request: Request, item: Registration) -> Receipt:
    shared: Registrar = request.app.state.registrar
    return await shared.submit(item)


def _limiter(request: Request) -> ComplaintLimiter:
    limiter: ComplaintLimiter = request.app.state.complaints
    return limiter


def _registered(request: Request, item: Registration, receipt: Receipt) -> Registered:
    config: Config = service_of(request.app).store.config
    here = f"/v1/tickets/{receipt.number}"
    return Registered(
        number=receipt.number,
        id=receipt.id,
        code=config.digester.ticket_code(receipt.number, receipt.nonce),
        registered_at=receipt.registered_at,
        links=Links(self=here, progress=f"{here}/progress"),
        source_number=item.body.source_number,
        warnings=warnings_of(item, config.telephones, created=receipt.created),
        area_found=item.located.found,
    )


@router.post("/tickets", status_code=201, responses={200: {"model": Registered}, **problems(409)})
async def register_ticket(
    request: Request, response: Response, body: NewTicket, caller: Front, key: Key = None
) -> Registered:
    """Register a complaint. 200 and the first ticket when it was registered before."""
    item = Registration.of(body, caller, key, service_of(request.app).store.config)
    with _limiter(request).admit(caller):
        item = await _of_call(request, item)
        receipt = await _register(request, item)
    response.status_code = 201 if receipt.created else 200
    request.state.number = receipt.number
    return _registered(request, item, receipt)


@router.post("/tickets/batch")
async def register_tickets(
    request: Request, body: Batch, caller: Front, key: Key = None
) -> BatchAnswers:
    """Register up to 1,000 complaints; each is judged alone and has its own answer, in order."""

    config: Config = service_of(request.app).store.config

    async def answer(at: int, entry: NewTicket | Problem) -> BatchAnswer:
        if isinstance(entry, Problem):
            return BatchAnswer(status=entry.status, problem=entry)
        own_key = f"{key}/{at}" if key else None
        try:
            with trace(None):  # one of its own: nothing links what came in the same batch
                item = await _of_call(request, Registration.of(entry, caller, own_key, config))
                receipt = await _register(request, item)
        except Exception as error:  # others of the batch are stored: each has its own answer
            refusal = named(error)
            problem = Problem.model_validate(document(refusal))
            return BatchAnswer(status=refusal.status, problem=problem)
        status = 201 if receipt.created else 200
        return BatchAnswer(status=status, ticket=_registered(request, item, receipt))

    answers: list[BatchAnswer] = []
    with _limiter(request).admit(caller, len(body.tickets)):
        for start in range(0, len(body.tickets), AT_ONCE):  # in between others get their turn
            some = enumerate(body.tickets[start : start + AT_ONCE], start)
            answers += await asyncio.gather(*(answer(at, entry) for at, entry in some))
    return BatchAnswers(answers=answers)


def in_codes(
    act: ReadAct, topic: Code | None = None, area: Code | None = None, channel: Code | None = None
) -> dict[str, str | None]:
    """What a list is narrowed to by code or name."""
    codes = act.config.codes
    return {
        "topic": topic and codes.topic_names.code(topic, "topic"),
        "area": area and codes.area_names.code(area, "area"),
        "channel": channel and codes.channel_names.code(channel, "channel"),
    }


@router.get("/tickets")
async def list_tickets(
    act: ReadAct,
    coded: Annotated[dict[str, str | None], Depends(in_codes)],
    text: SearchText | None = None,
    type: NamedType | None = None,
    urgency: Urgency | None = None,
    status: TicketStatus | None = None,
    flags: Annotated[list[Code] | None, Query(max_length=20)] = None,
    unit: Code | None = None,
    reported: Code | None = None,
    source_number: SourceNumber | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    noted_after_end: Annotated[
        bool | None,
        Query(description="结案后又有来话、尚无人查看 something said after the end is unread"),
    ] = None,
    merged_into: Number | None = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> TicketPage:
    """Tickets in order of registration, narrowed by any filter. `text`: words of title, content and
    supplements, two characters or more, found some seconds after they came. `flags`: all must be
    there. `unit`: which has or had an order. `source_number`: as it was sent."""
    narrowed = search.Filter(
        type=type,
        urgency=urgency,
        status=status,
        since=since,
        until=until,
        text=text,
        flags=flags,
        unit=unit,
        reported=reported,
        source_number=source_number,
        noted_after_end=noted_after_end,
        merged_into=merged_into,
        **coded,
    )
    return await views.tickets(act, narrowed, after, limit)


@router.get("/tickets/{number}", responses=problems(404))
async def read_ticket(number: Number, act: ReadAct) -> TicketOut:
    """One ticket in its working copy."""
    return await views.ticket(act, number)


@router.post("/tickets/{number}/supplements", response_model=Progress, responses=problems(404, 409))
async def supplement_ticket(number: Number, body: Supplement, door: FrontDoor) -> Response:
    """The citizen adds something."""
    return await door.once(usecases.supplement, number, body)


@router.post("/tickets/{number}/urges", response_model=Progress, responses=problems(404, 409))
async def urge_ticket(number: Number, body: Urge, door: FrontDoor) -> Response:
    """The citizen asks again."""
    return await door.once(usecases.urge, number, body)


@router.post("/tickets/{number}/withdrawal", response_model=Progress, responses=problems(404, 409))
async def withdraw_ticket(number: Number, body: Withdrawal, door: FrontDoor) -> Response:
    """The citizen takes the complaint back."""
    return await door.once(usecases.withdraw, number, body)


@router.get("/tickets/{number}/progress", responses=problems(404))
async def read_progress(
    request: Request,
    number: Number,
    code: Annotated[str, Header(alias="X-Ticket-Code", min_length=4, max_length=32)],
) -> Progress:
    """The citizen's own look: number and code, no token. Wrong codes are counted (429)."""
    wrong_codes: WrongCodeLimiter = request.app.state.wrong_codes
    with wrong_codes.look(number, anonymous_address(request)):
        async with service_of(request.app).store.act("citizen") as act:
            return await views.progress_by_code(act, number, code)


# Last, for a request looks for its route from the first on, and most are registrations.
for part in (
    codes,
    contact_routes,
    correction_routes,
    duplicates,
    ending_routes,
    call_routes,
    merging,
    split_routes,
    list_routes,
):
    router.routes.extend(part.router.routes)
