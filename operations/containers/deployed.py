"""What is there of a deployment, and whether ``.env`` is its own: asked before anything is written.

Data are sealed and databases locked with the secrets of ``.env``. New ones beside old data would
lock everybody out, and the containers made anew with them would drop the last copy of the old: so a
secret is made only where nothing is that needs the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from operations.broker import variable
from operations.containers.compose import ROOT, Project, run
from operations.runtime.registry import NAMES
from shared.errors import ConfigError, JiesuError
from shared.security.tokens import TokenVerifier

LABEL = "com.docker.compose"
ASKED = re.compile(r"\$\{(\w+)(?::[?-][^}]*)?\}")
SECRET = re.compile(r"\$\{(\w+):\?")  # has no default; the other variables are settings
# What data depend on. The broker's passwords and our own token can be made again.
KEPT = (
    "POSTGRES_PASSWORD", "CONSOLE_DATABASE_PASSWORD", "WEBHOOK_SECRET", "VAULT_KEYS", "VAULT_CURRENT",
)  # fmt: skip
OWN = ("DATABASE_PASSWORD", "INDEX_KEY")  # of each service, after its name
RECOVER = "make recover"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A project's containers, their environments by service, the folder it was started from, its
    volumes.
    """

    project: str
    environments: Mapping[str, Mapping[str, str]]
    folder: str = ""
    volumes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.environments or self.volumes)

    def secrets(self) -> dict[str, str]:
        """What its containers were given, by the names of ``.env``."""
        return dict(_given(self.environments))


def look(project: str) -> Deployed:
    """Ask Docker. Raises ComposeTrouble when it does not answer."""
    mine = f"label={LABEL}.project={project}"
    volumes = run("volume", "ls", "--quiet", "--filter", mine).split()
    ids = run("ps", "--all", "--quiet", "--filter", mine).split()
    environments, folder = dict[str, dict[str, str]](), ""
    for container in orjson.loads(run("inspect", *ids)) if ids else ():
        labels, lines = container["Config"]["Labels"], container["Config"]["Env"] or ()
        folder = labels.get(f"{LABEL}.project.working_dir", folder)
        given = dict(line.split("=", 1) for line in lines if "=" in line)
        environments.setdefault(labels.get(f"{LABEL}.service", ""), {}).update(given)
    return Deployed(project, environments, folder, tuple(volumes))


