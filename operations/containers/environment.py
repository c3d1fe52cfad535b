"""``.env``: the secrets of this deployment, each made once and never changed here.

Made by ``make up``, which runs it again when a service is new: what is missing is added. Services
see public keys; the key that signs tokens stays in var/compose/signing:
``make token ARGS="--keys var/compose/signing --role supervisor"``.
"""

from __future__ import annotations

import base64
import secrets
import shutil
from pathlib import Path

from examples.demo import say
from operations.containers.compose import ROOT, SIGNING
from operations.runtime.registry import NAMES
from shared.security.tokens import issue, make_key

ENVIRONMENT = ROOT / ".env"
PUBLIC = SIGNING.with_name("keys")  # what containers see
FIRST_KEY = "0001"


def complete(file: Path, signing: Path, public: Path) -> list[str]:
    """Add to a private file of ``NAME=value`` lines what it has not; the names that were added."""
    lines = file.read_text().splitlines() if file.exists() else []
    known = {line.partition("=")[0] for line in lines}
    added = {name: secrets.token_hex(24) for name in _passwords() if name not in known}
    added |= {name: _key() for name in _keys() if name not in known}
    if not known & {"VAULT_CURRENT", "VAULT_KEYS"}:
        added |= {"VAULT_CURRENT": "first", "VAULT_KEYS": f'\'{{"first":"{_key()}"}}\''}
    if "SERVICE_TOKEN" not in known:
        added["SERVICE_TOKEN"] = _token(signing, public)
    whole = [*lines, *(f"{name}={value}" for name, value in added.items())]
    _replace(file, "".join(f"{line}\n" for line in whole))
    return list(added)


def _passwords() -> list[str]:
    users = ["ADMIN_BROKER", "MIGRATE_BROKER", "CONSOLE_DATABASE"]
    services = [f"{name.upper()}_{server}" for name in NAMES for server in ("DATABASE", "BROKER")]
    return ["POSTGRES_PASSWORD", *(f"{user}_PASSWORD" for user in (*users, *services))]


def _keys() -> list[str]:
    return ["WEBHOOK_SECRET", *(f"{name.upper()}_INDEX_KEY" for name in NAMES)]


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _token(signing: Path, public: Path) -> str:
    """Feedback's own: it opens contacts at intake. The first key is made for it, and its public half
    put where the user of the containers reads it; later ones are an operator's to put there.
    """
    signing.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (signing / f"{FIRST_KEY}.key.pem").exists():
        make_key(signing, FIRST_KEY)
    public.mkdir(parents=True, exist_ok=True)
    public.chmod(0o755)
    name = f"{FIRST_KEY}.pub.pem"
    Path(shutil.copyfile(signing / name, public / name)).chmod(0o644)
    return issue(signing, "service", "feedback", days=3650)


def _replace(file: Path, text: str) -> None:
    """Whole or not at all: half a file of secrets would be completed with others."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(file)


def main() -> None:
    """Complete the deployment's."""
    if added := complete(ENVIRONMENT, SIGNING, PUBLIC):
        say(
            f"已生成密钥 secrets written: {len(added)} 项，in .env and var/compose "
            "（请一并保存、保密 keep both, and keep them private）"
        )


if __name__ == "__main__":
    main()
