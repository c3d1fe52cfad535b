"""Supervision 督办 by hand: any rung is raised, withdrawn by who erred, and ends with its assignment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import Limits, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at, facts_told, local
from tests.fixtures.scenes.tracker_doors import HAND, slug, supervise


@pytest.mark.parametrize("rung", range(1, 7))
@pytest.mark.usefixtures("open_ticket")
async def test_a_supervisor_raises_any_rung_but_the_last(tracker: Bench, rung: int) -> None:
    """R-30 督办."""
    raised = await supervise(tracker, rung=rung)
    assert raised.status_code == 200
    (told,) = await tracker.told("supervision.raised")
    assert (told.key, told.data.rung, told.data.by) == ("supervision.raised.HC", rung, "hand")
    assert told.data.reason == HAND["reason"]
    assert told.data.answer_due == at("03-03 18:00" if rung == 1 else "03-05 18:00")
    assert str(told.data.supervision) == raised.json()["id"]


async def test_a_supervision_by_hand_ends_with_its_assignment(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    tracker.at("2026-03-03T10:00+08:00")
    raised = (await supervise(tracker)).json()
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    (closed,) = await tracker.told("supervision.closed")
    assert (str(closed.data.supervision), local(closed.time)) == (raised["id"], "03-04 10:00")
    late = await supervise(tracker)
    assert (late.status_code, late.json()["current_status"]) == (409, "ended")


async def test_a_supervision_is_not_closed_before_it_was_raised(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    tracker.at("2026-03-05T10:00+08:00")
    await supervise(tracker)
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    assert await facts_told(tracker, "supervision.closed") == ["supervision.closed@03-05 10:00"]


async def test_a_rung_that_stands_is_not_raised_again_by_hand(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30: it is named; another rung is raised, and the same one again when it stands no more."""
    raised = (await supervise(tracker)).json()
    again = await supervise(tracker)
    assert (again.status_code, slug(again)) == (409, "supervision-stands")
    assert again.json()["supervision"] == raised["id"]
    assert (await supervise(tracker, rung=1)).status_code == 200
    await withdraw(tracker, raised["id"])
    assert (await supervise(tracker)).status_code == 200
    tracker.at("2026-03-20T10:00+08:00")
    await tracker.run("sweep")
    assert slug(await supervise(tracker, rung=3)) == "supervision-stands"  # which the ladder raised


# --- withdrawn ---------------------------------------------------------------------------------


