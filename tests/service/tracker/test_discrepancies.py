"""诚信疑点: raised once for its evidence, explained later, commented on, dismissed (R-34, gain 6)."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from shared.events import (
    AnswerFoundAlike,
    AssignmentCancelled,
    ContactRead,
    Fact,
    ReopenCause,
    Reported,
    TicketCorrected,
    TicketMerged,
    TicketReopened,
    TicketType,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, HC, TICKET, Story, at
from tests.fixtures.scenes.tracker_doors import slug
from tests.fixtures.scenes.worklist import by_its_lists, worklist
from tests.fixtures.statements import asked

COMMENT = {"comment": "经办人与诉求人相识，记得号码"}
REASON = {"reason": "已向经办人核实"}


def read(story: Story, moment: str, id: UUID = HC) -> Fact:
    """Intake says that the unit read who is to be contacted."""
    return story._fact(ContactRead(), moment, assignment=id)


async def listed(tracker: Bench, role: str = "supervisor", **query: Any) -> Any:
    unit = query.pop("of", "HC") if role == "unit" else None
    return (await tracker.http(role, unit).get("/v1/discrepancies", params=query)).json()


async def kinds(tracker: Bench, **query: Any) -> dict[str, str]:
    return {item["kind"]: item["status"] for item in (await listed(tracker, **query))["items"]}


async def look_again(tracker: Bench, moment: str) -> None:
    """The job that raises what has waited."""
    tracker.at(at(moment))
    await tracker.run("discrepancies")


async def do(
    tracker: Bench, id: str, what: str, body: Any, role: str = "supervisor", **of: str
) -> Any:
    path = f"/v1/discrepancies/{id}/{what}"
    return await tracker.http(role, of.get("of")).post(path, json=body)


@pytest.fixture
async def unread(tracker: Bench, open_ticket: Story) -> Any:
    """A call of Hongchun's, whose number nobody had read."""
    tracker.at(at("03-02 11:05"))
    await tracker.hear(open_ticket.signed("03-02 10:30"), open_ticket.contacted("03-02 11:00"))
    await look_again(tracker, "03-02 11:15")
    [item] = (await listed(tracker))["items"]
    return item


async def test_a_call_without_a_reading_is_said_with_its_evidence(
    tracker: Bench, unread: Any
) -> None:
    """R-12, gain 6: it is named, goes by a fact of the log, and is addressed to nobody."""
    assert (unread["kind"], unread["status"], unread["unit"]) == ("contact_unread", "open", "HC")
    assert unread["title"]["zh"] == "未查阅联系方式即登记联系"
    [raised] = await tracker.told("discrepancy.raised")
    assert (raised.unit, raised.assignment, raised.subject) == (None, HC, TICKET)
    [evidence] = raised.data.evidence
    assert (evidence.name, evidence.at) == ("assignment.contacted", at("03-02 11:00"))
    assert evidence.seq == unread["evidence"][0]["seq"] == 3


async def test_a_reading_may_be_heard_after_the_call(tracker: Bench, open_ticket: Story) -> None:
    """They come from two services: nothing is said of a unit that read whom it called."""
    tracker.at(at("03-02 11:05"))
    await tracker.hear(open_ticket.contacted("03-02 11:00"))
    await look_again(tracker, "03-02 11:14")
    assert (await listed(tracker))["items"] == []
    await tracker.hear(read(open_ticket, "03-02 10:50"))
    await look_again(tracker, "03-02 11:30")
    assert await tracker.told("discrepancy") == []
    assert (await listed(tracker))["items"] == []


async def test_nobody_reads_of_a_call_that_its_reading_is_waited_for(
    tracker: Bench, open_ticket: Story
) -> None:
    """Whoever made it could still open the contact; and what is explained by then was never raised."""
    tracker.at(at("03-02 11:05"))
    await tracker.hear(open_ticket.contacted("03-02 11:00"))
    for role in ("unit", "supervisor"):
        assert (await listed(tracker, role, status="noted"))["counts"]["total"] == 0
    await tracker.hear(read(open_ticket, "03-02 10:50"))
    await look_again(tracker, "03-02 11:30")
    assert (await listed(tracker, status="noted"))["items"] == []


