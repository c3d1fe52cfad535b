"""No fact is larger than its bound, whatever is said at the doors; and a broker takes it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.dispatcher.rules.work_order import CARRIED
from services.tracker.policies.schemas import LONGEST
from shared import clock
from shared.messaging.bus import Message
from shared.messaging.outbox import LARGEST_FACT, Relay
from shared.messaging.rabbit_bus import RabbitBus
from shared.stuck import REFUSED
from tests.fixtures.bench import Bench
from tests.fixtures.rabbitmq import Broker, private_rabbitmq
from tests.fixtures.scenes.at_length import WIDE, Json, filled, largest
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.dispatcher import post
from tests.fixtures.scenes.feedback import callback_of
from tests.fixtures.scenes.intake import registered
from tests.fixtures.scenes.policies import LIMITS, SUPERVISION, VERSIONS, drafted, published
from tests.fixtures.scenes.reform import followed, reform, take_up
from tests.fixtures.scenes.revisions import OFF, learn

MIB = 1024 * 1024
SAID = """
    ticket.registered assignment.completed ticket.reopened extension.granted assignment.attended
    assignment.returned supervision.answered supervision.sent_back staff.told referral.proposed
    referral.granted referral.refused discrepancy.raised discrepancy.commented
    discrepancy.dismissed promise.move_refused promise.moved promise.kept arbitration.opened
    arbitration.raised arbitration.ruled approval.requested approval.granted approval.refused
    assignment.transferred unit.reformed deadline.revised risk.acknowledged
"""  # some of what everything said at length leads to
VILLAGE = "HCV"
BELOW = """
  - {code: HCV, name: 试红椿一村, kind: village, parent: HC, delivery: feed, liaison: 村委会主任}
