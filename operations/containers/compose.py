"""Docker Compose as our commands call it: the deployment, or a trial's project of its own.

A project has a name, a private file of secrets, and a folder of keys and broker users beside it. A
trial has its own of all three, and volumes, networks and an address of its own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from operations.runtime.registry import NAMES
from shared.security.tokens import issue

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
ADDRESS = f"{HOST}:8000"
SERVERS = ("rabbitmq", "postgres")
ENVIRONMENT = ROOT / ".env"
NAME = "COMPOSE_PROJECT_NAME"  # Compose's own; two systems on one machine need two names


class ComposeTrouble(Exception):
    """A command of Docker's failed; the message is the end of what it said."""


def run(*words: str, given: IO[bytes] | None = None, into: IO[bytes] | None = None) -> str:
    """Run a command of Docker's; answers what it said. Raises ComposeTrouble."""
    return _run(words, {}, given, into)


def _run(
    words: Sequence[str],
    environment: Mapping[str, str],
    given: IO[bytes] | None,
    into: IO[bytes] | None,
    root: Path = ROOT,
) -> str:
    done = subprocess.run(
        ["docker", *words],
        stdin=given or subprocess.DEVNULL,
        stdout=into or subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=root,
        env=os.environ | environment,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise ComposeTrouble(f"docker {' '.join(words[:6])} …: {' / '.join(last)}")
    return (done.stdout or b"").decode()


def log_of(container: str, lines: int = 40) -> list[str]:
    """The end of what a container said, on both of its streams."""
    done = subprocess.run(
        ["docker", "logs", f"--tail={lines}", container],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode(errors="replace").splitlines()


@dataclass(frozen=True, slots=True)
class Project:
    """One Compose project. ``secrets``: its private ``NAME=value`` file; ``home``: the folder of
    its keys and broker users; ``root``: the tree whose compose file describes it.

    ``files``: none are those Compose finds by itself, an operator's docker-compose.override.yml too.
    """

    name: str
    secrets: Path = ENVIRONMENT
    home: Path = ROOT / "var/compose"
    files: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path = ROOT

    def compose(
        self, *words: str, given: IO[bytes] | None = None, into: IO[bytes] | None = None
    ) -> str:
        """Run ``docker compose …`` on this project; answers what it said. Raises ComposeTrouble."""
        files = [word for file in self.files for word in ("--file", file)]
        secrets = ("--env-file", str(self.secrets)) if self.files else ()
        every = ("--profile", "*") if words[0] in ("down", "ps") else ()
        command = ("compose", "--project-name", self.name, *secrets, *files, *every, *words)
        return _run(command, self.environment, given, into, self.root)

    def on(self, image: str) -> Project:
        """The same project, its services on another image."""
        return self.given(JIESU_IMAGE=image)

    def given(self, **environment: str) -> Project:
        """The same project under other variables of the compose file."""
        return replace(self, environment={**self.environment, **environment})

    def up(self, *words: str) -> None:
        """Start it and wait until everything is healthy."""
        self.compose("up", "--detach", "--wait", *words)

    def down(self, *words: str) -> None:
        """Stop it; its volumes stay unless ``--volumes`` is asked for."""
        self.compose("down", *words)

    def containers(self, service: str, *, running: bool = False) -> list[str]:
        """The containers of one service, by id: all there are, or those that run."""
        which = ("--status", "running") if running else ("--all",)
        return self.compose("ps", *which, "--quiet", service).split()

    @property
    def settings(self) -> dict[str, str]:
        """What stands in its file, and what this process was told besides."""
        return {**variables(self.secrets), **self.environment}

    @property
    def address(self) -> str:
        """Where the gateway answers; the one address of the whole system."""
        said = self.settings.get("GATEWAY_ADDRESS") or ADDRESS
        host, _, port = said.rpartition(":")
        host = HOST if host in ("", "0.0.0.0", "[::]") else host
        scheme = "https" if self.settings.get("GATEWAY_CERTIFICATE") else "http"
        return f"{scheme}://{host}:{port}"

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers, behind the gateway."""
        return {name: f"{self.address}/{name}" for name in NAMES}

    @property
    def config(self) -> Path:
        """The county's folder on this machine."""
        return self.root / (self.settings.get("JIESU_CONFIG_DIR") or "config/ziyang")

    @property
    def signing(self) -> Path:
        """The folder of the private keys that sign tokens; no container sees it."""
        return self.home / "signing"

    @property
    def public(self) -> Path:
        """The folder of public keys, which containers see."""
        return self.home / "keys"

    def token(self, role: str, unit: str | None) -> str:
        """A day's token."""
        return issue(self.signing, role, unit or f"trial-{role}", unit, days=1)

    def secret(self, name: str) -> str:
        """A secret of this project. Raises KeyError."""
        return self.settings[name]


def variables(file: Path) -> dict[str, str]:
    """What a file of ``NAME=value`` lines says; nothing where there is none."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, value in named}


def deployment() -> Project:
    """What ``make up`` starts: ``jiesu``, or as the environment or ``.env`` names it."""
    return Project(os.environ.get(NAME) or variables(ENVIRONMENT).get(NAME) or "jiesu")
