"""Whether the database does what a request needs: takes a connection, answers, and can write.

On a connection of its own, so that a pool in full use is no sign of a database that is away. It
writes into a temporary table: that takes room on the database's disk, as a ticket does, and leaves
nothing behind. On a server that may only be read even the table is refused.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.attempt import Attempt
from shared.storage.engine import open_engine
from shared.storage.trouble import sqlstate

SECONDS = 0.8  # /readyz answers within a second
PATIENCE = 5.0  # then a hanging statement is given up, and the next look connects anew
RENEWED = 600  # seconds: an old temporary table would hold the database's housekeeping up

NO_RIGHT = "42501"  # a database may let its role make no temporary tables
TABLE = text("CREATE TEMPORARY TABLE IF NOT EXISTS pulse (beat boolean) ON COMMIT DELETE ROWS")
BEAT = text("INSERT INTO pulse VALUES (true)")


class Pulse:
    """A look at a database that takes less than a second. ``beat()`` raises what is wrong with it."""

    def __init__(self, url: str) -> None:
        engine = open_engine(url, 1, PATIENCE, recycle=RENEWED)
        self._engine: AsyncEngine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.beat: Attempt[None] = Attempt(self._beat, SECONDS)

    async def _beat(self) -> None:
        async with self._engine.connect() as connection:
            try:
                await connection.execute(TABLE)
            except DBAPIError as error:
                if sqlstate(error) != NO_RIGHT:
                    raise
                return  # it answers; whether it can write is not ours to try
            await connection.execute(BEAT)

    async def close(self) -> None:
        """Give the connection back."""
        self.beat.give_up()
        await self._engine.dispose()