"""


async def everything_said_at_length(county: County) -> None:
    """Every door that says a fact, each text as long as it may be."""
    codes: Json = {"topic": "road.damage", "area": "610924100", "channel": "phone"}
    place: Json = {"location": {"longitude": 108.123456789012, "latitude": 32.123456789012}}
    caller = {
        "name": "李秋月",
        "phone": "13909150001",
        "address": None,
    }  # nothing of it is in the text
    said = filled(
        "intake", "NewTicket", type="help", reported_unit=None, follows=None, caller=caller, **codes
    )
    number = (await registered(county.intake, **(said | place)))["number"]
    await county.carry()
    ticket = f"/v1/tickets/{number}"
    for _ in range(CARRIED // 5_000 + 2):
        added = filled("intake", "Supplement")
        await county.do("phone_system", county.intake, f"{ticket}/supplements", added)
    await county.do("phone_system", county.intake, f"{ticket}/urges", filled("intake", "Urge"))
    await split_at_length(county, ticket, codes)
    await returned_at_length(county, number)
    units = county.dispatcher.service.store.config.units.units
    helpers = [unit.code for unit in units if unit.code != "HC"][:20]
    order = filled("dispatcher", "Assign", lead="HC", co_handlers=helpers)
    await approved_at_length(county, number, "HC")
    await county.do("desk", county.dispatcher, f"{ticket}/assign", order)
    await at_length_by_its_unit(county, number)
    await arbitrated_at_length(county, number, helpers)
    order |= {"co_handlers": []}
    await whistled_at_length(county, number)
    await county.do("desk", county.dispatcher, f"{ticket}/assign", order)
    await reformed_at_length(county)
    await completed_and_called(county, number)
    await county.do(
        "phone_system", county.intake, f"{ticket}/withdrawal", filled("intake", "Withdrawal")
    )
    await revised_at_length(county)


async def approved_at_length(county: County, number: str, town: str) -> None:
    """A supervisor lets a town lead it, the second time the desk asks."""
    ask = filled("dispatcher", "TownLead", lead=town)
    supervisor = county.dispatcher.http("supervisor", name="周督办")
    for granted in (False, True):
        path = f"/v1/tickets/{number}/approvals"
        asked = await county.do("desk", county.dispatcher, path, ask)
        said = filled("dispatcher", "Decision", granted=granted)
        await post(supervisor, f"/v1/approvals/{asked['id']}/decision", said)


async def of(county: County, number: str, unit: str = "HC") -> str:
    """The path of the newest assignment of a unit."""
    told = await county.dispatcher.told("assignment.dispatched")
    [*_, id] = [fact.assignment for fact in told if (fact.subject, fact.unit) == (number, unit)]
    return f"/v1/assignments/{id}"


async def split_at_length(county: County, ticket: str, codes: Json) -> None:
    """A call that holds as many matters as it may."""
    each = filled("intake", "SplitMatter", topic=codes["topic"], area=codes["area"], lead=None)
    body = filled("intake", "Split", remainder=filled("intake", "Remainder"), matters=[each] * 9)
    await county.do("desk", county.intake, f"{ticket}/split", body)


async def returned_at_length(county: County, number: str) -> None:
    """The unit a rule found asks to return it, and the desk agrees."""
    told = await county.dispatcher.told("assignment.dispatched")
    unit, dispatcher = str(told[0].unit), county.dispatcher
    path = await of(county, number, unit)
    back = filled("dispatcher", "ReturnRequest", reason_code="not_our_duty", suggested_unit="CG")
    await county.do("unit", dispatcher, f"{path}/return-requests", back, unit)
    granted = filled("dispatcher", "Ruling", granted=True, named_unit="CG")
    await county.do("desk", dispatcher, f"{path}/ruling", granted)


async def arbitrated_at_length(county: County, number: str, helpers: list[str]) -> None:
    """Before the ladder by hand, a step up, and back where it was."""
    desk, dispatcher = "desk", county.dispatcher
    opening = filled("dispatcher", "Opening", parties=helpers)
    await county.do(desk, dispatcher, f"/v1/tickets/{number}/arbitration", opening)
    (opened, *_) = await dispatcher.told("arbitration.opened")
    path = f"/v1/arbitrations/{opened.data.arbitration}"
    await county.do(desk, dispatcher, f"{path}/raise", filled("dispatcher", "Raising"))
    ruled = filled("dispatcher", "Arbitrated", lead="HC", co_handlers=helpers)
    await county.do("supervisor", dispatcher, f"{path}/ruling", ruled)


async def revised_at_length(county: County) -> None:
    """What nobody did is taken back three weeks later, and was late by a day that was off."""
    number = await county.ticket(topic="road.damage", title="道路破损", content="路面破损")
    county.at("2026-03-24T09:00+08:00")
    await county.sweep()
    back = filled("intake", "Withdrawal")
    await county.do("phone_system", county.intake, f"/v1/tickets/{number}/withdrawal", back)
    learn(county.tracker.service.store)
    await county.sweep()
    county.at("2026-03-24T09:01+08:00")
    days = [(OFF - timedelta(days=n)).isoformat() for n in range(31)]
    said = filled("tracker", "RevisionIn", days=days)
    made = await county.do("supervisor", county.tracker, "/v1/revisions", said)
    second = county.tracker.http("desk", name="周核")
    ruled = filled("tracker", "RevisionRulingIn", granted=True)
    await post(second, f"/v1/revisions/{made['id']}/ruling", ruled)
    await county.sweep()


async def reformed_at_length(county: County) -> None:
    """Hongchun becomes part of Maoba, which goes on with the order; its token acts as that one's."""
    reason = filled("dispatcher", "ReformIn")["reason"]
    await reform(county.dispatcher, "HC", into="MB", reason=reason)
    await county.carry()


