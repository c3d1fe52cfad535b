"""The dispatcher's decisions: who gets a ticket, how urgent it is, and what the unit is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.dispatcher.rules import dispatch, work_order
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.rules.reasons import Names, Reason
from shared.errors import Recused
from shared.events import Limits, Role, TicketRegistered, TicketReopened, TicketType, Urgency
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.gazetteer import Gazetteer
from shared.jurisdiction.urgency import UrgencyRules

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, nine o'clock in Ziyang
TOWN_AREA, TOWN = "610924110", "HC"
POLICY = {"critical_keywords": ["坍塌"], "urgent_topics": ["water", "threat"]}
NAMES = Names(
    topics={
        "city": Reason("市容秩序", "Street order"),
        "city.vending": Reason("占道经营", "Street vending"),
        "water": Reason("供水", "Tap water"),
    },
    areas={TOWN_AREA: "红椿镇"},
    units={
        "CGZF": "城管执法局",
        "SCJG": "市场监管局",
        "ZFB": "县政府办",
        TOWN: "红椿镇政府",
    },
)


def ticket(**given: Any) -> TicketRegistered:
    return TicketRegistered.model_validate(
        {
            "type": "complaint",
            "urgency": "normal",
            "topic": "city.vending",
            "title": "占道经营",
            "content": "路口摆摊堵路",
            "area": TOWN_AREA,
            "address": "兴隆街3号",
            "location": {"longitude": 108.5, "latitude": 32.5},
            "channel": "phone",
        }
        | given
    )


def dispatching(*rules: dict[str, Any], **urgency: Any) -> dispatch.Dispatching:
    full = [{"id": f"rule-{n}", "reason": "因为"} | rule for n, rule in enumerate(rules)]
    return dispatch.Dispatching(
        Matcher([Rule.model_validate(rule) for rule in full]),
        UrgencyRules.model_validate(urgency),
        {TOWN_AREA: TOWN},
        NAMES,
        named_units(),
    )


def named_units() -> Gazetteer:
    """The units by the names above; the town answers to the county government."""

    def unit(code: str, name: str) -> dict[str, Any]:
        row = {"code": code, "name": name, "kind": "office", "delivery": "feed", "liaison": "主任"}
        town = {"kind": "town", "area": TOWN_AREA, "parent": "ZFB"}
        return row | (town if code == TOWN else {})

    rows = [unit(code, name) for code, name in NAMES.units.items()]
    tables = dict.fromkeys(Codes.model_fields, ())
    codes = Codes.model_validate(tables | {"areas": [{"code": TOWN_AREA, "name": "红椿镇"}]})
    return Gazetteer(Units.model_validate({"units": rows}), codes, "紫阳县")


def decided(rules: dispatch.Dispatching, **given: Any) -> dispatch.Decision:
    decision = rules.decide(ticket(**given))
    assert isinstance(decision, dispatch.Decision)
    return decision


def undecided(rules: dispatch.Dispatching, **given: Any) -> dispatch.Undecided:
    decision = rules.decide(ticket(**given))
    assert isinstance(decision, dispatch.Undecided)
    return decision


# --- who gets it -------------------------------------------------------------------------------


def test_a_rule_names_lead_and_co_handlers() -> None:
    decision = decided(dispatching({"topic": "city", "lead": "CGZF", "co_handlers": ["SCJG"]}))
    assert (decision.rule, decision.lead, decision.co_handlers) == ("rule-0", "CGZF", ("SCJG",))
    assert decision.reason == (
        "因为；诉求分类“占道经营”属于“市容秩序” / "
        "Rule rule-0; topic “Street vending” lies under “Street order”"
    )


def test_co_handlers_stand_once_and_never_beside_themselves() -> None:
    rules = dispatching(
        {"topic": "city", "lead": "CGZF", "co_handlers": ["SCJG", "CGZF", "{town}", "SCJG", "HC"]}
    )
    assert decided(rules).co_handlers == ("SCJG", TOWN)


def test_the_town_of_the_area_leads_what_is_on_its_list() -> None:
    rules = dispatching({"topic": "city", "lead": "{town}", "grassroots": True})
    assert decided(rules).lead == TOWN


@pytest.mark.parametrize("lead", ["{town}", TOWN])
def test_a_town_does_not_lead_what_is_not_on_its_list(lead: str) -> None:
    """R-05 不得分派基层."""
    stopped = undecided(dispatching({"topic": "city", "lead": lead}))
    assert "GB66-5" in stopped.reason
    assert stopped.nearest == ("rule-0",)


def test_a_district_leads_where_there_is_no_town() -> None:
    """R-04: it is no grass roots, so no duty list is asked (R-05)."""
    rules = replace(dispatching({"topic": "city", "lead": "{town}"}), districts=frozenset({TOWN}))
    assert decided(rules).lead == TOWN


def test_a_town_may_help_without_being_on_the_list() -> None:
    rules = dispatching({"topic": "city", "lead": "CGZF", "co_handlers": ["{town}"]})
    assert decided(rules).co_handlers == (TOWN,)


def test_an_area_without_a_town_is_left_to_the_desk() -> None:
    rules = dispatching({"topic": "city", "lead": "{town}", "grassroots": True})
    assert "610924000" in undecided(rules, area="610924000").reason


def test_a_co_handling_town_falls_away_where_there_is_none() -> None:
    rules = dispatching({"topic": "city", "lead": "CGZF", "co_handlers": ["{town}"]})
    assert decided(rules, area="610924000").co_handlers == ()


@pytest.mark.parametrize("reported", ["CGZF", "SCJG", TOWN])
def test_the_reported_unit_gets_nothing(reported: str) -> None:
    rules = dispatching({"topic": "city", "lead": "CGZF", "co_handlers": ["SCJG", "{town}"]})
    stopped = undecided(rules, reported_unit=reported)
    assert f"“{NAMES.unit(reported)}”，该单位须回避 / " in stopped.reason
    assert f"reported unit {reported}" in stopped.reason


@pytest.mark.parametrize(("reported", "kin"), [("ZFB", TOWN), (TOWN, "ZFB")])
@pytest.mark.parametrize("role", ["lead", "co_handlers"])
def test_its_kin_gets_nothing_either(reported: str, kin: str, role: str) -> None:
    named = {"lead": kin} if role == "lead" else {"lead": "CGZF", "co_handlers": ["SCJG", kin]}
    rules = dispatching({"topic": "city", "grassroots": True, **named})
    assert decided(rules, reported_unit="SCJG" if role == "lead" else None)
    stopped = undecided(rules, reported_unit=reported)
    called, by = NAMES.unit(kin), NAMES.unit(reported)
    assert stopped.reason == (
        f"规则 rule-0 指向“{called}”，系被反映单位“{by}”的上下级单位，该单位须回避 / "
        f"Rule rule-0 names {kin}, kin of the reported unit {reported}: it must withdraw"
    )


def test_a_unit_that_is_not_reported_is_not_held_back() -> None:
    assert decided(dispatching({"topic": "city", "lead": "CGZF"}), reported_unit="SCJG")


def test_a_reported_unit_no_table_knows_leaves_all_to_the_desk() -> None:
    """Its kin is not known either: whoever a rule names may be kin."""
    stopped = undecided(dispatching({"topic": "city", "lead": "CGZF"}), reported_unit="XYZ")
    assert "“XYZ”不在单位表内" in stopped.reason
    assert stopped.nearest == ("rule-0",)


# --- reports -----------------------------------------------------------------------------------


@pytest.mark.parametrize("confidential", [True, False])
def test_a_report_that_names_no_unit_is_the_desks(confidential: bool) -> None:
    rules = dispatching(
        {"topic": "city", "lead": "CGZF"},
        {"topic": "city.advert", "lead": "SCJG"},
        {"topic": "city.vending", "lead": "SCJG"},
    )
    stopped = undecided(rules, type="report", confidential=confidential)
    assert stopped.nearest == ("rule-0", "rule-1", "rule-2")
    assert stopped.reason == (
        "举报件未注明被举报单位，不按派单目录自动派单：请先核实举报的是谁，再指定与其无利害关系的单位办理 / "
        "A report that names no reported unit is never dispatched by rule: "
        "find out whom it accuses, then assign a unit without interest in it"
    )
    assert decided(rules, type="report", reported_unit="SCJG").lead == "CGZF"


@pytest.mark.parametrize("type", [kind for kind in TicketType if kind is not TicketType.REPORT])
def test_no_other_type_waits_for_a_name(type: TicketType) -> None:
    assert decided(dispatching({"topic": "city", "lead": "CGZF"}), type=type, confidential=True)


def test_a_report_of_life_and_death_is_the_desks_as_critical() -> None:
    rules = dispatching({"keywords": ["坍塌"], "lead": "YJJ", "urgency": "critical"}, **POLICY)
    stopped = undecided(rules, type="report", content="工棚坍塌了")
    assert stopped.urgency is Urgency.CRITICAL
    assert "规则定为特急" in stopped.reason


def test_what_a_guard_stops_says_how_urgent_it_is_too() -> None:
    rules = dispatching({"keywords": ["坍塌"], "lead": "CGZF", "urgency": "critical"})
    stopped = undecided(rules, reported_unit="CGZF", content="工棚坍塌了")
    assert stopped.urgency is Urgency.CRITICAL
    assert "该单位须回避；规则定为特急" in stopped.reason


def test_a_report_no_rule_covers_says_both() -> None:
    stopped = undecided(dispatching({"topic": "gas", "lead": "RQGS"}), type="report")
    assert "举报件未注明被举报单位" in stopped.reason
    assert "派单目录没有适用于" in stopped.reason


def test_what_no_rule_covers_is_left_to_the_desk_with_the_nearest_rules() -> None:
    rules = dispatching(
        {"topic": "city.advert", "lead": "CGZF"},
        {"topic": "water", "lead": "GSGS"},
        {"topic": "city.parking", "lead": "CGZF"},
    )
    stopped = undecided(rules)
    assert stopped.nearest == ("rule-0", "rule-2")
    assert stopped.reason == (
        "派单目录没有适用于诉求分类“占道经营”、地区“红椿镇”的规则 / "
        "No rule of the catalogue covers topic “Street vending” in area 610924110"
    )


HAND = dispatching({"topic": "city", "lead": "CGZF"})


def test_by_hand_any_unit_but_the_reported_one() -> None:
    order = HAND.by_hand(ticket(reported_unit="SCJG"), TOWN, ["CGZF", TOWN, "CGZF"], "因为")
    assert order.roles() == {TOWN: Role.LEAD, "CGZF": Role.CO}
    assert order.appointed


@pytest.mark.parametrize(
    ("lead", "co", "field"), [("HC", "GAJ", "lead"), ("GAJ", "HC", "co_handlers")]
)
def test_by_hand_the_reported_unit_must_withdraw(lead: str, co: str, field: str) -> None:
    with pytest.raises(Recused) as refused:
        HAND.by_hand(ticket(reported_unit="HC"), lead, [co], "因为")
    assert refused.value.extra == {"field": field, "unit": "HC"}
    assert refused.value.detail == (
        "“红椿镇政府”是被反映单位，须回避 / HC is the reported unit and must withdraw"
    )


@pytest.mark.parametrize(("reported", "kin"), [("HC", "ZFB"), ("ZFB", "HC")])
def test_by_hand_its_kin_must_withdraw_like_it(reported: str, kin: str) -> None:
    with pytest.raises(Recused) as refused:
        HAND.by_hand(ticket(reported_unit=reported), "CGZF", ["SCJG", kin], "因为")
    assert refused.value.extra == {"field": "co_handlers", "unit": kin}
    called, by = NAMES.unit(kin), NAMES.unit(reported)
    assert f"“{called}”是被反映单位“{by}”的上下级单位，须回避 / " in refused.value.detail
    assert f"{kin} is kin (parent or child) of the reported unit {reported}" in refused.value.detail


@pytest.mark.parametrize("rule", [None, "rule-0"])
def test_a_redo_of_a_recused_lead_is_the_desks(rule: str | None) -> None:
    data = TicketReopened(reasons=("not_solved",))
    reason = HAND.again(ticket(reported_unit="ZFB"), TOWN, rule, 2, data)
    assert isinstance(reason, Reason)
    assert "第2轮重办" in reason.zh
    assert "上下级单位，须回避" in reason.zh


@pytest.mark.parametrize(("rule", "desk"), [(None, False), ("rule-0", True)])
def test_a_report_a_rule_gave_away_is_the_desks_when_done_again(
    rule: str | None, desk: bool
) -> None:
    """An older release dispatched it by rule; what the desk decided stands."""
    data = TicketReopened(reasons=("not_solved",))
    again = HAND.again(ticket(type="report"), "CGZF", rule, 2, data)
    assert isinstance(again, Reason) is desk


def test_a_redo_goes_to_the_same_lead_with_the_verdict() -> None:
    data = TicketReopened(reasons=("not_contacted", "not_solved"), comment="没人来过")
    order = HAND.again(ticket(), "CGZF", "rule-0", 2, data)
    assert isinstance(order, dispatch.Order)
    assert (order.lead, order.co_handlers, order.rule) == ("CGZF", (), "rule-0")
    assert not order.appointed
    assert order.reason == (
        "第2轮重办，诉求人反映：未联系、未解决。诉求人意见：没人来过 / "
        "Round 2, to be done again; the citizen says: not contacted, not solved"
    )


def told(matter: TicketRegistered, added: work_order.Added) -> Any:
    return work_order.work_order(
        matter,
        dispatch.Order("CGZF", ("SCJG",), "因为"),
        added,
        role=Role.CO,
        urgency=Urgency.URGENT,
        limits=Limits(sign="30min"),
        registered_at=NOW,
        redo=False,
    )


def test_a_work_order_carries_what_was_added() -> None:
    order = told(ticket(), work_order.Added(["又来了", "还在"]))
    assert order.content.index("路口") < order.content.index("又来了") < order.content.index("还在")
    assert (order.lead, order.co_handlers, order.address) == ("CGZF", ("SCJG",), "兴隆街3号")


def test_a_work_order_refers_to_what_it_does_not_carry() -> None:
    order = told(ticket(), work_order.Added(["还在"], left=7))
    assert order.supplements_left == 7
    assert "【补充8 Supplement 8】还在" in order.content
    assert "补充1至7未附" in order.content
    assert "/v1/assignments/{assignment}/supplements" in order.content


def test_a_confidential_work_order_carries_the_area_only() -> None:
    order = told(ticket(confidential=True), work_order.Added())
    assert (order.area, order.address, order.location) == (TOWN_AREA, None, None)


# --- how urgent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "by_rule", "given", "effective"),
    [
        ("normal", None, {}, "normal"),
        ("urgent", None, {}, "urgent"),
        ("critical", "urgent", {}, "critical"),
        ("normal", "urgent", {}, "urgent"),
        ("urgent", "critical", {}, "critical"),
        ("complex", None, {}, "normal"),
        ("complex", "urgent", {}, "urgent"),
        ("normal", None, {"topic": "water.fee"}, "urgent"),
        ("normal", None, {"topic": "waterway.fee"}, "normal"),
        ("normal", None, {"flags": ["threat"]}, "urgent"),
        ("critical", None, {"flags": ["threat"]}, "critical"),
        ("normal", None, {"content": "房屋坍塌"}, "critical"),
        ("normal", "urgent", {"title": "坍塌", "topic": "water.fee"}, "critical"),
        ("normal", "critical", {"type": "commendation", "topic": "water.fee"}, "normal"),
    ],
)
def test_the_most_urgent_ground_counts(
    asked: str, by_rule: str | None, given: dict[str, Any], effective: str
) -> None:
    rules = dispatching({"areas": [TOWN_AREA], "lead": "CGZF", "urgency": by_rule}, **POLICY)
    assert decided(rules, urgency=asked, **given).urgency == effective


def test_what_made_it_urgent_is_said() -> None:
    rules = dispatching({"areas": [TOWN_AREA], "lead": "CGZF"}, **POLICY)
    assert "提到“坍塌”，定为特急" in decided(rules, content="房屋坍塌").reason
    assert "“坍塌” makes it critical" in decided(rules, content="房屋坍塌").reason
    assert "“供水”类定为紧急" in decided(rules, topic="water.fee").reason
    assert "“Tap water” makes it urgent" in decided(rules, topic="water.fee").reason
    assert "紧急" not in decided(rules, urgency="urgent").reason


def test_a_rule_that_made_it_urgent_is_said() -> None:
    rules = dispatching({"areas": [TOWN_AREA], "lead": "CGZF", "urgency": "critical"})
    assert decided(rules).reason.endswith(
        "area 610924110 is one of the rule's; the rule makes it critical"
    )
    assert "规则定为特急" in decided(rules).reason


def test_an_undecided_ticket_is_as_urgent_as_a_decided_one() -> None:
    rules = dispatching({"topic": "gas", "lead": "RQGS"}, **POLICY)
    assert undecided(rules, flags=["threat"]).urgency is Urgency.URGENT
