"""Alembic environment: the dispatcher's tables only."""

from services.dispatcher.catalogue import models as catalogue_models
from shared.storage.migrations import run_migrations

run_migrations(catalogue_models.Base.metadata)  # models.py comes with it
