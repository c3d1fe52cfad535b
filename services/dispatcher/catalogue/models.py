"""Rows and tables of the catalogue's versions (派单目录); the rest stands in models.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from services.dispatcher.models import Base as Base  # these tables stand on it, too


class Edition(Base):
    """派单目录的一稿: a draft, and once it is published a version, whose number it gets then.

    ``digest`` names its text. ``source``: ``file`` where it was read from the county's folder.
    ``based_on``: the last version there was when it was written, None of the first. ``authors``: everybody
    who wrote in it, as facts name them. A version is in force from ``effective_at`` until the next one is.
    """

    id: UUID = Field(primary_key=True)
    version: int | None = None
    digest: str = Field(sa_type=Text, foreign_key="catalogue_texts.digest")
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


class CatalogueText(Base):
    """The rules as written, by the SHA-256 of it: nothing is ever changed here, or kept twice."""

    digest: str = Field(primary_key=True, sa_type=Text)
    text: str = Field(sa_type=Text)


# --- their tables ------------------------------------------------------------------------------


class Editions(Edition, table=True):
    """The table of drafts and versions."""

    __tablename__ = "catalogues"
    __table_args__ = (
        Index("uq_catalogues_version", "version", unique=True),
        Index("ix_catalogues_drafts", "id", postgresql_where=text("version IS NULL")),
    )


class CatalogueTexts(CatalogueText, table=True):
    """The table of texts."""

    __tablename__ = "catalogue_texts"
