"""回避: the shield table: a report is never given to whom it is about (R-35, JN-32).

What is expected stands in tests/fixtures/scenes/shield.py, written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules import dispatch
from services.dispatcher.settings import Settings
from shared.events import Reported, TicketRegistered, TicketReopened, TicketType
from tests.fixtures.scenes.shield import (
    ANOTHER,
    HERE,
    ITS_PARENT,
    LEADS,
    ROWS,
    TEXTS,
    UNITS,
    Row,
    kin,
)

ROOT = Path(__file__).parents[2]
RULES = Settings(embedded=True, config_dir=ROOT / "config" / "ziyang").load().dispatching
REPORTS: Sequence[dict[str, Any]] = json.loads(
    (ROOT / "tests" / "data" / "shield_reports.json").read_text(encoding="utf-8")
)


def matter(row: Row, type: str = "report") -> TicketRegistered:
    return ticket(content=row.content, topic=row.topic, type=type, reported=row.reported)


def ticket(**given: Any) -> TicketRegistered:
    plain = {
        "type": "report",
        "urgency": "normal",
        "title": "举报",
        "area": HERE,
        "channel": "phone",
    }
    return TicketRegistered.model_validate(plain | given)


def given_to(order: dispatch.Decision | dispatch.Undecided) -> set[str]:
    return {order.lead, *order.co_handlers} if isinstance(order, dispatch.Decision) else set()


# --- the table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_who_gets_it_by_rule(row: Row) -> None:
    """R-35: never whom it is about, by any statement, nor their kin."""
    assert given_to(RULES.decide(matter(row))) == row.given_to


def test_the_table_says_something() -> None:
    """Both answers are frequent, and without the shield every row would be given away."""
    given = [bool(row.given_to) for row in ROWS]
    assert len(ROWS) > 250
    assert 80 < sum(given) < len(given) - 80
    for text, topic in product(TEXTS, LEADS):
        complaint = matter(Row(text, topic, "empty"), "complaint")
        assert given_to(RULES.decide(complaint)) == LEADS[topic]


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_who_may_have_it_by_hand(row: Row) -> None:
    """Nobody whom it is about; while nobody has stated that, nobody whom the text names; nor their kin."""
    barred = {
        "nobody": frozenset[str](),
        "another": frozenset([ANOTHER, ITS_PARENT]),
    }.get(row.stated, kin(row.named))
    report = matter(row)
    for unit, field in product((*UNITS, ANOTHER, ITS_PARENT), ("lead", "co_handlers")):
        lead, helpers = (unit, []) if field == "lead" else ("RXB", [unit])
        if unit not in barred:
            assert unit in RULES.by_hand(report, lead, helpers, "查").roles()
            continue
        with pytest.raises(dispatch.Recused) as refused:
            RULES.by_hand(report, lead, helpers, "查")
        assert refused.value.extra == {"unit": unit, "field": field}
        way_out = "请先更正，注明被反映对象（reported）或不涉及行政机关（nobody），再指定"
        assert (way_out in str(refused.value.detail)) is (row.stated == "empty")


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_who_does_it_again(row: Row) -> None:
    """A lead who has become barred does not; nor does one whom a rule gave what states nobody."""
    about = frozenset[str]() if row.stated in ("nobody", "another") else row.named
    data = TicketReopened(reasons=("not_solved",))
    for unit in UNITS:
        again = RULES.again(matter(row), unit, None, 2, data)
        assert isinstance(again, dispatch.Order) is (unit not in kin(about)), unit
        by_rule = RULES.again(matter(row), unit, "some-rule", 2, data)
        if row.stated == "empty":
            assert not isinstance(by_rule, dispatch.Order)


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_who_sees_reads_and_hears_nothing(row: Row) -> None:
    """What is stated decides that, not a text: who has it was chosen by a person or by rule."""
    about = row.named if row.stated in ("units", "words") else frozenset[str]()
    assert RULES.recused(matter(row)) & set(UNITS) == kin(about)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.stated in ("units", "words")], ids="/".join
)
def test_a_complaint_passes_over_whom_it_is_about(row: Row) -> None:
    """投诉: as reported, whatever its text says."""
    assert given_to(RULES.decide(matter(row, "complaint"))) == row.given_to


# --- what the desk is told ---------------------------------------------------------------------


def reason(*row: str) -> str:
    decided = RULES.decide(matter(Row(*row)))
    assert isinstance(decided, dispatch.Undecided)
    return decided.reason


def test_the_words_that_decided_are_said() -> None:
    said = reason("a town", "rural.affairs", "empty")
    assert said.startswith("文中提到“红椿镇政府”；举报件未注明被举报单位")
    assert "The text mentions “红椿镇政府”" in said


def test_a_text_that_gainsays_what_was_stated_is_said() -> None:
    assert reason("a town", "rural.affairs", "nobody") == (
        "已注明不涉及行政机关，但文中提到“红椿镇政府”，规则 village-affairs 指向的“红椿镇”是其所指单位或其"
        "上下级单位：请核实后人工指定 / Nobody of the administration is meant, it was stated, yet the text "
        "mentions “红椿镇政府”, and rule village-affairs leads to HC, which is the unit meant or its kin: "
        "find out, then assign by hand"
    )
    assert "除已注明的被反映对象外，文中还提到" in reason("a town", "rural.affairs", "another")


def test_what_belongs_to_no_unit_is_the_desks() -> None:
    for type in ("report", "complaint"):
        stated = Reported(words=("老王", "村主任"))
        decided = RULES.decide(
            ticket(content="欺负人", topic="tobacco.retail", type=type, reported=stated)
        )
        assert isinstance(decided, dispatch.Undecided)
        assert "被反映对象“老王”不在单位表内" in decided.reason


def test_somebody_nobody_can_place_gainsays_that_nobody_is_meant() -> None:
    for text in ("那个局长亲自打的招呼", "镇政府不管"):
        given = {"topic": "tobacco.retail", "area": "610924000", "reported": Reported(nobody=True)}
        decided = RULES.decide(ticket(content=text, **given))
        assert isinstance(decided, dispatch.Undecided)
        assert "所指单位不明" in decided.reason


@pytest.mark.parametrize("topic", LEADS)
def test_words_nobody_can_place_do_not_lift_what_the_text_bars(topic: str) -> None:
    report = ticket(content="红椿镇政府的老王收钱", topic=topic, reported=Reported(words=("老王",)))
    with pytest.raises(dispatch.Recused):
        RULES.by_hand(report, "HC", [], "查")


def test_a_newer_releases_type_is_shielded_like_a_report() -> None:
    row = ticket(content="红椿镇政府截留补助款", topic="rural.affairs")
    newer = TicketRegistered.on_record(row.model_dump(mode="json") | {"type": "whistle"})
    assert newer.type is not TicketType.UNKNOWN
    assert newer.type == TicketType.UNKNOWN
    assert given_to(RULES.decide(newer)) == set()
    assert "HC" in RULES.barred(newer)


def test_what_the_release_before_said_is_one_reported_unit() -> None:
    row = ticket(content="收钱", topic="traffic.violation", reported_unit="GAJ").model_dump(
        mode="json"
    )
    for stored in (row, {k: v for k, v in row.items() if k != "reported"}):
        assert TicketRegistered.on_record(stored).about == Reported(units=("GAJ",))
        assert given_to(RULES.decide(TicketRegistered.on_record(stored))) == set()


# --- sixty reports in people's own words -------------------------------------------------------


def sixty(naming: bool) -> list[Any]:
    return [
        pytest.param(each, id=each["title"]) for each in REPORTS if bool(each["names"]) is naming
    ]


def told(report: dict[str, Any], **given: Any) -> TicketRegistered:
    return ticket(**{name: report[name] for name in ("title", "content", "topic", "area")}, **given)


def kin_of(report: dict[str, Any]) -> set[str]:
    return {unit for name in report["names"] for unit in RULES.gazetteer.kin(name)}


def test_there_are_sixty() -> None:
    assert len({report["content"] for report in REPORTS}) == 60
    assert len({report["topic"] for report in REPORTS}) > 40
    assert sum(not report["names"] for report in REPORTS) == 15


@pytest.mark.parametrize("report", [*sixty(True), *sixty(False)])
def test_none_goes_by_rule_while_nobody_states_whom_it_is_about(report: dict[str, Any]) -> None:
    assert given_to(RULES.decide(told(report))) == set()


@pytest.mark.parametrize("report", sixty(True))
def test_nor_to_whom_it_names_when_nobody_is_stated_wrongly(report: dict[str, Any]) -> None:
    decided = RULES.decide(told(report, reported=Reported(nobody=True)))
    assert not given_to(decided) & kin_of(report)


@pytest.mark.parametrize("report", sixty(True))
def test_nor_when_it_is_stated(report: dict[str, Any]) -> None:
    stated = Reported(units=tuple(report["names"]))
    assert not given_to(RULES.decide(told(report, reported=stated))) & kin_of(report)


@pytest.mark.parametrize("report", sixty(True))
def test_nor_does_the_desk_give_it_to_them_by_a_slip(report: dict[str, Any]) -> None:
    assert kin_of(report) <= set(RULES.barred(told(report)))


@pytest.mark.parametrize("report", sixty(False))
def test_what_harms_nobody_of_the_administration_goes_by_rule(report: dict[str, Any]) -> None:
    assert given_to(RULES.decide(told(report, reported=Reported(nobody=True))))
