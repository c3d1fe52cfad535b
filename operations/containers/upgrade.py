"""``make upgrade``: replaces running containers by this version's, service by service, without a gap.

The schema is expanded first. Of each service as many new replicas are started as there are old
ones; when they are healthy, the old ones are stopped with their time to finish. Both releases run
side by side meanwhile. Clients use another address when theirs refuses (replicas.py shows how).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import ComposeTrouble, Project, build, deployment, run
from operations.runtime.registry import NAMES


def upgrade(project: Project, services: list[str]) -> None:
    """Build, migrate, and roll each service. Raises ComposeTrouble; then old ones still run."""
    build()
    project.compose("run", "--rm", "--no-deps", "migrate")
    for service in services:
        roll(project, service)


def roll(project: Project, service: str) -> None:
    """New replicas first, then the old ones go, one by one. In trouble the new ones go."""
    old = project.containers(service)
    both = f"--scale={service}={2 * len(old)}"
    try:
        project.up("--no-deps", "--no-recreate", both, service)
    except ComposeTrouble:
        # Left there they would count as old ones, and the next try would start twice as many.
        _remove(set(project.containers(service)) - set(old))
        raise
    _remove(old)
    say(f"  {service}: {len(old)} 个实例已更换 replicas replaced")


def _remove(containers: Iterable[str]) -> None:
    for container in containers:
        run("stop", container)
        run("rm", container)


def main() -> int:
    """Upgrade the deployment."""
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("services", nargs="*", help="all when none is named")
    upgrade(deployment(), parser.parse_args().services or list(NAMES))
    return 0


if __name__ == "__main__":
    command(main)
