"""Alembic environment: the tracker's tables only."""

from services.tracker.models import Base
from shared.storage.migrations import run_migrations

run_migrations(Base.metadata)
