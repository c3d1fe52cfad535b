"""The tracker's figures: on-time rates of a period, and the breaches that stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.tracker.rules.supervision import FigureRules
from services.tracker.settings import Config
from shared.events import Role
from shared.jurisdiction.appraisal import Appraisal
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule, slug

# --- rates -------------------------------------------------------------------------------------


@pytest.fixture
async def month(tracker: Bench) -> Bench:
    """HC leads four: in time, extended, a breach taken back, late; and helps with a fifth, late."""
    ids = [UUID(int=100 + n) for n in range(5)]
    stories = [Story(tracker, f"20260302-10000{n}") for n in range(5)]
    for story, id in zip(stories, ids, strict=True):
        role = Role.CO if id == ids[4] else Role.LEAD
        await tracker.hear(story.registered(), story.dispatched(id=id, role=role))
        if id != ids[3]:
            await tracker.hear(story.signed("03-02 11:00", id=id))
    asked = (await ask(tracker, id=ids[1])).json()
    await rule(tracker, asked["id"], GRANT)
    tracker.at("2026-03-20T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(
        stories[0].completed("03-05 10:00", id=ids[0]),
        stories[1].completed("03-11 10:00", id=ids[1]),
        stories[2].completed("03-09 10:00", id=ids[2]),
        stories[3].completed("03-11 10:00", id=ids[3]),
        stories[4].completed("03-19 10:00", id=ids[4]),
    )
    return tracker


async def rates(
    tracker: Bench, first: str, last: str, role: str = "supervisor", basis: str = "judged"
) -> Any:
    """The figures of a period."""
    client = tracker.http(role, "GT" if role == "unit" else None)
    query = f"from=2026-{first}&to=2026-{last}&by=unit&basis={basis}"
    return (await client.get(f"/v1/rates?{query}")).json()


async def test_on_time_rates_count_standing_breaches_only(month: Bench) -> None:
    """R-42 公开通报."""
    found = await rates(month, "03-01", "03-31")
    assert found["handle"] == {
        **{"due": 4, "on_time": 3, "extended": 1, "revised": 0, "rate": 0.75},
        **{"by_extension": 1, "rate_unextended": 0.5},
    }
    assert (found["sign"]["due"], found["sign"]["on_time"], found["sign"]["rate"]) == (5, 4, 0.8)
    assert [unit["unit"] for unit in found["units"]] == ["HC"]


async def test_a_clock_counts_in_the_period_it_was_judged_in(month: Bench) -> None:
    """R-48 统计周期."""
    by_day = {
        day: (await rates(month, f"03-{day}", f"03-{day}"))["handle"]["due"]
        for day in ("05", "09", "10", "11")
    }
    assert by_day == {"05": 1, "09": 2, "10": 0, "11": 1}
    nothing = (await rates(month, "04-01", "04-30"))["handle"]
    assert (nothing["due"], nothing["rate"], nothing["rate_unextended"]) == (0, None, None)


async def test_or_in_the_period_it_was_due_in_as_the_policy_prints(month: Bench) -> None:
    """R-48; policy `on_time_rate`: completed within limit / due in period."""
    by_day = {
        day: (await rates(month, f"03-{day}", f"03-{day}", basis="due"))["handle"]["due"]
        for day in ("05", "09", "10", "11", "12")
    }
    assert by_day == {"05": 0, "09": 3, "10": 0, "11": 0, "12": 1}
    month.at("2026-03-09T17:59+08:00")
    assert (await rates(month, "03-01", "03-31", basis="due"))["handle"]["due"] == 0
    month.at("2026-03-20T10:00+08:00")
    printed = (await month.http("desk").get("/v1/rates")).json()
    assert (printed["basis"], printed["handle"]["due"]) == ("due", 4)
    client = month.http("desk")
    assert (await client.get("/v1/rates?basis=met")).status_code == 422


async def test_the_policy_says_which_is_printed(month: Bench) -> None:
    store: Store[Config] = month.service.store
    figures = FigureRules(on_time_by="judged")
    rules = store.config.rules.model_copy(update={"figures": figures})
    store.config = replace(store.config, rules=rules)
    found = (await month.http("desk").get("/v1/rates")).json()
    assert (found["basis"], found["saved"], found["units"][0]["saved"]) == ("judged", None, None)


# --- of units ----------------------------------------------------------------------------------


@pytest.mark.parametrize("late", ["HC", "GT"])
async def test_two_tickets_at_half_make_no_rate_and_count_for_the_county(
    tracker: Bench, late: str
) -> None:
    """R-43, LYG: each unit with its class and band, whoever was late; nothing is ranked."""
    for n, unit in enumerate(("HC", "HC", "GT", "GT")):
        story, id = Story(tracker, f"20260302-10000{n}"), UUID(int=100 + n)
        done = "03-11 10:00" if unit == late and n % 2 else "03-05 10:00"
        completed = story.completed(done, id=id).model_copy(update={"unit": unit})
        await tracker.hear(story.registered(), story.dispatched(id=id, unit=unit), completed)
    found = await rates(tracker, "03-01", "03-31")
    assert (found["handle"]["due"], found["handle"]["rate"]) == (4, 0.75)
    stands = {"kind": "town", "band": {"least": 0, "most": 9}, "few": True}
    assert [unit["unit"] for unit in found["units"]] == ["GT", "HC"]
    for unit in found["units"]:
        assert unit.items() >= stands.items()
        handle = unit["handle"]
        assert (handle["due"], handle["on_time"]) == (2, 1 if unit["unit"] == late else 2)
        assert handle["rate"] is handle["rate_unextended"] is None
        assert unit["handle_uncharged"]["rate"] is unit["contact"]["rate"] is None
    own = await rates(tracker, "03-01", "03-31", "unit")
    assert [own["handle"]] == [unit["handle"] for unit in own["units"]]


async def test_the_place_says_how_many_cases_a_rate_takes(month: Bench) -> None:
    """R-43: HC led four and signed for five."""
    store: Store[Config] = month.service.store
    for least, rate, signed in ((0, 0.75, 0.8), (4, 0.75, 0.8), (5, None, 0.8), (6, None, None)):
        appraisal = Appraisal(bands=(1, 4), least=least)
        place = store.config.place.model_copy(update={"appraisal": appraisal})
        store.config = replace(store.config, place=place)
        [unit] = (await rates(month, "03-01", "03-31"))["units"]
        assert (unit["handle"]["rate"], unit["sign"]["rate"]) == (rate, signed)
        assert (unit["few"], unit["band"]) == (least > 4, {"least": 4, "most": None})


async def test_an_extension_counts_apart_only_where_it_was_needed(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-18: answered in five days with eight to do it in."""
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    await tracker.hear(open_ticket.completed("03-09 17:00"))
    tracker.at("2026-03-20T10:00+08:00")
    handle = (await rates(tracker, "03-01", "03-31"))["handle"]
    assert (handle["extended"], handle["by_extension"], handle["rate_unextended"]) == (1, 0, 1.0)


