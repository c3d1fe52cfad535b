"""RabbitMQ's definitions: who may do what on the broker, from the code and units.yaml.

Definitions are RabbitMQ's own language for users, permissions and topology; it loads them when it
starts and takes them while it runs. One writer per fact, fenced by the broker: a service publishes
the facts it owns and nothing else; a unit reads its own queue and nothing else. The topology stands
here too, so a service needs no right to lay out anything but its own queue.

A permission is three regular expressions over names: what may be made or dropped (configure),
published to or bound (write), consumed or bound from (read). A topic permission is two more over
routing keys: published (write), and bound (read).
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from operations.contracts.facts import UNIT, keys
from operations.runtime.registry import NAMES, part, topology
from shared.events import FACTS
from shared.messaging.lanes import urgent_key
from shared.messaging.rabbit_bus import EXCHANGE, KEPT, QUORUM, UNROUTED

Json = dict[str, Any]
NOTHING = "^$"
NO_KEY = "(?!)"  # a routing key may be empty, and NOTHING matches that
EVERYTHING = ".*"
PASSWORD = re.compile(r"^(\w+)_BROKER_PASSWORD=['\"]?([^'\"]*)['\"]?$")
# A unit's system needs one connection or a few; thousands would take the broker from everybody.
LIMITS = {"max-connections": 20, "max-channels": 100}
BLANK = re.compile(r"^\w+_BROKER_PASSWORD=['\"\s]*$")


# --- passwords ---------------------------------------------------------------------------------


def users(config_dir: Path) -> list[str]:
    """Everybody who connects: who administers, who lays out, the services, units that take AMQP."""
    units = [queue for queue in topology(config_dir) if queue.startswith("unit.")]
    return ["admin", "migrate", *NAMES, *units]


def variable(user: str) -> str:
    """The name a user's password goes by: ``unit.HC`` is ``UNIT_HC_BROKER_PASSWORD``."""
    return f"{user.replace('.', '_').upper()}_BROKER_PASSWORD"


def passwords(file: Path, wanted: Sequence[str]) -> dict[str, str]:
    """Passwords by user from a private file of ``NAME=value`` lines; what is missing is made.

    RabbitMQ lets nobody in with a blank password, so a blank line is none: a new one takes its place.
    """
    file.touch(mode=0o600)
    lines = file.read_text().splitlines()
    known = {
        f"{found[1]}_BROKER_PASSWORD": found[2].strip()
        for found in map(PASSWORD.match, lines)
        if found
    }
    made = {user: secrets.token_hex(24) for user in wanted if not known.get(variable(user))}
    if made:
        kept = [line for line in lines if not BLANK.match(line)]
        added = [f"{variable(user)}={password}" for user, password in made.items()]
        file.write_text("\n".join([*kept, *added]) + "\n")
    return {user: made.get(user) or known[variable(user)] for user in wanted}


def hashed(user: str, password: str) -> str:
    """RabbitMQ's salted SHA-256, base64. The salt follows from both: the same passwords give the
    same definitions, and nobody restarts a broker for a change that is none.
    """
    salt = sha256(f"{user}:{password}".encode()).digest()[:4]
    return b64encode(salt + sha256(salt + password.encode()).digest()).decode()


# --- definitions -------------------------------------------------------------------------------


def definitions(config_dir: Path, password_of: Mapping[str, str], vhost: str = "jiesu") -> Json:
    """The whole broker of one jurisdiction: users with their rights, exchange, queues, bindings.

    ``password_of``: the passwords by user; only their hashes stand in what is returned.
    """
    queues = topology(config_dir)
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(user, password) for user, password in password_of.items()],
        "permissions": [{"vhost": vhost, "user": user, **_may(user)} for user in password_of],
        "topic_permissions": [
            {"vhost": vhost, "user": name, "exchange": EXCHANGE, **_topics(name)} for name in NAMES
        ],
        "exchanges": [
            _exchange(vhost, UNROUTED, "fanout", {}),
            _exchange(vhost, EXCHANGE, "topic", {"alternate-exchange": UNROUTED}),
        ],
        "queues": [
            _queue(vhost, UNROUTED, KEPT),
            *(_queue(vhost, name, QUORUM) for name in queues),
        ],
        "bindings": [
            _binding(vhost, UNROUTED, UNROUTED, ""),
            *(
                _binding(vhost, EXCHANGE, name, key)
                for name, some in queues.items()
                for key in some
            ),
        ],
    }


def _user(user: str, password: str) -> Json:
    limited = user.startswith("unit.")
    return ({"limits": LIMITS} if limited else {}) | {
        "name": user,
        "password_hash": hashed(user, password),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"] if user == "admin" else [],
    }


def _may(user: str) -> dict[str, str]:
    """What a user may do with which exchanges and queues."""
    if user == "admin":
        return _rights(EVERYTHING, EVERYTHING, EVERYTHING)
    if user == "migrate":  # lays everything out, publishes no fact and reads no queue of anybody
        queues = r"svc\.\w+|unit\.[A-Z][A-Z0-9]+"
        return _rights(
            rf"^(jiesu\.(events|unrouted)|{queues})$",
            rf"^(jiesu\.unrouted|{queues})$",
            r"^jiesu\.(events|unrouted)$",
        )
    if user in NAMES:  # its queue, which it may lay out anew, and the exchange
        queue = rf"(urgent\.)?svc\.{user}"
        used = rf"^({queue}|{re.escape(EXCHANGE)})$"
        return _rights(rf"^{queue}$", used, used)
    return _rights(NOTHING, NOTHING, f"^{re.escape(user)}$")


def _rights(configure: str, write: str, read: str) -> dict[str, str]:
    return {"configure": configure, "write": write, "read": read}


def _topics(name: str) -> dict[str, str]:
    """Which routing keys a service may publish, and to which it may bind its queue."""
    spoken = [key for kind in FACTS.values() if kind.speaker == name for key in keys(kind)]
    write = _one_of(_in_lanes(spoken)).replace(re.escape(UNIT), "[A-Z][A-Z0-9]+")
    return {"write": write, "read": _one_of(_in_lanes(part(name).subscriptions))}


def _in_lanes(keys: Iterable[str]) -> list[str]:
    """Routing keys or patterns, and those of their urgent copies."""
    return [lane for key in keys for lane in (key, urgent_key(key))]


def _one_of(keys: Sequence[str]) -> str:
    """Any of these routing keys; who has none may use none."""
    return f"^({'|'.join(sorted(set(map(re.escape, keys))))})$" if keys else NO_KEY


def _exchange(vhost: str, name: str, type: str, arguments: Json) -> Json:
    return _thing(vhost, name, arguments) | {"type": type, "internal": False}


def _queue(vhost: str, name: str, arguments: Json) -> Json:
    return _thing(vhost, name, arguments)


def _thing(vhost: str, name: str, arguments: Json) -> Json:
    lasting = {"durable": True, "auto_delete": False}
    return {"vhost": vhost, "name": name, "arguments": arguments, **lasting}


def _binding(vhost: str, exchange: str, queue: str, key: str) -> Json:
    return {
        "vhost": vhost,
        "source": exchange,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": key,
        "arguments": {},
    }
