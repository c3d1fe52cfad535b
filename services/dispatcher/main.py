"""派单 dispatcher, assembled."""

from pathlib import Path

from fastapi import FastAPI

from services.dispatcher import stuck
from services.dispatcher.consumers import SUBSCRIPTIONS
from services.dispatcher.feed import Streams
from services.dispatcher.jobs import JOBS, check
from services.dispatcher.models import Base
from services.dispatcher.routes import router
from services.dispatcher.settings import Settings
from shared.app import build_app
from shared.part import Part, StuckPage

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The dispatcher."""
    settings = settings or Settings()
    built = build_app("dispatcher", settings, router, SUBSCRIPTIONS, JOBS, MIGRATIONS, PAGE, check)
    built.state.streams = Streams(settings.feed_streams)
    return built


PAGE = StuckPage(stuck.QUESTIONS, stuck.PROGRESS, stuck.OPEN, stuck.ASSIGNMENTS)
PART = Part(app, Settings, SUBSCRIPTIONS, Base, MIGRATIONS, PAGE)
