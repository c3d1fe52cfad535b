"""How often who may ask: strangers by address, wrong codes by ticket and by address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import time_machine
from pydantic import ValidationError

from shared import clock
from shared.http.rate_limits import Buckets, TooMany, address_of
from shared.settings import ServiceSettings
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.lines import listening
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.intake import registered

PUBLIC = ("/healthz", "/readyz", "/docs", "/openapi.json")
TOKENLESS = (
    "/metrics",
    "/clock",
    "/nothing/here",
    "/v1/tickets",
    "/v1/tickets/20260302-000001/progress",
)


@pytest.fixture
async def intake(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Intake that lets an address ask six times a minute and be wrong three times an hour."""
    few = {"anonymous_per_minute": 6, "wrong_codes_per_ticket": 2, "wrong_codes_per_address": 3}
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, **few) as one,
    ):
        yield one


From = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def client_at(intake: Bench) -> AsyncIterator[From]:
    """A client without a token at an address."""
    opened: list[httpx.AsyncClient] = []

    def at(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(intake.app, client=(address, 1))
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://intake"))
        return opened[-1]

    yield at
    for one in opened:
        await one.aclose()


# --- a bucket ----------------------------------------------------------------------------------


def test_a_bucket_holds_its_size_and_refills_evenly() -> None:
    bucket, now = Buckets(3, 60.0), clock.real()
    for _ in range(3):
        bucket.take("a", now)
    with pytest.raises(TooMany) as refused:
        bucket.take("a", now)
    assert refused.value.extra == {"retry_after": 20}
    bucket.take("b", now)
    bucket.take("a", now + timedelta(seconds=20))
    with pytest.raises(TooMany):
        bucket.take("a", now + timedelta(seconds=20))


def test_who_is_refused_waits_no_longer_for_asking_again() -> None:
    bucket, now = Buckets(1, 60.0), clock.real()
    bucket.take("a", now)
    for second in range(59):
        with pytest.raises(TooMany):
            bucket.take("a", now + timedelta(seconds=second))
    bucket.take("a", now + timedelta(seconds=60))


def test_what_is_given_back_can_be_taken_again() -> None:
    bucket, now = Buckets(1, 60.0), clock.real()
    for _ in range(5):
        bucket.take("a", now)
        bucket.give_back("a")
    bucket.give_back("nobody's")
    assert len(bucket) == 1


def test_buckets_are_bounded_and_forget_who_asked_longest_ago() -> None:
    bucket, now = Buckets(1, 60.0, keys=3), clock.real()
    for key in ("a", "b", "c"):
        bucket.take(key, now)
    bucket.take("d", now)
    assert len(bucket) == 3
    bucket.take("a", now)
    with pytest.raises(TooMany):
        bucket.take("c", now)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", address_of({"client": ("2001:db8:1:2:ffff::9", 1)})),
        ("fe80::1%eth0", address_of({"client": ("fe80::2%eth1", 1)})),
        ("testclient", "testclient"),
        ("x" * 5000, "x" * 64),
    ],
)
def test_an_address_is_one_household(host: str, address: str) -> None:
    assert address_of({"client": (host, 50_000)}) == address


def test_a_socket_has_no_address() -> None:
    assert address_of({"client": None}) == ""
    other = address_of({"client": ("2001:db8:1:3::1", 1)})
    assert other != address_of({"client": ("2001:db8:1:2::1", 1)})


# --- strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PUBLIC, *TOKENLESS])
async def test_a_stranger_is_told_when_to_come_again(client_at: From, path: str) -> None:
    with time_machine.travel(clock.real(), tick=False):
        for _ in range(6):
            assert (await client_at("203.0.113.1").get(path)).status_code != 429
        answer = await client_at("203.0.113.1").get(path)
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].endswith("/too-many")
        assert answer.json()["retry_after"] == int(answer.headers["retry-after"]) == 10
        assert (await client_at("203.0.113.2").get(path)).status_code != 429


async def test_it_is_the_wall_clock_that_counts(intake: Bench, client_at: From) -> None:
    with time_machine.travel(clock.real(), tick=False) as wall:
        for _ in range(7):
            answer = await client_at("203.0.113.1").get("/healthz")
        intake.at("2026-03-09T09:00+08:00")  # the trade's time moves, and proves nothing
        assert (await client_at("203.0.113.1").get("/healthz")).status_code == 429
        wall.shift(int(answer.headers["retry-after"]))
        assert (await client_at("203.0.113.1").get("/healthz")).status_code == 200


async def test_one_path_counts_for_all(client_at: From) -> None:
    for path in (*PUBLIC, "/metrics", "/clock", "/v1/facts"):
        answer = await client_at("203.0.113.1").get(path)
    assert answer.status_code == 429


