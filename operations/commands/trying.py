"""``python -m services call-test URL``: try a phone system with a signed request to call, now."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated, Any

import typer

from operations.runtime import embedded, postgres
from shared.errors import ConfigError


def call_test(
    url: Annotated[str, typer.Argument(help="where the phone system takes requests to call")],
) -> None:
    """Send a signed test call now; exit code 0 when it counts as taken, 1 when not."""
    from operations import trial_call  # imports feedback: no other command pays for it

    config = trial_call.settings_for(url, default_secrets()).load()
    tried = asyncio.run(trial_call.attempt(config))
    typer.echo(f"{url}: {tried.said}, {tried.seconds:.2f} s")
    typer.echo("已接收 taken" if tried.taken else "未接收 not taken")
    if tried.cure:
        typer.echo(f"处置 do: {tried.cure}")
    raise typer.Exit(0 if tried.taken else 1)


def default_secrets() -> dict[str, Any]:
    """The secret feedback signs with: the environment's, or the embedded system's. Raises ConfigError."""
    if os.environ.get("JIESU_WEBHOOK_SECRET"):
        return {}
    folder = postgres.default_home() / "keys"
    if not (folder / "secrets.json").exists():
        raise ConfigError(
            "没有密钥：设置 JIESU_WEBHOOK_SECRET，或先 make run 一次 "
            "no secret: set JIESU_WEBHOOK_SECRET, or let `make run` make one"
        )
    secret = embedded.secrets_of(folder)["webhook_secret"]
    return {"webhook_secret": secret, "allow_private_webhooks": True}
