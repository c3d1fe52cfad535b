"""What is easy in development is refused everywhere else: no county runs on it by accident."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from operations.runtime.registry import NAMES, part
from shared.settings import DEVELOPMENT_KEY

OWN_KEY = "b3duIGtleSBvZiB0aGlzIHRlc3QsIDMyIGJ5dGVzLi4="
GOOD: dict[str, Any] = {
    "index_key": OWN_KEY,
    "vault_keys": {"first": OWN_KEY},
    "vault_current": "first",
    "webhook_secret": OWN_KEY,
    "service_token": "a token",
    "database_url": "postgresql+asyncpg://jiesu_intake:6f1c@postgres/jiesu_intake",
    "bus_url": "amqp://intake:9d2e@rabbitmq/jiesu",
}


def refusal(name: str, **settings: Any) -> str:
    """What a service says to settings outside the embedded mode."""
    with pytest.raises(ValidationError) as refused:
        part(name).settings(**GOOD | settings)
    return "\n".join(row["msg"] for row in refused.value.errors(include_input=False))


@pytest.mark.parametrize("name", NAMES)
def test_secrets_of_ones_own_are_taken(name: str) -> None:
    part(name).settings(**GOOD)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_set_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIESU_INDEX_KEY", raising=False)
    with pytest.raises(ValidationError, match="JIESU_INDEX_KEY is the development key"):
        part(name).settings()


@pytest.mark.parametrize("name", NAMES)
def test_the_development_key_is_refused_as_index_key(name: str) -> None:
    assert "JIESU_INDEX_KEY is the dev" in refusal(name, index_key=DEVELOPMENT_KEY)


@pytest.mark.parametrize("current", ["first", "dev"])
def test_the_development_key_is_refused_in_the_vault(current: str) -> None:
    """Also as an old key that seals nothing new: whoever knows it would read what it sealed."""
    ring = {"first": OWN_KEY, "dev": DEVELOPMENT_KEY}
    said = refusal("intake", vault_keys=ring, vault_current=current)
    assert "JIESU_VAULT_KEYS.DEV is the development key" in said


def test_the_development_key_is_refused_as_webhook_secret() -> None:
    said = refusal("feedback", webhook_secret=DEVELOPMENT_KEY)
    assert "JIESU_WEBHOOK_SECRET is the development key" in said


def test_the_development_key_is_refused_as_service_token() -> None:
    said = refusal("feedback", service_token=DEVELOPMENT_KEY)
    assert "JIESU_SERVICE_TOKEN is the development key" in said


def test_a_phone_system_needs_a_service_token() -> None:
    said = refusal("feedback", service_token=None, phone_system_url="https://phone.example/ask")
    assert "JIESU_SERVICE_TOKEN is needed" in said


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("bus_url", "amqp://guest:guest@rabbitmq/jiesu"),
        ("bus_url", "amqps://intake:intake@rabbitmq/jiesu"),
        ("database_url", "postgresql+asyncpg://postgres:postgres@postgres/jiesu_intake"),
        ("database_url", "postgresql+asyncpg://jiesu_intake:jiesu_intake@postgres/jiesu_intake"),
    ],
)
def test_a_name_for_a_password_is_refused(name: str, field: str, address: str) -> None:
    said = refusal(name, **{field: address})
    assert f"JIESU_{field.upper()} has its user's name for a password" in said
    assert address not in said


def test_embedded_takes_what_nobody_else_can_reach() -> None:
    for name in NAMES:
        part(name).settings(embedded=True, bus_url="amqp://guest:guest@127.0.0.1/")


def test_names_and_numbers_go_unencrypted_only_where_that_is_asked_for() -> None:
    plain = {"phone_system_url": "http://phone.example/ask", "service_token": "x"}
    plain["webhook_secret"] = OWN_KEY
    assert "JIESU_ALLOW_PLAIN_WEBHOOKS" in refusal("feedback", **plain)
    for given in (
        {"allow_plain_webhooks": True},
        {"phone_system_url": "https://phone.example/ask"},
        {"embedded": True},
    ):
        part("feedback").settings(**GOOD | plain | given)
