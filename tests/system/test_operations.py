"""What operators type, as processes of their own on given databases and a real broker."""

from __future__ import annotations

import asyncio
import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from examples.verify_proof import fault
from operations.runtime.registry import NAMES
from operations.stuck import unread
from shared import clock
from shared.messaging.connect import connect
from shared.messaging.outbox import Relay
from shared.security.tokens import issue, make_key
from shared.settings import DEVELOPMENT_KEY
from tests.fixtures.bench import Bench, bench
from tests.fixtures.commands import command
from tests.fixtures.fences import fences
from tests.fixtures.patience import WITHIN
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker
from tests.fixtures.scenes.intake import registered

Template = Callable[[str], Awaitable[str]]
KEY = b64encode(b"\x07" * 32).decode()


@pytest.fixture
async def databases(postgres: Postgres, template: Template) -> AsyncIterator[str]:
    """Four databases, as one address with ``{service}`` in it."""
    prefix = f"operations_{secrets.token_hex(4)}"
    for name in NAMES:
        await postgres.create(f"{prefix}_{name}", await template(name))
    yield postgres.url(prefix).replace(prefix, f"{prefix}_{{service}}")
    for name in NAMES:
        await postgres.drop(f"{prefix}_{name}")


@pytest.fixture
async def intake(databases: str, keys: Path) -> AsyncIterator[Bench]:
    """Intake on its database of the four."""
    vault = {"vault_keys": {"dev": DEVELOPMENT_KEY}}
    async with bench("intake", databases.replace("{service}", "intake"), keys, **vault) as one:
        yield one


async def test_the_clocks_are_replayed_without_a_secret(databases: str, intake: Bench) -> None:
    words = ("tracker", "replay")
    one = await command(*words, JIESU_DATABASE_URL=databases.replace("{service}", "tracker"))
    assert one.code == 2
    assert "it must hold {service}" in one.err
    none = await command(*words, JIESU_DATABASE_URL=databases)
    assert (none.code, none.out.split(" ")[0]) == (0, "0")
    number = (await registered(intake))["number"]
    async with intake.service.store.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET recorded = recorded - interval '1 h'")
    lost = await command(*words, JIESU_DATABASE_URL=databases)
    assert lost.code == 1
    assert f"{number}  ticket.registered" in lost.out
    assert "not sent" in lost.out


async def test_the_morning_page_needs_no_secret_and_says_what_it_found(
    databases: str, intake: Bench
) -> None:
    page = await command("stuck", JIESU_DATABASE_URL=databases)
    assert (page.code, page.err) == (0, "")
    assert "Nothing is stuck" in page.out
    number = (await registered(intake))["number"]
    await Relay(intake.service.store, intake.service.bus).run_once()  # and nobody hears it
    async with intake.service.store.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE outbox SET recorded = recorded - interval '1 h'")
    page = await command("stuck", "--json", JIESU_DATABASE_URL=databases)
    found = json.loads(page.out)["stuck"]
    assert page.code == 1
    assert {(one["service"], one["slug"]) for one in found} == {
        (name, "unheard") for name in ("dispatcher", "tracker", "feedback")
    }
    assert {one["oldest"][0]["subject"] for one in found} == {number}
    page = await command("stuck", "--at", "2026-03-02 10:00:00", JIESU_DATABASE_URL=databases)
    assert page.out.startswith("晨检 Stuck, 2026-03-02 10:00\n\n[dispatcher] 说了而未听到的事实")