def _given(environments: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Each variable of ``.env`` out of what docker-compose.yml makes of it in a container."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for service, given in environments.items():
        for key, template in services.get(service, {}).get("environment", {}).items():
            asked = ASKED.findall(str(template or ""))
            if asked and key in given and (found := _pattern(template).fullmatch(given[key])):
                secret = SECRET.findall(template)
                pairs = zip(asked, found.groups(), strict=True)
                yield from ((name, value) for name, value in pairs if name in secret)


def _pattern(template: str) -> re.Pattern[str]:
    parts = ASKED.split(template)[::2]
    return re.compile("(.*)".join(map(re.escape, parts)), re.DOTALL)


# --- whether .env is its own ---------------------------------------------------------------------


def check(known: Mapping[str, str], deployed: Deployed) -> None:
    """Raises ConfigError where secrets are missing, or are another's, and data need the old ones."""
    if not deployed:
        return
    if missing := _missing(known, deployed):
        raise ConfigError(
            f".env 缺少 lacks {', '.join(missing)}，{_there(deployed)}{_whence(deployed)}"
        )
    if another := _another(known, deployed.secrets()):
        raise ConfigError(f".env {another}，{_there(deployed)}{_whence(deployed)}")


def _missing(known: Mapping[str, str], deployed: Deployed) -> list[str]:
    """A service of which nothing is known and no container is there is a new one."""
    kept = list(KEPT)
    for name in NAMES:
        names = [f"{name.upper()}_{word}" for word in OWN]
        if name in deployed.environments or any(word in known for word in names):
            kept += names
    if not any(name in known for name in kept):
        return ["POSTGRES_PASSWORD", "VAULT_KEYS", "…"]
    return [name for name in kept if name not in known]


def _another(known: Mapping[str, str], given: Mapping[str, str]) -> str:
    """How the secrets differ from those the containers run with; empty where keys were changed
    as docs/operations/keys.md says.
    """
    try:
        ours, theirs = (orjson.loads(each.get("VAULT_KEYS", "{}")) for each in (known, given))
    except orjson.JSONDecodeError:
        return "VAULT_KEYS 不是 JSON is not JSON"
    if changed := [name for name, key in theirs.items() if ours.get(name, key) != key]:
        return f"VAULT_KEYS 的 {changed[0]!r} 与容器中的不同 is not the key the containers have"
    if theirs and not ours.keys() & theirs.keys():
        return "没有容器在用的保险库密钥 has no key of the vault that the containers use"
    passwords = [
        name for name in given if name.endswith(("DATABASE_PASSWORD", "POSTGRES_PASSWORD"))
    ]
    if passwords and not any(given[name] == known.get(name) for name in passwords):
        return "的数据库密码全部与容器中的不同 has no database password of the containers"
    return ""


def _there(deployed: Deployed) -> str:
    things = (
        f"{len(deployed.environments)} 个容器 containers, {len(deployed.volumes)} 个数据卷 volumes"
    )
    has = f"而项目 while the project {deployed.project} 已有 has {things}"
    return f"{has}：什么都没有改动 nothing was changed. "


def _whence(deployed: Deployed) -> str:
    if deployed.folder and deployed.folder != str(ROOT):
        return (
            f"它是从另一目录启动的 it was started from {deployed.folder}: 若那是另一套系统，另起项目名 "
            "if that is another system, give this one a name: echo COMPOSE_PROJECT_NAME=jiesu2 >> .env"
        )
    if deployed.environments:
        return f"旧密钥还在容器里 the old ones are still in the containers: {RECOVER}"
    return (
        "旧密钥只在你另存的 .env 里 the old ones are only in the copy of .env you keep "
        "(docs/operations/lost-secrets.md)"
    )


def check_beside(known: Mapping[str, str], project: Project) -> None:
    """The keys and users that lie beside ``.env`` are its own. Raises ConfigError: without the public
    keys every token is void, and a unit whose password is made again is cut off.
    """
    try:
        TokenVerifier(project.public).admit(known["SERVICE_TOKEN"])
    except (KeyError, JiesuError):
        raise ConfigError(
            f"{project.public}: 公钥缺失或属于另一套系统，什么都没有改动；请从另存的 var/compose 抄回 the "
            "public keys are missing or another system's, nothing was changed: copy them from the "
            "var/compose you keep (docs/operations/lost-secrets.md)"
        ) from None
    units = [user for user in _users(project.home / "broker.json") if user.startswith("unit.")]
    if lost := [variable(unit) for unit in units if variable(unit) not in known]:
        raise ConfigError(
            f".env 缺少 lacks {', '.join(lost)}，新密码会切断该单位，什么都没有改动；从另存的 .env 抄回，"
            f"或写空行 {lost[0]}= 另发新密码 a new one would cut the unit off, nothing was changed: "
            f"copy it from the .env you keep, or write the line {lost[0]}= and hand over a new one"
        )


def _users(file: Path) -> list[str]:
    """Whom the broker was last told of."""
    try:
        return [user["name"] for user in orjson.loads(file.read_bytes())["users"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


# --- copied back -----------------------------------------------------------------------------------


def recovered(known: Mapping[str, str], deployed: Deployed) -> dict[str, str]:
    """What ``.env`` lacks and the containers have. Raises ConfigError where they have nothing, or
    ``.env`` is another's.
    """
    given = deployed.secrets()
    if not given:
        raise ConfigError(
            f"项目 the project {deployed.project} 没有可抄回密钥的容器 has no container to copy secrets from"
        )
    if known and (another := _another({**given, **known}, given)):
        raise ConfigError(f".env {another}：先把它移开 move it away first")
    return {name: value for name, value in given.items() if name not in known}
