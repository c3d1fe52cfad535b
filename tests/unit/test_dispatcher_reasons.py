"""A reason says every ground in Chinese, then in English, and codes by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.corrections import (
    hurried,
    hurried_anew,
    why_desk,
    why_doubted,
)
from services.dispatcher.rules.dispatch import Decision, Undecided
from services.dispatcher.rules.reasons import (
    REOPENED_FOR,
    URGENCIES,
    Names,
    Reason,
    conditions,
    done_again,
    joined,
)
from services.dispatcher.settings import Settings
from shared.events import TYPE_NAMES, Limits, TicketRegistered, TicketReopened, TicketType, Urgency
from shared.jurisdiction.wording import Alarm, Danger, text_of
from tests.fixtures.catalogues import DENIED

NAMES = Names(
    topics={
        "water": Reason("供水", "Tap water"),
        "water.supply": Reason("停水缺水", "Water cut off"),
        "heating": Reason("供暖", "Heating"),
    },
    channels={"phone": Reason("电话", "Telephone")},
    areas={"610924100": "城关镇"},
)


def ticket(**given: Any) -> TicketRegistered:
    usual = {
        "type": "complaint",
        "urgency": "normal",
        "topic": "water.supply",
        "title": "停水",
        "content": "家里停水三天",
        "area": "610924100",
        "channel": "phone",
    }
    return TicketRegistered.model_validate(usual | given)


def said(asked: TicketRegistered, **given: Any) -> list[Reason]:
    rule = Rule(id="one", lead="SCJG", reason="因为", **given)
    return list(conditions(rule, asked, text_of(asked.title, asked.content), NAMES))


def test_every_condition_is_said_in_both_languages() -> None:
    reasons = said(
        ticket(flags=["water", "heating", "epidemic"]),
        topic="water",
        areas=["610924100"],
        types=["complaint"],
        keywords=["涨价", "停水"],
        flags=["heating", "epidemic"],
    )
    assert reasons == [
        ("诉求分类“停水缺水”属于“供水”", "topic “Water cut off” lies under “Tap water”"),
        ("地区“城关镇”在规则所列之内", "area 610924100 is one of the rule's"),
        ("性质为投诉", "the type is complaint"),
        ("内容提到“停水”", "the text mentions “停水”"),
        ("标记为“供暖、epidemic”", "flagged “Heating, epidemic”"),
    ]


def test_a_rule_for_the_very_topic_says_it_once() -> None:
    assert said(ticket(), topic="water.supply") == [
        ("诉求分类为“停水缺水”", "the topic is “Water cut off”")
    ]


def test_what_a_rule_does_not_ask_is_not_said() -> None:
    assert len(said(ticket(), keywords=["停水"])) == 1


def test_finer_conditions_are_said_in_both_languages() -> None:
    assert said(
        ticket(content="停水三天，没有停电", urgency="urgent"),
        channels=["phone"],
        asked_urgency=["urgent"],
        all_keywords=["停水", "三天"],
        no_keywords=["水管"],
        on_duty=False,
        hours={"from": "18:00", "to": "08:00"},
        longer_than=5,
    ) == [
        ("来源渠道为“电话”", "the channel is “Telephone”"),
        ("登记为紧急", "registered as urgent"),
        ("内容提到“停水、三天”", "the text mentions “停水、三天”"),
        ("内容未提到“水管”", "the text does not mention “水管”"),
        ("登记于非工作时间", "registered outside working time"),
        ("登记于18:00至08:00", "registered between 18:00 and 08:00"),
        ("内容9字，在规则所限之内", "9 characters, as the rule asks"),
    ]


def test_a_denied_word_is_not_said_to_be_mentioned() -> None:
    rule = Rule(id="one", lead="SCJG", reason="因为", keywords=["停水", "停电"], unless_denied=True)
    asked = ticket(content="停水三天，没有停电")
    text = text_of(asked.title, asked.content)
    assert list(conditions(rule, asked, text, NAMES, (), DENIED)) == [
        ("内容提到“停水”", "the text mentions “停水”")
    ]


def test_a_danger_is_said_with_the_word_that_reports_it() -> None:
    gas = Danger(id="gas", zh="燃气泄漏", en="gas escaping", words=("漏气",))
    rule = Rule(id="one", lead="SCJG", reason="因为", dangers=["gas"])
    alarms = [Alarm(gas, "漏气", True)]
    assert list(conditions(rule, ticket(), "", NAMES, alarms)) == [
        ("“漏气”反映险情：燃气泄漏", "“漏气” reports gas escaping")
    ]


def test_a_reason_that_is_passed_on_keeps_its_languages_apart() -> None:
    """A unit reads one sentence in Chinese, then one in English."""
    assert hurried_anew("因为；供水 / Rule one; water") == (
        "紧急程度提高，重新派单；因为；供水 / It is more urgent than was known; Rule one; water"
    )
    assert hurried_anew("属地管理") == (
        "紧急程度提高，重新派单；属地管理 / It is more urgent than was known"
    )
    decided = Undecided(Urgency.NORMAL, Reason("没有规则", "no rule"), ())
    assert why_doubted(decided, NAMES) == ("更正后：没有规则", "After a correction: no rule")
    taken = Decision("one", "GSGS", (), Urgency.NORMAL, Reason("因为", "Rule one"))
    names = Names(units={"GSGS": "供水公司"})
    assert why_desk(taken, names, dropped=False).zh == (
        "更正后目录仍指向已退单的单位：请人工指定（“供水公司”）"
    )
    assert "“供水公司”（因为）" in why_doubted(taken, names).zh


@pytest.mark.parametrize(
    ("limit", "zh"),
    [(None, "办理时限不变"), ("5wd", "办理时限改为5个工作日"), ("2h", "办理时限改为2小时")],
)
def test_a_limit_is_said_as_people_say_it(limit: str | None, zh: str) -> None:
    said = hurried(Urgency.CRITICAL, Limits(handle=limit))
    assert said.zh == f"紧急程度改为特急，{zh}"


def test_a_reason_is_a_chinese_sentence_and_then_an_english_one() -> None:
    both = joined([Reason("甲", "a"), Reason("乙", "b")])
    assert str(both) == "甲；乙 / a; b"


def test_a_verdict_without_a_comment_ends_with_its_reasons() -> None:
    reason = done_again(3, TicketReopened(reasons=("not_satisfied",)))
    assert reason.zh == "第3轮重办，诉求人反映：不满意"


def test_whatever_can_be_said_has_a_name() -> None:
    assert set(TYPE_NAMES) == set(TicketType)
    assert set(URGENCIES) == set(Urgency)
    fields = TicketReopened.model_json_schema()["properties"]["reasons"]["items"]
    assert set(REOPENED_FOR) == set(fields["enum"])


@pytest.fixture(scope="module")
def ziyang() -> Names:
    folder = Path(__file__).parents[2] / "config" / "ziyang"
    return Settings(embedded=True, config_dir=folder).load().dispatching.names


def test_the_countys_topics_fields_areas_and_units_have_their_names(ziyang: Names) -> None:
    assert ziyang.topic("water") == ("供水", "Tap water")
    assert ziyang.topic("water.supply") == ("停水缺水", "Water cut off")
    assert ziyang.area("610924110") == "红椿镇"
    assert ziyang.unit("CG") == "城关镇"
