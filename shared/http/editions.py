"""What is asked and answered of drafts and versions, whatever they are of (shared/editions.py)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, StringConstraints

from shared.editions import SENTENCES, status
from shared.http.fields import Body, Instant, Sentence
from shared.storage.editions import EditionRow

Digest = Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9a-f]{64}$")]


class Publication(Body):
    """发布: ``digest`` is that of the draft as it was read and approved; ``effective_at``: as soon as it
    may when it is left out.
    """

    digest: Digest
    effective_at: Instant | None = None

    def masked(self, keep: Collection[str] = ()) -> Self:
        """As any body; a digest is nobody's number, whatever digits stand in it."""
        return super().masked(keep).model_copy(update={"digest": self.digest})


class EditionOut(BaseModel):
    """A draft, or the version it became. ``status``: draft, discarded, scheduled, in_force, superseded,
    withdrawn. ``source``: ``file`` where it was read from the county's folder. ``authors`` wrote in it, so
    none of them may publish it.
    """

    id: UUID
    version: int | None
    status: str
    sentence: Sentence
    source: str
    digest: str
    based_on: int | None
    note: str
    authors: list[str]
    drafted_at: AwareDatetime
    edited_at: AwareDatetime
    published_at: AwareDatetime | None
    published_by: str | None
    effective_at: AwareDatetime | None
    withdrawn_at: AwareDatetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None
    discarded_at: AwareDatetime | None
    discarded_by: str | None


class EditionPage(BaseModel):
    """Drafts or versions, the newest first; ``next`` asks for what follows, None at the end."""

    items: list[EditionOut]
    next: str | None


def shown(row: EditionRow, now: datetime, in_force: int | None) -> dict[str, Any]:
    """A draft or version as it is answered: the fields of EditionOut. ``in_force``: which version is."""
    stands = status(row, now, in_force)
    zh, en = SENTENCES[stands]
    return vars(row) | {"status": stands, "sentence": Sentence(zh=zh, en=en)}
