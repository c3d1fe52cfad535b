"""What is wrong with the database, in one plain sentence: its own code, what it means, what helps.

A wrong password, a full disk, a server that is away and one that is frozen are different things to
whoever must mend them. No sentence carries a value, an address or a secret.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping

from asyncpg.exceptions import ClientConfigurationError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.observability import place

# By SQLSTATE, else by its class (the first two characters).
SENTENCES: Mapping[str, str] = {
    "28P01": "数据库口令不对：核对地址中的口令与库中角色的口令 "
    "the database refuses the password: compare the address with the role's password",
    "28000": "数据库角色不存在或不许从此处登录：核对地址中的角色与 pg_hba.conf "
    "the database role does not exist or may not log in from here: see the address and pg_hba.conf",
    "3D000": "没有这个数据库：核对地址，或先建库 "
    "there is no such database: correct the address, or create it first",
    "42P01": "库结构缺失或过旧：运行 migrate the schema is missing or older: run the migrate step",
    "42703": "库结构过旧：运行 migrate the schema is older than this release: run the migrate step",
    "42501": "数据库角色权限不足：授权后重试 "
    "the database role lacks a right: grant it, then try again",
    "53100": "数据库磁盘已满：腾出空间后自动恢复 "
    "the database's disk is full: free some space; all goes on by itself",
    "53200": "数据库内存不足 the database is out of memory: see its log and its machine",
    "53300": "数据库连接数已满：调大 max_connections，或减少副本与 JIESU_POOL_SIZE the database takes "
    "no more connections: raise max_connections, or run fewer replicas or a smaller JIESU_POOL_SIZE",
    "53": "数据库资源不足 the database lacks resources: see its log and its machine",
    "25006": "数据库只读，可能是备库：指向主库，或取消只读 "
    "the database is read only, perhaps a standby: name the primary, or make it writable",
    "57P01": "数据库正在关闭或断开了连接：启动后自动恢复 "
    "the database shuts down or ended the connection: start it; all goes on by itself",
    "57P02": "数据库崩溃后正在恢复，自动重试 "
    "the database crashed and recovers: it is tried again; see its log",
    "57P03": "数据库正在启动或恢复，自动重试 the database is starting or recovering: it is tried again",
    "57014": "语句超时，数据库过慢 a statement took too long: the database is too slow, see its load",
    "58": "数据库读写文件出错：看其日志与磁盘 "
    "the database cannot read or write its files: see its log and its disk",
    "08": "数据库连接中断，自动重试 the connection to the database was lost: it is tried again",
    "40": "并发冲突，自动重试 two transactions met: it is tried again",
    "55P03": "等待锁超时，自动重试 a lock was not had in time: it is tried again",
}
FROZEN = (
    "数据库无响应：服务器或网络冻结、过载 "
    "the database does not answer: its server or the network is frozen or overloaded"
)
REFUSED = (
    "数据库未运行或地址、端口不对 "
    "the database is away: it does not run, or its address or port is wrong"
)
NO_NAME = (
    "数据库主机名无法解析 the name of the database's host is not found: correct it, or see DNS"
)
NO_SOCKET = "数据库套接字不存在，可能未运行 the database's socket is not there: it may not run"
UNTRUSTED = (
    "数据库的 TLS 连接失败：核对证书、主机名与 JIESU_TLS_CA "
    "TLS with the database fails: see its certificate, its name and JIESU_TLS_CA"
)
UNUSABLE = (
    "数据库地址或其证书文件无法使用：核对 JIESU_DATABASE_URL 与 JIESU_TLS_CA "
    "the database's address or a file it names cannot be used: see JIESU_DATABASE_URL, JIESU_TLS_CA"
)
BUSY = "本服务的数据库连接全部占用 every database connection of this service is in use"
LOST = "数据库连接中断，自动重试 the connection to the database was lost: it is tried again"

# The first that fits: PoolTimeout and TimeoutError are of no kin, most others are OSErrors.
KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (PoolTimeout, BUSY),
    (ClientConfigurationError, UNUSABLE),
    (TimeoutError, FROZEN),
    (socket.gaierror, NO_NAME),
    (ssl.SSLError, UNTRUSTED),
    (ConnectionRefusedError, REFUSED),
    (FileNotFoundError, NO_SOCKET),
    (ConnectionError, LOST),
    (OSError, REFUSED),
)


def sqlstate(error: BaseException) -> str:
    """The database's own code for an error; empty when it gave none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def said(error: BaseException) -> str:
    """What is wrong and what helps, with the database's code; else the error's kind and place."""
    for found in _causes(error):
        state = sqlstate(found) or str(getattr(found, "sqlstate", None) or "")
        if sentence := SENTENCES.get(state) or SENTENCES.get(state[:2]):
            return f"{state} {sentence}"
    for found in _causes(error):
        for kind, sentence in KINDS:
            if isinstance(found, kind):
                return sentence
    return place(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what the driver said, and what that came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "orig", None) or error.__cause__
