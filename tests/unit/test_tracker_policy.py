"""What the tracker alone reads of policy.yaml, and what a broken file is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.tracker.rules.policy_file import TrackerRules
from services.tracker.settings import Settings
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit
from tests.fixtures.policy import CONFIG, POLICY, changed

RULES = TrackerRules.model_validate(POLICY)
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
    card = RULES.yellow_card(urgency)
    assert card is not None
    assert card.point(CALENDAR, at(start), at(due)) == (at(point) if point else None)


def test_a_policy_may_show_no_yellow_card() -> None:
    rules = TrackerRules.model_validate(changed("warnings", to=[]))
    assert rules.yellow_card(U.NORMAL) is None


def test_the_ladder() -> None:
    assert [(row.rung, row.title, row.climbed_at) for row in RULES.ladder] == [
        (1, "催办 written reminder", "due"),
        (2, "督办单 supervision order", "1wd"),
        (3, "一把手督办 head leads in person", "3wd"),
    ]
    assert [row.new_limit for row in RULES.ladder] == [None, Limit(3, "wd"), None]
    assert [row.rung for row in RULES.escalation_ladder] == [1, 2, 3, 4, 5, 6, 7]


def test_the_ladder_is_climbed_from_the_lowest_rung() -> None:
    backwards = changed("escalation_ladder", to=POLICY["escalation_ladder"][::-1])
    assert TrackerRules.model_validate(backwards).ladder == RULES.ladder


def test_extension() -> None:
    rules = RULES.extension
    assert rules.first.max == Limit(7, "wd")
    assert rules.max_count == 2
    assert rules.cap_total_handle == Limit(15, "wd")
    assert rules.apply_at_latest_before == Limit(4, "wh")
    assert rules.not_for == {U.URGENT, U.CRITICAL}


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (changed("extension", "first", "max", to="7d"), "extension.first.max"),
        (changed("extension", "not_for", to=["soon"]), "extension.not_for"),
        (changed("warnings", 1, "at", to="1wd_befor_due"), "warnings.1.at"),
        (changed("escalation_ladder", 1, "when", to="overdue_1d"), "escalation_ladder"),
        (changed("redo", "after_max", to="reminder"), "redo"),
        (
            changed("direct_triggers", "critical_not_signed_in_limit", to="rung_9"),
            "direct_triggers.critical_not_signed_in_limit",
        ),
    ],
)
def test_a_broken_policy_is_refused_at_its_field(policy: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TrackerRules.model_validate(policy)
    places = [".".join(map(str, row["loc"])) for row in refused.value.errors()]
    assert all(place.startswith(field) for place in places), places
