"""诉求人身份: what may travel of it and how long it is kept (R-35, R-36, PIPL 47). Who may read it stands in
rights.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from services.intake.rules.machine import TicketStatus, ended
from services.intake.rules.masking import HOME, mask_exact
from services.intake.rules.matter import Matter
from shared.errors import JiesuError
from shared.events import Location, TicketType
from shared.jurisdiction.gazetteer import accuses
from shared.security.masking import mask_found, mask_patterns, pattern_spans


@dataclass(frozen=True, slots=True)
class Person:
    """诉求人: the identity that lives in the vault; never printed. ``phones``: every number to look
    for in texts (``known_digits``). ``matter``: what is hidden behind numbered places so far.
    """

    name: str | None = field(default=None, repr=False)
    phones: tuple[str, ...] = field(default=(), repr=False)
    address: str | None = field(default=None, repr=False)
    matter: Mapping[str, str] = field(default_factory=dict, repr=False)


class Public(NamedTuple):
    """What may be named in any text: the place's areas and units, and its offices' telephones."""

    names: frozenset[str] = frozenset()
    telephones: frozenset[str] = frozenset()


NOTHING_PUBLIC = Public()


class WorkingCopy(NamedTuple):
    """工作文本: the words that may travel; ``matter`` is what lies behind their numbered places."""

    title: str
    content: str
    address: str | None
    matter: Mapping[str, str] = {}

    @property
    def at_home(self) -> bool:
        """Whether the caller's home stood anywhere: then coordinates would say where that is."""
        return any(HOME in (text or "") for text in (self.title, self.content, self.address))


def working_copy(
    title: str, content: str, address: str | None, person: Person, public: Public = NOTHING_PUBLIC
) -> WorkingCopy:
    """Take the caller's own identity out of all texts, then whatever looks like anybody's (R-36):
    the first is gone, the others' numbers have numbered places.

    The address of the matter loses the caller's home address too: who must go there reads it with
    the contact.
    """
    joined = "\0".join((title, content, address or ""))  # NUL: no text has it, no mask crosses it
    cleared = _without(person, joined, public)
    matter = Matter(cleared, person.matter)
    masked = mask_found(
        cleared, lambda text: pattern_spans(text, public.telephones), matter.put
    ).split("\0")
    return WorkingCopy(masked[0], masked[1], masked[2] or None, matter.places)


def mask_note(note: str, person: Person) -> str:
    """One text of a log, a reason: what is masked in it is gone."""
    return mask_patterns(_without(person, note, NOTHING_PUBLIC))


def _without(person: Person, text: str, public: Public) -> str:
    return mask_exact(
        text,
        names=[person.name] if person.name else (),
        phones=person.phones,
        addresses=[person.address] if person.address else (),
        public=public.names,
    )


WITHHELD = "（内容已封存，身份信息暂无法核对 withheld: it cannot be cleared of names now）"


def copy_of(note: str, person: Person | None, public: Public, *, confidential: bool) -> WorkingCopy:
    """The working copy of a later text when its speaker may be unknown (erased, or the key lost).

    Then only patterns can be masked; of a confidential ticket nothing travels, for a name written
    there would reach whom it must not.
    """
    if person is None:
        return WorkingCopy("", WITHHELD if confidential else mask_note(note, Person()), None)
    return working_copy("", note, None, person, public)


def is_confidential(ticket_type: TicketType, asked: bool | None) -> bool:
    """保密: as the citizen asked; a report (举报) is confidential by default (R-35)."""
    return accuses(ticket_type) if asked is None else asked


class Place(NamedTuple):
    """Where the matter is, as far as a fact may say it."""

    address: str | None
    location: Location | None


def visible(confidential: bool, copy: WorkingCopy, location: Location | None) -> Place:
    """A confidential ticket's facts carry the area only: a door number names a person (R-36).

    So do coordinates: where any text lost the caller's home, they would say where that is.
    """
    if confidential:
        return Place(None, None)
    return Place(copy.address, None if copy.at_home else location)


# --- keeping and erasing -----------------------------------------------------------------------


class TicketOpen(JiesuError):
    """The identity behind a ticket that is still worked on; who must erase it anyway forces it."""

    status = 409
    slug = "ticket-open"
    title = "工单尚未办结 The ticket is still open; its identity is needed"


class IdentityErased(JiesuError):
    """The citizen's identity was erased, by wish or because it was kept long enough (PIPL 47)."""

    status = 410
    slug = "identity-erased"
    title = "身份信息已删除 The citizen's identity was erased"


def check_erasable(status: TicketStatus, *, forced: bool) -> None:
    """Raises TicketOpen while somebody may still have to contact the citizen."""
    if not ended(status) and not forced:
        raise TicketOpen


class KeepFor(NamedTuple):
    """保存期限: how long an identity is kept after its ticket ended; text such as 3y or 90d."""

    years: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        found = re.fullmatch(r"([1-9]\d{0,2})y|([1-9]\d{0,4})d", text)
        if found is None:
            raise ValueError(f"{text!r} 不是期限 is no period such as 3y or 90d")
        return cls(int(found[1] or 0), int(found[2] or 0))

    def before(self, now: datetime) -> datetime:
        """The moment before which a ticket must have ended; 29 February counts as the 28th."""
        day = min(now.day, 28) if now.month == 2 else now.day
        return now.replace(year=now.year - self.years, day=day) - timedelta(days=self.days)
