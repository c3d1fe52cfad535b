"""Alembic environment: intake's tables only."""

from services.intake.calls import models as call_models
from services.intake.corrections import models as correction_models
from shared.storage.migrations import run_migrations

TABLES = (call_models.PhoneCall, correction_models.Correction)  # models.py comes with them
run_migrations(TABLES[0].metadata)
