"""一个县 Everybody of a county around one Jiesu: its phone system, its units, its hotline office.

The stories, the demo and the journey test put their people together here. What a real county would
spread over many machines stands in one process, and meets Jiesu only on its public interfaces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from examples.department_system import Department, Plan, by_hand
from examples.hotline_office import Office
from examples.phone_system import Citizen, PhoneSystem
from examples.stepper import Stepper
from examples.unit_facts import Book


@dataclass(frozen=True, slots=True)
class Access:
    """What people were given: addresses by service, tokens by role and unit, the webhook's secret.

    ``broker`` is where units with a queue take their facts; without one all read their feed.
    ``clocks``: one address of each process, where several services share one. ``change``
    adds lines to a file of the county's folder and has it taken up; it answers with the configuration.
    """

    urls: dict[str, str]
    token: Callable[[str, str | None], str]
    webhook_secret: str
    broker: str | None = None
    clocks: dict[str, str] | None = None
    change: Callable[[str, str], str] | None = None


class County:
    """Everybody, ready to act. ``books``: the folder in which units keep their books."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        access: Access,
        citizen: Citizen,
        plan: Plan = by_hand,
        books: Path | None = None,
        pause: float = 0.0,
        exchange: type[PhoneSystem] = PhoneSystem,
    ) -> None:
        self.access = access
        self._http, self._plan, self._books = http, plan, books
        token = access.token
        self.phone = exchange(
            http, access.urls, token("phone_system", None), access.webhook_secret, citizen
        )
        self.office = Office(http, access.urls, lambda role: token(role, None))
        self.stepper = Stepper(http, access.clocks or access.urls, token("ops", None), pause)
        self.units: dict[str, Department] = {}

    def unit(self, code: str) -> Department:
        """A unit, with its own token and book."""
        if code not in self.units:
            book = Book(self._books / f"{code}.jsonl" if self._books else None)
            token = self.access.token("unit", code)
            self.units[code] = Department(
                self._http,
                self.access.urls,
                code,
                token,
                self._plan,
                book,
                ring=self.office.let_units_read,
            )
        return self.units[code]
