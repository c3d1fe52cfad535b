"""The tracker over HTTP: clocks explained, extensions, supervision by hand, figures; who may what."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.events import Limits, Role, TicketType, Urgency
from shared.security.tokens import ROLES
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, HC, TICKET, Story, at, clocks, facts_told, local

ASK = {"reason": "需跨部门勘查", "legal_basis": "《信访工作条例》第三十四条", "days": 3}
GRANT = {"granted": True, "reason": "情况属实"}
REFUSE = {"granted": False, "reason": "理由不充分"}
HAND = {"rung": 2, "reason": "群众反复反映"}


@pytest.fixture
async def open_ticket(tracker: Bench, story: Story) -> Story:
    """A ticket at Hongchun, dispatched on Monday and due on Monday next."""
    await tracker.hear(story.registered(), story.dispatched())
    return story


async def ask(tracker: Bench, unit: str = "HC", id: UUID = HC, **what: Any) -> httpx.Response:
    """Ask for an extension."""
    return await tracker.http("unit", unit).post(
        f"/v1/assignments/{id}/extensions", json=ASK | what
    )


async def rule(tracker: Bench, extension: str, ruling: dict[str, Any]) -> httpx.Response:
    """Rule on an extension."""
    return await tracker.http("supervisor").post(f"/v1/extensions/{extension}/ruling", json=ruling)


async def supervise(tracker: Bench, id: UUID = HC, **what: Any) -> httpx.Response:
    """Raise a rung by hand."""
    path = f"/v1/assignments/{id}/supervisions"
    return await tracker.http("supervisor").post(path, json=HAND | what)


def slug(response: httpx.Response) -> str:
    """The last part of a problem's type."""
    return str(response.json()["type"]).rpartition("/")[2]


# --- who may what ------------------------------------------------------------------------------

DOORS = {
    ("GET", f"/v1/tickets/{TICKET}/clocks"): {
        "unit", "desk", "supervisor", "callback", "service",
    },
    ("GET", "/v1/rates"): {"unit", "desk", "supervisor", "service"},
    ("GET", "/v1/breaches"): {"desk", "supervisor"},
    ("POST", f"/v1/assignments/{HC}/extensions"): {"unit"},
    ("POST", f"/v1/extensions/{HC}/ruling"): {"supervisor"},
    ("POST", f"/v1/assignments/{HC}/supervisions"): {"supervisor"},
}  # fmt: skip


@pytest.mark.usefixtures("open_ticket")
@pytest.mark.parametrize("role", [None, *ROLES])
async def test_each_door_knows_its_roles(tracker: Bench, role: str | None) -> None:
    client = tracker.http(role, "HC" if role == "unit" else None)
    for (method, path), roles in DOORS.items():
        response = await client.request(method, path, json={} if method == "POST" else None)
        opened = 422 if method == "POST" else 200
        expected = 401 if role is None else opened if role in roles else 403
        assert response.status_code == expected, path


@pytest.mark.usefixtures("open_ticket")
async def test_another_unit_s_thing_does_not_exist(tracker: Bench) -> None:
    other = tracker.http("unit", "GT")
    assert (await other.get(f"/v1/tickets/{TICKET}/clocks")).status_code == 404
    assert (await ask(tracker, "GT")).status_code == 404
    assert (await ask(tracker, "HC", uuid4())).status_code == 404
    assert (await supervise(tracker, uuid4())).status_code == 404
    assert (await rule(tracker, str(uuid4()), GRANT)).status_code == 404
    desk = tracker.http("desk")
    assert (await desk.get("/v1/tickets/20260302-999999/clocks")).status_code == 404


async def test_a_unit_sees_its_own_clocks_only(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.dispatched(id=GT, unit="GT", role=Role.CO))
    await supervise(tracker, HC)
    path = f"/v1/tickets/{TICKET}/clocks"
    seen = (await tracker.http("unit", "GT").get(path)).json()
    assert {clock["unit"] for clock in seen["clocks"]} == {"GT"}
    assert seen["supervisions"] == []
    whole = (await tracker.http("supervisor").get(path)).json()
    assert {clock["unit"] for clock in whole["clocks"]} == {None, "HC", "GT"}
    assert len(whole["supervisions"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": "many"}, "days"),
        ({"reason": "  "}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"legal_basis": "x" * 201}, "legal_basis"),
        ({"date": "2026-03-12"}, "date"),
    ],
)
@pytest.mark.usefixtures("open_ticket")
async def test_a_malformed_request_is_refused_with_its_field(
    tracker: Bench, body: dict[str, Any], field: str
) -> None:
    response = await ask(tracker, **body)
    assert response.status_code == 422
    assert response.json()["field"] == field


