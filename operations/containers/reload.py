"""``make reload``: every container goes by the changed rules, without a restart.

The folder is checked here, then every queue it asks for is declared, and only then is it announced
(operations/runtime/reload.py). It is the folder that is mounted into the containers.
"""

from __future__ import annotations

import os
from pathlib import Path

from examples.demo import say
from operations.commands.signing import CONFIG
from operations.containers.command import command
from operations.containers.compose import ROOT, Project, deployment
from operations.runtime.reload import announce, check


def mounted() -> Path:
    """The folder on this machine that the containers see."""
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    written = dict(line.split("=", 1) for line in lines if "=" in line)
    given = os.environ.get("JIESU_CONFIG_DIR") or written.get("JIESU_CONFIG_DIR", "").strip("'")
    return Path(given or CONFIG)


def reload(project: Project, folder: Path) -> None:
    """Check, declare, announce, and wait for every process. Raises ConfigError, ComposeTrouble."""
    checked = check(folder)
    project.compose("run", "--rm", "--no-deps", "migrate")
    announce(checked)
    say(f"  {folder}: {checked.configuration}")
    say(
        project.compose(
            "run", "--rm", "-T", "operator", "processes", "--expect", checked.configuration
        )
    )


def main() -> int:
    """Have the deployment go by its folder."""
    reload(deployment(), mounted())
    return 0


if __name__ == "__main__":
    command(main)
