"""统计周期: the figures of every service go by the place's own periods and days (R-48)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG, edit

DOORS = [
    "intake /v1/figures",
    *("dispatcher /v1/rates", "dispatcher /v1/figures/burden", "dispatcher /v1/figures/whistles"),
    "tracker /v1/rates",
    "feedback /v1/rates",
]


@pytest.mark.parametrize("door", DOORS)
async def test_a_period_from_the_19th_of_days_from_noon(
    door: str, intake: Bench, dispatcher: Bench, tracker: Bench, feedback: Bench, tmp_path: Path
) -> None:
    """R-48: what is asked for without days is the period that runs, as the place counts."""
    name, path = door.split()
    benches = (intake, dispatcher, tracker, feedback)
    service = next(bench for bench in benches if bench.name == name)
    county = shutil.copytree(CONFIG, tmp_path / "county")
    period = 'period: {start_day: 19, day_start: "12:00"}'
    edit(county / "place.yaml", "timezone: Asia", f"{period}\ntimezone: Asia")
    settings = service.service.settings.model_copy(update={"config_dir": county})
    service.service.store.config = settings.load()
    for moment, first, last in (
        ("2026-03-18T11:59+08:00", "2026-02-19", "2026-03-18"),
        ("2026-03-18T12:00+08:00", "2026-03-19", "2026-03-19"),
    ):
        service.at(moment)
        found = (await service.http("supervisor").get(path)).json()
        assert (found["start"], found["end"]) == (first, last)
