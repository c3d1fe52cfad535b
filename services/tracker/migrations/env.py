"""Alembic environment: the tracker's tables only."""

from services.tracker.policies import models as policy_models
from shared.storage.migrations import run_migrations

run_migrations(policy_models.Base.metadata)  # models.py comes with it
