"""The tables every service has beside its own: outbox, seq, inbox, retry, answers, processes, dissolved."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def declare_system_tables(metadata: MetaData) -> None:
    """Declare them on a service's metadata, for its migrations to be compared with."""
    for declare in (_outbox, _seq, _inbox, _retry, _answers, _processes, _dissolved):
        declare(metadata)


def _outbox(metadata: MetaData) -> None:
    unsent = text("position IS NULL")
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), nullable=False),
        Column("fact", Uuid, nullable=False, unique=True),
        Column("subject", Text, nullable=False, index=True),
        Column("key", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("recorded", DateTime(timezone=True), nullable=False),
        Column("position", BigInteger),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("try_at", DateTime(timezone=True)),
        Column("reason", Text),
        Column("lane", SmallInteger, nullable=False, server_default="1"),
        Index("ix_outbox_unsent", "id", postgresql_where=unsent),
        Index("ix_outbox_lane", "lane", "id", postgresql_where=unsent),
        postgresql_partition_by="RANGE (fact)",  # keys on id and position are each month's own
    )


def _seq(metadata: MetaData) -> None:
    Table(
        "seq",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("last", Integer, nullable=False),
        Column("lane", SmallInteger, nullable=False, server_default="1"),
    )


def _inbox(metadata: MetaData) -> None:
    Table(
        "inbox",
        metadata,
        Column("consumer", Text, nullable=False),
        Column("fact", Uuid, nullable=False),
        Column("received", DateTime(timezone=True), nullable=False),
        PrimaryKeyConstraint("consumer", "fact"),
        postgresql_partition_by="RANGE (fact)",
    )


def _retry(metadata: MetaData) -> None:
    Table(
        "retry",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", Text, nullable=False),
        Column("fact", Uuid, nullable=False),
        Column("subject", Text, nullable=False, index=True),
        Column("seq", Integer, nullable=False),
        Column("key", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("due", DateTime(timezone=True), nullable=False, index=True),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("reason", Text, nullable=False),
        Column("since", DateTime(timezone=True), nullable=False),
        Column("again", DateTime(timezone=True)),
        Column("holds", Boolean, nullable=False, server_default="false"),
        Column("tried", ARRAY(Text)),
    )


def _answers(metadata: MetaData) -> None:
    Table(
        "answers",
        metadata,
        Column("caller", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("fingerprint", Text, nullable=False),
        Column("body", Text),
        Column("recorded", DateTime(timezone=True), nullable=False),
        Column("status", SmallInteger),
        Column("sent", Text),
        PrimaryKeyConstraint("caller", "key"),
    )


def _processes(metadata: MetaData) -> None:
    Table(
        "processes",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("release", Text, nullable=False),
        Column("configuration", Text, nullable=False),
        Column("started_at", DateTime(timezone=True), nullable=False),
        Column("seen_at", DateTime(timezone=True), nullable=False),
    )


def _dissolved(metadata: MetaData) -> None:
    Table(
        "dissolved",
        metadata,
        Column("unit", Text, primary_key=True),
        Column("since", DateTime(timezone=True), nullable=False),
        Column("reform", JSONB, nullable=False),
    )


def declare_policies(metadata: MetaData) -> None:
    """The published versions of the time limits, of a service that goes by them (shared/policies.py)."""
    Table(
        "policies",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("effective_at", DateTime(timezone=True), nullable=False),
        Column("limits", Text, nullable=False),
        Column("supervision", Text, nullable=False),
        Column("withdrawn", Boolean, nullable=False, server_default=text("false")),
    )