# --- clocks explained --------------------------------------------------------------------------


@pytest.mark.usefixtures("open_ticket")
async def test_each_due_moment_is_explained_day_by_day(tracker: Bench) -> None:
    answer = await tracker.http("desk").get(f"/v1/tickets/{TICKET}/clocks")
    handle = next(clock for clock in answer.json()["clocks"] if clock["kind"] == "handle")
    assert handle["limit"] == "5wd"
    assert handle["due"] == "2026-03-09T10:00:00Z"
    assert [(day["day"][5:], day["counted"]) for day in handle["days"]] == [
        ("03-02", False),
        ("03-03", True),
        ("03-04", True),
        ("03-05", True),
        ("03-06", True),
        ("03-07", False),
        ("03-08", False),
        ("03-09", True),
    ]
    assert "开始当日不计入" in handle["days"][0]["note"]["zh"]
    assert (handle["status"], handle["provisional"], handle["kept"]) == ("running", False, False)
    assert "Running" in handle["sentence"]["en"]


async def test_pauses_and_extension_are_explained_too(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.asked_return("03-03 17:00"))
    await tracker.hear(open_ticket.refused_return("03-04 09:30"))
    tracker.at("2026-03-04T10:00+08:00")
    asked = (await ask(tracker)).json()
    await rule(tracker, asked["id"], GRANT)
    answer = (await tracker.http("unit", "HC").get(f"/v1/tickets/{TICKET}/clocks")).json()
    handle = next(clock for clock in answer["clocks"] if clock["kind"] == "handle")
    assert [pause["given_back"] for pause in handle["pauses"]] == [2 * 3600]
    assert (handle["extended_by"], handle["due"]) == (3, "2026-03-13T02:30:00Z")
    assert [day["day"][5:] for day in handle["extension_days"] if day["counted"]] == [
        "03-10",
        "03-11",
        "03-12",
    ]
    (extension,) = answer["extensions"]
    assert (extension["status"], extension["due"]) == ("granted", handle["due"])


async def test_a_year_without_a_notice_is_flagged(tracker: Bench) -> None:
    year_end = Story(tracker, "20261230-000001")
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(year_end.registered("12-30 10:00"))
    path = "/v1/tickets/20261230-000001/clocks"
    found = (await tracker.http("supervisor").get(path)).json()["clocks"]
    provisional = {clock["kind"]: clock["provisional"] for clock in found}
    assert provisional == {"dispatch": False, "citizen": True}


# --- extensions --------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_ticket")
async def test_an_extension_is_asked_granted_and_moves_the_handle_clock(tracker: Bench) -> None:
    asked = await ask(tracker)
    assert asked.status_code == 200
    assert (asked.json()["status"], asked.json()["due"]) == ("asked", "2026-03-09T10:00:00Z")
    granted = await rule(tracker, asked.json()["id"], GRANT)
    assert (granted.json()["status"], granted.json()["due"]) == ("granted", "2026-03-12T10:00:00Z")
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-09 18:00")
    told = [fact for fact in await tracker.told() if fact.actor != "service:tracker"]
    assert [fact.key for fact in told] == [
        "extension.requested.HC",
        "deadline.moved.HC",
        "extension.granted.HC",
    ]
    assert told[-1].data.due == at("03-12 18:00")
    assert told[0].actor == "unit:HC:test"


@pytest.mark.usefixtures("open_ticket")
async def test_a_refused_extension_moves_nothing_and_is_not_asked_twice(tracker: Bench) -> None:
    asked = (await ask(tracker)).json()
    refused = await rule(tracker, asked["id"], REFUSE)
    assert (refused.json()["status"], refused.json()["ruling"]) == ("refused", "理由不充分")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    assert [f.key for f in await tracker.told("extension.refused")] == ["extension.refused.HC"]
    again = await ask(tracker)
    assert (again.status_code, slug(again)) == (409, "extension-asked-before")
    twice = await rule(tracker, asked["id"], GRANT)
    assert (twice.status_code, twice.json()["state"]) == (409, "refused")


