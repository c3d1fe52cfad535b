"""Intake 受理: takes complaints in, gives each its number, and keeps who said it in the vault."""

from fastapi import FastAPI

from services.intake.consumers import SUBSCRIPTIONS
from services.intake.jobs import JOBS
from services.intake.models import TABLES
from services.intake.routes import registrar, router
from services.intake.settings import Settings
from shared.app import build_app


def app(settings: Settings | None = None) -> FastAPI:
    """The service as an application."""
    built = build_app("intake", settings or Settings(), router, SUBSCRIPTIONS, JOBS, TABLES)
    built.state.registrar = registrar(built.state.service.store)
    return built
