"""Docker Compose as our commands call it: the deployment, or a trial's project of its own.

A trial has volumes, networks and ports of its own, and the secrets of ``.env``.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from operations.runtime.registry import NAMES
from shared.security.tokens import issue

ROOT = Path(__file__).resolve().parents[2]
SIGNING = ROOT / "var/compose/signing"
ENVIRONMENT = ROOT / ".env"
NAME = "COMPOSE_PROJECT_NAME"  # Compose's own; two systems on one machine need two names
HOST = "127.0.0.1"
REPLICAS = 10  # as many ports are published for each service
SERVERS = ("rabbitmq", "postgres")


class ComposeTrouble(Exception):
    """A command of Docker's failed; the message is the end of what it said."""


def run(*words: str, given: IO[bytes] | None = None, into: IO[bytes] | None = None) -> str:
    """Run a command of Docker's; answers what it said. Raises ComposeTrouble."""
    return _run(words, {}, given, into)


def build() -> None:
    """Build the image every service runs. Raises ComposeTrouble."""
    run("build", "--tag", "jiesu", ".")


def _run(
    words: Sequence[str],
    environment: Mapping[str, str],
    given: IO[bytes] | None,
    into: IO[bytes] | None,
) -> str:
    done = subprocess.run(
        ["docker", *words],
        stdin=given or subprocess.DEVNULL,
        stdout=into or subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise ComposeTrouble(f"docker {' '.join(words[:6])} …: {' / '.join(last)}")
    return (done.stdout or b"").decode()


@dataclass(frozen=True, slots=True)
class Project:
    """One Compose project. ``ports``: the first published port of each service.

    ``files``: none are those Compose finds by itself, an operator's docker-compose.override.yml too.
    """

    name: str
    ports: Mapping[str, int]
    files: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def compose(
        self, *words: str, given: IO[bytes] | None = None, into: IO[bytes] | None = None
    ) -> str:
        """Run ``docker compose …`` on this project; answers what it said. Raises ComposeTrouble."""
        files = [word for file in self.files for word in ("--file", file)]
        every = ("--profile", "*") if words[0] in ("down", "ps") else ()
        command = ("compose", "--project-name", self.name, *files, *every, *words)
        return _run(command, self.environment, given, into)

    def up(self, *words: str) -> None:
        """Start it and wait until everything is healthy."""
        self.compose("up", "--detach", "--wait", *words)

    def down(self, *words: str) -> None:
        """Stop it; its volumes stay unless ``--volumes`` is asked for."""
        self.compose("down", *words)

    def containers(self, service: str) -> list[str]:
        """The containers of one service that are there, running or not, by id."""
        return self.compose("ps", "--all", "--quiet", service).split()

    @property
    def addresses(self) -> dict[str, list[str]]:
        """Where each service may be found: its replicas lie somewhere in a range of ports."""
        return {
            name: [f"{HOST}:{first + n}" for n in range(REPLICAS)]
            for name, first in self.ports.items()
            if name in NAMES
        }

    def token(self, role: str, unit: str | None) -> str:
        """A day's token, signed with the key of ``.env``'s deployment."""
        return issue(SIGNING, role, unit or "trial", unit, days=1)


def ports(published: int) -> dict[str, int]:
    """The first published port of each service: 8010, 8020 and so on, where 80 is ``published``."""
    return {name: published * 100 + 10 * at for at, name in enumerate(NAMES, 1)}


def deployment() -> Project:
    """What ``make up`` starts: ``jiesu``, or as the environment or ``.env`` names it."""
    name = os.environ.get(NAME) or variables(ENVIRONMENT).get(NAME) or "jiesu"
    return Project(name, ports(80) | {"rabbitmq": 5672})


def trial(name: str, **environment: str) -> Project:
    """A project of a trial's own."""
    published = {"PUBLISHED": "180", "BROKER_PORT": "18001", "BROKER_API_PORT": "18002"}
    files = ("docker-compose.yml", "operations/containers/trial.yml")
    return Project(
        f"jiesu-{name}", ports(180) | {"rabbitmq": 18001}, files, published | environment
    )


@contextmanager
def started(project: Project, *words: str) -> Iterator[Project]:
    """A trial's project from nothing, healthy; taken down at the end with all it holds."""
    project.down("--volumes")
    try:
        build()
        project.up(*words)
        yield project
    finally:
        project.down("--volumes")


def variables(file: Path) -> dict[str, str]:
    """What a file of ``NAME=value`` lines says; nothing where there is none."""
    lines = file.read_text().splitlines() if file.exists() else []
    named = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in named}


def written(name: str) -> str:
    """A secret of the deployment, as it stands in ``.env``."""
    return variables(ENVIRONMENT)[name]
