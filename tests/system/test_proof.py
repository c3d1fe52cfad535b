"""证据包: all that is on record of a ticket, and who called is not in it (gain 11)."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime

import pytest

from operations.proof import pack, printing
from operations.proof.pack import Entry, Kind
from services.intake import readlog
from services.intake.rules.identity import WITHHELD
from shared.errors import NotFound
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.intake import CALLER
from tests.fixtures.scenes.proof import (
    CONTACT,
    REASON,
    act,
    judged,
    made,
    moments,
    told_from_every_side,
    told_whole,
)

REPORT = {
    "type": "report",
    "topic": "water.supply",
    "title": "举报",
    "content": "抄表的人收钱",
    "reported_unit": "GSGS",
}
PHONE = "13909150001"


def text(entries: list[Entry]) -> str:
    return pack.written([pack.plain(entry) for entry in entries]).decode()


def names(entries: list[Entry], kind: Kind) -> list[str]:
    return [entry.name for entry in entries if entry.kind is kind]


async def said(county: County, number: str) -> Counter[str]:
    """The ids of every fact about a ticket, from the services' own logs."""
    facts = [fact for bench in county.benches.values() for fact in await bench.told()]
    return Counter(str(fact.id) for fact in facts if fact.subject == number)


async def test_it_holds_every_act_message_call_reading_and_clock(county: County) -> None:
    """Gain 11, R-34 追责可证."""
    number = await told_whole(county)
    await county.ticket(content="另一件事")
    await judged(county, number)
    entries = await made(county, number)
    facts = Counter(entry.source["fact"] for entry in entries if "fact" in entry.source)
    assert facts == await said(county, number)
    assert {
        "assignment.signed",
        "extension.granted",
        "supervision.raised",
        "ticket.reopened",
    } <= set(names(entries, Kind.ACT))
    assert set(names(entries, Kind.MESSAGE)) == {"citizen.told"}
    assert names(entries, Kind.CALL) == ["callback"]
    assert names(entries, Kind.READING) == ["read", "proof"]
    clocks = await county.tracker.rows(
        "SELECT id FROM clocks WHERE ticket = :number", number=number
    )
    shown = [entry for entry in entries if entry.kind is Kind.CLOCK]
    assert {entry.source["row"] for entry in shown} == {str(row["id"]) for row in clocks}


async def test_what_does_not_fit_together_is_in_it_with_its_evidence(county: County) -> None:
    """Gain 6, gain 11: the unit says solved, the citizen not; both facts are entries, too."""
    number = await told_whole(county)
    await judged(county, number)
    await county.carry()
    entries = await made(county, number)
    named = [(entry.name, entry.data["kind"]) for entry in entries if "discrepancy" in entry.data]
    assert named == [
        (
            "discrepancy.raised",
            "contact_unread",
        ),  # the unit rang, and looked up the number after it
        ("discrepancy.explained", "contact_unread"),
        ("discrepancy.raised", "result_denied"),
    ]
    raised = [entry for entry in entries if entry.name == "discrepancy.raised"][-1]
    by = {(each["name"], each["seq"]) for each in raised.data["evidence"]}
    assert by <= {(entry.name, entry.source.get("seq")) for entry in entries}
    assert sorted(name for name, _ in by) == ["assignment.completed", "ticket.reopened"]


NEWEST = {
    "deadline.revised", "discrepancy.raised", "discrepancy.commented", "discrepancy.dismissed",
    "staff.told", "promise.kept", "promise.confirmed", "extension.refused", "referral.proposed",
    "referral.refused", "supervision.raised", "supervision.answered",
}  # fmt: skip
CODE = re.compile(r"[a-z]+_[a-z]+|\b[a-z]+:[a-z]|\d{4}-\d\d-\d\d|\d(wd|wh|min)\b")


