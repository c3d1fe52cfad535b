"""``make up``: everything runs as the tree, ``.env`` and the county's folder say; ``make down``.

What is at fault is said before anything is replaced. Services that run are replaced as an upgrade
replaces them: a new one that does not become well takes no old one's place.
"""

from __future__ import annotations

import argparse

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import ComposeTrouble, Project, deployment, variables
from operations.containers.deployed import check, look
from operations.containers.environment import introduce, prepared
from operations.containers.image import build, check_config
from operations.containers.upgrade import ill, image_now, remember, upgrade, where
from operations.runtime.registry import NAMES


def up(project: Project, image: str) -> None:
    """Start what does not run, replace what runs otherwise. Raises ConfigError, ComposeTrouble."""
    check_config(project, image)
    running = {name: len(project.containers(name, running=True)) for name in NAMES}
    if all(running.values()):
        upgrade(project, image)
    else:
        introduce(project)
    scales = [f"--scale={name}={count}" for name, count in running.items() if count > 1]
    try:
        project.on(image).up(*scales)
    except ComposeTrouble as trouble:
        raise ComposeTrouble(ill(project) or str(trouble)) from None


def main() -> int:
    """Start the deployment, or stop it."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--down", action="store_true", help="stop it; the data stay")
    project = deployment()
    if parser.parse_args().down:
        # A container's environment may hold the last copy of a secret.
        check(variables(project.secrets), look(project.name))
        project.down()
        return 0
    project = prepared(project)
    before = image_now(project)
    image = build()
    up(project, image)
    remember(project, image, before)
    say(f"接诉已启动 Jiesu is running {image}, {where(project)}")
    return 0


if __name__ == "__main__":
    command(main)
