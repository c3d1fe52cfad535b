"""``make next``: a made-up next release, rolled in, rolled back, and rolled in again under load.

The release says one new fact addressed to a unit, one new word in a fact that is there, and one new
optional field. It is this tree with a few lines changed, in a copy. While both releases run side by
side, and after the way back, this release meets what it cannot know: none of it may be dead, and
when the next release is there again everything must come to its end, the unit's feed and the fact
logs agreeing to the letter.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.connection import Connection, Json
from examples.demo import say
from operations.containers.command import command
from operations.containers.compose import ROOT, Project
from operations.containers.image import build
from operations.containers.load import UNIT, Load
from operations.containers.rolling import PER_SECOND, told, under_load
from operations.containers.trials import image_name, started, trial
from operations.containers.upgrade import upgrade
from operations.runtime.registry import NAMES

# What the next release changes, by file: a line as it stands here, and what takes its place.
CHANGES = {
    "shared/events/words.py": [
        (
            '    SOLVED = "solved"\n',
            '    SOLVED = "solved"\n    SOLVED_AT_ONCE = "solved_at_once"\n',
        )
    ],
    "shared/events/dispatcher.py": [
        ("    handler: str\n", "    handler: str\n    shift: str | None = None\n"),
        (
            "class AssignmentContacted(",
            'class AssignmentGreeted(Data, name="assignment.greeted", by="dispatcher"):\n'
            '    """The unit was told who is on duty."""\n\n    words: str\n\n\n'
            "class AssignmentContacted(",
        ),
    ],
    "services/dispatcher/usecases.py": [
        (
            "    orders.tell(act, assignment, events.AssignmentSigned(**body.model_dump()))\n",
            '    signed = events.AssignmentSigned(**body.model_dump(), shift="day")\n'
            "    orders.tell(act, assignment, signed)\n"
            '    orders.tell(act, assignment, events.AssignmentGreeted(words="您好"))\n',
        ),
        (
            "    orders.tell(act, assignment, answer)\n    orders.cancel",
            '    new = {"kind": events.CompletionKind.SOLVED_AT_ONCE}\n'
            "    orders.tell(act, assignment, answer.model_copy(update=new))\n    orders.cancel",
        ),
    ],
}


@contextmanager
def next_tree() -> Iterator[Path]:
    """A copy of this tree with the changes in it. Raises ValueError for a line that is not there."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in names.splitlines():
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, tree / name)
        for name, changes in CHANGES.items():
            (tree / name).write_text(changed((tree / name).read_text("utf-8"), changes), "utf-8")
        yield tree


def changed(text: str, changes: list[tuple[str, str]]) -> str:
    """A file with its lines replaced. Raises ValueError for a line that is not there."""
    for old, new in changes:
        if old not in text:
            raise ValueError(f"the next release changes a line that is gone: {old!r}")
        text = text.replace(old, new, 1)
    return text


async def in_back_and_in(project: Project, here: str, there: str, tree: Path) -> int:
    """Roll to the next release, back, and to it again under load; the exit code."""
    dead: list[str] = []

    def act() -> None:
        upgrade(project, there, NAMES, tree)
        upgrade(project, here, NAMES, tree)
        dead.extend(died(project))
        upgrade(project, there, NAMES, tree)

    load, found = await under_load(project, act, torn)
    load.errors += dead
    return told(load, found)


def died(project: Project) -> list[str]:
    """Facts that are dead anywhere; asked of the databases, for a replica may not answer for all."""
    count = "SELECT count(*) FROM retry WHERE state = 'dead'"
    faults = []
    for name in NAMES:
        psql = (
            "psql",
            "--username=postgres",
            f"--dbname=jiesu_{name}",
            "--tuples-only",
            "--command",
        )
        number = project.compose("exec", "-T", "postgres", *psql, count).strip()
        faults += [f"{name}: {number} dead facts after the way back"] * (number != "0")
    return faults


async def torn(project: Project, load: Load) -> list[str]:
    """Facts of the unit's feed that are not, letter for letter, what their speaker has on record, and
    facts addressed to the unit that its feed has not.
    """
    feed = {fact["id"]: _letters(fact) for fact in await _feed(project, load)}
    record: dict[str, str] = {}
    for name in NAMES:
        facts, _ = await load.county.office.facts(name, 0)
        record |= {fact["id"]: _letters(fact) for fact in facts if fact.get("unit") == UNIT}
    other = [id for id in feed if feed[id] != record.get(id)]
    faults = [f"{len(other)} facts of the feed differ, such as {feed[other[0]]}"] if other else []
    lacking = record.keys() - feed.keys()
    new = sum("assignment.greeted" in fact for fact in feed.values())
    say(f"事实比对 feed {len(feed)}, on record {len(record)}, of them new {new}")
    faults += [f"{len(lacking)} facts never came to the feed"] * bool(lacking)
    return faults + ["the next release said nothing new"] * (not new)


async def _feed(project: Project, load: Load) -> list[Json]:
    unit = Connection(load.http, project.urls["dispatcher"], project.token("unit", UNIT))
    facts, after, more = list[Json](), 0, True
    while more:
        page = await unit.get(f"/v1/units/{UNIT}/feed", {"after": after, "limit": 500})
        facts += [item["fact"] for item in page["items"]]
        after, more = page["next"], page["more"]
    return facts


def _letters(fact: Json) -> str:
    """A fact as it reads, in the order of its members."""
    return json.dumps(fact, ensure_ascii=False)


def main() -> int:
    """Run the trial; 1 when a client saw an error, or anything is lost, dead or torn."""
    with next_tree() as tree, started(trial("next")) as project:
        there = build(tree, image_name("next"))
        say(f"下一版本滚入、退回、再滚入 rolled in, back and in: {PER_SECOND:.0f} 件 tickets/s")
        return asyncio.run(in_back_and_in(project, image_name("trial"), there, tree))


if __name__ == "__main__":
    command(main)
