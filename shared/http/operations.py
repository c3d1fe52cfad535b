"""Routes every service has for those who run it: health, metrics, the fact log, the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import AwareDatetime, BaseModel, WithJsonSchema

from shared import clock
from shared.caller import Caller
from shared.errors import JiesuError
from shared.events import Fact
from shared.events.envelope import WORD_PATTERN, Word
from shared.http.auth import acting, bearer, calling
from shared.http.fields import Body, Instant
from shared.http.problems import problems
from shared.http.router import Router
from shared.messaging.outbox import facts_after
from shared.observability import log
from shared.service import Service, service_of, state_of
from shared.storage.act import Act
from shared.storage.trouble import said

operations = Router(tags=["operations"], refusals=())
OPERATORS = ("ops", "service")
Subject = Annotated[
    Word, WithJsonSchema({"type": "string", "maxLength": 64, "pattern": WORD_PATTERN})
]
OpsAct = Annotated[Act[Any], Depends(acting(*OPERATORS), scope="function")]
Operator = Annotated[Caller, Depends(calling(*OPERATORS))]
Ops = Annotated[Caller, Depends(calling("ops"))]


class Health(BaseModel):
    """The process lives; ``ready``: its loops run. ``release``: its code; ``configuration``: its rules."""

    service: str
    ready: bool
    release: str
    configuration: str


class NotReady(JiesuError):
    """Work should not be sent here now; the detail says why."""

    status = 503
    slug = "not-ready"
    title = "服务未就绪 The service is not ready"


class LoggedFact(BaseModel):
    """A fact and its place in this service's log."""

    position: int
    fact: Fact


class FactPage(BaseModel):
    """Facts in the order they were confirmed; ask again with ``after=next``.

    ``unreadable``: the positions of those that are left out, for they are no JSON.
    """

    items: list[LoggedFact]
    next: int
    unreadable: list[int] = []


class ProcessClock(BaseModel):
    """The trade's time in this process. ``idle``: nothing waits in any of its services before
    ``next_due``.
    """

    now: AwareDatetime
    stepped: bool
    idle: bool
    next_due: AwareDatetime | None


class Step(Body):
    """Where to move the stepped clock."""

    now: Instant


def _health(service: Service) -> Health:
    return Health(
        service=service.name,
        ready=service.ready,
        release=service.settings.release,
        configuration=service.store.configuration or "",
    )


@operations.get("/healthz")
async def healthz(request: Request) -> Health:
    """The process lives."""
    service = service_of(request.app)
    return _health(service)


@operations.get("/readyz")
async def readyz(request: Request) -> Health:
    """Whether to send work here: the loops live, the database answers and can be written to.
    It says so within a second, whatever is away or frozen.
    """
    service = service_of(request.app)
    why = f"loop {service.died} died" if service.died else "" if service.ready else "not started"
    try:
        await service.pulse.beat()
    except Exception as error:  # whatever it is: no work should come here
        why = said(error)
    if why:
        raise NotReady(why)
    return _health(service)


async def may_scrape(request: Request, _: Annotated[Any, Depends(bearer)] = None) -> None:
    """Operations and services read the metrics; anybody, where the setting says so."""
    if not service_of(request.app).settings.open_metrics:
        await calling(*OPERATORS)(request)


@operations.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=problems(401, 403),
    dependencies=[Depends(may_scrape)],
)
async def metrics(request: Request) -> Response:
    """Prometheus metrics of this service, within a second; NaN is what could not be looked at."""
    service = service_of(request.app)
    await service.vitals.measure()
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@operations.get("/v1/facts", response_model=FactPage, responses=problems(401, 403))
async def facts(
    act: OpsAct,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    subject: Subject | None = None,
) -> Response:
    """The fact log of this service, by position, each fact as it was said."""
    rows = await facts_after(act, after, limit, subject)
    return Response(fact_page(rows, after), media_type="application/json")


def fact_page(rows: Sequence[Any], after: int) -> str:
    """A FactPage around the stored bodies: what another release wrote is not read to be passed on.

    One that is no JSON would spoil the page: it is left out, and named by its position.
    """
    items, unreadable = [], []
    for row in rows:
        if is_json(row.body):
            items.append(f'{{"position":{row.position},"fact":{row.body}}}')
        else:
            unreadable.append(row.position)
            log.error("a logged fact cannot be read", position=row.position)
    last = rows[-1].position if rows else after
    return f'{{"items":[{",".join(items)}],"next":{last},"unreadable":{unreadable}}}'


def is_json(body: str) -> bool:
    """Whether a stored body can stand in a JSON document."""
    try:
        return isinstance(orjson.loads(body), dict)
    except orjson.JSONDecodeError:
        return False


@operations.get("/clock", responses=problems(401, 403))
async def read_clock(request: Request, _: Operator) -> ProcessClock:
    """The trade's time in this process, and whether anything waits for it."""
    return await _look_at_clock(request)


async def _look_at_clock(request: Request) -> ProcessClock:
    now, due = clock.now(), None
    for service in state_of(request.app).on_this_clock:
        busy, soonest = await service.look()
        if busy:
            return ProcessClock(now=now, stepped=clock.is_stepped(), idle=False, next_due=None)
        due = min(filter(None, (due, soonest)), default=None)
    idle = due is None or due > now
    return ProcessClock(now=now, stepped=clock.is_stepped(), idle=idle, next_due=due)


@operations.post("/clock", responses=problems(400, 401, 403, 409, 415))
async def step_clock(request: Request, body: Step, _: Ops) -> ProcessClock:
    """Step the clock forward; refused unless the service was started with CLOCK=simulated."""
    clock.step_to(body.now)
    for service in state_of(request.app).on_this_clock:
        service.stepped()
    return await _look_at_clock(request)
