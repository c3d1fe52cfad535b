"""The two ports to the outside: a contact read from intake, and a call asked of the phone system.

Both happen outside any transaction. The number goes from one answer into one request; it is not
stored, not logged and stands in no error.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, SecretStr, ValidationError
from standardwebhooks import Webhook

from services.feedback.settings import Config, Settings
from services.feedback.webhook import Called, CallRequest
from shared import clock
from shared.events import CallbackAbout
from shared.settings import key_bytes

TIMEOUT = 10.0
ASK_WITHIN = 25.0
GIVEN_OUT = IPv6Network("2000::/3")


class AskFailed(Exception):
    """The call could not be asked for; the message says which side failed, and never a number."""


class ContactErased(AskFailed):
    """The citizen's identity was erased at intake: there is nobody to call any more."""


class ContactUnreadable(AskFailed):
    """Intake holds the contact and cannot open it: its key is lost, or it was tampered with."""


# How intake names what no further try mends; whatever else it answers is asked again.
SEALED = ("/seal-broken", "/seal-key-missing")


@dataclass(frozen=True, slots=True)
class Call:
    """One call to ask for. ``person``: the phone system gives it to a person, not to a machine. ``matter``:
    which of several matters of one call it is about. ``about``, ``promised_on``: what it asks of.
    """

    callback: UUID
    number: str
    round: int
    attempt: int
    person: bool
    matter: str | None = None
    about: CallbackAbout = CallbackAbout.ANSWER
    promised_on: date | None = None


class Contact(BaseModel):
    """Whom to call; lives no longer than one request."""

    name: SecretStr | None = None
    phone: SecretStr


async def ask_all(config: Config, calls: Sequence[Call]) -> dict[Call, AskFailed | None]:
    """Ask for calls, all at once; says for each why it failed, or None."""
    async with open_client() as client:
        failures = await asyncio.gather(*(_why_not(client, config, call) for call in calls))
    return dict(zip(calls, failures, strict=True))


def open_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client that goes straight there: no proxy of the environment, no redirects. ``transport``: how."""
    context = _trusting(ssl.get_default_verify_paths().cafile)
    return httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=context, transport=transport)


@cache
def _trusting(authorities: str | None) -> ssl.SSLContext:
    return ssl.create_default_context()  # reads all of the default file, which costs 30 ms


async def _why_not(client: httpx.AsyncClient, config: Config, call: Call) -> AskFailed | None:
    try:
        await ask(client, config, call)
    except AskFailed as failed:
        return failed
    return None


async def ask(client: httpx.AsyncClient, config: Config, call: Call) -> None:
    """Ask the phone system to call the citizen. Raises AskFailed; asking again does no harm."""
    try:
        async with asyncio.timeout(ASK_WITHIN):
            target = await target_of(config.settings)
            contact = await _read_contact(client, config.settings, call)
            await _send(client, config, target, call, contact)
    except TimeoutError:
        raise AskFailed("no answer in time") from None
    except httpx.HTTPError as error:
        raise AskFailed(f"{type(error).__name__} at {error.request.url.host}") from None


async def _read_contact(client: httpx.AsyncClient, settings: Settings, call: Call) -> Contact:
    token = settings.service_token.get_secret_value() if settings.service_token else ""
    answer = await client.post(
        f"{str(settings.intake_url).rstrip('/')}/v1/tickets/{call.number}/contact-reads",
        json={"reason": f"回访 callback {call.callback}, attempt {call.attempt}"},
        headers={"Authorization": f"Bearer {token}"},
    )
    if not answer.is_success:
        raise _refusal(answer)
    try:
        return Contact.model_validate_json(answer.content)
    except ValidationError:
        raise AskFailed("intake answered without a telephone number") from None


def _refusal(answer: httpx.Response) -> AskFailed:
    """Why intake gave no contact, as the kind of failure it is."""
    said = f"intake answered {answer.status_code}"
    if answer.status_code == httpx.codes.GONE:
        return ContactErased(said)
    try:
        named = str(orjson.loads(answer.content)["type"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return AskFailed(said)
    return ContactUnreadable(said) if named.endswith(SEALED) else AskFailed(said)


async def _send(
    client: httpx.AsyncClient, config: Config, target: Target, call: Call, contact: Contact
) -> None:
    """Post the signed request to call. Raises AskFailed for any answer but a 2xx."""
    status = await post(client, config.settings, target, _body(config, call, contact))
    if not httpx.codes.is_success(status):
        raise AskFailed(f"the phone system answered {status}")


async def post(
    client: httpx.AsyncClient, settings: Settings, target: Target, request: CallRequest
) -> int:
    """Post a signed request (standardwebhooks); the status it is answered with.

    Only how it answers counts: what it says is not read, however much it is.
    """
    body = request.model_dump_json().encode()
    headers = {
        "Content-Type": "application/json",
        **target.headers,
        **_signature(settings, request.webhook_id, body),
    }
    async with client.stream(
        "POST", target.url, content=body, headers=headers, extensions=target.extensions
    ) as answer:
        return answer.status_code


def _body(config: Config, call: Call, contact: Contact) -> CallRequest:
    return CallRequest(
        type="callback.ask",
        callback=call.callback,
        number=call.number,
        round=call.round,
        attempt=call.attempt,
        person=call.person,
        matter=call.matter,
        about=call.about,
        promised_date=call.promised_on,
        questions=config.policy.questions_about(call.about, call.promised_on),
        contact=Called(
            name=contact.name.get_secret_value() if contact.name else None,
            phone=contact.phone.get_secret_value(),
        ),
    )


def _signature(settings: Settings, id: str, body: bytes) -> dict[str, str]:
    now = clock.real()
    signer = Webhook(key_bytes(settings.webhook_secret))
    signed = signer.sign(id, now, body.decode())
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }


# --- where to ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: an address that was looked at, under the name that was set."""

    url: httpx.URL
    headers: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)


async def target_of(settings: Settings) -> Target:
    """The phone system's address. Raises AskFailed for a private one that is not allowed.

    The request goes to the very address that was looked at: a name that is looked up twice can
    give two answers.
    """
    url = httpx.URL(str(settings.phone_system_url))
    if settings.allow_private_webhooks:
        return Target(url)
    addresses = await _addresses(url)
    if not all(map(_is_public, addresses)):
        raise AskFailed(
            "the phone system is on a private network; see JIESU_ALLOW_PRIVATE_WEBHOOKS"
        )
    named = {"Host": url.netloc.decode()}
    return Target(url.copy_with(host=str(addresses[0])), named, {"sni_hostname": url.host})


async def _addresses(url: httpx.URL) -> list[IPv4Address | IPv6Address]:
    loop = asyncio.get_running_loop()
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise AskFailed(f"no address for {url.host}") from None
    return [ip_address(row[4][0]) for row in found]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is somebody's on the Internet.

    Of IPv6 only what is given out (2000::/3): not what stands for an IPv4 address and may be led
    to a private one (mapped, compatible, translated, 64:ff9b::/96, 2002::/16), nor site-local.
    """
    given_out = isinstance(address, IPv4Address) or (
        address in GIVEN_OUT and address.sixtofour is None
    )
    return given_out and address.is_global and not address.is_multicast
