"""What the sweep is compared with: APScheduler 3 and its SQLAlchemy job store, on the same PostgreSQL.

    .venv-load/bin/python tests/load/apscheduled.py JOBS SECONDS

So many jobs fall due at one moment, each of which does nothing: what is counted is what it takes to find
each, to run it and to have it on record that it ran. The last line printed is what came of it.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from threading import Event
from typing import Any

from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler


def mark() -> None:
    """A mark that falls due."""


def main(jobs: int, seconds: float) -> dict[str, float]:
    """How many jobs ran and were done with, and in how many seconds."""
    url = os.environ["JIESU_DATABASE_URL"].replace("+asyncpg", "+psycopg")
    store, done, ran = SQLAlchemyJobStore(url), Event(), 0

    def count(_: Any) -> None:
        nonlocal ran
        ran += 1
        if ran >= jobs:
            done.set()

    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=UTC)
    scheduler.add_listener(count, EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    moment = datetime.now(UTC)  # noqa: TID251 - a scheduler runs by the wall clock
    for _ in range(jobs):
        scheduler.add_job(mark, "date", run_date=moment, misfire_grace_time=None)
    began = datetime.now(UTC)  # noqa: TID251
    scheduler.resume()
    done.wait(seconds)
    # A job is done with when its row is gone, which comes after it was handed out.
    while store.get_all_jobs() and (datetime.now(UTC) - began).total_seconds() < seconds:  # noqa: TID251
        Event().wait(0.02)
    left = len(store.get_all_jobs())
    took = (datetime.now(UTC) - began).total_seconds()  # noqa: TID251
    scheduler.shutdown(wait=False)
    return {"jobs": min(ran, jobs - left), "seconds": took}


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(main(int(sys.argv[1]), float(sys.argv[2])))}\n")