async def test_a_reading_that_is_heard_late_explains_it(tracker: Bench, unread: Any) -> None:
    story = Story(tracker)
    await tracker.hear(read(story, "03-02 10:50"))
    assert await kinds(tracker) == {"contact_unread": "explained"}
    [said] = await tracker.told("discrepancy.explained")
    assert str(said.data.discrepancy) == unread["id"]
    assert slug(await do(tracker, unread["id"], "dismissal", REASON)) == "move-refused"


async def test_one_that_is_dismissed_stays_with_who_and_why(tracker: Bench, unread: Any) -> None:
    assert (await do(tracker, unread["id"], "dismissal", REASON)).status_code == 200
    [item] = (await listed(tracker, status="dismissed"))["items"]
    assert (item["dismissed_by"], item["dismissed_reason"]) == ("supervisor:test", "已向经办人核实")
    assert slug(await do(tracker, unread["id"], "dismissal", REASON)) == "move-refused"
    await tracker.hear(read(Story(tracker), "03-02 10:50"))
    assert await kinds(tracker) == {"contact_unread": "dismissed"}
    [said] = await tracker.told("discrepancy.dismissed")
    assert (said.actor, said.data.reason) == ("supervisor:test", "已向经办人核实")
    [own] = (await listed(tracker, "unit"))["items"]
    assert own["dismissed_by"] == "supervisor"


async def test_its_unit_reads_it_and_says_what_it_has_to_say_once(
    tracker: Bench, unread: Any
) -> None:
    assert (await listed(tracker, "unit"))["counts"]["total"] == 1
    assert (await listed(tracker, "unit", of="GT"))["items"] == []
    id = unread["id"]
    assert (await do(tracker, id, "comment", COMMENT, "unit", of="GT")).status_code == 404
    assert (await do(tracker, id, "comment", COMMENT, "unit", of="HC")).status_code == 200
    assert slug(await do(tracker, id, "comment", COMMENT, "unit", of="HC")) == "move-refused"
    [item] = (await listed(tracker))["items"]
    assert (item["comment"], item["status"]) == (COMMENT["comment"], "open")
    assert len(await tracker.told("discrepancy.commented")) == 1


async def test_a_unit_that_has_to_stand_back_knows_nothing_of_it(
    tracker: Bench, unread: Any
) -> None:
    """R-35: once the ticket is found to be about the unit, it reads no discrepancy of it."""
    about = TicketCorrected(fields=("reported",), reason="核实", reported=Reported(units=("HC",)))
    await tracker.hear(Story(tracker)._fact(about, "03-02 12:00"))
    assert (await listed(tracker, "unit"))["counts"]["total"] == 0
    said = await do(tracker, unread["id"], "comment", COMMENT, "unit", of="HC")
    assert said.status_code == 404
    counts = await tracker.http("unit", "HC").get("/v1/discrepancies/counts")
    assert counts.json()["items"] == []
    assert (await listed(tracker))["counts"]["total"] == 1


async def test_a_contact_entered_late_is_a_finding_and_takes_no_red_card_back(
    tracker: Bench, open_ticket: Story
) -> None:
    """T8, gain 6: red on the third, entered on the fifth as of the second, and the contact never opened."""
    tracker.at(at("03-05 10:00"))
    await tracker.run("sweep")
    await tracker.hear(open_ticket.contacted("03-02 10:30"))
    await look_again(tracker, "03-05 10:10")
    assert await kinds(tracker) == {"contact_unread": "open", "contact_dated_back": "open"}
    assert await tracker.told("deadline.annulled") == []


