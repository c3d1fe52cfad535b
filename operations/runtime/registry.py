"""Every service by name, and the whole topology of the bus. The composition root reads this.

A new service is one line in PORTS and its folder ``services/<name>``, whose main.py exports PART.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource

from shared.jurisdiction.codes import Units
from shared.jurisdiction.reader import read
from shared.part import Part
from shared.settings import ServiceSettings

PORTS = {
    "intake": 8001,
    "dispatcher": 8002,
    "tracker": 8003,
    "feedback": 8004,
}
NAMES = tuple(PORTS)


@lru_cache
def part(name: str) -> Part:
    """A service by name, imported when it is asked for: a process of one needs no other."""
    found: Part = import_module(f"services.{name}.main").PART
    return found


def settings_of(name: str, **given: Any) -> ServiceSettings:
    """A service's settings from the environment; ``{service}`` in its addresses becomes its name."""
    settings = part(name).settings(**given)
    urls = {"database_url": settings.database_url, "bus_url": settings.bus_url}
    return settings.model_copy(
        update={field: url.replace("{service}", name) for field, url in urls.items()}
    )


def environment(names: Iterable[str] = NAMES) -> dict[str, Any]:
    """What the environment says of any setting of some services, not yet checked."""
    given: dict[str, Any] = {}
    for name in names:
        given |= EnvSettingsSource(part(name).settings)()
    return given


def service_queues() -> dict[str, list[str]]:
    """The services' queues → what each is bound to."""
    return {f"svc.{name}": list(part(name).subscriptions) for name in NAMES}


def topology(config_dir: Path) -> dict[str, list[str]]:
    """Every queue of the broker → its bindings: the services', and units' that take AMQP.

    A unit's queue needs one binding: every fact addressed to it ends with its code.
    """
    units = read(config_dir / "units.yaml", Units).units
    taking = [unit.code for unit in units if unit.delivery == "amqp"]
    return service_queues() | {f"unit.{code}": [f"*.*.{code}"] for code in taking}
