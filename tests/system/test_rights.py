"""Who may read a contact, through all services: asked where it is known, whatever was heard (R-35, R-36)."""

from __future__ import annotations

from datetime import timedelta

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.commands import Printed, command
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.dispatcher import RETURN, let_lead
from tests.fixtures.scenes.intake import CALLER

UNITS = ("GSGS", "SLJ", "HC", "SCJG")  # the water company answers to the water bureau
NOWHERE = "20260302-999999"
RULING = {"granted": True, "hours": 2, "reason": "承办所需"}


async def read(county: County, number: str, unit: str) -> httpx.Response:
    """A unit asks who must be contacted."""
    path, why = f"/v1/tickets/{number}/contact-reads", {"reason": "先行联系"}
    return await county.intake.http("unit", unit).post(path, json=why)


async def assign(county: County, number: str, lead: str) -> None:
    """The desk gives the ticket to a unit."""
    path, order = f"/v1/tickets/{number}/assign", {"lead": lead, "reason": "职责所在"}
    await let_lead(county.dispatcher, lead, number)
    answer = await county.dispatcher.http("desk").post(path, json=order)
    assert answer.is_success, answer.text


async def sign(county: County, number: str, unit: str) -> None:
    """The unit signs for the ticket."""
    path = f"/v1/tickets/{number}/assignments"
    seen = (await county.dispatcher.http("unit", unit).get(path)).json()["assignments"]
    [order] = [one["id"] for one in seen if one["status"] == "dispatched"]
    client, who = county.dispatcher.http("unit", unit), {"handler": "李工"}
    answer = await client.post(f"/v1/assignments/{order}/sign", json=who)
    assert answer.is_success, answer.text


async def test_a_move_of_the_desk_counts_at_once_while_the_broker_is_away(county: County) -> None:
    """Neither does the unit before it read on, nor is the unit on duty kept out."""
    number = await county.ticket()
    await sign(county, number, "GSGS")
    assert (await read(county, number, "GSGS")).json() == CALLER
    county.courier.cut = True
    await assign(county, number, "HC")
    assert (await read(county, number, "GSGS")).status_code == 404
    assert (await read(county, number, "HC")).status_code == 404  # it has not signed
    await sign(county, number, "HC")
    assert (await read(county, number, "HC")).json() == CALLER
    assert (await county.intake.rows("SELECT unit FROM assignment WHERE unit = 'HC'")) == []


async def test_with_the_dispatcher_away_nothing_is_read(county: County) -> None:
    number = await county.ticket()
    await sign(county, number, "GSGS")
    county.wires.away.add("dispatcher")
    answers = [await read(county, asked, "GSGS") for asked in (number, NOWHERE)]
    assert [answer.status_code for answer in answers] == [503, 503]
    [row] = await county.intake.rows("SELECT deed, why, actor FROM contact_read")
    assert row == {"deed": "refused", "why": "duty-unknown", "actor": "unit:GSGS:test"}
    county.wires.away.clear()
    assert (await read(county, number, "GSGS")).json() == CALLER


async def test_a_unit_that_says_it_is_not_its_duty_reads_no_more(county: County) -> None:
    """Until the desk has ruled that it is: its clocks stand still, so it has nobody to contact."""
    number = await county.ticket(topic="road.damage", title="路面破损", content="路面破损")
    await assign(county, number, "GSGS")
    await county.carry()
    await county.act(number, "sign", {"handler": "李工"})
    await county.act(number, "return-requests", RETURN)
    assert (await read(county, number, "GSGS")).status_code == 404
    path = f"/v1/assignments/{await county.assignment(number)}/ruling"
    ruling = {"granted": False, "ruling": "职责清楚"}
    await county.do("desk", county.dispatcher, path, ruling)
    assert (await read(county, number, "GSGS")).status_code == 200


async def test_a_unit_whose_urgent_order_runs_on_reads_on_while_its_return_waits(
    county: County,
) -> None:
    """R-12, R-15: its clocks run, so it has to contact the citizen, and can."""
    number = await county.ticket()  # what is about water is urgent
    await county.act(number, "return-requests", RETURN)
    assert (await read(county, number, "GSGS")).status_code == 404  # nobody has signed
    await county.act(number, "sign", {"handler": "李工"})
    assert (await read(county, number, "GSGS")).json() == CALLER
    path = f"/v1/assignments/{await county.assignment(number)}/ruling"
    granted = {"granted": True, "ruling": "不属其职责"}
    await county.do("desk", county.dispatcher, path, granted)
    assert (await read(county, number, "GSGS")).status_code == 404