async def test_what_the_citizen_and_the_check_of_answers_say(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-34: answer and reality, a changed type, a pasted answer."""
    story, no = open_ticket, TicketReopened(reasons=("not_contacted", "not_solved"))
    alike = AnswerFoundAlike(tickets=("20260301-000009",))
    changed = TicketCorrected(
        fields=("type",), reason="核实", type=TicketType.CONSULTATION, after_dispatch=True
    )
    await tracker.hear(
        read(story, "03-02 10:20"),
        story.contacted("03-02 11:00"),
        story._fact(changed, "03-03 10:00"),
        story._fact(alike, "03-04 10:00", assignment=HC),
        story.completed("03-04 10:00"),
        story.resolved("03-04 10:00"),
        story._fact(no, "03-05 10:00", round=2),
    )
    found = ("recategorised", "answers_alike", "contact_denied", "result_denied")
    assert await kinds(tracker) == dict.fromkeys(found, "open")
    [item] = (await listed(tracker, kind="answers_alike"))["items"]
    assert item["tickets"] == ["20260301-000009"]
    [own] = (await listed(tracker, "unit", kind="answers_alike"))["items"]
    assert own["tickets"] == []  # others' tickets are not its own


async def test_an_order_that_went_to_another_unit_shortly_before_it_was_due(
    tracker: Bench, open_ticket: Story
) -> None:
    """T9: due at six in the evening, and another unit's since five."""
    story = open_ticket
    gone = story.cancelled("03-09 17:00")
    await tracker.hear(gone, story.dispatched("03-09 17:00", id=GT, unit="GT"))
    assert await kinds(tracker) == {"redispatched_late": "open"}


STORY = ("read", "contacted", "completed", "reopened")


@pytest.mark.parametrize("order", [*permutations(STORY)][::5])
async def test_whatever_order_facts_come_in_the_same_stands(
    tracker: Bench, open_ticket: Story, order: tuple[str, ...]
) -> None:
    """Each twice; raised once and explained at most once, and in the end the same stands."""
    story = open_ticket
    facts = {
        "read": read(story, "03-02 10:50"),
        "contacted": story.contacted("03-02 11:00"),
        "completed": story.completed("03-04 10:00"),
        "reopened": story._fact(
            TicketReopened(reasons=("not_solved", "not_contacted")), "03-05 10:00", round=2
        ),
    }
    for name in order:
        await tracker.hear(facts[name])
        await tracker.hear(facts[name])
    assert await kinds(tracker, status="open") == {
        "contact_denied": "open",
        "result_denied": "open",
    }
    raised = [fact.data.discrepancy for fact in await tracker.told("discrepancy.raised")]
    assert len(raised) == len(set(raised))


# --- whose it is -------------------------------------------------------------------------------


async def test_a_reading_of_one_of_several_tickets_is_of_the_order_they_share(
    tracker: Bench, open_ticket: Story
) -> None:
    """并单: each citizen's number is read under the ticket of its own."""
    second = Story(tracker, "20260302-000002")
    into = TicketMerged(into=TICKET, reason="同一处")
    await tracker.hear(second.registered(), second._fact(into, "03-02 10:10"))
    tracker.at(at("03-02 11:00"))
    await tracker.hear(read(second, "03-02 10:50"), open_ticket.contacted("03-02 11:00"))
    await look_again(tracker, "03-02 11:30")
    assert (await listed(tracker))["items"] == []


async def test_a_category_changed_while_nobody_leads_it_is_of_no_unit(
    tracker: Bench, story: Story
) -> None:
    changed = TicketCorrected(
        fields=("type",), reason="核实", type=TicketType.CONSULTATION, after_dispatch=True
    )
    await tracker.hear(story.registered(), story._fact(changed, "03-03 10:00"))
    [item] = (await listed(tracker))["items"]
    assert (item["unit"], item["assignment"], item["round"]) == (None, None, 1)


async def test_one_of_a_later_round_says_so(tracker: Bench, open_ticket: Story) -> None:
    again = open_ticket.dispatched("03-05 10:00", id=GT, unit="GT", round=2)
    await tracker.hear(open_ticket.reopened("03-05 10:00", 2), again)
    await tracker.hear(open_ticket.contacted("03-05 11:00", id=GT, round=2))
    await look_again(tracker, "03-05 11:30")
    [item] = (await listed(tracker, kind="contact_unread"))["items"]
    assert (item["round"], item["unit"], item["assignment"]) == (2, "GT", str(GT))


async def test_what_a_promise_s_unit_says_is_held_against_the_citizen(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-34: it said that it was kept; the citizen says not."""
    await tracker.hear(open_ticket.promised("03-03 10:00"), open_ticket.resolved("03-03 10:00"))
    no = TicketReopened(reasons=("not_solved",), cause=ReopenCause.PROMISE_BROKEN)
    tracker.at(at("04-20 09:00"))
    done = await tracker.http("unit", "HC").post(
        f"/v1/promises/{HC}/fulfilment", json={"result": "已硬化"}
    )
    assert done.status_code == 200, done.text
    await tracker.hear(open_ticket._fact(no, "04-21 10:00", round=2))
    assert (await kinds(tracker, kind="result_denied")) == {"result_denied": "open"}


async def test_an_order_that_ended_otherwise_went_to_nobody(
    tracker: Bench, open_ticket: Story
) -> None:
    gone = open_ticket.of_unit(AssignmentCancelled(reason="merged"), "03-09 17:00")
    await tracker.hear(gone, open_ticket.dispatched("03-09 17:00", id=GT, unit="GT"))
    assert await kinds(tracker) == {}


@pytest.mark.parametrize(
    ("status", "then", "times"), [("explained", "open", 2), ("dismissed", "dismissed", 1)]
)
async def test_what_was_explained_too_soon_stands_again_unless_a_person_dismissed_it(
    tracker: Bench, open_ticket: Story, status: str, then: str, times: int
) -> None:
    gone = open_ticket.cancelled("03-09 17:00")
    await tracker.hear(gone, open_ticket.dispatched("03-09 17:00", id=GT, unit="GT"))
    await tracker.do(
        f"UPDATE discrepancies SET status = '{status}', explained_at = now()",
        "UPDATE tickets SET honesty = honesty - 'found'",
    )
    await tracker.hear(open_ticket.contacted("03-09 17:05", id=GT))
    assert await kinds(tracker, kind="redispatched_late") == {"redispatched_late": then}
    raised = await tracker.told("discrepancy.raised")
    assert len([fact for fact in raised if fact.data.kind == "redispatched_late"]) == times


# --- lists -------------------------------------------------------------------------------------


async def test_they_are_counted_per_unit_and_month(tracker: Bench, unread: Any) -> None:
    assert await worklist(tracker, "supervisor") == await by_its_lists(tracker, "supervisor")
    await do(tracker, unread["id"], "dismissal", REASON)
    path = "/v1/discrepancies/counts"
    found = (await tracker.http("supervisor").get(path, params={"from": "2026-03-01"})).json()
    assert found["items"] == [
        {
            "unit": "HC",
            "month": "2026-03",
            "kind": "contact_unread",
            "open": 0,
            "explained": 0,
            "dismissed": 1,
        }
    ]


async def test_a_period_has_its_first_moment_and_not_its_last(
    tracker: Bench, open_ticket: Story
) -> None:
    """Nor what is only noted."""
    tracker.at(at("03-03 00:05"))
    await tracker.hear(open_ticket.contacted("03-03 00:00"), open_ticket.signed("03-03 00:01"))
    await look_again(tracker, "03-03 00:15")
    found = {}
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        asked = {"from": day, "to": day}
        answer = await tracker.http("supervisor").get("/v1/discrepancies/counts", params=asked)
        found[day[-2:]] = [item["kind"] for item in answer.json()["items"]]
    assert found == {"02": [], "03": ["contact_unread"], "04": []}


async def test_pages_go_on_where_the_last_one_ended(tracker: Bench, open_ticket: Story) -> None:
    tracker.at(at("03-02 12:05"))
    for moment in ("03-02 11:00", "03-02 11:30", "03-02 12:00"):
        await tracker.hear(open_ticket.contacted(moment))
    await look_again(tracker, "03-02 12:15")
    first = await listed(tracker, limit=2)
    rest = await listed(tracker, limit=2, after=first["next"])
    found = [item["at"] for page in (first, rest) for item in page["items"]]
    assert (len(first["items"]), len(set(found)), len(found)) == (2, 3, 3)
    assert (rest["next"], first["counts"]["total"]) == (None, 3)
    assert (await listed(tracker, unit="GT"))["items"] == []


async def test_what_fits_together_costs_one_write_of_the_ticket(
    tracker: Bench, open_ticket: Story
) -> None:
    """A fact that is no evidence costs none; one that is, the ticket's row; nothing is looked up."""
    signed, called = open_ticket.signed("03-02 10:30"), open_ticket.contacted("03-02 11:00")
    await tracker.hear(read(open_ticket, "03-02 10:40"))
    for fact, writes in ((signed, 0), (called, 1)):
        with asked(tracker.service.store.engine) as statements:
            await tracker.hear(fact)
        assert [each for each in statements if "discrepancies" in each] == []
        assert len([each for each in statements if each.startswith("UPDATE tickets")]) == writes


async def test_of_a_ticket_of_the_release_before_nothing_is_found(
    tracker: Bench, open_ticket: Story
) -> None:
    """What had been read of it intake has told nobody."""
    await tracker.do("UPDATE tickets SET honesty = NULL")
    await tracker.hear(open_ticket.contacted("03-02 11:00"))
    assert (await listed(tracker))["items"] == []
    assert await tracker.parked() == []