@pytest.mark.usefixtures("open_ticket")
async def test_an_extension_asked_in_time_and_ruled_late_takes_the_breach_back(
    tracker: Bench,
) -> None:
    tracker.at("2026-03-09T13:59+08:00")
    asked = (await ask(tracker)).json()
    tracker.at("2026-03-10T11:00+08:00")
    await tracker.run("sweep")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await rule(tracker, asked["id"], GRANT)
    told = await facts_told(tracker, "deadline.annulled", "supervision.closed", "extension.granted")
    assert told == [
        "deadline.annulled@03-10 11:00",
        "supervision.closed@03-10 11:00",
        "extension.granted@03-10 11:00",
    ]
    assert await tracker.rows("SELECT 1 FROM supervisions") == []


async def test_an_extension_is_refused_by_name(tracker: Bench, open_ticket: Story) -> None:
    urgent, praise, redo = (Story(tracker, f"20260302-00000{n}") for n in (2, 3, 4))
    ids = [uuid4() for _ in range(3)]
    await tracker.hear(
        urgent.registered(),
        urgent.dispatched(id=ids[0], urgency=Urgency.URGENT, limits=Limits(handle="24h")),
        praise.registered(ticket_type=TicketType.COMMENDATION),
        praise.dispatched(id=ids[1], limits=Limits(sign="1wd")),
        redo.registered(),
        redo.dispatched(id=ids[2], round=2, redo=True),
    )
    slugs = [slug(await ask(tracker, id=id)) for id in ids]
    assert slugs == ["extension-not-for-urgency", "nothing-to-extend", "extension-not-on-redo"]
    assert slug(await ask(tracker, days=8)) == "extension-too-long"
    tracker.at("2026-03-09T15:00+08:00")
    late = await ask(tracker)
    assert (late.status_code, slug(late)) == (409, "extension-too-late")
    await tracker.hear(open_ticket.completed("03-09 16:00"))
    done = await ask(tracker)
    assert (done.json()["state"], done.json()["allowed"]) == ("met", [])
    assert await tracker.told("extension.requested") == []


@pytest.mark.usefixtures("open_ticket")
async def test_the_same_request_twice_is_answered_as_the_first_time(tracker: Bench) -> None:
    client, key = tracker.http("unit", "HC"), {"Idempotency-Key": "k-1"}
    path = f"/v1/assignments/{HC}/extensions"
    first = await client.post(path, json=ASK, headers=key)
    second = await client.post(path, json=ASK, headers=key)
    assert (second.status_code, second.json()) == (200, first.json())
    assert len(await tracker.told("extension.requested")) == 1
    other = await client.post(path, json=ASK | {"days": 4}, headers=key)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


