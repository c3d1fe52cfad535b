"""二次派单: a unit hands its order down to a unit of its own, which answers to it (R-13; ADR 0059)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.settings import Settings
from shared.events import TicketRegistered, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    act,
    ask_back,
    assignments,
    finish,
    let_lead,
    post,
    reach,
    register,
    rule,
    sign,
    statuses,
    street_light,
)
from tests.fixtures.scenes.worklist import by_its_lists, worklist

TOWN, VILLAGE, OTHER = "CG", "CGV", "HCV"
BELOW = """
  - {code: CGV, name: 试一村, kind: village, parent: CG, delivery: feed, liaison: 村委会主任}
  - {code: CGW, name: 试二社区, kind: village, parent: CG, delivery: feed, liaison: 社区主任}
  - {code: HCV, name: 试三村, kind: village, parent: HC, delivery: feed, liaison: 村委会主任}
"""


@pytest.fixture
def rural(dispatcher: Bench, tmp_path: Path) -> Bench:
    """A dispatcher in a county whose towns have villages."""
    folder = shutil.copytree(CONFIG, tmp_path / "county")
    with (folder / "units.yaml").open("a", encoding="utf-8") as file:
        file.write(BELOW)
    dispatcher.service.store.config = Settings(embedded=True, config_dir=folder).load()
    return dispatcher


@pytest.fixture
async def at_work(rural: Bench) -> Bench:
    """The town leads and has signed, the bureau helps."""
    await register(rural)
    await assign(rural)
    await sign(rural, TOWN, (await assignments(rural))[TOWN])
    return rural


async def assign(bench: Bench, **body: Any) -> Any:
    given = {"lead": TOWN, "co_handlers": ["GAJ"], "reason": "属地"} | body
    await let_lead(bench, given["lead"])
    return await post(bench.http("desk"), f"/v1/tickets/{NUMBER}/assign", given)


async def hand_down(
    bench: Bench, unit: str = VILLAGE, by: str = TOWN, status: int = 200, **said: Any
) -> Any:
    order = (await assignments(bench))[by]
    body = {"unit": unit, "reason": "请到现场查看"} | said
    return await act(bench, by, order, "hand-down", body, status)


async def take_back(bench: Bench, unit: str = VILLAGE, by: str = TOWN, status: int = 200) -> Any:
    order = (await assignments(bench))[by]
    return await act(
        bench, by, order, "take-back", {"unit": unit, "reason": "改为自行办理"}, status
    )


async def open_orders(bench: Bench) -> dict[str, str]:
    """The status of each unit's open order."""
    over = {"cancelled", "completed", "returned"}
    return {unit: status for unit, _, status in await statuses(bench) if status not in over}


def slug(answer: Any) -> str:
    return str(answer["type"]).rpartition("/")[2]


# --- handed down -------------------------------------------------------------------------------


async def test_the_one_below_gets_an_order_of_its_own(at_work: Bench) -> None:
    before = await at_work.rows("SELECT * FROM assignments ORDER BY id")
    given = await hand_down(at_work)
    assert (given["unit"], given["role"], given["handed_by"]) == (VILLAGE, "co", TOWN)
    assert (given["status"], given["reason"]) == ("dispatched", "请到现场查看")
    after = await at_work.rows("SELECT * FROM assignments ORDER BY id")
    assert after[:-1] == before
    told = (await at_work.told("assignment.dispatched"))[-1]
    assert (told.unit, told.data.handed_by, told.data.lead) == (VILLAGE, TOWN, TOWN)


async def test_a_unit_s_worklist_counts_what_it_handed_down(at_work: Bench) -> None:
    await hand_down(at_work)
    said = await worklist(at_work, "unit", TOWN)
    assert said == await by_its_lists(at_work, "unit", TOWN)
    assert (said["handed_down"][0], said["co_handling"][0]) == (1, 0)
    below = await worklist(at_work, "unit", VILLAGE)
    assert (below["handed_down"][0], below["co_handling"][0]) == (0, 1)


async def test_once_more_changes_nothing(at_work: Bench) -> None:
    given, told = await hand_down(at_work), len(await at_work.told())
    assert await hand_down(at_work) == given
    assert len(await at_work.told()) == told


async def test_the_one_below_does_the_same_acts_and_who_handed_it_down_answers_last(
    at_work: Bench,
) -> None:
    """R-13: who was first in charge stays so, and answers."""
    await hand_down(at_work)
    given = await assignments(at_work)
    await finish(at_work, "GAJ", given["GAJ"])
    await reach(at_work, TOWN, given[TOWN])
    early = await act(at_work, TOWN, given[TOWN], "completion", DONE, 409)
    assert (slug(early), early["units"]) == ("co-handlers-open", [VILLAGE])
    await finish(at_work, VILLAGE, given[VILLAGE])
    await act(at_work, TOWN, given[TOWN], "completion", DONE)
    [resolved] = await at_work.told("ticket.resolved")
    assert resolved.data.units == (TOWN, "GAJ", VILLAGE)


