"""``make rolling``: from the release before to this tree under load, without an error to a client.

The release before is built from its revision and started as its own compose file says; then this
tree's gateway is put in front of it, and ``make upgrade`` does what it does to a deployment. A
client is what examples/connection.py is: it sends a request again, under the same key, when its
connection was cut or the answer was a 5xx. What still fails then is an error. Meanwhile some read
the unit's feed as event streams: they go on where a stream ended, and must miss nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from examples.connection import Connection, rest
from examples.demo import say
from examples.unit_facts import Book, UnitFacts
from operations.containers.check import Found, check
from operations.containers.command import command
from operations.containers.compose import ROOT, Project
from operations.containers.environment import tell_broker_users
from operations.containers.image import build
from operations.containers.load import UNIT, Load, loading
from operations.containers.trials import empty, image_name, trial, under
from operations.containers.upgrade import upgrade
from operations.runtime.registry import NAMES

PER_SECOND = 10.0
BEFORE = AFTER = 5.0  # seconds of load around the upgrade
STREAMS = 3
FIRST_RELEASE = "aaf918a"  # until a release is tagged


def last_release() -> str:
    """The last tag, or the commit that counts as one."""
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return tag.stdout.strip() or FIRST_RELEASE


@contextmanager
def release(project: Project, revision: str) -> Iterator[Project]:
    """A running project of an older release, from its own tree; what this tree's gateway is put
    before.
    """
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        archive = subprocess.run(
            ["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        image = build(tree, image_name("before"))
        old = under(project, tree, _files(tree, image), PUBLISHED="181", JIESU_IMAGE=image)
        old = old.given(JIESU_CONFIG_DIR="config/ziyang")  # as the code in the image finds it
        (tree / "var").mkdir(exist_ok=True)
        (tree / "var/compose").symlink_to(project.home)
        tell_broker_users(old, tree)
        old.up()
        yield project


def _files(tree: Path, image: str) -> tuple[str, ...]:
    """A tree's compose file, and one that names the image its services run on."""
    own = tree / "docker-compose.yml"
    services = yaml.safe_load(own.read_text("utf-8"))["services"]
    ours = [name for name, its in services.items() if its["image"].startswith(("jiesu", "${JIESU"))]
    names = tree / "image.yml"
    names.write_text(yaml.safe_dump({"services": {name: {"image": image} for name in ours}}))
    return str(own), str(names)


Look = Callable[[Project, Load], Awaitable[list[str]]]


async def under_load(
    project: Project, act: Callable[[], None], look: Look | None = None
) -> tuple[Load, Found]:
    """Do something while complaints come in; let everything come to its end, and count. ``look``:
    what else is at fault then.
    """
    over = asyncio.Event()
    async with loading(project) as load, streaming(project, load) as books:
        registering = asyncio.create_task(load.register_until(over, PER_SECOND))
        await rest(BEFORE)
        await asyncio.to_thread(act)
        await rest(AFTER)
        over.set()
        await registering
        await load.finish()
        found = await check(load.county.office, load.confirmed)
        load.errors += await missed(project, load, books)
        load.errors += await look(project, load) if look else []
        return load, found


@asynccontextmanager
async def streaming(project: Project, load: Load) -> AsyncIterator[list[Book]]:
    """Some who read the unit's feed as event streams while the block lasts; what they were sent."""
    books = [Book() for _ in range(STREAMS)]
    async with AsyncExitStack() as stack:
        for book in books:
            facts = UnitFacts(_dispatcher(project, load), UNIT, book, lambda _: None)
            await stack.enter_async_context(facts.following())
        yield books


def _dispatcher(project: Project, load: Load) -> Connection:
    return Connection(load.http, project.urls["dispatcher"], project.token("unit", UNIT))


async def missed(project: Project, load: Load, books: list[Book]) -> list[str]:
    """What a stream was not sent, or was sent otherwise, than the whole feed says."""
    whole = Book()
    await UnitFacts(_dispatcher(project, load), UNIT, whole, lambda _: None).read()
    for _ in range(20):
        if all(book.facts.keys() >= whole.facts.keys() for book in books):
            break
        await rest(0.5)
    return [
        f"an event stream lacks or changed {len(other)} facts of {len(whole.facts)}"
        for book in books
        if (other := [id for id, fact in whole.facts.items() if book.facts.get(id) != fact])
    ]


def told(load: Load, found: Found) -> int:
    """Say what was counted; 1 when a client saw an error or something was lost."""
    wire = load.transport
    say(f"请求 requests {wire.requests}: 错误 errors {len(load.errors)}")
    say(f"重发 sent again: 断开 cut {wire.cut}, 5xx {wire.unwell}; {found}")
    for fault in (*load.errors[:10], *found.faults):
        say(f"  {fault}")
    return 1 if load.errors or found.faults else 0


def rolling() -> int:
    """Run the trial; 1 when a client saw an error or something was lost."""
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("services", nargs="*", help="all in turn when none is named")
    parser.add_argument("--from", dest="revision", default="", help="else the last release")
    asked = parser.parse_args()
    services, revision = asked.services or list(NAMES), asked.revision or last_release()
    with empty(trial("rolling")) as project, release(project, revision):
        project.compose("up", "--detach", "--wait", "--no-deps", "gateway")
        image = build(image=image_name("trial"))
        say(f"滚动升级 from {revision} to {image}: {PER_SECOND:.0f} 件 tickets/s")
        act = lambda: upgrade(project, image, services)  # noqa: E731
        return told(*asyncio.run(under_load(project, act)))


if __name__ == "__main__":
    command(rolling)
