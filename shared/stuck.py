"""What has not moved in time: questions each service asks its own database.

They make the page of docs/operations/every-morning.md. An answer names tickets, units and moments,
never a person. Every question is bounded: it counts no further than COUNTED, and is served by an
index or by a table that holds open work only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from shared.storage.act import Act
from shared.storage.months import lacking
from shared.storage.partitions import TABLES, astray, partitions

COUNTED = 1_000


class Stuck(NamedTuple):
    """One thing that does not move: what it is, since when (if that is known), and a word on it."""

    subject: str
    since: datetime | None
    note: str


Find = Callable[[Act[Any], datetime], Awaitable[Sequence[Stuck]]]


async def elsewhere(_: Act[Any], __: datetime) -> Sequence[Stuck]:
    """No answer here: whoever looks at more than one database has it."""
    return ()


@dataclass(frozen=True, slots=True)
class Question:
    """One way of being stuck: its name, why it happens and what helps, in both languages.

    ``find(act, real)`` goes by ``act.now``, the trade's time, or by the wall clock ``real``.
    """

    slug: str
    title: str
    why: str
    do: str
    find: Find = elsewhere


def rows(statement: str) -> Find:
    """A question in SQL: columns subject, since, note; it may use :now, :real and :limit."""
    query = text(statement)

    async def find(act: Act[Any], real: datetime) -> Sequence[Stuck]:
        connection = await act.session.connection()
        values = {"now": act.now, "real": real, "limit": COUNTED}
        used = {name: values[name] for name in query.compile().params}
        return [Stuck(*row) for row in await connection.execute(query, used)]

    return find


async def _without_month(act: Act[Any], real: datetime) -> Sequence[Stuck]:
    """Months that should be there, and rows that fell beside one."""
    connection, found = await act.session.connection(), list[Stuck]()
    for table in TABLES:
        missing = lacking(await partitions(connection, table), real, ahead=1)
        found += [Stuck(f"{table} {at:%Y-%m}", None, "未建 is not made") for at in missing]
        strays = await astray(connection, table, COUNTED)
        found += [
            Stuck(
                f"{table} {at:%Y-%m}", None, f"{count} 行在默认分区 rows in the default partition"
            )
            for at, count in sorted(strays.items())
        ]
    return found


def _parked(state: str, minutes: int) -> Find:
    return rows(f"""
        SELECT subject, since, '#' || id || ' ' || key || ' 尝试 tries ' || attempts || ' ' || reason
        FROM retry WHERE state = '{state}'
            AND since <= CAST(:real AS timestamptz) - interval '{minutes} minutes'
        ORDER BY since LIMIT :limit""")


UNSENT = Question(
    "unsent",
    "未发出的事实 facts not sent",
    "总线不通、积压未发完，或本服务未运行 the broker is away, the relay is behind, or the service "
    "does not run",
    "看 jiesu_broker_up：0 为不通，1 且总数下降为积压；随后自动发出 jiesu_broker_up 0: it is away, see the "
    "service's log; 1 and fewer each time you look: behind. They flow by themselves",
    rows("""
        SELECT subject, recorded, key || ' 尝试 tries ' || attempts FROM outbox
        WHERE position IS NULL AND reason IS NULL
            AND recorded <= CAST(:real AS timestamptz) - interval '1 minute'
        ORDER BY id LIMIT :limit"""),
)
REFUSED = Question(
    "refused",
    "总线拒收的事实 facts the broker refuses",
    "总线收别的、单不收这一条，见原因；其他事实照常发出 it takes others but not this one; the reason is"
    " the broker's own, and everything else flows",
    "按原因处理：过大则调高总线的 max_message_size，无权则补权限；之后自动发出 mend what it names: raise"
    " max_message_size, grant the right; then it goes by itself",
    rows("""
        SELECT subject, recorded, '#' || id || ' ' || key || ' ' || octet_length(body)
            || ' 字节 bytes 尝试 tries ' || attempts || ' ' || reason
        FROM outbox WHERE position IS NULL AND reason IS NOT NULL
        ORDER BY id LIMIT :limit"""),
)

# What every service has: the facts it says, and those it could not handle yet.
EVERYWHERE = (
    UNSENT,
    REFUSED,
    Question(
        "dead",
        "处理失败、需人工的事实 facts that failed for good",
        "多次失败或不合契约，见原因 it failed too often or fits no contract; the reason says which",
        "先排除原因，再 make replay  mend the cause, then make replay",
        _parked("dead", 0),
    ),
    Question(
        "failed",
        "正在重试的事实 facts that keep failing",
        "处理时出错，自动重试 12 次 the handler raises; 12 tries, then it is dead",
        "按原因中的位置看服务日志 look for the place named in the service's log",
        _parked("failed", 10),
    ),
    Question(
        "newer",
        "较新版本的事实 facts of a newer release",
        "发布者版本较新，本服务尚不能读；已留存，不会丢失 their speaker runs a newer release than this "
        "service, which cannot read them yet; they are kept",
        "升级本服务，升级后自动处理 upgrade this service: they are handled by themselves",
        _parked("newer", 0),
    ),
    Question(
        "behind",
        "排在其他事实之后的事实 facts behind an earlier one",
        "同一工单前一事实失败或版本较新 an earlier fact of the same ticket failed, or is of a newer release",
        "前者处理后自动继续 mend the failed one, or upgrade; they follow",
        _parked("behind", 10),
    ),
    Question(
        "early",
        "等待前情的事实 facts that came too early",
        "前一服务的事实尚未到达 the fact they build on has not arrived: its speaker is silent",
        "看前情所属服务是否运行；丢失则 resend  see whether its speaker runs; resend what was lost",
        _parked("early", 10),
    ),
    Question(
        "months",
        "缺月份分区 months that have no partition",
        "按月建分区受阻，见服务日志；数据不丢，落在默认分区，但不能卸下 none could be made, see the service's"
        " log; nothing is lost: rows fall into the default partition, which cannot be put away",
        "python -m services partitions make --move 补建并移入 makes them and takes their rows there",
        _without_month,
    ),
)


# --- what services tell of one another ---------------------------------------------------------


class Progress(NamedTuple):
    """How far a ticket is as one service knows it: rounds, 0 for none; None: it does not keep it."""

    number: str
    round: int
    resolved: int
    closed: int | None
    withdrawn: bool


class KnownAssignment(NamedTuple):
    """An assignment as one service knows it."""

    id: UUID
    ticket: str
    unit: str


SAID = text("""
    SELECT subject, max(recorded) AS said FROM fact_log
    WHERE subject = ANY(CAST(:subjects AS text[])) AND key = :key
    GROUP BY subject HAVING bool_and(position IS NOT NULL)""")

PARKED = text("""
    SELECT subject FROM retry WHERE subject = ANY(CAST(:subjects AS text[])) AND key = :key""")


async def said(act: Act[Any], key: str, subjects: Sequence[str]) -> dict[str, datetime]:
    """Subject → when this service last said such a fact; none while one is not yet sent."""
    connection = await act.session.connection()
    found = await connection.execute(SAID, {"subjects": subjects, "key": key})
    return {row.subject: row.said for row in found}


async def parked(act: Act[Any], key: str, subjects: Sequence[str]) -> set[str]:
    """The subjects of which such a fact waits in this service's own table of retries."""
    connection = await act.session.connection()
    found = await connection.execute(PARKED, {"subjects": subjects, "key": key})
    return {row.subject for row in found}


async def progress(act: Act[Any], statement: str, numbers: Sequence[str]) -> dict[str, Progress]:
    """How far tickets are here, by number; what is not known here is missing."""
    connection = await act.session.connection()
    found = await connection.execute(text(statement), {"numbers": numbers})
    return {row.number: Progress(*row) for row in found}


async def known_assignments(
    act: Act[Any], statement: str, numbers: Sequence[str]
) -> set[KnownAssignment]:
    """The assignments of tickets that are known here."""
    connection = await act.session.connection()
    found = await connection.execute(text(statement), {"numbers": numbers})
    return {KnownAssignment(*row) for row in found}


async def open_after(act: Act[Any], statement: str, after: str, limit: int) -> list[str]:
    """The next numbers of tickets that are open here."""
    connection = await act.session.connection()
    found = await connection.execute(text(statement), {"after": after, "limit": limit})
    return [row.number for row in found]
