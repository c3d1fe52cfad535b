"""What a service is to whoever starts, watches and mends it: its entry file exports one PART."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlmodel import SQLModel

from shared.messaging.inbox import Subscriptions
from shared.settings import ServiceSettings
from shared.stuck import Question


@dataclass(frozen=True, slots=True)
class StuckPage:
    """What a service answers for on the morning page; SQL that shared/stuck.py runs.

    ``progress``: how far tickets are here, by number. ``open_tickets``: the next numbers of those that
    are open here, of a service that keeps a ticket open until it hears of its end. ``assignments``:
    those of some tickets; where they are said, the open ones. What a service keeps not, it leaves out.
    """

    questions: tuple[Question, ...]
    progress: str | None = None
    open_tickets: str | None = None
    assignments: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One service: how to build it, its settings, what it listens to, its tables and migrations,
    and its part of the morning page.
    """

    app: Callable[[Any], FastAPI]
    settings: type[ServiceSettings]
    subscriptions: Subscriptions
    base: type[SQLModel]
    migrations: Path
    stuck: StuckPage