async def test_whatever_befell_it_is_printed_in_chinese(county: County) -> None:
    """Gain 11: a court reads no code; an English text of ours stands after a Chinese one."""
    number = await told_from_every_side(county)
    entries = await made(county, number)
    assert set(names(entries, Kind.ACT)) >= NEWEST
    page = printing.laid_out(entries)
    lines = [*page["cover"], *(line for entry in page["entries"] for line in entry["lines"])]
    own = [line for line in lines if line.en not in ("en", "reason", "rule", "configuration")]
    said = [line.said.zh for line in own] + [line.zh for line in lines]
    said += [each[of] for each in page["entries"] for of in ("zh", "who", "unit", "time", "at")]
    said += [each[of] for each in page["clocks"] for of in ("zh", "due")]
    said += [each["explanation"][0] for each in page["clocks"]]
    assert [text for text in said if CODE.search(text)] == []
    assert [line for line in lines if line.zh.isascii()] == []
    revised = Counter(clock["revised"].zh for clock in page["clocks"] if clock["late"])
    assert revised == {"": 2, "已更正为未逾期": 1, "已更正，仍逾期": 1}
    told = "".join(clock["explanation"][0] for clock in page["clocks"])
    assert "首次判定与更正结果一并保留" in told
    assert "（时限规则第2版）" in told
    assert "上级平台要求于2026年3月12日18:00前答复，须提前4小时（工作时间）办结" in told


async def test_a_clock_is_explained_as_the_tracker_explains_it(county: County) -> None:
    number = await told_whole(county)
    shown = {entry.source.get("row"): entry.data for entry in await made(county, number)}
    answer = await county.tracker.http("supervisor").get(f"/v1/tickets/{number}/clocks")
    clocks = answer.json()["clocks"]
    assert len(clocks) > 3
    for clock in clocks:
        data = shown[clock["id"]]
        assert data["explanation"] == clock["explanation"]
        assert (data["status"], data["limit"]) == (clock["status"], clock["limit"])
        assert datetime.fromisoformat(data["due"]) == datetime.fromisoformat(clock["due"])


async def test_entries_stand_as_they_were_written_down_and_late_ones_show(county: County) -> None:
    number = await told_whole(county)
    head, *rest = await made(county, number)
    assert head.kind is Kind.HEAD
    assert [entry.recorded for entry in rest] == sorted(entry.recorded for entry in rest)
    [sign] = [
        each for each in rest if each.name == "deadline.breached" and each.data["clock"] == "sign"
    ]
    assert sign.at < sign.recorded


async def test_it_names_no_citizen_though_a_unit_did(county: County) -> None:
    """R-36 身份遮蔽."""
    number = await told_whole(county)
    await judged(county, number)
    [contact] = [fact.data.note for fact in await county.dispatcher.told("assignment.contacted")]
    assert "王小明" in contact  # nobody told the dispatcher who that is
    entries = await made(county, number, f"{REASON}，当事人王小明{PHONE}")
    found = text(entries)
    assert [who for who in (CALLER["name"], PHONE, "河堤路8号") if who in found] == []
    [shown] = [entry for entry in entries if entry.name == "assignment.contacted"]
    assert (shown.data["note"], shown.masked) == ("[姓名][电话]说孩子在坑边摔伤", ("note",))
    assert "sha256" not in shown.source  # that would tell what is masked
    assert sum("sha256" in entry.source for entry in entries) > len(entries) / 2


async def report(county: County) -> str:
    """A confidential report that a unit handles, which writes down who told it."""
    number = await county.ticket(**REPORT)
    order = {"lead": "SCJG", "reason": "与其无利害关系"}
    await county.do("desk", county.dispatcher, f"/v1/tickets/{number}/assign", order)
    await act(county, number, "sign", {"handler": "李工"})
    await act(county, number, "contacts", CONTACT)
    return number


