"""A reason says every ground in Chinese, then in English, and codes by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules.catalogue import Rule
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
from shared.events import TYPE_NAMES, TicketRegistered, TicketReopened, TicketType, Urgency
from shared.jurisdiction.urgency import text_of

NAMES = Names(
    topics={
        "water": Reason("供水", "Tap water"),
        "water.supply": Reason("停水缺水", "Water cut off"),
        "heating": Reason("供暖", "Heating"),
    },
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
