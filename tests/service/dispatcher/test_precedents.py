"""What was ruled on whose duty a matter is, is found again when a like one comes (R-17, R-35)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import yaml

from shared.events import Reported, TicketRegistered
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import PAPER, THIRD, disputed, raised, ruled
from tests.fixtures.scenes.catalogue import DRAFTS, got, order, published
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    banquet,
    company,
    post,
    register,
    street_light,
)

NEXT = "20260302-000009"


async def found(bench: Bench, query: str = "", role: str = "desk", unit: str | None = None) -> Any:
    """Precedents as somebody finds them."""
    return (await bench.http(role, unit).get(f"/v1/precedents{query}")).json()["items"]


async def like(bench: Bench, matter: TicketRegistered) -> Any:
    """Precedents for a ticket that comes."""
    await register(bench, matter, NEXT)
    return (await bench.http("desk").get(f"/v1/tickets/{NEXT}/precedents")).json()["items"]


async def refused(bench: Bench, number: str, matter: TicketRegistered, ruling: str) -> None:
    """A ticket whose unit asks to return it and is refused."""
    given = await register(bench, matter, number)
    unit, assignment = next(iter(given.items()))
    await act(bench, unit, assignment, "return-requests", RETURN | {"suggested_unit": "ZFB"})
    body = {"granted": False, "ruling": ruling}
    await post(bench.http("desk"), f"/v1/assignments/{assignment}/ruling", body)


async def by_hand(bench: Bench, number: str) -> UUID:
    """An arbitration opened by hand."""
    door = f"/v1/tickets/{number}/arbitration"
    answer = await post(bench.http("desk"), door, {"grounds": "职责交叉"})
    return UUID(answer["id"])


async def test_every_ruling_is_one_with_what_a_rule_needs(dispatcher: Bench) -> None:
    """R-17: of the desk on a return, and of a body of the ladder."""
    id = await disputed(dispatcher)
    await raised(dispatcher, id)
    await ruled(dispatcher, id, THIRD, role="supervisor", co_handlers=["HC"], **PAPER)
    newest, first = await found(dispatcher)
    assert (newest["kind"], newest["arbitration"], newest["step"]) == ("arbitration", str(id), 2)
    assert [newest[name] for name in ("topic", "area", "type", "unit")] == [
        "lighting.street",
        "610924100",
        "complaint",
        THIRD,
    ]
    assert (newest["co_handlers"], newest["paper"]) == (["HC"], PAPER["paper"])
    assert newest["disputed"] == [STREET_LIGHT, "ZJJ"]
    assert (first["kind"], first["unit"], first["disputed"]) == ("return", None, [STREET_LIGHT])


async def test_silence_is_none(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await act(dispatcher, STREET_LIGHT, given[STREET_LIGHT], "return-requests", RETURN)
    dispatcher.at("2026-03-03T09:00+08:00")
    await dispatcher.run("rule_unruled")
    assert await found(dispatcher) == []


async def test_they_are_narrowed_and_paged(dispatcher: Bench) -> None:
    await refused(dispatcher, NUMBER, street_light(), "照明属城管")
    await refused(dispatcher, "20260302-000002", company(), "开办企业由市监牵头")
    for query in ("?topic=lighting.street", "?unit=CGZF", "?text=属城管", "?text=路灯"):
        assert [each["number"] for each in await found(dispatcher, query)] == [NUMBER], query
    assert await found(dispatcher, "?area=610924110") == []
    http = dispatcher.http("supervisor")
    first = (await http.get("/v1/precedents?limit=1")).json()
    second = (await http.get(f"/v1/precedents?limit=1&after={first['next']}")).json()
    assert [page["items"][0]["number"] for page in (first, second)] == ["20260302-000002", NUMBER]
    assert second["next"] is None


async def test_the_like_ones_come_first(dispatcher: Bench) -> None:
    """The same topic first, then the area, then words."""
    other = "20260302-000002"
    await refused(dispatcher, NUMBER, street_light(area="610924110"), "照明属城管")
    await refused(dispatcher, other, street_light(), "照明属城管")
    await refused(dispatcher, "20260302-000003", company(), "开办企业由市监牵头")
    same = await like(dispatcher, street_light(title="路灯又不亮", area="610924110"))
    assert [each["number"] for each in same] == [NUMBER, other]


async def test_who_decides_is_led_to_them(dispatcher: Bench) -> None:
    """R-17: from a row of the desk's lists, to what was ruled on like matters."""
    await refused(dispatcher, NUMBER, street_light(), "照明属城管")
    given = await register(dispatcher, street_light(), NEXT)
    await act(dispatcher, STREET_LIGHT, given[STREET_LIGHT], "return-requests", RETURN)
    await register(dispatcher, street_light(type="report"), "20260302-000010")
    desk = dispatcher.http("desk")
    for path in ("/v1/returns", "/v1/unassigned"):
        [row] = (await desk.get(path)).json()["items"]
        [like] = (await desk.get(row["precedents"])).json()["items"]
        assert (like["number"], like["unit"], like["ruling"]) == (
            NUMBER,
            STREET_LIGHT,
            "照明属城管",
        )


