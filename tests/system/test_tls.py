"""TLS on every wire by settings: whom we trust is let in, anybody else is refused."""

from __future__ import annotations

import asyncio
import os
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import ValidationError
from pytest_httpserver import HTTPServer
from sqlalchemy import make_url, text

from operations.runtime.server import serve
from operations.runtime.tls import Tls
from operations.stuck import unread
from services.feedback.phone import Call, ask_all
from services.feedback.settings import Settings
from shared.errors import ConfigError
from shared.messaging.bus import BusTrouble
from shared.messaging.connect import connect
from shared.storage.engine import is_trouble, open_engine
from tests.fixtures.bench import Bench
from tests.fixtures.certificates import SSL_REQUEST, Certificates, certify, front
from tests.fixtures.commands import command
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Our authority, and what it certified."""
    return certify(tmp_path_factory.mktemp("ours") / "ours")


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Somebody else's."""
    return certify(tmp_path_factory.mktemp("strange") / "strange")


@pytest.fixture(autouse=True)
def trusting(ours: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts our authority as a service with JIESU_TLS_CA does."""
    for name in ("SSL_CERT_FILE", "PGSSLROOTCERT"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("JIESU_TLS_CA", str(ours.ca))
    Tls().trust()


# --- PostgreSQL --------------------------------------------------------------------------------


@asynccontextmanager
async def postgres_over(certificates: Certificates, postgres: Postgres) -> AsyncIterator[str]:
    """The address of a PostgreSQL that takes TLS and nothing else."""
    plain = make_url(postgres.url("postgres"))
    folder = plain.query.get("host")
    behind = (
        {"unix": f"{folder}/.s.PGSQL.5432"}
        if isinstance(folder, str)
        else {"tcp": (plain.host, plain.port or 5432)}
    )
    async with front(certificates, preamble=SSL_REQUEST, **behind) as port:
        secure = plain.set(host="127.0.0.1", port=port, query={"ssl": "verify-full"})
        yield secure.render_as_string(hide_password=False)


async def one(url: str) -> object:
    """What the database says to SELECT 1, asked as a service asks."""
    engine = open_engine(url, 1)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar()
    finally:
        await engine.dispose()


async def test_postgres_of_ours_is_trusted(ours: Certificates, postgres: Postgres) -> None:
    async with postgres_over(ours, postgres) as url:
        assert await one(url) == 1


async def test_postgres_of_a_stranger_is_refused(strange: Certificates, postgres: Postgres) -> None:
    async with postgres_over(strange, postgres) as url:
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            await one(url)
    assert is_trouble(refused.value)


# --- RabbitMQ ----------------------------------------------------------------------------------


@asynccontextmanager
async def broker_over(certificates: Certificates, rabbitmq: Broker) -> AsyncIterator[str]:
    """The address of a RabbitMQ behind TLS."""
    plain = httpx.URL(rabbitmq.url)
    async with front(certificates, tcp=(plain.host, plain.port or 5672)) as port:
        yield str(plain.copy_with(scheme="amqps", host="127.0.0.1", port=port))


async def test_a_broker_of_ours_is_trusted(ours: Certificates, rabbitmq: Broker) -> None:
    async with broker_over(ours, rabbitmq) as url:
        bus = connect(url)
        await bus.declare({"svc.over-tls": ["over.tls"]})
        assert await bus.waiting("svc.over-tls") == 0
        await bus.close()


async def test_a_broker_of_a_stranger_is_refused(strange: Certificates, rabbitmq: Broker) -> None:
    async with broker_over(strange, rabbitmq) as url:
        bus = connect(url)
        with pytest.raises(BusTrouble) as refused:
            await bus.declare({"svc.over-tls": ["over.tls"]})
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)
        await bus.close()


# --- HTTP, outgoing ----------------------------------------------------------------------------


async def why_not_asked(feedback: Bench, certificates: Certificates) -> str | None:
    """Feedback asks an intake and a phone system of these certificates for a call."""
    with HTTPServer("127.0.0.1", ssl_context=certificates.context()) as server:
        server.expect_request("/v1/tickets/20260302-000001/contact-reads").respond_with_json(
            {"name": "王小明", "phone": "13909150001"}
        )
        server.expect_request("/ask").respond_with_data("", 202)
        config = feedback.service.store.config
        there: dict[str, Any] = {
            "intake_url": server.url_for(""),
            "phone_system_url": server.url_for("/ask"),
        }
        settings = Settings(embedded=True, allow_private_webhooks=True, service_token="t", **there)
        config = replace(config, settings=settings)
        call = Call(uuid4(), "20260302-000001", 1, 1, person=False)
        failed = (await ask_all(config, [call]))[call]
        return str(failed) if failed else None


async def test_feedback_trusts_an_intake_of_ours(feedback: Bench, ours: Certificates) -> None:
    assert await why_not_asked(feedback, ours) is None


async def test_feedback_gives_no_stranger_a_token(feedback: Bench, strange: Certificates) -> None:
    assert await why_not_asked(feedback, strange) == "ConnectError at 127.0.0.1"


# --- HTTP, served ------------------------------------------------------------------------------


async def health(url: str, ca: Path) -> int:
    """The status a client gets that trusts an authority."""
    context = ssl.create_default_context(cafile=str(ca))
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return (await client.get(url)).status_code


async def test_a_service_serves_https(
    intake: Bench,
    ours: Certificates,
    strange: Certificates,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JIESU_TLS_CERT", str(ours.cert))
    monkeypatch.setenv("JIESU_TLS_KEY", str(ours.key))
    [port] = free_ports(1)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve({port: intake.app}, "127.0.0.1", stop, **Tls().serving()))
    while not intake.service.ready or await _is_deaf(port):
        await asyncio.wait([serving], timeout=0.05)
        assert not serving.done()
    url = f"https://127.0.0.1:{port}/healthz"
    assert await health(url, ours.ca) == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await health(url, strange.ca)
    stop.set()
    assert await serving == 0


async def _is_deaf(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


# --- a whole process ---------------------------------------------------------------------------

MIGRATE = ("migrate", "intake")


async def trusting_one(url: str, bus_url: str, ca: Path, *words: str) -> tuple[int, str]:
    """Exit code and words of `python -m services` that trusts one authority."""
    key = b64encode(token_bytes(32)).decode()
    said = {
        "JIESU_DATABASE_URL": url,
        "JIESU_BUS_URL": bus_url,
        "JIESU_TLS_CA": str(ca),
        "SSL_CERT_FILE": "",  # what this process itself was made to trust
        "PGSSLROOTCERT": "",
        "JIESU_INDEX_KEY": key,
        "JIESU_VAULT_KEYS": f'{{"first":"{key}"}}',
        "JIESU_VAULT_CURRENT": "first",
        "JIESU_SERVICE_TOKEN": "unused",
    }
    printed = await command(*words, **said)
    return printed.code, printed.out + printed.err


@asynccontextmanager
async def own_database(certificates: Certificates, postgres: Postgres) -> AsyncIterator[str]:
    """The address of a new database that takes TLS and nothing else."""
    async with (
        postgres.fresh_database() as fresh,
        postgres_over(certificates, postgres) as any_database,
    ):
        secure = make_url(any_database).set(database=make_url(fresh).database)
        yield secure.render_as_string(hide_password=False)


async def test_one_setting_is_trusted_on_every_wire(
    ours: Certificates, strange: Certificates, postgres: Postgres, rabbitmq: Broker
) -> None:
    async with (
        own_database(ours, postgres) as url,
        broker_over(ours, rabbitmq) as bus,
        broker_over(strange, rabbitmq) as strange_bus,
    ):
        code, words = await trusting_one(url, bus, ours.ca, *MIGRATE)
        assert (code, "queues and bindings stand" in words) == (0, True), words
        code, words = await trusting_one(url, strange_bus, ours.ca, *MIGRATE)
        assert (code, "schema is current" in words) == (2, True)
        assert "TLS with the broker fails" in words
        code, words = await trusting_one(url, bus, strange.ca, *MIGRATE)
        assert (code, "schema is current" in words) == (2, False)
        assert "TLS with the database fails" in words


async def test_what_operators_type_trusts_it_too(
    ours: Certificates, strange: Certificates, postgres: Postgres, rabbitmq: Broker
) -> None:
    resend = ("resend", "intake", "--since", "2026-03-02T08:00+08:00")
    async with own_database(ours, postgres) as url, broker_over(ours, rabbitmq) as bus:
        assert (await trusting_one(url, bus, ours.ca, *MIGRATE))[0] == 0
        for typed in (("retain",), ("reseal",), resend):
            code, words = await trusting_one(url, bus, ours.ca, *typed)
            assert code == 0, words
        code, words = await trusting_one(url, bus, strange.ca, "retain")
        assert (code, "TLS with the database fails" in words) == (2, True), words


async def test_the_morning_page_gives_no_stranger_a_password(
    ours: Certificates, strange: Certificates
) -> None:
    assert await notes(ours) == ["3 条 messages, 0 个 readers"]
    assert await notes(strange) == ["ConnectError"]


async def notes(certificates: Certificates) -> list[str]:
    """What the morning page says of a broker's management of these certificates."""
    with HTTPServer("127.0.0.1", ssl_context=certificates.context()) as server:
        queues = server.expect_request("/api/queues/jiesu")
        queues.respond_with_json([{"name": "svc.intake", "messages": 3}])
        [group] = await unread(server.url_for("/jiesu").replace("://", "://ops:secret@"))
        return [one.note for one in group.oldest]


# --- settings ----------------------------------------------------------------------------------


def test_without_settings_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIESU_TLS_CA")
    monkeypatch.setenv("SSL_CERT_FILE", "the system's")
    Tls().trust()
    assert os.environ["SSL_CERT_FILE"] == "the system's"
    assert Tls().serving() == {}


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_TLS_CA", "/nowhere/ca.pem")
    with pytest.raises(ValidationError, match="tls_ca"):
        Tls()


@pytest.mark.parametrize("name", ["JIESU_TLS_CERT", "JIESU_TLS_KEY"])
def test_a_certificate_needs_its_key(
    name: str, ours: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(ours.cert))
    with pytest.raises(ConfigError, match="both or neither"):
        Tls().serving()


def test_another_key_than_the_certificates_is_refused(
    ours: Certificates, strange: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIESU_TLS_CERT", str(ours.cert))
    monkeypatch.setenv("JIESU_TLS_KEY", str(strange.key))
    with pytest.raises(ConfigError, match="cannot be used"):
        Tls().serving()


def test_a_ca_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv("JIESU_TLS_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match="cannot be used"):
        Tls().trust()
