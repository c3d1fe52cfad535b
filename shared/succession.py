"""机构改革: units that are no more, as every service has heard of them and every process remembers them.

The dispatcher says it, and each service keeps it in its table ``dissolved``. A process looks there when it
starts and with every heartbeat. Who hears it later does nothing wrong meanwhile: the old unit has no order
any more, so it finds nothing; and the dispatcher moves what still comes to it.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.events import Fact, UnitReformed
from shared.jurisdiction.succession import Dissolved
from shared.storage.act import Act, Store

NOTE = text("""
    INSERT INTO dissolved (unit, since, reform) VALUES (:unit, :since, :reform)
    ON CONFLICT (unit) DO NOTHING""").bindparams(bindparam("reform", type_=JSONB))
KNOWN = text("SELECT unit, since, reform FROM dissolved")


async def hear(act: Act[Any], fact: Fact) -> None:
    """A unit is no more."""
    if fact.unit is None:
        raise ValueError("a reform names the unit that is no more")
    await note(act, fact.unit, Dissolved(fact.time, fact.data))


async def note(act: Act[Any], unit: str, dissolved: Dissolved) -> None:
    """Keep who follows a unit; this process goes by it at once."""
    dissolved = dissolved._replace(since=dissolved.since.astimezone(UTC))
    row = {
        "unit": unit,
        "since": dissolved.since,
        "reform": dissolved.reform.model_dump(mode="json"),
    }
    await (await act.session.connection()).execute(NOTE, row)
    act.store.dissolved = {unit: dissolved, **act.store.dissolved}


async def take_up(store: Store[Any]) -> None:
    """Go by what the service knows by now."""
    async with store.engine.connect() as connection:
        rows = (await connection.execute(KNOWN)).all()
    store.dissolved = {
        row.unit: Dissolved(row.since, UnitReformed.model_validate(row.reform)) for row in rows
    }