async def at_length_by_its_unit(county: County, number: str) -> None:
    """An extension that is granted, and a supervision by hand, answered and sent back."""
    path, tracker = await of(county, number), county.tracker
    await county.do(
        "unit", tracker, f"{path}/extensions", filled("tracker", "ExtensionIn", days=3), "HC"
    )
    [asked] = await tracker.told("extension.requested")
    ruling = filled("tracker", "RulingIn", granted=True, days=3)
    await county.do("supervisor", tracker, f"/v1/extensions/{asked.data.extension}/ruling", ruling)
    hand = filled("tracker", "SupervisionIn", rung=3)
    await county.do("supervisor", tracker, f"{path}/supervisions", hand)
    said, door = filled("tracker", "StaleKnowledgeIn"), f"/v1/tickets/{number}/stale-knowledge"
    stale = await county.do("supervisor", tracker, door, said)
    path = f"/v1/supervisions/{stale['id']}"
    await county.do("unit", tracker, f"{path}/answer", filled("tracker", "AnswerIn"), "HC")
    due = "2026-03-20T09:00:00+08:00"
    again = filled("tracker", "AnswerRulingIn", accepted=False, answer_due=due)
    await county.do("supervisor", tracker, f"{path}/ruling", again)
    said = filled("tracker", "InstructionIn")
    await county.do("supervisor", tracker, f"/v1/tickets/{number}/instructions", said)
    await referred_at_length(county, await of(county, number))
    await endangered_at_length(county)


async def endangered_at_length(county: County) -> None:
    """A danger that somebody has taken up; then its citizen withdraws it."""
    number = await county.ticket(urgency="critical")
    said, path = filled("tracker", "AcknowledgementIn"), f"/v1/risks/{number}/acknowledgement"
    await county.do("supervisor", county.tracker, path, said)
    path = f"/v1/tickets/{number}/withdrawal"
    await county.do("phone_system", county.intake, path, filled("intake", "Withdrawal"))


async def referred_at_length(county: County, path: str) -> None:
    """A unit's conduct, of which the second supervisor would hear nothing, and then would."""
    other = county.tracker.http("supervisor", name="周督办")
    case = filled("tracker", "ReferralIn", ground="falsified")
    for granted in (False, True):
        asked = await county.do("supervisor", county.tracker, f"{path}/referrals", case)
        said = filled("tracker", "ReferralDecision", granted=granted)
        await post(other, f"/v1/referrals/{asked['id']}/decision", said)


async def policy_at_length(county: County) -> None:
    """A policy whose files have as much of a comment as they may, published and taken back."""
    texts: Json = {
        name: f"{text}# {WIDE * (LONGEST - len(text) - 2)}"
        for name, text in (("limits", LIMITS), ("supervision", SUPERVISION))
    }
    note = filled("tracker", "PolicyContent")["note"]
    draft = await drafted(county.tracker, **texts, note=note)
    done = await published(county.tracker, draft, effective_at=None)
    path, why = f"{VERSIONS}/{done['version']}/withdrawal", filled("tracker", "PolicyReason")
    await county.do("supervisor", county.tracker, path, why)


async def promised_at_length(county: County) -> None:
    """A day that is looked after, not moved, moved, and kept."""
    await county.carry()
    answered = (await county.dispatcher.told("assignment.completed"))[-1]
    path, unit = f"/v1/promises/{answered.assignment}", answered.unit
    move = filled("tracker", "MoveIn", promised_date="2026-09-01")
    for granted in (False, True):
        await county.do("unit", county.tracker, f"{path}/move", move, unit)
        ruling = filled("tracker", "MoveRulingIn", granted=granted)
        await county.do("supervisor", county.tracker, f"{path}/ruling", ruling)
    await county.do("desk", county.tracker, f"{path}/reviews", filled("tracker", "ReviewIn"))
    kept = filled("tracker", "FulfilmentIn")
    await county.do("unit", county.tracker, f"{path}/fulfilment", kept, unit)


async def looked_into_at_length(county: County) -> None:
    """A call whose number nobody had read: its unit comments, a supervisor dismisses it."""
    [raised, *_] = await county.tracker.told("discrepancy.raised")
    path = f"/v1/discrepancies/{raised.data.discrepancy}"
    said, unit = filled("tracker", "CommentIn"), raised.data.about_unit
    await county.do("unit", county.tracker, f"{path}/comment", said, unit)
    await county.do(
        "supervisor", county.tracker, f"{path}/dismissal", filled("tracker", "DismissalIn")
    )


