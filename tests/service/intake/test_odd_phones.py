"""No complaint is lost because of how its caller's phone looks; what came is sealed, none of it told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post, read_on_duty, registered, rows

MOBILE = "13909150001"


async def known(intake: Bench, number: str) -> Any:
    """What lies in the vault for a ticket, as the unit reads it that handles it."""
    return (await read_on_duty(intake, number)).json()


def phoned(phone: Any, **changes: Any) -> dict[str, Any]:
    """A complaint with this as its caller's phone."""
    return complaint(caller={"phone": phone}, **changes)


@pytest.mark.parametrize(
    ("given", "contact"),
    [
        ("013909150001", MOBILE),
        (13909150001, MOBILE),
        ("李女士13909150001", MOBILE),
        ("tel:+8613909150001", MOBILE),
        ("139 0915.0001", MOBILE),
        ("①③⑨〇⑨①⑤〇〇〇①", MOBILE),
        ("4421234", "09154421234"),
        ("0915-4421234转分机801", "09154421234-801"),
        ("85291234567", "+85291234567"),
    ],
)
async def test_an_odd_phone_is_a_contact(intake: Bench, given: Any, contact: str) -> None:
    answer = await post(intake, "/v1/tickets", phoned(given))
    assert answer.status_code == 201, answer.text
    assert answer.json()["warnings"] == []
    assert (await intake.told())[0].data.has_contact
    sealed = await known(intake, answer.json()["number"])
    assert sealed["phone"] == contact
    assert sealed.get("phone_given", contact) == str(given)


async def test_one_number_has_one_index_however_it_is_spelled(intake: Bench) -> None:
    for spelled in (MOBILE, "013909150001", "＋86 139-0915-0001", "王13909150001；13800138000"):
        assert (await post(intake, "/v1/tickets", phoned(spelled))).status_code == 201
    digests = [row["digest"] for row in await rows(intake, "caller_digest")]
    digester = intake.service.store.config.digester
    [ours] = digester.caller_digests([MOBILE], confidential=False)
    assert digests.count(ours) == 4
    assert len(set(digests)) == 2  # and the second number of the last one


async def test_of_several_the_first_is_called_and_all_are_kept_and_masked(intake: Bench) -> None:
    text = "停水，打13909150001或4421234，不行打9123 4567"
    given = "13909150001;4421234;+852 9123 4567"
    answer = await post(intake, "/v1/tickets", phoned(given, content=text))
    sealed = await known(intake, answer.json()["number"])
    assert (sealed["phone"], sealed["phone_given"]) == (MOBILE, given)
    assert sealed["other_phones"] == ["09154421234", "+85291234567"]
    assert (await intake.told())[0].data.content == "停水，打[电话]或[电话]，不行打[电话]"


@pytest.mark.parametrize("given", ["anonymous", "unknown", "withheld", "匿名", "", "  ", None])
async def test_a_withheld_number_is_no_contact(intake: Bench, given: str | None) -> None:
    answer = await post(intake, "/v1/tickets", phoned(given))
    assert (answer.status_code, answer.json()["warnings"]) == (201, [])
    assert not (await intake.told())[0].data.has_contact


@pytest.mark.parametrize("given", ["12345", "问隔壁", "1390915000"])
async def test_what_cannot_be_read_is_sealed_and_said(intake: Bench, given: str) -> None:
    body = phoned(given, content="请回电1390915000")
    answer = await post(intake, "/v1/tickets", body)
    assert answer.status_code == 201
    [warning] = answer.json()["warnings"]
    assert (warning["field"], warning["code"]) == ("caller.phone", "phone-unreadable")
    assert given not in answer.text
    [fact] = await intake.told()
    assert not fact.data.has_contact
    assert ("1390915000" in fact.data.content) == (given != "1390915000")
    sealed = await known(intake, answer.json()["number"])
    assert (sealed["phone"], sealed["phone_given"]) == (None, given)
    batch = (await post(intake, "/v1/tickets/batch", {"tickets": [body]})).json()
    assert batch["answers"][0]["ticket"]["warnings"] == [warning]


async def test_what_was_given_is_masked_in_what_comes_later(intake: Bench) -> None:
    number = (await registered(intake, caller={"phone": "4421234;1390915000"}))["number"]
    words = {"content": "改打1390915000，或442-1234；交了1390元"}
    await post(intake, f"/v1/tickets/{number}/supplements", words)
    assert (await intake.told())[-1].data.content == "改打[电话]，或[电话]；交了1390元"


async def test_a_repeat_is_known_in_the_spelling_of_the_release_before(intake: Bench) -> None:
    """It took the phone in its one spelling, and digested that."""
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    first = await client.post("/v1/tickets", json=phoned(MOBILE), headers=key)
    again = await client.post("/v1/tickets", json=phoned("+86 139-0915-0001"), headers=key)
    assert (again.status_code, again.json()["number"]) == (200, first.json()["number"])
    for other in ("13909150001;13800138000", "李女士13909150001"):
        refused = await client.post("/v1/tickets", json=phoned(other), headers=key)
        assert refused.json()["type"].endswith("idempotency-key-reused")


async def test_a_repeat_is_warned_as_the_first_time(intake: Bench) -> None:
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    first = await client.post("/v1/tickets", json=phoned("12345"), headers=key)
    again = await client.post("/v1/tickets", json=phoned("12345"), headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
