"""``make upgrade``: replaces running containers by this version's, service by service, without a gap.

The configuration is checked in the new image, the schema is expanded, and of each service as many
new replicas are started as there are old ones; when they are well, the old ones leave the gateway
and stop with their time to finish. Both releases run side by side meanwhile. An old container is
removed only when every service has been replaced: until then a failure starts it again.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import (
    ROOT,
    ComposeTrouble,
    Project,
    deployment,
    log_of,
    run,
)
from operations.containers.environment import introduce, prepared, record, tell_broker_users
from operations.containers.image import build, check_config, is_mounted
from operations.runtime.registry import NAMES
from shared.errors import ConfigError

STATE = "{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{end}}"
GATEWAY = "operations/containers/gateway"
LOOKS, BETWEEN = 180, 1.0  # seconds
HASH = '{{index .Config.Labels "com.docker.compose.config-hash"}}'


def upgrade(project: Project, image: str, services: Sequence[str] = (), tree: Path = ROOT) -> None:
    """Bring a running project to an image: the named services, else those that differ.

    Raises ConfigError, ComposeTrouble; then everything runs as before.
    """
    check_config(project, image)
    new = _for(project, image)
    tell_broker_users(project, tree)
    introduce(new)
    renew_gateway(new)
    remove(new.containers("migrate"))  # a service starts it first, and it must be the new one
    replace_all(new, services or [name for name in NAMES if differs(new, name)])


def _for(project: Project, image: str) -> Project:
    """A project on an image; one with a county baked in reads that."""
    new = project.on(image)
    return new if is_mounted(image) else new.given(JIESU_CONFIG_AT="config/ziyang")


def renew_gateway(project: Project) -> None:
    """Start the gateway where there is none; one that runs takes up a changed file and cuts nobody off."""
    project.up("--no-deps", "gateway")
    files = sorted((project.root / GATEWAY).iterdir())
    digest = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    before = project.settings.get("GATEWAY_FILES", digest)
    if before != digest:
        project.compose("kill", "--signal", "USR2", "gateway")
    record(project.secrets, {"GATEWAY_FILES": digest})


def differs(project: Project, service: str) -> bool:
    """Whether containers run that are not what the compose file and the settings now ask for."""
    running = project.containers(service, running=True)
    wanted = project.compose("config", "--hash", service).split()[-1]
    return any(run("inspect", "--format", HASH, one).strip() != wanted for one in running)


def replace_all(project: Project, services: Iterable[str]) -> None:
    """Replace services in turn: all of them, or none. Raises ComposeTrouble."""
    rolling = Rolling(project)
    try:
        for service in services:
            rolling.roll(service)
    except ComposeTrouble as trouble:
        back = rolling.go_back()
        raise ComposeTrouble(f"{trouble}\n{back}") from None
    rolling.finish()


@dataclass(slots=True)
class Rolling:
    """Services on their way to new replicas, and what it takes to go back."""

    project: Project
    done: list[tuple[str, list[str], list[str]]] = field(default_factory=list)

    def roll(self, service: str) -> None:
        """New replicas first, then the old ones stop. Raises ComposeTrouble; then the new ones went."""
        project = self.project
        old = project.containers(service, running=True)
        remove(set(project.containers(service)) - set(old))  # what died counts as nobody's replica
        try:
            self._start(service, len(old) + max(1, len(old)))
            new = [one for one in project.containers(service) if one not in old]
            until_well(service, new)
        except ComposeTrouble:
            # Left there they would count as old ones, and the next try would start twice as many.
            remove(set(project.containers(service)) - set(old))
            raise
        self.done.append((service, old, new))
        for container in old:
            run("stop", container)
        say(f"  {service}: {len(old)} 个实例已更换 replicas replaced")

    def _start(self, service: str, count: int) -> None:
        """So many replicas in all. With what it depends on: without, some releases of Compose would
        call it another service, and replace it at the next ``up``.
        """
        words = ("up", "--detach", "--no-recreate", f"--scale={service}={count}", service)
        try:
            self.project.compose(*words)
        except ComposeTrouble as trouble:
            raise ComposeTrouble(ill(self.project, "migrate") or str(trouble)) from None

    def go_back(self) -> str:
        """Start again what was stopped, then take away what replaced it; says what was done."""
        for service, old, new in reversed(self.done):
            for container in old:
                run("start", container)
            until_well(service, old)
            remove(new)
        names = ", ".join(service for service, _, _ in self.done)
        if names:
            return f"已全部退回旧版本 all is back on the old release; again on it: {names}"
        return "未更换任何服务 nothing was replaced"

    def finish(self) -> None:
        """Nobody goes back any more."""
        for _, old, _ in self.done:
            for container in old:
                run("rm", container)


def until_well(service: str, containers: Sequence[str]) -> None:
    """Wait until containers are healthy. Raises ComposeTrouble with what the first that is not said."""
    for _ in range(LOOKS):
        states = {one: run("inspect", "--format", STATE, one).split() for one in containers}
        for one, (status, restarts, *health) in states.items():
            if status != "running" or int(restarts) or health == ["unhealthy"]:
                raise ComposeTrouble(f"{service}: {reason(one)}")
        if all(state[2:] in (["healthy"], []) for state in states.values()):
            return
        threading.Event().wait(BETWEEN)
    raise ComposeTrouble(f"{service}: {reason(containers[0])}")


def ill(project: Project, *services: str) -> str:
    """Which container is not well, in its own words; empty when none is. Of all services when none
    is named.
    """
    for container in project.compose("ps", "--all", "--quiet", *services).split():
        status, restarts, *health = run("inspect", "--format", STATE, container).split()
        code = run("inspect", "--format", "{{.State.ExitCode}}", container).strip()
        if (status == "exited" and code != "0") or int(restarts) or health == ["unhealthy"]:
            name = run("inspect", "--format", "{{.Name}}", container).strip().strip("/")
            return f"{name}: {reason(container)}"
    return ""


def reason(container: str) -> str:
    """Why a container is not well, from its own log: what it said last that was no record, each
    line once; else its last record.
    """
    lines = log_of(container)
    plain = list(dict.fromkeys(line for line in lines if line and not line.startswith("{")))
    said = plain[-12:] or lines[-1:]
    return "未能就绪 did not become well: " + "\n  ".join(said or ["（无日志 it said nothing）"])


def remove(containers: Iterable[str]) -> None:
    """Stop containers with their time to finish, and drop them."""
    for container in containers:
        run("stop", container)
        run("rm", container)


def image_now(project: Project) -> str:
    """The image the project runs: what its containers say, else what was recorded."""
    for name in NAMES:
        for container in project.containers(name, running=True):
            return run("inspect", "--format", "{{.Config.Image}}", container).strip()
    return project.settings.get("JIESU_IMAGE", "")


def remember(project: Project, image: str, before: str) -> None:
    """Write down which image runs, and which one ran before it."""
    values = {"JIESU_IMAGE": image}
    if before and before != image:
        values["JIESU_IMAGE_BEFORE"] = before
    record(project.secrets, values)


def main() -> int:
    """Upgrade the deployment, or take it back to the release before."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("services", nargs="*", help="all that differ when none is named")
    parser.add_argument("--image", default="", help="an image that is there; else it is built")
    parser.add_argument("--back", action="store_true", help="to the release before")
    asked = parser.parse_args()
    project = prepared(deployment(), first=False)
    image = project.settings.get("JIESU_IMAGE_BEFORE", "") if asked.back else asked.image
    if asked.back and not image:
        raise ConfigError("没有记录上一版本 no release before is on record: make upgrade IMAGE=…")
    before = image_now(project)
    image = image or build()
    upgrade(project, image, asked.services)
    remember(project, image, before)
    say(f"运行版本 running {image}，上一版本 before {before}；{where(project)}")
    return 0


def where(project: Project) -> str:
    """The one address, and what lies behind it."""
    paths = " ".join(f"/{name}" for name in NAMES)
    return f"地址 at {project.address}  {paths}"


if __name__ == "__main__":
    command(main)
