"""Where a request to call may go, and what came back once must not count twice."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import AnyHttpUrl, SecretStr
from standardwebhooks import Webhook

from examples.phone_system import PhoneSystem
from services.feedback.phone import AskFailed, Call, ask
from services.feedback.settings import Config, Settings
from shared import clock
from tests.fixtures.bench import ROOT, Bench
from tests.fixtures.scenes import feedback as calls

CALL = Call(UUID(int=1), "20260302-000001", 1, 1, person=False)
CONTACT = {"name": "王小明", "phone": "13909150001"}
PUBLIC = "93.184.215.14"
SECRET = b64encode(b"a secret of thirty-two bytes....").decode()

# --- where to ----------------------------------------------------------------------------------


class World:
    """Everybody feedback may talk to: intake, and whoever answers under any other address."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.asked: list[httpx.Request] = []
        self.answer = answer or httpx.Response(202)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/contact-reads"):
            return httpx.Response(200, json=CONTACT)
        self.asked.append(request)
        return self.answer


@pytest.fixture(scope="module")
def config() -> Config:
    """Feedback's rules with a phone system, and no leave to find it on a private network."""
    settings = Settings(
        embedded=True,
        config_dir=ROOT / "config" / "ziyang",
        phone_system_url=AnyHttpUrl("http://phones.example/ask"),
        service_token=SecretStr("token"),
    )
    loaded: Config = settings.load()
    return loaded


def calling(config: Config, address: str) -> Config:
    """The same, with another phone system."""
    settings = config.settings.model_copy(update={"phone_system_url": AnyHttpUrl(address)})
    return replace(config, settings=settings)


async def why_not(config: Config, world: World) -> str | None:
    """Why the phone system was not asked, or None when it was."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(world)) as client:
        try:
            await ask(client, config, CALL)
        except AskFailed as failed:
            return str(failed)
    return None


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answers of the name service, one list per look; returns who was looked up."""
    looked: list[str] = []

    def answering(*looks: list[str]) -> list[str]:
        rest = iter(looks)

        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            looked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(rest)]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
        return looked

    return answering


PRIVATE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost",
    "localhost.", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
    "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
    "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::10.0.0.1]", "[2002:7f00:1::1]",
    "[2002:a00:1::]", "[2001::1]", "[100::1]", "user:password@127.0.0.1", "①②⑦.⓪.⓪.①",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("port", ["", ":8443"])
async def test_no_spelling_of_a_private_address_is_asked(
    config: Config, host: str, port: str
) -> None:
    world = World()
    failed = await why_not(calling(config, f"http://{host}{port}/ask"), world)
    assert failed is not None
    assert "private network" in failed or "no address" in failed
    assert world.asked == []


@pytest.mark.parametrize("address", ["2606:4700::1111", PUBLIC])
async def test_a_public_address_is_asked(
    config: Config, address: str, names: Callable[..., list[str]]
) -> None:
    world = World()
    names([address])
    assert await why_not(config, world) is None
    assert [request.url.host for request in world.asked] == [address]


async def test_one_private_address_of_several_is_too_many(
    config: Config, names: Callable[..., list[str]]
) -> None:
    names([PUBLIC, "10.0.0.1"])
    failed = await why_not(config, world := World())
    assert "private network" in (failed or "")
    assert world.asked == []


async def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    config: Config, names: Callable[..., list[str]]
) -> None:
    """A name that changes between two looks (DNS rebinding) is looked up once."""
    looked = names([PUBLIC], ["127.0.0.1"])
    world = World()
    assert await why_not(calling(config, "https://phones.example:8443/ask"), world) is None
    [request] = world.asked
    assert looked == ["phones.example"]
    assert (request.url.host, request.headers["host"]) == (PUBLIC, "phones.example:8443")
    assert request.extensions["sni_hostname"] == "phones.example"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_followed_anywhere(
    config: Config, names: Callable[..., list[str]], status: int
) -> None:
    names([PUBLIC])
    world = World(httpx.Response(status, headers={"Location": "http://169.254.169.254/"}))
    assert await why_not(config, world) == f"the phone system answered {status}"
    assert len(world.asked) == 1


class Endless(httpx.AsyncByteStream):
    """An answer that never ends; it counts how much of it was read."""

    def __init__(self) -> None:
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.read += 1
            yield b"x" * 65_536