async def test_guessed_tokens_are_counted_and_good_ones_are_not(
    intake: Bench, client_at: From
) -> None:
    wrong = {"Authorization": "Bearer not.a.token"}
    for _ in range(6):
        assert (await client_at("127.0.0.1").get("/healthz", headers=wrong)).status_code == 200
    assert (await client_at("127.0.0.1").get("/healthz", headers=wrong)).status_code == 429
    for _ in range(20):  # the same address, with a token
        assert (await intake.http("desk").get("/healthz")).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_nobody_chooses_his_address(client_at: From, header: str) -> None:
    for n in range(7):
        name = {header: f"198.51.100.{n}"}
        answer = await client_at("203.0.113.1").get("/healthz", headers=name)
    assert answer.status_code == 429


@pytest.mark.parametrize("trusted", ["0.0.0.0/0", "::/0", "*", "nginx"])
def test_a_proxy_has_an_address(trusted: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        ServiceSettings.model_validate({"embedded": True, "trusted_proxies": trusted})


# --- wrong codes -------------------------------------------------------------------------------


async def look(client: httpx.AsyncClient, number: str, code: str) -> int:
    headers = {"X-Ticket-Code": code}
    return (await client.get(f"/v1/tickets/{number}/progress", headers=headers)).status_code


async def test_wrong_codes_close_a_ticket_wherever_they_come_from(
    intake: Bench, client_at: From
) -> None:
    ticket, other = await registered(intake), await registered(intake)
    number, code = ticket["number"], ticket["code"]
    for n in range(2):
        assert await look(client_at(f"203.0.113.{n}"), number, "WRONG123") == 404
    assert await look(client_at("203.0.113.7"), number, "WRONG123") == 429
    assert await look(client_at("203.0.113.8"), number, code) == 429
    assert await look(client_at("203.0.113.8"), other["number"], other["code"]) == 200
    with time_machine.travel(clock.real() + timedelta(minutes=30), tick=False):
        assert await look(client_at("203.0.113.8"), number, code) == 200


async def test_a_ticket_that_is_not_there_closes_like_one_that_is(client_at: From) -> None:
    answers = [await look(client_at(f"203.0.113.{n}"), "20260302-999999", "X234") for n in range(3)]
    assert answers == [404, 404, 429]


async def test_an_address_is_wrong_so_often_and_no_more(intake: Bench, client_at: From) -> None:
    guesser = client_at("203.0.113.1")
    wrong = [await look(guesser, f"20260302-00000{n}", "WRONG123") for n in range(4)]
    assert wrong == [404, 404, 404, 429]
    ticket = await registered(intake)  # what it asked for in vain stays open to everybody else
    assert await look(client_at("203.0.113.2"), ticket["number"], ticket["code"]) == 200


async def test_right_codes_are_not_counted(intake: Bench, client_at: From) -> None:
    ticket = await registered(intake)
    for n in range(12):
        assert await look(client_at(f"203.0.113.{n}"), ticket["number"], ticket["code"]) == 200


async def test_guesses_made_at_once_are_all_counted(intake: Bench, client_at: From) -> None:
    number = (await registered(intake))["number"]
    looks = [look(client_at(f"203.0.113.{n}"), number, f"WRONG{n}") for n in range(40)]
    assert sorted(await asyncio.gather(*looks)) == [404] * 2 + [429] * 38


async def test_who_shows_a_token_is_counted_by_ticket_only(intake: Bench) -> None:
    number, portal = (await registered(intake))["number"], intake.http("phone_system")
    assert [await look(portal, number, "WRONG123") for _ in range(3)] == [404, 404, 429]
    assert [await look(portal, f"20260302-10000{n}", "WRONG123") for n in range(9)] == [404] * 9


async def test_every_route_documents_that_it_may_be_too_often(intake: Bench) -> None:
    for path, routes in intake.app.openapi()["paths"].items():
        for method, route in routes.items():
            limited = route["responses"]["429"]
            assert "Retry-After" in limited["headers"], (method, path)
            assert "application/problem+json" in limited["content"], (method, path)


# --- behind a proxy ----------------------------------------------------------------------------


async def forwarded(port: int, *chains: str) -> list[int]:
    """What requests with these X-Forwarded-For are answered."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        return [
            (await http.get("/healthz", headers={"X-Forwarded-For": chain})).status_code
            for chain in chains
        ]


@pytest.mark.parametrize(
    ("trusted", "answers"),
    [("", [200, 200, 429, 429]), ("127.0.0.0/8, 10.1.0.0/16", [200, 200, 200, 429])],
)
async def test_a_named_proxy_is_believed_and_nobody_else(
    postgres: Postgres, template: Template, keys: Path, trusted: str, answers: list[int]
) -> None:
    bounds = {"anonymous_per_minute": 2, "trusted_proxies": trusted}
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, **bounds) as one,
        listening(one) as listens,
    ):
        # What stands further left anybody may write; the last that is no proxy of ours counts.
        us, them = "203.0.113.1", "203.0.113.2"
        chains = (us, f"{them}, {us}", f"{us}, {them}, 10.1.0.7", f"198.51.100.9, {us}, 10.1.0.7")
        assert await forwarded(listens.port, *chains) == answers
