"""The morning page: what has not moved in time, in every service and between them.

Each service answers for its own database (``services/<name>/stuck.py``). Between two databases a
fact may be lost without a trace in either, so tickets that are open anywhere are compared in
batches: what the speaker of a fact in MARKS knows, every listener must know soon after it was said,
and the tracker each assignment the dispatcher holds open, for without it no clock of it runs.
"""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, NamedTuple

from shared.observability import place
from shared.storage.act import Store
from shared.storage.engine import is_trouble
from shared.stuck import (
    COUNTED,
    Held,
    Marks,
    Question,
    Stuck,
    held,
    marks,
    open_after,
    parked,
    said,
)

SHOWN = 5
BATCH = 500
IN_FLIGHT = timedelta(minutes=5)  # a fact may be on its way that long
DEEP = 1_000  # messages in a queue

Stores = Mapping[str, Store[Any]]


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
    ordered = sorted(found, key=lambda one: (one.since is None, one.since or 0))
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
            groups.append(group(name, AWAY, [Stuck(name, None, place(error))]))
    if len(readable) == len(stores):
        groups += await _between(stores, real)
    return groups


AWAY = Question(
    "away",
    "数据库无法读取 a database that cannot be read",
    "数据库停止、不可达或过慢 it is down, out of reach or too slow",
    "恢复数据库后再看本页 bring it back, then read this page again",
)


async def _of_service(name: str, store: Store[Any], now: datetime, real: datetime) -> list[Group]:
    questions: tuple[Question, ...] = import_module(f"services.{name}.stuck").QUESTIONS
    found = []
    async with store.act("ops", now=now) as act:
        for question in questions:
            answers = await question.find(act, real)
            found += [group(name, question, answers)] if answers else []
    return found


# --- between services --------------------------------------------------------------------------


class Mark(NamedTuple):
    """A fact that several services must come to know: who says it, and the mark it leaves."""

    key: str
    speaker: str
    mark: str


MARKS = (
    Mark("ticket.withdrawn", "intake", "withdrawn"),
    Mark("ticket.resolved", "dispatcher", "resolved"),
    Mark("ticket.closed", "feedback", "closed"),
    Mark("ticket.reopened", "feedback", "round"),
)
REGISTERED = Mark("ticket.registered", "intake", "")
OPENED_BY = ("intake", "dispatcher")  # who keeps a ticket open until they hear of its end

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
    """Compare every ticket that is open at intake or at the dispatcher."""
    unheard: dict[str, set[Stuck]] = {name: set() for name in stores}
    unknown: set[Stuck] = set()
    for opened_by in OPENED_BY:
        after = ""
        while numbers := await _open(stores[opened_by], opened_by, after):
            after = numbers[-1]
            known = {name: await _marks(store, name, numbers) for name, store in stores.items()}
            for name, stuck in await _unheard(stores, known, real):
                unheard[name].add(stuck)
            unheard["tracker"] |= await _undispatched(stores, numbers, real)
            unknown |= {
                Stuck(number, None, opened_by)
                for number in numbers
                if number not in known["intake"]
            }
    return [
        *(group(name, UNHEARD, sorted(found)) for name, found in unheard.items() if found),
        *([group("intake", UNKNOWN, sorted(unknown, key=str))] if unknown else []),
    ]


async def _open(store: Store[Any], name: str, after: str) -> list[str]:
    statement = import_module(f"services.{name}.stuck").OPEN
    async with store.act("ops") as act:
        return await open_after(act, statement, after, BATCH)


async def _marks(store: Store[Any], name: str, numbers: Sequence[str]) -> dict[str, Marks]:
    statement = import_module(f"services.{name}.stuck").MARKS
    async with store.act("ops") as act:
        return await marks(act, statement, numbers)


Known = Mapping[str, Mapping[str, Marks]]


async def _unheard(stores: Stores, known: Known, real: datetime) -> list[tuple[str, Stuck]]:
    """What one service said and another has not heard, though it was said a while ago."""
    found = []
    for listener in stores:
        for mark in (REGISTERED, *MARKS):
            if listener == mark.speaker:
                continue
            if behind := sorted(_behind(known, mark, listener)):
                lost = await _lost(stores, mark, listener, behind, real)
                found += [(listener, stuck) for stuck in lost]
    return found


def _behind(known: Known, mark: Mark, listener: str) -> Iterator[str]:
    """The tickets of which a listener knows less than the speaker."""
    heard = known[listener]
    for number, there in known[mark.speaker].items():
        here = heard.get(number)
        if mark is REGISTERED or here is None:
            if mark is REGISTERED and here is None:
                yield number
        elif (mine := getattr(here, mark.mark)) is not None and mine < getattr(there, mark.mark):
            yield number


async def _undispatched(stores: Stores, numbers: Sequence[str], real: datetime) -> set[Stuck]:
    """The tickets with an open assignment the tracker has not heard of."""
    here = await _held(stores["tracker"], "tracker", numbers)
    by_unit: dict[str, list[str]] = defaultdict(list)
    for one in await _held(stores["dispatcher"], "dispatcher", numbers) - here:
        by_unit[one.unit].append(one.ticket)
    found: set[Stuck] = set()
    for unit, tickets in by_unit.items():
        mark = Mark(f"assignment.dispatched.{unit}", "dispatcher", "")
        found.update(await _lost(stores, mark, "tracker", tickets, real))
    return found


async def _held(store: Store[Any], name: str, numbers: Sequence[str]) -> set[Held]:
    statement = import_module(f"services.{name}.stuck").HELD
    async with store.act("ops") as act:
        return await held(act, statement, numbers)


async def _lost(
    stores: Stores, mark: Mark, listener: str, numbers: Sequence[str], real: datetime
) -> Iterable[Stuck]:
    """Those whose fact was sent a while ago and does not wait among the listener's retries."""
    async with stores[mark.speaker].act("ops") as act:
        when = await said(act, mark.key, numbers)
    async with stores[listener].act("ops") as act:
        waiting = await parked(act, mark.key, numbers)
    return [
        Stuck(number, moment, f"{mark.key} ← {mark.speaker}")
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
