"""supervision.yaml, which the tracker alone reads, and what a broken file is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.tracker.rules.supervision import Supervision, card_point
from services.tracker.settings import Settings
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit
from tests.fixtures.policy import CONFIG, SUPERVISION, changed

RULES = Supervision.model_validate(SUPERVISION)
CALENDAR = Settings(embedded=True, config_dir=CONFIG).load().calendar
U = Urgency


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("urgency", "start", "due", "point"),
    [
        (U.NORMAL, "2026-03-02T10:00", "2026-03-09T18:00", "2026-03-06T18:00"),
        (U.COMPLEX, "2026-09-24T10:00", "2026-10-08T18:00", "2026-09-30T18:00"),
        (U.NORMAL, "2026-03-02T10:00", "2026-03-03T18:00", "2026-03-02T18:00"),
        (U.NORMAL, "2026-03-02T18:00", "2026-03-03T18:00", None),
        (U.NORMAL, "2026-03-02T10:00", "2026-03-02T15:30", None),
        (U.URGENT, "2026-03-02T10:00", "2026-03-03T10:00", "2026-03-03T04:00"),
        (U.CRITICAL, "2026-03-02T22:00", "2026-03-03T00:00", "2026-03-02T23:30"),
    ],
)
def test_the_yellow_card(urgency: Urgency, start: str, due: str, point: str | None) -> None:
    """R-31 黄牌红牌."""
    [card] = [each for each in RULES.points(urgency) if each.color == "yellow"]
    assert card_point(card.at, CALENDAR, at(start), at(due)) == (at(point) if point else None)


def test_a_policy_may_show_no_yellow_card() -> None:
    rules = Supervision.model_validate(changed(SUPERVISION, "warnings", to={}))
    assert rules.warnings.get(U.NORMAL) is None


def test_a_folder_of_the_release_before_says_the_yellow_card_alone() -> None:
    before = changed(SUPERVISION, "warnings", "normal", to="1wd_before_due")
    before = changed(before, "sign_due_missed", to=None)
    rules = Supervision.model_validate(before)
    [card] = rules.points(U.NORMAL)
    assert (card.at, card.color, card.to, rules.sign_due_missed) == (
        "1wd_before_due",
        "yellow",
        (),
        None,
    )


def test_margins_and_rungs_of_natural_time_have_a_default() -> None:
    before = changed(SUPERVISION, "extension", "apply_at_latest_before_natural", to=None)
    rules = Supervision.model_validate(before)
    assert rules.extension.margin(Limit(24, "h")) == Limit(4, "h")
    assert rules.extension.margin(Limit(5, "wd")) == Limit(4, "wh")
    assert [row.climbed_natural for row in rules.climbed] == ["due", "24h", "72h", "120h", "240h"]
    other = changed(before, "ladder", 1, "when_natural", to="overdue_6h")
    assert Supervision.model_validate(other).ladder[1].climbed_natural == "6h"


def test_the_ladder() -> None:
    """R-30 督办."""
    assert [(row.rung, row.title, row.climbed_at) for row in RULES.climbed] == [
        (1, "催办 written reminder", "due"),
        (2, "督办单 supervision order", "1wd"),
        (3, "一把手督办 head leads in person", "3wd"),
        (4, "挂牌督办 listed supervision", "5wd"),
        (5, "约谈督办 interview", "10wd"),
    ]
    assert [row.new_limit for row in RULES.climbed] == [Limit(1, "wd"), *[Limit(3, "wd")] * 4]
    assert [row.rung for row in RULES.ladder] == [1, 2, 3, 4, 5, 6, 7]


def test_the_ladder_is_climbed_from_the_lowest_rung() -> None:
    backwards = changed(SUPERVISION, "ladder", to=SUPERVISION["ladder"][::-1])
    assert Supervision.model_validate(backwards).ladder == RULES.ladder


def test_extension() -> None:
    rules = RULES.extension
    assert rules.max == Limit(7, "wd")
    assert rules.cap_total_handle == Limit(15, "wd")
    assert rules.apply_at_latest_before == Limit(4, "wh")
    assert rules.not_for == {U.URGENT, U.CRITICAL}


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (changed(SUPERVISION, "extension", "max", to="7d"), "extension.max"),
        (changed(SUPERVISION, "extension", "max", to="7h"), "extension.max"),
        (changed(SUPERVISION, "extension", "not_for", to=["soon"]), "extension.not_for"),
        (changed(SUPERVISION, "extension", "second", "max", to="7h"), "extension.second.max"),
        (changed(SUPERVISION, "extension", "second", "by", to="liaison"), "extension.second.by"),
        (changed(SUPERVISION, "told", "county_government_office", to=None), "extension.second.by"),
        (changed(SUPERVISION, "warnings", "normal", to="1wd_befor_due"), "warnings.normal"),
        (changed(SUPERVISION, "warnings", "normal", 1, "at", to="50%_elapsed"), "warnings"),
        (changed(SUPERVISION, "warnings", "normal", 2, "color", to="yellow"), "warnings"),
        (changed(SUPERVISION, "warnings", "normal", 0, "to", to=["mayor"]), "warnings.normal"),
        (changed(SUPERVISION, "sign_due_missed", "color", to="blue"), "sign_due_missed.color"),
        (
            changed(SUPERVISION, "extension", "apply_at_latest_before_natural", to="4wh"),
            "extension.apply_at_latest_before_natural",
        ),
        (changed(SUPERVISION, "ladder", 0, "when_natural", to="overdue_4h"), "ladder.0"),
        (changed(SUPERVISION, "ladder", 1, "when_natural", to="overdue_1wd"), "ladder.1"),
        (changed(SUPERVISION, "ladder", 1, "when", to="overdue_1d"), "ladder.1.when"),
        (changed(SUPERVISION, "ladder", 1, "rung", to=1), "ladder"),
        (changed(SUPERVISION, "ladder", 1, "when", to="overdue_3wd"), "ladder.2.when"),
        (
            changed(SUPERVISION, "ladder", 1, "when_natural", to="overdue_72h"),
            "ladder.2.when_natural",
        ),
        (changed(SUPERVISION, "ladder", 2, "when", to="red_card"), "ladder.2.when"),
        (changed(SUPERVISION, "redo", "then", to=9), "redo.then"),
        (changed(SUPERVISION, "critical_unsigned", to=9), "critical_unsigned"),
        (
            changed(changed(SUPERVISION, "ladder", 2, to=None), "barred_return", to=None),
            "critical_unsigned",
        ),
    ],
)
def test_a_broken_policy_is_refused_at_its_field(policy: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Supervision.model_validate(policy)
    places = [".".join(map(str, row["loc"])) for row in refused.value.errors()]
    assert all(place.startswith(field) for place in places), places