async def test_what_a_co_handler_handed_down_answers_to_it_and_not_to_the_lead(
    at_work: Bench,
) -> None:
    """局→所: the lead waits for the bureau, the bureau for its brigade."""
    given = await assignments(at_work)
    await sign(at_work, "GAJ", given["GAJ"])
    await hand_down(at_work, "JJDD", by="GAJ")
    given = await assignments(at_work)
    waiting = await act(at_work, "GAJ", given["GAJ"], "completion", DONE, 409)
    assert waiting["units"] == ["JJDD"]
    await reach(at_work, TOWN, given[TOWN])
    waiting = await act(at_work, TOWN, given[TOWN], "completion", DONE, 409)
    assert waiting["units"] == ["GAJ"]
    await finish(at_work, "JJDD", given["JJDD"])
    await act(at_work, "GAJ", given["GAJ"], "completion", DONE)
    await act(at_work, TOWN, given[TOWN], "completion", DONE)


async def test_a_silent_one_below_is_pressed_and_after_its_limit_done_without(
    at_work: Bench,
) -> None:
    await hand_down(at_work)
    given = await assignments(at_work)
    note = {"unit": VILLAGE, "note": "请今日回复"}
    await act(at_work, TOWN, given[TOWN], "press", note)
    assert (await at_work.told("assignment.updated"))[-1].unit == VILLAGE
    await finish(at_work, "GAJ", given["GAJ"])
    await reach(at_work, TOWN, given[TOWN])
    early = await act(at_work, TOWN, given[TOWN], "completion", DONE | {"without": [VILLAGE]}, 409)
    assert slug(early) == "co-handler-in-time"
    at_work.at("2026-04-12T10:00+08:00")
    await act(at_work, TOWN, given[TOWN], "completion", DONE | {"without": [VILLAGE]})
    assert await open_orders(at_work) == {}


async def test_who_hands_nothing_down_presses_nobody(at_work: Bench) -> None:
    given = await assignments(at_work)
    await sign(at_work, "GAJ", given["GAJ"])
    note = {"unit": TOWN, "note": "请今日回复"}
    assert slug(await act(at_work, "GAJ", given["GAJ"], "press", note, 409)) == "move-refused"


# --- to whom, and of what ------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [OTHER, "HC", "GAJ", "ZFB", TOWN])
async def test_only_to_units_of_ones_own(at_work: Bench, unit: str) -> None:
    answer = await hand_down(at_work, unit, status=422)
    assert (slug(answer), answer["allowed"]) == ("not-below", [VILLAGE, "CGW"])


async def test_no_office_goes_round_the_desk(rural: Bench) -> None:
    """GB66-5: what is a town's duty the catalogue says, not whoever is above it."""
    await register(rural)
    await assign(rural, lead="ZFB", co_handlers=[])
    await sign(rural, "ZFB", (await assignments(rural))["ZFB"])
    answer = await hand_down(rural, TOWN, by="ZFB", status=422)
    assert (slug(answer), answer["allowed"]) == ("not-below", [])


async def test_an_order_nobody_signed_is_not_handed_down(rural: Bench) -> None:
    await register(rural)
    await assign(rural)
    assert slug(await hand_down(rural, status=409)) == "move-refused"


async def test_nobody_hands_another_units_order_down(at_work: Bench) -> None:
    order, body = (await assignments(at_work))[TOWN], {"unit": VILLAGE, "reason": "请查看"}
    await act(at_work, "GAJ", order, "hand-down", body, 404)
    await hand_down(at_work)
    below = (await assignments(at_work))[VILLAGE]
    await act(at_work, TOWN, below, "sign", {"handler": "张三"}, 404)


@pytest.mark.parametrize(
    "given",
    [{"confidential": True}, {"type": "report", "topic": "conduct.banquet", "content": "举报"}],
)
async def test_what_is_kept_from_more_eyes_is_the_desks_to_give(
    rural: Bench, given: dict[str, Any]
) -> None:
    """JN-32: the desk has decided who knows of it."""
    await register(rural, street_light(**given))
    await assign(rural, co_handlers=[])
    await sign(rural, TOWN, (await assignments(rural))[TOWN])
    assert slug(await hand_down(rural, status=409)) == "not-handed-down"
    assert await open_orders(rural) == {TOWN: "signed"}


