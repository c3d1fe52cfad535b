"""What operators type works on the containers when there are any, also dead ones; else on the
embedded data. Which of the two it is, is asked of the engine, whether ``.env`` is there or not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from operations.containers.command import command
from operations.containers.compose import ROOT, ComposeTrouble, Project, deployment, variables
from operations.containers.deployed import check, look

HERE = ("call-test",)  # a command that runs on this machine, with a secret of theirs


def is_there(project: Project) -> bool:
    """Whether the project has containers, running or dead; without an engine there are none. Raises
    ConfigError when its secrets are not those of ``.env``.
    """
    if shutil.which("docker") is None:
        return False
    try:
        found = look(project.name)
    except ComposeTrouble:  # no engine answers: nothing runs on it
        return False
    check(variables(project.secrets), found)
    return bool(found.environments)


def main() -> int:
    """Run a command of ``python -m services`` where the data are; its exit code."""
    asked = sys.argv[1:]
    environment = dict(os.environ)
    project = deployment()
    there = is_there(project)
    if there and asked[0] not in HERE:
        words = ("--project-name", project.name, "run", "--rm", "-T", "operator", *asked)
        return subprocess.run(["docker", "compose", *words], cwd=ROOT, check=False).returncode
    if there:
        environment["JIESU_WEBHOOK_SECRET"] = project.secret("WEBHOOK_SECRET")
    here = [sys.executable, "-m", "services", *asked]
    return subprocess.run(here, env=environment, check=False).returncode


if __name__ == "__main__":
    command(main)
