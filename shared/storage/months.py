"""A month of the fact log or the inbox, by the time that is in the id of a fact.

The first 48 bits of a UUIDv7 are milliseconds since 1970. So a month is a range of ids: what is unique
by id stays unique over all months, and no table needs a second column to be divided by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

AHEAD = 3  # months made before they begin
BOUND = re.compile(r"FROM \((?:'(?P<since>[^']+)'|MINVALUE)\) TO \('(?P<until>[^']+)'\)")


def month_of(moment: datetime) -> date:
    """The first day of a moment's month: ids count the hours of UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


def months_after(month: date, count: int) -> date:
    """The month so many later."""
    years, months = divmod(month.month - 1 + count, 12)
    return date(month.year + years, months + 1, 1)


def first_id(month: date) -> UUID:
    """The least id of a month."""
    began = datetime(month.year, month.month, 1, tzinfo=UTC)
    return UUID(int=int(began.timestamp() * 1000) << 80)


def _told(id: UUID) -> date:
    return month_of(datetime.fromtimestamp((id.int >> 80) / 1000, UTC))


def quoted(id: UUID | None) -> str:
    """A bound of ids, as SQL has it."""
    return f"'{id}'" if id else "MINVALUE"


class Partition(NamedTuple):
    """A part of a table: ids from ``since`` to before ``until``, all below it without the first; neither
    for the default one. ``detached``: the hot table no longer holds it.
    """

    table: str
    name: str
    since: UUID | None
    until: UUID | None
    detached: bool
    octets: int

    @classmethod
    def read(cls, table: str, name: str, bound: str, detached: bool, octets: int) -> Partition:
        """From how PostgreSQL prints its bounds."""
        found = BOUND.search(bound)
        since, until = (found["since"], found["until"]) if found else (None, None)
        since_id, until_id = UUID(since) if since else None, UUID(until) if until else None
        return cls(table, name, since_id, until_id, detached, octets)

    @property
    def itself(self) -> str:
        """As SQL names it where it changes its parent."""
        return f"PARTITION months.{self.name}"

    @property
    def bounds(self) -> str:
        """As SQL has them."""
        return f"FROM ({quoted(self.since)}) TO ({quoted(self.until)})"

    @property
    def holds(self) -> str:
        """What is true of each of its ids, as SQL has it."""
        below = f"fact < {quoted(self.until)}"
        return f"{below} AND fact >= {quoted(self.since)}" if self.since else below

    @property
    def span(self) -> str:
        """From which month, and before which, for people."""
        if self.until is None:
            return "默认 default"
        return (
            f"{f'{_told(self.since):%Y-%m}' if self.since else '…'} – < {_told(self.until):%Y-%m}"
        )

    def has(self, month: date) -> bool:
        """Whether the ids of a month are its own."""
        id = first_id(month)
        return self.until is not None and id < self.until and (self.since or id) <= id


def lacking(known: Sequence[Partition], now: datetime, ahead: int = AHEAD) -> list[date]:
    """The months of a table that should be there by now and are not: this one, and so many ahead. Pure."""
    wanted = [months_after(month_of(now), count) for count in range(ahead + 1)]
    return [month for month in wanted if not any(each.has(month) for each in known)]
