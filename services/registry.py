"""Every service by name, and the whole topology of the bus. The composition root reads this."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from sqlmodel import SQLModel

import services.dispatcher.consumers
import services.dispatcher.main
import services.dispatcher.models
import services.dispatcher.settings
import services.feedback.consumers
import services.feedback.main
import services.feedback.models
import services.feedback.settings
import services.intake.consumers
import services.intake.main
import services.intake.models
import services.intake.settings
import services.tracker.consumers
import services.tracker.main
import services.tracker.models
import services.tracker.settings
from shared.config import Units, read
from shared.inbox import Subscriptions
from shared.settings import ServiceSettings


class Part(NamedTuple):
    """One service: how to build it, its settings, what it listens to, its tables, its port."""

    app: Callable[[Any], FastAPI]
    settings: type[ServiceSettings]
    subscriptions: Subscriptions
    base: type[SQLModel]
    port: int


def _part(module: Any, port: int) -> Part:
    return Part(
        module.main.app,
        module.settings.Settings,
        module.consumers.SUBSCRIPTIONS,
        module.models.Base,
        port,
    )


PARTS: dict[str, Part] = {
    "intake": _part(services.intake, 8001),
    "dispatcher": _part(services.dispatcher, 8002),
    "tracker": _part(services.tracker, 8003),
    "feedback": _part(services.feedback, 8004),
}


def migrations(name: str) -> Path:
    """The migrations folder of a service."""
    return Path(__file__).parent / name / "migrations"


def topology(config_dir: Path) -> dict[str, list[str]]:
    """Queue → binding patterns: one per service, and one per unit that takes AMQP.

    A unit's queue needs one binding: every fact addressed to it ends with its code.
    """
    queues = {f"svc.{name}": list(part.subscriptions) for name, part in PARTS.items()}
    for unit in read(config_dir / "units.yaml", Units).units:
        if unit.delivery == "amqp":
            queues[f"unit.{unit.code}"] = [f"*.*.{unit.code}"]
    return queues
