"""The dispatch catalogue: what it refuses to be, and which rule it finds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.dispatcher.rules.catalogue import Catalogue, Rule
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.settings import Settings
from shared.errors import ConfigError
from shared.events import TicketRegistered
from shared.jurisdiction.wording import text_of
from tests.fixtures.catalogues import (
    CALENDAR,
    DANGERS,
    DENIED,
    MONDAY,
    at,
    catalogues,
    oracle,
    rule,
    some,
    ticket,
    tickets,
)

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"


def found(rules: Sequence[Rule], asked: TicketRegistered) -> str | None:
    first = Matcher(rules).first(asked, text_of(asked.title, asked.content))
    return first.id if first else None


# --- what a rule is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({}, "without a condition"),
        ({"topic": "water", "urgency": "complex"}, "granted by the desk"),
        ({"topic": "water", "colour": "red"}, "colour"),
        ({"topic": "water", "id": "Two Words"}, "id"),
        ({"topic": "water", "lead": " "}, "lead"),
        ({"topic": "water", "types": ["gossip"]}, "types"),
        ({"keywords": [""]}, "keywords"),
        ({"no_keywords": ["停水"]}, "without a condition"),
        ({"on_duty": True}, "without a condition"),
        ({"longer_than": 5}, "without a condition"),
        ({"topic": "water", "unless_denied": True}, "needs keywords"),
        ({"keywords": ["停水"], "no_keywords": ["停水"]}, "asked for and ruled out"),
        ({"all_keywords": ["停水", "断电"], "no_keywords": ["断电"]}, "asked for and ruled out"),
        ({"topic": "water", "longer_than": 5, "shorter_than": 6}, "no length"),
        ({"topic": "water", "longer_than": 0}, "longer_than"),
        ({"topic": "water", "hours": {"from": "22:00", "to": "22:00"}}, "the same time"),
        ({"topic": "water", "hours": {"from": "22:00"}}, "to"),
        ({"topic": "water", "hours": {"from": "25:00", "to": "06:00"}}, "from"),
        ({"topic": "water", "hours": {"from": "9:00", "to": "12:00"}}, "from"),
        ({"topic": "water", "asked_urgency": ["soon"]}, "asked_urgency"),
    ],
)
def test_a_faulty_rule_is_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Rule.model_validate({"id": "one", "lead": "SCJG", "reason": "because"} | fault)


def test_a_rule_id_is_used_once() -> None:
    twin = {"id": "one", "topic": "water", "lead": "SCJG", "reason": "because"}
    with pytest.raises(ValidationError, match="used twice"):
        Catalogue.model_validate({"rules": [twin, twin]})


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(ValidationError, match="rules"):
        Catalogue.model_validate({"rules": []})


# --- which rule covers a ticket ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "covers"),
    [
        ({"topic": "water"}, True),
        ({"topic": "water.supply"}, True),
        ({"topic": "wat"}, False),
        ({"topic": "supply"}, False),
        ({"topic": "water.supply.pipe"}, False),
        ({"areas": ["610924100", "610924101"]}, True),
        ({"areas": ["610924101"]}, False),
        ({"types": ["help", "complaint"]}, True),
        ({"types": ["help"]}, False),
        ({"keywords": ["涨价", "停水"]}, True),
        ({"keywords": ["涨价"]}, False),
        ({"keywords": ["停水家里"]}, False),
        ({"flags": ["tourism", "water"]}, True),
        ({"flags": ["tourism"]}, False),
        ({"topic": "water", "areas": ["610924100"], "types": ["complaint"]}, True),
        ({"topic": "water", "areas": ["610924101"]}, False),
        ({"topic": "power", "keywords": ["停水"]}, False),
    ],
)
def test_every_condition_must_hold(conditions: dict[str, Any], covers: bool) -> None:
    assert found([rule(**conditions)], ticket(flags=["water"])) == ("one" if covers else None)


def test_the_first_rule_in_file_order_wins() -> None:
    wide, narrow = rule("wide", topic="water"), rule("narrow", topic="water.supply")
    assert found([wide, narrow], ticket()) == "wide"
    assert found([narrow, wide], ticket()) == "narrow"


@pytest.mark.parametrize("written", ["KTV", "ktv", "ＫＴＶ"])
def test_width_and_case_of_letters_do_not_matter(written: str) -> None:
    noisy = ticket(content=f"楼下{written}太吵")
    assert found([rule(keywords=["Ktv"])], noisy) == "one"


def test_overlapping_keywords_are_all_found() -> None:
    rules = [rule("inner", keywords=["气泄"]), rule("outer", keywords=["燃气泄漏"])]
    assert found(rules, ticket(content="燃气泄漏")) == "inner"
    assert found(rules[::-1], ticket(content="燃气泄漏")) == "outer"


def test_a_catalogue_without_keywords_works() -> None:
    assert found([rule(flags=["water"])], ticket(flags=["water"])) == "one"


def test_nearest_rules_share_the_field() -> None:
    rules = [rule(f"water-{count}", topic="water.fee") for count in range(7)]
    matcher = Matcher([rule("any", flags=["x"]), rule("gas", topic="gas"), *rules])
    assert matcher.nearest("water.supply") == tuple(f"water-{count}" for count in range(5))
    assert matcher.nearest("conduct.banquet") == ()


@pytest.mark.parametrize(
    ("conditions", "covers"),
    [
        ({"channels": ["wechat", "phone"]}, True),
        ({"channels": ["wechat"]}, False),
        ({"asked_urgency": ["normal"]}, True),
        ({"asked_urgency": ["critical", "urgent"]}, False),
        ({"all_keywords": ["停水", "三天"]}, True),
        ({"all_keywords": ["停水", "四天"]}, False),
        ({"topic": "water", "no_keywords": ["四天", "水管"]}, True),
        ({"topic": "water", "no_keywords": ["四天", "三天"]}, False),
        ({"topic": "water", "longer_than": 5}, True),
        ({"topic": "water", "longer_than": 6}, False),
        ({"topic": "water", "shorter_than": 7}, True),
        ({"topic": "water", "shorter_than": 6}, False),
    ],
)
def test_finer_conditions_hold_or_do_not(conditions: dict[str, Any], covers: bool) -> None:
    assert found([rule(**conditions)], ticket()) == ("one" if covers else None)


@pytest.mark.parametrize(
    ("content", "strict", "covers"),
    [
        ("没有停电，就是停水", True, True),
        ("没有停水，水很小", True, False),
        ("没有停水，水很小", False, True),
        ("上午没有停水，下午停水", True, True),
    ],
)
def test_a_denied_word_counts_unless_the_rule_says_no(
    content: str, strict: bool, covers: bool
) -> None:
    """没有移动信号 complains of just that, so a rule asks for it (R-03)."""
    asked = ticket(title="供水", content=content)
    rules = [rule(keywords=["停水"], unless_denied=strict)]
    first = Matcher(rules, denied=DENIED).first(asked, text_of(asked.title, asked.content))
    assert (first is not None) is covers


def test_a_danger_is_a_condition_of_its_own() -> None:
    matcher = Matcher([rule("danger", dangers=["gas", "life"]), rule("any", topic="water")])
    text = text_of("停水", "家里停水三天")
    for dangers, id in (((), "any"), (["collapse"], "any"), (["collapse", "life"], "danger")):
        first = matcher.first(ticket(), text, dangers)
        assert first
        assert first.id == id
    assert matcher.for_danger("life") == ("danger",)
    assert matcher.for_danger("trapped") == ()


@pytest.mark.parametrize(
    ("conditions", "moment", "covers"),
    [
        ({"on_duty": True}, "03-02 09:00", True),
        ({"on_duty": True}, "03-02 12:30", False),
        ({"on_duty": True}, "03-01 09:00", False),  # Sunday
        ({"on_duty": False}, "03-01 09:00", True),
        ({"on_duty": False}, "03-02 12:00", True),  # a closing instant is off duty
        ({"hours": {"from": "22:00", "to": "06:00"}}, "03-02 22:00", True),
        ({"hours": {"from": "22:00", "to": "06:00"}}, "03-03 05:59", True),
        ({"hours": {"from": "22:00", "to": "06:00"}}, "03-03 06:00", False),
        ({"hours": {"from": "08:00", "to": "24:00"}}, "03-03 23:59", True),
        ({"hours": {"from": "08:00", "to": "24:00"}}, "03-03 07:59", False),
        ({"hours": {"from": "09:00", "to": "10:00"}, "on_duty": False}, "03-02 09:30", False),
    ],
)
def test_the_time_of_registration_is_a_condition(
    conditions: dict[str, Any], moment: str, covers: bool
) -> None:
    """By the clocks of the place, not by UTC."""
    matcher = Matcher([rule(topic="water", **conditions)], calendar=CALENDAR)
    assert (matcher.first(ticket(), "", (), at(moment)) is not None) is covers


def test_a_rule_that_asks_for_the_time_holds_at_no_unknown_one() -> None:
    rules = [rule("night", topic="water", on_duty=False), rule("any", topic="water")]
    first = Matcher(rules, calendar=CALENDAR).first(ticket(), "")
    assert first
    assert first.id == "any"


# --- against an independent oracle -------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(catalogues(), tickets, some(DANGERS), st.datetimes(MONDAY, MONDAY + timedelta(hours=23)))
def test_the_compiled_catalogue_agrees_with_the_oracle(
    rules: list[Rule], asked: TicketRegistered, dangers: list[str], local: datetime
) -> None:
    """Whether its rules are asked for their words one by one, or the text is read once for all."""
    text, now = text_of(asked.title, asked.content), local.replace(tzinfo=CALENDAR.tz)
    expected = oracle(rules, asked, dangers, f"{local:%H:%M}")
    for few in (0, len(rules)):
        matcher = Matcher(rules, denied=DENIED, calendar=CALENDAR, few=few)
        first = matcher.first(asked, text, dangers, now)
        assert (first.id if first else None) == expected


# --- the county's own --------------------------------------------------------------------------


@pytest.fixture
def jurisdiction(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ZIYANG, tmp_path / "ziyang"))


def load(folder: Path) -> Matcher:
    return Settings(embedded=True, config_dir=folder).load().dispatching.matcher


@pytest.fixture(scope="module")
def ziyang() -> Matcher:
    return load(ZIYANG)


def test_the_county_has_sixty_rules_and_more(ziyang: Matcher) -> None:
    assert len(ziyang.rules) >= 60


@settings(deadline=None, max_examples=60)
@given(tickets, st.data())
def test_the_countys_rules_agree_with_the_oracle(
    ziyang: Matcher, asked: TicketRegistered, data: st.DataObject
) -> None:
    topics = sorted({line.topic for line in ziyang.rules if line.topic})
    words = sorted({word for line in ziyang.rules for word in line.keywords})
    drawn = {
        "topic": data.draw(st.sampled_from(topics)),
        "content": data.draw(st.sampled_from(["", *words])),
        "flags": tuple(data.draw(some(["tourism", "threat", "epidemic", "water"]))),
    }
    asked = asked.model_copy(update=drawn)
    dangers = data.draw(some(["life", "gas", "trapped", "explosion", "collapse"]))
    first = ziyang.first(asked, text_of(asked.title, asked.content), dangers)
    assert (first.id if first else None) == oracle(ziyang.rules, asked, dangers)


@pytest.mark.parametrize(
    ("field", "line", "said"),
    [
        ("lead", "lead: GAJ", "NOBODY"),
        ("topic", "topic: threat", "thread"),
        ("flags", "flags: [threat]", "[thread]"),
    ],
)
def test_an_unknown_code_stops_the_start_with_its_line(
    jurisdiction: Path, field: str, line: str, said: str
) -> None:
    path = jurisdiction / "catalogue.yaml"
    lines = path.read_text("utf-8").splitlines()
    number = next(count for count, text in enumerate(lines) if text.strip() == line)
    lines[number] = lines[number].replace(line, f"{field}: {said}")
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ConfigError) as refused:
        load(jurisdiction)
    assert f"catalogue.yaml:{number + 1}: " in str(refused.value)
    assert field in str(refused.value)
    assert said.strip("[]") in str(refused.value)
