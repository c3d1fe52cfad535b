"""Alembic environment: feedback's tables only."""

from services.feedback.models import Base
from shared.storage.migrations import run_migrations

run_migrations(Base.metadata)
