"""feedback 回访反馈: calls the citizen back; closes the ticket or opens the next round."""

from pathlib import Path

from fastapi import FastAPI

from services.feedback import stuck
from services.feedback.consumers import SUBSCRIPTIONS
from services.feedback.jobs import JOBS
from services.feedback.models import Base
from services.feedback.routes import router, share
from services.feedback.settings import Settings
from services.feedback.webhook import webhooks
from shared.app import build_app
from shared.part import Part, StuckPage

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The service as an application."""
    settings = settings or Settings()
    built = build_app("feedback", settings, router, SUBSCRIPTIONS, JOBS, MIGRATIONS, PAGE)
    built.webhooks.include_router(webhooks)
    share(built, settings)
    return built


PAGE = StuckPage(stuck.QUESTIONS, progress=stuck.PROGRESS)
PART = Part(app, Settings, SUBSCRIPTIONS, Base, MIGRATIONS, PAGE)
