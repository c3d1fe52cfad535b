"""Who acts at a shell: whom their own token names. A name that is only typed would let one person be two."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from shared.caller import Caller
from shared.errors import ConfigError
from shared.security.tokens import TokenVerifier

Mine = Annotated[
    Path | None,
    typer.Option("--token-file", help="your own token; else JIESU_TOKEN holds it"),
]


def own_token(token_file: Path | None) -> str:
    """The token of who acts. Raises ConfigError, OSError."""
    token = token_file.read_text("utf-8") if token_file else os.environ.get("JIESU_TOKEN", "")
    if not token.strip():
        raise ConfigError(
            "须以本人的令牌证明身份：JIESU_TOKEN 或 --token-file say who you are by your own token: "
            "JIESU_TOKEN or --token-file"
        )
    return token.strip()


def admitted(token: str, keys: Path, roles: Collection[str]) -> Caller:
    """Whom a token names, who must have one of these roles. Raises ConfigError, Unauthenticated."""
    caller = TokenVerifier(keys).admit(token)
    if caller.role not in roles:
        zh, en = " 或 ".join(roles), " or ".join(roles)
        raise ConfigError(f"须为 {zh} 的令牌 no token of {en}: {caller.role}")
    return caller
