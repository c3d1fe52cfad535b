"""基层减负: a department's matter reaches no town without another person's word; all is counted (R-05)."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from services.dispatcher.settings import Settings
from shared.events import TicketSupplemented
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.catalogue import published, with_rule
from tests.fixtures.scenes.dispatcher import (
    APPROVED,
    APPROVER,
    COMPANY,
    NUMBER,
    STREET_LIGHT,
    company,
    let_lead,
    names,
    post,
    register,
    statuses,
    street_light,
)

ASSIGN = f"/v1/tickets/{NUMBER}/assign"
COUNTY = "ZFB"  # who supervises the towns (units.yaml, parent)
TO_TOWN: dict[str, Any] = {"lead": "HC", "reason": "属地管理"}


async def assign(bench: Bench, status: int = 200, **body: Any) -> Any:
    """The desk gives it to a town."""
    return await post(bench.http("desk"), ASSIGN, TO_TOWN | body, status)


async def burden(bench: Bench, role: str = "supervisor") -> list[Any]:
    """What towns were given and kept from this month."""
    answer = await bench.http(role).get("/v1/figures/burden")
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["towns"]
    return found


def copies(told: list[Any]) -> list[Any]:
    return [fact for fact in told if fact.name == "assignment.copied"]


# --- the guard ---------------------------------------------------------------------------------


async def test_a_departments_matter_goes_to_no_town_by_hand(dispatcher: Bench) -> None:
    """R-05 不得分派给基层: refused by the rule's name; who has it keeps it."""
    await register(dispatcher, company())
    refused = await assign(dispatcher, 409)
    assert refused["type"].endswith("not-for-towns")
    assert (refused["rule"], refused["field"]) == ("grassroots_guard", "lead")
    assert refused["allowed"] == ["approvals"]
    assert {status for _, _, status in await statuses(dispatcher)} == {"dispatched"}
    assert "assignment.cancelled" not in await names(dispatcher)


async def test_the_duty_list_is_that_of_the_catalogue_in_force(dispatcher: Bench) -> None:
    """R-05: what was published at the doors binds the desk's hand as it binds the rules."""
    await register(dispatcher)
    assert (await assign(dispatcher, 409))["rule"] == "grassroots_guard"
    draft = await with_rule(dispatcher, id="lights-of-towns", lead="{town}", grassroots=True)
    await published(dispatcher, draft)
    await assign(dispatcher)
    assert ("HC", 1, "dispatched") in await statuses(dispatcher)


async def test_nor_does_what_no_duty_list_names(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(topic="other.unclear"))
    assert (await assign(dispatcher, 409))["type"].endswith("not-for-towns")


