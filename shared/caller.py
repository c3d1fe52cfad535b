"""Who calls. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls by HTTP: the role of the token, its unit if it has one, and a name for the record."""

    role: str
    name: str
    unit: str | None = None

    @property
    def actor(self) -> str:
        """How facts name this caller: ``unit:HC:name`` or ``desk:name``."""
        return ":".join(part for part in (self.role, self.unit, self.name) if part)


def person(actor: str) -> str:
    """Who acted, without the role: ``desk:li`` and ``supervisor:li`` are one."""
    return actor.partition(":")[2]