async def test_contacts_and_the_citizen_have_rates_of_their_own(
    tracker: Bench, open_ticket: Story
) -> None:
    """Gain 3, two truths: the unit in time with an extension, the citizen not; no unit sees the citizen's."""
    await tracker.hear(open_ticket.contacted("03-02 11:00"))
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    tracker.at("2026-03-11T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(open_ticket.completed("03-11 10:00"), open_ticket.resolved("03-11 10:00"))
    for basis in ("judged", "due"):
        tracker.at("2026-03-20T10:00+08:00")
        found = await rates(tracker, "03-01", "03-31", basis=basis)
        assert [found[name]["rate"] for name in ("handle", "contact", "citizen")] == [1.0, 1.0, 0.0]
        own = (await tracker.http("unit", "HC").get("/v1/rates?basis=" + basis)).json()
        assert (own["contact"]["due"], own["citizen"]["due"]) == (1, 0)


@pytest.mark.parametrize("basis", ["judged", "due"])
@pytest.mark.parametrize("lost", ["cancelled", "returned", "withdrawn"])
async def test_what_was_missed_counts_where_it_was_missed_whatever_became_of_it(
    tracker: Bench, open_ticket: Story, lost: str, basis: str
) -> None:
    """T9, R-42: late in the first half of March, gone in the second."""
    tracker.at("2026-03-16T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(getattr(open_ticket, lost)("03-16 10:00"))
    tracker.at("2026-04-20T10:00+08:00")
    then = await rates(tracker, "03-01", "03-15", basis=basis)
    later = await rates(tracker, "03-16", "04-18", basis=basis)
    for name in ("sign", "contact", "handle", "citizen"):
        assert (then[name]["due"], then[name]["on_time"], later[name]["due"]) == (1, 0, 0), name


@pytest.mark.parametrize("lost", ["cancelled", "returned", "withdrawn"])
async def test_what_went_before_it_was_due_is_nobodys_duty(
    tracker: Bench, open_ticket: Story, lost: str
) -> None:
    await tracker.hear(getattr(open_ticket, lost)("03-02 11:00"))
    tracker.at("2026-03-20T10:00+08:00")
    for basis in ("judged", "due"):
        found = await rates(tracker, "03-01", "03-31", basis=basis)
        assert [found[name]["due"] for name in ("sign", "contact", "handle")] == [0, 0, 0]


async def test_days_saved_against_the_law(month: Bench) -> None:
    """审批压缩: five working days in law; three, seven, five, seven taken, the co-handler's not counted."""
    found = await rates(month, "03-01", "03-31")
    assert found["saved"] == {
        **{"answered": 4, "legal_days": 20, "used_days": 22, "saved_days": -2, "over": 2},
        "rate": -0.1,
    }
    assert found["units"][0]["saved"] == found["saved"] | {"rate": None}  # of four answers
    first = (await rates(month, "03-05", "03-05"))["saved"]
    assert (first["answered"], first["saved_days"], first["rate"]) == (1, 2, 0.4)
    assert (await rates(month, "04-01", "04-30"))["saved"]["rate"] is None
    assert (await rates(month, "03-01", "03-31", "unit"))["saved"]["answered"] == 0


async def test_a_redo_saves_nothing_more(month: Bench) -> None:
    story, again = Story(month, "20260302-100000"), UUID(int=200)
    await month.hear(story.reopened("03-12 10:00", 2))
    await month.hear(story.dispatched("03-12 10:00", id=again, round=2, redo=True))
    await month.hear(story.completed("03-12 11:00", id=again, round=2))
    assert (await rates(month, "03-12", "03-12"))["saved"]["answered"] == 0


async def test_a_period_is_this_month_so_far_unless_told_otherwise(month: Bench) -> None:
    found = (await month.http("desk").get("/v1/rates")).json()
    assert (found["start"], found["end"]) == ("2026-03-01", "2026-03-20")
    assert found["handle"]["due"] == 4


async def test_a_unit_sees_its_own_figures(month: Bench) -> None:
    found = await rates(month, "03-01", "03-31", "unit")
    assert (found["units"], found["handle"]["due"]) == ([], 0)


async def test_a_period_that_is_none_is_malformed(tracker: Bench) -> None:
    client = tracker.http("supervisor")
    for query in ("from=2026-03-03&to=2026-03-01", "from=x", "by=topic"):
        assert (await client.get(f"/v1/rates?{query}")).status_code == 422


# --- breaches ----------------------------------------------------------------------------------


async def test_standing_breaches_are_paged(month: Bench) -> None:
    client, seen, after = month.http("supervisor"), [], ""
    while True:
        page = (await client.get(f"/v1/breaches?limit=2{after}")).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    standing = await month.rows("SELECT id FROM clocks WHERE breached_at IS NOT NULL")
    assert {clock["id"] for clock in seen} == {str(row["id"]) for row in standing}
    assert len(seen) == len(standing)
    assert [clock["breached_at"] for clock in seen] == sorted(
        clock["breached_at"] for clock in seen
    )
    of_unit = (await client.get("/v1/breaches?unit=HC")).json()["items"]
    assert {clock["unit"] for clock in of_unit} == {"HC"}


@pytest.mark.parametrize("cursor", ["x", "\x00", "20260309T100000.000000~", "~00"])
async def test_a_tampered_cursor_is_refused(tracker: Bench, cursor: str) -> None:
    answer = await tracker.http("desk").get("/v1/breaches", params={"after": cursor})
    assert (answer.status_code, slug(answer)) == (400, "bad-cursor")