@pytest.mark.usefixtures("open_ticket")
async def test_two_who_ask_at_once_ask_once(tracker: Bench) -> None:
    answers = await asyncio.gather(*(ask(tracker) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


# --- supervision by hand -----------------------------------------------------------------------


@pytest.mark.parametrize("rung", range(1, 8))
@pytest.mark.usefixtures("open_ticket")
async def test_a_supervisor_raises_any_rung(tracker: Bench, rung: int) -> None:
    raised = await supervise(tracker, rung=rung)
    assert raised.status_code == 200
    (told,) = await tracker.told("supervision.raised")
    assert (told.key, told.data.rung, told.data.by) == ("supervision.raised.HC", rung, "hand")
    assert told.data.reason == HAND["reason"]
    assert told.data.answer_due == (at("03-05 18:00") if rung == 2 else None)
    assert str(told.data.supervision) == raised.json()["id"]


async def test_a_supervision_by_hand_ends_with_its_assignment(
    tracker: Bench, open_ticket: Story
) -> None:
    tracker.at("2026-03-03T10:00+08:00")
    raised = (await supervise(tracker)).json()
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    (closed,) = await tracker.told("supervision.closed")
    assert (str(closed.data.supervision), local(closed.time)) == (raised["id"], "03-04 10:00")
    late = await supervise(tracker)
    assert (late.status_code, late.json()["state"]) == (409, "ended")


async def test_a_supervision_is_not_closed_before_it_was_raised(
    tracker: Bench, open_ticket: Story
) -> None:
    tracker.at("2026-03-05T10:00+08:00")
    await supervise(tracker)
    await tracker.hear(open_ticket.completed("03-04 10:00"))
    assert await facts_told(tracker, "supervision.closed") == ["supervision.closed@03-05 10:00"]


@pytest.mark.parametrize("body", [{"rung": 0}, {"rung": 8}, {"reason": ""}, {"reason": None}])
@pytest.mark.usefixtures("open_ticket")
async def test_a_rung_that_is_none_is_malformed(tracker: Bench, body: dict[str, Any]) -> None:
    assert (await supervise(tracker, **body)).status_code == 422


# --- figures -----------------------------------------------------------------------------------


@pytest.fixture
async def month(tracker: Bench) -> Bench:
    """HC leads four: in time, extended, a breach taken back, late; and helps with a fifth, late."""
    ids = [UUID(int=100 + n) for n in range(5)]
    stories = [Story(tracker, f"20260302-10000{n}") for n in range(5)]
    for story, id in zip(stories, ids, strict=True):
        role = Role.CO if id == ids[4] else Role.LEAD
        await tracker.hear(story.registered(), story.dispatched(id=id, role=role))
        if id != ids[3]:
            await tracker.hear(story.signed("03-02 11:00", id=id))
    asked = (await ask(tracker, id=ids[1])).json()
    await rule(tracker, asked["id"], GRANT)
    tracker.at("2026-03-20T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(
        stories[0].completed("03-05 10:00", id=ids[0]),
        stories[1].completed("03-11 10:00", id=ids[1]),
        stories[2].completed("03-09 10:00", id=ids[2]),
        stories[3].completed("03-11 10:00", id=ids[3]),
        stories[4].completed("03-19 10:00", id=ids[4]),
    )
    return tracker


async def rates(tracker: Bench, first: str, last: str, role: str = "supervisor") -> Any:
    """The figures of a period."""
    client = tracker.http(role, "GT" if role == "unit" else None)
    return (await client.get(f"/v1/rates?from=2026-{first}&to=2026-{last}&by=unit")).json()


async def test_on_time_rates_count_standing_breaches_only(month: Bench) -> None:
    found = await rates(month, "03-01", "03-31")
    assert found["handle"] == {"due": 4, "on_time": 3, "extended": 1, "rate": 0.75}
    assert found["sign"] == {"due": 5, "on_time": 4, "extended": 0, "rate": 0.8}
    assert [unit["unit"] for unit in found["units"]] == ["HC"]


async def test_a_clock_counts_in_the_period_it_was_judged_in(month: Bench) -> None:
    by_day = {
        day: (await rates(month, f"03-{day}", f"03-{day}"))["handle"]["due"]
        for day in ("05", "09", "10", "11")
    }
    assert by_day == {"05": 1, "09": 2, "10": 0, "11": 1}
    nothing = (await rates(month, "04-01", "04-30"))["handle"]
    assert nothing == {"due": 0, "on_time": 0, "extended": 0, "rate": None}


async def test_a_period_is_this_month_so_far_unless_told_otherwise(month: Bench) -> None:
    found = (await month.http("desk").get("/v1/rates")).json()
    assert (found["start"], found["end"]) == ("2026-03-01", "2026-03-20")
    assert found["handle"]["due"] == 4


async def test_a_unit_sees_its_own_figures(month: Bench) -> None:
    found = await rates(month, "03-01", "03-31", "unit")
    assert (found["units"], found["handle"]["due"]) == ([], 0)


async def test_a_period_that_is_none_is_malformed(tracker: Bench) -> None:
    client = tracker.http("supervisor")
    for query in ("from=2026-03-03&to=2026-03-01", "from=x", "by=topic"):
        assert (await client.get(f"/v1/rates?{query}")).status_code == 422


async def test_standing_breaches_are_paged(month: Bench) -> None:
    client, seen, after = month.http("supervisor"), [], ""
    while True:
        page = (await client.get(f"/v1/breaches?limit=2{after}")).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    standing = await month.rows("SELECT id FROM clocks WHERE breached_at IS NOT NULL")
    assert {clock["id"] for clock in seen} == {str(row["id"]) for row in standing}
    assert len(seen) == len(standing)
    assert [clock["breached_at"] for clock in seen] == sorted(
        clock["breached_at"] for clock in seen
    )
    of_unit = (await client.get("/v1/breaches?unit=HC")).json()["items"]
    assert {clock["unit"] for clock in of_unit} == {"HC"}


async def test_a_number_or_a_unit_that_is_none_is_malformed(tracker: Bench) -> None:
    client = tracker.http("supervisor")
    for path in ("/v1/tickets/2026%00/clocks", "/v1/tickets/x/clocks", "/v1/breaches?unit=%00"):
        assert (await client.get(path)).status_code == 422


@pytest.mark.parametrize("cursor", ["x", "\x00", "20260309T100000.000000~", "~00"])
async def test_a_tampered_cursor_is_refused(tracker: Bench, cursor: str) -> None:
    answer = await tracker.http("desk").get("/v1/breaches", params={"after": cursor})
    assert (answer.status_code, slug(answer)) == (400, "bad-cursor")
