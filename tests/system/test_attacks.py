"""What somebody tried in order to lose a ticket, or to double one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.intake.group_commit import GroupCommit
from shared import clock
from shared.errors import TooEarly
from shared.events import TicketClosed
from shared.messaging.bus import Message
from shared.storage.act import InDoubt
from tests.fixtures.bench import Bench
from tests.fixtures.recorder import Recorder, parcel, seen, told
from tests.fixtures.scenes.intake import complaint, registered

HTTP = {"Idempotency-Key": "k"}


# --- one key, two acts -------------------------------------------------------------------------


async def test_a_key_of_another_act_registers_nothing(intake: Bench) -> None:
    client, number = intake.http("phone_system"), (await registered(intake))["number"]
    urges = f"/v1/tickets/{number}/urges"
    first = await client.post(urges, json={"note": "急"}, headers=HTTP)
    for _ in range(2):
        answer = await client.post("/v1/tickets", json=complaint(title="别的"), headers=HTTP)
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("idempotency-key-reused")
    again = await client.post(urges, json={"note": "急"}, headers=HTTP)
    assert (again.status_code, again.text) == (200, first.text)
    assert [fact.name for fact in await intake.told()] == ["ticket.registered", "ticket.urged"]


async def test_a_key_of_a_registration_does_nothing_else(intake: Bench) -> None:
    client = intake.http("phone_system")
    first = await client.post("/v1/tickets", json=complaint(), headers=HTTP)
    urges = f"/v1/tickets/{first.json()['number']}/urges"
    answer = await client.post(urges, json={"note": "急"}, headers=HTTP)
    assert answer.status_code == 422
    again = await client.post("/v1/tickets", json=complaint(), headers=HTTP)
    assert (again.status_code, again.json()) == (200, first.json())
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]


async def test_a_batch_that_comes_three_times_at_once_is_registered_once(intake: Bench) -> None:
    client = intake.http("phone_system")
    batch = {"tickets": [complaint(title=f"第{n}件") for n in range(120)]}
    posts = [client.post("/v1/tickets/batch", json=batch, headers=HTTP) for _ in range(3)]
    answers = [answer.json()["answers"] for answer in await asyncio.gather(*posts)]
    numbers = [[each["ticket"]["number"] for each in one] for one in answers]
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(await intake.told("ticket.registered")) == 120


# --- one of a group fails ----------------------------------------------------------------------


async def test_one_that_cannot_be_stored_does_not_hide_what_was(intake: Bench) -> None:
    await intake.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.title = 'poison' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ticket "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    batch = {"tickets": [complaint(title=title) for title in ("a", "poison", "b")]}
    answer = await intake.http("phone_system").post("/v1/tickets/batch", json=batch)
    assert answer.status_code == 200
    assert [each["status"] for each in answer.json()["answers"]] == [201, 500, 201]
    assert len(await intake.told("ticket.registered")) == 2


async def test_what_may_have_been_committed_is_not_done_again() -> None:
    done: list[int] = []

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        done.extend(items)
        raise InDoubt

    group: GroupCommit[int, int] = GroupCommit(run)
    answers = await asyncio.gather(*(group.submit(n) for n in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {InDoubt}
    assert sorted(done) == [0, 1, 2, 3, 4]


async def test_while_the_database_is_away_nobody_waits_for_everybody_else() -> None:
    tries: list[Sequence[int]] = []

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        tries.append(items)
        raise ConnectionRefusedError

    group: GroupCommit[int, int] = GroupCommit(run)
    answers = await asyncio.gather(*(group.submit(n) for n in range(50)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ConnectionRefusedError}
    assert len(tries) == 2


async def test_a_connection_lost_at_the_commit_leaves_it_in_doubt(intake: Bench) -> None:
    await intake.do(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON ticket "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()",
    )
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint())
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("database-away")
    assert answer.headers["retry-after"] == "5"
    assert await intake.told() == []


async def test_connections_cut_while_idle_cost_nobody_a_ticket(intake: Bench) -> None:
    await asyncio.gather(*(registered(intake, title=f"{n}") for n in range(10)))
    await intake.do(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    client = intake.http("phone_system")
    answers = [await client.post("/v1/tickets", json=complaint()) for _ in range(12)]
    assert {answer.status_code for answer in answers} <= {201, 503}
    stored = [answer.json()["number"] for answer in answers if answer.status_code == 201]
    assert len(stored) >= 10
    assert len(await intake.told("ticket.registered")) == 10 + len(stored)


async def test_requests_that_were_cancelled_hold_up_nobody(intake: Bench) -> None:
    client = intake.http("phone_system")
    posts = [
        asyncio.create_task(client.post("/v1/tickets", json=complaint(title=f"{n}")))
        for n in range(40)
    ]
    await registered(intake)
    for post in posts[::2]:
        post.cancel()
    answers = await asyncio.gather(*posts, return_exceptions=True)
    kept = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {answer.status_code for answer in kept} == {201}
    assert len(kept) >= 20
    assert (await registered(intake))["number"]


# --- poison on the bus -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 2**31, "subject": "20260101-000001"},
        {"seq": 2**63, "subject": "20260101-000001"},
        {"round": 2**31},
        {"type": "cn.jiesu.\0.v1"},
        {"actor": "\0"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
        {"subject": "٣"},
        {"data": {"kind": "\0"}},
    ],
)
async def test_no_field_of_a_fact_can_hold_the_consumer_up(
    intake: Bench, changes: dict[str, Any]
) -> None:
    number = (await registered(intake))["number"]
    good = intake.fact(TicketClosed(kind="satisfied"), subject=number)
    body = json.loads(good.encode()) | {"id": str(uuid4())} | changes
    await intake.receive([Message("ticket.closed", "", json.dumps(body).encode()), parcel(good)])
    [ticket] = await intake.rows("SELECT status FROM ticket")
    assert ticket["status"] == "closed"


@pytest.mark.parametrize("key", ["", "...", "a\0b", "\ud800", "assignment.signed.HC", "x" * 5000])
async def test_no_routing_key_can_hold_the_consumer_up(
    intake: Bench, recorder: Recorder, key: str
) -> None:
    recorder.failing["B"] = ValueError()
    await intake.receive([parcel(told(intake, "B"))])
    behind = parcel(told(intake, "B"))
    await intake.receive([Message(key, behind.id, behind.body), parcel(told(intake, "A"))])
    assert await seen(intake) == [("A", 1)]
    assert [row["state"] for row in await intake.parked()] == ["failed", "behind"]


async def test_a_whole_pass_that_stays_early_does_not_keep_others_from_their_turn(
    intake: Bench, recorder: Recorder
) -> None:
    subjects = [f"A{n:03}" for n in range(12)]
    recorder.failing = dict.fromkeys([*subjects, "Z"], TooEarly("not yet"))
    for subject in (*subjects, "Z"):
        await intake.receive([parcel(told(intake, subject))])
    del recorder.failing["Z"]
    later = clock.real()
    for _ in range(3):
        later += timedelta(seconds=10)
        await recorder.inbox.retry_once(limit=10, now=later)
    assert await seen(intake) == [("Z", 1)]


# --- loops -------------------------------------------------------------------------------------


class Frozen(LocalBus):
    """A bus whose link is frozen: nothing is ever answered, not even its closing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        self.asked += 1
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        await asyncio.Event().wait()


