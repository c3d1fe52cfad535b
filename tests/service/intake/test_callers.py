"""Who is calling: a caller's tickets by number, on record, and no confidential one by a number alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from operations import vault as custody
from services.intake import callers, readlog
from services.intake.readlog import Deed
from services.intake.records import find_locked
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, life, post, registered, rows

MOBILE, HOME = "13909150001", "09154421234"
LOOKUP = "/v1/callers/lookup"


async def look(intake: Bench, role: str = "agent", **asked: Any) -> Any:
    answer = await post(intake, LOOKUP, asked, role)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown(intake: Bench, **asked: Any) -> list[str]:
    return [item["number"] for item in (await look(intake, **asked))["items"]]


async def whole(intake: Bench) -> bool:
    async with intake.service.store.act("ops") as act:
        return (await readlog.verify(act)).broken is None


async def phoned(intake: Bench, phone: Any, **changes: Any) -> dict[str, Any]:
    return await registered(intake, caller={"phone": phone}, **changes)


# --- what is found -----------------------------------------------------------------------------


async def test_a_callers_tickets_are_found_newest_first_with_how_far_they_are(
    intake: Bench,
) -> None:
    first, second = [(await registered(intake))["number"] for _ in range(2)]
    await phoned(intake, "13800138000")
    await intake.hear(*life(intake, first, uuid4())[:4])
    found = await look(intake, phone=MOBILE)
    assert [item["number"] for item in found["items"]] == [second, first]
    older = found["items"][1]
    assert (older["status"], older["answer"], older["callback_due"]) == ("resolved", "已恢复", True)
    assert older["unit_names"] == [intake.service.store.config.units.unit("GSGS").name]
    assert (older["title"], found["readable"], found["more"]) == ("停水三天", True, False)
    assert found["items"][0]["callback_due"] is False


async def test_what_the_hotline_answered_itself_is_told_again(intake: Bench) -> None:
    """R-02: who rings to ask is read the answer, whoever gave it."""
    await registered(intake, ending={"direct_answer": {"answer": "三楼窗口"}})
    [item] = (await look(intake, phone=MOBILE))["items"]
    assert (item["status"], item["answer"]) == ("answered", "三楼窗口")


@pytest.mark.parametrize(
    "spelled", [MOBILE, 13909150001, "＋86 139-0915-0001", "李女士013909150001"]
)
async def test_a_number_is_read_as_people_say_it(intake: Bench, spelled: Any) -> None:
    ticket = await registered(intake)
    assert await shown(intake, phone=spelled) == [ticket["number"]]


async def test_every_number_a_caller_gave_finds_the_ticket(intake: Bench) -> None:
    number = (await phoned(intake, f"{MOBILE};4421234"))["number"]
    for asked in (MOBILE, "4421234", f"{HOME};13800138000"):
        assert await shown(intake, phone=asked) == [number]


@pytest.mark.parametrize("withheld", ["anonymous", "", None, "听不清"])
async def test_a_withheld_number_finds_nothing_and_is_no_error(
    intake: Bench, withheld: str | None
) -> None:
    await phoned(intake, withheld)
    found = await look(intake, phone=withheld)
    assert found == {"readable": False, "items": [], "more": False}


async def test_the_newest_fifty_are_shown_and_that_there_are_more(intake: Bench) -> None:
    batch = {"tickets": [complaint(content=f"路灯不亮 {n}") for n in range(51)]}
    assert (await post(intake, "/v1/tickets/batch", batch)).status_code == 200
    found = await look(intake, phone=MOBILE)
    assert (len(found["items"]), found["more"]) == (50, True)
    assert found["items"][0]["number"].endswith("51")


# --- who may ask, and what stands of it --------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "unit", "status"),
    [("agent", None, 200), ("desk", None, 200), ("phone_system", None, 200), ("unit", "GSGS", 403)]
    + [(role, None, 403) for role in ("supervisor", "callback", "custodian", "ops", "service")],
)
async def test_only_the_front_may_look(
    intake: Bench, role: str, unit: str | None, status: int
) -> None:
    answer = await intake.http(role, unit).post(LOOKUP, json={"phone": MOBILE})
    assert answer.status_code == status


async def test_every_lookup_stands_in_the_read_log_also_one_that_finds_nothing(
    intake: Bench,
) -> None:
    number = (await registered(intake))["number"]
    await look(intake, phone=MOBILE, reason=f"来电核对 {MOBILE}")
    await look(intake, phone="13800138000")
    first, second = await rows(intake, "contact_read")
    assert [(row["number"], row["deed"]) for row in (first, second)] == [
        (number, Deed.LOOKUP),
        (None, Deed.LOOKUP),
    ]
    assert first["actor"] == second["actor"] == "agent:test"
    assert first["reason"].startswith("来电核对 [电话] · ")
    assert MOBILE not in str(first)
    assert await whole(intake)
    await intake.do("UPDATE contact_read SET reason = 'x' WHERE number IS NULL")
    assert not await whole(intake)


async def test_the_log_says_to_who_knows_a_number_that_it_was_asked_for(intake: Bench) -> None:
    await registered(intake)
    await look(intake, phone=MOBILE)
    [log] = await rows(intake, "contact_read")
    stamp = intake.service.store.config.digester.blind_index(MOBILE, "lookup")[:16]
    assert log["reason"].endswith(stamp)
    assert stamp not in str(await rows(intake, "caller_digest"))


# --- confidential tickets (R-35) ---------------------------------------------------------------


@pytest.mark.parametrize("role", ["agent", "desk", "phone_system"])
async def test_a_number_alone_never_shows_a_confidential_ticket(intake: Bench, role: str) -> None:
    """R-35: whoever may look could look for a neighbour, and learn that he reported."""
    nothing = await look(intake, role, phone=MOBILE)
    await registered(intake, type="report")
    assert await look(intake, role, phone=MOBILE) == nothing
    assert await look(intake, role, phone=MOBILE, code="ABCD2345") == nothing
    assert {row["number"] for row in await rows(intake, "contact_read")} == {None}


async def test_who_says_its_code_as_well_is_shown_that_one(intake: Bench) -> None:
    secret = await registered(intake, type="report")
    other = await registered(intake, type="report")
    plain = await registered(intake)
    said = f" {secret['code'].lower()[:4]}-{secret['code'].lower()[4:]}"
    assert await shown(intake, phone=MOBILE, code=said) == [plain["number"], secret["number"]]
    assert await shown(intake, phone="13800138000", code=secret["code"]) == []
    assert other["number"] not in str(await rows(intake, "contact_read"))


async def test_nothing_is_equal_in_a_callers_confidential_and_other_tickets(intake: Bench) -> None:
    """Whoever has the database alone must not learn who reported."""
    secret, plain = await registered(intake, type="report"), await registered(intake)
    found = {row["number"]: row["digest"] for row in await rows(intake, "caller_digest")}
    assert found[secret["number"]] != found[plain["number"]]
    shared = [
        (table, name)
        for table, key in (("ticket", "number"), ("vault", "number"), ("caller_digest", "number"))
        for each in [{row[key]: row for row in await rows(intake, table)}]
        for name, value in each[secret["number"]].items()
        if isinstance(value, str | bytes)
        and len(value) > 15
        and value == each[plain["number"]][name]
    ]
    assert shared in ([], [("ticket", "content")])  # the words are the test's own


# --- erasure, and what older releases left -----------------------------------------------------


async def test_a_corrected_number_finds_the_ticket_and_the_old_one_does_not(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    async with intake.service.store.act("desk:li") as act:
        record = await find_locked(act, number)
        assert record
        await callers.index_anew(act, record.ticket, [HOME])
    assert await shown(intake, phone=HOME) == [number]
    assert await shown(intake, phone=MOBILE) == []


async def test_an_erased_caller_is_found_no_more(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    assert await custody.erase(intake.service.store, "li", number, "本人申请", forced=True)
    assert await rows(intake, "caller_digest") == []
    assert await shown(intake, phone=MOBILE) == []


async def by_the_release_before(intake: Bench, number: str) -> None:
    """Make a ticket what that release writes: the index in its row, the same for whatever is secret."""
    index = intake.service.store.config.digester.blind_index(MOBILE, "phone")
    await intake.do(
        "UPDATE ticket SET phone_index = :index WHERE number = :number",
        "DELETE FROM caller_digest WHERE number = :number",
        index=index,
        number=number,
    )


async def test_tickets_of_the_release_before_are_found_before_and_after_they_are_keyed_anew(
    intake: Bench,
) -> None:
    plain, secret = await registered(intake), await registered(intake, type="report")
    ours = await rows(intake, "caller_digest")
    for ticket in (plain, secret):
        await by_the_release_before(intake, ticket["number"])
    asked = {"phone": MOBILE, "code": secret["code"]}
    both = [secret["number"], plain["number"]]
    assert await shown(intake, **asked) == both
    assert await shown(intake, phone=MOBILE) == [plain["number"]]
    assert await intake.run("index_callers", limit=1) == 2
    assert {row["phone_index"] for row in await rows(intake, "ticket")} == {None}
    by_number = {row["number"]: row["digest"] for row in await rows(intake, "caller_digest")}
    assert by_number == {row["number"]: row["digest"] for row in ours}
    assert await shown(intake, **asked) == both


async def test_an_erasure_by_the_release_before_takes_the_index_along(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    async with intake.service.store.engine.begin() as connection:
        await connection.execute(text("DELETE FROM vault WHERE number = :n"), {"n": number})
    assert await rows(intake, "caller_digest") == []
