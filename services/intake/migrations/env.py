"""Alembic environment: intake's tables only."""

from services.intake.calls import models as call_models
from shared.storage.migrations import run_migrations

run_migrations(call_models.Base.metadata)  # models.py comes with it
