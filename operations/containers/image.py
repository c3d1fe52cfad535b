"""The image of one release: built under a name of its own, and asked whether it can obey a county's
configuration before anything runs on it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import ROOT, ComposeTrouble, Project, run
from shared import clock
from shared.errors import ConfigError

# Whose configuration is mounted says so: images of before have the county's baked in.
MOUNTED = '{{index .Config.Labels "jiesu.configuration"}}'


def release(tree: Path = ROOT) -> str:
    """The name of a tree's image: its revision; of what nobody committed, with the moment."""
    described = subprocess.run(
        ["git", "describe", "--always", "--tags", "--dirty"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    if not described or described.endswith("-dirty"):
        described = f"{described or 'tree'}-{clock.real():%Y%m%dT%H%M%S}"
    return f"jiesu:{described}"


def build(tree: Path = ROOT, image: str = "") -> str:
    """Build the image every service runs; answers its name. Raises ComposeTrouble."""
    image = image or release(tree)
    run("build", "--tag", image, str(tree))
    return image


def is_mounted(image: str) -> bool:
    """Whether an image reads the county's folder that is mounted. Raises ComposeTrouble."""
    return run("image", "inspect", "--format", MOUNTED, image).strip() == "mounted"


def check_config(project: Project, image: str) -> None:
    """Let an image read the county's folder as its services will. Raises ConfigError with every
    fault, ComposeTrouble.
    """
    if not is_mounted(image):
        return
    folder = project.config.resolve()
    if not folder.is_dir():
        raise ConfigError(f"JIESU_CONFIG_DIR: 没有此目录 no such folder: {folder}")
    mount = f"type=bind,source={folder},target=/config,readonly"
    checking = ("--rm", "--network=none", "--read-only", "--cap-drop=ALL", f"--mount={mount}")
    done = subprocess.run(
        ["docker", "run", *checking, image, "check-config", "/config"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip().replace("/config/", f"{folder}/")
    if done.returncode == 2:
        raise ConfigError(
            f"{said}\n配置有误，未更换任何服务 the configuration is at fault; nothing was replaced"
        )
    if done.returncode:
        raise ComposeTrouble(f"check-config: {said}")


def main() -> int:
    """Build the tree's."""
    say(build())
    return 0


if __name__ == "__main__":
    command(main)
