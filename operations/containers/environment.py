"""``.env``: the secrets of this deployment, each made once and never changed here.

Every command on containers looks at it first: what is missing is made where nothing is that needs
the old one, and refused elsewhere (deployed.py). ``make recover`` copies it back from containers.
Services see public keys; the key that signs tokens stays in var/compose/signing:
``make token ARGS="--keys var/compose/signing --role supervisor"``.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from examples.demo import say
from operations.containers import deployed
from operations.containers.command import command
from operations.containers.compose import ROOT, Project, deployment, variables
from operations.runtime.registry import NAMES
from shared.errors import ConfigError
from shared.security.tokens import issue, make_key

FIRST_KEY = "0001"
# Who asks another service: feedback for a number to call, intake for who may read one.
TOKENS = {"SERVICE_TOKEN": "feedback", "INTAKE_SERVICE_TOKEN": "intake"}


def complete(file: Path, signing: Path, public: Path) -> list[str]:
    """Add to a private file of ``NAME=value`` lines what it has not; the names that were added."""
    known = variables(file).keys()
    added = {name: secrets.token_hex(24) for name in _passwords() if name not in known}
    added |= {name: _key() for name in _keys() if name not in known}
    if not known & {"VAULT_CURRENT", "VAULT_KEYS"}:
        added |= _vault(_key())
    for name, service in TOKENS.items():
        if name not in known:
            added[name] = _token(signing, public, service)
    add(file, added)
    return list(added)


def add(file: Path, added: Mapping[str, str]) -> None:
    """Add lines to the private file; what stands in it stays as it is."""
    lines = file.read_text().splitlines() if file.exists() else []
    whole = [*lines, *(f"{name}={_quoted(value)}" for name, value in added.items())]
    _replace(file, "".join(f"{line}\n" for line in whole))


def _vault(key: str) -> dict[str, str]:
    """A ring of one key. Its id is made of its bytes: two keys never share one by accident."""
    name = sha256(base64.b64decode(key)).hexdigest()[:8]
    return {"VAULT_CURRENT": name, "VAULT_KEYS": f'{{"{name}":"{key}"}}'}


def _quoted(value: str) -> str:
    """As the shell and Compose both read it: nothing in it is taken for theirs."""
    return (
        value
        if value.replace("+", "").replace("/", "").replace("=", "").isalnum()
        else f"'{value}'"
    )


def _passwords() -> list[str]:
    users = ["ADMIN_BROKER", "MIGRATE_BROKER", "CONSOLE_DATABASE"]
    services = [f"{name.upper()}_{server}" for name in NAMES for server in ("DATABASE", "BROKER")]
    return ["POSTGRES_PASSWORD", *(f"{user}_PASSWORD" for user in (*users, *services))]


def _keys() -> list[str]:
    return ["WEBHOOK_SECRET", *(f"{name.upper()}_INDEX_KEY" for name in NAMES)]


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _token(signing: Path, public: Path, service: str) -> str:
    """A service's own. The first key is made for it, and its public half put where the user of the
    containers reads it; later ones are an operator's to put there.
    """
    if list(public.glob("*.pub.pem")) and not list(signing.glob("*.key.pem")):
        raise ConfigError(
            f"{signing}: 签发密钥不见了 the keys that sign tokens are missing; 新的会使所有令牌作废 new ones "
            "would make every token void: 从另存的 var/compose 抄回 copy them from the var/compose you keep"
        )
    signing.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (signing / f"{FIRST_KEY}.key.pem").exists():
        make_key(signing, FIRST_KEY)
    public.mkdir(parents=True, exist_ok=True)
    public.chmod(0o755)
    name = f"{FIRST_KEY}.pub.pem"
    Path(shutil.copyfile(signing / name, public / name)).chmod(0o644)
    return issue(signing, "service", service, days=3650)


def _replace(file: Path, text: str) -> None:
    """Whole or not at all: half a file of secrets would be completed with others."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(file)


# --- a project ready to be started -------------------------------------------------------------


def prepared(project: Project, *, first: bool = True) -> Project:
    """The project with all its secrets and the users of its broker, none of them overwritten.

    ``first``: it may be the first start, where secrets are made. Raises ConfigError.
    """
    known, there = variables(project.secrets), deployed.look(project.name)
    deployed.check(known, there)
    if there:
        deployed.check_beside(known, project)
    elif not first and not known.keys() >= {*_passwords(), *_keys()}:
        raise ConfigError(
            f"{project.secrets}: 缺失或不全，请连同 {project.home} 从备份放回 is missing or half: put it "
            f"back from your copy, with {project.home}"
        )
    if added := complete(project.secrets, project.home / "signing", project.home / "keys"):
        say(
            f"已生成密钥 secrets written: {len(added)} 项，in {project.secrets} and {project.home} "
            "（请一并另存、保密 keep a copy of both apart, and keep it private）"
        )
    tell_broker_users(project)
    return project


def tell_broker_users(project: Project, tree: Path = ROOT) -> None:
    """Write who may do what on the broker, from units.yaml and the code of a tree.

    In place, for a container sees the file it was given. Raises ConfigError.
    """
    command = ("broker-definitions", "--passwords", str(project.secrets.resolve()))
    done = subprocess.run(
        [sys.executable, "-m", "services", *command],
        cwd=tree,
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


def record(file: Path, values: Mapping[str, str]) -> None:
    """Set lines of the private file that are no secrets, such as the image that runs."""
    lines = file.read_text("utf-8").splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in values]
    whole = [*kept, *(f"{name}={value}" for name, value in values.items())]
    _replace(file, "".join(f"{line}\n" for line in whole))


def main() -> int:
    """Tell the deployment's broker of new users and rights, or copy back what its containers have."""
    parser = argparse.ArgumentParser(prog="make broker", description=__doc__)
    parser.add_argument(
        "--recover", action="store_true", help="out of the containers that are there"
    )
    project = deployment()
    if parser.parse_args().recover:
        known = variables(project.secrets)
        found = deployed.recovered(known, deployed.look(project.name))
        add(project.secrets, found)
        say(f"已从容器抄回 copied back from the containers: {len(found)} 项 in {project.secrets}")
        return 0
    introduce(prepared(project, first=False))
    return 0


if __name__ == "__main__":
    command(main)