async def test_a_village_that_is_complained_of_and_its_town_stand_back(rural: Bench) -> None:
    """R-35: mutual; the other village is no kin of it."""
    recused = rural.service.store.config.dispatching.recused
    against_village = street_light(reported_unit=VILLAGE)
    against_town = street_light(reported_unit=TOWN)
    assert recused(against_village) == {VILLAGE, TOWN}
    assert recused(against_town) == {TOWN, "ZFB", VILLAGE, "CGW"}
    await register(rural, against_village)
    for unit in (VILLAGE, TOWN):
        body = {"lead": unit, "reason": "属地"}
        refused = await post(rural.http("desk"), f"/v1/tickets/{NUMBER}/assign", body, 409)
        assert slug(refused) == "recused"


async def test_whom_the_desk_has_named_itself_is_left_alone(at_work: Bench) -> None:
    body = {"unit": VILLAGE, "reason": "属地村"}
    await post(at_work.http("desk"), f"/v1/tickets/{NUMBER}/co-handlers", body)
    assert slug(await hand_down(at_work, status=409)) == "works-already"


async def test_whose_return_was_granted_gets_it_from_nobody_but_the_desk(at_work: Bench) -> None:
    await sign(at_work, "GAJ", (await assignments(at_work))["GAJ"])
    body = {"unit": "JJDD", "reason": "交通"}
    await post(at_work.http("desk"), f"/v1/tickets/{NUMBER}/co-handlers", body)
    order = (await assignments(at_work))["JJDD"]
    await ask_back(at_work, "JJDD", order)
    await rule(at_work, order, granted=True)
    assert slug(await hand_down(at_work, "JJDD", by="GAJ", status=409)) == "return-granted"


# --- back ----------------------------------------------------------------------------------------


async def test_it_is_taken_back_and_the_one_below_hears_why(at_work: Bench) -> None:
    await hand_down(at_work)
    taken = await take_back(at_work)
    assert (taken["unit"], taken["status"]) == (VILLAGE, "cancelled")
    ended = (await at_work.told("assignment.cancelled"))[-1]
    assert (ended.unit, "改为自行办理" in (ended.data.why or "")) == (VILLAGE, True)
    assert await open_orders(at_work) == {TOWN: "signed", "GAJ": "dispatched"}
    assert slug(await take_back(at_work, status=422)) == "unknown-code"
    assert (await hand_down(at_work))["status"] == "dispatched"


async def test_the_one_below_is_told_whom_to_ask(at_work: Bench) -> None:
    await hand_down(at_work)
    refused = await ask_back(at_work, VILLAGE, (await assignments(at_work))[VILLAGE], 409)
    assert (slug(refused), refused["unit"]) == ("handed-down", TOWN)


async def test_the_desk_may_free_it_too(at_work: Bench) -> None:
    order = (await hand_down(at_work))["id"]
    path = f"/v1/assignments/{order}/release"
    await post(at_work.http("desk"), path, {"reason": "不涉及"})
    assert VILLAGE not in await open_orders(at_work)


# --- who goes, who stays -------------------------------------------------------------------------


async def test_it_goes_with_the_order_it_is_part_of(at_work: Bench) -> None:
    await sign(at_work, "GAJ", (await assignments(at_work))["GAJ"])
    await hand_down(at_work, "JJDD", by="GAJ")
    await hand_down(at_work)
    await assign(at_work, lead="HC")
    assert await open_orders(at_work) == {"GAJ": "signed", "JJDD": "dispatched", "HC": "dispatched"}
    order = (await assignments(at_work))["GAJ"]
    await ask_back(at_work, "GAJ", order)
    await rule(at_work, order, granted=True)
    assert await open_orders(at_work) == {"HC": "dispatched"}


async def test_it_stays_with_the_unit_that_stays_in_whatever_role(at_work: Bench) -> None:
    """Who stays keeps its order; also more urgent, and under another lead (ADR 0049)."""
    below = (await hand_down(at_work))["id"]
    await assign(at_work, urgency=Urgency.URGENT)
    await assign(at_work, lead="HC", co_handlers=[TOWN])
    assert await open_orders(at_work) == {
        VILLAGE: "dispatched", TOWN: "signed", "HC": "dispatched"
    }  # fmt: skip
    [row] = await at_work.rows("SELECT urgency FROM assignments WHERE id = :id", id=below)
    assert row["urgency"] == "urgent"
    given = await assignments(at_work)
    waiting = await act(at_work, TOWN, given[TOWN], "completion", DONE, 409)
    assert waiting["units"] == [VILLAGE]


async def test_whom_the_desk_names_itself_answers_to_the_lead(at_work: Bench) -> None:
    below = (await hand_down(at_work))["id"]
    await assign(at_work, lead="HC", co_handlers=[VILLAGE])
    seen = await at_work.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")
    [order] = [each for each in seen.json()["assignments"] if each["id"] == below]
    assert (order["status"], order["handed_by"]) == ("dispatched", None)


