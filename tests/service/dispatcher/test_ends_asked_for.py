"""申请终止办理、非本单位职责: nothing ends by a unit's own word but an answer (R-15, R-20, WF-21)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.dispatcher.completion import auditing
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    company,
    let_lead,
    names,
    post,
    reach,
    register,
    rule,
    sign,
    statuses,
)

END = DONE | {
    "kind": "terminated",
    "solved": False,
    "unsolved_reason_code": "citizen_declines",
    "internal_result": "诉求人三次拒绝告知地点",
    "public_answer": "因未能取得具体位置，本次终止办理",
}
DISOWN = DONE | {
    "kind": "not_our_duty_confirmed",
    "solved": False,
    "unsolved_reason": "属城管",
    "public_answer": "该路灯由城管局管护",
}
for form in (END, DISOWN):
    form.pop("result", None)
DISOWN["internal_result"] = "依据三定方案属城管局"


async def asked(bench: Bench, body: dict[str, Any] = END) -> UUID:
    """A unit at work asks to end the matter."""
    given = (await register(bench))[STREET_LIGHT]
    await sign(bench, STREET_LIGHT, given)
    await reach(bench, STREET_LIGHT, given)
    await act(bench, STREET_LIGHT, given, "completion", body)
    return given


async def ruling(bench: Bench, given: UUID, granted: bool, status: int = 200, **body: Any) -> Any:
    path = f"/v1/assignments/{given}/completion-ruling"
    said = {"granted": granted, "ruling": "情况属实" if granted else "应继续办理"} | body
    return await post(bench.http("desk"), path, said, status)


async def listed(bench: Bench) -> Any:
    return (await bench.http("desk").get("/v1/completion-requests")).json()


@pytest.mark.parametrize("body", [END, DISOWN])
async def test_a_unit_asks_and_goes_on_until_the_desk_rules(
    dispatcher: Bench, body: dict[str, Any]
) -> None:
    """R-20: in writing, decided by the hotline; the answer of the door says that it waits."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    answer = await act(dispatcher, STREET_LIGHT, given, "completion", body)
    assert (answer["status"], answer["completion"]) == ("contacted", None)
    assert (answer["pending"]["what"], answer["pending"]["kind"]) == ("request", body["kind"])
    told = await names(dispatcher)
    assert (told[-1], "assignment.completed" in told) == ("assignment.end_requested", False)
    [item] = (page := await listed(dispatcher))["items"]
    assert (item["number"], item["kind"], page["counts"]["total"]) == (NUMBER, body["kind"], 1)
    assert item["form"]["public_answer"] == body["public_answer"]
    twice = await act(dispatcher, STREET_LIGHT, given, "completion", body, 409)
    assert twice["type"].endswith("request-pending")
    noted = await act(dispatcher, STREET_LIGHT, given, "progress", {"note": "继续核实"})
    assert noted["pending"]["what"] == "request"


async def test_a_grant_ends_it_and_the_citizen_is_told_why(dispatcher: Bench) -> None:
    """R-20: and is called back as of any other answer."""
    given = await asked(dispatcher)
    answer = await ruling(dispatcher, given, granted=True)
    assert (answer["status"], answer["pending"]) == ("completed", None)
    said = await names(dispatcher)
    assert said[-3:] == ["assignment.end_granted", "assignment.completed", "ticket.resolved"]
    [told] = await dispatcher.told("ticket.resolved")
    assert (told.data.kind, told.data.public_answer) == ("terminated", END["public_answer"])