class Away(LocalBus):
    """A bus nobody can reach; it counts who tried."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        self.asked += 1
        raise BusTrouble("away")


@pytest.fixture
async def hurried(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Intake with two seconds to stop in."""
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, stop_seconds=2.0) as one,
    ):
        yield one


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


async def nothing_due(_: Act[Any]) -> datetime | None:
    return None


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The service with its loops while the block lasts."""
    await service.start()
    try:
        yield
    finally:
        await service.stop()


async def test_stopping_keeps_its_budget_whatever_is_stuck(hurried: Bench) -> None:
    service, frozen = hurried.service, Frozen()
    service.bus, service.relay = frozen, Relay(service.store, frozen)
    service.jobs = {"stuck": Job(run=never, due=nothing_due)}
    await frozen.declare({service.queue: list(service.subscriptions)})
    await service.start()
    await registered(hurried)
    async with asyncio.timeout(2.0):
        await service.stop()
    assert frozen.asked >= 1
    assert [fact.name for fact in await hurried.told()] == ["ticket.registered"]


async def test_a_loop_that_was_cancelled_from_inside_is_a_death(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: Any) -> int:
        raise asyncio.CancelledError

    died = asyncio.Event()
    monkeypatch.setattr(intake.service, "on_death", died.set)
    intake.service.jobs = {"frozen": Job(run=cancelled, due=nothing_due)}
    async with running(intake.service), asyncio.timeout(5.0):
        await died.wait()
        assert (intake.service.died, intake.service.ready) == ("intake.frozen", False)
        answer = await intake.http(None).get("/readyz")
        assert (answer.status_code, "intake.frozen" in answer.text) == (503, True)


async def test_commits_do_not_hurry_a_relay_whose_broker_is_away(intake: Bench) -> None:
    away = Away()
    intake.service.relay = Relay(intake.service.store, away)
    async with running(intake.service):
        for _ in range(20):
            await registered(intake)
        assert away.asked <= 2
    assert len(await intake.told("ticket.registered")) == 20


async def test_a_vanished_replica_gives_its_locks_back(intake: Bench) -> None:
    [limit] = await intake.rows("SELECT setting FROM pg_settings WHERE name LIKE 'idle_in_tra%'")
    assert limit["setting"] == "60000"


# --- odd requests ------------------------------------------------------------------------------


def with_raw(field: str, raw: str) -> bytes:
    """A complaint in which a field is what no JSON library would write."""
    return json.dumps(complaint(**{field: "@"})).replace('"@"', raw).encode()


ODD = (
    *('"\\ud800"', "NaN", "Infinity", "1e999", "[]", "{}", '"\\u0000"', "9" * 4000, "9" * 5000),
    *('{"\\ud800": 1}', '{"\\u0000": 1}', '["\\ud800"]', "[" * 900 + "]" * 900, "[" * 100_000),
)
FIELDS = ("type", "title", "area", "flags", "location", "caller", "confidential", "surprise")


@pytest.mark.parametrize("field", FIELDS)
async def test_no_json_is_too_odd_for_a_named_refusal(intake: Bench, field: str) -> None:
    client = intake.http("phone_system")
    for raw in ODD:
        body = with_raw(field, raw)
        for path, content in (
            ("/v1/tickets", body),
            ("/v1/tickets/batch", b'{"tickets": [' + body + b"]}"),
        ):
            answer = await client.post(path, content=content, headers=JSON)
            assert answer.status_code < 500, (raw[:20], answer.text[:200])
            assert "internal-error" not in answer.text
            assert len(answer.content) < 2_000


async def test_a_refusal_does_not_grow_with_the_names_of_unknown_fields(intake: Bench) -> None:
    body = complaint(**{"k" * 200_000: 1})
    answer = await intake.http("phone_system").post("/v1/tickets", json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 2_000


async def test_a_body_that_grows_past_the_limit_as_it_comes_is_refused(intake: Bench) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 1_000_000

    answer = await intake.http("phone_system").post("/v1/tickets", content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("too-large")


@pytest.mark.parametrize("length", ["abc", "-1", "0x10", "\xb2", "9" * 5000])
async def test_a_content_length_that_is_no_length_is_no_500(intake: Bench, length: str) -> None:
    headers = [
        (b"Content-Length", length.encode("latin-1")),
        (b"Content-Type", b"application/json"),
    ]
    answer = await intake.http(None).post("/v1/tickets", content=b"{}", headers=headers)
    assert answer.status_code in (401, 413)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_moments_off_the_calendar_are_refused(intake: Bench, moment: str) -> None:
    answer = await intake.http("desk").get("/v1/tickets", params={"since": moment})
    assert (answer.status_code, answer.json()["field"]) == (422, "since")
    answer = await intake.http("ops").post("/clock", json={"now": moment})
    assert (answer.status_code, answer.json()["field"]) == (422, "now")


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 40_000,
        b'{"kid":5}',
        b'{"alg":"none","kid":"test"}',
        b'{"alg":[],"kid":"test"}',
        b"9" * 5000,
    ],
)
async def test_no_token_is_too_odd_for_a_401(intake: Bench, header: bytes) -> None:
    token = f"{urlsafe_b64encode(header).decode().rstrip('=')}.e30.AA"
    answer = await intake.http(None).get(
        "/v1/tickets", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


async def test_nobody_is_sent_to_a_host_the_request_names(intake: Bench) -> None:
    headers = {"Host": "elsewhere.example"}
    answer = await intake.http("phone_system").post("/v1/tickets/", json={}, headers=headers)
    assert answer.status_code == 404


# --- names in places they do not belong --------------------------------------------------------


@contextmanager
def printed() -> Iterator[StringIO]:
    """What the process prints in the block, with its real logs."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level, root.handlers = root.handlers, root.level, []
    with redirect_stdout(StringIO()) as lines:
        configure_logs("INFO")
        try:
            yield lines
        finally:
            root.handlers, root.level = handlers, level
            structlog.configure(**configured)