async def test_what_an_older_replica_left_below_answers_to_the_lead(at_work: Bench) -> None:
    """It takes a co-handler's order away and knows of none that was part of it."""
    await sign(at_work, "GAJ", (await assignments(at_work))["GAJ"])
    below = (await hand_down(at_work, "JJDD", by="GAJ"))["id"]
    await at_work.do("UPDATE assignments SET status = 'cancelled' WHERE unit = 'GAJ'")
    given = await assignments(at_work)
    await reach(at_work, TOWN, given[TOWN])
    waiting = await act(at_work, TOWN, given[TOWN], "completion", DONE, 409)
    assert waiting["units"] == ["JJDD"]
    await ask_back(at_work, "JJDD", given["JJDD"])  # nobody else is there to ask
    path = f"/v1/assignments/{below}/release"
    await post(at_work.http("desk"), path, {"reason": "不涉及"})
    await act(at_work, TOWN, given[TOWN], "completion", DONE)


# --- what is read --------------------------------------------------------------------------------


async def test_a_unit_lists_what_it_handed_down_and_reads_how_far_it_is(at_work: Bench) -> None:
    await sign(at_work, "GAJ", (await assignments(at_work))["GAJ"])
    await hand_down(at_work, "JJDD", by="GAJ")
    await hand_down(at_work)

    async def listed(unit: str, **query: Any) -> list[str]:
        path = f"/v1/units/{unit}/orders"
        answer = await at_work.http("unit", unit).get(path, params=query)
        assert answer.json()["counts"]["total"] == len(answer.json()["items"])
        return [each["unit"] for each in answer.json()["items"]]

    assert await listed(TOWN) == [TOWN]
    assert await listed(TOWN, handed_down=True) == [VILLAGE]
    assert await listed("GAJ", handed_down=True) == ["JJDD"]
    assert await listed(VILLAGE, handed_down=True) == []
    seen = await at_work.http("unit", "GAJ").get(f"/v1/tickets/{NUMBER}/assignments")
    assert [each["unit"] for each in seen.json()["assignments"]] == ["GAJ", "JJDD"]
    seen = await at_work.http("unit", VILLAGE).get(f"/v1/tickets/{NUMBER}/assignments")
    assert [each["unit"] for each in seen.json()["assignments"]] == [VILLAGE]


def test_no_rule_gives_a_village_what_is_no_grass_roots_duty(rural: Bench) -> None:
    """R-05, GB66-5: as of a town; the catalogue has to say so."""
    dispatching = rural.service.store.config.dispatching
    matter: TicketRegistered = street_light()
    ruled = dispatching.matcher.first(matter, "", [], None)
    assert ruled is not None
    to_village = ruled.model_copy(update={"lead": VILLAGE, "grassroots": False})
    assert dispatching._guard(to_village, matter, VILLAGE, ()) is not None
    to_village = ruled.model_copy(update={"lead": VILLAGE, "grassroots": True})
    assert dispatching._guard(to_village, matter, VILLAGE, ()) is None


# --- contacts ----------------------------------------------------------------------------------


async def test_a_contact_from_below_is_one_for_who_handed_it_down(at_work: Bench) -> None:
    """R-12, ADR 0059: the village rang the citizen, so the town need not; its clock is met by it, too.
    A co-handler the desk named is another office, and rings for itself only.
    """
    await hand_down(at_work)
    given = await assignments(at_work)
    await finish(at_work, "GAJ", given["GAJ"])
    early = await act(at_work, TOWN, given[TOWN], "completion", DONE, 409)
    assert slug(early) == "citizen-not-contacted"
    await finish(at_work, VILLAGE, given[VILLAGE])
    told = [(fact.unit, fact.assignment) for fact in await at_work.told("assignment.contacted")]
    assert told[-2:] == [(VILLAGE, given[VILLAGE]), (TOWN, given[TOWN])]
    assert (await open_orders(at_work))[TOWN] == "contacted"
    done = await act(at_work, TOWN, given[TOWN], "completion", DONE)
    assert (done["attempts"], done["completion"]["contacted"]) == (1, True)
    assert done["completion"]["contact_time"]


async def test_a_wrong_number_below_is_an_attempt_that_moves_nobody(at_work: Bench) -> None:
    await hand_down(at_work)
    given = await assignments(at_work)
    await sign(at_work, VILLAGE, given[VILLAGE])
    wrong = {"how": "phone", "outcome": "wrong_number"}
    await act(at_work, VILLAGE, given[VILLAGE], "contacts", wrong)
    rows = await at_work.rows("SELECT status, attempts FROM assignments WHERE unit = 'CG'")
    assert [tuple(row.values()) for row in map(dict, rows)] == [("signed", 1)]