async def test_a_co_handler_that_is_a_town_comes_to_lead_no_otherwise(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await post(
        dispatcher.http("desk"),
        f"/v1/tickets/{NUMBER}/co-handlers",
        {"unit": "HC", "reason": "协助核实"},
    )
    await assign(dispatcher, 409)


async def test_what_is_in_the_duty_list_takes_nobodys_approval(dispatcher: Bench) -> None:
    """集镇路灯 is the towns' own (catalogue.yaml, `grassroots`)."""
    await register(dispatcher, street_light(area="610924110"))
    answer = await assign(dispatcher, lead="HP")
    assert [each["approved"] for each in answer["assignments"] if each["unit"] == "HP"] == [None]


async def test_another_person_may_approve_it_and_that_stands_on_the_order(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, company())
    await let_lead(dispatcher, "HC")
    answer = await assign(dispatcher)
    (order,) = [each for each in answer["assignments"] if each["unit"] == "HC"]
    by, ground = f"supervisor:{APPROVER}", APPROVED
    assert order["approved"] == {"by": by, "ground": ground}
    (given,) = [
        fact for fact in await dispatcher.told("assignment.dispatched") if fact.unit == "HC"
    ]
    assert (given.data.approved_by, given.data.approval_ground) == (by, ground)


async def test_a_name_that_is_typed_is_no_approval(dispatcher: Bench) -> None:
    """ADR 0071: who approves has said so with a token of their own."""
    await register(dispatcher, company())
    typed = {"approved_by": f"supervisor:{APPROVER}", "approval_ground": APPROVED}
    assert (await assign(dispatcher, 422, **typed))["type"].endswith("malformed")


async def test_an_approved_town_goes_on_without_being_approved_again(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await let_lead(dispatcher, "HC")
    await assign(dispatcher)
    answer = await assign(dispatcher, co_handlers=["RSJ"], urgency="urgent")
    (order,) = [
        each
        for each in answer["assignments"]
        if each["unit"] == "HC" and each["status"] == "dispatched"
    ]
    assert order["approved"]["by"] == f"supervisor:{APPROVER}"


async def test_an_order_given_anew_for_its_urgency_keeps_the_approval(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    await let_lead(dispatcher, "HC")
    await assign(dispatcher)
    danger = TicketSupplemented(content="有人被困在店里，房子起火了")
    await dispatcher.hear(dispatcher.fact(danger, subject=NUMBER))
    given = [fact for fact in await dispatcher.told("assignment.dispatched") if fact.unit == "HC"]
    assert [fact.data.urgency for fact in given] == ["normal", "critical"]
    assert {fact.data.approved_by for fact in given} == {f"supervisor:{APPROVER}"}


# --- copied to who supervises the town ---------------------------------------------------------


@pytest.mark.parametrize("confidential", [False, True])
async def test_what_a_town_leads_is_copied_to_its_government(
    dispatcher: Bench, confidential: bool
) -> None:
    """R-04 同时送区人民政府督促协调; of a confidential matter without its title."""
    matter = street_light(area="610924110", confidential=confidential)
    given = await register(dispatcher, matter)
    (copy,) = copies(await dispatcher.told())
    assert (copy.unit, copy.data.lead, copy.assignment) == (COUNTY, "HC", given["HC"])
    assert copy.data.title == (None if confidential else "路灯不亮")
    assert "content" not in copy.data.model_dump()
    await dispatcher.run("number_feed")
    feed = (await dispatcher.http("unit", COUNTY).get(f"/v1/units/{COUNTY}/feed")).json()
    assert [item["fact"]["type"] for item in feed["items"]] == ["cn.jiesu.assignment.copied.v1"]


async def test_of_a_report_no_copy_is_told(dispatcher: Bench) -> None:
    """R-35: nobody hears of it but who handles it."""
    reported = {"units": (), "words": (), "nobody": True}
    given = await register(
        dispatcher, street_light(area="610924110", type="report", reported=reported)
    )
    assert list(given) == ["HC"]
    assert copies(await dispatcher.told()) == []


async def test_what_a_department_leads_is_copied_to_nobody(dispatcher: Bench) -> None:
    await register(dispatcher)
    assert copies(await dispatcher.told()) == []


async def test_nobody_hears_of_a_copy_who_must_stand_back(dispatcher: Bench) -> None:
    """R-35: the county government is what the complaint is about."""
    await register(dispatcher, street_light(area="610924110", reported={"units": [COUNTY]}))
    assert copies(await dispatcher.told()) == []


# --- counted -----------------------------------------------------------------------------------


async def test_the_burden_of_each_town_is_counted_by_month(dispatcher: Bench) -> None:
    """By rule and by hand, approved and blocked; a ticket counts once however often it was tried."""
    await register(dispatcher, street_light(area="610924110"), "20260302-000007")
    await register(dispatcher, company())
    await assign(dispatcher, 409)
    await assign(dispatcher, 409)
    await let_lead(dispatcher, "HC")
    await assign(dispatcher)
    (row,) = await burden(dispatcher)
    assert row == {
        **{"month": "2026-03", "unit": "HC", "name": "红椿镇", "by_rule": 1, "by_hand": 1},
        **{"approved": 1, "flagged": 0, "blocked_by_rule": 0, "blocked_by_hand": 1},
    }
    assert await burden(dispatcher, "desk") == [row]


@pytest.mark.parametrize(
    ("moment", "month"),
    [("2026-03-18T11:59+08:00", "2026-03"), ("2026-03-18T12:00+08:00", "2026-04")],
)
async def test_a_month_is_called_by_its_last_day(
    dispatcher: Bench, tmp_path: Path, moment: str, month: str
) -> None:
    """R-48: from the 19th to the 18th, from noon to noon."""
    county = copytree(CONFIG, tmp_path / "county")
    period = 'period: {start_day: 19, day_start: "12:00"}'
    edit(county / "place.yaml", "timezone: Asia", f"{period}\ntimezone: Asia")
    dispatcher.service.store.config = Settings(embedded=True, config_dir=county).load()
    dispatcher.at(moment)
    await register(dispatcher, street_light(area="610924110"), "20260302-000007")
    (row,) = await burden(dispatcher)
    assert (row["month"], row["by_rule"]) == (month, 1)


async def test_what_was_refused_is_counted_and_nothing_else_of_it_stands(dispatcher: Bench) -> None:
    await register(dispatcher)
    await assign(dispatcher, 409)
    (row,) = await dispatcher.rows("SELECT * FROM grassroots_checks")
    assert (row["unit"], row["way"], row["outcome"]) == ("HC", "hand", "blocked")
    assert row["actor"] == "desk:test"
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "dispatched")]


async def test_units_read_no_figures_of_towns(dispatcher: Bench) -> None:
    answer = await dispatcher.http("unit", COMPANY).get("/v1/figures/burden")
    assert answer.status_code == 403


async def test_a_period_that_ends_before_it_begins_is_refused(dispatcher: Bench) -> None:
    answer = await dispatcher.http("desk").get(
        "/v1/figures/burden", params={"from": "2026-03-02", "to": "2026-03-01"}
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "to")
