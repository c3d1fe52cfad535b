"""Each trouble of database and broker has a sentence of its own, and none carries a value."""

from __future__ import annotations

import socket
import ssl

import orjson
import pytest
from aiormq.exceptions import (
    AMQPConnectionError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ConnectionClosed,
    InvalidFrameError,
    ProbableAuthenticationError,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.http.problems import to_response
from shared.messaging import trouble as broker
from shared.storage import trouble as database
from shared.storage.engine import is_trouble

SECRET = "postgresql://jiesu:pass-7@db/jiesu"
STATES = {
    "28P01": "口令不对", "28000": "角色不存在", "3D000": "没有这个数据库", "53100": "磁盘已满",
    "53300": "连接数已满", "25006": "只读", "57P01": "正在关闭", "57P03": "正在启动",
    "58030": "读写文件出错", "08006": "连接中断", "40001": "并发冲突",
}  # fmt: skip


class Said(Exception):
    """What a driver raises: a code, and a message that may hold anything."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(SECRET)
        self.sqlstate = sqlstate


def wrapped(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT 1", None, Said(sqlstate))


@pytest.mark.parametrize(("state", "words"), STATES.items())
def test_a_code_of_the_database_has_its_sentence(state: str, words: str) -> None:
    said = database.said(wrapped(state))
    assert said.startswith(f"{state} ")
    assert words in said
    assert SECRET not in said
    assert is_trouble(wrapped(state))


def test_no_two_codes_say_the_same() -> None:
    assert len({database.said(wrapped(state))[6:] for state in STATES}) == len(STATES)


def test_what_has_no_code_has_a_sentence_too() -> None:
    errors: list[BaseException] = [
        PoolTimeout(SECRET),
        TimeoutError(SECRET),
        ConnectionRefusedError(111, SECRET),
        socket.gaierror(-2, SECRET),
        ssl.SSLError(1, SECRET),
        ConnectionResetError(104, SECRET),
        FileNotFoundError(2, SECRET),
    ]
    found = [database.said(error) for error in errors]
    assert len(set(found)) == len(errors)
    assert [said for said in found if SECRET in said or " at " in said] == []


def test_what_is_no_trouble_is_told_by_its_place() -> None:
    assert database.said(KeyError(SECRET)) == "KeyError"
    assert not is_trouble(wrapped("23505"))


def test_who_found_every_connection_in_use_is_told_to_come_again() -> None:
    answer = to_response(PoolTimeout(SECRET))
    told = orjson.loads(bytes(answer.body))
    assert (answer.status_code, told["type"]) == (503, "/errors/busy")
    assert answer.headers["retry-after"] == str(told["retry_after"])
    assert is_trouble(PoolTimeout(SECRET))  # a loop that meets it tries again


def after(error: BaseException, cause: BaseException) -> BaseException:
    """An error as the library raises it for a cause."""
    error.__cause__ = cause
    return error


BROKEN: list[tuple[BaseException, str]] = [
    (ProbableAuthenticationError(SECRET), broker.REFUSED),
    (InvalidFrameError("Expected one of ['Connection.OpenOk'], got Close"), broker.NO_ENTRY),
    (ChannelAccessRefused(SECRET), broker.NO_RIGHT),
    (ChannelNotFoundEntity(SECRET), broker.NO_QUEUE),
    (after(AMQPConnectionError(111, SECRET), ConnectionRefusedError(111, SECRET)), broker.AWAY),
    (after(AMQPConnectionError(-2, SECRET), socket.gaierror(-2, SECRET)), broker.NO_NAME),
    (after(AMQPConnectionError(1, SECRET), ssl.SSLError(1, SECRET)), broker.UNTRUSTED),
    (TimeoutError(), broker.FROZEN),
    (ConnectionClosed(320, SECRET), broker.SHUT),
    (RuntimeError(SECRET), broker.LOST),
]


@pytest.mark.parametrize(("error", "sentence"), BROKEN)
def test_a_trouble_of_the_broker_has_its_sentence(error: BaseException, sentence: str) -> None:
    assert broker.said(error) == sentence


def test_no_two_troubles_of_the_broker_say_the_same() -> None:
    assert len({sentence for _, sentence in BROKEN}) == len(BROKEN)
