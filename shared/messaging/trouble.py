"""What is wrong with the broker, in one plain sentence: what it means, and what helps.

A refused login, a virtual host that lets nobody in, a broker that is away, frozen or blocked by an
alarm are different things to whoever must mend them. No sentence carries an address or a secret.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import (
    AMQPConnectionError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ConnectionClosed,
    ConnectionNotAllowed,
    IncompatibleProtocolError,
    InvalidFrameError,
    ProbableAuthenticationError,
)

from shared.observability import place

REFUSED = (
    "403 消息代理拒绝登录：核对地址中的用户与口令 "
    "the broker refuses the login: compare user and password with its own"
)
NO_ENTRY = (
    "530 消息代理不许进入虚拟主机：主机不存在、此用户无权，或其连接数已满 the broker lets this user not "
    "into its virtual host: there is none, or no right to it, or the user has all its connections"
)
NO_RIGHT = (
    "403 此用户无权：导入 broker-definitions this user of the broker has not the right: import the "
    "definitions, see docs/operations/broker-users.md"
)
NO_QUEUE = (
    "404 队列或交换机不存在：运行 migrate a queue or exchange is missing: run the migrate step"
)
AWAY = "消息代理未运行或地址、端口不对 the broker is away: it does not run, or its address or port is wrong"
NO_NAME = (
    "消息代理主机名无法解析 the name of the broker's host is not found: correct it, or see DNS"
)
FROZEN = (
    "消息代理无响应：服务器或网络冻结、过载 "
    "the broker does not answer: its server or the network is frozen or overloaded"
)
BLOCKED = (
    "消息代理因内存或磁盘告警停收消息：腾出空间后自动恢复 the broker takes nothing, an alarm of memory or "
    "disk blocks it: free some; all goes on by itself"
)
UNTRUSTED = (
    "消息代理的 TLS 连接失败：核对证书、主机名与 JIESU_TLS_CA "
    "TLS with the broker fails: see its certificate, its name and JIESU_TLS_CA"
)
NO_BROKER = (
    "对方不是 AMQP 消息代理：核对端口与 TLS "
    "what answers is no AMQP broker: see the port, and whether it wants TLS"
)
SHUT = (
    "消息代理断开了连接，自动重试 the broker ended the connection: it is tried again; see its log"
)
LOST = "与消息代理的连接中断，自动重试 the connection to the broker was lost: it is tried again"

# The first that fits: the special before what it is a kind of.
KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ProbableAuthenticationError, REFUSED),
    (ConnectionNotAllowed, NO_ENTRY),
    (ChannelAccessRefused, NO_RIGHT),
    (ChannelNotFoundEntity, NO_QUEUE),
    (IncompatibleProtocolError, NO_BROKER),
    (ssl.SSLError, UNTRUSTED),
    (socket.gaierror, NO_NAME),
    (ConnectionRefusedError, AWAY),
    (TimeoutError, FROZEN),
    (ConnectionClosed, SHUT),
)
CUT = (AMQPConnectionError, ConnectionError, RuntimeError, StopAsyncIteration)


def said(error: BaseException) -> str:
    """What is wrong and what helps; else the error's kind and place."""
    causes = list(_causes(error))
    for found in causes:
        if isinstance(found, InvalidFrameError) and "Connection.OpenOk" in str(found.args):
            return NO_ENTRY  # aiormq takes the broker's refusal for a frame it cannot read
        for kind, sentence in KINDS:
            if isinstance(found, kind):
                return sentence
    if any(isinstance(found, CUT) for found in causes):
        return LOST
    return AWAY if any(isinstance(found, OSError) for found in causes) else place(error)


async def is_blocked(connection: AbstractConnection) -> bool:
    """Whether the broker told us that an alarm blocks a connection: nobody then confirms."""
    if connection.transport is None or not connection.connected.is_set():
        return False
    ready = asyncio.ensure_future(connection.transport.connection.ready())
    await asyncio.wait({ready}, timeout=0.01)
    return ready.cancel()  # False: it was ready already


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
