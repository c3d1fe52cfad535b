"""法定时限 and 上级平台时限 as they are printed on orders (JN-24(2), WF-20, BJ-13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from shared.events import Fact, TicketCorrected, TicketMerged, TicketUnmerged, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import NUMBER, post, register, street_light

LAW = {
    "law": "《城市道路管理条例》",
    "article": "第三十三条",
    "limit": "20wd",
    "reason": "须经审批",
}
UPSTREAM = datetime.fromisoformat("2026-03-12T18:00+08:00")


async def ask_law(bench: Bench, status: int = 200, number: str = NUMBER, **changes: Any) -> Any:
    """The desk names a law for the ticket, which a second person has to grant."""
    path = f"/v1/tickets/{number}/legal-limit"
    return await post(bench.http("desk"), path, LAW | changes, status=status)


async def name_law(bench: Bench, number: str = NUMBER, **changes: Any) -> Any:
    """The desk names a law for the ticket, and a second person grants it; as the ticket stands then."""
    asked = await ask_law(bench, number=number, **changes)
    await decide(bench, asked["approval"])
    return (await bench.http("desk").get(f"/v1/tickets/{number}/assignments")).json()


async def decide(bench: Bench, id: str, status: int = 200, granted: bool = True, **who: str) -> Any:
    """Somebody decides on it: by default another person at the desk."""
    client = bench.http(who.get("role", "desk"), name=who.get("name", "li"))
    body = {"granted": granted, "note": "已核对条文"}
    return await post(client, f"/v1/approvals/{id}/decision", body, status)


async def updates(bench: Bench) -> list[Fact]:
    return await bench.told("assignment.updated")


async def test_the_desk_names_the_law_and_the_unit_hears_it(dispatcher: Bench) -> None:
    """JN-24(2): longer_law_limit_wins, with law and article."""
    await register(dispatcher, street_light())
    answer = await name_law(dispatcher)
    [told] = await updates(dispatcher)
    assert told.data.limits.handle == "20wd"
    assert told.data.limits.law.model_dump() == {k: LAW[k] for k in ("law", "article", "limit")}
    assert "依据《城市道路管理条例》第三十三条，法定时限为20个工作日" in told.data.content
    assert told.actor.startswith("desk:")
    [order] = answer["assignments"]
    assert order["limits"]["law"]["article"] == "第三十三条"


async def test_who_gets_it_next_in_the_round_has_the_law_too(dispatcher: Bench) -> None:
    await register(dispatcher, street_light())
    await name_law(dispatcher)
    body = {"lead": "ZJJ", "reason": "改派"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    *_, again = await dispatcher.told("assignment.dispatched")
    assert (again.unit, again.data.limits.handle) == ("ZJJ", "20wd")


@pytest.mark.parametrize(
    ("given", "said", "status", "slug"),
    [
        ({"urgency": "urgent"}, {}, 409, "legal-limit-not-for-urgency"),
        ({}, {"limit": "3wd"}, 409, "legal-limit-in-vain"),
        (
            {},
            {"statute": "labour_inspection", "law": None, "article": None, "limit": None},
            422,
            "unknown-code",
        ),
        ({}, {"article": None}, 422, "malformed"),
        ({}, {"statute": "labour_inspection"}, 422, "malformed"),
        ({}, {"limit": "60d"}, 422, "malformed"),
    ],
)
async def test_what_is_no_longer_limit_of_a_law_is_refused(
    dispatcher: Bench, given: dict[str, Any], said: dict[str, Any], status: int, slug: str
) -> None:
    await register(dispatcher, street_light(**given))
    refused = await ask_law(dispatcher, status, **said)
    assert refused["type"].endswith(f"/{slug}")
    assert await updates(dispatcher) == []


async def test_a_statute_of_the_table_is_named_by_its_id(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(topic="labour.wages"))
    body = {"statute": "labour_inspection", "reason": "已立案"}
    path = f"/v1/tickets/{NUMBER}/legal-limit"
    await post(
        dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", {"lead": "RSJ", "reason": "职责"}
    )
    await post(dispatcher.http("desk"), path, body)
    *_, told = await updates(dispatcher)
    assert (told.data.limits.law.article, told.data.limits.handle) == ("第十七条", "60wd")


async def test_nobody_names_a_law_for_what_no_unit_has(dispatcher: Bench) -> None:
    await register(dispatcher, street_light())
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "再看"})
    refused = await ask_law(dispatcher, 409)
    assert refused["type"].endswith("/move-refused")


async def test_the_moment_of_an_upstream_platform_is_printed(dispatcher: Bench) -> None:
    """WF-20: both moments, the platform's and the margin before it."""
    await register(dispatcher, street_light(channel="city", upstream_due=UPSTREAM))
    [told] = await dispatcher.told("assignment.dispatched")
    assert told.data.limits.upstream.due == UPSTREAM
    assert told.data.limits.upstream.margin == "4wh"


