"""The neighbours that know who has to do with a ticket at this moment: who handles it, who calls.

What intake has heard of that may be old, for facts take their time and stop when the broker does. So
whoever wants to read a contact is looked up where it is decided, outside any transaction. Whatever
is no plain answer lets nobody read (docs/adr/0042-who-may-read-is-asked.md).
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import AnyHttpUrl, BaseModel, SecretStr, ValidationError

from services.intake.settings import Settings
from shared.errors import ConfigError, InArbitration, JiesuError
from shared.observability import log, place

ANSWER_WITHIN = 3.0  # seconds; a person waits at the other end
M = TypeVar("M", bound=BaseModel)


class DutyUnknown(JiesuError):
    """The service that knows who has to do with the ticket does not answer; nothing was opened."""

    status = 503
    slug = "duty-unknown"
    title = (
        "暂无法核对承办或回访情况，未打开联系方式，请稍后重试 "
        "Who handles or calls cannot be checked now; nothing was opened, ask again"
    )


class Duty(BaseModel):
    """As the dispatcher says it: the assignment under which a unit handles a ticket now."""

    assignment: UUID | None


class CallDue(BaseModel):
    """As feedback says it: whether a call is due now, and whether it waits for staff."""

    due: bool
    staff: bool


class Dispute(BaseModel):
    """As the dispatcher says it: the arbitration that rules whose duty a ticket is."""

    arbitration: UUID | None


class Neighbours:
    """Dispatcher and feedback, asked with intake's own token. ``transport``: how they are reached.

    Raises ConfigError without a token outside the embedded mode: nobody could read a contact.
    """

    def __init__(
        self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if settings.service_token is None and not settings.embedded:
            raise ConfigError(
                "JIESU_SERVICE_TOKEN: 缺少受理服务的令牌，无法核对谁可查看联系方式 intake needs its own, or "
                "nobody could read a contact: python -m services token --role service --name intake"
            )
        self._dispatcher, self._feedback = settings.dispatcher_url, settings.feedback_url
        self._token = settings.service_token or SecretStr("")
        self._transport = transport

    async def duty(self, number: str, unit: str) -> UUID | None:
        """The assignment a unit works on, None when it has none. Raises DutyUnknown."""
        path = f"/v1/tickets/{number}/duties/{unit}"
        return (await self._ask(self._dispatcher, path, Duty)).assignment

    async def call(self, number: str) -> CallDue:
        """Whether the citizen is to be called now. Raises DutyUnknown."""
        return await self._ask(self._feedback, f"/v1/tickets/{number}/call", CallDue)

    async def check_undisputed(self, number: str) -> None:
        """A dispute ends by a ruling (R-17), not by what is done at the front. Where the dispatcher does not
        answer the front goes on: nobody's call waits for that, and ``arbitration.ended`` says what ended it.
        Raises InArbitration.
        """
        try:
            found = await self._ask(self._dispatcher, f"/v1/tickets/{number}/dispute", Dispute)
        except DutyUnknown:
            return
        if found.arbitration:
            raise InArbitration(str(found.arbitration))

    async def _ask(self, url: AnyHttpUrl, path: str, model: type[M]) -> M:
        """Only a 200 with what was asked for is an answer: also a neighbour of the release before,
        which has no such path, must not pass for one that says no.
        """
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        try:
            async with asyncio.timeout(ANSWER_WITHIN), self._client() as client:
                answer = await client.get(f"{str(url).rstrip('/')}{path}", headers=headers)
            if answer.status_code == httpx.codes.OK:
                return model.model_validate_json(answer.content)
            why = str(answer.status_code)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            why = place(error)
        log.warning("who has to do with a ticket is not known", asked=url.host, why=why)
        raise DutyUnknown(retry_after=2)

    def _client(self) -> httpx.AsyncClient:
        """Straight there: no proxy of the environment, no redirects."""
        return httpx.AsyncClient(
            transport=self._transport, timeout=ANSWER_WITHIN, trust_env=False, verify=_trusting()
        )


@cache
def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads all of the default file, which costs 30 ms
