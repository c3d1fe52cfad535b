"""What the phone system gets is what is published: a real request, held against the document."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

import httpx
import pytest
from jsonschema_rs import Draft202012Validator
from pydantic import AnyHttpUrl, SecretStr
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from operations import contracts
from services.feedback.phone import AskFailed, Call, ask
from services.feedback.settings import Config, Settings
from tests.fixtures.documents import webhook_body, webhook_of

Json = dict[str, Any]
SECRET = b64encode(b"a secret of thirty-two bytes....").decode()
CALL = Call(UUID(int=1), "20260302-000001", 1, 2, person=True)
WHOM = {"name": "王小明", "phone": "13909150001", "address": "城关镇"}


@pytest.fixture
def config(httpserver: HTTPServer) -> Config:
    """Feedback beside an intake that knows the number."""
    path = "/v1/tickets/20260302-000001/contact-reads"
    httpserver.expect_request(path).respond_with_json(WHOM)
    settings = Settings(
        embedded=True,
        config_dir=contracts.CONFIG,
        phone_system_url=AnyHttpUrl(httpserver.url_for("/ask")),
        intake_url=AnyHttpUrl(httpserver.url_for("/")),
        service_token=SecretStr("token"),
        webhook_secret=SecretStr(f"whsec_{SECRET}"),
        allow_private_webhooks=True,
    )
    loaded: Config = settings.load()
    return loaded


async def sent(config: Config, httpserver: HTTPServer, status: int = 202) -> Request:
    """The request a phone system gets that answers with a status. Raises AskFailed."""
    got: list[Request] = []

    def take(request: Request) -> Response:
        got.append(request)
        return Response("whatever it says", status, {"Location": "/elsewhere"})

    httpserver.expect_request("/ask").respond_with_handler(take)
    async with httpx.AsyncClient(trust_env=False) as client:
        await ask(client, config, CALL)
    return got[0]


async def test_what_is_sent_is_what_is_published(config: Config, httpserver: HTTPServer) -> None:
    request = await sent(config, httpserver)
    said = json.loads(request.data)
    Draft202012Validator(webhook_body(), validate_formats=True).validate(said)
    properties = contracts.openapi("feedback")["components"]["schemas"]["CallRequest"]["properties"]
    assert set(said) == set(properties)
    assert set(said["contact"]) == {"name", "phone"}, (
        "an address is nobody's to know who telephones"
    )


async def test_it_is_signed_as_published(config: Config, httpserver: HTTPServer) -> None:
    request = await sent(config, httpserver)
    headers = {name.lower(): value for name, value in request.headers.items()}
    for parameter in webhook_of()["parameters"]:
        assert parameter["required"]
        assert parameter["name"] in headers
    assert headers["webhook-id"] == f"{CALL.callback}.{CALL.attempt}"
    for secret in (SECRET, f"whsec_{SECRET}"):
        Webhook(secret).verify(request.data, headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_counts_as_taken(config: Config, httpserver: HTTPServer, status: int) -> None:
    assert await sent(config, httpserver, status)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 409, 410, 422, 429, 500, 503])
async def test_nothing_else_does(config: Config, httpserver: HTTPServer, status: int) -> None:
    with pytest.raises(AskFailed, match=str(status)):
        await sent(config, httpserver, status)


def test_the_document_says_which_answers_count() -> None:
    assert set(webhook_of()["responses"]) == {"202", "4XX", "5XX"}
