"""What a phone system sends: complaints, additions, urgings, looks; now and then a repeat or a slip.

A repeat carries the key of an earlier registration and must get the same number. A slip is bad
input, and the refusal it is owed counts as success. Needs nothing but the standard library, so
that locust can stand in an environment of its own.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from examples.matters import AREAS, CHANNELS, GIVEN, MATTERS, PLACES, SURNAMES, TYPE_MIX

TICKETS = "/v1/tickets"
REMEMBERED = 1_000  # tickets that are still spoken of
BATCH = 20
TOO_MANY = 429  # a fence held, which is no failure

# How often each happens, in percent: most calls are new complaints, one in ten is a repeat or a slip.
SHARES: Mapping[str, float] = {
    "register": 60,
    "batch": 2,
    "supplement": 8,
    "urge": 8,
    "progress": 12,
    "repeat": 5,
    "slip": 5,
}
Complaint = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request with the status it is owed; ``repeats`` is the number a repeat must get."""

    kind: str
    method: str
    path: str
    owed: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeats: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket this phone system registered, and the call that did it."""

    number: str
    code: str
    call: Call


def complaint(throw: Random) -> Complaint:
    """One complaint of the county's mix (examples/matters.py), with who called."""
    [kind] = throw.choices(list(TYPE_MIX), list(TYPE_MIX.values()))
    [matter] = throw.choices(MATTERS[kind], [row.weight for row in MATTERS[kind]])
    [area] = throw.choices(list(AREAS), [share for _, share in AREAS.values()])
    [channel] = throw.choices(list(CHANNELS), list(CHANNELS.values()))
    return {
        "type": kind,
        "topic": matter.topic,
        "title": matter.title,
        "content": matter.content.format(place=throw.choice(PLACES)),
        "area": area,
        "channel": channel,
        "flags": matter.flags,
        "caller": {
            "name": throw.choice(SURNAMES) + throw.choice(GIVEN),
            "phone": f"139{throw.randrange(10**8):08d}",
        },
    }


def encoded(body: object) -> bytes:
    """A body as it goes over the wire."""
    return json.dumps(body, ensure_ascii=False).encode()


def _unknown_topic(one: Complaint) -> tuple[bytes, int]:
    return encoded(one | {"topic": "no.such.topic"}), 422


def _no_content(one: Complaint) -> tuple[bytes, int]:
    return encoded({name: value for name, value in one.items() if name != "content"}), 422


def _unknown_field(one: Complaint) -> tuple[bytes, int]:
    return encoded(one | {"caller": {"name": one["caller"]["name"], "telephone": "12"}}), 422


def _cut_off(one: Complaint) -> tuple[bytes, int]:
    return encoded(one)[:-9], 400


SLIPS: Sequence[Callable[[Complaint], tuple[bytes, int]]] = (
    _unknown_topic,
    _no_content,
    _unknown_field,
    _cut_off,
)


class PhoneSystem:
    """Makes the calls of one phone system and judges the answers it gets."""

    def __init__(self, token: str, seed: int = 12345, shares: Mapping[str, float] = SHARES) -> None:
        self._throw = Random(seed)
        self._kinds, self._weights = list(shares), list(shares.values())
        self._run = secrets.token_hex(4)  # keys of an earlier run are not ours to repeat
        self._calls = 0
        self._known: deque[Known] = deque(maxlen=REMEMBERED)
        self._json = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    # --- calling -------------------------------------------------------------------------------

    def next(self) -> Call:
        """The next call. What needs a ticket is a registration while none is known."""
        [kind] = self._throw.choices(self._kinds, self._weights)
        self._calls += 1
        if kind == "slip":
            return self._slip()
        if kind == "batch":
            return self._batch()
        if kind == "register" or not self._known:
            return self.register()
        known = self._throw.choice(self._known)
        if kind == "progress":
            path, code = f"{TICKETS}/{known.number}/progress", {"X-Ticket-Code": known.code}
            return Call(kind, "GET", path, 200, headers=self._json | code)
        if kind == "repeat":
            first = known.call
            return Call(kind, "POST", TICKETS, 200, first.body, first.headers, known.number)
        return self._said(kind, known)

    def register(self) -> Call:
        """A new complaint."""
        return self._post("register", TICKETS, 201, encoded(complaint(self._throw)))

    def _batch(self) -> Call:
        tickets = [complaint(self._throw) for _ in range(BATCH)]
        return self._post("batch", f"{TICKETS}/batch", 200, encoded({"tickets": tickets}))

    def _said(self, kind: str, known: Known) -> Call:
        words = {
            "supplement": {"content": "补充：昨晚又出现了。"},
            "urge": {"note": "请尽快处理。"},
        }
        path = f"{TICKETS}/{known.number}/{kind}s"
        return self._post(kind, path, 200, encoded(words[kind]))

    def _slip(self) -> Call:
        body, owed = self._throw.choice(SLIPS)(complaint(self._throw))
        return self._post("slip", TICKETS, owed, body)

    def _post(self, kind: str, path: str, owed: int, body: bytes) -> Call:
        self._calls += 1
        key = {"Idempotency-Key": f"load-{self._run}-{self._calls}"}
        return Call(kind, "POST", path, owed, body, self._json | key)

    # --- judging -------------------------------------------------------------------------------

    def judge(self, call: Call, status: int, answer: bytes) -> str:
        """What is wrong with an answer; empty when it is as owed. Remembers what was registered."""
        if status == TOO_MANY:
            return ""
        if status != call.owed:
            return f"{status} instead of {call.owed}"
        try:
            return self._read(call, json.loads(answer))
        except (ValueError, KeyError, TypeError):  # some other server, or a proxy's page
            return "not an answer of intake"

    def _read(self, call: Call, answer: Any) -> str:
        if call.kind == "batch":
            return _judge_batch(answer["answers"])
        if call.kind == "register":
            self._known.append(Known(answer["number"], answer["code"], call))
        if call.repeats and answer["number"] != call.repeats:
            return "a repeat got another number"
        return ""


def _judge_batch(answers: Sequence[Mapping[str, Any]]) -> str:
    statuses = [answer["status"] for answer in answers]
    return "" if statuses == [201] * BATCH else f"a batch of {BATCH} got {statuses}"