async def test_a_path_is_logged_only_when_it_is_a_ticket(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    client = intake.http("phone_system")
    with printed() as lines:
        for wrong in ("13909150001", "王小明"):
            await client.get(f"/v1/tickets/{wrong}")
            await client.delete(f"/v1/tickets/{wrong}")
            await intake.http(None).get(f"/v1/tickets/{wrong}/progress")
        await client.get(f"/v1/tickets/{number}")
    assert number in lines.getvalue()
    assert "13909150001" not in lines.getvalue()
    assert "王小明" not in lines.getvalue()


async def test_a_librarys_error_is_logged_without_its_words() -> None:
    error = ValueError("王小明 13909150001")
    lost = {"message": "Task exception was never retrieved", "exception": error, "task": error}
    with printed() as lines:
        logging.getLogger("uvicorn.error").error("Exception in the application", exc_info=error)
        asyncio.get_running_loop().call_exception_handler(lost)
    assert lines.getvalue().count("ValueError") == 2
    assert "王小明" not in lines.getvalue()


async def test_the_reason_of_a_reading_names_nobody(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    client, path = intake.http("unit", "GSGS"), f"/v1/tickets/{number}/contact-reads"
    answer = await client.post(path, json={"reason": "回电王小明 139-0915-0001 约上门"})
    assert answer.status_code == 200
    [row] = await intake.rows("SELECT reason FROM contact_read")
    assert "约上门" in row["reason"]
    assert "王小明" not in row["reason"]
    assert "139-0915-0001" not in row["reason"]


async def test_an_error_of_the_database_names_nobody(intake: Bench) -> None:
    await do(intake, "ALTER TABLE ticket ADD CHECK (content NOT LIKE '%停水%')")
    with printed() as lines:
        answer = await intake.http("phone_system").post("/v1/tickets", json=complaint(caller=None))
    assert answer.status_code == 500
    assert "停水" not in answer.text
    assert "unexpected error" in lines.getvalue()
    assert "停水" not in lines.getvalue()
