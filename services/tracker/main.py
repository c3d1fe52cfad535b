"""Tracker 督办: watches every limit, warns, and supervises."""

from pathlib import Path

from fastapi import FastAPI

from services.tracker.consumers import SUBSCRIPTIONS
from services.tracker.jobs import JOBS
from services.tracker.routes import router
from services.tracker.settings import Settings
from shared.app import build_app

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The service as an application."""
    return build_app("tracker", settings or Settings(), router, SUBSCRIPTIONS, JOBS, MIGRATIONS)
