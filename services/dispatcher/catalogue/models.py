"""Rows and tables of the catalogue's versions (派单目录); the rest stands in models.py."""

from __future__ import annotations

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from services.dispatcher.models import Base as Base  # these tables stand on it, too
from shared.storage.editions import EditionRow


class Edition(EditionRow, Base):
    """派单目录的一稿: a draft or version of the catalogue."""

    digest: str = Field(sa_type=Text, foreign_key="catalogue_texts.digest")


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
