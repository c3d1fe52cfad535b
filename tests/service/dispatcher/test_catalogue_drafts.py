"""Drafts of the catalogue: what is wrong with one, what one would change; why a ticket went where it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.catalogue import (
    DRAFTS,
    FILE,
    LIGHTS_TO,
    OTHER,
    RULE,
    VERSIONS,
    drafted,
    got,
    order,
    published,
    with_rule,
)
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    post,
    register,
    street_light,
)

# --- what is wrong with it ---------------------------------------------------------------------


async def test_a_catalogue_that_does_not_check_is_refused_whole_with_every_fault(
    dispatcher: Bench,
) -> None:
    """R-05: among them a department's matter sent to a town."""
    rules = [
        RULE | {"lead": "XYZ"},
        RULE | {"id": "again", "topic": "lighting.street"},
        {"id": "town", "topic": "water", "lead": "HC", "reason": "镇上近"},
        {"id": "lost", "topic": "wter", "lead": "SLJ", "reason": "误写"},
    ]
    draft = await drafted(dispatcher, rules=rules)
    found = await got(dispatcher, f"{DRAFTS}/{draft['id']}/check")
    assert not found["publishable"]
    faults = {(each["kind"], each["rule"]) for each in found["items"] if each["level"] == "fault"}
    assert faults == {
        ("unknown_unit", "lights-moved"),
        ("unreachable", "again"),
        ("grassroots", "town"),
        ("unknown_topic", "lost"),
    }
    assert found["faults"] == 4
    assert any(each["kind"] == "uncovered" for each in found["items"])
    refused = await published(dispatcher, draft, 409)
    assert refused["type"].endswith("catalogue-refused")
    assert {(each["kind"], each["rule"]) for each in refused["faults"]} == faults
    assert len((await got(dispatcher, VERSIONS))["items"]) == 1


@pytest.mark.parametrize(
    ("said", "slug", "field"),
    [
        ({"yaml": "rules:\n  - id: one\n    topc: water\n"}, "no-catalogue", "yaml"),
        ({"yaml": "rules: [1, 2]"}, "no-catalogue", "yaml"),
        ({"rules": [{"id": "one"}]}, "malformed", "rules.0.lead"),
        ({"yaml": FILE, "from_version": 1}, "malformed", "body"),
        ({"from_version": 9}, "not-found", None),
    ],
)
async def test_what_is_no_catalogue_is_no_draft(
    dispatcher: Bench, said: dict[str, Any], slug: str, field: str | None
) -> None:
    answer = await dispatcher.http("desk").post(DRAFTS, json={"note": "试"} | said)
    assert answer.status_code in (404, 422)
    problem = answer.json()
    assert (problem["type"].rpartition("/")[2], problem.get("field")) == (slug, field)
    if slug == "no-catalogue":
        assert all({"line", "field", "message"} == each.keys() for each in problem["faults"])


async def test_the_whole_file_of_a_big_city_can_be_handed_in(dispatcher: Bench) -> None:
    lines = [RULE | {"id": f"r-{at}", "keywords": [f"词{at:04}"]} for at in range(2_000)]
    draft = await drafted(dispatcher, rules=lines)
    found = await got(dispatcher, f"{DRAFTS}/{draft['id']}/check")
    assert found["publishable"]


async def test_a_rule_is_added_where_it_is_wanted(dispatcher: Bench) -> None:
    draft = await with_rule(dispatcher)
    whole = await got(dispatcher, f"{DRAFTS}/{draft['id']}")
    assert "# --- 生命财产安全" in whole["yaml"]
    path, client = f"{DRAFTS}/{draft['id']}/rules", dispatcher.http("desk")
    twice = await post(client, path, {"rule": RULE}, 409)
    assert twice["type"].endswith("rule-exists")
    nowhere = await post(client, path, {"rule": RULE | {"id": "x"}, "before": "y"}, 422)
    assert nowhere["type"].endswith("unknown-code")


# --- a trial on past tickets -------------------------------------------------------------------


