"""工作清单: what waits for one role says of each list what the list itself says (ADR 0052)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from shared.events import Data, DeadlinePaused, DeadlineSet, DeadlineView, TicketSupplemented
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import disputed, raised
from tests.fixtures.scenes.catalogue import drafted
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    banquet,
    company,
    let_lead,
    post,
    reach,
    register,
    sign,
    street_light,
)
from tests.fixtures.scenes.reform import followed, propose, take_up
from tests.fixtures.scenes.worklist import by_its_lists, stuck, worklist

HOUR = timedelta(hours=1)
END = {key: DONE[key] for key in DONE if key != "result"} | {
    "kind": "terminated",
    "solved": False,
    "unsolved_reason_code": "citizen_declines",
    "internal_result": "诉求人三次拒绝告知地点",
    "public_answer": "因未能取得具体位置，本次终止办理",
}


def number(count: int) -> str:
    return f"20260302-0000{count:02}"


@pytest.fixture
async def busy(dispatcher: Bench, tmp_path: Path) -> Bench:
    """A county in which something stands in every list of the desk, of its units and its supervisors."""
    take_up(followed(tmp_path, HC=["CG"], ZJJ=["CG"]), dispatcher)
    await disputed(dispatcher)  # the first number, at the desk's step
    for count in (11, 12):
        await register(dispatcher, banquet(), number(count))
    await register(dispatcher, banquet(content="宴席上有人被困"), number(13))
    orders = {}
    for count in range(21, 30):
        said = company() if count == 29 else street_light(content=f"{count}号路灯不亮")
        given = await register(dispatcher, said, number(count))
        orders[count] = given[COMPANY if count == 29 else STREET_LIGHT]
    for count in range(22, 29):
        await sign(dispatcher, STREET_LIGHT, orders[count])
    for count in (23, 24, 25, 26):
        await reach(dispatcher, STREET_LIGHT, orders[count])
    await ask_back(dispatcher, STREET_LIGHT, orders[27])
    await act(dispatcher, STREET_LIGHT, orders[24], "completion", END)
    wait = {"awaited": "documents", "reason": "缺合同", "contact_time": dispatcher.now.isoformat()}
    await act(dispatcher, STREET_LIGHT, orders[23], "wait", wait)
    off = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}
    await act(dispatcher, STREET_LIGHT, orders[25], "completion", off)
    await dispatcher.hear(
        dispatcher.fact(TicketSupplemented(content="有人要跳楼吗？"), subject=number(26))
    )
    await _due(dispatcher, orders)
    for who in ("test", "li"):
        await drafted(dispatcher, who)
    await propose(dispatcher, "HC", into="CG")
    await _whistle(dispatcher)
    await _asked(dispatcher)
    await _press(dispatcher)
    return dispatcher


async def _whistle(bench: Bench) -> None:
    """A town whistles for a bureau, which has not come."""
    await register(bench, street_light(content="14号路灯不亮"), number(14))
    given = {"lead": "CG", "reason": "属地"}
    await let_lead(bench, "CG", number(14))
    await post(bench.http("desk"), f"/v1/tickets/{number(14)}/assign", given)
    order = (await assignments(bench, number(14)))["CG"]
    await sign(bench, "CG", order)
    needed = {"units": ["GAJ"], "need": "请到现场联合处置", "ground": "镇无行政处罚权"}
    await act(bench, "CG", order, "whistle", needed)


async def _asked(bench: Bench) -> None:
    """One person wants a ticket less urgent, and a town to lead what is not its duty."""
    await register(bench, street_light(content="16号路灯不亮", urgency="urgent"), number(16))
    path, less = (
        f"/v1/tickets/{number(16)}",
        {"lead": STREET_LIGHT, "reason": "一般", "urgency": "normal"},
    )
    await post(bench.http("desk"), f"{path}/assign", less)
    await post(bench.http("desk"), f"{path}/approvals", {"lead": "HP", "ground": "属地"}, 201)


async def _press(bench: Bench) -> None:
    """A lead asks the desk to see to a co-handler."""
    order = (await register(bench, company(), number(15)))[COMPANY]
    pressed = {"unit": COMPANY_CO[0], "note": "请答复", "desk": True}
    await act(bench, COMPANY, order, "press", pressed)


async def _due(bench: Bench, orders: dict[int, UUID]) -> None:
    """The tracker says when some of it is due, and that one clock stands still."""
    for count, hours in ((11, 2), (13, 5)):
        due = bench.now + hours * HOUR
        view = DeadlineView(clock="dispatch", started_at=bench.now, limit="1h", due=due)
        await bench.hear(bench.fact(DeadlineSet(clocks=(view,)), subject=number(count)))
    for count, hours in ((21, 1), (22, 2), (23, 3), (27, 1), (28, 30)):
        due = bench.now + hours * HOUR
        view = DeadlineView(clock="handle", started_at=bench.now, limit="1h", due=due)
        said: list[Data] = [DeadlineSet(clocks=(view,))]
        if count == 27:
            said.append(DeadlinePaused(clock="handle", reason="退单"))
        for data in said:
            fact = bench.fact(
                data, subject=number(count), unit=STREET_LIGHT, assignment=orders[count]
            )
            await bench.hear(fact)


CALLERS = [
    ("desk", None, "test"),
    ("desk", None, "li"),
    ("supervisor", None, "test"),
    ("supervisor", None, "li"),
    ("unit", STREET_LIGHT, "test"),
    ("unit", COMPANY_CO[0], "test"),
    ("unit", "ZJJ", "test"),
    ("unit", "GAJ", "test"),
]


@pytest.mark.parametrize(("role", "unit", "name"), CALLERS)
async def test_a_worklist_says_what_its_lists_say(
    busy: Bench, role: str, unit: str | None, name: str
) -> None:
    for _ in range(3):
        said = await worklist(busy, role, unit, name)
        assert said == await by_its_lists(busy, role, unit, name)
        busy.at(busy.now + 3 * HOUR)


async def test_every_list_of_the_county_has_something_in_it(busy: Bench) -> None:
    """So the comparison above compares something."""
    found: dict[str, int] = {}
    for role, unit, name in CALLERS:
        for code, (total, *_) in (await worklist(busy, role, unit, name)).items():
            found[code] = max(total, found.get(code, 0))
    assert [code for code, total in found.items() if not total] == ["handed_down"]
    busy.at(busy.now + 3 * HOUR)
    assert (await worklist(busy, "desk"))["unassigned"][1] == 2
    assert (await worklist(busy, "unit", STREET_LIGHT))["return_requests"][:2] == (1, 0)


async def test_what_one_person_asked_for_is_on_the_worklist_of_others(busy: Bench) -> None:
    """ADR 0071: `test` wants it less urgent; what takes a supervisor is on no desk's list."""
    for name, desk, supervisor in (("test", 0, 0), ("li", 1, 2)):
        assert (await worklist(busy, "desk", name=name))["approvals"][0] == desk
        assert (await worklist(busy, "supervisor", name=name))["approvals"][0] == supervisor


