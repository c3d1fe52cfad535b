"""The morning page: what has not moved in time, in every service and between them.

Each service answers for its own database (its StuckPage). Between two databases a fact may be lost
without a trace in either, so tickets that are open anywhere are compared in batches: what the
speaker of a MILESTONE knows, every listener must know soon after it was said; and who keeps
assignments must know each that is open where it was dispatched, for without it no clock of it runs.
"""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from operations.runtime.registry import part
from shared.events import FACTS
from shared.processes import Running, running
from shared.storage import trouble
from shared.storage.act import Store
from shared.storage.engine import is_trouble
from shared.stuck import (
    COUNTED,
    KnownAssignment,
    Progress,
    Question,
    Stuck,
    known_assignments,
    open_after,
    parked,
    progress,
    said,
)

SHOWN = 5
BATCH = 500
IN_FLIGHT = timedelta(minutes=5)  # a fact may be on its way that long
DEEP = 1_000  # messages in a queue

Stores = Mapping[str, Store[Any]]
Known = Mapping[str, Mapping[str, Progress]]


@dataclass(frozen=True, slots=True)
class Group:
    """What is stuck in one way at one place: how many, and the oldest few."""

    service: str
    slug: str
    title: str
    why: str
    do: str
    count: int
    oldest: Sequence[Stuck]

    @property
    def counted_out(self) -> bool:
        """Whether there may be more than were counted."""
        return self.count >= COUNTED


def group(service: str, question: Question, found: Sequence[Stuck]) -> Group:
    """The answers to one question, the oldest first."""
    ordered = sorted(found, key=lambda stuck: (stuck.since is None, stuck.since or 0))
    words = (question.title, question.why, question.do)
    return Group(service, question.slug, *words, len(found), ordered[:SHOWN])


async def gather(stores: Stores, now: datetime, real: datetime) -> list[Group]:
    """Everything that is stuck. A database that cannot be read is a group of its own."""
    groups, readable = [], {}
    for name, store in stores.items():
        try:
            groups += await _of_service(name, store, now, real)
            readable[name] = store
        except Exception as error:
            if not is_trouble(error):
                raise
            groups.append(group(name, AWAY, [Stuck(name, None, trouble.said(error))]))
    if len(readable) == len(stores):
        groups += await _between(stores, real)
        groups += await differing(stores, real)
    return groups


AWAY = Question(
    "away",
    "数据库无法读取 a database that cannot be read",
    "数据库停止、不可达或过慢 it is down, out of reach or too slow",
    "恢复数据库后再看本页 bring it back, then read this page again",
)


async def _of_service(name: str, store: Store[Any], now: datetime, real: datetime) -> list[Group]:
    found = []
    async with store.act("ops", now=now) as act:
        for question in part(name).stuck.questions:
            answers = await question.find(act, real)
            found += [group(name, question, answers)] if answers else []
    return found


# --- one release, one set of rules ---------------------------------------------------------------

DIFFERING = Question(
    "differing",
    "版本或规则不一致的进程 processes on different code or rules",
    "滚动升级未完，或规则只在部分进程生效 an upgrade is under way or was cut short, or changed rules "
    "reached some processes only",
    "make upgrade，或 make reload；再看本页 finish make upgrade, or make reload; read this page again",
)


async def differing(stores: Stores, real: datetime) -> list[Group]:
    """Every running process, when two of them differ in release or configuration."""
    found: list[tuple[str, Running]] = []
    for name, store in stores.items():
        async with store.act("ops") as act:
            found += [(name, process) for process in await running(act, real)]
    if len({(process.release, process.configuration) for _, process in found}) <= 1:
        return []
    rows = [
        Stuck(name, process.started_at, f"{process.release}, {process.configuration}")
        for name, process in found
    ]
    return [group("*", DIFFERING, rows)]


# --- between services --------------------------------------------------------------------------