async def test_a_draft_is_tried_on_past_tickets(dispatcher: Bench) -> None:
    await register(dispatcher)
    await register(dispatcher, street_light(topic="water.supply", title="停水"), OTHER)
    third = "20260302-000003"
    await register(dispatcher, street_light(topic="other.unclear", title="不明"), third)
    before = len(await dispatcher.told())
    draft = await with_rule(dispatcher)
    path = f"{DRAFTS}/{draft['id']}/trial"
    found = await got(dispatcher, f"{path}?days=30")
    assert (found["tried"], found["same"], found["moved"]) == (3, 2, 1)
    [moved] = found["examples"]
    assert (moved["number"], moved["unit"], moved["draft_unit"], moved["draft_rule"]) == (
        NUMBER,
        STREET_LIGHT,
        LIGHTS_TO,
        "lights-moved",
    )
    units = {each["code"]: (each["before"], each["after"]) for each in found["units"]}
    assert units == {STREET_LIGHT: (1, 0), LIGHTS_TO: (0, 1)}
    assert found["next"] is None
    assert len(await dispatcher.told()) == before
    numbers: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await got(dispatcher, f"{path}?limit=1{after and f'&after={after}'}")
        numbers += [each["number"] for each in page["examples"]]
        after = page["next"]
        assert page["tried"] == 1
    assert numbers == [NUMBER]
    dispatcher.at(dispatcher.now + timedelta(days=60))
    assert (await got(dispatcher, f"{path}?days=30"))["tried"] == 0


# --- why ---------------------------------------------------------------------------------------


async def test_why_a_ticket_went_where_it_is(dispatcher: Bench) -> None:
    """R-03: under the version of then, whatever decides today."""
    await register(dispatcher)
    rule = (await order(dispatcher, NUMBER)).data.rule
    await published(dispatcher, await with_rule(dispatcher))
    why = await got(dispatcher, f"/v1/tickets/{NUMBER}/explain")
    assert (why["catalogue_version"], why["rule"], why["unit"]) == (1, rule, STREET_LIGHT)
    assert why["as_then"]
    assert why["winner"]["id"] == rule
    assert all(each["held"] for each in why["winner"]["conditions"])
    assert len(why["others"]) == 5
    for each in why["others"]:
        unmet = [met for met in each["conditions"] if not met["held"]]
        assert unmet or "列在其前" in each["sentence"]["zh"]
        assert each["sentence"]["zh"]
        assert each["sentence"]["en"]
    assert len((await got(dispatcher, f"/v1/tickets/{NUMBER}/explain?others=0"))["others"]) == 0


async def test_a_unit_reads_why_it_has_its_own_order_and_no_more(dispatcher: Bench) -> None:
    await register(dispatcher)
    path = f"/v1/tickets/{NUMBER}/explain"
    own = (await dispatcher.http("unit", STREET_LIGHT).get(path)).json()
    assert own["sentence"]["zh"]
    assert (own["winner"], own["others"]) == (None, [])
    assert (await dispatcher.http("unit", "GAJ").get(path)).status_code == 404


async def test_who_must_know_nothing_is_told_that_there_is_none(dispatcher: Bench) -> None:
    """R-35."""
    reported = street_light(reported_unit=STREET_LIGHT, type="report")
    await register(dispatcher, reported)
    path = f"/v1/tickets/{NUMBER}/explain"
    assert (await dispatcher.http("unit", STREET_LIGHT).get(path)).status_code == 404
    why = await got(dispatcher, path)
    assert why["unit"] is None


async def test_what_nobody_could_decide_is_explained_too(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(topic="other.unclear", title="题", content="内容"))
    why = await got(dispatcher, f"/v1/tickets/{NUMBER}/explain")
    assert (why["catalogue_version"], why["rule"], why["winner"]) == (1, None, None)
    assert "没有适用" in why["sentence"]["zh"]
    assert why["others"]


async def test_an_order_of_before_versions_were_kept_is_told_in_its_own_words(
    dispatcher: Bench,
) -> None:
    await register(dispatcher)
    await dispatcher.do(
        "UPDATE assignments SET catalogue_version = NULL",
        "UPDATE tickets SET catalogue_version = NULL",
    )
    why = await got(dispatcher, f"/v1/tickets/{NUMBER}/explain")
    assert (why["catalogue_version"], why["winner"]) == (None, None)
    assert "诉求分类" in why["sentence"]["zh"]
