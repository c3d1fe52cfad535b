"""``call-test``: a vendor learns today whether its phone system would be heard."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from jsonschema_rs import Draft202012Validator
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from typer.testing import CliRunner
from werkzeug import Request, Response

from operations.commands.table import cli
from operations.trial_call import cure_for, settings_for
from tests.fixtures.documents import webhook_body

SECRET = b64encode(b"a secret of thirty-two bytes....").decode()
Answering = Callable[[Request], Response]


@pytest.fixture(autouse=True)
def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a deployment whose phone system is on its own network."""
    monkeypatch.setenv("JIESU_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("JIESU_ALLOW_PRIVATE_WEBHOOKS", "true")


def tried(url: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    result = CliRunner().invoke(cli, ["call-test", url])
    return result.exit_code, result.output


def test_a_phone_system_that_answers_is_taken(httpserver: HTTPServer) -> None:
    got: list[Request] = []

    def take(request: Request) -> Response:
        got.append(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        Webhook(SECRET).verify(request.data, headers)
        return Response(status=202)

    httpserver.expect_request("/ask", method="POST").respond_with_handler(take)
    code, output = tried(httpserver.url_for("/ask"))
    assert (code, "已接收 taken" in output, "HTTP 202" in output) == (0, True, True)
    said = json.loads(got[0].data)
    assert said["type"] == "callback.test"
    Draft202012Validator(webhook_body(), validate_formats=True).validate(said)


@pytest.mark.parametrize(
    ("status", "helps"),
    [
        (301, "重定向"),
        (401, "密钥"),
        (403, "防火墙"),
        (404, "POST"),
        (405, "POST"),
        (415, "JSON"),
        (422, "connect-phone.md"),
        (500, "日志"),
    ],
)
def test_what_does_not_count_is_said_with_what_helps(
    httpserver: HTTPServer, status: int, helps: str
) -> None:
    httpserver.expect_request("/ask").respond_with_data("", status)
    code, output = tried(httpserver.url_for("/ask"))
    assert code == 1
    assert "未接收 not taken" in output
    assert f"HTTP {status}" in output
    assert helps in output


def test_every_status_that_does_not_count_has_help() -> None:
    assert all(cure_for(status) for status in range(300, 600))


def test_nobody_there_is_said() -> None:
    code, output = tried("http://127.0.0.1:9/ask")
    assert (code, "连不上" in output) == (1, True)


def test_a_private_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIESU_ALLOW_PRIVATE_WEBHOOKS")
    code, output = tried("http://127.0.0.1:9/ask")
    assert (code, "JIESU_ALLOW_PRIVATE_WEBHOOKS" in output) == (1, True)


def test_the_service_would_use_the_same_secret() -> None:
    assert settings_for("http://127.0.0.1/ask", {}).webhook_secret.get_secret_value() == SECRET