async def test_a_moment_that_is_over_is_not_printed(dispatcher: Bench) -> None:
    over = datetime.fromisoformat("2020-03-12T18:00+08:00")
    await register(dispatcher, street_light(channel="city", upstream_due=over))
    [told] = await dispatcher.told("assignment.dispatched")
    assert told.data.limits.upstream is None


async def test_t5_complex_is_refused_where_the_platform_says_when(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(channel="city", upstream_due=UPSTREAM))
    body = {"lead": "CGZF", "reason": "情况复杂", "urgency": "complex"}
    refused = await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body, status=409)
    assert refused["type"].endswith("/complex-in-vain")
    assert "上级平台要求于" in refused["detail"]


async def test_which_limits_of_their_own_they_are_is_printed(dispatcher: Bench) -> None:
    """BJ-13: the rule that won stands on the order."""
    await register(dispatcher, street_light(flags=["tourism"]))
    [told] = await dispatcher.told("assignment.dispatched")
    assert (told.data.limits.handle, told.data.limits.rule) == ("24h", "涉旅 tourism")


def moment_corrected(bench: Bench, due: datetime | None, seq: int | None = None) -> Fact:
    """The moment an upstream platform wants the answer by is put right."""
    data = TicketCorrected(fields=("upstream_due",), reason="市平台来函", upstream_due=due)
    return bench.fact(data, subject=NUMBER, seq=seq)


@pytest.mark.parametrize(
    ("right", "zh"),
    [
        (datetime.fromisoformat("2026-03-16T18:00+08:00"), "要求于2026年3月16日18:00前答复"),
        (None, "未要求答复时刻"),
    ],
)
async def test_units_at_work_hear_the_moment_that_is_right(
    dispatcher: Bench, right: datetime | None, zh: str
) -> None:
    """ADR 0080: the same order goes on, with the right moment on it."""
    await register(dispatcher, street_light(channel="city", upstream_due=UPSTREAM))
    await dispatcher.hear(moment_corrected(dispatcher, right))
    [told] = await updates(dispatcher)
    assert (told.data.limits.upstream and told.data.limits.upstream.due) == right
    assert zh in told.data.content
    assert len(await dispatcher.told("assignment.dispatched")) == 1
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "再看"})
    await post(
        dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", {"lead": "ZJJ", "reason": "改派"}
    )
    *_, again = await dispatcher.told("assignment.dispatched")
    assert (again.data.limits.upstream and again.data.limits.upstream.due) == right


async def test_of_two_moments_the_later_said_counts(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(channel="city"))
    first, last = (datetime.fromisoformat(f"2026-03-{day}T18:00+08:00") for day in (16, 18))
    await dispatcher.hear(moment_corrected(dispatcher, last, seq=90))
    await dispatcher.hear(moment_corrected(dispatcher, first, seq=80))
    [told] = await updates(dispatcher)
    assert told.data.limits.upstream.due == last


# --- a law that is not in the county's table ---------------------------------------------------


async def told_of_it(bench: Bench) -> list[str]:
    """What units and citizens heard."""
    return [
        fact.name
        for name in ("assignment.updated", "ticket.law_named")
        for fact in await bench.told(name)
    ]


