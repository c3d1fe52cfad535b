"""Whom the policy names is told, who instead, in which words, and when (R-31, R-38, ADR 0074)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from services.tracker.rules import telling
from services.tracker.rules.machine import Sentence
from services.tracker.rules.people import Around, Handler, Person, QuietHours, Told, people
from services.tracker.rules.supervision import Supervision
from shared.events import ClockKind, DeadlineBreached, DeadlineWarned, Urgency
from shared.jurisdiction.codes import Units
from tests.fixtures.policy import SUPERVISION, changed, content

ZONE = ZoneInfo("Asia/Shanghai")
RULES = Supervision.model_validate(SUPERVISION)
UNITS = Units.model_validate(content("units"))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def around(unit: str | None = "HC", **what: Any) -> Around:
    """Hongchun has a head and a deputy, the water company neither."""
    given: dict[str, Any] = {"told": RULES.told, "units": UNITS, "recused": (), "unit": unit}
    return Around(**given | what)


def found(*to: str, **what: Any) -> list[tuple[str | None, str | None]]:
    return [(each.office, each.name) for each in people(to, around(**what))]


def test_each_role_is_told_once() -> None:
    assert found("liaison", "unit_deputy", "unit_head") == [
        ("HC", "党政办主任"),
        ("HC", "分管副镇长"),
        ("HC", "镇长"),
    ]
    assert found("hotline_supervisor", "county_leader", "discipline_body") == [
        ("RXB", "热线办值班长"),
        ("ZFB", "县政府办督查室联络员"),
        ("JWJ", "信访室主任"),
    ]


def test_the_handler_is_told_by_account_and_before_there_is_one_the_liaison() -> None:
    [handler] = people(["handler"], around(handler=Handler("张三", "zhangsan")))
    assert handler == Person("HC", "张三", "zhangsan", ("handler",))
    assert found("liaison", handler=Handler("张三")) == [("HC", "党政办主任")]
    [nobody_yet] = people(["handler"], around())
    assert (nobody_yet.name, nobody_yet.instead_of) == ("党政办主任", ("handler",))


def test_who_is_not_on_record_is_told_through_the_liaison_and_that_shows() -> None:
    told = people(["county_leader", "county_government_office", "hotline_supervisor"], around())
    assert [each.instead_of for each in told] == [("county_leader",), ()]
    [liaison] = people(["liaison", "unit_deputy", "unit_head"], around("GSGS"))
    assert liaison.name == "客服中心主任"
    assert liaison.roles == ("liaison", "unit_deputy", "unit_head")
    assert liaison.instead_of == ("unit_deputy", "unit_head")
    zh, en = telling.to(liaison, Sentence("工单已超期。", "It is late."))
    assert zh == "工单已超期。系统未登记分管负责人、主要负责人，请代为转告。"
    assert en.endswith("Nobody is on record as deputy head, head of the unit: please pass this on.")


def test_an_office_complained_of_is_told_nothing_and_never_is_nobody_meant() -> None:
    """R-35: the next one is; where none is left, whoever has the role."""
    assert found("county_leader", recused={"ZFB"}) == [("RXB", "热线办值班长")]
    [nobody] = people(["county_leader"], around(recused={"ZFB", "RXB"}))
    assert (nobody.office, nobody.name, nobody.roles) == (None, None, ("county_leader",))
    assert [each.roles for each in people(["unit_head"], around("GONE"))] == [("unit_head",)]


def test_a_role_of_a_newer_release_is_the_liaison_s() -> None:
    assert found("mayor") == [("HC", "党政办主任")]


# --- quiet hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "urgency", "may_go"),
    [
        ("03-02 20:59", Urgency.NORMAL, "03-02 20:59"),
        ("03-02 21:00", Urgency.NORMAL, "03-03 07:30"),
        ("03-03 07:29", Urgency.COMPLEX, "03-03 07:30"),
        ("03-03 07:30", Urgency.NORMAL, "03-03 07:30"),
        ("03-02 23:00", Urgency.URGENT, "03-02 23:00"),
        ("03-03 03:00", Urgency.CRITICAL, "03-03 03:00"),
    ],
)
def test_messages_wait_for_the_morning(moment: str, urgency: Urgency, may_go: str) -> None:
    """DOMAIN.md 5.3 row 7, Zammad #4432."""
    for instant in (at(moment), at(moment).astimezone(UTC)):
        assert RULES.told.not_before(instant, urgency, ZONE) == at(may_go)


