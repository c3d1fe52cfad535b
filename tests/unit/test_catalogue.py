"""The dispatch catalogue: what it refuses to be, and which rule it finds."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.dispatcher.rules.catalogue import Catalogue, Matcher, Rule
from services.dispatcher.settings import Settings
from shared.errors import ConfigError
from shared.events import TicketRegistered, TicketType
from shared.jurisdiction.urgency import plain, text_of

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"


def rule(id: str = "one", **conditions: Any) -> Rule:
    return Rule(id=id, lead="SCJG", reason="因为", **conditions)


def ticket(**given: Any) -> TicketRegistered:
    return TicketRegistered.model_validate(
        {
            "type": "complaint",
            "urgency": "normal",
            "topic": "water.supply",
            "title": "停水",
            "content": "家里停水三天",
            "area": "610924100",
            "channel": "phone",
        }
        | given
    )


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


# --- against an independent oracle -------------------------------------------------------------

FIELDS = ["a", "a.b", "a.b.c", "ab", "b", "b.a"]
AREAS, FLAGS, WORDS = ["1", "2", "3"], ["x", "y", "z"], ["水", "停水", "水停", "Ktv", "停"]


def some(values: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(list(values)), max_size=2, unique=True)


def oracle(rules: Sequence[Rule], asked: TicketRegistered) -> str | None:
    """The rules read one by one, as a person would."""
    words = asked.topic.split(".")
    texts = [plain(asked.title), plain(asked.content)]
    for line in rules:
        asks = line.topic.split(".") if line.topic else []
        if words[: len(asks)] != asks:
            continue
        if line.areas and asked.area not in line.areas:
            continue
        if line.types and asked.type not in line.types:
            continue
        if line.flags and not set(line.flags) & set(asked.flags):
            continue
        if line.keywords and not any(
            plain(word) in text for word in line.keywords for text in texts
        ):
            continue
        return line.id
    return None


@st.composite
def catalogues(draw: st.DrawFn) -> list[Rule]:
    asked = st.fixed_dictionaries(
        {
            "topic": st.none() | st.sampled_from(FIELDS),
            "areas": some(AREAS),
            "types": some(TicketType),
            "keywords": some(WORDS),
            "flags": some(FLAGS),
        }
    ).filter(lambda conditions: any(conditions.values()))
    drawn = draw(st.lists(asked, min_size=1, max_size=40))
    return [rule(f"rule-{number}", **conditions) for number, conditions in enumerate(drawn)]


tickets = st.builds(
    ticket,
    topic=st.sampled_from(FIELDS),
    area=st.sampled_from(AREAS),
    type=st.sampled_from(TicketType),
    flags=some(FLAGS),
    title=st.text("停水kＴv，", max_size=4),
    content=st.text("停水ktＶ，", max_size=8),
)


@settings(deadline=None, max_examples=60)
@given(catalogues(), tickets)
def test_the_compiled_catalogue_agrees_with_the_oracle(
    rules: list[Rule], asked: TicketRegistered
) -> None:
    assert found(rules, asked) == oracle(rules, asked)


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
    first = ziyang.first(asked, text_of(asked.title, asked.content))
    assert (first.id if first else None) == oracle(ziyang.rules, asked)


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