async def whistled_at_length(county: County, number: str) -> None:
    """A town leads and whistles for as many as it may; one comes, one is called off."""
    dispatcher, led = county.dispatcher, filled("dispatcher", "Assign", lead="CG")
    await approved_at_length(county, number, "CG")
    await county.do("desk", dispatcher, f"/v1/tickets/{number}/assign", led)
    path = await of(county, number, "CG")
    await county.do("unit", dispatcher, f"{path}/sign", filled("dispatcher", "Sign"), "CG")
    every, [returned] = (
        dispatcher.service.store.config.units.units,
        await dispatcher.told("assignment.returned"),
    )
    departments = (unit.code for unit in every if unit.kind == "department")
    units = [unit for unit in departments if unit != returned.unit][:20]
    blown = filled("dispatcher", "Blow", units=units)
    await county.do("unit", dispatcher, f"{path}/whistle", blown, "CG")
    came, first = filled("dispatcher", "Attend", came_at=None), await of(county, number, units[0])
    await county.do("unit", dispatcher, f"{first}/attend", came, units[0])
    seen = filled("dispatcher", "Say", unit=units[0], attendance="nobody_came")
    await county.do("unit", dispatcher, f"{path}/attendance", seen, "CG")
    for unit in units[1:]:
        off = filled("dispatcher", "CallOff", unit=unit)
        await county.do("unit", dispatcher, f"{path}/call-off", off, "CG")
    freed = filled("dispatcher", "Release")
    await county.do("desk", dispatcher, f"{first}/release", freed)


async def waited_at_length(county: County, path: str) -> None:
    """A lead waits for its citizen, and they come."""
    called = clock.now().isoformat()
    wait = filled("dispatcher", "WaitRequest", awaited="documents", contact_time=called)
    await county.do("unit", county.dispatcher, f"{path}/wait", wait, "HC")
    granted = filled("dispatcher", "WaitRuling", granted=True)
    await county.do("desk", county.dispatcher, f"{path}/wait-ruling", granted)
    await county.do(
        "unit", county.dispatcher, f"{path}/wait-end", filled("dispatcher", "WaitEnded"), "HC"
    )