async def test_nobody_alone_names_a_law_that_is_not_in_the_table(dispatcher: Bench) -> None:
    """DOMAIN.md 2, ADR 0084: neither unit nor citizen waits a day longer on one person's word."""
    await register(dispatcher, street_light())
    asked = await ask_law(dispatcher, limit="999wd")
    assert await told_of_it(dispatcher) == []
    assert [each["limits"]["handle"] for each in asked["assignments"]] == ["5wd"]
    another = dispatcher.http("supervisor", name="li")
    [row] = (await another.get("/v1/approvals")).json()["items"]
    assert (row["id"], row["what"], row["law"]["limit"]) == (
        asked["approval"],
        "legal_limit",
        "999wd",
    )
    assert row["allowed"] == ["grant", "refuse"]
    own = await decide(dispatcher, asked["approval"], 403, name="test")
    assert own["type"].endswith("/own-approval")
    await decide(dispatcher, asked["approval"], granted=False)
    assert await told_of_it(dispatcher) == []
    [said] = await dispatcher.told("approval.requested")
    assert (said.data.what, said.data.law.limit) == ("legal_limit", "999wd")


async def test_a_supervisor_grants_a_law_too_and_both_are_on_record(dispatcher: Bench) -> None:
    await register(dispatcher, street_light())
    asked = await ask_law(dispatcher)
    await decide(dispatcher, asked["approval"], role="supervisor", name="wang")
    [granted] = await dispatcher.told("approval.granted")
    assert (granted.data.asked_by, granted.actor) == ("desk:test", "supervisor:wang")
    assert await told_of_it(dispatcher) == ["assignment.updated", "ticket.law_named"]


async def test_the_same_law_asked_again_is_one_and_another_waits_its_turn(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, street_light())
    asked = await ask_law(dispatcher)
    assert (await ask_law(dispatcher))["approval"] == asked["approval"]
    refused = await ask_law(dispatcher, 409, limit="30wd")
    assert refused["type"].endswith("/approval-pending")
    assert refused["approval"] == asked["approval"]


