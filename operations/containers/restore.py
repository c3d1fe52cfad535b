"""``make restore``: a backup, and every later commit the archive holds, into empty volumes.

The databases are put back as of one moment; the broker takes its users and queues from today's
secrets, as at any first start; and each service publishes again what it had sent: facts that lay in
the broker's queues are nowhere else. Every inbox takes what it missed and knows the rest by id.

Before any door opens, some of today's ticket numbers are skipped: what was given between the backup
and the loss, and is in no archive, must not be given to somebody else.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timedelta
from pathlib import Path

from examples.demo import say
from operations.containers.backup import BASE, BEGAN, FIRST, SECRETS, digests
from operations.containers.command import command
from operations.containers.compose import Project, deployment
from operations.containers.environment import prepared
from operations.containers.image import build, check_config
from operations.containers.upgrade import remember, where
from operations.runtime.registry import NAMES
from shared.errors import ConfigError

BEHIND = timedelta(days=1)  # what may have lain in a queue when the backup began

# The commits of the archive lie where the server looks for them when it recovers; the last file is
# not full. Without an archive there are none, and the databases stand as the backup found them.
UNPACK = """
cd /var/lib/postgresql/data
[ -z "$(ls -A)" ] || { echo "the volume is not empty" >&2; exit 1; }
tar -xz
for file in $(ls /archive | grep -E '^[0-9A-F]{24}(\\.partial)?$'); do
    [ "${file%.partial}" \\< "$1" ] || cp "/archive/$file" "pg_wal/${file%.partial}"
done
chown -R postgres:postgres .
chmod 700 .
"""


def restore(project: Project, folder: Path) -> None:
    """Restore into a project that is down and has an empty database.

    Raises ConfigError where that cannot be, ComposeTrouble.
    """
    check(project, folder)
    _unpack(project, folder)
    # It starts the servers and the migration, and no service.
    say(f"  {project.compose('run', '--rm', '-T', 'intake', 'skip-numbers').strip()}")
    project.up()
    since = datetime.fromisoformat((folder / BEGAN).read_text()) - BEHIND
    for name in NAMES:
        resend = ("python", "-m", "services", "resend", "--since", since.isoformat(), name)
        say(f"  {project.compose('exec', '-T', name, *resend).strip()}")


def check(project: Project, folder: Path) -> None:
    """Refuse what could only end in half a restore, or in one that nothing opens. Raises ConfigError."""
    if missing := [name for name in (BASE, BEGAN, FIRST) if not (folder / name).is_file()]:
        raise ConfigError(
            f"{folder}: 不是完整的备份 no whole backup, {', '.join(missing)} missing: make backup writes one"
        )
    needed = folder / SECRETS
    had = json.loads(needed.read_text()) if needed.is_file() else {}
    has = digests(project)
    if other := sorted(name for name, digest in had.items() if has.get(name) != digest):
        raise ConfigError(
            f"{project.secrets} 与此备份不配套，请放回当时的 .env is not what this backup was made "
            f"with, put that back: {', '.join(other[:4])}"
        )
    if project.containers("postgres"):
        raise ConfigError(
            "还在运行，请先 make down 并删除卷 it is up: make down, then docker volume rm "
            f"{project.name}_postgres {project.name}_rabbitmq"
        )


def _unpack(project: Project, folder: Path) -> None:
    first = (folder / FIRST).read_text()
    with (folder / BASE).open("rb") as base:
        project.compose("run", "--rm", "-T", "unpack", UNPACK, "bash", first, given=base)


def main() -> int:
    """Restore the deployment."""
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("folder", type=Path, help="what `make backup` wrote")
    folder, project = parser.parse_args().folder, deployment()
    check(project, folder)
    prepared(project, first=False)
    image = build()
    check_config(project, image)
    restore(project.on(image), folder)
    remember(project, image, "")
    say(f"已恢复 restored; {where(project)}")
    return 0


if __name__ == "__main__":
    command(main)
