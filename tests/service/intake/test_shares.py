"""A token that floods stops nobody but itself: complaints are counted, not requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from services.intake.settings import Settings
from services.intake.shares import ComplaintLimiter
from shared import clock
from shared.caller import Caller
from shared.http.rate_limits import TooMany
from tests.fixtures.bench import Bench, bench
from tests.fixtures.benches import Template
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.intake import complaint, rows

ONE, OTHER = Caller("phone_system", "a"), Caller("phone_system", "b")


@pytest.fixture
async def intake(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Intake that lets a caller hand in a thousand complaints a minute."""
    few = {"complaints_per_minute": 1_000, "complaints_at_once": 1_000}
    async with (
        postgres.fresh_database(await template("intake")) as url,
        bench("intake", url, keys, **few) as one,
    ):
        yield one


async def test_a_batch_counts_by_its_complaints(intake: Bench) -> None:
    one, other = intake.http("phone_system", None, "a"), intake.http("phone_system", None, "b")
    full = {"tickets": [complaint(content=f"停水{n}") for n in range(999)]}
    assert (await one.post("/v1/tickets/batch", json=full)).status_code == 200
    stored = len(await rows(intake, "ticket"))
    refused = await one.post("/v1/tickets/batch", json=full)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert len(await rows(intake, "ticket")) == stored
    assert (await other.post("/v1/tickets", json=complaint())).status_code == 201


def limiter() -> ComplaintLimiter:
    return ComplaintLimiter(
        Settings(embedded=True, complaints_per_minute=1_000, complaints_at_once=1_000)
    )


def test_what_is_under_way_is_bounded_by_caller_and_given_back() -> None:
    shares = limiter()
    with time_machine.travel(clock.real(), tick=False):
        with shares.admit(ONE, 600):
            with pytest.raises(TooMany), shares.admit(ONE, 401):
                pass
            with shares.admit(OTHER, 1_000):
                pass
        with shares.admit(ONE, 400):
            pass


def test_a_minute_brings_a_minutes_share_back() -> None:
    shares = limiter()
    with time_machine.travel(clock.real(), tick=False) as time:
        with shares.admit(ONE, 1_000):
            pass
        with pytest.raises(TooMany), shares.admit(ONE):
            pass
        time.shift(timedelta(minutes=1))
        with shares.admit(ONE, 1_000):
            pass
