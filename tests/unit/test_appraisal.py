"""分类分档评价: units stand by class and band, and a rate takes enough cases (R-43)."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from services.dispatcher.settings import Settings as Dispatcher
from services.feedback.settings import Settings as Feedback
from services.tracker.settings import Settings as Tracker
from shared.errors import ConfigError
from shared.jurisdiction.appraisal import Appraisal, Band
from shared.jurisdiction.codes import Unit
from tests.fixtures.policy import CONFIG, edit

BANDS = Appraisal(bands=(10, 50, 200), least=10)
TOWN = Unit(code="HC", name="红椿镇", kind="town", delivery="feed", liaison="党政办主任")
WRITTEN = "appraisal: {bands: [10, 50, 200], least: 10}"


@pytest.mark.parametrize(
    ("volume", "least", "most"),
    [
        *((0, 0, 9), (9, 0, 9)),
        *((10, 10, 49), (49, 10, 49)),
        *((50, 50, 199), (199, 50, 199)),
        *((200, 200, None), (10_000, 200, None)),
    ],
)
def test_bands_at_their_edges(volume: int, least: int, most: int | None) -> None:
    """R-43 分档."""
    standing = BANDS.standing("HC", TOWN, volume)
    assert standing.band == Band(least=least, most=most)
    assert (standing.unit, standing.kind, standing.few) == ("HC", "town", volume < 10)


def test_a_rate_takes_as_many_cases_as_the_place_says() -> None:
    """DOMAIN.md 3.3: a unit with 2 tickets falls to 50 %."""
    assert [BANDS.rate(0.5, of) for of in (0, 2, 9, 10)] == [None, None, None, 0.5]


def test_where_the_place_says_nothing_every_rate_is_said_and_nobody_has_a_band() -> None:
    standing = Appraisal().standing("HC", TOWN, 0)
    assert (standing.band, standing.few, Appraisal().rate(0.5, 2)) == (None, False, 0.5)


def test_a_unit_that_stands_in_no_file_any_more_has_no_class() -> None:
    assert BANDS.standing("GONE", None, 12).kind is None


@pytest.mark.parametrize("settings", [Dispatcher, Tracker, Feedback])
def test_every_service_with_figures_of_units_has_it_of_one_file(
    settings: type[Dispatcher | Tracker | Feedback], tmp_path: Path
) -> None:
    county = copytree(CONFIG, tmp_path / "county")
    edit(county / "place.yaml", WRITTEN, "appraisal: {bands: [3], least: 2}")
    found = settings(embedded=True, config_dir=county).load().place.appraisal
    assert found == Appraisal(bands=(3,), least=2)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("{bands: [10, 10]}", r"bands\.1"),
        ("{bands: [50, 10]}", r"bands\.1"),
        ("{bands: [0, 10]}", r"bands\.0"),
        ("{bands: 10}", "bands"),
        ("{least: -1}", "least"),
        ("{least: many}", "least"),
        ("{most: 10}", "most"),
    ],
)
def test_what_is_no_appraisal_stops_the_start(tmp_path: Path, written: str, field: str) -> None:
    """With file, line and field."""
    county = copytree(CONFIG, tmp_path / "county")
    edit(county / "place.yaml", WRITTEN, f"appraisal: {written}")
    with pytest.raises(ConfigError, match=rf"place\.yaml:\d+.*appraisal\.{field}"):
        Tracker(embedded=True, config_dir=county).load()
