"""姓名核对: what a citizen says at a callback is written down without who said it.

Who called is known in intake's vault only, and what is said here travels to units. So intake takes a name,
a number, a home out of the words before anything is done with them, outside any transaction; while it
cannot, words are not taken, and what was answered without any is (docs/adr/0042-who-may-read-is-asked.md).
"""

from __future__ import annotations

import asyncio

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from services.feedback.phone import open_client
from services.feedback.settings import Settings
from shared.errors import ConfigError, JiesuError
from shared.observability import log, place

ANSWER_WITHIN = 3.0  # seconds; a person waits at the other end


class NamesUnknown(JiesuError):
    """Intake, which knows who called, does not answer: what was said could name somebody. Nothing was done;
    send it again, or without the words.
    """

    status = 503
    slug = "names-unknown"
    title = (
        "暂无法核对意见中的姓名，未予登记，请稍后原样重发 "
        "Names in the words cannot be taken out now; nothing was done, send it again"
    )


class Cleared(BaseModel):
    """As intake says it."""

    text: str


class Names:
    """Intake, asked with feedback's own token. ``transport``: how it is reached. Raises ConfigError without a
    token outside the embedded mode: nobody could write down what a citizen said.
    """

    def __init__(
        self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if settings.service_token is None and not settings.embedded:
            raise ConfigError(
                "JIESU_SERVICE_TOKEN: 缺少回访服务的令牌，无法核对诉求人意见中的姓名 feedback needs its "
                "own, or no citizen's words could be taken: python -m services token --role service "
                "--name feedback"
            )
        self._url, self._transport = settings.intake_url, transport
        self._token = settings.service_token or SecretStr("")

    async def cleared(self, number: str, text: str) -> str:
        """Words about a ticket as they may be kept and told. Raises NamesUnknown."""
        path = f"{str(self._url).rstrip('/')}/v1/tickets/{number}/cleared-words"
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        try:
            async with asyncio.timeout(ANSWER_WITHIN), open_client(self._transport) as client:
                answer = await client.post(path, json={"text": text}, headers=headers)
            if answer.status_code == httpx.codes.OK:
                return Cleared.model_validate_json(answer.content).text
            why = str(answer.status_code)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            why = place(error)
        log.warning("names in what was said cannot be taken out", ticket=number, why=why)
        raise NamesUnknown(retry_after=2)
