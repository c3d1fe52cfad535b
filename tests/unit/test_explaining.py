"""Each condition of a rule is explained as the engine judges it, and nothing of the text is repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.explaining import Explainer, Seen
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.rules.reasons import Names
from shared.events import TicketRegistered
from shared.jurisdiction.wording import Alarm, Danger, text_of
from tests.fixtures.catalogues import (
    CALENDAR,
    DANGERS,
    DENIED,
    MONDAY,
    at,
    catalogues,
    rule,
    some,
    ticket,
    tickets,
)


def seen(asked: TicketRegistered, dangers: list[str], now: datetime) -> Seen:
    alarms = tuple(
        Alarm(Danger(id=id, zh=id, en=id, words=("某词",)), "某词", certain=True) for id in dangers
    )
    return Seen(asked, text_of(asked.title, asked.content), alarms, now)


@given(
    catalogues(),
    tickets,
    some(DANGERS),
    st.datetimes(MONDAY, MONDAY.replace(day=8), timezones=st.just(CALENDAR.tz)),
)
def test_every_condition_holds_where_the_engine_says_so(
    rules: list[Rule], asked: Any, dangers: list[str], now: datetime
) -> None:
    """R-03: the explanation and the decision are one."""
    what = seen(asked, dangers, now.astimezone(UTC))
    explainer = Explainer(Matcher(rules, denied=DENIED, calendar=CALENDAR), Names())
    holding = [each for each in rules if all(met.held for met in explainer.conditions(each, what))]
    assert explainer.winner(what) == (holding[0] if holding else None)
    for each in rules:
        assert explainer.conditions(each, what), "a rule asks for something"


def test_who_came_nearest_is_told_why_it_did_not_decide() -> None:
    rules = [
        rule("other-town", topic="water", areas=["610924101"], types=["help"]),
        rule("too-short", topic="water", longer_than=100),
        rule("decides", topic="water"),
        rule("later", topic="water.supply"),
    ]
    explainer = Explainer(Matcher(rules), Names())
    what = seen(ticket(content="家里停水三天，请速来"), [], at("03-02 10:00"))
    winner = explainer.winner(what)
    assert winner
    assert winner.id == "decides"
    others = explainer.others(winner, what, 5)
    assert [(each.rule.id, each.place) for each in others] == [
        ("later", 4),
        ("too-short", 2),
        ("other-town", 1),
    ]
    later, short, town = (each.why for each in others)
    assert "列在其前（第3条）" in later.zh
    assert "内容字数多于" in short.zh
    assert "不满足" in town.zh
    assert "not met" in town.en
    assert len(explainer.others(winner, what, 2)) == 2


def test_of_the_text_only_the_rules_own_words_are_repeated() -> None:
    """R-35: who reads why reads no more of a report than the rule says by itself."""
    words = rule(keywords=["停水"], all_keywords=["三天", "没来"], no_keywords=["投诉"])
    explainer = Explainer(Matcher([words]), Names())
    what = seen(ticket(content="王五家停水三天"), [], at("03-02 10:00"))
    told = str(explainer.conditions(words, what))
    assert "三天" in told
    assert "王五" not in told
