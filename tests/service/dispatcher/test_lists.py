"""What is to be done next: the desk's lists, and each unit's (工作清单)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.events import (
    Data,
    DeadlineMoved,
    DeadlinePaused,
    DeadlineResumed,
    DeadlineSet,
    DeadlineView,
    Fact,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    banquet,
    let_lead,
    post,
    reach,
    register,
    rule,
    sign,
    street_light,
)

HOUR = timedelta(hours=1)


def number(count: int) -> str:
    return f"20260302-00000{count}"


def view(bench: Bench, kind: str, hours: float, start: datetime | None = None) -> DeadlineView:
    """A clock that is due so many hours from now."""
    due = bench.now + hours * HOUR
    return DeadlineView(clock=kind, started_at=start or bench.now, limit="1h", due=due)


def of_order(bench: Bench, id: UUID, data: Data, ticket: str = NUMBER, **said: Any) -> Fact:
    """What the tracker says of an order's clocks."""
    return bench.fact(data, subject=ticket, unit=STREET_LIGHT, assignment=id, **said)


async def listed(bench: Bench, path: str, role: str = "desk", **query: Any) -> Any:
    unit = STREET_LIGHT if role == "unit" else None
    answer = await bench.http(role, unit).get(f"/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def paged(bench: Bench, path: str, role: str = "desk") -> list[str]:
    """The numbers of a whole list, a page of one at a time."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await listed(bench, path, role, limit=1, **after)
        found += [item["number"] for item in page["items"]]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


# --- the desk: what nobody has -----------------------------------------------------------------


async def test_the_desk_begins_with_what_is_most_urgent_then_with_what_is_due(
    dispatcher: Bench,
) -> None:
    for count, content in enumerate(("大办酒席", "大办酒席", "宴席上有人被困", "大办酒席"), 1):
        await register(dispatcher, banquet(content=content), number(count))
    for count, hours in ((1, 3), (2, 1), (3, 5)):  # of the fourth nothing was heard
        said = DeadlineSet(clocks=(view(dispatcher, "dispatch", hours),))
        await dispatcher.hear(dispatcher.fact(said, subject=number(count)))
    assert await paged(dispatcher, "unassigned") == [number(count) for count in (3, 4, 2, 1)]
    dispatcher.at(dispatcher.now + 2 * HOUR)
    page = await listed(dispatcher, "unassigned")
    assert page["counts"] == {
        "total": 4,
        "overdue": 1,
        "urgencies": {"critical": 1, "normal": 3},
    }


async def test_a_desk_s_clock_that_units_have_met_says_nothing_of_the_next_time(
    dispatcher: Bench,
) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    said = DeadlineSet(clocks=(view(dispatcher, "dispatch", 0.5), view(dispatcher, "citizen", 40)))
    await dispatcher.hear(dispatcher.fact(said, subject=NUMBER))
    dispatcher.at(dispatcher.now + HOUR)
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=True)
    (item,) = (await listed(dispatcher, "unassigned"))["items"]
    assert (item["due"], item["citizen_due"] is None) == (None, False)
    anew = DeadlineSet(clocks=(view(dispatcher, "dispatch", 0.5),))
    await dispatcher.hear(dispatcher.fact(anew, subject=NUMBER))
    await register(dispatcher, number=number(9))  # another ticket's dispatch ends no clock of this
    (item,) = (await listed(dispatcher, "unassigned"))["items"]
    assert datetime.fromisoformat(item["due"]) == dispatcher.now + HOUR / 2


async def test_a_critical_ticket_left_to_the_desk_says_so_to_all(dispatcher: Bench) -> None:
    """The tracker's clocks follow what the dispatcher holds, not what was asked for (R-03, R-35)."""
    report = {"type": "report", "content": "公安局不管，我想自杀", "reported_unit": "GAJ"}
    await register(dispatcher, street_light(**report, title="求助无门"))
    (left,) = await dispatcher.told("ticket.unassigned")
    assert left.data.urgency == "critical"
    (item,) = (await listed(dispatcher, "unassigned"))["items"]
    assert item["urgency"] == "critical"


async def test_the_desk_s_time_begins_anew_when_units_lose_a_ticket_without_a_return(
    dispatcher: Bench,
) -> None:
    await register(dispatcher)
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "另行核实"})
    assert [fact.data.anew for fact in await dispatcher.told("ticket.unassigned")] == [True]
    body = {"lead": STREET_LIGHT, "reason": "核实后重派"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    again = (await register(dispatcher, number=number(3)))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, again)
    await rule(dispatcher, again, granted=True)  # that fact starts the clock
    told = await dispatcher.told("ticket.unassigned")
    assert [fact.data.anew for fact in told] == [True, False]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"topic": "conduct.banquet"}, [1, 2]),
        ({"topic": "conduct"}, [1, 2]),
        ({"area": "610924"}, [1, 2, 3]),
        ({"area": "610924110"}, [1]),
        ({"area": "红椿镇"}, [1]),
        ({"flags": ["enterprise"]}, [2]),
        ({"flags": ["enterprise", "tourism"]}, []),
        ({"text": "九十九桌"}, [2]),
        ({"text": "%"}, []),
        ({"urgency": "critical"}, [3]),
    ],
)
async def test_the_desk_s_list_is_narrowed(
    dispatcher: Bench, query: dict[str, Any], found: list[int]
) -> None:
    await register(dispatcher, banquet(), number(1))
    second = banquet(area="610924100", flags=("enterprise",), content="摆了九十九桌")
    await register(dispatcher, second, number(2))
    third = street_light(type="report", content="有人要跳楼", area="610924100")
    await register(dispatcher, third, number(3))
    page = await listed(dispatcher, "unassigned", **query)
    assert sorted(item["number"] for item in page["items"]) == [number(each) for each in found]
    assert page["counts"]["total"] == len(found)


