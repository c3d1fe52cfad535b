"""吹哨报到: who whistles for whom, within which limit, and how both are appraised (R-47; ADR 0061)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.dispatcher.rules.co_handling import CoHandlerIsLead
from services.dispatcher.rules.grassroots import GrassrootsRules
from services.dispatcher.rules.whistling import (
    Attended,
    AttendTimeWrong,
    Blown,
    CalledOff,
    MayNotWhistle,
    NotWhistledFor,
    Outcome,
    Said,
    WhistleRules,
    blown_for,
    check_came,
    check_kinds,
    tallies,
    verdict_of,
)
from services.tracker.rules.rates import Tally, absent, share
from shared.events import ClockKind, Role, Urgency
from shared.jurisdiction.codes import Unit

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "by": ["town"],
    "to": ["department"],
    "attend": {"critical": "30min", "urgent": "2h", "normal": "1wd", "complex": "1wd"},
}
RULES = WhistleRules.model_validate_json(json.dumps(GIVEN))


def unit(code: str, kind: str) -> Unit:
    row = {"code": code, "name": code, "kind": kind, "delivery": "feed", "liaison": "承办员"}
    return Unit.model_validate(row)


TOWN, BUREAU, OFFICE = unit("CG", "town"), unit("GAJ", "department"), unit("ZFB", "office")


def blown(number: int = 1, **more: Any) -> Blown:
    return Blown(id=UUID(int=number), by="CG", at=NOW, need="联合处置", ground="无权", **more)


CAME = Attended(unit="GAJ", at=NOW, person="王五")
NOBODY = Said(attendance="nobody_came", by="CG", at=NOW)
OFF = CalledOff(by="CG", at=NOW, reason="误吹")


def test_towns_whistle_for_departments() -> None:
    check_kinds(RULES, TOWN, [BUREAU])


@pytest.mark.parametrize(
    ("rules", "by", "to", "why"),
    [
        (None, TOWN, BUREAU, MayNotWhistle),
        (RULES, BUREAU, BUREAU, MayNotWhistle),
        (RULES, None, BUREAU, MayNotWhistle),
        (RULES, TOWN, TOWN, CoHandlerIsLead),
        (RULES, TOWN, OFFICE, NotWhistledFor),
    ],
)
def test_nobody_else_does(
    rules: WhistleRules | None, by: Unit | None, to: Unit, why: type[Exception]
) -> None:
    with pytest.raises(why):
        check_kinds(rules, by, [to])


def test_the_limit_to_come_goes_by_urgency() -> None:
    """BJ4; what a newer release calls urgent hurries as urgent does."""
    county = GrassrootsRules(
        grassroots_guard="flag", copy_to_supervisor_when_unit_is_town=False, whistle=RULES
    )
    found = {urgency: county.attend(urgency) for urgency in (*Urgency, Urgency.UNKNOWN)}
    assert found[Urgency.CRITICAL] == "30min"
    assert found[Urgency.UNKNOWN] == found[Urgency.URGENT] == "2h"
    without = county.model_copy(update={"whistle": None})
    assert without.attend(Urgency.NORMAL) is None


def test_a_limit_for_every_urgency_is_needed() -> None:
    attend = {"critical": "30min", "urgent": "2h", "normal": "1wd"}
    with pytest.raises(ValidationError, match="complex"):
        WhistleRules.model_validate_json(json.dumps(GIVEN | {"attend": attend}))


@pytest.mark.parametrize("off", [-1, 61])
def test_a_unit_comes_between_the_whistle_and_now(off: int) -> None:
    check_came(NOW, NOW, NOW)
    with pytest.raises(AttendTimeWrong):
        check_came(NOW + timedelta(minutes=off), NOW, NOW + timedelta(hours=1))


class Held:
    def __init__(self, unit: str, role: Role, kept: Blown | None) -> None:
        self.unit, self.role, self.whistle = unit, str(role), kept.kept if kept else None


def test_a_whistle_stands_with_a_co_handlers_order_until_it_is_called_off() -> None:
    orders = [
        Held("GAJ", Role.CO, blown()),
        Held("SWJ", Role.CO, None),
        Held("ZJJ", Role.CO, blown(called_off=OFF)),
        Held("SCJG", Role.LEAD, blown()),
    ]
    assert blown_for(orders) == {"GAJ": blown()}


def test_both_sides_are_counted_and_what_was_called_off_is_nobodys() -> None:
    """R-47, BJ-33 双考核."""
    found = tallies(
        [
            Outcome("GAJ", blown(1, attended=CAME, said=NOBODY), False, "satisfied"),
            Outcome("GAJ", blown(2), True, None),
            Outcome("SWJ", blown(3, called_off=OFF), False, "satisfied"),
        ]
    )
    assert found["CG"].blew == {
        "blown": 3, "called_off": 1, "attended": 1, "returned": 1, "nobody_came": 1,
    }  # fmt: skip
    assert found["GAJ"].heard == {"heard": 2, "attended": 1, "returned": 1, "nobody_came": 1}
    assert found["SWJ"].heard == {}
    assert found["CG"].blew_verdicts == found["GAJ"].heard_verdicts == {"satisfied": 1}


def test_another_round_is_a_verdict_too() -> None:
    assert verdict_of(None, redone=True) == "redo"
    assert verdict_of("satisfied", redone=False) == "satisfied"
    assert verdict_of(None, redone=False) is None


def test_who_came_late_and_who_did_not_come_are_counted_apart() -> None:
    rows = [
        Tally("GAJ", ClockKind.ATTEND, 4, 1, 0, 2, 0, undone=2),
        Tally("GAJ", ClockKind.SIGN, 9, 9, 0, 9, 0),
        Tally("SWJ", ClockKind.ATTEND, 1, 0, 0, 0, 0, undone=1),
    ]
    assert (absent(rows), absent(rows, "GAJ")) == (3, 2)
    assert share(rows, ClockKind.ATTEND, "GAJ", charged=False)[:2] == (4, 2)