async def called(county: County, number: str, role: str, name: str = "feedback") -> int:
    """What who calls back is answered."""
    path, why = f"/v1/tickets/{number}/contact-reads", {"reason": "回访"}
    return (await county.intake.http(role, None, name).post(path, json=why)).status_code


async def test_who_calls_back_reads_when_the_call_is_due_and_not_before(county: County) -> None:
    number = await county.resolved()
    callers = ("callback", "service")
    assert [await called(county, number, role) for role in callers] == [404, 404]
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    assert [await called(county, number, role) for role in callers] == [200, 200]
    [callback] = (await county.feedback.http("callback").get("/v1/callbacks")).json()["items"]
    said = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}
    outcome = {"attempt": 1, "outcome": "answered"} | said
    path = f"/v1/callbacks/{callback['id']}/outcome"
    county.courier.cut = True  # intake does not hear that it is over
    answer = await county.feedback.http("callback").post(path, json=outcome)
    assert answer.is_success, answer.text
    assert [await called(county, number, role) for role in callers] == [404, 404]


async def test_a_confidential_demand_is_so_on_every_way_out(county: County) -> None:
    """R-35, R-36: where it is, who handles it, why an order ended."""
    secret = {
        "type": "report", "reported_unit": "HC", "title": "举报", "content": "夜间偷排",
        "address": "河堤路8号", "location": {"longitude": 108.53, "latitude": 32.52},
    }  # fmt: skip
    number = await county.ticket(**secret)
    await county.do(
        "phone_system", county.intake, f"/v1/tickets/{number}/withdrawal", {"reason": "不再反映"}
    )
    shown = [
        (await county.intake.http("desk").get(f"/v1/tickets/{number}")).text,
        (await county.intake.http("desk").get("/v1/tickets")).text,
        (await county.dispatcher.http("unit", "GSGS").get("/v1/units/GSGS/assignments")).text,
        (await county.dispatcher.http("unit", "GSGS").get("/v1/units/GSGS/feed")).text,
    ]
    told = [fact for bench in county.benches.values() for fact in await bench.told()]
    shown += [fact.encode().decode() for fact in told]
    assert not any(where in text for text in shown for where in ("河堤路", "108.53", "32.52"))
    messages = [fact.data.zh for fact in told if fact.name == "citizen.told"]
    assert len(messages) == 2
    assert all("您反映的事项" in text and "供水" not in text for text in messages)
    [cancelled] = [fact for fact in told if fact.name == "assignment.cancelled"]
    assert cancelled.data.reason == "redispatched"
    to_units = [fact.encode().decode() for fact in told if fact.unit]
    assert not any("撤单" in text or "withdr" in text for text in to_units)


async def test_what_is_not_confidential_says_why_and_where(county: County) -> None:
    number = await county.ticket(address="河堤路8号")
    await county.do(
        "phone_system", county.intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已解决"}
    )
    ticket = (await county.intake.http("desk").get(f"/v1/tickets/{number}")).json()
    assert ticket["address"] == "河堤路8号"
    [cancelled] = await county.dispatcher.told("assignment.cancelled")
    assert cancelled.data.reason == "withdrawn"


async def test_the_read_log_is_checked_against_what_the_tracker_keeps(county: County) -> None:
    """Whoever writes intake's database cuts its end and its own anchors, and is found all the same."""
    number = await county.ticket()
    await sign(county, number, "GSGS")
    for _ in range(3):
        await read(county, number, "GSGS")
    county.at("2026-03-03T00:00+08:00")
    await county.sweep()
    addresses = {name: one.service.settings.database_url for name, one in county.benches.items()}

    async def check(*words: str) -> Printed:
        return await command(*words, JIESU_DATABASE_URL=addresses["intake"])

    against = ("intake", "verify-reads", "--against", addresses["tracker"])
    whole = await check(*against)
    assert (whole.code, whole.err) == (0, "")
    assert "whole: " in whole.out
    assert "of them 1 kept by the tracker" in whole.out
    await county.intake.do(
        "DELETE FROM contact_read WHERE id > 1", "DELETE FROM outbox WHERE subject = 'reads'"
    )
    cut = await check(*against)
    assert cut.code == 1
    assert "broken at row 2" in cut.out
    alone = await check("verify-reads")
    assert alone.code == 0
    assert "the tracker keeps no anchor" in alone.out


# --- over random histories -----------------------------------------------------------------------

