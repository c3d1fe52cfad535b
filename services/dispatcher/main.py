"""派单 dispatcher, assembled."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from services.dispatcher.consumers import SUBSCRIPTIONS
from services.dispatcher.jobs import JOBS
from services.dispatcher.routes import Streams, router
from services.dispatcher.settings import Settings
from shared.app import build_app

MIGRATIONS = Path(__file__).parent / "migrations"


def app(settings: Settings | None = None) -> FastAPI:
    """The dispatcher."""
    settings = settings or Settings()
    built = build_app("dispatcher", settings, router, SUBSCRIPTIONS, JOBS, MIGRATIONS)
    built.state.streams = Streams(settings.feed_streams)
    return built