@pytest.mark.parametrize("status", [202, 500])
async def test_what_the_phone_system_says_is_not_read(
    config: Config, names: Callable[..., list[str]], status: int
) -> None:
    names([PUBLIC])
    endless = Endless()
    failed = await why_not(config, World(httpx.Response(status, stream=endless)))
    assert failed == (None if status == 202 else "the phone system answered 500")
    assert endless.read == 0


# --- said twice --------------------------------------------------------------------------------


class Receiver:
    """The example of a phone system, and who posts to it."""

    def __init__(self) -> None:
        urls = {"intake": "http://intake", "feedback": "http://feedback"}
        self.feedback: list[dict[str, Any]] = []
        outcomes = httpx.AsyncClient(transport=httpx.MockTransport(self._hear))
        self.phone = PhoneSystem(outcomes, urls, "token", SECRET, lambda _: {"outcome": "refused"})
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.phone.receiver()), base_url="http://phones"
        )
        self.outcomes = outcomes

    def _hear(self, request: httpx.Request) -> httpx.Response:
        self.feedback.append(json.loads(request.content))
        return httpx.Response(200, json={})

    async def post(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status of a request to call."""
        return (await self.http.post("/callbacks", content=body, headers=headers)).status_code


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A phone system."""
    one = Receiver()
    yield one
    await one.http.aclose()
    await one.outcomes.aclose()


def asked(age: float = 0, secret: str = SECRET, id: str = "1.1") -> tuple[dict[str, str], bytes]:
    """A request to call, signed some seconds ago."""
    when = clock.real() - timedelta(seconds=age)
    body = json.dumps(
        {
            "callback": str(UUID(int=1)),
            "number": "20260302-000001",
            "round": 1,
            "attempt": 1,
            "person": False,
            "questions": [],
            "contact": CONTACT,
        }
    )
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, when, body),
    }
    return headers, body.encode()


async def test_a_request_that_comes_again_is_dialled_once(receiver: Receiver) -> None:
    headers, body = asked()
    assert [await receiver.post(headers, body) for _ in range(3)] == [202] * 3
    assert len(await receiver.phone.dial()) == 1
    assert await receiver.post(headers, body) == 202  # and so is one that comes after the call
    assert await receiver.phone.dial() == []
    assert len(receiver.feedback) == 1


@pytest.mark.parametrize(("age", "status"), [(240, 202), (360, 401), (-240, 202), (-360, 401)])
async def test_a_signature_is_good_for_five_minutes(
    receiver: Receiver, age: float, status: int
) -> None:
    assert await receiver.post(*asked(age)) == status
    assert len(await receiver.phone.dial()) == (status == 202)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "1.2"},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": str(2**70)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2,AAAA v1"},
        {"webhook-signature": ""},
    ],
)
async def test_a_request_whose_parts_do_not_fit_is_not_dialled(
    receiver: Receiver, changes: dict[str, str]
) -> None:
    headers, body = asked()
    assert await receiver.post(headers | changes, body) == 401
    assert await receiver.post(headers, body + b" ") == 401
    without = {name: value for name, value in headers.items() if name not in changes}
    assert await receiver.post(without, body) == 401
    assert await receiver.phone.dial() == []


async def test_another_secret_signs_nothing(receiver: Receiver) -> None:
    other = b64encode(b"another secret of thirty-two by.").decode()
    assert await receiver.post(*asked(secret=other)) == 401


async def test_an_outcome_counts_for_its_own_callback_only(feedback: Bench) -> None:
    """The same words, key and all, posted to another callback."""
    numbers = ["20260302-000001", "20260302-000002"]
    for number in numbers:
        await calls.resolved(feedback, number)
    feedback.at(calls.FIRST_CALL)
    await feedback.run("ring")
    first, second = [await calls.callback_of(feedback, number) for number in numbers]
    client, body = feedback.http("phone_system"), {"attempt": 1, "outcome": "refused"}
    key = {"Idempotency-Key": "outcome-1"}
    answers = [
        await client.post(f"/v1/callbacks/{callback}/outcome", json=body, headers=key)
        for callback in (first, first, second)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert answers[2].json()["type"].endswith("idempotency-key-reused")
    assert await calls.status_of(feedback, second) == "due"
    assert (await calls.names(feedback)).count("callback.answered") <= 1


async def test_outcomes_that_come_many_times_at_once_end_a_round_once(feedback: Bench) -> None:
    callback = await calls.due(feedback)
    posts = [calls.report(feedback, callback, "answered", **calls.SATISFIED) for _ in range(20)]
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {200}
    assert (await calls.names(feedback)).count("ticket.closed") == 1
