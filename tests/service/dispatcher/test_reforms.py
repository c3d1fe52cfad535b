"""机构改革 at the dispatcher: a unit is no more, and nothing it had is lost (ADR 0056)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.errors import ConfigError
from shared.jurisdiction.codes import Units
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import post, register, statuses, street_light
from tests.fixtures.scenes.reform import (
    BASIS,
    NEW,
    OLD,
    approve,
    followed,
    merge,
    one,
    propose,
    reform,
    slug,
    take_up,
)

FIRST, SECOND, THIRD = (f"20260302-00000{n}" for n in (1, 2, 3))
WHY = {"reason": "批文有误"}


# --- decided by two persons --------------------------------------------------------------------


async def test_who_proposed_a_reform_does_not_approve_it(to_be_merged: Bench) -> None:
    given = (await register(to_be_merged))[OLD]
    proposed = await propose(to_be_merged, OLD, into=NEW)
    assert (proposed["status"], proposed["left"]) == ("proposed", [{"unit": NEW, "orders": 1}])
    assert slug(await approve(to_be_merged, proposed["id"], 403, name="li")) == "own-reform"
    await to_be_merged.run("carry_out_reforms")
    assert (await one(to_be_merged))["unit"] == OLD
    await approve(to_be_merged, proposed["id"])
    await to_be_merged.run("carry_out_reforms")
    assert ((await one(to_be_merged))["unit"], (await one(to_be_merged))["id"]) == (NEW, given)


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("name", ["li", "wang"])
async def test_a_reform_offers_its_reader_what_that_one_may(
    to_be_merged: Bench, tmp_path: Path, name: str, follows: bool
) -> None:
    """ADR 0078: not what they proposed themselves, nor what units.yaml does not say any more."""
    proposed = await propose(to_be_merged, OLD, into=NEW)
    assert proposed["allowed"] == ["withdraw"]
    if not follows:
        take_up(followed(tmp_path / "changed"), to_be_merged)
    path, client = f"/v1/reforms/{proposed['id']}", to_be_merged.http("desk", name=name)
    allowed = (await client.get(path)).json()["allowed"]
    approved = await client.post(f"{path}/approval", json={})
    assert approved.is_success is ("approve" in allowed) is (follows and name == "wang")
    assert "withdraw" in allowed


async def test_nothing_moves_before_its_moment_and_a_withdrawn_one_never_does(
    to_be_merged: Bench,
) -> None:
    await register(to_be_merged)
    proposed = await propose(to_be_merged, OLD, into=NEW, effective="2026-03-10")
    await approve(to_be_merged, proposed["id"])
    to_be_merged.at("2026-03-09T23:59:59+08:00")
    await to_be_merged.run("carry_out_reforms")
    assert (await one(to_be_merged))["unit"] == OLD
    path = f"/v1/reforms/{proposed['id']}/withdrawal"
    assert (await post(to_be_merged.http("desk"), path, WHY))["status"] == "withdrawn"
    to_be_merged.at("2026-03-10T00:00:00+08:00")
    await to_be_merged.run("carry_out_reforms")
    assert (await one(to_be_merged))["unit"] == OLD
    again = await propose(to_be_merged, OLD, into=NEW, effective="2026-03-10")
    await approve(to_be_merged, again["id"])
    await to_be_merged.run("carry_out_reforms")
    [told] = await to_be_merged.told("unit.reformed")
    assert (told.unit, told.time) == (OLD, to_be_merged.at("2026-03-10T00:00:00+08:00"))
    assert told.data.successors == (NEW,)
    refused = await post(
        to_be_merged.http("desk"), f"/v1/reforms/{again['id']}/withdrawal", WHY, 409
    )
    assert slug(refused) == "move-refused"


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"into": "NOBODY"}, 422, "unknown-code"),
    ({"into": OLD}, 409, "reform-circle"),
    ({"into": "CG"}, 409, "reform-not-in-units"),
    ({"into": NEW, "effective": "2026-03-01"}, 422, "malformed"),
    ({"into": NEW, "remainder": "CG"}, 422, "malformed"),
    ({"kind": "split", "parts": [{"unit": NEW, "topics": ["lighting"]}]}, 422, "reform-without-remainder"),
    ({"kind": "split", "parts": [{"unit": NEW}], "remainder": "CG"}, 422, "malformed"),
    ({"kind": "split", "parts": [{"unit": NEW, "topics": ["x"]}], "remainder": "CG"}, 422, "unknown-code"),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "status", "why"), BAD)
async def test_a_plan_that_cannot_be_is_refused_with_one_sentence(
    to_be_merged: Bench, plan: dict[str, Any], status: int, why: str
) -> None:
    answer = await propose(to_be_merged, OLD, status, **plan)
    assert slug(answer) == why
    assert "\n" not in answer["detail"]


async def test_a_circle_is_refused_by_the_reforms_that_stand(to_be_merged: Bench) -> None:
    await propose(to_be_merged, OLD, into=NEW)
    assert slug(await propose(to_be_merged, OLD, 409, into=NEW)) == "reform-pending"
    assert slug(await propose(to_be_merged, NEW, 409, into=OLD)) == "reform-circle"


async def test_nobody_follows_into_a_unit_that_is_no_more(
    to_be_merged: Bench, tmp_path: Path
) -> None:
    await merge(to_be_merged)
    take_up(followed(tmp_path / "again", **{OLD: [NEW], "CG": [OLD]}), to_be_merged)
    answer = await propose(to_be_merged, "CG", 409, into=OLD)
    assert (slug(answer), answer["successors"]) == ("unit-dissolved", [NEW])
    assert slug(await propose(to_be_merged, OLD, 409, into=NEW)) == "unit-dissolved"


# --- a split -----------------------------------------------------------------------------------

PARTS = [{"unit": NEW, "topics": ["lighting"]}, {"unit": "GT", "areas": ["610924111"]}]


@pytest.fixture
async def split(dispatcher: Bench, tmp_path: Path) -> Bench:
    """The street lights' unit, with a lamp of the town, a lamp of Gaotan and a garden, split by topic and
    area.
    """
    await register(dispatcher, number=FIRST)
    await register(dispatcher, street_light(area="610924111"), SECOND)
    await register(dispatcher, street_light(topic="sanitation.refuse"), THIRD)
    for number in (SECOND, THIRD):
        body = {"lead": OLD, "reason": "按职责"}
        await post(dispatcher.http("desk"), f"/v1/tickets/{number}/assign", body)
    take_up(followed(tmp_path, **{OLD: [NEW, "GT", "CG"]}), dispatcher)
    await reform(dispatcher, OLD, kind="split", parts=PARTS, remainder="CG")
    return dispatcher


async def test_a_split_gives_each_its_part_and_asks_where_two_claim_it(split: Bench) -> None:
    assert (await statuses(split, FIRST))[-1] == (NEW, 1, "dispatched")
    assert (await statuses(split, THIRD))[-1] == ("CG", 1, "dispatched")
    assert (await statuses(split, SECOND))[-1] == (OLD, 1, "cancelled")
    [waiting] = (await split.http("desk").get("/v1/unassigned")).json()["items"]
    assert waiting["number"] == SECOND


async def test_as_whom_a_split_units_token_acts_nobody_can_say(split: Bench) -> None:
    answer = await split.http("unit", OLD).get(f"/v1/units/{OLD}/feed")
    assert answer.status_code == 403
    assert answer.json()["allowed"] == [NEW, "GT", "CG"]
    body = {"lead": OLD, "reason": "按职责"}
    refused = await post(split.http("desk"), f"/v1/tickets/{SECOND}/assign", body, 422)
    assert (slug(refused), refused["allowed"]) == ("unit-split", [NEW, "GT", "CG"])


# --- units.yaml --------------------------------------------------------------------------------


async def test_a_unit_with_open_orders_is_not_deleted(dispatcher: Bench) -> None:
    await register(dispatcher)
    units = dispatcher.service.store.config.units
    left = [unit for unit in units.units if unit.code != OLD]
    config = dispatcher.service.store.config
    object.__setattr__(config, "units", Units(units=tuple(left)))
    with pytest.raises(ConfigError, match=f"{OLD} 尚有 1 件在办"):
        await dispatcher.service.check(config)


async def test_one_that_names_its_successors_is(to_be_merged: Bench) -> None:
    await register(to_be_merged)
    await to_be_merged.service.check(to_be_merged.service.store.config)


async def test_the_basis_and_both_persons_stay_on_record(to_be_merged: Bench) -> None:
    done = await merge(to_be_merged)
    [listed] = (await to_be_merged.http("supervisor").get("/v1/reforms")).json()["items"]
    assert listed["id"] == done["id"]
    assert (listed["reason"], listed["proposed_by"]) == (BASIS, "supervisor:li")
    assert (listed["approved_by"], listed["unit_name"]) == ("desk:wang", "城市管理执法局")
