"""Rows and tables of the policy's drafts and versions (时限规则); the rest stands in models.py."""

from __future__ import annotations

from sqlalchemy import Index, Text
from sqlmodel import Field

from services.tracker.models import Base as Base  # this table stands on it, too
from shared.storage.editions import EditionRow


class PolicyEdition(EditionRow, Base):
    """时限规则的一稿: a draft or version, with its two files. ``base``: the digest of what it stands on."""

    base: str = Field(sa_type=Text)
    limits: str = Field(sa_type=Text)
    supervision: str = Field(sa_type=Text)


class PolicyEditions(PolicyEdition, table=True):
    """The table of drafts and versions."""

    __tablename__ = "policy_drafts"
    __table_args__ = (Index("uq_policy_drafts_version", "version", unique=True),)
