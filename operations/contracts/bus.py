"""docs/asyncapi.yaml: the bus, its routing keys and queues, and who is at which end."""

from __future__ import annotations

from collections.abc import Sequence

from operations.contracts.facts import UNIT, Json, To, addressed, hearers, keys, prose, schema_file
from operations.runtime.registry import NAMES, part
from shared.events import FACTS, Data
from shared.messaging.rabbit_bus import EXCHANGE, QUORUM

CONTENT = "application/cloudevents+json"
ABOUT = (
    "Facts (事实) on one topic exchange. A fact is a CloudEvent in structured JSON, said by one "
    "service. Its routing key is its name, with the unit's code behind it when it is addressed to "
    "a unit. Facts may come twice, late and in any order: receive each id once and judge by time. "
    "A type only ever gains optional fields: ignore the fields you do not know."
)
BROKER = {
    "host": "{host}",
    "protocol": "amqp",
    "protocolVersion": "0.9.1",
    "description": "RabbitMQ 3.10 to 4.x; a unit's user may read its own queue and nothing else",
    "variables": {"host": {"default": "localhost:5672"}},
}


def describe_bus() -> Json:
    """AsyncAPI: a channel for each routing key and each queue, an operation for each end of one."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "接诉 Jiesu · facts",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT,
        "servers": {"broker": BROKER},
        "channels": {**_exchange_channels(), **_queue_channels()},
        "operations": {**_says(), **_hears()},
        "components": {"messages": {kind.name: _message(kind) for kind in FACTS.values()}},
    }


def _message(kind: type[Data]) -> Json:
    return {
        "name": kind.full_name(),
        "title": kind.name,
        "summary": prose(kind),
        "contentType": CONTENT,
        "payload": {"$ref": f"./{schema_file(kind)}"},
    }


def _exchange_channels() -> Json:
    """A channel for each routing key of each fact."""
    return {
        _channel(key): _exchange_channel(kind, key) for kind in FACTS.values() for key in keys(kind)
    }


def _channel(address: str) -> str:
    """The id of a channel: braces would have to be escaped in every reference to it."""
    return address.replace(UNIT, "unit")


def _exchange_channel(kind: type[Data], key: str) -> Json:
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": key,
        "messages": _messages([kind]),
        **_parameters(key),
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange}},
    }


def _queue_channels() -> Json:
    """A queue for each service, and one for each unit that takes AMQP."""
    return {_channel(name): _queue_channel(name, kinds) for name, (kinds, _) in _queues().items()}


def _queues() -> dict[str, tuple[list[type[Data]], list[str]]]:
    """The queues by name: what they hold, and what they are bound to."""
    facts = list(FACTS.values())
    services = {
        f"svc.{name}": ([kind for kind in facts if name in hearers(kind)], _bindings(name))
        for name in NAMES
    }
    to_units = [kind for kind in facts if addressed(kind) is not To.NOBODY]
    return {**services, f"unit.{UNIT}": (to_units, [f"*.*.{UNIT}"])}


def _bindings(name: str) -> list[str]:
    return list(part(name).subscriptions)


def _queue_channel(name: str, kinds: Sequence[type[Data]]) -> Json:
    queue = {"name": name, "durable": True, "exclusive": False, "autoDelete": False}
    return {
        "address": name,
        "messages": _messages(kinds),
        **_parameters(name),
        "bindings": {"amqp": {"is": "queue", "queue": queue}},
        "x-arguments": QUORUM,
    }


def _messages(kinds: Sequence[type[Data]]) -> Json:
    return {kind.name: {"$ref": f"#/components/messages/{kind.name}"} for kind in kinds}


def _parameters(address: str) -> Json:
    unit = {"description": "承办单位 code of a unit, capital letters", "examples": ["HC"]}
    return {"parameters": {"unit": unit}} if UNIT in address else {}


def _says() -> Json:
    """One operation for each routing key: the speaker says it, and nobody else does."""
    return {
        f"{kind.speaker}.says.{_channel(key)}": _operation("send", key, [kind])
        for kind in FACTS.values()
        for key in keys(kind)
    }


def _hears() -> Json:
    """One operation for each queue."""
    return {
        f"{_owner(queue)}.hears": _operation("receive", queue, kinds) | {"x-bound-to": bound}
        for queue, (kinds, bound) in _queues().items()
    }


def _owner(queue: str) -> str:
    return queue.removeprefix("svc.").removesuffix(f".{UNIT}")


def _operation(action: str, address: str, kinds: Sequence[type[Data]]) -> Json:
    channel = f"#/channels/{_channel(address)}"
    messages = [{"$ref": f"{channel}/messages/{kind.name}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": channel}, "messages": messages}
