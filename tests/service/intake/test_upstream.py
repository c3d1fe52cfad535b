"""上级平台时限: a registration may say when the platform that passed it on wants the answer (WF-20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post, registered

CITY = {"channel": "city", "source_number": "AK2026030200012"}


def ahead(intake: Bench, days: float) -> str:
    return (intake.now + timedelta(days=days)).isoformat()


async def test_the_moment_is_told_and_shown(intake: Bench) -> None:
    due = ahead(intake, 5)
    ticket = await registered(intake, **CITY, upstream_due=due)
    [told] = await intake.told("ticket.registered")
    assert told.data.upstream_due.isoformat() == due
    shown = (await intake.http("desk").get(f"/v1/tickets/{ticket['number']}")).json()
    assert shown["upstream_due"][:19] == due[:19]


@pytest.mark.parametrize(
    ("days", "source", "said"),
    [
        (-0.1, CITY, "须晚于现在"),
        (366, CITY, "不晚于"),
        (5, {"channel": "phone", "source_number": "A-1"}, "来源渠道"),
        (5, {"channel": "city"}, "来源编号"),
    ],
)
async def test_a_moment_that_cannot_be_one_is_refused(
    intake: Bench, days: float, source: dict[str, Any], said: str
) -> None:
    body = complaint(**source, upstream_due=ahead(intake, days))
    refused = await post(intake, "/v1/tickets", body)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("/upstream-due-wrong")
    assert said in refused.json()["detail"]
    assert await intake.told("ticket.registered") == []


# --- put right ---------------------------------------------------------------------------------


async def put_right(intake: Bench, number: str, due: str | None, status: int = 200) -> Any:
    """The desk corrects the moment."""
    body = {"reason": "市平台来函", "upstream_due": due}
    path = f"/v1/tickets/{number}/corrections"
    answer = await intake.http("desk").post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def moment_of(intake: Bench, number: str) -> str | None:
    ticket = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    due: str | None = ticket["upstream_due"]
    return due[:10] if due else None


async def decide(intake: Bench, id: str, name: str = "li") -> Any:
    body = {"granted": True, "note": "已核对来函"}
    path = f"/v1/corrections/{id}/decision"
    return await intake.http("desk", name=name).post(path, json=body)


async def test_an_earlier_moment_holds_at_once(intake: Bench) -> None:
    """ADR 0080: what takes time away takes nobody else."""
    number = (await registered(intake, **CITY, upstream_due=ahead(intake, 5)))["number"]
    asked = await put_right(intake, number, ahead(intake, 3))
    assert (asked["status"], asked["fields"]) == ("in_force", ["upstream_due"])
    [told] = await intake.told("ticket.corrected")
    assert told.data.upstream_due.isoformat() == ahead(intake, 3)
    assert (told.data.asked_by, told.data.fields) == (None, ("upstream_due",))
    same = await put_right(intake, number, ahead(intake, 3))
    assert same["fields"] == []


@pytest.mark.parametrize(("was", "days"), [(5, 8), (5, None), (None, 5)])
async def test_what_may_give_more_time_waits_for_another_person(
    intake: Bench, was: float | None, days: float | None
) -> None:
    """A later moment, none at all, or the first one: handling may take longer (WF-20, ADR 0071)."""
    given = {} if was is None else {"upstream_due": ahead(intake, was)}
    number = (await registered(intake, **CITY, **given))["number"]
    before, right = await moment_of(intake, number), ahead(intake, days) if days else None
    asked = await put_right(intake, number, right)
    assert (asked["status"], await moment_of(intake, number)) == ("waiting", before)
    assert await intake.told("ticket.corrected") == []
    assert (await decide(intake, asked["id"], name="test")).status_code == 403
    assert (await decide(intake, asked["id"])).json()["status"] == "in_force"
    assert await moment_of(intake, number) == (right and right[:10])
    [told] = await intake.told("ticket.corrected")
    assert (told.actor, told.data.asked_by) == ("desk:li", "desk:test")


async def test_what_came_while_it_waited_gives_no_time(intake: Bench) -> None:
    number = (await registered(intake, **CITY, upstream_due=ahead(intake, 2)))["number"]
    asked = await put_right(intake, number, ahead(intake, 3))
    intake.at(intake.now + timedelta(days=4))
    refused = await decide(intake, asked["id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "/errors/move-refused")


@pytest.mark.parametrize(("days", "source"), [(-1, CITY), (366, CITY), (5, {"channel": "phone"})])
async def test_it_is_put_right_to_what_may_be_registered(
    intake: Bench, days: float, source: dict[str, Any]
) -> None:
    number = (await registered(intake, **source))["number"]
    refused = await put_right(intake, number, ahead(intake, days), status=422)
    assert refused["type"].endswith("/upstream-due-wrong")
