"""The load: when calls come, what they carry, how answers are judged, what its table says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from services.dispatcher.settings import Settings as DispatcherSettings
from services.intake.registration import check_codes
from services.intake.schemas import NewTicket
from services.intake.settings import Settings
from shared.errors import UnknownCode
from tests.load import __main__ as generator
from tests.load.arrivals import NoArrivals, at_random, replayed
from tests.load.calls import BATCH, SHARES, SLIPS, Call, PhoneSystem, complaint
from tests.load.tally import Tally, columns, quantile, width
from tests.load.wire import NoAnswer, Wire

# --- arrivals ----------------------------------------------------------------------------------


def test_random_arrivals_come_at_the_rate_and_in_order() -> None:
    throw = at_random(50)
    moments = [next(throw) for _ in range(5_000)]
    assert moments == sorted(moments)
    assert moments[-1] == pytest.approx(100, rel=0.05)


def file(folder: Path, *lines: str) -> Path:
    path = folder / "calls.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_file_is_replayed_in_order_and_faster(tmp_path: Path) -> None:
    american = file(
        tmp_path,
        "id,created_date",
        "2,12/31/2015 11:59:45 PM",
        "1,12/31/2015 11:59:15 PM",
        "3,",
        "4,01/01/2016 12:00:15 AM",
    )
    assert replayed(american, 10) == [0.0, 3.0, 6.0]
    iso = file(tmp_path, "Created,x", "2026-03-02T09:00:00+08:00,1", "2026-03-02 09:00:20,2")
    assert replayed(iso, 1) == [0.0, 20.0]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("id,closed", "1,2026-03-02"), "created"),
        (("created", "yesterday"), ":2: 不是时间"),
        (("created",), "no row has a time"),
    ],
)
def test_a_file_without_arrivals_says_why(tmp_path: Path, lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(NoArrivals, match=why):
        replayed(file(tmp_path, *lines), 1)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoArrivals, match=r"nothing\.csv: 不能读取"):
        replayed(tmp_path / "nothing.csv", 1)


# --- calls -------------------------------------------------------------------------------------


def test_complaints_are_such_as_intake_takes_and_the_catalogue_knows() -> None:
    config, throw = Settings(embedded=True).load(), Random(1)
    dispatching = DispatcherSettings(embedded=True).load().dispatching
    assert dispatching
    for _ in range(300):
        check_codes(
            NewTicket.model_validate_json(json.dumps(complaint(throw))), config, config.limits
        )


def test_slips_are_refused_as_they_are_owed() -> None:
    config, one = Settings(embedded=True).load(), complaint(Random(1))
    for slip in SLIPS:
        body, owed = slip(one)
        if owed == 400:
            with pytest.raises(json.JSONDecodeError):
                json.loads(body)
            continue
        with pytest.raises((ValueError, UnknownCode)):
            check_codes(NewTicket.model_validate_json(body), config, config.limits)


def receipt(number: int) -> bytes:
    return json.dumps({"number": f"20260302-{number:06d}", "code": "ABCD"}).encode()


def answer_to(call: Call, number: int) -> bytes:
    if call.kind == "batch":
        return json.dumps({"answers": [{"status": 201}] * BATCH}).encode()
    return receipt(number)


def test_every_kind_of_call_is_made_about_as_often_as_meant() -> None:
    phone, made = PhoneSystem("token"), Counter[str]()
    phone.judge(phone.register(), 201, receipt(0))
    for at in range(4_000):
        call = phone.next()
        made[call.kind] += 1
        phone.judge(call, call.owed, answer_to(call, at))
    for kind, share in SHARES.items():
        assert made[kind] / 40 == pytest.approx(share, abs=2.0), kind


def test_keys_differ_but_for_repeats() -> None:
    phone, keys = PhoneSystem("token", shares={"register": 1}), set()
    for at in range(50):
        call = phone.next()
        keys.add(call.headers["Idempotency-Key"])
        phone.judge(call, 201, receipt(at))
    assert len(keys) == 50
    assert PhoneSystem("token").register().headers["Idempotency-Key"] not in keys


def repeat() -> tuple[PhoneSystem, Call, Call]:
    phone = PhoneSystem("token", shares={"repeat": 1})
    first = phone.next()
    phone.judge(first, 201, receipt(7))
    return phone, first, phone.next()


def test_a_repeat_is_owed_the_first_number() -> None:
    phone, first, again = repeat()
    assert (again.body, again.headers, again.owed) == (first.body, first.headers, 200)
    assert phone.judge(again, 200, receipt(7)) == ""
    assert phone.judge(again, 200, receipt(8)) == "a repeat got another number"
    assert phone.judge(again, 201, receipt(8)) == "201 instead of 200"


def test_a_batch_is_owed_all_its_tickets() -> None:
    phone = PhoneSystem("token", shares={"batch": 1})
    short = json.dumps({"answers": [{"status": 201}] * (BATCH - 1)}).encode()
    assert "got" in phone.judge(phone.next(), 200, short)


def test_a_fence_that_held_is_no_failure() -> None:
    phone = PhoneSystem("token")
    assert phone.judge(phone.register(), 429, b"") == ""
    assert phone.judge(phone.register(), 503, b"") == "503 instead of 201"


# --- the wire ----------------------------------------------------------------------------------


@asynccontextmanager
async def server(*answers: bytes) -> AsyncIterator[tuple[Wire, list[bytes]]]:
    """A server that gives these answers in turn, whatever it is asked; b"" hangs up."""
    asked: list[bytes] = []
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().rpartition(b"content-length:")[2])
            asked.append(head + await reader.readexactly(length))
            if not (answer := left.pop(0)):
                break
            for byte in (answer[:30], answer[30:]):  # it comes in pieces
                writer.write(byte)
                await writer.drain()
        writer.close()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    listening = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        wire = Wire(f"http://127.0.0.1:{port}", 1)
        yield wire, asked
        wire.close()


OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


async def test_the_wire_reads_status_and_body_and_keeps_the_connection() -> None:
    async with server(OK, OK) as (wire, asked):
        for body in (b"one", b"two"):
            assert await wire.send(wire.encode("POST", "/v1/tickets", body)) == (201, b"{}")
        assert [request.partition(b"\r\n\r\n")[2] for request in asked] == [b"one", b"two"]


async def test_a_connection_that_rested_too_long_is_opened_again() -> None:
    async with server(OK, b"", OK) as (wire, asked):
        await wire.send(wire.encode("GET", "/"))
        assert (await wire.send(wire.encode("GET", "/")))[0] == 201
        assert len(asked) == 3


async def test_no_answer_is_said_to_be_none() -> None:
    async with server(b"") as (wire, _):
        with pytest.raises(NoAnswer, match="broke"):
            await wire.send(wire.encode("GET", "/"))
    with pytest.raises(NoAnswer, match="ConnectionRefused"):
        await wire.send(wire.encode("GET", "/"))


def test_an_address_must_be_one() -> None:
    with pytest.raises(ValueError, match="not an address"):
        Wire("localhost:8001")


async def test_a_load_counts_from_when_a_call_was_due_and_ends_by_itself() -> None:
    async with server(*[OK] * 3) as (wire, asked):
        phone = PhoneSystem("token", shares={"register": 1})
        load = generator.Load(wire, phone, seconds=5, count=3)
        await load.run(iter([0.0, 0.0, 0.01, 0.02, 9.0]))
    assert len(asked) == load.tally.done == load.tally.sent == 3
    assert load.tally.wrong["register"] == {"not an answer of intake": 3}
    assert min(load.tally.seconds["register"]) > 0


# --- what it says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0), (0.001, 1.0)]
)
def test_quantiles_are_values_that_were_seen(share: float, value: float) -> None:
    assert quantile([float(n) for n in range(1, 101)], share) == value
    assert quantile([], share) == 0.0


def test_the_table_counts_what_was_wrong() -> None:
    tally = Tally(sent=3)
    tally.add("register", 0.1)
    tally.add("register", 0.3, "503 instead of 201")
    tally.add("urge", 0.2)
    said = tally.table(2.0)
    assert "register: 1 × 503 instead of 201" in said
    assert [line.split()[-1] for line in said.splitlines()[1:4]] == ["1", "0", "1"]
    assert "sent 3" in tally.line(2.0)


def test_columns_stand_under_one_another_whatever_the_script() -> None:
    lines = columns([("", "次数"), ("合计 all", "12")]).splitlines()
    assert len({width(line) for line in lines}) == 1