class Milestone(NamedTuple):
    """A fact that several services must come to know: who says it, and what it moves in Progress."""

    key: str
    speaker: str
    moves: str = ""


def speaker_of(name: str) -> str:
    """The one service that says a fact."""
    return next(kind.speaker for kind in FACTS.values() if kind.name == name)


MILESTONES = tuple(
    Milestone(name, speaker_of(name), moves)
    for name, moves in (
        ("ticket.registered", ""),
        ("ticket.withdrawn", "withdrawn"),
        ("ticket.resolved", "resolved"),
        ("ticket.closed", "closed"),
        ("ticket.reopened", "round"),
    )
)
REGISTERED, DISPATCHED = MILESTONES[0], "assignment.dispatched"

UNHEARD = Question(
    "unheard",
    "说了而未听到的事实 facts that were said and not heard",
    "已由总线确认，本服务既未处理也未暂存：未运行、积压，或总线丢失 confirmed by the broker, and neither "
    "handled nor parked here: the service is down or behind, or the broker lost it",
    "看本服务 /readyz 与队列；确已丢失则 resend  see its /readyz and queue; if lost, resend it: "
    "python -m services resend SPEAKER --ticket NUMBER",
)
UNKNOWN = Question(
    "unknown",
    "受理库中没有的工单 tickets intake does not have",
    "受理库可能由旧备份恢复 intake's database may have been restored from an older backup",
    "补恢复受理库 restore what is missing (docs/operations/backup-and-restore.md)",
)


async def _between(stores: Stores, real: datetime) -> list[Group]:
    """Compare every ticket that is open at a service that keeps tickets open."""
    unheard: dict[str, set[Stuck]] = {name: set() for name in stores}
    unknown: set[Stuck] = set()
    origin = REGISTERED.speaker
    for opened_by in stores:
        async for numbers in _open(stores[opened_by], opened_by):
            known = await _known(stores, numbers)
            for name, stuck in await _unheard(stores, known, real):
                unheard[name].add(stuck)
            for name, stuck in await _undispatched(stores, numbers, real):
                unheard[name].add(stuck)
            missing = [number for number in numbers if number not in known[origin]]
            unknown |= {Stuck(number, None, opened_by) for number in missing}
    return [
        *(group(name, UNHEARD, sorted(found)) for name, found in unheard.items() if found),
        *([group(origin, UNKNOWN, sorted(unknown, key=str))] if unknown else []),
    ]


async def _open(store: Store[Any], name: str) -> AsyncIterator[list[str]]:
    """The numbers of the tickets that are open at a service, batch by batch."""
    statement, after = part(name).stuck.open_tickets, ""
    while statement:
        async with store.act("ops") as act:
            numbers = await open_after(act, statement, after, BATCH)
        if not numbers:
            return
        yield numbers
        after = numbers[-1]


async def _known(stores: Stores, numbers: Sequence[str]) -> Known:
    """What each service that follows tickets knows of some."""
    known = {}
    for name, store in stores.items():
        if statement := part(name).stuck.progress:
            async with store.act("ops") as act:
                known[name] = await progress(act, statement, numbers)
    return known


async def _unheard(stores: Stores, known: Known, real: datetime) -> list[tuple[str, Stuck]]:
    """What one service said and another has not heard, though it was said a while ago."""
    found = []
    for listener in known:
        for milestone in MILESTONES:
            if listener == milestone.speaker:
                continue
            if behind := sorted(_behind(known, milestone, listener)):
                lost = await _lost(stores, milestone, listener, behind, real)
                found += [(listener, stuck) for stuck in lost]
    return found


def _behind(known: Known, milestone: Milestone, listener: str) -> Iterator[str]:
    """The tickets of which a listener knows less than the speaker."""
    heard = known[listener]
    for number, there in known[milestone.speaker].items():
        here = heard.get(number)
        if milestone is REGISTERED or here is None:
            if milestone is REGISTERED and here is None:
                yield number
            continue
        mine = getattr(here, milestone.moves)
        if mine is not None and mine < getattr(there, milestone.moves):
            yield number


