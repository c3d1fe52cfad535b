"""``.env``: the secrets of one installation, each made once and never changed here.

Made by the first ``make up``; what a new service needs is added. Services see public keys; the key
that signs tokens stays in ``var/compose/signing``:
``make token ARGS="--keys var/compose/signing --role supervisor"``.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from examples.demo import free_ports, say
from operations.containers.command import command
from operations.containers.compose import ADDRESS, HOST, ROOT, Project, deployment, read
from operations.containers.guard import guarded, required
from operations.runtime.registry import NAMES
from operations.runtime.server import check_ports
from services.intake.sealing import key_id
from shared.errors import ConfigError
from shared.security.tokens import issue, make_key

FIRST_KEY = "0001"
HEAD = "# 接诉密钥，请保密并另存一份 The secrets of Jiesu: keep them private, and keep a copy apart"


def complete(
    file: Path, signing: Path, public: Path, beside: Mapping[str, str] | None = None
) -> list[str]:
    """Add to a private file of ``NAME=value`` lines what it has not; the names that were added.

    ``beside``: what stands there besides secrets, unless the file says something else.
    """
    lines = file.read_text("utf-8").splitlines() if file.exists() else [HEAD]
    known = {line.partition("=")[0] for line in lines}
    added = {name: value for name, value in (beside or {}).items() if name not in known}
    added |= {name: secrets.token_hex(24) for name in _passwords() if name not in known}
    added |= {name: _key() for name in _keys() if name not in known}
    if not known & {"VAULT_CURRENT", "VAULT_KEYS"}:
        key = _key()
        id = key_id(base64.b64decode(key))
        added |= {"VAULT_CURRENT": id, "VAULT_KEYS": f'\'{{"{id}":"{key}"}}\''}
    if "SERVICE_TOKEN" not in known:
        added["SERVICE_TOKEN"] = _token(signing, public)
    if added:
        _replace(file, [*lines, *(f"{name}={value}" for name, value in added.items())])
    return list(added)


def record(file: Path, values: Mapping[str, str]) -> None:
    """Set lines of a private file that are no secrets, such as the image that runs."""
    lines = file.read_text("utf-8").splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in values]
    _replace(file, [*kept, *(f"{name}={value}" for name, value in values.items())])


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


def _replace(file: Path, lines: list[str]) -> None:
    """Whole or not at all: half a file of secrets would be completed with others."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    unfinished.replace(file)


# --- a project ready to be started -------------------------------------------------------------


def prepared(project: Project, *, first: bool = True) -> Project:
    """The project with all its secrets and the users of its broker, none of them overwritten.

    ``first``: it may be the first start, where secrets are made. Raises ConfigError.
    """
    lost = set(required(project.root)) - set(read(project.secrets))
    if not guarded(project) and not first and lost:
        raise ConfigError(
            f"{project.secrets}: 缺失或不全，请连同 var/compose 从备份放回 is missing or half: put it "
            f"back from your copy, with var/compose ({len(lost)}: {min(lost)} …)"
        )
    beside = {"COMPOSE_PROJECT_NAME": project.name}
    if "POSTGRES_PASSWORD" not in read(project.secrets):
        beside |= _free_address()
    if added := complete(project.secrets, project.signing, project.public, beside):
        say(
            f"已生成密钥 secrets written: {len(added)} 项，in {project.secrets} and {project.home} "
            "（请一并保存、保密 keep both, and keep them private）"
        )
    tell_broker_users(project)
    return project


def _free_address() -> dict[str, str]:
    """The usual address, or where somebody else has it another one."""
    try:
        check_ports([int(ADDRESS.rpartition(":")[2])])
    except ConfigError:
        return {"GATEWAY_ADDRESS": f"{HOST}:{free_ports(1)}"}
    return {}


def tell_broker_users(project: Project, tree: Path | None = None) -> None:
    """Write who may do what on the broker, from units.yaml and the code of a tree.

    In place, for a container sees the file it was given. Raises ConfigError.
    """
    command = ("broker-definitions", "--passwords", str(project.secrets.resolve()))
    done = subprocess.run(
        [sys.executable, "-m", "services", *command],
        cwd=tree or ROOT,
        env=os.environ | {"JIESU_CONFIG_DIR": str(project.config.resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(done.stderr.strip())
    file = project.home / "broker.json"
    if not file.exists() or file.read_text("utf-8") != done.stdout:
        file.write_text(done.stdout, "utf-8")
    file.chmod(0o644)  # the broker's own user reads it


def introduce(project: Project) -> None:
    """Give the running broker new units' users and queues, new facts' rights."""
    if project.containers("rabbitmq", running=True):
        definitions = ("rabbitmqctl", "import_definitions", "/etc/rabbitmq/jiesu.json")
        project.compose("exec", "-T", "--user", "rabbitmq", "rabbitmq", *definitions)


def main() -> int:
    """Tell the deployment's broker of new users and rights."""
    introduce(prepared(deployment(), first=False))
    return 0


if __name__ == "__main__":
    command(main)