@pytest.mark.parametrize(
    ("since", "slug"),
    [
        ("urgent", "legal-limit-not-for-urgency"),
        ("recalled", "move-refused"),
        ("a longer law", "legal-limit-in-vain"),
    ],
)
async def test_a_law_is_granted_only_of_what_it_would_still_give_more_time(
    dispatcher: Bench, since: str, slug: str
) -> None:
    """What is offered may be done, and what may not is not offered (ADR 0078)."""
    await register(dispatcher, street_light(topic="labour.wages"))
    assign = {"lead": "RSJ", "reason": "职责"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", assign)
    asked = await ask_law(dispatcher)
    if since == "urgent":
        more = assign | {"urgency": "urgent"}
        await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", more)
    if since == "recalled":
        why = {"reason": "再看"}
        await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", why)
    if since == "a longer law":
        body = {"statute": "labour_inspection", "reason": "已立案"}
        await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/legal-limit", body)
    [row] = (await dispatcher.http("desk", name="li").get("/v1/approvals")).json()["items"]
    assert row["allowed"] == ["refuse"]
    refused = await decide(dispatcher, asked["approval"], 409)
    assert refused["type"].endswith(f"/{slug}")
    assert len(await dispatcher.told("approval.granted")) == 0
    await decide(dispatcher, asked["approval"], granted=False)


# --- a law that was named wrongly --------------------------------------------------------------

SECOND = "20260302-000002"


async def take_back(bench: Bench, number: str = NUMBER, status: int = 200) -> Any:
    """The desk takes the law back."""
    path, body = f"/v1/tickets/{number}/legal-limit-withdrawal", {"reason": "不属该条例"}
    return await post(bench.http("desk"), path, body, status=status)


async def said_of_laws(bench: Bench) -> list[tuple[str, bool]]:
    """Of which ticket a law was named, or taken back."""
    told = await bench.told("ticket.law_named")
    return [(fact.subject, fact.data.withdrawn) for fact in told]


async def test_a_law_named_wrongly_is_taken_back_in_the_round(dispatcher: Bench) -> None:
    """ADR 0080: units have their own limit again, and so has who gets it next."""
    await register(dispatcher, street_light())
    before = (await dispatcher.told("assignment.dispatched"))[0].data.limits
    await name_law(dispatcher)
    answer = await take_back(dispatcher)
    assert "withdraw_law" not in answer["allowed"]
    told = (await updates(dispatcher))[-1].data
    assert told.limits == before
    assert "撤回法定时限：《城市道路管理条例》第三十三条不适用" in told.content
    assert await said_of_laws(dispatcher) == [(NUMBER, False), (NUMBER, True)]
    body = {"lead": "ZJJ", "reason": "改派"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    *_, again = await dispatcher.told("assignment.dispatched")
    assert again.data.limits.law is None
    refused = await take_back(dispatcher, status=409)
    assert refused["type"].endswith("/move-refused")


async def test_it_is_taken_back_of_what_nobody_has_now(dispatcher: Bench) -> None:
    await register(dispatcher, street_light())
    await name_law(dispatcher)
    recalled = await post(
        dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "再看"}
    )
    assert "withdraw_law" in recalled["allowed"]
    await take_back(dispatcher)
    assert await said_of_laws(dispatcher) == [(NUMBER, False), (NUMBER, True)]


async def two(bench: Bench) -> None:
    """Two citizens with one street light."""
    await register(bench, street_light(), NUMBER)
    await register(bench, street_light(), SECOND)


def joined(bench: Bench) -> Fact:
    return bench.fact(TicketMerged(into=NUMBER, reason="同一处路灯"), subject=SECOND, seq=9)


async def test_who_waits_for_the_same_work_has_the_law_too(dispatcher: Bench) -> None:
    """ADR 0080: one matter, one law; whoever joins later waits as long, and who leaves no longer."""
    await two(dispatcher)
    await dispatcher.hear(joined(dispatcher))
    await name_law(dispatcher)
    assert await said_of_laws(dispatcher) == [(NUMBER, False), (SECOND, False)]
    refused = await take_back(dispatcher, SECOND, status=409)
    assert refused["type"].endswith("/in-other-work")
    await take_back(dispatcher)
    assert (await said_of_laws(dispatcher))[2:] == [(NUMBER, True), (SECOND, True)]


async def test_who_joins_a_work_joins_its_law_and_leaves_it(dispatcher: Bench) -> None:
    await two(dispatcher)
    await name_law(dispatcher)
    await dispatcher.hear(joined(dispatcher))
    assert await said_of_laws(dispatcher) == [(NUMBER, False), (SECOND, False)]
    apart = TicketUnmerged(parted_from=NUMBER, reason="不是同一盏灯")
    await dispatcher.hear(dispatcher.fact(apart, subject=SECOND, seq=10))
    assert (await said_of_laws(dispatcher))[2:] == [(SECOND, True)]
    *_, own = await dispatcher.told("assignment.dispatched")
    assert (own.subject, own.data.limits.law) == (SECOND, None)


async def test_the_work_goes_on_under_the_law_when_its_first_ticket_leaves(
    dispatcher: Bench,
) -> None:
    await two(dispatcher)
    await dispatcher.hear(joined(dispatcher))
    await name_law(dispatcher)
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不用了"), subject=NUMBER, seq=9))
    *_, heir = await dispatcher.told("assignment.dispatched")
    assert (heir.subject, heir.data.limits.handle) == (SECOND, "20wd")
    await take_back(dispatcher, SECOND)


async def test_who_had_a_law_before_keeps_it(dispatcher: Bench) -> None:
    """It was named for that matter by itself: neither the work's naming nor its taking back is about it."""
    await two(dispatcher)
    await name_law(dispatcher, SECOND, limit="30wd")
    await dispatcher.hear(joined(dispatcher))
    await name_law(dispatcher)
    await take_back(dispatcher)
    assert [said for said in await said_of_laws(dispatcher) if said[0] == SECOND] == [
        (SECOND, False)
    ]
    await take_back(dispatcher, SECOND)
