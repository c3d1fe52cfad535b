"""``make restore``: a backup, and every later commit the archive holds, into empty volumes.

The databases are put back as of one moment; the broker takes its users and queues from today's
secrets, as at any first start; and each service publishes again what it had sent: facts that lay in
the broker's queues are nowhere else. Every inbox takes what it missed and knows the rest by id.

Numbers given after the last moment that was kept stand on paper and in people's hands. Before a door
opens, as many are passed over as nobody can have been given: no number is given twice.
"""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime, timedelta
from pathlib import Path

from examples.demo import say
from operations.containers.backup import BASE, BEGAN, FIRST, SECRETS, digests
from operations.containers.command import command
from operations.containers.compose import Project, deployment
from operations.containers.environment import prepared
from operations.containers.image import build, check_config
from operations.containers.upgrade import remember, where
from operations.runtime.registry import NAMES
from shared import clock
from shared.errors import ConfigError

BEHIND = timedelta(days=1)  # what may have lain in a queue when the backup began
PASSED_OVER = 10_000  # numbers of each day: more than a county gives in one
PASS_OVER = """
INSERT INTO day_number AS d (day, last)
SELECT day::date, {count} FROM generate_series('{first}'::date, '{last}'::date, '1 day') AS day
ON CONFLICT (day) DO UPDATE SET last = d.last + {count}"""

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
    since = datetime.fromisoformat((folder / BEGAN).read_text()) - BEHIND
    project.up("postgres")
    _pass_over(project, since.date(), (clock.real() + BEHIND).date())
    project.up()
    for name in NAMES:
        resend = ("python", "-m", "services", "resend", "--since", since.isoformat(), name)
        say(f"  {project.compose('exec', '-T', name, *resend).strip()}")


def check(project: Project, folder: Path) -> None:
    """Refuse what could only end in half a restore, or in one that nothing opens. Raises ConfigError."""
    if missing := [name for name in (BASE, BEGAN, FIRST) if not (folder / name).is_file()]:
        raise ConfigError(
            f"{folder}: 不是完整的备份 no whole backup, {', '.join(missing)} missing: make backup writes one"
        )
    needed, has = folder / SECRETS, digests(project)
    had = json.loads(needed.read_text()) if needed.is_file() else {}
    if other := sorted(name for name, digest in had.items() if has.get(name) != digest):
        raise ConfigError(
            f"{project.secrets} 与此备份不配套，请放回当时的 .env is not what this backup was made with, "
            f"put that back: {', '.join(other[:4])}"
        )
    if project.containers("postgres"):
        raise ConfigError(
            "还在运行，请先 make down 并删除卷 it is up: make down, then docker volume rm "
            f"{project.name}_postgres {project.name}_rabbitmq"
        )


def _pass_over(project: Project, first: date, last: date) -> None:
    """Numbers of the days from the backup on, a day more at both ends: the county's day is not UTC's."""
    statement = PASS_OVER.format(count=PASSED_OVER, first=first, last=last)
    psql = ("psql", "--username=postgres", "--quiet", "--set=ON_ERROR_STOP=1", "jiesu_intake")
    alone = "--command=SET synchronous_commit = local"  # the archive, which a commit may wait for, is down
    project.compose("exec", "-T", "postgres", *psql, alone, f"--command={statement}")


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
