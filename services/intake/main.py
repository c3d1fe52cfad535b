"""Intake 受理: takes complaints in, gives each its number, and keeps who said it in the vault."""

from pathlib import Path

from fastapi import FastAPI

from services.intake import stuck
from services.intake.consumers import SUBSCRIPTIONS
from services.intake.jobs import JOBS, check
from services.intake.models import Base
from services.intake.routes import router, share
from services.intake.settings import Settings
from shared.app import build_app
from shared.part import Part, StuckPage

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The service as an application."""
    given = settings or Settings()
    built = build_app("intake", given, router, SUBSCRIPTIONS, JOBS, MIGRATIONS, PAGE, check)
    share(built, given)
    return built


PAGE = StuckPage(stuck.QUESTIONS, progress=stuck.PROGRESS, open_tickets=stuck.OPEN)
PART = Part(app, Settings, SUBSCRIPTIONS, Base, MIGRATIONS, PAGE)