async def test_a_code_nobody_knows_narrows_nothing_silently(dispatcher: Bench) -> None:
    for field in ("topic", "area"):
        answer = await dispatcher.http("desk").get("/v1/unassigned", params={field: "nowhere"})
        assert (answer.status_code, answer.json()["field"]) == (422, field)


# --- the desk: returns -------------------------------------------------------------------------


async def test_the_desk_sees_each_return_with_its_grounds(dispatcher: Bench) -> None:
    """R-15: what the desk must know to rule, in one list."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    page = await listed(dispatcher, "returns")
    (item,) = page["items"]
    assert {name: item[name] for name in RETURN} == RETURN
    assert item["unit"] == STREET_LIGHT
    assert item["ground"]["zh"]
    assert (item["number"], item["assignment"]) == (NUMBER, str(given))
    assert datetime.fromisoformat(item["requested_at"]) == dispatcher.now
    assert (item["title"], item["urgency"]) == ("路灯不亮", "normal")
    assert datetime.fromisoformat(item["due"]) == dispatcher.now + 6 * HOUR  # 4wh over noon
    assert page["counts"] == {"total": 1, "overdue": 0, "urgencies": {"normal": 1}}
    for role in ("unit", "callback", "agent"):
        unit = STREET_LIGHT if role == "unit" else None
        assert (await dispatcher.http(role, unit).get("/v1/returns")).status_code == 403


@pytest.mark.parametrize("granted", [True, False])
async def test_a_return_that_was_ruled_on_leaves_the_list(dispatcher: Bench, granted: bool) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=granted)
    page = await listed(dispatcher, "returns")
    assert (page["items"], page["counts"]["total"]) == ([], 0)


async def test_a_return_whose_order_ended_meanwhile_leaves_the_list(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    body = {"lead": "HC", "reason": "改派"}
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert (await listed(dispatcher, "returns"))["items"] == []


async def test_returns_come_in_the_order_in_which_they_are_to_be_ruled_on(
    dispatcher: Bench,
) -> None:
    for count in (1, 2, 3):
        given = await register(dispatcher, number=number(count))
        await ask_back(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
        dispatcher.at(dispatcher.now + timedelta(minutes=1))
    assert await paged(dispatcher, "returns") == [number(count) for count in (1, 2, 3)]
    page = await listed(dispatcher, "returns", unit="HC")
    assert page["counts"]["total"] == 0


# --- a unit ------------------------------------------------------------------------------------


async def test_a_unit_s_orders_come_by_what_it_must_do_next(dispatcher: Bench) -> None:
    given = {}
    for count in (1, 2, 3):
        given[count] = (await register(dispatcher, number=number(count)))[STREET_LIGHT]
    for count, sign_in, handle_in in ((1, 4, 40), (2, 1, 50), (3, 2, 30)):
        clocks = view(dispatcher, "sign", sign_in), view(dispatcher, "handle", handle_in)
        said = of_order(dispatcher, given[count], DeadlineSet(clocks=clocks), number(count))
        await dispatcher.hear(said)
    path = f"units/{STREET_LIGHT}/orders"
    assert await paged(dispatcher, path, "unit") == [number(count) for count in (2, 3, 1)]
    await sign(dispatcher, STREET_LIGHT, given[2])
    assert await paged(dispatcher, path, "unit") == [number(count) for count in (3, 1, 2)]
    dispatcher.at(dispatcher.now + 3 * HOUR)
    page = await listed(dispatcher, path, "unit")
    assert page["counts"] == {
        "total": 3,
        "overdue": 1,
        "urgencies": {"normal": 3},
        "statuses": {"dispatched": 2, "signed": 1},
        "handlers": [
            {"handler": None, "account": None, "orders": 2},
            {"handler": "张三", "account": None, "orders": 1},
        ],
    }
    (mine,) = (await listed(dispatcher, path, "unit", handler="张三"))["items"]
    assert (mine["number"], mine["title"], mine["address"]) == (number(2), "路灯不亮", "滨江路8号")


async def test_an_order_nobody_has_told_a_due_moment_of_is_not_overlooked(
    dispatcher: Bench,
) -> None:
    """What a release before left is as good as due since it came."""
    for count in (1, 2):
        given = await register(dispatcher, number=number(count))
    said = DeadlineSet(clocks=(view(dispatcher, "handle", 1),))
    await dispatcher.hear(of_order(dispatcher, given[STREET_LIGHT], said, number(2)))
    path = f"units/{STREET_LIGHT}/orders"
    assert await paged(dispatcher, path, "unit") == [number(1), number(2)]
    assert (await listed(dispatcher, path, "unit"))["items"][0]["due"] is None


async def test_a_clock_that_stands_still_says_since_when(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await dispatcher.hear(
        of_order(dispatcher, given, DeadlineSet(clocks=(view(dispatcher, "handle", 1),))),
        of_order(dispatcher, given, DeadlinePaused(clock="handle", reason="退单")),
    )
    path = f"units/{STREET_LIGHT}/orders"
    (item,) = (await listed(dispatcher, path, "unit"))["items"]
    (shown,) = item["clocks"]
    assert datetime.fromisoformat(shown["paused_since"]) == dispatcher.now
    dispatcher.at(dispatcher.now + 2 * HOUR)
    assert (await listed(dispatcher, path, "unit"))["counts"]["overdue"] == 0
    later = dispatcher.now + 9 * HOUR
    resumed = DeadlineResumed(clock="handle", due=later)
    await dispatcher.hear(of_order(dispatcher, given, resumed))
    (item,) = (await listed(dispatcher, path, "unit"))["items"]
    (shown,) = item["clocks"]
    assert shown["paused_since"] is None
    assert datetime.fromisoformat(shown["due"]) == datetime.fromisoformat(item["due"]) == later


@pytest.mark.parametrize("order", [*permutations(range(4))])
async def test_in_whatever_order_clocks_are_heard_of_the_last_word_counts(
    dispatcher: Bench, order: tuple[int, ...]
) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    start, last = dispatcher.now, dispatcher.now + 9 * HOUR
    moved = DeadlineMoved(clock="handle", before=start, due=start + HOUR, reason="延期")
    facts = [
        of_order(dispatcher, given, DeadlineSet(clocks=(view(dispatcher, "handle", 2),)), seq=1),
        of_order(dispatcher, given, moved, seq=2),
        of_order(dispatcher, given, DeadlinePaused(clock="handle", reason="退单"), seq=3),
        of_order(dispatcher, given, DeadlineResumed(clock="handle", due=last), seq=4),
    ]
    await dispatcher.hear(*(facts[place] for place in order[:2]))
    await dispatcher.hear(*(facts[place] for place in order[2:]))
    [row] = await dispatcher.rows("SELECT * FROM clocks")
    assert (row["due"], row["paused_at"], row["started_at"]) == (last, None, start)


async def test_clocks_may_be_heard_of_before_their_ticket(dispatcher: Bench) -> None:
    said = DeadlineSet(clocks=(view(dispatcher, "dispatch", 1),))
    await dispatcher.hear(dispatcher.fact(said, subject=NUMBER))
    assert await dispatcher.parked() == []
    await register(dispatcher, banquet())
    (item,) = (await listed(dispatcher, "unassigned"))["items"]
    assert datetime.fromisoformat(item["due"]) == dispatcher.now + HOUR


async def test_a_unit_finds_and_counts_nothing_it_has_to_stand_back_from(
    dispatcher: Bench,
) -> None:
    """R-35: an order of an older release to whom the ticket is about is nowhere in the list."""
    await register(dispatcher, number=number(1))
    await register(dispatcher, number=number(2))
    query = "UPDATE tickets SET matter = matter || CAST(:about AS jsonb) WHERE number = :number"
    about = f'{{"reported_unit": "{STREET_LIGHT}"}}'
    async with dispatcher.service.store.act("test") as change:
        connection = await change.session.connection()
        await connection.execute(text(query), {"about": about, "number": number(1)})
    path = f"units/{STREET_LIGHT}/orders"
    page = await listed(dispatcher, path, "unit")
    assert [item["number"] for item in page["items"]] == [number(2)]
    assert (page["counts"]["total"], page["counts"]["statuses"]) == (1, {"dispatched": 1})
    assert (await listed(dispatcher, path))["counts"]["total"] == 2  # the desk sees both


async def test_a_unit_lists_its_own_orders_only(dispatcher: Bench) -> None:
    path = f"/v1/units/{STREET_LIGHT}/orders"
    assert (await dispatcher.http("unit", "HC").get(path)).status_code == 404
    for role in ("callback", "agent", "phone_system"):
        assert (await dispatcher.http(role).get(path)).status_code == 403
    wrong = await dispatcher.http("desk").get(path, params={"status": "completed"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "status")


async def test_where_a_confidential_matter_is_stays_hidden(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(confidential=True))
    (item,) = (await listed(dispatcher, f"units/{STREET_LIGHT}/orders", "unit"))["items"]
    assert (item["area"], item["address"]) == ("610924100", None)


# --- who speaks with the citizen ---------------------------------------------------------------


async def test_who_speaks_with_the_citizen_reads_the_unit_and_how_far_it_is(
    dispatcher: Bench,
) -> None:
    """R-44: agents and call-back staff read what the citizen may hear, and nothing internal."""
    given = (await register(dispatcher))[STREET_LIGHT]
    path = f"tickets/{NUMBER}/handling"
    shown = await listed(dispatcher, path, "agent")
    [unit] = shown["units"]
    assert (unit["unit"], unit["name"]) == (STREET_LIGHT, "城市管理执法局")
    assert unit["status"] == "dispatched"
    assert shown["answer"] is None
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    done = {
        "kind": "solved",
        "solved": True,
        "result": "内部：换灯二盏",
        "public_answer": "路灯已修好",
        "signed_off_by": "王局长",
    }
    await act(dispatcher, STREET_LIGHT, given, "completion", done)
    answer = await dispatcher.http("callback").get(f"/v1/{path}")
    shown = answer.json()
    assert (shown["status"], shown["answer"]["public_answer"]) == ("resolved", "路灯已修好")
    assert "内部" not in answer.text
    assert "滨江路" not in answer.text
    for role, unit in (("unit", STREET_LIGHT), ("phone_system", None)):
        assert (await dispatcher.http(role, unit).get(f"/v1/{path}")).status_code == 403
    missing = await dispatcher.http("agent").get("/v1/tickets/20260302-999999/handling")
    assert missing.status_code == 404