async def withdraw(tracker: Bench, supervision: str, status: int = 200) -> Any:
    """A supervisor takes back what was raised by mistake."""
    path = f"/v1/supervisions/{supervision}/withdrawal"
    answer = await tracker.http("supervisor", name="li").post(path, json={"reason": "误发"})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_what_was_raised_by_mistake_is_withdrawn_and_both_stay_on_record(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30: the unit hears it; it is off the list, and its order goes on and ends as ever."""
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    raised = (await supervise(tracker)).json()
    withdrawn = await withdraw(tracker, raised["id"])
    assert (withdrawn["withdrawn_by"], withdrawn["withdrawn_reason"]) == ("supervisor:li", "误发")
    (closed,) = await tracker.told("supervision.closed")
    assert (closed.unit, str(closed.data.supervision)) == ("HC", raised["id"])
    assert closed.data.reason.startswith("督办人撤回：误发")
    page = (await tracker.http("supervisor").get("/v1/supervisions")).json()
    assert (page["items"], page["counts"]["total"]) == ([], 0)
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    shown = await tracker.http("supervisor").get(f"/v1/tickets/{open_ticket.subject}/clocks")
    (kept,) = shown.json()["supervisions"]
    assert (kept["reason"], kept["withdrawn_reason"]) == (HAND["reason"], "误发")
    assert kept["close_reason"].startswith("督办人撤回")
    assert len(await tracker.told("supervision.closed")) == 1


async def test_what_is_closed_or_a_rule_raised_is_not_withdrawn(
    tracker: Bench, open_ticket: Story
) -> None:
    raised = (await supervise(tracker)).json()
    await withdraw(tracker, raised["id"])
    assert (await withdraw(tracker, raised["id"], 409))["current_status"] == "closed"
    tracker.at("2026-03-20T10:00+08:00")
    await tracker.run("sweep")
    (by_rule, *_) = [
        fact for fact in await tracker.told("supervision.raised") if fact.data.by == "ladder"
    ]
    refused = await withdraw(tracker, str(by_rule.data.supervision), 409)
    assert refused["type"].endswith("supervision-by-rule")
    await withdraw(tracker, str(UUID(int=7)), 404)


async def test_what_was_answered_and_accepted_keeps_back_nothing_that_comes_later(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-30: a sixth rung by hand on the first day, answered and accepted at once, silenced the ladder."""
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:10"))
    raised = (await supervise(tracker, rung=6)).json()
    path, said = f"/v1/supervisions/{raised['id']}", {"measures": "已安排", "result": "办理中"}
    await tracker.http("unit", "HC").post(f"{path}/answer", json=said)
    accepted = {"accepted": True, "reason": "属实"}
    assert (await tracker.http("supervisor").post(f"{path}/ruling", json=accepted)).is_success
    tracker.at("2026-03-12T19:00+08:00")
    await tracker.run("sweep")
    told = await tracker.told("supervision.raised")
    assert [(f.data.rung, local(f.time)) for f in told if f.data.by == "ladder"] == [
        (1, "03-09 18:00"),
        (2, "03-10 18:00"),
        (3, "03-12 18:00"),
    ]


async def test_what_was_reached_before_a_higher_rung_was_answered_is_answered_with_it(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"), open_ticket.contacted("03-02 11:10"))
    raised = (await supervise(tracker, rung=2)).json()
    tracker.at("2026-03-09T19:00+08:00")
    await tracker.run("sweep")
    path, said = f"/v1/supervisions/{raised['id']}", {"measures": "已安排", "result": "办理中"}
    await tracker.http("unit", "HC").post(f"{path}/answer", json=said)
    accepted = {"accepted": True, "reason": "属实"}
    assert (await tracker.http("supervisor").post(f"{path}/ruling", json=accepted)).is_success
    await tracker.hear(open_ticket.contacted("03-09 19:00"))
    tracker.at("2026-03-10T19:00+08:00")
    await tracker.run("sweep")
    told = await tracker.told("supervision.raised")
    assert [(f.data.rung, f.data.by) for f in told] == [(2, "hand"), (2, "ladder")]


async def test_what_a_clock_raised_and_was_accepted_keeps_back_nothing_later_either(
    tracker: Bench, story: Story
) -> None:
    """Critical, not signed in time, the head's own; the unit explains, and is reminded when it is overdue."""
    limits = Limits(sign="15min", handle="2h")
    critical: dict[str, Any] = {"urgency": Urgency.CRITICAL}
    await tracker.hear(story.registered(**critical), story.dispatched(**critical, limits=limits))
    tracker.at("2026-03-02T10:21+08:00")
    await tracker.run("sweep")
    [third] = (await tracker.http("supervisor").get("/v1/supervisions")).json()["items"]
    path = f"/v1/supervisions/{third['id']}"
    said = {"measures": "已到场", "result": "处置中", "led_by": "王建", "led_by_post": "镇长"}
    await tracker.http("unit", "HC").post(f"{path}/answer", json=said)
    accepted = {"accepted": True, "reason": "属实"}
    assert (await tracker.http("supervisor").post(f"{path}/ruling", json=accepted)).is_success
    tracker.at("2026-03-03T13:00+08:00")
    await tracker.run("sweep")
    told = await tracker.told("supervision.raised")
    assert [(f.data.rung, local(f.time)) for f in told] == [
        (3, "03-02 10:20"),
        (1, "03-02 12:05"),
        (2, "03-03 12:05"),
    ]