async def completed_and_called(county: County, number: str) -> None:
    """Signed, contacted, completed; and the citizen does not agree."""
    path, dispatcher = await of(county, number), county.dispatcher
    met = filled("dispatcher", "ContactMade", how="phone", outcome="reached")
    form = {
        "solved": False,
        "unsolved_reason_code": "no_means",
        "public_answer": WIDE * 9_994 + "来电人王建国",
    }
    put_off = {"kind": "no_condition_yet_with_date", "promised_date": "2026-06-30"}
    done = filled("dispatcher", "Completion", **put_off, **form)
    end = filled("dispatcher", "Completion", kind="terminated", **form)
    audit = filled("dispatcher", "Audit", outcome="sent_back", public_answer=None)
    refused = filled("dispatcher", "EndRuling", granted=False, outcome=None, named_unit=None)
    for what, body in (
        ("sign", filled("dispatcher", "Sign")),
        ("handler", filled("dispatcher", "NewHandler")),
        ("hand-down", filled("dispatcher", "HandDown", unit=VILLAGE)),
        ("take-back", filled("dispatcher", "TakeBack", unit=VILLAGE)),
        ("contacts", met),
        ("progress", filled("dispatcher", "Progress")),
        ("completion", end),
        ("completion-withdrawal", filled("dispatcher", "EndWithdrawal")),
        ("completion", end),
    ):
        await county.do("unit", dispatcher, f"{path}/{what}", body, "HC")
    await county.do("desk", dispatcher, f"{path}/completion-ruling", refused)
    await waited_at_length(county, path)
    for outcome in ("sent_back", "passed"):
        await county.do("unit", dispatcher, f"{path}/completion", done, "HC")
        await county.do("desk", dispatcher, f"{path}/audit", audit | {"outcome": outcome})
    await promised_at_length(county)
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    await looked_into_at_length(county)
    said = filled("feedback", "OutcomeIn", attempt=1, outcome="answered")
    said |= {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied"}
    callback = await callback_of(county.feedback, number)
    await county.do("phone_system", county.feedback, f"/v1/callbacks/{callback}/outcome", said)


@pytest.mark.parametrize("limited", [MIB], indirect=True, ids=["1 MiB"])
async def test_the_largest_of_every_door_is_far_below_the_bound(
    county: County, limited: tuple[int, Broker], tmp_path: Path
) -> None:
    folder = followed(tmp_path, HC=["MB"])
    with (folder / "units.yaml").open("a", encoding="utf-8") as file:
        file.write(BELOW)
    take_up(folder, *county.benches.values())
    await everything_said_at_length(county)
    sizes = await largest(county)
    assert set(SAID.split()) <= set(sizes)
    await policy_at_length(county)
    assert (sizes := await largest(county))["policy.published"] > 80_000
    told = await county.dispatcher.told()
    assert any(fact.unit == VILLAGE and fact.name == "assignment.cancelled" for fact in told)
    unlike = {fact.assignment for fact in told if getattr(fact.data, "whistle", None)}
    alike = [
        fact for fact in told if fact.assignment not in unlike
    ]  # a whistle says its need besides
    orders, moved = (
        max(len(fact.model_dump_json()) for fact in alike if fact.name == f"assignment.{name}")
        for name in ("dispatched", "transferred")
    )
    assert moved >= orders
    assert sizes["assignment.completed"] > 80_000, "the texts were not as long as they may be"
    assert max(sizes.values()) <= LARGEST_FACT // 2, sizes
    bus = RabbitBus(limited[1].url, timeout=60)
    await bus.declare({})
    for one in county.benches.values():
        bodies = [row["body"] for row in await one.rows("SELECT body FROM outbox")]
        messages = [Message("a.b", secrets.token_hex(8), body.encode()) for body in bodies]
        assert await bus.publish(messages) == [None] * len(messages)
    await bus.close()


# --- what is too large all the same ------------------------------------------------------------


@pytest.fixture(scope="module", params=[MIB, 16 * MIB], ids=["1 MiB", "16 MiB"])
def limited(request: pytest.FixtureRequest) -> Iterator[tuple[int, Broker]]:
    """A broker that takes no larger messages."""
    with private_rabbitmq(request.param) as server:
        yield request.param, server.broker


@pytest.fixture
async def bus(limited: tuple[int, Broker]) -> AsyncIterator[RabbitBus]:
    """The bus on it."""
    bus = RabbitBus(limited[1].url, timeout=60)
    await bus.declare({})
    yield bus
    await bus.close()


async def test_a_fact_the_broker_cannot_take_is_named_and_all_others_go_out(
    intake: Bench, limited: tuple[int, Broker], bus: RabbitBus
) -> None:
    """As the release before could store one: 17 MB of supplements in a work order."""
    for _ in range(5):
        await registered(intake)
    size = limited[0] + 1
    await intake.do(
        f"UPDATE outbox SET body = repeat('x', {size}) WHERE id = (SELECT min(id) + 1 FROM outbox)"
    )
    relay = Relay(intake.service.store, bus)
    assert await relay.run_once() == 4
    assert await relay.run_once() == 0
    [row] = await intake.rows("SELECT * FROM outbox WHERE position IS NULL")
    assert row["attempts"] == 1
    assert row["reason"].startswith("406 PRECONDITION_FAILED - message size")
    async with intake.service.store.act("ops") as act:
        [named] = await REFUSED.find(act, clock.real())
    assert named.subject == row["subject"]
    for word in ("ticket.registered", f"{size} 字节", "尝试 tries 1", row["reason"]):
        assert word in named.note
    await registered(intake)
    assert await relay.run_once() == 1, "what comes later flows"
    await intake.do("UPDATE outbox SET body = '{}', try_at = now() WHERE position IS NULL")
    assert await relay.run_once() == 1, "once it can be taken it goes by itself"
