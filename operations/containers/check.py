"""What must hold when a load has ended, whatever died meanwhile: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from examples.connection import Json, rest
from examples.hotline_office import Office
from operations.runtime.registry import NAMES
from shared import clock

# What is said of every complaint of a load exactly once.
ONCE = (
    "ticket.registered",
    "assignment.dispatched",
    "assignment.signed",
    "assignment.completed",
    "ticket.resolved",
    "ticket.closed",
)
# And that each of its clocks was met: again where the tracker heard later of an earlier moment. The
# load's citizens decline a reply, so there is none for a first contact.
CLOCKS = ("dispatch", "sign", "handle", "citizen")
MET = tuple(f"deadline.met {clock}" for clock in CLOCKS)
RESTED = ("jiesu_outbox_unsent", "jiesu_retry_waiting", "jiesu_retry_dead")
PATIENCE = timedelta(seconds=60)  # for facts under way or too early, and tries that wait
LOOK_AGAIN = 2.0  # seconds
Facts = Mapping[str, Sequence[Json]]  # by the service that said them


@dataclass(frozen=True, slots=True)
class Found:
    """What was counted; ``faults`` says in words what does not hold."""

    tickets: int
    facts: int
    lost: int
    doubled: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.tickets} 件 tickets, {self.facts} 条 facts, "
            f"丢失 lost {self.lost}, 重复 doubled {self.doubled}"
        )


async def check(office: Office, confirmed: Collection[str]) -> Found:
    """Let all come to rest, then look through every fact log, and for what is stuck or dead."""
    until = clock.real() + PATIENCE
    while True:
        waiting = await _waiting(office)
        facts = {name: (await office.facts(name, 0))[0] for name in NAMES}
        found = count(facts, confirmed)
        found = replace(found, faults=found.faults + waiting)
        if not found.faults or clock.real() > until:
            return found
        await rest(LOOK_AGAIN)


async def _waiting(office: Office) -> tuple[str, ...]:
    numbers = await office.metrics()
    return tuple(
        f"{name}: {metric} {numbers[name][metric]:.0f}"
        for name in NAMES
        for metric in RESTED
        if numbers[name][metric]
    )


def count(facts: Facts, confirmed: Collection[str]) -> Found:
    """Lost: a fact that should have been said of a confirmed ticket and was not, or a gap in seq.

    Doubled: a fact said twice, two facts with one seq, or a ticket nobody was told of.
    """
    every = [fact for log in facts.values() for fact in log]
    names = Counter((_name(fact), fact["subject"]) for fact in every)
    missing = [(n, t) for n in (*ONCE, *MET) for t in sorted(confirmed) if not names[n, t]]
    twice = [(n, t) for (n, t), times in sorted(names.items()) if n in ONCE and times > 1]
    unknown = sorted({t for n, t in names if n == ONCE[0]} - set(confirmed))
    gaps, clashes = _seqs(every)
    same = len(every) - len({fact["id"] for fact in every})
    faults = [f"{name} of {ticket} is missing" for name, ticket in missing[:5]]
    faults += [f"{name} of {ticket} was said twice" for name, ticket in twice[:5]]
    faults += [f"{ticket} was confirmed to nobody" for ticket in unknown[:5]]
    faults += [f"gaps in seq: {gaps}"] * bool(gaps) + [f"one seq twice: {clashes}"] * bool(clashes)
    faults += [f"one id twice: {same}"] * bool(same)
    return Found(
        tickets=len(set(confirmed)),
        facts=len(every),
        lost=len(missing) + gaps,
        doubled=len(twice) + len(unknown) + clashes + same,
        faults=tuple(faults),
    )


def _seqs(facts: Sequence[Json]) -> tuple[int, int]:
    """How many numbers are missing between 1 and the last of each subject and source, and how many
    were given twice.
    """
    seqs: dict[tuple[str, str], list[int]] = {}
    for fact in facts:
        seqs.setdefault((fact["subject"], fact["source"]), []).append(fact["seq"])
    gaps = sum(max(given) - len(set(given)) for given in seqs.values())
    return gaps, sum(len(given) - len(set(given)) for given in seqs.values())


def _name(fact: Json) -> str:
    """``ticket.closed``; of a clock with its kind, ``deadline.met citizen``."""
    name = str(fact["type"]).removeprefix("cn.jiesu.").rpartition(".")[0]
    return f"{name} {fact['data']['clock']}" if name == "deadline.met" else name