async def test_a_proof_pack_is_made_by_who_may_and_verified_by_anybody(
    databases: str, intake: Bench, keys: Path, tmp_path: Path
) -> None:
    number, out = (await registered(intake))["number"], tmp_path / "packs"
    words = ("proof", number, "--out", str(out), "--no-pdf", "--keys", str(tmp_path), "--reason")
    where = {"JIESU_DATABASE_URL": databases, "JIESU_TOKEN_KEYS": str(keys)}
    mine = where | {"JIESU_TOKEN": issue(keys, "supervisor", "陈", days=1)}
    for environment, reason, why in (
        (mine, "法院调取", "holds no private key"),
        (where, "法院调取", "JIESU_TOKEN or --token-file"),
        (where | {"JIESU_TOKEN": issue(keys, "desk", "x", days=1)}, "法院调取", "no token of"),
        (mine, "-", "say why in words"),
        (
            mine | {"JIESU_DATABASE_URL": databases.format(service="intake")},
            "法院调取",
            "{service}",
        ),
    ):
        refused = await command(*words, reason, **environment)
        assert (refused.code, refused.out) == (2, "")
        assert why in refused.err
        if why == "holds no private key":
            make_key(tmp_path, "2026a")
    assert await intake.rows("SELECT id FROM contact_read") == []
    none = await command(
        *words[:4], "--fonts", str(out), "--keys", str(tmp_path), "--reason", "x", **mine
    )
    assert (none.code, "no Chinese font" in none.err, list(out.iterdir())) == (2, True, [])
    done = await command(*words, "法院调取", **mine)
    assert (done.code, done.err) == (0, "")
    [path] = out.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert fault(path.read_bytes(), done.out.split()[-1]) == ""
    missing = await command(words[0], "20260302-999999", *words[2:], "法院调取", **mine)
    assert (missing.code, "no ticket 20260302-999999" in missing.err) == (2, True)


async def test_dead_facts_are_listed_and_replayed_without_a_secret(databases: str) -> None:
    page = await command("dead", JIESU_DATABASE_URL=databases)
    assert (page.code, page.err) == (0, "")
    assert page.out.startswith("没有失败的事实 No fact has failed for good: ")
    page = await command("replay", JIESU_DATABASE_URL=databases)
    assert (page.code, page.err) == (0, "")
    assert page.out.splitlines() == [f"{name}: 0 条将再试 to be tried again" for name in NAMES]


async def test_a_setting_that_is_no_json_is_named_and_not_shown() -> None:
    refused = await command("intake", JIESU_VAULT_KEYS="{my key")
    assert (refused.code, refused.out) == (2, "")
    assert "vault_keys" in refused.err
    assert "my key" not in refused.err


async def test_a_unit_that_does_not_exist_gets_no_token(keys: Path) -> None:
    words = ("token", "--keys", str(keys), "--role", "unit", "--unit")
    assert (await command(*words, "GSGS")).code == 0
    for code, nearest in (("GSG", "GSGS"), ("供水", "GSGS"), ("gsgs", "GSGS")):
        refused = await command(*words, code)
        assert (refused.code, refused.out) == (2, "")
        assert f"the nearest is {nearest} " in refused.err
        assert len(refused.err.splitlines()) == 1


async def test_a_vault_is_opened_with_its_secrets_only(databases: str, intake: Bench) -> None:
    number = (await registered(intake))["number"]
    words = ("erase", number, "--reason", "本人申请", "--by", "li")
    given = {"JIESU_DATABASE_URL": databases, "JIESU_INDEX_KEY": KEY}
    refused = await command(*words, **given)
    assert refused.code == 2
    assert "VAULT_KEYS" in refused.err
    given |= {"JIESU_VAULT_KEYS": json.dumps({"new": KEY}), "JIESU_VAULT_CURRENT": "new"}
    refused = await command(*words, **given)
    assert (refused.code, refused.err.strip()) == (
        2,
        "工单尚未办结 The ticket is still open; its identity is needed",
    )
    sealed = await command("reseal", **given)
    assert sealed.code == 1
    assert "1 条无法打开，密钥 cannot be opened, key 'dev'" in sealed.out
    assert (await command(*words, "--force", **given)).code == 0
    assert await intake.rows("SELECT * FROM vault") == []
    assert (await command("retain", "--older-than", "1d", **given)).out.startswith("0 ")


