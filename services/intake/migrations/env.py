"""Alembic environment: intake's tables only."""

from services.intake.models import Base
from shared.storage.migrations import run_migrations

run_migrations(Base.metadata)
