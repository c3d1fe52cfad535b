"""The columns of drafts and versions; what they are of, and its text, a service adds (shared/editions.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class EditionRow(SQLModel):
    """一稿: a draft, and once it is published a version, whose number it gets then.

    ``digest`` names its text. ``source``: ``file`` where it was read from the county's folder.
    ``based_on``: the last version there was when it was written, None of the first. ``authors``: everybody
    who wrote in it, as facts name them. A version is in force from ``effective_at`` until the next one is.
    """

    id: UUID = Field(primary_key=True)
    version: int | None = None
    digest: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    based_on: int | None = None
    note: str = Field(sa_type=Text)
    authors: list[Any] = Field(sa_type=JSONB)
    drafted_at: datetime
    edited_at: datetime
    discarded_at: datetime | None = None
    discarded_by: str | None = Field(default=None, sa_type=Text)
    published_at: datetime | None = None
    published_by: str | None = Field(default=None, sa_type=Text)
    effective_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = Field(default=None, sa_type=Text)
    withdrawn_reason: str | None = Field(default=None, sa_type=Text)