async def test_a_protected_reporter_is_never_in_it(county: County) -> None:
    """R-35 保密, gain 11."""
    number = await report(county)
    entries = await made(county, number)
    found = text(entries)
    assert [who for who in (CALLER["name"], PHONE, "河堤路8号") if who in found] == []
    assert entries[0].data["withheld"] is False
    assert "[姓名][电话]说孩子在坑边摔伤" in found


@pytest.mark.parametrize("lost", ["erased", "sealed by another key"])
async def test_nor_where_nobody_knows_the_name_any_more(county: County, lost: str) -> None:
    """Texts of units are left out: a name may stand in any of them."""
    number = await report(county)
    if lost == "erased":
        await county.intake.do("DELETE FROM vault")
    else:
        await county.intake.do(r"UPDATE vault SET sealed = '\x010178' || substr(sealed, 6)")
    entries = await made(county, number)
    assert entries[0].data["withheld"] is True
    assert "王小明" not in text(entries)
    [contact] = [entry for entry in entries if entry.name == "assignment.contacted"]
    assert (contact.data["note"], contact.data["outcome"]) == (WITHHELD, "reached")
    [registered] = [entry for entry in entries if entry.name == "ticket.registered"]
    assert registered.data["content"] == "抄表的人收钱"  # that was cleared by who knew the name


async def test_who_makes_one_stands_in_the_read_log_which_stays_whole(county: County) -> None:
    number = await county.ticket()
    for _ in range(2):
        entries = await made(county, number)
    log = (
        "SELECT id, actor, deed, reason, hash FROM contact_read WHERE number = :number ORDER BY id"
    )
    rows = await county.intake.rows(log, number=number)
    assert [(row["actor"], row["deed"], row["reason"]) for row in rows] == [
        ("supervisor:陈督办", "proof", REASON)
    ] * 2
    readings = [entry for entry in entries if entry.kind is Kind.READING]
    assert [entry.source["hash"] for entry in readings] == [row["hash"] for row in rows]
    async with county.intake.service.store.act("ops") as ops:
        assert (await readlog.verify(ops)).broken is None


async def test_it_is_written_down_before_anything_is_read(county: County) -> None:
    number = await county.ticket()
    await county.feedback.do("ALTER VIEW fact_log RENAME TO away")
    with pytest.raises(Exception, match="fact_log"):
        await made(county, number)
    [row] = await county.intake.rows("SELECT deed FROM contact_read")
    assert row["deed"] == "proof"
    with pytest.raises(NotFound):
        await made(county, "20260302-999999")


async def test_a_fact_that_is_gone_from_a_log_is_named(county: County) -> None:
    number = await told_whole(county)
    assert (await made(county, number))[0].data["logs"]["tracker"]["missing"] == []
    await county.tracker.do("DELETE FROM outbox WHERE key LIKE 'deadline.breached%'")
    missing = (await made(county, number))[0].data["logs"]["tracker"]["missing"]
    assert len(missing) > 1
    last = "DELETE FROM outbox WHERE id = (SELECT max(id) FROM outbox)"
    await county.tracker.do(last)
    assert (
        len((await made(county, number))[0].data["logs"]["tracker"]["missing"]) == len(missing) + 1
    )


async def test_a_call_of_the_exchange_shows_no_number(county: County) -> None:
    rings = {"id": f"17724132-{PHONE}", "event": "new", "from": PHONE, "agent": "li"}
    for event in ("new", "answered"):
        heard = await county.do(
            "phone_system", county.intake, "/v1/calls", rings | {"event": event}
        )
    number = await county.ticket(call=heard["call"])
    entries = await made(county, number)
    assert names(entries, Kind.CALL) == ["call"]
    assert PHONE not in text(entries)


async def test_what_stands_is_json_that_any_reader_takes(county: County) -> None:
    number = await told_whole(county)
    await moments(county, "03-18T09:00")
    entries = await made(county, number)
    assert [pack.plain(entry) for entry in entries] == json.loads(text(entries))
