"""``make reload``: every container goes by the changed rules, without a restart.

The folder is read by the image that runs, then every queue it asks for is declared, and only then
is it announced (operations/runtime/reload.py). It is the folder that is mounted into the
containers. Without containers the embedded system takes it up.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import Project, deployment
from operations.containers.image import check_config
from operations.containers.operate import is_there
from operations.containers.upgrade import image_now
from operations.runtime.reload import announce, check


def reload(project: Project, folder: Path) -> None:
    """Check, declare, announce, and wait for every process. Raises ConfigError, ComposeTrouble."""
    check_config(project, image_now(project))
    checked = check(folder)
    project.compose("run", "--rm", "--no-deps", "migrate")
    announce(checked)
    say(f"  {folder}: {checked.configuration}")
    say(
        project.compose(
            "run", "--rm", "-T", "operator", "processes", "--expect", checked.configuration
        )
    )
    say(project.compose("run", "--rm", "-T", "operator", "drafts"))


def main() -> int:
    """Have the deployment go by its folder."""
    project = deployment()
    if not is_there(project):
        here = [sys.executable, "-m", "services", "reload", *sys.argv[1:]]
        return subprocess.run(here, check=False).returncode
    reload(project, project.config)
    return 0


if __name__ == "__main__":
    command(main)
