"""``make run`` ignores nothing without a word: a setting a service would obey is obeyed or refused."""

from __future__ import annotations

import json
import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from operations.commands.running import NOT_EMBEDDED, as_asked, first_port, given_embedded, welcome
from operations.runtime.registry import NAMES, part
from operations.runtime.tls import Tls
from shared import clock
from shared.errors import ConfigError
from shared.service import service_of
from tests.fixtures.bench import ROOT
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Databases, Postgres
from tests.fixtures.suggesting import file_of

KEY = b64encode(b"\x07" * 32).decode()
FIELDS = {field for name in NAMES for field in part(name).settings.model_fields}
# A value of each setting that is not the one it has embedded.
ASKED = {
    "embedded": "true",
    "bus_url": f"local://asked-{secrets.token_hex(4)}",
    "index_key": KEY,
    "clock": "simulated",
    "clock_start": "2026-03-02T09:00+08:00",
    "pool_size": "3",
    "stop_seconds": "19",
    "drain_seconds": "0.1",
    "publish_timeout": "9",
    "relay_gather": "0.01",
    "receive_gather": "0.02",
    "log_level": "ERROR",
    "build": "asked",
    "anonymous_per_minute": "301",
    "trusted_proxies": "10.0.0.1",
    "open_metrics": "true",
    "connections": "801",
    "head_seconds": "14",
    "body_seconds": "29",
    "vault_keys": json.dumps({"asked": KEY}),
    "vault_current": "asked",
    "vault_suite": "sm4-gcm",
    "wrong_codes_per_ticket": "11",
    "wrong_codes_per_address": "31",
    "feed_streams": "21",
    "feed_gather": "0.01",
    "feed_look": "0.9",
    "feed_heartbeat": "14",
    "feed_life": "899",
    "phone_system_url": "http://127.0.0.1:9/ask",
    "webhook_secret": KEY,
    "allow_private_webhooks": "false",
    "allow_plain_webhooks": "true",
    "intake_url": "http://127.0.0.1:9/",
    "dispatcher_url": "http://127.0.0.1:8/",
    "feedback_url": "http://127.0.0.1:7/",
    "complaints_per_minute": "59999",
    "complaints_at_once": "3999",
    "service_token": "asked",
    "outcome_within_hours": "3",
}


@pytest.fixture(autouse=True)
def real_clock() -> Iterator[None]:
    """Whatever is stepped here is real again afterwards."""
    yield
    clock.simulate(None)


def test_every_setting_is_asked_for_or_refused() -> None:
    """Where it fails: add a new setting to ASKED, or to NOT_EMBEDDED with a reason."""
    given = {"config_dir", "token_keys", "suggest_model"}  # folders and a file, below
    refused = {name.lower() for name in NOT_EMBEDDED}
    assert {*ASKED} | given | (refused & FIELDS) == FIELDS
    assert refused - FIELDS == {"host", "port", "tls_cert", "tls_key"}
    assert {*Tls.model_fields} - refused == {"tls_ca"}


async def test_what_is_asked_for_is_obeyed(
    postgres: Postgres, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = shutil.copytree(ROOT / "config/ziyang", tmp_path / "config")
    model = tmp_path / "model.json"
    model.write_text(file_of().model_dump_json())
    files = {"config_dir": config, "token_keys": keys, "suggest_model": model}
    asked = ASKED | {name: str(path) for name, path in files.items()}
    for field, value in asked.items():
        monkeypatch.setenv(f"JIESU_{field.upper()}", value)
    monkeypatch.setenv("JIESU_PORTS", str(free_ports(len(NAMES))[0]))
    databases = Databases(postgres, f"asked_{secrets.token_hex(4)}")
    async with as_asked(tmp_path / "home", databases) as system:
        for name, app in system.apps.items():
            found = service_of(app).settings
            assert found == type(found).model_validate(found.model_dump() | _own(found, asked)), (
                name
            )
        said = welcome(system, tmp_path / "home")
    assert "The clock is stepped: 2026-03-02T09:00:00+08:00" in said
    assert f"数据 Data: {tmp_path / 'home'}    密钥 Keys: {keys}\n" in said
    await databases.drop()


def _own(settings: BaseModel, asked: dict[str, str]) -> dict[str, object]:
    """What was asked for of a service's own settings."""
    own = {field: asked[field] for field in asked if field in type(settings).model_fields}
    return own | ({"vault_keys": json.loads(own["vault_keys"])} if "vault_keys" in own else {})


@pytest.mark.parametrize("name", NOT_EMBEDDED)
def test_what_cannot_be_obeyed_is_refused_in_a_line(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"JIESU_{name}", "anything")
    with pytest.raises(ConfigError, match=f"^JIESU_{name}: .*unset it") as refused:
        given_embedded()
    assert "\n" not in str(refused.value)


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose hands through what is not set as empty."""
    for field in (*ASKED, "database_url", "config_dir", "token_keys", "suggest_model"):
        monkeypatch.setenv(f"JIESU_{field.upper()}", "")
    assert given_embedded() == {}
    assert part("feedback").settings(embedded=True).model_dump()["phone_system_url"] is None


@pytest.mark.parametrize("said", ["no port", "0", "-1", "65536", str(65_536 - len(NAMES) + 1)])
def test_a_first_port_leaves_room_for_the_others(said: str) -> None:
    assert first_port(str(65_536 - len(NAMES))) + len(NAMES) - 1 == 65_535
    with pytest.raises(ConfigError, match="JIESU_PORTS"):
        first_port(said)
