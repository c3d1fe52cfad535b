"""Alembic environment: the dispatcher's tables only."""

from services.dispatcher.models import Base
from shared.db import run_migrations

run_migrations(Base.metadata)