async def make_rule(bench: Bench, status: int = 201, **said: Any) -> Any:
    """The desk makes a rule of the newest precedent."""
    newest = (await found(bench))[0]
    client = bench.http("desk", name="li")
    return await post(client, f"/v1/precedents/{newest['id']}/rule", said, status)


async def rules_of(bench: Bench, draft: Any) -> list[dict[str, Any]]:
    """The rules a draft has."""
    whole = await got(bench, f"{DRAFTS}/{draft['id']}")
    return list(yaml.safe_load(whole["yaml"])["rules"])


async def test_a_ruling_becomes_a_rule_of_the_catalogue_in_one_call(dispatcher: Bench) -> None:
    """R-17, gain 2: a draft, which another person publishes; then the next like ticket goes there."""
    id = await disputed(dispatcher)
    await raised(dispatcher, id)
    await ruled(dispatcher, id, "ZJJ", role="supervisor", co_handlers=["HC"], **PAPER)
    draft = await make_rule(dispatcher)
    assert (draft["authors"], draft["based_on"], draft["status"]) == (["desk:li"], 1, "draft")
    rules = await rules_of(dispatcher, draft)
    [at] = [at for at, rule in enumerate(rules) if rule["id"].startswith("ruling-")]
    assert rules[at + 1]["id"] == "lighting-in-county-town"  # which would decide it now
    made = rules[at]
    assert (made["lead"], made["co_handlers"], made["areas"]) == ("ZJJ", ["HC"], ["610924100"])
    assert made["reason"] == f"{PAPER['paper']} 依据三定方案，由其承办"
    assert (await published(dispatcher, draft, 403, "li"))["type"].endswith("own-draft")
    await published(dispatcher, draft)
    await register(dispatcher, street_light(), NEXT)
    assert (await order(dispatcher, NEXT)).data.rule == made["id"]


async def test_what_such_a_rule_covers_the_desk_may_say(dispatcher: Bench) -> None:
    await refused(dispatcher, NUMBER, street_light(), "照明属城管")
    id = await by_hand(dispatcher, NUMBER)
    body = {"lead": "ZJJ", "ruling": "属住建"}
    await post(dispatcher.http("desk"), f"/v1/arbitrations/{id}/ruling", body)
    said: dict[str, Any] = {
        "id": "lamps",
        "everywhere": True,
        "keywords": ["灯杆"],
        "before": "threat-to-life",
    }
    draft = await make_rule(dispatcher, **said, note="会议纪要")
    assert draft["note"] == "会议纪要"
    first = (await rules_of(dispatcher, draft))[0]
    assert (first["id"], first["keywords"], "areas" in first) == ("lamps", ["灯杆"], False)


async def test_a_ruling_that_names_nobody_makes_no_rule(dispatcher: Bench) -> None:
    await disputed(dispatcher)
    assert (await make_rule(dispatcher, 409))["type"].endswith("names-nobody")


async def test_a_rule_says_nothing_of_a_secret_matter(dispatcher: Bench) -> None:
    """R-35: units read why they have an order."""
    await register(dispatcher, banquet(reported=Reported(units=("HC",)), confidential=True))
    id = await by_hand(dispatcher, NUMBER)
    body = {"lead": "MZJ", "ruling": "由民政局核查村主任张三一事"}
    await post(dispatcher.http("desk"), f"/v1/arbitrations/{id}/ruling", body)
    rules = await rules_of(dispatcher, await make_rule(dispatcher))
    assert "张三" not in str(rules)


async def test_of_a_report_nobodys_name_is_told_and_units_find_none(dispatcher: Bench) -> None:
    """R-35: what was kept from a unit, it does not read in a precedent."""
    about = Reported(units=("HC",))
    await register(dispatcher, banquet(reported=about))
    body = {"lead": "MZJ", "ruling": "由民政局核查村主任张三一事"}
    id = await by_hand(dispatcher, NUMBER)
    await post(dispatcher.http("desk"), f"/v1/arbitrations/{id}/ruling", body)
    (seen,) = await found(dispatcher)
    assert (seen["confidential"], seen["unit"]) == (True, "MZJ")
    hidden = ("number", "title", "ruling", "grounds")
    assert [seen[name] for name in hidden] == [None] * 4
    for unit in ("HC", "MZJ", "CG"):
        assert await found(dispatcher, role="unit", unit=unit) == []


async def test_who_stands_back_from_a_complaint_finds_none_of_it(dispatcher: Bench) -> None:
    """R-35 回避."""
    await register(dispatcher, street_light(reported=Reported(units=("HC",))))
    id = await by_hand(dispatcher, NUMBER)
    await ruled(dispatcher, id, "ZJJ")
    assert await found(dispatcher, role="unit", unit="HC") == []
    assert len(await found(dispatcher, role="unit", unit="MZJ")) == 1


async def test_words_of_a_secret_ruling_find_nothing(dispatcher: Bench) -> None:
    """Whoever asks for a name is not told by a hit that it stands there."""
    await register(dispatcher, banquet(reported=Reported(units=("HC",))))
    id = await by_hand(dispatcher, NUMBER)
    await ruled(dispatcher, id, "MZJ", ruling="由民政局核查村主任张三一事")
    assert await found(dispatcher, "?text=张三") == []
