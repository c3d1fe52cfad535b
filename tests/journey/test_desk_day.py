"""A day at the desk, over RabbitMQ and PostgreSQL: forty calls, and each has its end.

Whoever is at the desk gets on by public HTTP alone, or the day itself fails (tests/fixtures/desk.py); here
it is counted what the day came to, beside Jiesu and apart from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable

import pytest

from examples.connection import Connection, Query
from operations.runtime.registry import NAMES
from shared.events import CallRating, Fact
from tests.fixtures import journey as journeys
from tests.fixtures.desk import MONDAY, TUESDAY, WEDNESDAY, Desk, a_day
from tests.fixtures.front_desk import Exchange
from tests.fixtures.journey import Journey, rows
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker
from tests.fixtures.scenes.desk_day import (
    HANDED_OVER,
    IN_THE_DARK,
    MISTYPED,
    NO_WATER,
    NOT_ACCEPTED,
    NOT_REPAIRED,
    REPORTER,
    ROAD_USERS,
    identities,
)

ENDS = {
    "ticket.answered": "answered",
    "ticket.not_accepted": "not_accepted",
    "ticket.handed_over": "handed_over",
    "ticket.closed": "closed",
}


@pytest.fixture(scope="module")
async def desk(
    postgres: Postgres, rabbitmq: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """The day, lived through once."""
    desks: list[Desk] = []

    async def tell(journey: Journey) -> None:
        desks.append(await a_day(journey))

    folder, queues = tmp_path_factory.mktemp("desk"), ("ZJJ", "GSGS", "RSJ")
    async with journeys.journey(postgres, rabbitmq, folder, tell, queues, Exchange):
        yield desks[0]


def asking(desk: Desk, service: str, role: str) -> Connection:
    """Somebody of the office, at one service."""
    access = desk.journey.county.access
    return Connection(desk.journey.http, access.urls[service], access.token(role, None))


async def said(desk: Desk) -> list[Fact]:
    """What all services said, each in its order."""
    return [fact for service in NAMES for fact in await desk.journey.log_of(service)]


# --- each has its end ----------------------------------------------------------------------------


async def test_each_of_forty_numbers_has_exactly_one_end(desk: Desk) -> None:
    """R-01, R-02, R-06, R-07: answered, not accepted, handed over, or closed by its citizen."""
    kinds = Counter(demand.kind for demand, _ in desk.taken)
    assert kinds == {"answered": 28, "not_accepted": 3, "handed_over": 2, "ticket": 7}
    ends = sorted((fact.subject, ENDS[fact.name]) for fact in await said(desk) if fact.name in ENDS)
    assert ends == sorted(
        (receipt.number, "closed" if demand.kind == "ticket" else demand.kind)
        for demand, receipt in desk.taken
    )


async def test_the_citizen_sees_the_end_that_was_said(desk: Desk) -> None:
    """R-44: number and code show it to whoever called, in words and without a token."""
    for demand, receipt in desk.taken:
        progress = await desk.exchange.progress(receipt)
        assert progress["status"] == ("closed" if demand.kind == "ticket" else demand.kind)


async def test_every_call_has_an_end(desk: Desk) -> None:
    """40 calls have a number of their own, the two that came back to one have not; none is forgotten."""
    found = await rows(
        desk.journey.databases["jiesu_intake"],
        "SELECT number, hung_up_at, drafted_at FROM phone_call",
    )
    numbers = [receipt.number for _, receipt in desk.taken]
    assert sorted(row.number for row in found if row.number) == sorted(numbers)
    assert len(found) == len(numbers) + 2
    assert all(row.hung_up_at for row in found)


async def test_nobody_and_nothing_is_left_waiting(desk: Desk) -> None:
    for service, role, path, query in LISTS:
        page = await asking(desk, service, role).get(path, query)
        assert page["items"] == [], path
    assert await desk.journey.waiting() == []


LISTS: tuple[tuple[str, str, str, Query], ...] = (
    ("intake", "agent", "/v1/missed-calls", {}),
    ("intake", "desk", "/v1/drafts", {}),
    ("intake", "desk", "/v1/tickets", {"status": "answering"}),
    ("intake", "desk", "/v1/tickets", {"noted_after_end": "true"}),
    ("intake", "custodian", "/v1/contact-requests", {"status": "asked"}),
    ("dispatcher", "desk", "/v1/unassigned", {}),
    ("tracker", "supervisor", "/v1/breaches", {}),
    ("feedback", "callback", "/v1/callbacks", {"status": "due"}),
    ("feedback", "callback", "/v1/callbacks", {"status": "planned"}),
)


# --- the figures add up --------------------------------------------------------------------------

WAYS = ("dispatched", "answered", "answering", "not_accepted", "handed_over", "withdrawn")


async def test_the_figures_of_the_day_add_up(desk: Desk) -> None:
    """R-02, R-06 … R-08: the calls of Monday, each counted once."""
    period: Query = {"from": MONDAY, "to": MONDAY}
    figures = await asking(desk, "intake", "desk").get("/v1/figures", period)
    counted = Counter(demand.kind for demand, _ in desk.taken)
    assert {way: figures[way] for way in WAYS} == {
        "dispatched": counted["ticket"],
        "answered": counted["answered"],
        "answering": 0,
        "not_accepted": counted["not_accepted"],
        "handed_over": counted["handed_over"],
        "withdrawn": 0,
    }
    assert figures["registered"] == sum(figures[way] for way in WAYS) == 40
    assert figures["direct_share"] == 0.7
    assert figures["not_accepted_by_reason"] == {each.reason: 1 for each in NOT_ACCEPTED}
    assert figures["handed_over_by_line"] == {each.line: 1 for each in HANDED_OVER}
    assert figures["call_ratings"] == words(demand.rating for demand, _ in desk.taken)
    period = {"from": TUESDAY, "to": WEDNESDAY}
    later = await asking(desk, "intake", "desk").get("/v1/figures", period)
    assert later["registered"] == 0


def words(given: Iterable[str | None]) -> dict[str, int]:
    """How often each word of a rating was said."""
    counted = Counter(given)
    return {word.value: counted[word.value] for word in CallRating}


async def test_the_call_and_the_matter_are_rated_apart(desk: Desk) -> None:
    """R-26 一次一评、一事一评."""
    _, found = await desk.scene.office.rates(MONDAY, MONDAY)
    assert found["calls"] == {
        "all": words(demand.rating for demand, _ in desk.taken),
        "direct": words(demand.rating for demand, _ in desk.taken if demand.kind == "answered"),
    }
    counts = found["counts"]
    assert (counts["called"], counts["by_citizen"]) == (1, 1)  # nobody is called on Monday


async def test_satisfaction_is_counted_from_what_citizens_said(desk: Desk) -> None:
    """R-25, R-27: seven were called, and one had rung before that."""
    _, found = await desk.scene.office.rates(MONDAY, WEDNESDAY)
    answers = [outcome for _, outcome in desk.exchange.dialled] + [NOT_REPAIRED]
    solved = Counter(answer.get("solved") for answer in answers)
    satisfied = Counter(answer.get("satisfied") for answer in answers)
    assert found["counts"] == {
        "called": len(answers),
        "refused": 0,
        "unreachable": 0,
        "valid": len(answers),
        "contacted": sum(answer.get("contacted") == "yes" for answer in answers),
        "solved": solved["yes"],
        "partly_solved": solved["partly"],
        "satisfied": satisfied["satisfied"],
        "basically_satisfied": satisfied["basically_satisfied"],
        "unsatisfied": satisfied["unsatisfied"],
        "unrated": satisfied[None],
        "partial": 1,
        "by_citizen": 1,
    }
    leads = Counter(desk.leads())
    assert {each["unit"]: each["counts"]["called"] for each in found["units"]} == leads | {"ZJJ": 3}


async def test_work_is_on_time_and_counted_once(desk: Desk) -> None:
    """R-20: three citizens with one pothole are one order of its unit, a redo is one more (GB66-5)."""
    on_time, _ = await desk.scene.office.rates(MONDAY, WEDNESDAY, "judged")
    leads = Counter(desk.leads())
    for stage in ("handle", "sign"):
        assert (on_time[stage]["due"], on_time[stage]["on_time"]) == (leads.total(),) * 2
        assert {each["unit"]: each[stage]["due"] for each in on_time["units"]} == leads


# --- what became of some of them -----------------------------------------------------------------


async def test_three_citizens_of_one_pothole_are_called_each(desk: Desk) -> None:
    """GB66-5: one order, three callbacks at three numbers, three ends."""
    first, *others = [desk.number(caller) for caller in ROAD_USERS]
    kept = {number: await desk.scene.office.ticket(number) for number in (first, *others)}
    assert kept[first]["merged"] == others
    assert [kept[number]["merged_into"] for number in others] == [first, first]
    assert [desk.dialled(caller) for caller in ROAD_USERS] == [[one.phone] for one in ROAD_USERS]
    for number in others:
        [order] = await desk.scene.office.assignments(number)
        assert order["status"] == "cancelled"


async def test_the_callback_goes_to_the_number_that_was_put_right(desk: Desk) -> None:
    """A mistyped phone reaches a stranger once, and never again."""
    assert desk.dialled(NO_WATER) == [NO_WATER.phone]
    corrected = [fact for fact in await said(desk) if fact.name == "ticket.corrected"]
    assert [fact.subject for fact in corrected] == [desk.number(NO_WATER)]
    assert MISTYPED not in {call.phone for call, _ in desk.exchange.dialled}


async def test_who_rings_before_we_do_is_heard_and_called_once(desk: Desk) -> None:
    """R-27, R-44: reopened on his word, done again, called by a person, closed."""
    number = desk.number(IN_THE_DARK)
    calls = [call for call, _ in desk.exchange.dialled if call.number == number]
    assert [(call.round, call.person) for call in calls] == [(2, True)]
    reopened = [fact.subject for fact in await said(desk) if fact.name == "ticket.reopened"]
    assert reopened == [number]


async def test_the_reported_hear_nothing_of_a_report(desk: Desk) -> None:
    """R-35: the town of the accused village head gets no order, no fact and no contact; the unit that
    handles it reads the contact with a custodian's leave, and a person calls.
    """
    number = desk.number(REPORTER)
    assert desk.refused == {
        "assign": "recused", "read": "custodian-needed", "reported": "not-found",
    }  # fmt: skip
    town = desk.scene.unit("HC")
    await town.facts.read()
    assert town.book.facts == {}
    [order] = await desk.scene.office.assignments(number)
    assert order["unit"] == "MZJ"
    [call] = [call for call, _ in desk.exchange.dialled if call.number == number]
    assert call.person


async def test_every_reading_of_a_contact_stands_in_the_read_log(desk: Desk) -> None:
    """R-36: whom the unit asked, who granted it, who was refused."""
    number = desk.number(REPORTER)
    deeds = await rows(
        desk.journey.databases["jiesu_intake"],
        f"SELECT actor, deed FROM contact_read WHERE number = '{number}' ORDER BY id",
    )
    assert [tuple(deed) for deed in deeds] == [
        ("unit:MZJ:MZJ", "refused"),
        ("unit:HC:HC", "refused"),
        ("unit:MZJ:MZJ", "requested"),
        ("custodian:embedded-custodian", "granted"),
        ("unit:MZJ:MZJ", "read"),
        ("service:feedback", "read"),
    ]


async def test_who_is_not_taken_on_is_told_where_to_turn(desk: Desk) -> None:
    """R-06 … R-08: in a message, or where the matter is confidential only to who has the code."""
    facts = await said(desk)
    told = {fact.subject: fact.data.zh for fact in facts if fact.name == "citizen.told"}
    refused = [each for each in desk.taken if each[0].kind == "not_accepted"]
    for (demand, receipt), wanted in zip(refused, NOT_ACCEPTED, strict=True):
        progress = await desk.exchange.progress(receipt)
        assert wanted.channel in progress["answer"]
        assert (wanted.channel in told[receipt.number]) == (demand.body["type"] != "report")
    for number, line in zip(desk.of_kind("handed_over"), HANDED_OVER, strict=True):
        assert line.line in told[number]


# --- nobody is named, nothing is missing ---------------------------------------------------------


async def test_no_caller_is_named_outside_the_vault(desk: Desk) -> None:
    """R-36: in no table, fact, log line, and in no address that anybody asked for."""
    found = await desk.journey.everything()
    assert {"jiesu_intake.phone_call", "jiesu_intake.outbox", "overheard"} <= found.keys()
    for heard in ("addresses", "log"):  # the search would find what stands there
        assert "/v1/calls/pop/" in found[heard]
    leaks = [(place, who) for place, text in found.items() for who in identities() if who in text]
    assert leaks == []


async def test_no_fact_log_has_a_gap(desk: Desk) -> None:
    """R-34: each fact once, in its order, as the broker had it."""
    overheard = Counter(Fact.decode(body).id for body in desk.journey.overheard)
    for service in NAMES:
        facts = await desk.journey.log_of(service)
        page = await asking(desk, service, "ops").get("/v1/facts", {"after": 0, "limit": 1000})
        assert [row["position"] for row in page["items"]] == list(range(1, len(facts) + 1))
        seqs: dict[str, list[int]] = {}
        for fact in facts:
            seqs.setdefault(fact.subject, []).append(fact.seq)
        assert all(found == list(range(1, len(found) + 1)) for found in seqs.values())
        assert {fact.id for fact in facts} <= overheard.keys()
