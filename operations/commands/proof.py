"""证据包 One ticket's proof pack: everything on record of it, chained, signed and printed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.commands.identities import Reason
from operations.commands.person import Mine, admitted, own_token
from operations.runtime.postgres import default_home
from operations.runtime.registry import NAMES
from shared import clock
from shared.errors import ConfigError

if TYPE_CHECKING:
    from operations.proof.pack import Said

KEYS = default_home() / "proof-keys"
MAKERS = ("supervisor",)  # who reads tickets, and handles none


def proof(
    number: Annotated[str, typer.Argument(help="the ticket's number")],
    out: Annotated[Path, typer.Option(help="folder for the pack")],
    reason: Reason,
    keys: Annotated[
        Path, typer.Option(envvar="JIESU_PROOF_KEYS", help="folder of the keys that sign packs")
    ] = KEYS,
    fonts: Annotated[
        Path | None,
        typer.Option(envvar="JIESU_PROOF_FONTS", help="folder of fonts; else the system's"),
    ] = None,
    pdf: Annotated[bool, typer.Option(help="print it, too")] = True,
    token_file: Mine = None,
) -> None:
    """Make the proof pack of a ticket; who made it and why stands in the read log before it is read."""
    from operations.proof import pack, printing  # typst: no other command pays for it

    key_id, key = newest_key(keys)
    font = printing.font_in(fonts) if pdf else None
    out.mkdir(parents=True, exist_ok=True)
    entries = pack.chained(asyncio.run(_gathered(number, reason, own_token(token_file))))
    page = None
    if font:
        [page] = printing.printed(entries, pack.public(key), key_id, font)
    made = pack.sealed(number, entries, page, key, key_id)
    path = out / f"{number}.proof.json"
    if page is not None:
        _replace(path.with_suffix(".pdf"), page)
    _replace(path, pack.written(pack.plain(made)))
    typer.echo(f"{path}  {len(entries)} 条 entries  {key_id} {made.seal.key}")


def newest_key(folder: Path) -> tuple[str, Ed25519PrivateKey]:
    """The id and the private half of the key that signs: the last by name. Raises ConfigError, OSError."""
    paths = sorted(folder.glob("*.key.pem"))
    if not paths:
        raise ConfigError(
            f"{folder} 没有私钥 holds no private key: `python -m services key NAME --keys {folder}` makes one"
        )
    path = paths[-1]
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path}: 不是可用的私钥 is no private key that signs")
    return path.name.removesuffix(".key.pem"), key


async def _gathered(number: str, reason: str, token: str) -> list[Said]:
    from operations.proof import gathering
    from services.intake.rules.rights import meaningful

    try:
        meaningful(reason)
    except ValueError as error:
        raise ConfigError(f"--reason: {error}") from None
    with settings_by_name(NAMES, **LOOKING) as settings:
        if len({its.database_url for its in settings.values()}) < len(NAMES):
            raise ConfigError(
                "JIESU_DATABASE_URL: 须含 {service}，证据包要读各服务的数据库 it must hold {service}: "
                f"the databases of {', '.join(NAMES)} are read"
            )
        first = settings[NAMES[0]]
        caller = admitted(token, first.token_keys, MAKERS)
        making = gathering.Making(number, caller, reason, clock.now(), first.release)
        async with opened(settings) as stores:
            return await gathering.gather(stores, making)


def _replace(path: Path, body: bytes) -> None:
    """The whole file or none; legible to its owner alone, for it holds a citizen's words."""
    new = path.with_name(f".{path.name}")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(body)
    new.replace(path)