async def test_the_desk_may_say_it_in_its_own_words(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    await ruling(dispatcher, given, granted=True, public_answer="路灯位置不明，暂停办理")
    [told] = await dispatcher.told("ticket.resolved")
    assert told.data.public_answer == "路灯位置不明，暂停办理"


async def test_what_is_another_units_duty_is_the_desks_again(dispatcher: Bench) -> None:
    """R-15: as a granted return is, on record as one, and by hand it does not go back there."""
    given = await asked(dispatcher, DISOWN)
    answer = await ruling(dispatcher, given, granted=True, named_unit="HC")
    assert answer["status"] == "returned"
    assert "ticket.resolved" not in await names(dispatcher)
    [waiting] = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert (waiting["number"], waiting["suggested_unit"]) == (NUMBER, "HC")
    body = {"lead": STREET_LIGHT, "reason": "退回"}
    again = await dispatcher.http("desk").post(f"/v1/tickets/{NUMBER}/assign", json=body)
    assert again.json()["type"].endswith("return-granted")


async def test_what_is_nobodys_duty_is_explained_to_the_citizen(dispatcher: Bench) -> None:
    given = await asked(dispatcher, DISOWN)
    await ruling(dispatcher, given, granted=True, outcome="resolved")
    [told] = await dispatcher.told("ticket.resolved")
    assert told.data.kind == "not_our_duty_confirmed"


async def test_only_what_is_not_ones_duty_can_be_given_back(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    await ruling(dispatcher, given, granted=True, status=422, outcome="returned")


async def test_a_refused_unit_goes_on_and_does_not_ask_so_again(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    answer = await ruling(dispatcher, given, granted=False)
    assert (answer["status"], answer["pending"]) == ("contacted", None)
    [told] = await dispatcher.told("assignment.end_refused")
    assert (told.unit, told.data.silent) == (STREET_LIGHT, False)
    again = await act(dispatcher, STREET_LIGHT, given, "completion", END, 409)
    assert again["type"].endswith("request-refused")
    done = await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    assert done["status"] == "completed"
    late = await ruling(dispatcher, given, granted=True, status=409)
    assert late["type"].endswith("no-request-pending")


async def test_nothing_ends_by_silence(dispatcher: Bench) -> None:
    """R-20: not to the citizen's harm; the unit may ask once more, for nobody has ruled."""
    given = await asked(dispatcher)
    [row] = await dispatcher.rows("SELECT due FROM completion_forms")
    dispatcher.at((row["due"] + auditing.MOMENT).isoformat())
    async with dispatcher.service.store.act("service:dispatcher") as tick:
        assert await auditing.decide_undecided(tick, 100) == 1
    [told] = await dispatcher.told("assignment.end_refused")
    assert told.data.silent
    assert (await listed(dispatcher))["items"] == []
    asks = await act(dispatcher, STREET_LIGHT, given, "completion", END)
    assert asks["pending"]["what"] == "request"


async def test_a_unit_takes_its_request_back(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    reason = {"reason": "诉求人已告知地点"}
    back = await act(dispatcher, STREET_LIGHT, given, "completion-withdrawal", reason)
    assert (back["status"], back["pending"]) == ("contacted", None)
    assert (await names(dispatcher))[-1] == "assignment.end_withdrawn"
    assert (await listed(dispatcher))["items"] == []
    await act(dispatcher, STREET_LIGHT, given, "completion-withdrawal", reason, 409)


async def test_an_answer_overtakes_the_request(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    done = await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    assert (done["status"], done["pending"]) == ("completed", None)
    assert "assignment.end_withdrawn" in await names(dispatcher)
    outcomes = await dispatcher.rows("SELECT outcome FROM completion_forms ORDER BY id")
    assert [row["outcome"] for row in outcomes] == ["overtaken", "passed"]


async def test_a_ruling_on_a_return_holds_for_this_form_too(dispatcher: Bench) -> None:
    """R-16: whom a ruling named does not get rid of the ticket by another door."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=False)
    await sign(dispatcher, STREET_LIGHT, given)
    barred = await act(dispatcher, STREET_LIGHT, given, "completion", DISOWN, 409)
    assert barred["type"].endswith("return-after-ruling")
    [noted] = await dispatcher.told("assignment.return_barred")
    assert noted.data.way == "completion"


async def test_a_lead_asks_whatever_its_co_handlers_do(dispatcher: Bench) -> None:
    """Granted, they need not go on either."""
    given = await register(dispatcher, company())
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reach(dispatcher, COMPANY, given[COMPANY])
    await act(dispatcher, COMPANY, given[COMPANY], "completion", END)
    await ruling(dispatcher, given[COMPANY], granted=True)
    assert {(unit, 1, "cancelled") for unit in COMPANY_CO} < set(await statuses(dispatcher))


async def test_a_co_handler_asks_for_itself(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await sign(dispatcher, "RSJ", given["RSJ"])
    await act(dispatcher, "RSJ", given["RSJ"], "completion", DISOWN)
    await ruling(dispatcher, given["RSJ"], granted=True)
    assert ("RSJ", 1, "returned") in await statuses(dispatcher)
    assert (COMPANY, 1, "dispatched") in await statuses(dispatcher)


async def test_the_form_knows_its_contact_and_its_reason(dispatcher: Bench) -> None:
    """R-21: which recorded contact, its number masked; a code with words from the table."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    form = DONE | {"kind": "explained", "solved": False, "contact_number": "138 0000 1178"}
    wrong = form | {"unsolved_reason_code": "because"}
    refused = await act(dispatcher, STREET_LIGHT, given, "completion", wrong, 422)
    assert (refused["field"], "no_means" in refused["allowed"]) == ("unsolved_reason_code", True)
    form["unsolved_reason_code"] = "no_means"
    unmade = form | {"contact_time": "2026-03-01T00:00:00+08:00"}
    never = await act(dispatcher, STREET_LIGHT, given, "completion", unmade, 409)
    assert never["type"].endswith("contact-not-on-record")
    done = (await act(dispatcher, STREET_LIGHT, given, "completion", form))["completion"]
    assert done["contact_number"] == "*********78"
    assert done["contact_time"].startswith("2026-03-02T")
    told = (await dispatcher.told("assignment.completed"))[-1]
    assert "78" not in (told.data.model_dump_json().replace(str(told.data.audit), ""))


async def test_one_of_the_two_names_of_the_internal_result_is_needed(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    form = {key: value for key, value in DONE.items() if key != "result"}
    await act(dispatcher, STREET_LIGHT, given, "completion", form, 422)
    both = form | {"result": "甲", "internal_result": "乙"}
    await act(dispatcher, STREET_LIGHT, given, "completion", both, 422)
    new = form | {"internal_result": "已更换灯具"}
    done = (await act(dispatcher, STREET_LIGHT, given, "completion", new))["completion"]
    assert (done["result"], done["internal_result"]) == ("已更换灯具", "已更换灯具")


async def test_given_to_another_the_request_falls_away(dispatcher: Bench) -> None:
    given = await asked(dispatcher)
    body = {"lead": "HC", "reason": "改派"}
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert (await listed(dispatcher))["items"] == []
    await ruling(dispatcher, given, granted=True, status=409)
    assert "HC" in await assignments(dispatcher)
