"""build_app: one service, assembled.

Every service is built here from the same parts, so what holds for one holds for all: one
transaction per group of requests, batch and tick; facts relayed after the commit; errors as problem+json;
health, metrics and the fact log on every port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import Lifespan

from shared.http.acts import Acts
from shared.http.operations import operations
from shared.http.pages import pages
from shared.http.problems import Observed, install_problems
from shared.http.rate_limits import RequestLimits
from shared.http.router import Router
from shared.jobs import Job
from shared.messaging.inbox import Subscriptions
from shared.part import StuckPage
from shared.service import AppState, Check, Service
from shared.settings import ServiceSettings


def build_app(
    name: str,
    settings: ServiceSettings,
    router: Router,
    subscriptions: Subscriptions,
    jobs: Mapping[str, Job],
    migrations: Path,
    page: StuckPage | None = None,
    check: Check | None = None,
) -> FastAPI:
    """One service's app. ``migrations``: the folder of its schema, which start() waits for;
    ``check`` then looks whether settings and data belong together, and raises ConfigError;
    ``page``: its part of the morning page, which its metrics count.
    """
    questions = page.questions if page else ()
    service = Service(name, settings, subscriptions, jobs, migrations, questions, check)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await service.start()
            yield
        finally:
            await service.stop()

    app = _bare_app(name, lifespan, [*router.routes, *operations.routes, *pages.routes])
    app.state.jiesu = AppState(service, [service])
    app.state.acts = Acts(service.store)
    app.add_middleware(
        RequestLimits,
        tokens=service.tokens,
        per_minute=settings.anonymous_per_minute,
        body_seconds=settings.body_seconds,
    )
    app.add_middleware(Observed, service=name, metrics=service.metrics)
    install_problems(app)
    return app


def _bare_app(name: str, lifespan: Lifespan[FastAPI], routes: list[BaseRoute]) -> FastAPI:
    return FastAPI(
        routes=routes,
        title=f"Jiesu 接诉 · {name}",
        version="1",
        lifespan=lifespan,
        docs_url=None,  # pages answers it, from files of its own
        redoc_url=None,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours say no values
        redirect_slashes=False,  # a redirect would go to whatever host the request names
    )
