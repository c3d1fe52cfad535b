"""保密 Reading a confidential contact: a unit asks, a custodian lets it for a time (R-35, R-36)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from operations.runtime.registry import part
from services.intake import readlog
from tests.fixtures.bench import Bench
from tests.fixtures.neighbours import neighbours_of, off_duty, on_duty
from tests.fixtures.scenes.intake import CALLER, life, post, read, registered, rows

WHY = {"reason": "王小明13909150001反映的，须上门核实"}
GRANT = {"granted": True, "hours": 24, "reason": "承办所需，准予查阅"}
DENY = {"granted": False, "reason": "可先书面核实"}
UNIT = "GSGS"


async def confidential(intake: Bench, **changes: Any) -> tuple[str, UUID]:
    """A report that a unit handles."""
    number: str = (await registered(intake, **({"type": "report"} | changes)))["number"]
    return number, on_duty(intake, number, UNIT)


async def ask(intake: Bench, number: str, unit: str = UNIT) -> Any:
    """The unit asks to read the contact."""
    return await intake.http("unit", unit).post(f"/v1/tickets/{number}/contact-requests", json=WHY)


async def rule(intake: Bench, request: str, ruling: dict[str, Any]) -> Any:
    """The custodian rules."""
    path = f"/v1/contact-requests/{request}/ruling"
    return await intake.http("custodian", name="shen").post(path, json=ruling)


async def listed(intake: Bench, role: str, unit: str | None = None, **query: str) -> list[Any]:
    """The list as somebody sees it."""
    answer = await intake.http(role, unit).get("/v1/contact-requests", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_confidential_contact_is_read_by_two(intake: Bench) -> None:
    """R-35, R-36; gain 5: a reason and a second person."""
    number, _ = await confidential(intake)
    first = await read(intake, number, "unit", UNIT)
    assert (first.status_code, first.json()["request"]) == (
        409,
        f"/v1/tickets/{number}/contact-requests",
    )
    asked = await ask(intake, number)
    assert (asked.status_code, asked.headers["cache-control"]) == (201, "no-store")
    assert (await read(intake, number, "unit", UNIT)).status_code == 409
    assert (await rule(intake, asked.json()["id"], GRANT)).status_code == 200
    assert (await read(intake, number, "unit", UNIT)).json() == CALLER
    log = await rows(intake, "contact_read")
    assert [(row["actor"], row["deed"]) for row in log] == [
        (f"unit:{UNIT}:x", "refused"),
        (f"unit:{UNIT}:test", "requested"),
        ("custodian:shen", "granted"),
        (f"unit:{UNIT}:x", "read"),
    ]
    async with intake.service.store.act("ops") as act:
        assert (await readlog.verify(act)).broken is None


async def test_the_custodian_sees_number_type_unit_and_reason_alone(intake: Bench) -> None:
    """And the reason names nobody."""
    number, _ = await confidential(intake)
    await ask(intake, number)
    [item] = await listed(intake, "custodian", status="asked")
    assert item["reason"] == "[姓名][电话]反映的，须上门核实"
    assert (item["number"], item["type"], item["unit"]) == (number, "report", UNIT)
    assert item.keys().isdisjoint({"content", "title", "topic", "area", "reported_unit"})
    assert item["due"] == "2026-03-02T05:30:00Z" or item["due"] > item["asked_at"]


async def test_the_oldest_request_stands_first_and_pages_go_on(intake: Bench) -> None:
    numbers = [(await confidential(intake))[0] for _ in range(3)]
    for number in numbers:
        await ask(intake, number)
    first = (await intake.http("custodian").get("/v1/contact-requests?limit=2")).json()
    after = {"after": first["next"]}
    rest = (await intake.http("custodian").get("/v1/contact-requests", params=after)).json()
    assert [item["number"] for item in [*first["items"], *rest["items"]]] == numbers
    assert rest["next"] is None


async def test_asked_again_it_is_the_same_request(intake: Bench) -> None:
    number, _ = await confidential(intake)
    ids = {(await ask(intake, number)).json()["id"] for _ in range(3)}
    [request] = ids
    await rule(intake, request, GRANT)
    assert (await ask(intake, number)).json()["id"] == request
    intake.at("2026-03-03T09:01+08:00")  # the leave is over
    assert (await read(intake, number, "unit", UNIT)).status_code == 409
    assert (await ask(intake, number)).json()["id"] != request


async def test_a_refusal_is_in_words_and_opens_nothing(intake: Bench) -> None:
    number, _ = await confidential(intake)
    request = (await ask(intake, number)).json()["id"]
    ruled = (await rule(intake, request, DENY)).json()
    assert (ruled["status"], ruled["ruling"], ruled["ruled_by"]) == (
        "refused",
        DENY["reason"],
        "custodian:shen",
    )
    assert (await read(intake, number, "unit", UNIT)).status_code == 409
    assert (await rule(intake, request, GRANT)).status_code == 409
    [mine] = await listed(intake, "unit", UNIT, status="refused")
    assert mine["ruling"] == DENY["reason"]


async def test_what_was_granted_can_be_taken_back(intake: Bench) -> None:
    number, _ = await confidential(intake)
    request = (await ask(intake, number)).json()["id"]
    await rule(intake, request, GRANT)
    assert (await rule(intake, request, DENY)).json()["granted_until"] is None
    assert (await read(intake, number, "unit", UNIT)).status_code == 409


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hours": 24, "until": "2026-03-03T09:00+08:00"},
        {"until": "2026-03-02T09:00+08:00"},
        {"hours": 24 * 30},
    ],
)
async def test_a_leave_has_an_end_the_place_allows(intake: Bench, given: dict[str, Any]) -> None:
    """privacy.yaml: grant_at_most."""
    number, _ = await confidential(intake)
    request = (await ask(intake, number)).json()["id"]
    answer = await rule(intake, request, {"granted": True, "reason": "承办所需"} | given)
    assert (answer.status_code, answer.json()["type"]) == (422, "/errors/grant-out-of-bounds")
    assert answer.json()["latest"] > "2026-03-06"
    assert (await rule(intake, request, GRANT)).status_code == 200


async def test_a_leave_ends_with_its_order(intake: Bench) -> None:
    """Whoever gets the matter again asks again."""
    number, order = await confidential(intake)
    await intake.hear(*life(intake, number, order)[:2])
    await rule(intake, (await ask(intake, number)).json()["id"], GRANT)
    off_duty(intake, number, UNIT)
    assert (await read(intake, number, "unit", UNIT)).status_code == 404
    on_duty(intake, number, UNIT, uuid4())
    assert (await read(intake, number, "unit", UNIT)).status_code == 409
    waiting = (await ask(intake, number)).json()
    await intake.hear(life(intake, number, order)[2])
    assert [item["status"] for item in await listed(intake, "custodian")] == ["ended", "asked"]
    assert waiting["status"] == "asked"


async def test_a_leave_of_a_merged_ticket_ends_with_the_order_it_was_asked_under(
    intake: Bench,
) -> None:
    """The order stands under the number of another, which need not be confidential itself."""
    other = (await registered(intake, type="complaint"))["number"]
    number, _ = await confidential(intake, type="complaint", confidential=True)
    body = {"into": other, "reason": "同一件事", "consent": True}
    assert (await post(intake, f"/v1/tickets/{number}/merge", body, "desk")).status_code == 200
    order = on_duty(intake, other, UNIT)
    on_duty(intake, number, UNIT, order)
    await intake.hear(*life(intake, other, order)[:2])
    asked = (await ask(intake, number)).json()
    assert asked["status"] == "asked"
    await intake.hear(life(intake, other, order)[2])
    assert [item["status"] for item in await listed(intake, "custodian")] == ["ended"]


async def test_nobody_waits_for_the_custodian_of_what_is_confidential_no_more(
    intake: Bench,
) -> None:
    """The citizen agreed: it is off the list, and the unit reads."""
    number, _ = await confidential(intake, type="complaint", confidential=True)
    await ask(intake, number)
    body = {"confidential": False, "consent": "诉求人同意公开", "reason": "登记有误"}
    asked = await post(intake, f"/v1/tickets/{number}/corrections", body)
    assert [item["status"] for item in await listed(intake, "custodian")] == ["asked"]
    path, said = f"/v1/corrections/{asked.json()['id']}/decision", {"granted": True, "note": "属实"}
    assert (await intake.http("desk", name="li").post(path, json=said)).status_code == 200
    assert [item["status"] for item in await listed(intake, "custodian")] == ["ended"]
    assert (await read(intake, number, "unit", UNIT)).status_code == 200


async def test_a_leave_is_one_units_and_one_tickets(intake: Bench) -> None:
    number, _ = await confidential(intake)
    other, _ = await confidential(intake)
    on_duty(intake, number, "HC")
    await rule(intake, (await ask(intake, number)).json()["id"], GRANT)
    assert (await read(intake, number, "unit", "HC")).status_code == 409
    assert (await read(intake, other, "unit", UNIT)).status_code == 409


@pytest.mark.parametrize("unit", [UNIT, "SLJ", "HC"])
async def test_nobody_else_learns_by_asking_whether_there_is_such_a_ticket(
    intake: Bench, unit: str
) -> None:
    """Not the reported unit, though it holds the order; not its kin; not a stranger."""
    number, _ = await confidential(intake, reported_unit=UNIT)
    answers = [await ask(intake, asked, unit) for asked in (number, "20260302-999999")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert await listed(intake, "custodian") == []


async def test_a_unit_sees_its_own_requests_and_none_it_has_to_stand_back_from(
    intake: Bench,
) -> None:
    number, _ = await confidential(intake)
    await ask(intake, number)
    assert await listed(intake, "unit", "HC") == []
    assert len(await listed(intake, "unit", UNIT)) == 1
    await intake.do("UPDATE ticket SET reported_unit = 'SLJ'")
    assert await listed(intake, "unit", UNIT) == []
    assert len(await listed(intake, "custodian")) == 1


async def test_what_is_not_confidential_takes_no_leave(intake: Bench) -> None:
    number, _ = await confidential(intake, confidential=False)
    answer = await ask(intake, number)
    assert (answer.status_code, answer.json()["allowed"]) == (409, ["contact-reads"])


async def test_who_cannot_be_checked_cannot_ask(intake: Bench) -> None:
    number, _ = await confidential(intake)
    neighbours_of(intake).away = True
    assert (await ask(intake, number)).status_code == 503


@pytest.mark.parametrize(
    ("urgency", "late"), [("normal", "2026-03-02T16:30"), ("critical", "2026-03-02T09:31")]
)
async def test_the_morning_page_names_what_the_custodian_leaves(
    intake: Bench, urgency: str, late: str
) -> None:
    """privacy.yaml: rule_within, rule_within_urgent. Nobody can call while it lies there."""
    number, _ = await confidential(intake, urgency=urgency)
    due = (await ask(intake, number)).json()["due"]
    [question] = [
        each for each in part("intake").stuck.questions if each.slug == "unruled-contacts"
    ]
    for moment, found in ((due, []), (f"{late}+08:00", [number])):
        intake.at(moment.replace("Z", "+00:00"))
        async with intake.service.store.act("ops") as act:
            stuck = await question.find(act, act.now)
        assert [each.subject for each in stuck] == found


async def test_what_was_asked_under_anothers_order_ends_with_that_order(intake: Bench) -> None:
    """并单: a confidential ticket is worked on under the order of one that is not; then the custodian has
    nothing to rule on any more.
    """
    plain = (await registered(intake))["number"]
    number, order = await confidential(intake, reported={"nobody": True})
    body = {"into": plain, "reason": "同一件事", "consent": True}
    merged = await intake.http("desk").post(f"/v1/tickets/{number}/merge", json=body)
    assert merged.status_code == 200, merged.text
    facts = life(intake, plain, order)
    await intake.hear(*facts[:2])
    assert (await ask(intake, number)).status_code == 201
    await intake.hear(facts[2])
    assert [item["status"] for item in await listed(intake, "custodian")] == ["ended"]
