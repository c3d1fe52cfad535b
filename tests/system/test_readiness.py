"""Ready or not, and the metrics, while the database is away, frozen, full in use or only read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from shared.service import Service
from shared.storage.pulse import BEAT
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.fire.proxy import Proxy, Target
from tests.fixtures.patience import WITHIN
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.intake import registered

NOBODY = "postgresql+asyncpg://nobody@127.0.0.1:1/jiesu"


def ready(service: Service) -> None:
    """A bench runs no loops; all else about it is as when it serves."""
    service.ready = True


def gauge(metrics: str, name: str) -> str:
    """The value of a gauge without labels."""
    [value] = [row.split()[1] for row in metrics.splitlines() if row.startswith(f"{name} ")]
    return value


async def test_all_is_well(intake: Bench) -> None:
    ready(intake.service)
    assert (await intake.http(None).get("/readyz")).status_code == 200
    assert (await intake.http(None).get("/readyz")).status_code == 200  # the table stands already
    await registered(intake)
    metrics = (await intake.http("ops").get("/metrics")).text
    for name, value in (
        ("jiesu_database_up", "1.0"),
        ("jiesu_broker_up", "1.0"),
        ("jiesu_outbox_unsent", "1.0"),
    ):
        assert gauge(metrics, name) == value
    assert 'jiesu_stuck{question="unsent"} 0.0' in metrics


async def test_a_pool_in_full_use_is_no_database_that_is_away(intake: Bench) -> None:
    ready(intake.service)
    engine = intake.service.store.engine
    held = [await engine.connect() for _ in range(intake.service.settings.pool_size)]
    try:
        assert (await intake.http(None).get("/readyz")).status_code == 200
        metrics = (await intake.http("ops").get("/metrics")).text
    finally:
        for connection in held:
            await connection.close()
    assert gauge(metrics, "jiesu_database_up") == "1.0"
    assert gauge(metrics, "jiesu_outbox_unsent") == "NaN"


async def test_a_database_that_is_only_read_is_not_ready(intake: Bench, postgres: Postgres) -> None:
    ready(intake.service)
    name = make_url(intake.service.settings.database_url).database
    await intake.do(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    answer = await intake.http(None).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("25006 数据库只读")


async def test_a_role_without_temporary_tables_is_ready(
    postgres: Postgres, template: Template, keys: Path
) -> None:
    async with postgres.fresh_database(await template("intake")) as url:
        async with bench("intake", url, keys) as owner:
            name = make_url(url).database
            await owner.do(
                f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC',
                "CREATE ROLE doors_poor LOGIN PASSWORD 'poor-7'",
            )
        poor = (
            make_url(url)
            .set(username="doors_poor", password="poor-7")
            .render_as_string(hide_password=False)
        )
        try:
            async with bench("intake", poor, keys) as one:
                ready(one.service)
                answer = await one.http(None).get("/readyz")
                assert answer.status_code == 200, answer.text
        finally:
            async with bench("intake", url, keys) as owner:
                await owner.do("DROP ROLE doors_poor")


async def test_a_refused_password_is_named_and_shown_to_nobody(
    postgres: Postgres, template: Template, keys: Path
) -> None:
    async with postgres.fresh_database(await template("intake")) as url:
        role = make_url(url).set(username="doors_nobody", password="wrong-7")
        async with bench("intake", role.render_as_string(hide_password=False), keys) as one:
            ready(one.service)
            answer = await one.http(None).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith(("28P01 数据库口令不对", "28000 数据库角色不存在"))
    assert "wrong-7" not in answer.text
    assert "doors_nobody" not in answer.text


async def test_a_database_that_is_away_is_named_and_the_metrics_answer(keys: Path) -> None:
    async with bench("intake", NOBODY, keys) as one:
        ready(one.service)
        answer = await one.http(None).get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("数据库未运行或地址、端口不对")
        metrics = await one.http("ops").get("/metrics")
        assert metrics.status_code == 200
        assert gauge(metrics.text, "jiesu_database_up") == "0.0"
        assert gauge(metrics.text, "jiesu_retry_dead") == "NaN"


@pytest.fixture
async def behind(
    postgres: Postgres, template: Template, keys: Path
) -> AsyncIterator[tuple[Bench, Proxy]]:
    """Intake, whose database can be frozen."""
    async with postgres.fresh_database(await template("intake")) as url:
        proxy, through = before(url)
        async with proxy.listening(), bench("intake", through, keys) as one:
            ready(one.service)
            yield one, proxy


def before(url: str) -> tuple[Proxy, str]:
    """A proxy before a database, on a socket or a port, and the address through it."""
    address = make_url(url)
    folder = address.query.get("host")
    target: Target = (
        Path(str(folder)) / ".s.PGSQL.5432"
        if folder
        else (address.host or "", address.port or 5432)
    )
    [port] = free_ports(1)
    through = address.difference_update_query(["host"]).set(host="127.0.0.1", port=port)
    return Proxy(target, port), through.render_as_string(hide_password=False)


async def test_a_frozen_database_holds_nobody_up(behind: tuple[Bench, Proxy]) -> None:
    """Many ask, all are answered, and no more than one look hangs."""
    one, proxy = behind
    assert (await one.http(None).get("/readyz")).status_code == 200
    proxy.freeze()
    async with asyncio.timeout(WITHIN):
        answers = await asyncio.gather(*(one.http(None).get("/readyz") for _ in range(10)))
        metrics = await one.http("ops").get("/metrics")
    assert {answer.status_code for answer in answers} == {503}
    assert answers[0].json()["detail"].startswith("数据库无响应")
    assert gauge(metrics.text, "jiesu_database_up") == "0.0"
    hanging = [task for task in asyncio.all_tasks() if "Attempt._run" in repr(task.get_coro())]
    assert len(hanging) <= 3  # of the pulse, of the work, of the morning page
    proxy.resume()
    async with asyncio.timeout(WITHIN):
        while (await one.http(None).get("/readyz")).status_code != 200:
            pass


async def test_the_look_writes_and_leaves_nothing(intake: Bench) -> None:
    ready(intake.service)
    await intake.http(None).get("/readyz")
    assert "INSERT" in str(BEAT)
    pool = intake.service.pulse._engine.pool
    assert pool.status().split("Current Checked out connections: ")[1].startswith("0")
