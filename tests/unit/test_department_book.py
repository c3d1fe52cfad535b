"""The client vendors copy never dies of a line it cannot read: it parks it and goes on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from examples.connection import Connection
from examples.unit_facts import Book, UnitFacts

ODD = "停\u2028水\u2029三\x85天\ufeff\u202e完"


def fact(n: int, text: str = "停水") -> dict[str, Any]:
    return {"id": f"f{n}", "type": "cn.jiesu.assignment.updated.v1", "data": {"content": text}}


def event(n: int, data: str) -> bytes:
    return f"id: {n}\nevent: x\ndata: {data}\n\n".encode()


class Pieces(httpx.AsyncByteStream):
    """An answer that comes in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> Any:
        for piece in self._pieces:
            yield piece


def streamed(book: Book, *pieces: bytes) -> tuple[list[str], str]:
    """What a unit heeds of a stream, and behind which place it asked for more."""
    heeded: list[str] = []
    asked = ""

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked = request.headers["last-event-id"]
        return httpx.Response(200, stream=Pieces(*pieces))

    async def read() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            connection = Connection(http, "http://here")
            facts = UnitFacts(connection, "HC", book, lambda fact: heeded.append(fact["id"]))
            async for position, text in facts._events():
                facts._take(text, position)

    asyncio.run(read())
    return heeded, asked


def test_odd_letters_break_neither_stream_nor_book(tmp_path: Path) -> None:
    path = tmp_path / "HC.jsonl"
    as_they_are = json.dumps(fact(1, ODD), ensure_ascii=False)
    heeded, _ = streamed(Book(path), event(7, as_they_are), event(8, json.dumps(fact(2, ODD))))
    assert heeded == ["f1", "f2"]
    again = Book(path)
    assert [each["data"]["content"] for each in again.facts.values()] == [ODD, ODD]
    assert (again.cursor, again.parked) == (8, [])


@pytest.mark.parametrize(
    "broken",
    ["{", "null", "[1]", '{"id": 3, "type": "x"}', '{"id": "a"}', "[" * 50_000, "\u2028", "1e999"],
)
def test_a_broken_line_is_parked_and_the_stream_goes_on_after_a_restart_too(
    tmp_path: Path, broken: str
) -> None:
    path = tmp_path / "HC.jsonl"
    good = [event(n, json.dumps(fact(n))) for n in (1, 3, 4)]
    assert streamed(Book(path), good[0], event(2, broken), good[1])[0] == ["f1", "f3"]
    again = Book(path)
    assert again.parked == [broken]
    assert streamed(again, good[2]) == (["f1", "f3", "f4"], "3")
    assert Book(path).parked == [broken]


def test_a_parked_line_at_the_end_is_not_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "HC.jsonl"
    streamed(Book(path), event(5, "{"))
    assert Book(path).cursor == 5


def test_what_is_no_utf_8_is_parked(tmp_path: Path) -> None:
    book = Book(tmp_path / "HC.jsonl")
    broken = b'id: 1\ndata: {"id": "\xff\n\n'
    assert streamed(book, broken, event(2, json.dumps(fact(2))))[0] == ["f2"]
    assert len(book.parked) == 1


def test_a_row_half_written_at_a_death_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "HC.jsonl"
    Book(path).keep(fact(1), 1)
    with path.open("ab") as file:
        file.write(b'{"position": 2, "fact": {"id": "f2", "ty')
    Book(path).keep(fact(3), 3)
    for _ in range(2):
        again = Book(path)
        assert list(again.facts) == ["f1", "f3"]
        assert len(again.parked) == 1


def test_the_book_of_the_release_before_is_read(tmp_path: Path) -> None:
    """It wrote letters as they were, and died at U+2028 when it read them again."""
    path = tmp_path / "HC.jsonl"
    row = json.dumps({"position": 1, "fact": fact(1, ODD)}, ensure_ascii=False)
    path.write_text(row + "\n", encoding="utf-8")
    assert Book(path).facts["f1"]["data"]["content"] == ODD


def test_a_stream_comes_in_any_pieces_and_with_any_line_ends() -> None:
    whole = event(1, json.dumps(fact(1, ODD), ensure_ascii=False)).replace(b"\n", b"\r\n")
    assert streamed(Book(), *[bytes([octet]) for octet in whole])[0] == ["f1"]