async def _undispatched(
    stores: Stores, numbers: Sequence[str], real: datetime
) -> list[tuple[str, Stuck]]:
    """The tickets with an open assignment that a service has not heard of, and should."""
    speaker = speaker_of(DISPATCHED)
    there = await _assignments(stores[speaker], speaker, numbers)
    found = []
    for listener, store in stores.items():
        if listener == speaker or part(listener).stuck.assignments is None:
            continue
        by_unit: dict[str, list[str]] = defaultdict(list)
        for assignment in there - await _assignments(store, listener, numbers):
            by_unit[assignment.unit].append(assignment.ticket)
        for unit, tickets in by_unit.items():
            milestone = Milestone(f"{DISPATCHED}.{unit}", speaker)
            lost = await _lost(stores, milestone, listener, tickets, real)
            found += [(listener, stuck) for stuck in lost]
    return found


async def _assignments(
    store: Store[Any], name: str, numbers: Sequence[str]
) -> set[KnownAssignment]:
    statement = part(name).stuck.assignments
    if statement is None:
        return set()
    async with store.act("ops") as act:
        return await known_assignments(act, statement, numbers)


async def _lost(
    stores: Stores, milestone: Milestone, listener: str, numbers: Sequence[str], real: datetime
) -> Iterable[Stuck]:
    """Those whose fact was sent a while ago and does not wait among the listener's retries."""
    async with stores[milestone.speaker].act("ops") as act:
        when = await said(act, milestone.key, numbers)
    async with stores[listener].act("ops") as act:
        waiting = await parked(act, milestone.key, numbers)
    return [
        Stuck(number, moment, f"{milestone.key} ← {milestone.speaker}")
        for number, moment in when.items()
        if number not in waiting and moment <= real - IN_FLIGHT
    ]


# --- the broker's queues -----------------------------------------------------------------------

UNREAD = Question(
    "unread",
    "无人读取或积压的队列 queues nobody reads, or that are deep",
    "单位系统或服务未连接，或读得太慢 the department's system or the service is away or too slow",
    "unit.*：联系单位，久不读取则改 delivery: feed；svc.*：看该服务 "
    "unit.*: ring the unit, set delivery: feed if it stays away; svc.*: see that service",
)


SILENT = Question(
    "away",
    "读不到消息代理 the broker's management does not answer",
    "消息代理未运行，或 JIESU_BROKER_API 有误 it does not run, or JIESU_BROKER_API is wrong",
    "启动消息代理，看其日志 start the broker, see its log",
)


async def unread(api: str) -> list[Group]:
    """Queues with messages and no reader, or with very many; ``api``: management URL/vhost."""
    import httpx  # a service that runs needs none of it: 3 MB

    address = httpx.URL(api)
    login = (address.username, address.password)
    vhost = address.raw_path.decode().removeprefix("/") or "%2F"
    target = address.copy_with(
        username=None, password=None, raw_path=b"/api/queues/" + vhost.encode()
    )
    trusted = ssl.create_default_context()  # httpx by itself would not look at JIESU_TLS_CA's
    client = httpx.AsyncClient(auth=login, timeout=10, trust_env=False, verify=trusted)
    try:
        async with client:
            answer = (await client.get(target)).raise_for_status()
    except httpx.HTTPError as error:
        return [group("broker", SILENT, [Stuck("*", None, type(error).__name__)])]
    found = [
        Stuck(
            queue["name"],
            None,
            f"{queue['messages']} 条 messages, {queue.get('consumers', 0)} 个 readers",
        )
        for queue in answer.json()
        if queue.get("messages", 0)
        and (not queue.get("consumers", 0) or queue["messages"] >= DEEP)
        and queue["name"].startswith(("svc.", "unit."))
    ]
    return [group("broker", UNREAD, found)] if found else []
