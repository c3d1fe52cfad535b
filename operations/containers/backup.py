"""``make backup``: all databases as they stood at one moment.

One moment for all five, because facts join them: a service restored to an earlier moment than its
neighbours would say again, under the same numbers, what they heard already. Nothing stops for it.
The broker is not in it: its users and queues follow from ``.env`` and the code, its messages from
the databases.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import ROOT, ComposeTrouble, Project, deployment, variables
from operations.containers.deployed import KEPT, OWN, check, look
from operations.runtime.registry import NAMES
from shared import clock
from shared.errors import ConfigError

BASE, BEGAN = "base.tar.gz", "began"
SECRETS = "secrets"  # which secrets it needs: a digest of each, none of them
FIRST = "first"  # the oldest file of the archive this backup needs
IN_DATABASE = ("exec", "-T", "--user", "postgres", "postgres")
COPY = "pg_basebackup --pgdata=- --format=tar --gzip --wal-method=fetch --checkpoint=fast"
LABEL = "tar -xzO -f - backup_label"
PRUNE = "pg_archivecleanup /var/lib/postgresql/data"


def backup(project: Project, folder: Path) -> Path:
    """Back up a running project into a new folder only its owner can read.

    Raises ConfigError where something is already, ComposeTrouble; then there is no folder.
    """
    os.umask(0o077)
    try:
        folder.mkdir(parents=True)
    except OSError as error:  # never over another backup
        raise ConfigError(
            f"{folder}: 无法新建备份目录 no new folder for a backup: {error.strerror}"
        ) from None
    try:
        _fill(project, folder)
    except (ComposeTrouble, OSError, KeyboardInterrupt):
        shutil.rmtree(folder)  # half a backup would stand in the way of the next try
        raise
    return folder


def _fill(project: Project, folder: Path) -> None:
    (folder / BEGAN).write_text(clock.real().isoformat())
    (folder / SECRETS).write_text(json.dumps(digests(project)))
    with (folder / BASE).open("wb") as base:
        project.compose(*IN_DATABASE, *COPY.split(), into=base)
    (folder / FIRST).write_text(_first(project, folder / BASE))


def digests(project: Project) -> dict[str, str]:
    """A digest of each secret a restored database will ask for, by name; of the vault's by key."""
    known = variables(project.secrets)
    names = [*KEPT, *(f"{name.upper()}_{word}" for name in NAMES for word in OWN)]
    needed = {name: known[name] for name in names if name in known and "VAULT" not in name}
    ring = json.loads(known.get("VAULT_KEYS", "{}"))
    needed |= {f"VAULT_KEYS {id}": key for id, key in ring.items()}
    return {name: sha256(f"{name}={value}".encode()).hexdigest() for name, value in needed.items()}


def _first(project: Project, base: Path) -> str:
    """The file of the archive a backup begins in, as its label says."""
    with base.open("rb") as stream:
        label = project.compose(*IN_DATABASE, *LABEL.split(), given=stream)
    return label.partition("(file ")[2].partition(")")[0]


def prune(project: Project, folder: Path) -> None:
    """Drop from the archive what only backups older than this one need."""
    if project.containers("archive"):
        first = (folder / FIRST).read_text()
        project.compose("exec", "-T", "archive", *PRUNE.split(), first)


def main() -> int:
    """Back up the deployment."""
    parser = argparse.ArgumentParser(prog="make backup", description=__doc__)
    default = ROOT / "var/backups" / f"{clock.real():%Y%m%dT%H%M%SZ}"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    folder, project = parser.parse_args().folder, deployment()
    check(variables(project.secrets), look(project.name))  # beside other secrets it never opens
    backup(project, folder)
    prune(project, folder)
    size = (folder / BASE).stat().st_size / 1e6
    say(f"已备份 backed up: {folder} ({size:.1f} MB). 另存 keep apart: .env, var/compose")
    return 0


if __name__ == "__main__":
    command(main)
