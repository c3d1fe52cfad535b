"""What group commit and outbox are measured against: the same registration, written plainly.

One ORM transaction per request, then one publish the request waits for. Everything else is
intake's own: body, codes, masks, vault, key, number, guard, log, metrics, server and settings.
It may lose a fact: between commit and publish nobody remembers it. Run by uvicorn, for `make bench`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import aio_pika
import uuid6
from fastapi import Depends, FastAPI, Request

from services.intake.claims import Registration
from services.intake.models import DayNumbers, Tickets, Vaults
from services.intake.registration import (
    check_codes,
    copy_for,
    ending_columns,
    tell,
    ticket_row,
    vault_row,
)
from services.intake.rules.numbers import compose_number
from services.intake.schemas import Links, NewTicket, Registered
from services.intake.settings import Config, Settings
from shared import clock
from shared.caller import Caller
from shared.events import Fact
from shared.http.auth import calling
from shared.http.idempotency import Claim, Claims, Key
from shared.http.problems import Observed, install_problems
from shared.http.rate_limits import RequestLimits
from shared.messaging.rabbit_bus import EXCHANGE
from shared.observability import Metrics, configure_logs
from shared.security.tokens import TokenVerifier
from shared.storage.act import Act, Store, Told

POOL = 20  # one connection a request: with intake's five it would be slower still
settings = Settings()
tokens = TokenVerifier(settings.token_keys)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """A database without an outbox, and a channel with confirms."""
    configure_logs(settings.log_level)
    rules = settings.load()
    store = Store(
        "intake",
        settings.database_url,
        rules,
        pool_size=POOL,
        before_commit=_published_afterwards,
        fingerprint=rules.digester.fingerprint,
    )
    app.state.store = store
    async with await aio_pika.connect(settings.bus_url) as connection:
        app.state.exchange = await (await connection.channel()).get_exchange(EXCHANGE)
        yield
    await app.state.store.close()


async def _published_afterwards(_: Act[Config]) -> None:
    """Nothing is written of what was told: that is the plain way."""


app = FastAPI(lifespan=lifespan)
app.add_middleware(
    RequestLimits,
    tokens=tokens,
    per_minute=settings.anonymous_per_minute,
    body_seconds=settings.body_seconds,
)
app.add_middleware(Observed, service="plain", metrics=Metrics())
install_problems(app)


@app.post("/v1/tickets", status_code=201)
async def register(
    request: Request,
    body: NewTicket,
    caller: Annotated[Caller, Depends(calling("phone_system"))],
    key: Key = None,
) -> Registered:
    """Register a complaint."""
    store: Store[Config] = request.app.state.store
    check_codes(body, store.config, store.config.limits)
    item = Registration.of(body, caller, key, store.config)
    claims = Claims([Claim.of(caller.actor, key, "POST", body, store.fingerprint)])
    async with store.act(caller.actor, caller=caller) as act:
        connection = await act.session.connection()
        await claims.make(connection)
        if kept := claims.before(0):
            return Registered.model_validate_json(kept.body)
        answer = await _insert(act, item)
        claims.note(0, 201, answer.model_dump_json())
        await claims.write(connection)
    for told in act.told:
        await _publish(request.app.state.exchange, told)
    return answer


async def _insert(act: Act[Config], item: Registration) -> Registered:
    number = await _number(act)
    copy = copy_for(act.config, item)
    row = ticket_row(act, item, number, None, copy) | ending_columns(act, item, None)
    act.session.add(Tickets(**row))
    await act.session.flush()
    act.session.add(Vaults(**vault_row(act.config, item, number, copy)))
    await act.session.flush()
    tell(act, item, row, copy, None)
    here = f"/v1/tickets/{number}"
    return Registered(
        number=number,
        id=row["id"],
        code=act.config.digester.ticket_code(number, None),
        registered_at=row["registered_at"],
        links=Links(self=here, progress=f"{here}/progress"),
    )


async def _number(act: Act[Config]) -> str:
    today = act.now.astimezone(act.config.place.timezone).date()
    day = await act.session.get(DayNumbers, today, with_for_update=True)
    if day is None:
        day = DayNumbers(day=today, last=0)
        act.session.add(day)
    day.last += 1
    return compose_number(today, day.last)


async def _publish(exchange: Any, told: Told) -> None:
    fact = Fact(
        id=UUID(bytes=uuid6.uuid7().bytes),
        type=told.data.full_name(),
        source="intake",
        subject=told.subject,
        time=told.time,
        recorded=clock.now(),
        seq=1,
        round=told.round,
        assignment=None,
        unit=None,
        actor=told.actor,
        traceparent=told.traceparent,
        data=told.data,
    )
    mode = aio_pika.DeliveryMode.PERSISTENT
    message = aio_pika.Message(fact.encode(), message_id=str(fact.id), delivery_mode=mode)
    await exchange.publish(message, fact.key)
