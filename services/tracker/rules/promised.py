"""承诺办结: a day that a unit promised, and what was done about it, as rows hold it (R-19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict

# A fact's time comes in the zone its speaker wrote, a row's in UTC: both must be stored alike.
Instant = Annotated[datetime, AfterValidator(lambda t: t.astimezone(UTC))]


class Known(BaseModel):
    """What rows and facts say of a ticket."""

    model_config = ConfigDict(frozen=True, from_attributes=True, extra="ignore")


class PromiseMove(Known):
    """承诺改期: another day asked for, until the end of it, and how that was ruled on."""

    until: Instant
    reason: str
    asked_at: Instant
    asked_by: str
    granted: bool | None = None
    ruling: str | None = None
    ruled_at: Instant | None = None
    ruled_by: str | None = None


class PromiseReview(Known):
    """挂账复核: what the hotline found when it looked after a promise."""

    at: Instant
    by: str
    note: str


class PromiseRecord(Known):
    """承诺办结: what was done about a promise after it was made (R-19). ``result``: in words for the
    citizen.
    """

    moves: tuple[PromiseMove, ...] = ()
    reviews: tuple[PromiseReview, ...] = ()
    kept_at: Instant | None = None
    kept_by: str | None = None
    result: str | None = None

    @property
    def asked(self) -> PromiseMove | None:
        """A move that waits for its ruling."""
        return next((each for each in self.moves if each.granted is None), None)

    @property
    def moved(self) -> PromiseMove | None:
        """The one that was granted."""
        return next((each for each in self.moves if each.granted), None)


class Promised(NamedTuple):
    """A promise as its clock sees it: since when, until when, and when it was moved or kept."""

    since: datetime
    until: datetime
    moved_at: datetime | None
    kept_at: datetime | None

    @property
    def limit(self) -> str:
        """From the minute it was made in until the end of the day, as clocks are limited."""
        return f"{(self.until - self.since) // timedelta(minutes=1)}min"