async def test_what_a_broker_lost_is_said_again(
    databases: str, intake: Bench, rabbitmq: Broker
) -> None:
    numbers = [(await registered(intake))["number"] for _ in range(3)]
    await Relay(intake.service.store, intake.service.bus).run_once()
    queue, bus = f"svc.0{secrets.token_hex(4)}", connect(rabbitmq.url)
    await bus.declare({queue: ["ticket.registered"]})
    given = {
        "JIESU_DATABASE_URL": databases,
        "JIESU_BUS_URL": rabbitmq.url,
        "JIESU_INDEX_KEY": KEY,
        "JIESU_VAULT_KEYS": json.dumps({"new": KEY}),
        "JIESU_VAULT_CURRENT": "new",
    }
    again = await command("resend", "intake", "--ticket", numbers[1], **given)
    assert (again.code, again.out) == (0, "intake: 1 条已重发 sent again\n")
    assert await bus.waiting(queue) == 1
    again = await command("resend", "intake", "--since", "2000-01-01T00:00+08:00", **given)
    assert again.out == "intake: 3 条已重发 sent again\n"
    assert await bus.waiting(queue) == 4
    await bus.close()
    assert await is_seen_unread(f"{rabbitmq.api}/{rabbitmq.url.rsplit('/', 1)[1]}", queue)
    for words in (
        ("intake",),
        ("intake", "--ticket", "1", "--since", "2000-01-01T00:00+08:00"),
        ("console", "--ticket", "1"),
    ):
        assert (await command("resend", *words, **given)).code == 2


async def test_all_services_say_again_behind_the_brokers_fences(
    databases: str, intake: Bench, rabbitmq: Broker
) -> None:
    """Each under its own name, for nobody else may say its facts; or all as who administers."""
    await registered(intake)
    await Relay(intake.service.store, intake.service.bus).run_once()
    with fences(rabbitmq) as fenced:
        given = {
            "JIESU_DATABASE_URL": databases,
            "JIESU_INDEX_KEY": KEY,
            "JIESU_VAULT_KEYS": json.dumps({"new": KEY}),
            "JIESU_VAULT_CURRENT": "new",
            "JIESU_WEBHOOK_SECRET": KEY,
        }
        for url in (fenced.pattern, fenced.url("admin")):
            words = ("resend", "--since", "2000-01-01T00:00+08:00")
            again = await command(*words, JIESU_BUS_URL=url, **given)
            assert (again.code, again.err) == (0, "")
            assert again.out.splitlines() == [
                f"{name}: {int(name == 'intake')} 条已重发 sent again" for name in NAMES
            ]


async def test_the_broker_is_laid_out_by_who_may(databases: str, rabbitmq: Broker) -> None:
    """``{service}`` in the broker's address becomes migrate: no service may make others' queues."""
    with fences(rabbitmq) as fenced:
        given = {
            "JIESU_DATABASE_URL": databases,
            "JIESU_BUS_URL": fenced.pattern,
            "JIESU_INDEX_KEY": KEY,
            "JIESU_VAULT_KEYS": json.dumps({"new": KEY}),
            "JIESU_VAULT_CURRENT": "new",
            "JIESU_WEBHOOK_SECRET": KEY,
        }
        done = await command("migrate", **given)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("broker: queues and bindings stand\n")


async def is_seen_unread(api: str, queue: str) -> bool:
    """Whether the page calls a queue unread; the broker counts messages every five seconds only."""
    async with asyncio.timeout(WITHIN):
        while queue not in (one.subject for group in await unread(api) for one in group.oldest):
            await clock.pause(0.5)
    return True


async def test_a_management_address_that_does_not_answer_is_on_the_page() -> None:
    [group] = await unread("http://guest:guest@127.0.0.1:9/jiesu")
    assert (group.slug, group.oldest[0].note) == ("away", "ConnectError")