HOLDER = "whoever has it"
STEPS = st.one_of(
    st.tuples(st.just("assign"), st.sampled_from(UNITS)),
    st.tuples(st.sampled_from(["sign", "ask"]), st.just(HOLDER)),
    st.tuples(st.sampled_from(["sign", "return", "ask"]), st.sampled_from((*UNITS, HOLDER))),
    st.tuples(st.sampled_from(["grant", "refuse", "carry", "withdraw", "later"]), st.none()),
)


class History:
    """A ticket to which things happen, and what must follow for who may read."""

    def __init__(self, county: County, number: str, reported: str | None, secret: bool) -> None:
        self.county, self.number, self.secret = county, number, secret
        self.recused = county.intake.service.store.config.units.recused(reported)
        self.holder: str | None = None
        self.status = ""
        self.request = ""  # of the order it has now
        self.granted = False
        self.withdrawn = False

    def may_read(self, unit: str) -> bool:
        """Signed and on duty, not recused, with leave where that is needed; and it goes on."""
        on_duty = unit == self.holder and self.status == "signed" and unit not in self.recused
        return on_duty and not self.withdrawn and (self.granted or not self.secret)

    async def step(self, what: str, unit: str | None) -> None:
        """One thing happens, if it can."""
        county, number = self.county, self.number
        unit = (self.holder or UNITS[0]) if unit == HOLDER else unit
        desk, orders = county.dispatcher.http("desk"), f"/v1/tickets/{number}/assignments"
        seen = (await desk.get(orders)).json().get("assignments", [])
        order = next((one["id"] for one in seen if one["status"] not in GONE), None)
        client = county.dispatcher.http("unit", unit) if unit else desk
        match what:
            case "assign":
                path, body = f"/v1/tickets/{number}/assign", {"lead": unit, "reason": "职责"}
                stays = unit == self.holder and order is not None
                if (await desk.post(path, json=body)).is_success and not stays:
                    self.holder, self.status = unit, "dispatched"
                    self.request, self.granted = "", False
            case "sign":
                body = {"handler": "李工"}
                signed = (await client.post(f"/v1/assignments/{order}/sign", json=body)).is_success
                if signed and self.status == "dispatched":  # a return that waits goes on waiting
                    self.status = "signed"
            case "return":
                path = f"/v1/assignments/{order}/return-requests"
                if (await client.post(path, json=RETURN)).is_success:
                    self.status = "return_requested"
            case "ask":
                path, body = f"/v1/tickets/{number}/contact-requests", {"reason": "上门核实"}
                asked = await county.intake.http("unit", unit).post(path, json=body)
                if asked.is_success:
                    self.request = asked.json()["id"]
            case "grant" | "refuse":
                await self._rule(granted=what == "grant")
            case "carry":
                await county.carry()
            case "withdraw":
                path, body = f"/v1/tickets/{number}/withdrawal", {"reason": "算了"}
                done = await county.intake.http("desk").post(path, json=body)
                self.withdrawn |= done.is_success  # the dispatcher may not have heard it yet
            case "later":
                county.intake.at(county.intake.now + timedelta(hours=3))
                self.granted = False

    async def _rule(self, *, granted: bool) -> None:
        custodian = self.county.intake.http("custodian")
        items = (await custodian.get("/v1/contact-requests")).json()["items"]
        for item in items:
            path = f"/v1/contact-requests/{item['id']}/ruling"
            done = await custodian.post(path, json=RULING | {"granted": granted})
            if done.is_success and item["id"] == self.request:
                self.granted = granted


GONE = ("returned", "cancelled", "completed")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    st.sampled_from(UNITS),
    st.lists(STEPS, min_size=3, max_size=12),
    st.sampled_from(["open", "secret", "secret and let"]),
    st.sampled_from([None, "GSGS", "ZFB"]),
)
async def test_those_read_who_are_on_duty_and_were_let_and_nobody_else(
    county: County,
    first: str,
    steps: list[tuple[str, str | None]],
    kind: str,
    reported: str | None,
) -> None:
    """R-35, R-36: whatever the history, and whatever of it intake has heard."""
    county.at("2026-03-02T09:00+08:00")
    answer = await county.ticket(
        type="complaint", reported_unit=reported, confidential=kind != "open", topic="other.unclear"
    )
    history = History(county, answer, reported, kind != "open")
    begun: list[tuple[str, str | None]] = [("assign", first), ("sign", HOLDER)]
    if kind == "secret and let":
        begun += [("ask", HOLDER), ("grant", None)]
    for what, unit in (*begun, *steps):
        await history.step(what, unit)
        for reader in UNITS:
            got = await read(county, answer, reader)
            assert (got.status_code == 200) is history.may_read(reader), (what, unit, reader)
            if reader in history.recused:
                assert got.status_code == 404
