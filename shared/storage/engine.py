"""The connection to a service's database, and what counts as its trouble."""

from __future__ import annotations

import orjson
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.errors import ConfigError
from shared.storage.trouble import sqlstate

# What a peer that vanished without a word may hold up: a replica's locks (the relay's, a day's
# numbers) are given back after a minute, and a server that does not answer is trouble after half.
PATIENCE = 30.0  # seconds for one statement; migrations may take longer
FOR_A_CONNECTION = 5.0  # seconds a request waits for one of the pool; then too many ask
SESSION = {
    "timezone": "UTC",
    "application_name": "jiesu",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def open_engine(
    url: str, pool_size: int = 5, patience: float | None = None, recycle: int = -1
) -> AsyncEngine:
    """An engine whose errors never carry values: they would reach logs and the retry table.

    ``patience`` is how many seconds a statement may take; None is for ever. ``recycle``: after how
    many seconds a connection is made anew; -1 is never. Raises ConfigError for what is no address.
    """
    try:
        make_url(url)
    except (ArgumentError, ValueError):  # their messages repeat the address, with its password
        raise ConfigError(
            "JIESU_DATABASE_URL: 不是数据库地址 is no address of a database"
        ) from None
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=FOR_A_CONNECTION,
        pool_pre_ping=False,
        pool_recycle=recycle,
        hide_parameters=True,
        json_deserializer=orjson.loads,
        connect_args={"server_settings": SESSION, "timeout": 10, "command_timeout": patience},
    )


def is_crowded(error: BaseException) -> bool:
    """Whether all connections were in use for too long: too many ask, and the database is well."""
    return isinstance(error, PoolTimeout)


# 08 connection, 28 login, 3D database, 40 serialization and deadlock, 53 resources, 57 operator
# intervention, 58 the server's files; 25006: only read, as a standby is.
TROUBLE = ("08", "25006", "28", "3D000", "40", "53", "57", "58", "55P03")


def is_trouble(error: BaseException) -> bool:
    """Whether an error is the database's trouble and no failure of what was being done."""
    if isinstance(error, (PoolTimeout, ConnectionError, TimeoutError, OSError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig and error.orig.__cause__, ValueError):
        return False  # the driver refused an argument: it would refuse it for ever
    state = sqlstate(error)
    return error.connection_invalidated or not state or state.startswith(TROUBLE)
