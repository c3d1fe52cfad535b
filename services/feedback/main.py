"""feedback 回访反馈: calls the citizen back; closes the ticket or opens the next round."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.feedback.consumers import SUBSCRIPTIONS
from services.feedback.jobs import JOBS
from services.feedback.routes import router
from services.feedback.settings import Settings
from services.feedback.webhook import webhooks
from shared.app import build_app

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The service, assembled."""
    settings = settings or Settings()
    built = build_app("feedback", settings, router, SUBSCRIPTIONS, JOBS, MIGRATIONS)
    built.webhooks.include_router(webhooks)
    return built
