"""Running: one service in a process of its own, or everything embedded in this one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from operations.commands.databases import known
from operations.commands.morning import zone_of
from operations.runtime import embedded, postgres, runner
from operations.runtime.registry import NAMES, environment, part
from operations.runtime.tls import Tls
from shared import clock
from shared.errors import ConfigError
from shared.observability import configure_logs
from shared.security.tokens import ROLES
from shared.service import service_of

# What one service obeys and the embedded system cannot: it serves this machine, on its own data.
NOT_EMBEDDED = ("DATABASE_URL", "HOST", "PORT", "TLS_CERT", "TLS_KEY")


def run(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run the named service, or all of them embedded in this process."""
    if not names:
        raise typer.Exit(uvloop.run(_embedded()))
    if len(names) > 1:
        raise ConfigError("name one service per process, or none for all of them embedded")
    [name] = known(names)
    raise typer.Exit(runner.run_process(name))


def print_names() -> None:
    """The names of the services, one a line."""
    typer.echo("\n".join(NAMES))


# --- embedded ----------------------------------------------------------------------------------


async def _embedded() -> int:
    configure_logs(os.environ.get("JIESU_LOG_LEVEL") or "WARNING")
    Tls().trust()
    home = postgres.default_home()
    with postgres.start(home, durable=True) as server:
        async with as_asked(home, server) as system:
            typer.echo(welcome(system, home))
            code = await asyncio.shield(system.ended)
    typer.echo("已停止 Stopped.")
    return code


@asynccontextmanager
async def as_asked(home: Path, server: embedded.Databases) -> AsyncIterator[embedded.System]:
    """The embedded system as the environment asks for it. Raises ConfigError."""
    given = given_embedded()
    first = first_port(os.environ.get("JIESU_PORTS") or "8001")
    start = runner.stepped_from(part(NAMES[0]).settings(**{"embedded": True} | given))
    async with embedded.system(home, server, first, start, **given) as system:
        yield system


def given_embedded() -> dict[str, Any]:
    """What the environment says of any service's settings; it goes before what embedding brings.

    Raises ConfigError for what cannot be obeyed: nothing is ignored without a word.
    """
    for name in NOT_EMBEDDED:
        if os.environ.get(f"JIESU_{name}"):
            raise ConfigError(
                f"JIESU_{name}: 内嵌运行不支持，请取消 not in the embedded mode: unset it, "
                "or run one service: python -m services NAME"
            )
    return environment()


def first_port(text: str) -> int:
    """The first port of all services'. Raises ConfigError."""
    if not text.isdecimal() or not 0 < int(text) <= 65_536 - len(NAMES):
        raise ConfigError(
            f"JIESU_PORTS: {text!r} 不是端口 is no port that {len(NAMES) - 1} more follow"
        )
    return int(text)


def welcome(system: embedded.System, home: Path) -> str:
    """What whoever started it is told: addresses, where things lie, tokens, what to try."""
    tokens = {role: system.token(role) for role in ROLES if role not in ("unit", "service")}
    tokens["unit GSGS 供水"] = system.token("unit", "GSGS")
    return "\n".join(
        [
            "接诉 Jiesu 已启动 is running. Ctrl-C 停止 stops it.",
            *(f"  {name:<12}{url}   {url}/docs" for name, url in system.urls.items()),
            f"数据 Data: {home}    密钥 Keys: {system.keys}",
            *_stepped(system),
            "令牌 Tokens, good for a day:",
            *(f"  {role}:\n    {token}" for role, token in tokens.items()),
            "试一试 Try:",
            *_tries(system.urls, tokens),
        ]
    )


def _stepped(system: embedded.System) -> list[str]:
    if not clock.is_stepped():
        return []
    url, app = next(iter(system.urls.values())), next(iter(system.apps.values()))
    now = clock.now().astimezone(zone_of(service_of(app).settings.config_dir))
    return [
        f"时钟为步进时钟 The clock is stepped: {now.isoformat()}; "
        f"POST {url}/clock 推进 moves it (ops)"
    ]


def _tries(urls: dict[str, str], tokens: dict[str, str]) -> list[str]:
    body = (
        '{"type":"help","topic":"water.supply","title":"停水三天","content":"小区停水三天无人处理",'
        '"area":"610924100","channel":"phone","caller":{"name":"王小明","phone":"13909150000"}}'
    )
    intake, dispatcher = urls["intake"], urls["dispatcher"]
    return [
        f"  curl -s {intake}/v1/tickets -H 'Authorization: Bearer {tokens['phone_system']}' "
        f"-H 'Content-Type: application/json' -d '{body}'",
        f"  curl -s {dispatcher}/v1/unassigned -H 'Authorization: Bearer {tokens['desk']}'",
        f"  curl -s {dispatcher}/v1/units/GSGS/feed "
        f"-H 'Authorization: Bearer {tokens['unit GSGS 供水']}'",
    ]
