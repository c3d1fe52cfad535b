"""时限规则版本: which version of limits.yaml and supervision.yaml decides at a moment, in every service that
goes by them (ADR 0072).

One service keeps the drafts and says what is published, a good while before it takes effect; each keeps it in
its table ``policies``, and every process remembers the table, looking there when it starts and every ten
seconds. So who asks at the effective moment asks nobody. Before anything was published, and for who has heard
of nothing, the county's folder decides: that is version 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import ConfigError, TooEarly
from shared.events import Fact, PolicyPublished, PolicyWithdrawn
from shared.jurisdiction.folder import valued
from shared.jurisdiction.limits import LimitTable
from shared.storage.act import Act, Store

FOLDERS = 1  # the version that is the county's folder
# Between publishing and the effective moment: every service hears of it meanwhile, and every process looks.
NOTICE = timedelta(minutes=10)
NOTE = text("""
    INSERT INTO policies (version, effective_at, limits, supervision)
    VALUES (:version, :effective_at, :limits, :supervision) ON CONFLICT (version) DO NOTHING""")
WITHDRAW = text("UPDATE policies SET withdrawn = true WHERE version = :version")
KNOWN = text("""
    SELECT version, effective_at, limits, supervision FROM policies
    WHERE NOT withdrawn ORDER BY version""")
M = TypeVar("M", bound=BaseModel)


class Known(NamedTuple):
    """A version that was published, with its two files."""

    version: int
    effective_at: datetime
    limits: bytes
    supervision: bytes


_known: WeakKeyDictionary[Store[Any], Sequence[Known]] = WeakKeyDictionary()


# --- which one decides -------------------------------------------------------------------------


def at(act: Act[Any], moment: datetime | None = None) -> Known | None:
    """The version that is in force at a moment, or now; None: the county's folder."""
    return _at(act.store, moment or act.now)


def _at(store: Store[Any], moment: datetime) -> Known | None:
    known = _known.get(store, ())
    held = [each for each in known if each.effective_at <= moment]
    return next(iter(held[-1:] or known), None)


def version(act: Act[Any], moment: datetime | None = None) -> int:
    """Its number."""
    found = at(act, moment)
    return found.version if found else FOLDERS


def limits(act: Act[Any], moment: datetime | None = None) -> LimitTable:
    """Its limits."""
    return _limits(act.config, at(act, moment))


def limits_at(store: Store[Any], moment: datetime) -> LimitTable:
    """The limits of the version in force at a moment, for who has no transaction yet."""
    return _limits(store.config, _at(store, moment))


def _limits(config: Any, found: Known | None) -> LimitTable:
    folders: LimitTable = config.limits
    if found is None:
        return folders
    return read("limits.yaml", found.limits, LimitTable).among(config.codes)


def read(file: str, raw: bytes, model: type[M]) -> M:
    """One file of a version as its model; read once a process. Raises ConfigError for what a newer release
    published and this one cannot read.
    """
    found, faults = valued(file, raw, model)
    if faults or not isinstance(found, model):
        listed = "\n".join(map(str, faults))
        raise ConfigError(
            f"已发布的时限规则本版本无法读取 a published policy cannot be read\n{listed}"
        )
    return found


# --- what was published ------------------------------------------------------------------------


async def hear(act: Act[Any], fact: Fact) -> None:
    """时限规则发布: keep a version until it is in force, and as long as a clock may run under it."""
    await note(act, fact.data)


async def hear_withdrawn(act: Act[Any], fact: Fact) -> None:
    """时限规则撤回: it will not take effect. Raises TooEarly before it was heard of."""
    data: PolicyWithdrawn = fact.data
    if not await withdraw(act, data.policy_version):
        raise TooEarly(f"policy {data.policy_version} was not published here yet")


async def note(act: Act[Any], data: PolicyPublished) -> None:
    """Keep a version; this process knows it at once. Raises ConfigError where it cannot be read."""
    read("limits.yaml", data.limits_yaml.encode(), LimitTable)
    row = {
        "version": data.policy_version,
        "effective_at": data.effective_at,
        "limits": data.limits_yaml,
        "supervision": data.supervision_yaml,
    }
    await (await act.session.connection()).execute(NOTE, row)
    await take_up(act)


async def withdraw(act: Act[Any], version: int) -> bool:
    """Take a version back; whether there is one of that number."""
    found = await (await act.session.connection()).execute(WITHDRAW, {"version": version})
    await take_up(act)
    return found.rowcount > 0


async def take_up(act: Act[Any]) -> None:
    """Go by what the service has heard by now. Raises ConfigError where it cannot be read."""
    await remember(act.store, await act.session.connection())


async def remember(store: Store[Any], connection: AsyncConnection) -> None:
    """The same, by a connection that only reads."""
    rows = (await connection.execute(KNOWN)).all()
    found = tuple(
        Known(row.version, row.effective_at, row.limits.encode(), row.supervision.encode())
        for row in rows
    )
    for each in found:
        read("limits.yaml", each.limits, LimitTable)
    if found != _known.get(store):
        _known[store] = found


async def follow(store: Store[Any], _: int) -> int:
    """A job: go by what other processes of the service have heard."""
    async with store.act(f"service:{store.name}") as act:
        await take_up(act)
    return 0


async def never(_: Act[Any]) -> datetime | None:
    """No moment of the trade's makes that due."""
    return None
