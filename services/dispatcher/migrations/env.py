"""Alembic environment: the dispatcher's tables only."""

from services.dispatcher.models import Base
from shared.storage.migrations import run_migrations

run_migrations(Base.metadata)
