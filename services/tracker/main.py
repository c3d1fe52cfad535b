"""Tracker 督办: watches every limit, warns, and supervises."""

from pathlib import Path

from fastapi import FastAPI

from services.tracker import stuck
from services.tracker.consumers import SUBSCRIPTIONS
from services.tracker.jobs import JOBS
from services.tracker.models import Base
from services.tracker.policies.versions import check
from services.tracker.routes import router
from services.tracker.settings import Settings
from shared.app import build_app
from shared.part import Part, StuckPage

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The service as an application."""
    settings = settings or Settings()
    return build_app("tracker", settings, router, SUBSCRIPTIONS, JOBS, MIGRATIONS, PAGE, check)


PAGE = StuckPage(stuck.QUESTIONS, progress=stuck.PROGRESS, assignments=stuck.ASSIGNMENTS)
PART = Part(app, Settings, SUBSCRIPTIONS, Base, MIGRATIONS, PAGE)