async def test_nobody_is_asked_to_be_the_second_person_of_their_own_act(busy: Bench) -> None:
    """GB66-5, R-03: `li` proposed the reform and wrote one draft, `test` wrote the other."""
    assert (await worklist(busy, "desk", name="li"))["reforms"][0] == 0
    assert (await worklist(busy, "desk", name="wang"))["reforms"][0] == 1
    for name, waiting in (("li", 1), ("test", 1), ("wang", 2)):
        said = await worklist(busy, "supervisor", name=name)
        assert said["catalogue_drafts"][0] == waiting


async def test_what_no_second_person_decides_is_on_the_morning_page(busy: Bench) -> None:
    """Approvals, reforms and drafts at the doors, once a working day has passed."""
    assert await stuck(busy, "unagreed") == []
    busy.at(busy.now + 72 * HOUR)
    found = [each.subject for each in await stuck(busy, "unagreed")]
    assert found.count("派单目录草稿 draft of the catalogue") == 2
    assert len([each for each in found if each.startswith("机构改革 reform ")]) == 1
    assert len(found) == 5, "and two approvals, by their tickets"


async def test_a_dispute_is_on_the_worklist_of_whose_ruling_its_step_asks(busy: Bench) -> None:
    """R-17: the ladder's first step is the desk's, the joint meeting's ruling a supervisor records."""
    assert (await worklist(busy, "desk"))["arbitrations"][0] == 1
    assert (await worklist(busy, "supervisor"))["arbitrations"][0] == 0
    [row] = await busy.rows("SELECT id FROM arbitrations WHERE ticket = :number", number=NUMBER)
    await raised(busy, row["id"])
    assert (await worklist(busy, "desk"))["arbitrations"][0] == 0
    assert (await worklist(busy, "supervisor"))["arbitrations"][0] == 1


async def test_a_unit_counts_nothing_it_has_to_stand_back_from(busy: Bench) -> None:
    """R-35."""
    before = (await worklist(busy, "unit", STREET_LIGHT))["to_sign"][0]
    async with busy.service.store.act("test") as change:
        connection = await change.session.connection()
        await connection.exec_driver_sql(
            "UPDATE tickets SET matter = matter || "
            f"""'{{"reported_unit": "{STREET_LIGHT}"}}' WHERE number = '{number(21)}'"""
        )
    assert (await worklist(busy, "unit", STREET_LIGHT))["to_sign"][0] == before - 1
    said = await worklist(busy, "unit", STREET_LIGHT)
    assert said == await by_its_lists(busy, "unit", STREET_LIGHT)


@pytest.mark.parametrize(
    "named",
    [
        "unassigned",
        "returns",
        "completion-requests",
        "audits",
        "arbitrations",
        "whistles",
        "presses",
    ],
)
async def test_no_list_is_asked_of_the_database_what_it_cannot_read(
    dispatcher: Bench, named: str
) -> None:
    answer = await dispatcher.http("desk").get(f"/v1/{named}?unit=a%00")
    assert (answer.status_code, answer.json()["type"]) == (422, "/errors/malformed")