def test_quiet_hours_may_lie_within_a_day_or_be_none() -> None:
    noon = QuietHours.model_validate({"from": "12:00", "to": "14:00"})
    assert noon.over(at("03-02 12:00"), Urgency.URGENT, ZONE) == at("03-02 14:00")
    assert noon.over(at("03-02 11:59"), Urgency.URGENT, ZONE) == at("03-02 11:59")
    assert noon.over(at("03-02 14:00"), Urgency.URGENT, ZONE) == at("03-02 14:00")
    assert Told().not_before(at("03-02 23:00"), Urgency.NORMAL, ZONE) == at("03-02 23:00")


# --- the policy --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (changed(SUPERVISION, "told", "quiet_hours", "from", to="9pm"), "told.quiet_hours.from"),
        (changed(SUPERVISION, "told", "quiet_hours", "from", to="21:00+08:00"), "told"),
        (changed(SUPERVISION, "told", "quiet_hours", "to", to="21:00"), "told.quiet_hours"),
        (changed(SUPERVISION, "told", "county_leader", to=["mayor"]), "told.county_leader.0"),
        (changed(SUPERVISION, "ladder", 0, "to", to=[]), "ladder.0.to"),
        (changed(SUPERVISION, "ladder", 0, "to", to=["mayor"]), "ladder.0.to"),
        (changed(SUPERVISION, "ladder", 6, "when", to="overdue_9wd"), "ladder.6.when"),
        (changed(SUPERVISION, "leader_instruction", to=8), "leader_instruction"),
        (changed(SUPERVISION, "leader_instruction", to=7), "leader_instruction"),
        (changed(SUPERVISION, "dispatch_due_missed", to=["liaison"]), "dispatch_due_missed.0"),
        (changed(SUPERVISION, "stale_knowledge", to=8), "stale_knowledge"),
        (changed(SUPERVISION, "stale_knowledge", to=7), "stale_knowledge"),
        (changed(SUPERVISION, "barred_return", to=7), "barred_return"),
        (changed(SUPERVISION, "refused_to_receive", "then", to=7), "refused_to_receive.then"),
        (changed(SUPERVISION, "unanswered", "then", to=7), "unanswered.then"),
        (changed(SUPERVISION, "unanswered", "after", to="5d"), "unanswered.after"),
        (changed(SUPERVISION, "risk_of_incident", to="unit_head"), "risk_of_incident"),
        (changed(SUPERVISION, "risk_of_incident", "to", to="unit_head"), "risk_of_incident.to"),
        *(
            (
                changed(SUPERVISION, "risk_of_incident", "acknowledge_within", to=limit),
                "risk_of_incident.acknowledge_within",
            )
            for limit in ("1wd", "4wh", "soon")
        ),
        (changed(SUPERVISION, "joint_supervision", to=["liaison"]), "joint_supervision.0"),
    ],
)
def test_a_broken_policy_is_refused_at_its_field(policy: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Supervision.model_validate(policy)
    places = [".".join(map(str, row["loc"])) for row in refused.value.errors()]
    assert all(place.startswith(field) for place in places), places


# --- the words ---------------------------------------------------------------------------------


def test_the_words_name_ticket_unit_and_moment() -> None:
    due, number = at("03-09 18:00"), "20260302-000001"
    handle = {"clock": ClockKind.HANDLE, "due": due}
    card = DeadlineWarned(**handle, point="1wd_before_due", color="yellow")
    assert telling.warned(number, "红椿镇", card, ZONE).zh == (
        "【12345】黄牌预警：工单20260302-000001的办理时限将于2026年3月9日18:00届满，请红椿镇抓紧办结。"
    )
    half = DeadlineWarned(**handle, point="50%_elapsed", color="none")
    assert telling.warned(number, "红椿镇", half, ZONE).zh.startswith("【12345】办理提醒：")
    missed = DeadlineWarned(clock=ClockKind.SIGN, due=due, point="sign_due_missed", color="yellow")
    assert telling.warned(number, "红椿镇", missed, ZONE).zh.endswith(
        "已于2026年3月9日18:00届满，红椿镇尚未签收，请立即签收。"
    )
    red = telling.breached(number, "红椿镇", DeadlineBreached(**handle), ZONE)
    assert red.en == (
        "[12345] Red card: ticket 20260302-000001 was to be completed by 2026-03-09 18:00, and 红椿镇 "
        "has not done so. Please do so at once."
    )
    rung = Sentence("督办单", "supervision order")
    said = telling.raised(number, "红椿镇", rung, due, ZONE)
    together = telling.jointly(said, ("hotline_supervisor", "discipline_body"))
    assert together.zh == (
        "【12345】督办：工单20260302-000001已对红椿镇启动督办单，请于2026年3月9日18:00前办理并回复。"
        "本件由热线督办员、纪检监察机关联合督办。"
    )
